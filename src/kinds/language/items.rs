//! Kind `language-items`: questions of tasks with their answers, split into training, development and tests.
//!
//! Reads a gzipped text, a line an item: task, question, answer and rank, separated by tabs; and refuses it when its
//! BLAKE3 digest is not the stated one. Keeps of each task the `most` common items, and draws the split by `seed`, see
//! [`tuning::language::split`]. Output `table`: see [`COLUMNS`], in the order of the file.

use crate::kinds::data::packed::{check_digest, read_packed};
use crate::kinds::exchange::language::{COLUMNS, write_items};
use crate::kinds::params::number::{Count, Share};
use crate::kinds::params::seed::Seed;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind, one};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tuning::language::items::{Item, parse};
use tuning::language::split::{Shares, Split, split};

pub struct LanguageItems;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Digest of the file, 64 hexadecimal digits.
    blake3: String,
    /// Items of each task, its most common ones; all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    most: Option<Count>,
    /// Share of each task's items for choices such as the learning rate.
    development: Share,
    /// Share of each task's items that are for tests.
    test: Share,
    /// Draws the splits.
    seed: Seed,
}

impl StageKind for LanguageItems {
    const NAME: &'static str = "language-items";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[one("items")];
    const OUTPUTS: &'static [&'static str] = &["table.parquet"];
    type Params = Params;

    fn check(params: &Params) -> std::result::Result<(), String> {
        check_digest(&params.blake3)?;
        let (development, test) = (params.development.get(), params.test.get());
        match development + test < 1.0 {
            true => Ok(()),
            false => Err(format!(
                "development and test: shares {development} and {test} leave nothing for training"
            )),
        }
    }

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "table" => columns(COLUMNS),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let (file, text) = read_packed(io, "items", &params.blake3)?;
        let wrong = |message: String| Error::failed(format!("{file}: {message}"));
        let items = parse(text.as_bytes()).map_err(wrong)?;
        let items = common(items, params.most.map(Count::get));
        let shares = Shares {
            development: params.development.get(),
            test: params.test.get(),
        };
        let splits = split(&items, shares, params.seed.get()).map_err(|error| {
            wrong(error.to_string())
                .hint("raise the share, or `most`: every task needs some of each")
        })?;
        let items: Vec<(Item, Split)> = items.into_iter().zip(splits).collect();
        io.log(summary(&items));
        write_items(io, "table", &items)
    }
}

/// Those of the first ranks of each task: ranks may have gaps.
fn common(items: Vec<Item>, most: Option<usize>) -> Vec<Item> {
    let Some(most) = most else {
        return items;
    };
    let mut ranks: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for item in &items {
        ranks.entry(item.task.clone()).or_default().push(item.rank);
    }
    for ranks in ranks.values_mut() {
        ranks.sort_unstable();
        ranks.truncate(most);
    }
    let is_common = |item: &Item| ranks[&item.task].last() >= Some(&item.rank);
    items.into_iter().filter(is_common).collect()
}

/// Each task with its numbers of items for training, development and tests.
fn summary(items: &[(Item, Split)]) -> String {
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (item, split) in items {
        counts.entry(&item.task).or_default()[*split as usize] += 1;
    }
    let task = |(task, [train, development, test]): (&str, [usize; 3])| {
        format!("{task} {train}, {development}, {test}")
    };
    let tasks: Vec<String> = counts.into_iter().map(task).collect();
    format!(
        "items for training, development and tests: {}",
        tasks.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_leave_some_for_training() {
        let params = |development: f64, test: f64| -> Params {
            let json = serde_json::json!({
                "blake3": "0".repeat(64), "development": development, "test": test, "seed": 0
            });
            serde_json::from_value(json).unwrap()
        };
        assert!(LanguageItems::check(&params(0.1, 0.4)).is_ok());
        assert_eq!(
            LanguageItems::check(&params(0.5, 0.5)).unwrap_err(),
            "development and test: shares 0.5 and 0.5 leave nothing for training"
        );
    }

    #[test]
    fn the_most_common_are_kept_and_counted() {
        let text = "a\tx\t1\t5\na\ty\t2\t2\na\tz\t3\t9\nb\tx\t1\t1\n";
        let items = common(parse(text.as_bytes()).unwrap(), Some(2));
        let ranks: Vec<usize> = items.iter().map(|item| item.rank).collect();
        assert_eq!(ranks, [5, 2, 1]);
        let splits = [Split::Train, Split::Test, Split::Test];
        let items: Vec<(Item, Split)> = items.into_iter().zip(splits).collect();
        assert_eq!(
            summary(&items),
            "items for training, development and tests: a 1, 0, 1; b 0, 0, 1"
        );
    }
}
