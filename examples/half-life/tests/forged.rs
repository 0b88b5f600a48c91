//! A cache that says something else than the lock: nothing of that is put in place.

use half_life::{PIPELINE, kinds};
use retrace::run::event::Event;
use retrace::run::schedule::{Options, Run};
use retrace::stage::publication::FILE;
use retrace::store::actions::{Action, Actions, Outputs};
use retrace::store::content::Store;
use retrace::{
    Apart, Code, Digest, Engine, OpenOptions, Publisher, Reason, Result, Settings, State, Summary,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

const FORGED: &[u8] = b"minute,decays\n1,999999\n";

/// Adds a line to files below `figures/`.
struct Signed(Arc<Code>);

impl Publisher for Signed {
    fn code(&self) -> &Arc<Code> {
        &self.0
    }

    fn applies(&self, path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension == "csv")
    }

    fn embed(&self, _: &Path, content: &[u8], _: &serde_json::Value) -> Result<Vec<u8>> {
        Ok([content, b"\nsigned"].concat())
    }

    fn format(&self, _: &[u8]) -> Option<&'static str> {
        None
    }

    fn take_apart(&self, _: &[u8]) -> std::result::Result<Apart, String> {
        Err("it is not looked into".into())
    }
}

/// A repository in which everything has run, with its outputs removed again.
struct Place {
    folder: tempfile::TempDir,
    publisher: Signed,
}

/// What a run was seen to do.
struct Seen {
    summary: Summary,
    /// Why stages ran, and which files of the working tree were there then.
    started: BTreeMap<String, (Reason, Vec<PathBuf>)>,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("pipeline.yaml"), PIPELINE).expect("a file");
        let publisher = Signed(Arc::new(Code::new("1", [])));
        let place = Place { folder, publisher };
        assert_eq!(place.run(Settings::default(), false).summary.ran, 3);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self, settings: Settings) -> Engine<'_> {
        let options = OpenOptions::new()
            .settings(settings)
            .publisher(&self.publisher);
        options
            .open(self.folder.path(), kinds())
            .expect("a pipeline")
    }

    fn remove_outputs(&self) {
        for folder in ["artifacts", "figures"] {
            fs::remove_dir_all(self.path(folder)).expect("a folder");
        }
    }

    /// The files of the working tree that stages make.
    fn outputs(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        for folder in ["artifacts", "figures"] {
            for entry in fs::read_dir(self.path(folder)).into_iter().flatten() {
                let path = entry.expect("an entry").path();
                let bytes = fs::read(&path).expect("a file");
                found.insert(path, bytes);
            }
        }
        found
    }

    fn run(&self, settings: Settings, accept: bool) -> Seen {
        let engine = self.open(settings);
        let selection = engine.select(&[]).expect("everything");
        let _held = engine.workspace.lock_for_run(true, |_| {}).expect("a lock");
        let context = engine.context().expect("a cache");
        let started = Mutex::new(BTreeMap::new());
        let summary = Run {
            context: &context,
            options: &Options {
                workers: 1,
                force: false,
                keep_going: false,
                as_recorded: false,
                accept,
                variation: None,
            },
            selection: &selection,
            given: &BTreeMap::new(),
            prepare: &|| Ok(()),
            observer: &|event| {
                if let Event::Started { stage, reason } = event {
                    let there = self.outputs().into_keys().collect();
                    let mut started = started.lock().expect("no panic");
                    started.insert(engine.id(stage).to_owned(), (reason, there));
                }
            },
            cancelled: &AtomicBool::new(false),
        };
        let summary = summary.execute().expect("a run");
        assert!(summary.failed.is_empty());
        Seen {
            summary,
            started: started.into_inner().expect("no panic"),
        }
    }

    /// Writes a line with a valid checksum, and an object with a right name: `output` of a key is forged.
    fn forge(&self, key: Digest, output: &str) {
        let cache = self.path(".retrace");
        let store = Store::open(&cache, false).expect("a cache");
        let file = cache.join("forged");
        fs::write(&file, FORGED).expect("a file");
        let digest = store.insert(&file).expect("an object");
        let actions = Actions::open(cache.join("actions.log")).expect("a file");
        let known = actions.get(key).expect("a line");
        let mut outputs: Outputs = known.outputs.clone();
        assert!(outputs.insert(output.to_owned(), digest).is_some());
        actions
            .record(key, &Action { outputs, ..known })
            .expect("a line");
    }

    /// The key of a stage, and of what is published of an output, as the lock has them.
    fn keys(&self, stage: &str, output: &str) -> (Digest, Option<Digest>) {
        let engine = self.open(Settings::default());
        let context = engine.context().expect("a cache");
        let block = &context.lock.get().expect("a lock").stages[stage];
        let published = block.outputs[output].published;
        (block.key, published.map(|published| published.key))
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.path("pipeline.lock")).expect("a lock")
    }
}

