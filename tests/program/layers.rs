//! Holds crates, folders and files to the arrows of the architecture, by reading the sources.
//!
//! The root package may use every crate. Engine, tables, plots, provenance, sandbox and statistics import no sibling, the engine's
//! command line only the engine, icl only statistics, tuning both, and pretrained all three. Findings use all of these but sandbox and the science, and
//! `program` findings, commands, their start and the engine. Kinds of stages know no command line. Neither folders nor files import each other in a circle.

use code_digest::{Code, Workspace};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Which other crates a crate may name; `src` is the root package.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("crates/code-digest", &[]),
    ("crates/command", &["crates/engine", "crates/sandbox"]),
    ("crates/engine", &[]),
    ("crates/engine-cli", &["crates/engine"]),
    (
        "crates/findings",
        &[
            "crates/engine",
            "crates/engine-cli",
            "crates/plots",
            "crates/provenance",
            "crates/statistics",
            "crates/tables",
        ],
    ),
    ("crates/icl", &["crates/statistics"]),
    ("crates/plots", &[]),
    (
        "crates/pretrained",
        &["crates/icl", "crates/statistics", "crates/tuning"],
    ),
    (
        "crates/program",
        &[
            "crates/command",
            "crates/engine",
            "crates/engine-cli",
            "crates/findings",
            // Passed on by `command`.
            "crates/sandbox",
            "crates/start",
        ],
    ),
    ("crates/provenance", &[]),
    ("crates/sandbox", &[]),
    (
        "crates/start",
        &["crates/command", "crates/engine", "crates/engine-cli"],
    ),
    ("crates/statistics", &[]),
    ("crates/tables", &[]),
    ("crates/tuning", &["crates/icl", "crates/statistics"]),
    (
        "examples/half-life",
        &["crates/engine", "crates/engine-cli"],
    ),
    (
        "src",
        &[
            "crates/command",
            "crates/engine",
            "crates/engine-cli",
            "crates/findings",
            "crates/icl",
            "crates/plots",
            "crates/pretrained",
            "crates/provenance",
            "crates/sandbox",
            "crates/statistics",
            "crates/tables",
            "crates/tuning",
        ],
    ),
];

fn sources() -> Code {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = Workspace::read(root).expect("the sources are readable");
    Code::link(&workspace, &[]).expect("they parse")
}

/// `src`, `crates/NAME` or `examples/NAME`.
fn package(file: &str) -> &str {
    file.split("/src/")
        .next()
        .filter(|start| file.len() > start.len())
        .unwrap_or("src")
}

fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What cannot be put in an order, each after what it needs.
fn in_a_circle<'a>(needs: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<&'a str> {
    let mut left = needs.clone();
    loop {
        let free: Vec<&str> = left
            .iter()
            .filter(|(_, needs)| needs.iter().all(|need| !left.contains_key(need)))
            .map(|(name, _)| *name)
            .collect();
        if free.is_empty() {
            return left.into_keys().collect();
        }
        left.retain(|name, _| !free.contains(name));
    }
}

#[test]
fn every_import_follows_an_arrow() {
    let code = sources();
    let mut packages = BTreeSet::new();
    for (file, imports) in code.imports() {
        let from = package(file);
        packages.insert(from);
        let allowed = MAY_IMPORT.iter().find(|(name, _)| *name == from);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{from} has no place yet"));
        for import in imports {
            let to = package(import);
            assert!(
                to == from || allowed.contains(&to),
                "{file} imports {import}: {from} may import {allowed:?}"
            );
            let kinds = ["claims/", "exchange/", "figure/", "page/", "params/"];
            let of_findings = file.strip_prefix("crates/findings/src/");
            let kind = file.starts_with("src/kinds/")
                || of_findings.is_some_and(|file| kinds.iter().any(|kind| file.starts_with(kind)));
            let is_command_line = [
                "src/verbs/",
                "crates/findings/src/verbs/",
                "crates/engine-cli/",
            ];
            assert!(
                !(kind && is_command_line.iter().any(|part| import.starts_with(part))),
                "{file} imports {import}"
            );
        }
    }
    let known: BTreeSet<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).collect();
    assert_eq!(packages, known);
}

#[test]
fn there_is_no_circle_of_files_or_folders() {
    let code = sources();
    let files: BTreeMap<&str, BTreeSet<&str>> = code
        .imports()
        .map(|(file, needs)| (file, needs.into_iter().collect()))
        .collect();
    assert_eq!(in_a_circle(&files), Vec::<&str>::new());
    let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (file, needs) in &files {
        let own = folder(file);
        let others = needs
            .iter()
            .map(|need| folder(need))
            .filter(|other| *other != own);
        folders.entry(own).or_default().extend(others);
    }
    assert_eq!(in_a_circle(&folders), Vec::<&str>::new());
}

#[test]
fn the_rules_can_fail() {
    let needs = BTreeMap::from([("a", BTreeSet::from(["b"])), ("b", BTreeSet::from(["a"]))]);
    assert_eq!(in_a_circle(&needs), ["a", "b"]);
    assert_eq!(package("crates/icl/src/math/sum.rs"), "crates/icl");
    assert_eq!(package("src/kinds/mod.rs"), "src");
}

#[test]
fn the_trainers_feel_the_optimiser_and_not_the_plots() {
    let code = sources();
    let reach = |file: &str| -> Vec<String> {
        let mut names: Vec<String> = code.reach(file).into_iter().map(|(name, _)| name).collect();
        // What the build script leaves out.
        names.retain(|name| !name.starts_with("crates/engine"));
        names
    };
    let has = |names: &[String], part: &str| names.iter().any(|name| name.contains(part));
    for kind in ["src/kinds/train/pretrain.rs", "src/kinds/train/finetune.rs"] {
        let names = reach(kind);
        for part in ["/optimizer.rs", "/attention.rs", "/stream.rs", "crate libm"] {
            assert!(has(&names, part), "{kind} reaches {part}: {names:?}");
        }
        for part in ["crates/plots/", "src/verbs/", "crates/findings/"] {
            assert!(!has(&names, part), "{kind}: {names:?}");
        }
    }
    let names = reach("crates/findings/src/figure/kind.rs");
    assert!(has(&names, "crates/plots/src/draw/figure.rs") && has(&names, "crate plotters"));
    assert!(!has(&names, "crates/icl/src/train/"), "{names:?}");
}
