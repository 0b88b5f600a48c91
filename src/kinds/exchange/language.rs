//! Items of language tasks with their split, as the table that kind `language-items` writes.

use crate::kinds::exchange::table::{failed, read_table, write_table};
use retrace::base::error::{Error, Result};
use retrace::stage::kind::Io;
use tables::table::{Column, Table, TableError};
use tuning::language::items::Item;
use tuning::language::split::Split;

/// Columns of the table; `split` is `train`, `development` or `test`.
pub const COLUMNS: &[&str] = &["task", "question", "answer", "rank", "split"];

/// Writes items, each with its split, as an output.
pub fn write_items(io: &Io, output: &str, items: &[(Item, Split)]) -> Result<()> {
    write_table(io, output, table(items))
}

fn table(items: &[(Item, Split)]) -> std::result::Result<Table, TableError> {
    let text = |part: fn(&(Item, Split)) -> &str| {
        Column::Text(items.iter().map(|item| part(item).to_owned()).collect())
    };
    let ranks = items.iter().map(|(item, _)| item.rank as i64);
    Table::new(vec![
        ("task", text(|(item, _)| &item.task)),
        ("question", text(|(item, _)| &item.question)),
        ("answer", text(|(item, _)| &item.answer)),
        ("rank", Column::Int(ranks.collect())),
        ("split", text(|(_, split)| split.name())),
    ])
}

/// The table in the role `items`.
///
/// # Errors
/// A table without these columns, and values that none of them has.
pub fn read_items(io: &Io) -> Result<Vec<(Item, Split)>> {
    let path = io.input("items")?;
    let wrong = |error: Error| Error::failed(format!("{}: {}", path.display(), error.message));
    read_table(path).and_then(|table| items(&table).map_err(wrong))
}

fn items(table: &Table) -> Result<Vec<(Item, Split)>> {
    let text = |name| table.texts(name).map_err(failed);
    let (task, split) = (text("task")?, text("split")?);
    let (question, answer) = (text("question")?, text("answer")?);
    let ranks = table.floats("rank").map_err(failed)?;
    let item = |at: usize| {
        let found = Split::ALL.into_iter().find(|one| one.name() == split[at]);
        let split = found.ok_or_else(|| {
            let (row, known) = (at + 1, Split::ALL.map(Split::name).join(", "));
            let value = &split[at];
            Error::failed(format!(
                "row {row}, column `split`: `{value}` is none of {known}"
            ))
        })?;
        let rank = ranks[at];
        if !(rank >= 1.0 && rank.fract() == 0.0) {
            let row = at + 1;
            let message = format!("row {row}, column `rank`: {rank} is no whole number above 0");
            return Err(Error::failed(message));
        }
        let item = Item {
            task: task[at].clone(),
            question: question[at].clone(),
            answer: answer[at].clone(),
            rank: rank as usize,
        };
        Ok((item, split))
    };
    (0..table.rows()).map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_unknown_values_are_told() {
        let item = Item {
            task: "past".into(),
            question: "go".into(),
            answer: "went".into(),
            rank: 7,
        };
        let written = vec![(item, Split::Development)];
        assert_eq!(items(&table(&written).unwrap()).unwrap(), written);
        let with = |rank, split: &str| {
            let text = |text: &str| Column::Text(vec![text.to_owned()]);
            let columns = vec![
                ("task", text("past")),
                ("question", text("go")),
                ("answer", text("went")),
                ("rank", Column::Int(vec![rank])),
                ("split", text(split)),
            ];
            items(&Table::new(columns).unwrap()).unwrap_err().message
        };
        assert_eq!(
            with(1, "tests"),
            "row 1, column `split`: `tests` is none of train, development, test"
        );
        assert_eq!(
            with(0, "test"),
            "row 1, column `rank`: 0 is no whole number above 0"
        );
    }
}
