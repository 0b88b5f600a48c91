//! Kind `configuration-table`: test errors of several configurations of the model, over training seeds,
//! beside those of the pretrained models that they start from.
//!
//! Labels of inputs are `configuration,seed`, those of fine-tuned models `configuration,seed,model`. A
//! configuration whose label begins with its shape, `h2_l1_sgd`, is printed as "1 layer, 2 heads" and
//! "SGD". CSV and Parquet have one row for each configuration, seed, model, task and number of shots:
//! `configuration`, `size`, `training`, `pretraining` (how that ended, in words), `layers`, `heads`,
//! `seed`, `model`, `task`, `n_shots`, `error`, `std_error`, `exact`, `z`, `pretraining_loss` and `diverged_at`
//! (null for a training that ended). The LaTeX fragment has means over seeds and their range.

use crate::artifact::model_file::ModelFile;
use crate::artifact::table::{Column, Table};
use crate::pipeline::error::{Error, Result};
use crate::pipeline::kind::{Io, Role, StageKind, many, read};
use crate::report::latex::{self, Align, Group};
use crate::report::number;
use crate::stages::exchange::{failed, read_table};
use crate::stages::params::{Count, Positive};
use crate::stages::tables::{self, Names, column, printed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

pub struct ConfigurationTable;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    names: Names,
    /// The fine-tuned models in the LaTeX fragment, in order; the pretrained one comes before them.
    models: Vec<String>,
    /// Which rows of the evaluations are shown.
    columns: Vec<At>,
    /// What a pretrained model must reach to have learned in context.
    learned: Learned,
    /// Steps at the end of pretraining whose mean is its loss.
    last: Count,
}

/// A task and a number of shots.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct At {
    task: String,
    n_shots: u32,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Learned {
    at: At,
    below: Positive,
}

impl StageKind for ConfigurationTable {
    const NAME: &'static str = "configuration-table";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[
        many("errors"),
        many("losses"),
        many("pretrained"),
        many("finetuned"),
    ];
    const OUTPUTS: &'static [&'static str] = tables::OUTPUTS;
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        match params.columns.contains(&params.learned.at) {
            true => Ok(()),
            false => Err("learned.at is none of the columns".into()),
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let configurations = read_all(params, io)?;
        for configuration in &configurations {
            io.log(format!(
                "{}: {}",
                configuration.label, configuration.pretraining
            ));
        }
        let table = table(&configurations).map_err(failed)?;
        tables::write(io, &table, &print(params, &configurations)?)
    }
}

/// A configuration with all of its seeds.
struct Configuration {
    label: String,
    layers: usize,
    heads: usize,
    training: String,
    pretraining: String,
    seeds: Vec<Seed>,
}

/// One training seed of a configuration.
struct Seed {
    label: String,
    pretraining_loss: f64,
    cells: Vec<Cell>,
}

/// The error of a model on a task at a number of shots.
struct Cell {
    model: String,
    diverged_at: Option<usize>,
    at: At,
    error: f64,
    std_error: f64,
    exact: f64,
}

/// All configurations: few layers and heads first, then by label.
fn read_all(params: &Params, io: &Io) -> Result<Vec<Configuration>> {
    let mut found: Vec<Configuration> = Vec::new();
    for (label, path) in io.inputs("errors") {
        let (configuration, seed) = label
            .rsplit_once(',')
            .ok_or_else(|| failed(format!("`{label}` is not configuration,seed")))?;
        let pretrained = read_file(input(io, "pretrained", label)?)?;
        let errors = read_table(path)?;
        let losses = read_table(input(io, "losses", label)?)?;
        let seed = Seed {
            label: seed.to_owned(),
            pretraining_loss: mean_of_last(&losses, params.last)?,
            cells: cells(params, io, label, &pretrained, &errors)?,
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
        configuration.pretraining = pretraining(&params.learned, &configuration.seeds);
    }
    found.sort_by(|a, b| (a.layers, a.heads, &a.label).cmp(&(b.layers, b.heads, &b.label)));
    Ok(found)
}

fn input<'a>(io: &'a Io, role: &str, label: &str) -> Result<&'a Path> {
    let mut inputs = io.inputs(role).iter();
    let found = inputs.find(|(other, _)| other == label);
    found
        .map(|(_, path)| path.as_path())
        .ok_or_else(|| Error::failed(format!("`{label}` has errors but no `{role}`")))
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

