//! What training of several configurations and seeds came to, read from what their stages wrote.
//!
//! Labels of inputs are `configuration,seed`, those of fine-tuned models `configuration,seed,model`.
//! Does not know how it is printed.

use crate::kinds::exchange::table::{failed, read_table};
use crate::kinds::params::number::{Count, Positive};
use crate::kinds::table::print::Names;
use icl::math::spread::Spread;
use plots::number;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, read};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use tables::model_file::ModelFile;
use tables::table::Table;

/// The label of the model from which fine-tuning starts.
pub const PRETRAINED: &str = "pretrained";

/// What is said of the squared errors of a model on many prompts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// Their mean; over seeds, the mean of the means.
    #[default]
    Mean,
    /// Their median, for models of which no sample tells the mean; over seeds, the median of the medians.
    Median,
}

/// What to read, and how models are called in print.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    pub names: Names,
    /// The fine-tuned models, in order; the pretrained one comes before them.
    pub models: Vec<String>,
    /// Which rows of the evaluations.
    pub columns: Vec<At>,
    /// What is printed, and compared with the pretrained model.
    #[serde(default)]
    pub statistic: Statistic,
    /// What a pretrained model must reach to have learned in context; `at` is one of the columns.
    pub learned: Learned,
    /// Steps at the end of pretraining whose mean is its loss.
    pub last: Count,
}

/// A task and a number of shots.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct At {
    pub task: String,
    pub n_shots: u32,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    pub at: At,
    pub below: Positive,
}

impl Wanted {
    /// The labels of all models, the pretrained one first.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        std::iter::once(PRETRAINED).chain(self.models.iter().map(String::as_str))
    }
}

/// A configuration with all of its seeds.
pub struct Configuration {
    pub label: String,
    pub layers: usize,
    pub heads: usize,
    /// What the label says beside the shape: `h2_l1_sgd_long` is "SGD long".
    pub training: String,
    /// How pretraining ended, in words.
    pub pretraining: String,
    pub seeds: Vec<Seed>,
}

/// One training seed of a configuration.
pub struct Seed {
    pub label: String,
    pub pretraining_loss: f64,
    pub cells: Vec<Cell>,
}

/// The error of a model on a task at a number of shots.
pub struct Cell {
    pub model: String,
    /// The step at which its training diverged, if it did.
    pub diverged_at: Option<usize>,
    pub at: At,
    pub error: f64,
    pub std_error: f64,
    pub exact: f64,
    pub spread: Spread,
}

impl Cell {
    pub fn value(&self, statistic: Statistic) -> f64 {
        match statistic {
            Statistic::Mean => self.error,
            Statistic::Median => self.spread.median,
        }
    }
}

/// All configurations, from the roles `errors`, `losses`, `pretrained` and `finetuned`: few layers and
/// heads first, then by label.
pub fn read_all(wanted: &Wanted, io: &Io) -> Result<Vec<Configuration>> {
    let mut found: Vec<Configuration> = Vec::new();
    for (label, path) in io.inputs("errors") {
        let (configuration, seed) = label
            .rsplit_once(',')
            .ok_or_else(|| failed(format!("`{label}` is not configuration,seed")))?;
        let pretrained = read_file(input(io, PRETRAINED, label)?)?;
        let errors = read_table(path)?;
        let losses = read_table(input(io, "losses", label)?)?;
        let seed = Seed {
            label: seed.to_owned(),
            pretraining_loss: mean_of_last(&losses, wanted.last)?,
            cells: cells(wanted, io, label, &pretrained, &errors)?,
        };
        match found.iter_mut().find(|c| c.label == configuration) {
            Some(known) => known.seeds.push(seed),
            None => {
                let (layers, heads) = (pretrained.layers.len(), pretrained.layers[0].len());
                found.push(Configuration {
                    label: configuration.to_owned(),
                    layers,
                    heads,
                    training: training(configuration, heads, layers),
                    pretraining: String::new(),
                    seeds: vec![seed],
                });
            }
        }
    }
    for configuration in &mut found {
        configuration.pretraining = pretraining(wanted, &configuration.seeds);
    }
    for configuration in &found {
        for name in wanted.models() {
            let cells = configuration.seeds.iter().flat_map(|seed| &seed.cells);
            if !cells.clone().any(|cell| cell.model == name) {
                let known: BTreeSet<&str> = cells.map(|cell| cell.model.as_str()).collect();
                let message = format!("no seed of `{}` has a model `{name}`", configuration.label);
                return Err(Error::failed(message).suggest(name, known));
            }
        }
    }
    found.sort_by(|a, b| (a.layers, a.heads, &a.label).cmp(&(b.layers, b.heads, &b.label)));
    Ok(found)
}

