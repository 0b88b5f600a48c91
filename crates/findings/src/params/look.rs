//! How a model looks, in every figure and table: its name in print, its colour, the shape and filling of
//! its markers, the dashes of its lines. One scale for all of them; a figure adds sizes.
//!
//! Does not know what is drawn.

use crate::params::number::Size;
use plots::color::Color;
use plots::figure::{Dash, Fill, Line, Marker, Shape};
use retrace::base::error::nearest_name;
use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Looks by the name under which tables know a model.
pub type Scale = BTreeMap<String, Look>;

/// What does not depend on the size of a figure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Look {
    /// In legends and tables; `{}` stands for the value of `each`.
    pub label: String,
    pub color: Paint,
    /// Of its markers; without one it has none.
    pub shape: Option<Shape>,
    pub fill: Fill,
    pub dash: Dash,
}

/// Sizes, in points: what of a look a figure draws.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sizes {
    /// Width of the line; without it there is none.
    pub line: Option<Size>,
    /// Diameter of the markers of looks that have a shape; without it there are none.
    pub marker: Option<Size>,
}

impl Look {
    /// Its line at a size.
    pub fn line(&self, sizes: Sizes) -> Option<Line> {
        let dash = self.dash;
        sizes.line.map(|width| Line {
            width: width.get(),
            dash,
        })
    }

    /// Its marker at a size.
    pub fn marker(&self, sizes: Sizes) -> Option<Marker> {
        let (shape, size) = self.shape.zip(sizes.marker)?;
        Some(Marker {
            shape,
            size: size.get(),
            fill: self.fill,
        })
    }

    /// What is seen of it: equal for looks that nobody could tell apart, whatever their names.
    pub fn seen(&self) -> String {
        let Look {
            label: _,
            color,
            shape,
            fill,
            dash,
        } = self;
        format!("{color:?} {shape:?} {fill:?} {dash:?}")
    }
}

/// The look of one curve: one of the scale by its name, or its own.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum LookOf {
    Named(String),
    Own(Look),
}

impl LookOf {
    /// The look that is meant.
    pub fn of<'a>(&'a self, scale: &'a Scale) -> Option<&'a Look> {
        match self {
            LookOf::Named(name) => find(name, scale),
            LookOf::Own(look) => Some(look),
        }
    }

    /// What the params alone tell; `path` is where it stands.
    ///
    /// # Errors
    /// A name that the scale does not have.
    pub fn check(&self, scale: &Scale, path: &str) -> Result<(), String> {
        match self {
            LookOf::Named(name) => known(name, scale, path),
            LookOf::Own(_) => Ok(()),
        }
    }
}

/// The look of a name: as it is written, or, of a number, as it is written shortest.
pub fn find<'a>(name: &str, scale: &'a Scale) -> Option<&'a Look> {
    scale.get(name).or_else(|| {
        let number = name.parse::<f64>().ok().filter(|number| number.is_finite());
        scale.get(&number?.to_string())
    })
}

/// Whether the scale has a name that stands at `path`.
///
/// # Errors
/// It has not.
pub fn known(name: &str, scale: &Scale, path: &str) -> Result<(), String> {
    if find(name, scale).is_some() {
        return Ok(());
    }
    let near = nearest_name(name, scale.keys().map(String::as_str));
    let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Err(format!("{path}: `looks` has no `{name}`{near}"))
}

/// A colour, or a stretch of a colour map over the curves of `each`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Paint {
    Color(Color),
    Family(Family),
}

/// Part of viridis, from its first to its second number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Family {
    pub viridis: [Fraction; 2],
}

/// A number in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(extend("minimum" = 0, "maximum" = 1))]
pub struct Fraction(f64);

impl TryFrom<f64> for Fraction {
    type Error = String;
    fn try_from(value: f64) -> Result<Self, String> {
        match (0.0..=1.0).contains(&value) {
            true => Ok(Fraction(value)),
            false => Err(format!("{value} is not a number from 0 to 1")),
        }
    }
}

impl From<Fraction> for f64 {
    fn from(value: Fraction) -> f64 {
        value.0
    }
}

impl Default for Paint {
    fn default() -> Self {
        Paint::Color(Color::BLACK)
    }
}

impl Paint {
    /// The colour of the curve at `position` of `count`.
    pub fn at(&self, position: usize, count: usize) -> Color {
        match self {
            Paint::Color(color) => *color,
            Paint::Family(Family {
                viridis: [from, to],
            }) => {
                let share = position as f64 / (count.max(2) - 1) as f64;
                Color::viridis(from.0 + share * (to.0 - from.0))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Paint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = Paint;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a colour such as \"#1A6FF0\", or {viridis: [FROM, TO]}")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Paint, E> {
                Color::deserialize(StrDeserializer::new(text)).map(Paint::Color)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Paint, A::Error> {
                Family::deserialize(MapAccessDeserializer::new(map)).map(Paint::Family)
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

impl<'de> Deserialize<'de> for LookOf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = LookOf;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(
                    "a name of `looks`, or a mapping such as {label: theory, color: \"#222222\"}",
                )
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<LookOf, E> {
                Ok(LookOf::Named(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LookOf, A::Error> {
                Look::deserialize(MapAccessDeserializer::new(map)).map(LookOf::Own)
            }
        }
        deserializer.deserialize_any(Reads)
    }
}
