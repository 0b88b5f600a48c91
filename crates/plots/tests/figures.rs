//! What a reader of the figures and tables relies on: equal bytes, nothing lost in silence,
//! nothing outside a frame, no panic on odd data.

use plots::color::Color;
use plots::draw::axes::lost_points;
use plots::draw::export::{pdf, png, svg};
use plots::draw::figure::{Drawing, draw};
use plots::draw::legend::LegendBox;
use plots::figure::{
    Axis, Dash, ErrorStyle, Figure, Fill, Guide, Layout, Legend, Line, Marker, Panel, Point,
    Position, ScaleKind, Segment, Series, Shape,
};
use plots::font::Font;
use plots::latex::{Align, Column, Group, Table, latex};
use plots::scale::Lost;
use proptest::prelude::*;
use std::sync::LazyLock;

const FONT: &[u8] = include_bytes!("../../../data/fonts/DejaVuSans.ttf");
static SHARED_FONT: LazyLock<Font> = LazyLock::new(|| Font::from_bytes(FONT).unwrap());

const INK: Color = Color::new(0x12, 0x34, 0x56);

fn font() -> &'static Font {
    &SHARED_FONT
}

fn points(values: &[(f64, f64)]) -> Vec<Point> {
    let point = |&(x, y): &(f64, f64)| Point {
        x,
        y,
        error: Some(0.1),
    };
    values.iter().map(point).collect()
}

fn dots(values: &[(f64, f64)]) -> Series {
    Series {
        label: "dots".to_string(),
        color: INK.into(),
        points: points(values),
        marker: Some(Marker::default()),
        ..Series::default()
    }
}

fn curve(values: &[(f64, f64)]) -> Series {
    Series {
        label: "curve".to_string(),
        line: Some(Line::default()),
        marker: None,
        ..dots(values)
    }
}

fn unit_figure(series: Vec<Series>) -> Figure {
    let axis = |label: &str| Axis {
        label: label.to_string(),
        range: Some([0.0, 1.0]),
        ..Axis::default()
    };
    Figure {
        panels: vec![Panel {
            x: axis("n"),
            y: axis("error on −θ₀"),
            series,
            ..Panel::default()
        }],
        legend: Some(Legend::default()),
        ..Figure::default()
    }
}

/// The hardest figure: two panels, one shared broken log axis.
fn broken_figure() -> Figure {
    let y = Axis {
        scale: ScaleKind::Log,
        segments: vec![
            Segment {
                range: [0.08, 5.0],
                ratio: 2.0,
            },
            Segment {
                range: [45.0, 145.0],
                ratio: 1.0,
            },
        ],
        ..Axis::default()
    };
    let mut both = curve(&[
        (0.0, 0.1),
        (1.0, 60.0),
        (2.0, 20.0),
        (3.0, 145.0),
        (4.0, 5.0),
        (5.0, 200.0),
    ]);
    both.marker = Some(Marker::default());
    both.error = ErrorStyle::Band;
    let panel = Panel {
        y,
        series: vec![both],
        ..Panel::default()
    };
    Figure {
        panels: vec![panel.clone(), panel],
        layout: Layout {
            share_y: true,
            ..Layout::default()
        },
        legend: Some(Legend {
            position: Position::Above,
            ..Legend::default()
        }),
        ..Figure::default()
    }
}

fn drawn(figure: &Figure) -> Drawing {
    draw(figure, font()).unwrap()
}

fn all_bytes(figure: &Figure, font: &Font) -> (String, Vec<u8>, Vec<u8>) {
    let drawing = draw(figure, font).unwrap();
    (
        svg(&drawing, font).unwrap(),
        pdf(&drawing, font).unwrap(),
        png(&drawing, font, 100.0).unwrap(),
    )
}

fn circles(drawing: &Drawing) -> usize {
    drawing.svg.matches("<circle").count()
}