fn input<'a>(io: &'a Io, role: &str, label: &str) -> Result<&'a Path> {
    let mut inputs = io.inputs(role).iter();
    let found = inputs.find(|(other, _)| other == label);
    found.map(|(_, path)| path.as_path()).ok_or_else(|| {
        let known = io.inputs(role).iter().map(|(label, _)| label.as_str());
        let message = format!("the input `{role}` has no `{label}`, of which there are errors");
        Error::failed(message).suggest(label, known)
    })
}

fn read_file(path: &Path) -> Result<ModelFile> {
    let file = ModelFile::from_bytes(&read(path)?).map_err(Error::failed)?;
    match file.layers.first().is_some_and(|heads| !heads.is_empty()) {
        true => Ok(file),
        false => Err(Error::failed("the model file has no heads")),
    }
}

/// The mean loss of the last steps; NaN for a training that diverged at once.
fn mean_of_last(losses: &Table, last: Count) -> Result<f64> {
    let losses = losses.floats("loss").map_err(failed)?;
    let tail = &losses[losses.len().saturating_sub(last.get())..];
    Ok(tail.iter().sum::<f64>() / tail.len() as f64)
}

/// The rows of an evaluation that the table shows, in the order of its models and columns; none of a
/// model that this seed does not have.
fn cells(
    wanted: &Wanted,
    io: &Io,
    label: &str,
    pretrained: &ModelFile,
    errors: &Table,
) -> Result<Vec<Cell>> {
    let texts = |name: &str| errors.texts(name).map_err(failed);
    let floats = |name: &str| errors.floats(name).map_err(failed);
    let (model, task, n_shots) = (texts("model")?, texts("task")?, floats("n_shots")?);
    let (error, std_error, exact) = (floats("error")?, floats("std_error")?, floats("exact")?);
    let (median, q90, tail) = (floats("median")?, floats("q90")?, floats("tail")?);
    let mut cells = Vec::new();
    for name in wanted.models() {
        let trained = format!("{label},{name}");
        let is_trained = io
            .inputs("finetuned")
            .iter()
            .any(|(label, _)| *label == trained);
        if name != PRETRAINED && !is_trained && !model.iter().any(|model| model == name) {
            continue;
        }
        let diverged_at = match name {
            PRETRAINED => pretrained.diverged_at,
            _ => read_file(input(io, "finetuned", &trained)?)?.diverged_at,
        };
        for at in &wanted.columns {
            let is_here = |&row: &usize| {
                model[row] == name && task[row] == at.task && n_shots[row] == f64::from(at.n_shots)
            };
            let row = (0..errors.rows()).find(is_here).ok_or_else(|| {
                let place = format!("{name} on {} at n = {}", at.task, at.n_shots);
                let message = format!("the errors of `{label}` have no row for {place}");
                let rows = || (0..errors.rows()).filter(|&row| model[row] == name);
                let has_task = rows().any(|row| task[row] == at.task);
                match (rows().next(), has_task) {
                    (None, _) => {
                        Error::failed(message).suggest(name, model.iter().map(String::as_str))
                    }
                    (_, false) => {
                        let known = rows().map(|row| task[row].as_str());
                        Error::failed(message).suggest(&at.task, known)
                    }
                    _ => {
                        let known = rows().filter(|&row| task[row] == at.task);
                        let known: Vec<String> =
                            known.map(|row| n_shots[row].to_string()).collect();
                        let known = known.iter().map(String::as_str);
                        Error::failed(message).suggest(&at.n_shots.to_string(), known)
                    }
                }
            })?;
            cells.push(Cell {
                model: name.to_owned(),
                diverged_at,
                at: at.clone(),
                error: error[row],
                std_error: std_error[row],
                exact: exact[row],
                spread: Spread {
                    median: median[row],
                    q90: q90[row],
                    tail: tail[row],
                },
            });
        }
    }
    Ok(cells)
}

