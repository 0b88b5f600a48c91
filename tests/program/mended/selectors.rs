//! A value that picks rows is read as the type of its column, or refused: never compared as written.

use crate::mended::sketch::{Made, figure, refused};
use findings::figure::query::selector::{self, Selector};
use proptest::prelude::*;
use serde_json::{Value, json};
use tables::table::Column;

/// The figure with another condition, and one curve.
fn picked(condition: &str) -> retrace::base::error::Result<Made> {
    figure(&[
        (
            "where: {task: theta0}, x: n, y: error, std",
            &format!("where: {{task: theta0, {condition}}}, x: n, y: error, std"),
        ),
        (
            "        each: model\n        values: [zs, both, both_v]\n",
            "        look: {label: one}\n",
        ),
    ])
}

/// The figure with one curve, that of a value of a column.
fn looked(column: &str, value: &str) -> retrace::base::error::Result<Made> {
    // A scale has a number in its shortest form.
    let text = value.trim_matches('"');
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let name = number.map_or_else(|| text.to_owned(), |number| number.to_string());
    figure(&[
        (
            "        each: model\n        values: [zs, both, both_v]\n",
            &format!("        each: {column}\n        values: [{value}]\n"),
        ),
        (
            "looks:\n",
            &format!("looks:\n  \"{name}\": {{label: one, dash: dashed}}\n"),
        ),
    ])
}

/// y of every point of a curve that is drawn; a marked point has no line.
fn drawn(made: &Made) -> Vec<String> {
    let text = made.text("data");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let place = |column: &str| header.iter().position(|name| *name == column);
    let (y, line) = (place("y").expect("y"), place("line").expect("line"));
    lines
        .map(|row| row.split(',').collect::<Vec<_>>())
        .filter(|cells| !cells[line].trim_matches('"').is_empty())
        .map(|cells| cells[y].to_owned())
        .collect()
}

#[test]
fn a_number_is_one_number_however_it_is_written() {
    for written in [
        "1", "1.0", "1e0", "\"1\"", "\"1.0\"", "\"1e0\"", "\"+1\"", "1.00",
    ] {
        let made = picked(&format!("weight: {written}")).expect(written);
        assert_eq!(drawn(&made)[0], "0.6", "{written}");
        let made = looked("weight", written).expect(written);
        assert_eq!(
            (drawn(&made).len(), &*drawn(&made)[0]),
            (4, "0.6"),
            "{written}"
        );
    }
    for written in ["100", "1e2", "\"1e2\"", "100.0"] {
        assert_eq!(
            drawn(&looked("weight", written).expect(written))[0],
            "0.7",
            "{written}"
        );
    }
    for written in ["3", "3.0", "\"3\"", "3e0", "\"3.0\""] {
        let made = picked(&format!("n: {written}")).expect(written);
        assert_eq!(drawn(&made).len(), 3, "{written}");
        assert_eq!(
            drawn(&looked("n", written).expect(written)).len(),
            3,
            "{written}"
        );
    }
}

#[test]
fn a_text_is_one_text_as_it_is_written() {
    for (written, y) in [("\"1\"", "0.5"), ("\"1.0\"", "0.6"), ("\"01\"", "0.7")] {
        assert_eq!(
            drawn(&picked(&format!("label: {written}")).expect(written))[0],
            y
        );
        assert_eq!(drawn(&looked("label", written).expect(written))[0], y);
    }
    for written in ["1", "1.0", "true", "1e0"] {
        for result in [
            picked(&format!("label: {written}")),
            looked("label", written),
        ] {
            let (found, ..) = refused(result);
            assert!(
                found.contains("column `label` of table `t` holds text")
                    && found.contains("in quotes"),
                "{found}"
            );
        }
    }
}

#[test]
fn what_is_no_value_of_the_type_is_refused_with_the_type() {
    for (column, written, holds) in [
        ("weight", "half", "holds numbers, and `half` is none"),
        ("weight", "\"\"", "holds numbers"),
        ("weight", "NaN", "holds numbers"),
        ("weight", "true", "holds numbers"),
        ("weight", "\"1_0\"", "holds numbers"),
        ("n", "1.5", "holds whole numbers, and `1.5` is none"),
        ("n", "true", "holds whole numbers"),
        ("n", "few", "holds whole numbers"),
    ] {
        for result in [
            picked(&format!("{column}: {written}")),
            looked(column, written),
        ] {
            let (found, ..) = refused(result);
            assert!(found.contains(holds), "{column} {written}: {found}");
        }
    }
    for written in ["[1]", "{a: 1}", "null"] {
        let (found, ..) = refused(looked("weight", written));
        assert!(
            found.contains("expected a number or a text"),
            "{written}: {found}"
        );
        assert!(picked(&format!("weight: {written}")).is_err(), "{written}");
    }
}

#[test]
fn truth_values_are_those_of_a_column_that_holds_nothing_else() {
    for written in ["true", "1", "\"true\"", "1.0"] {
        assert_eq!(
            drawn(&picked(&format!("flag: {written}")).expect(written)).len(),
            4,
            "{written}"
        );
    }
    for written in ["false", "0", "\"false\""] {
        assert_eq!(
            drawn(&picked(&format!("flag: {written}")).expect(written)).len(),
            8,
            "{written}"
        );
    }
    let (found, hint, _) = refused(picked("flag: 2"));
    assert!(
        found.contains("has no `2`") && hint.contains("nearest value is 1"),
        "{found} {hint}"
    );
}

#[test]
fn a_number_that_is_not_there_is_answered_with_the_nearest_number() {
    for (column, written, nearest) in [
        ("weight", "0.9", "is 1"),
        ("weight", "7e1", "is 100"),
        ("n", "-5", "is 0"),
    ] {
        let (found, hint, _) = refused(looked(column, written));
        assert!(
            found.contains("in column") && hint.ends_with(nearest),
            "{found} {hint}"
        );
    }
}

/// Whether every way to write a value picks it from its column.
fn finds_itself(column: &Column, written: Vec<Value>) -> Result<(), TestCaseError> {
    for value in written {
        let selector = Selector::try_from(value.clone()).expect("a scalar");
        let found = selector.read(column);
        prop_assert_eq!(found, Ok(selector::text(column, 0)), "{}", value);
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_value_is_found_in_every_notation(
        float in proptest::num::f64::NORMAL | proptest::num::f64::ZERO | proptest::num::f64::SUBNORMAL,
        whole in any::<i64>(),
        text in ".*",
    ) {
        let notations = [format!("{float}"), format!("{float:e}"), format!("{float:?}")];
        let mut written: Vec<Value> = notations.into_iter().map(Value::String).collect();
        written.push(json!(float));
        finds_itself(&Column::Float(vec![float]), written)?;
        let small = whole >> 12;
        let exponent = json!(format!("{small}e0"));
        finds_itself(&Column::Int(vec![small]), vec![json!(small), json!(small as f64), exponent])?;
        finds_itself(&Column::Int(vec![whole]), vec![json!(whole), json!(whole.to_string())])?;
        finds_itself(&Column::Text(vec![text.clone()]), vec![json!(text)])?;
    }
}
