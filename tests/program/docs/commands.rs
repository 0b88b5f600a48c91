//! Every command of the documentation runs.
//!
//! Blocks of `sh` run in a copy at toy scale in which everything has been run, all blocks of a
//! document in one shell. Blocks of `console` run in a fresh clone at the paper's scale, and what
//! they print must be what the document shows; numbers of seconds are not compared.

use crate::docs::copy::{Copy, root};
use crate::docs::text::{Block, Document, documents};
use icl_repro::app::app;
use rayon::prelude::*;
use std::collections::BTreeSet;

/// What is not run, by how it starts, and why. Targets of make among them are looked up.
const NOT_RUN: &[(&str, &str)] = &[
    ("git clone ", "needs the network"),
    ("cd icl-repro", "the copy is the clone"),
    ("pip install ", "needs the network"),
    ("python3 scripts/mmlu-peft/", "needs PyTorch"),
    ("cargo ", "builds what is built"),
    ("make test", "would run this test"),
    ("make docs", "would write into the repository"),
    ("make bench", "takes minutes"),
    ("make llm-weights", "needs the network"),
    ("make remote", "needs the network, and `.ci/run` tests it"),
    ("export AWS_", "has no credentials to export"),
    ("icl-repro push --store s3:", "needs a bucket"),
    ("icl-repro run --store s3:", "needs a bucket"),
    (
        "icl-repro run --group mmlu --profile mmlu_qwen_small",
        "needs a model that is not in the repository",
    ),
    (
        "icl-repro run --group mmlu_peft",
        "needs PyTorch, and a model that is not in the repository",
    ),
    ("make ci-long", "takes long"),
    ("make test-slurm", "needs Slurm"),
    ("icl-repro run --executor slurm", "needs Slurm"),
    (
        "../plan/submit.sh",
        "needs Slurm, and `tests/cluster/slurm.sh` runs it",
    ),
    ("snakemake ", "needs Snakemake"),
    (
        "make verify-portable",
        "takes minutes, and `.ci/run` runs it",
    ),
    (
        "make book",
        "needs mdBook, which building the program does not",
    ),
    ("make dist", "builds for many minutes"),
    ("./icl-repro ", "needs what `make dist` has made"),
    (
        "make container",
        "needs podman, and what `make dist` has made",
    ),
    ("podman ", "needs podman, and an image"),
    ("gh ", "needs the network"),
];

/// At toy scale no claim is decided as recorded, which is the exit code of `claims`.
const PRELUDE: &str = r#"icl-repro() {
    command icl-repro "$@" || { code=$?; [ "$1" = claims ] && [ $code = 4 ] || return $code; }
}
"#;

fn is_run(line: &str) -> bool {
    let line = line.trim_start();
    !NOT_RUN.iter().any(|(start, _)| line.starts_with(start))
}

/// Documents of another program, with the test that runs their blocks.
const ELSEWHERE: [(&str, &str); 1] = [(
    "docs/own-paper.md",
    "crates/program/tests/commands/tutorial.rs",
)];

/// Documents whose commands run here.
fn of_this_program() -> Vec<Document> {
    let mut documents = documents();
    for (name, test) in ELSEWHERE {
        let text = std::fs::read_to_string(root().join(test)).expect("a test");
        assert!(text.contains(name), "{test} does not read {name}");
        documents.retain(|document| document.name != name);
    }
    documents
}

fn of_language(document: &Document, language: &str) -> Vec<Block> {
    let blocks = document.blocks().into_iter();
    blocks.filter(|b| b.language == language).collect()
}

