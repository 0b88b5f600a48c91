//! Kind `claims`: decides claims on tables. A verdict never fails the stage.
//!
//! For a program without closed forms of its own; what it reads and writes, [`questions`] says.

use crate::claims::claim::{Claim, Confidence};
use crate::claims::questions::{self, Labels, Questions};
use retrace::base::error::Result;
use retrace::stage::columns::Wanted;
use retrace::stage::kind::{Io, Role, StageKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Claims;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// How sure a verdict must be.
    confidence: Confidence,
    claims: Vec<Claim>,
    /// For each table of several files, what the `*` in its reference stands for: names of columns, one for each
    /// part between commas.
    #[serde(default)]
    labels: Labels,
    /// Columns of draws, as seeds are; what the other columns hold is chosen.
    #[serde(default)]
    random: Vec<String>,
    /// The values that columns of text can have: a filter that names another is refused before anything runs.
    #[serde(default)]
    known: BTreeMap<String, Vec<String>>,
}

impl Params {
    fn questions(&self) -> Questions<'_> {
        Questions {
            labels: &self.labels,
            random: &self.random,
            known: &self.known,
            confidence: self.confidence,
            claims: &self.claims,
        }
    }
}

impl StageKind for Claims {
    const NAME: &'static str = questions::NAME;
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = questions::INPUTS;
    const OUTPUTS: &'static [&'static str] = questions::OUTPUTS;
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        params.questions().check(&[])
    }

    fn columns(output: &str, _: &Params) -> Option<Vec<String>> {
        questions::columns_of(output)
    }

    fn wants(params: &Params) -> Vec<Wanted> {
        params.questions().wants()
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        params.questions().answer(Vec::new(), io)
    }
}
