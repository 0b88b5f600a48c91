//! Rectangles on the page, and what is left of lines and areas inside one.
//!
//! Knows nothing of axes or colours. Lengths are in points, y downwards.

/// A place on the page.
pub type Spot = (f64, f64);

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Rect {
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub fn contains(&self, other: &Rect) -> bool {
        self.left <= other.left
            && other.right <= self.right
            && self.top <= other.top
            && other.bottom <= self.bottom
    }

    pub fn corners(&self) -> [Spot; 4] {
        [
            (self.left, self.top),
            (self.right, self.top),
            (self.right, self.bottom),
            (self.left, self.bottom),
        ]
    }
}

/// The parts of a line through `spots` that lie in `rect`; `None` interrupts the line.
pub fn polyline(spots: &[Option<Spot>], rect: &Rect) -> Vec<Vec<Spot>> {
    let mut parts: Vec<Vec<Spot>> = Vec::new();
    let mut current: Vec<Spot> = Vec::new();
    for pair in spots.windows(2) {
        let kept = match (pair[0], pair[1]) {
            (Some(from), Some(to)) => segment(from, to, rect),
            _ => None,
        };
        let Some((from, to)) = kept else {
            parts.extend((current.len() > 1).then(|| std::mem::take(&mut current)));
            current.clear();
            continue;
        };
        if current.last() != Some(&from) {
            parts.extend((current.len() > 1).then(|| std::mem::take(&mut current)));
            current.clear();
            current.push(from);
        }
        current.push(to);
    }
    parts.extend((current.len() > 1).then_some(current));
    parts
}

/// The part of the segment in `rect` (Liang and Barsky 1984, doi:10.1145/357332.357333).
pub fn segment(from: Spot, to: Spot, rect: &Rect) -> Option<(Spot, Spot)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    let edges = [
        (-dx, from.0 - rect.left),
        (dx, rect.right - from.0),
        (-dy, from.1 - rect.top),
        (dy, rect.bottom - from.1),
    ];
    for (speed, distance) in edges {
        if speed == 0.0 {
            if distance < 0.0 {
                return None;
            }
        } else if speed < 0.0 {
            enter = enter.max(distance / speed);
        } else {
            leave = leave.min(distance / speed);
        }
    }
    if enter > leave {
        return None;
    }
    // Exact ends where nothing was cut, so that parts of one line join.
    let at = |t: f64| (from.0 + t * dx, from.1 + t * dy);
    let start = if enter == 0.0 { from } else { at(enter) };
    let end = if leave == 1.0 { to } else { at(leave) };
    Some((start, end))
}

/// The part of an area in `rect` (Sutherland and Hodgman 1974, doi:10.1145/360767.360802).
/// Edges may run along the border, which a fill does not show.
pub fn polygon(spots: &[Spot], rect: &Rect) -> Vec<Spot> {
    let mut kept = spots.to_vec();
    for side in 0..4 {
        // Positive inside.
        let depth = |spot: &Spot| match side {
            0 => spot.0 - rect.left,
            1 => rect.right - spot.0,
            2 => spot.1 - rect.top,
            _ => rect.bottom - spot.1,
        };
        let mut next = Vec::with_capacity(kept.len() + 4);
        for (at, to) in kept.iter().enumerate() {
            let from = &kept[(at + kept.len() - 1) % kept.len()];
            let (a, b) = (depth(from), depth(to));
            if (a < 0.0) != (b < 0.0) {
                let t = a / (a - b);
                next.push((from.0 + t * (to.0 - from.0), from.1 + t * (to.1 - from.1)));
            }
            if b >= 0.0 {
                next.push(*to);
            }
        }
        kept = next;
    }
    kept
}

#[cfg(test)]
mod tests {
    use crate::draw::clip::{Rect, polygon, polyline};

    const UNIT: Rect = Rect {
        left: 0.0,
        top: 0.0,
        right: 1.0,
        bottom: 1.0,
    };

    #[test]
    fn a_line_that_leaves_and_returns_has_two_parts() {
        let line = [(0.5, 0.5), (0.5, -1.0), (0.8, -1.0), (0.8, 0.5)].map(Some);
        let parts = polyline(&line, &UNIT);
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0], vec![(0.5, 0.5), (0.5, 0.0)]);
    }

    #[test]
    fn a_missing_point_interrupts() {
        let line = [Some((0.1, 0.1)), None, Some((0.2, 0.2)), Some((0.3, 0.3))];
        assert_eq!(polyline(&line, &UNIT), vec![vec![(0.2, 0.2), (0.3, 0.3)]]);
        assert!(polyline(&[Some((0.1, 0.1))], &UNIT).is_empty());
    }

    #[test]
    fn an_area_is_cut_at_the_border() {
        let area = [(-1.0, 0.25), (2.0, 0.25), (2.0, 0.75), (-1.0, 0.75)];
        for (x, _) in polygon(&area, &UNIT) {
            assert!((0.0..=1.0).contains(&x));
        }
        assert!(polygon(&[(2.0, 2.0), (3.0, 2.0), (3.0, 3.0)], &UNIT).is_empty());
    }
}
