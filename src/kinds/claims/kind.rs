//! Kind `claims`: decides the claims of the paper. A verdict never fails the stage.
//!
//! Outputs: the ledger as `csv`, `parquet`, `tex` and `md`, and `json` with all evidence (a list of
//! [`Decided`](crate::kinds::claims::claim::Decided)) for the command line. Columns: `id`, `statement`, `expected`, `measured`,
//! `std_error`, `verdict`, `recorded`, `units`, `low`, `high`, `decided`.

use crate::kinds::claims::check::{Check, one_of};
use crate::kinds::claims::claim::{Claim, Confidence};
use crate::kinds::claims::decide;
use crate::kinds::claims::forms;
use crate::kinds::claims::print;
use crate::kinds::claims::query::evidence::{Evidence, Named, Part};
use crate::kinds::claims::query::expression::{Choice, Selector};
use crate::kinds::claims::query::inherit::spelled_out;
use crate::kinds::exchange::table::{failed, read_table};
use crate::kinds::params::number::{Count, Dimension, NonNegative};
use icl::prompts::setting::Setting;
use plots::latex;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns};
use retrace::stage::kind::{Io, Role, StageKind, many};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub struct Claims;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    d: Dimension,
    noise_var: NonNegative,
    /// m, the shots of pretraining.
    pretrain_shots: Count,
    /// For each table of several files, the names of the columns that tell them apart: what the `*` of
    /// its reference stands for, split at commas.
    #[serde(default)]
    labels: BTreeMap<String, Vec<String>>,
    /// The columns whose values are draws, such as seeds; all other columns are fixed by the experiment.
    #[serde(default)]
    random: Vec<String>,
    /// For columns of text, every value that a filter may name: a wrong one is told before anything runs.
    #[serde(default)]
    known: BTreeMap<String, Vec<String>>,
    confidence: Confidence,
    claims: Vec<Claim>,
}

/// The role of the tables that claims read.
pub const TABLE_ROLE: &str = "tables";

impl StageKind for Claims {
    const NAME: &'static str = "claims";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[many(TABLE_ROLE)];
    const OUTPUTS: &'static [&'static str] = &["csv", "parquet", "tex", "md", "json"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        let share = |x: f64| x > 0.0 && x < 0.5;
        let Confidence {
            pass,
            false_refutations,
        } = params.confidence;
        if !share(1.0 - pass) || !share(false_refutations) {
            return Err(
                "confidence: pass is from 0.5 to 1, false_refutations from 0 to 0.5".into(),
            );
        }
        for (table, labels) in &params.labels {
            let mut seen = BTreeSet::new();
            if labels.is_empty() || !labels.iter().all(|label| seen.insert(label)) {
                return Err(format!(
                    "labels.{table}: give each label one name of its own"
                ));
            }
        }
        let mut ids = BTreeSet::new();
        for (at, claim) in params.claims.iter().enumerate() {
            let wrong = |place: &str, why: String| {
                format!("claims.{at}{place}: claim `{}`: {why}", claim.id)
            };
            if !ids.insert(&claim.id) {
                return Err(wrong("", "it stands twice".into()));
            }
            if claim.checks.is_empty() {
                return Err(wrong("", "it has no checks".into()));
            }
            for (place, check) in checks(claim) {
                check_names(params, check).map_err(|why| wrong(&format!(".{place}"), why))?;
            }
        }
        Ok(())
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "csv" | "parquet" => columns(&print::COLUMNS),
            _ => None,
        }
    }

    fn wants(params: &Params) -> Vec<Wanted> {
        let mut wants = Vec::new();
        for (at, claim) in params.claims.iter().enumerate() {
            for (place, check) in checks(claim) {
                let quantity = spelled_out(&check.quantity);
                for selector in quantity.selectors() {
                    wants.extend(columns_of(selector, params).map(|column| Wanted {
                        role: TABLE_ROLE.to_owned(),
                        label: selector.table.clone(),
                        column: column.to_owned(),
                        param: format!("claims.{at}.{place}"),
                    }));
                }
            }
        }
        wants
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let setting = Setting::new(params.d.get(), params.noise_var.get()).map_err(failed)?;
        let evidence = Evidence {
            tables: tables(params, io)?,
            constants: forms::values(&setting, params.pretrain_shots.get()),
        };
        for (at, name) in params.random.iter().enumerate() {
            let columns = evidence.tables.iter().flat_map(|table| &table.columns);
            let known: Vec<String> = columns.map(|(name, _)| name.clone()).collect();
            one_of("column", name, &known)
                .map_err(|why| Error::failed(format!("random.{at}: {why}")))?;
        }
        let decided = decide::decide(&params.claims, params.confidence, &params.random, &evidence);
        let decided = decided.map_err(Error::failed)?;
        for claim in &decided {
            io.log(format!("{}: {}", claim.id, claim.verdict.words()));
        }
        let table = print::table(&decided).map_err(failed)?;
        io.write("csv", &table.to_csv().map_err(failed)?)?;
        io.write("parquet", &table.to_parquet().map_err(failed)?)?;
        let tex = latex::latex(&print::latex_table(&decided)).map_err(failed)?;
        io.write("tex", tex.as_bytes())?;
        io.write("md", print::markdown(&decided).as_bytes())?;
        let mut json = serde_json::to_vec_pretty(&decided).map_err(failed)?;
        json.push(b'\n');
        io.write("json", &json)
    }
}

