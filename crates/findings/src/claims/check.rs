//! A check: a quantity with what is expected of it, written as a sentence.
//!
//! `errors.error{model=zs_v, task=theta0, n_shots=20} / errors.error{model=pretrained} within 1 ± 0.25 log`.
//! Knows what a check says, not how it is decided.

use crate::claims::query::evidence::Evidence;
use crate::claims::query::expression::Expression;
use crate::claims::query::parse::Reader;
use crate::claims::query::scan::{Result, unknown};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};

/// A quantity with what is expected of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Check {
    pub quantity: Expression,
    pub is: Relation,
    /// On which scale the values of units are averaged.
    pub scale: Scale,
    pub average: Average,
    /// The random factors that values are averaged over; all that the quantity varies with, where
    /// nothing is said.
    pub over: Option<Vec<String>>,
}

/// What is expected. The numbers have closed forms in them, and no columns.
#[derive(Debug, Clone, PartialEq)]
pub enum Relation {
    /// No farther away than the margin.
    Within(Expression, f64),
    Between(Expression, Expression),
    Above(Expression),
    Below(Expression),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scale {
    #[default]
    Linear,
    /// Of positive numbers: the mean is the geometric one.
    Log,
}

/// What is said of the values of all units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Average {
    #[default]
    Mean,
    Median,
}

/// What a sentence looks like, for who wrote one that does not.
const FORM: &str = "QUANTITY within NUMBER ± MARGIN, or above NUMBER, or below NUMBER, or between NUMBER and NUMBER; \
                    then [log] [as median] [over FACTOR, FACTOR]";
const RELATIONS: [&str; 4] = ["within", "above", "below", "between"];
const OPTIONS: [&str; 3] = ["log", "as", "over"];

impl Check {
    /// Reads a sentence, in which any word that stands alone may be the name of a number.
    ///
    /// # Errors
    /// The column where it is not understood, with the nearest word that would be.
    pub fn read(text: &str) -> Result<Check> {
        Check::read_among(text, None)
    }

    /// Reads a sentence, given the numbers that have names.
    ///
    /// # Errors
    /// The same, and a name that no number has.
    pub fn read_among(text: &str, constants: Option<&[&str]>) -> Result<Check> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut reader = Reader::new(&text, constants);
        let quantity = reader.expression()?;
        let before = reader.scan.clone();
        if reader.scan.is_done() {
            let relations = RELATIONS.join(", ");
            return before.error(format!(
                "what is expected is missing: {relations}; a check is {FORM}"
            ));
        }
        let found = reader.scan.found();
        let is = match reader.scan.peek() {
            "" => return before.error(format!("{found} says nothing here: a check is {FORM}")),
            word => match word {
                "within" => {
                    reader.word(word)?;
                    let value = expected(&mut reader)?;
                    reader.scan.expect("±")?;
                    Relation::Within(value, number(&mut reader)?)
                }
                "above" => {
                    reader.word(word)?;
                    Relation::Above(expected(&mut reader)?)
                }
                "below" => {
                    reader.word(word)?;
                    Relation::Below(expected(&mut reader)?)
                }
                "between" => {
                    reader.word(word)?;
                    let low = expected(&mut reader)?;
                    reader.word("and")?;
                    Relation::Between(low, expected(&mut reader)?)
                }
                other => return before.unknown("relation", other, &RELATIONS),
            },
        };
        let mut check = Check {
            quantity,
            is,
            scale: Scale::Linear,
            average: Average::Mean,
            over: None,
        };
        check.options(&mut reader)?;
        Ok(check)
    }

    fn options(&mut self, reader: &mut Reader) -> Result<()> {
        while !reader.scan.is_done() {
            let before = reader.scan.clone();
            if reader.scan.takes_word("log") && self.scale == Scale::Linear {
                self.scale = Scale::Log;
            } else if reader.scan.takes_word("as") && self.average == Average::Mean {
                reader.word("median")?;
                self.average = Average::Median;
            } else if reader.scan.takes_word("over") && self.over.is_none() {
                let over: &mut Vec<String> = self.over.insert(Vec::new());
                loop {
                    over.push(reader.scan.word("a factor")?.to_owned());
                    if !reader.scan.takes(",") {
                        break;
                    }
                }
            } else {
                let mut after = before.clone();
                return match after.peek() {
                    "" => before.error(format!("{} says nothing here", after.found())),
                    word if OPTIONS.contains(&word) => {
                        before.error(format!("`{word}` stands twice"))
                    }
                    word => before.unknown("option", word, &OPTIONS),
                };
            }
        }
        Ok(())
    }

    /// Every name of a number, on either side.
    pub fn constants(&self) -> Vec<&str> {
        let expected = match &self.is {
            Relation::Within(value, _) | Relation::Above(value) | Relation::Below(value) => {
                vec![value]
            }
            Relation::Between(low, high) => vec![low, high],
        };
        let sides = [&self.quantity].into_iter().chain(expected);
        sides.flat_map(Expression::constants).collect()
    }

    /// What is expected as a set of numbers, its ends excluded.
    ///
    /// # Errors
    /// The ends are no numbers, or in the wrong order.
    pub fn bounds(&self, evidence: &Evidence) -> std::result::Result<[f64; 2], String> {
        let value = |expected: &Expression| value(expected, evidence);
        let bounds = match &self.is {
            Relation::Within(expected, margin) => {
                let value = value(expected)?;
                [value - margin, value + margin]
            }
            Relation::Between(low, high) => [value(low)?, value(high)?],
            Relation::Above(low) => [value(low)?, f64::INFINITY],
            Relation::Below(high) => [f64::NEG_INFINITY, value(high)?],
        };
        match bounds[0] <= bounds[1] {
            true => Ok(bounds),
            false => Err(format!(
                "`{self}`: nothing is between {} and {}",
                bounds[0], bounds[1]
            )),
        }
    }

    /// `1 + sigma2 = 1.1 within 0.03`.
    ///
    /// # Errors
    /// As [`Check::bounds`].
    pub fn words(&self, evidence: &Evidence) -> std::result::Result<String, String> {
        let words = |expected: &Expression| -> std::result::Result<String, String> {
            let number = shown(value(expected, evidence)?);
            Ok(match expected {
                Expression::Number(_) => number,
                Expression::Constant(name) => {
                    format!("{} = {number}", evidence.constant(name)?.formula)
                }
                other => format!("{other} = {number}"),
            })
        };
        Ok(match &self.is {
            Relation::Within(expected, margin) => {
                format!("{} within {}", words(expected)?, shown(*margin))
            }
            Relation::Between(low, high) => format!("between {} and {}", words(low)?, words(high)?),
            Relation::Above(low) => format!("above {}", words(low)?),
            Relation::Below(high) => format!("below {}", words(high)?),
        })
    }
}

