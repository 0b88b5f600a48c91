//! Copies of the repository in which commands can do what they like.

use crate::finished::{Finished, copy as copy_folder, outliving};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_icl-repro");

/// What a clone has, as far as commands of the documentation read it.
const CLONED: [&str; 13] = [
    ".gitignore",
    "CITATION.cff",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "book.toml",
    "data",
    "docs",
    "figures",
    "pipeline.keys",
    "pipeline.lock",
    "pipeline.yaml",
];

/// A copy.
pub struct Copy {
    parent: PathBuf,
    /// What removes it with the value.
    _owned: Option<tempfile::TempDir>,
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Copy {
    /// The repository as a clone has it: the paper's constants, nothing run yet.
    pub fn fresh() -> Copy {
        let copy = Copy::empty();
        copy.clone_into();
        copy
    }

    fn clone_into(&self) {
        for name in CLONED {
            self.sh(&format!("cp -a '{}' .", root().join(name).display()));
        }
    }

    /// The same at the scale of profile `smoke`, everything run; in the second of two commits a
    /// constant of a figure is another.
    pub fn toy() -> Copy {
        static MADE: OnceLock<Copy> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            let copy = Copy::within(outliving("toy"));
            copy.clone_into();
            let yaml = std::fs::read_to_string(copy.path("pipeline.yaml")).expect("the pipeline");
            let write = |text: &str| std::fs::write(copy.path("pipeline.yaml"), text);
            let small = at_toy_scale(&yaml);
            write(&small).expect("a file");
            copy.sh("rm -rf figures pipeline.lock");
            // What has been made there is not made again: the keys are the same. Nothing else is to be seen of that run.
            Finished::once().copy_to(&copy.folder());
            copy.sh("cd .icl-repro && rm -rf profiles history.jsonl logs stat");
            copy.sh("icl-repro run -q && rm -rf .icl-repro/logs");
            copy.sh("git init -q && git add -A && git commit -qm 'at toy scale'");
            let range = "range: [0.3, 1.15]";
            assert!(small.contains(range));
            write(&small.replacen(range, "range: [0.3, 1.2]", 1)).expect("a file");
            copy.sh("icl-repro run -q && git commit -qam 'a wider axis'");
            copy
        });
        let copy = Copy::empty();
        copy_folder(&made.folder(), &copy.folder());
        copy
    }

    /// The folder, one below its own: commands may write beside it.
    pub fn folder(&self) -> PathBuf {
        self.parent.join("icl-repro")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// A copy of nothing.
    pub fn empty() -> Copy {
        let owned = tempfile::tempdir().expect("a temporary folder");
        let copy = Copy::within(owned.path().to_owned());
        Copy {
            _owned: Some(owned),
            ..copy
        }
    }

    /// The same in a folder that somebody else owns.
    fn within(parent: PathBuf) -> Copy {
        let _owned = None;
        let copy = Copy { parent, _owned };
        std::fs::create_dir(copy.folder()).expect("a folder");
        copy
    }

    /// A program with a cleared environment, the built binary first on the path. `make` is
    /// told of it: its cargo does nothing.
    pub fn command(&self, program: &str) -> Command {
        let binaries = Path::new(PROGRAM).parent().expect("a folder");
        let mut command = Command::new(program);
        command
            .current_dir(self.folder())
            .env_clear()
            .env("HOME", &self.parent)
            .env(
                "PATH",
                format!("{}:/usr/local/bin:/usr/bin:/bin", binaries.display()),
            )
            .env("CARGO", "true")
            .env("ICL_REPRO", PROGRAM)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_COMMITTER_NAME", "a")])
            .envs([("GIT_AUTHOR_EMAIL", "a@b"), ("GIT_COMMITTER_EMAIL", "a@b")])
            .stdin(Stdio::null());
        command
    }

    /// The program.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(PROGRAM).args(arguments).output();
        output.expect("the program starts")
    }

    /// A script that must succeed; returns what it printed on both streams.
    pub fn sh(&self, script: &str) -> String {
        let (code, printed) = self.bash(script);
        assert_eq!(code, Some(0), "{script}\n{printed}");
        printed
    }

    /// A script; its exit code and what it printed on both streams, in order.
    pub fn bash(&self, script: &str) -> (Option<i32>, String) {
        let whole = format!("exec 2>&1\n{script}\n");
        let mut bash = self.command("bash");
        bash.args(["-euo", "pipefail", "-c", &whole]);
        let output = bash.output().expect("bash starts");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), printed)
    }
}

/// pipeline.yaml with the constants of profile `smoke` as its own.
fn at_toy_scale(yaml: &str) -> String {
    let from = yaml.find("\n  smoke:\n").expect("the profile") + 1;
    let lines = yaml[from..].lines().skip(1);
    let lines = lines.take_while(|line| line.starts_with("    "));
    let mut text = yaml.to_owned();
    for line in lines.filter(|line| !line.trim_start().starts_with('#')) {
        let (path, value) = line.trim().split_once(": ").expect("a constant");
        let (stage, rest) = path.split_once('.').expect("a path");
        let keys: Vec<&str> = rest.split('.').collect();
        text = match keys[..] {
            [key] => with(&text, stage, key, 0, value),
            [variable, key] if stage == "vars" => inside(&text, variable, key, value),
            ["panels", n, _, key] => {
                let nth = n.parse().expect("a number");
                with(&text, stage, key, nth, value)
            }
            _ => panic!("the copy does not know how to set {path}"),
        };
    }
    text
}

/// How long the list is that a text starts with.
fn list(text: &str) -> usize {
    let mut depth = 0;
    let end = text.find(|c| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        depth == 0
    });
    end.expect("a list that ends") + 1
}

/// The text with the value of a key of a variable, a map in one pair of braces, replaced.
fn inside(text: &str, variable: &str, key: &str, value: &str) -> String {
    let find = |from: usize, wanted: &str| {
        let found = text[from..].find(wanted).map(|at| from + at + wanted.len());
        found.unwrap_or_else(|| panic!("{variable}: {wanted:?} stands in the pipeline"))
    };
    let from = find(0, &format!("\n  {variable}: {{"));
    let start = match text[from..].starts_with(&format!("{key}: ")) {
        true => from + key.len() + 2,
        false => find(from, &format!(" {key}: ")),
    };
    let end = match text[start..].starts_with('[') {
        true => start + list(&text[start..]),
        false => start + text[start..].find([',', '}']).expect("the value ends"),
    };
    format!("{}{value}{}", &text[..start], &text[end..])
}

/// The text with the value of the nth `key:` of a section replaced.
fn with(text: &str, section: &str, key: &str, nth: usize, value: &str) -> String {
    let find = |from: usize, wanted: &str| {
        let found = text[from..].find(wanted).map(|at| from + at + wanted.len());
        found.unwrap_or_else(|| panic!("{section}: {wanted:?} stands in the pipeline"))
    };
    let indent = if section == "vars" { "\n" } else { "\n  " };
    let from = find(0, &format!("{indent}{section}:\n"));
    let pattern = format!(" {key}: ");
    let mut found = text[from..].match_indices(&pattern);
    let (at, _) = found.nth(nth).expect("the key");
    let at = from + at + pattern.len();
    let end = match text[at..].starts_with('[') {
        // Something may follow a list in its line.
        true => at + list(&text[at..]),
        false => find(at, "\n") - 1,
    };
    format!("{}{value}{}", &text[..at], &text[end..])
}
