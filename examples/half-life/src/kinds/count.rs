//! Stage kind `count`: a counter beside a sample, minute by minute.

use crate::kinds::counts::Counts;
use crate::kinds::random::Random;
use retrace::{Error, Io, Result, Role, StageKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Writes a count for each minute: a Poisson number whose mean halves with every half-life.
pub struct Count;

/// What is counted, and for how long.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountParams {
    /// Mean number of decays in the first minute.
    activity: f64,
    /// In minutes.
    half_life: f64,
    minutes: u32,
    seed: u64,
}

impl StageKind for Count {
    const NAME: &'static str = "count";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[];
    const OUTPUTS: &'static [&'static str] = &["counts"];
    type Params = CountParams;

    fn check(params: &CountParams) -> std::result::Result<(), String> {
        let CountParams {
            activity,
            half_life,
            minutes,
            ..
        } = params;
        match () {
            () if !(0.0..=500.0).contains(activity) => Err(format!(
                "activity: {activity} is not between 0 and 500 counts a minute"
            )),
            () if !half_life.is_finite() || *half_life <= 0.0 => {
                Err(format!("half_life: {half_life} is no time"))
            }
            () if !(1..=100_000).contains(minutes) => {
                Err(format!("minutes: {minutes} is not between 1 and 100000"))
            }
            () => Ok(()),
        }
    }

    fn run(params: &CountParams, io: &Io) -> Result<()> {
        let mut random = Random::new(params.seed);
        let mut counts = Vec::new();
        for minute in 0..params.minutes {
            if io.cancelled() {
                return Err(io.interrupted());
            }
            let halvings = f64::from(minute) / params.half_life;
            counts.push(random.poisson(params.activity * libm::exp2(-halvings)));
        }
        let counts = Counts::new(counts).map_err(Error::failed)?;
        io.write("counts", counts.to_csv().as_bytes())
    }
}
