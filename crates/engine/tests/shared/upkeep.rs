//! What is done for a store as a whole: looked through, pinned, cleared, in a folder whose files are as old as
//! the tests say.

use crate::simulation::cluster::{signer, trust};
use retrace::base::digest::Digest;
use retrace::base::error::ErrorKind;
use retrace::base::files;
use retrace::lock::file::{Block, Lock, Record};
use retrace::shared::folder::Folder;
use retrace::shared::store::{RENEWED_AFTER_S, SharedStore, entry_name, object};
use retrace::shared::upkeep::audit::{Audit, Finding, audit};
use retrace::shared::upkeep::collect::{Collected, LEAST_AGE_S, Rule, collect};
use retrace::shared::upkeep::pin::{self, Pin};
use retrace::stage::key::{Code, Key};
use retrace::store::actions::Outputs;
use retrace::store::content::Store;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

pub static NEVER: AtomicBool = AtomicBool::new(false);

/// A store with the results of stages `a`, `b` and `c`; `b` and `c` make the same bytes.
pub struct Shared {
    pub folder: tempfile::TempDir,
    pub cache: Store,
    /// One for each signer; both trust both.
    pub stores: Vec<SharedStore>,
}

pub fn key(stage: &str) -> Key {
    let code = Arc::new(Code::new("1", []));
    Key::new(
        "toy",
        Arc::new(serde_json::json!({"stage": stage})),
        Vec::new(),
        &code,
    )
}

fn content(stage: &str) -> &'static str {
    match stage {
        "a" => "what a makes",
        _ => "what b and c make",
    }
}

pub fn digest(stage: &str) -> Digest {
    Digest::of(content(stage).as_bytes())
}

const STAGES: [&str; 3] = ["a", "b", "c"];

impl Shared {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Store::open(&folder.path().join("cache"), false).expect("a cache");
        let ids = [0, 1].map(|number| signer(number, folder.path()).id());
        let store = |number| {
            let backend = Folder::open_or_make(&folder.path().join("shared")).expect("a folder");
            SharedStore::new(Box::new(backend))
                .trusting(trust(&ids))
                .signing(signer(number, folder.path()), Digest::of(b"program"))
        };
        let stores = [0, 1].map(store).into_iter().collect();
        let shared = Shared {
            folder,
            cache,
            stores,
        };
        STAGES
            .iter()
            .for_each(|stage| shared.publish(stage, content(stage), 0));
        shared
    }

    /// What a signer says comes of a stage, with the object.
    fn publish(&self, stage: &str, content: &str, signer: usize) {
        let file = self.folder.path().join("made");
        fs::write(&file, content).expect("a file");
        let digest = self.cache.insert(&file).expect("it is kept");
        let store = &self.stores[signer];
        store.put(digest, &self.cache, false).expect("it is put");
        let outputs = Outputs::from([("out".to_owned(), digest)]);
        let published = store.publish(stage, &key(stage), &outputs, &self.cache);
        published.expect("it is put");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("shared").join(name)
    }

    pub fn entry(&self, stage: &str, number: usize) -> String {
        let signer = signer(number, self.folder.path()).id();
        entry_name(key(stage).digest(), signer)
    }

    /// Makes a file of the store so old, in seconds.
    pub fn age(&self, name: &str, seconds: u64) {
        let then = SystemTime::now() - Duration::from_secs(seconds);
        let file = fs::File::options().write(true).open(self.path(name));
        file.and_then(|file| file.set_modified(then))
            .expect("an old file");
    }

    pub fn age_all(&self, seconds: u64) {
        for stage in STAGES {
            self.age(&self.entry(stage, 0), seconds);
            self.age(&object(digest(stage)), seconds);
        }
    }

    fn audit(&self) -> Audit {
        audit(&self.stores[0], &self.cache, None, &NEVER, &|_, _| {}).expect("it is read")
    }

    fn collect(&self, rule: Rule) -> Collected {
        collect(&self.stores[0], &self.cache, rule, &NEVER, &|_, _| {}).expect("it is done")
    }

    fn pin(&self, name: &str, stages: &[&str]) -> usize {
        let pin = Pin::of_lock(&lock(), stages.iter().copied());
        let put = pin::put(&self.stores[0], name, &pin, &self.cache, &NEVER, &|_, _| {});
        put.expect("it is put")
    }
}

