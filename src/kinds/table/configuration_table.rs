//! Kind `configuration-table`: test errors of several configurations of the model, over training seeds,
//! beside those of the pretrained models that they start from.
//!
//! A configuration whose label begins with its shape, `h2_l1_sgd`, is printed as "1 layer, 2 heads" and
//! "SGD". CSV and Parquet have one row for each configuration, seed, model, task and number of shots:
//! `configuration`, `size`, `training`, `pretraining` (how that ended, in words), `layers`, `heads`,
//! `seed`, `model`, `task`, `n_shots`, `error`, `std_error`, `exact`, `z`, `median`, `q90`, `tail`, `ratio` (of the
//! statistic to that of the pretrained model of the same seed), `pretraining_loss` and `diverged_at`
//! (null for a training that ended). The LaTeX fragment has the statistic over seeds and its range.

use crate::kinds::exchange::table::failed;
use crate::kinds::table::configuration::{
    self, Cell, Configuration, PRETRAINED, Seed, Statistic, Wanted, compact, counted,
};
use crate::kinds::table::print::{self, column, printed};
use plots::latex::{self, Align, Group};
use retrace::base::error::Result;
use retrace::stage::columns::{self, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many};
use tables::table::{Column, Table, TableError};

pub struct ConfigurationTable;

impl StageKind for ConfigurationTable {
    const NAME: &'static str = "configuration-table";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[
        many("errors"),
        many("losses"),
        many("pretrained"),
        many("finetuned"),
    ];
    const OUTPUTS: &'static [&'static str] = print::OUTPUTS;
    type Params = Wanted;

    fn check(wanted: &Wanted) -> std::result::Result<(), String> {
        match wanted.columns.contains(&wanted.learned.at) {
            true => Ok(()),
            false => Err("learned.at is none of the columns".into()),
        }
    }

    fn columns(output: &str, _wanted: &Wanted) -> Option<Vec<String>> {
        match output {
            "csv" | "parquet" => columns(&[
                "configuration",
                "size",
                "training",
                "pretraining",
                "layers",
                "heads",
                "seed",
                "model",
                "task",
                "n_shots",
                "error",
                "std_error",
                "exact",
                "z",
                "median",
                "q90",
                "tail",
                "ratio",
                "pretraining_loss",
                "diverged_at",
            ]),
            _ => None,
        }
    }

    fn wants(_wanted: &Wanted) -> Vec<columns::Wanted> {
        let mut wants = wanted(
            "errors",
            &[
                "model",
                "task",
                "n_shots",
                "error",
                "std_error",
                "exact",
                "median",
                "q90",
                "tail",
            ],
        );
        wants.extend(wanted("losses", &["loss"]));
        wants
    }

    fn run(wanted: &Wanted, io: &Io) -> Result<()> {
        let configurations = configuration::read_all(wanted, io)?;
        for configuration in &configurations {
            io.log(format!(
                "{}: {}",
                configuration.label, configuration.pretraining
            ));
        }
        let table = table(&configurations, wanted.statistic).map_err(failed)?;
        print::write(io, &table, &print(wanted, &configurations))
    }
}

fn table(
    configurations: &[Configuration],
    statistic: Statistic,
) -> std::result::Result<Table, TableError> {
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
        ("median", float(&|(_, _, cell)| cell.spread.median)),
        ("q90", float(&|(_, _, cell)| cell.spread.q90)),
        ("tail", float(&|(_, _, cell)| cell.spread.tail)),
        (
            "ratio",
            float(&|(_, seed, cell)| {
                let is_start = |c: &&Cell| c.model == PRETRAINED && c.at == cell.at;
                let start = seed.cells.iter().find(is_start);
                let start = start.map_or(f64::NAN, |start| start.value(statistic));
                cell.value(statistic) / start
            }),
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

fn print(wanted: &Wanted, configurations: &[Configuration]) -> latex::Table {
    let (mut rows, mut rules_above) = (Vec::new(), Vec::new());
    for configuration in configurations {
        if !rows.is_empty() {
            rules_above.push(rows.len());
        }
        for model in wanted.models() {
            let (first, note) = match model {
                PRETRAINED => (
                    format!("{}, {}", configuration.size(), configuration.training),
                    configuration.pretraining.clone(),
                ),
                _ => (String::new(), diverged(configuration, model)),
            };
            let mut cells = vec![first, printed(&wanted.names, model).to_owned()];
            for at in &wanted.columns {
                let seeds = configuration.seeds.iter().flat_map(|seed| &seed.cells);
                let mine = seeds.filter(|cell| cell.model == model && cell.at == *at);
                let values: Vec<f64> = mine.map(|cell| cell.value(wanted.statistic)).collect();
                cells.push(with_range(wanted.statistic, &values));
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
    for at in &wanted.columns {
        let task = at.task.replace('-', "\u{2212}").replace("theta0", "θ₀");
        columns.push(column(format!("{task}, n = {}", at.n_shots), Align::Left));
    }
    columns.push(column("Pretraining", Align::Left));
    let error = match wanted.statistic {
        Statistic::Mean => "Test error",
        Statistic::Median => "Median squared error",
    };
    groups.push(Group {
        header: error.into(),
        span: wanted.columns.len(),
    });
    groups.push(Group {
        header: String::new(),
        span: 1,
    });
    let seeds = configurations.iter().map(|c| c.seeds.len()).max();
    let (over_seeds, fewer) = match wanted.statistic {
        Statistic::Mean => ("Means", ""),
        Statistic::Median => ("Medians", " or fewer"),
    };
    let seeds = counted(seeds.unwrap_or(0), "training seed");
    latex::Table {
        columns,
        groups,
        rows,
        rules_above,
        notes: vec![format!(
            "{over_seeds} over {seeds}{fewer}, with the range over them."
        )],
    }
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
fn with_range(statistic: Statistic, values: &[f64]) -> String {
    let largest = values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    let digits = |value: f64| compact(value, largest);
    let centre = match statistic {
        Statistic::Mean => values.iter().sum::<f64>() / values.len() as f64,
        Statistic::Median => median(values),
    };
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match values.len() {
        0 | 1 => digits(centre),
        _ => format!("{} ({} to {})", digits(centre), digits(low), digits(high)),
    }
}

/// Of an even number the mean of the middle two; NaN of none, or where one is.
fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        _ if values.iter().any(|value| value.is_nan()) => f64::NAN,
        n => 0.5 * (values[(n - 1) / 2] + values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_read_well() {
        let mean = |values: &[f64]| with_range(Statistic::Mean, values);
        assert_eq!(mean(&[0.1, 0.3]), "0.200 (0.100 to 0.300)");
        assert_eq!(mean(&[120.0]), "120.0");
        assert_eq!(mean(&[1e6, 3e6]), "2.0×10⁶ (1.0×10⁶ to 3.0×10⁶)");
        assert_eq!(mean(&[f64::NAN, 1.0]), "n/a (1.000 to 1.000)");
        let median = |values: &[f64]| with_range(Statistic::Median, values);
        assert_eq!(median(&[9.0, 0.1, 0.3]), "0.300 (0.100 to 9.000)");
        assert_eq!(median(&[0.1, 0.3]), "0.200 (0.100 to 0.300)");
        assert_eq!(median(&[f64::NAN, 1.0, 2.0]), "n/a (1.000 to 2.000)");
    }
}