fn value(expected: &Expression, evidence: &Evidence) -> std::result::Result<f64, String> {
    let found = crate::claims::query::evaluate::evaluate(expected, evidence, &[])?;
    let value = found.values.first().copied().unwrap_or(f64::NAN);
    match value.is_finite() {
        true => Ok(value),
        false => Err(format!(
            "`{expected}` is {value}, which nothing can be compared with"
        )),
    }
}

fn expected(reader: &mut Reader) -> Result<Expression> {
    let before = reader.scan.clone();
    let expected = reader.expression()?;
    match expected.selectors().first() {
        None => Ok(expected),
        Some(selector) => before.error(format!(
            "what is expected is a number or a closed form; bring `{selector}` to the left side"
        )),
    }
}

fn number(reader: &mut Reader) -> Result<f64> {
    let before = reader.scan.clone();
    match reader.scan.number()? {
        Some(number) => Ok(number),
        None => {
            let found = reader.scan.found();
            before.error(format!("a number from 0 up is missing before {found}"))
        }
    }
}

impl Display for Check {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "{} ", self.quantity)?;
        match &self.is {
            Relation::Within(expected, margin) => write!(f, "within {expected} ± {margin}")?,
            Relation::Between(low, high) => write!(f, "between {low} and {high}")?,
            Relation::Above(low) => write!(f, "above {low}")?,
            Relation::Below(high) => write!(f, "below {high}")?,
        }
        if self.scale == Scale::Log {
            f.write_str(" log")?;
        }
        if self.average == Average::Median {
            f.write_str(" as median")?;
        }
        match &self.over {
            Some(over) => write!(f, " over {}", over.join(", ")),
            None => Ok(()),
        }
    }
}

impl TryFrom<String> for Check {
    type Error = String;
    fn try_from(text: String) -> Result<Self> {
        Check::read(&text)
    }
}

impl From<Check> for String {
    fn from(check: Check) -> String {
        check.to_string()
    }
}

impl JsonSchema for Check {
    fn schema_name() -> Cow<'static, str> {
        "Check".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let relations = RELATIONS.join("|");
        json_schema!({
            "description": FORM,
            "type": "string",
            "pattern": format!("[ )}}]({relations}) "),
        })
    }
}

/// Refuses a name that is not among those that there are.
///
/// # Errors
/// The nearest one.
pub fn one_of(what: &str, name: &str, known: &[String]) -> std::result::Result<(), String> {
    match known.iter().any(|known| known == name) {
        true => Ok(()),
        false => {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            Err(unknown(what, name, &known))
        }
    }
}

/// At most six decimals, none that say nothing; powers of ten where decimals say nothing.
pub fn shown(value: f64) -> String {
    if value != 0.0 && (value.abs() < 1e-4 || value.abs() >= 1e7) {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
