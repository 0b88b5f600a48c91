//! What a figure names must be there: values, columns, tables, panels, ticks, entries of the legend.
//! A curve without rows is an error unless it may be missing; rows without a curve are a warning.

use crate::mended::sketch::{FIGURE, edited, empty, figure, figure_of, refused, table};

#[test]
fn a_sound_figure_says_nothing() {
    let made = figure(&[]).expect("it is sound");
    assert_eq!((made.warnings, made.log), (vec![], String::new()));
    let svg = String::from_utf8(made.files["svg"].clone()).expect("UTF-8");
    assert!(!svg.contains("<desc"), "warnings would change its bytes");
}

/// The edit that breaks the figure, words of the message, words of the hint.
type Broken = (
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

#[test]
fn a_name_that_is_not_there_is_answered_with_the_nearest() {
    let broken: [Broken; 20] = [
        (
            &[
                ("both, both_v]", "both, both_V]"),
                ("  both_v: {label", "  both_V: {label"),
            ],
            "panels.0.series.0.values.2: table `t` has no `both_V` in column `model` where task = theta0",
            "`both_v`",
        ),
        (
            &[("both, both_v]", "both, both]")],
            "panels.0.series.0.values.2: `both` stands twice",
            "",
        ),
        (
            &[("{task: theta0}", "{task: theta}")],
            "panels.0.series.0.from.where.task: table `t` has no `theta` in column `task`",
            "`theta0`",
        ),
        (
            &[("{task: theta0}", "{tsk: theta0}")],
            "panels.0.series.0.from.where.tsk: table `t` has no column `tsk`",
            "`task`",
        ),
        (
            &[("{table: t, where: {task", "{table: tt, where: {task")],
            "panels.0.series.0.from.table: there is no input table `tt`",
            "t",
        ),
        (
            &[("x: n, y: error, std", "x: m, y: error, std")],
            "panels.0.series.0.from.x: table `t` has no column `m`",
            "n",
        ),
        (
            &[(
                "y: error, std_error: std_error",
                "y: eror, std_error: std_error",
            )],
            "panels.0.series.0.from.y: table `t` has no column `eror`",
            "`error`",
        ),
        (
            &[("std_error: std_error", "std_error: std_eror")],
            "panels.0.series.0.from.std_error: table `t` has no column `std_eror`",
            "`std_error`",
        ),
        (
            &[("y: error, std_error", "y: task, std_error")],
            "column `task` of table `t` holds text, not numbers",
            "",
        ),
        (
            &[("each: model", "each: modle")],
            "panels.0.series.0.each: table `t` has no column `modle`",
            "`model`",
        ),
        (
            &[("n: 2}", "n: 20}")],
            "panels.0.callouts.0.from.where.n: table `t` has no `20` in column `n`",
            "nearest value is 3",
        ),
        (
            &[("{model: zs, task", "{model: sz, task")],
            "panels.0.callouts.0.from.where.model: table `t` has no `sz`",
            "zs",
        ),
        (
            &[("each: model", "left_out: [pretrained]\n        each: model")],
            "panels.0.series.0.left_out.0: table `t` has no `pretrained`",
            "zs",
        ),
        (
            &[(
                "legend: {panel: 0}",
                "legend: {entries: [{look: {label: a, color: \"#112234\"}}]}",
            )],
            "legend.entries.0: nothing in the figure has the colour #112234 of `a`",
            "`#112233`",
        ),
        (
            &[("legend: {panel: 0}", "legend: {panel: 1}")],
            "legend.panel: there is no panel 1",
            "",
        ),
        (
            &[(
                "ticks: [0, 1, 2, 3]",
                "ticks: [0, 1, 2, 3], names: [a, b, c]",
            )],
            "panels.0.x.names: there are 3 names for 4 ticks",
            "",
        ),
        (
            &[(
                "layout: {columns: 1}",
                "layout: {columns: 1, heights: [1, 2]}",
            )],
            "layout.heights: there are 2 numbers for 1 rows",
            "",
        ),
        (
            &[("label: \"{x}\"", "label: \"{z}\"")],
            "panels.0.callouts.0.label: `{z}` has braces",
            "",
        ),
        (
            &[
                (
                    "    guides:",
                    "    rows: {table: t, key: model, lines: [tsak]}\n    guides:",
                ),
                ("        error: {bars: 1}\n", ""),
            ],
            "panels.0.rows.lines.0: table `t` has no column `tsak`",
            "`task`",
        ),
        (
            &[
                (
                    "    guides:",
                    "    rows: {table: t, key: model, named: [{row: zss, name: ZS}]}\n    guides:",
                ),
                ("        error: {bars: 1}\n", ""),
            ],
            "panels.0.rows.named.0.row: table `t` has no `zss` in column `model`",
            "`zs`",
        ),
    ];
    for (edits, message, hint) in broken {
        let (found, suggested, error) = refused(figure(edits));
        assert!(found.contains(message), "{edits:?}: {found}");
        assert!(suggested.contains(hint), "{edits:?}: {suggested}");
        assert!(error.place.is_some(), "{edits:?}: nobody knows where");
    }
}

#[test]
fn the_error_stands_where_the_name_stands() {
    let wrong = edited(&[
        ("  both_v: {label", "  both_V: {label"),
        ("both, both_v]", "both, both_V]"),
    ]);
    let line = wrong.lines().position(|line| line.contains("both_V]"));
    let line = line.expect("the edit") + 1;
    let column = wrong
        .lines()
        .nth(line - 1)
        .and_then(|text| text.find("both_V]"));
    let column = column.expect("the edit") + 1;
    let (.., error) = refused(figure_of(&wrong, table()));
    let place = error.place.expect("a place").to_string();
    assert_eq!(place, format!("pipeline.yaml:{line}:{column}"));
    // A default has no place of its own: the series stands for it.
    let (.., error) = refused(figure(&[(
        "each: model",
        "left_out: [x]\n        each: model",
    )]));
    assert!(error.place.expect("a place").line_column.is_some());
}

#[test]
fn params_that_could_select_nothing_are_refused_before_anything_runs() {
    for (edits, message) in [
        (
            &[("        each: model\n", "")][..],
            "panels.0.series.0.values: they are those of `each`, or of a `*`",
        ),
        (
            &[("each: model", "across: 0.5\n        each: model")],
            "panels.0.series.0.across: it has no effect in a panel without `rows`",
        ),
        (
            &[
                (
                    "    guides:",
                    "    rows: {table: t, key: model, lines: [model]}\n    guides:",
                ),
                ("{bars: 1}", "{band: 1}"),
            ],
            "panels.0.series.0.error: it has no effect in a panel with `rows`",
        ),
        (
            &[(
                "    guides:",
                "    rows: {table: t, key: model}\n    guides:",
            )],
            "panels.0.rows: nothing names the rows: write `lines` or `named`",
        ),
        (
            &[(
                "    guides:",
                "    rows: {table: t, key: model, lines: [model], named: [{row: zs, name: ZS}]}\n    guides:",
            )],
            "panels.0.rows.named: `lines` name the rows too",
        ),
        (
            &[(
                "    guides:",
                "    rows: {table: t, key: model, named: [{row: zs, name: a}, {row: zs, name: b}]}\n    guides:",
            )],
            "panels.0.rows.named.1: the row `zs` stands there already",
        ),
        (
            &[("each: model", "look: bth\n        each: model")],
            "panels.0.series.0.look: `looks` has no `bth`; did you mean `both`?",
        ),
        (
            &[("std_error: std_error", "std_error: null")],
            "panels.0.series.0.error: there is nothing to draw without",
        ),
    ] {
        let (found, ..) = refused(figure(edits));
        assert!(found.contains(message), "{edits:?}: {found}");
    }
    let one = "panels:\n  - x: {}\n    y: {}\n    series: [{from: {table: t, x: n, y: error}, ";
    let sizes = "width_pt: 200\nheight_pt: 150\nfont_pt: 8\ndpi: 30\n";
    for (series, message) in [
        (
            "look: {label: \"w = {}\"}}]",
            "panels.0.series.0.look: `{}` stands for the value of `each`",
        ),
        (
            "left_out: [zs], each: model}]",
            "panels.0.series.0.left_out: without `values` no value is left out",
        ),
    ] {
        let (found, ..) = refused(figure_of(&format!("{sizes}{one}{series}"), table()));
        assert!(found.contains(message), "{series}: {found}");
    }
}

#[test]
fn panels_that_share_an_axis_agree_on_it() {
    let two = |layout: &str, second: &str| {
        let panel = FIGURE.split("panels:\n").nth(1).expect("a panel");
        let panel = format!(
            "{panel}{}",
            panel.replacen("y: {label: error, range: [0, 1]}", second, 1)
        );
        FIGURE
            .replace("{columns: 1}", layout)
            .split("panels:\n")
            .next()
            .expect("a head")
            .to_owned()
            + "panels:\n"
            + &panel
    };
    let shared = "{columns: 2, share_y: true}";
    for (second, what) in [
        (
            "y: {range: [0, 2]}",
            "panels.1.y: it has another range than panels.0.y",
        ),
        (
            "y: {scale: log}",
            "panels.1.y: it has another scale than panels.0.y",
        ),
        (
            "y: {segments: [{range: [0, 0.1]}, {range: [0.2, 1]}]}",
            "another range",
        ),
    ] {
        let (found, ..) = refused(figure_of(&two(shared, second), table()));
        assert!(found.contains(what), "{second}: {found}");
    }
    for (layout, second) in [
        (shared, "y: {}"),
        (shared, "y: {range: [0, 1]}"),
        ("{columns: 2}", "y: {range: [0, 2]}"),
    ] {
        figure_of(&two(layout, second), table()).expect(second);
    }
}

#[test]
fn a_curve_without_rows_is_an_error_unless_it_may_be_missing() {
    let whole = ("each: model", "may_be_empty: true\n        each: model");
    let no_mark = (
        "    callouts:\n      - {from: {table: t, where: {model: zs, task: theta0, n: 2}, x: n, y: error}, label: \"{x}\", decimals: 2, look: {color: \"#FF0000\", shape: star}, mark: {marker: 7}}\n",
        "",
    );
    // A value that no row has, values that no row has at once, a table without rows, a missing look.
    let absent = ("{task: theta0}", "{task: theta1}");
    let at_once = ("{task: theta0}", "{model: zs, label: \"1.0\"}");
    for (edit, message) in [
        (absent, "has no `theta1`"),
        (
            at_once,
            "no row of table `t` has label = 1.0 and model = zs at once",
        ),
    ] {
        let (found, ..) = refused(figure(&[edit]));
        assert!(found.contains(message), "{found}");
        let made = figure(&[edit, whole]).expect("it may be empty");
        assert!(
            made.log.contains("no rows, as there may be none"),
            "{}",
            made.log
        );
    }
    let (found, hint, _) = refused(figure_of(&edited(&[no_mark]), empty()));
    assert!(
        found.contains("panels.0.series.0.from: table `t` has no rows"),
        "{found}"
    );
    assert!(hint.contains("may_be_empty: true"), "{hint}");
    let made = figure_of(&edited(&[no_mark, whole]), empty()).expect("it may be empty");
    assert!(
        made.log.contains("no rows, as there may be none"),
        "{}",
        made.log
    );

    let known = ("  both_v: {label", "  both_x: {label");
    let one = ("both, both_v]", "both, both_x]");
    let left = ("each: model", "left_out: [both_v]\n        each: model");
    let made = figure(&[known, one, left, whole]).expect("it may be missing");
    assert!(
        made.log
            .contains("values.2: no rows with `both_x`, as there may be none"),
        "{}",
        made.log
    );
    let (found, ..) = refused(figure(&[known, one, left]));
    assert!(found.contains("has no `both_x`"), "{found}");
    // A callout is never missing.
    let (found, ..) = refused(figure(&[("n: 2}", "n: 9}"), whole]));
    assert!(found.contains("panels.0.callouts.0"), "{found}");
}

#[test]
fn rows_that_no_curve_shows_are_a_warning() {
    let gone = ("both, both_v]", "both]");
    let made = figure(&[gone]).expect("it runs");
    let [warning] = &made.warnings[..] else {
        panic!("one warning: {:?}", made.warnings);
    };
    assert!(
        warning.starts_with("panels.0.series.0: no curve shows the rows of table `t` with model = `both_v` where task = theta0"),
        "{warning}"
    );
    assert!(made.log.contains(&format!("warning: {warning}")));
    assert!(
        made.text("svg")
            .contains("<desc class=\"warning\">panels.0.series.0: no curve")
    );

    let silent = [
        // Said to be left out.
        vec![
            gone,
            ("each: model", "left_out: [both_v]\n        each: model"),
        ],
        // Shown by another entry.
        vec![
            gone,
            (
                "        mark: {line: 1.2}\n",
                "        mark: {line: 1.2}\n      - {from: {table: t, where: {model: both_v, task: theta0}, x: n, y: error}, mark: {line: 1}}\n",
            ),
        ],
        // Never among the rows that are split.
        vec![
            gone,
            (
                "where: {task: theta0}, x",
                "where: {task: theta0, flag: 1}, x",
            ),
            ("zs, both]", "zs]"),
        ],
        // Split by nothing, or all shown.
        vec![(
            "        each: model\n        values: [zs, both, both_v]\n",
            "        each: model\n        look: {label: \"{}\"}\n",
        )],
    ];
    for edits in silent {
        let made = figure(&edits).expect("it runs");
        assert_eq!(made.warnings, Vec::<String>::new(), "{edits:?}");
    }
}

#[test]
fn a_table_that_nothing_is_drawn_of_is_a_warning() {
    use crate::mended::sketch::{font, run};
    let bytes = table().to_parquet().expect("bytes");
    let given = vec![
        ("font".to_owned(), String::new(), font()),
        ("tables".to_owned(), "t".to_owned(), bytes.clone()),
        ("tables".to_owned(), "u".to_owned(), bytes),
    ];
    let made = run("figure", FIGURE, &given).expect("it runs");
    assert_eq!(made.warnings, ["nothing is drawn of the input table `u`"]);
}

/// Numbers on x, the models in rows of an order and names of their own, each with a bar along x.
const ON_ROWS: &[(&str, &str)] = &[
    (
        "x: {label: n, range: [-0.5, 3.5], ticks: [0, 1, 2, 3]}",
        "x: {label: error, range: [0, 1]}",
    ),
    ("y: {label: error, range: [0, 1]}", "y: {}"),
    (
        "    guides: [{horizontal: {at: 0.5}}]\n",
        "    rows: {table: t, key: model, named: [{row: both_v, name: third}, {row: zs, name: first}, {row: both, name: second}]}\n",
    ),
    (
        "task: theta0}, x: n, y: error, std_error",
        "task: theta0, n: 2}, x: error, y: model, std_error",
    ),
    ("mark: {line: 1.2}", "mark: {marker: 3}"),
    (
        "both: {label: both, dash: dotted}",
        "both: {label: both, dash: dotted, shape: star}",
    ),
    ("zs: {label: ZS,", "zs: {label: ZS, shape: square,"),
    (
        "both_v: {label: value,",
        "both_v: {label: value, shape: circle,",
    ),
];

fn on_rows(edits: &[(&str, &str)]) -> crate::mended::sketch::Made {
    let text = edited(&[ON_ROWS, edits].concat());
    let start = text.find("    callouts:").expect("callouts");
    let end = text.find("    series:").expect("series");
    let text = format!("{}{}", &text[..start], &text[end..]);
    figure_of(&text, table()).unwrap_or_else(|e| panic!("{}", e.message))
}

#[test]
fn rows_have_the_order_and_the_names_that_are_listed_and_bars_along_x() {
    let made = on_rows(&[]);
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    let svg = made.text("svg");
    // Each stroke of the colour of `zs` by its extent in x and y.
    let spans = |svg: &str| -> Vec<(f64, f64)> {
        let strokes = svg.split("<path ").skip(1);
        let colored = strokes.filter(|stroke| stroke.contains("stroke=\"#112233\""));
        let extents = colored.filter_map(|stroke| {
            let path = stroke.split(" d=\"M ").nth(1)?.split('"').next()?;
            let numbers = path
                .split([' ', 'L'])
                .filter_map(|word| word.parse::<f64>().ok());
            match numbers.collect::<Vec<f64>>()[..] {
                [x, y, to_x, to_y] => Some(((to_x - x).abs(), (to_y - y).abs())),
                _ => None,
            }
        });
        extents.collect()
    };
    let widest = |svg: &str| spans(svg).iter().map(|span| span.0).fold(0.0, f64::max);
    let twice = on_rows(&[("{bars: 1}", "{bars: 2}")]).text("svg");
    let (one, two) = (widest(&svg), widest(&twice));
    assert!(one > 20.0 && (two / one - 2.0).abs() < 0.05, "{one} {two}");
    // A bar and its two ends: what is upright is short.
    let upright = spans(&svg).iter().map(|span| span.1).fold(0.0, f64::max);
    assert!(upright > 0.0 && upright < 60.0, "{upright}");
    // Names are drawn: others give another picture.
    assert_ne!(svg, on_rows(&[("name: third", "name: last")]).text("svg"));
}

#[test]
fn one_look_for_all_values_keeps_their_places() {
    // A ring around each marker: all of one look, each where the marker is.
    let ring = "    series:\n      - from: {table: t, where: {task: theta0, n: 2}, x: error, y: model}\n        each: label\n        values: [\"1\", \"1.0\", \"01\"]\n        look: {label: ring, color: \"#858585\", shape: circle, fill: hollow}\n        mark: {marker: 6}\n        dodge: 0.8\n";
    let made = on_rows(&[("    series:\n", ring)]);
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    let data = made.text("data");
    let rings: Vec<&str> = data
        .lines()
        .filter(|line| line.contains(",ring,"))
        .collect();
    assert_eq!(rings.len(), 3, "{data}");
    assert!(
        rings
            .iter()
            .all(|line| line.contains("#858585") && line.contains("hollow"))
    );
    // Among other values the same ones stand elsewhere in their rows.
    let fewer = ring
        .replace("\"1\", ", "")
        .replace("dodge", "left_out: [\"1\"]\n        dodge");
    let fewer = on_rows(&[("    series:\n", &fewer)]);
    assert_ne!(made.files["svg"], fewer.files["svg"]);
}
