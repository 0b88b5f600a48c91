//! What a stage of kind `claims` is asked, whichever program it belongs to, and how it answers.
//!
//! A program may give numbers that claims compare with, each by a name: closed forms of its paper. It has
//! params of its own for these, and hands the others on as [`Questions`]. Outputs: the ledger as `csv`, `parquet`,
//! `tex` and `md`, and `json` with all evidence (a list of [`Decided`](crate::claims::claim::Decided)) for the
//! command line. Columns: [`print::COLUMNS`].

use crate::claims::check::{Check, one_of};
use crate::claims::claim::{Claim, Confidence};
use crate::claims::decide;
use crate::claims::print;
use crate::claims::query::evidence::{Constant, Evidence, Named, Part};
use crate::claims::query::expression::{Choice, Selector};
use crate::claims::query::inherit::spelled_out;
use crate::exchange::failed::failed;
use crate::exchange::given::Given;
use plots::latex;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::{Wanted, columns};
use retrace::stage::kind::{Io, Role, many};
use std::collections::{BTreeMap, BTreeSet};

/// The name of the kind in every program.
pub const NAME: &str = "claims";

/// The role of the tables that claims read.
pub const TABLE_ROLE: &str = "tables";

/// The roles of the kind.
pub const INPUTS: &[Role] = &[many(TABLE_ROLE)];

/// The outputs of the kind.
pub const OUTPUTS: &[&str] = &["csv", "parquet", "tex", "md", "json"];

/// For each table of several files, the names of the columns that tell them apart.
pub type Labels = BTreeMap<String, Vec<String>>;

/// Params of the kind.
pub struct Questions<'a> {
    /// What the `*` of a table's reference stands for, split at commas, has these names.
    pub labels: &'a Labels,
    /// The columns whose values are draws, such as seeds; all other columns are fixed by the experiment.
    pub random: &'a [String],
    /// For columns of text, every value that a filter may name: a wrong one is told before anything runs.
    pub known: &'a BTreeMap<String, Vec<String>>,
    pub confidence: Confidence,
    pub claims: &'a [Claim],
}

/// The columns of an output.
pub fn columns_of(output: &str) -> Option<Vec<String>> {
    match output {
        "csv" | "parquet" => columns(&print::COLUMNS),
        _ => None,
    }
}

impl Questions<'_> {
    /// What the params alone tell; `constants` are the names of numbers.
    ///
    /// # Errors
    /// Params that say nothing, or name what is not there; the message begins with the path of the param.
    pub fn check(&self, constants: &[&str]) -> std::result::Result<(), String> {
        let share = |x: f64| x > 0.0 && x < 0.5;
        let Confidence {
            pass,
            false_refutations,
        } = self.confidence;
        if !share(1.0 - pass) || !share(false_refutations) {
            return Err(
                "confidence: pass is from 0.5 to 1, false_refutations from 0 to 0.5".into(),
            );
        }
        for (table, labels) in self.labels {
            let mut seen = BTreeSet::new();
            if labels.is_empty() || !labels.iter().all(|label| seen.insert(label)) {
                return Err(format!(
                    "labels.{table}: give each label one name of its own"
                ));
            }
        }
        let mut ids = BTreeSet::new();
        for (at, claim) in self.claims.iter().enumerate() {
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
                self.check_names(check, constants)
                    .map_err(|why| wrong(&format!(".{place}"), why))?;
            }
        }
        Ok(())
    }

    /// The columns that the claims read.
    pub fn wants(&self) -> Vec<Wanted> {
        let mut wants = Vec::new();
        for (at, claim) in self.claims.iter().enumerate() {
            for (place, check) in checks(claim) {
                let quantity = spelled_out(&check.quantity);
                for selector in quantity.selectors() {
                    wants.extend(self.columns(selector).map(|column| Wanted {
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

    /// Decides all claims and writes every output.
    ///
    /// # Errors
    /// A claim that asks for something that is not there, files that cannot be read or written.
    pub fn answer(&self, constants: Vec<Constant>, io: &Io) -> Result<()> {
        let evidence = Evidence {
            tables: self.tables(io)?,
            constants,
        };
        for (at, name) in self.random.iter().enumerate() {
            let columns = evidence.tables.iter().flat_map(|table| &table.columns);
            let known: Vec<String> = columns.map(|(name, _)| name.clone()).collect();
            one_of("column", name, &known)
                .map_err(|why| Error::failed(format!("random.{at}: {why}")))?;
        }
        let decided = decide::decide(self.claims, self.confidence, self.random, &evidence);
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

    /// The columns that a selector reads of files, not of their labels.
    fn columns<'a>(&'a self, selector: &'a Selector) -> impl Iterator<Item = &'a str> {
        let labels = self.labels.get(&selector.table);
        let filtered = selector.filters.iter().map(|filter| filter.column.as_str());
        let all = [selector.column.as_str()].into_iter().chain(filtered);
        all.filter(move |name| {
            !labels.is_some_and(|labels| labels.iter().any(|label| label == name))
        })
    }

    /// Refuses values and factors that the params do not know, and numbers that nobody named.
    fn check_names(&self, check: &Check, constants: &[&str]) -> std::result::Result<(), String> {
        if !check.constants().is_empty() {
            // With the names it says where the wrong one stands.
            Check::read_among(&check.to_string(), Some(constants))?;
        }
        for selector in check.quantity.selectors() {
            for filter in &selector.filters {
                let Some(known) = self.known.get(&filter.column) else {
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
            one_of("random factor", factor, self.random)?;
        }
        Ok(())
    }

    /// The tables by name, each of its files.
    fn tables(&self, io: &Io) -> Result<Vec<Named>> {
        let mut files: Vec<(&str, Vec<Part>)> = Vec::new();
        for (label, path) in io.inputs(TABLE_ROLE) {
            let (name, labels) = match label.split_once('@') {
                Some((name, labels)) => (name, labels.split(',').collect()),
                None => (label.as_str(), Vec::new()),
            };
            let part = Part {
                labels,
                table: Given::read(path)?.table,
            };
            match files.iter_mut().find(|(known, _)| *known == name) {
                Some((_, parts)) => parts.push(part),
                None => files.push((name, vec![part])),
            }
        }
        let names: Vec<String> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
        for name in self.labels.keys() {
            let known = one_of("input of `tables` called", name, &names);
            known.map_err(|why| Error::failed(format!("labels.{name}: {why}")))?;
        }
        let named = files.iter().map(|(name, parts)| {
            let labels = self.labels.get(*name).map_or(&[][..], Vec::as_slice);
            Named::new(name, labels, parts)
                .map_err(|why| Error::failed(format!("labels.{name}: {why}")))
        });
        named.collect()
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
pub fn reads(selector: &Selector, labels: &Labels, label: &str) -> bool {
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
