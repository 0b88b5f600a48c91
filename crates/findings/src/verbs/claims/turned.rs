//! What `compare` says of claims: those of which two versions of the results come to other verdicts.
//!
//! Reads the published tables of verdicts; decides nothing.

use crate::claims::print::measured;
use crate::claims::questions;
use retrace::base::error::Result;
use retrace::lock::file::Lock;
use retrace_cli::terminal::count;
use retrace_cli::{Side, Verdicts};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use tables::table::{Table, TableError};

/// The form of the ledger that is read.
const OUTPUT: &str = "parquet";

/// A row of a table of verdicts.
struct Verdict {
    id: String,
    measured: Option<f64>,
    std_error: Option<f64>,
    verdict: String,
}

/// Verdicts, and the path of the table that has them.
type Read = (Vec<Verdict>, String);

/// A claim on which two versions disagree; none where one does not have it.
struct Turned<'a> {
    ledger: &'a str,
    id: &'a str,
    sides: [Option<&'a Verdict>; 2],
}

/// Compares the verdicts of all ledgers that both versions have.
///
/// # Errors
/// A table is there and cannot be read.
pub fn turned(sides: &[Side; 2]) -> Result<Option<Verdicts>> {
    let ledgers = sides.each_ref().map(|side| ledgers(side.lock));
    let both: Vec<&str> = ledgers[0].intersection(&ledgers[1]).copied().collect();
    let (mut compared, mut notes, mut covers) = (Vec::new(), Vec::new(), Vec::new());
    for &ledger in &both {
        let [old, new] = [0, 1].map(|at| verdicts(&sides[at], ledger));
        match (old?, new?) {
            (Ok(old), Ok((new, path))) => {
                compared.push((ledger, [old.0, new]));
                covers.push(path);
            }
            (Err(why), _) | (_, Err(why)) => notes.push(format!("{ledger} not compared: {why}")),
        }
    }
    // What only one side decided is said where nothing else is: opt-in groups have ledgers of their own.
    if both.is_empty() {
        for (at, own) in ledgers.iter().enumerate() {
            let own: Vec<&str> = own.iter().copied().collect();
            if !own.is_empty() {
                let (own, other) = (own.join(", "), &sides[1 - at].shown);
                notes.push(format!("no verdicts to compare: {other} has not run {own}"));
            }
        }
    }
    if compared.is_empty() && notes.is_empty() {
        return Ok(None);
    }
    let (mut number, mut found) = (0, Vec::new());
    for (ledger, [old, new]) in &compared {
        let (both, turned) = between(ledger, [old, new]);
        number += both;
        found.extend(turned);
    }
    let turned = found
        .iter()
        .filter(|one| one.sides.iter().all(Option::is_some));
    let turned = turned.count();
    let mut said = Vec::new();
    if !compared.is_empty() {
        said.push(format!("{turned} of {} turned", count(number, "verdict")));
    }
    said.extend(notes);
    Ok(Some(Verdicts {
        rows: table(&found, compared.len() > 1),
        summary: said.join("; "),
        covers,
        json: json!({
            "compared": number,
            "turned": found.iter().map(Turned::json).collect::<Vec<Json>>(),
        }),
    }))
}

/// The stages that decided claims.
fn ledgers(lock: &Lock) -> BTreeSet<&str> {
    let is_ledger = |parts: &retrace::stage::key::KeyParts| parts.kind == questions::NAME;
    let stages = lock.stages.iter();
    let ledgers = stages.filter(|(_, block)| block.parts.as_ref().is_some_and(is_ledger));
    ledgers.map(|(id, _)| id.as_str()).collect()
}

/// The verdicts of a ledger with the path of their table, or why there are none.
fn verdicts(side: &Side, ledger: &str) -> Result<std::result::Result<Read, String>> {
    let block = side.lock.stages.get(ledger);
    let Some(record) = block.and_then(|block| block.outputs.get(OUTPUT)) else {
        return Ok(Err(format!("{} has no table of its verdicts", side.shown)));
    };
    let path = &record.path;
    let bytes = (side.read)(record)?;
    Ok(bytes.and_then(|bytes| match rows(&bytes) {
        Ok(rows) => Ok((rows, path.clone())),
        Err(e) => Err(format!("{path}: {e}")),
    }))
}

