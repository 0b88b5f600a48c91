//! A temporary repository and the program in it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository, removed when dropped; its home folder is beside it.
pub struct Folder {
    above: tempfile::TempDir,
}

impl Folder {
    /// With these files.
    pub fn with(files: &[(&str, &str)]) -> Folder {
        let above = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder { above };
        std::fs::create_dir_all(folder.path()).expect("a folder");
        std::fs::create_dir_all(folder.home()).expect("a folder");
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    pub fn path(&self) -> PathBuf {
        self.above.path().join("paper")
    }

    pub fn home(&self) -> PathBuf {
        self.above.path().join("home")
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.at(name);
        let above = path.parent().expect("a folder");
        std::fs::create_dir_all(above).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    pub fn read(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.at(name));
        text.unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// A program with a cleared environment, ours first on the path.
    pub fn command(&self, program: &str) -> Command {
        let own = Path::new(env!("CARGO_BIN_EXE_retrace")).parent();
        let own = own.expect("a folder").display();
        let mut command = Command::new(program);
        command
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.home())
            .env("PATH", format!("{own}:/usr/bin:/bin"))
            .stdin(std::process::Stdio::null());
        command
    }

    /// Runs the program: exit code, and what it said on both streams.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        told(self.command(env!("CARGO_BIN_EXE_retrace")).args(arguments))
    }

    /// The same where the exit code is known.
    pub fn expect(&self, code: i32, arguments: &[&str]) -> String {
        let (found, said) = self.run(arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {said}");
        said
    }

    /// Brings everything up to date: the stages that ran, sorted.
    pub fn ran(&self) -> Vec<String> {
        let said = self.expect(0, &["run"]);
        let names = said.lines().filter_map(|line| {
            let (name, rest) = line.split_once(' ')?;
            rest.trim_start()
                .starts_with("runs:")
                .then(|| name.to_owned())
        });
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// Nothing of a stage is recorded or published.
    pub fn nothing_recorded(&self, stage: &str) {
        let lock = std::fs::read_to_string(self.at("pipeline.lock")).unwrap_or_default();
        assert!(!lock.contains(stage), "{lock}");
        for name in ["figures", "artifacts"] {
            let entries = std::fs::read_dir(self.at(name)).into_iter().flatten();
            assert_eq!(entries.count(), 0, "{name}");
        }
    }
}

/// Runs a program to its end: exit code, and what it said on both streams.
pub fn told(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().expect("the program starts");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}
