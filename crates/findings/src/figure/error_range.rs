//! How standard errors are shown around points, and how many of them: the number that a reader is told.

use crate::params::number::Size;
use plots::figure::ErrorStyle;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How standard errors are shown, and how many to each side.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorRange {
    Bars(Size),
    Band(Size),
}

impl ErrorRange {
    pub fn style(self) -> ErrorStyle {
        match self {
            ErrorRange::Bars(_) => ErrorStyle::Bars,
            ErrorRange::Band(_) => ErrorStyle::Band,
        }
    }

    /// The same in a panel of rows, where numbers are on the x axis alone.
    pub fn style_on_rows(self) -> ErrorStyle {
        match self {
            ErrorRange::Bars(_) => ErrorStyle::BarsAlongX,
            ErrorRange::Band(_) => ErrorStyle::None,
        }
    }

    /// How many standard errors it extends to each side.
    pub fn reach(self) -> f64 {
        match self {
            ErrorRange::Bars(reach) | ErrorRange::Band(reach) => reach.get(),
        }
    }

    /// What a legend says of it.
    pub fn words(self) -> String {
        format!("± {} s.e.", self.reach())
    }
}
