//! The store looked after: listed, looked through, pinned, cleared.

use crate::place::{Place, with_store};
use std::fs;

/// A store with what the first clone has made.
fn pushed() -> Place {
    let place = Place::new();
    place.expect("first", 0, &with_store(&["push"]));
    place
}

fn store<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    with_store(&[&["store"], arguments].concat())
}

#[test]
fn a_right_store_is_said_to_be_so_and_a_flipped_byte_is_found() {
    let place = pushed();
    let objects = place.objects();
    let said = place.expect("first", 0, &store(&["list"]));
    assert!(
        said.contains(&format!("{} objects", objects.len())),
        "{said}"
    );
    let said = place.expect("first", 0, &store(&["verify"]));
    assert!(said.contains("all is right"), "{said}");

    let (digest, path) = objects.into_iter().next().expect("an object");
    let mut bytes = fs::read(&path).expect("an object");
    bytes[0] ^= 1;
    fs::remove_file(&path).expect("it is there");
    fs::write(&path, bytes).expect("a file");
    let said = place.expect("first", 3, &store(&["verify"]));
    assert!(
        said.contains(&digest) && said.contains("1 finding"),
        "{said}"
    );
    // It is the first of all, so the smallest sample has it.
    let said = place.expect("first", 3, &store(&["verify", "--sample", "1%"]));
    assert!(said.contains(": 1 of "), "{said}");
    // What it says helps.
    place.expect("first", 0, &with_store(&["push", "--paranoid"]));
    place.expect("first", 0, &store(&["verify"]));
}

#[test]
fn what_is_pinned_stays_and_all_else_goes() {
    let place = pushed();
    let all = place.objects().len();
    let said = place.expect("first", 0, &store(&["pin", "release-1"]));
    assert!(said.contains("release-1"), "{said}");
    let alone = ["gc", "--older-than", "0", "--alone"];
    let said = place.expect("first", 0, &store(&alone));
    assert!(said.contains("removed 0 entries and 0 objects"), "{said}");
    assert!(said.contains("1 pin"), "{said}");
    let said = place.expect("first", 2, &store(&["unpin", "release-2"]));
    assert!(said.contains("did you mean `release-1`"), "{said}");
    place.expect("first", 0, &store(&["unpin", "release-1"]));
    let dry = [&alone[..], &["--dry-run"]].concat();
    let said = place.expect("first", 0, &store(&dry));
    assert!(
        said.contains(&format!("would remove 0 entries and {all} objects")),
        "{said}"
    );
    assert_eq!(place.objects().len(), all);
    place.expect("first", 0, &store(&alone));
    assert_eq!(place.objects().len(), 0);
    // What is pinned now is not there, and that is said.
    let said = place.expect("first", 0, &store(&["pin", "release-1"]));
    assert!(said.contains("not in the store yet"), "{said}");
    place.expect("first", 3, &store(&["verify"]));
    place.expect("first", 0, &with_store(&["push"]));
    place.expect("first", 0, &store(&["verify"]));
}

#[test]
fn what_is_typed_wrong_is_told() {
    let place = pushed();
    for (arguments, words) in [
        (&["gc", "--older-than", "3"][..], "--alone"),
        (&["verify", "--sample", "0%"][..], "--sample: `0%`"),
        (&["verify", "--sample", "ten"][..], "per cent"),
        (&["pin", "a/b"][..], "no name of a pin"),
        (&["pin", "a", "nothing"][..], "no target `nothing`"),
        (&["unpin", ".."][..], "no name of a pin"),
    ] {
        let said = place.expect("first", 2, &store(arguments));
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    let said = place.expect("first", 2, &["store", "list"]);
    assert!(said.contains("no store is named"), "{said}");
    let said = place.expect("first", 1, &["store", "list", "--store", "../typo"]);
    assert!(said.contains("typo is not there"), "{said}");
}
