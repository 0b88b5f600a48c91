//! What a program knows of the contents of files.

use crate::program::changes::{Changes, Difference, Unreadable};
use retrace::run::inspection::Inspector;
use std::path::Path;

/// Compares files by what they hold, and keeps stages from those that must not be read.
///
/// [`crate::PlainFiles`] is what any program knows: bytes and lines.
pub trait Formats: Inspector {
    /// Where `found` differs from what was `expected` at a path; `None` where it does not.
    fn difference(&self, path: &Path, expected: &[u8], found: &[u8]) -> Option<Difference>;

    /// Whether `diff` shows what changed in a published file; `beside` are all files of its stage that
    /// changed, so that of one table in two formats one is shown.
    fn is_compared(&self, path: &Path, beside: &[&Path]) -> bool;

    /// Whether a published file holds what a picture of its stage shows, so that it is of less interest than a table
    /// that is one in its own right; `beside` are all files of its stage that changed.
    fn is_of_picture(&self, _path: &Path, _beside: &[&Path]) -> bool {
        false
    }

    /// What changed in a file of which that is shown.
    ///
    /// # Errors
    /// One of the versions cannot be read.
    fn changes(&self, path: &Path, old: &[u8], new: &[u8]) -> Result<Changes, Unreadable>;

    /// Reads bytes of unknown origin in every way in which the program may read them, in a child
    /// process that may be ended by that: see [`crate::child`]. The outcome is not asked for.
    fn read_at_risk(&self, bytes: Vec<u8>) {
        drop(bytes);
    }
}
