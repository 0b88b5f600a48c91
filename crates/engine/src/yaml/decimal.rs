//! Numbers as people write them: in decimal digits, with an exponent if need be.
//!
//! One spelling has one value here. What YAML or a programming language would also take for a number
//! (`0x10`, `1_000`, `010`) is refused with the reason. Knows text, not what the number is for.

/// A number that was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decimal {
    Whole(i128),
    Real(f64),
}

/// Whole numbers beyond this are not told from their neighbours in an `f64`.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Decimal {
    /// Reads a number; blanks around it do not count.
    ///
    /// # Errors
    /// Why it is none, as what can follow "`010`: ".
    pub fn read(text: &str) -> Result<Decimal, &'static str> {
        let text = text.trim();
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let has_digits = !before.is_empty() || !after.is_empty();
        let exponent_is_whole = exponent.is_none_or(|exponent| {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent)
        });
        if !has_digits || !digits(before) || !digits(after) || !exponent_is_whole {
            return Err("it is not written in decimal digits");
        }
        if before.len() > 1 && before.starts_with('0') {
            return Err("it begins with a zero, which some read as octal: write it without");
        }
        if !mantissa.contains('.')
            && exponent.is_none()
            && let Ok(whole) = text.parse()
        {
            return Ok(Decimal::Whole(whole));
        }
        match text.parse::<f64>() {
            Ok(real) if real.is_finite() => Ok(Decimal::Real(real)),
            _ => Err("it is too large"),
        }
    }

    /// The number as text, the same for every way of writing it that means the same.
    pub fn text(self) -> String {
        match self {
            Decimal::Whole(whole) => whole.to_string(),
            Decimal::Real(real) => text(real),
        }
    }
}

/// The shortest text of a number: `1`, `0.001`, and with an exponent where it would have many zeros.
pub fn text(number: f64) -> String {
    match number.abs() {
        0.0 => "0".to_owned(),
        size if (1e-5..1e16).contains(&size) || !size.is_finite() => number.to_string(),
        _ => format!("{number:e}"),
    }
}

/// The whole number that a float is exactly, if it is one.
pub fn whole(number: f64) -> Option<i128> {
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_text_however_it_is_written() {
        for (written, text) in [
            ("1", "1"),
            ("1.0", "1"),
            ("+1", "1"),
            ("1e0", "1"),
            ("-0.0", "0"),
            ("1e-3", "0.001"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1e5", "100000"),
            ("1e300", "1e300"),
            ("0.0000001", "1e-7"),
            (" 7 ", "7"),
            (
                "170141183460469231731687303715884105727",
                "170141183460469231731687303715884105727",
            ),
        ] {
            assert_eq!(Decimal::read(written).unwrap().text(), text, "{written}");
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for written in [
            "", "-", ".", "e5", "1e", "1e+", "0x10", "0o7", "0b1", "1_000", "1,5", "1 2", "010",
            "-007", "00", "1e400", ".inf", "nan", "inf", "١", "1.2.3", "--1",
        ] {
            assert!(Decimal::read(written).is_err(), "{written}");
        }
    }

    #[test]
    fn only_exact_floats_are_whole() {
        assert_eq!(whole(1e5), Some(100_000));
        assert_eq!(whole(-3.0), Some(-3));
        for not in [0.5, 1e16, f64::NAN, f64::INFINITY] {
            assert_eq!(whole(not), None, "{not}");
        }
    }
}
