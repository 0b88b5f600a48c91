//! How two results of a stage compare that cannot give the same bytes everywhere, as on a GPU: tables by
//! their values, within a tolerance that pipeline.yaml declares; what is drawn from a table by that table.
//!
//! Reads CSV, and nothing else. Does not know which of two results is the recorded one, nor what follows.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// How an output compares with the recorded one.
#[derive(Clone, Debug, PartialEq)]
pub enum Basis {
    /// By the values of a table.
    Table(Tolerance),
    /// As another output of its stage, from which it follows.
    Like(String),
}

/// How far the values of a table may be apart. Rows and columns are the same, in the same order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tolerance {
    /// Columns of numbers that may differ.
    pub columns: BTreeMap<String, Within>,
    /// In so many rows, at most, any of the other columns may differ.
    pub differing_rows: usize,
}

/// Two numbers agree where `|a - b| <= absolute + relative * max(|a|, |b|)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Within {
    pub relative: f64,
    pub absolute: f64,
}

/// What a comparison within the tolerance came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deviation {
    /// The largest deviation in a column that has a tolerance, as a share of what is allowed there.
    pub largest: Option<Largest>,
    /// Rows in which another column differs, and all rows.
    pub differing_rows: usize,
    pub rows: usize,
}

/// Where two numbers are furthest apart, measured by what is allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Largest {
    pub column: String,
    /// From 1, without the header.
    pub row: usize,
    pub recorded: f64,
    pub found: f64,
    /// `|a - b| / max(|a|, |b|)`.
    pub relative: f64,
    share: f64,
}

impl Basis {
    /// In a word of a lock's line, where `NAME` is that of the output: `within:NAME(accuracy:r1e-6,rows:3)`
    /// of a table, `within:NAME(as:data)` of what goes with another. Blanks and signs are percent-encoded.
    pub fn word(&self, output: &str) -> String {
        let inside = match self {
            Basis::Like(other) => format!("as:{}", escaped(other)),
            Basis::Table(tolerance) => {
                let columns = tolerance.columns.iter();
                let columns =
                    columns.map(|(name, within)| format!("{}:{}", escaped(name), within.word()));
                let rows = format!("rows:{}", tolerance.differing_rows);
                columns.chain([rows]).collect::<Vec<_>>().join(",")
            }
        };
        format!("{WORD}{output}({inside})")
    }
}

/// Begins the word of a basis in a line of a lock.
pub const WORD: &str = "within:";

/// The output and the basis of a [`Basis::word`]; `None` of any other word.
pub fn read_word(word: &str) -> Option<(&str, Basis)> {
    let (output, inside) = word.strip_prefix(WORD)?.split_once('(')?;
    let parts = inside.strip_suffix(')')?.split(',');
    let mut tolerance = Tolerance::default();
    let mut rows = None;
    for part in parts {
        let (name, value) = part.split_once(':')?;
        // The last part tells of rows; a column may be called so, too.
        match (name, value.parse::<usize>()) {
            ("as", _) => {
                let basis = Basis::Like(unescaped(value)?);
                return (basis.word(output) == word).then_some((output, basis));
            }
            ("rows", Ok(number)) => rows = Some(number),
            _ => {
                let within = Within::read(value)?;
                tolerance.columns.insert(unescaped(name)?, within);
            }
        }
    }
    tolerance.differing_rows = rows?;
    let basis = Basis::Table(tolerance);
    // In one spelling: another is damage.
    (!output.is_empty() && basis.word(output) == word).then_some((output, basis))
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        bytes.push(u8::from_str_radix(rest.get(at + 1..at + 3)?, 16).ok()?);
        rest = &rest[at + 3..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' | ',' | ':' | '(' | ')' | '=' | '#' => {
                let _ = write!(out, "%{:02X}", u32::from(c));
            }
            c if c.is_whitespace() || c.is_control() => {
                for byte in c.to_string().bytes() {
                    let _ = write!(out, "%{byte:02X}");
                }
            }
            c => out.push(c),
        }
    }
    out
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let tolerance = match self {
            Basis::Like(other) => return write!(f, "as {other}"),
            Basis::Table(tolerance) => tolerance,
        };
        let columns = tolerance.columns.iter();
        let mut parts: Vec<String> = columns
            .map(|(name, within)| format!("{name} within {within}"))
            .collect();
        match tolerance.differing_rows {
            0 => {}
            1 => parts.push("otherwise 1 row may differ".into()),
            some => parts.push(format!("otherwise {some} rows may differ")),
        }
        f.write_str(&parts.join(", "))
    }
}

