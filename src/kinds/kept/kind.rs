//! Kind `kept`: how much in-context learning each variant of fine-tuning keeps, where all have learned equally much
//! without examples, and at the end. Formulas: [`icl::evaluate::kept`].
//!
//! Input: one or several tables of paths of one draw, with columns `variant`, `step`, `measure`, `n_shots`, `error`.
//! Outputs:
//!
//! * `kept`: columns `variant`, `at` (`matched`: the first place of the path, linear between checkpoints, at which
//!   the zero-shot error is down to the level; the lowest zero-shot error of a variant that never gets there; `end`:
//!   the last checkpoint), `measure`, `step` (where that is; where a diverged training has no such place, the
//!   checkpoint at which it had diverged), `reached` (1 if the path reaches the level, else 0; a float, since
//!   claims pair rows by columns of whole numbers), `zero_shot` (error on the target there), `before` and
//!   `after` (few-shot errors of the pretrained model and there), `kept` (null where the pretrained model had not
//!   learned from examples, or the training had diverged).
//! * `curves`: for each `variant`, `step` and `measure` the `zero_shot` error on the target, the `few_shot` error on
//!   the measure, and what of it is `kept`.

use crate::kinds::exchange::table::write_table;
use crate::kinds::kept::paths::{Asked, Paths, Variant};
use crate::kinds::params::number::{Count, Positive, Share};
use icl::evaluate::kept::{self, Place};
use retrace::base::error::Result;
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table, TableError};

pub struct Kept;

/// The columns of the output `kept`, which other kinds read.
pub const COLUMNS: &[&str] = &[
    "variant",
    "at",
    "measure",
    "step",
    "reached",
    "zero_shot",
    "before",
    "after",
    "kept",
];

/// The columns of the output `curves`.
pub const CURVES: &[&str] = &[
    "variant",
    "step",
    "measure",
    "zero_shot",
    "few_shot",
    "kept",
];

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The error of an answer that ignores the context: 1 + sigma2, or one minus the accuracy of chance.
    null_error: Positive,
    /// n of the few-shot errors.
    shots: Count,
    /// The variant whose best zero-shot error sets the level.
    reference: String,
    /// Of the way from the pretrained model's zero-shot error to that best one: where variants are compared.
    share: Share,
    /// The measure that zero-shot errors are of.
    zero_shot_measure: String,
}

impl StageKind for Kept {
    const NAME: &'static str = "kept";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[many("paths")];
    const OUTPUTS: &'static [&'static str] = &["kept.parquet", "curves.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        match params.share.get() > 0.0 {
            true => Ok(()),
            false => Err("share: at 0 the level is the pretrained model's own error, which every variant starts at".into()),
        }
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "kept" => columns(COLUMNS),
            "curves" => columns(CURVES),
            _ => None,
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        wanted("paths", &["variant", "step", "measure", "n_shots", "error"])
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let asked = Asked {
            target: &params.zero_shot_measure,
            shots: params.shots.get() as i64,
        };
        let paths = Paths::read(io.inputs("paths"), &asked)?;
        let reference = paths.find(&params.reference)?;
        let start = reference.zero_shot[0];
        let level = kept::level(start, &reference.zero_shot, params.share.get());
        match level {
            Some(level) => io.log(format!("zero-shot error before {start}, compared at {level}")),
            None => io.warn(format!(
                "`{}` never gets below its zero-shot error at step 0, {start}: no level is reached, and each variant stands at its own lowest error",
                reference.name
            )),
        }
        let null = params.null_error.get();
        for (measure, errors) in paths.measures.iter().zip(&reference.few_shot) {
            if kept::kept(null, errors[0], errors[0]).is_none() {
                io.warn(format!(
                    "on `{measure}` the pretrained model's error with {} shots, {}, is no lower than that of an answer that ignores them, {null}: there is nothing to keep",
                    asked.shots, errors[0]
                ));
            }
        }
        let mut rows = Rows::default();
        for variant in &paths.variants {
            if let Some(at) = kept::diverged(&variant.zero_shot) {
                io.log(format!(
                    "`{}` had diverged at step {}",
                    variant.name, variant.steps[at]
                ));
            }
            rows.add(variant, &paths.measures, level, null);
        }
        write_table(io, "kept", rows.table())?;
        write_table(io, "curves", curves(&paths, null))
    }
}

