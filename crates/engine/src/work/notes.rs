//! What tasks tell each other beside the store: which stages failed, and which tasks were given up. Files in the plan's
//! folder; nobody's result rests on them.

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::files;
use crate::spec::ids;
use crate::store::content::list;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A larger note is none.
const MAX_BYTES: u64 = 64 << 20;
const FAILED: &str = "failed";
const LOST: &str = "lost";

/// The folder of a plan.
#[derive(Clone, Debug)]
pub struct Notes {
    folder: PathBuf,
}

/// A stage that failed by an error of its own: the same would happen again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    pub stage: String,
    pub message: String,
    pub hint: Option<String>,
    /// Whether it made other bytes than the lock records.
    pub differs: bool,
    /// What it said while it ran.
    pub log: String,
}

impl Failed {
    /// Of an error.
    pub fn new(stage: &str, error: &Error, log: String) -> Self {
        Failed {
            stage: stage.to_owned(),
            message: error.to_string(),
            hint: error.hint.clone(),
            differs: error.kind == ErrorKind::Differs,
            log,
        }
    }
}

impl Notes {
    /// Of the plan in a folder.
    pub fn new(folder: &Path) -> Self {
        Notes {
            folder: folder.to_owned(),
        }
    }

    /// Notes that a stage failed.
    ///
    /// # Errors
    /// The note cannot be written.
    pub fn fail(&self, failed: &Failed) -> Result<()> {
        let text = serde_json::to_string_pretty(failed)
            .map_err(|e| Error::failed(format!("cannot note a failure: {e}")))?;
        let path = self.failed_path(&failed.stage);
        files::create_folder(path.parent().unwrap_or(&self.folder))?;
        files::write(&path, text.as_bytes())
    }

    /// Whether a stage has failed.
    pub fn has_failed(&self, stage: &str) -> bool {
        self.failed_path(stage).is_file()
    }

    /// The stages that have failed, in the order of their names.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn failures(&self) -> Result<Vec<Failed>> {
        let notes = list(&self.folder.join(FAILED))?.into_iter();
        let read = |path: PathBuf| {
            let bytes = files::read_at_most(&path, MAX_BYTES).ok()?;
            serde_json::from_slice(&bytes).ok()
        };
        Ok(notes.filter_map(read).collect())
    }

    /// Notes that a task was given up, and why: those that wait for it need not be tried again.
    ///
    /// # Errors
    /// The note cannot be written.
    pub fn lose(&self, task: usize, why: &str) -> Result<()> {
        let folder = self.folder.join(LOST);
        files::create_folder(&folder)?;
        files::write(&folder.join(task.to_string()), why.as_bytes())
    }

    /// Whether a task was given up.
    pub fn is_lost(&self, task: usize) -> bool {
        self.folder.join(LOST).join(task.to_string()).is_file()
    }

    /// Forgets what failed and what was given up, for another try.
    ///
    /// # Errors
    /// A note cannot be removed.
    pub fn forget(&self) -> Result<()> {
        for name in [FAILED, LOST] {
            for path in list(&self.folder.join(name))? {
                files::remove(&path)?;
            }
        }
        Ok(())
    }

    fn failed_path(&self, stage: &str) -> PathBuf {
        self.folder
            .join(FAILED)
            .join(ids::file_name(stage, ".json"))
    }
}
