//! Reads a node as a number, whole or not, and says why it is none.
//!
//! A whole number may be written with an exponent if it is whole: `1e5`. In an option only decimal digits
//! are a number.

use crate::yaml::decimal::{self, Decimal};
use crate::yaml::node::{Node, Value};
use crate::yaml::type_error::{TypeError, plain};
use serde::de::{Expected, Visitor};

/// Hands a whole number to a type that wants one.
///
/// # Errors
/// It is not whole, or no number, or not one that the type takes.
pub fn whole<'de, V: Visitor<'de>>(node: &Node, visitor: V) -> Result<V::Value, TypeError> {
    let float = |number: f64, visitor: V| match decimal::whole(number) {
        Some(whole) => visit_whole(whole, visitor),
        None => visitor.visit_f64(number),
    };
    match (written(node), &node.value) {
        (Some(Ok(Decimal::Whole(number))), _) => visit_whole(number, visitor),
        (Some(Ok(Decimal::Real(number))), _) => float(number, visitor),
        (None, Value::Int(number)) => visit_whole(*number, visitor),
        (None, Value::Float(number)) => float(*number, visitor),
        _ => Err(why(node, &visitor)),
    }
}

/// Hands a number to a type that wants one.
///
/// # Errors
/// It is no number, or not one that the type takes.
pub fn float<'de, V: Visitor<'de>>(node: &Node, visitor: V) -> Result<V::Value, TypeError> {
    match (written(node), &node.value) {
        (Some(Ok(Decimal::Whole(number))), _) => visitor.visit_f64(number as f64),
        (Some(Ok(Decimal::Real(number))), _) => visitor.visit_f64(number),
        (None, Value::Int(number)) => visit_whole(*number, visitor),
        (None, Value::Float(number)) => visitor.visit_f64(*number),
        _ => Err(why(node, &visitor)),
    }
}

/// Hands over a whole number as the type that has room for it.
pub fn visit_whole<'de, V: Visitor<'de>>(number: i128, visitor: V) -> Result<V::Value, TypeError> {
    match (u64::try_from(number), i64::try_from(number)) {
        (Ok(number), _) => visitor.visit_u64(number),
        (_, Ok(number)) => visitor.visit_i64(number),
        _ => Err(TypeError::new(format!("the number {number} is too large"))),
    }
}

/// The number in the text of an option.
fn written(node: &Node) -> Option<Result<Decimal, &'static str>> {
    node.as_written().map(Decimal::read)
}

/// Why a node is no number.
fn why(node: &Node, expected: &dyn Expected) -> TypeError {
    let expected = plain(expected);
    if node.is_nothing() {
        return TypeError::expected(&expected, "nothing");
    }
    let found = node.describe();
    let text = match (node.as_written(), &node.value) {
        (Some(text), _) => text,
        (None, Value::Text(text)) => text,
        _ => return TypeError::expected(&expected, &found),
    };
    match Decimal::read(text) {
        Err(why) if node.as_written().is_some() || looks_numeric(text) => {
            TypeError::expected(&expected, &format!("{found}: {why}"))
        }
        Err(_) => TypeError::expected(&expected, &found),
        Ok(_) => {
            let mut error = TypeError::expected(&expected, &found);
            error.hint = Some("take the quotes away".into());
            error
        }
    }
}

/// Whether somebody may have meant a number: it begins like one.
fn looks_numeric(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-', '.']);
    digits.starts_with(|c: char| c.is_ascii_digit())
}
