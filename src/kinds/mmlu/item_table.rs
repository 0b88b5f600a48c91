//! Items and their split, as the table that kind `mmlu-items` writes.

use crate::kinds::exchange::table::{failed, read_table, write_table};
use retrace::base::error::{Error, Result};
use retrace::stage::kind::Io;
use tables::table::{Column, Table};
use tuning::mmlu::items::{Item, Letter};
use tuning::mmlu::subjects::Subject;

/// Columns of the table: `item` is the row of the user's file, `answer` a letter, `split` `training` or `test`.
pub const COLUMNS: &[&str] = &[
    "item", "split", "category", "subject", "question", "A", "B", "C", "D", "answer",
];

const TRAINING: &str = "training";
const TEST: &str = "test";

/// Items of both splits, each in the order of the user's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items {
    pub training: Vec<Item>,
    pub test: Vec<Item>,
}

impl Items {
    /// Both, each with its split's name.
    pub fn splits(&self) -> [(&'static str, &[Item]); 2] {
        [(TRAINING, &self.training), (TEST, &self.test)]
    }

    /// Writes them as an output.
    pub fn write(&self, io: &Io, output: &str) -> Result<()> {
        let all = || {
            let splits = self.splits().into_iter();
            splits.flat_map(|(name, items)| items.iter().map(move |item| (name, item)))
        };
        let text = |part: &dyn Fn(&Item) -> String| {
            Column::Text(all().map(|(_, item)| part(item)).collect())
        };
        let choice = |at: usize| text(&move |item: &Item| item.choices[at].clone());
        let table = Table::new(vec![
            (
                "item",
                Column::Int(all().map(|(_, item)| item.id as i64).collect()),
            ),
            (
                "split",
                Column::Text(all().map(|(name, _)| name.to_owned()).collect()),
            ),
            (
                "category",
                text(&|item| item.subject.category().name().to_owned()),
            ),
            ("subject", text(&|item| item.subject.name().to_owned())),
            ("question", text(&|item| item.question.clone())),
            ("A", choice(0)),
            ("B", choice(1)),
            ("C", choice(2)),
            ("D", choice(3)),
            ("answer", text(&|item| item.answer.to_string())),
        ]);
        write_table(io, output, table)
    }

    /// The table in the role `items`.
    ///
    /// # Errors
    /// A table that kind `mmlu-items` did not write.
    pub fn read(io: &Io) -> Result<Items> {
        let path = io.input("items")?;
        let table = read_table(path)?;
        Items::of(&table).map_err(|e| Error::failed(format!("{}: {}", path.display(), e.message)))
    }

    fn of(table: &Table) -> Result<Items> {
        let text = |name| table.texts(name).map_err(failed);
        let (splits, subjects) = (text("split")?, text("subject")?);
        let (questions, answers) = (text("question")?, text("answer")?);
        let choices = [text("A")?, text("B")?, text("C")?, text("D")?];
        let ids = table.column("item").map_err(failed)?;
        let mut items = Items {
            training: Vec::new(),
            test: Vec::new(),
        };
        for at in 0..table.rows() {
            let wrong = |column: &str, value: &str| {
                failed(format!(
                    "row {}, column `{column}`: `{value}` is unknown",
                    at + 1
                ))
            };
            let id = ids.text(at);
            let answer = answers[at].chars().next().and_then(Letter::of);
            let item = Item {
                id: id.parse().map_err(|_| wrong("item", &id))?,
                subject: Subject::find(&subjects[at])
                    .ok_or_else(|| wrong("subject", &subjects[at]))?,
                question: questions[at].clone(),
                choices: choices.map(|column| column[at].clone()),
                answer: answer.ok_or_else(|| wrong("answer", &answers[at]))?,
            };
            match splits[at].as_str() {
                TRAINING => items.training.push(item),
                TEST => items.test.push(item),
                other => return Err(wrong("split", other)),
            }
        }
        Ok(items)
    }
}
