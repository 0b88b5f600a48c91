//! Verb `diff`: what changed between two git revisions, in pipeline.lock and in committed tables; or from one
//! to what a profile or `--set` made.

use crate::answers::answer;
use crate::answers::sides::{Diff, WithinOf};
use crate::console::grid::Grid;
use crate::console::items::{fold, starred};
use crate::console::terminal::{self, count};
use crate::pipeline::git::Git;
use crate::pipeline::scope::Scope;
use crate::program::description::Program;
use crate::program::exit;
use crate::verbs::versions::meant;
use crate::verbs::versions::side::{Different, Side, Sides};
use crate::verbs::versions::tables::{self, CELLS, ChangedTable, Compared, Within};
use crate::verbs::versions::values;
use clap::Args;
use retrace::base::digest::Digest;
use retrace::base::error::{Error, Result};
use retrace::lock::diff::{OutputDiff, Presence, StageDiff};
use retrace::stage::key::Change;
use retrace::store::workspace::LOCK_FILE;
use std::fmt::Display;

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// None: HEAD and the working tree; one: that and the working tree; two: old and new. With --profile, --set or --out
    /// the new one is what these made, and the old one the working tree if none is named
    #[arg(value_name = "REV", num_args = 0..=2)]
    pub revisions: Vec<String>,
    /// Show everything, not only the first changes, and each stage by itself
    #[arg(long)]
    pub all: bool,
    /// Print an object with all changes
    #[arg(long)]
    pub json: bool,
}

/// Lines of each table shown without `--all`.
const SHOWN: usize = 30;

/// More inputs, modules or outputs of one stage than this share a line without `--all`.
const APART: usize = 3;

/// Prints what changed; reads git and the working tree, writes nothing.
pub fn diff(program: &Program, scope: &Scope, args: &DiffArgs) -> Result<u8> {
    let sides = sides(program, scope, args)?;
    let different = sides.different();
    let stages = &different.stages;
    let tables = sides.tables(&*program.formats, stages)?;
    let within = sides.within(stages)?;
    if args.json {
        let said = said(&sides, &different, &tables, &within);
        terminal::print(&answer::text(&said)?);
    } else {
        let text = as_text(&sides, &different, &tables, args.all);
        let notes = within
            .iter()
            .map(|w| format!("{}: {}: {}\n", w.stage, w.path, w.words()));
        terminal::print(&(text + &notes.collect::<String>()));
    }
    Ok(exit::OK)
}

/// The two sides that are meant.
fn sides(program: &Program, scope: &Scope, args: &DiffArgs) -> Result<Sides> {
    let (workspace, own) = meant::of_scope(program, scope)?;
    let root = workspace.root;
    let revision = |name: &str| {
        let git = Git::open(&root)?;
        let revision = git.revision(name)?;
        Ok::<Side, Error>(Side::Revision(git, revision))
    };
    let names: Vec<&str> = args.revisions.iter().map(String::as_str).collect();
    let (old, new) = match (own, &names[..]) {
        (Side::WorkingTree, []) => (revision("HEAD")?, Side::WorkingTree),
        (Side::WorkingTree, [old]) => (revision(old)?, Side::WorkingTree),
        (Side::WorkingTree, [old, new, ..]) => (revision(old)?, revision(new)?),
        (made, []) => (Side::WorkingTree, made),
        (made, [old]) => (revision(old)?, made),
        (_, [_, _, ..]) => {
            let message = "two revisions leave nothing for --profile, --set and --out to mean";
            return Err(Error::config(message).hint("leave out these, or one revision"));
        }
    };
    Sides::open(root, old, new)
}

