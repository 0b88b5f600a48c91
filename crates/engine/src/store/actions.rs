//! The action cache: from a stage's key to the digests of the outputs that it made on this machine.
//!
//! One file. Its first line names the format; each further line is a key, a checksum and what was
//! recorded as JSON. The checksum covers the key and the JSON, so a line that was cut short or damaged,
//! or whose JSON belongs to another key, counts for nothing: the stage runs again. Lines are only ever
//! added, each in one write, so a process that dies loses no line but its last; of two lines with one
//! key the later counts. `Actions::forget` writes the file anew.
//!
//! Knows nothing of objects: whether what a line promises is there is the store's question.

use crate::base::digest::{Digest, Encoder};
use crate::base::error::{Error, PROGRAM, Result};
use crate::base::files;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Output names with the digests of their contents.
pub type Outputs = BTreeMap<String, Digest>;

/// What is recorded of a stage that ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The stage that made the outputs, for people: the key does not hold it.
    pub stage: String,
    /// How long the stage took, in seconds: for estimates only.
    pub seconds: f64,
    pub outputs: Outputs,
}

const TITLE: &str = "retrace actions ";
const FORMAT: u64 = 1;

/// A larger file is not one that this program wrote: it would hold a million results.
const MAX_BYTES: u64 = 512 << 20;

/// The action cache.
pub struct Actions {
    path: PathBuf,
    text: Vec<u8>,
    /// Where in the text the JSON of a key is.
    lines: BTreeMap<Digest, Range<usize>>,
    added: Mutex<Added>,
}

/// What this process has recorded.
#[derive(Default)]
struct Added {
    actions: BTreeMap<Digest, Action>,
    file: Option<File>,
}

impl Actions {
    /// Reads the file, which need not exist. One of a newer format is refused.
    pub fn open(path: PathBuf) -> Result<Self> {
        let text = match files::read_at_most(&path, MAX_BYTES) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(Error::io("read", &path, &e)),
        };
        check_format(&path, &text)?;
        let mut lines = BTreeMap::new();
        let mut start = 0;
        for line in text.split(|&byte| byte == b'\n') {
            if let Some((key, json)) = read_line(line) {
                lines.insert(key, start + json.start..start + json.end);
            }
            start += line.len() + 1;
        }
        Ok(Actions {
            path,
            text,
            lines,
            added: Mutex::default(),
        })
    }

    /// The file and what was in it when it was read; `None` when there was none.
    pub(crate) fn read_from(&self) -> Option<(&Path, Digest)> {
        (!self.text.is_empty()).then(|| (&*self.path, Digest::of(&self.text)))
    }

    /// What is recorded under a key.
    pub fn get(&self, key: Digest) -> Option<Action> {
        if let Some(action) = self.added().actions.get(&key) {
            return Some(action.clone());
        }
        serde_json::from_slice(&self.text[self.lines.get(&key)?.clone()]).ok()
    }

    /// Records what a stage with this key made. Called under the run lock.
    pub fn record(&self, key: Digest, action: &Action) -> Result<()> {
        let line = write_line(key, action)?;
        let io = |e: std::io::Error| Error::io("write", &self.path, &e);
        let mut added = self.added();
        if added.file.is_none() {
            added.file = Some(open_to_append(&self.path)?);
        }
        if let Some(file) = &mut added.file {
            file.write_all(line.as_bytes()).map_err(io)?;
        }
        added.actions.insert(key, action.clone());
        Ok(())
    }

    /// Makes what was recorded durable.
    pub fn sync(&self) -> Result<()> {
        let sync = |file: &File| {
            file.sync_data()
                .map_err(|e| Error::io("sync", &self.path, &e))
        };
        self.added().file.as_ref().map_or(Ok(()), sync)
    }

    /// Everything that was recorded when the file was read, the oldest first.
    pub fn all(&self) -> Vec<(Digest, Action)> {
        let mut lines: Vec<_> = self.lines.iter().collect();
        lines.sort_by_key(|(_, json)| json.start);
        let action = |(&key, _): (&Digest, _)| Some((key, self.get(key)?));
        lines.into_iter().filter_map(action).collect()
    }

    /// Writes the file anew without these keys, and without lines that count for nothing.
    pub(crate) fn forget(&self, keys: &BTreeSet<Digest>) -> Result<()> {
        let mut text = format!("{TITLE}{FORMAT}\n");
        for (key, action) in self.all() {
            if !keys.contains(&key) {
                text += &write_line(key, &action)?;
            }
        }
        files::write(&self.path, text.as_bytes())
    }

    fn added(&self) -> MutexGuard<'_, Added> {
        self.added.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses a file of a newer format. A first line that says nothing is no reason: every other line
/// stands for itself.
fn check_format(path: &Path, text: &[u8]) -> Result<()> {
    let first = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let format = std::str::from_utf8(first)
        .ok()
        .and_then(|first| first.strip_prefix(TITLE)?.parse::<u64>().ok());
    match format {
        Some(found) if found > FORMAT => {
            let shown = path.display();
            let message = format!("{shown} has format {found}, this program knows {FORMAT}");
            let hint = format!("update {PROGRAM}, or use another folder with --cache-dir DIR");
            Err(Error::config(message).hint(hint))
        }
        _ => Ok(()),
    }
}

const HEX: usize = 64;
const CHECK: usize = 16;

/// `KEY CHECKSUM JSON`
fn write_line(key: Digest, action: &Action) -> Result<String> {
    let json = serde_json::to_string(action)
        .map_err(|e| Error::failed(format!("cannot record the result: {e}")))?;
    let check = check(key, json.as_bytes());
    Ok(format!("{key} {check} {json}\n"))
}