impl Tolerance {
    /// Compares two CSV tables.
    ///
    /// # Errors
    /// Why they do not agree, or cannot be compared.
    pub fn compare(&self, recorded: &[u8], found: &[u8]) -> Result<Deviation, String> {
        let (old, new) = (
            records(recorded).map_err(|e| format!("the recorded table cannot be read: {e}"))?,
            records(found).map_err(|e| format!("the new table cannot be read: {e}"))?,
        );
        let header = old.first().ok_or("the recorded table is empty")?;
        let other = new.first().ok_or("the new table is empty")?;
        if header != other {
            return Err(format!(
                "its columns are {}, recorded are {}",
                other.join(", "),
                header.join(", ")
            ));
        }
        if let Some(column) = self.columns.keys().find(|c| !header.contains(c)) {
            return Err(format!(
                "it has no column `{column}`, for which a tolerance is declared"
            ));
        }
        if old.len() != new.len() {
            let (old, new) = (old.len() - 1, new.len() - 1);
            return Err(format!("it has {new} rows, recorded are {old}"));
        }
        let mut deviation = Deviation {
            rows: old.len() - 1,
            ..Deviation::default()
        };
        for (row, (old, new)) in old.iter().zip(&new).enumerate().skip(1) {
            let mut differs = false;
            for ((name, a), b) in header.iter().zip(old).zip(new) {
                match self.columns.get(name) {
                    None => differs |= a != b,
                    Some(within) => {
                        let place = (name.as_str(), row);
                        if let Some(found) = within.compare(place, a, b)?
                            && deviation
                                .largest
                                .as_ref()
                                .is_none_or(|l| l.share < found.share)
                        {
                            deviation.largest = Some(found);
                        }
                    }
                }
            }
            deviation.differing_rows += usize::from(differs);
        }
        if deviation.differing_rows > self.differing_rows {
            return Err(format!(
                "{} of {} rows differ in columns without a tolerance, {} may",
                deviation.differing_rows, deviation.rows, self.differing_rows
            ));
        }
        Ok(deviation)
    }
}

impl Within {
    /// As `a1e-9r1e-6`: absolute, relative, or both.
    fn word(self) -> String {
        let mut text = String::new();
        if self.absolute > 0.0 {
            let _ = write!(text, "a{:e}", self.absolute);
        }
        if self.relative > 0.0 || self.absolute == 0.0 {
            let _ = write!(text, "r{:e}", self.relative);
        }
        text
    }

    fn read(word: &str) -> Option<Within> {
        let number = |text: &str| {
            text.parse::<f64>()
                .ok()
                .filter(|x| x.is_finite() && *x >= 0.0)
        };
        let (absolute, relative) = match word.split_once('r') {
            Some((absolute, relative)) => (absolute.strip_prefix('a'), Some(relative)),
            None => (Some(word.strip_prefix('a')?), None),
        };
        Some(Within {
            absolute: absolute.map_or(Some(0.0), number)?,
            relative: relative.map_or(Some(0.0), number)?,
        })
    }

