//! What a build script found out about a program's sources: which code each kind of stage can reach.
//!
//! Holds the tables that `code-digest` writes. Does not know how they are made.

use crate::base::digest::Digest;
use crate::base::error::Result;
use crate::stage::key::Code;
use std::path::Path;

/// Names with digests or versions.
pub type Named = &'static [(&'static str, &'static str)];

/// The digests of a program's sources, as its build script wrote them:
///
/// ```text
/// include!(concat!(env!("OUT_DIR"), "/code.rs"));
///
/// pub const SOURCES: Sources = Sources { roots: ROOTS, raw: RAW, program: PROGRAM };
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sources {
    /// Files that contain `file!()`: the digest of all that each can reach, and what that is.
    pub roots: &'static [(&'static str, &'static str, Named)],
    /// Every file and the start of the digest of its bytes.
    pub raw: Named,
    /// Tells the program from one that was built from other sources or dependencies.
    pub program: &'static str,
}

impl Sources {
    /// Everything that can affect what a source file does.
    ///
    /// # Panics
    /// The file, as `file!()` gives it there, is none of those that the build script saw.
    pub fn reach(&self, source: &str) -> Code {
        let found = self.roots.iter().find(|(file, _, _)| *file == source);
        let (_, digest, parts) =
            found.expect("the build script digests every file that contains file!()");
        let own = |(name, version): &(&str, &str)| ((*name).to_owned(), (*version).to_owned());
        Code::new(*digest, parts.iter().map(own))
    }

    /// Tells this program from one that was built from other sources or dependencies.
    pub fn program(&self) -> Digest {
        Digest::of(self.program.as_bytes())
    }

    /// The first source file below `root` that is not the one this program was built from; `None` also
    /// where there are no sources. `digest_of` reads files, or knows them.
    pub fn first_difference(
        &self,
        root: &Path,
        digest_of: impl Fn(&Path) -> Result<Digest>,
    ) -> Option<&'static str> {
        if !root.join(self.raw.first()?.0).is_file() {
            return None;
        }
        let differs = |(name, digest): &&(&str, &str)| {
            let found = digest_of(&root.join(name)).map(|found| found.to_string());
            !found.is_ok_and(|found| found.starts_with(digest))
        };
        self.raw.iter().find(differs).map(|(name, _)| *name)
    }
}
