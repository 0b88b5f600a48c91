//! The log of past runs: when, how long, what ran and why. One line of JSON for each run.
//!
//! Read by people, and for estimates of time. Nothing else depends on it: a line that cannot be read
//! is passed over, and the file may be deleted.

use crate::base::error::{Error, Result};
use crate::base::files;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

/// Of a longer log only the end is read: it grows with every run.
const MAX_BYTES: u64 = 64 << 20;

/// A run that has ended.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PastRun {
    /// Seconds since the Unix epoch.
    pub started: u64,
    pub seconds: f64,
    /// What was typed, without the program's name.
    pub command: String,
    /// The summary's last line.
    pub summary: String,
    pub exit_code: u8,
    /// Stages that ran, failed or were restored; fresh ones are not listed.
    pub stages: Vec<PastStage>,
}

/// What became of a stage in a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PastStage {
    pub stage: String,
    /// `ran`, `restored` (from the cache), `fetched` (from a store) or `failed`.
    pub outcome: String,
    /// Why it ran; of one that failed, its error.
    pub reason: String,
    pub seconds: f64,
}

/// The runs so far, the oldest first.
pub fn read(path: &Path) -> Result<Vec<PastRun>> {
    let text = match latest(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io("read", path, &e)),
    };
    // The last line of a run that was killed may be cut short.
    Ok(text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

/// The end of the file, or all of it.
fn latest(path: &Path) -> std::io::Result<Vec<u8>> {
    let size = std::fs::metadata(path)?.len();
    if size <= MAX_BYTES {
        return files::read_at_most(path, MAX_BYTES);
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(size - MAX_BYTES))?;
    // A run may add to it meanwhile.
    files::take_at_most(file, 2 * MAX_BYTES)
}

/// Adds a run. Called under the run lock.
pub fn append(path: &Path, run: &PastRun) -> Result<()> {
    let io = |e: std::io::Error| Error::io("write", path, &e);
    let line = serde_json::to_string(run)
        .map_err(|e| Error::failed(format!("cannot record the run: {e}")))?;
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .map_err(io)?;
    // A line that was cut short must not swallow this one.
    writeln!(file, "\n{line}").map_err(io)
}

/// How long stages took, in seconds.
pub struct Durations<'a> {
    /// When each last ran.
    stages: BTreeMap<&'a str, f64>,
    /// Sum and number over the items of a matrix.
    matrices: BTreeMap<&'a str, (f64, f64)>,
}

impl<'a> Durations<'a> {
    /// Of past runs, the oldest first.
    pub fn of(runs: &'a [PastRun]) -> Self {
        let mut stages = BTreeMap::new();
        let ran = |past: &&PastStage| past.outcome == "ran";
        for past in runs.iter().flat_map(|run| &run.stages).filter(ran) {
            stages.insert(past.stage.as_str(), past.seconds);
        }
        let mut matrices = BTreeMap::new();
        for (stage, seconds) in &stages {
            let (sum, number) = matrices.entry(matrix(stage)).or_insert((0.0, 0.0));
            *sum += seconds;
            *number += 1.0;
        }
        Durations { stages, matrices }
    }

    /// How long a stage took when it last ran.
    pub fn last(&self, stage: &str) -> Option<f64> {
        self.stages.get(stage).copied()
    }

    /// The same; of a stage that has not run, the mean of those that share its matrix.
    pub fn about(&self, stage: &str) -> Option<f64> {
        self.last(stage).or_else(|| {
            let (sum, number) = self.matrices.get(matrix(stage))?;
            Some(sum / number)
        })
    }
}

/// The name that the items of a matrix share.
fn matrix(stage: &str) -> &str {
    stage.split('@').next().unwrap_or(stage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cut_short_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        assert!(read(&path).unwrap().is_empty());
        let run = |seconds| PastRun {
            started: 0,
            seconds,
            command: "run".into(),
            summary: String::new(),
            exit_code: 0,
            stages: vec![PastStage {
                stage: "s@1".into(),
                outcome: "ran".into(),
                reason: "new".into(),
                seconds,
            }],
        };
        append(&path, &run(1.0)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        append(&path, &run(2.0)).unwrap();
        append(&path, &run(3.0)).unwrap();
        let runs = read(&path).unwrap();
        assert_eq!(runs.len(), 2);
        let durations = Durations::of(&runs);
        assert_eq!(durations.last("s@1"), Some(3.0));
        assert_eq!(durations.last("s@2"), None);
        assert_eq!(durations.about("s@2"), Some(3.0));
        assert_eq!(durations.about("t"), None);
    }
}