    /// How far two cells are apart; `None` where they are written alike.
    fn compare(
        self,
        (column, row): (&str, usize),
        recorded: &str,
        found: &str,
    ) -> Result<Option<Largest>, String> {
        if recorded == found {
            return Ok(None);
        }
        let wrong = |why: String| {
            format!("column {column}, row {row}: {found} where {recorded} is recorded: {why}")
        };
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|x| x.is_finite());
        let (Some(a), Some(b)) = (number(recorded), number(found)) else {
            return Err(wrong("one of them is no number".into()));
        };
        let (apart, scale) = ((a - b).abs(), a.abs().max(b.abs()));
        let allowed = self.absolute + self.relative * scale;
        let relative = if apart == 0.0 { 0.0 } else { apart / scale };
        if apart > allowed {
            return Err(wrong(format!(
                "they are {apart:.1e} apart (relative {relative:.1e}), and {self} is allowed"
            )));
        }
        let share = if apart == 0.0 { 0.0 } else { apart / allowed };
        Ok(Some(Largest {
            column: column.to_owned(),
            row,
            recorded: a,
            found: b,
            relative,
            share,
        }))
    }
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Within { relative, absolute } = self;
        match (*absolute > 0.0, *relative > 0.0) {
            (true, true) => write!(f, "{absolute:e} + {relative:e} relative"),
            (true, false) => write!(f, "{absolute:e}"),
            (false, _) => write!(f, "{relative:e} relative"),
        }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.largest {
            None => write!(f, "within tolerance")?,
            Some(largest) => write!(
                f,
                "within tolerance, largest deviation {:.1e} (relative) in column {}, row {}",
                largest.relative, largest.column, largest.row
            )?,
        }
        match self.differing_rows {
            0 => Ok(()),
            some => write!(f, "; {some} of {} rows differ otherwise", self.rows),
        }
    }
}

