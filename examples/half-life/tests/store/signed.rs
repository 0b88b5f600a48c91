//! What the lock does not know, taken from a store because somebody whose word counts has signed it.

use crate::place::{Place, outputs, with_store};
use retrace::Digest;
use retrace::shared::entry::Entry;
use retrace::shared::trust::Signer;
use std::fs;
use std::path::PathBuf;

/// A key that no committed lock knows.
const VARIANT: [&str; 2] = ["--set", "vars.activity=7"];

fn variant(verb: &str) -> Vec<&str> {
    with_store(&[&[verb], &VARIANT[..]].concat())
}

/// Who has a key of that name; the line that trusts it.
fn signer(place: &Place, name: &str) -> String {
    let file = format!("../{name}");
    let said = place.expect("first", 0, &["store", "key", &file, "--name", name]);
    let line = said.lines().find(|line| line.starts_with("ed25519 "));
    line.unwrap_or_else(|| panic!("{said}")).to_owned()
}

fn trust(place: &Place, clone: &str, lines: &[&String]) {
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(place.path(clone).join("store.trust"), lines).expect("a file");
}

/// Runs the variant in a clone of its own, and pushes it signed by the key of that name.
fn push(place: &Place, clone: &str, name: &str) -> String {
    let key = format!("../{name}");
    let (code, said) = place.run(clone, &variant("push"), &[("RETRACE_KEY", &key)]);
    assert_eq!(code, Some(0), "{said}");
    said
}

/// Where the variant's outputs are.
fn made(place: &Place, clone: &str) -> PathBuf {
    let profiles = place.path(clone).join(".half-life/profiles");
    let mut folders = fs::read_dir(profiles).into_iter().flatten();
    let folder = folders.next().map(|entry| entry.expect("a folder").path());
    folder.unwrap_or_else(|| place.path("nothing"))
}

fn entries(place: &Place) -> Vec<PathBuf> {
    let below = |folder: PathBuf| {
        fs::read_dir(folder)
            .expect("a folder")
            .map(|e| e.expect("an entry").path())
    };
    let keys = below(place.path("store/entries")).flat_map(below);
    let mut entries: Vec<PathBuf> = keys.flat_map(below).collect();
    entries.sort();
    entries
}

/// A repository whose variant ann has made and signed.
fn signed() -> (Place, String) {
    let place = Place::new();
    let ann = signer(&place, "ann");
    trust(&place, "first", &[&ann]);
    place.expect("first", 0, &[&["run"], &VARIANT[..]].concat());
    let said = push(&place, "first", "ann");
    assert!(said.contains("3 entries signed"), "{said}");
    (place, ann)
}

#[test]
fn a_trusted_signer_spares_others_the_work_and_nobody_else_does() {
    let (place, ann) = signed();
    let said = push(&place, "first", "ann");
    assert!(
        said.contains(": 0 objects") && said.contains("0 entries signed"),
        "{said}"
    );

    place.clone("trusts");
    trust(&place, "trusts", &[&ann]);
    let said = place.expect("trusts", 0, &variant("run"));
    assert!(said.contains("3 from the store;"), "{said}");
    assert_eq!(
        outputs(&made(&place, "trusts")),
        outputs(&made(&place, "first"))
    );
    let said = place.expect("trusts", 0, &variant("run"));
    assert!(said.contains("3 stages: 3 fresh"), "{said}");

    // Nobody is trusted, and somebody else is.
    let bob = signer(&place, "bob");
    for (clone, lines) in [("alone", vec![]), ("other", vec![&bob])] {
        place.clone(clone);
        trust(&place, clone, &lines);
        let said = place.expect(clone, 0, &variant("run"));
        assert!(said.contains("0 fresh, 3 ran"), "{clone}: {said}");
    }
}

