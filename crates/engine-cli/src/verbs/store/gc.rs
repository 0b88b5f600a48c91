//! Verb `store gc`.

use crate::console::terminal::{self, count};
use crate::pipeline::session::Session;
use crate::pipeline::shared::StoreArgs;
use crate::pipeline::workers;
use crate::program::exit;
use crate::progress::bar::Bar;
use crate::verbs::gc::size;
use clap::Args;
use retrace::base::error::Result;
use retrace::shared::upkeep::collect::{self, Collected, Rule};

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

#[derive(Debug, Args)]
pub struct GcArgs {
    /// Remove what was put there more than DAYS days ago: at least 14, for what is younger may be in use
    #[arg(long, value_name = "DAYS")]
    pub older_than: u32,
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Nobody else reads or writes the store now, so that fewer days are safe
    #[arg(long)]
    pub alone: bool,
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Removes what is old and not pinned.
pub fn gc(session: &Session, args: &GcArgs) -> Result<u8> {
    let shared = args.store.required(session, false)?;
    workers::listen("stopping after this object")?;
    let rule = Rule {
        older_than_s: u64::from(args.older_than) * DAY,
        alone: args.alone,
        dry_run: args.dry_run,
    };
    let bar = Bar::new();
    let cache = session.context()?.store;
    let observer = |done, of| bar.show(done, of);
    let collected = collect::collect(&shared, cache, rule, workers::cancelled(), &observer);
    bar.finish();
    let collected = collected?;
    let names = collected.entries.iter().chain(&collected.objects);
    let names = names.chain(&collected.unfinished);
    let text = text(&shared.shown(), &collected, args.dry_run);
    if args.dry_run {
        // The list is what was asked for.
        let names: String = names.map(|name| format!("{name}\n")).collect();
        terminal::print(&(names + &text));
    } else {
        names.for_each(|name| terminal::detail(name));
        terminal::summary(&text);
    }
    Ok(exit::OK)
}

fn text(shown: &str, collected: &Collected, dry_run: bool) -> String {
    let verb = if dry_run { "would remove" } else { "removed" };
    let entries = |number: usize| match number {
        1 => "1 entry".to_owned(),
        more => format!("{more} entries"),
    };
    let unfinished = match collected.unfinished.len() {
        0 => String::new(),
        more => format!(
            ", {} of puts that were cut short ({})",
            count(more, "file"),
            size(collected.unfinished_bytes)
        ),
    };
    format!(
        "{shown}: {verb} {} and {} ({}){unfinished}; {} and {} ({}) stay, {}\n",
        entries(collected.entries.len()),
        count(collected.objects.len(), "object"),
        size(collected.bytes),
        entries(collected.kept_entries),
        count(collected.kept_objects, "object"),
        size(collected.kept_bytes),
        count(collected.pins, "pin"),
    )
}
