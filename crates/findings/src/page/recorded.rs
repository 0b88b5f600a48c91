//! What the page shows of opt-in groups as it is recorded: verdicts, figures and tables that this page does
//! not rest on, and the names of those that are not there.
//!
//! Which outputs these are, the trace says; it has those, too, of which nothing is recorded. Whether they
//! are up to date, nobody here knows: the page says that they were not made with it.

use crate::claims::claim::Decided;
use crate::exchange::failed::failed;
use crate::page::cells::Cells;
use crate::page::claims::{self, ClaimView, Counts};
use crate::page::links;
use crate::page::params::Params;
use plots::picture;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, read};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The section.
#[derive(Serialize)]
pub struct View {
    claims: Vec<ClaimView>,
    counts: Counts,
    figures: Vec<FigureView>,
    tables: Vec<TableView>,
    /// Stages of which nothing is recorded, or whose files are not as recorded; each once.
    absent: Vec<String>,
}

#[derive(Serialize)]
struct FigureView {
    id: String,
    title: String,
    caption: String,
    alt: String,
    picture: String,
    width: String,
    height: String,
    stage: String,
    within: Vec<String>,
    files: Vec<(String, String)>,
}

#[derive(Serialize)]
struct TableView {
    id: String,
    title: String,
    caption: String,
    stage: String,
    within: Vec<String>,
    files: Vec<(String, String)>,
    columns: Vec<(String, bool)>,
    rows: Vec<Vec<String>>,
}

/// The part of the trace that tells of it.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    recorded: Vec<Recorded>,
}

/// An output that is read as recorded.
#[derive(Deserialize)]
struct Recorded {
    role: String,
    label: String,
    stage: String,
    title: Option<String>,
    caption: Option<String>,
    /// `None` where it is not there.
    digest: Option<String>,
    /// How its outputs compare that need not be the same bytes elsewhere.
    #[serde(default)]
    within: Vec<String>,
    outputs: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    name: String,
    path: String,
}

/// What the page shows; `None` where it names nothing as recorded.
///
/// # Errors
/// A file is not of the kind that its role wants.
pub fn view(io: &Io, params: &Params) -> Result<Option<View>> {
    let told: Told = serde_json::from_slice(&io.read("trace")?).map_err(failed)?;
    if told.recorded.is_empty() {
        return Ok(None);
    }
    let mut decided: Vec<Decided> = Vec::new();
    let (mut figures, mut tables) = (Vec::new(), Vec::new());
    let mut absent: Vec<String> = Vec::new();
    for recorded in told.recorded {
        if recorded.digest.is_none() {
            if !absent.contains(&recorded.stage) {
                absent.push(recorded.stage);
            }
            continue;
        }
        let bytes = read(path(io, &recorded)?)?;
        let wrong = |error: Error| {
            let message = format!(
                "what is recorded of `{}`: {}",
                recorded.stage, error.message
            );
            Error::failed(message)
        };
        match recorded.role.as_str() {
            "recorded_claims" => {
                let own: Vec<Decided> = serde_json::from_slice(&bytes)
                    .map_err(failed)
                    .map_err(wrong)?;
                decided.extend(own);
            }
            "recorded_pictures" => figures.push(figure(&recorded, bytes).map_err(wrong)?),
            "recorded_tables" => tables.push(table(&recorded, &bytes).map_err(wrong)?),
            role => {
                let message = format!("`{}` is read as recorded, as `{role}`", recorded.stage);
                return Err(Error::failed(message).hint(
                    "what is recorded comes as recorded_claims, recorded_pictures or recorded_tables",
                ));
            }
        }
    }
    Ok(Some(View {
        counts: claims::counts(decided.iter()),
        claims: decided
            .iter()
            .map(|claim| {
                let words = params.words.get(&claim.id);
                claims::view(claim, words, Vec::new(), &params.signs)
            })
            .collect(),
        figures,
        tables,
        absent,
    }))
}

impl View {
    /// The ids of its claims.
    pub fn claims(&self) -> impl Iterator<Item = &str> {
        self.claims.iter().map(|claim| claim.id.as_str())
    }

    /// Whether something of it is not recorded here.
    pub fn lacks(&self) -> bool {
        !self.absent.is_empty()
    }
}

fn path<'a>(io: &'a Io, recorded: &Recorded) -> Result<&'a Path> {
    let mut found = io.inputs(&recorded.role).iter();
    let found = found.find(|(label, _)| *label == recorded.label);
    let found = found.map(|(_, path)| path.as_path());
    found.ok_or_else(|| Error::failed(format!("nothing recorded of `{}` is given", recorded.stage)))
}

fn figure(recorded: &Recorded, bytes: Vec<u8>) -> Result<FigureView> {
    let svg = String::from_utf8(bytes).map_err(failed)?;
    let (width, height) =
        picture::size(&svg).ok_or_else(|| Error::failed("the SVG has no size"))?;
    let (title, caption) = words(recorded);
    Ok(FigureView {
        id: format!("recorded-{}", recorded.label),
        alt: format!("{title}. {caption}"),
        picture: picture::address(&svg),
        width: format!("{:.0}", width * 4.0 / 3.0),
        height: format!("{:.0}", height * 4.0 / 3.0),
        stage: recorded.stage.clone(),
        within: recorded.within.clone(),
        files: files(recorded),
        title,
        caption,
    })
}

fn table(recorded: &Recorded, bytes: &[u8]) -> Result<TableView> {
    let (title, caption) = words(recorded);
    let Cells { columns, rows } = Cells::read(bytes)?;
    Ok(TableView {
        id: format!("recorded-table-{}", recorded.label),
        title,
        caption,
        stage: recorded.stage.clone(),
        within: recorded.within.clone(),
        files: files(recorded),
        columns,
        rows,
    })
}

fn words(recorded: &Recorded) -> (String, String) {
    let title = recorded.title.as_ref().unwrap_or(&recorded.stage);
    (title.clone(), recorded.caption.clone().unwrap_or_default())
}

fn files(recorded: &Recorded) -> Vec<(String, String)> {
    let places = recorded.outputs.iter();
    links::of(places.map(|place| (place.name.as_str(), place.path.as_str())))
}
