//! Kind `word-prompts`: draws prompts whose examples are words, in SVG, PDF and PNG.
//!
//! Each column is one prompt, as a reader sees it: names of test things with the letters dealt to their
//! languages, the query below in a frame with its right answer, and, which no model is told, the languages.

use crate::kinds::exchange::table::failed;
use crate::kinds::exchange::words::{COLUMNS, read_corpus, read_languages};
use crate::kinds::params::number::{Count, Positive};
use crate::kinds::params::seed::Seed;
use findings::exchange::drawing::write_drawing;
use plots::draw::text_columns::{self, Marked, TextColumn, TextColumns};
use plots::font::Font;
use retrace::base::error::Result;
use retrace::stage::columns::{Wanted, wanted};
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tuning::words::corpus::Corpus;
use tuning::words::evaluations::Evaluation;
use tuning::words::prompts::{Deal, Example, Prompt};

pub struct WordPrompts;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    width_pt: Positive,
    font_pt: Positive,
    /// Resolution of the PNG.
    dpi: Positive,
    shots: Count,
    /// Draws the target task and the prompts: the first of those on which models of this seed are evaluated.
    seed: Seed,
    #[schemars(length(min = 1))]
    columns: Vec<ColumnParams>,
    /// Whether the font may lack glyphs of the words (then drawn as boxes) without a warning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    missing_glyphs: bool,
}

/// One prompt.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ColumnParams {
    /// Words above.
    title: String,
    measure: Measure,
}

/// Which prompts, as tables name them.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Measure {
    Target,
    OtherLetters,
    OtherTrained,
    Unseen,
    OtherScript,
}

impl Measure {
    fn evaluation(self) -> Evaluation {
        match self {
            Measure::Target => Evaluation::Target,
            Measure::OtherLetters => Evaluation::OtherLetters,
            Measure::OtherTrained => Evaluation::OtherTrained,
            Measure::Unseen => Evaluation::Unseen,
            Measure::OtherScript => Evaluation::OtherScript,
        }
    }
}

impl StageKind for WordPrompts {
    const NAME: &'static str = "word-prompts";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("font"), one("names"), one("languages")];
    const OUTPUTS: &'static [&'static str] = &["svg", "pdf", "png"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        match params.columns.is_empty() {
            true => Err("columns: at least one is needed".into()),
            false => Ok(()),
        }
    }

    fn wants(_params: &Params) -> Vec<Wanted> {
        let mut all = wanted("names", COLUMNS);
        all.extend(wanted("languages", &["language", "english"]));
        all
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let corpus = read_corpus(io)?;
        let languages = read_languages(io)?;
        let seed = params.seed.get();
        let target = Deal::target(&corpus, seed).map_err(failed)?;
        let column = |column: &ColumnParams| {
            let evaluation = column.measure.evaluation();
            let n_shots = params.shots.get();
            let prompts = evaluation.prompts(&corpus, &target, n_shots, 1, seed);
            let prompts = prompts.map_err(failed)?;
            let prompt = prompts.first();
            let prompt = prompt.ok_or_else(|| failed("no prompt was drawn"))?;
            Ok(text_column(&column.title, prompt, &corpus, &languages))
        };
        let figure = TextColumns {
            width_pt: params.width_pt.get(),
            font_pt: params.font_pt.get(),
            columns: params.columns.iter().map(column).collect::<Result<_>>()?,
        };
        let font = Font::from_bytes(&io.read("font")?).map_err(failed)?;
        let drawing = text_columns::draw(&figure, &font).map_err(failed)?;
        let (dpi, missing) = (params.dpi.get(), params.missing_glyphs);
        write_drawing(io, &drawing, &font, dpi, missing, Vec::new())
    }
}

/// Above the languages.
const NOT_TOLD: &str = "the deal (not in the prompt):";

fn letter(place: usize) -> String {
    const LETTERS: &str = "ABCD";
    LETTERS.chars().skip(place).take(1).collect()
}

fn text_column(
    title: &str,
    prompt: &Prompt,
    corpus: &Corpus,
    languages: &BTreeMap<String, String>,
) -> TextColumn {
    let name = |example: &Example| prompt.name(corpus, example).text.clone();
    let shot = |shot: &Example| Marked {
        text: name(shot),
        mark: letter(shot.letter),
    };
    let note = |(place, &language): (usize, &usize)| {
        let tag = &corpus.languages()[language].tag;
        Marked {
            text: languages.get(tag).unwrap_or(tag).clone(),
            mark: letter(place),
        }
    };
    TextColumn {
        title: title.to_owned(),
        rows: prompt.shots.iter().map(shot).collect(),
        last: Marked {
            text: name(&prompt.query),
            mark: format!("?  ({})", letter(prompt.query.letter)),
        },
        above_notes: NOT_TOLD.to_owned(),
        notes: prompt.deal.languages.iter().enumerate().map(note).collect(),
    }
}