/// The rows of an evaluation that the table shows, in the order of its models and columns.
fn cells(
    params: &Params,
    io: &Io,
    label: &str,
    pretrained: &ModelFile,
    errors: &Table,
) -> Result<Vec<Cell>> {
    let texts = |name: &str| errors.texts(name).map_err(failed);
    let floats = |name: &str| errors.floats(name).map_err(failed);
    let (model, task, n_shots) = (texts("model")?, texts("task")?, floats("n_shots")?);
    let (error, std_error, exact) = (floats("error")?, floats("std_error")?, floats("exact")?);
    let mut cells = Vec::new();
    for wanted in std::iter::once("pretrained").chain(params.models.iter().map(String::as_str)) {
        let diverged_at = match wanted {
            "pretrained" => pretrained.diverged_at,
            _ => read_file(input(io, "finetuned", &format!("{label},{wanted}"))?)?.diverged_at,
        };
        for at in &params.columns {
            let is_here = |&row: &usize| {
                model[row] == wanted
                    && task[row] == at.task
                    && n_shots[row] == f64::from(at.n_shots)
            };
            let row = (0..errors.rows()).find(is_here).ok_or_else(|| {
                let place = format!("{wanted} on {} at n = {}", at.task, at.n_shots);
                Error::failed(format!("the errors of `{label}` have no row for {place}"))
            })?;
            cells.push(Cell {
                model: wanted.to_owned(),
                diverged_at,
                at: at.clone(),
                error: error[row],
                std_error: std_error[row],
                exact: exact[row],
            });
        }
    }
    Ok(cells)
}

