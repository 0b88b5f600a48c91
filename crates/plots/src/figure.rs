//! The plain description of a figure: panels, axes, series, guides, legend.
//!
//! Knows nothing of how it is drawn, nor of where its numbers come from. Every type reads from
//! YAML or JSON (unknown fields are refused, left-out fields take the defaults of `Default`), so
//! that an author writes the style and the caller adds the points. Lengths are in points (1/72
//! inch) of the printed page.

use crate::color::Color;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One file. Without panels it is a figure of the legend's `entries` alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Figure {
    /// 234 is a single column of an ICML page, 486 its full width.
    pub width_pt: f64,
    pub height_pt: f64,
    /// Size of axis labels; ticks, legend and notes are a little smaller.
    pub font_pt: f64,
    pub layout: Layout,
    /// Row by row, from the top left.
    pub panels: Vec<Panel>,
    pub legend: Option<Legend>,
}

impl Default for Figure {
    fn default() -> Self {
        Self {
            width_pt: 234.0,
            height_pt: 160.0,
            font_pt: 8.0,
            layout: Layout::default(),
            panels: Vec::new(),
            legend: None,
        }
    }
}

impl Figure {
    /// Size of tick labels, legend and notes.
    pub fn small_pt(&self) -> f64 {
        0.875 * self.font_pt
    }

    /// What a legend without `entries` lists: every label once, in the order of the panels, shown in
    /// all the ways in which its series are: one may draw the line and another the markers.
    pub fn listed(&self) -> Vec<Series> {
        let mut listed: Vec<Series> = Vec::new();
        let labelled = self.panels.iter().flat_map(|panel| &panel.series);
        for series in labelled.filter(|series| !series.label.is_empty()) {
            match listed.iter_mut().find(|entry| entry.label == series.label) {
                None => listed.push(Series {
                    points: Vec::new(),
                    ..series.clone()
                }),
                Some(entry) => {
                    entry.line = entry.line.or(series.line);
                    entry.marker = entry.marker.or(series.marker);
                    if entry.error == ErrorStyle::None {
                        entry.error = series.error;
                    }
                }
            }
        }
        listed
    }
}

/// How panels share the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Layout {
    /// Panels in a row; 0 puts all in one row.
    pub columns: usize,
    /// Relative heights of the rows and widths of the columns; missing ones are 1.
    pub heights: Vec<f64>,
    pub widths: Vec<f64>,
    /// Panels above each other have one x axis: one range, labels under the lowest only.
    pub share_x: bool,
    /// Panels beside each other have one y axis: one range, labels at the leftmost only.
    pub share_y: bool,
    /// Free space between panels, beyond what their labels take.
    pub gap_pt: f64,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            columns: 0,
            heights: Vec::new(),
            widths: Vec::new(),
            share_x: false,
            share_y: false,
            gap_pt: 6.0,
        }
    }
}

/// One frame with two axes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Panel {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
    pub guides: Vec<Guide>,
}

/// One axis. What lies outside its range is clipped at the frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Axis {
    pub label: String,
    pub scale: ScaleKind,
    /// `[low, high]`; when left out, the range of the points with a small margin.
    pub range: Option<[f64; 2]>,
    /// An automatic range goes no further than these: what lies outside is clipped.
    pub within: Option<[f64; 2]>,
    /// Two or more ranges, from low to high, make a broken axis; `range` is then ignored.
    pub segments: Vec<Segment>,
    /// Labelled ticks; when left out, 1-2-5 steps, or decades with minor ticks on a log scale.
    pub ticks: Option<Vec<f64>>,
    pub tick_format: TickFormat,
    /// Words in place of the numbers of `ticks`, in their order; on a y axis they may have several
    /// lines.
    pub names: Vec<String>,
    /// Light lines across the frame at the labelled ticks.
    pub grid: bool,
    /// What lies outside `range`, or cannot stand on a log axis, is left out on purpose: without a
    /// warning. (What lies outside `within` always is.)
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScaleKind {
    #[default]
    Linear,
    Log,
}

/// One unbroken stretch of a broken axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    pub range: [f64; 2],
    /// Length relative to the other segments.
    #[serde(default = "one")]
    pub ratio: f64,
}

