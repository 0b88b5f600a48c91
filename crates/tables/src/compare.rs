//! Where two versions of one file differ: by value where the format is known, else by line or byte.
//!
//! The difference of two numbers is given in ulps, units in the last place: how many doubles lie
//! between them. Knows formats by the ending of the file's name, not what the values mean.

use crate::table::{Column, Table};
use serde::Serialize;
use serde_json::Value as Json;
use std::fmt;

/// Where and how much two files differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Difference {
    /// Tables of the same columns.
    Cells {
        /// The first that differs, row by row; `None` when one table only has more rows.
        first: Option<Cell>,
        differing: usize,
        cells: usize,
        /// Over all pairs of numbers; `None` where no two numbers differ.
        largest_ulps: Option<u64>,
        rows: Pair<usize>,
    },
    /// Tables of other columns, as `name: type`.
    Columns(Pair<Vec<String>>),
    /// JSON values.
    Json {
        /// Keys and positions with dots between them; `$` is the whole document.
        path: String,
        #[serde(flatten)]
        values: Pair<String>,
        ulps: Option<u64>,
        /// Values without values below them that differ.
        differing: usize,
        largest_ulps: Option<u64>,
    },
    /// Text: a line, from 1, and the part of it around the first character that differs.
    Line {
        line: usize,
        #[serde(flatten)]
        text: Pair<Option<String>>,
    },
    /// Anything else: the first byte that differs, from 0.
    Byte {
        offset: usize,
        #[serde(flatten)]
        byte: Pair<Option<u8>>,
        size: Pair<usize>,
        /// The format is known, and all values are equal.
        equal_values: bool,
    },
}

/// What was expected, and what was found in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pair<T> {
    pub expected: T,
    pub found: T,
}

/// A value of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// From 0, as pandas and polars count.
    pub row: usize,
    pub column: String,
    #[serde(flatten)]
    pub values: Pair<String>,
    /// `None` for text, integers and a missing number.
    pub ulps: Option<u64>,
}

/// Endings of files that are lines of text.
const TEXT: [&str; 8] = ["csv", "html", "md", "svg", "tex", "txt", "xml", "yaml"];

/// Where `found` differs from `expected`; `None` when they are equal. `ending` is that of the file's
/// name, such as `parquet`.
pub fn compare(expected: &[u8], found: &[u8], ending: &str) -> Option<Difference> {
    let offset = first_difference(expected, found)?;
    let by_value = match ending {
        "parquet" => by_cells(expected, found),
        "json" => by_json(expected, found),
        ending if TEXT.contains(&ending) => ByValue::from(by_lines(expected, found)),
        _ => ByValue::Unknown,
    };
    Some(match by_value {
        ByValue::Different(difference) => difference,
        other => Difference::Byte {
            offset,
            byte: Pair {
                expected: expected.get(offset).copied(),
                found: found.get(offset).copied(),
            },
            size: Pair {
                expected: expected.len(),
                found: found.len(),
            },
            equal_values: matches!(other, ByValue::Equal),
        },
    })
}

/// How many doubles lie between two numbers, one of them counted; `None` when one is NaN.
pub fn ulps(a: f64, b: f64) -> Option<u64> {
    // The bits of doubles, negative ones mirrored, are in the order of the doubles.
    let ordered = |x: f64| {
        let bits = x.to_bits().cast_signed();
        if bits < 0 {
            i64::MIN.wrapping_sub(bits)
        } else {
            bits
        }
    };
    let known = !a.is_nan() && !b.is_nan();
    known.then(|| ordered(a).abs_diff(ordered(b)))
}

enum ByValue {
    Different(Difference),
    Equal,
    /// One of the files is not what its ending says.
    Unknown,
}

impl From<Option<Difference>> for ByValue {
    fn from(difference: Option<Difference>) -> Self {
        difference.map_or(ByValue::Unknown, ByValue::Different)
    }
}

fn first_difference<T: PartialEq>(a: &[T], b: &[T]) -> Option<usize> {
    match a.iter().zip(b).position(|(a, b)| a != b) {
        None if a.len() == b.len() => None,
        None => Some(a.len().min(b.len())),
        found => found,
    }
}

/// The larger of two differences, where there are any.
fn larger(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.max(b)
}

