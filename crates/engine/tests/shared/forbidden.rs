//! A store that lists what it has and lets some of it be read by nobody here: nothing is taken for right, or for absent
//! where that would remove something.

use crate::simulation::cluster::{signer, trust};
use crate::upkeep::{NEVER, OLD, Shared, digest};
use retrace::shared::backend::{Backend, Failure, FailureKind, Listed};
use retrace::shared::folder::Folder;
use retrace::shared::store::{SharedStore, object};
use retrace::shared::upkeep::audit::{Finding, audit};
use retrace::shared::upkeep::collect::{LEAST_AGE_S, collect};
use std::path::Path;

/// A folder of which some names may not be read, of an administrator neither.
struct Closed {
    folder: Folder,
    names: Vec<String>,
}

impl Backend for Closed {
    fn shown(&self) -> String {
        self.folder.shown()
    }

    fn look(&self, name: &str) -> Result<Option<Listed>, Failure> {
        self.folder.look(name)
    }

    fn get(&self, name: &str, to: &Path, most: u64) -> Result<Option<u64>, Failure> {
        match self.names.iter().any(|closed| closed == name) {
            true => Err(Failure::new(
                FailureKind::Forbidden,
                format!("{name} is not for you"),
            )),
            false => self.folder.get(name, to, most),
        }
    }

    fn put(&self, name: &str, from: &Path) -> Result<(), Failure> {
        self.folder.put(name, from)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Failure> {
        self.folder.list(prefix)
    }

    fn remove(&self, name: &str) -> Result<(), Failure> {
        self.folder.remove(name)
    }
}

fn closed(shared: &Shared, names: &[String]) -> SharedStore {
    let ids = [0, 1].map(|number| signer(number, shared.folder.path()).id());
    let folder = Folder::open(&shared.path("")).expect("a folder");
    let names = names.to_vec();
    SharedStore::new(Box::new(Closed { folder, names })).trusting(trust(&ids))
}

#[test]
fn what_may_not_be_read_is_found_and_the_rest_is_looked_through() {
    let shared = Shared::new();
    let names = [shared.entry("a", 0), object(digest("b"))];
    let store = closed(&shared, &names);
    let audit = audit(&store, &shared.cache, None, &NEVER, &|_, _| {}).expect("it is read");
    let unread = |name: &String| Finding::Unread { name: name.clone() };
    assert_eq!(audit.findings, names.iter().map(unread).collect::<Vec<_>>());
    assert_eq!((audit.objects, audit.entries), (2, 3));
}

#[test]
fn what_an_entry_that_may_not_be_read_names_is_not_removed() {
    let shared = Shared::new();
    shared.age_all(LEAST_AGE_S + 60);
    shared.age(&shared.entry("a", 0), 60);
    let name = shared.entry("a", 0);
    let store = closed(&shared, std::slice::from_ref(&name));
    let error = collect(&store, &shared.cache, OLD, &NEVER, &|_, _| {});
    let error = error.expect_err("nobody knows what it names");
    assert!(error.message.contains(&name), "{error}");
    for stage in ["a", "b"] {
        assert!(shared.path(&object(digest(stage))).exists(), "{stage}");
    }
}