#[test]
fn a_forged_entry_is_none() {
    let (place, ann) = signed();
    let truth: Vec<(PathBuf, Vec<u8>)> = entries(&place)
        .into_iter()
        .map(|path| (path.clone(), fs::read(&path).expect("an entry")))
        .collect();
    let put = |path: &PathBuf, bytes: &[u8]| fs::write(path, bytes).expect("an entry");
    let lies: [(&str, &dyn Fn()); 4] = [
        ("flipped", &|| {
            for (path, bytes) in &truth {
                let mut bytes = bytes.clone();
                bytes[100] ^= 1;
                put(path, &bytes);
            }
        }),
        ("cut short", &|| {
            truth
                .iter()
                .for_each(|(path, bytes)| put(path, &bytes[..90]))
        }),
        ("of another key", &|| {
            for (n, (path, _)) in truth.iter().enumerate() {
                put(path, &truth[(n + 1) % truth.len()].1);
            }
        }),
        ("with other outputs", &|| {
            for (path, bytes) in &truth {
                let text = String::from_utf8_lossy(bytes).replace("\"bytes\":", "\"bytes\":1");
                put(path, text.as_bytes());
            }
        }),
    ];
    for (n, (what, lie)) in lies.iter().enumerate() {
        lie();
        let clone = format!("clone_{n}");
        place.clone(&clone);
        trust(&place, &clone, &[&ann]);
        let said = place.expect(&clone, 0, &variant("run"));
        assert!(said.contains("0 fresh, 3 ran"), "{what}: {said}");
        assert!(said.contains("not what their names say"), "{what}: {said}");
        assert_eq!(
            outputs(&made(&place, &clone)),
            outputs(&made(&place, "first")),
            "{what}"
        );
    }
    // Who has made it puts right ones there.
    let said = push(&place, "first", "ann");
    assert!(said.contains("3 entries signed"), "{said}");
    for (path, bytes) in &truth {
        assert!(fs::read(path).is_ok_and(|found| found == *bytes));
    }
}

#[test]
fn an_entry_whose_objects_are_gone_or_larger_than_stated_is_a_miss() {
    let (place, ann) = signed();
    for (n, object) in place.objects().into_values().enumerate() {
        match n {
            0 => fs::remove_file(&object).expect("an object"),
            _ => {
                let more = [fs::read(&object).expect("an object"), vec![b' '; 9]].concat();
                fs::remove_file(&object).expect("an object");
                fs::write(&object, more).expect("an object");
            }
        }
    }
    place.clone("second");
    trust(&place, "second", &[&ann]);
    let said = place.expect("second", 0, &variant("run"));
    assert!(said.contains("0 fresh, 3 ran"), "{said}");
    assert_eq!(
        outputs(&made(&place, "second")),
        outputs(&made(&place, "first"))
    );
}

#[test]
fn two_signers_who_disagree_are_named_and_nothing_is_taken() {
    let (place, ann) = signed();
    let bob = signer(&place, "bob");
    say_otherwise(&place, "bob");

    place.clone("second");
    trust(&place, "second", &[&ann, &bob]);
    let said = place.expect("second", 3, &variant("run"));
    assert!(said.contains("disagree on what comes of count_"), "{said}");
    assert!(said.contains("ann") && said.contains("bob"), "{said}");
    assert!(!made(&place, "second").join("artifacts/short.csv").exists());
    // A task of a plan takes nothing either, and what it tells to type has what the plan was made with.
    let plan = [&["plan", "slurm", "--to", "../plan"], &VARIANT[..]].concat();
    place.expect("second", 0, &with_store(&plan));
    let told = hinted(&place.expect("second", 3, &["work", "../plan/plan.json", "0"]));
    for word in ["run", "--store", "", "--set", "vars.activity=7"] {
        assert!(told.iter().any(|told| told == word), "{told:?}");
    }
    let audit = with_store(&["store", "verify"]);
    let audited = hinted(&place.expect("second", 3, &audit));
    assert_eq!(audited[2..], ["--store", ""], "{audited:?}");
    // Without a store it is made, whoever names one.
    let store = [("RETRACE_STORE", "../store")];
    let run = [&["run"], &VARIANT[..]].concat();
    let (code, said) = place.run("second", &run, &store);
    assert_eq!(code, Some(3), "{said}");
    let told = hinted(&said);
    let (code, said) = place.run(
        "second",
        &told.iter().map(|w| &**w).collect::<Vec<_>>(),
        &store,
    );
    assert_eq!(code, Some(0), "{told:?}: {said}");
    assert!(said.contains("1 ran"), "{said}");
}

