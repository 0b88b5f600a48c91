//! Kind `prompt-figure`: draws prompts whose examples are images, in SVG, PDF and PNG.
//!
//! Each row is one prompt: held-out examples of a task, their labels below, the query apart.

use crate::kinds::data::tabular::Tabular;
use crate::kinds::exchange::examples::Examples;
use crate::kinds::exchange::roles::read_roles;
use crate::kinds::exchange::table::failed;
use crate::kinds::params::number::{Count, Positive};
use crate::kinds::params::seed::Seed;
use findings::exchange::drawing::write_drawing;
use icl::math::stream::Stream;
use icl::prompts::task_pool::Member;
use plots::draw::image_rows::{self, Image, ImageRow, ImageRows};
use plots::font::Font;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub struct PromptFigure;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    width_pt: Positive,
    font_pt: Positive,
    /// Resolution of the PNG.
    dpi: Positive,
    /// Columns of the table that are the pixels, row by row.
    pixels: Vec<String>,
    /// Pixels in a row of an image.
    columns: Count,
    /// Value of a black pixel; 0 is white.
    black: Positive,
    shots: Count,
    /// Chooses the examples; rows of one task have the same ones.
    seed: Seed,
    rows: Vec<RowParams>,
    /// Whether the font may lack glyphs of the words (then drawn as boxes) without a warning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    missing_glyphs: bool,
}

/// One prompt.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RowParams {
    /// Words above; `{}` stands for the task.
    title: String,
    role: TaskRole,
    /// Whether the labels are negated.
    #[serde(default)]
    flipped: bool,
}

/// Which task: the target, or the first of those that no training sees.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum TaskRole {
    Target,
    Unseen,
}

impl StageKind for PromptFigure {
    const NAME: &'static str = "prompt-figure";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("font"), one("table"), one("held_out"), one("roles")];
    const OUTPUTS: &'static [&'static str] = &["svg", "pdf", "png"];
    type Params = Params;

    fn run(params: &Params, io: &Io) -> Result<()> {
        let table = Tabular::read(io.input("table")?)?;
        let names = table.select(&params.pixels)?;
        let pixels: Vec<Vec<f64>> = names
            .iter()
            .map(|name| table.features(name))
            .collect::<Result<_>>()?;
        let examples = Examples::read(io.input("held_out")?)?;
        let roles = read_roles(io)?;
        let row = |row: &RowParams| {
            let task = match row.role {
                TaskRole::Target => Some(&roles.target),
                TaskRole::Unseen => roles.unseen.first(),
            };
            let task = task.ok_or_else(|| failed("no task is unseen"))?;
            Ok(ImageRow {
                title: row.title.replace("{}", &task.replace('_', " ")),
                images: images(params, task, row.flipped, &examples, &pixels)?,
            })
        };
        let figure = ImageRows {
            width_pt: params.width_pt.get(),
            font_pt: params.font_pt.get(),
            rows: params.rows.iter().map(row).collect::<Result<_>>()?,
        };
        let font = Font::from_bytes(&io.read("font")?).map_err(failed)?;
        let drawing = image_rows::draw(&figure, &font).map_err(failed)?;
        let (dpi, missing) = (params.dpi.get(), params.missing_glyphs);
        write_drawing(io, &drawing, &font, dpi, missing, Vec::new())
    }
}

/// Shots and query of one prompt, all different.
fn images(
    params: &Params,
    task: &str,
    flipped: bool,
    examples: &Examples,
    pixels: &[Vec<f64>],
) -> Result<Vec<Image>> {
    let mut members = examples.members(task)?;
    let wanted = params.shots.get() + 1;
    if members.len() < wanted {
        let message = format!(
            "task `{task}` has {} examples held out, {wanted} are to be drawn",
            members.len()
        );
        return Err(Error::failed(message));
    }
    let mut stream = Stream::new(params.seed.get(), "prompt figure", &[]);
    for place in 0..wanted {
        let other = place + stream.index(members.len() - place);
        members.swap(place, other);
    }
    let image = |(place, member): (usize, &Member)| {
        // Rows of the source table are counted from 1.
        let source = examples.rows[member.row] as usize - 1;
        let label = match (member.label > 0.0) != flipped {
            true => "+1",
            false => "\u{2212}1",
        };
        let darkness = |column: &Vec<f64>| {
            let value = column.get(source).copied();
            value.map(|value| value / params.black.get())
        };
        let pixels: Option<Vec<f64>> = pixels.iter().map(darkness).collect();
        Ok(Image {
            columns: params.columns.get(),
            pixels: pixels
                .ok_or_else(|| failed("the table has fewer rows than its examples say"))?,
            words: match place + 1 == wanted {
                true => format!("?  ({label})"),
                false => label.to_owned(),
            },
        })
    };
    members[..wanted].iter().enumerate().map(image).collect()
}
