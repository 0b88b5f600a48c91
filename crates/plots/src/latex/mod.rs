//! A table as a LaTeX fragment for the booktabs package, which is all that it needs.
//!
//! Knows nothing of what the cells mean: they are plain text, escaped here.

use crate::error::ReportError;
use crate::number::MINUS;
use serde::{Deserialize, Serialize};

/// A table; every row has one cell for each column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Table {
    pub columns: Vec<Column>,
    /// A line above the headers with words over several columns; spans add up to the columns.
    pub groups: Vec<Group>,
    pub rows: Vec<Vec<String>>,
    /// A thin rule goes above each of these rows.
    pub rules_above: Vec<usize>,
    /// Small print below.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Column {
    pub header: String,
    pub align: Align,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    #[default]
    Left,
    Center,
    Right,
    /// Numbers by their decimal points; other words are centred.
    Decimal,
}

/// Words over `span` columns; none leave the place free.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    #[serde(default)]
    pub header: String,
    pub span: usize,
}

/// The `tabular` environment of `table`.
///
/// Errors: no columns, a row of another length, groups that do not add up.
pub fn latex(table: &Table) -> Result<String, ReportError> {
    check(table)?;
    let spec = |column: &Column| match column.align {
        Align::Left => "l",
        Align::Center => "c",
        Align::Right => "r",
        // Two columns that touch: the whole part, and the point with what follows.
        Align::Decimal => "r@{}l",
    };
    let spec: String = table.columns.iter().map(spec).collect();
    let mut text = format!("\\begin{{tabular}}{{{spec}}}\n\\toprule\n");
    if !table.groups.is_empty() {
        text += &groups(table);
    }
    if table.columns.iter().any(|column| !column.header.is_empty()) {
        let header = |column: &Column| match column.align {
            Align::Decimal => over(2, "c", &escape(&column.header)),
            Align::Left | Align::Center | Align::Right => escape(&column.header),
        };
        let cells: Vec<String> = table.columns.iter().map(header).collect();
        text += &format!("{} \\\\\n\\midrule\n", cells.join(" & "));
    } else if !table.groups.is_empty() {
        text += "\\midrule\n";
    }
    for (at, row) in table.rows.iter().enumerate() {
        if at > 0 && table.rules_above.contains(&at) {
            text += "\\midrule\n";
        }
        let cells = table.columns.iter().zip(row);
        let cells: Vec<String> = cells
            .map(|(column, cell)| self::cell(column.align, cell))
            .collect();
        text += &format!("{} \\\\\n", cells.join(" & "));
    }
    text += "\\bottomrule\n";
    let width: usize = table.columns.iter().map(tex_columns).sum();
    for note in &table.notes {
        let note = format!("\\footnotesize {}", escape(note));
        text += &format!("{} \\\\\n", over(width, "l", &note));
    }
    text += "\\end{tabular}\n";
    Ok(text)
}

/// Plain text as LaTeX text: its special characters, and the Unicode of this project's labels.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut formula = String::new();
    for c in text.chars() {
        if let Some(math) = math(c) {
            // Neighbours make one formula: "10⁻³" gets one exponent, "θ₀" one subscript.
            let raises = ["^{", "_{"].iter().any(|mark| {
                math.starts_with(mark) && formula.ends_with('}') && formula.contains(mark)
            });
            match raises {
                true => {
                    formula.pop();
                    formula += &math[2..];
                }
                false => formula += &math,
            }
            continue;
        }
        close(&mut out, &mut formula);
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            '\\' => out += "\\textbackslash{}",
            '~' => out += "\\textasciitilde{}",
            '^' => out += "\\textasciicircum{}",
            _ if c.is_control() => out.push(' '),
            _ => out.push(c),
        }
    }
    close(&mut out, &mut formula);
    out
}

fn close(out: &mut String, formula: &mut String) {
    if !formula.is_empty() {
        *out += &format!("${}$", formula.trim_end());
        formula.clear();
    }
}

