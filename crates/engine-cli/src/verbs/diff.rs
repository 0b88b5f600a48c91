//! Verb `diff`: what changed between two git revisions, in pipeline.lock and in committed tables.

use crate::console::grid::Grid;
use crate::console::terminal::{self, count};
use crate::pipeline::git::{Git, Revision};
use crate::pipeline::scope::Scope;
use crate::program::changes::{Changes, Unreadable, Version};
use crate::program::description::Program;
use crate::program::exit;
use crate::program::formats::Formats;
use clap::Args;
use retrace::base::digest::Digest;
use retrace::base::error::{Error, PROGRAM, Result};
use retrace::base::files;
use retrace::lock::diff::{self, OutputDiff, Presence, StageDiff};
use retrace::lock::file::{self, Lock};
use retrace::stage::key::Change;
use retrace::stage::publication::PUBLISHED;
use retrace::stage::tolerance::Basis;
use retrace::store::workspace::{KEYS_FILE, LOCK_FILE, Workspace};
use serde_json::{Value as Json, json};
use std::fmt::Display;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// None: HEAD and the working tree; one: that and the working tree; two: old and new
    #[arg(value_name = "REV", num_args = 0..=2)]
    pub revisions: Vec<String>,
    /// Show everything, not only the first changes
    #[arg(long)]
    pub all: bool,
    /// Print an object with all changes
    #[arg(long)]
    pub json: bool,
}

/// A larger file of a revision or of the working tree is not compared.
const MAX_BYTES: u64 = 8 << 20;

/// Lines of each table shown without `--all`.
const SHOWN: usize = 30;

/// More inputs, modules or outputs of one stage than this share a line without `--all`.
const APART: usize = 3;

/// Prints what changed; reads git and the working tree, writes nothing.
pub fn diff(program: &Program, scope: &Scope, args: &DiffArgs) -> Result<u8> {
    if scope.profile.is_some() || !scope.sets.is_empty() || scope.out.is_some() {
        let message =
            "`diff` compares what is committed: --profile, --set and --out change nothing there";
        return Err(Error::config(message).hint("leave them out"));
    }
    let root = Workspace::find_root(Path::new("."))?;
    let git = Git::open(&root)?;
    let mut names = args.revisions.iter().map(String::as_str);
    let old = Side::Revision(git.revision(names.next().unwrap_or("HEAD"))?);
    let new = match names.next() {
        Some(name) => Side::Revision(git.revision(name)?),
        None => Side::WorkingTree,
    };
    let sides = Sides {
        git,
        root,
        old,
        new,
    };
    let stages = diff::diff(&sides.lock(&sides.old)?, &sides.lock(&sides.new)?);
    let tables = sides.tables(&*program.formats, &stages)?;
    let within = sides.within(&stages)?;
    if args.json {
        terminal::print(&format!(
            "{:#}\n",
            as_json(&sides, &stages, &tables, &within)
        ));
    } else {
        let text = as_text(&sides, &stages, &tables, args.all);
        let notes = within
            .iter()
            .map(|w| format!("{}: {}: {}\n", w.stage, w.path, w.words()));
        terminal::print(&(text + &notes.collect::<String>()));
    }
    Ok(exit::OK)
}

/// One of the two things compared.
enum Side {
    Revision(Revision),
    WorkingTree,
}

struct Sides {
    git: Git,
    root: PathBuf,
    old: Side,
    new: Side,
}

/// A committed table that changed.
struct ChangedTable<'a> {
    stage: &'a str,
    path: &'a str,
    what: Compared,
}

/// A committed table that changed and has a tolerance.
struct Within<'a> {
    stage: &'a str,
    path: &'a str,
    outcome: std::result::Result<String, String>,
}

impl Within<'_> {
    fn words(&self) -> String {
        match &self.outcome {
            Ok(words) => words.clone(),
            Err(why) => format!("not within tolerance: {why}"),
        }
    }
}

enum Compared {
    Values(Changes),
    /// Why its values cannot be compared.
    No(String),
}

impl Side {
    fn shown(&self) -> String {
        match self {
            Side::Revision(revision) => revision.shown(),
            Side::WorkingTree => "the working tree".into(),
        }
    }
}

impl Sides {
    fn read(&self, side: &Side, path: &str, most: u64) -> Result<Option<Vec<u8>>> {
        match side {
            Side::Revision(revision) => self.git.file(revision, path, most),
            Side::WorkingTree => {
                let full = self.root.join(path);
                match files::read_at_most(&full, most) {
                    Ok(bytes) => Ok(Some(bytes)),
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
                    Err(e) => Err(Error::io("read", &full, &e)),
                }
            }
        }
    }