#[derive(Default)]
struct Rows {
    variant: Vec<String>,
    at: Vec<String>,
    measure: Vec<String>,
    step: Vec<f64>,
    reached: Vec<f64>,
    zero_shot: Vec<f64>,
    before: Vec<f64>,
    after: Vec<f64>,
    kept: Vec<f64>,
}

impl Rows {
    fn add(&mut self, variant: &Variant, measures: &[String], level: Option<f64>, null: f64) {
        let steps: Vec<f64> = variant.steps.iter().map(|&step| step as f64).collect();
        let crossing = level.and_then(|level| kept::first_crossing(&variant.zero_shot, level));
        let diverged = kept::diverged(&variant.zero_shot);
        // Of a training that diverged before it got to the level nothing is compared.
        let own = match diverged {
            None => kept::lowest(&variant.zero_shot),
            Some(_) => None,
        };
        let end = match diverged {
            None => Some(Place::at(steps.len() - 1)),
            Some(_) => None,
        };
        let lost = diverged.map_or(f64::NAN, |at| steps[at]);
        for (at, place) in [("matched", crossing.or(own)), ("end", end)] {
            let read = |column: &[f64]| place.map_or(f64::NAN, |place| place.of(column));
            for (measure, errors) in measures.iter().zip(&variant.few_shot) {
                let after = read(errors);
                self.variant.push(variant.name.clone());
                self.at.push(at.to_owned());
                self.measure.push(measure.clone());
                self.step.push(place.map_or(lost, |place| place.of(&steps)));
                self.reached.push(f64::from(u8::from(crossing.is_some())));
                self.zero_shot.push(read(&variant.zero_shot));
                self.before.push(errors[0]);
                self.after.push(after);
                self.kept
                    .push(kept::kept(null, errors[0], after).unwrap_or(f64::NAN));
            }
        }
    }

    fn table(self) -> std::result::Result<Table, TableError> {
        Table::new(vec![
            ("variant", Column::Text(self.variant)),
            ("at", Column::Text(self.at)),
            ("measure", Column::Text(self.measure)),
            ("step", Column::Float(self.step)),
            ("reached", Column::Float(self.reached)),
            ("zero_shot", Column::Float(self.zero_shot)),
            ("before", Column::Float(self.before)),
            ("after", Column::Float(self.after)),
            ("kept", Column::Float(self.kept)),
        ])
    }
}

fn curves(paths: &Paths, null: f64) -> std::result::Result<Table, TableError> {
    let (mut variant, mut step, mut measure) = (Vec::new(), Vec::new(), Vec::new());
    let mut numbers: [Vec<f64>; 3] = Default::default();
    for path in &paths.variants {
        for (name, errors) in paths.measures.iter().zip(&path.few_shot) {
            for (at, &after) in errors.iter().enumerate() {
                variant.push(path.name.clone());
                step.push(path.steps[at]);
                measure.push(name.clone());
                let left = kept::kept(null, errors[0], after).unwrap_or(f64::NAN);
                let row = [path.zero_shot[at], after, left];
                numbers
                    .iter_mut()
                    .zip(row)
                    .for_each(|(column, x)| column.push(x));
            }
        }
    }
    let [zero_shot, few_shot, left] = numbers.map(Column::Float);
    Table::new(vec![
        ("variant", Column::Text(variant)),
        ("step", Column::Int(step)),
        ("measure", Column::Text(measure)),
        ("zero_shot", zero_shot),
        ("few_shot", few_shot),
        ("kept", left),
    ])
}