/// LaTeX math for one character, of those that plain LaTeX text lacks.
fn math(c: char) -> Option<String> {
    let raised = "⁰¹²³⁴⁵⁶⁷⁸⁹";
    let lowered = "₀₁₂₃₄₅₆₇₈₉";
    if let Some(digit) = raised.chars().position(|other| other == c) {
        return Some(format!("^{{{digit}}}"));
    }
    if let Some(digit) = lowered.chars().position(|other| other == c) {
        return Some(format!("_{{{digit}}}"));
    }
    let word = match c {
        MINUS => "-",
        '<' => "<",
        '>' => ">",
        '|' => "|",
        '⁻' => "^{-}",
        '×' => "\\times ",
        '±' => "\\pm ",
        '∞' => "\\infty ",
        '≤' => "\\le ",
        '≥' => "\\ge ",
        '≈' => "\\approx ",
        '→' => "\\to ",
        '·' => "\\cdot ",
        '★' => "\\star ",
        '√' => "\\surd ",
        '‖' => "\\Vert ",
        'α' => "\\alpha ",
        'β' => "\\beta ",
        'ε' => "\\varepsilon ",
        'θ' => "\\theta ",
        'κ' => "\\kappa ",
        'λ' => "\\lambda ",
        'μ' => "\\mu ",
        'σ' => "\\sigma ",
        'Σ' => "\\Sigma ",
        _ => return None,
    };
    Some(word.to_string())
}

fn check(table: &Table) -> Result<(), ReportError> {
    let count = table.columns.len();
    if count == 0 {
        return Err(ReportError::Table("has no columns".to_string()));
    }
    for (at, row) in table.rows.iter().enumerate() {
        if row.len() != count {
            let cells = row.len();
            let problem = format!("has {cells} cells in row {}, not {count}", at + 1);
            return Err(ReportError::Table(problem));
        }
    }
    let spans: Vec<usize> = table.groups.iter().map(|group| group.span).collect();
    if !spans.is_empty() && (spans.contains(&0) || spans.iter().sum::<usize>() != count) {
        let problem = format!("has header groups over {spans:?} columns, but {count} columns");
        return Err(ReportError::Table(problem));
    }
    Ok(())
}

fn groups(table: &Table) -> String {
    let (mut cells, mut rules) = (Vec::new(), String::new());
    let (mut column, mut tex_column) = (0, 1);
    for group in &table.groups {
        let covered = &table.columns[column..column + group.span];
        let width: usize = covered.iter().map(tex_columns).sum();
        cells.push(over(width, "c", &escape(&group.header)));
        if !group.header.is_empty() {
            let last = tex_column + width - 1;
            rules += &format!("\\cmidrule(lr){{{tex_column}-{last}}}");
        }
        column += group.span;
        tex_column += width;
    }
    let rules = if rules.is_empty() {
        rules
    } else {
        rules + "\n"
    };
    format!("{} \\\\\n{rules}", cells.join(" & "))
}

fn cell(align: Align, text: &str) -> String {
    if align != Align::Decimal {
        return escape(text);
    }
    let digits = text.strip_prefix([MINUS, '-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return over(2, "c", &escape(text));
    }
    // A hyphen before a digit is a minus sign.
    let text = match text.strip_prefix('-') {
        Some(rest) => format!("{MINUS}{rest}"),
        None => text.to_string(),
    };
    let point = text
        .char_indices()
        .find(|(_, c)| !(c.is_ascii_digit() || *c == MINUS || *c == '+'));
    let (whole, rest) = text.split_at(point.map_or(text.len(), |(at, _)| at));
    format!("{} & {}", escape(whole), escape(rest))
}

fn tex_columns(column: &Column) -> usize {
    if column.align == Align::Decimal { 2 } else { 1 }
}

fn over(columns: usize, align: &str, text: &str) -> String {
    format!("\\multicolumn{{{columns}}}{{{align}}}{{{text}}}")
}

#[cfg(test)]
mod tests {
    use crate::latex::escape;

    #[test]
    fn special_characters_are_escaped() {
        assert_eq!(escape("50 % of a_b & c"), "50 \\% of a\\_b \\& c");
        assert_eq!(escape("−1.5×10⁻³"), "$-$1.5$\\times$10$^{-3}$");
        assert_eq!(escape("θ₀"), "$\\theta _{0}$");
        // A dollar sign beside a formula stays one.
        assert_eq!(escape("$−$"), "\\$$-$\\$");
        assert_eq!(escape("\\{x}"), "\\textbackslash{}\\{x\\}");
    }
}
