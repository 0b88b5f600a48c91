//! Kind `report`: one page with every claim, figure and table, and where each came from.
//!
//! Which figure stands where is in its params; words, numbers, digests and paths come from the inputs and
//! the trace. Reads no lock and no clock.

use crate::claims::claim::Decided;
use crate::exchange::failed::failed;
use crate::exchange::trace::{self, Trace, Traced};
use crate::page::cells::Cells;
use crate::page::claims::{self, ClaimView, Counts};
use crate::page::figures::{self, Chart};
use crate::page::graph::{self, Graph, anchor, pretty};
use crate::page::links;
use crate::page::recorded;
use crate::page::template::{self, Parts};
use crate::page::within::{self, Within};
use plots::picture;
use plots::warnings;
use retrace::base::error::{Error, Result};
use retrace::spec::ids::Pattern;
use retrace::stage::kind::{Io, Role, StageKind, any, many, one, read};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub struct Report;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    title: String,
    /// Who wrote the paper, and where it is.
    paper: String,
    paper_url: String,
    /// Paragraphs under the title.
    lead: Vec<String>,
    sections: Vec<Section>,
    /// For a figure the ids of claims that it bears on.
    #[serde(default)]
    claims: BTreeMap<String, Vec<String>>,
    /// Labels of inputs of the role `tables`, in order; the others come after them.
    #[serde(default)]
    tables: Vec<String>,
    /// The program that the page tells its readers to type.
    #[serde(default = "plain_program")]
    program: String,
    /// What the words of claims write out, and the signs that the page has for it, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    signs: Vec<[String; 2]>,
    /// How readers verify the page; the program's own ways where none are given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    verify: Vec<Step>,
}

/// A command for readers.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Step {
    command: String,
    /// What it does, as the end of a sentence that begins with the command.
    does: String,
}

fn plain_program() -> String {
    "retrace".to_owned()
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Section {
    title: String,
    #[serde(default)]
    text: String,
    /// Labels of inputs of the role `pictures`, or globs of them. Their words are those of their stages.
    figures: Vec<String>,
}

/// A figure with its place and words.
struct Figure<'a> {
    label: String,
    made: &'a Traced,
    svg: String,
    title: String,
    caption: String,
}

#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    paper: &'a str,
    paper_url: &'a str,
    program: &'a str,
    verify: Vec<Step>,
    lead: &'a [String],
    counts: Counts,
    claims: Vec<ClaimView>,
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

#[derive(Serialize)]
struct FigureView<'a> {
    id: String,
    title: &'a str,
    caption: &'a str,
    /// How far error bars reach.
    errors: String,
    alt: String,
    picture: String,
    width: String,
    height: String,
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

#[derive(Serialize)]
struct TableView<'a> {
    id: String,
    title: &'a str,
    caption: &'a str,
    /// None for a file of the repository.
    stage: Option<&'a str>,
    within: Vec<String>,
    files: Vec<(String, String)>,
    columns: Vec<(String, bool)>,
    rows: Vec<Vec<String>>,
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
        let figures = params.sections.iter().flat_map(|section| &section.figures);
        let mut seen = BTreeSet::new();
        for name in figures.chain(&params.tables) {
            if !seen.insert(name) {
                return Err(format!("`{name}` stands in the report twice"));
            }
        }
        Ok(())
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let told = io.read("trace")?;
        let trace = Trace::read(&told)?;
        let within = within::read(&told)?;
        let claims: Vec<Decided> = serde_json::from_slice(&io.read("claims")?).map_err(failed)?;
        refuse_data_without_picture(io)?;
        let further = Section {
            title: "Further figures".to_owned(),
            text: "Made by stages that the report has no words for.".to_owned(),
            figures: Vec::new(),
        };
        let placed = placed(params, io, &trace)?;
        let figures = || placed.iter().flatten();
        check_claims(params, figures(), &claims)?;
        let sections = params.sections.iter().chain(std::iter::once(&further));
        let mut views = Vec::new();
        for (section, figures) in sections.zip(&placed).filter(|(_, f)| !f.is_empty()) {
            let figures = figures.iter();
            views.push(SectionView {
                title: &section.title,
                text: &section.text,
                figures: figures
                    .map(|figure| view(figure, params, io, &claims, &within))
                    .collect::<Result<_>>()?,
            });
        }
        let named = params.tables.iter().enumerate();
        let named = named.map(|(at, table)| (format!("tables.{at}"), table.as_str()));
        let others = unnamed(io, "tables", named)?;
        let tables = params.tables.iter().map(String::as_str).chain(others);
        let tables = tables.map(|label| table(label, io, &trace, &within));
        let bears = |id: &str| {
            let bears = figures().filter(|figure| {
                let own = params.claims.get(&figure.label);
                own.is_some_and(|own| own.iter().any(|claim| claim == id))
            });
            bears
                .map(|figure| (anchor("figure", &figure.label), figure.title.clone()))
                .collect()
        };
        let data = Page {
            title: &params.title,
            paper: &params.paper,
            paper_url: &params.paper_url,
            program: &params.program,
            verify: params.steps(),
            lead: &params.lead,
            counts: claims::counts(&claims),
            claims: claims
                .iter()
                .map(|claim| claims::view(claim, bears(&claim.id), &params.signs))
                .collect(),
            sections: views,
            tables: tables.collect::<Result<_>>()?,
            recorded: recorded::view(io, &params.signs)?,
            graph: graph::graph(
                &trace,
                figures().map(|f| (f.label.as_str(), f.title.as_str())),
            ),
            stages: trace.stages.len(),
            outputs: trace.stages.iter().map(|stage| stage.outputs.len()).sum(),
        };
        let text = |role: &str| String::from_utf8(io.read(role)?).map_err(failed);
        let html = template::render(
            &Parts {
                template: &text("template")?,
                style: &text("style")?,
                script: &text("script")?,
                charts: &text("charts")?,
            },
            &data,
        )
        .map_err(failed)?;
        io.write("html", html.as_bytes())
    }
}

