//! Where an axis has ticks and what they say.
//!
//! Does not know the direction of the axis: the caller tells how much room a label takes.

use crate::figure::{Axis, ScaleKind, TickFormat};
use crate::number::{fixed, power, shortest};
use crate::scale::{Piece, Scale};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ticks {
    pub major: Vec<Tick>,
    /// Fractions of the axis.
    pub minor: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Fraction of the axis.
    pub at: f64,
    pub value: f64,
    pub label: String,
}

/// Ticks of an axis drawn `length` long.
///
/// `room` is the length that a label takes along the axis, free space around it included; the
/// automatic ticks are as many as fit.
pub fn ticks(axis: &Axis, scale: &Scale, length: f64, room: &dyn Fn(&str) -> f64) -> Ticks {
    let minor = match scale.kind() {
        ScaleKind::Log => minor_values(scale),
        ScaleKind::Linear => Vec::new(),
    };
    let mut values: Vec<f64> = match &axis.ticks {
        Some(values) => values.clone(),
        None => {
            let automatic = |piece: &Piece| {
                let length = length * (piece.end - piece.start);
                match scale.kind() {
                    ScaleKind::Linear => linear_values(piece.low, piece.high, length, room),
                    ScaleKind::Log => log_values(piece.low, piece.high, length, room),
                }
            };
            scale.pieces().iter().flat_map(automatic).collect()
        }
    };
    values.retain(|value| scale.find(*value).is_ok());
    let labels = match &axis.ticks {
        Some(all) if !axis.names.is_empty() => {
            let name = |value: &f64| {
                let at = all.iter().position(|tick| tick == value);
                at.and_then(|at| axis.names.get(at)).cloned()
            };
            values.iter().map(|v| name(v).unwrap_or_default()).collect()
        }
        _ => labels(axis.tick_format, &values),
    };
    let mut major: Vec<Tick> = Vec::with_capacity(values.len());
    for (value, label) in values.into_iter().zip(labels) {
        if let Ok((_, at)) = scale.find(value) {
            major.push(Tick { at, value, label });
        }
    }
    if axis.ticks.is_none() {
        drop_crowded(&mut major, scale, length, room);
    }
    let place = |value: f64| scale.find(value).ok().map(|(_, at)| at);
    let mut minor: Vec<f64> = minor.into_iter().filter_map(place).collect();
    minor.retain(|at| major.iter().all(|tick| (tick.at - at).abs() > 1e-9));
    Ticks { major, minor }
}

/// Multiples of 1, 2 or 5 times a power of ten: the smallest step whose labels fit.
fn linear_values(low: f64, high: f64, length: f64, room: &dyn Fn(&str) -> f64) -> Vec<f64> {
    let span = high - low;
    let first = libm::floor(libm::log10(span)) as i32 - 2;
    let mut values = Vec::new();
    for rank in 0..10 {
        let exponent = first + rank / 3;
        let mantissa = [1.0, 2.0, 5.0][rank as usize % 3];
        values = multiples(low, high, mantissa, exponent);
        let widest = labels(TickFormat::Auto, &values)
            .iter()
            .map(|label| room(label))
            .fold(0.0, f64::max);
        if (values.len() as f64 - 1.0) * widest <= length && values.len() <= 12 {
            break;
        }
    }
    values
}

fn multiples(low: f64, high: f64, mantissa: f64, exponent: i32) -> Vec<f64> {
    let step = mantissa * ten_to(exponent);
    let slack = 1e-9 * (high - low);
    let (from, to) = (
        ((low - slack) / step).ceil(),
        ((high + slack) / step).floor(),
    );
    if !(to - from).is_finite() {
        return Vec::new();
    }
    // Divided by a whole power, 3 steps of 0.1 are the f64 nearest to 0.3.
    let value = |k: f64| match exponent {
        0.. => k * step,
        _ => k * mantissa / ten_to(-exponent),
    };
    let count = ((to - from) as usize + 1).min(2000);
    (0..count).map(|i| value(from + i as f64)).collect()
}

/// Decades; thinned when they do not fit, with 2 and 5 between when these fit too.
fn log_values(low: f64, high: f64, length: f64, room: &dyn Fn(&str) -> f64) -> Vec<f64> {
    let first = libm::floor(libm::log10(low)) as i32;
    let last = libm::ceil(libm::log10(high)) as i32;
    let decade = length / (libm::log10(high) - libm::log10(low));
    let inside = |value: &f64| *value >= low * (1.0 - 1e-9) && *value <= high * (1.0 + 1e-9);
    // The tightest pair is 1 and 2, or 5 and 10: 0.301 of a decade.
    if last - first <= 6 {
        let values: Vec<f64> = (first..=last)
            .flat_map(|exponent| [1.0, 2.0, 5.0].map(|m| decade_times(m, exponent)))
            .filter(inside)
            .collect();
        let labels = labels(TickFormat::Auto, &values);
        let widest = labels.iter().map(|l| room(l)).fold(0.0, f64::max);
        let decades = (first..=last).map(|e| decade_times(1.0, e)).filter(inside);
        if 0.301 * decade >= widest || decades.count() < 2 {
            return values;
        }
    }
    let most = (length / room("10\u{207B}\u{B2}")).clamp(2.0, 12.0) as i32;
    let stride = ((last - first + most - 1) / most).max(1);
    (first..=last)
        .filter(|exponent| exponent.rem_euclid(stride) == 0)
        .map(|exponent| decade_times(1.0, exponent))
        .filter(inside)
        .collect()
}