fn by_cells(expected: &[u8], found: &[u8]) -> ByValue {
    let (Ok(expected), Ok(found)) = (Table::from_parquet(expected), Table::from_parquet(found))
    else {
        return ByValue::Unknown;
    };
    let headers = Pair {
        expected: headers(&expected),
        found: headers(&found),
    };
    if headers.expected != headers.found {
        return ByValue::Different(Difference::Columns(headers));
    }
    let rows = Pair {
        expected: expected.rows(),
        found: found.rows(),
    };
    let (mut first, mut differing, mut largest_ulps) = (None, 0, None);
    let pairs: Vec<_> = expected.columns().iter().zip(found.columns()).collect();
    let common = rows.expected.min(rows.found);
    for row in 0..common {
        for ((name, a), (_, b)) in &pairs {
            let Some(ulps) = differ(a, b, row) else {
                continue;
            };
            differing += 1;
            largest_ulps = larger(largest_ulps, ulps);
            first.get_or_insert_with(|| Cell {
                row,
                column: name.clone(),
                values: Pair {
                    expected: shown(a, row),
                    found: shown(b, row),
                },
                ulps,
            });
        }
    }
    if differing == 0 && rows.expected == rows.found {
        return ByValue::Equal;
    }
    ByValue::Different(Difference::Cells {
        first,
        differing,
        cells: common * pairs.len(),
        largest_ulps,
        rows,
    })
}

fn headers(table: &Table) -> Vec<String> {
    let header = |(name, column): &(String, Column)| {
        let kind = match column {
            Column::Text(_) => "text",
            Column::Int(_) => "integer",
            Column::Float(_) => "float",
        };
        format!("{name}: {kind}")
    };
    table.columns().iter().map(header).collect()
}

/// `None` when two columns have the same value in a row, else the ulps where they have a meaning.
fn differ(a: &Column, b: &Column, row: usize) -> Option<Option<u64>> {
    match (a, b) {
        (Column::Text(a), Column::Text(b)) => (a[row] != b[row]).then_some(None),
        (Column::Int(a), Column::Int(b)) => (a[row] != b[row]).then_some(None),
        (Column::Float(a), Column::Float(b)) => {
            let (a, b) = (a[row], b[row]);
            let same = a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
            (!same).then(|| ulps(a, b))
        }
        _ => Some(None),
    }
}

fn shown(column: &Column, row: usize) -> String {
    match column {
        Column::Text(values) => clipped(&format!("{:?}", values[row])),
        Column::Float(values) if values[row].is_nan() => "missing".into(),
        _ => column.text(row),
    }
}

fn by_json(expected: &[u8], found: &[u8]) -> ByValue {
    let read = serde_json::from_slice::<Json>;
    let (Ok(expected), Ok(found)) = (read(expected), read(found)) else {
        return by_lines(expected, found).into();
    };
    let mut walk = Walk::default();
    walk.compare(Some(&expected), Some(&found));
    match walk.first {
        None => ByValue::Equal,
        Some((path, values, ulps)) => ByValue::Different(Difference::Json {
            path,
            values,
            ulps,
            differing: walk.differing,
            largest_ulps: walk.largest_ulps,
        }),
    }
}

/// Goes through two JSON values side by side.
#[derive(Default)]
struct Walk {
    path: Vec<String>,
    first: Option<(String, Pair<String>, Option<u64>)>,
    differing: usize,
    largest_ulps: Option<u64>,
}

impl Walk {
    fn compare(&mut self, expected: Option<&Json>, found: Option<&Json>) {
        match (expected, found) {
            (Some(Json::Object(a)), Some(Json::Object(b))) => {
                let more = b.keys().filter(|key| !a.contains_key(*key));
                for key in a.keys().chain(more) {
                    self.below(key.clone(), a.get(key), b.get(key));
                }
            }
            (Some(Json::Array(a)), Some(Json::Array(b))) => {
                for index in 0..a.len().max(b.len()) {
                    self.below(index.to_string(), a.get(index), b.get(index));
                }
            }
            (Some(a), Some(b)) if is_same(a, b) => {}
            (a, b) => self.found(a, b),
        }
    }

    fn below(&mut self, step: String, expected: Option<&Json>, found: Option<&Json>) {
        self.path.push(step);
        self.compare(expected, found);
        self.path.pop();
    }

