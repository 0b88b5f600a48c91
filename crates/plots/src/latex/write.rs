//! The environments of a table.
//!
//! Does not know how its columns were fitted to a line.

use crate::error::ReportError;
use crate::latex::escape::escape;
use crate::latex::fit::{self, Part, Spec};
use crate::latex::numeral::Numeral;
use crate::latex::table::{Align, Column, Table, check};

/// A table with more lines breaks over pages, and cannot stand in a float.
const MOST_LINES: usize = 40;

const PACKAGES: &str = "% \\usepackage{array,booktabs,longtable,siunitx}\n";

/// What the parentheses of numbers mean, below a table that has any.
const PARENTHESES: &str = "In parentheses: one standard error, in units of the last digits.";

/// The environments of `table`: a `tabular`, or `longtable`s where it is long or too wide for a line.
///
/// # Errors
/// No columns, a row of another length, groups that do not add up.
pub fn latex(table: &Table) -> Result<String, ReportError> {
    check(table)?;
    let fit = fit::fit(table);
    let lines = fit.parts.iter().map(|part| part.lines(table)).max();
    let is_long = fit.parts.len() > 1 || lines > Some(MOST_LINES);
    let mut text = PACKAGES.to_owned();
    if fit.small {
        text += "\\begingroup\\footnotesize\\setlength{\\tabcolsep}{3pt}\n";
    }
    for part in &fit.parts {
        text += &environment(table, part, is_long);
    }
    // Below the table, where long ones wrap.
    for note in notes(table) {
        text += &format!(
            "\\par\\smallskip{{\\footnotesize {}\\par}}\n",
            escape(&note)
        );
    }
    if fit.small {
        text += "\\endgroup\n";
    }
    Ok(text)
}

/// One part of a table, or all of it.
fn environment(table: &Table, part: &Part, is_long: bool) -> String {
    let name = if is_long { "longtable" } else { "tabular" };
    let spec: String = part.specs.iter().map(Spec::text).collect();
    let mut text = format!("\\begin{{{name}}}{{{spec}}}\n\\toprule\n");
    text += &header(table, part);
    if is_long {
        text += "\\endhead\n";
    }
    for (at, row) in table.rows.iter().enumerate() {
        if at > 0 && table.rules_above.contains(&at) {
            text += "\\midrule\n";
        }
        let cells = part.columns.iter().zip(&part.specs);
        let cells: Vec<String> = cells.map(|(&at, spec)| cell(spec, &row[at])).collect();
        text += &format!("{} \\\\\n", cells.join(" & "));
    }
    text += "\\bottomrule\n";
    text + &format!("\\end{{{name}}}\n")
}

/// The lines above the rows, with the rule below them.
fn header(table: &Table, part: &Part) -> String {
    let mut text = String::new();
    if !part.groups.is_empty() {
        let (mut cells, mut rules, mut first) = (Vec::new(), String::new(), 1);
        for (header, span) in &part.groups {
            cells.push(over(*span, "c", &escape(header)));
            if !header.is_empty() {
                rules += &format!("\\cmidrule(lr){{{first}-{}}}", first + span - 1);
            }
            first += span;
        }
        text += &format!("{} \\\\\n", cells.join(" & "));
        if !rules.is_empty() {
            text += &format!("{rules}\n");
        }
    }
    if table.columns.iter().any(|column| !column.header.is_empty()) {
        let header = |(&at, spec): (&usize, &Spec)| {
            let words = escape(&table.columns[at].header);
            match spec {
                Spec::Number(_) => format!("{{{words}}}"),
                Spec::Plain(_) | Spec::Wrapped(_) => words,
            }
        };
        let cells: Vec<String> = part.columns.iter().zip(&part.specs).map(header).collect();
        text += &format!("{} \\\\\n", cells.join(" & "));
    }
    match text.is_empty() {
        true => text,
        false => text + "\\midrule\n",
    }
}

fn cell(spec: &Spec, text: &str) -> String {
    match (spec, Numeral::read(text)) {
        (Spec::Number(_), Some(numeral)) => numeral.text(),
        // Braces keep siunitx from reading it.
        (Spec::Number(_), None) if text.is_empty() => String::new(),
        (Spec::Number(_), None) => format!("{{{}}}", escape(text)),
        (Spec::Plain(_) | Spec::Wrapped(_), _) => escape(text),
    }
}

/// The notes of a table, and what its parentheses mean.
fn notes(table: &Table) -> Vec<String> {
    let has_error = |(column, cell): (&Column, &String)| {
        let numeral = Numeral::read(cell).filter(|_| column.align == Align::Decimal);
        numeral.is_some_and(|numeral| numeral.has_error())
    };
    let mut rows = table.rows.iter();
    let any = rows.any(|row| table.columns.iter().zip(row).any(has_error));
    let own = any.then(|| PARENTHESES.to_owned());
    table.notes.iter().cloned().chain(own).collect()
}

fn over(columns: usize, align: &str, text: &str) -> String {
    format!("\\multicolumn{{{columns}}}{{{align}}}{{{text}}}")
}
