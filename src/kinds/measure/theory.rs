//! Kind `theory`: what the closed forms predict for the experiment, with no fitted constant.
//!
//! Outputs:
//!
//! * `curves`: exact test errors on `theta0` and `-theta0`; columns `curve`, `constants` (`derived`,
//!   or `authors` for the values in the authors' plotting code), `task`, `n_shots`, `error`.
//! * `constants`: columns `curve`, `symbol`, `derived`, `authors`.
//! * `weights`: w*(n) for the target task; columns `n_shots`, `weight`.

use crate::kinds::exchange::model::read_model;
use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::exchange::task::read_task;
use crate::kinds::params::number::{Count, NonNegative, Positive, ShotRange};
use icl::model::head::Head;
use icl::prompts::setting::Setting;
use icl::theory::optima;
use icl::theory::risk;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};

pub struct Theory;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    noise_var: NonNegative,
    /// m, the shots of pretraining and of the few-shot loss.
    train_shots: Count,
    /// Shots of the curves.
    shots: ShotRange,
    /// Shots of w*(n); from 1, since w has no effect without shots.
    weight_shots: ShotRange,
    authors: Authors,
}

/// The constants in the authors' plotting code.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Authors {
    zero_shot_weight: Positive,
    both_value_weight: Positive,
}

/// A curve with its constant, as derived here and as the authors have it.
struct Curve<'a> {
    name: &'static str,
    symbol: &'static str,
    derived: f64,
    authors: f64,
    head: &'a dyn Fn(f64) -> Head,
}

impl StageKind for Theory {
    const NAME: &'static str = "theory";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("task"), one("pretrained")];
    const OUTPUTS: &'static [&'static str] =
        &["curves.parquet", "constants.parquet", "weights.parquet"];
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "curves" => columns(&["curve", "constants", "task", "n_shots", "error"]),
            "constants" => columns(&["curve", "symbol", "derived", "authors"]),
            "weights" => columns(&["weight", "n_shots"]),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let task = read_task(io)?;
        let d = task.d();
        let setting = Setting::new(d, params.noise_var.get()).map_err(failed)?;
        let pretrained = read_model(io.input("pretrained")?)?
            .only_head()
            .ok_or_else(|| Error::failed("the theory is for one layer with one head"))?;
        let m = params.train_shots.get();
        let scale = optima::pretraining_scale(&setting, m);
        let authors_scale = optima::authors_pretraining_scale(d, m);
        let curves = [
            Curve {
                name: "pretrained",
                symbol: "a",
                derived: scale,
                authors: authors_scale,
                head: &|a| optima::pretrained_head(d, a),
            },
            Curve {
                name: "zs",
                symbol: "w",
                derived: optima::balance_law_weight(&pretrained),
                authors: params.authors.zero_shot_weight.get(),
                head: &|w| optima::zero_shot_head(&task, w),
            },
            Curve {
                // The zero-shot loss has no gradient on vy: it stays as pretrained.
                name: "zs_v",
                symbol: "w",
                derived: scale,
                authors: authors_scale,
                head: &|w| optima::value_only_head(&task, w),
            },
            Curve {
                name: "both_v",
                symbol: "w",
                derived: optima::best_value_weight(&setting, m, 1.0),
                authors: params.authors.both_value_weight.get(),
                head: &|w| optima::value_only_head(&task, w),
            },
        ];

        let (mut name, mut origin, mut on) = (Vec::new(), Vec::new(), Vec::new());
        let (mut n_shots, mut error) = (Vec::new(), Vec::new());
        for curve in &curves {
            for (constants, value) in [("derived", curve.derived), ("authors", curve.authors)] {
                // A pretraining that diverged predicts nothing: its curve is missing.
                let head = value.is_normal().then(|| (curve.head)(value));
                for (task_name, task) in [("theta0", &task), ("-theta0", &task.negated())] {
                    for n in params.shots.to_vec() {
                        name.push(curve.name.to_owned());
                        origin.push(constants.to_owned());
                        on.push(task_name.to_owned());
                        n_shots.push(n as i64);
                        error.push(match &head {
                            Some(head) => {
                                risk::test_error(&setting, head, task, n).map_err(failed)?
                            }
                            None => f64::NAN,
                        });
                    }
                }
            }
        }
        let table = Table::new(vec![
            ("curve", Column::Text(name)),
            ("constants", Column::Text(origin)),
            ("task", Column::Text(on)),
            ("n_shots", Column::Int(n_shots)),
            ("error", Column::Float(error)),
        ]);
        write_table(io, "curves", table)?;

        let text = |part: fn(&Curve) -> &'static str| {
            Column::Text(curves.iter().map(|curve| part(curve).to_owned()).collect())
        };
        let number = |part: fn(&Curve) -> f64| Column::Float(curves.iter().map(part).collect());
        let table = Table::new(vec![
            ("curve", text(|curve| curve.name)),
            ("symbol", text(|curve| curve.symbol)),
            ("derived", number(|curve| curve.derived)),
            ("authors", number(|curve| curve.authors)),
        ]);
        write_table(io, "constants", table)?;

        let shots = params.weight_shots.to_vec();
        let weights = shots
            .iter()
            .map(|&n| optima::best_value_weight(&setting, n, 1.0));
        let table = Table::new(vec![
            ("weight", Column::Float(weights.collect())),
            (
                "n_shots",
                Column::Int(shots.iter().map(|&n| n as i64).collect()),
            ),
        ]);
        write_table(io, "weights", table)
    }
}