    fn found(&mut self, expected: Option<&Json>, found: Option<&Json>) {
        let number = |value: Option<&Json>| value.and_then(Json::as_f64);
        let ulps = match (number(expected), number(found)) {
            (Some(a), Some(b)) => ulps(a, b),
            _ => None,
        };
        self.differing += 1;
        self.largest_ulps = larger(self.largest_ulps, ulps);
        let text = |value: Option<&Json>| {
            value.map_or_else(|| "absent".into(), |value| clipped(&value.to_string()))
        };
        let path = &self.path;
        self.first.get_or_insert_with(|| {
            let path = if path.is_empty() {
                "$".to_owned()
            } else {
                path.join(".")
            };
            let values = Pair {
                expected: text(expected),
                found: text(found),
            };
            (path, values, ulps)
        });
    }
}

/// Whether two values without values below them are the same; -0 is not 0.
fn is_same(a: &Json, b: &Json) -> bool {
    let sign = |value: &Json| value.as_f64().map(f64::is_sign_negative);
    a == b && sign(a) == sign(b)
}

fn by_lines(expected: &[u8], found: &[u8]) -> Option<Difference> {
    let expected: Vec<&str> = std::str::from_utf8(expected).ok()?.split('\n').collect();
    let found: Vec<&str> = std::str::from_utf8(found).ok()?.split('\n').collect();
    let index = first_difference(&expected, &found)?;
    let (a, b) = (expected.get(index).copied(), found.get(index).copied());
    let characters = |line: Option<&str>| line.unwrap_or_default().chars().collect::<Vec<_>>();
    let at = first_difference(&characters(a), &characters(b)).unwrap_or(0);
    let around = |line: Option<&str>| line.map(|line| excerpt(line, at));
    Some(Difference::Line {
        line: index + 1,
        text: Pair {
            expected: around(a),
            found: around(b),
        },
    })
}

/// Characters shown of a long text.
const SHOWN: usize = 80;

fn clipped(text: &str) -> String {
    excerpt(text, 0)
}

