//! Numbers as words of a report: with a true minus sign, and no negative zero.
//!
//! Does not know whether a figure or a table will hold them. Rust formats floats exactly and
//! alike on every machine, so the text depends on the bits of the value alone.

/// U+2212; LaTeX escaping turns it into `$-$`.
pub const MINUS: char = '\u{2212}';

/// What stands for NaN.
pub const NOT_A_NUMBER: &str = "n/a";

/// Beyond this many decimals an f64 below 1 has no further digits worth printing.
const MOST_DECIMALS: usize = 17;

/// `value` with so many decimals: `fixed(-0.5, 2)` is "−0.50".
pub fn fixed(value: f64, decimals: usize) -> String {
    if value.is_nan() {
        return NOT_A_NUMBER.to_string();
    }
    if value.is_infinite() {
        return signed(value < 0.0, "\u{221E}");
    }
    let text = format!("{:.*}", decimals.min(MOST_DECIMALS), value.abs());
    // A value that rounds to nothing has no sign.
    let negative = value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b));
    signed(negative, &text)
}

/// `value` and its standard error in units of the last digits: 0.34528 ± 0.00123 is "0.3453(12)".
///
/// `digits` is the number of significant digits of the error (1 or 2). An error of 10 or more is
/// written in full: "123(12)". An error that is 0 or not finite is written out: "0.5(0)".
pub fn with_error(value: f64, std_error: f64, digits: usize) -> String {
    if value.is_nan() || value.is_infinite() {
        return fixed(value, 0);
    }
    let std_error = std_error.abs();
    if std_error == 0.0 || !std_error.is_finite() {
        return format!("{}({})", shortest(value), fixed(std_error, 0));
    }
    let digits = digits.clamp(1, 4);
    // Rounded first, for 0.0996 has its first digit elsewhere once it has become 0.10.
    let (mantissa, exponent) = parts(std_error, digits - 1);
    let decimals = digits as i32 - 1 - exponent;
    if decimals <= 0 {
        return format!("{}({})", fixed(value, 0), fixed(std_error, 0));
    }
    let error: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    format!("{}({error})", fixed(value, decimals as usize))
}

/// `value` as a mantissa with so many decimals and a power of ten: "1.50×10⁻³".
pub fn scientific(value: f64, decimals: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return fixed(value, 0);
    }
    let (mantissa, exponent) = parts(value.abs(), decimals);
    signed(
        value < 0.0,
        &format!("{mantissa}\u{D7}10{}", superscript(exponent)),
    )
}

/// A bare power where `value` is one ("10⁻²"), else the shortest mantissa times it ("2×10³").
pub fn power(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return fixed(value, 0);
    }
    let text = format!("{:e}", value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent = superscript(exponent.parse().unwrap_or(0));
    let text = match mantissa {
        "1" => format!("10{exponent}"),
        _ => format!("{mantissa}\u{D7}10{exponent}"),
    };
    signed(value < 0.0, &text)
}

/// The fewest decimals that give the same f64 back; powers of ten outside 10⁻⁴..10⁶.
pub fn shortest(value: f64) -> String {
    let size = value.abs();
    if size.is_finite() && size != 0.0 && !(1e-4..1e6).contains(&size) {
        return power(value);
    }
    let text = format!("{size}");
    let decimals = text.split_once('.').map_or(0, |(_, after)| after.len());
    fixed(value, decimals)
}

/// Digits of `value` rounded to so many decimals of the mantissa, and the power of ten.
fn parts(value: f64, decimals: usize) -> (String, i32) {
    let text = format!("{value:.*e}", decimals.min(MOST_DECIMALS));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.to_string(), exponent.parse().unwrap_or(0))
}

fn signed(negative: bool, text: &str) -> String {
    match negative {
        true => format!("{MINUS}{text}"),
        false => text.to_string(),
    }
}

fn superscript(exponent: i32) -> String {
    let raise = |c: char| match c {
        '-' => '\u{207B}',
        '1' => '\u{B9}',
        '2' => '\u{B2}',
        '3' => '\u{B3}',
        '0' => '\u{2070}',
        digit => char::from_u32(0x2070 + digit as u32 - '0' as u32).unwrap_or(digit),
    };
    exponent.to_string().chars().map(raise).collect()
}

#[cfg(test)]
mod tests {
    use crate::number::{fixed, power, scientific, shortest, with_error};

    #[test]
    fn minus_is_true_and_zero_has_none() {
        assert_eq!(fixed(-0.5, 2), "−0.50");
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(fixed(f64::NAN, 2), "n/a");
        assert_eq!(fixed(f64::NEG_INFINITY, 2), "−∞");
    }

    #[test]
    fn errors_stand_in_the_last_digits() {
        assert_eq!(with_error(0.345283, 0.00123, 2), "0.3453(12)");
        assert_eq!(with_error(-1.5, 0.0996, 2), "−1.50(10)");
        assert_eq!(with_error(123.4, 12.3, 2), "123(12)");
        assert_eq!(with_error(123.4, 250.0, 1), "123(250)");
        assert_eq!(with_error(0.5, 0.0, 2), "0.5(0)");
        assert_eq!(with_error(0.5, f64::NAN, 2), "0.5(n/a)");
    }

    #[test]
    fn powers_of_ten() {
        assert_eq!(scientific(-0.0015, 2), "−1.50×10⁻³");
        assert_eq!(power(100.0), "10²");
        assert_eq!(power(2000.0), "2×10³");
        assert_eq!(shortest(0.25), "0.25");
        assert_eq!(shortest(-3e-7), "−3×10⁻⁷");
    }
}
