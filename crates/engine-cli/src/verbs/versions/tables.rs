//! The published tables of two sides: their cells that differ, and how far those are apart that have a
//! tolerance.

use crate::answers::sides::TableOf;
use crate::console::digits;
use crate::console::grid::Grid;
use crate::console::terminal::count;
use crate::program::changes::{Change, Changes, Unreadable, Version};
use crate::program::formats::Formats;
use crate::verbs::versions::side::Sides;
use retrace::base::error::Result;
use retrace::lock::diff::{OutputDiff, StageDiff};
use retrace::stage::publication::PUBLISHED;
use retrace::stage::tolerance::Basis;
use std::path::Path;

/// A published table that changed.
pub struct ChangedTable<'a> {
    pub stage: &'a str,
    pub path: &'a str,
    /// Whether it only holds what a picture shows.
    pub of_picture: bool,
    pub what: Compared,
}

pub enum Compared {
    Values(Changes),
    /// Why its values cannot be compared.
    No(String),
}

/// A committed table that changed and has a tolerance.
pub struct Within<'a> {
    pub stage: &'a str,
    pub path: &'a str,
    pub outcome: std::result::Result<String, String>,
}

impl Within<'_> {
    pub fn words(&self) -> String {
        match &self.outcome {
            Ok(words) => words.clone(),
            Err(why) => format!("not within tolerance: {why}"),
        }
    }
}

/// Both versions of an output, or why there are none.
type Versions = std::result::Result<[Vec<u8>; 2], String>;

impl Sides {
    /// The published tables among the outputs that changed, those of pictures last.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn tables<'a>(
        &self,
        formats: &dyn Formats,
        stages: &'a [StageDiff],
    ) -> Result<Vec<ChangedTable<'a>>> {
        let mut tables = Vec::new();
        for stage in stages {
            let beside = stage.outputs.iter().map(|output| Path::new(&output.path));
            let beside: Vec<&Path> = beside.collect();
            // A picture that did not change is one, too.
            let block = self.new.1.stages.get(&stage.stage);
            let outputs = block.into_iter().flat_map(|block| block.outputs.values());
            let all: Vec<&Path> = outputs.map(|record| Path::new(&*record.path)).collect();
            for output in &stage.outputs {
                let path = Path::new(&output.path);
                if !path.starts_with(PUBLISHED) || !formats.is_compared(path, &beside) {
                    continue;
                }
                let Some(versions) = self.versions(output)? else {
                    continue;
                };
                let what = match versions {
                    Ok([old, new]) => self.compared(formats.changes(path, &old, &new)),
                    Err(why) => Compared::No(why),
                };
                tables.push(ChangedTable {
                    stage: &stage.stage,
                    path: &output.path,
                    of_picture: formats.is_of_picture(path, &all),
                    what,
                });
            }
        }
        // In the order of the stages otherwise.
        tables.sort_by_key(|table| table.of_picture);
        Ok(tables)
    }

    /// How far committed tables are apart that have a tolerance.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn within<'a>(&self, stages: &'a [StageDiff]) -> Result<Vec<Within<'a>>> {
        let mut found = Vec::new();
        for stage in stages {
            for output in &stage.outputs {
                let Some(Basis::Table(tolerance)) = &output.basis else {
                    continue;
                };
                let Some(versions) = self.versions(output)? else {
                    continue;
                };
                let outcome = versions.and_then(|[old, new]| {
                    let deviation = tolerance.compare(&old, &new);
                    deviation.map(|deviation| deviation.to_string())
                });
                found.push(Within {
                    stage: &stage.stage,
                    path: &output.path,
                    outcome,
                });
            }
        }
        Ok(found)
    }

    /// Both versions of an output, if both sides have it and it differs.
    fn versions(&self, output: &OutputDiff) -> Result<Option<Versions>> {
        let [Some(old), Some(new)] = output.files else {
            return Ok(None);
        };
        if output.is_move() {
            return Ok(None);
        }
        let old_path = output.moved_from.as_deref().unwrap_or(&output.path);
        let old = self.recorded(&self.old, old_path, old)?;
        let new = self.recorded(&self.new, &output.path, new)?;
        Ok(Some(old.and_then(|old| Ok([old, new?]))))
    }

    fn compared(&self, changes: std::result::Result<Changes, Unreadable>) -> Compared {
        match changes {
            Ok(changes) => Compared::Values(changes),
            Err(Unreadable { which, why }) => {
                let (side, _) = match which {
                    Version::Old => &self.old,
                    Version::New => &self.new,
                };
                Compared::No(format!("{}: {why}", side.shown()))
            }
        }
    }
}

/// The header of cells that changed.
pub const CELLS: [&str; 7] = [
    "stage",
    "table",
    "row",
    "column",
    "old",
    "new",
    "difference",
];

/// A line for each cell of a table.
pub fn cells(grid: &mut Grid, table: &ChangedTable, changes: &[Change]) {
    let name = Path::new(table.path).file_name().unwrap_or_default();
    for change in changes {
        let [row, column, old, new, difference] = cell(change);
        grid.row([
            table.stage,
            &name.to_string_lossy(),
            &row,
            &column,
            &old,
            &new,
            &difference,
        ]);
    }
}

/// A cell in words: its row and column, both values, and how far they are apart.
pub fn cell(change: &Change) -> [String; 5] {
    let difference = change.difference.map(digits::difference);
    let [old, new] = digits::pair(&change.old, &change.new);
    [
        change.row.join(" "),
        change.column.clone(),
        old,
        new,
        difference.unwrap_or_default(),
    ]
}

/// Rows and columns that only one side has, in words; empty where there are none.
pub fn shape(diff: &Changes) -> String {
    let mut said = Vec::new();
    if diff.rows_added > 0 {
        said.push(format!("{} added", count(diff.rows_added, "row")));
    }
    if diff.rows_removed > 0 {
        said.push(format!("{} removed", count(diff.rows_removed, "row")));
    }
    if !diff.columns_added.is_empty() {
        said.push(format!("added {}", diff.columns_added.join(", ")));
    }
    if !diff.columns_removed.is_empty() {
        said.push(format!("removed {}", diff.columns_removed.join(", ")));
    }
    said.join("; ")
}

/// For programs.
pub fn said(tables: &[ChangedTable]) -> Vec<TableOf> {
    let table = |table: &ChangedTable| {
        let (values, not_compared) = match &table.what {
            Compared::Values(changes) => (Some(changes.clone()), None),
            Compared::No(why) => (None, Some(why.clone())),
        };
        TableOf {
            stage: table.stage.to_owned(),
            path: table.path.to_owned(),
            values,
            not_compared,
        }
    };
    tables.iter().map(table).collect()
}
