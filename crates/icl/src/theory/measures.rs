//! Everything that claims ask of one training seed, exactly: test errors and readouts of its models.
//!
//! No sampling. Does not know the claims, nor how the models were trained.

use crate::model::head::Head;
use crate::prompts::setting::Setting;
use crate::prompts::task::Task;
use crate::theory::optima;
use crate::theory::readout;
use crate::theory::risk::{self, RiskError};

/// The name of the mean over random unit tasks among the tasks.
pub const UNIT: &str = "unit";

/// A test error at learned parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorAt {
    pub model: String,
    /// `theta0`, `-theta0` or [`UNIT`].
    pub task: String,
    pub n_shots: usize,
    pub error: f64,
}

/// A number read from a model; not finite where it has no meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueOf {
    pub model: String,
    /// One of [`VALUES`].
    pub value_name: String,
    pub value: f64,
}

/// The readouts of every model with one head:
///
/// * `loss`: mean error over random unit tasks at the pretraining shots m
/// * `scale`: mean diagonal of vy Q\[x,x\], a of the pretrained and w of the value-only family
/// * `deviation`: largest |entry| of vy Q\[x,x\] - a I, a the pretraining optimum
/// * `weight`: |vx . theta0| / |vy|, w of the full zero-shot family
/// * `balance_weight`: the weight that the balance law predicts from this model
pub const VALUES: [&str; 5] = ["loss", "scale", "deviation", "weight", "balance_weight"];

/// What one seed shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measures {
    pub errors: Vec<ErrorAt>,
    pub values: Vec<ValueOf>,
}

/// Measures the models of one target task, each the list of its heads; m is `pretrain_shots`.
///
/// # Errors
/// No heads, or head, task and setting that differ in d.
pub fn measure(
    setting: &Setting,
    theta0: &Task,
    models: &[(String, Vec<Head>)],
    pretrain_shots: usize,
    shots: &[usize],
) -> Result<Measures, RiskError> {
    let mut measures = Measures::default();
    let tasks = [("theta0", theta0.clone()), ("-theta0", theta0.negated())];
    let optimum = optima::pretraining_scale(setting, pretrain_shots);
    for (model, heads) in models {
        for (task_name, task) in &tasks {
            for &n_shots in shots {
                measures.errors.push(ErrorAt {
                    model: model.clone(),
                    task: (*task_name).to_owned(),
                    n_shots,
                    error: risk::test_error_of_heads(setting, heads, task, n_shots)?,
                });
            }
        }
        for &n_shots in shots {
            measures.errors.push(ErrorAt {
                model: model.clone(),
                task: UNIT.to_owned(),
                n_shots,
                error: risk::mean_unit_task_error_of_heads(setting, heads, n_shots)?,
            });
        }
        let [head] = &heads[..] else { continue };
        let read = readout::read(head, theta0);
        let deviation = head.q_xx().indexed_iter().fold(0.0_f64, |most, (at, q)| {
            let wanted = if at.0 == at.1 { optimum } else { 0.0 };
            most.max((head.vy() * q - wanted).abs())
        });
        let values = [
            risk::mean_unit_task_error(setting, head, pretrain_shots)?,
            read.vy_q_mean,
            deviation,
            read.w_from_value.abs(),
            optima::balance_law_weight(head),
        ];
        for (name, value) in VALUES.into_iter().zip(values) {
            measures.values.push(ValueOf {
                model: model.clone(),
                value_name: name.to_owned(),
                value,
            });
        }
    }
    Ok(measures)
}