fn lock() -> Lock {
    let block = |stage: &&str| {
        let record = Record {
            path: format!("artifacts/{stage}"),
            digest: digest(stage),
            published: None,
        };
        let block = Block {
            key: key(stage).digest(),
            parts: None,
            outputs: BTreeMap::from([("out".to_owned(), record)]),
            basis: BTreeMap::new(),
        };
        ((*stage).to_owned(), block)
    };
    Lock {
        stages: STAGES.iter().map(block).collect(),
        rivals: BTreeMap::new(),
    }
}

pub const OLD: Rule = Rule {
    older_than_s: LEAST_AGE_S,
    alone: false,
    dry_run: false,
};

#[test]
fn a_store_that_is_right_is_found_so() {
    let audit = Shared::new().audit();
    assert_eq!(audit.findings, []);
    let found = (audit.objects, audit.read, audit.entries, audit.of_others);
    assert_eq!(found, (2, 2, 3, 0));
    let bytes = content("a").len() + content("b").len();
    assert_eq!(audit.bytes, bytes as u64);
}

#[test]
fn every_object_is_read_and_every_entry_held_to_its_signature() {
    let shared = Shared::new();
    fs::write(shared.path(&object(digest("a"))), "what A makes").expect("a file");
    fs::remove_file(shared.path(&object(digest("b")))).expect("it was there");
    let name = shared.entry("a", 0);
    let mut text = fs::read(shared.path(&name)).expect("an entry");
    // Under another key: right in itself, and nothing here.
    fs::create_dir_all(
        shared
            .path(&shared.entry("x", 0))
            .parent()
            .expect("a folder"),
    )
    .expect("a folder");
    fs::write(shared.path(&shared.entry("x", 0)), &text).expect("a file");
    text[60] ^= 1;
    fs::write(shared.path(&name), text).expect("a file");
    let findings = shared.audit().findings;
    let missing = |stage: &str| Finding::Missing {
        stage: stage.into(),
        signer: "signer 0".into(),
        output: "out".into(),
        digest: digest("b"),
    };
    let entry = |name: String, why| Finding::Entry {
        name,
        signer: "signer 0".into(),
        why,
    };
    let expected = [
        entry(name, "has a wrong signature"),
        entry(shared.entry("x", 0), "is about another key"),
        missing("b"),
        missing("c"),
        Finding::Object {
            digest: digest("a"),
        },
    ];
    assert_eq!(findings.len(), expected.len(), "{findings:?}");
    for finding in expected {
        assert!(findings.contains(&finding), "{finding:?} in {findings:?}");
    }
}

#[test]
fn a_sample_is_the_same_each_time_and_never_empty() {
    let shared = Shared::new();
    fs::write(shared.path(&object(digest("a"))), "what A makes").expect("a file");
    fs::write(shared.path(&object(digest("b"))), "what B and C make").expect("a file");
    let first = digest("a").min(digest("b"));
    for _ in 0..2 {
        let part = Some(0.01);
        let audit = audit(&shared.stores[0], &shared.cache, part, &NEVER, &|_, _| {});
        let audit = audit.expect("it is read");
        assert_eq!((audit.objects, audit.read), (2, 1));
        assert_eq!(audit.findings, [Finding::Object { digest: first }]);
    }
}

#[test]
fn two_trusted_signers_who_disagree_are_named_and_an_unknown_one_is_counted() {
    let shared = Shared::new();
    shared.publish("a", "something else", 1);
    let findings = shared.audit().findings;
    let [
        Finding::Disagree {
            stage,
            key: found,
            signers,
        },
    ] = &findings[..]
    else {
        panic!("{findings:?}");
    };
    assert_eq!((stage.as_str(), *found), ("a", key("a").digest()));
    let mut names = signers.clone();
    names.sort();
    assert_eq!(names, ["signer 0", "signer 1"]);
    // Whoever trusts one of them has no disagreement.
    let trusted = signer(0, shared.folder.path()).id();
    let backend = Folder::open(&shared.path("")).expect("a folder");
    let one = SharedStore::new(Box::new(backend)).trusting(trust(&[trusted]));
    let audit = audit(&one, &shared.cache, None, &NEVER, &|_, _| {}).expect("it is read");
    assert_eq!(
        (audit.findings.len(), audit.entries, audit.of_others),
        (0, 3, 1)
    );
}