/// All checks of a claim, with their places in it.
fn checks(claim: &Claim) -> impl Iterator<Item = (String, &Check)> {
    let deciding = claim
        .checks
        .iter()
        .enumerate()
        .map(|(n, check)| (format!("checks.{n}"), check));
    let beside = claim
        .shows
        .iter()
        .enumerate()
        .map(|(n, check)| (format!("shows.{n}"), check));
    let paper = claim
        .correction
        .iter()
        .map(|paper| ("correction.paper".to_owned(), &paper.paper));
    deciding.chain(beside).chain(paper)
}

/// Whether a selector reads the file of a label, `digits@8,0_vs_1`: it is of the selector's table, and no
/// filter leaves it out. `labels` are those of the params; filters are all said.
pub fn reads(selector: &Selector, labels: &BTreeMap<String, Vec<String>>, label: &str) -> bool {
    let (table, parts) = label.split_once('@').unwrap_or((label, ""));
    if table != selector.table {
        return false;
    }
    let names = labels.get(table).map_or(&[][..], Vec::as_slice);
    names.iter().zip(parts.split(',')).all(|(name, part)| {
        let meets = |choice: &Choice| match choice {
            Choice::Value(value) => value == part,
            Choice::Range(first, last) => part.parse().is_ok_and(|x| (*first..=*last).contains(&x)),
            Choice::All => true,
        };
        let mut filters = selector
            .filters
            .iter()
            .filter(|filter| filter.column == *name);
        filters.all(|filter| filter.values.iter().any(meets) != filter.others)
    })
}

/// The columns that a selector reads of files, not of their labels.
fn columns_of<'a>(selector: &'a Selector, params: &'a Params) -> impl Iterator<Item = &'a str> {
    let labels = params.labels.get(&selector.table);
    let filtered = selector.filters.iter().map(|filter| filter.column.as_str());
    let all = [selector.column.as_str()].into_iter().chain(filtered);
    all.filter(move |name| !labels.is_some_and(|labels| labels.iter().any(|label| label == name)))
}

/// Refuses values and factors that the params do not know.
fn check_names(params: &Params, check: &Check) -> std::result::Result<(), String> {
    for selector in check.quantity.selectors() {
        for filter in &selector.filters {
            let Some(known) = params.known.get(&filter.column) else {
                continue;
            };
            for value in &filter.values {
                if let Choice::Value(value) = value {
                    one_of(&filter.column, value, known)?;
                }
            }
        }
    }
    for factor in check.over.iter().flatten() {
        one_of("random factor", factor, &params.random)?;
    }
    Ok(())
}

/// The tables by name, each of its files.
fn tables(params: &Params, io: &Io) -> Result<Vec<Named>> {
    let mut files: Vec<(&str, Vec<Part>)> = Vec::new();
    for (label, path) in io.inputs(TABLE_ROLE) {
        let (name, labels) = match label.split_once('@') {
            Some((name, labels)) => (name, labels.split(',').collect()),
            None => (label.as_str(), Vec::new()),
        };
        let part = Part {
            labels,
            table: read_table(path)?,
        };
        match files.iter_mut().find(|(known, _)| *known == name) {
            Some((_, parts)) => parts.push(part),
            None => files.push((name, vec![part])),
        }
    }
    let names: Vec<String> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
    for name in params.labels.keys() {
        let known = one_of("input of `tables` called", name, &names);
        known.map_err(|why| Error::failed(format!("labels.{name}: {why}")))?;
    }
    let named = files.iter().map(|(name, parts)| {
        let labels = params.labels.get(*name).map_or(&[][..], Vec::as_slice);
        Named::new(name, labels, parts)
            .map_err(|why| Error::failed(format!("labels.{name}: {why}")))
    });
    named.collect()
}
