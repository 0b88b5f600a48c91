//! From values to fractions of an axis, on a linear or log scale, in one piece or broken.
//!
//! Does not know how long the axis is drawn, nor in which direction.

use crate::figure::ScaleKind;

/// Room between two pieces of a broken axis, as a fraction of the axis.
const GAP: f64 = 0.045;

/// A piece narrower than this, relative to its ends, has no digits left to place points with.
const NARROWEST: f64 = 1e-9;

/// Fractions are cut here: far outside any frame, and safe to calculate with.
const FARTHEST: f64 = 1e9;

/// One axis, ready to place values.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    kind: ScaleKind,
    pieces: Vec<Piece>,
}

/// One unbroken stretch: the values `low..high` lie at the fractions `start..end`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    pub low: f64,
    pub high: f64,
    pub start: f64,
    pub end: f64,
}

/// Why a value has no place on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    NotFinite,
    /// Zero or negative on a log axis.
    NotPositive,
    /// Between two pieces of a broken axis.
    Gap,
    /// Below the lowest or above the highest end.
    Outside,
}

impl Scale {
    /// `ranges` are (low, high) and relative length, from low to high and apart from each other.
    pub fn new(kind: ScaleKind, ranges: &[([f64; 2], f64)]) -> Result<Self, String> {
        if ranges.is_empty() {
            return Err("has no range".to_string());
        }
        for (at, &([low, high], ratio)) in ranges.iter().enumerate() {
            let shown = format!("[{low}, {high}]");
            if !(low.is_finite() && high.is_finite() && low < high) {
                return Err(format!("has the range {shown}, which is not low to high"));
            }
            if kind == ScaleKind::Log && low <= 0.0 {
                return Err(format!("has the range {shown}, but is a log axis"));
            }
            let span = transform(kind, high) - transform(kind, low);
            let largest = match kind {
                ScaleKind::Linear => low.abs().max(high.abs()),
                ScaleKind::Log => 1.0,
            };
            if !span.is_finite() || span < NARROWEST * largest {
                return Err(format!("has the range {shown}, which cannot be drawn"));
            }
            if !(ratio.is_finite() && (1e-3..=1e3).contains(&ratio)) {
                return Err(format!("has a segment of ratio {ratio}"));
            }
            if at > 0 && low <= ranges[at - 1].0[1] {
                return Err(format!(
                    "has the segment {shown} below an earlier one's end"
                ));
            }
        }
        let gaps = GAP.min(0.5 / ranges.len() as f64);
        let lengths: f64 = ranges.iter().map(|(_, ratio)| ratio).sum();
        let unit = (1.0 - gaps * (ranges.len() - 1) as f64) / lengths;
        let mut start = 0.0;
        let mut pieces = Vec::with_capacity(ranges.len());
        for (at, &([low, high], ratio)) in ranges.iter().enumerate() {
            let last = at + 1 == ranges.len();
            let end = if last { 1.0 } else { start + ratio * unit };
            pieces.push(Piece {
                low,
                high,
                start,
                end,
            });
            start = end + gaps;
        }
        Ok(Self { kind, pieces })
    }

    pub fn kind(&self) -> ScaleKind {
        self.kind
    }

    /// From low to high.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Where `value` would lie if `piece` went on for ever; `None` if nowhere.
    pub fn extend(&self, piece: &Piece, value: f64) -> Option<f64> {
        if !value.is_finite() || (self.kind == ScaleKind::Log && value <= 0.0) {
            return None;
        }
        let low = transform(self.kind, piece.low);
        let high = transform(self.kind, piece.high);
        let share = (transform(self.kind, value) - low) / (high - low);
        let share = share.clamp(-FARTHEST, FARTHEST);
        Some(piece.start + share * (piece.end - piece.start))
    }

    /// The index of the piece that holds `value`, and its fraction of the whole axis.
    pub fn find(&self, value: f64) -> Result<(usize, f64), Lost> {
        if !value.is_finite() {
            return Err(Lost::NotFinite);
        }
        for (at, piece) in self.pieces.iter().enumerate() {
            let Some(fraction) = self.extend(piece, value) else {
                return Err(Lost::NotPositive);
            };
            // An end such as 0.1 + 0.2 belongs to a range that ends at 0.3.
            let slack = NARROWEST * (piece.end - piece.start);
            if fraction >= piece.start - slack && fraction <= piece.end + slack {
                return Ok((at, fraction.clamp(piece.start, piece.end)));
            }
        }
        let inside = self.pieces[0].low < value && value < self.pieces[self.pieces.len() - 1].high;
        Err(if inside { Lost::Gap } else { Lost::Outside })
    }
}

fn transform(kind: ScaleKind, value: f64) -> f64 {
    match kind {
        ScaleKind::Linear => value,
        ScaleKind::Log => libm::log10(value),
    }
}

#[cfg(test)]
mod tests {
    use crate::figure::ScaleKind;
    use crate::scale::{Lost, Scale};

    #[test]
    fn a_broken_log_axis_places_and_loses() {
        let ranges = [([0.08, 5.0], 2.0), ([45.0, 145.0], 1.0)];
        let scale = Scale::new(ScaleKind::Log, &ranges).unwrap();
        assert_eq!(scale.find(0.08).unwrap(), (0, 0.0));
        assert_eq!(scale.find(145.0).unwrap(), (1, 1.0));
        assert_eq!(scale.find(20.0), Err(Lost::Gap));
        assert_eq!(scale.find(150.0), Err(Lost::Outside));
        assert_eq!(scale.find(0.0), Err(Lost::NotPositive));
        assert_eq!(scale.find(f64::NAN), Err(Lost::NotFinite));
    }

    #[test]
    fn ranges_that_cannot_be_drawn_are_refused() {
        for range in [[1.0, 1.0], [2.0, 1.0], [f64::NAN, 1.0], [-1e308, 1e308]] {
            assert!(Scale::new(ScaleKind::Linear, &[(range, 1.0)]).is_err());
        }
        assert!(Scale::new(ScaleKind::Log, &[([0.0, 1.0], 1.0)]).is_err());
        let overlapping = [([0.0, 2.0], 1.0), ([1.0, 3.0], 1.0)];
        assert!(Scale::new(ScaleKind::Linear, &overlapping).is_err());
    }
}
