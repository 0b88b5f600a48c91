//! Where everything on the page goes: frames, ticks, labels, legend.
//!
//! Measures words but draws nothing. Margins are what the labels need, so that frames of one
//! column or row line up and nothing is cut off.

use crate::draw::axes::{PanelAxes, columns};
use crate::draw::clip::Rect;
use crate::draw::legend::LegendBox;
use crate::draw::ticks::{Tick, Ticks, ticks};
use crate::error::ReportError;
use crate::figure::{Figure, Position};
use crate::font::{ASCENT, DESCENT, Font};

/// Ticks and their labels, in points. Ticks point outwards: no curve hides them.
pub const TICK: f64 = 2.6;
pub const MINOR_TICK: f64 = 1.5;
const TICK_PAD: f64 = 1.8;
const LABEL_PAD: f64 = 3.0;

/// Free border of the page: room for the marks of a broken axis. LaTeX adds its own space.
const PAGE_PAD: f64 = 3.0;

/// Free space between an outside legend and the panels.
const LEGEND_PAD: f64 = 3.0;

/// Frames below this are no figure.
const SMALLEST: f64 = 8.0;

#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub panels: Vec<PanelPlace>,
    /// The top left corner of a legend outside the panels, and of one without any.
    pub legend: Option<(f64, f64)>,
    pub tick_size: f64,
}

/// A panel's place.
#[derive(Clone, Debug, PartialEq)]
pub struct PanelPlace {
    pub frame: Rect,
    pub x: Ticks,
    pub y: Ticks,
    /// Base lines of the axis labels and of the title.
    pub x_label: f64,
    pub y_label: f64,
    pub title: f64,
    /// Base line of the x tick labels, and the right end of the y tick labels.
    pub x_ticks: f64,
    pub y_ticks: f64,
}

