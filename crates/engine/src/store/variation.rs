//! What profiles and `--set` have made below the cache: a folder of outputs each, with a note of the
//! settings that it was made with, since its name has only a digest of them.
//!
//! The note is for people and for comparing: without it, or with one of a newer version, the outputs
//! are what they are. It is no part of any key.

use crate::base::error::{Error, Result};
use crate::base::files;
use crate::base::location::is_plain_folder;
use crate::spec::settings::Settings;
use crate::store::content::list;
use crate::store::workspace::{LOCK_FILE, Outputs, Workspace};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The note, beside the lock.
pub const FILE: &str = "variation.json";

/// A note of another version is not understood.
const FORMAT: u64 = 1;

/// A longer note is not ours: it holds what was typed.
const MAX_BYTES: u64 = 4 << 20;

#[derive(Serialize, Deserialize)]
struct Note {
    format: u64,
    profile: Option<String>,
    /// As they were typed, in order.
    sets: Vec<String>,
    /// Seconds since the Unix epoch at which the last run began.
    last_run: u64,
}

/// A folder of outputs below the cache.
#[derive(Clone, Debug)]
pub struct Variation {
    /// Its folder's name: of a profile that of the profile, else also a digest of what was set.
    pub name: String,
    pub folder: PathBuf,
    pub profile: Option<String>,
    /// What `--set` was given; `None` where nobody noted it, as versions before this one.
    pub sets: Option<Vec<String>>,
    /// Seconds since the Unix epoch.
    pub last_run: Option<u64>,
}

