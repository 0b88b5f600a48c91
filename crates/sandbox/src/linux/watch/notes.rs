//! What was seen, kept back until it is certain whose it was.

use crate::types::ended::{Refused, Seen};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// One line of it.
#[derive(Clone, Debug)]
pub enum Note {
    Read(PathBuf),
    Folder(PathBuf),
    Listed(PathBuf),
    Link(PathBuf),
    Absent(PathBuf),
    Executed(PathBuf),
    Hidden(PathBuf),
    Refused(Refused),
    /// A name of shared memory that the command makes.
    Shared(PathBuf),
    Forked,
}

/// What was noted of the call at hand, and before it.
#[derive(Debug, Default)]
pub struct Notes {
    open: Vec<Note>,
    seen: Seen,
    shared: BTreeSet<PathBuf>,
    forks: u64,
}

impl Notes {
    pub fn add(&mut self, note: Note) {
        self.open.push(note);
    }

    /// The thread has its answer: what was noted of its call is true.
    pub fn keep(&mut self) {
        for note in self.open.drain(..) {
            match note {
                Note::Read(path) => insert(&mut self.seen.read, path),
                Note::Folder(path) => insert(&mut self.seen.folders, path),
                Note::Listed(path) => insert(&mut self.seen.listed, path),
                Note::Link(path) => insert(&mut self.seen.links, path),
                Note::Absent(path) => insert(&mut self.seen.absent, path),
                Note::Executed(path) => insert(&mut self.seen.executed, path),
                Note::Hidden(path) => insert(&mut self.seen.hidden, path),
                Note::Shared(path) => insert(&mut self.shared, path),
                Note::Refused(refused) => insert(&mut self.seen.refused, refused),
                Note::Forked => self.forks += 1,
            }
        }
    }

    /// The thread has gone: what was noted may be another's.
    pub fn forget(&mut self) {
        self.open.clear();
    }

    /// Whether the command has made this name of shared memory.
    pub fn is_shared(&self, path: &PathBuf) -> bool {
        self.shared.contains(path)
    }

    /// Processes that were made since this was asked last.
    pub fn take_forks(&mut self) -> u64 {
        std::mem::take(&mut self.forks)
    }

    /// All of it; what the command left in shared memory is removed.
    pub fn end(&mut self) -> Seen {
        for name in std::mem::take(&mut self.shared) {
            // Most programs have removed it themselves.
            let _ = std::fs::remove_file(name);
        }
        std::mem::take(&mut self.seen)
    }
}

/// Most is seen again and again.
fn insert<T: Ord>(to: &mut BTreeSet<T>, new: T) {
    if !to.contains(&new) {
        to.insert(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_was_never_seen() {
        let mut notes = Notes::default();
        notes.add(Note::Read("/kept".into()));
        notes.add(Note::Forked);
        notes.keep();
        notes.add(Note::Read("/forgotten".into()));
        notes.add(Note::Forked);
        notes.forget();
        notes.keep();
        assert_eq!(notes.take_forks(), 1);
        assert_eq!(notes.take_forks(), 0);
        assert_eq!(notes.end().read, BTreeSet::from(["/kept".into()]));
    }
}