/// Coordinates of every element of the ink's colour, in drawing units.
fn inked_coordinates(drawing: &Drawing) -> Vec<(f64, f64)> {
    let inked = drawing.svg.lines().filter(|line| line.contains("#123456"));
    let pairs = |line: &str| -> Vec<(f64, f64)> {
        let list = line
            .split("points=\"")
            .nth(1)
            .map_or("", |rest| rest.split('"').next().unwrap());
        let pair = |pair: &str| {
            let (x, y) = pair.split_once(',').unwrap();
            (x.parse().unwrap(), y.parse().unwrap())
        };
        list.split_whitespace().map(pair).collect()
    };
    inked.flat_map(pairs).collect()
}

#[test]
fn bytes_are_equal_on_every_call_and_thread() {
    let figure = broken_figure();
    let once = all_bytes(&figure, font());
    assert_eq!(once, all_bytes(&figure, font()));
    let elsewhere = || all_bytes(&broken_figure(), &Font::from_bytes(FONT).unwrap());
    let threads: Vec<_> = (0..2).map(|_| std::thread::spawn(elsewhere)).collect();
    for thread in threads {
        assert_eq!(once, thread.join().unwrap());
    }
    let table = small_table();
    assert_eq!(latex(&table), latex(&table));
}

#[test]
fn files_carry_no_date_id_path_or_live_text() {
    let (svg, pdf, png) = all_bytes(&broken_figure(), font());
    assert!(svg.starts_with("<svg") && svg.contains("width=\"234pt\"") && svg.contains("viewBox"));
    for word in ["<text", "font-family", "href", "/work", "/home", "/tmp"] {
        assert!(!svg.contains(word), "{word}");
    }
    let text = String::from_utf8_lossy(&pdf);
    assert!(text.starts_with("%PDF"));
    for word in ["CreationDate", "ModDate", "xmp", "/work", "/home"] {
        assert!(!text.contains(word), "{word}");
    }
    assert!(text.contains("DejaVuSans"), "the font is embedded");
    assert!(png.starts_with(b"\x89PNG"));
}

#[test]
fn hollow_half_filled_and_filled_markers_differ() {
    for shape in [
        Shape::Circle,
        Shape::Square,
        Shape::Triangle,
        Shape::Diamond,
        Shape::Star,
    ] {
        let with = |fill| {
            let mut series = dots(&[(0.5, 0.5)]);
            series.marker = Some(Marker {
                shape,
                fill,
                ..Marker::default()
            });
            let mut figure = unit_figure(vec![series]);
            figure.legend = None;
            drawn(&figure)
        };
        let (hollow, filled) = (with(Fill::Hollow), with(Fill::Filled));
        assert_ne!(hollow, filled);
        // The page and the interior.
        assert!(hollow.svg.matches("#FFFFFF").count() > filled.svg.matches("#FFFFFF").count());
        let half = with(Fill::Half);
        let white = |figure: &Drawing| figure.svg.matches("#FFFFFF").count();
        assert_eq!(white(&half), white(&hollow), "{shape:?}");
        // On the white interior lies one area more.
        let areas = |figure: &Drawing| figure.svg.matches("<polygon").count();
        assert_eq!(areas(&half), areas(&hollow) + 1, "{shape:?}");
    }
}

#[test]
fn bars_along_x_are_upright_bars_turned() {
    let with = |error: ErrorStyle, reach: f64| {
        let mut series = dots(&[(0.5, 0.5)]);
        series.error = error;
        series.points[0].error = Some(reach);
        let mut figure = unit_figure(vec![series]);
        figure.legend = None;
        let spots = inked_coordinates(&drawn(&figure));
        let extent = |of: fn(&(f64, f64)) -> f64| {
            let values = || spots.iter().map(of);
            values().fold(f64::MIN, f64::max) - values().fold(f64::MAX, f64::min)
        };
        (extent(|spot| spot.0), extent(|spot| spot.1))
    };
    let (wide, low) = with(ErrorStyle::BarsAlongX, 0.2);
    let (narrow, high) = with(ErrorStyle::Bars, 0.2);
    assert!(
        wide > 3.0 * narrow && high > 3.0 * low,
        "{wide} {low} {narrow} {high}"
    );
    let (twice, as_low) = with(ErrorStyle::BarsAlongX, 0.4);
    assert!(
        (twice / wide - 2.0).abs() < 0.02 && low == as_low,
        "{twice} {wide}"
    );
    // An automatic axis has room for both ends, of which a narrow one shows neither.
    let ends = |x: Axis| {
        let mut series = dots(&[(0.5, 0.5)]);
        series.error = ErrorStyle::BarsAlongX;
        series.points[0].error = Some(40.0);
        let mut figure = unit_figure(vec![series]);
        figure.legend = None;
        figure.panels[0].x = x;
        inked_coordinates(&drawn(&figure)).len()
    };
    let narrow = Axis {
        range: Some([0.0, 1.0]),
        ..Axis::default()
    };
    assert_eq!(ends(Axis::default()), ends(narrow) + 4);
}

