//! How the curves of a figure look, as pipeline.yaml writes it.
//!
//! Does not know their points.

use crate::kinds::figure::selector::Selector;
use plots::color::Color;
use plots::figure::{Line, Marker};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// In the legend; `{}` stands for the value of `each`.
    #[serde(default)]
    pub label: String,
    #[serde(default)]
    pub color: Paint,
    #[serde(default)]
    pub line: Option<Line>,
    #[serde(default)]
    pub marker: Option<Marker>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookOf {
    /// A number where the column of `each` holds numbers, text where it holds text.
    pub value: Selector,
    pub look: Look,
    /// Whether no row may have the value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_be_empty: bool,
}

/// A colour, or a stretch of a colour map over the curves of `each`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Paint {
    Color(Color),
    /// Viridis from its first to its second number, both in [0, 1].
    Viridis([f64; 2]),
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
            Paint::Viridis([from, to]) => {
                let share = position as f64 / (count.max(2) - 1) as f64;
                Color::viridis(from + share * (to - from))
            }
        }
    }
}
