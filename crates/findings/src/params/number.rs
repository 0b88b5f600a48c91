//! Numbers of params that are refused where they stand when they are out of range.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A finite number above 0: points, dots per inch, standard errors.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(extend("exclusiveMinimum" = 0))]
pub struct Size(f64);

/// How much of a row: from 0 to below 1.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
pub struct Part(f64);

impl Size {
    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Part {
    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Size {
    type Error = String;
    fn try_from(size: f64) -> Result<Self, String> {
        let fits = size > 0.0 && size.is_finite();
        fits.then_some(Size(size))
            .ok_or_else(|| format!("{size} is not a finite number above 0"))
    }
}

impl TryFrom<f64> for Part {
    type Error = String;
    fn try_from(part: f64) -> Result<Self, String> {
        let fits = (0.0..1.0).contains(&part);
        fits.then_some(Part(part))
            .ok_or_else(|| format!("{part} is not a number from 0 to below 1"))
    }
}

impl From<Size> for f64 {
    fn from(size: Size) -> f64 {
        size.0
    }
}

impl From<Part> for f64 {
    fn from(part: Part) -> f64 {
        part.0
    }
}
