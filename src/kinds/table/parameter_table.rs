//! Kind `parameter-table`: learned parameters against the closed forms.
//!
//! Every quantity is free of the scale symmetry (v, Q) -> (s v, Q/s) of a learned head.

use crate::kinds::exchange::model::read_model;
use crate::kinds::exchange::table::{failed, read_table};
use crate::kinds::exchange::task::read_task;
use crate::kinds::table::print::{self, Names, column, printed};
use icl::theory::readout;
use plots::latex::{self, Align};
use plots::number;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns, wanted};
use retrace::stage::kind::{Io, Role, StageKind, many, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};

pub struct ParameterTable;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    names: Names,
    /// Models in order.
    models: Vec<String>,
}

/// One line: what was learned, what the theory derives, what the authors draw.
struct Entry {
    model: String,
    quantity: &'static str,
    learned: f64,
    derived: f64,
    authors: f64,
}

impl StageKind for ParameterTable {
    const NAME: &'static str = "parameter-table";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[
        one("task"),
        one("constants"),
        one("pretrained"),
        many("finetuned"),
    ];
    const OUTPUTS: &'static [&'static str] = print::OUTPUTS;
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "csv" | "parquet" => columns(&["model", "quantity", "learned", "derived", "authors"]),
            _ => None,
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        wanted("constants", &["curve", "derived", "authors"])
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let task = read_task(io)?;
        let constants = read_table(io.input("constants")?)?;
        let curves = constants.texts("curve").map_err(failed)?;
        let derived = constants.floats("derived").map_err(failed)?;
        let authors = constants.floats("authors").map_err(failed)?;
        let constant = |curve: &str| match curves.iter().position(|name| name == curve) {
            Some(row) => Ok((derived[row], authors[row])),
            None => {
                let message = format!("the input `constants` has no curve `{curve}`");
                Err(Error::failed(message).suggest(curve, curves.iter().map(String::as_str)))
            }
        };
        let mut models = vec![("pretrained", io.input("pretrained")?)];
        models.extend(
            io.inputs("finetuned")
                .iter()
                .map(|(label, path)| (label.as_str(), path.as_path())),
        );
        let mut entries = Vec::new();
        for (model, path) in print::in_order(&params.models, &models, |(name, _)| name)? {
            let head = read_model(path)?
                .only_head()
                .ok_or_else(|| Error::failed("the table is for models of one layer and head"))?;
            let read = readout::read(&head, &task);
            let mut add = |quantity, learned, (derived, authors)| {
                let model = (*model).to_owned();
                entries.push(Entry {
                    model,
                    quantity,
                    learned,
                    derived,
                    authors,
                });
            };
            let exact = |value: f64| (value, f64::NAN);
            let without_theory = exact(f64::NAN);
            match *model {
                "pretrained" => {
                    add("vy Q[x,x], mean diagonal", read.vy_q_mean, constant(model)?);
                    add(
                        "vy Q[x,x], diagonal spread",
                        read.vy_q_diagonal_spread,
                        exact(0.0),
                    );
                    add(
                        "vy Q[x,x], largest off-diagonal",
                        read.vy_q_off_diagonal,
                        exact(0.0),
                    );
                }
                "zs" => {
                    // A flip of sign of vx and Q[0,0] together changes no prediction.
                    add("|w| from vx/vy", read.w_from_value.abs(), constant(model)?);
                    add(
                        "|w| from 1/(vy Q00)",
                        read.w_from_key_query.abs(),
                        constant(model)?,
                    );
                    add("vx.theta0 Q00", read.zero_shot_projection, exact(1.0));
                    add("vx off theta0", read.vx_misalignment, exact(0.0));
                }
                "zs_v" | "both_v" => {
                    add("w = vy q", read.vy_q_mean, constant(model)?);
                    add("(d+4) vx.theta0 q", read.value_only_projection, exact(1.0));
                    add("vx off theta0", read.vx_misalignment, exact(0.0));
                }
                _ => add("vy Q[x,x], mean diagonal", read.vy_q_mean, without_theory),
            }
        }
        let floats = |part: fn(&Entry) -> f64| Column::Float(entries.iter().map(part).collect());
        let table = Table::new(vec![
            (
                "model",
                Column::Text(entries.iter().map(|e| e.model.clone()).collect()),
            ),
            (
                "quantity",
                Column::Text(entries.iter().map(|e| e.quantity.to_owned()).collect()),
            ),
            ("learned", floats(|entry| entry.learned)),
            ("derived", floats(|entry| entry.derived)),
            ("authors", floats(|entry| entry.authors)),
        ])
        .map_err(failed)?;
        let mut rules_above = Vec::new();
        let cell = |value: f64| match value.is_nan() {
            true => String::new(),
            false => number::fixed(value, 4),
        };
        let mut rows = Vec::new();
        for (i, entry) in entries.iter().enumerate() {
            let first = i == 0 || entries[i - 1].model != entry.model;
            if first && i > 0 {
                rules_above.push(i);
            }
            rows.push(vec![
                if first {
                    printed(&params.names, &entry.model).to_owned()
                } else {
                    String::new()
                },
                entry.quantity.replace("theta0", "θ₀"),
                cell(entry.learned),
                cell(entry.derived),
                cell(entry.authors),
            ]);
        }
        let columns = vec![
            column("Model", Align::Left),
            column("Quantity", Align::Left),
            column("Learned", Align::Decimal),
            column("Derived", Align::Decimal),
            column("Authors", Align::Decimal),
        ];
        let print = latex::Table {
            columns,
            groups: Vec::new(),
            rows,
            rules_above,
            notes: Vec::new(),
        };
        print::write(io, &table, &print)
    }
}
