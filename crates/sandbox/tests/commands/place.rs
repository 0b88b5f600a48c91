//! A repository, a scratch folder and somebody's home, and commands that run there.

use sandbox::{Bounds, Command, Ended, Seen};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

pub struct Place {
    _folder: tempfile::TempDir,
    pub repo: PathBuf,
    pub scratch: PathBuf,
    pub home: PathBuf,
    log: PathBuf,
    pub bounds: Bounds,
}

pub const PYTHON: &str = "/usr/bin/python3";

impl Place {
    pub fn new() -> Place {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("it is there");
        let [repo, scratch, home] = ["repo", "scratch", "home"].map(|name| root.join(name));
        for path in [&repo, &scratch, &home] {
            std::fs::create_dir(path).expect("a folder");
        }
        let bounds = Bounds {
            watched: vec![repo.clone()],
            hidden_names: vec!["__pycache__".into()],
            writable: vec![scratch.clone()],
            ..Bounds::default()
        };
        Place {
            _folder: folder,
            repo,
            scratch,
            home,
            log: root.join("log"),
            bounds,
        }
    }

    /// With these files in the repository.
    pub fn with(files: &[(&str, &str)]) -> Place {
        let place = Place::new();
        for (name, text) in files {
            place.write(name, text);
        }
        place
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.repo.join(name);
        let folder = path.parent().expect("it is in a folder");
        std::fs::create_dir_all(folder).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    pub fn write_script(&self, name: &str, text: &str) {
        self.write(name, text);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.repo.join(name), mode).expect("its mode");
    }

    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut environment = BTreeMap::new();
        for (name, value) in [
            ("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()),
            ("HOME".into(), self.home.clone().into_os_string()),
            ("REPO".into(), self.repo.clone().into_os_string()),
            ("SCRATCH".into(), self.scratch.clone().into_os_string()),
        ] {
            environment.insert(name, value);
        }
        Command {
            program: program.into(),
            arguments: arguments.iter().map(Into::into).collect(),
            environment,
            folder: self.repo.clone(),
            log: self.log.clone(),
        }
    }

    /// A process that runs it and then says how it ended.
    pub fn start(&self, command: &Command) -> Child {
        let plan = serde_json::json!({"command": command, "bounds": self.bounds});
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_sandbox-run"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdin = child.stdin.as_mut().expect("a pipe");
        writeln!(stdin, "{plan}").expect("it reads its plan");
        child
    }

    pub fn try_command(&self, command: &Command) -> Result<Ended, String> {
        let output = self.start(command).wait_with_output().expect("it ends");
        let text = String::from_utf8(output.stdout).expect("text");
        match output.status.success() {
            true => Ok(serde_json::from_str(&text).expect("what sandbox-run writes")),
            false => Err(text.trim_end().into()),
        }
    }

    pub fn run(&self, program: &str, arguments: &[&str]) -> Ran {
        let command = self.command(program, arguments);
        let ended = self.try_command(&command);
        let ended = ended.unwrap_or_else(|error| panic!("{program}: {error}"));
        Ran {
            ended,
            log: self.log(),
            repo: self.repo.clone(),
        }
    }

    pub fn sh(&self, script: &str) -> Ran {
        self.run("/bin/sh", &["-c", script])
    }

    pub fn python(&self, script: &str) -> Ran {
        self.run(PYTHON, &["-c", script])
    }

    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).expect("the log is there");
        String::from_utf8_lossy(&bytes).into()
    }

    /// A program of C in the repository.
    pub fn compile(&self, name: &str, source: &str, options: &[&str]) {
        self.write("source.c", source);
        let status = std::process::Command::new("cc")
            .arg("-o")
            .arg(self.repo.join(name))
            .arg(self.repo.join("source.c"))
            .args(options)
            .status();
        assert!(status.expect("there is a C compiler").success());
    }
}

pub struct Ran {
    pub ended: Ended,
    pub log: String,
    repo: PathBuf,
}

impl Ran {
    pub fn seen(&self) -> &Seen {
        &self.ended.seen
    }

    /// Of `paths` those in the repository, by their names there.
    pub fn in_repo(&self, paths: &BTreeSet<PathBuf>) -> Vec<String> {
        let names = paths
            .iter()
            .filter_map(|path| path.strip_prefix(&self.repo).ok());
        names.map(|name| name.display().to_string()).collect()
    }

    pub fn read(&self) -> Vec<String> {
        self.in_repo(&self.seen().read)
    }

    #[track_caller]
    pub fn succeeded(self) -> Ran {
        assert_eq!(self.ended.end, sandbox::End::Exited(0), "{}", self.log);
        self
    }

    #[track_caller]
    pub fn refused_nothing(self) -> Ran {
        assert!(self.seen().refused.is_empty(), "{:?}", self.seen().refused);
        self
    }
}

/// Processes whose command line has this word.
pub fn processes_with(word: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("/proc is mounted");
    let lines = processes.flatten().filter_map(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    lines.filter(|line| line.contains(word)).collect()
}

/// Waits until `happened` says so; what has not happened in a minute never will.
#[track_caller]
pub fn wait_until(what: &str, happened: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !happened() {
        assert!(start.elapsed().as_secs() < 60, "it does not happen: {what}");
        std::thread::yield_now();
    }
}

pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
