//! Kind `tasks`: the target task theta0 and its fixed fine-tuning data set.
//!
//! Outputs: `task`, a JSON list of d numbers, and `data_set`, a table with columns x1..xd and y.

use crate::kinds::exchange::data_set::write_data_set;
use crate::kinds::exchange::table::failed;
use crate::kinds::params::number::{Count, Dimension, NonNegative};
use crate::kinds::params::seed::Seed;
use icl::prompts::data_set::DataSet;
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use retrace::base::error::Result;
use retrace::stage::kind::{Io, Role, StageKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub struct Tasks;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    d: Dimension,
    noise_var: NonNegative,
    /// Pairs in the data set.
    pairs: Count,
    seed: Seed,
}

impl StageKind for Tasks {
    const NAME: &'static str = "tasks";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[];
    const OUTPUTS: &'static [&'static str] = &["task.json", "data_set.parquet"];
    type Params = Params;

    fn run(params: &Params, io: &Io) -> Result<()> {
        let seed = params.seed.get();
        let task = Task::random_unit(params.d.get(), seed);
        let mut json = serde_json::to_vec(task.theta()).map_err(failed)?;
        json.push(b'\n');
        io.write("task", &json)?;

        let setting = Setting::new(params.d.get(), params.noise_var.get()).map_err(failed)?;
        let data = DataSet::generate(&setting, &task, params.pairs.get(), seed);
        let data = data.map_err(failed)?;
        write_data_set(io, "data_set", &data)
    }
}
