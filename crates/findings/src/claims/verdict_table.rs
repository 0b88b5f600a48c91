//! Kind `verdict-table`: the verdicts on the same claims by several stages of kind `claims`, side by side.
//!
//! Outputs: `csv` and `parquet` with a row for each claim and ledger, columns `claim`, `ledger` (its label), `verdict`,
//! `measured`, `std_error` (of the claim's first check); `tex` and `md` with a column for each ledger. Does not know
//! what differs between the ledgers.

use crate::claims::claim::Decided;
use crate::claims::print::column;
use crate::exchange::failed::failed;
use plots::latex::{self, Align};
use retrace::base::error::{Error, Result};
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind, many};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tables::table::{Column, Table};

pub struct VerdictTable;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What each ledger is called in print, by the label of its input.
    names: BTreeMap<String, String>,
}

/// A ledger with its label.
type Ledger = (String, Vec<Decided>);

impl StageKind for VerdictTable {
    const NAME: &'static str = "verdict-table";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[many("claims")];
    const OUTPUTS: &'static [&'static str] = &["csv", "parquet", "tex", "md"];
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "csv" | "parquet" => columns(&["claim", "ledger", "verdict", "measured", "std_error"]),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let ledgers = io.inputs("claims").iter().map(|(label, path)| {
            let bytes = retrace::stage::kind::read(path)?;
            let ledger: Vec<Decided> = serde_json::from_slice(&bytes).map_err(failed)?;
            Ok((label.clone(), ledger))
        });
        let ledgers: Vec<Ledger> = ledgers.collect::<Result<_>>()?;
        let (first, ids) = (&ledgers[0].0, ids(&ledgers[0]));
        if let Some((label, _)) = ledgers.iter().find(|ledger| self::ids(ledger) != ids) {
            return Err(Error::failed(format!(
                "`{first}` and `{label}` decide other claims"
            )));
        }
        let label = |ledger: &Ledger| -> Result<String> {
            let name = params.names.get(&ledger.0);
            name.cloned().ok_or_else(|| {
                let known = params.names.keys().map(String::as_str);
                Error::failed(format!("names: `{}` has none", ledger.0)).suggest(&ledger.0, known)
            })
        };
        let names: Vec<String> = ledgers.iter().map(label).collect::<Result<_>>()?;
        let table = table(&ledgers).map_err(failed)?;
        io.write("csv", &table.to_csv().map_err(failed)?)?;
        io.write("parquet", &table.to_parquet().map_err(failed)?)?;
        let rows: Vec<Vec<String>> = (0..ids.len())
            .map(|at| {
                let verdicts = ledgers.iter().map(|(_, ledger)| ledger[at].verdict.words());
                std::iter::once(ids[at].to_owned())
                    .chain(verdicts.map(str::to_owned))
                    .collect()
            })
            .collect();
        io.write("md", markdown(&names, &rows).as_bytes())?;
        let headers = std::iter::once("Claim").chain(names.iter().map(String::as_str));
        let print = latex::Table {
            columns: headers.map(|name| column(name, Align::Left)).collect(),
            rows,
            ..latex::Table::default()
        };
        io.write("tex", latex::latex(&print).map_err(failed)?.as_bytes())
    }
}

fn ids(ledger: &Ledger) -> Vec<&str> {
    ledger.1.iter().map(|claim| claim.id.as_str()).collect()
}

fn table(ledgers: &[Ledger]) -> std::result::Result<Table, tables::table::TableError> {
    let cells = || {
        let of = |(label, claims): &'_ Ledger| {
            let cell = |claim: &Decided| (label.clone(), claim.clone());
            claims.iter().map(cell).collect::<Vec<_>>()
        };
        ledgers.iter().flat_map(of)
    };
    let text = |part: &dyn Fn(&str, &Decided) -> String| {
        Column::Text(cells().map(|(label, claim)| part(&label, &claim)).collect())
    };
    let float = |part: &dyn Fn(&Decided) -> Option<f64>| {
        Column::Float(
            cells()
                .map(|(_, claim)| part(&claim).unwrap_or(f64::NAN))
                .collect(),
        )
    };
    Table::new(vec![
        ("claim", text(&|_, claim| claim.id.clone())),
        ("ledger", text(&|label, _| label.to_owned())),
        (
            "verdict",
            text(&|_, claim| claim.verdict.words().to_owned()),
        ),
        ("measured", float(&|claim| claim.measured)),
        ("std_error", float(&|claim| claim.std_error)),
    ])
}

fn markdown(names: &[String], rows: &[Vec<String>]) -> String {
    let mut text = format!("| claim | {} |\n|", names.join(" | "));
    text.push_str(&" --- |".repeat(names.len() + 1));
    text.push('\n');
    for row in rows {
        let _ = writeln!(text, "| `{}` | {} |", row[0], row[1..].join(" | "));
    }
    text
}
