//! A finished run of the profile `smoke`, made once for all tests that begin with one.

use crate::cli::{Clone, smoke};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What the run said.
pub struct Finished {
    folder: PathBuf,
    pub out: String,
    pub err: String,
}

impl Finished {
    pub fn once() -> &'static Finished {
        static MADE: OnceLock<Finished> = OnceLock::new();
        MADE.get_or_init(|| {
            let clone = Clone::within(outliving("finished"));
            // By three threads: a test compares it with what one makes.
            let (out, err) = clone.expect(0, &smoke(&["run", "-j", "3"]));
            let folder = clone.path("");
            Finished { folder, out, err }
        })
    }

    /// A file that the run left.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Puts a copy of cache and outputs into another folder.
    pub fn copy_to(&self, folder: &Path) {
        copy(&self.path(".icl-repro"), &folder.join(".icl-repro"));
    }
}

/// A copy of a folder with its links, modes and times.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(from.join("."))
        .arg(to)
        .status();
    assert!(copied.expect("cp is there").success());
}

/// An empty folder for what many tests read, so that it goes with none of them. Nothing removes it at the end of the
/// process: it has one place below `target/`, where the next process empties it. One that runs beside this one
/// takes a place of its own.
pub fn outliving(name: &str) -> PathBuf {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let lock = File::create(base.join(format!("{name}.lock"))).expect("a file");
    let folder = match lock.try_lock() {
        Ok(()) => base.join(name),
        Err(_) => base.join(format!("{name}-{}", std::process::id())),
    };
    // Until the process ends.
    std::mem::forget(lock);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("ours");
    }
    fs::create_dir_all(&folder).expect("a folder");
    folder
}