#[test]
fn nothing_is_drawn_outside_the_frame() {
    let outside = [(-0.5, 0.5), (0.5, 1.5), (0.5, -3.0), (2.0, 2.0)];
    let mut bars = dots(&outside[..1]);
    bars.error = ErrorStyle::Bars;
    for series in [dots(&outside), bars] {
        let mut figure = unit_figure(vec![series.clone()]);
        figure.legend = None;
        let drawing = drawn(&figure);
        figure.panels[0].series[0].points.clear();
        assert_eq!(drawing, drawn(&figure), "{series:?}");
    }

    let wild = [
        (-1.0, -1.0),
        (0.5, 0.5),
        (0.6, 1e30),
        (0.7, 0.2),
        (9.0, -4.0),
        (0.1, 0.9),
    ];
    for (dash, error) in [
        (Dash::Solid, ErrorStyle::Band),
        (Dash::Dashed, ErrorStyle::Bars),
        (Dash::Dotted, ErrorStyle::BarsAlongX),
    ] {
        let mut series = curve(&wild);
        series.error = error;
        series.line = Some(Line { width: 1.0, dash });
        let mut figure = unit_figure(vec![series]);
        figure.legend = None;
        // Along the frame's own edges runs a curve that spans it exactly.
        let edges = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
        let frame = inked_coordinates(&drawn(&unit_figure(vec![Series {
            label: String::new(),
            ..curve(&edges)
        }])));
        let inside = inked_coordinates(&drawn(&figure));
        assert!(inside.len() > 4);
        let bounds = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::MAX, f64::MIN), |(low, high), v| {
                (low.min(v), high.max(v))
            })
        };
        let (left, right) = bounds(&mut frame.iter().map(|p| p.0));
        let (top, bottom) = bounds(&mut frame.iter().map(|p| p.1));
        for (x, y) in inside {
            assert!(
                (left..=right).contains(&x) && (top..=bottom).contains(&y),
                "({x}, {y})"
            );
        }
    }
}

#[test]
fn a_broken_axis_loses_only_what_it_reports() {
    let mut figure = broken_figure();
    let lost = lost_points(&figure).unwrap();
    let whys: Vec<_> = lost.iter().map(|l| (l.panel, l.point, l.why)).collect();
    let expected = [
        (0, 2, Lost::Gap),
        (0, 5, Lost::Outside),
        (1, 2, Lost::Gap),
        (1, 5, Lost::Outside),
    ];
    assert_eq!(whys, expected);
    figure.legend = None;
    assert_eq!(circles(&drawn(&figure)), 12 - lost.len());
}

#[test]
fn missing_values_are_skipped_and_interrupt_lines() {
    let holes = [
        (0.1, 0.1),
        (0.2, f64::NAN),
        (f64::INFINITY, 0.3),
        (0.4, 0.4),
        (0.5, 0.5),
    ];
    let mut figure = unit_figure(vec![dots(&holes)]);
    figure.legend = None;
    assert_eq!(circles(&drawn(&figure)), 3);
    figure.panels[0].series = vec![curve(&holes)];
    assert_eq!(inked_coordinates(&drawn(&figure)).len(), 2);
    assert_eq!(lost_points(&figure).unwrap()[0].why, Lost::NotFinite);
}