fn training(label: &str, heads: usize, layers: usize) -> String {
    let shape = format!("h{heads}_l{layers}_");
    let words = label.strip_prefix(&shape).unwrap_or(label).split('_');
    let words = words.map(|word| match word {
        "sgd" => "SGD",
        "adam" => "Adam",
        word => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// How pretraining ended, over all seeds.
fn pretraining(wanted: &Wanted, seeds: &[Seed]) -> String {
    let learned = &wanted.learned;
    let cell = |seed: &Seed| {
        let is_here = |cell: &&Cell| cell.model == PRETRAINED && cell.at == learned.at;
        let cell = seed.cells.iter().find(is_here);
        cell.map(|cell| (cell.diverged_at, cell.value(wanted.statistic)))
    };
    let mut diverged = Vec::new();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for seed in seeds {
        match cell(seed) {
            Some((Some(step), _)) => diverged.push(step),
            Some((None, error)) if error < learned.below.get() => good.push(seed.pretraining_loss),
            _ => bad.push(seed.pretraining_loss),
        }
    }
    let mean = |losses: &[f64]| {
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        format!("loss {}", compact(mean, mean.abs()))
    };
    let share = |count: usize| match count == seeds.len() {
        true => String::new(),
        false => format!("{count} of {} ", seeds.len()),
    };
    let mut words = Vec::new();
    if !good.is_empty() {
        words.push(mean(&good));
    }
    if !bad.is_empty() {
        words.push(format!("{}did not learn: {}", share(bad.len()), mean(&bad)));
    }
    if let Some(first) = diverged.iter().min() {
        words.push(format!("{}diverged at step {first}", share(diverged.len())));
    }
    words.join("; ")
}

/// `value` with the digits that suit numbers of this size.
pub fn compact(value: f64, size: f64) -> String {
    match size {
        _ if !value.is_finite() => number::fixed(value, 0),
        size if size < 10.0 => number::fixed(value, 3),
        size if size < 1e3 => number::fixed(value, 1),
        size if size < 1e5 => number::fixed(value, 0),
        _ => number::scientific(value, 1),
    }
}

/// "1 head", "2 heads".
pub fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

impl Configuration {
    /// Its layers and heads, in words.
    pub fn size(&self) -> String {
        let (layers, heads) = (counted(self.layers, "layer"), counted(self.heads, "head"));
        format!("{layers}, {heads}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(error: f64, diverged_at: Option<usize>) -> Seed {
        let at = At {
            task: "theta0".into(),
            n_shots: 20,
        };
        let cell = Cell {
            model: "pretrained".into(),
            diverged_at,
            at,
            error,
            std_error: 0.0,
            exact: f64::NAN,
            spread: Spread {
                median: 0.1 * error,
                q90: error,
                tail: 0.0,
            },
        };
        Seed {
            label: "0".into(),
            pretraining_loss: error,
            cells: vec![cell],
        }
    }

    #[test]
    fn how_pretraining_ended() {
        let wanted = |statistic| Wanted {
            names: Names::default(),
            models: Vec::new(),
            columns: Vec::new(),
            statistic,
            learned: Learned {
                at: At {
                    task: "theta0".into(),
                    n_shots: 20,
                },
                below: Positive::try_from(0.5).unwrap(),
            },
            last: Count::try_from(1).unwrap(),
        };
        let words = |seeds: &[Seed]| pretraining(&wanted(Statistic::Mean), seeds);
        let by_median = pretraining(&wanted(Statistic::Median), &[seed(4.0, None)]);
        assert_eq!(by_median, "loss 4.000");
        assert_eq!(words(&[seed(0.3, None), seed(0.4, None)]), "loss 0.350");
        assert_eq!(words(&[seed(1.08, None)]), "did not learn: loss 1.080");
        assert_eq!(
            words(&[seed(0.3, None), seed(1.0, None), seed(9.0, Some(7))]),
            "loss 0.300; 1 of 3 did not learn: loss 1.000; 1 of 3 diverged at step 7"
        );
        assert_eq!(words(&[seed(4e27, None)]), "did not learn: loss 4.0×10²⁷");
        // An error that cannot be computed is none that was learned.
        assert_eq!(words(&[seed(f64::NAN, None)]), "did not learn: loss n/a");
    }

    #[test]
    fn labels_read_well() {
        assert_eq!(training("h2_l1_sgd_long", 2, 1), "SGD long");
        assert_eq!(training("h2_l1_adam", 2, 1), "Adam");
        assert_eq!(training("h2_l1_sgd", 1, 1), "h2 l1 SGD");
    }
}
