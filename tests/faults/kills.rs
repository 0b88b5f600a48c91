//! Kills at random moments, of every verb that writes.

use crate::repository::{Files, Repository, TEMPORARY, files_below, nothing_half_written, number};
use icl::math::stream::Stream;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// More starts than this for each kill mean that the moments are chosen badly.
const STARTS_PER_KILL: usize = 20;
/// Kills come within this share of the time that the verb takes undisturbed.
const WINDOW: f64 = 1.0;

/// The verbs, with what makes that they have something to do.
const VERBS: [&[&str]; 5] = [
    &["run"],
    &["run", "--force", "-j", "2"],
    &["verify", "--rebuild"],
    &["gc", "--max-size", "0"],
    &["clean"],
];

/// Two versions alternate, so that a killed run stands amid the files of the other one.
fn write_version(repository: &Repository, yaml: &str, version: usize) {
    let text = yaml.replace("  seed: 0\n", &format!("  seed: {version}\n"));
    fs::write(repository.path("pipeline.yaml"), text).expect("a file");
}

#[test]
fn a_kill_at_any_moment_of_any_verb_leaves_what_the_next_run_completes() {
    let kills = number("ICL_REPRO_KILLS", 60);
    let repository = Repository::new();
    let yaml = fs::read_to_string(repository.path("pipeline.yaml")).expect("a file");
    let versions: Vec<Files> = (0..2)
        .map(|version| {
            write_version(&repository, &yaml, version);
            repository.expect(0, &["run"]);
            repository.results()
        })
        .collect();
    assert!(versions[0] != versions[1]);
    let mut random = Stream::new(0, "moments of kills", &[1]);
    let (mut killed, mut starts) = (0, 0);
    let mut longest = [Duration::ZERO; VERBS.len()];
    while killed < kills {
        let verb = starts % VERBS.len();
        let version = starts / VERBS.len() % 2;
        starts += 1;
        assert!(
            starts < STARTS_PER_KILL * kills,
            "{killed} kills in {starts} starts"
        );
        write_version(&repository, &yaml, version);
        // A run has nothing to do where it remembers what it made; the others need results.
        match verb {
            0 => drop(fs::remove_file(repository.path(".icl-repro/actions.log"))),
            _ => drop(repository.expect(0, &["run"])),
        }
        let start = Instant::now();
        let mut command = repository.command(VERBS[verb]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        if longest[verb] > Duration::ZERO {
            std::thread::sleep(longest[verb].mul_f64(random.uniform() * WINDOW));
            child.kill().expect("it is ours");
        }
        let status = child.wait().expect("it is ours");
        if status.signal().is_some() {
            killed += 1;
        } else {
            assert!(status.success(), "{:?}: {status}", VERBS[verb]);
            longest[verb] = longest[verb].max(start.elapsed());
        }
        let found = repository.results();
        nothing_half_written(&found, &[&versions[0], &versions[1]]);
        let verified = repository.run(&["verify"]);
        assert!(!verified.text.contains("damaged"), "{}", verified.text);
        // What was interrupted can be done again.
        if VERBS[verb] == ["clean"] {
            repository.expect(0, &["clean"]);
        }
        repository.expect(0, &["run"]);
        repository.expect(0, &["verify"]);
        assert!(
            repository.results() == versions[version],
            "after {:?} the results are those of an undisturbed run",
            VERBS[verb]
        );
        let status = repository.expect(0, &["status", "--exit-code"]);
        assert!(!status.contains("stale"), "{status}");
        let left = files_below(&repository.path(".icl-repro"));
        let is_left = |path: &&std::path::PathBuf| {
            let path = path.to_string_lossy();
            path.contains(TEMPORARY) && !path.contains("/rebuild-")
        };
        assert_eq!(left.iter().find(is_left), None);
    }
    // What killed rebuilds have left goes with the next collection.
    repository.expect(0, &["gc"]);
    let left = files_below(&repository.path(".icl-repro"));
    let is_left = |path: &&std::path::PathBuf| path.to_string_lossy().contains("/rebuild-");
    assert_eq!(left.iter().find(is_left), None);
    // A `clean` that was killed when all but its last step was done.
    repository.expect(0, &["clean"]);
    for left in [&["run.lock"][..], &[]] {
        fs::create_dir(repository.path(".icl-repro")).expect("a folder");
        for name in left {
            fs::write(repository.path(".icl-repro").join(name), "").expect("a file");
        }
        repository.expect(0, &["clean"]);
    }
    // But no folder of somebody else's.
    fs::create_dir(repository.path(".icl-repro")).expect("a folder");
    fs::write(repository.path(".icl-repro/letter"), "").expect("a file");
    repository.expect(2, &["clean"]);
    assert!(repository.path(".icl-repro/letter").is_file());
    fs::remove_file(repository.path(".icl-repro/letter")).expect("ours");
    eprintln!("{killed} kills in {starts} starts");
}
