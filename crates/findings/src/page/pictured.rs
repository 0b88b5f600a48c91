//! Figures as the page has them: the picture with the words of the stage that drew it, its data, and where
//! it comes from.
//!
//! Does not know in which section it stands.

use crate::claims::claim::Decided;
use crate::exchange::failed::failed;
use crate::exchange::trace::{self, Trace, Traced};
use crate::page::claims;
use crate::page::figures::{self, Chart};
use crate::page::graph::{anchor, pretty};
use crate::page::links::{files, input, writer};
use crate::page::within::Within;
use plots::picture;
use plots::warnings;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, read};
use serde::Serialize;

/// A figure with its place and words.
pub struct Figure<'a> {
    pub label: String,
    pub made: &'a Traced,
    svg: String,
    pub title: String,
    pub caption: String,
}

#[derive(Serialize)]
pub struct FigureView<'a> {
    id: String,
    title: &'a str,
    caption: &'a str,
    /// How far error bars reach.
    errors: String,
    alt: String,
    picture: String,
    width: String,
    height: String,
    /// Claims in full, by their place among all claims.
    cards: Vec<usize>,
    /// Claims that stand in full elsewhere: id, class and verdict.
    claims: Vec<(String, &'static str, &'static str)>,
    stage: &'a str,
    kind: &'a str,
    params: String,
    inputs: Vec<InputView>,
    files: Vec<(String, String)>,
    chart: Option<Chart>,
    /// How what its stage makes compares, where that need not be the same bytes elsewhere.
    within: Vec<String>,
    /// What the figure says that it does not show.
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct InputView {
    role: String,
    from: String,
    digest: String,
    node: Option<String>,
}

impl<'t> Figure<'t> {
    /// The picture with the words of the stage that drew it, or with none of its own.
    pub fn read(label: &str, path: &std::path::Path, trace: &'t Trace) -> Result<Self> {
        let svg = read(path)?;
        let made = writer(trace, &svg, label)?;
        let drawn = || format!("Drawn by stage {label}.");
        Ok(Figure {
            label: label.to_owned(),
            made,
            svg: String::from_utf8(svg).map_err(failed)?,
            title: made.title.clone().unwrap_or_else(|| label.to_owned()),
            caption: made.caption.clone().unwrap_or_else(drawn),
        })
    }
}

/// What a figure bears on: the claims that stand in full beside it, and the others.
pub struct Bears<'c> {
    /// By their place among all claims.
    pub cards: Vec<usize>,
    pub others: Vec<&'c Decided>,
}

/// A figure of the page.
///
/// # Errors
/// Its data are none, or its picture is no SVG.
pub fn view<'a>(
    figure: &'a Figure,
    bears: &Bears,
    io: &Io,
    within: &Within,
) -> Result<FigureView<'a>> {
    let Figure {
        label, made, svg, ..
    } = figure;
    let (width, height) = picture::size(svg)
        .ok_or_else(|| Error::failed(format!("the SVG of `{label}` has no size")))?;
    let (chart, errors) = match input(io, "data", label) {
        None => (None, String::new()),
        Some(path) => {
            let data = read(path)?;
            let chart = figures::chart(&made.params, &data)?;
            (chart, figures::error_words(&data)?)
        }
    };
    let claim = |claim: &&Decided| {
        let verdict = claim.verdict;
        (claim.id.clone(), claims::class(verdict), verdict.words())
    };
    let inputs = made.inputs.iter().map(|input| InputView {
        role: input.role.clone(),
        from: input.from.clone(),
        digest: input.digest.to_string(),
        node: trace::stage_of(&input.from).map(|id| anchor("stage", trace::name_of(id))),
    });
    Ok(FigureView {
        id: anchor("figure", label),
        title: &figure.title,
        caption: &figure.caption,
        errors,
        alt: format!("{}. {}", figure.title, figure.caption),
        picture: picture::address(svg),
        width: format!("{:.0}", width * 4.0 / 3.0),
        height: format!("{:.0}", height * 4.0 / 3.0),
        cards: bears.cards.clone(),
        claims: bears.others.iter().map(claim).collect(),
        stage: &made.stage,
        kind: &made.kind,
        params: pretty(&made.params)?,
        inputs: inputs.collect(),
        files: files(made),
        chart,
        within: within.of(&made.stage),
        warnings: warnings::read(svg).map_err(failed)?,
    })
}