#[test]
fn every_sh_block_runs() {
    let documents = of_this_program();
    let script = |document: &Document| {
        let mut script = String::new();
        for block in of_language(document, "sh") {
            let lines = block.text.lines().filter(|line| is_run(line));
            lines.for_each(|line| script += &format!("{line}\n"));
        }
        script
    };
    let scripts: Vec<(&str, String)> = documents
        .iter()
        .map(|document| (document.name.as_str(), script(document)))
        .filter(|(_, script)| !script.is_empty())
        .collect();
    assert!(scripts.len() > 5);
    let failed: Vec<String> = scripts
        .par_chunks(scripts.len().div_ceil(2))
        .flat_map_iter(|scripts| {
            let copy = Copy::toy();
            let mut failed = Vec::new();
            for (name, script) in scripts {
                // Each document finds the repository as it is committed, everything run.
                copy.sh("git checkout -q -- . && git clean -fdq && icl-repro run -q");
                let (code, printed) = copy.bash(&format!("{PRELUDE}set -x\n{script}"));
                if code != Some(0) {
                    failed.push(format!("{name}: exit {code:?}\n{printed}"));
                }
            }
            failed
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// The workflow's own commands, as the runner would give them to a shell.
#[test]
fn the_workflow_runs() {
    let path = root().join(".github/workflows/verify.yml");
    let text = std::fs::read_to_string(path).expect("the workflow");
    let yaml: serde_json::Value = serde_yaml::from_str(&text).expect("YAML");
    let steps = yaml["jobs"]["verify"]["steps"].as_array().expect("steps");
    let commands: Vec<&str> = steps.iter().filter_map(|s| s["run"].as_str()).collect();
    assert_eq!(commands.len(), 6, "{commands:?}");
    assert!(
        steps
            .iter()
            .all(|s| s["run"].is_string() || s["uses"].is_string())
    );
    let copy = Copy::toy();
    // What the runner gives to the last two: a folder in place of a bucket.
    copy.sh("mkdir ../runner && icl-repro store key ../runner/secret --name CI >> store.trust");
    let given = "export RETRACE_STORE=../runner/store RUNNER_TEMP=../runner; mkdir -p ../runner/store; \
                 SIGNING_KEY=$(cat ../runner/secret); export SIGNING_KEY\n";
    // rustup needs the network.
    for command in commands.iter().filter(|c| !c.starts_with("rustup ")) {
        copy.sh(&format!("{given}{command}"));
    }
    copy.sh("ls ../runner/store/entries/*/*/* && icl-repro store verify --store ../runner/store");
    copy.sh("test ! -e ../runner/signing-key");
    std::fs::write(copy.path("figures/train_losses.svg"), "").expect("a file");
    let (code, printed) = copy.bash("make verify");
    assert_eq!(code, Some(2), "make hands on that it failed: {printed}");
    assert!(printed.contains("Error 3"), "{printed}");
}

/// Blocks of other languages hold no commands that nobody runs.
#[test]
fn commands_stand_in_blocks_that_are_run() {
    for document in documents() {
        for block in document.blocks() {
            let place = format!("{}:{}", document.name, block.line);
            let known = ["sh", "console", "yaml", "json", "text", "math", ""];
            assert!(
                known.contains(&block.language.as_str()),
                "{place}: {}",
                block.language
            );
            if !["sh", "console"].contains(&block.language.as_str()) {
                let command = |line: &str| line.trim_start().starts_with("icl-repro ");
                assert!(
                    !block.text.lines().any(command),
                    "{place}: commands belong into sh"
                );
            }
        }
    }
}

/// Verbs, options and targets of make that the prose names exist, as do those that are not run.
#[test]
fn what_the_prose_names_exists() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).expect("the Makefile");
    let target = regex::Regex::new(r"^make ([a-z][a-z-]*)").expect("a pattern");
    let code = regex::Regex::new("`([^`]+)`").expect("a pattern");
    let mut command = app().command();
    command.build();
    let mut seen = BTreeSet::new();
    let mut check = |place: &str, words: &str| {
        if let Some(found) = target.captures(words) {
            let head = format!("\n{}:", &found[1]);
            assert!(
                makefile.contains(&head),
                "{place}: make has no target {}",
                &found[1]
            );
            seen.insert(words.to_owned());
        }
        let Some(rest) = words.strip_prefix("icl-repro ") else {
            return;
        };
        let words: Vec<&str> = rest.split_whitespace().collect();
        // A verb may have forms, such as `export ro-crate`, that have its options.
        let below = |above: &clap::Command| {
            let found = words.iter().find_map(|word| above.find_subcommand(word));
            found.cloned()
        };
        let verb = below(&command).map(|verb| below(&verb).unwrap_or(verb));
        let verb = verb.unwrap_or_else(|| command.clone());
        for word in words.iter().filter(|word| word.starts_with("--")) {
            let name = word[2..].split('=').next().unwrap_or_default();
            let known = verb.get_arguments().any(|a| a.get_long() == Some(name));
            assert!(known, "{place}: {} has no option --{name}", verb.get_name());
        }
        let named = words.iter().any(|w| command.find_subcommand(w).is_some());
        assert!(
            named || rest.contains("--"),
            "{place}: `icl-repro {rest}` names no verb"
        );
        seen.insert(rest.to_owned());
    };
    for document in of_this_program() {
        for found in code.captures_iter(&document.prose()) {
            check(&document.name, &found[1]);
        }
        for block in of_language(&document, "sh") {
            let lines = block.text.lines().filter(|line| !is_run(line));
            lines.for_each(|line| check(&document.name, line));
        }
    }
    assert!(seen.len() > 10, "{seen:?}");
}

/// A file of the sources that a text names is there; a name in it may stand for several (`*`).
#[test]
fn files_that_the_prose_names_exist() {
    let path = regex::Regex::new(r"(?:crates|src|tests|benches|fuzz|scripts|examples)/[\w./-]+\w")
        .expect("a pattern");
    let mut seen = 0;
    let mut check = |name: &str, text: &str| {
        for found in path.find_iter(text) {
            let before = text[..found.start()].chars().next_back();
            // Part of a longer path, as of a package that is not this one.
            if before.is_some_and(|c| c.is_alphanumeric() || "/._-*".contains(c)) {
                continue;
            }
            // The tutorial of one's own paper names files of the pipeline that it makes.
            let places = [root().to_owned(), root().join("crates/start/template")];
            let is_there = places
                .iter()
                .any(|place| place.join(found.as_str()).exists());
            assert!(is_there, "{name}: there is no {}", found.as_str());
            seen += 1;
        }
    };
    for document in documents() {
        check(&document.name, &document.prose());
    }
    for name in ["CONTRIBUTING.md", "SECURITY.md"] {
        check(
            name,
            &std::fs::read_to_string(root().join(name)).expect("a document"),
        );
    }
    assert!(seen > 50, "{seen}");
}

/// Seconds differ from run to run; the folder is where somebody cloned to.
fn comparable(text: &str, copy: &Copy) -> String {
    let seconds = regex::Regex::new(r"\d+\.\d+ s\b").expect("a pattern");
    let text = text.replace(&*copy.folder().to_string_lossy(), "icl-repro");
    seconds.replace_all(&text, "… s").into_owned()
}

/// The sessions of a document as they come out now, in place of those that it shows.
fn replayed(document: &Document) -> Option<(String, String)> {
    let blocks = of_language(document, "console");
    if blocks.is_empty() {
        return None;
    }
    let copy = Copy::fresh();
    let (mut shown, mut real) = (document.text.clone(), document.text.clone());
    for block in blocks {
        let mut now = String::new();
        for command in block
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("$ "))
        {
            let (code, printed) = copy.bash(command);
            let line = format!("{}:{}: {command}", document.name, block.line);
            assert!(matches!(code, Some(0 | 6)), "{line}\n{printed}");
            let printed = printed.replace(&*copy.folder().to_string_lossy(), "icl-repro");
            now += &format!("$ {command}\n{printed}");
        }
        assert_eq!(real.matches(&block.text).count(), 1, "{}", block.text);
        real = real.replace(&block.text, &now);
        let [before, after] = [&block.text, &now].map(|text| comparable(text, &copy));
        let same = if before == after { &now } else { &block.text };
        shown = shown.replace(&block.text, same);
    }
    Some((shown, real))
}

#[test]
fn sessions_show_what_is_printed() {
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    for document in documents() {
        let Some((shown, real)) = replayed(&document) else {
            continue;
        };
        if update && shown != real {
            std::fs::write(root().join(&document.name), &real).expect("a file");
        } else {
            let words = "`make docs` rewrites the session";
            assert_eq!(shown, real, "{}: {words}", document.name);
        }
    }
}
