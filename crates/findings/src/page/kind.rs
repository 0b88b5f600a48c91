//! Kind `report`: one page with every claim, figure and table, and where each came from.
//!
//! Which figure stands where is in its params; words, numbers, digests and paths come from the inputs and
//! the trace. Reads no lock and no clock.

use crate::claims::claim::Decided;
use crate::exchange::failed::failed;
use crate::exchange::trace::Trace;
use crate::page::claims::{self, ClaimView, Counts};
use crate::page::glossary::{Entry, Glossary};
use crate::page::graph::{self, Graph, anchor};
use crate::page::of_paper::{self, ItemView};
use crate::page::params::{Params, Section, Step};
use crate::page::pictured::{self, Bears, Figure, FigureView};
use crate::page::placed::{self, check_claims, placed, unnamed};
use crate::page::recorded;
use crate::page::tabled::{self, TableView};
use crate::page::template::{self, Parts};
use crate::page::within;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, Role, StageKind, any, many, one, read};
use serde::Serialize;
use std::sync::Arc;

pub struct Report;

#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    paper: &'a str,
    paper_url: &'a str,
    program: &'a str,
    verify: Vec<Step>,
    story: &'a [String],
    /// A drawing of it.
    drawing: Option<String>,
    /// A section that its own script moves, as HTML.
    widget: Option<String>,
    lead: &'a [String],
    counts: Counts,
    /// Of those that the paper makes of what it studies itself, and of the others.
    counts_of_paper: Counts,
    counts_beyond: Counts,
    claims: Vec<ClaimView>,
    /// Claims that no figure shows, by their place among all.
    others: Vec<usize>,
    of_paper: Vec<ItemView<'a>>,
    terms: Vec<Entry>,
    sections: Vec<SectionView<'a>>,
    tables: Vec<TableView<'a>>,
    /// What opt-in groups have recorded, where the page names such a thing.
    recorded: Option<recorded::View>,
    graph: Graph,
    stages: usize,
    outputs: usize,
}

#[derive(Serialize)]
struct SectionView<'a> {
    title: &'a str,
    text: &'a str,
    figures: Vec<FigureView<'a>>,
}

impl StageKind for Report {
    const NAME: &'static str = "report";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[
        one("template"),
        one("style"),
        one("script"),
        one("charts"),
        one("claims"),
        many("pictures"),
        any("drawing"),
        any("widget"),
        any("widget_script"),
        any("data"),
        any("tables"),
        any("recorded_claims"),
        any("recorded_pictures"),
        any("recorded_tables"),
    ];
    const OUTPUTS: &'static [&'static str] = &["html"];
    const READS_TRACE: bool = true;
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        params.check()
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let told = io.read("trace")?;
        let trace = Trace::read(&told)?;
        let within = within::read(&told)?;
        let claims: Vec<Decided> = serde_json::from_slice(&io.read("claims")?).map_err(failed)?;
        placed::refuse_data_without_picture(io)?;
        let placed = placed(params, io, &trace)?;
        let figures = || placed.iter().flatten();
        check_claims(params, figures(), &claims)?;
        let recorded = recorded::view(io, params)?;
        let elsewhere = recorded.iter().flat_map(recorded::View::claims);
        let known: Vec<&str> = claims.iter().map(|claim| claim.id.as_str()).collect();
        let known: Vec<&str> = known.into_iter().chain(elsewhere).collect();
        let may_be_absent = recorded.as_ref().is_some_and(recorded::View::lacks);
        placed::check_words(params, &known, may_be_absent)?;
        let named = params.tables.iter().enumerate();
        let named = named.map(|(at, table)| (format!("tables.{at}"), table.as_str()));
        let others = unnamed(io, "tables", named)?;
        let tables = params.tables.iter().map(String::as_str).chain(others);
        let tables = tables.map(|label| tabled::table(label, io, &trace, &within));
        let shown = |id: &str| -> Vec<&Figure> {
            let shown = figures().filter(|figure| has(params, figure, id));
            shown.collect()
        };
        let claim = |claim: &Decided| {
            let shown = shown(&claim.id).into_iter();
            let shown = shown.map(|f| (anchor("figure", &f.label), f.title.clone()));
            let words = params.words.get(&claim.id);
            claims::view(claim, words, shown.collect(), &params.signs)
        };
        let of_paper = |claim: &&Decided| {
            let words = params.words.get(&claim.id);
            words.is_some_and(|words| words.of_paper)
        };
        let places = 0..claims.len();
        let glossary = Arc::new(Glossary::new(&params.terms));
        let data = Page {
            title: &params.title,
            paper: &params.paper,
            paper_url: &params.paper_url,
            program: &params.program,
            verify: params.steps(),
            story: &params.story,
            drawing: drawing(io)?,
            widget: optional(io, "widget")?,
            lead: &params.lead,
            counts: claims::counts(claims.iter()),
            counts_of_paper: claims::counts(claims.iter().filter(of_paper)),
            counts_beyond: claims::counts(claims.iter().filter(|claim| !of_paper(claim))),
            claims: claims.iter().map(claim).collect(),
            others: places
                .filter(|&at| shown(&claims[at].id).is_empty())
                .collect(),
            of_paper: of_paper::items(params, &placed, &claims)?,
            terms: glossary.entries(),
            sections: sections(params, &placed, |figure| {
                let bears = bears(params, figure, figures(), &claims);
                pictured::view(figure, &bears, io, &within)
            })?,
            tables: tables.collect::<Result<_>>()?,
            recorded,
            graph: graph::graph(
                &trace,
                figures().map(|f| (f.label.as_str(), f.title.as_str())),
            ),
            stages: trace.stages.len(),
            outputs: trace.stages.iter().map(|stage| stage.outputs.len()).sum(),
        };
        let text = |role: &str| String::from_utf8(io.read(role)?).map_err(failed);
        let widget_script = optional(io, "widget_script")?.unwrap_or_default();
        let parts = Parts {
            template: &text("template")?,
            style: &text("style")?,
            script: &text("script")?,
            charts: &text("charts")?,
            widget: &widget_script,
        };
        let html = template::render(&parts, &data, &glossary).map_err(failed)?;
        if let Some((at, spelled)) = glossary.unused() {
            let message = format!("terms.{at}: `{spelled}` stands nowhere in the text of the page");
            return Err(Error::failed(message).hint("say in `spelled` how the page writes it"));
        }
        io.write("html", html.as_bytes())
    }
}

