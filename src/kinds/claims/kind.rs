//! Kind `claims`: decides the claims of this paper, which may name its closed forms.
//!
//! How claims are decided, and what is written, is that of any paper: [`findings::claims::questions`].

use crate::kinds::claims::forms;
use crate::kinds::exchange::table::failed;
use crate::kinds::params::number::{Count, Dimension, NonNegative};
use findings::claims::claim::{Claim, Confidence};
use findings::claims::questions::{self, Labels, Questions};
use icl::prompts::setting::Setting;
use retrace::base::error::Result;
use retrace::stage::columns::Wanted;
use retrace::stage::kind::{Io, Role, StageKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct PaperClaims;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    d: Dimension,
    noise_var: NonNegative,
    /// m, the shots of pretraining.
    pretrain_shots: Count,
    /// For each table of several files, the names of the columns that tell them apart: what the `*` of
    /// its reference stands for, split at commas.
    #[serde(default)]
    labels: Labels,
    /// The columns whose values are draws, such as seeds; all other columns are fixed by the experiment.
    #[serde(default)]
    random: Vec<String>,
    /// For columns of text, every value that a filter may name: a wrong one is told before anything runs.
    #[serde(default)]
    known: BTreeMap<String, Vec<String>>,
    confidence: Confidence,
    claims: Vec<Claim>,
}

impl Params {
    /// What is asked in any paper.
    fn asked(&self) -> Questions<'_> {
        let Params {
            labels,
            random,
            known,
            claims,
            ..
        } = self;
        Questions {
            confidence: self.confidence,
            labels,
            random,
            known,
            claims,
        }
    }
}

impl StageKind for PaperClaims {
    const NAME: &'static str = questions::NAME;
    const INPUTS: &'static [Role] = questions::INPUTS;
    const OUTPUTS: &'static [&'static str] = questions::OUTPUTS;
    const SOURCE: &'static str = file!();
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        questions::columns_of(output)
    }

    fn check(params: &Params) -> std::result::Result<(), String> {
        params.asked().check(&forms::NAMES)
    }

    fn wants(params: &Params) -> Vec<Wanted> {
        params.asked().wants()
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let setting = Setting::new(params.d.get(), params.noise_var.get()).map_err(failed)?;
        let constants = forms::values(&setting, params.pretrain_shots.get());
        params.asked().answer(constants, io)
    }
}