impl Params {
    /// What a reader may type to verify the page.
    fn steps(&self) -> Vec<Step> {
        if !self.verify.is_empty() {
            return self.verify.clone();
        }
        let step = |verb: &str, does: &str| Step {
            command: format!("{} {verb}", self.program),
            does: does.to_owned(),
        };
        vec![
            step("verify", "compares every file with the committed lock."),
            step(
                "run",
                "makes everything again that is not as recorded, this page last.",
            ),
            step(
                "verify --rebuild",
                "makes everything from an empty cache and names the first stage that differs.",
            ),
        ]
    }
}

/// The figures of each section, and those of none: one list more than there are sections. What a glob
/// matches comes in the order in which stages run.
fn placed<'t>(params: &Params, io: &Io, trace: &'t Trace) -> Result<Vec<Vec<Figure<'t>>>> {
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
            let refused = |e: Error| Error::failed(format!("{path}: {}", e.message));
            let pattern = Pattern::read(name).map_err(refused)?;
            let is_meant = |label: &&str| match pattern.is_glob() {
                true => pattern.matches(label),
                false => label == name,
            };
            let mut meant: Vec<&str> = known.iter().copied().filter(is_meant).collect();
            meant.sort_by_key(order);
            if meant.is_empty() {
                let message = format!(
                    "{path}: the report names `{name}`, which no input of `pictures` gives"
                );
                return Err(Error::failed(message).suggest(name, known.iter().copied()));
            }
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

/// Every figure that has claims is on the page, and every claim of one is decided.
fn check_claims<'f>(
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
fn refuse_data_without_picture(io: &Io) -> Result<()> {
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
fn unnamed<'a>(
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

fn input<'a>(io: &'a Io, role: &str, label: &str) -> Option<&'a std::path::Path> {
    let found = io.inputs(role).iter().find(|(known, _)| known == label);
    found.map(|(_, path)| path.as_path())
}

/// The stage that wrote what `role[label]` reads, from the digest of the bytes.
fn writer<'t>(trace: &'t Trace, bytes: &[u8], label: &str) -> Result<&'t Traced> {
    let digest = blake3::hash(bytes).to_hex().to_string();
    let wrote = |stage: &&Traced| stage.outputs.iter().any(|output| output.digest == digest);
    let same_name = trace.stages.iter().filter(wrote);
    let same_name = same_name.min_by_key(|stage| (stage.stage != label, &stage.stage));
    same_name.ok_or_else(|| Error::failed(format!("no stage of the trace wrote `{label}`")))
}

/// The files of a stage as the page links them.
fn files(stage: &Traced) -> Vec<(String, String)> {
    let outputs = stage.outputs.iter();
    links::of(outputs.map(|output| (output.name.as_str(), output.path.as_str())))
}

impl<'t> Figure<'t> {
    /// The picture with the words of the stage that drew it, or with none of its own.
    fn read(label: &str, path: &std::path::Path, trace: &'t Trace) -> Result<Self> {
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

fn view<'a>(
    figure: &'a Figure,
    params: &Params,
    io: &Io,
    claims: &[Decided],
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
    let claim = |id: &String| {
        let found = claims.iter().find(|claim| claim.id == *id)?;
        let verdict = found.verdict;
        Some((id.clone(), claims::class(verdict), verdict.words()))
    };
    let inputs = made.inputs.iter().map(|input| InputView {
        role: input.role.clone(),
        from: input.from.clone(),
        digest: input.digest.to_string(),
        node: trace::stage_of(&input.from).map(|id| anchor("stage", trace::name_of(id))),
    });
    let own = params.claims.get(label).into_iter().flatten();
    Ok(FigureView {
        id: anchor("figure", label),
        title: &figure.title,
        caption: &figure.caption,
        errors,
        alt: format!("{}. {}", figure.title, figure.caption),
        picture: picture::address(svg),
        width: format!("{:.0}", width * 4.0 / 3.0),
        height: format!("{:.0}", height * 4.0 / 3.0),
        claims: own.filter_map(claim).collect(),
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

fn table<'a>(label: &'a str, io: &Io, trace: &'a Trace, within: &Within) -> Result<TableView<'a>> {
    let path = input(io, "tables", label);
    let bytes = read(path.ok_or_else(|| Error::failed("a table is missing"))?)?;
    let Cells { columns, rows } = Cells::read(&bytes)?;
    // A table that no stage wrote is a file of the repository, which has no words of its own.
    let Ok(made) = writer(trace, &bytes, label) else {
        return Ok(TableView {
            id: anchor("table", label),
            title: label,
            caption: "",
            stage: None,
            within: Vec::new(),
            files: Vec::new(),
            columns,
            rows,
        });
    };
    Ok(TableView {
        id: anchor("table", label),
        title: made.title.as_deref().unwrap_or(label),
        caption: made.caption.as_deref().unwrap_or_default(),
        stage: Some(&made.stage),
        within: within.of(&made.stage),
        files: files(made),
        columns,
        rows,
    })
}
