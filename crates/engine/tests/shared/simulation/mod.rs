//! A cluster of many workers around one store, in virtual time: what goes wrong on real ones goes wrong here in
//! seconds, and the same each time.

mod clock;
pub mod cluster;
mod network;
mod stages;

use clock::MILLISECOND;
use cluster::Cluster;
use network::{FAIR, Weather};
use retrace::base::digest::Digest;
use retrace::shared::entry::Entry;
use retrace::shared::store::{entry_name, object};
use stages::Stages;

const WORKERS: usize = 200;
const STAGES: usize = 600;
/// Stages that do not wait for each other.
const WIDTH: usize = 200;

/// A slow network that fails one time in a hundred, one worker in twenty dying, and a clock that jumps by days.
const BAD: Weather = Weather {
    latency: 20 * MILLISECOND,
    failing: 10,
    dying: 50,
    jumps: 20,
};

/// Every entry says what a run on one machine makes, and the objects are there.
fn holds_the_results(cluster: &Cluster, folder: &std::path::Path) {
    let signers = [0, 1].map(|number| cluster::signer(number, folder).id());
    for (stage, (key, made)) in cluster.stages.serial().iter().enumerate() {
        let said = signers.iter().filter_map(|&signer| {
            let text = cluster.remote.file(&entry_name(key.digest(), signer))?;
            Some(Entry::read(&text, key.digest(), signer).expect("a right entry"))
        });
        let said: Vec<Entry> = said.collect();
        assert!(!said.is_empty(), "nobody speaks of stage {stage}");
        for entry in said {
            assert_eq!(entry.digests()["out"], Digest::of(made), "stage {stage}");
        }
        let found = cluster.remote.file(&object(Digest::of(made)));
        assert_eq!(found.as_deref(), Some(&made[..]), "stage {stage}");
    }
}

#[test]
fn in_fair_weather_every_stage_runs_once_for_each_that_has_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let stages = Stages::drawn(1, STAGES, WIDTH);
    let cluster = Cluster::run(&stages, 1, WORKERS, FAIR, folder.path());
    holds_the_results(&cluster, folder.path());
    let attempts = cluster.attempts();
    for (stage, attempts) in attempts.iter().enumerate() {
        assert_eq!(attempts.deaths + attempts.failures, 0, "stage {stage}");
        let expected = 1..=1 + attempts.duplicates;
        assert!(expected.contains(&attempts.runs), "{stage}: {attempts:?}");
    }
    let duplicates: usize = attempts.iter().map(|a| a.duplicates).sum();
    assert!(duplicates > STAGES / 20, "{duplicates} duplicates");
}

#[test]
fn in_bad_weather_the_results_are_the_same_and_nothing_runs_more_than_it_must() {
    let mut totals = [0; 3];
    for seed in 0..2 {
        let folder = tempfile::tempdir().expect("a folder");
        let stages = Stages::drawn(seed, STAGES, WIDTH);
        let cluster = Cluster::run(&stages, seed, WORKERS, BAD, folder.path());
        holds_the_results(&cluster, folder.path());
        for (stage, attempts) in cluster.attempts().iter().enumerate() {
            // Once, and again only for an attempt that died, that the network ended, or that was given to two.
            let again = attempts.deaths + attempts.failures + attempts.duplicates;
            assert!(
                attempts.runs <= 1 + again,
                "seed {seed}, stage {stage}: {attempts:?}"
            );
            assert!(attempts.runs >= 1, "seed {seed}, stage {stage}");
            let of_stage = [attempts.deaths, attempts.failures, attempts.duplicates];
            totals
                .iter_mut()
                .zip(of_stage)
                .for_each(|(total, n)| *total += n);
        }
        // What a stage reads and makes: nobody holds more, however many stages there are.
        let most = *cluster.most_held.lock().expect("no panic");
        assert!(most <= 2 + 1, "seed {seed}: {most} objects");
    }
    assert!(totals.iter().all(|&total| total > 30), "{totals:?}");
}

#[test]
fn a_simulation_is_the_same_when_it_is_done_again() {
    let history = |seed| {
        let folder = tempfile::tempdir().expect("a folder");
        let stages = Stages::drawn(7, 120, 40);
        let cluster = Cluster::run(&stages, seed, 50, BAD, folder.path());
        (cluster.remote.history(), cluster.remote.requests())
    };
    assert_eq!(history(7), history(7));
    assert_ne!(history(7).0, history(8).0);
}
