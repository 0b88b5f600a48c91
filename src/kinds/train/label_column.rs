//! Kind `label-column`: the correction of a value-only model without training, gamma* theta0 at Q\[x,y\].
//!
//! gamma* follows from the model's own numbers (`docs/theory.md`, section 10): alpha = vx . theta0 / vy, a = the mean
//! diagonal of vy Q\[x,x\], in units where vy = 1; 0 where the model reads no labels (vy = 0). Output `model`.

use crate::kinds::exchange::model::{self, read_model};
use crate::kinds::exchange::table::failed;
use crate::kinds::exchange::task::read_task;
use crate::kinds::params::number::{Count, NonNegative};
use icl::model::head::Head;
use icl::model::weights::LinearAttention;
use icl::theory::pareto::label_column::best_label_weight;
use icl::theory::readout;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub struct LabelColumn;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    noise_var: NonNegative,
    /// n, for whose mean error gamma* is the best.
    shots: Count,
}

impl StageKind for LabelColumn {
    const NAME: &'static str = "label-column";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("task"), one("finetuned")];
    const OUTPUTS: &'static [&'static str] = &["model.json"];
    type Params = Params;

    fn run(params: &Params, io: &Io) -> Result<()> {
        let task = read_task(io)?;
        let head = read_model(io.input("finetuned")?)?.only_head();
        let head = head.ok_or_else(|| {
            Error::failed("the correction is for a model of one layer with one head")
        })?;
        if head.d() != task.d() {
            let message = format!("the model has d = {}, its task {}", head.d(), task.d());
            return Err(Error::failed(message));
        }
        let read = readout::read(&head, &task);
        let (alpha, a) = (read.w_from_value, read.vy_q_mean);
        let noise_var = params.noise_var.get();
        let gamma = best_label_weight(task.d(), noise_var, params.shots.get(), alpha, a);
        // Nothing was learned from labels, as where training diverged: a result, and nothing to correct.
        let gamma = if gamma.is_finite() { gamma } else { 0.0 };
        let mut q = head.q().to_owned();
        let label = head.d() + 1;
        for (i, theta) in task.theta().iter().enumerate() {
            if gamma != 0.0 {
                // Q in units where vy = 1, over vy.
                q[[i + 1, label]] += gamma * theta / head.vy();
            }
        }
        let head = Head::new(head.v().to_vec(), q).map_err(failed)?;
        io.log(format!("gamma* = {gamma}"));
        io.write(
            "model",
            &model::to_bytes(&LinearAttention::from_head(&head), None)?,
        )
    }
}
