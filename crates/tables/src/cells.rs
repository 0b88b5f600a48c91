//! The cells of a column as its file has them, and what they are once somebody says what for.
//!
//! A text may be a number, a truth value or a name: `007` is seven as a number and not `7` as a name.
//! Nothing is decided before the use is known. Does not know the file or the column's name: who asks
//! adds them to a message.

use crate::table::Column;
use std::borrow::Cow;

/// One column; `None` is a cell without a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    Text(Vec<Option<String>>),
    Truth(Vec<Option<bool>>),
    /// Wide enough for every integer type of a file.
    Whole(Vec<Option<i128>>),
    Number(Vec<Option<f64>>),
}

/// Why cells cannot be used as somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// From 0; `None` when it is the whole column.
    pub row: Option<usize>,
    pub message: String,
}

impl Unfit {
    fn cell(row: usize, message: impl Into<String>) -> Self {
        Unfit {
            row: Some(row),
            message: message.into(),
        }
    }

    /// The whole column cannot be used.
    pub fn column(message: impl Into<String>) -> Self {
        Unfit {
            row: None,
            message: message.into(),
        }
    }
}

impl Cells {
    /// The number of cells.
    pub fn len(&self) -> usize {
        match self {
            Cells::Text(cells) => cells.len(),
            Cells::Truth(cells) => cells.len(),
            Cells::Whole(cells) => cells.len(),
            Cells::Number(cells) => cells.len(),
        }
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cells as numbers, NaN where there is none; true is 1 and false is 0. A whole number beyond
    /// 2^53 becomes the nearest double, as every number with too many digits does.
    ///
    /// # Errors
    /// A text that is no number; numbers beside truth values; a column without any value.
    pub fn numbers(&self) -> Result<Vec<f64>, Unfit> {
        let numbers: Vec<f64> = match self {
            Cells::Text(texts) => numbers_of(texts)?,
            Cells::Truth(cells) => or_nan(cells, |&value| f64::from(u8::from(value))),
            Cells::Whole(cells) => or_nan(cells, |&value| value as f64),
            Cells::Number(cells) => or_nan(cells, |&value| value),
        };
        match numbers.iter().all(|value| value.is_nan()) && !numbers.is_empty() {
            true => Err(Unfit::cell(0, "it is empty, and so is the whole column")),
            false => Ok(numbers),
        }
    }

    /// The cells as names: a text as it is written, blanks around it and all, a number in its shortest
    /// form. `None` where there is no value, or nothing but blanks.
    pub fn names(&self) -> Vec<Option<Cow<'_, str>>> {
        fn written<T: ToString>(cell: &Option<T>) -> Option<Cow<'_, str>> {
            cell.as_ref().map(|value| Cow::Owned(value.to_string()))
        }
        match self {
            Cells::Text(cells) => cells
                .iter()
                .map(|cell| present(cell).map(Cow::Borrowed))
                .collect(),
            Cells::Truth(cells) => cells.iter().map(written).collect(),
            Cells::Whole(cells) => cells.iter().map(written).collect(),
            Cells::Number(cells) => {
                // The two zeros are one number.
                let name =
                    |value: f64| (!value.is_nan()).then(|| Cow::Owned((value + 0.0).to_string()));
                cells.iter().map(|cell| cell.and_then(name)).collect()
            }
        }
    }
}

impl Cells {
    /// The cells as a column of ours: whole numbers with gaps, or beyond 64 bits with a sign, are floats
    /// there, truth values are 1 and 0.
    pub fn to_column(&self) -> Column {
        match self {
            Cells::Text(cells) => {
                let text = |cell: &Option<String>| cell.clone().unwrap_or_default();
                Column::Text(cells.iter().map(text).collect())
            }
            Cells::Number(cells) => Column::Float(or_nan(cells, |&value| value)),
            Cells::Truth(cells) => {
                let whole = cells.iter().map(|cell| cell.map(i64::from));
                let floats = || or_nan(cells, |&value| f64::from(u8::from(value)));
                whole_or(whole, floats)
            }
            Cells::Whole(cells) => {
                let whole = cells.iter().map(|cell| i64::try_from((*cell)?).ok());
                whole_or(whole, || or_nan(cells, |&value| value as f64))
            }
        }
    }
}

fn whole_or(whole: impl Iterator<Item = Option<i64>>, floats: impl Fn() -> Vec<f64>) -> Column {
    let whole: Option<Vec<i64>> = whole.collect();
    whole.map_or_else(|| Column::Float(floats()), Column::Int)
}