/// The records of a CSV file; all have as many fields.
fn records(bytes: &[u8]) -> Result<Vec<Vec<String>>, csv::Error> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(bytes);
    let records = reader.records();
    records
        .map(|record| Ok(record?.iter().map(str::to_owned).collect()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tolerance(relative: f64, absolute: f64, differing_rows: usize) -> Tolerance {
        let within = Within { relative, absolute };
        Tolerance {
            columns: BTreeMap::from([("x".to_owned(), within)]),
            differing_rows,
        }
    }

    fn compared(tolerance: &Tolerance, a: &str, b: &str) -> Result<String, String> {
        let deviation = tolerance.compare(a.as_bytes(), b.as_bytes());
        deviation.map(|deviation| deviation.to_string())
    }

    #[test]
    fn numbers_agree_up_to_what_is_allowed_and_no_further() {
        let exact = tolerance(0.0, 0.0, 0);
        let table = |x: &str| format!("who,x\na,1\nb,{x}\n");
        assert_eq!(
            compared(&exact, &table("2"), &table("2")).as_deref(),
            Ok("within tolerance")
        );
        // The same number, written otherwise.
        assert!(compared(&exact, &table("2"), &table("2.0")).is_ok());
        assert!(compared(&exact, &table("2"), &table("2.000001")).is_err());
        let relative = tolerance(1e-6, 0.0, 0);
        assert_eq!(
            compared(&relative, &table("2"), &table("2.000001")).as_deref(),
            Ok("within tolerance, largest deviation 5.0e-7 (relative) in column x, row 2")
        );
        let error = compared(&relative, &table("2"), &table("2.00001")).unwrap_err();
        assert_eq!(
            error,
            "column x, row 2: 2.00001 where 2 is recorded: they are 1.0e-5 apart (relative 5.0e-6), and 1e-6 relative is allowed"
        );
        assert!(compared(&relative, &table("0"), &table("1e-300")).is_err());
        assert!(compared(&tolerance(0.0, 0.5, 0), &table("-0.25"), &table("0.25")).is_ok());
        assert!(compared(&tolerance(0.1, 0.5, 0), &table("10"), &table("11.6")).is_ok());
        for odd in ["NaN", "inf", "", "two", "-inf"] {
            assert!(
                compared(&tolerance(1.0, 1e300, 9), &table("2"), &table(odd)).is_err(),
                "{odd}"
            );
            assert!(compared(&exact, &table(odd), &table(odd)).is_ok(), "{odd}");
        }
    }

    #[test]
    fn the_largest_is_the_one_that_takes_most_of_what_is_allowed() {
        let mut both = tolerance(1e-3, 0.0, 0);
        both.columns.insert(
            "y".into(),
            Within {
                relative: 1e-1,
                absolute: 0.0,
            },
        );
        let (a, b) = ("x,y\n1000,1\n1000,1\n", "x,y\n1000.9,1\n1000,1.05\n");
        let words = compared(&both, a, b).unwrap();
        assert!(
            words.contains("9.0e-4 (relative) in column x, row 1"),
            "{words}"
        );
    }

    #[test]
    fn other_columns_may_differ_in_so_many_rows() {
        let (a, b) = ("who,x\na,1\nb,1\nc,1\n", "who,x\na,1\nB,1\nC,1\n");
        assert_eq!(
            compared(&tolerance(0.0, 0.0, 2), a, b).as_deref(),
            Ok("within tolerance; 2 of 3 rows differ otherwise")
        );
        let error = compared(&tolerance(0.0, 0.0, 1), a, b).unwrap_err();
        assert_eq!(
            error,
            "2 of 3 rows differ in columns without a tolerance, 1 may"
        );
    }

    #[test]
    fn other_tables_do_not_agree() {
        let any = tolerance(1.0, 1.0, 99);
        for (a, b, words) in [
            ("x\n1\n", "x\n1\n1\n", "2 rows, recorded are 1"),
            (
                "x,a\n1,1\n",
                "a,x\n1,1\n",
                "its columns are a, x, recorded are x, a",
            ),
            ("a\n1\n", "a\n1\n", "no column `x`"),
            ("", "x\n1\n", "recorded table is empty"),
            ("x\n1\n", "", "the new table is empty"),
            ("x,a\n1,1\n", "x,a\n1\n", "the new table cannot be read"),
            ("x\n\u{1}\n", "x\n1\n", "no number"),
        ] {
            let error = compared(&any, a, b).unwrap_err();
            assert!(error.contains(words), "{a:?} {b:?}: {error}");
        }
        assert!(any.compare(b"x\n1\n", b"x\n\xff\n").is_err());
    }

    #[test]
    fn a_word_reads_back() {
        let mut basis = tolerance(1e-6, 0.0, 3);
        let both = Within {
            relative: 0.5,
            absolute: 2.0,
        };
        let absolute = Within {
            relative: 0.0,
            absolute: 1e-9,
        };
        basis.columns.insert("a b,c".into(), both);
        basis.columns.insert("rows".into(), absolute);
        basis
            .columns
            .insert("\u{e4}\u{a0}".into(), Within::default());
        let basis = Basis::Table(basis);
        let word = basis.word("table");
        assert_eq!(
            word,
            "within:table(a%20b%2Cc:a2e0r5e-1,rows:a1e-9,x:r1e-6,\u{e4}%C2%A0:r0e0,rows:3)"
        );
        assert_eq!(read_word(&word), Some(("table", basis)));
        let like = Basis::Like("data".into());
        assert_eq!(like.word("svg"), "within:svg(as:data)");
        assert_eq!(read_word("within:svg(as:data)"), Some(("svg", like)));
        for word in [
            "within:",
            "within:a",
            "within:a()",
            "within:(rows:1)",
            "a=b#c",
            "within:a(rows:1",
            "within:a(x:r1e-6)",
            "within:a(x:1e-6,rows:1)",
            "within:a(x:r1,rows:1)",
            "within:a(x:r-1e0,rows:1)",
            "within:a(x:rinf,rows:1)",
            "within:a(rows:1,x:r1e0)",
            "within:a(x:r1e0,x:r2e0,rows:1)",
            "within:a(%2:r1e0,rows:1)",
            "within:a(as:)b)",
        ] {
            assert_eq!(read_word(word), None, "{word}");
        }
    }
}