/// The part of a long line around a character.
fn excerpt(line: &str, at: usize) -> String {
    let length = line.chars().count();
    let start = if length > SHOWN {
        at.saturating_sub(SHOWN / 3)
    } else {
        0
    };
    let mut text: String = line.chars().skip(start).take(SHOWN).collect();
    if start > 0 {
        text.insert_str(0, "...");
    }
    if start + SHOWN < length {
        text.push_str("...");
    }
    text
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let by = |ulps: &Option<u64>| match ulps {
            Some(1) => ", 1 ulp apart".to_owned(),
            Some(ulps) => format!(", {ulps} ulps apart"),
            None => String::new(),
        };
        let largest = |ulps: &Option<u64>| match ulps {
            Some(ulps) => format!("; largest difference {ulps} ulps"),
            None => String::new(),
        };
        match self {
            Difference::Cells {
                first,
                differing,
                cells,
                largest_ulps,
                rows,
            } => {
                if rows.expected != rows.found {
                    write!(f, "{} rows expected, {} found", rows.expected, rows.found)?;
                }
                let Some(cell) = first else { return Ok(()) };
                if rows.expected != rows.found {
                    f.write_str("; ")?;
                }
                let Pair { expected, found } = &cell.values;
                write!(
                    f,
                    "row {} (from 0), column {}: expected {expected}, found {found}{}; {differing} of {cells} values differ{}",
                    cell.row,
                    cell.column,
                    by(&cell.ulps),
                    largest(largest_ulps),
                )
            }
            Difference::Columns(Pair { expected, found }) => write!(
                f,
                "columns {} expected, {} found",
                expected.join(", "),
                found.join(", ")
            ),
            Difference::Json {
                path,
                values: Pair { expected, found },
                ulps,
                differing,
                largest_ulps,
            } => write!(
                f,
                "{path}: expected {expected}, found {found}{}; {differing} values differ{}",
                by(ulps),
                largest(largest_ulps),
            ),
            Difference::Line { line, text } => {
                let shown = |text: &Option<String>| match text {
                    Some(text) => format!("`{text}`"),
                    None => "the end of the file".to_owned(),
                };
                let (expected, found) = (shown(&text.expected), shown(&text.found));
                write!(f, "line {line}: expected {expected}, found {found}")
            }
            Difference::Byte {
                offset,
                byte,
                size,
                equal_values,
            } => {
                if *equal_values {
                    f.write_str("all values are equal, but not how they are written: ")?;
                }
                let shown = |byte: Option<u8>| match byte {
                    Some(byte) => format!("0x{byte:02x}"),
                    None => "the end of the file".to_owned(),
                };
                write!(
                    f,
                    "byte {offset} (from 0): expected {}, found {} ({} bytes expected, {} found)",
                    shown(byte.expected),
                    shown(byte.found),
                    size.expected,
                    size.found,
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(values: Vec<f64>) -> Vec<u8> {
        let names = values.iter().map(|_| "m".to_owned()).collect();
        let columns = vec![("model", Column::Text(names)), ("e", Column::Float(values))];
        Table::new(columns).unwrap().to_parquet().unwrap()
    }

    fn said(expected: &[u8], found: &[u8], ending: &str) -> String {
        compare(expected, found, ending).unwrap().to_string()
    }

    #[test]
    fn ulps_count_doubles() {
        assert_eq!(ulps(1.0, 1.0 + f64::EPSILON), Some(1));
        assert_eq!(ulps(0.0, -0.0), Some(0));
        assert_eq!(ulps(f64::from_bits(3), -f64::from_bits(4)), Some(7));
        assert_eq!(ulps(f64::MAX, f64::INFINITY), Some(1));
        assert!(ulps(-f64::MAX, f64::MAX).unwrap() > 1 << 63);
        assert_eq!(ulps(1.0, f64::NAN), None);
    }

    #[test]
    fn a_table_says_the_first_cell_and_the_largest_difference() {
        let expected = table(vec![1.0, 2.0, 3.0, f64::NAN]);
        let found = table(vec![1.0, 2.0 + 2.0 * f64::EPSILON, 3.5, f64::NAN]);
        assert_eq!(
            said(&expected, &found, "parquet"),
            "row 1 (from 0), column e: expected 2, found 2.0000000000000004, 1 ulp apart; \
             2 of 8 values differ; largest difference 1125899906842624 ulps"
        );
        assert_eq!(
            said(&table(vec![1.0]), &table(vec![f64::NAN]), "parquet"),
            "row 0 (from 0), column e: expected 1, found missing; 1 of 2 values differ"
        );
        assert_eq!(
            said(&table(vec![1.0]), &table(vec![1.0, 2.0]), "parquet"),
            "1 rows expected, 2 found"
        );
        let other = Table::new(vec![("e", Column::Int(vec![1]))]).unwrap();
        assert_eq!(
            said(&table(vec![1.0]), &other.to_parquet().unwrap(), "parquet"),
            "columns model: text, e: float expected, e: integer found"
        );
        assert_eq!(compare(&expected, &expected, "parquet"), None);
        assert!(said(&expected, b"PAR1 damaged", "parquet").starts_with("byte 4 (from 0)"));
    }

    #[test]
    fn json_says_the_path() {
        let expected = br#"{"a": [1.0, {"b": 0.1}], "c": "x"}"#;
        let found = br#"{"a": [1.0, {"b": 0.10000000000000002}], "c": "y"}"#;
        assert_eq!(
            said(expected, found, "json"),
            "a.1.b: expected 0.1, found 0.10000000000000002, 1 ulp apart; 2 values differ; \
             largest difference 1 ulps"
        );
        assert!(said(b"[1]", b"[1, 2]", "json").starts_with("1: expected absent, found 2"));
        assert!(said(b"1", b"1.0", "json").starts_with("$: expected 1, found 1.0, 0 ulps"));
        assert!(said(b"0.0", b"-0.0", "json").starts_with("$: expected 0.0, found -0.0, 0 ulps"));
        assert!(said(b"[1]", b"[1]\n", "json").starts_with("all values are equal, but"));
        assert!(said(b"[1]", b"[1", "json").starts_with("line 1: expected `[1]`"));
    }

    #[test]
    fn text_says_the_line_and_anything_else_the_byte() {
        assert_eq!(
            said(b"a\nb\nc\n", b"a\nB\nc\n", "csv"),
            "line 2: expected `b`, found `B`"
        );
        assert_eq!(
            said(b"a\n", b"a", "svg"),
            "line 2: expected ``, found the end of the file"
        );
        let long = |c: &str| format!("{}{c}{}", "x".repeat(500), "y".repeat(500));
        let text = said(long("1").as_bytes(), long("2").as_bytes(), "svg");
        assert!(
            text.contains("x1y") && text.contains("x2y") && text.len() < 250,
            "{text}"
        );
        assert_eq!(
            said(b"\x89PNG1", b"\x89PNG", "png"),
            "byte 4 (from 0): expected 0x31, found the end of the file (5 bytes expected, 4 found)"
        );
    }
}
