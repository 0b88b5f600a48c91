//! The figures, tables and experiments of the paper, and what of them is on the page.
//!
//! Whether a thing was run is not said in params: it was when its figures are here.

use crate::claims::claim::Decided;
use crate::page::claims;
use crate::page::graph::anchor;
use crate::page::params::{PaperItem, Params};
use crate::page::pictured::Figure;
use crate::page::placed::meant;
use retrace::base::error::{Error, Result};
use serde::Serialize;

/// A line of the list.
#[derive(Serialize)]
pub struct ItemView<'a> {
    item: &'a str,
    shows: &'a str,
    note: &'a str,
    /// `run`, `not-run` or `absent`.
    state: &'static str,
    /// Where its figures stand: address, stage.
    figures: Vec<(String, &'a str)>,
    commands: Vec<String>,
    /// Id, class and verdict.
    claims: Vec<(&'a str, &'static str, &'static str)>,
}

/// The list.
///
/// # Errors
/// A figure or a claim that is not there.
pub fn items<'a>(
    params: &'a Params,
    figures: &'a [Vec<Figure>],
    decided: &[Decided],
) -> Result<Vec<ItemView<'a>>> {
    let items = params.of_paper.iter().enumerate();
    items
        .map(|(at, item)| view(at, item, &params.program, figures, decided))
        .collect()
}

fn view<'a>(
    at: usize,
    item: &'a PaperItem,
    program: &str,
    placed: &'a [Vec<Figure>],
    decided: &[Decided],
) -> Result<ItemView<'a>> {
    let known: Vec<&str> = placed.iter().flatten().map(|f| f.label.as_str()).collect();
    let (mut figures, mut commands) = (Vec::new(), Vec::new());
    for (place, name) in item.figures.iter().enumerate() {
        let path = format!("of_paper.{at}.figures.{place}");
        for label in meant(name, &known, &path)? {
            let found = placed.iter().flatten().find(|f| f.label == label);
            let stage = found.map_or(label, |figure| figure.made.stage.as_str());
            figures.push((anchor("figure", label), stage));
        }
        commands.push(format!("{program} run {}", quoted(name)));
    }
    let mut claimed = Vec::new();
    for (place, id) in item.claims.iter().enumerate() {
        let found = decided.iter().find(|claim| claim.id == *id);
        let claim = found.ok_or_else(|| {
            let known = decided.iter().map(|claim| claim.id.as_str());
            let message = format!("of_paper.{at}.claims.{place}: there is no claim `{id}`");
            Error::failed(message).suggest(id, known)
        })?;
        claimed.push((
            id.as_str(),
            claims::class(claim.verdict),
            claim.verdict.words(),
        ));
    }
    let state = match (figures.is_empty(), &item.command) {
        (false, _) => "run",
        (true, Some(_)) => "not-run",
        (true, None) => "absent",
    };
    commands.extend(item.command.clone());
    Ok(ItemView {
        item: &item.item,
        shows: &item.shows,
        note: &item.note,
        state,
        figures,
        commands,
        claims: claimed,
    })
}

/// A target as a shell wants it.
fn quoted(target: &str) -> String {
    match target.contains(['*', '?', '[', '!']) {
        true => format!("'{target}'"),
        false => target.to_owned(),
    }
}
