//! Clones of a repository and a store that they share.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with clones and a store.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// A clone in which everything has run, and an empty folder for a store.
    pub fn new() -> Place {
        let place = Place {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        fs::create_dir(place.path("first")).expect("a folder");
        fs::write(place.path("first/pipeline.yaml"), half_life::PIPELINE).expect("a file");
        place.expect("first", 0, &["run"]);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What git would bring: pipeline and lock, and no cache; without the figures it must make them.
    pub fn clone(&self, name: &str) {
        let clone = self.path(name);
        fs::create_dir(&clone).expect("a folder");
        for file in ["pipeline.yaml", "pipeline.lock", "pipeline.keys"] {
            fs::copy(self.path("first").join(file), clone.join(file)).expect("a file");
        }
    }

    /// The exit code, and what was said; with variables of the environment.
    pub fn run(
        &self,
        clone: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_half-life"));
        command.args(arguments).current_dir(self.path(clone));
        command.env_clear().env("HOME", self.folder.path());
        command.envs(variables.iter().copied());
        let output = command.output().expect("the program starts");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    pub fn expect(&self, clone: &str, code: i32, arguments: &[&str]) -> String {
        let (found, said) = self.run(clone, arguments, &[]);
        assert_eq!(found, Some(code), "{arguments:?}\n{said}");
        said
    }

    /// The objects of the store, by their names.
    pub fn objects(&self) -> BTreeMap<String, PathBuf> {
        let shards = fs::read_dir(self.path("store/objects")).expect("a store");
        let shards = shards.map(|shard| shard.expect("a folder").path());
        let objects = shards.flat_map(|shard| fs::read_dir(shard).expect("a folder"));
        let objects = objects.map(|object| object.expect("a file").path());
        objects
            .map(|path| {
                let rest = path.file_name().unwrap_or_default().to_string_lossy();
                let shard = path.parent().and_then(Path::file_name).unwrap_or_default();
                (format!("{}{rest}", shard.to_string_lossy()), path.clone())
            })
            .collect()
    }

    /// The object of an artifact.
    pub fn object(&self, artifact: &str) -> PathBuf {
        let bytes = fs::read(self.path("first").join(artifact)).expect("an artifact");
        let same = |path: &PathBuf| fs::read(path).is_ok_and(|object| object == bytes);
        let mut found = self.objects().into_values().filter(same);
        found.next().expect("an object of it")
    }
}

pub const STORE: &[&str] = &["--store", "../store"];

pub fn with_store<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, STORE].concat()
}

/// Every file below a folder but those of the cache and the lock.
pub fn outputs(clone: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for folder in ["figures", "artifacts"] {
        for entry in fs::read_dir(clone.join(folder)).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            found.insert(format!("{folder}/{name}"), fs::read(&path).expect("a file"));
        }
    }
    found
}