fn as_text(sides: &Sides, different: &Different, tables: &[ChangedTable], all: bool) -> String {
    let (old, new) = (sides.old.0.shown(), sides.new.0.shown());
    let stages = &different.stages;
    let alone = alone(&[&old, &new], different);
    if stages.is_empty() {
        let what = match alone.is_empty() {
            true => format!("nothing in {LOCK_FILE}"),
            false => format!(
                "nothing in the {} that both have",
                count(different.shared, "stage")
            ),
        };
        return format!("{what} changed from {old} to {new}\n{alone}");
    }
    let limit = if all { usize::MAX } else { SHOWN };
    let changed = count(stages.len(), "stage");
    let mut text = format!("{changed} changed from {old} to {new}\n{alone}\n");
    // First what somebody changed, then what follows from it.
    let values = values::grid(&values::values(stages), all);
    if !values.is_empty() {
        text += &format!("{}\n", values.text(limit));
    }
    let mut grid = Grid::new(&["stage", "what", "name", "old", "new"]);
    let follows = |stage: &&StageDiff| {
        let input = |change: &Change| matches!(change, Change::Input { .. });
        stage.presence == Presence::Both && stage.changes.iter().all(input)
    };
    let mut in_order: Vec<&StageDiff> = stages.iter().collect();
    in_order.sort_by_key(follows);
    parts(&mut grid, &in_order, all);
    text += &grid.text(limit);

    let mut grid = Grid::new(&CELLS);
    let mut notes = String::new();
    for table in tables {
        let (stage, path) = (table.stage, table.path);
        match &table.what {
            Compared::No(why) => notes += &format!("{stage}: {path}: {why}\n"),
            Compared::Values(diff) => {
                tables::cells(&mut grid, table, &diff.values);
                let shape = tables::shape(diff);
                if !shape.is_empty() {
                    notes += &format!("{stage}: {path}: {shape}\n");
                }
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

/// How many stages only one side has and are left out; empty where none are.
pub fn alone([old, new]: &[&str; 2], different: &Different) -> String {
    let one = |(number, side): (usize, &str)| {
        (number > 0).then(|| format!("{} only in {side}", count(number, "stage")))
    };
    let [a, b] = different.alone;
    let said: Vec<String> = [(a, *old), (b, *new)].into_iter().filter_map(one).collect();
    match said.is_empty() {
        true => String::new(),
        false => format!("left out: {}\n", said.join(", ")),
    }
}

/// What a stage is made of and what came out of it, but for its params.
struct Part {
    what: &'static str,
    /// What it is called in every stage of a matrix.
    name: String,
    /// What it is called in this one.
    shown: String,
    old: String,
    new: String,
}

/// The lines of stages; those of one matrix in which the same parts changed are one, unless all is asked for.
fn parts(grid: &mut Grid, stages: &[&StageDiff], all: bool) {
    let parts: Vec<(&str, Vec<Part>)> = stages
        .iter()
        .map(|stage| (stage.stage.as_str(), parts_of(stage)))
        .collect();
    // A stage of which only values changed stands above.
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|(_, own)| !own.is_empty())
        .collect();
    let same = |(at, own): (usize, &Vec<Part>)| {
        let names = own.iter().map(|part| (part.what, part.name.clone()));
        (all.then_some(at), names.collect::<Vec<_>>())
    };
    let lines = parts.iter().enumerate();
    let folds = fold(lines.map(|(at, (id, own))| (*id, same((at, own)))));
    for one in folds {
        let first = &parts[one.members[0]].1;
        let many = one.members.len() > 1;
        let mut at = 0;
        while let Some(part) = first.get(at) {
            let alike = first[at..]
                .iter()
                .take_while(|p| p.what == part.what)
                .count();
            let alike = alike * usize::from(matches!(part.what, "code" | "input" | "output"));
            if alike > APART && !all {
                let name = |part: &Part| {
                    if many {
                        part.name.clone()
                    } else {
                        part.shown.clone()
                    }
                };
                let names: Vec<String> = first[at..].iter().take(APART).map(name).collect();
                let names = format!("{} and {} more", names.join(", "), alike - APART);
                grid.row([&one.shown, part.what, &names, "", ""]);
                at += alike;
                continue;
            }
            let every = |of: fn(&Part) -> &String| {
                let mut members = one.members.iter().map(|&member| of(&parts[member].1[at]));
                let is_same = members.all(|text| text == of(part));
                if is_same { of(part).as_str() } else { "" }
            };
            let name = if many { &part.name } else { &part.shown };
            grid.row([
                &one.shown,
                part.what,
                name,
                every(|p| &p.old),
                every(|p| &p.new),
            ]);
            at += 1;
        }
    }
}

fn parts_of(stage: &StageDiff) -> Vec<Part> {
    fn shown<T: Display>(value: &Option<T>) -> String {
        value.as_ref().map_or_else(|| "-".into(), T::to_string)
    }
    let short = |digest: &Option<Digest>| shown(&digest.map(|d| d.short()));
    let part = |what, name: &str, old: String, new: String| Part {
        what,
        name: name.to_owned(),
        shown: name.to_owned(),
        old,
        new,
    };
    let words = |word: &str| word.to_owned();
    let mut parts = Vec::new();
    match stage.presence {
        Presence::Both => {
            if let Some(old) = &stage.renamed_from {
                let mut renamed = part("stage", "", old.clone(), words("renamed"));
                renamed.name = starred(old);
                parts.push(renamed);
            }
        }
        Presence::Added => parts.push(part("stage", "", words("-"), words("added"))),
        Presence::Removed => parts.push(part("stage", "", words("removed"), words("-"))),
    }
    let (mut code, mut inputs) = (Vec::new(), Vec::new());
    for change in &stage.changes {
        match change {
            Change::Kind { old, new } => parts.push(part("kind", "", old.clone(), new.clone())),
            Change::Key { old, new } => parts.push(part("key", "", old.short(), new.short())),
            Change::Param { .. } => {}
            Change::Code { name, old, new } => {
                code.push(part("code", name, shown(old), shown(new)));
            }
            Change::Input { role, old, new, .. } => {
                inputs.push(part("input", role, short(old), short(new)));
            }
        }
    }
    let (moved, outputs): (Vec<_>, Vec<_>) = stage.outputs.iter().partition(|o| o.is_move());
    for output in moved {
        let from = output.moved_from.clone().unwrap_or_default();
        parts.push(part("moved", &output.output, from, output.path.clone()));
    }
    let output = |o: &OutputDiff| Part {
        shown: o.path.clone(),
        ..part("output", &o.output, short(&o.old), short(&o.new))
    };
    parts.extend(code);
    parts.extend(inputs);
    parts.extend(outputs.into_iter().map(output));
    parts
}

fn said(sides: &Sides, different: &Different, tables: &[ChangedTable], within: &[Within]) -> Diff {
    let within_of = |within: &Within| WithinOf {
        stage: within.stage.to_owned(),
        path: within.path.to_owned(),
        within: within.outcome.is_ok(),
        words: within.words(),
    };
    Diff {
        old: sides.old.0.said(),
        new: sides.new.0.said(),
        values: values::said(&values::values(&different.stages)),
        left_out: different.left_out(),
        tables: tables::said(tables),
        within: within.iter().map(within_of).collect(),
        stages: different.stages.clone(),
    }
}
