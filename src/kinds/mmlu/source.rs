//! Items as the user has them: the model hub's Parquet, or a CSV with one column for each choice.
//!
//! Parquet: `subject`, `question`, `choices` (a list of four texts), `answer` (0 to 3). CSV: `subject`, `question`, `A`, `B`,
//! `C`, `D`, `answer` (a letter). Other columns are not looked at. Rows are counted from 1, without the header, and are the
//! items' ids. Does not know what items are for.

use polars::prelude::{Column, DataFrame, DataType, ParquetReader, SerReader};
use retrace::base::error::{Error, Result, panic_words};
use retrace::stage::kind::read;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use tables::foreign_table::ForeignTable;
use tuning::mmlu::items::{CHOICES, Item, Letter};
use tuning::mmlu::subjects::{SUBJECTS, Subject};

/// Where to get the items.
const HINT: &str = "as the test split `all` of `cais/mmlu` on the Hugging Face hub (MIT licence) has them, in Parquet; or a CSV with the columns subject,question,A,B,C,D,answer";

/// A row as it is written.
struct Row {
    subject: String,
    question: String,
    choices: Vec<String>,
    answer: Answer,
}

enum Answer {
    Letter(String),
    Place(i64),
}

/// All items of a file.
///
/// # Errors
/// What is no such table, with its columns; a row with an unknown subject, another number of choices than four, or an answer
/// that is none of them.
pub fn read_items(path: &Path) -> Result<Vec<Item>> {
    let file = path.display();
    let bytes = read(path)?;
    let wrong = |message: String| Error::failed(format!("{file}: {message}"));
    let rows = match bytes.starts_with(b"PAR1") {
        true => survive(|| parquet(bytes)),
        false => survive(|| csv(bytes)),
    };
    let rows = rows.map_err(|message| wrong(message).hint(format!("items are wanted {HINT}")))?;
    let item = |(at, row): (usize, Row)| {
        let number = at + 1;
        item(number as u64, row).map_err(|error| Error {
            message: format!("{file}: row {number}, {}", error.message),
            ..error
        })
    };
    rows.into_iter().enumerate().map(item).collect()
}

/// Runs what may panic on a damaged file.
pub(super) fn survive<T>(
    act: impl FnOnce() -> std::result::Result<T, String>,
) -> std::result::Result<T, String> {
    // What `act` worked on is dropped with it.
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        let words = panic_words(panic.as_ref());
        Err(format!("it cannot be read, and may be damaged: {words}"))
    })
}

fn item(id: u64, row: Row) -> Result<Item> {
    let name = row.subject.trim();
    let subject = Subject::find(name).ok_or_else(|| {
        let message = format!("column `subject`: `{name}` is none of the 57 subjects of MMLU");
        Error::failed(message).suggest(name, SUBJECTS.map(|(name, _)| name))
    })?;
    let found = row.choices.len();
    let choices = <[String; CHOICES]>::try_from(row.choices);
    let choices = choices.map_err(|_| {
        Error::failed(format!(
            "column `choices`: {found} choices, an item has {CHOICES}"
        ))
    })?;
    let answer = match &row.answer {
        Answer::Place(place) => usize::try_from(*place).ok().and_then(Letter::at),
        Answer::Letter(text) => {
            let mut letters = text.trim().chars();
            let first = letters.next().and_then(Letter::of);
            first.filter(|_| letters.next().is_none())
        }
    };
    let answer = answer.ok_or_else(|| {
        Error::failed(match row.answer {
            Answer::Place(place) => {
                format!("column `answer`: {place} is no right choice: they are 0, 1, 2 and 3")
            }
            Answer::Letter(text) => {
                format!("column `answer`: `{text}` is no right choice: they are A, B, C and D")
            }
        })
    })?;
    Ok(Item {
        id,
        subject,
        question: row.question,
        choices,
        answer,
    })
}

