//! Kind `kept-table`: accuracies with examples before and after fine-tuning, by variant and measure, with the accuracy without.
//!
//! Reads a `summary` of kind `kept-summary` that has accuracies. CSV and Parquet hold its rows of one world; the LaTeX fragment
//! some variants and measures, at a matched zero-shot error and after the last step.

use crate::kinds::exchange::table::{failed, read_table};
use crate::kinds::table::print::{self, Names, column, printed};
use plots::latex::{self, Align, Group};
use plots::number;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};

pub struct KeptTable;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    world: String,
    names: Names,
    /// Rows in order.
    variants: Vec<String>,
    /// The measure of the zero-shot accuracy.
    target: String,
    /// Columns in order.
    measures: Vec<MeasureParams>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MeasureParams {
    measure: String,
    header: String,
}

const TEXTS: [&str; 4] = ["variant", "at", "measure", "level"];
const NUMBERS: [&str; 11] = [
    "draws",
    "reached",
    "step",
    "zero_shot_accuracy",
    "zero_shot_accuracy_std_error",
    "before_accuracy",
    "before_accuracy_std_error",
    "after_accuracy",
    "after_accuracy_std_error",
    "kept",
    "kept_std_error",
];

/// Where variants are compared, as tables spell it and as people read it.
const PLACES: [(&str, &str); 2] = [("matched", "matched"), ("end", "last step")];

impl StageKind for KeptTable {
    const NAME: &'static str = "kept-table";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("summary")];
    const OUTPUTS: &'static [&'static str] = print::OUTPUTS;
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        match (params.variants.is_empty(), params.measures.is_empty()) {
            (true, _) => Err("variants: there is no row".into()),
            (_, true) => Err("measures: there is no column".into()),
            _ => Ok(()),
        }
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "csv" | "parquet" => columns(&[&TEXTS[..], &NUMBERS].concat()),
            _ => None,
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        let mut wants = wanted("summary", &["world"]);
        wants.extend(wanted("summary", &TEXTS));
        wants.extend(wanted("summary", &NUMBERS));
        wants
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let rows = Rows::of(&read_table(io.input("summary")?)?, &params.world)?;
        let printed = rows.printed(params)?;
        print::write(io, &rows.table()?, &printed)
    }
}

/// The rows of one world.
struct Rows {
    texts: [Vec<String>; TEXTS.len()],
    numbers: [Vec<f64>; NUMBERS.len()],
}

impl Rows {
    fn of(table: &Table, world: &str) -> Result<Rows> {
        let worlds = table.texts("world").map_err(failed)?;
        let here = |row: &usize| worlds[*row] == world;
        let rows: Vec<usize> = (0..table.rows()).filter(here).collect();
        if rows.is_empty() {
            let error = Error::failed(format!("world: there is no world `{world}`"));
            return Err(error.suggest(world, worlds.iter().map(String::as_str)));
        }
        let mut found = Rows {
            texts: Default::default(),
            numbers: Default::default(),
        };
        for (into, name) in found.texts.iter_mut().zip(TEXTS) {
            let texts = table.texts(name).map_err(failed)?;
            into.extend(rows.iter().map(|&row| texts[row].clone()));
        }
        for (into, name) in found.numbers.iter_mut().zip(NUMBERS) {
            let numbers = table.floats(name).map_err(failed)?;
            into.extend(rows.iter().map(|&row| numbers[row]));
        }
        Ok(found)
    }

    fn table(&self) -> Result<Table> {
        let texts = self.texts.iter().cloned().map(Column::Text);
        let numbers = self.numbers.iter().cloned().map(Column::Float);
        let names = TEXTS.into_iter().chain(NUMBERS);
        Table::new(names.zip(texts.chain(numbers)).collect()).map_err(failed)
    }

    /// A number with its standard error, of the row at a place.
    fn cell(&self, [variant, at, measure]: [&str; 3], number: &str) -> Result<String> {
        let [variants, places, measures, _] = &self.texts;
        let is_it = |&row: &usize| {
            variants[row] == variant && places[row] == at && measures[row] == measure
        };
        let row = (0..variants.len()).find(is_it).ok_or_else(|| {
            let is_variant = variants.iter().any(|known| known == variant);
            let (what, name, known) = match is_variant {
                true => ("measures", measure, measures),
                false => ("variants", variant, variants),
            };
            let error = Error::failed(format!("{what}: there is no row for `{name}` at `{at}`"));
            error.suggest(name, known.iter().map(String::as_str))
        })?;
        let of = |name: &str| {
            let column = NUMBERS.iter().position(|known| *known == name);
            column.map_or(f64::NAN, |column| self.numbers[column][row])
        };
        Ok(number::with_error(
            of(number),
            of(&format!("{number}_std_error")),
            1,
        ))
    }

    fn printed(&self, params: &Params) -> Result<latex::Table> {
        let mut lines = Vec::new();
        let first = &params.variants[0];
        let mut before = vec!["pretrained".to_owned()];
        for (place, _) in PLACES {
            before.push(String::new());
            for measure in &params.measures {
                before.push(self.cell([first, place, &measure.measure], "before_accuracy")?);
            }
        }
        lines.push(before);
        for variant in &params.variants {
            let mut cells = vec![printed(&params.names, variant).to_owned()];
            for (place, _) in PLACES {
                cells.push(self.cell([variant, place, &params.target], "zero_shot_accuracy")?);
                for measure in &params.measures {
                    cells.push(self.cell([variant, place, &measure.measure], "after_accuracy")?);
                }
            }
            lines.push(cells);
        }
        let mut columns = vec![column("Variant", Align::Left)];
        let mut heads = vec![Group {
            header: String::new(),
            span: 1,
        }];
        for (_, header) in PLACES {
            columns.push(column("no examples", Align::Decimal));
            let measures = params.measures.iter();
            columns.extend(measures.map(|one| column(one.header.clone(), Align::Decimal)));
            heads.push(Group {
                header: header.into(),
                span: 1 + params.measures.len(),
            });
        }
        Ok(latex::Table {
            columns,
            groups: heads,
            rows: lines,
            rules_above: vec![1],
            notes: vec![
                "Accuracies: means over seeds with standard errors in units of the last digit."
                    .into(),
            ],
        })
    }
}
