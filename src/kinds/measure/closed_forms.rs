//! Kind `closed-forms`: exact errors at closed-form parameters beside what the closed forms say, so that
//! claims can compare them.
//!
//! Outputs, see [`icl::theory::points`]:
//!
//! * `thresholds`: of pretrained heads at many d, noise levels and scales; columns `rule` (`general`, or
//!   `special` for d - 1 without noise at a = 1), `n_shots`, `threshold`, `few` and `none` (the errors with n
//!   shots and without), `helps` (1 where few shots beat none, -1 where none beat few, 0 where they are equal
//!   but for rounding) and `beyond` (the same of n and the threshold).
//! * `minimisers`: of the value-only family's error over w; columns `n_shots`, `cosine` (of the task with
//!   theta0: 1, 0 or -1), `weight`, `closed_form`.
//! * `limits`: errors of full zero-shot optima at 10^9 shots; column `error`.

use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::params::number::{Dimension, NonNegative};
use icl::math::tolerance::ROUNDING;
use icl::prompts::setting::Setting;
use icl::theory::optima;
use icl::theory::points::{self, TheoryPoints, ThresholdPoint};
use retrace::base::error::Result;
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table, TableError};

pub struct ClosedForms;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    d: Dimension,
    noise_var: NonNegative,
}

const THRESHOLDS: [&str; 7] = [
    "rule",
    "n_shots",
    "threshold",
    "few",
    "none",
    "helps",
    "beyond",
];
const MINIMISERS: [&str; 4] = ["n_shots", "cosine", "weight", "closed_form"];

impl StageKind for ClosedForms {
    const NAME: &'static str = "closed-forms";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[];
    const OUTPUTS: &'static [&'static str] =
        &["thresholds.parquet", "minimisers.parquet", "limits.parquet"];
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "thresholds" => columns(&THRESHOLDS),
            "minimisers" => columns(&MINIMISERS),
            "limits" => columns(&["error"]),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let setting = Setting::new(params.d.get(), params.noise_var.get()).map_err(failed)?;
        let points = points::exact(&setting).map_err(failed)?;
        write_table(io, "thresholds", thresholds(&points))?;
        write_table(io, "minimisers", minimisers(&points, &setting))?;
        write_table(io, "limits", limits(&points))
    }
}

/// Output `thresholds`.
///
/// # Errors
/// None: all columns have a value for each point.
pub fn thresholds(points: &TheoryPoints) -> std::result::Result<Table, TableError> {
    let of_point = |point: &ThresholdPoint| {
        let general = (point.clone(), "general", point.threshold);
        let special = point
            .special
            .map(|threshold| (point.clone(), "special", threshold));
        [Some(general), special]
    };
    let rows: Vec<_> = points
        .thresholds
        .iter()
        .flat_map(of_point)
        .flatten()
        .collect();
    let float = |part: &dyn Fn(&ThresholdPoint, f64) -> f64| {
        Column::Float(
            rows.iter()
                .map(|(point, _, threshold)| part(point, *threshold))
                .collect(),
        )
    };
    let shots = rows.iter().map(|(point, ..)| point.n_shots as i64);
    let columns = [
        Column::Text(rows.iter().map(|(_, rule, _)| (*rule).to_owned()).collect()),
        Column::Int(shots.collect()),
        float(&|_, threshold| threshold),
        float(&|point, _| point.few),
        float(&|point, _| point.none),
        float(&|point, _| side(point.none - point.few, ROUNDING)),
        float(&|point, threshold| {
            let n = point.n_shots as f64;
            side(n - threshold, ROUNDING * n)
        }),
    ];
    Table::new(THRESHOLDS.into_iter().zip(columns).collect())
}

/// 1, -1, or 0 for what is rounding; NaN of no number.
fn side(gap: f64, rounding: f64) -> f64 {
    match gap {
        gap if gap.is_nan() => f64::NAN,
        gap if gap.abs() < rounding => 0.0,
        gap => gap.signum(),
    }
}

/// Output `minimisers`.
///
/// # Errors
/// None: all columns have a value for each point.
pub fn minimisers(
    points: &TheoryPoints,
    setting: &Setting,
) -> std::result::Result<Table, TableError> {
    let rows = &points.weights;
    let closed = rows
        .iter()
        .map(|row| optima::best_value_weight(setting, row.n_shots, row.cosine));
    let columns = [
        Column::Int(rows.iter().map(|row| row.n_shots as i64).collect()),
        Column::Int(rows.iter().map(|row| row.cosine as i64).collect()),
        Column::Float(rows.iter().map(|row| row.best).collect()),
        Column::Float(closed.collect()),
    ];
    Table::new(MINIMISERS.into_iter().zip(columns).collect())
}

/// Output `limits`.
///
/// # Errors
/// None: there is one column.
pub fn limits(points: &TheoryPoints) -> std::result::Result<Table, TableError> {
    Table::new(vec![("error", Column::Float(points.limits.clone()))])
}