fn csv(bytes: Vec<u8>) -> std::result::Result<Vec<Row>, String> {
    let table = ForeignTable::read(bytes)?;
    let column = |name: &str| {
        let at = table.names().iter().position(|known| known == name);
        let at = at.ok_or_else(|| {
            let known = table.names().join(", ");
            format!("there is no column `{name}`; there are {known}")
        })?;
        let cells = table.cells(at).map_err(|unfit| unfit.message)?;
        let names = cells.names().into_iter();
        Ok::<Vec<String>, String>(
            names
                .map(|name| name.unwrap_or_default().into_owned())
                .collect(),
        )
    };
    let (subjects, questions) = (column("subject")?, column("question")?);
    let choices = ["A", "B", "C", "D"].map(column);
    let choices: Vec<Vec<String>> = choices.into_iter().collect::<std::result::Result<_, _>>()?;
    let answers = column("answer")?;
    let row = |at: usize| Row {
        subject: subjects[at].clone(),
        question: questions[at].clone(),
        choices: choices.iter().map(|column| column[at].clone()).collect(),
        answer: Answer::Letter(answers[at].clone()),
    };
    Ok((0..table.rows()).map(row).collect())
}

/// A batch of rows of the hub's Parquet.
fn parquet(bytes: Vec<u8>) -> std::result::Result<Vec<Row>, String> {
    let names = ["subject", "question", "choices", "answer"];
    let mut reader = ParquetReader::new(Cursor::new(bytes));
    let schema = reader
        .schema()
        .map_err(|e| format!("no Parquet table: {e}"))?;
    let known: Vec<&str> = schema.iter_names().map(|name| name.as_str()).collect();
    if let Some(missing) = names.iter().find(|name| !known.contains(*name)) {
        let known = known.join(", ");
        return Err(format!("there is no column `{missing}`; there are {known}"));
    }
    let columns = names.map(str::to_owned).to_vec();
    let frame = reader.with_columns(Some(columns)).finish();
    rows(&frame.map_err(|e| format!("no Parquet table: {e}"))?)
}

