//! Verb `gc`.

use crate::console::terminal::{self, count};
use crate::console::typed;
use crate::pipeline::session::Session;
use crate::program::description::Program;
use crate::program::exit;
use clap::Args;
use retrace::base::error::{Error, Place, Result};
use retrace::upkeep::gc;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct GcArgs {
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Remove the oldest results, but for those of a lock, until the cache is no larger: 500M, 2G
    #[arg(long, value_name = "SIZE")]
    pub max_size: Option<String>,
}

/// Removes what no result needs, and old results beyond a size.
pub fn gc(session: &Session, args: &GcArgs) -> Result<u8> {
    let limit = args.max_size.as_deref().map(parse_size).transpose()?;
    let waiting = |holder: &str| terminal::note(&format!("{holder}: waiting for it to end"));
    // A look writes nothing, not even who looks.
    let _look;
    let _held;
    if args.dry_run {
        _look = session.engine.workspace.lock_for_look(waiting)?;
    } else {
        _held = session.engine.workspace.lock_for_run(true, waiting)?;
    }
    let store = session.context()?.store;
    let plan = gc::plan(&session.engine.workspace, store, limit)?;
    let mut text = String::new();
    for (stage, results, bytes) in plan.by_stage() {
        text += &format!(
            "{stage}: {}, {}\n",
            count(results, "older result"),
            size(bytes)
        );
    }
    if plan.loose_bytes > 0 {
        let files = count(plan.loose_files, "file");
        text += &format!("{files} that no result needs, {}\n", size(plan.loose_bytes));
    }
    text += &left_alone(session.program, &plan.foreign);
    let verb = if args.dry_run { "would free" } else { "freed" };
    let (free, keep) = (plan.freed(), plan.kept_bytes);
    text += &format!("{verb} {}, {} stay\n", size(free), size(keep));
    if limit.is_some_and(|limit| keep > limit) {
        text += &format!(
            "what stays are the results of the locks: `{}` removes all\n",
            typed::plain_command("clean")
        );
    }
    if !args.dry_run {
        plan.execute(store)?;
    }
    // With --dry-run the list is what was asked for.
    if args.dry_run {
        terminal::print(&text);
    } else {
        terminal::summary(&text);
    }
    Ok(exit::OK)
}

/// More names than this are counted.
const SHOWN: usize = 8;

/// Names what stays because it was not made here.
pub fn left_alone(program: &Program, paths: &[PathBuf]) -> String {
    let shown = paths.iter().take(SHOWN);
    let mut text: String = shown
        .map(|path| {
            format!(
                "left alone, not as {} made it: {}\n",
                program.name,
                path.display()
            )
        })
        .collect();
    if paths.len() > SHOWN {
        text += &format!("and {} more\n", paths.len() - SHOWN);
    }
    text
}

const UNITS: [(&str, u64); 4] = [
    ("T", 1 << 40),
    ("G", 1 << 30),
    ("M", 1 << 20),
    ("k", 1 << 10),
];

pub(crate) fn size(bytes: u64) -> String {
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}iB", bytes as f64 / *unit as f64),
        None => format!("{bytes} B"),
    }
}

/// `500M`, `2G`, `1.5GiB`, `1000000`.
fn parse_size(text: &str) -> Result<u64> {
    let error = || {
        Error::config(format!("`{text}` is no size"))
            .at(&Place::whole("--max-size"))
            .hint("write a number of bytes, or with k, M, G or T: 500M")
    };
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| error())?;
    let unit = unit.trim().trim_end_matches('B').trim_end_matches('i');
    let factor = match UNITS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit))
    {
        Some((_, factor)) => *factor,
        None if unit.is_empty() => 1,
        None => return Err(error()),
    };
    Ok((number * factor as f64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_and_print() {
        for (text, bytes) in [
            ("0", 0),
            ("12", 12),
            ("2k", 2048),
            ("1.5MiB", 3 << 19),
            ("1 G", 1 << 30),
        ] {
            assert_eq!(parse_size(text).unwrap(), bytes, "{text}");
        }
        for text in ["", "x", "-1", "1Q", "1.2.3"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        assert_eq!((size(12), size(3 << 19)), ("12 B".into(), "1.5 MiB".into()));
    }
}
