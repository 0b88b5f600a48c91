//! A stage that can run, and what it reads and writes. Knows no file format.

use crate::base::error::Place;
use crate::stage::kind::Job;
use crate::stage::supplied::Supplied;
use crate::stage::tolerance::Basis;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Outputs may only go below these folders of the output root.
pub(crate) const OUTPUT_FOLDERS: [&str; 2] = ["figures", ARTIFACTS];
/// Where outputs lie that pipeline.yaml gives no path.
pub(crate) const ARTIFACTS: &str = "artifacts";

/// A stage that can run.
pub struct Stage {
    /// Such as `pretrain` or `finetune@zs_v`.
    pub id: String,
    /// Index into the registry.
    pub kind: usize,
    pub job: Box<dyn Job>,
    pub inputs: Vec<Input>,
    /// Output names and their paths below the output root.
    pub outputs: Vec<(String, PathBuf)>,
    /// How outputs compare with those recorded that need not be the same bytes.
    pub compare: BTreeMap<String, Basis>,
    /// What it shows, for people: a stage that reads the trace has it too. Not part of the key.
    pub title: Option<String>,
    pub caption: Option<String>,
    pub place: Place,
    /// About how long it takes, in seconds, as pipeline.yaml says: for estimates only.
    pub seconds: Option<f64>,
    /// The opt-in groups that have it, by their numbers in the file.
    pub opt_in: Vec<usize>,
}

/// An artifact that a stage reads.
#[derive(Clone, Debug)]
pub struct Input {
    pub role: String,
    /// Tells the artifacts of one role apart; empty where the role takes one.
    pub label: String,
    pub source: Source,
    /// Of a file that people supply themselves, what pipeline.yaml says of it.
    pub supplied: Option<Arc<Supplied>>,
}

/// Where an input comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A file of the repository, relative to its root.
    File(PathBuf),
    /// An output of another stage: index into the pipeline's stages, and name.
    Output { stage: usize, output: String },
    /// The same as the lock records it and the file stands, without running the stage; there may be none.
    Recorded { stage: usize, output: String },
}

/// Work that stages share, see [`crate::stage::kind::StageKind::shares`].
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SharedWork {
    kind: usize,
    words: String,
    inputs: Vec<(String, Source)>,
}

impl Source {
    /// The stage that it comes from, run or recorded, and the output.
    pub fn made(&self) -> Option<(usize, &str)> {
        match self {
            Source::File(_) => None,
            Source::Output { stage, output } | Source::Recorded { stage, output } => {
                Some((*stage, output))
            }
        }
    }
}

impl Input {
    /// The name under which it enters the key.
    pub fn key_name(&self) -> String {
        if self.label.is_empty() {
            self.role.clone()
        } else {
            format!("{}[{}]", self.role, self.label)
        }
    }
}

impl Stage {
    /// What of its work it shares with all stages of which this is the same.
    pub(crate) fn shared_work(&self) -> Option<SharedWork> {
        let inputs = self.inputs.iter();
        Some(SharedWork {
            kind: self.kind,
            words: self.job.shares()?,
            inputs: inputs.map(|i| (i.key_name(), i.source.clone())).collect(),
        })
    }

    /// The files that it reads and that may not be here, with what is said of them.
    pub fn supplied(&self) -> impl Iterator<Item = (&Path, &Supplied)> {
        self.inputs.iter().filter_map(|input| match &input.source {
            Source::File(path) => Some((path.as_path(), &**input.supplied.as_ref()?)),
            Source::Output { .. } | Source::Recorded { .. } => None,
        })
    }

    /// The stages that it reads from and that must be made first, in ascending order, each once.
    pub fn upstream(&self) -> Vec<usize> {
        self.stages(|source| match source {
            Source::Output { stage, .. } => Some(*stage),
            Source::File(_) | Source::Recorded { .. } => None,
        })
    }

    /// The stages of which it reads what the lock records, likewise.
    pub fn recorded(&self) -> Vec<usize> {
        self.stages(|source| match source {
            Source::Recorded { stage, .. } => Some(*stage),
            Source::File(_) | Source::Output { .. } => None,
        })
    }

    /// The stages that come before it where both run.
    pub fn before(&self) -> Vec<usize> {
        self.stages(|source| source.made().map(|(stage, _)| stage))
    }

    fn stages(&self, of: impl Fn(&Source) -> Option<usize>) -> Vec<usize> {
        let mut stages: Vec<usize> = self.inputs.iter().filter_map(|i| of(&i.source)).collect();
        stages.sort_unstable();
        stages.dedup();
        stages
    }
}
