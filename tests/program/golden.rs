//! The same bits on every machine: the golden digests at every instruction set of this one and with
//! several threads, and that a digest that differs is named.
//!
//! Instruction sets are chosen for the whole process: this file has one test that does so.

use icl_repro::golden::check::{self, Difference, Level, compare};
use icl_repro::golden::expected::EXPECTED;

const FONT: &[u8] = include_bytes!("../../data/fonts/DejaVuSans.ttf");

#[test]
fn golden_digests_hold_at_every_level_and_number_of_threads() {
    for level in check::levels(Level::Avx512) {
        for threads in [1, 2, 3] {
            let round = check::round(level, Level::Avx512, threads, Some(FONT))
                .expect("all computations end");
            let differences = check::differences(&round.digests, true);
            let table: Vec<String> = round
                .digests
                .iter()
                .map(|(name, digest)| format!("    ({name:?}, {digest:?}),"))
                .collect();
            assert!(
                differences.is_empty(),
                "{level:?}, {threads} threads: {differences:#?}\nall that was found:\n{}",
                table.join("\n")
            );
        }
    }
}

#[test]
fn names_are_unique_and_so_are_digests() {
    let mut names: Vec<&str> = EXPECTED.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), EXPECTED.len());
    // Only what is written, read and written again has a digest twice.
    let mut digests: Vec<&str> = EXPECTED.iter().map(|(_, digest)| *digest).collect();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len() + 2, EXPECTED.len());
}

#[test]
fn a_difference_is_named() {
    let found = vec![
        ("same", "00".to_owned()),
        ("changed", "11".to_owned()),
        ("new", "22".to_owned()),
    ];
    let expected = [
        ("same", "00"),
        ("changed", "10"),
        ("gone", "33"),
        ("figure svg", "44"),
    ];
    let difference = |name: &str, expected: Option<&str>, found: Option<&str>| Difference {
        name: name.into(),
        expected: expected.map(Into::into),
        found: found.map(Into::into),
    };
    let without_font = vec![
        difference("changed", Some("10"), Some("11")),
        difference("gone", Some("33"), None),
        difference("new", None, Some("22")),
    ];
    assert_eq!(compare(&expected, &found, false), without_font);
    let with_font = compare(&expected, &found, true);
    assert!(with_font.contains(&difference("figure svg", Some("44"), None)));
    assert_eq!(with_font.len(), 4);
}
