//! Which input stands where on the page, by the names in its params; a name that meets nothing is refused.
//!
//! Does not know how anything is shown.

use crate::claims::claim::Decided;
use crate::exchange::trace::Trace;
use crate::page::params::Params;
use crate::page::pictured::Figure;
use retrace::base::error::{Error, Result};
use retrace::spec::ids::Pattern;
use retrace::stage::kind::Io;
use std::collections::{BTreeMap, BTreeSet};

/// The figures of each section, and those of none: one list more than there are sections. What a glob
/// matches comes in the order in which stages run.
pub fn placed<'t>(params: &Params, io: &Io, trace: &'t Trace) -> Result<Vec<Vec<Figure<'t>>>> {
    let mut left: BTreeMap<&str, Figure> = BTreeMap::new();
    for (label, path) in io.inputs("pictures") {
        left.insert(label, Figure::read(label, path, trace)?);
    }
    let known: Vec<&str> = io
        .inputs("pictures")
        .iter()
        .map(|(l, _)| l.as_str())
        .collect();
    let order = |label: &&str| trace.stages.iter().position(|stage| stage.stage == *label);
    let mut placed = Vec::new();
    for (at, section) in params.sections.iter().enumerate() {
        let mut figures = Vec::new();
        for (place, name) in section.figures.iter().enumerate() {
            let path = format!("sections.{at}.figures.{place}");
            let mut meant = meant(name, &known, &path)?;
            meant.sort_by_key(order);
            for label in meant {
                figures.push(left.remove(label).ok_or_else(|| {
                    Error::failed(format!("{path}: `{label}` stands in the report twice"))
                })?);
            }
        }
        placed.push(figures);
    }
    placed.push(left.into_values().collect());
    Ok(placed)
}

/// The labels that a name or a glob stands for; `path` is where it is written.
///
/// # Errors
/// There is none.
pub fn meant<'k>(name: &str, known: &[&'k str], path: &str) -> Result<Vec<&'k str>> {
    let refused = |e: Error| Error::failed(format!("{path}: {}", e.message));
    let pattern = Pattern::read(name).map_err(refused)?;
    let is_meant = |label: &&str| match pattern.is_glob() {
        true => pattern.matches(label),
        false => *label == name,
    };
    let meant: Vec<&str> = known.iter().copied().filter(is_meant).collect();
    if meant.is_empty() {
        let message =
            format!("{path}: the report names `{name}`, which no input of `pictures` gives");
        return Err(Error::failed(message).suggest(name, known.iter().copied()));
    }
    Ok(meant)
}

/// Every figure that has claims is on the page, and every claim of one is decided.
pub fn check_claims<'f>(
    params: &Params,
    figures: impl Iterator<Item = &'f Figure<'f>> + Clone,
    claims: &[Decided],
) -> Result<()> {
    for (label, ids) in &params.claims {
        if !figures.clone().any(|figure| figure.label == *label) {
            let message = format!("claims: there is no figure `{label}`");
            let known = figures.map(|figure| figure.label.as_str());
            return Err(Error::failed(message).suggest(label, known));
        }
        for (at, id) in ids.iter().enumerate() {
            if !claims.iter().any(|claim| claim.id == *id) {
                let known = claims.iter().map(|claim| claim.id.as_str());
                let message =
                    format!("claims.{label}.{at}: figure `{label}` bears on no claim `{id}`");
                return Err(Error::failed(message).suggest(id, known));
            }
        }
    }
    Ok(())
}

/// Data under a name that no picture has would be on no page.
pub fn refuse_data_without_picture(io: &Io) -> Result<()> {
    let labels = |role| io.inputs(role).iter().map(|(label, _)| label.as_str());
    let mut data = labels("data");
    match data.find(|label| !labels("pictures").any(|picture| picture == *label)) {
        None => Ok(()),
        Some(label) => {
            let message = format!("the data `{label}` belong to no input of `pictures`");
            Err(Error::failed(message).suggest(label, labels("pictures")))
        }
    }
}

/// Every name has its input; returns the inputs that have no name.
pub fn unnamed<'a>(
    io: &'a Io,
    role: &str,
    named: impl Iterator<Item = (String, &'a str)>,
) -> Result<Vec<&'a str>> {
    let given = io.inputs(role).iter().map(|(label, _)| label.as_str());
    let mut given: BTreeSet<&str> = given.collect();
    let known = given.clone();
    for (path, name) in named {
        if !given.remove(name) {
            let message =
                format!("{path}: the report names `{name}`, which no input of `{role}` gives");
            return Err(Error::failed(message).suggest(name, known.iter().copied()));
        }
    }
    Ok(given.into_iter().collect())
}

/// Every claim that has words of its own is decided, or may be among those that are not recorded here.
///
/// # Errors
/// A claim that is nowhere.
pub fn check_words(params: &Params, known: &[&str], may_be_absent: bool) -> Result<()> {
    let unknown = params.words.keys().find(|id| !known.contains(&id.as_str()));
    match unknown.filter(|_| !may_be_absent) {
        None => Ok(()),
        Some(id) => {
            let message = format!("words: there is no claim `{id}`");
            Err(Error::failed(message).suggest(id, known.iter().copied()))
        }
    }
}
