//! Verb `compare`: two versions of the results beside each other, each the repository's own, a variation that a
//! profile or `--set` made, or a git revision: the settings and the cells of tables that differ, and the verdicts that
//! turned.
//!
//! It looks at what was made, and says of nothing that it is wrong.

use crate::console::grid::Grid;
use crate::console::terminal::{self, count};
use crate::pipeline::scope::Scope;
use crate::program::changes::Change;
use crate::program::description::Program;
use crate::program::exit;
use crate::program::verdicts::{self, Verdicts};
use crate::verbs::diff;
use crate::verbs::sides::meant;
use crate::verbs::sides::side::{Different, Side, Sides};
use crate::verbs::sides::tables::{self, CELLS, ChangedTable, Compared};
use crate::verbs::sides::values;
use clap::Args;
use retrace::base::error::{Error, Result};
use retrace::lock::file::{Lock, Record};
use serde_json::{Value as Json, json};

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// `this` (the repository's own results), a variation by its name or by what was set, a profile, or a git revision
    #[arg(value_name = "A")]
    pub old: String,
    /// The same; what --profile, --set or --out made if it is left out, else `this`
    #[arg(value_name = "B")]
    pub new: Option<String>,
    /// Show every cell that differs, not only those of each table that differ most
    #[arg(long)]
    pub all: bool,
    /// Print an object with everything
    #[arg(long)]
    pub json: bool,
}

/// Cells of each table shown without `--all`.
const CELLS_SHOWN: usize = 5;
/// Lines of settings shown without `--all`.
const VALUES_SHOWN: usize = 20;

/// Prints what is different; writes nothing.
pub fn compare(program: &Program, scope: &Scope, args: &CompareArgs) -> Result<u8> {
    let (workspace, own) = match &args.new {
        None => meant::of_scope(program, scope)?,
        Some(_) if scope.profile.is_some() || !scope.sets.is_empty() || scope.out.is_some() => {
            let message = "`compare A B` names both: --profile, --set and --out mean a third";
            return Err(Error::config(message).hint("leave out these options, or B"));
        }
        Some(word) => {
            let (workspace, _) = meant::of_scope(program, scope)?;
            let side = meant::of_word(&workspace, word)?;
            (workspace, side)
        }
    };
    let old = meant::of_word(&workspace, &args.old)?;
    if is_same(&old, &own) {
        let message = format!("both are {}: there is nothing to compare", old.shown());
        let hint =
            "name two of: `this`, a variation (`{program} variations` lists them), a git revision";
        return Err(Error::config(message).hint(hint));
    }
    let sides = Sides::open(workspace.root, old, own)?;
    let different = sides.different();
    let tables = sides.tables(&*program.formats, &different.stages)?;
    let verdicts = match program.verdicts {
        Some(compare) => turned(&sides, compare)?,
        None => None,
    };
    let found = Found {
        sides: &sides,
        different: &different,
        tables: &tables,
        verdicts: verdicts.as_ref(),
    };
    terminal::print(&match args.json {
        true => format!("{:#}\n", found.json()),
        false => found.text(args.all),
    });
    Ok(exit::OK)
}

/// Whether two sides are one and the same.
fn is_same(a: &Side, b: &Side) -> bool {
    match (a, b) {
        (Side::WorkingTree, Side::WorkingTree) => true,
        (Side::Variation(a), Side::Variation(b)) => a.folder == b.folder,
        (Side::Revision(_, a), Side::Revision(_, b)) => a.commit == b.commit,
        _ => false,
    }
}

/// What a program compares besides.
fn turned(sides: &Sides, compare: verdicts::CompareVerdicts) -> Result<Option<Verdicts>> {
    let read = |side: &(Side, Lock), record: &Record| {
        sides.recorded(side, &record.path, record.file_digest())
    };
    let old = |record: &Record| read(&sides.old, record);
    let new = |record: &Record| read(&sides.new, record);
    compare(&[
        verdicts::Side {
            shown: sides.old.0.shown(),
            lock: &sides.old.1,
            read: &old,
        },
        verdicts::Side {
            shown: sides.new.0.shown(),
            lock: &sides.new.1,
            read: &new,
        },
    ])
}

/// All that was found.
struct Found<'a> {
    sides: &'a Sides,
    different: &'a Different,
    tables: &'a [ChangedTable<'a>],
    verdicts: Option<&'a Verdicts>,
}

