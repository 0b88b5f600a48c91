//! Fine-tuning in any world: every variant from the same pretrained model and on the same prompts.
//!
//! Output `paths`: columns `variant`, `step` (0 is the pretrained model), `measure`, `n_shots`, `error`; rows after
//! a divergence are null. Of a variant that is measured between weights, steps are those of the line. Does not know worlds.

use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::transformer::model_file::Values;
use crate::kinds::transformer::pretrain::{Rows, hear};
use crate::kinds::transformer::variant::Variants;
use icl::math::tensor::float::Float;
use retrace::base::error::Result;
use retrace::stage::columns;
use retrace::stage::kind::Io;
use tuning::forgetting::paths::finetune;
use tuning::forgetting::world::World;
use tuning::transformer::network::Network;
use tuning::transformer::train::{Ending, Training};

/// Names of the outputs.
pub const OUTPUTS: &[&str] = &["paths.parquet"];

/// The columns of the output `paths`.
pub fn columns(output: &str) -> Option<Vec<String>> {
    match output {
        "paths" => columns::columns(&["variant", "step", "measure", "n_shots", "error"]),
        _ => None,
    }
}

/// What is fine-tuned, from what, and how.
pub struct Plan<'a> {
    pub network: &'a Network,
    pub pretrained: &'a Values,
    pub world: &'a dyn World,
    pub variants: &'a Variants,
    pub training: Training,
    pub stops: Vec<usize>,
}

/// Trains every variant and writes the paths. Divergence is recorded, not an error.
pub fn run(plan: &Plan<'_>, io: &Io) -> Result<()> {
    match plan.pretrained {
        Values::F32(values) => run_from(plan, values, io),
        Values::F64(values) => run_from(plan, values, io),
    }
}

fn run_from<T: Float>(plan: &Plan<'_>, pretrained: &[T], io: &Io) -> Result<()> {
    let measures = plan.world.measures().map_err(failed)?;
    let (mut rows, mut names) = (Rows::default(), Vec::new());
    for (name, params) in plan.variants {
        let variant = params.variant(name);
        let hear = &mut hear(io, plan.training.steps, name);
        let path = finetune(
            plan.network,
            pretrained,
            plan.world,
            &measures,
            &variant,
            &plan.training,
            &plan.stops,
            hear,
        )
        .map_err(|e| failed(format!("variant {name}: {e}")))?;
        match path.ending {
            Ending::Stopped => return Err(io.interrupted()),
            Ending::Diverged { step } => io.log(format!("{name} diverged at step {step}")),
            Ending::Completed => {}
        }
        let stops: Vec<usize> = match variant.between {
            Some(points) => (0..=points).collect(),
            None => plan.stops.clone(),
        };
        let count = rows.push(&path, &measures, &stops);
        names.extend(std::iter::repeat_n(name.clone(), count));
    }
    write_table(io, "paths", rows.table_of_variants(names))
}
