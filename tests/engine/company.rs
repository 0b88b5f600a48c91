//! Stages that share work: who meets whom, and that nobody waits for one who does not come.

use crate::toy::{Ask, Repo};
use retrace::base::error::Error;
use std::sync::{Arc, Mutex};

/// Six stages of one matrix share work, and one of each of these: other words, none, another input.
const SHARING: &str = "
version: 2
stages:
  a: {kind: join, params: {text: a}}
  x:
    kind: join
    matrix: {of: [1, 2, 3, 4, 5, 6]}
    params: {text: \"x${of}\", shares: draws}
    inputs: {parts: a.out}
    outputs: {out: \"artifacts/x${of}.txt\"}
  other: {kind: join, params: {text: other, shares: others}, inputs: {parts: a.out}}
  alone: {kind: join, params: {text: alone}, inputs: {parts: a.out}}
  apart: {kind: join, params: {text: apart, shares: draws}}
";

type Meetings = Arc<Mutex<Vec<Vec<String>>>>;

/// A repository whose stages but `a` gather, if `come` lets them, and who met whom in it.
fn sharing(come: impl Fn(&str) -> Result<(), Error> + Send + Sync + 'static) -> (Repo, Meetings) {
    let mut repo = Repo::new(SHARING);
    let meetings = Meetings::default();
    let met = Arc::clone(&meetings);
    repo.hook = Arc::new(move |text, io| {
        if text == "a" {
            return Ok(());
        }
        come(text)?;
        let mut parts = io.gather(text.to_owned());
        if !parts.is_empty() {
            parts.sort();
            met.lock().expect("no panic").push(parts);
        }
        Ok(())
    });
    (repo, meetings)
}

fn taken(meetings: &Meetings) -> Vec<Vec<String>> {
    let mut taken = std::mem::take(&mut *meetings.lock().expect("no panic"));
    taken.sort();
    taken
}

const ALL: [&str; 6] = ["x1", "x2", "x3", "x4", "x5", "x6"];

#[test]
fn those_with_the_same_inputs_and_words_meet_for_any_number_of_workers() {
    for workers in [1, 2, 5] {
        let (repo, meetings) = sharing(|_| Ok(()));
        let ask = Ask {
            workers: Some(workers),
            ..Ask::default()
        };
        let summary = repo.run(&ask).expect("it runs");
        assert_eq!((summary.ran, summary.failed.len()), (10, 0), "{summary:?}");
        let expected = [&["alone"][..], &["apart"], &["other"], &ALL];
        assert_eq!(taken(&meetings), expected);
        // Each has its own output, and one that runs again runs alone and to the same bytes.
        assert_eq!(repo.read("artifacts/x3.txt"), "x3(a())");
        repo.take_runs();
        let again = Ask {
            targets: &["x@3"],
            force: true,
            ..ask
        };
        let summary = repo.run(&again).expect("it runs");
        assert!(summary.failed.is_empty() && summary.differing.is_empty());
        assert_eq!(taken(&meetings), [["x3"]]);
    }
}

#[test]
fn who_has_a_result_already_is_not_waited_for() {
    let (repo, meetings) = sharing(|_| Ok(()));
    let some = Ask {
        targets: &["x@2", "x@5"],
        ..Ask::default()
    };
    repo.run(&some).expect("it runs");
    assert_eq!(taken(&meetings), [["x2", "x5"]]);
    // One is fresh; the other is taken with the rest and then restored.
    std::fs::remove_file(repo.path("artifacts/x5.txt")).expect("it is there");
    let summary = repo.run(&Ask::default()).expect("it runs");
    assert_eq!((summary.fresh, summary.restored, summary.ran), (2, 1, 7));
    let expected = [
        &["alone"][..],
        &["apart"],
        &["other"],
        &["x1", "x3", "x4", "x6"],
    ];
    assert_eq!(taken(&meetings), expected);
}

#[test]
fn who_fails_or_panics_before_it_comes_is_not_waited_for() {
    let (repo, meetings) = sharing(|text| match text {
        "x1" => Err(Error::failed("on purpose")),
        "x4" => panic!("on purpose"),
        _ => Ok(()),
    });
    let ask = Ask {
        keep_going: true,
        ..Ask::default()
    };
    let summary = repo.run(&ask).expect("it runs");
    assert_eq!((summary.ran, summary.failed.len()), (8, 2), "{summary:?}");
    assert!(taken(&meetings).contains(&["x2", "x3", "x5", "x6"].map(String::from).to_vec()));
}

#[test]
fn many_meet_in_several_companies() {
    let (repo, meetings) = sharing(|_| Ok(()));
    let many: Vec<String> = (0..40).map(|i| i.to_string()).collect();
    let many = format!("[{}]", many.join(", "));
    repo.write(
        "pipeline.yaml",
        &SHARING.replace("[1, 2, 3, 4, 5, 6]", &many),
    );
    let summary = repo.run(&Ask::default()).expect("it runs");
    assert_eq!(summary.ran, 44);
    let sizes: Vec<usize> = taken(&meetings).iter().map(Vec::len).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 43);
    assert!(
        sizes.contains(&16) && sizes.iter().all(|&size| size <= 16),
        "{sizes:?}"
    );
}