#[test]
fn rows_have_words_in_place_of_numbers() {
    let mut figure = unit_figure(vec![dots(&[(0.5, 0.0), (0.5, 1.0)])]);
    figure.legend = None;
    let y = &mut figure.panels[0].y;
    y.range = Some([-0.5, 1.5]);
    // The lowest tick lies outside: its word goes with it.
    y.ticks = Some(vec![-7.0, 0.0, 1.0]);
    y.names = ["none", "1 head", "2 heads\nAdam"]
        .map(str::to_string)
        .to_vec();
    let page = drawn(&figure);
    let written = |words: &str| page.svg.matches(&format!("\n{words}\n")).count();
    let found = ["none", "1 head", "2 heads", "Adam"].map(written);
    assert_eq!(found, [0, 1, 1, 1]);
    assert_eq!(circles(&page), 2);
}

#[test]
fn an_automatic_range_goes_no_further_than_asked() {
    let values = [(0.5, 0.2), (0.6, 3.0), (0.7, 1e22), (0.8, f64::INFINITY)];
    let mut figure = unit_figure(vec![dots(&values)]);
    let y = &mut figure.panels[0].y;
    (y.scale, y.range, y.within) = (ScaleKind::Log, None, Some([0.01, 100.0]));
    let range = |figure: &Figure| {
        let axes = plots::draw::axes::resolve(figure).unwrap();
        let piece = axes[0].y.scale.pieces()[0];
        (piece.low, piece.high)
    };
    let (low, high) = range(&figure);
    assert!((0.1..0.2).contains(&low) && high == 100.0, "{low} {high}");
    let lost: Vec<usize> = lost_points(&figure)
        .unwrap()
        .iter()
        .map(|l| l.point)
        .collect();
    assert_eq!(lost, [2, 3]);
    // Data that need less have less.
    figure.panels[0].series[0].points.truncate(2);
    let (_, high) = range(&figure);
    assert!((3.0..4.0).contains(&high), "{high}");
}

#[test]
fn what_lies_beyond_shows_at_the_edge_when_asked() {
    let outside = [
        (-0.5, 0.5),
        (2.0, 0.2),
        (3.0, 7.0),
        (0.5, 9.0),
        (f64::NAN, 0.5),
    ];
    let mut series = dots(&outside);
    let drawing = |series: &Series| {
        let mut figure = unit_figure(vec![series.clone()]);
        figure.legend = None;
        drawn(&figure)
    };
    assert_eq!(inked_coordinates(&drawing(&series)), []);
    series.beyond = true;
    // Two heads of three corners: what is above the frame has none.
    let corners = inked_coordinates(&drawing(&series));
    assert_eq!(corners.len(), 6);
    assert!(
        corners[0].0 > corners[1].0 && corners[3].0 < corners[4].0,
        "{corners:?}"
    );
}

#[test]
fn legends_list_every_label_once() {
    let mut figure = unit_figure(vec![dots(&[]), curve(&[]), dots(&[]), Series::default()]);
    figure.panels.push(figure.panels[0].clone());
    figure.panels[1].series[0].label = "third".to_string();
    for columns in 0..5 {
        for position in [
            Position::Above,
            Position::Below,
            Position::Right,
            Position::TopLeft,
        ] {
            let legend = Legend {
                columns,
                position,
                ..Legend::default()
            };
            let key = LegendBox::new(&figure, &legend, font()).unwrap();
            assert_eq!(key.labels(), ["dots", "curve", "third"]);
            figure.legend = Some(legend);
            let page = drawn(&figure);
            for label in key.labels() {
                assert_eq!(
                    page.svg.matches(&format!("\n{label}\n")).count(),
                    1,
                    "{label}"
                );
            }
        }
    }
    let alone = Figure {
        legend: Some(Legend {
            entries: vec![dots(&[]), curve(&[])],
            ..Legend::default()
        }),
        ..Figure::default()
    };
    assert!(drawn(&alone).svg.contains("\ncurve\n"));
}

#[test]
fn shared_axes_write_their_labels_once() {
    let mut figure = unit_figure(vec![]);
    figure.panels.push(figure.panels[0].clone());
    figure.layout.share_y = true;
    let label = "\nerror on −θ₀\n";
    assert_eq!(drawn(&figure).svg.matches(label).count(), 1);
    figure.layout.share_y = false;
    assert_eq!(drawn(&figure).svg.matches(label).count(), 2);
    figure.layout = Layout {
        columns: 1,
        share_x: true,
        ..Layout::default()
    };
    assert_eq!(drawn(&figure).svg.matches("\nn\n").count(), 1);
}

