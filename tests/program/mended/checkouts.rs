//! The same bytes on every checkout, and a `make` that finds the program wherever cargo puts it.

use crate::mended::git::git;
use crate::repository::{PROGRAM, Repository, Said, files_below, said};
use code_digest::{Code, Workspace};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// What a repository of the project holds besides what is made in it.
const NOT_COMMITTED: [&str; 6] = [
    ".git",
    "target",
    ".icl-repro",
    "artifacts",
    "node_modules",
    "book",
];

/// Commits all of a folder as it is, clones it with a setting, and gives the paths of files that arrive
/// with other bytes.
fn changed_by_a_clone(from: &Path, config: &str) -> Vec<String> {
    git(from, &["init", "--quiet"]);
    git(
        from,
        &["-c", "core.autocrlf=false", "add", "--all", "--force"],
    );
    git(
        from,
        &["commit", "--quiet", "--allow-empty", "--message", "all"],
    );
    let place = tempfile::tempdir().expect("a folder");
    let source = from.display().to_string();
    git(
        place.path(),
        &["-c", config, "clone", "--quiet", &source, "clone"],
    );
    let clone = place.path().join("clone");
    let mut changed = Vec::new();
    for path in files_below(from) {
        let name = path.strip_prefix(from).expect("below");
        if name.starts_with(".git") && name != Path::new(".gitattributes") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("readable");
        if std::fs::read(clone.join(name)).ok() != Some(bytes) {
            changed.push(name.display().to_string());
        }
    }
    changed
}

#[test]
fn no_setting_of_git_changes_a_byte_of_a_checkout() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(project).expect("readable") {
        let entry = entry.expect("readable");
        let name = entry.file_name().to_string_lossy().into_owned();
        if NOT_COMMITTED.contains(&&*name) {
            continue;
        }
        let mut command = Command::new("cp");
        command.arg("-R").arg(entry.path()).arg(copy.path());
        assert_eq!(said(&mut command).code, Some(0));
    }
    for config in ["core.autocrlf=true", "core.eol=crlf", "core.autocrlf=input"] {
        let changed = changed_by_a_clone(copy.path(), config);
        assert_eq!(changed, Vec::<String>::new(), "{config}");
    }
    // The rule can fail: it is the attributes that keep the bytes.
    std::fs::remove_file(copy.path().join(".gitattributes")).expect("there");
    let changed = changed_by_a_clone(copy.path(), "core.autocrlf=true");
    assert!(
        changed.iter().any(|path| path == "pipeline.lock"),
        "{changed:?}"
    );
}

#[test]
fn a_checkout_with_other_line_ends_is_told_and_mended() {
    let repository = Repository::new();
    std::fs::write(repository.path("data/note.txt"), "one\ntwo\n").expect("a file");
    let said = repository.expect(0, &["run"]);
    assert!(said.contains(" ran "), "{said}");
    for path in [
        "figures/tables/losses.csv",
        "figures/tables/losses.tex",
        "figures/curve.svg",
    ] {
        let path = repository.path(path);
        let text = std::fs::read_to_string(&path).expect("text");
        let changed = text.replace('\n', "\r\n");
        if changed != text {
            std::fs::write(path, changed).expect("ours");
        }
    }
    let said = repository.expect(3, &["verify"]);
    assert!(
        said.contains("in line ends alone")
            && said.contains("core.autocrlf")
            && said.contains("git reset"),
        "{said}"
    );
    let json = repository.expect(3, &["verify", "--json"]);
    assert!(json.contains("\"line_ends\": [\n"), "{json}");
    // An edit is no change of line ends.
    std::fs::write(repository.path("figures/tables/losses.csv"), "a\r\n").expect("ours");
    std::fs::remove_file(repository.path("figures/tables/losses.tex")).expect("ours");
    repository.expect(0, &["run"]);
    std::fs::write(repository.path("figures/tables/losses.csv"), "a\r\n").expect("ours");
    let said = repository.expect(3, &["verify"]);
    assert!(!said.contains("line ends"), "{said}");
    repository.expect(0, &["run"]);
    // The pipeline itself, and what it records, may have any.
    for name in ["pipeline.yaml", "pipeline.lock"] {
        let text = std::fs::read_to_string(repository.path(name)).expect("text");
        std::fs::write(repository.path(name), text.replace('\n', "\r\n")).expect("ours");
    }
    repository.expect(0, &["verify"]);
    assert!(!repository.expect(0, &["run"]).contains(" ran "));
}