/// The key of a line and where its JSON is, if the checksum says that they belong together.
fn read_line(line: &[u8]) -> Option<(Digest, Range<usize>)> {
    let (key, rest) = line.split_at_checked(HEX)?;
    let (found, json) = rest.split_at_checked(1 + CHECK + 1)?;
    let key = Digest::try_from(std::str::from_utf8(key).ok()?).ok()?;
    let expected = format!(" {} ", check(key, json));
    let start = HEX + 1 + CHECK + 1;
    (found == expected.as_bytes()).then_some((key, start..line.len()))
}

fn check(key: Digest, json: &[u8]) -> String {
    let mut encoder = Encoder::new("retrace action");
    encoder.bytes(key.as_bytes());
    encoder.bytes(json);
    encoder.finish().to_string()[..CHECK].to_owned()
}

/// Opens the file so that what is written next is a line of its own, also after one cut short.
fn open_to_append(path: &Path) -> Result<File> {
    let io = |e: std::io::Error| Error::io("write", path, &e);
    files::create_folder(path.parent().unwrap_or(Path::new(".")))?;
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
        .map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    let mut last = [b'\n'];
    if size == 0 {
        writeln!(file, "{TITLE}{FORMAT}").map_err(io)?;
    } else {
        file.seek(SeekFrom::End(-1)).map_err(io)?;
        file.read_exact(&mut last).map_err(io)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n").map_err(io)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(stage: &str) -> Action {
        Action {
            stage: stage.into(),
            seconds: 0.5,
            outputs: Outputs::from([("out".into(), Digest::of(stage.as_bytes()))]),
        }
    }

    fn key(stage: &str) -> Digest {
        Digest::of(format!("key of {stage}").as_bytes())
    }

    /// A file with a line for each stage.
    fn recorded(folder: &tempfile::TempDir, stages: &[&str]) -> PathBuf {
        let path = folder.path().join("actions.log");
        let actions = Actions::open(path.clone()).unwrap();
        for stage in stages {
            actions.record(key(stage), &action(stage)).unwrap();
            assert_eq!(actions.get(key(stage)), Some(action(stage)));
        }
        path
    }

    fn known(path: &Path, stages: &[&str]) -> Vec<bool> {
        let actions = Actions::open(path.to_owned()).unwrap();
        let is_known = |stage: &&str| {
            let found = actions.get(key(stage));
            assert!(found.is_none() || found == Some(action(stage)));
            found.is_some()
        };
        stages.iter().map(is_known).collect()
    }

    #[test]
    fn a_file_cut_anywhere_keeps_its_whole_lines_and_takes_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = recorded(&folder, &["a", "b"]);
        let whole = std::fs::read(&path).unwrap();
        let ends: Vec<usize> = (0..whole.len()).filter(|&i| whole[i] == b'\n').collect();
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            // The end of the line itself is not needed.
            let expected = [length >= ends[1], length >= ends[2]];
            assert_eq!(known(&path, &["a", "b"]), expected, "{length} bytes");
            recorded(&folder, &["c"]);
            assert!(known(&path, &["c"])[0], "{length} bytes");
        }
    }

    #[test]
    fn no_byte_of_a_line_can_change_and_no_key_take_anothers_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = recorded(&folder, &["a", "b"]);
        let whole = std::fs::read(&path).unwrap();
        let start = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        for i in start..whole.len() - 1 {
            let mut damaged = whole.clone();
            damaged[i] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            let still_known = known(&path, &["a", "b"]);
            let lost = still_known.iter().filter(|known| !**known).count();
            assert!(lost >= 1, "byte {i}");
        }
        let text = String::from_utf8(whole).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let swapped = [
            lines[0],
            &(lines[2][..HEX].to_owned() + &lines[1][HEX..]),
            &(lines[1][..HEX].to_owned() + &lines[2][HEX..]),
        ];
        std::fs::write(&path, swapped.join("\n")).unwrap();
        assert_eq!(known(&path, &["a", "b"]), [false, false]);
    }

    #[test]
    fn a_newer_format_is_refused_and_other_first_lines_say_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = recorded(&folder, &["a"]);
        let text = std::fs::read_to_string(&path).unwrap();
        let newer = text.replacen("actions 1", "actions 2", 1);
        std::fs::write(&path, &newer).unwrap();
        let error = Actions::open(path.clone()).err().unwrap();
        assert!(error.message.contains("has format 2"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), newer);
        std::fs::write(&path, text.replacen("actions 1", "\0\u{7f}", 1)).unwrap();
        assert_eq!(known(&path, &["a"]), [true]);
    }

    #[test]
    fn the_later_of_two_lines_counts_and_forgetting_leaves_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = recorded(&folder, &["a", "b"]);
        let later = Action {
            seconds: 2.0,
            ..action("a")
        };
        let actions = Actions::open(path.clone()).unwrap();
        actions.record(key("a"), &later).unwrap();
        let actions = Actions::open(path.clone()).unwrap();
        assert_eq!(actions.get(key("a")), Some(later.clone()));
        let order: Vec<Digest> = actions.all().into_iter().map(|(key, _)| key).collect();
        assert_eq!(order, [key("b"), key("a")]);
        actions.forget(&BTreeSet::from([key("b")])).unwrap();
        let actions = Actions::open(path).unwrap();
        assert_eq!(actions.all(), [(key("a"), later)]);
    }
}
