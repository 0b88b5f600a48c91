//! Kind `language-finetune`: variants of fine-tuning a language model on one task, and what it answers on the way.
//!
//! Every variant starts from the same model and sees the same prompts. Output `paths`: columns `variant`, `step` (0 is the
//! pretrained model), `measure`, `n_shots`, `error` (share of queries whose answer greedy decoding does not give),
//! `log_probability` (mean of ln p(answer)), `queries`; rows after a divergence are null.

use crate::kinds::exchange::language::read_items;
use crate::kinds::exchange::table::{failed, read_table, write_table};
use crate::kinds::language::model::LanguageModel;
use crate::kinds::params::number::{Count, Positive};
use crate::kinds::params::seed::Seed;
use crate::kinds::transformer::optimisation::Optimisation;
use crate::kinds::transformer::pretrain::hear;
use crate::kinds::transformer::variant::Variants;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many, one, optional};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tables::table::{Column, Table};
use tuning::language::codec::Codec;
use tuning::language::evaluation::{Evaluation, Question, Scored, Size};
use tuning::language::finetune::{Path, finetune, measure};
use tuning::language::split::Split;
use tuning::language::tasks::{Tasks, Writer};
use tuning::language::world::Language;
use tuning::transformer::train::Ending;

pub struct LanguageFinetune;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The task that is fine-tuned on.
    target: String,
    /// Tasks of which variants with replay see few-shot prompts; none of them is measured.
    replayed: Vec<String>,
    /// What is measured, by name.
    measures: BTreeMap<String, MeasureParams>,
    /// Text that every prompt begins with: a special token, or nothing.
    start: String,
    /// Examples in a few-shot prompt of training.
    shots: Count,
    /// Zero-shot prompts of a step.
    prompts: Count,
    /// Few-shot prompts of a step, of variants that have them.
    few_shot_prompts: Count,
    training: Optimisation,
    variants: Variants,
    /// By variant the one whose rate of the role `rates` is its own, in the place of the training's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    rate_of: BTreeMap<String, String>,
    /// Draws prompts, queries and first values.
    seed: Seed,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MeasureParams {
    of: QuestionParams,
    /// Numbers of examples.
    shots: Vec<u32>,
    /// At most so many queries, of a task that has fewer all.
    queries: Count,
    /// Queries in a group have the same examples.
    groups: Count,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum QuestionParams {
    /// Test items of a task.
    Test(String),
    /// Items that are set aside for choices.
    Development(String),
    /// Letters, dealt anew to classes of words.
    Letters(LettersParams),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LettersParams {
    /// The task whose answers are classes.
    classes_of: String,
    /// Classes in a group.
    classes: Count,
}

const COLUMNS: &[&str] = &[
    "variant",
    "step",
    "measure",
    "n_shots",
    "error",
    "log_probability",
    "queries",
];

impl StageKind for LanguageFinetune {
    const NAME: &'static str = "language-finetune";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("items"), many("model"), optional("rates")];
    const OUTPUTS: &'static [&'static str] = &["paths.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        params
            .training
            .check()
            .map_err(|e| format!("training: {e}"))?;
        if params.replayed.contains(&params.target) {
            return Err(format!("replayed: `{}` is the target", params.target));
        }
        for (name, measure) in &params.measures {
            if measure.shots.is_empty() {
                return Err(format!("measures.{name}.shots: no number of examples"));
            }
            let of = match &measure.of {
                QuestionParams::Test(task) | QuestionParams::Development(task) => task,
                QuestionParams::Letters(letters) => &letters.classes_of,
            };
            if params.replayed.contains(of) {
                return Err(format!(
                    "measures.{name}: `{of}` is replayed, so nothing would be measured on a task that is not trained on"
                ));
            }
        }
        match params
            .rate_of
            .keys()
            .find(|name| !params.variants.contains_key(*name))
        {
            Some(name) => Err(format!("rate_of.{name}: there is no such variant")),
            None => Ok(()),
        }
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "paths" => columns(COLUMNS),
            _ => None,
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        wanted("items", crate::kinds::exchange::language::COLUMNS)
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let tasks = Tasks::new(read_items(io)?);
        let rates = params.rates(io)?;
        let LanguageModel {
            network,
            mut parameters,
            tokens,
            context,
        } = LanguageModel::read(io)?;
        let start = tokens.encode(&params.start).map_err(failed)?;
        let writer = Writer {
            codec: &tokens,
            start: &start,
        };
        let (names, evaluations) = params.evaluations(&tasks, writer)?;
        let longest = evaluations
            .iter()
            .map(Evaluation::longest)
            .max()
            .unwrap_or(0);
        let longest = longest + start.len();
        if let Some(most) = context.filter(|&most| longest > most) {
            return Err(failed(format!(
                "a prompt has {longest} tokens, the model reads {most}"
            ))
            .hint("measure with fewer examples"));
        }
        let world = Language {
            writer,
            tasks: &tasks,
            vocabulary: network.config().output_size(),
            target: &params.target,
            replayed: &params.replayed,
            shots: params.shots.get(),
            prompts: params.prompts.get(),
            few_shot_prompts: params.few_shot_prompts.get(),
            seed: params.seed.get(),
        };
        let stops = params.training.stops();
        let pretrained = measure(&network, &parameters, &evaluations).map_err(failed)?;
        let mut rows = Rows::default();
        for (name, variant) in &params.variants {
            let mut training = params.training.training(params.seed.get());
            if let Some(of) = params.rate_of.get(name) {
                training.schedule.learning_rate = rates[of];
            }
            let path = finetune(
                &network,
                &mut parameters,
                &world,
                &evaluations,
                &pretrained,
                &variant.variant(name),
                &training,
                &stops,
                &mut hear(io, training.steps, name),
            )
            .map_err(|e| failed(format!("variant {name}: {e}")))?;
            match path.ending {
                Ending::Stopped => return Err(io.interrupted()),
                Ending::Diverged { step } => io.log(format!("{name} diverged at step {step}")),
                Ending::Completed => {}
            }
            rows.push(name, &path, &names, &evaluations, &stops);
        }
        write_table(io, "paths", rows.table())
    }
}

impl Params {
    fn evaluations(
        &self,
        tasks: &Tasks,
        writer: Writer<'_>,
    ) -> Result<(Vec<String>, Vec<Evaluation>)> {
        let (mut names, mut evaluations) = (Vec::new(), Vec::new());
        for (name, measure) in &self.measures {
            let question = match &measure.of {
                QuestionParams::Test(task) => Question::Task {
                    name: task.clone(),
                    split: Split::Test,
                },
                QuestionParams::Development(task) => Question::Task {
                    name: task.clone(),
                    split: Split::Development,
                },
                QuestionParams::Letters(letters) => Question::Letters {
                    classes_of: letters.classes_of.clone(),
                    classes: letters.classes.get(),
                },
            };
            let size = Size {
                queries: measure.queries.get(),
                groups: measure.groups.get(),
            };
            for &shots in &measure.shots {
                let seed = self.seed.get();
                let made = Evaluation::new(&question, shots as usize, size, tasks, writer, seed);
                evaluations.push(made.map_err(|e| failed(format!("measure {name}: {e}")))?);
                names.push(name.clone());
            }
        }
        Ok((names, evaluations))
    }

    /// Rates by variant, of those that are asked for.
    fn rates(&self, io: &Io) -> Result<BTreeMap<String, f64>> {
        let Some((_, path)) = io.inputs("rates").first() else {
            return match self.rate_of.is_empty() {
                true => Ok(BTreeMap::new()),
                false => Err(failed(
                    "rate_of: there is no input `rates` to take a rate from",
                )),
            };
        };
        let table = read_table(path)?;
        let variants = table.texts("variant").map_err(failed)?;
        let rates = table.floats("learning_rate").map_err(failed)?;
        let rates: BTreeMap<String, f64> = variants.iter().cloned().zip(rates).collect();
        for (variant, of) in &self.rate_of {
            match rates.get(of) {
                None => {
                    let error = Error::failed(format!("rate_of.{variant}: `rates` has no `{of}`"));
                    return Err(error.suggest(of, rates.keys().map(String::as_str)));
                }
                Some(rate) if Positive::try_from(*rate).is_err() => {
                    return Err(failed(format!(
                        "rate_of.{variant}: the rate of `{of}` is {rate}"
                    )));
                }
                Some(_) => {}
            }
        }
        Ok(rates)
    }
}

#[derive(Default)]
struct Rows {
    variant: Vec<String>,
    step: Vec<i64>,
    measure: Vec<String>,
    n_shots: Vec<i64>,
    error: Vec<f64>,
    log_probability: Vec<f64>,
    queries: Vec<i64>,
}

impl Rows {
    /// A row for each stop and evaluation; null where training had diverged.
    fn push(
        &mut self,
        variant: &str,
        path: &Path,
        names: &[String],
        evaluations: &[Evaluation],
        stops: &[usize],
    ) {
        for &stop in stops {
            let found = path
                .checkpoints
                .iter()
                .find(|checkpoint| checkpoint.step == stop);
            for (at, (name, evaluation)) in names.iter().zip(evaluations).enumerate() {
                let scored = found.map(|found| found.scores[at]);
                let number = |of: fn(Scored) -> f64| scored.map_or(f64::NAN, of);
                self.variant.push(variant.to_owned());
                self.step.push(stop as i64);
                self.measure.push(name.clone());
                self.n_shots.push(evaluation.shots as i64);
                self.error.push(number(|scored| scored.error));
                self.log_probability
                    .push(number(|scored| scored.log_probability));
                self.queries.push(evaluation.queries() as i64);
            }
        }
    }

    fn table(self) -> std::result::Result<Table, tables::table::TableError> {
        Table::new(vec![
            ("variant", Column::Text(self.variant)),
            ("step", Column::Int(self.step)),
            ("measure", Column::Text(self.measure)),
            ("n_shots", Column::Int(self.n_shots)),
            ("error", Column::Float(self.error)),
            ("log_probability", Column::Float(self.log_probability)),
            ("queries", Column::Int(self.queries)),
        ])
    }
}