impl Found<'_> {
    fn text(&self, all: bool) -> String {
        let (old, new) = (self.sides.old.0.shown(), self.sides.new.0.shown());
        let stages = &self.different.stages;
        let mut text = format!(
            "{old} (old) and {new} (new): {} of {} that both have differ\n",
            stages.len(),
            count(self.different.shared, "stage"),
        );
        text += &diff::alone(&[&old, &new], self.different);
        let values = values::grid(&values::values(stages), all);
        if !values.is_empty() {
            let limit = if all { usize::MAX } else { VALUES_SHOWN };
            text += &format!("\n{}", values.text(limit));
        }
        if let Some(verdicts) = self.verdicts {
            text += &format!("\n{}\n", verdicts.summary);
            let mut rows = verdicts.rows.iter();
            if let Some(header) = rows.next() {
                let mut grid = Grid::new(&header.each_ref().map(String::as_str));
                rows.for_each(|row| grid.row(row.each_ref().map(String::as_str)));
                text += &grid.text(usize::MAX);
            }
        }
        text + &self.tables_text(all)
    }

    /// Each table that differs, with the cells that differ most.
    fn tables_text(&self, all: bool) -> String {
        if self.tables.is_empty() {
            return "\nno published table that both have differs\n".to_owned();
        }
        let mut text = String::new();
        for table in self.tables {
            let changes = match &table.what {
                Compared::No(why) => {
                    text += &format!("\n{}: not compared: {why}\n", table.path);
                    continue;
                }
                Compared::Values(changes) => changes,
            };
            let cells = count(changes.values.len(), "cell");
            text += &format!("\n{}: {cells} of rows that both have differ\n", table.path);
            text += &tables::shape(table, changes);
            let mut grid = Grid::new(&CELLS[2..]);
            let limit = if all { usize::MAX } else { CELLS_SHOWN };
            for change in most(&changes.values).into_iter().take(limit) {
                let [row, column, old, new, difference] = tables::cell(change);
                grid.row([&row, &column, &old, &new, &difference]);
            }
            text += &grid.text(usize::MAX);
            let more = changes.values.len().saturating_sub(limit);
            if more > 0 {
                text += &format!("... and {more} that differ less (--all shows them)\n");
            }
        }
        text
    }

    fn json(&self) -> Json {
        json!({
            "old": self.sides.old.0.json(),
            "new": self.sides.new.0.json(),
            "shared": self.different.shared,
            "differing": self.different.stages.iter().map(|s| &s.stage).collect::<Vec<_>>(),
            "left_out": {"old": self.different.alone[0], "new": self.different.alone[1]},
            "values": values::json(&values::values(&self.different.stages)),
            "tables": tables::json(self.tables),
            "verdicts": self.verdicts.map(|verdicts| &verdicts.json),
        })
    }
}

/// Words first, then numbers by how far they are apart for their size, the farthest first.
fn most(changes: &[Change]) -> Vec<&Change> {
    let apart = |change: &Change| {
        let difference = change.difference?.abs();
        let number = |text: &str| text.parse::<f64>().map_or(0.0, f64::abs);
        let size = number(&change.old).max(number(&change.new));
        Some(if size > 0.0 {
            difference / size
        } else {
            difference
        })
    };
    let mut changes: Vec<&Change> = changes.iter().collect();
    changes.sort_by(|a, b| {
        let key = |change: &Change| apart(change).unwrap_or(f64::INFINITY);
        key(b).total_cmp(&key(a))
    });
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_differ_most_for_their_size_come_first() {
        let change = |column: &str, old: &str, new: &str| Change {
            row: Vec::new(),
            column: column.to_owned(),
            old: old.to_owned(),
            new: new.to_owned(),
            difference: Some(new.parse::<f64>().and_then(|n| Ok(n - old.parse::<f64>()?)))
                .and_then(Result::ok),
        };
        let changes = [
            change("large", "1000", "1001"),
            change("small", "0.001", "0.002"),
            change("word", "holds", "fails"),
            change("none", "0", "0.5"),
        ];
        let columns: Vec<&str> = most(&changes).iter().map(|c| &*c.column).collect();
        assert_eq!(columns, ["word", "none", "small", "large"]);
    }
}
