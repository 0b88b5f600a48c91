//! Names of things in many languages, as the tables that kind `names` writes.

use crate::kinds::exchange::table::{failed, read_table, write_table};
use retrace::base::error::{Error, Result};
use retrace::stage::kind::Io;
use std::collections::BTreeMap;
use tables::table::{Column, Table};
use tuning::words::corpus::{Corpus, Language, Role, Row, Split};

/// Columns of the table; `split` is `train` or `test`, `role` is `pretraining`, `unseen` or
/// `other_script`.
pub const COLUMNS: &[&str] = &["language", "script", "thing", "name", "split", "role"];

/// Writes rows as an output.
pub fn write_names(io: &Io, output: &str, rows: &[Row]) -> Result<()> {
    let text = |part: fn(&Row) -> &str| {
        Column::Text(rows.iter().map(|row| part(row).to_owned()).collect())
    };
    let table = Table::new(vec![
        ("language", text(|row| &row.language)),
        ("script", text(|row| &row.script)),
        ("thing", text(|row| &row.thing)),
        ("name", text(|row| &row.name)),
        ("split", text(|row| row.split.name())),
        ("role", text(|row| row.role.name())),
    ]);
    write_table(io, output, table)
}

/// Columns of the table of languages; `english` is the language's name in English, `train` and `test` are numbers of names.
pub const LANGUAGE_COLUMNS: &[&str] = &["language", "english", "script", "role", "train", "test"];

/// Writes the languages of a corpus as an output, each with its English name.
pub fn write_languages(
    io: &Io,
    output: &str,
    corpus: &Corpus,
    english: impl Fn(&str) -> String,
) -> Result<()> {
    let languages = corpus.languages();
    let text = |part: fn(&Language) -> &str| {
        Column::Text(languages.iter().map(|one| part(one).to_owned()).collect())
    };
    let count = |split| {
        let counts = languages.iter().map(|one| one.names(split).len() as i64);
        Column::Int(counts.collect())
    };
    let english = languages.iter().map(|one| english(&one.tag));
    let table = Table::new(vec![
        ("language", text(|one| &one.tag)),
        ("english", Column::Text(english.collect())),
        ("script", text(|one| &one.script)),
        ("role", text(|one| one.role.name())),
        ("train", count(Split::Train)),
        ("test", count(Split::Test)),
    ]);
    write_table(io, output, table)
}

/// English names by tag, of the table in the role `languages`.
pub fn read_languages(io: &Io) -> Result<BTreeMap<String, String>> {
    let table = read_table(io.input("languages")?)?;
    let tags = table.texts("language").map_err(failed)?.iter();
    let english = table.texts("english").map_err(failed)?.iter();
    Ok(tags.cloned().zip(english.cloned()).collect())
}

/// The table in the role `names`.
///
/// # Errors
/// A table without these columns, values that none of them has, and rows that are no corpus.
pub fn read_corpus(io: &Io) -> Result<Corpus> {
    let path = io.input("names")?;
    let wrong =
        |error: &dyn std::fmt::Display| Error::failed(format!("{}: {error}", path.display()));
    let table = read_table(path)?;
    let rows = rows(&table).map_err(|error| wrong(&error.message))?;
    Corpus::new(rows).map_err(|error| wrong(&error))
}

fn rows(table: &Table) -> Result<Vec<Row>> {
    let text = |name| table.texts(name).map_err(failed);
    let (language, script) = (text("language")?, text("script")?);
    let (thing, name) = (text("thing")?, text("name")?);
    let (split, role) = (text("split")?, text("role")?);
    let row = |at: usize| {
        let unknown = |column: &str, value: &str, known: &[&str]| {
            let (row, known) = (at + 1, known.join(", "));
            Error::failed(format!(
                "row {row}, column `{column}`: `{value}` is none of {known}"
            ))
        };
        let found = Split::ALL.into_iter().find(|one| one.name() == split[at]);
        let split =
            found.ok_or_else(|| unknown("split", &split[at], &Split::ALL.map(Split::name)))?;
        let found = Role::ALL.into_iter().find(|one| one.name() == role[at]);
        let role = found.ok_or_else(|| unknown("role", &role[at], &Role::ALL.map(Role::name)))?;
        Ok(Row {
            language: language[at].clone(),
            script: script[at].clone(),
            thing: thing[at].clone(),
            name: name[at].clone(),
            split,
            role,
        })
    };
    (0..table.rows()).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_values_are_told_with_their_row() {
        let table = |split: &str, role: &str| {
            let values = ["de", "Latin", "territory/DE", "Deutschland", split, role];
            let columns = COLUMNS.iter().zip(values);
            let columns =
                columns.map(|(name, value)| (*name, Column::Text(vec![value.to_owned()])));
            Table::new(columns.collect()).unwrap()
        };
        let read = rows(&table("test", "other_script")).unwrap();
        assert_eq!(
            (read[0].split, read[0].role),
            (Split::Test, Role::OtherScript)
        );
        assert_eq!(
            rows(&table("tests", "unseen")).unwrap_err().message,
            "row 1, column `split`: `tests` is none of train, test"
        );
        assert_eq!(
            rows(&table("train", "")).unwrap_err().message,
            "row 1, column `role`: `` is none of pretraining, unseen, other_script"
        );
    }
}