/// The rows of a table of verdicts.
///
/// # Errors
/// The table is none of verdicts.
fn rows(bytes: &[u8]) -> std::result::Result<Vec<Verdict>, TableError> {
    let table = Table::from_parquet(bytes)?;
    let (ids, verdicts) = (table.texts("id")?, table.texts("verdict")?);
    let (measured, errors) = (table.floats("measured")?, table.floats("std_error")?);
    let known = |value: f64| (!value.is_nan()).then_some(value);
    let row = |row: usize| Verdict {
        id: ids[row].clone(),
        measured: known(measured[row]),
        std_error: known(errors[row]),
        verdict: verdicts[row].clone(),
    };
    Ok((0..table.rows()).map(row).collect())
}

/// How many claims both have, and those on which they disagree, in the order of the older.
fn between<'a>(ledger: &'a str, [old, new]: [&'a [Verdict]; 2]) -> (usize, Vec<Turned<'a>>) {
    fn find<'v>(all: &'v [Verdict], id: &str) -> Option<&'v Verdict> {
        all.iter().find(|verdict| verdict.id == id)
    }
    let (mut both, mut found) = (0, Vec::new());
    for verdict in old {
        let other = find(new, &verdict.id);
        both += usize::from(other.is_some());
        if other.is_none_or(|other| other.verdict != verdict.verdict) {
            found.push(Turned {
                ledger,
                id: &verdict.id,
                sides: [Some(verdict), other],
            });
        }
    }
    let added = new
        .iter()
        .filter(|verdict| find(old, &verdict.id).is_none());
    found.extend(added.map(|verdict| Turned {
        ledger,
        id: &verdict.id,
        sides: [None, Some(verdict)],
    }));
    (both, found)
}

/// A line for each: the claim, the verdicts, and what was measured on both sides.
fn table(found: &[Turned], several: bool) -> Vec<[String; 4]> {
    if found.is_empty() {
        return Vec::new();
    }
    let header = ["claim", "verdict", "measured (old)", "measured (new)"].map(str::to_owned);
    let line = |one: &Turned| {
        let name = match several {
            true => format!("{}: {}", one.ledger, one.id),
            false => one.id.to_owned(),
        };
        let value = |verdict: Option<&Verdict>| {
            verdict.map_or("-".to_owned(), |v| measured(v.measured, v.std_error))
        };
        let verdict = match one.sides {
            [Some(old), Some(new)] => format!("{} -> {}", old.verdict, new.verdict),
            [Some(old), None] => format!("{} -> (no such claim)", old.verdict),
            [None, Some(new)] => format!("(no such claim) -> {}", new.verdict),
            [None, None] => String::new(),
        };
        let [old, new] = one.sides;
        [name, verdict, value(old), value(new)]
    };
    std::iter::once(header)
        .chain(found.iter().map(line))
        .collect()
}

impl Turned<'_> {
    fn json(&self) -> Json {
        let side = |verdict: &Option<&Verdict>| {
            verdict.map(
                |v| json!({"verdict": v.verdict, "measured": v.measured, "std_error": v.std_error}),
            )
        };
        let [old, new] = &self.sides;
        json!({"ledger": self.ledger, "id": self.id, "old": side(old), "new": side(new)})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(id: &str, word: &str, measured: f64) -> Verdict {
        Verdict {
            id: id.to_owned(),
            measured: Some(measured),
            std_error: Some(0.01),
            verdict: word.to_owned(),
        }
    }

    #[test]
    fn verdicts_that_turned_have_both_values_and_others_are_counted() {
        let old = [
            verdict("same", "holds", 1.0),
            verdict("turned", "holds", 0.5),
            verdict("gone", "holds", 2.0),
        ];
        let new = [
            verdict("turned", "fails", 0.25),
            verdict("new", "holds", 3.0),
            verdict("same", "holds", 1.5),
        ];
        let (both, found) = between("claims", [&old, &new]);
        assert_eq!(both, 2);
        let lines: Vec<String> = table(&found, false).iter().map(|l| l.join("|")).collect();
        assert_eq!(
            lines,
            [
                "claim|verdict|measured (old)|measured (new)",
                "turned|holds -> fails|0.500 ± 0.010|0.250 ± 0.010",
                "gone|holds -> (no such claim)|2.000 ± 0.010|-",
                "new|(no such claim) -> holds|-|3.000 ± 0.010",
            ]
        );
        assert_eq!(found[0].json()["new"]["measured"], 0.25);
        assert_eq!(table(&found, true)[1][0], "claims: turned");
        assert!(table(&between("claims", [&old, &old]).1, false).is_empty());
    }
}