#[test]
fn sources_with_other_line_ends_are_the_same_code() {
    let text =
        "//! Words.\nuse crate::math::b::B;\npub const TEXT: &str = \"one\\\n    two\n three\";\n";
    let reach = |text: &str| {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let workspace = Workspace {
            packages: BTreeMap::from([file("paper", "src")]),
            files: BTreeMap::from([
                file("src/math/b.rs", "pub struct B;\n"),
                file("src/icl/a.rs", text),
            ]),
            ..Workspace::default()
        };
        let code = Code::link(&workspace, &[]).expect("it parses");
        code.digest("src/icl/a.rs")
    };
    assert_eq!(reach(text), reach(&text.replace('\n', "\r\n")));
    assert_ne!(reach(text), reach(&text.replace("three", "four")));
}

/// A package with the project's name, Makefile and scripts, whose program prints its arguments and ends
/// with exit code 3.
fn small_package(folder: &Path) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["src", "scripts"] {
        std::fs::create_dir_all(folder.join(name)).expect("a folder");
    }
    for name in ["Makefile", "scripts/built.sh"] {
        std::fs::copy(project.join(name), folder.join(name)).expect("a copy");
    }
    let package = "[package]\nname = \"icl-repro\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    let main = "fn main() { println!(\"{:?}\", std::env::args().skip(1).collect::<Vec<_>>()); std::process::exit(3) }\n";
    let lock = "version = 4\n\n[[package]]\nname = \"icl-repro\"\nversion = \"0.1.0\"\n";
    for (name, text) in [
        ("Cargo.toml", package),
        ("src/main.rs", main),
        ("Cargo.lock", lock),
    ] {
        std::fs::write(folder.join(name), text).expect("a file");
    }
}

/// A command without what cargo tells its children, but for where its toolchain is.
fn outside_cargo(program: &str, folder: &Path, variables: &[(&str, &str)]) -> Said {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear();
    for name in [
        "PATH",
        "HOME",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "RUSTUP_TOOLCHAIN",
        "CARGO",
    ] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command.envs(variables.iter().copied());
    if program == "make" {
        command.arg("verify");
    }
    said(&mut command)
}

/// Of the environment.
type Variables<'a> = &'a [(&'a str, &'a str)];

#[test]
fn make_finds_the_program_wherever_cargo_puts_it() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("a path, with spaces");
    small_package(&folder);
    let elsewhere = place.path().join("other target").display().to_string();
    let host = {
        let mut command = Command::new("rustc");
        let about = said(command.arg("-vV")).text;
        let line = about.lines().find_map(|line| line.strip_prefix("host: "));
        line.expect("a host").to_owned()
    };
    let config = folder.join(".cargo/config.toml");
    std::fs::create_dir_all(folder.join(".cargo")).expect("a folder");
    let cases: [(&str, Variables, &str); 6] = [
        ("", &[], "a path, with spaces/target/release"),
        (
            "[build]\ntarget-dir = \"built here\"\n",
            &[],
            "built here/release",
        ),
        (
            "",
            &[("CARGO_TARGET_DIR", &elsewhere)],
            "other target/release",
        ),
        (
            "",
            &[("CARGO_BUILD_TARGET_DIR", &elsewhere)],
            "other target/release",
        ),
        (
            &format!("[build]\ntarget = \"{host}\"\n"),
            &[],
            &format!("target/{host}/release"),
        ),
        (
            "",
            &[("CARGO_BUILD_TARGET", &host)],
            &format!("target/{host}/release"),
        ),
    ];
    for (text, variables, wanted) in cases {
        std::fs::write(&config, text).expect("a file");
        let built = outside_cargo("scripts/built.sh", &folder, variables);
        assert_eq!(built.code, Some(0), "{variables:?}\n{}", built.text);
        let is_file = |line: &&str| Path::new(line).is_file();
        let last = built
            .text
            .lines()
            .find(is_file)
            .unwrap_or_default()
            .to_owned();
        assert!(
            Path::new(&last).is_file() && last.contains(wanted),
            "{wanted}: {}",
            built.text
        );
        let made = outside_cargo("make", &folder, variables);
        // The program's arguments and its exit code arrive.
        assert!(
            made.text.contains("[\"verify\"]") && made.text.contains("Error 3"),
            "{wanted}: {}",
            made.text
        );
    }
    let own = outside_cargo("make", &folder, &[("ICL_REPRO", "echo instead")]);
    assert!(
        own.code == Some(0) && own.text.contains("instead verify"),
        "{}",
        own.text
    );
    let none = outside_cargo("scripts/built.sh", &folder, &[("CARGO", "true")]);
    assert!(
        none.code == Some(1) && none.text.contains("cargo does not say"),
        "{}",
        none.text
    );
    assert!(Path::new(PROGRAM).is_file());
}
