//! What the lock knows: taken by digest alone, from whoever has it.

use crate::place::{Place, outputs, with_store};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

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
    let (code, said) = place.run("second", &["run"], &[("RETRACE_STORE", "../store")]);
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
fn what_is_not_whole_comes_by_a_command_for_the_same_stages() {
    let place = Place::new();
    place.clone("empty");
    let said = place.expect("empty", 0, &with_store(&["push", "count_*"]));
    assert!(
        said.contains("`half-life run 'count_*'` makes them"),
        "{said}"
    );
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
        let wrong = match what {
            "missing" => None,
            "swapped" => Some("has 2 files that are not what their names say"),
            _ => Some("has 1 file that is not what its name says"),
        };
        assert_eq!(said.contains("not what"), wrong.is_some(), "{what}: {said}");
        assert!(said.contains(wrong.unwrap_or_default()), "{what}: {said}");
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
    assert!(said.contains("--store STORE"), "{said}");
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
    // Whoever pulls is told that it did not come.
    let said = place.expect("third", 1, &with_store(&["pull"]));
    assert!(said.contains("error: the store"), "{said}");
    assert!(said.contains("not whole in the store: 3 stages"), "{said}");
    let said = place.expect("third", 0, &with_store(&["run"]));
    assert!(said.contains("0 fresh, 3 ran"), "{said}");
    assert_eq!(said.matches("warning:").count(), 1, "{said}");
    assert!(said.contains("failed 3 times"), "{said}");
    let said = place.expect("first", 1, &with_store(&["push"]));
    assert!(said.contains("store/objects"), "{said}");
    // A variant that never ran has no lock of its own.
    let pull = ["pull", "--profile", "weak"];
    let said = place.expect("first", 2, &with_store(&pull));
    assert!(said.contains("records nothing to pull"), "{said}");
}