#[test]
fn a_forged_answer_is_not_put_in_place_but_made_again() {
    for accept in [false, true] {
        let place = Place::new();
        let (right, lock) = (place.outputs(), place.lock());
        place.forge(place.keys("count_short", "counts").0, "counts");
        place.remove_outputs();
        let engine = place.open(Settings::default());
        let states = engine.states(&["count_short"]).expect("states");
        assert_eq!(states["count_short"], State::Stale(Reason::Contradicted));
        let Seen { summary, started } = place.run(Settings::default(), accept);
        let (reason, there) = &started["count_short"];
        assert_eq!(*reason, Reason::Contradicted);
        assert!(
            !there.contains(&place.path("artifacts/short.csv")),
            "{there:?}"
        );
        assert_eq!((summary.ran, summary.restored), (1, 2));
        assert!(summary.differing.is_empty());
        assert_eq!(place.outputs(), right);
        assert_eq!(place.lock(), lock);
        // The later line counts, and that is the right one.
        assert_eq!(place.run(Settings::default(), false).summary.fresh, 3);
    }
}

#[test]
fn a_forged_publication_is_embedded_again() {
    let place = Place::new();
    let right = place.outputs();
    let (_, published) = place.keys("estimate", "table");
    place.forge(published.expect("it is published"), FILE);
    place.remove_outputs();
    let summary = place.run(Settings::default(), false).summary;
    assert_eq!((summary.ran, summary.restored), (0, 3));
    assert_eq!(place.outputs(), right);
    assert!(summary.differing.is_empty());
}

#[test]
fn what_lies_in_place_is_no_reason_to_write_and_is_a_finding() {
    let place = Place::new();
    let lock = place.lock();
    place.forge(place.keys("estimate", "figure").0, "figure");
    let figure = place.path("figures/half_life.svg");
    fs::write(&figure, FORGED).expect("a file");
    let summary = place.run(Settings::default(), false).summary;
    assert_eq!((summary.fresh, summary.ran), (3, 0));
    assert_eq!(summary.differing.len(), 1);
    assert_eq!(place.lock(), lock);
    // Any other file there, and the answer would have to be written: it is made again.
    fs::write(&figure, "mine").expect("a file");
    let summary = place.run(Settings::default(), false).summary;
    assert_eq!((summary.fresh, summary.ran), (2, 1));
    assert!(summary.differing.is_empty());
}

#[test]
fn a_variant_that_shares_a_key_is_held_to_the_lock_of_the_repository() {
    let place = Place::new();
    place.forge(place.keys("count_long", "counts").0, "counts");
    let other = Settings {
        profile: None,
        sets: vec!["count_short.minutes=20".to_owned()],
    };
    let started = place.run(other, false).started;
    assert_eq!(started["count_long"].0, Reason::Contradicted);
    // A key that no lock knows is the cache's own affair.
    let place = Place::new();
    let weak = || Settings {
        profile: Some("weak".to_owned()),
        sets: Vec::new(),
    };
    assert_eq!(place.run(weak(), false).summary.ran, 3);
    assert_eq!(place.run(weak(), false).summary.fresh, 3);
}
