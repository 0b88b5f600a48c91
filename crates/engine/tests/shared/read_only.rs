//! A store that may be read and not written, as a mirror or one with somebody else's credentials: what is there stays.

use crate::simulation::cluster::{signer, trust};
use crate::upkeep::{Shared, digest, key};
use retrace::base::digest::Digest;
use retrace::shared::backend::{Backend, Failure, FailureKind, Listed};
use retrace::shared::folder::Folder;
use retrace::shared::store::{RENEWED_AFTER_S, SharedStore, object};
use retrace::store::actions::Outputs;
use std::fs;
use std::path::Path;

/// A folder that refuses whoever writes, an administrator too.
struct ReadOnly(Folder);

impl Backend for ReadOnly {
    fn shown(&self) -> String {
        self.0.shown()
    }

    fn look(&self, name: &str) -> Result<Option<Listed>, Failure> {
        self.0.look(name)
    }

    fn get(&self, name: &str, to: &Path, most: u64) -> Result<Option<u64>, Failure> {
        self.0.get(name, to, most)
    }

    fn put(&self, name: &str, _: &Path) -> Result<(), Failure> {
        let words = format!("{name} may not be written");
        Err(Failure::new(FailureKind::Denied, words))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Failure> {
        self.0.list(prefix)
    }

    fn remove(&self, name: &str) -> Result<(), Failure> {
        let words = format!("{name} may not be removed");
        Err(Failure::new(FailureKind::Denied, words))
    }
}

/// The same store for somebody who may only read it, and signs as the first signer.
fn read_only(shared: &Shared) -> SharedStore {
    let ids = [0, 1].map(|number| signer(number, shared.folder.path()).id());
    let backend = ReadOnly(Folder::open(&shared.path("")).expect("a folder"));
    SharedStore::new(Box::new(backend))
        .trusting(trust(&ids))
        .signing(signer(0, shared.folder.path()), Digest::of(b"program"))
}

fn outputs() -> Outputs {
    Outputs::from([("out".to_owned(), digest("a"))])
}

#[test]
fn what_is_old_stays_and_is_told() {
    let shared = Shared::new();
    let young = read_only(&shared);
    let put = |store: &SharedStore, paranoid| store.put(digest("a"), &shared.cache, paranoid);
    let publish =
        |store: &SharedStore, stage| store.publish(stage, &key(stage), &outputs(), &shared.cache);
    assert_eq!(put(&young, false).expect("it is there"), None);
    assert!(!publish(&young, "a").expect("it is said"));
    assert!(young.troubles().fading.is_empty());
    shared.age_all(RENEWED_AFTER_S);
    for paranoid in [false, true] {
        let store = read_only(&shared);
        assert_eq!(put(&store, paranoid).expect("it is there"), None);
        assert!(!publish(&store, "a").expect("it is said"));
        let troubles = store.troubles();
        let fading: Vec<String> = troubles.fading.into_iter().collect();
        assert_eq!(fading, [object(digest("a"))]);
        let refused = troubles.refused.expect("a cause");
        assert!(refused.message.contains("may not be written"), "{refused}");
        assert_eq!(troubles.failures, 0, "reading goes on");
        // Nothing new may rest on what may go: this is said of another key.
        let refused = publish(&store, "new").expect_err("nobody may say it");
        assert!(refused.message.contains("objects/"), "{refused}");
    }
    // An old entry about what is young.
    shared.age(&object(digest("a")), 0);
    let store = read_only(&shared);
    assert_eq!(put(&store, false).expect("it is there"), None);
    assert!(!publish(&store, "a").expect("it is said"));
    let fading: Vec<String> = store.troubles().fading.into_iter().collect();
    assert_eq!(fading, [shared.entry("a", 0)]);
}

#[test]
fn what_is_missing_or_wrong_is_an_error_that_names_it() {
    let shared = Shared::new();
    shared.age_all(RENEWED_AFTER_S);
    let path = shared.path(&object(digest("a")));
    let put = |paranoid| read_only(&shared).put(digest("a"), &shared.cache, paranoid);
    let right = fs::read(&path).expect("an object");
    let mut wrong = right.clone();
    wrong[0] ^= 1;
    fs::write(&path, wrong).expect("it is damaged");
    shared.age(&object(digest("a")), RENEWED_AFTER_S);
    let refused = put(true).expect_err("it is wrong");
    assert!(refused.message.contains(&object(digest("a"))), "{refused}");
    fs::write(&path, &right[1..]).expect("it is cut");
    shared.age(&object(digest("a")), RENEWED_AFTER_S);
    put(false).expect_err("it is short");
    fs::remove_file(&path).expect("it is gone");
    put(false).expect_err("it is not there");
}
