//! What a stage of kind `command` says of its program.

use retrace::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The parameters of kind `command`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The program and its arguments, each as it is: no shell takes them apart. `{in.ROLE}` and `{out.NAME}` stand
    /// for the paths of inputs and outputs, `{{` and `}}` for braces. An argument that is `{in.ROLE}` alone stands
    /// for all artifacts of the role.
    pub run: Vec<Argument>,
    /// The folder below the root in which it runs; the root if it is not said.
    #[serde(default)]
    pub folder: String,
    /// Environment variables, beside those that every command has. No other is passed on.
    #[serde(default)]
    pub env: BTreeMap<String, Argument>,
    /// Where the command sees an input or writes an output, by role or name, if that is not its path in the
    /// repository: a path below the root.
    #[serde(default)]
    pub places: BTreeMap<String, String>,
    /// Threads that libraries may start; enters the key, for sums depend on it.
    #[serde(default = "one")]
    pub cores: u32,
    /// The most memory that one process may have, such as `2 GB`.
    #[serde(default)]
    pub memory: Option<String>,
    /// The largest file that it may write, such as `500 MB`.
    #[serde(default)]
    pub file_size: Option<String>,
    /// The most processes at a time.
    #[serde(default = "processes")]
    pub processes: u64,
    /// The longest time, in seconds.
    #[serde(default)]
    pub timeout: Option<f64>,
    /// The file of the repository that locks the versions of packages: requirements with `==`, uv.lock,
    /// conda-lock.yml, renv.lock, Manifest.toml.
    #[serde(default)]
    pub packages: Option<String>,
    /// The folder below the root that holds the packages, such as `.venv`: its programs come first.
    #[serde(default)]
    pub environment: Option<String>,
    /// Folders outside of the repository that it may read beside those of the system and of its program; what is
    /// in them enters no key.
    #[serde(default)]
    pub readable: Vec<String>,
    /// Whether it uses a GPU: then it may give other bytes elsewhere, and `compare` says how its outputs compare.
    #[serde(default)]
    pub gpu: bool,
    /// The files that it reads, as paths or globs: for systems on which nothing can be watched.
    #[serde(default)]
    pub reads: Option<Vec<String>>,
}

/// A word of the command line, or a number.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Argument {
    Text(String),
    Whole(i64),
    Number(f64),
    Truth(bool),
}

impl Argument {
    /// As the program gets it.
    pub fn text(&self) -> String {
        match self {
            Argument::Text(text) => text.clone(),
            Argument::Whole(number) => number.to_string(),
            Argument::Number(number) => number.to_string(),
            Argument::Truth(truth) => truth.to_string(),
        }
    }
}

fn one() -> u32 {
    1
}

fn processes() -> u64 {
    256
}

/// The longest time that a command may be given: a week.
const LONGEST: f64 = 7.0 * 24.0 * 3600.0;

impl Params {
    /// Those of a command that says nothing but what is run.
    pub fn of(run: Vec<Argument>) -> Params {
        Params {
            run,
            folder: String::new(),
            env: BTreeMap::new(),
            places: BTreeMap::new(),
            cores: one(),
            memory: None,
            file_size: None,
            processes: processes(),
            timeout: None,
            packages: None,
            environment: None,
            readable: Vec::new(),
            gpu: false,
            reads: None,
        }
    }

    /// Checks what the type of a single field cannot.
    ///
    /// # Errors
    /// The message begins with the field.
    pub fn check(&self) -> std::result::Result<(), String> {
        match self.run.first().map(Argument::text) {
            None => return Err("run: it names no program".into()),
            Some(program) if program.is_empty() => return Err("run.0: it is empty".into()),
            Some(program) if program.contains(char::is_whitespace) && self.run.len() == 1 => {
                return Err(format!(
                    "run.0: `{program}` is no program: write each argument apart, [{}]",
                    program.split_whitespace().collect::<Vec<_>>().join(", ")
                ));
            }
            Some(_) => {}
        }
        if let Some(nul) = self.run.iter().position(|a| a.text().contains('\0')) {
            return Err(format!("run.{nul}: it holds a zero byte"));
        }
        let is_inside = |path: &str| {
            let path = std::path::Path::new(path);
            path.components().all(|c| {
                matches!(
                    c,
                    std::path::Component::Normal(_) | std::path::Component::CurDir
                )
            })
        };
        if !is_inside(&self.folder) {
            return Err(format!(
                "folder: `{}` is no folder below the root",
                self.folder
            ));
        }
        for (role, place) in &self.places {
            if place.is_empty() || !is_inside(place) {
                return Err(format!(
                    "places.{role}: `{place}` is no path below the root"
                ));
            }
        }
        for (name, path) in [
            ("packages", &self.packages),
            ("environment", &self.environment),
        ] {
            if let Some(path) = path
                && (path.is_empty() || !is_inside(path))
            {
                return Err(format!("{name}: `{path}` is no path below the root"));
            }
        }
        for name in self.env.keys() {
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(is_name) {
                return Err(format!("env.{name}: that is no name of a variable"));
            }
            if OWN.contains(&name.as_str()) {
                return Err(format!("env.{name}: every command has its own"));
            }
        }
        if self.cores == 0 || self.cores > 1024 {
            return Err("cores: must be from 1 to 1024".into());
        }
        if self.processes == 0 {
            return Err("processes: must be 1 or more".into());
        }
        if let Some(seconds) = self.timeout
            && !(seconds > 0.0 && seconds <= LONGEST)
        {
            return Err(format!(
                "timeout: must be above 0 and at most {LONGEST} seconds"
            ));
        }
        self.limits().map(drop)
    }

    /// The limits in bytes: of memory, and of a file.
    ///
    /// # Errors
    /// A size that is none; the message begins with the field.
    pub fn limits(&self) -> std::result::Result<[Option<u64>; 2], String> {
        let read = |name: &str, text: &Option<String>| {
            let bytes = text.as_deref().map(bytes).transpose();
            bytes.map_err(|why| format!("{name}: {why}"))
        };
        Ok([
            read("memory", &self.memory)?,
            read("file_size", &self.file_size)?,
        ])
    }

    /// The longest time.
    pub fn longest(&self) -> Option<Duration> {
        self.timeout.map(Duration::from_secs_f64)
    }
}

/// Variables that say where a command runs: they differ from run to run, and enter no key.
const OWN: [&str; 3] = ["HOME", "PATH", "TMPDIR"];

/// Reads `2 GB`: a number and one of B, kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB.
fn bytes(text: &str) -> std::result::Result<u64, String> {
    let at = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let factor = match unit.trim() {
        "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" => 1024.0,
        "MiB" => 1_048_576.0,
        "GiB" => 1_073_741_824.0,
        _ => return Err(format!("`{text}` is no size: write it as 500 MB or 2 GB")),
    };
    let number: f64 = number
        .parse()
        .map_err(|_| format!("`{text}` is no size: write it as 500 MB or 2 GB"))?;
    let bytes = number * factor;
    if !(1.0..=1e18).contains(&bytes) {
        return Err(format!("`{text}` is not a size that can be meant"));
    }
    Ok(bytes as u64)
}

/// An error of the params as the engine reports it.
pub fn wrong(message: String) -> Error {
    Error::config(message)
}

/// The result of a check as the engine reports it.
pub fn checked<T>(result: std::result::Result<T, String>) -> Result<T> {
    result.map_err(wrong)
}
