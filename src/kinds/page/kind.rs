//! Kind `report`: one page with every claim, figure and table, and where each came from.
//!
//! Which figure stands where, with which words, is in pipeline.yaml; numbers, digests and paths come
//! from the inputs and the trace. Reads no lock and no clock.

use crate::kinds::claims::claim::Decided;
use crate::kinds::exchange::table::failed;
use crate::kinds::exchange::trace::{self, Trace, Traced};
use crate::kinds::page::claims::{self, ClaimView, Counts};
use crate::kinds::page::figures::{self, Chart};
use crate::kinds::page::graph::{self, Graph, anchor, pretty};
use crate::kinds::page::template::{self, Parts};
use plots::picture;
use plots::warnings;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, Role, StageKind, any, many, one, read};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tables::csv;
use tables::table::Column;

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
    tables: Vec<TableWords>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Section {
    title: String,
    #[serde(default)]
    text: String,
    figures: Vec<FigureWords>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FigureWords {
    /// Label of an input of the role `pictures`: the id of its stage.
    figure: String,
    title: String,
    caption: String,
    /// Ids of claims that it bears on.
    #[serde(default)]
    claims: Vec<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TableWords {
    /// Label of an input of the role `tables`.
    table: String,
    title: String,
    caption: String,
}

impl Params {
    /// The figures that have words, each with the path of its name.
    fn figures(&self) -> impl Iterator<Item = (String, &str)> {
        let sections = self.sections.iter().enumerate();
        sections.flat_map(|(section, words)| {
            words.figures.iter().enumerate().map(move |(at, words)| {
                let path = format!("sections.{section}.figures.{at}.figure");
                (path, words.figure.as_str())
            })
        })
    }
}

impl FigureWords {
    /// A figure without words of its own.
    fn bare(figure: &str) -> Self {
        FigureWords {
            figure: figure.to_owned(),
            title: figure.to_owned(),
            caption: format!("Drawn by stage {figure}."),
            claims: Vec::new(),
        }
    }
}

impl TableWords {
    fn bare(table: &str) -> Self {
        TableWords {
            table: table.to_owned(),
            title: table.to_owned(),
            caption: String::new(),
        }
    }
}

#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    paper: &'a str,
    paper_url: &'a str,
    lead: &'a [String],
    counts: Counts,
    claims: Vec<ClaimView>,
    sections: Vec<SectionView<'a>>,
    tables: Vec<TableView<'a>>,
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
    stage: &'a str,
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
    ];
    const OUTPUTS: &'static [&'static str] = &["html"];
    const READS_TRACE: bool = true;
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        let figures = params.sections.iter().flat_map(|section| &section.figures);
        let names = figures.map(|figure| &figure.figure);
        let mut seen = BTreeSet::new();
        for name in names.chain(params.tables.iter().map(|table| &table.table)) {
            if !seen.insert(name) {
                return Err(format!("`{name}` stands in the report twice"));
            }
        }
        Ok(())
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let trace = Trace::read(&io.read("trace")?)?;
        let claims: Vec<Decided> = serde_json::from_slice(&io.read("claims")?).map_err(failed)?;
        refuse_data_without_picture(io)?;
        let further = Section {
            title: "Further figures".to_owned(),
            text: "Made by stages that the report has no words for.".to_owned(),
            figures: unnamed(io, "pictures", params.figures())?
                .into_iter()
                .map(FigureWords::bare)
                .collect(),
        };
        let all = || params.sections.iter().chain(std::iter::once(&further));
        let all = || all().filter(|section| !section.figures.is_empty());
        let figures = || all().flat_map(|section| &section.figures);
        let named = params.tables.iter().enumerate();
        let named = named.map(|(at, words)| (format!("tables.{at}.table"), words.table.as_str()));
        let bare: Vec<TableWords> = unnamed(io, "tables", named)?
            .into_iter()
            .map(TableWords::bare)
            .collect();

        let mut sections = Vec::new();
        let numbered = params.sections.iter().chain(std::iter::once(&further));
        let numbered = numbered.enumerate();
        for (at, section) in numbered.filter(|(_, section)| !section.figures.is_empty()) {
            let views = section.figures.iter().enumerate();
            let views = views.map(|(place, words)| {
                let path = format!("sections.{at}.figures.{place}");
                figure(words, &path, io, &trace, &claims)
            });
            sections.push(SectionView {
                title: &section.title,
                text: &section.text,
                figures: views.collect::<Result<_>>()?,
            });
        }
        let tables = params
            .tables
            .iter()
            .chain(&bare)
            .map(|words| table(words, io, &trace));
        let bears = |id: &str| {
            let bears = figures().filter(|figure| figure.claims.iter().any(|claim| claim == id));
            bears
                .map(|figure| (anchor("figure", &figure.figure), figure.title.clone()))
                .collect()
        };
        let data = Page {
            title: &params.title,
            paper: &params.paper,
            paper_url: &params.paper_url,
            lead: &params.lead,
            counts: claims::counts(&claims),
            claims: claims
                .iter()
                .map(|claim| claims::view(claim, bears(&claim.id)))
                .collect(),
            sections,
            tables: tables.collect::<Result<_>>()?,
            graph: graph::graph(
                &trace,
                figures().map(|f| (f.figure.as_str(), f.title.as_str())),
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

/// The files of a stage as the page links them: it lies in figures/, and so do they.
fn files(stage: &Traced) -> Vec<(String, String)> {
    let published = stage.outputs.iter().filter_map(|output| {
        let name = match output.name.as_str() {
            "data" => "CSV".to_owned(),
            "parquet" => "Parquet".to_owned(),
            "tex" => "LaTeX".to_owned(),
            "md" => "Markdown".to_owned(),
            other => other.to_uppercase(),
        };
        Some((name, output.path.strip_prefix("figures/")?.to_owned()))
    });
    published.collect()
}

fn figure<'a>(
    words: &'a FigureWords,
    path: &str,
    io: &Io,
    trace: &'a Trace,
    claims: &[Decided],
) -> Result<FigureView<'a>> {
    let picture = input(io, "pictures", &words.figure);
    let svg = read(picture.ok_or_else(|| Error::failed("a picture is missing"))?)?;
    let made = writer(trace, &svg, &words.figure)?;
    let svg = String::from_utf8(svg).map_err(failed)?;
    let (width, height) = picture::size(&svg)
        .ok_or_else(|| Error::failed(format!("the SVG of `{}` has no size", words.figure)))?;
    let (chart, errors) = match input(io, "data", &words.figure) {
        None => (None, String::new()),
        Some(path) => {
            let data = read(path)?;
            let chart = figures::chart(&made.params, &data)?;
            (chart, figures::error_words(&data)?)
        }
    };
    let claim = |(at, id): (usize, &String)| {
        let found = claims.iter().find(|claim| claim.id == *id);
        let found = found.ok_or_else(|| {
            let known = claims.iter().map(|claim| claim.id.as_str());
            let figure = &words.figure;
            let message = format!("{path}.claims.{at}: figure `{figure}` bears on no claim `{id}`");
            Error::failed(message).suggest(id, known)
        })?;
        let verdict = found.verdict;
        Ok((id.clone(), claims::class(verdict), verdict.words()))
    };
    let inputs = made.inputs.iter().map(|input| InputView {
        role: input.role.clone(),
        from: input.from.clone(),
        digest: input.digest.to_string(),
        node: trace::stage_of(&input.from).map(|id| anchor("stage", trace::name_of(id))),
    });
    Ok(FigureView {
        id: anchor("figure", &words.figure),
        title: &words.title,
        caption: &words.caption,
        errors,
        alt: format!("{}. {}", words.title, words.caption),
        picture: picture::address(&svg),
        width: format!("{:.0}", width * 4.0 / 3.0),
        height: format!("{:.0}", height * 4.0 / 3.0),
        claims: words
            .claims
            .iter()
            .enumerate()
            .map(claim)
            .collect::<Result<_>>()?,
        stage: &made.stage,
        kind: &made.kind,
        params: pretty(&made.params)?,
        inputs: inputs.collect(),
        files: files(made),
        chart,
        warnings: warnings::read(&svg).map_err(failed)?,
    })
}

fn table<'a>(words: &'a TableWords, io: &Io, trace: &'a Trace) -> Result<TableView<'a>> {
    let path = input(io, "tables", &words.table);
    let bytes = read(path.ok_or_else(|| Error::failed("a table is missing"))?)?;
    let made = writer(trace, &bytes, &words.table)?;
    let table = csv::read(&bytes).map_err(failed)?;
    let columns = table.columns();
    let cell = |column: &Column, row: usize| match column {
        Column::Float(values) if values[row].is_nan() => String::new(),
        Column::Float(values) => template::rounded(values[row]).to_string(),
        other => other.text(row),
    };
    let row = |row: usize| {
        columns
            .iter()
            .map(|(_, column)| cell(column, row))
            .collect()
    };
    Ok(TableView {
        id: anchor("table", &words.table),
        title: &words.title,
        caption: &words.caption,
        stage: &made.stage,
        files: files(made),
        columns: columns
            .iter()
            .map(|(name, column)| (name.clone(), !matches!(column, Column::Text(_))))
            .collect(),
        rows: (0..table.rows()).map(row).collect(),
    })
}
