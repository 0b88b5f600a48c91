//! Numbers of a table as siunitx reads them.
//!
//! Knows the ways in which [`crate::number`] writes: a true minus sign, a standard error in parentheses, a power of
//! ten in raised digits.

use crate::number::MINUS;

/// A number in its parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Numeral<'t> {
    negative: bool,
    whole: &'t str,
    decimals: &'t str,
    /// In units of the last digits.
    error: &'t str,
    exponent: Option<i32>,
}

/// The room that the numbers of a column take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Room {
    sign: bool,
    whole: usize,
    decimals: usize,
    error: usize,
    exponent: usize,
}

impl<'t> Numeral<'t> {
    /// Reads a cell; none where it is no number.
    pub fn read(text: &'t str) -> Option<Numeral<'t>> {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let unsigned = text.strip_prefix([MINUS, '-']);
        let (negative, rest) = (unsigned.is_some(), unsigned.unwrap_or(text));
        let (rest, exponent) = match rest.split_once("\u{D7}10") {
            Some((mantissa, raised)) => (mantissa, Some(lowered(raised)?)),
            None => match rest.split_once('e') {
                Some((mantissa, exponent)) => (mantissa, Some(exponent.parse().ok()?)),
                None => (rest, None),
            },
        };
        let (rest, error) = match rest.split_once('(') {
            Some((value, error)) => (value, error.strip_suffix(')')?),
            None => (rest, ""),
        };
        let (whole, decimals) = rest.split_once('.').unwrap_or((rest, ""));
        let is_number = !whole.is_empty() && digits(whole) && digits(decimals) && digits(error);
        is_number.then_some(Numeral {
            negative,
            whole,
            decimals,
            error,
            exponent,
        })
    }

    pub fn has_error(&self) -> bool {
        !self.error.is_empty()
    }

    /// As siunitx takes it.
    pub fn text(&self) -> String {
        let mut text = String::from(if self.negative { "-" } else { "" });
        text += self.whole;
        if !self.decimals.is_empty() {
            text += ".";
            text += self.decimals;
        }
        if self.has_error() {
            text += &format!("({})", self.error);
        }
        if let Some(exponent) = self.exponent {
            text += &format!("e{exponent}");
        }
        text
    }
}

impl Room {
    /// Room for one more.
    pub fn with(self, numeral: &Numeral) -> Room {
        let exponent = numeral.exponent.map_or(0, |e| e.to_string().len());
        Room {
            sign: self.sign || numeral.negative,
            whole: self.whole.max(numeral.whole.len()),
            decimals: self.decimals.max(numeral.decimals.len()),
            error: self.error.max(numeral.error.len()),
            exponent: self.exponent.max(exponent),
        }
    }

    /// The value of siunitx' `table-format`.
    pub fn format(&self) -> String {
        let sign = if self.sign { "-" } else { "" };
        let mut text = format!("{sign}{}", self.whole);
        if self.decimals > 0 {
            text += &format!(".{}", self.decimals);
        }
        if self.error > 0 {
            text += &format!("({})", self.error);
        }
        if self.exponent > 0 {
            text += &format!("e{}", self.exponent);
        }
        text
    }

    /// In characters.
    pub fn width(&self) -> usize {
        let point = usize::from(self.decimals > 0);
        let error = if self.error > 0 { self.error + 2 } else { 0 };
        let power = if self.exponent > 0 {
            self.exponent + 4
        } else {
            0
        };
        usize::from(self.sign) + self.whole + point + self.decimals + error + power
    }
}

/// The number that raised digits write.
fn lowered(raised: &str) -> Option<i32> {
    let lower = |c: char| match c {
        '\u{207B}' => Some('-'),
        c => "⁰¹²³⁴⁵⁶⁷⁸⁹"
            .chars()
            .position(|raised| raised == c)
            .and_then(|digit| char::from_digit(digit as u32, 10)),
    };
    let plain: Option<String> = raised.chars().map(lower).collect();
    plain?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_project_writes_is_read_and_words_are_not() {
        let cases = [
            ("0.3453(12)", "0.3453(12)"),
            ("\u{2212}1.50(10)", "-1.50(10)"),
            ("-3", "-3"),
            ("\u{2212}1.50×10⁻³", "-1.50e-3"),
            ("3.2e24", "3.2e24"),
            ("123(250)", "123(250)"),
        ];
        for (text, wanted) in cases {
            assert_eq!(Numeral::read(text).expect(text).text(), wanted);
        }
        for text in [
            "",
            "n/a",
            "0.5(n/a)",
            "1 of 3",
            "10⁻²",
            "\u{2212}∞",
            "1.2.3",
        ] {
            assert_eq!(Numeral::read(text), None, "{text}");
        }
        let cells = ["0.3453(12)", "\u{2212}12.5"].map(|text| Numeral::read(text).expect(text));
        let room = cells.iter().fold(Room::default(), Room::with);
        assert_eq!((room.format().as_str(), room.width()), ("-2.4(2)", 12));
    }
}
