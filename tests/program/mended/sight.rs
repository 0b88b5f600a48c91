//! What a figure does not show of what it was given is said, and can be silenced where it is meant.

use crate::mended::sketch::{Made, edited, figure, figure_of, with_errors};
use plots::draw::export::missing_glyphs;
use plots::draw::figure::draw;
use plots::figure::{Figure, Panel};
use plots::font::Font;
use plots::warnings;

const RANGE: &str = "range: [0, 1]}";

fn only(made: &Made) -> &str {
    let [warning] = &made.warnings[..] else {
        panic!("one warning: {:?}", made.warnings);
    };
    let carried = warnings::read(&made.text("svg")).expect("an SVG");
    assert_eq!(carried, made.warnings, "the SVG carries what was said");
    assert!(
        made.log.contains(&format!("warning: {warning}")),
        "{}",
        made.log
    );
    warning
}

fn silent(made: &Made) {
    assert_eq!(made.warnings, Vec::<String>::new());
    assert!(!made.text("svg").contains("<desc"));
}

/// Row 3 of the first curve gets a number of its own.
fn odd(value: f64) -> tables::table::Table {
    with_errors(move |row| if row == 3 { value } else { 0.5 })
}

#[test]
fn points_beyond_an_axis_are_counted_and_may_be_cut() {
    let made = figure_of(&edited(&[]), odd(7.0)).expect("it runs");
    assert_eq!(
        only(&made),
        "panels.0.series.0: 1 of 4 points of `ZS` has a place beyond the y axis, which shows 0 to 1, \
         while they go from 0.5 to 7; `cut: true` on the axis says that this is meant"
    );
    silent(&figure_of(&edited(&[(RANGE, "range: [0, 1], cut: true}")]), odd(7.0)).expect("cut"));
    // An automatic range with a bound says so too.
    silent(&figure_of(&edited(&[(RANGE, "within: [0, 1]}")]), odd(7.0)).expect("within"));
    // Values that an automatic range does not follow.
    let far = figure_of(&edited(&[(RANGE, "scale: linear}")]), odd(1e200)).expect("it runs");
    assert!(only(&far).contains("beyond the y axis"));
    let x = figure(&[("[-0.5, 3.5], ticks: [0, 1, 2, 3]", "[-0.5, 2.5]")]).expect("it runs");
    assert!(
        only(&x).contains("3 of 12 points of `ZS`, `both`, `value` have a place beyond the x axis")
    );
}

#[test]
fn zero_has_no_place_on_a_log_axis() {
    let log = (RANGE, "range: [0.1, 1], scale: log}");
    for (value, lost) in [(0.0, true), (-1.0, true), (-0.0, true), (0.2, false)] {
        let made = figure_of(&edited(&[log]), odd(value)).expect("it runs");
        match lost {
            true => {
                assert!(only(&made).contains("no place on the log y axis, being zero or negative"))
            }
            false => silent(&made),
        }
    }
    let cut = (RANGE, "range: [0.1, 1], scale: log, cut: true}");
    silent(&figure_of(&edited(&[cut]), odd(0.0)).expect("cut"));
    // On the other axis: n = 0.
    let x = ("[-0.5, 3.5], ticks: [0, 1, 2, 3]", "[0.5, 3.5], scale: log");
    let made = figure(&[x]).expect("it runs");
    assert!(only(&made).contains("3 of 12 points") && only(&made).contains("the log x axis"));
}

#[test]
fn numbers_that_are_none_are_counted() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let made = figure_of(&edited(&[]), odd(value)).expect("it runs");
        assert!(
            only(&made).contains("1 of 4 points of `ZS` has no finite number"),
            "{value}"
        );
        let gaps = ("each: model", "gaps: true\n        each: model");
        silent(&figure_of(&edited(&[gaps]), odd(value)).expect("gaps"));
    }
    // A whole curve of a training that diverged.
    let lost = |row: usize| if row < 8 { f64::NAN } else { 0.5 };
    let mark = (
        "{model: zs, task: theta0, n: 2}",
        "{model: both, task: theta0, n: 2}",
    );
    let made = figure_of(&edited(&[mark]), with_errors(lost)).expect("it runs");
    assert!(
        only(&made).contains("none of the 4 points of `ZS` is shown: there are no finite numbers")
    );
    let may = ("each: model", "may_be_empty: true\n        each: model");
    silent(&figure_of(&edited(&[mark, may]), with_errors(lost)).expect("it may"));
}

