//! A claim of the paper as it is written, and what it came to.
//!
//! Data alone: does not know how a claim is decided.

use crate::claims::check::Check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a claim comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    #[default]
    Holds,
    /// The paper's value is rejected and the corrected one accepted.
    HoldsWithCorrection,
    Fails,
    Undecided,
}

impl Verdict {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::HoldsWithCorrection => "holds with a correction",
            Verdict::Fails => "fails",
            Verdict::Undecided => "undecided",
        }
    }
}

/// A claim as written in pipeline.yaml.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    pub id: String,
    /// In plain words.
    pub statement: String,
    /// What would refute it.
    pub refuted_by: String,
    /// The verdict that is expected; `holds` where nothing else is said.
    #[serde(default)]
    pub recorded: Verdict,
    /// All must pass; the first is the one in the table.
    pub checks: Vec<Check>,
    /// Further evidence, which decides nothing.
    #[serde(default)]
    pub shows: Vec<Check>,
    /// A value of the paper or its code that the checks put right.
    #[serde(default)]
    pub correction: Option<Correction>,
}

/// A value that must be rejected.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// What the paper has, and what is right.
    pub words: String,
    /// Passes when the paper's value is right.
    pub paper: Check,
}

/// How sure a verdict must be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confidence {
    /// Of each one-sided bound by which a check passes.
    pub pass: f64,
    /// Chance, for all checks of the ledger together, that one is refuted although it is right.
    pub false_refutations: f64,
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Passes,
    Refuted,
    Open,
}

impl Outcome {
    /// As it stands in tables, on the page and in answers.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Passes => "passes",
            Outcome::Refuted => "refuted",
            Outcome::Open => "open",
        }
    }
}

/// A check with its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// As it is written in pipeline.yaml.
    pub quantity: String,
    /// In words, with its value.
    pub expected: String,
    /// What is random in it, and how many levels each factor has.
    pub factors: Vec<(String, usize)>,
    /// Mean or median over the units, geometric on a log scale.
    pub measured: Option<f64>,
    /// None for an exact number.
    pub std_error: Option<f64>,
    /// The two one-sided bounds at the pass confidence; none where the units go beyond all numbers.
    pub interval: Option<[f64; 2]>,
    /// Distance of the mean from the nearest bound of what is expected, in standard deviations of
    /// a unit; for means over one factor.
    pub reserve: Option<f64>,
    /// Chance that units with this mean and spread leave the check open; for means over one factor.
    pub chance_open: Option<f64>,
    /// How it was decided, in words.
    pub decided: String,
    pub outcome: Outcome,
    /// Every unit with its value: the levels of the factors, with commas between.
    pub units: Vec<(String, Option<f64>)>,
}

/// A claim with its verdict and all its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decided {
    pub id: String,
    pub statement: String,
    pub expected: String,
    pub measured: Option<f64>,
    pub std_error: Option<f64>,
    pub verdict: Verdict,
    pub recorded: Verdict,
    pub refuted_by: String,
    pub checks: Vec<Checked>,
    /// Further evidence, which decides nothing.
    pub shows: Vec<Checked>,
    /// What is put right, and the check of the paper's value.
    pub correction: Option<(String, Checked)>,
}
