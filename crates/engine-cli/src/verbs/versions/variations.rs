//! Verb `variations`: what profiles and `--set` have made below the cache, and how it goes away again.

use crate::answers::answer;
use crate::answers::sides::{VariationOf, Variations};
use crate::console::grid::Grid;
use crate::console::terminal::{self, count};
use crate::console::typed;
use crate::pipeline::scope::Scope;
use crate::pipeline::session::{self, Session};
use crate::program::description::Program;
use crate::program::exit;
use crate::verbs::gc::{left_alone, size};
use crate::verbs::versions::meant;
use crate::verbs::versions::side;
use clap::{Args, Subcommand};
use retrace::base::error::{Error, PROGRAM, Result};
use retrace::lock::file::Lock;
use retrace::store::variation::{self, Variation};
use retrace::store::workspace::LOCK_FILE;
use retrace::upkeep::removal;
use std::time::{Duration, UNIX_EPOCH};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct VariationsArgs {
    #[command(subcommand)]
    pub what: Option<What>,
    /// Print a JSON object instead of lines
    #[arg(long)]
    pub json: bool,
}

/// What is done with them.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Remove the outputs of some; nothing of the repository itself, and no result from the cache
    Remove(RemoveArgs),
}

#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// Names as `variations` lists them, or what was set
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
}

/// Lists variations, or removes some.
pub fn variations(program: &Program, scope: &Scope, args: &VariationsArgs) -> Result<u8> {
    if scope.profile.is_some() || !scope.sets.is_empty() || scope.out.is_some() {
        let message = "`variations` is about all of them: --profile, --set and --out mean one";
        let hint = format!("leave them out; `{PROGRAM} status` tells of that one");
        return Err(Error::config(message).hint(hint));
    }
    if let Some(What::Remove(args)) = &args.what {
        return remove(&Session::open(program, scope)?, args);
    }
    let (workspace, _) = session::locate(program, scope)?;
    workspace.check_cache()?;
    let known = variation::variations(&workspace)?;
    terminal::print(&match args.json {
        true => answer::text(&Variations {
            variations: known.iter().map(said).collect(),
        })?,
        false => as_text(&known),
    });
    Ok(exit::OK)
}

/// How many stages it records; none where its lock cannot be read.
fn stages(variation: &Variation) -> Option<usize> {
    let lock = Lock::read(&variation.folder.join(LOCK_FILE)).ok()?;
    Some(lock.stages.len())
}

fn when(variation: &Variation) -> Option<String> {
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(variation.last_run?))?;
    Some(humantime::format_rfc3339_seconds(at).to_string())
}

fn as_text(known: &[Variation]) -> String {
    if known.is_empty() {
        let command = typed::command("run STAGE --set vars.NAME=VALUE");
        return format!("nothing was made with --set or --profile yet: `{command}` does\n");
    }
    let mut grid = Grid::new(&["name", "last run", "stages", "size", "made with"]);
    let mut all = 0;
    for variation in known {
        let (bytes, _) = variation.size();
        all += bytes;
        let dash = || "-".to_owned();
        grid.row([
            &variation.name,
            &when(variation).unwrap_or_else(dash),
            &stages(variation).map_or_else(dash, |stages| stages.to_string()),
            &size(bytes),
            &variation.values(),
        ]);
    }
    let summary = format!("{}, {}\n", count(known.len(), "variation"), size(all));
    let summary = if terminal::is_quiet() {
        String::new()
    } else {
        summary
    };
    grid.text(usize::MAX) + &summary
}

fn said(variation: &Variation) -> VariationOf {
    let (bytes, files) = variation.size();
    VariationOf {
        options: side::options(variation),
        folder: variation.folder.display().to_string(),
        last_run: when(variation),
        stages: stages(variation),
        files,
        bytes,
    }
}

fn remove(session: &Session, args: &RemoveArgs) -> Result<u8> {
    let workspace = &session.engine.workspace;
    // All names are known before anything goes.
    let mut asked: Vec<Variation> = Vec::new();
    for word in &args.names {
        let variation = meant::variation(workspace, word)?;
        if !asked.iter().any(|one| one.name == variation.name) {
            asked.push(variation);
        }
    }
    let waiting = |holder: &str| terminal::note(&format!("{holder}: waiting for it to end"));
    let (_look, _held);
    if args.dry_run {
        _look = workspace.lock_for_look(waiting)?;
    } else {
        _held = workspace.lock_for_run(true, waiting)?;
    }
    let context = session.context()?;
    let verb = if args.dry_run {
        "would remove"
    } else {
        "removed"
    };
    let mut text = String::new();
    for variation in &asked {
        let before = variation.size().0;
        let removal = removal::of_variation(&context, &variation.folder)?;
        if !args.dry_run {
            removal.execute()?;
        }
        let of: u64 = match args.dry_run {
            true => before,
            false => before - variation.size().0.min(before),
        };
        let (name, size) = (&variation.name, size(of));
        let folder = variation.folder.display();
        text += &match removal.is_whole() {
            true => format!("{verb} {name} ({}): {folder}, {size}\n", variation.values()),
            false => {
                let files = count(removal.files.len(), "file");
                format!("{verb} {files} of {name} below {folder}\n")
            }
        };
        text += &left_alone(session.program, &removal.left);
    }
    if args.dry_run {
        terminal::print(&text);
    } else {
        let gc = typed::command("gc --max-size 0");
        text += &format!(
            "the cache keeps what the stages made: `{gc}` frees all that no lock records\n"
        );
        terminal::summary(&text);
    }
    Ok(exit::OK)
}