/// 2..9 times the powers of ten inside the pieces, unless there are too many decades for them.
fn minor_values(scale: &Scale) -> Vec<f64> {
    let mut values = Vec::new();
    for piece in scale.pieces() {
        let first = libm::floor(libm::log10(piece.low)) as i32;
        let last = libm::ceil(libm::log10(piece.high)) as i32;
        if last - first > 12 {
            continue;
        }
        for exponent in first..=last {
            values.extend((1..10).map(|digit| decade_times(f64::from(digit), exponent)));
        }
    }
    values
}

/// Where two labels would touch, one goes: none that is a power of ten, and of a broken axis the
/// one whose piece has more labels.
fn drop_crowded(major: &mut Vec<Tick>, scale: &Scale, length: f64, room: &dyn Fn(&str) -> f64) {
    let piece = |tick: &Tick| scale.find(tick.value).map_or(0, |(piece, _)| piece);
    let mut at = 1;
    while at < major.len() {
        let (before, here) = (&major[at - 1], &major[at]);
        let free = (here.at - before.at).abs() * length;
        // `room` includes air that two labels may share.
        if free >= 0.6 * 0.5 * (room(&before.label) + room(&here.label)) {
            at += 1;
            continue;
        }
        let decade = |tick: &Tick| format!("{:e}", tick.value).starts_with("1e");
        let weight = |tick: &Tick| {
            let company = major
                .iter()
                .filter(|other| piece(other) == piece(tick))
                .count();
            (decade(tick), std::cmp::Reverse(company))
        };
        let goes = if weight(here) > weight(before) {
            at - 1
        } else {
            at
        };
        major.remove(goes);
        at = at.saturating_sub(1).max(1);
    }
}

fn labels(format: TickFormat, values: &[f64]) -> Vec<String> {
    let write: Box<dyn Fn(f64) -> String> = match format {
        TickFormat::None => Box::new(|_| String::new()),
        TickFormat::Fixed(decimals) => Box::new(move |value| fixed(value, decimals)),
        TickFormat::Power => Box::new(power),
        TickFormat::Auto => {
            let sizes = || values.iter().map(|v| v.abs()).filter(|v| *v > 0.0);
            let (smallest, largest) = (
                sizes().fold(f64::INFINITY, f64::min),
                sizes().fold(0.0, f64::max),
            );
            let step = values.windows(2).map(|pair| (pair[1] - pair[0]).abs());
            let step = step.fold(f64::INFINITY, f64::min);
            let even = values
                .windows(2)
                .all(|p| ((p[1] - p[0]) / step - 1.0).abs() < 1e-6);
            if largest >= 1e5 || smallest < 1e-3 {
                Box::new(power)
            } else if even {
                // One number of decimals for all: 0.0, 0.5, 1.0.
                let texts = values.iter().map(|v| format!("{v}"));
                let decimals = |text: String| text.split_once('.').map_or(0, |(_, d)| d.len());
                let most = texts.map(decimals).max().unwrap_or(0).min(6);
                Box::new(move |value| fixed(value, most))
            } else {
                Box::new(shortest)
            }
        }
    };
    values.iter().map(|value| write(*value)).collect()
}

fn decade_times(mantissa: f64, exponent: i32) -> f64 {
    match exponent {
        0.. => mantissa * ten_to(exponent),
        _ => mantissa / ten_to(-exponent),
    }
}

/// Exact up to 10^22, which libm's `pow` need not be.
fn ten_to(exponent: i32) -> f64 {
    match exponent {
        0..=22 => (0..exponent).fold(1.0, |power, _| power * 10.0),
        _ => libm::pow(10.0, f64::from(exponent)),
    }
}

#[cfg(test)]
mod tests {
    use crate::draw::ticks::{Ticks, ticks};
    use crate::figure::{Axis, ScaleKind};
    use crate::scale::Scale;

    fn automatic(kind: ScaleKind, ranges: &[([f64; 2], f64)], length: f64) -> Ticks {
        let scale = Scale::new(kind, ranges).unwrap();
        ticks(&Axis::default(), &scale, length, &|_| 16.0)
    }

    fn words(ticks: &Ticks) -> Vec<&str> {
        ticks.major.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn linear_steps_are_1_2_5() {
        let found = automatic(ScaleKind::Linear, &[([0.0, 2.3], 1.0)], 100.0);
        assert_eq!(words(&found), ["0.0", "0.5", "1.0", "1.5", "2.0"]);
        let found = automatic(ScaleKind::Linear, &[([-0.2, 0.3], 1.0)], 100.0);
        assert_eq!(words(&found), ["−0.2", "−0.1", "0.0", "0.1", "0.2", "0.3"]);
    }

    #[test]
    fn log_ticks_are_decades_with_minor_ones() {
        let found = automatic(ScaleKind::Log, &[([0.05, 200.0], 1.0)], 100.0);
        assert_eq!(words(&found), ["0.1", "1", "10", "100"]);
        // 5 below 0.1, three times 8, one above 100.
        assert_eq!(found.minor.len(), 5 + 24 + 1);
        let found = automatic(ScaleKind::Log, &[([0.1, 1.0], 1.0)], 100.0);
        assert_eq!(words(&found), ["0.1", "0.2", "0.5", "1"]);
        let found = automatic(ScaleKind::Log, &[([1e-9, 1.0], 1.0)], 60.0);
        assert!(words(&found).contains(&"10⁻⁶"), "{:?}", words(&found));
    }

    #[test]
    fn each_piece_of_a_broken_axis_has_its_ticks() {
        let ranges = [([0.08, 5.0], 2.0), ([45.0, 145.0], 1.0)];
        let found = automatic(ScaleKind::Log, &ranges, 120.0);
        for label in ["0.1", "1", "100"] {
            assert!(words(&found).contains(&label), "{:?}", words(&found));
        }
    }
}
