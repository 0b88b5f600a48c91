//! Rows of a panel: the different values of a text column, from the top down, in place of numbers on
//! its y axis; or those that are listed, with names of their own.
//!
//! Knows places and words of rows. Does not know what is drawn on them.

use crate::figure::query::tables::Tables;
use plots::color::Color;
use plots::figure::{Axis, Dash, Guide, GuideLine, Line, Point};
use retrace::base::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tables::table::Column;

/// Points of a line across a row; the first of them is its middle.
pub const CROSSING: usize = 4;

const SEPARATOR: Color = Color::new(0xDD, 0xDD, 0xDD);

/// Where the rows come from.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowColumns {
    /// Label of an input of the role `tables`.
    pub table: String,
    /// The column that tells rows apart; series have it as their `y`.
    pub key: String,
    /// Columns whose text, where there is any, makes the lines of a row's name.
    #[serde(default)]
    pub lines: Vec<String>,
    /// Instead: which rows there are, from the top down, and what stands beside them.
    #[serde(default)]
    pub named: Vec<NamedRow>,
}

/// A row with its name in print.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedRow {
    /// A value of the column `key`.
    pub row: String,
    pub name: String,
}

impl RowColumns {
    /// What the params alone tell; `path` is where they stand.
    ///
    /// # Errors
    /// Names from two places, or from none; a row that stands twice.
    pub fn check(&self, path: &str) -> std::result::Result<(), String> {
        match (self.lines.is_empty(), self.named.is_empty()) {
            (true, true) => Err(format!(
                "{path}: nothing names the rows: write `lines` or `named`"
            )),
            (false, false) => Err(format!(
                "{path}.named: `lines` name the rows too: leave one of them out"
            )),
            _ => {
                let before = |at: usize| self.named[..at].iter();
                let twice = self.named.iter().enumerate();
                let mut twice = twice.filter(|(at, named)| before(*at).any(|n| n.row == named.row));
                twice.next().map_or(Ok(()), |(at, named)| {
                    Err(format!(
                        "{path}.named.{at}: the row `{}` stands there already",
                        named.row
                    ))
                })
            }
        }
    }
}

/// The rows of one panel: row i of k lies at y = k - 1 - i and is one high.
pub struct FigureRows {
    keys: Vec<String>,
    names: Vec<String>,
}

impl FigureRows {
    /// Rows in the order of the table, with the name of their first entry; or those that are listed.
    ///
    /// # Errors
    /// A table, column or listed row that does not exist; `path` is where they are named.
    pub fn read(columns: &RowColumns, tables: &Tables, path: &str) -> Result<Self> {
        let named = tables.find(&columns.table, &format!("{path}.table"))?;
        let key = named.column(&columns.key, &format!("{path}.key"))?;
        if !columns.named.is_empty() {
            let known: Vec<String> = (0..named.table.rows()).map(|row| key.text(row)).collect();
            for (at, wanted) in columns.named.iter().enumerate() {
                if !known.contains(&wanted.row) {
                    let path = format!("{path}.named.{at}.row");
                    let all: Vec<usize> = (0..known.len()).collect();
                    return Err(named.absent((&columns.key, &wanted.row), (&all, ""), &path));
                }
            }
            let of =
                |part: fn(&NamedRow) -> &String| columns.named.iter().map(part).cloned().collect();
            return Ok(FigureRows {
                keys: of(|named| &named.row),
                names: of(|named| &named.name),
            });
        }
        let lines = columns.lines.iter().enumerate();
        let lines = lines.map(|(at, line)| named.column(line, &format!("{path}.lines.{at}")));
        let lines: Vec<&Column> = lines.collect::<Result<_>>()?;
        let table = named.table;
        let mut rows = FigureRows {
            keys: Vec::new(),
            names: Vec::new(),
        };
        for row in 0..table.rows() {
            let value = key.text(row);
            if rows.keys.contains(&value) {
                continue;
            }
            let words = lines.iter().map(|line| line.text(row));
            let words: Vec<String> = words.filter(|words| !words.is_empty()).collect();
            rows.keys.push(value);
            rows.names.push(words.join("\n"));
        }
        Ok(rows)
    }

    /// The y axis, with a tick and a name for each row.
    pub fn axis(&self, axis: &Axis) -> Axis {
        let count = self.keys.len();
        Axis {
            range: Some([-0.5, count.max(1) as f64 - 0.5]),
            ticks: Some((0..count).rev().map(|at| at as f64).collect()),
            names: self.names.clone(),
            ..axis.clone()
        }
    }

    /// Names in one line each, by key.
    pub fn names(&self) -> BTreeMap<String, String> {
        let names = self.names.iter().map(|name| name.replace('\n', " "));
        self.keys.iter().cloned().zip(names).collect()
    }

    /// A pale line between each two rows.
    pub fn separators(&self) -> impl Iterator<Item = Guide> {
        (1..self.keys.len()).map(|at| {
            Guide::Horizontal(GuideLine {
                at: at as f64 - 0.5,
                color: SEPARATOR,
                line: Line {
                    width: 0.6,
                    dash: Dash::Solid,
                },
                label: String::new(),
            })
        })
    }

