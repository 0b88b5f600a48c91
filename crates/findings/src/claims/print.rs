//! The ledger in words: tables for print and for programs, and one page of Markdown.
//!
//! Decided claims in, text out.

use crate::claims::check::shown;
use crate::claims::claim::{Checked, Decided};
use plots::latex::{self, Align};
use plots::number;
use std::fmt::Write as _;
use tables::table::{Column, Table, TableError};

/// The columns of the ledger.
pub const COLUMNS: [&str; 11] = [
    "id",
    "statement",
    "expected",
    "measured",
    "std_error",
    "verdict",
    "recorded",
    "units",
    "low",
    "high",
    "decided",
];

/// A row for each claim, its first check in it.
pub fn table(claims: &[Decided]) -> Result<Table, TableError> {
    let text = |part: &dyn Fn(&Decided) -> String| Column::Text(claims.iter().map(part).collect());
    let float = |part: &dyn Fn(&Decided) -> Option<f64>| {
        Column::Float(claims.iter().map(|c| part(c).unwrap_or(f64::NAN)).collect())
    };
    let units = claims
        .iter()
        .map(|claim| claim.checks[0].units.len() as i64);
    Table::new(vec![
        ("id", text(&|c| c.id.clone())),
        ("statement", text(&|c| c.statement.clone())),
        ("expected", text(&|c| c.expected.clone())),
        ("measured", float(&|c| c.measured)),
        ("std_error", float(&|c| c.std_error)),
        ("verdict", text(&|c| c.verdict.words().to_owned())),
        ("recorded", text(&|c| c.recorded.words().to_owned())),
        ("units", Column::Int(units.collect())),
        ("low", float(&|c| c.checks[0].interval.map(|i| i[0]))),
        ("high", float(&|c| c.checks[0].interval.map(|i| i[1]))),
        ("decided", text(&|c| c.checks[0].decided.clone())),
    ])
}

/// Value and standard error, in words.
pub fn measured(measured: Option<f64>, std_error: Option<f64>) -> String {
    match (measured, std_error) {
        (None, _) => "none".to_owned(),
        (Some(value), None) => shown(value),
        (Some(value), Some(error)) => {
            format!("{} ± {}", digits(value, error), digits(error, error))
        }
    }
}

/// `value` to two digits of its error.
fn digits(value: f64, error: f64) -> String {
    if error == 0.0 || !error.is_finite() {
        return shown(value);
    }
    let decimals = (1.0 - libm::floor(libm::log10(error))).clamp(0.0, 12.0) as usize;
    format!("{value:.decimals$}")
}

/// A column of a printed table, with the words above it.
pub fn column(words: &str, align: Align) -> latex::Column {
    let header = words.to_owned();
    latex::Column { header, align }
}

/// For LaTeX.
pub fn latex_table(claims: &[Decided]) -> latex::Table {
    let row = |claim: &Decided| {
        let value = match (claim.measured, claim.std_error) {
            (None, _) => String::new(),
            (Some(value), None) => shown(value),
            (Some(value), Some(error)) => number::with_error(value, error, 2),
        };
        vec![
            claim.id.clone(),
            in_signs(&claim.expected),
            value,
            claim.verdict.words().to_owned(),
        ]
    };
    latex::Table {
        columns: vec![
            column("Claim", Align::Left),
            column("Expected", Align::Left),
            column("Measured", Align::Decimal),
            column("Verdict", Align::Left),
        ],
        rows: claims.iter().map(row).collect(),
        ..latex::Table::default()
    }
}

/// What is expected, with signs in place of words.
fn in_signs(expected: &str) -> String {
    let text = expected
        .replace(" within ", " ± ")
        .replace(" - ", " \u{2212} ");
    match text.split_once(' ') {
        Some(("above", bound)) => format!("> {bound}"),
        Some(("below", bound)) => format!("< {bound}"),
        _ => text,
    }
}

/// All claims with all their checks.
pub fn markdown(claims: &[Decided]) -> String {
    let mut text =
        "| claim | expected | measured | verdict |\n| --- | --- | --- | --- |\n".to_owned();
    for claim in claims {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            claim.id,
            claim.expected,
            measured(claim.measured, claim.std_error),
            claim.verdict.words()
        );
    }
    for claim in claims {
        let _ = write!(
            text,
            "\n## {}: {}\n\n{}\n\nRefuted by: {}\n\n| quantity | expected | measured | interval | outcome |\n\
             | --- | --- | --- | --- | --- |\n",
            claim.id,
            claim.verdict.words(),
            claim.statement,
            claim.refuted_by
        );
        for check in &claim.checks {
            line(&mut text, "", check);
        }
        for check in &claim.shows {
            line(&mut text, "beside: ", check);
        }
        if let Some((words, paper)) = &claim.correction {
            line(&mut text, "the paper's value: ", paper);
            let _ = writeln!(text, "\nCorrection: {words}");
        }
    }
    text
}

fn line(text: &mut String, before: &str, check: &Checked) {
    let interval = check.interval.map_or_else(String::new, |[low, high]| {
        format!("{} to {}", shown(low), shown(high))
    });
    let outcome = check.outcome.word();
    let _ = writeln!(
        text,
        "| {before}{} | {} | {} | {interval} | {outcome} |",
        code(&check.quantity),
        check.expected,
        measured(check.measured, check.std_error)
    );
}

/// A quantity in a cell of Markdown, where a bar would end it.
fn code(quantity: &str) -> String {
    format!("`{}`", quantity.replace('|', "\\|"))
}