    fn lock(&self, side: &Side) -> Result<Lock> {
        let name = match side {
            Side::Revision(revision) => format!("{}:{LOCK_FILE}", revision.name),
            Side::WorkingTree => LOCK_FILE.to_owned(),
        };
        match self.read(side, LOCK_FILE, file::MAX_BYTES)? {
            Some(bytes) => {
                let (mut lock, problems) = Lock::salvage(&name, &bytes)?;
                if let Some(keys) = self.read(side, KEYS_FILE, file::MAX_BYTES)? {
                    lock.explain(&keys);
                }
                let warnings = file::warnings(&name, &problems);
                warnings.iter().for_each(|text| terminal::warn(text));
                Ok(lock)
            }
            None => {
                let hint = match side {
                    Side::Revision(_) => {
                        "`git log --oneline -- pipeline.lock` lists those that have one"
                    }
                    Side::WorkingTree => &format!("`{PROGRAM} run` writes it"),
                };
                Err(Error::config(format!("{} has no {LOCK_FILE}", side.shown())).hint(hint))
            }
        }
    }

    /// The committed tables among the outputs that changed.
    fn tables<'a>(
        &self,
        formats: &dyn Formats,
        stages: &'a [StageDiff],
    ) -> Result<Vec<ChangedTable<'a>>> {
        let mut tables = Vec::new();
        for stage in stages {
            let beside = stage.outputs.iter().map(|output| Path::new(&output.path));
            let beside: Vec<&Path> = beside.collect();
            for output in &stage.outputs {
                let path = Path::new(&output.path);
                let [Some(old), Some(new)] = output.files else {
                    continue;
                };
                if output.is_move()
                    || !path.starts_with(PUBLISHED)
                    || !formats.is_compared(path, &beside)
                {
                    continue;
                }
                let old_path = output.moved_from.as_deref().unwrap_or(&output.path);
                let old = self.recorded(&self.old, old_path, old)?;
                let new = self.recorded(&self.new, &output.path, new)?;
                let what = match (old, new) {
                    (Ok(old), Ok(new)) => self.compared(formats.changes(path, &old, &new)),
                    (Err(why), _) | (_, Err(why)) => Compared::No(why),
                };
                tables.push(ChangedTable {
                    stage: &stage.stage,
                    path: &output.path,
                    what,
                });
            }
        }
        Ok(tables)
    }

    /// How far committed tables are apart that have a tolerance.
    fn within<'a>(&self, stages: &'a [StageDiff]) -> Result<Vec<Within<'a>>> {
        let mut found = Vec::new();
        for stage in stages {
            for output in &stage.outputs {
                let (Some(Basis::Table(tolerance)), [Some(old), Some(new)]) =
                    (&output.basis, output.files)
                else {
                    continue;
                };
                if output.is_move() {
                    continue;
                }
                let old_path = output.moved_from.as_deref().unwrap_or(&output.path);
                let old = self.recorded(&self.old, old_path, old)?;
                let new = self.recorded(&self.new, &output.path, new)?;
                let outcome = old.and_then(|old| {
                    let deviation = tolerance.compare(&old, &new?);
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

    fn compared(&self, changes: std::result::Result<Changes, Unreadable>) -> Compared {
        match changes {
            Ok(changes) => Compared::Values(changes),
            Err(Unreadable { which, why }) => {
                let side = match which {
                    Version::Old => &self.old,
                    Version::New => &self.new,
                };
                Compared::No(format!("{}: {why}", side.shown()))
            }
        }
    }

    /// A file of a side as its lock records it, or why there is none to compare.
    fn recorded(
        &self,
        side: &Side,
        path: &str,
        digest: Digest,
    ) -> Result<std::result::Result<Vec<u8>, String>> {
        let shown = side.shown();
        Ok(match self.read(side, path, MAX_BYTES)? {
            None => Err(format!("{shown} does not have the file")),
            Some(bytes) if Digest::of(&bytes) != digest => Err(format!(
                "the file of {shown} is not the one its lock records"
            )),
            Some(bytes) => Ok(bytes),
        })
    }
}

fn as_text(sides: &Sides, stages: &[StageDiff], tables: &[ChangedTable], all: bool) -> String {
    let (old, new) = (sides.old.shown(), sides.new.shown());
    if stages.is_empty() {
        return format!("nothing in {LOCK_FILE} changed from {old} to {new}\n");
    }
    let limit = if all { usize::MAX } else { SHOWN };
    let changed = count(stages.len(), "stage");
    let mut text = format!("{changed} changed from {old} to {new}\n\n");
    let mut grid = Grid::new(&["stage", "what", "name", "old", "new"]);
    // First what somebody changed, then what follows from it.
    let follows = |stage: &&StageDiff| {
        let input = |change: &Change| matches!(change, Change::Input { .. });
        stage.presence == Presence::Both && stage.changes.iter().all(input)
    };
    let mut in_order: Vec<&StageDiff> = stages.iter().collect();
    in_order.sort_by_key(follows);
    for stage in in_order {
        parts(&mut grid, stage, all);
    }
    text += &grid.text(limit);

    let mut grid = Grid::new(&[
        "stage",
        "table",
        "row",
        "column",
        "old",
        "new",
        "difference",
    ]);
    let mut notes = String::new();
    for table in tables {
        let (stage, path) = (table.stage, table.path);
        match &table.what {
            Compared::No(why) => notes += &format!("{stage}: {path}: {why}\n"),
            Compared::Values(diff) => {
                values(&mut grid, table, diff);
                notes += &shape(table, diff);
            }
        }
    }
    if !grid.is_empty() {
        text += &format!("\n{}", grid.text(limit));
    }
    if !notes.is_empty() {
        text += &format!("\n{notes}");
    }
    text
}

/// The lines of a stage: what it is made of, then what came out.
fn parts(grid: &mut Grid, stage: &StageDiff, all: bool) {
    fn shown<T: Display>(value: &Option<T>) -> String {
        value.as_ref().map_or_else(|| "-".into(), T::to_string)
    }
    let short = |digest: &Option<Digest>| shown(&digest.map(|d| d.short()));
    let id = &stage.stage;
    match stage.presence {
        Presence::Both => {
            if let Some(old) = &stage.renamed_from {
                grid.row([id, "stage", "", old, "renamed"]);
            }
        }
        Presence::Added => grid.row([id, "stage", "", "-", "added"]),
        Presence::Removed => grid.row([id, "stage", "", "removed", "-"]),
    }
    let (mut code, mut inputs) = (Vec::new(), Vec::new());
    for change in &stage.changes {
        match change {
            Change::Kind { old, new } => grid.row([id, "kind", "", old, new]),
            Change::Key { old, new } => grid.row([id, "key", "", &old.short(), &new.short()]),
            Change::Param { name, old, new } => {
                grid.row([id, "param", name, &shown(old), &shown(new)]);
            }
            Change::Code { name, old, new } => {
                code.push((name.as_str(), shown(old), shown(new)));
            }
            Change::Input { role, old, new, .. } => {
                inputs.push((role.as_str(), short(old), short(new)));
            }
        }
    }
    let output = |o: &OutputDiff| (o.path.clone(), short(&o.old), short(&o.new));
    let (moved, outputs): (Vec<_>, Vec<_>) = stage.outputs.iter().partition(|o| o.is_move());
    for output in moved {
        let from = output.moved_from.as_deref().unwrap_or_default();
        grid.row([id, "moved", &output.output, from, &output.path]);
    }
    let outputs: Vec<_> = outputs.into_iter().map(output).collect();
    let outputs = outputs
        .iter()
        .map(|(path, old, new)| (path.as_str(), old.clone(), new.clone()));
    for (what, lines) in [
        ("code", code),
        ("input", inputs),
        ("output", outputs.collect()),
    ] {
        if lines.len() > APART && !all {
            let names: Vec<&str> = lines.iter().take(APART).map(|(name, ..)| *name).collect();
            let more = lines.len() - APART;
            grid.row([
                id,
                what,
                &format!("{} and {more} more", names.join(", ")),
                "",
                "",
            ]);
            continue;
        }
        for (name, old, new) in lines {
            grid.row([id, what, name, &old, &new]);
        }
    }
}

/// The lines of a table.
fn values(grid: &mut Grid, table: &ChangedTable, diff: &Changes) {
    for change in &diff.values {
        let name = Path::new(table.path).file_name().unwrap_or_default();
        let difference = change.difference.map(|d| format!("{d:+.3e}"));
        grid.row([
            table.stage,
            &name.to_string_lossy(),
            &change.row.join(" "),
            &change.column,
            &change.old,
            &change.new,
            &difference.unwrap_or_default(),
        ]);
    }
}

/// Rows and columns that only one side has.
fn shape(table: &ChangedTable, diff: &Changes) -> String {
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
    match said.is_empty() {
        true => String::new(),
        false => format!("{}: {}: {}\n", table.stage, table.path, said.join("; ")),
    }
}

fn as_json(
    sides: &Sides,
    stages: &[StageDiff],
    tables: &[ChangedTable],
    within: &[Within],
) -> Json {
    let side = |side: &Side| match side {
        Side::Revision(Revision { name, commit }) => json!({"revision": name, "commit": commit}),
        Side::WorkingTree => json!({"revision": null, "commit": null}),
    };
    let table = |table: &ChangedTable| {
        let (values, why) = match &table.what {
            Compared::Values(diff) => (Some(diff), None),
            Compared::No(why) => (None, Some(why)),
        };
        json!({"stage": table.stage, "path": table.path, "values": values, "not_compared": why})
    };
    json!({
        "old": side(&sides.old),
        "new": side(&sides.new),
        "stages": stages,
        "tables": tables.iter().map(table).collect::<Vec<Json>>(),
        "within": within.iter().map(|w| json!({
            "stage": w.stage,
            "path": w.path,
            "within": w.outcome.is_ok(),
            "words": w.words(),
        })).collect::<Vec<Json>>(),
    })
}
