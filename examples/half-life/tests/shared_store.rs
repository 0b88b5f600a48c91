//! A shared store, as colleagues use it: pushed from one clone, and taken into others, true or not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with clones and a store.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// A clone in which everything has run, and an empty folder for a store.
    fn new() -> Place {
        let place = Place {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        fs::create_dir(place.path("first")).expect("a folder");
        fs::write(place.path("first/pipeline.yaml"), half_life::PIPELINE).expect("a file");
        place.expect("first", 0, &["run"]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What git would bring: pipeline and lock, and no cache; without the figures it must make them.
    fn clone(&self, name: &str) {
        let clone = self.path(name);
        fs::create_dir(&clone).expect("a folder");
        for file in ["pipeline.yaml", "pipeline.lock", "pipeline.keys"] {
            fs::copy(self.path("first").join(file), clone.join(file)).expect("a file");
        }
    }

    fn run(&self, clone: &str, arguments: &[&str], store: Option<&str>) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_half-life"));
        command.args(arguments).current_dir(self.path(clone));
        command.env_clear().env("HOME", self.folder.path());
        if let Some(store) = store {
            command.env("RETRACE_STORE", store);
        }
        let output = command.output().expect("the program starts");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    fn expect(&self, clone: &str, code: i32, arguments: &[&str]) -> String {
        let (found, said) = self.run(clone, arguments, None);
        assert_eq!(found, Some(code), "{arguments:?}\n{said}");
        said
    }

    /// The objects of the store, by their names.
    fn objects(&self) -> BTreeMap<String, PathBuf> {
        let shards = fs::read_dir(self.path("store/objects")).expect("a store");
        let shards = shards.map(|shard| shard.expect("a folder").path());
        let objects = shards.flat_map(|shard| fs::read_dir(shard).expect("a folder"));
        let objects = objects.map(|object| object.expect("a file").path());
        objects
            .map(|path| {
                let rest = path.file_name().unwrap_or_default().to_string_lossy();
                let shard = path.parent().and_then(Path::file_name).unwrap_or_default();
                (format!("{}{rest}", shard.to_string_lossy()), path.clone())
            })
            .collect()
    }

    /// The object of an artifact.
    fn object(&self, artifact: &str) -> PathBuf {
        let bytes = fs::read(self.path("first").join(artifact)).expect("an artifact");
        let same = |path: &PathBuf| fs::read(path).is_ok_and(|object| object == bytes);
        let mut found = self.objects().into_values().filter(same);
        found.next().expect("an object of it")
    }
}

const STORE: &[&str] = &["--store", "../store"];

fn with_store<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, STORE].concat()
}

/// Every file below a folder but those of the cache and the lock.
fn outputs(clone: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for folder in ["figures", "artifacts"] {
        for entry in fs::read_dir(clone.join(folder)).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            found.insert(format!("{folder}/{name}"), fs::read(&path).expect("a file"));
        }
    }
    found
}

#[test]
fn an_empty_clone_pulls_and_nothing_runs() {
    let place = Place::new();
    let said = place.expect("first", 0, &with_store(&["push"]));
    assert!(said.contains("3 recorded stages: 4 objects ("), "{said}");
    assert!(said.contains("0 there already"), "{said}");
    let said = place.expect("first", 0, &with_store(&["push"]));
    assert!(said.contains(": 0 objects (0 B)"), "{said}");
    assert!(said.contains("4 there already"), "{said}");

    place.clone("second");
    let said = place.expect("second", 0, &with_store(&["pull"]));
    assert!(said.contains("3 recorded stages: 4 objects ("), "{said}");
    // Only the cache has it: the working tree is as it was.
    assert!(outputs(&place.path("second")).is_empty());
    let said = place.expect("second", 0, &["run"]);
    assert!(said.contains("3 stages: 0 fresh, 3 restored;"), "{said}");
    assert!(
        said.contains("4 of 4 outputs equal the committed lock"),
        "{said}"
    );
    place.expect("second", 0, &["verify"]);
    assert_eq!(
        outputs(&place.path("second")),
        outputs(&place.path("first"))
    );
    let said = place.expect("second", 0, &with_store(&["pull"]));
    assert!(said.contains("4 here already"), "{said}");
}

#[test]
fn a_run_takes_what_the_lock_knows_and_makes_the_rest() {
    let place = Place::new();
    place.expect("first", 0, &with_store(&["push", "count_short"]));
    assert_eq!(place.objects().len(), 1);
    place.clone("second");
    // The environment names it as well.
    let store = place.path("store");
    let (code, said) = place.run("second", &["run"], store.to_str());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("0 fresh, 1 from the store, 2 ran"), "{said}");
    place.expect("second", 0, &["verify"]);
    // Nothing is stale, nothing is looked for.
    fs::remove_dir_all(place.path("store/objects")).expect("a store");
    let said = place.expect("second", 0, &with_store(&["run"]));
    assert!(said.contains("3 stages: 3 fresh"), "{said}");
    assert!(!said.contains("warning"), "{said}");
    // What nobody recorded is not asked for: another key runs.
    place.expect("first", 0, &with_store(&["push"]));
    let set = ["run", "count_long", "--set", "vars.activity=7"];
    let said = place.expect("second", 0, &with_store(&set));
    assert!(said.contains("1 stage: 0 fresh, 1 ran"), "{said}");
    // A forced run is a run.
    let said = place.expect("second", 0, &with_store(&["run", "--force"]));
    assert!(said.contains("0 fresh, 3 ran"), "{said}");
}