#[test]
fn what_is_old_goes_and_what_is_young_or_named_stays() {
    let shared = Shared::new();
    shared.age_all(LEAST_AGE_S + 60);
    shared.age(&shared.entry("b", 0), 60);
    let dry = shared.collect(Rule {
        dry_run: true,
        ..OLD
    });
    let collected = shared.collect(OLD);
    let mut entries = vec![shared.entry("a", 0), shared.entry("c", 0)];
    entries.sort();
    for found in [&dry, &collected] {
        assert_eq!(found.entries, entries);
        assert_eq!(found.objects, [object(digest("a"))]);
        assert_eq!((found.kept_entries, found.kept_objects), (1, 1));
        assert_eq!(found.bytes, content("a").len() as u64);
    }
    // The object of b and c is as old, and an entry that stays names it.
    assert!(shared.path(&object(digest("b"))).exists());
    assert!(!shared.path(&object(digest("a"))).exists());
    assert_eq!(shared.audit().findings, []);
}

#[test]
fn a_dry_run_removes_nothing() {
    let shared = Shared::new();
    shared.age_all(LEAST_AGE_S + 60);
    let dry = shared.collect(Rule {
        dry_run: true,
        ..OLD
    });
    assert_eq!((dry.entries.len(), dry.objects.len()), (3, 2));
    let audit = shared.audit();
    assert_eq!(
        (audit.objects, audit.entries, audit.findings.len()),
        (2, 3, 0)
    );
}

#[test]
fn what_a_killed_put_left_goes_after_a_day_and_what_is_on_its_way_stays() {
    let shared = Shared::new();
    let left = |below: &str| format!("{below}/{}{}", files::TEMPORARY, "Ab12Cd");
    let objects = object(digest("a"));
    let (shard, _) = objects.rsplit_once('/').expect("a folder");
    let entry = shared.entry("a", 0);
    let (entries, _) = entry.rsplit_once('/').expect("a folder");
    let names = [left(entries), left(shard), left("pins")];
    fs::create_dir(shared.path("pins")).expect("a folder");
    let day = 24 * 60 * 60;
    let leave = |age: u64| {
        for name in &names {
            fs::write(shared.path(name), "half").expect("a file");
            shared.age(name, age);
        }
    };
    let are_there = || names.each_ref().map(|name| shared.path(name).exists());
    leave(day - 60);
    assert_eq!(shared.collect(OLD).unfinished, [""; 0]);
    assert_eq!(are_there(), [true; 3]);
    leave(day);
    // Somebody still writes this one.
    shared.age(&names[1], 60);
    let dry = shared.collect(Rule {
        dry_run: true,
        ..OLD
    });
    assert_eq!(are_there(), [true; 3]);
    let collected = shared.collect(OLD);
    for found in [&dry, &collected] {
        assert_eq!(found.unfinished, [&*names[0], &*names[2]]);
        assert_eq!(found.unfinished_bytes, 8);
        assert_eq!((found.entries.len(), found.objects.len()), (0, 0));
    }
    assert_eq!(are_there(), [false, true, false]);
    // Where nobody else is there, nobody writes.
    let collected = shared.collect(Rule {
        older_than_s: 60,
        alone: true,
        dry_run: false,
    });
    assert_eq!(collected.unfinished, [&*names[1]]);
    assert_eq!((collected.kept_entries, collected.kept_objects), (3, 2));
    assert_eq!(shared.audit().findings, []);
}

