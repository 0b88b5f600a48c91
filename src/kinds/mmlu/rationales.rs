//! Rationales that the user has: CSV or Parquet with the columns `item` (the row of the file of items) and `rationale`.
//!
//! A rationale counts when its last line gives the right letter; several for one item are tries, of which the first right
//! one counts. Does not know prompts.

use crate::kinds::mmlu::source::survive;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, read};
use std::collections::BTreeMap;
use tables::foreign_table::ForeignTable;
use tuning::mmlu::answer::reasoning;
use tuning::mmlu::items::Item;

/// Reasoning by item, of the file in the role `rationales`; none where it has no file.
///
/// # Errors
/// What is no such table, and an item that is none of the file of items. Wrong rationales are counted in the log.
pub fn read_rationales(io: &Io, items: &[&[Item]]) -> Result<Option<BTreeMap<u64, String>>> {
    let Some((_, path)) = io.inputs("rationales").first() else {
        return Ok(None);
    };
    let file = path.display();
    let wrong = |message: String| Error::failed(format!("{file}: {message}"));
    let bytes = read(path)?;
    let table = survive(|| ForeignTable::read(bytes)).map_err(wrong)?;
    let column = |name: &str| {
        let at = table.names().iter().position(|known| known == name);
        let at = at.ok_or_else(|| {
            wrong(format!("there is no column `{name}`")).hint(
                "rationales are a table with the columns `item` (the row of the file of items) and `rationale`",
            )
        })?;
        let cells = survive(|| table.cells(at).map_err(|unfit| unfit.message));
        let cells = cells.map_err(|words| wrong(format!("column `{name}`: {words}")))?;
        let names = cells.names().into_iter();
        Ok::<Vec<String>, Error>(
            names
                .map(|name| name.unwrap_or_default().into_owned())
                .collect(),
        )
    };
    let (ids, texts) = (column("item")?, column("rationale")?);
    let known: BTreeMap<u64, &Item> = { items.iter() }
        .flat_map(|items| items.iter())
        .map(|item| (item.id, item))
        .collect();
    let mut found = BTreeMap::new();
    let (mut others, mut refused) = (0_usize, Vec::new());
    for (row, (id, text)) in ids.iter().zip(&texts).enumerate() {
        let row = row + 1;
        let id: u64 = id
            .parse()
            .map_err(|_| wrong(format!("row {row}, column `item`: `{id}` is no row number")))?;
        let Some(item) = known.get(&id) else {
            others += 1;
            continue;
        };
        match reasoning(text, item.answer) {
            Ok(reasoning) => {
                found.entry(id).or_insert_with(|| reasoning.to_owned());
            }
            Err(words) => refused.push(format!("row {row} {words}")),
        }
    }
    if found.is_empty() {
        let first = refused
            .first()
            .cloned()
            .unwrap_or_else(|| format!("all {others} rows are of items that were not drawn"));
        return Err(wrong(format!("no rationale is right: {first}")));
    }
    let first = refused.first().map(|words| format!(" ({words})"));
    io.log(format!(
        "{} of {} items have a right rationale; {} rows are wrong{}, {others} of items that were not drawn",
        found.len(),
        known.len(),
        refused.len(),
        first.unwrap_or_default()
    ));
    Ok(Some(found))
}