fn or_nan<T>(cells: &[Option<T>], number: impl Fn(&T) -> f64) -> Vec<f64> {
    let number = |cell: &Option<T>| cell.as_ref().map_or(f64::NAN, &number);
    cells.iter().map(number).collect()
}

/// A text with something in it.
fn present(cell: &Option<String>) -> Option<&str> {
    cell.as_deref().filter(|text| !text.trim().is_empty())
}

/// A text as spreadsheets, R, Python and JSON write truth.
fn truth(text: &str) -> Option<bool> {
    match text {
        "TRUE" | "True" | "true" => Some(true),
        "FALSE" | "False" | "false" => Some(false),
        _ => None,
    }
}

fn numbers_of(texts: &[Option<String>]) -> Result<Vec<f64>, Unfit> {
    let texts = || texts.iter().map(|text| present(text).map(str::trim));
    let first_truth = texts().position(|text| text.and_then(truth).is_some());
    let number = |(row, text): (usize, Option<&str>)| {
        let Some(text) = text else {
            return Ok(f64::NAN);
        };
        match (truth(text), first_truth, text.parse::<f64>()) {
            (Some(truth), ..) => Ok(f64::from(u8::from(truth))),
            (None, None, Ok(number)) => Ok(number),
            (None, Some(at), Ok(_)) => Err(Unfit::cell(
                row,
                format!(
                    "`{text}` is a number, but row {} has a truth value: a column is of one or the other",
                    at + 1
                ),
            )),
            (None, _, Err(_)) => Err(Unfit::cell(row, format!("`{text}` is not a number"))),
        }
    };
    texts().enumerate().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(cells: &[&str]) -> Cells {
        let cell = |text: &&str| (!text.is_empty()).then(|| text.to_string());
        Cells::Text(cells.iter().map(cell).collect())
    }

    #[test]
    fn a_text_is_a_number_only_for_who_asks_for_one() {
        let cells = texts(&["007", " 7", "1e3", "", "1000", "-0.5 "]);
        let numbers = cells.numbers().unwrap();
        assert!(numbers[3].is_nan());
        assert_eq!(
            [&numbers[..3], &numbers[4..]].concat(),
            [7.0, 7.0, 1000.0, 1000.0, -0.5]
        );
        let names: Vec<_> = cells.names().into_iter().flatten().collect();
        assert_eq!(names, ["007", " 7", "1e3", "1000", "-0.5 "]);
    }

    #[test]
    fn truth_values_are_numbers_unless_they_stand_beside_some() {
        let truths = texts(&["TRUE", "", "false", "True"]).numbers().unwrap();
        assert!(truths[0] == 1.0 && truths[1].is_nan() && truths[2..] == [0.0, 1.0]);
        assert_eq!(
            Cells::Truth(vec![Some(true), Some(false)]).numbers(),
            Ok(vec![1.0, 0.0])
        );
        let mixed = texts(&["0", "TRUE"]).numbers().unwrap_err();
        assert_eq!(mixed.row, Some(0));
        assert!(
            mixed.message.contains("row 2 has a truth value"),
            "{mixed:?}"
        );
        assert_eq!(texts(&["1", "T"]).numbers().unwrap_err().row, Some(1));
    }

    #[test]
    fn every_whole_number_keeps_its_name() {
        let large = [1 << 53, (1 << 53) + 1, i128::from(u64::MAX)];
        let cells = Cells::Whole(
            large
                .iter()
                .map(|&value| Some(value))
                .chain([None])
                .collect(),
        );
        let names: Vec<_> = cells.names().into_iter().flatten().collect();
        assert_eq!(
            names,
            [
                "9007199254740992",
                "9007199254740993",
                "18446744073709551615"
            ]
        );
        assert_eq!(cells.numbers().unwrap()[2], 18446744073709551615.0);
    }

    #[test]
    fn what_is_nowhere_is_said() {
        assert!(texts(&["", " "]).numbers().is_err());
        assert_eq!(texts(&["", " "]).names(), [None, None]);
        let numbers = Cells::Number(vec![Some(-0.0), Some(0.0), Some(f64::NAN), Some(2.5)]);
        let names: Vec<_> = numbers.names().into_iter().flatten().collect();
        assert_eq!(names, ["0", "0", "2.5"]);
    }
}