    /// Points at an x on a row with the reach of their bars, `up` from its middle, in a path that never leads from one row to
    /// another; or each as a line that crosses the share `across` of its row, when that is not 0.
    ///
    /// # Errors
    /// A key without a row.
    pub fn points(
        &self,
        points: impl Iterator<Item = (f64, Option<f64>, String)>,
        up: f64,
        across: f64,
    ) -> std::result::Result<Vec<Point>, String> {
        let mut path: Vec<Point> = Vec::new();
        for (x, error, key) in points {
            let place = self
                .place(&key)
                .ok_or_else(|| format!("the panel has no row for `{key}`"))?;
            let point = |by: f64| Point {
                x,
                y: place + up + by * across,
                error,
            };
            if across > 0.0 {
                path.extend([point(0.0), point(-0.5), point(0.5), INTERRUPTION]);
                continue;
            }
            if path.last().is_some_and(|last| last.y != point(0.0).y) {
                path.push(INTERRUPTION);
            }
            path.push(point(0.0));
        }
        Ok(path)
    }

    /// The middle of a row.
    fn place(&self, key: &str) -> Option<f64> {
        let at = self.keys.iter().position(|known| known == key)?;
        Some((self.keys.len() - 1 - at) as f64)
    }
}

/// How far the curve at `position` of `count` lies above the middle of its row, when the curves
/// share `room` of a row: the first is the highest.
pub fn dodge(position: usize, count: usize, room: f64) -> f64 {
    let count = count.max(1) as f64;
    room * (0.5 - (position as f64 + 0.5) / count)
}

const INTERRUPTION: Point = Point {
    x: f64::NAN,
    y: f64::NAN,
    error: None,
};

#[cfg(test)]
mod tests {
    use super::*;
    use tables::table::Table;

    #[test]
    fn rows_go_down_and_are_named_by_their_lines() {
        let text = |values: [&str; 3]| Column::Text(values.map(str::to_owned).to_vec());
        let table = Table::new(vec![
            ("key", text(["b", "a", "b"])),
            ("size", text(["2 heads", "1 head", "2 heads"])),
            ("note", text(["", "diverged", ""])),
        ]);
        let columns = RowColumns {
            table: "t".into(),
            key: "key".into(),
            lines: vec!["size".into(), "note".into()],
            named: Vec::new(),
        };
        let tables = Tables::of([("t", table.unwrap())]);
        let rows = FigureRows::read(&columns, &tables, "rows").unwrap();
        assert_eq!((rows.place("b"), rows.place("a")), (Some(1.0), Some(0.0)));
        assert_eq!(rows.place("c"), None);
        let axis = rows.axis(&Axis::default());
        assert_eq!(axis.names, ["2 heads", "1 head\ndiverged"]);
        assert_eq!(
            (axis.range, axis.ticks),
            (Some([-0.5, 1.5]), Some(vec![1.0, 0.0]))
        );
        assert_eq!(rows.names()["a"], "1 head diverged");
        assert_eq!(rows.separators().count(), 1);
        assert_eq!(
            [dodge(0, 2, 0.8), dodge(1, 2, 0.8), dodge(0, 1, 0.8)],
            [0.2, -0.2, 0.0]
        );
    }

    #[test]
    fn listed_rows_have_their_own_order_and_names() {
        let text = |values: [&str; 3]| Column::Text(values.map(str::to_owned).to_vec());
        let table = Table::new(vec![("key", text(["b", "a", "c"]))]);
        let tables = Tables::of([("t", table.unwrap())]);
        let row = |row: &str, name: &str| NamedRow {
            row: row.into(),
            name: name.into(),
        };
        let mut columns = RowColumns {
            table: "t".into(),
            key: "key".into(),
            lines: Vec::new(),
            named: vec![row("c", "third"), row("b", "second")],
        };
        assert_eq!(columns.check("rows"), Ok(()));
        let rows = FigureRows::read(&columns, &tables, "rows").unwrap();
        assert_eq!(rows.axis(&Axis::default()).names, ["third", "second"]);
        assert_eq!((rows.place("c"), rows.place("a")), (Some(1.0), None));
        columns.named.push(row("d", "fourth"));
        let error = FigureRows::read(&columns, &tables, "rows").err().unwrap();
        assert!(
            error
                .message
                .starts_with("rows.named.2.row: table `t` has no `d`")
        );
    }

    #[test]
    fn no_line_leaves_its_row() {
        let rows = FigureRows {
            keys: vec!["a".into(), "b".into()],
            names: Vec::new(),
        };
        let given =
            || [(1.0, "a"), (2.0, "a"), (3.0, "b")].map(|(x, key)| (x, None, key.to_owned()));
        let path = rows.points(given().into_iter(), 0.1, 0.0).unwrap();
        let y: Vec<f64> = path.iter().map(|p| p.y).filter(|y| !y.is_nan()).collect();
        assert_eq!((path.len(), y), (4, vec![1.1, 1.1, 0.1]));
        assert!(path[2].x.is_nan());
        let crossing = rows.points(given().into_iter(), 0.0, 0.5).unwrap();
        let (low, high) = (crossing[2 * CROSSING + 1], crossing[2 * CROSSING + 2]);
        assert_eq!((low.x, low.y, high.x, high.y), (3.0, -0.25, 3.0, 0.25));
        assert!(crossing.len() == 3 * CROSSING && crossing[11].x.is_nan());
        let unknown = rows.points([(1.0, None, "c".to_owned())].into_iter(), 0.0, 0.0);
        assert_eq!(unknown.unwrap_err(), "the panel has no row for `c`");
    }
}
