//! Verdicts on claims as the command line shows them, wherever they are from.

use crate::claims::claim::Verdict;
use crate::claims::print::measured;
use anstyle::Style;
use clap::Args;
use retrace_cli::{Answer, Exit, exit, terminal};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Debug, Args)]
pub struct ClaimsArgs {
    /// Show one claim with all its evidence and the stages that it rests on
    pub id: Option<String>,
    /// Print a JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Show from git in which commits claims changed, and what pipeline.lock knew then
    #[arg(long)]
    pub history: bool,
}

/// The verdict on a claim differs from the recorded one.
pub const VERDICT: Exit = Exit {
    code: 4,
    short: "a verdict differs from the recorded one (claims)",
    meaning: "the verdict on a claim differs from the recorded one (claims)",
};

/// Claims with their verdicts, printed by `claims --json`; with a name that claim alone.
#[derive(Serialize, JsonSchema)]
pub struct Verdicts<'a> {
    /// In the order of pipeline.yaml.
    pub claims: &'a [Line<'a>],
}

/// A claim and its verdict: a line of the table.
#[derive(Serialize, JsonSchema)]
pub struct Line<'a> {
    pub id: &'a str,
    pub statement: &'a str,
    /// What is expected of the measured value, in words.
    pub expected: &'a str,
    /// Null where the claim is of no single value.
    pub measured: Option<f64>,
    pub std_error: Option<f64>,
    /// `holds`, `holds with a correction`, `fails` or `undecided`.
    pub verdict: &'a str,
}

impl Answer for Verdicts<'_> {
    const NAME: &'static str = "claims";
    const FORMAT: &'static str = "retrace claims 1";
}

/// A verdict in its colour.
pub fn painted(verdict: &str) -> String {
    const STYLES: [(Verdict, Style); 4] = [
        (Verdict::Holds, terminal::GOOD),
        (Verdict::HoldsWithCorrection, terminal::ASIDE),
        (Verdict::Fails, terminal::BAD),
        (Verdict::Undecided, terminal::CARE),
    ];
    let style = STYLES.iter().find(|(known, _)| known.words() == verdict);
    style.map_or(verdict.to_owned(), |(_, style)| {
        terminal::paint(*style, verdict)
    })
}

/// The table of verdicts.
pub fn in_words(claims: &[Line]) -> String {
    let rows: Vec<[String; 3]> = claims
        .iter()
        .map(|claim| {
            let value = measured(claim.measured, claim.std_error);
            [claim.id.to_owned(), claim.expected.to_owned(), value]
        })
        .collect();
    let header = ["claim", "expected", "measured"];
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0).max(header[column].len())
    };
    let widths = [width(0), width(1), width(2)];
    let line = |cells: [&str; 3], verdict: &str| {
        let [a, b, c] = cells;
        let [x, y, z] = widths;
        format!("{a:x$}  {b:y$}  {c:z$}  {verdict}\n")
    };
    let mut text = line(header, "verdict");
    for (row, claim) in rows.iter().zip(claims) {
        text += &line([&row[0], &row[1], &row[2]], &painted(claim.verdict));
    }
    text
}

/// The exit code for verdicts and the recorded ones, each with its claim's id; warns of each that turned.
pub fn compare<'a>(verdicts: impl Iterator<Item = (&'a str, &'a str, &'a str)>) -> u8 {
    let mut code = exit::OK;
    for (id, verdict, recorded) in verdicts.filter(|(_, verdict, recorded)| verdict != recorded) {
        terminal::warn(&format!(
            "{id}: {verdict}, but pipeline.yaml records: {recorded}"
        ));
        code = VERDICT.code;
    }
    code
}
