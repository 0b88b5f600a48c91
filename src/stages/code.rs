//! The digests of this program's sources, made by the build script (`build/code.rs`).

use crate::pipeline::digest::Digest;
use crate::pipeline::error::Result;
use crate::pipeline::key::CodePart;
use std::path::Path;

include!(concat!(env!("OUT_DIR"), "/code.rs"));

/// Everything that can affect what a source file (as `file!()` gives it) does.
pub fn reach(source: &str) -> Vec<CodePart> {
    let name = source.trim_start_matches("src/");
    let parts = REACH
        .iter()
        .find(|(file, _)| *file == name)
        .map_or(&[][..], |(_, parts)| parts);
    let part = |(name, version): &(&str, &str)| CodePart {
        name: (*name).to_owned(),
        version: (*version).to_owned(),
    };
    parts.iter().map(part).collect()
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
    let src = root.join("src");
    if !src.join("stages/code.rs").is_file() {
        return None;
    }
    let differs = |(name, digest): &&(&str, &str)| {
        let found = digest_of(&src.join(name)).map(|found| found.to_string());
        !found.is_ok_and(|found| found.starts_with(digest))
    };
    RAW.iter()
        .find(differs)
        .map(|(name, _)| format!("src/{name}"))
}