/// Whether the params name a claim beside a figure.
fn has(params: &Params, figure: &Figure, id: &str) -> bool {
    let own = params.claims.get(&figure.label);
    own.is_some_and(|own| own.iter().any(|claim| claim == id))
}

/// The claims of a figure: those of which it is the first stand beside it in full.
fn bears<'c, 'f>(
    params: &Params,
    figure: &Figure,
    figures: impl Iterator<Item = &'f Figure<'f>> + Clone,
    claims: &'c [Decided],
) -> Bears<'c> {
    let (mut cards, mut others) = (Vec::new(), Vec::new());
    for id in params.claims.get(&figure.label).into_iter().flatten() {
        let first = figures.clone().find(|other| has(params, other, id));
        let Some(at) = claims.iter().position(|claim| claim.id == *id) else {
            continue;
        };
        match first.is_some_and(|first| first.label == figure.label) {
            true => cards.push(at),
            false => others.push(&claims[at]),
        }
    }
    Bears { cards, others }
}

/// The sections that have figures; what the report has no words for comes last.
fn sections<'a>(
    params: &'a Params,
    placed: &'a [Vec<Figure<'a>>],
    view: impl Fn(&'a Figure<'a>) -> Result<FigureView<'a>>,
) -> Result<Vec<SectionView<'a>>> {
    let of = |section: Option<&'a Section>, figures: &'a [Figure<'a>]| -> Result<SectionView<'a>> {
        Ok(SectionView {
            title: section.map_or("Further figures", |section| &section.title),
            text: match section {
                Some(section) => &section.text,
                None => "Made by stages that the report has no words for.",
            },
            figures: figures.iter().map(&view).collect::<Result<_>>()?,
        })
    };
    let sections = params.sections.iter().map(Some).chain([None]);
    let sections = sections
        .zip(placed)
        .filter(|(_, figures)| !figures.is_empty());
    sections
        .map(|(section, figures)| of(section, figures))
        .collect()
}

/// The text of an input that may be left out.
fn optional(io: &Io, role: &str) -> Result<Option<String>> {
    match io.inputs(role) {
        [] => Ok(None),
        [(_, path)] => String::from_utf8(read(path)?).map(Some).map_err(failed),
        [_, _, ..] => Err(Error::failed(format!(
            "the page has one `{role}`, not several"
        ))),
    }
}

/// The drawing under the title.
fn drawing(io: &Io) -> Result<Option<String>> {
    let Some(svg) = optional(io, "drawing")? else {
        return Ok(None);
    };
    let is_svg = svg.trim_start().starts_with("<svg") && svg.trim_end().ends_with("</svg>");
    match is_svg && !svg.to_ascii_lowercase().contains("<script") {
        true => Ok(Some(svg.trim().to_owned())),
        false => Err(Error::failed(
            "the drawing under the title is no plain SVG: it begins with <svg, ends with </svg> and has no script",
        )),
    }
}
