//! `-j` starts no more threads than can help, and says so.

use crate::repository::Repository;
use retrace_cli::workers;
use std::thread::available_parallelism;

fn most() -> usize {
    let cores = available_parallelism().map_or(1, usize::from);
    (2 * cores).max(4)
}

#[test]
fn what_cannot_help_is_not_started_and_that_is_said() {
    let repository = Repository::new();
    let beyond = "99999999999999999999999999";
    for jobs in ["8000", "65535", "65536", beyond] {
        let said = repository.expect(0, &["run", "--force", "tasks", "-j", jobs]);
        let note = format!("{} threads are started, more do not help on", most());
        assert!(said.contains(&note), "-j {jobs}: {said}");
    }
    let said = repository.expect(0, &["verify", "--rebuild", "tasks", "-j", "8000"]);
    assert!(
        said.contains("threads are started, more do not help"),
        "{said}"
    );
    // What may help, and three on every machine, is as asked.
    for jobs in [1, 2, 3, most()] {
        assert_eq!(workers::count(Some(jobs)), jobs);
        let said = repository.expect(0, &["run", "--force", "tasks", "-j", &jobs.to_string()]);
        assert!(!said.contains("do not help"), "-j {jobs}: {said}");
    }
    assert_eq!(workers::count(Some(usize::MAX)), most());
    assert!(workers::count(None) <= most());
}

#[test]
fn what_is_no_number_of_threads_is_explained() {
    let repository = Repository::new();
    for jobs in ["0", "-1", "-8000", "x", "", "1.5", "1e3", "٣"] {
        for verb in [&["run"][..], &["verify", "--rebuild"]] {
            let said = repository.expect(2, &[verb, &["-j", jobs]].concat());
            assert!(said.contains("1 or more"), "{verb:?} -j {jobs}: {said}");
        }
    }
}

#[test]
fn the_environment_asks_for_no_more_either() {
    let repository = Repository::new();
    let run = |variable: &str, value: &str| {
        let mut command = repository.command(&["run", "--force", "tasks"]);
        crate::repository::said(command.env(variable, value))
    };
    // The one pool is started with a number of its own.
    let said = run("RAYON_NUM_THREADS", "100000");
    assert_eq!(said.code, Some(0), "{}", said.text);
    for value in ["100000", "0", "-1", "many"] {
        let said = run("POLARS_MAX_THREADS", value);
        assert_eq!(said.code, Some(2), "{value}: {}", said.text);
        assert!(
            said.text.contains("POLARS_MAX_THREADS") && said.text.contains("unset it"),
            "{}",
            said.text
        );
    }
    assert_eq!(run("POLARS_MAX_THREADS", "2").code, Some(0));
}
