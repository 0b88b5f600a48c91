//! Counts and the curve through them as SVG.

use crate::kinds::counts::Counts;
use crate::kinds::fit::Fit;
use std::fmt::Write as _;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 220.0;
const MARGIN: f64 = 40.0;

/// A panel for each sample, one below the other.
pub fn svg(samples: &[(&str, Counts, Fit)]) -> String {
    let height = HEIGHT * samples.len() as f64;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n"
    );
    for (row, (label, counts, fit)) in samples.iter().enumerate() {
        panel(&mut text, HEIGHT * row as f64, label, counts, fit);
    }
    text + "</svg>\n"
}

fn panel(text: &mut String, top: f64, label: &str, counts: &Counts, fit: &Fit) {
    let largest = counts.iter().map(|(_, count)| count);
    let largest = largest.fold(fit.activity, f64::max);
    let last = counts.iter().map(|(minute, _)| minute).fold(1.0, f64::max);
    let x = |minute: f64| MARGIN + (WIDTH - 2.0 * MARGIN) * minute / last;
    let y = |count: f64| top + HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * count / largest;
    let (left, right, bottom) = (x(0.0), x(last), y(0.0));
    let mut line = |element: String| {
        let _ = writeln!(text, "{element}");
    };
    line(format!(
        "<path d=\"M{left:.2} {:.2}V{bottom:.2}H{right:.2}\" fill=\"none\" stroke=\"black\"/>",
        y(largest)
    ));
    for (minute, count) in counts.iter() {
        let (x, y) = (x(minute), y(count));
        line(format!(
            "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"2\" fill=\"#0072b2\"/>"
        ));
    }
    let points = counts.iter().map(|(minute, _)| {
        let (x, y) = (x(minute), y(fit.mean(minute)));
        format!("{x:.2},{y:.2}")
    });
    let points = points.collect::<Vec<_>>().join(" ");
    line(format!(
        "<polyline points=\"{points}\" fill=\"none\" stroke=\"#d55e00\" stroke-width=\"1.5\"/>"
    ));
    let Fit {
        half_life,
        std_error,
        ..
    } = fit;
    let label = label.replace('&', "&amp;").replace('<', "&lt;");
    line(format!(
        "<text x=\"{right:.2}\" y=\"{:.2}\" text-anchor=\"end\">{label}: {half_life:.1} ± {std_error:.1} min</text>",
        y(largest)
    ));
    let under = bottom + 16.0;
    line(format!(
        "<text x=\"{left:.2}\" y=\"{under:.2}\">0</text>\
         <text x=\"{right:.2}\" y=\"{under:.2}\" text-anchor=\"end\">{last} min</text>\
         <text x=\"{:.2}\" y=\"{:.2}\" text-anchor=\"end\">{largest:.0}</text>",
        left - 4.0,
        y(largest) + 4.0
    ));
}