fn rows(frame: &DataFrame) -> std::result::Result<Vec<Row>, String> {
    let column = |name: &str| frame.column(name).map_err(|e| e.to_string());
    let of_type = |column: &Column, wanted: &str| {
        let (name, found) = (column.name(), column.dtype());
        format!("column `{name}` is of type {found}, {wanted} is wanted")
    };
    let text = |name: &str| -> std::result::Result<Vec<String>, String> {
        let column = column(name)?;
        let texts = column.str().map_err(|_| of_type(column, "text"))?;
        Ok(texts
            .iter()
            .map(|text| text.unwrap_or_default().to_owned())
            .collect())
    };
    let answers = column("answer")?;
    if !answers.dtype().is_integer() {
        return Err(of_type(answers, "a whole number"));
    }
    let answers = answers.cast(&DataType::Int64).map_err(|e| e.to_string())?;
    let answers = answers.i64().map_err(|e| e.to_string())?;
    let lists = column("choices")?;
    let lists = lists
        .list()
        .map_err(|_| of_type(lists, "a list of texts"))?;
    let mut choices = Vec::with_capacity(frame.height());
    for at in 0..frame.height() {
        let list = lists.get_as_series(at);
        let texts = list.as_ref().map(|list| {
            let texts = list.str().map_err(|_| {
                format!(
                    "column `choices` holds lists of {}, texts are wanted",
                    list.dtype()
                )
            })?;
            Ok::<Vec<String>, String>(
                texts
                    .iter()
                    .map(|text| text.unwrap_or_default().to_owned())
                    .collect(),
            )
        });
        choices.push(texts.transpose()?.unwrap_or_default());
    }
    let (subjects, questions) = (text("subject")?, text("question")?);
    let parts = subjects
        .into_iter()
        .zip(questions)
        .zip(choices)
        .zip(answers.iter());
    let row = |(((subject, question), choices), answer): (_, Option<i64>)| Row {
        subject,
        question,
        choices,
        answer: Answer::Place(answer.unwrap_or(-1)),
    };
    Ok(parts.map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::{IntoColumn, NamedFrom, ParquetWriter, Series};

    fn items_of(bytes: &[u8]) -> std::result::Result<Vec<Item>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let path = file.path().display().to_string();
        read_items(file.path()).map_err(|error| error.message.replace(&path, "FILE"))
    }

    const HEADER: &str = "subject,question,A,B,C,D,answer\n";

    fn wrong(rows: &str) -> String {
        items_of(format!("{HEADER}{rows}").as_bytes()).unwrap_err()
    }

    #[test]
    fn a_csv_is_read() {
        let text = format!(
            "{HEADER}astronomy,\"Red, and near?\",Mars,1,2,3, A \nvirology,What?,a,b,c,d,D\n"
        );
        let items = items_of(text.as_bytes()).unwrap();
        assert_eq!(items.len(), 2);
        assert_eq!((items[0].id, items[0].right()), (1, "Mars"));
        assert_eq!(items[0].question, "Red, and near?");
        assert_eq!(
            (items[1].subject.name(), items[1].right()),
            ("virology", "d")
        );
    }

    #[test]
    fn what_is_wrong_with_a_row_is_told() {
        let good = "astronomy,What?,a,b,c,d,A\n";
        assert_eq!(
            wrong(&format!("{good}astronomie,What?,a,b,c,d,A\n")),
            "FILE: row 2, column `subject`: `astronomie` is none of the 57 subjects of MMLU"
        );
        for (answer, said) in [("E", "E"), ("", ""), ("AB", "AB"), ("0", "0")] {
            assert_eq!(
                wrong(&format!("{good}astronomy,What?,a,b,c,d,{answer}\n")),
                format!(
                    "FILE: row 2, column `answer`: `{said}` is no right choice: they are A, B, C and D"
                )
            );
        }
        let told = items_of(b"subject,question,A,B,C,answer\nastronomy,?,a,b,c,A\n").unwrap_err();
        assert!(told.starts_with("FILE: there is no column `D`"), "{told}");
        assert_eq!(items_of(b"").unwrap_err(), "FILE: it is empty");
        assert_eq!(
            items_of(HEADER.as_bytes()).unwrap_err(),
            "FILE: it has no rows"
        );
        assert!(wrong("astronomy,What?,a\n").contains("row 1 has 3 fields"));
    }

    fn hub(choices: &[&[&str]], answers: &[i64]) -> Vec<u8> {
        let n = choices.len();
        let lists: Vec<Series> = { choices.iter() }
            .map(|texts| Series::new("".into(), *texts))
            .collect();
        let columns = vec![
            Series::new("question".into(), vec!["What?"; n]).into_column(),
            Series::new("subject".into(), vec!["virology"; n]).into_column(),
            Series::new("choices".into(), lists).into_column(),
            Series::new("answer".into(), answers).into_column(),
        ];
        let mut frame = DataFrame::new(n, columns).unwrap();
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        bytes
    }

    #[test]
    fn the_hubs_parquet_is_read() {
        let four: &[&str] = &["a", "b", "c", "d"];
        let bytes = hub(&[four, four], &[3, 0]);
        let items = items_of(&bytes).unwrap();
        let read: Vec<(u64, &str)> = items.iter().map(|item| (item.id, item.right())).collect();
        assert_eq!(read, [(1, "d"), (2, "a")]);
        assert_eq!(items[1].choices, ["a", "b", "c", "d"]);
        let told = items_of(&hub(&[four, &["a", "b"]], &[3, 0])).unwrap_err();
        assert_eq!(
            told,
            "FILE: row 2, column `choices`: 2 choices, an item has 4"
        );
        let told = items_of(&hub(&[four], &[4])).unwrap_err();
        assert_eq!(
            told,
            "FILE: row 1, column `answer`: 4 is no right choice: they are 0, 1, 2 and 3"
        );
        // Damage is told, never a panic.
        for length in (0..bytes.len()).step_by(7) {
            assert!(items_of(&bytes[..length]).is_err());
        }
    }

    #[test]
    fn parquet_with_other_columns_is_refused() {
        let columns = vec![Series::new("question".into(), ["What?"]).into_column()];
        let mut frame = DataFrame::new(1, columns).unwrap();
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        let told = items_of(&bytes).unwrap_err();
        assert_eq!(
            told,
            "FILE: there is no column `subject`; there are question"
        );
    }
}
