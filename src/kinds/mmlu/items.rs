//! Kind `mmlu-items`: items of MMLU that the user has, one for each answer, split into training and test.
//!
//! Reads Parquet or CSV, see [`crate::kinds::mmlu::source`]. In this order: items that cannot be used are refused or left
//! out; of several items of a subject whose right choices say the same the first stays; test and training items are drawn by
//! `seed`, balanced over the categories that each names. Output `table`: see
//! [`COLUMNS`].

use crate::kinds::exchange::table::failed;
use crate::kinds::mmlu::item_table::{COLUMNS, Items};
use crate::kinds::mmlu::source::read_items;
use crate::kinds::params::number::Count;
use crate::kinds::params::seed::Seed;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tuning::mmlu::items::{Flaw, Item, flaws, one_per_answer};
use tuning::mmlu::split::{Share, split};
use tuning::mmlu::subjects::Category;

pub struct MmluItems;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    training: ShareParams,
    test: ShareParams,
    /// What becomes of items without text or a single right choice, and of those that ask what an earlier one asks.
    flawed: Flawed,
    /// Draws the items of both.
    seed: Seed,
}

/// Items, divided evenly among categories.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShareParams {
    items: Count,
    categories: Vec<CategoryParam>,
}

/// A category, as pipeline.yaml writes it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CategoryParam {
    Stem,
    Humanities,
    SocialSciences,
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Flawed {
    /// An error that names rows.
    Refuse,
    /// A warning that names rows.
    LeaveOut,
}

impl From<CategoryParam> for Category {
    fn from(category: CategoryParam) -> Category {
        match category {
            CategoryParam::Stem => Category::Stem,
            CategoryParam::Humanities => Category::Humanities,
            CategoryParam::SocialSciences => Category::SocialSciences,
            CategoryParam::Other => Category::Other,
        }
    }
}

impl ShareParams {
    fn share(&self) -> Share {
        Share {
            items: self.items.get(),
            categories: self
                .categories
                .iter()
                .copied()
                .map(Category::from)
                .collect(),
        }
    }
}

impl StageKind for MmluItems {
    const NAME: &'static str = "mmlu-items";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("items")];
    const OUTPUTS: &'static [&'static str] = &["table.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        // What is wrong with a share shows without items.
        params.training.share().check("training")?;
        params.test.share().check("test")
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "table" => columns(COLUMNS),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let path = io.input("items")?;
        let file = path.display().to_string();
        let wrong = |message: String| Error::failed(format!("{file}: {message}"));
        let mut items = read_items(path)?;
        let all = items.len();
        let flaws = flaws(&items);
        if let Some(words) = told(&items, &flaws) {
            match params.flawed {
                Flawed::Refuse => {
                    return Err(wrong(words).hint(
                        "mend the file, or leave such items out: `flawed: leave-out` in the stage's params",
                    ));
                }
                Flawed::LeaveOut => io.warn(format!("{file}: left out: {words}")),
            }
        }
        let mut at = 0;
        items.retain(|_| {
            at += 1;
            flaws
                .binary_search_by_key(&(at - 1), |flaw| flaw.at)
                .is_err()
        });
        let usable = items.len();
        let items = one_per_answer(items);
        let (training, test) = (params.training.share(), params.test.share());
        let seed = params.seed.get();
        let split = split(&items, &training, &test, seed).map_err(|words| {
            wrong(words).hint("ask for fewer `items`, or give the file with all subjects")
        })?;
        io.log(format!(
            "{all} items, {} left out as flawed, {} since an earlier one has the same right choice; of {} others {} for training and {} for tests",
            all - usable,
            usable - items.len(),
            items.len(),
            split.training.len(),
            split.test.len()
        ));
        let of = |places: &[usize]| places.iter().map(|&at| items[at].clone()).collect();
        let items = Items {
            training: of(&split.training),
            test: of(&split.test),
        };
        items.write(io, "table").map_err(failed)
    }
}

/// Flaws that a message tells.
const TOLD: usize = 5;

/// The first flaws with their rows, and how many more there are.
fn told(items: &[Item], flaws: &[Flaw]) -> Option<String> {
    let first = flaws.iter().take(TOLD);
    let words = first.map(|flaw| format!("item {} {}", items[flaw.at].id, flaw.words));
    let mut words: Vec<String> = words.collect();
    if flaws.len() > TOLD {
        words.push(format!("and {} more", flaws.len() - TOLD));
    }
    (!flaws.is_empty()).then(|| words.join("; "))
}