#[test]
fn style_reads_from_yaml_and_typos_are_refused() {
    let text = "
height_pt: 120
layout: { columns: 1, heights: [2, 1], share_x: true }
panels:
  - title: θ₀
    x: { label: n, range: [0, 20], ticks: [0, 10, 20], tick_format: { fixed: 1 } }
    y: { scale: log, segments: [{ range: [0.08, 5], ratio: 2 }, { range: [45, 145] }] }
    series:
      - { label: a, color: '#4D96FF', line: { dash: dash_dot }, marker: { shape: square, fill: hollow }, error: bars }
    guides:
      - vertical: { at: 20, label: n = 20 }
      - point: { x: 20, y: 0.654, color: '#FF6B6B', label: w*(20), side: below_right }
legend: { columns: 3, position: above }
";
    let figure: Figure = serde_yaml::from_str(text).unwrap();
    assert_eq!(figure.width_pt, 234.0);
    assert_eq!(
        figure.panels[0].series[0].color.0,
        Color::new(0x4D, 0x96, 0xFF)
    );
    assert!(matches!(&figure.panels[0].guides[0], Guide::Vertical(line) if line.line.width == 0.7));
    drawn(&figure);
    let again: Figure = serde_json::from_str(&serde_json::to_string(&figure).unwrap()).unwrap();
    assert_eq!(again, figure);
    assert!(serde_yaml::from_str::<Figure>("widht_pt: 3").is_err());
    assert!(serde_yaml::from_str::<Figure>("panels: [{ series: [{ color: blue }] }]").is_err());
}

#[test]
fn what_cannot_be_drawn_is_named() {
    let mut figure = unit_figure(vec![]);
    figure.panels[0].y.range = Some([1.0, 0.0]);
    let error = draw(&figure, font()).unwrap_err().to_string();
    assert_eq!(
        error,
        "`panels[0].y` has the range [1, 0], which is not low to high"
    );
    figure = Figure {
        height_pt: 20.0,
        ..unit_figure(vec![])
    };
    assert!(
        draw(&figure, font())
            .unwrap_err()
            .to_string()
            .contains("no room")
    );
    assert!(Font::from_bytes(b"no font").is_err());
    assert!(png(&drawn(&unit_figure(vec![])), font(), f64::NAN).is_err());
}

fn small_table() -> Table {
    let column = |header: &str, align| Column {
        header: header.to_string(),
        align,
    };
    let group = |header: &str, span| Group {
        header: header.to_string(),
        span,
    };
    let row = |cells: [&str; 3]| cells.map(str::to_string).to_vec();
    Table {
        columns: vec![
            column("model", Align::Left),
            column("θ₀", Align::Decimal),
            column("−θ₀", Align::Decimal),
        ],
        groups: vec![group("", 1), group("test error", 2)],
        rows: vec![
            row(["ZS (V) & co", "0.3402(12)", "−12.5"]),
            row(["ZS", "n/a", "4"]),
        ],
        rules_above: vec![1],
        notes: vec!["100 % of seeds".to_string()],
    }
}

#[test]
fn tables_align_and_escape() {
    let expected = "% \\usepackage{array,booktabs,longtable,siunitx}
\\begin{tabular}{lS[table-format=1.4(2)]S[table-format=-2.1]}
\\toprule
\\multicolumn{1}{c}{} & \\multicolumn{2}{c}{test error} \\\\
\\cmidrule(lr){2-3}
model & {$\\theta _{0}$} & {$-\\theta _{0}$} \\\\
\\midrule
ZS (V) \\& co & 0.3402(12) & -12.5 \\\\
\\midrule
ZS & {n/a} & 4 \\\\
\\bottomrule
\\end{tabular}
\\par\\smallskip{\\footnotesize 100 \\% of seeds\\par}
\\par\\smallskip{\\footnotesize In parentheses: one standard error, in units of the last digits.\\par}
";
    assert_eq!(latex(&small_table()).unwrap(), expected);
    let mut ragged = small_table();
    ragged.rows[1].pop();
    let error = latex(&ragged).unwrap_err().to_string();
    assert_eq!(error, "the table has 2 cells in row 2, not 3");
    let mut groups = small_table();
    groups.groups.pop();
    assert!(latex(&groups).is_err());
}

