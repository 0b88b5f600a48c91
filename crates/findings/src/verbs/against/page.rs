//! What `report --against` asks of the pipeline: the other version's data of each figure of the page, and what
//! is different; then the page is written where nothing is committed.

use crate::page::figures::{self, Chart};
use crate::page::graph::anchor;
use crate::page::template::MOST_BYTES;
use crate::verbs::against::overlay::fitting;
use crate::verbs::against::section::{self, Differing, Section};
use retrace::base::error::{Error, Result};
use retrace::base::files;
use retrace::stage::stage::Source;
use retrace_cli::terminal::{self, count};
use retrace_cli::{Call, Compared, Comparison, Session, cell, meant, most, shape, value_rows};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Cells of each table on the page.
const CELLS: usize = 40;
/// Tables with cells on the page; the others are counted.
const TABLES: usize = 12;
/// Left for the section's own words.
const ROOM: usize = 4096;

/// Writes the page at `path` with `word`, another version, beside it; returns where it is: `to`, or in the cache.
///
/// # Errors
/// The word means nothing; the page has no place for it; a file cannot be written, or is somebody's own.
pub fn write(
    call: &Call,
    session: &Session,
    (report, path): (usize, &Path),
    word: &str,
    to: Option<&Path>,
) -> Result<PathBuf> {
    let (workspace, new) = meant::of_scope(call.program, call.scope)?;
    let old = meant::of_word(&workspace, word)?;
    let name = old.label();
    let comparison = Comparison::of(call.program, workspace.root.clone(), old, new)?;
    let page = files::read_at_most(path, 2 * MOST_BYTES as u64);
    let page = page.map_err(|e| Error::io("read", path, &e))?;
    let page = String::from_utf8_lossy(&page);
    let mut section = words(&comparison, &name)?;
    let charts = charts(session, report, &comparison, &mut section.notes)?;
    // The section first: without it curves say little.
    let bare = section::insert(&page, &section, &json!({"name": name, "figures": {}}))?;
    let room = MOST_BYTES.saturating_sub(bare.len() + ROOM);
    let (curves, left_out) = fitting(&charts, room)?;
    if !left_out.is_empty() {
        section.notes.push(format!(
            "The curves of {} are left out, since the page would weigh too much: {}.",
            count(left_out.len(), "figure"),
            left_out.join(", ")
        ));
    }
    section.figures = curves.len();
    let html = section::insert(&page, &section, &json!({"name": name, "figures": curves}))?;
    if html.len() > MOST_BYTES {
        terminal::warn(&format!(
            "the page has {} bytes, more than the {MOST_BYTES} that a page should",
            html.len()
        ));
    }
    match to {
        Some(to) => {
            check_place(to)?;
            files::write(to, html.as_bytes())?;
            Ok(to.to_owned())
        }
        None => {
            let waiting =
                |holder: &str| terminal::note(&format!("{holder}: waiting for it to end"));
            let _held = session.engine.workspace.lock_for_run(true, waiting)?;
            let to = session.engine.workspace.compared_page();
            files::write(&to, html.as_bytes())?;
            Ok(to)
        }
    }
}

/// Refuses to write over what is no page of this verb.
fn check_place(to: &Path) -> Result<()> {
    match files::read_at_most(to, 2 * MOST_BYTES as u64) {
        Ok(bytes) if section::is_compared(&bytes) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        _ => {
            let message = format!("{} is there and is no page that compares", to.display());
            Err(Error::config(message).hint("name another file with --to, or remove that one"))
        }
    }
}

/// The charts of the figures that both versions have, by the figure's id on the page: this one's and the other's.
fn charts(
    session: &Session,
    report: usize,
    comparison: &Comparison,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, Option<Chart>, Chart)>> {
    let stages = &session.engine.pipeline.stages;
    let mut found = Vec::new();
    let mut absent = Vec::new();
    for input in stages[report]
        .inputs
        .iter()
        .filter(|input| input.role == "data")
    {
        let Source::Output { stage, output } = &input.source else {
            continue;
        };
        let stage = &stages[*stage];
        let Ok(old) = comparison.old_output(&stage.id, output)? else {
            absent.push(stage.id.as_str());
            continue;
        };
        let params = stage.job.params();
        let own = comparison.new_output(&stage.id, output)?.ok();
        let own = own.and_then(|own| figures::chart(&params, &own).ok().flatten());
        match figures::chart(&params, &old) {
            Ok(None) => {}
            Ok(Some(chart)) => found.push((anchor("figure", &input.label), own, chart)),
            Err(e) => notes.push(format!(
                "The curves of {} cannot be shown: {}.",
                stage.id, e.message
            )),
        }
    }
    if !absent.is_empty() {
        notes.push(format!(
            "{} of the page {} not there, or not as recorded, in the other version: {}.",
            count(absent.len(), "figure"),
            if absent.len() == 1 { "is" } else { "are" },
            absent.join(", ")
        ));
    }
    Ok(found)
}

/// All but the curves.
fn words(comparison: &Comparison, name: &str) -> Result<Section> {
    let [old, new] = comparison.shown();
    let different = &comparison.different;
    let mut notes = Vec::new();
    for (number, side) in different.alone.iter().zip([&old, &new]) {
        if *number > 0 {
            notes.push(format!("{} only in {side}.", count(*number, "stage")));
        }
    }
    let (mut tables, mut more) = (Vec::new(), Vec::new());
    let all = comparison.tables()?;
    for table in all.iter().filter(|table| !table.of_picture) {
        match &table.what {
            Compared::No(why) => notes.push(format!("{} is not compared: {why}.", table.path)),
            Compared::Values(_) if tables.len() == TABLES => more.push(table.path),
            Compared::Values(changes) => {
                let shape = shape(changes);
                let cells = count(changes.values.len(), "cell");
                let words = format!("{cells} of rows that both have differ");
                let rows: Vec<[String; 5]> = most(&changes.values)
                    .into_iter()
                    .take(CELLS)
                    .map(cell)
                    .collect();
                tables.push(Differing {
                    path: table.path.to_owned(),
                    words: if shape.is_empty() {
                        words
                    } else {
                        format!("{words}; {shape}")
                    },
                    more: changes.values.len() - rows.len(),
                    rows,
                });
            }
        }
    }
    if !more.is_empty() {
        notes.push(format!("More tables differ: {}.", more.join(", ")));
    }
    let verdicts = comparison.verdicts.as_ref();
    let turned = verdicts.map_or(&[][..], |verdicts| &verdicts.rows);
    Ok(Section {
        name: name.to_owned(),
        old,
        new,
        differing: different.stages.len(),
        shared: different.shared,
        notes,
        values: value_rows(&comparison.values(), false),
        summary: verdicts.map_or_else(String::new, |verdicts| verdicts.summary.clone()),
        verdicts: turned.iter().skip(1).cloned().collect(),
        tables,
        ..Section::default()
    })
}
