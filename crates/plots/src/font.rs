//! The one font of a figure: read from bytes, measured, and offered to the converters.
//!
//! Knows no other font, and never asks the system for one.

use crate::error::ReportError;
use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};
use resvg::usvg::{self, fontdb};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// Names of the fonts that plotters has. It keeps fonts for the life of the process, so each is
/// given to it once.
static REGISTERED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Heights of letters in ems, a little generous: most fonts are near these.
pub const ASCENT: f64 = 0.76;
pub const DESCENT: f64 = 0.24;
/// From the base line to the middle of a digit.
pub const MIDDLE: f64 = 0.365;

/// plotters measures in whole units; at this size they are fine enough.
const MEASURE_SIZE: f64 = 2000.0;

/// A font ready for drawing. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Font {
    name: String,
    database: Arc<fontdb::Database>,
    /// Width in ems of what plotters measures as 1: it counts the line height as the size.
    ems_per_unit: f64,
}

impl Font {
    /// From the bytes of a TrueType or OpenType file with one face.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReportError> {
        let mut database = fontdb::Database::new();
        database.load_font_data(bytes.to_vec());
        let family = match database.faces().next() {
            Some(face) => face.families.first().map(|(family, _)| family.clone()),
            None => None,
        };
        let unreadable = || ReportError::Font("cannot be read as TrueType or OpenType".to_string());
        // Whatever family the intermediate SVG names, this font answers.
        let family = family.ok_or_else(unreadable)?;
        database.set_serif_family(&family);
        database.set_sans_serif_family(&family);
        let name = format!("report-{:016x}", fnv1a(bytes));
        let mut registered = REGISTERED.lock().unwrap_or_else(|e| e.into_inner());
        if !registered.contains(&name) {
            let kept: &'static [u8] = Box::leak(bytes.to_vec().into_boxed_slice());
            register_font(&name, FontStyle::Normal, kept).map_err(|_| unreadable())?;
            registered.insert(name.clone());
        }
        drop(registered);
        let mut font = Self {
            name,
            database: Arc::new(database),
            ems_per_unit: 1.0,
        };
        font.ems_per_unit = font.calibrate().ok_or_else(unreadable)?;
        Ok(font)
    }

    /// The name under which plotters knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Width of `text` at a font size, in the size's unit.
    pub fn width(&self, text: &str, size: f64) -> f64 {
        self.units(text) * self.ems_per_unit * size
    }

    /// Options that parse SVG with this font alone, and with round joins for curves.
    pub fn usvg_options(&self) -> usvg::Options<'static> {
        usvg::Options {
            font_family: self.name.clone(),
            fontdb: self.database.clone(),
            style_sheet: Some("polyline { stroke-linejoin: round }".to_string()),
            ..usvg::Options::default()
        }
    }

    fn units(&self, text: &str) -> f64 {
        let family = FontFamily::Name(&self.name);
        let description = FontDesc::new(family, MEASURE_SIZE, FontStyle::Normal);
        let width = description.box_size(text).map_or(0, |(width, _)| width);
        f64::from(width) / MEASURE_SIZE
    }

    /// Compares one word as plotters and as usvg measure it.
    fn calibrate(&self) -> Option<f64> {
        let word = "nnnnnnnn";
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\">\
             <text font-size=\"1000\">{word}</text></svg>"
        );
        let tree = usvg::Tree::from_str(&svg, &self.usvg_options()).ok()?;
        let width = f64::from(tree.root().children().first()?.bounding_box().width());
        let units = self.units(word);
        (width > 0.0 && units > 0.0).then(|| width / 1000.0 / units)
    }
}

/// A name for the bytes within this process; nothing that is kept depends on it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3)
    })
}
