//! The digests of this program's sources, made by the build script.

use retrace::base::digest::Digest;
use retrace::base::error::Result;
use retrace::stage::key::Code;
use std::path::Path;

include!(concat!(env!("OUT_DIR"), "/code.rs"));

/// Everything that can affect what a source file (as `file!()` gives it) does.
pub fn reach(source: &str) -> Code {
    let found = ROOTS.iter().find(|(file, _, _)| *file == source);
    let (_, digest, parts) =
        found.expect("the build script digests every file that contains file!()");
    let own = |(name, version): &(&str, &str)| ((*name).to_owned(), (*version).to_owned());
    Code::new(*digest, parts.iter().map(own))
}

/// Tells this program from one that was built from other sources or dependencies.
pub fn program() -> Digest {
    Digest::of(PROGRAM.as_bytes())
}

/// The first source file below `root` that is not the one this program was built from; `None` also
/// where there are no sources. `digest_of` reads files, or knows them.
pub fn first_difference(
    root: &Path,
    digest_of: impl Fn(&Path) -> Result<Digest>,
) -> Option<String> {
    if !root.join(RAW.first()?.0).is_file() {
        return None;
    }
    let differs = |(name, digest): &&(&str, &str)| {
        let found = digest_of(&root.join(name)).map(|found| found.to_string());
        !found.is_ok_and(|found| found.starts_with(digest))
    };
    RAW.iter().find(differs).map(|(name, _)| (*name).to_owned())
}
