//! A small repository of real stages, and the program run in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_icl-repro");
/// How the names of files begin that are not yet whole.
pub const TEMPORARY: &str = ".retrace-tmp-";

/// Paths below a folder, and the bytes.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// What the program said, and its exit code.
pub struct Said {
    pub code: Option<i32>,
    pub text: String,
}

/// The repository; it goes away with this.
pub struct Repository {
    _folder: tempfile::TempDir,
    pub root: PathBuf,
}

impl Repository {
    /// In a temporary folder.
    pub fn new() -> Self {
        Repository::named("repository", &std::env::temp_dir())
    }

    /// Called `name`, in a temporary folder below `place`.
    pub fn named(name: &str, place: &Path) -> Self {
        let folder = tempfile::tempdir_in(place).expect("a temporary folder");
        let root = folder.path().join(name);
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(root.join("data/fonts")).expect("a folder");
        for (from, to) in [
            ("tests/faults/pipeline.yaml", "pipeline.yaml"),
            ("data/fonts/DejaVuSans.ttf", "data/fonts/DejaVuSans.ttf"),
            // A crate says under which licence the font is.
            ("data/licences.yaml", "data/licences.yaml"),
            (
                "data/fonts/LICENSE-DejaVu.txt",
                "data/fonts/LICENSE-DejaVu.txt",
            ),
        ] {
            fs::copy(project.join(from), root.join(to)).expect("a copy");
        }
        Repository {
            _folder: folder,
            root,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(args)
            .current_dir(&self.root)
            .env_clear()
            .env("HOME", &self.root);
        command
    }

    pub fn run(&self, args: &[&str]) -> Said {
        said(&mut self.command(args))
    }

    /// Runs and expects an exit code.
    pub fn expect(&self, code: i32, args: &[&str]) -> String {
        let said = self.run(args);
        assert_eq!(said.code, Some(code), "{args:?}\n{}", said.text);
        said.text
    }

    /// Outputs and lock.
    pub fn results(&self) -> Files {
        results(&self.root)
    }
}

/// Outputs and lock below a folder.
pub fn results(out: &Path) -> Files {
    let mut files = Files::new();
    for name in ["figures", "artifacts", "pipeline.lock", "pipeline.keys"] {
        for path in files_below(&out.join(name)) {
            let bytes = fs::read(&path).expect("readable");
            files.insert(path.strip_prefix(out).expect("below").to_owned(), bytes);
        }
    }
    files
}

/// The program's end and all that it printed.
pub fn said(command: &mut Command) -> Said {
    let output = command.output().expect("it starts");
    let printed = [output.stdout, output.stderr].concat();
    Said {
        code: output.status.code(),
        text: String::from_utf8_lossy(&printed).into_owned(),
    }
}

/// The path itself where it is a file, else all files below it, sorted.
pub fn files_below(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries
        .flat_map(|entry| files_below(&entry.expect("readable").path()))
        .collect();
    paths.sort();
    paths
}

/// Every file below a folder is as in `expected`, or has a temporary name; none need be there.
pub fn nothing_half_written(found: &Files, versions: &[&Files]) {
    for (path, bytes) in found {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let whole = versions.iter().any(|files| files.get(path) == Some(bytes));
        // The lock of a run that was cut short holds fewer stages.
        let is_lock = ["pipeline.lock", "pipeline.keys"].contains(&&*name);
        assert!(
            whole || is_lock || name.starts_with(TEMPORARY),
            "{} is half-written",
            path.display()
        );
    }
}

/// A number from the environment, for longer versions of a test.
pub fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}
