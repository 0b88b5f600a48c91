//! Verb `claims` where the claims were not decided on this machine: the committed table of verdicts.

use crate::verbs::claims::verdicts::{ClaimsArgs, Line, Verdicts, compare, in_words, painted};
use crate::verbs::committed::{self, Committed};
use retrace::base::error::{Error, Result};
use retrace_cli::Session;
use retrace_cli::answers::answer;
use retrace_cli::terminal::{self, count};
use retrace_cli::typed::{self, quoted};
use tables::table::{Table, TableError};

/// A row of the table.
pub struct Verdict {
    pub id: String,
    pub statement: String,
    pub expected: String,
    pub measured: Option<f64>,
    pub std_error: Option<f64>,
    pub verdict: String,
    pub recorded: String,
    pub decided: String,
}

/// Prints the committed verdicts, or one of them, and says that nothing was computed.
///
/// # Errors
/// The table is none of claims, or there is no such claim.
pub fn show(session: &Session, stage: usize, table: &Committed, args: &ClaimsArgs) -> Result<u8> {
    let path = table.path.display();
    let command = format!(
        "`{}`",
        typed::command(&format!("run {}", quoted(session.id(stage))))
    );
    let wrong = |e: TableError| {
        let error = Error::failed(format!("{path} holds no verdicts: {e}"));
        error.hint(format!("{command} makes them"))
    };
    let all = rows(&table.bytes).map_err(wrong)?;
    let known: Vec<&str> = all.iter().map(|row| row.id.as_str()).collect();
    let asked = |row: &&Verdict| args.id.as_ref().is_none_or(|id| row.id == *id);
    let shown: Vec<&Verdict> = all.iter().filter(asked).collect();
    if let Some(id) = args.id.as_ref().filter(|_| shown.is_empty()) {
        let error = Error::config(format!("there is no claim `{id}`"));
        return Err(error.hint(format!("the claims are {}", known.join(", "))));
    }
    let as_lines: Vec<Line> = shown.iter().map(|row| row.line()).collect();
    terminal::print(&match (args.json, &args.id) {
        (true, _) => answer::text(&Verdicts { claims: &as_lines })?,
        (false, None) => in_words(&as_lines),
        (false, Some(_)) => shown.iter().map(|row| row.text()).collect(),
    });
    let selection = session.select(&[session.id(stage).to_owned()])?;
    let outdated = committed::outdated(&session.context()?, &selection)?;
    if !outdated.is_empty() {
        let (many, first) = (count(outdated.len(), "stage"), session.id(outdated[0]));
        terminal::warn(&format!(
            "these verdicts are out of date: {many} changed since, first {first}"
        ));
    }
    terminal::note(&format!(
        "as committed in {path}; nothing was computed here: {command} decides them anew"
    ));
    let pairs = shown
        .iter()
        .map(|row| (&*row.id, &*row.verdict, &*row.recorded));
    Ok(compare(pairs))
}

/// The rows of a table of verdicts.
///
/// # Errors
/// The table is none of verdicts.
pub fn rows(bytes: &[u8]) -> std::result::Result<Vec<Verdict>, TableError> {
    let table = Table::from_parquet(bytes)?;
    let text = |name: &str| table.texts(name).map(<[String]>::to_vec);
    let (ids, statements, expected) = (text("id")?, text("statement")?, text("expected")?);
    let (verdicts, recorded, decided) = (text("verdict")?, text("recorded")?, text("decided")?);
    let (measured, errors) = (table.floats("measured")?, table.floats("std_error")?);
    let known = |value: f64| (!value.is_nan()).then_some(value);
    let row = |row: usize| Verdict {
        id: ids[row].clone(),
        statement: statements[row].clone(),
        expected: expected[row].clone(),
        measured: known(measured[row]),
        std_error: known(errors[row]),
        verdict: verdicts[row].clone(),
        recorded: recorded[row].clone(),
        decided: decided[row].clone(),
    };
    Ok((0..table.rows()).map(row).collect())
}

impl Verdict {
    fn line(&self) -> Line<'_> {
        Line {
            id: &self.id,
            statement: &self.statement,
            expected: &self.expected,
            measured: self.measured,
            std_error: self.std_error,
            verdict: &self.verdict,
        }
    }

    fn text(&self) -> String {
        let value = crate::claims::print::measured(self.measured, self.std_error);
        format!(
            "{}: {} (recorded: {})\n  {}\n\n  expected  {}\n  measured  {value}\n  decided   {}\n",
            self.id,
            painted(&self.verdict),
            self.recorded,
            self.statement,
            self.expected,
            self.decided
        )
    }
}