/// Places everything. `key` is the legend's content, if there is one.
///
/// Errors: the labels leave no room for the panels.
pub fn place(
    figure: &Figure,
    axes: &[PanelAxes],
    font: &Font,
    key: Option<&LegendBox>,
) -> Result<Page, ReportError> {
    let tick_size = figure.small_pt();
    let mut page = Rect {
        left: PAGE_PAD,
        top: PAGE_PAD,
        right: figure.width_pt - PAGE_PAD,
        bottom: figure.height_pt - PAGE_PAD,
    };
    let (key_width, key_height) = key.map_or((0.0, 0.0), LegendBox::size);
    if figure.panels.is_empty() {
        if key_width > figure.width_pt || key_height > figure.height_pt {
            return Err(ReportError::Figure {
                place: "legend".to_string(),
                problem: format!("needs {key_width:.0} x {key_height:.0} pt, more than the page"),
            });
        }
        let left = 0.5 * (figure.width_pt - key_width);
        let top = 0.5 * (figure.height_pt - key_height);
        return Ok(Page {
            panels: Vec::new(),
            legend: Some((left, top)),
            tick_size,
        });
    }
    let position = figure.legend.as_ref().map(|legend| legend.position);
    let mut legend_top = None;
    match position {
        Some(Position::Above) if key.is_some() => {
            legend_top = Some(page.top);
            page.top += key_height + LEGEND_PAD;
        }
        Some(Position::Below) if key.is_some() => {
            page.bottom -= key_height + LEGEND_PAD;
            legend_top = Some(page.bottom + LEGEND_PAD);
        }
        Some(Position::Right) if key.is_some() => page.right -= key_width + LEGEND_PAD,
        _ => {}
    }

    let columns = columns(figure);
    let rows = figure.panels.len().div_ceil(columns);
    let row_of = |at: usize| at / columns;
    let column_of = |at: usize| at % columns;
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let indices = || 0..figure.panels.len();

    // Heights first: they do not depend on the words of the ticks.
    let below: Vec<f64> = (0..rows)
        .map(|row| {
            let needs = |at: usize| {
                let axis = &axes[at].x;
                let words = axis.labelled;
                let ticks = if words {
                    TICK_PAD + (ASCENT + DESCENT) * tick_size
                } else {
                    0.0
                };
                let label = if words && !axis.axis.label.is_empty() {
                    LABEL_PAD - DESCENT * tick_size + (ASCENT + DESCENT) * figure.font_pt
                } else {
                    0.0
                };
                TICK + ticks + label
            };
            most(&mut indices().filter(|at| row_of(*at) == row).map(needs))
        })
        .collect();
    let above: Vec<f64> = (0..rows)
        .map(|row| {
            let titled = |at: &usize| !figure.panels[*at].title.is_empty();
            match indices()
                .filter(|at| row_of(*at) == row)
                .any(|at| titled(&at))
            {
                true => LABEL_PAD + (ASCENT + DESCENT) * figure.font_pt,
                // Half of a y tick label at the very top.
                false => 0.5 * tick_size,
            }
        })
        .collect();
    let heights = shares(
        page.height() - below.iter().sum::<f64>() - above.iter().sum::<f64>(),
        figure.layout.gap_pt,
        rows,
        &figure.layout.heights,
        "height_pt",
    )?;

    let y_ticks: Vec<Ticks> = indices()
        .map(|at| {
            let (axis, height) = (&axes[at].y, heights[row_of(at)]);
            ticks(&axis.axis, &axis.scale, height, &|_| 2.0 * tick_size)
        })
        .collect();
    let widest = |ticks: &Ticks| {
        let lines = ticks.major.iter().flat_map(|tick| tick.label.lines());
        most(&mut lines.map(|line| font.width(line, tick_size)))
    };
    // Tick labels of one column are as wide as its widest: axis labels line up.
    let tick_room: Vec<f64> = (0..columns)
        .map(|column| {
            let mine = indices().filter(|at| column_of(*at) == column && axes[*at].y.labelled);
            most(&mut mine.map(|at| widest(&y_ticks[at])))
        })
        .collect();
    let before: Vec<f64> = (0..columns)
        .map(|column| {
            let labelled = |at: &usize| axes[*at].y.labelled;
            let mine: Vec<usize> = indices().filter(|at| column_of(*at) == column).collect();
            if !mine.iter().any(labelled) {
                return TICK;
            }
            let named = |at: &usize| labelled(at) && !axes[*at].y.axis.label.is_empty();
            let label = match mine.iter().any(named) {
                true => LABEL_PAD + (ASCENT + DESCENT) * figure.font_pt,
                false => 0.0,
            };
            TICK + TICK_PAD + tick_room[column] + label
        })
        .collect();

    // The last x label may stand out at the right; how far depends on the width, so twice.
    let mut overhang = 0.0;
    let mut widths = Vec::new();
    let mut x_ticks = Vec::new();
    for _ in 0..2 {
        widths = shares(
            page.width() - before.iter().sum::<f64>() - overhang,
            figure.layout.gap_pt,
            columns,
            &figure.layout.widths,
            "width_pt",
        )?;
        x_ticks = indices()
            .map(|at| {
                let (axis, width) = (&axes[at].x, widths[column_of(at)]);
                let room = |label: &str| font.width(label, tick_size) + 1.6 * tick_size;
                ticks(&axis.axis, &axis.scale, width, &room)
            })
            .collect::<Vec<Ticks>>();
        overhang = most(
            &mut indices()
                .filter(|at| column_of(*at) + 1 == columns)
                .map(|at| {
                    let stands_out = |tick: &Tick| {
                        let half = 0.5 * font.width(&tick.label, tick_size);
                        half - (1.0 - tick.at) * widths[columns - 1]
                    };
                    most(&mut x_ticks[at].major.iter().map(stands_out))
                }),
        );
    }

    let starts = |sizes: &[f64], pads: &[f64], after: &[f64], from: f64| -> Vec<f64> {
        let mut at = from;
        let mut starts = Vec::new();
        for (index, size) in sizes.iter().enumerate() {
            at += pads[index];
            starts.push(at);
            at += size + after[index] + figure.layout.gap_pt;
        }
        starts
    };
    let lefts = starts(&widths, &before, &vec![0.0; columns], page.left);
    let tops = starts(&heights, &above, &below, page.top);
    let mut panels = Vec::with_capacity(figure.panels.len());
    for (at, (x, y)) in x_ticks.into_iter().zip(y_ticks).enumerate() {
        let (row, column) = (row_of(at), column_of(at));
        let frame = Rect {
            left: lefts[column],
            top: tops[row],
            right: lefts[column] + widths[column],
            bottom: tops[row] + heights[row],
        };
        let x_ticks = frame.bottom + TICK + TICK_PAD + ASCENT * tick_size;
        let y_ticks = frame.left - TICK - TICK_PAD;
        panels.push(PanelPlace {
            x_label: x_ticks + LABEL_PAD + ASCENT * figure.font_pt,
            y_label: y_ticks - tick_room[column] - LABEL_PAD - DESCENT * figure.font_pt,
            title: frame.top - LABEL_PAD - DESCENT * figure.font_pt,
            frame,
            x,
            y,
            x_ticks,
            y_ticks,
        });
    }

    // Centred over the frames, as far as the page allows.
    let (left, right) = (lefts[0], lefts[columns - 1] + widths[columns - 1]);
    let centred = (0.5 * (left + right - key_width))
        .min(page.right - key_width)
        .max(PAGE_PAD);
    let legend = match (position, legend_top) {
        (_, Some(top)) => Some((centred, top)),
        (Some(Position::Right), None) => Some((page.right + LEGEND_PAD, tops[0])),
        _ => None,
    };
    Ok(Page {
        panels,
        legend,
        tick_size,
    })
}

/// Divides `room` among `count` frames with gaps between.
fn shares(
    room: f64,
    gap: f64,
    count: usize,
    ratios: &[f64],
    place: &str,
) -> Result<Vec<f64>, ReportError> {
    let ratio = |at: usize| ratios.get(at).copied().unwrap_or(1.0);
    let whole: f64 = (0..count).map(ratio).sum();
    let room = room - gap * (count - 1) as f64;
    let shares: Vec<f64> = (0..count).map(|at| room * ratio(at) / whole).collect();
    if shares
        .iter()
        .any(|share| *share < SMALLEST || !share.is_finite())
    {
        return Err(ReportError::Figure {
            place: place.to_string(),
            problem: "leaves no room for the panels beside their labels".to_string(),
        });
    }
    Ok(shares)
}