#[test]
fn a_store_that_lies_is_no_store() {
    let place = Place::new();
    place.expect("first", 0, &with_store(&["push"]));
    let truth: BTreeMap<PathBuf, Vec<u8>> = place
        .objects()
        .into_values()
        .map(|path| (path.clone(), fs::read(&path).expect("an object")))
        .collect();
    let write = |path: &Path, bytes: &[u8]| {
        fs::remove_file(path).expect("an object");
        fs::write(path, bytes).expect("a file");
    };
    let short = place.object("artifacts/short.csv");
    let long = place.object("artifacts/long.csv");
    let lies: [(&str, &dyn Fn()); 5] = [
        ("flipped", &|| {
            let mut bytes = truth[&short].clone();
            *bytes.last_mut().expect("a byte") ^= 1;
            write(&short, &bytes);
        }),
        ("truncated", &|| write(&short, &truth[&short][..9])),
        ("swapped", &|| {
            write(&short, &truth[&long]);
            write(&long, &truth[&short]);
        }),
        ("larger", &|| {
            let more = [truth[&short].clone(), vec![b' '; 1 << 20]].concat();
            write(&short, &more);
        }),
        ("missing", &|| fs::remove_file(&short).expect("an object")),
    ];
    for (what, lie) in lies {
        lie();
        let clone = format!("clone_{what}");
        place.clone(&clone);
        // A pull leaves the tree as it is, and takes nothing that is wrong.
        let said = place.expect(&clone, 0, &with_store(&["pull"]));
        assert!(said.contains("not whole in the store"), "{what}: {said}");
        assert!(outputs(&place.path(&clone)).is_empty(), "{what}");
        let is_said = said.contains("with other bytes than the name says");
        assert_eq!(is_said, what != "missing", "{what}: {said}");
        // Figures are missing, which is as it is before a run; no object is damaged.
        let said = place.expect(&clone, 3, &["verify"]);
        assert!(said.contains("2 differences in 2 files"), "{what}: {said}");
        // A run makes what it lacks, and ends with the right bytes.
        fs::remove_dir_all(place.path(&clone).join(".half-life")).expect("a cache");
        let said = place.expect(&clone, 0, &with_store(&["run"]));
        let ran = if what == "swapped" { 2 } else { 1 };
        assert!(said.contains(&format!(", {ran} ran")), "{what}: {said}");
        assert_eq!(
            outputs(&place.path(&clone)),
            outputs(&place.path("first")),
            "{what}"
        );
        place.expect(&clone, 0, &["verify"]);
        // Who has the right bytes puts them there again.
        place.expect(&clone, 0, &with_store(&["push", "--paranoid"]));
        for (path, bytes) in &truth {
            assert!(fs::read(path).is_ok_and(|found| found == *bytes), "{what}");
        }
    }
}

#[test]
fn a_store_that_is_not_there_is_named_and_in_nobodys_way() {
    let place = Place::new();
    let said = place.expect("first", 2, &["push"]);
    assert!(said.contains("no store is named"), "{said}");
    assert!(said.contains("--store DIR"), "{said}");
    let said = place.expect("first", 1, &["pull", "--store", "../typo"]);
    assert!(said.contains("typo is not there"), "{said}");
    let said = place.expect("first", 1, &["push", "--store", "../typo/deep"]);
    assert!(said.contains("cannot make the store"), "{said}");
    let said = place.expect("first", 2, &with_store(&["push", "count_shrt"]));
    assert!(said.contains("count_short"), "{said}");
    place.clone("second");
    for fresh in [0, 3] {
        let said = place.expect("second", 0, &["run", "--store", "../typo"]);
        assert!(said.contains(&format!("3 stages: {fresh} fresh")), "{said}");
        assert_eq!(said.matches("warning:").count(), 1, "{said}");
        assert!(said.contains("typo is not there"), "{said}");
    }
    // A folder where an object should be readable: the run goes on, and says it once.
    fs::create_dir(place.path("store")).expect("a folder");
    fs::write(place.path("store/objects"), "no folder").expect("a file");
    place.clone("third");
    let said = place.expect("third", 0, &with_store(&["run"]));
    assert!(said.contains("0 fresh, 3 ran"), "{said}");
    assert_eq!(said.matches("warning:").count(), 1, "{said}");
    assert!(said.contains("failed 3 times"), "{said}");
    let said = place.expect("first", 1, &with_store(&["push"]));
    assert!(said.contains("the store must be a folder"), "{said}");
    // A variant that never ran has no lock of its own.
    let pull = ["pull", "--profile", "weak"];
    let said = place.expect("first", 2, &with_store(&pull));
    assert!(said.contains("records nothing to pull"), "{said}");
}