/// The words of the command that is told against a disagreement, as a shell reads them.
fn hinted(said: &str) -> Vec<String> {
    let mut parts = said.split('`');
    let command = parts.find_map(|part| part.strip_prefix("half-life run "));
    let command = command.unwrap_or_else(|| panic!("{said}"));
    let words = format!("run {command}");
    let words = words.split(' ').map(|word| word.trim_matches('\''));
    words.map(str::to_owned).collect()
}

/// Signs, beside each entry that is there, that its outputs are other bytes.
fn say_otherwise(place: &Place, name: &str) {
    let signer = Signer::read(&place.path(name)).expect("a key");
    for path in entries(place) {
        let text = fs::read_to_string(&path).expect("an entry");
        let json = text.lines().nth(1).expect("a statement");
        let mut entry: Entry = serde_json::from_str(json).expect("a statement");
        for made in entry.outputs.values_mut() {
            made.digest = Digest::of(b"something else");
        }
        let beside = path.with_file_name(signer.id().to_string());
        fs::write(beside, entry.sign(&signer)).expect("an entry");
    }
}

#[test]
fn a_store_is_named_by_the_pipeline_and_demanded_by_who_needs_it() {
    let (place, ann) = signed();
    place.clone("second");
    trust(&place, "second", &[&ann]);
    let pipeline = place.path("second/pipeline.yaml");
    let text = fs::read_to_string(&pipeline).expect("a file");
    let with = |store: &str| {
        let text = text.replacen("version: 2", &format!("version: 2\nstore: {store}"), 1);
        fs::write(&pipeline, text).expect("a file");
    };
    with("../store");
    // From the file, not from where one stands.
    let run = ["-C", "../second", "run", "--set", "vars.activity=7"];
    let said = place.expect("first", 0, &run);
    assert!(said.contains("3 from the store;"), "{said}");
    with("[a, b]");
    let said = place.expect("second", 2, &["run"]);
    assert!(said.contains("pipeline.yaml:3:8"), "{said}");
    with("../typo");
    let said = place.expect("second", 1, &["run", "--store-required"]);
    assert!(said.contains("typo is not there"), "{said}");
    fs::write(&pipeline, &text).expect("a file");
    let said = place.expect("second", 2, &["run", "--store-required"]);
    assert!(said.contains("no store is named"), "{said}");
    // One that fails in the middle.
    fs::remove_dir_all(place.path("store/objects")).expect("a store");
    fs::write(place.path("store/objects"), "no folder").expect("a file");
    let said = place.expect("second", 1, &with_store(&["run", "--store-required"]));
    assert!(said.contains("is required and was given up"), "{said}");
    assert!(said.contains("1 not reached"), "{said}");
    // After fewer failures the rest was made, and it is a failure all the same.
    place.expect("second", 0, &["run"]);
    let figure = &with_store(&[
        "run",
        "count_short",
        "--store-required",
        "--cache-dir",
        "../other",
    ]);
    let said = place.expect("second", 1, figure);
    assert!(said.contains("is required and failed"), "{said}");
}

#[test]
fn keys_and_trust_that_are_none_are_refused_before_anything_is_done() {
    let (place, ann) = signed();
    let said = place.expect("first", 2, &["store", "key", "../ann", "--name", "ann"]);
    assert!(said.contains("is there already"), "{said}");
    let said = place.expect("first", 2, &["store", "key", "../new", "--name", " "]);
    assert!(said.contains("the name of a signer"), "{said}");
    let push = |key: &str| place.run("first", &with_store(&["push"]), &[("RETRACE_KEY", key)]);
    let (code, said) = push("../typo");
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("typo") && said.contains("store key"),
        "{said}"
    );
    let (code, said) = push("pipeline.yaml");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("holds no secret key"), "{said}");
    // Signed by somebody whom nobody believes: said, and done.
    signer(&place, "carl");
    let (code, said) = push("../carl");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("is not in store.trust"), "{said}");
    trust(&place, "first", &[&ann, &"ed25519 12 bob".to_owned()]);
    let said = place.expect("first", 2, &with_store(&["pull"]));
    assert!(said.contains("store.trust:2:1"), "{said}");
}
