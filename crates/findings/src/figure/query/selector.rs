//! A value by which an author picks rows of a table, read as the type of the column that it is
//! compared with.
//!
//! Numbers are compared as numbers, texts as texts: `1`, `1.0`, `1e0` and `"1"` are one value of a column
//! of numbers, and none of a column of text but the last. Does not know what the rows are for.

use retrace::base::error::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tables::table::Column;

/// A number, a text or a truth value, as it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Value", into = "Value")]
#[schemars(extend("type" = ["string", "number", "boolean"]))]
pub struct Selector(Value);

impl TryFrom<Value> for Selector {
    type Error = String;
    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(Selector(value)),
            Value::Null => Err("expected a number or a text, not nothing".to_owned()),
            Value::Array(_) => Err("expected a number or a text, not a list".to_owned()),
            Value::Object(_) => Err("expected a number or a text, not a mapping".to_owned()),
        }
    }
}

impl From<Selector> for Value {
    fn from(selector: Selector) -> Value {
        selector.0
    }
}

/// Integers up to here are exact as floats.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Selector {
    /// As it was written, but for the notation of numbers.
    pub fn words(&self) -> String {
        match &self.0 {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// The value of the column that is meant, as [`text`] writes those that are there.
    ///
    /// # Errors
    /// What cannot be a value of the column's type, in words that follow "column `x` ".
    pub fn read(&self, column: &Column) -> Result<String, String> {
        match column {
            Column::Text(_) => match &self.0 {
                Value::String(text) => Ok(text.clone()),
                other => Err(format!(
                    "holds text, and {other} is none: write \"{other}\", in quotes"
                )),
            },
            Column::Int(_) | Column::Float(_) => {
                if let Some(truth) = self.truth().filter(|_| holds_truth_values(column)) {
                    return Ok(u8::from(truth).to_string());
                }
                let whole = matches!(column, Column::Int(_));
                let number = match whole {
                    true => self.whole().map(|number| number.to_string()),
                    false => self.number().map(canonical),
                };
                let holds = if whole { "whole numbers" } else { "numbers" };
                number.ok_or_else(|| format!("holds {holds}, and `{}` is none", self.words()))
            }
        }
    }

    fn truth(&self) -> Option<bool> {
        match &self.0 {
            Value::Bool(truth) => Some(*truth),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn whole(&self) -> Option<i64> {
        let exact = match &self.0 {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        exact.or_else(|| {
            let number = self.number()?;
            (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
        })
    }

    /// A missing number (NaN) is no value that can be picked.
    fn number(&self) -> Option<f64> {
        let number = match &self.0 {
            Value::Number(number) => number.as_f64(),
            // Infinity is meant only where it is written so.
            Value::String(text) if ["inf", "-inf"].contains(&text.as_str()) => {
                return text.parse().ok();
            }
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        number.filter(|number| number.is_finite())
    }
}

/// A value of a column: equal texts are equal values of the column's type.
pub fn text(column: &Column, row: usize) -> String {
    match column {
        Column::Float(values) => canonical(values[row]),
        other => other.text(row),
    }
}

/// Zero has two signs and is one number.
fn canonical(number: f64) -> String {
    (number + 0.0).to_string()
}

/// Columns of truth values are read as 1 and 0.
fn holds_truth_values(column: &Column) -> bool {
    match column {
        Column::Text(_) => false,
        Column::Int(values) => values.iter().all(|value| [0, 1].contains(value)),
        Column::Float(values) => {
            let truth = |value: &f64| [0.0, 1.0].contains(value) || value.is_nan();
            values.iter().all(truth)
        }
    }
}

/// Adds the value that was meant: of numbers the nearest, of texts the most alike.
pub fn suggest(error: Error, column: &Column, wanted: &str, known: &[&str]) -> Error {
    let number = |text: &&str| text.parse::<f64>().ok().filter(|x| x.is_finite());
    let nearest = match (column, number(&wanted)) {
        (Column::Int(_) | Column::Float(_), Some(wanted)) => {
            let away = |text: &&&str| number(text).map(|x| (x - wanted).abs());
            let near = known.iter().filter(|text| away(text).is_some());
            near.min_by(|a, b| f64::total_cmp(&distance(away(a)), &distance(away(b))))
        }
        _ => None,
    };
    match nearest {
        Some(nearest) => error.hint(format!("the nearest value is {nearest}")),
        None => error.suggest(wanted, known.iter().copied()),
    }
}

fn distance(away: Option<f64>) -> f64 {
    away.unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value, column: &Column) -> Result<String, String> {
        Selector::try_from(value).unwrap().read(column)
    }

    #[test]
    fn numbers_are_numbers_however_they_are_written() {
        let (floats, ints) = (Column::Float(vec![0.5, 2.0]), Column::Int(vec![5, 20]));
        for written in [json!(1), json!(1.0), json!("1"), json!("1.0"), json!("1e0")] {
            assert_eq!(read(written.clone(), &floats), Ok("1".to_owned()));
            assert_eq!(read(written, &ints), Ok("1".to_owned()));
        }
        assert_eq!(read(json!("-0.0"), &floats), Ok("0".to_owned()));
        assert_eq!(text(&Column::Float(vec![-0.0]), 0), "0");
        let large = Column::Int(vec![9_007_199_254_740_993]);
        assert_eq!(read(json!("9007199254740993"), &large), Ok(text(&large, 0)));
    }

    #[test]
    fn what_the_column_cannot_hold_is_refused() {
        let (floats, ints) = (Column::Float(vec![0.5]), Column::Int(vec![5]));
        for wrong in [
            json!("zs"),
            json!(""),
            json!("NaN"),
            json!(true),
            json!("1e999"),
        ] {
            assert!(
                read(wrong.clone(), &floats)
                    .unwrap_err()
                    .contains("holds numbers")
            );
            assert!(
                read(wrong, &ints)
                    .unwrap_err()
                    .contains("holds whole numbers")
            );
        }
        assert!(read(json!(1.5), &ints).is_err());
        let texts = Column::Text(vec!["1".into(), "1.0".into()]);
        assert_eq!(read(json!("1.0"), &texts), Ok("1.0".to_owned()));
        let refused = read(json!(1), &texts).unwrap_err();
        assert_eq!(refused, "holds text, and 1 is none: write \"1\", in quotes");
        for nothing in [json!(null), json!([1]), json!({"a": 1})] {
            assert!(Selector::try_from(nothing).is_err());
        }
    }

    #[test]
    fn truth_is_for_columns_that_hold_nothing_else() {
        let truth = Column::Int(vec![1, 0, 1]);
        assert_eq!(read(json!(true), &truth), Ok("1".to_owned()));
        assert_eq!(read(json!("false"), &truth), Ok("0".to_owned()));
        assert_eq!(read(json!(1), &truth), Ok("1".to_owned()));
        let gaps = Column::Float(vec![1.0, f64::NAN]);
        assert_eq!(read(json!(false), &gaps), Ok("0".to_owned()));
        assert!(read(json!(true), &Column::Int(vec![1, 2])).is_err());
    }
}