/// How tick labels are written; the minus sign is a true one (U+2212).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TickFormat {
    /// As many decimals as the ticks need.
    #[default]
    Auto,
    /// This many decimals: `fixed: 1`.
    Fixed(usize),
    /// 10⁻², 2×10³.
    Power,
    /// No labels.
    None,
}

/// One curve, in every way it is shown. Points with a NaN or infinite coordinate are skipped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Series {
    /// The legend's words; none give no legend entry, and series with the same words share one.
    pub label: String,
    pub color: Ink,
    pub points: Vec<Point>,
    pub line: Option<Line>,
    pub marker: Option<Marker>,
    pub error: ErrorStyle,
    /// Show a point beyond the left or right edge as an arrow head there.
    pub beyond: bool,
    /// Mark every k-th point only (the line goes through all); 0 counts as 1.
    pub every: usize,
}

/// A colour with black as its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Ink(pub Color);

impl Default for Ink {
    fn default() -> Self {
        Self(Color::BLACK)
    }
}

impl From<Color> for Ink {
    fn from(color: Color) -> Self {
        Self(color)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    /// Half the height of the bar or band around `y`, in units of `y`; or what its style says.
    #[serde(default)]
    pub error: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Line {
    pub width: f64,
    pub dash: Dash,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            width: 1.2,
            dash: Dash::Solid,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dash {
    #[default]
    Solid,
    Dashed,
    Dotted,
    DashDot,
    DashDotDot,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Marker {
    pub shape: Shape,
    /// Diameter of the circle; the other shapes look as large.
    pub size: f64,
    pub fill: Fill,
}

impl Default for Marker {
    fn default() -> Self {
        Self {
            shape: Shape::Circle,
            size: 3.6,
            fill: Fill::Filled,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    #[default]
    Circle,
    Square,
    Triangle,
    TriangleDown,
    Diamond,
    Star,
    Cross,
    Plus,
}

/// A hollow marker has a white interior, a half filled one a white right half: no line shows through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    #[default]
    Filled,
    Hollow,
    /// The left half, within the edge of a hollow one. Crosses and pluses have no interior to fill.
    Half,
}

/// How `Point::error` is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorStyle {
    #[default]
    None,
    Bars,
    /// Bars along x: `error` is half their width, in units of `x`.
    BarsAlongX,
    Band,
}

/// Something to read the curves against; has no legend entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Guide {
    /// A line across the frame at an x.
    Vertical(GuideLine),
    /// A line across the frame at a y.
    Horizontal(GuideLine),
    /// A marked point with words beside it.
    Point(GuidePoint),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuideLine {
    pub at: f64,
    #[serde(default = "gray")]
    pub color: Color,
    #[serde(default = "thin_dotted")]
    pub line: Line,
    /// Written inside the frame beside an end of the line, where fewest curves are in the way.
    #[serde(default)]
    pub label: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuidePoint {
    pub x: f64,
    pub y: f64,
    #[serde(default = "black")]
    pub color: Color,
    #[serde(default = "star")]
    pub marker: Marker,
    #[serde(default)]
    pub label: String,
    #[serde(default)]
    pub side: Side,
}

/// Where the words of a marked point stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    #[default]
    Above,
    Below,
    Left,
    Right,
    AboveLeft,
    AboveRight,
    BelowLeft,
    BelowRight,
}

/// The key to the series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Legend {
    /// Entries run down the first column, then the next.
    pub columns: usize,
    pub position: Position,
    /// The panel whose corner holds it.
    pub panel: usize,
    /// What to list instead of the panels' series (their points do not count).
    pub entries: Vec<Series>,
    /// A thin box around it.
    pub frame: bool,
}

impl Default for Legend {
    fn default() -> Self {
        Self {
            columns: 1,
            position: Position::TopRight,
            panel: 0,
            entries: Vec::new(),
            frame: false,
        }
    }
}

/// Corners lie inside a panel; the others outside all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    #[default]
    TopRight,
    TopLeft,
    BottomRight,
    BottomLeft,
    Above,
    Below,
    Right,
}

fn one() -> f64 {
    1.0
}

fn gray() -> Color {
    Color::GRAY
}

fn black() -> Color {
    Color::BLACK
}

fn thin_dotted() -> Line {
    Line {
        width: 0.7,
        dash: Dash::Dotted,
    }
}

fn star() -> Marker {
    Marker {
        shape: Shape::Star,
        size: 7.0,
        fill: Fill::Filled,
    }
}