#[test]
fn a_wide_table_is_wrapped_or_cut_and_a_long_one_breaks_over_pages() {
    let mut words = small_table();
    words.rows[0][0] = "a word after another ".repeat(10).trim().to_owned();
    let text = latex(&words).unwrap();
    assert!(text.contains("\\raggedright\\arraybackslash}p{") && text.contains("\\footnotesize"));
    assert!(text.contains("\\begin{tabular}"));

    // Three groups of six numbers: no line holds them beside the names.
    let mut wide = small_table();
    let number = wide.columns[1].clone();
    wide.columns = vec![wide.columns[0].clone()];
    wide.columns.extend(vec![number; 18]);
    let span = |header: &str, span| Group {
        header: header.to_string(),
        span,
    };
    wide.groups = vec![span("", 1), span("a", 6), span("b", 6), span("c", 6)];
    wide.rows = vec![
        ["ZS".to_owned()]
            .into_iter()
            .chain(vec!["0.3402(12)".to_owned(); 18])
            .collect(),
    ];
    let text = latex(&wide).unwrap();
    assert_eq!(text.matches("\\begin{longtable}{l").count(), 3);
    assert_eq!(text.matches("0.3402(12)").count(), 18);
    for header in ["{a}", "{b}", "{c}"] {
        assert_eq!(
            text.matches(&format!("\\multicolumn{{6}}{{c}}{header}"))
                .count(),
            1
        );
    }

    let mut long = small_table();
    long.rows = vec![long.rows[0].clone(); 41];
    let text = latex(&long).unwrap();
    assert!(text.contains("\\begin{longtable}") && text.contains("\\endhead"));
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..10.0f64,
        1 => proptest::num::f64::ANY,
        1 => prop::sample::select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, 1e300, f64::MAX, 5e-324]),
    ]
}

fn any_axis() -> impl Strategy<Value = Axis> {
    let range = prop::option::of([any_value(), any_value()]);
    let ticks = prop::option::of(prop::collection::vec(any_value(), 0..4));
    let segments = prop::collection::vec([any_value(), any_value()], 0..3);
    let within = prop::option::of([any_value(), any_value()]);
    (any::<bool>(), range, ticks, segments, any::<bool>(), within).prop_map(
        |(log, range, ticks, segments, broken, within)| Axis {
            label: "axis".to_string(),
            scale: if log {
                ScaleKind::Log
            } else {
                ScaleKind::Linear
            },
            range: range.map(|[a, b]| [a.min(b), a.max(b)]),
            ticks,
            within,
            names: vec!["one\ntwo".to_string(), String::new()],
            segments: match broken {
                true => segments
                    .into_iter()
                    .map(|range| Segment { range, ratio: 1.0 })
                    .collect(),
                false => Vec::new(),
            },
            grid: true,
            ..Axis::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_data_makes_it_panic(
        x in any_axis(),
        y in any_axis(),
        values in prop::collection::vec((any_value(), any_value(), any_value()), 0..12),
        size in any_value(),
        every in 0usize..4,
    ) {
        let point = |&(x, y, error): &(f64, f64, f64)| Point { x, y, error: Some(error) };
        let mut series = curve(&[]);
        series.points = values.iter().map(point).collect();
        series.line = Some(Line { width: size, dash: Dash::DashDot });
        series.marker = Some(Marker { size, fill: Fill::Hollow, shape: Shape::Diamond });
        series.every = every;
        series.beyond = true;
        let mut bars = series.clone();
        series.error = ErrorStyle::Band;
        bars.error = ErrorStyle::Bars;
        let mut figure = unit_figure(vec![series, bars]);
        figure.panels[0].x = x;
        figure.panels[0].y = y;
        let lost = lost_points(&figure);
        match draw(&figure, font()) {
            Ok(drawing) => { prop_assert!(lost.is_ok() && svg(&drawing, font()).is_ok()); }
            Err(error) => { prop_assert!(!error.to_string().is_empty()); }
        }
    }
}
