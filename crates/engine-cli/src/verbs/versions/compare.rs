//! Verb `compare`: two versions of the results beside each other, each the repository's own, a variation that a
//! profile or `--set` made, or a git revision: the settings and the cells of tables that differ, and the verdicts that
//! turned.
//!
//! It looks at what was made, and says of nothing that it is wrong.

use crate::answers::answer;
use crate::answers::sides as answers;
use crate::console::grid::Grid;
use crate::console::items::fold;
use crate::console::terminal::{self, count};
use crate::pipeline::scope::Scope;
use crate::program::changes::Change;
use crate::program::description::Program;
use crate::program::exit;
use crate::verbs::versions::comparison::Comparison;
use crate::verbs::versions::diff;
use crate::verbs::versions::meant;
use crate::verbs::versions::tables::{self, CELLS, ChangedTable, Compared};
use crate::verbs::versions::values;
use clap::Args;
use retrace::base::error::{Error, Result};
use std::collections::BTreeMap;

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
    let comparison = Comparison::of(program, workspace.root, old, own)?;
    let tables = comparison.tables()?;
    terminal::print(&match args.json {
        true => answer::text(&said(&comparison, &tables))?,
        false => text(&comparison, args.all) + &tables_text(&tables, args.all),
    });
    Ok(exit::OK)
}

/// Settings and verdicts.
fn text(found: &Comparison, all: bool) -> String {
    let [old, new] = found.shown();
    let mut text = format!(
        "{old} (old) and {new} (new): {} of {} that both have differ\n",
        found.different.stages.len(),
        count(found.different.shared, "stage"),
    );
    text += &diff::alone(&[&old, &new], &found.different);
    let values = values::grid(&found.values(), all);
    if !values.is_empty() {
        let limit = if all { usize::MAX } else { VALUES_SHOWN };
        text += &format!("\n{}", values.text(limit));
    }
    if let Some(verdicts) = &found.verdicts {
        text += &format!("\n{}\n", verdicts.summary);
        let mut rows = verdicts.rows.iter();
        if let Some(header) = rows.next() {
            let mut grid = Grid::new(&header.each_ref().map(String::as_str));
            rows.for_each(|row| grid.row(row.each_ref().map(String::as_str)));
            text += &grid.text(usize::MAX);
        }
    }
    text
}

/// Each table that differs, with the cells that differ most; those of pictures in a line.
fn tables_text(tables: &[ChangedTable], all: bool) -> String {
    if tables.is_empty() {
        return "\nno other published table that both have differs\n".to_owned();
    }
    let mut text = String::new();
    let (apart, pictures): (Vec<_>, Vec<_>) = tables.iter().partition(|t| all || !t.of_picture);
    for table in apart {
        let changes = match &table.what {
            Compared::No(why) => {
                text += &format!("\n{}: not compared: {why}\n", table.path);
                continue;
            }
            Compared::Values(changes) => changes,
        };
        let cells = count(changes.values.len(), "cell");
        text += &format!("\n{}: {cells} of rows that both have differ", table.path);
        let shape = tables::shape(changes);
        text += &if shape.is_empty() {
            "\n".to_owned()
        } else {
            format!("; {shape}\n")
        };
        let mut grid = Grid::new(&CELLS[2..]);
        let limit = if all { usize::MAX } else { CELLS_SHOWN };
        for change in most(&changes.values).into_iter().take(limit) {
            let [row, column, old, new, difference] = tables::cell(change);
            let row = if all { row } else { values::shortened(&row) };
            grid.row([&row, &column, &old, &new, &difference]);
        }
        text += &grid.text(usize::MAX);
        let more = changes.values.len().saturating_sub(limit);
        if more > 0 {
            text += &format!(
                "... and {more} more that differ less for their size (--all shows them)\n"
            );
        }
    }
    if !pictures.is_empty() {
        let stages: Vec<&str> = pictures.iter().map(|table| table.stage).collect();
        let folds = fold(stages.iter().map(|stage| (*stage, ())));
        let names: Vec<&str> = folds.iter().map(|fold| &*fold.shown).collect();
        text += &format!(
            "\nthe data of {} differ (--all shows the cells): {}\n",
            count(stages.len(), "figure"),
            names.join(", ")
        );
    }
    text
}

fn said(found: &Comparison, tables: &[ChangedTable]) -> answers::Compared {
    let Comparison {
        sides,
        different,
        verdicts,
        ..
    } = found;
    let differing = different.stages.iter().map(|stage| stage.stage.clone());
    answers::Compared {
        old: sides.old.0.said(),
        new: sides.new.0.said(),
        shared: different.shared,
        differing: differing.collect(),
        left_out: different.left_out(),
        values: values::said(&found.values()),
        tables: tables::said(tables),
        verdicts: verdicts.as_ref().map(|verdicts| verdicts.json.clone()),
    }
}

/// Of each column first the cell that is farthest apart for its size, words before numbers, then the second of each: else
/// one column of noise, or of one sentence in every row, would hide all others. Last those that one side does not have.
pub fn most(changes: &[Change]) -> Vec<&Change> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let apart = |change: &Change| match (number(&change.old), number(&change.new)) {
        (Some(old), Some(new)) => {
            let size = old.abs().max(new.abs());
            let apart = if size > 0.0 {
                (new - old).abs() / size
            } else {
                0.0
            };
            (1, apart)
        }
        (None, None) => (0, 0.0),
        _ => (2, 0.0),
    };
    let mut sorted: Vec<((u8, f64), &Change)> = changes.iter().map(|c| (apart(c), c)).collect();
    sorted.sort_by(|(a, _), (b, _)| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut seen: BTreeMap<(u8, &str), usize> = BTreeMap::new();
    let ranked = sorted.into_iter().map(|((class, _), change)| {
        let rank = seen.entry((class, &change.column)).or_default();
        *rank += 1;
        ((class, *rank), change)
    });
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_by_key(|((class, rank), _)| (*class == 2, *rank, *class));
    ranked.into_iter().map(|(_, change)| change).collect()
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
            difference: None,
        };
        let changes = [
            change("gone", "1000", "missing"),
            change("large", "1000", "1001"),
            change("small", "0.001", "0.002"),
            change("word", "holds", "fails"),
            change("word", "holds", "fails"),
            change("none", "0", "0.5"),
            change("none", "0", "0.25"),
            change("small", "0.001", "0.0015"),
        ];
        let columns: Vec<&str> = most(&changes).iter().map(|c| &*c.column).collect();
        assert_eq!(
            columns,
            [
                "word", "none", "small", "large", "word", "none", "small", "gone"
            ]
        );
    }
}
