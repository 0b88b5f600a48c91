//! What `diff --json`, `compare --json` and `variations --json` say.

use crate::answers::answer::Answer;
use crate::answers::changes::Changes;
use retrace::lock::diff::StageDiff;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

/// What changed from one version of the results to another, printed by `diff --json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Diff {
    pub old: SideOf,
    pub new: SideOf,
    /// Parameters that changed, those of most stages first.
    pub values: Vec<ValueOf>,
    /// Stages whose records differ.
    pub stages: Vec<StageDiff>,
    pub left_out: LeftOut,
    /// Committed tables that changed.
    pub tables: Vec<TableOf>,
    /// Committed tables that changed and need not be the same bytes everywhere.
    pub within: Vec<WithinOf>,
}

/// Two versions of the results beside each other, printed by `compare --json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Compared {
    pub old: SideOf,
    pub new: SideOf,
    /// How many stages both have.
    pub shared: usize,
    /// Ids of the stages that differ.
    pub differing: Vec<String>,
    pub left_out: LeftOut,
    /// Parameters that changed, those of most stages first.
    pub values: Vec<ValueOf>,
    /// Published tables that changed.
    pub tables: Vec<TableOf>,
    /// What the program compares besides, such as verdicts; null where it compares nothing.
    pub verdicts: Option<Json>,
}

/// What profiles and `--set` have made, printed by `variations --json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Variations {
    /// In the order of their names.
    pub variations: Vec<VariationOf>,
}

/// One of two versions: the working tree where all fields are null.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct SideOf {
    /// The name of a git revision.
    pub revision: Option<String>,
    /// Its commit.
    pub commit: Option<String>,
    /// What a profile or `--set` has made.
    pub variation: Option<Options>,
    /// The folder that was named.
    pub folder: Option<String>,
}

/// The options under which a variation was made.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Options {
    /// What `variations` calls it.
    pub name: String,
    /// The profile; null without one.
    pub profile: Option<String>,
    /// What was set, in order; null where that is not known.
    pub set: Option<Vec<String>>,
}

/// A parameter with another value in some stages; null where one side does not have it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ValueOf {
    pub name: String,
    pub old: Option<Json>,
    pub new: Option<Json>,
    /// Ids of these stages.
    pub stages: Vec<String>,
}

/// How many stages only one side has, where it has less than everything.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeftOut {
    pub old: usize,
    pub new: usize,
}

/// A table that changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TableOf {
    pub stage: String,
    pub path: String,
    /// Cells, rows and columns; null where they cannot be compared.
    pub values: Option<Changes>,
    /// Why not; null where they were.
    pub not_compared: Option<String>,
}

/// A table that changed and has a tolerance.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WithinOf {
    pub stage: String,
    pub path: String,
    /// Whether it stayed within it.
    pub within: bool,
    /// How far, in words.
    pub words: String,
}

/// What a profile or `--set` has made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VariationOf {
    #[serde(flatten)]
    pub options: Options,
    /// Where its outputs are.
    pub folder: String,
    /// When it last ran, UTC; null where that is not known.
    pub last_run: Option<String>,
    /// How many stages its lock records; null where that cannot be read.
    pub stages: Option<usize>,
    /// How many files are below the folder.
    pub files: usize,
    /// Their size.
    pub bytes: u64,
}

impl Answer for Diff {
    const NAME: &'static str = "diff";
    const FORMAT: &'static str = "retrace diff 1";
}

impl Answer for Compared {
    const NAME: &'static str = "compare";
    const FORMAT: &'static str = "retrace compare 1";
}

impl Answer for Variations {
    const NAME: &'static str = "variations";
    const FORMAT: &'static str = "retrace variations 1";
}