#[test]
fn a_pin_keeps_what_the_lock_records_until_it_is_taken_away() {
    let shared = Shared::new();
    assert_eq!(shared.pin("release-1", &["a"]), 0);
    shared.age_all(LEAST_AGE_S + 60);
    let collected = shared.collect(OLD);
    assert_eq!((collected.entries.len(), collected.pins), (2, 1));
    assert_eq!(collected.objects, [object(digest("b"))]);
    assert!(shared.path(&object(digest("a"))).exists());
    assert!(shared.path(&shared.entry("a", 0)).exists());
    assert_eq!(shared.audit().findings, []);
    let error = pin::remove(&shared.stores[0], "release-2").expect_err("there is none");
    let hint = error.hint.expect("a hint");
    assert!(hint.contains("release-1"), "{hint}");
    pin::remove(&shared.stores[0], "release-1").expect("it is there");
    assert_eq!(shared.collect(OLD).objects, [object(digest("a"))]);
}

#[test]
fn a_pin_of_what_is_not_there_says_so_and_so_does_an_audit() {
    let shared = Shared::new();
    fs::remove_file(shared.path(&object(digest("b")))).expect("it was there");
    assert_eq!(shared.pin("all", &STAGES), 1);
    let findings = shared.audit().findings;
    let unkept = Finding::Unkept {
        name: "all".into(),
        objects: 1,
    };
    assert!(findings.contains(&unkept), "{findings:?}");
    let nothing = Pin::of_lock(&lock(), ["z"]);
    let error = pin::put(
        &shared.stores[0],
        "z",
        &nothing,
        &shared.cache,
        &NEVER,
        &|_, _| {},
    );
    assert_eq!(error.expect_err("it keeps nothing").kind, ErrorKind::Config);
}

#[test]
fn nothing_is_removed_while_a_pin_cannot_be_read() {
    let shared = Shared::new();
    shared.pin("all", &STAGES);
    shared.age_all(LEAST_AGE_S + 60);
    fs::write(shared.path("pins/all"), "retrace pin 1\nabc").expect("a file");
    let findings = shared.audit().findings;
    assert!(findings.contains(&Finding::Pin { name: "all".into() }));
    let error = collect(&shared.stores[0], &shared.cache, OLD, &NEVER, &|_, _| {});
    let error = error.expect_err("a pin is damaged");
    assert!(error.message.contains("pin `all`"), "{error}");
    assert_eq!((shared.audit().objects, shared.audit().entries), (2, 3));
}

#[test]
fn what_is_young_goes_only_where_nobody_else_is() {
    let shared = Shared::new();
    let young = Rule {
        older_than_s: LEAST_AGE_S - 1,
        ..OLD
    };
    let error = collect(&shared.stores[0], &shared.cache, young, &NEVER, &|_, _| {});
    let error = error.expect_err("others may use it");
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.hint.expect("a hint").contains("--alone"));
    let collected = shared.collect(Rule {
        older_than_s: 0,
        alone: true,
        dry_run: false,
    });
    assert_eq!((collected.entries.len(), collected.objects.len()), (3, 2));
    assert_eq!(shared.audit().objects, 0);
}

#[test]
fn what_a_writer_relies_on_is_never_old() {
    let shared = Shared::new();
    shared.age_all(RENEWED_AFTER_S);
    // Another process, which knows nothing of what this one has put.
    let ids = [0, 1].map(|number| signer(number, shared.folder.path()).id());
    let backend = Folder::open(&shared.path("")).expect("a folder");
    let other = SharedStore::new(Box::new(backend))
        .trusting(trust(&ids))
        .signing(signer(0, shared.folder.path()), Digest::of(b"program"));
    assert!(
        other
            .put(digest("a"), &shared.cache, false)
            .expect("it is put")
            .is_some()
    );
    let outputs = Outputs::from([("out".to_owned(), digest("a"))]);
    let publish = || other.publish("a", &key("a"), &outputs, &shared.cache);
    assert!(publish().expect("it is put"));
    assert!(!publish().expect("it is there"));
    // What it relied on is seven days younger than what goes.
    let collected = shared.collect(Rule {
        older_than_s: RENEWED_AFTER_S,
        alone: true,
        dry_run: false,
    });
    assert_eq!(collected.entries.len(), 2);
    assert_eq!(collected.objects, [object(digest("b"))]);
}
