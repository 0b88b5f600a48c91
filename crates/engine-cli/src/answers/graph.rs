//! What `graph --json` says.

use crate::answers::answer::Answer;
use schemars::JsonSchema;
use serde::Serialize;

/// The stages that targets need and what they read from each other, printed by `graph --json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Graph {
    /// In the order of the pipeline: each after all that it reads.
    pub stages: Vec<Node>,
    /// Pairs of stages of which the second reads an output of the first, each pair once.
    pub edges: Vec<Edge>,
    /// The groups of pipeline.yaml.
    pub groups: Vec<GroupOf>,
}

/// A stage.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Node {
    /// Its id.
    pub stage: String,
    /// The name of its kind.
    pub kind: String,
    /// What it shows, as pipeline.yaml says; null where it says nothing.
    pub title: Option<String>,
    /// Opt-in groups that have it: it runs only when it is asked for, if there are any.
    pub opt_in: Vec<String>,
    pub inputs: Vec<Input>,
    pub outputs: Vec<Output>,
}

/// Something that a stage reads.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Input {
    pub role: String,
    /// Tells the inputs of one role apart; empty where the role takes one.
    pub label: String,
    /// The file, from the root of the repository; null where it is an output of a stage.
    pub path: Option<String>,
    /// The stage whose output it is, which may be outside of what was asked for; null where it is a file.
    pub stage: Option<String>,
    pub output: Option<String>,
    /// Whether it is read as the lock records it, without running that stage.
    pub recorded: bool,
}

/// Something that a stage makes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Output {
    pub output: String,
    /// From the folder of outputs, which is the root of the repository unless another is asked for.
    pub path: String,
    /// Whether it is among the files that are committed, and not an intermediate artifact.
    pub published: bool,
}

/// That one stage reads an output of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Edge {
    /// The id of the stage that makes it.
    pub from: String,
    /// The id of the stage that reads it.
    pub to: String,
}

/// A named set of stages.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GroupOf {
    pub group: String,
    /// Whether its stages run only when they are asked for.
    pub opt_in: bool,
    /// Ids of its stages, whether they are among those that were asked for or not.
    pub stages: Vec<String>,
}

impl Answer for Graph {
    const NAME: &'static str = "graph";
    const FORMAT: &'static str = "retrace graph 1";
}