/// What the label says beside the shape: `h2_l1_sgd_long` is "SGD long".
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
fn pretraining(learned: &Learned, seeds: &[Seed]) -> String {
    let cell = |seed: &Seed| {
        let is_here = |cell: &&Cell| cell.model == "pretrained" && cell.at == learned.at;
        let cell = seed.cells.iter().find(is_here);
        cell.map(|cell| (cell.diverged_at, cell.error))
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
        format!("loss {}", number::fixed(mean, 3))
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

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

impl Configuration {
    fn size(&self) -> String {
        let (layers, heads) = (counted(self.layers, "layer"), counted(self.heads, "head"));
        format!("{layers}, {heads}")
    }
}

fn table(
    configurations: &[Configuration],
) -> std::result::Result<Table, crate::artifact::table::TableError> {
    type Row<'a> = (&'a Configuration, &'a Seed, &'a Cell);
    let rows: Vec<Row> = configurations
        .iter()
        .flat_map(|c| c.seeds.iter().map(move |seed| (c, seed)))
        .flat_map(|(c, seed)| seed.cells.iter().map(move |cell| (c, seed, cell)))
        .collect();
    let text = |part: &dyn Fn(&Row) -> String| Column::Text(rows.iter().map(part).collect());
    let int = |part: &dyn Fn(&Row) -> usize| {
        Column::Int(rows.iter().map(|row| part(row) as i64).collect())
    };
    let float = |part: &dyn Fn(&Row) -> f64| Column::Float(rows.iter().map(part).collect());
    Table::new(vec![
        ("configuration", text(&|(c, _, _)| c.label.clone())),
        ("size", text(&|(c, _, _)| c.size())),
        ("training", text(&|(c, _, _)| c.training.clone())),
        ("pretraining", text(&|(c, _, _)| c.pretraining.clone())),
        ("layers", int(&|(c, _, _)| c.layers)),
        ("heads", int(&|(c, _, _)| c.heads)),
        ("seed", text(&|(_, seed, _)| seed.label.clone())),
        ("model", text(&|(_, _, cell)| cell.model.clone())),
        ("task", text(&|(_, _, cell)| cell.at.task.clone())),
        ("n_shots", int(&|(_, _, cell)| cell.at.n_shots as usize)),
        ("error", float(&|(_, _, cell)| cell.error)),
        ("std_error", float(&|(_, _, cell)| cell.std_error)),
        ("exact", float(&|(_, _, cell)| cell.exact)),
        (
            "z",
            float(&|(_, _, cell)| (cell.error - cell.exact) / cell.std_error),
        ),
        (
            "pretraining_loss",
            float(&|(_, seed, _)| seed.pretraining_loss),
        ),
        (
            "diverged_at",
            float(&|(_, _, cell)| cell.diverged_at.map_or(f64::NAN, |step| step as f64)),
        ),
    ])
}

fn print(params: &Params, configurations: &[Configuration]) -> Result<latex::Table> {
    let (mut rows, mut rules_above) = (Vec::new(), Vec::new());
    for configuration in configurations {
        if !rows.is_empty() {
            rules_above.push(rows.len());
        }
        let models = std::iter::once("pretrained").chain(params.models.iter().map(String::as_str));
        for model in models {
            let (first, note) = match model {
                "pretrained" => (
                    format!("{}, {}", configuration.size(), configuration.training),
                    configuration.pretraining.clone(),
                ),
                _ => (String::new(), diverged(configuration, model)),
            };
            let mut cells = vec![first, printed(&params.names, model).to_owned()];
            for at in &params.columns {
                let seeds = configuration.seeds.iter().flat_map(|seed| &seed.cells);
                let mine = seeds.filter(|cell| cell.model == model && cell.at == *at);
                cells.push(with_range(&mine.map(|cell| cell.error).collect::<Vec<_>>()));
            }
            cells.push(note);
            rows.push(cells);
        }
    }
    let mut columns = vec![
        column("Configuration", Align::Left),
        column("Model", Align::Left),
    ];
    let mut groups = vec![Group {
        header: String::new(),
        span: 2,
    }];
    for at in &params.columns {
        let task = at.task.replace('-', "\u{2212}").replace("theta0", "θ₀");
        columns.push(column(format!("{task}, n = {}", at.n_shots), Align::Left));
    }
    columns.push(column("Pretraining loss", Align::Left));
    groups.push(Group {
        header: "Test error".into(),
        span: params.columns.len(),
    });
    groups.push(Group {
        header: String::new(),
        span: 1,
    });
    let seeds = configurations.iter().map(|c| c.seeds.len()).max();
    let seeds = counted(seeds.unwrap_or(0), "training seed");
    Ok(latex::Table {
        columns,
        groups,
        rows,
        rules_above,
        notes: vec![format!("Means over {seeds}, with the range over them.")],
    })
}

/// Which seeds of a fine-tuned model diverged, in words.
fn diverged(configuration: &Configuration, model: &str) -> String {
    let steps = configuration.seeds.iter().filter_map(|seed| {
        let cell = seed.cells.iter().find(|cell| cell.model == model);
        cell.and_then(|cell| cell.diverged_at)
    });
    let steps: Vec<usize> = steps.collect();
    match steps.iter().min() {
        None => String::new(),
        Some(first) => format!(
            "{} of {} diverged, first at step {first}",
            steps.len(),
            configuration.seeds.len()
        ),
    }
}

/// "0.345 (0.341 to 0.347)"; one value stands alone.
fn with_range(values: &[f64]) -> String {
    let largest = values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    let digits = |value: f64| match largest {
        _ if !value.is_finite() => number::fixed(value, 0),
        largest if largest < 10.0 => number::fixed(value, 3),
        largest if largest < 1e3 => number::fixed(value, 1),
        largest if largest < 1e5 => number::fixed(value, 0),
        _ => number::scientific(value, 1),
    };
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match values.len() {
        0 | 1 => digits(mean),
        _ => format!("{} ({} to {})", digits(mean), digits(low), digits(high)),
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
        };
        Seed {
            label: "0".into(),
            pretraining_loss: error,
            cells: vec![cell],
        }
    }

    #[test]
    fn how_pretraining_ended() {
        let learned = Learned {
            at: At {
                task: "theta0".into(),
                n_shots: 20,
            },
            below: Positive::try_from(0.5).unwrap(),
        };
        let words = |seeds: &[Seed]| pretraining(&learned, seeds);
        assert_eq!(words(&[seed(0.3, None), seed(0.4, None)]), "loss 0.350");
        assert_eq!(words(&[seed(1.08, None)]), "did not learn: loss 1.080");
        assert_eq!(
            words(&[seed(0.3, None), seed(1.0, None), seed(9.0, Some(7))]),
            "loss 0.300; 1 of 3 did not learn: loss 1.000; 1 of 3 diverged at step 7"
        );
        // An error that cannot be computed is none that was learned.
        assert_eq!(words(&[seed(f64::NAN, None)]), "did not learn: loss n/a");
    }

    #[test]
    fn labels_and_ranges_read_well() {
        assert_eq!(training("h2_l1_sgd_long", 2, 1), "SGD long");
        assert_eq!(training("h2_l1_adam", 2, 1), "Adam");
        assert_eq!(training("h2_l1_sgd", 1, 1), "h2 l1 SGD");
        assert_eq!(with_range(&[0.1, 0.3]), "0.200 (0.100 to 0.300)");
        assert_eq!(with_range(&[120.0]), "120.0");
        assert_eq!(with_range(&[1e6, 3e6]), "2.0×10⁶ (1.0×10⁶ to 3.0×10⁶)");
        assert_eq!(with_range(&[f64::NAN, 1.0]), "n/a (1.000 to 1.000)");
    }
}
