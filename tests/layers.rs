//! Holds the modules to the arrows of the architecture, by reading the sources.
//!
//! main -> cli -> {stages, pipeline, icl, artifact, report}; stages -> {pipeline, icl, artifact,
//! report, math}; cli -> golden -> {icl, artifact, report, math}; icl -> math. The others import no sibling, and inside a folder there is no cycle.

#[path = "../build/code.rs"]
#[allow(dead_code, reason = "the build script uses the rest")]
mod code;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("artifact", &[]),
    (
        "cli",
        &["artifact", "golden", "icl", "pipeline", "report", "stages"],
    ),
    ("golden", &["artifact", "icl", "math", "report"]),
    ("icl", &["math"]),
    ("math", &[]),
    ("pipeline", &[]),
    ("report", &[]),
    ("stages", &["artifact", "icl", "math", "pipeline", "report"]),
];

fn sources() -> code::Code {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    code::Code::read(&root.join("src"), &root.join("Cargo.lock")).expect("the sources are readable")
}

#[test]
fn every_import_follows_an_arrow() {
    let code = sources();
    let mut folders = BTreeSet::new();
    for (file, imports) in code.imports() {
        let Some((folder, _)) = file.split_once('/') else {
            continue;
        };
        folders.insert(folder.to_owned());
        let allowed = MAY_IMPORT.iter().find(|(name, _)| *name == folder);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{folder}/ has no place yet"));
        for import in imports {
            let other = import.split('/').next().unwrap_or(import);
            assert!(
                other == folder || allowed.contains(&other),
                "src/{file} imports src/{import}: {folder} may import {allowed:?}"
            );
        }
    }
    let known: BTreeSet<String> = MAY_IMPORT
        .iter()
        .map(|(name, _)| name.to_string())
        .collect();
    assert_eq!(folders, known);
}

#[test]
fn there_is_no_cycle_of_files() {
    let code = sources();
    let imports: BTreeMap<&str, Vec<&str>> = code.imports().collect();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    loop {
        let free: Vec<&str> = imports
            .iter()
            .filter(|(file, _)| !done.contains(*file))
            .filter(|(_, needs)| needs.iter().all(|need| done.contains(need)))
            .map(|(file, _)| *file)
            .collect();
        if free.is_empty() {
            break;
        }
        done.extend(free);
    }
    let stuck: Vec<&&str> = imports
        .keys()
        .filter(|file| !done.contains(*file))
        .collect();
    assert!(stuck.is_empty(), "these files import each other: {stuck:?}");
}

#[test]
fn the_rule_can_fail() {
    let text = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let texts = BTreeMap::from([
        text("math/a.rs", "use crate::icl::b::B; pub struct A;"),
        text("icl/b.rs", "pub struct B;"),
    ]);
    let code = code::Code::link(&texts, "").expect("it parses");
    let imports: BTreeMap<&str, Vec<&str>> = code.imports().collect();
    assert_eq!(imports["math/a.rs"], ["icl/b.rs"]);
}
