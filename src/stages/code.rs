//! The digests of this program's sources, made by the build script (`build/code.rs`).

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

/// The first source file below `root` that is not the one this program was built from; `None` also
/// where there are no sources.
pub fn first_difference(root: &Path) -> Option<String> {
    let src = root.join("src");
    if !src.join("stages/code.rs").is_file() {
        return None;
    }
    let differs = |(name, digest): &&(&str, &str)| {
        let found = std::fs::read(src.join(name)).map(|bytes| blake3::hash(&bytes).to_hex());
        !found.is_ok_and(|found| found[..16] == **digest)
    };
    RAW.iter()
        .find(differs)
        .map(|(name, _)| format!("src/{name}"))
}