#[test]
fn a_range_beyond_all_points_is_said_even_where_some_may_be_cut() {
    let guide = ("    guides: [{horizontal: {at: 0.5}}]\n", "");
    let mark = (
        "    callouts:\n      - {from: {table: t, where: {model: zs, task: theta0, n: 2}, x: n, y: error}, label: \"{x}\", decimals: 2, look: {color: \"#FF0000\", shape: star}, mark: {marker: 7}}\n",
        "",
    );
    for range in [
        "range: [2, 3]}",
        "range: [2, 3], cut: true}",
        "within: [2, 3]}",
    ] {
        let edits = [guide, mark, (RANGE, range)];
        let made = figure(&edits).expect("it runs");
        let warning = only(&made);
        assert!(
            warning.contains("none of the 12 points of `ZS`, `both`, `value` is shown; y goes from 0.5 to 0.85, where the axis shows 2 to"),
            "{warning}"
        );
        let may = ("each: model", "may_be_empty: true\n        each: model");
        silent(&figure(&[guide, mark, (RANGE, range), may]).expect("it may"));
    }
}

#[test]
fn guides_marks_and_ticks_beyond_an_axis_are_said() {
    for (edit, warning) in [
        (
            ("at: 0.5}", "at: 5}"),
            "panels.0.guides.0: 5 has no place on the y axis, which shows 0 to 1",
        ),
        (
            ("[0, 1, 2, 3]", "[0, 1, 2, 30]"),
            "panels.0.x.ticks.3: 30 has no place on the x axis, which shows -0.5 to 3.5",
        ),
        (
            ("horizontal: {at: 0.5}", "vertical: {at: -3}"),
            "panels.0.guides.0: \u{2212}3 has no place on the x axis",
        ),
    ] {
        let made = figure(&[edit]).expect("it runs");
        assert!(only(&made).starts_with(warning), "{:?}", made.warnings);
    }
    let marked = ("y: error}, label", "y: weight}, label");
    let high = (
        "{model: zs, task: theta0, n: 2}",
        "{model: both_v, task: theta0, n: 2}",
    );
    let made = figure(&[marked, high]).expect("it runs");
    assert!(only(&made).starts_with("panels.0.callouts.0: 100 has no place on the y axis"));
    silent(&figure(&[marked, high, (RANGE, "range: [0, 1], cut: true}")]).expect("cut"));
}

#[test]
fn curves_that_show_nothing_are_said() {
    let bare = figure(&[
        ("mark: {line: 1.2}", "mark: {}"),
        ("        error: {bars: 1}\n", ""),
    ]);
    assert!(
        only(&bare.expect("it runs"))
            .contains("neither a line nor a marker shows `ZS`, `both`, `value`")
    );
    let unnamed = figure(&[
        ("label: ZS, ", ""),
        ("label: both, ", ""),
        ("label: value, ", ""),
    ]);
    assert_eq!(
        only(&unnamed.expect("it runs")),
        "legend: it lists nothing, for no curve has a label"
    );
    let bars = figure(&[("std_error: std_error", "std_error: half")]);
    assert!(bars.is_err(), "no such column");
}

#[test]
fn a_character_that_the_font_lacks_is_named_with_its_words() {
    for (edit, words) in [
        (
            ("label: ZS,", "label: \"Z漢S\","),
            "`漢` (U+6F22) in `Z漢S`",
        ),
        (
            ("x: {label: n,", "x: {label: \"n 🦀\","),
            "`🦀` (U+1F980) in `n 🦀`",
        ),
        (
            (
                "ticks: [0, 1, 2, 3]",
                "ticks: [0, 1, 2, 3], names: [a, b, c, \"한\"]",
            ),
            "`한` (U+D55C) in `한`",
        ),
        (
            ("label: \"{x}\"", "label: \"{x}\u{0F40}\""),
            "`\u{0F40}` (U+0F40)",
        ),
    ] {
        let made = figure(&[edit]).expect("it runs");
        assert!(
            only(&made).starts_with("the font has no glyph for") && only(&made).contains(words),
            "{:?}",
            made.warnings
        );
        silent(
            &figure(&[edit, ("dpi: 30", "dpi: 30\nmissing_glyphs: true")]).expect("boxes will do"),
        );
    }
    // What figures of the paper are written with, and what takes no room.
    let font = Font::from_bytes(&crate::mended::sketch::font()).expect("the font");
    let figure = Figure {
        panels: vec![Panel {
            title: "task −θ₀, σ² ≤ 10⁻³ × ½ ± é\u{200B}".to_owned(),
            ..Panel::default()
        }],
        ..Figure::default()
    };
    let drawing = draw(&figure, &font).expect("it draws");
    assert_eq!(missing_glyphs(&drawing, &font).expect("it parses"), []);
}
