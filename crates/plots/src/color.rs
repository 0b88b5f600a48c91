//! Colours, written `#RRGGBB`, and the colour map of curve families.
//!
//! Does not know what a colour stands for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An opaque sRGB colour; in YAML and JSON a string such as `"#4D96FF"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^#[0-9A-Fa-f]{6}$"))]
pub struct Color {
    pub red: u8,
    pub green: u8,
    pub blue: u8,
}

impl Color {
    pub const BLACK: Color = Color::new(0, 0, 0);
    pub const GRAY: Color = Color::new(0x80, 0x80, 0x80);
    pub const WHITE: Color = Color::new(0xFF, 0xFF, 0xFF);

    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// The viridis colour map at `t`, clamped to [0, 1]; NaN gives the start.
    ///
    /// Linear in sRGB between 17 of the 256 published entries: within 2/255 of all up to t = 0.94,
    /// within 5/255 at the yellow end.
    ///
    /// Source: `_viridis_data` of matplotlib's `_cm_listed.py` (van der Walt and Smith, CC0),
    /// entries 0, 16, .., 240, 255.
    pub fn viridis(t: f64) -> Self {
        let t = if t.is_nan() {
            0.0
        } else {
            t.clamp(0.0, 1.0) * 255.0
        };
        let low = ((t / 16.0).floor() as usize).min(VIRIDIS.len() - 2);
        let (start, end) = (low as f64 * 16.0, (low as f64 * 16.0 + 16.0).min(255.0));
        let share = (t - start) / (end - start);
        let mix = |channel: usize| {
            let (a, b) = (VIRIDIS[low][channel], VIRIDIS[low + 1][channel]);
            (f64::from(a) + share * (f64::from(b) - f64::from(a))).round() as u8
        };
        Self::new(mix(0), mix(1), mix(2))
    }
}

const VIRIDIS: [[u8; 3]; 17] = [
    [0x44, 0x01, 0x54],
    [0x48, 0x18, 0x6A],
    [0x47, 0x2D, 0x7B],
    [0x42, 0x40, 0x86],
    [0x3B, 0x52, 0x8B],
    [0x33, 0x63, 0x8D],
    [0x2C, 0x72, 0x8E],
    [0x26, 0x82, 0x8E],
    [0x21, 0x91, 0x8C],
    [0x1F, 0xA0, 0x88],
    [0x28, 0xAE, 0x80],
    [0x3F, 0xBC, 0x73],
    [0x5E, 0xC9, 0x62],
    [0x84, 0xD4, 0x4B],
    [0xAD, 0xDC, 0x30],
    [0xD8, 0xE2, 0x19],
    [0xFD, 0xE7, 0x25],
];

impl TryFrom<String> for Color {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let complaint = || format!("`{text}` is not a colour: write it as \"#RRGGBB\", in quotes");
        let digits = text.strip_prefix('#').ok_or_else(complaint)?;
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(complaint());
        }
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| complaint());
        Ok(Self::new(byte(0)?, byte(2)?, byte(4)?))
    }
}

impl From<Color> for String {
    fn from(color: Color) -> String {
        color.to_string()
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02X}{:02X}{:02X}", self.red, self.green, self.blue)
    }
}
