//! Numbers with the digits that mean something: as many as tell two values apart, and two more.

/// Digits beyond the first in which two values differ.
const BEYOND: i32 = 2;
/// No value of several digits is shown with fewer.
const FEWEST: i32 = 4;
/// A double has no more.
const MOST: i32 = 17;
/// Decimal exponents that are written without one.
const PLAIN: std::ops::Range<i32> = -4..7;

/// Two values of a cell: numbers with a fraction to the digits that tell them apart, all else as it is.
pub fn pair(old: &str, new: &str) -> [String; 2] {
    let as_they_are = || [old.to_owned(), new.to_owned()];
    let (Some(a), Some(b)) = (read(old), read(new)) else {
        return as_they_are();
    };
    let apart = a - b;
    if apart == 0.0 || !apart.is_finite() || ![old, new].iter().any(|text| is_fraction(text)) {
        return as_they_are();
    }
    let last = exponent(apart) - BEYOND;
    [(old, a), (new, b)].map(|(text, value)| {
        let digits = (exponent(value) - last + 1).clamp(FEWEST, MOST);
        match value == 0.0 || text.len() <= digits as usize {
            true => text.to_owned(),
            false => significant(value, digits as usize),
        }
    })
}

/// A difference to three digits, with its sign; a whole number as it is.
pub fn difference(value: f64) -> String {
    let text = match value == value.trunc() && value.abs() < 1e7 {
        true => format!("{value:.0}"),
        false => significant(value, 3),
    };
    match value > 0.0 {
        true => format!("+{text}"),
        false => text,
    }
}

/// So many digits from the first that is not 0.
pub fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() || value == 0.0 {
        return value.to_string();
    }
    let rounded = format!("{value:.*e}", digits.max(1) - 1);
    // Rounding may have made it one digit longer.
    let place = rounded
        .split_once('e')
        .map_or(0, |(_, e)| e.parse().unwrap_or(0));
    if !PLAIN.contains(&place) {
        return rounded;
    }
    let decimals = (digits as i32 - 1 - place).max(0) as usize;
    format!("{value:.decimals$}")
}

/// A number as a table has it; not a word, and no number that only looks like one.
fn read(text: &str) -> Option<f64> {
    let digit = |c: char| c.is_ascii_digit();
    text.contains(digit).then(|| text.parse().ok()).flatten()
}

fn is_fraction(text: &str) -> bool {
    text.contains(['.', 'e', 'E'])
}

/// The decimal exponent of a value that is not 0.
fn exponent(value: f64) -> i32 {
    let text = format!("{value:e}");
    let place = text
        .split_once('e')
        .and_then(|(_, place)| place.parse().ok());
    place.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_values_have_the_digits_that_tell_them_apart() {
        for (old, new, shown) in [
            (
                "0.9881234567890123",
                "0.9883456789012345",
                ["0.988123", "0.988346"],
            ),
            ("0.3455124262151019", "1.2", ["0.3455", "1.2"]),
            ("0.1", "0.2", ["0.1", "0.2"]),
            ("1.0000000000000002", "1.0", ["1.0000000000000002", "1.0"]),
            ("123456.78901234", "0.0000123456789", ["123457", "1.235e-5"]),
            (
                "1.2345678912345e-12",
                "1.2345699912345e-12",
                ["1.23456789e-12", "1.23456999e-12"],
            ),
            ("-0.5123456", "0.5123456", ["-0.5123", "0.5123"]),
            ("500", "400", ["500", "400"]),
            ("0.123456789", "0.0", ["0.1235", "0.0"]),
            (
                "theta0.1234567",
                "0.1234567",
                ["theta0.1234567", "0.1234567"],
            ),
            ("NaN", "0.1234567", ["NaN", "0.1234567"]),
            ("0.1234567", "inf", ["0.1234567", "inf"]),
            ("", "0.1234567", ["", "0.1234567"]),
        ] {
            assert_eq!(pair(old, new), shown, "{old} {new}");
        }
    }

    #[test]
    fn differences_have_three_digits_and_a_sign() {
        for (value, shown) in [
            (-100.0, "-100"),
            (0.000_222_222, "+0.000222"),
            (-1.234_567e-9, "-1.23e-9"),
            (0.999_96, "+1.00"),
            (0.0, "0"),
            (12_345_678.9, "+1.23e7"),
        ] {
            assert_eq!(difference(value), shown);
        }
    }
}