/// Notes the settings of a run and when it began. Called under the run lock; nothing is noted of outputs that
/// go elsewhere than below the cache.
///
/// # Errors
/// The note cannot be written.
pub fn record(workspace: &Workspace, settings: &Settings) -> Result<()> {
    if workspace.outputs() != Outputs::Variant {
        return Ok(());
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let note = Note {
        format: FORMAT,
        profile: settings.profile.clone(),
        sets: settings.sets.clone(),
        last_run: now.map_or(0, |now| now.as_secs()),
    };
    let text = serde_json::to_vec_pretty(&note)
        .map_err(|e| Error::failed(format!("cannot note the settings: {e}")))?;
    files::create_folder(&workspace.out)?;
    files::write(&workspace.out.join(FILE), &[&text[..], b"\n"].concat())
}

/// All of them, by name.
///
/// # Errors
/// Their folder cannot be listed.
pub fn variations(workspace: &Workspace) -> Result<Vec<Variation>> {
    let folders = list(&workspace.variants())?;
    let folders = folders.into_iter().filter(|folder| is_plain_folder(folder));
    let mut found: Vec<Variation> = folders.filter_map(read).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn read(folder: PathBuf) -> Option<Variation> {
    let name = folder.file_name()?.to_str()?.to_owned();
    if let Some(note) = note(&folder) {
        return Some(Variation {
            name,
            folder,
            profile: note.profile,
            sets: Some(note.sets),
            last_run: Some(note.last_run),
        });
    }
    // Its name tells the profile, and whether anything was set.
    let (profile, is_set) = match name.rsplit_once('+') {
        Some((profile, digest)) if is_digest(digest) => (profile, true),
        _ => (name.as_str(), false),
    };
    let profile = match (profile, is_set) {
        ("default", true) => None,
        _ => Some(profile.to_owned()),
    };
    let changed = folder.join(LOCK_FILE).metadata().and_then(|m| m.modified());
    let changed = changed
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    Some(Variation {
        sets: (!is_set).then(Vec::new),
        last_run: changed.map(|at| at.as_secs()),
        name,
        folder,
        profile,
    })
}

/// What was noted, if this version understands it.
fn note(folder: &Path) -> Option<Note> {
    let bytes = files::read_at_most(&folder.join(FILE), MAX_BYTES).ok()?;
    let note: Note = serde_json::from_slice(&bytes).ok()?;
    (note.format == FORMAT).then_some(note)
}

fn is_digest(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Variation {
    /// The settings that it was made with; `None` where nobody noted them.
    pub fn settings(&self) -> Option<Settings> {
        Some(Settings {
            profile: self.profile.clone(),
            sets: self.sets.clone()?,
        })
    }

    /// What differs from the pipeline as it stands, in one line: `profile smoke, vars.noise_var=0.2`.
    pub fn values(&self) -> String {
        let profile = self.profile.iter().map(|name| format!("profile {name}"));
        let sets = match &self.sets {
            Some(sets) => sets.clone(),
            None => vec!["values not noted by an earlier version: run it again".to_owned()],
        };
        profile.chain(sets).collect::<Vec<_>>().join(", ")
    }

    /// The size of all its files in bytes, and their number; links are not followed.
    pub fn size(&self) -> (u64, usize) {
        let (mut bytes, mut files, mut folders) = (0, 0, vec![self.folder.clone()]);
        while let Some(folder) = folders.pop() {
            // What cannot be listed or asked counts for nothing.
            for path in list(&folder).unwrap_or_default() {
                match path.symlink_metadata() {
                    Ok(meta) if meta.is_dir() => folders.push(path),
                    Ok(meta) if meta.is_file() => {
                        bytes += meta.len();
                        files += 1;
                    }
                    _ => {}
                }
            }
        }
        (bytes, files)
    }

    /// Whether a path, with links followed, is one of its files.
    pub fn holds(&self, path: &Path) -> bool {
        let real = |path: &Path| path.canonicalize().ok();
        match (real(path), real(&self.folder)) {
            (Some(path), Some(folder)) => path.starts_with(folder),
            _ => false,
        }
    }
}

/// The variations that a user means: the one of that name, else those made with these values: one
/// `--set` as it is typed, or several with spaces between them, in any profile.
pub fn meant<'a>(known: &'a [Variation], words: &str) -> Vec<&'a Variation> {
    if let Some(named) = known.iter().find(|variation| variation.name == words) {
        return vec![named];
    }
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let asked = plain(words);
    let is_meant = |variation: &&Variation| {
        let sets = variation.sets.as_ref().filter(|sets| !sets.is_empty());
        sets.is_some_and(|sets| plain(&sets.join(" ")) == asked)
    };
    known.iter().filter(is_meant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(root: &Path, settings: &Settings) -> Workspace {
        Workspace::new(root.to_owned(), root.join("cache"), None, settings).unwrap()
    }

    fn settings(profile: Option<&str>, sets: &[&str]) -> Settings {
        Settings {
            profile: profile.map(str::to_owned),
            sets: sets.iter().map(|set| (*set).to_owned()).collect(),
        }
    }

    #[test]
    fn what_was_set_is_noted_and_found_by_name_and_by_value() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let plain = settings(None, &[]);
        assert!(variations(&workspace(root, &plain)).unwrap().is_empty());
        // The default's outputs are no variation.
        record(&workspace(root, &plain), &plain).unwrap();
        let all = [
            settings(None, &["vars.a=1"]),
            settings(Some("smoke"), &["vars.a=1"]),
            settings(None, &["vars.a=1", "vars.b={c:  2}"]),
            settings(Some("smoke"), &[]),
        ];
        for one in &all {
            record(&workspace(root, one), one).unwrap();
        }
        let found = variations(&workspace(root, &plain)).unwrap();
        assert_eq!(found.len(), all.len());
        for variation in &found {
            let own = variation.settings().unwrap();
            assert!(
                all.iter()
                    .any(|one| one.sets == own.sets && one.profile == own.profile)
            );
            assert!(variation.last_run > Some(0) && variation.size().1 == 1);
            assert!(variation.holds(&variation.folder.join(FILE)));
            assert_eq!(meant(&found, &variation.name).len(), 1);
        }
        assert_eq!(meant(&found, "vars.a=1").len(), 2);
        assert_eq!(meant(&found, "vars.a=1 vars.b={c: 2}").len(), 1);
        assert_eq!(meant(&found, "vars.a=2").len(), 0);
        assert_eq!(meant(&found, "").len(), 0);
    }

    #[test]
    fn a_folder_without_a_note_tells_what_its_name_does() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = workspace(folder.path(), &settings(None, &[]));
        for (name, note) in [
            ("smoke", None),
            ("smoke+0a1b2c3d", Some("{\"format\": 2}")),
            ("default+0a1b2c3d", Some("cut sho")),
        ] {
            let folder = workspace.variants().join(name);
            std::fs::create_dir_all(&folder).unwrap();
            if let Some(note) = note {
                std::fs::write(folder.join(FILE), note).unwrap();
            }
        }
        let found = variations(&workspace).unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|one| (one.profile.as_deref(), one.sets.is_some(), one.last_run))
            .collect();
        assert_eq!(
            told,
            [
                (None, false, None),
                (Some("smoke"), true, None),
                (Some("smoke"), false, None),
            ]
        );
        assert!(found[0].values().contains("run it again"));
    }
}
