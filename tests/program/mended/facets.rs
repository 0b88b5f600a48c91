//! Facets, tables by a pattern, looks by name, and what a legend says of error bars.

use crate::mended::sketch::{FIGURE, Made, edited, figure, figure_of, font, refused, run, table};

const SERIES: &str = "where: {task: theta0}, x: n, y: error, std";
const VALUES: &str = "        values: [zs, both, both_v]\n";

/// The lines of the data with one panel's number.
fn of_panel(made: &Made, panel: usize) -> Vec<String> {
    let text = made.text("data");
    let start = format!("{panel},");
    let lines = text.lines().skip(1).filter(|line| line.starts_with(&start));
    lines.map(|line| line[start.len()..].to_owned()).collect()
}

/// The figure once for each of these facets.
fn faceted(facets: &str, edits: &[(&str, &str)]) -> String {
    let mut all = vec![("  - x: {label: n", "  - FACETS\n    x: {label: n")];
    all.push((SERIES, "x: n, y: error, std"));
    all.push(("{model: zs, task: theta0, n: 2}", "{model: zs, n: 2}"));
    all.extend(edits);
    edited(&all).replace("FACETS", &format!("facets: {facets}"))
}

#[test]
fn a_panel_is_drawn_for_each_facet() {
    let two = "[{title: one, where: {task: theta0}}, {title: two, where: {task: -theta0}, y: {range: [0, 2]}}]";
    let made = figure_of(&faceted(two, &[]), table()).expect("two panels");
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    let (one, two) = (of_panel(&made, 0), of_panel(&made, 1));
    // Twelve points of curves, and a marked one.
    assert_eq!((one.len(), two.len()), (13, 13));
    assert!(one.iter().all(|line| line.starts_with("one,")));
    assert!(two.iter().all(|line| line.starts_with("two,")));
    // The first is the figure that is written out.
    let written = figure(&[("  - x:", "  - title: one\n    x:")]).expect("one panel");
    assert_eq!(of_panel(&written, 0), one);
}

#[test]
fn a_facet_may_name_the_table() {
    let bytes = table().to_parquet().expect("bytes");
    let given = vec![
        ("font".to_owned(), String::new(), font()),
        ("tables".to_owned(), "a".to_owned(), bytes.clone()),
        ("tables".to_owned(), "b".to_owned(), bytes),
    ];
    let text = faceted(
        "[{table: a, where: {task: theta0}}, {table: b, where: {task: theta0}}]",
        &[
            ("from: {table: t, x", "from: {x"),
            ("from: {table: t, where", "from: {where"),
        ],
    );
    let made = run("figure", &text, &given).expect("two panels");
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    // Curves are counted through the figure, the marked point of a panel with them.
    let renamed = of_panel(&made, 1).into_iter();
    let renamed = renamed.map(|line| {
        [("4,", "0,"), ("5,", "1,"), ("6,", "2,"), ("7,", "3,")]
            .iter()
            .fold(line, |line, (old, new)| {
                line.replace(&format!("\"\",{old}"), &format!("\"\",{new}"))
            })
    });
    assert_eq!(of_panel(&made, 0), renamed.collect::<Vec<_>>());
    let wrong = text.replace("{table: b,", "{table: bb,");
    let (found, _, error) = refused(run("figure", &wrong, &given));
    assert!(
        found.contains("panels.0.facets.1.table: there is no input table `bb`"),
        "{found}"
    );
    let line = wrong
        .lines()
        .position(|line| line.contains("table: bb"))
        .expect("it")
        + 1;
    assert!(
        error
            .place
            .expect("a place")
            .to_string()
            .starts_with(&format!("pipeline.yaml:{line}:"))
    );
}

#[test]
fn what_a_facet_says_wrongly_is_told_at_the_facet() {
    let where_one = "[{where: {task: theta0}}]";
    for (facets, edits, message, hint) in [
        (
            "[{where: {task: theta1}}]",
            &[][..],
            "panels.0.facets.0.where.task: table `t` has no `theta1` in column `task`",
            "theta0",
        ),
        (
            "[{where: {tsk: theta0}}]",
            &[],
            "panels.0.facets.0.where.tsk: table `t` has no column `tsk`",
            "task",
        ),
        (
            "[{where: {flag: few}}]",
            &[],
            "panels.0.facets.0.where.flag: column `flag` of table `t` holds whole numbers, and `few` is none",
            "",
        ),
        (
            "[{where: {model: zs}, title: a}]",
            &[],
            "panels.0.callouts.0.from.where.model: panels.0.facets.0 chooses from `model` too",
            "",
        ),
        (
            "[{table: t, where: {task: theta0}}]",
            &[],
            "from.table: panels.0.facets.0 has a table too",
            "",
        ),
        (
            where_one,
            &[("from: {table: t, x", "from: {x")],
            "panels.0.series.0.from: there is no `table`",
            "",
        ),
        ("[{titel: a}]", &[], "unknown key `titel`", "title"),
    ] {
        let (found, suggested, error) = refused(figure_of(&faceted(facets, edits), table()));
        assert!(found.contains(message), "{facets}: {found}");
        assert!(suggested.contains(hint), "{facets}: {suggested}");
        assert!(error.place.is_some(), "{facets}");
    }
    // Facets that share an axis agree on it, as panels do.
    let two = "[{where: {task: theta0}}, {where: {task: -theta0}, y: {range: [0, 2]}}]";
    let text = faceted(
        two,
        &[(
            "layout: {columns: 1}",
            "layout: {columns: 2, share_y: true}",
        )],
    );
    let (found, ..) = refused(figure_of(&text, table()));
    assert!(
        found.contains("panels.1.y: it has another range than panels.0.y"),
        "{found}"
    );
    // A warning says which facet it is about.
    let cut = "[{where: {task: theta0}}, {where: {task: -theta0}, y: {range: [2, 3]}}]";
    let made = figure_of(&faceted(cut, &[]), table()).expect("it runs");
    let about = "panels.0.series.0 (facets.1): none of the 12 points";
    assert!(
        made.warnings.iter().any(|w| w.starts_with(about)),
        "{:?}",
        made.warnings
    );
    let many = format!("[{}]", vec!["{}"; 101].join(", "));
    let (found, ..) = refused(figure_of(&faceted(&many, &[]), table()));
    assert!(
        found.contains("panels: there are 101, facets counted"),
        "{found}"
    );
}

/// Tables `run@zs` and `run@both`, and a figure of them.
fn by_pattern(edits: &[(&str, &str)]) -> retrace::base::error::Result<Made> {
    let bytes = table().to_parquet().expect("bytes");
    let tables =
        ["run@zs", "run@both"].map(|label| ("tables".to_owned(), label.to_owned(), bytes.clone()));
    let mut given = vec![("font".to_owned(), String::new(), font())];
    given.extend(tables);
    let mut all = vec![
        (
            "from: {table: t, where: {task: theta0}, x",
            "from: {table: \"run@*\", where: {task: theta0, model: zs}, x",
        ),
        ("        each: model\n", ""),
        (VALUES, "        values: [both, zs]\n"),
        ("{table: t, where: {model", "{table: run@zs, where: {model"),
    ];
    all.extend(edits);
    run("figure", &edited(&all), &given)
}

#[test]
fn a_star_in_a_table_gives_a_curve_for_each_table() {
    let made = by_pattern(&[]).expect("two curves");
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    let keys: Vec<String> = of_panel(&made, 0)
        .iter()
        .map(|line| line.split(',').nth(3).expect("a key").to_owned())
        .collect();
    // The marked point has no key.
    assert_eq!(keys[..8], [["both"; 4], ["zs"; 4]].concat());
    assert_eq!(keys[8..], ["\"\""]);
    let values = "values: [both, zs]";
    for (edits, message, hint) in [
        (
            &[("run@*", "ran@*")][..],
            "panels.0.series.0.from.table: no input table is like `ran@*`",
            "run@",
        ),
        (
            &[(values, "values: [both, both_v]")],
            "panels.0.series.0.values.1: there is no input table `run@both_v`",
            "both",
        ),
        (&[("run@*", "r*n@*")], "one `*` at most", ""),
        (
            &[(values, "each: model\n        values: [both, zs]")],
            "panels.0.series.0.each: `*` in `from.table` tells the curves apart already",
            "",
        ),
        (
            &[(values, "values: [both]\n        left_out: [zz]")],
            "panels.0.series.0.left_out.0: there is no input table `run@zz`",
            "zs",
        ),
    ] {
        let (found, suggested, _) = refused(by_pattern(edits));
        assert!(found.contains(message), "{edits:?}: {found}");
        assert!(suggested.contains(hint), "{edits:?}: {suggested}");
    }
    // A table of which nothing is drawn is told of, unless it is left out on purpose.
    let callout = (
        "{table: run@zs, where: {model",
        "{table: run@both, where: {model",
    );
    let made = by_pattern(&[(values, "values: [both]"), callout]).expect("one curve");
    assert_eq!(
        made.warnings,
        ["nothing is drawn of the input table `run@zs`"]
    );
    let left = [(values, "values: [both]\n        left_out: [zs]"), callout];
    assert!(by_pattern(&left).expect("one curve").warnings.is_empty());
}

#[test]
fn a_look_is_named_or_written_and_never_both() {
    let one = ("        each: model\n", "");
    let look = |look: &str| format!("        look: {look}\n");
    let named = figure(&[one, (VALUES, &look("both_v"))]).expect("a look of the scale");
    assert!(named.text("data").contains(",value,") && named.text("data").contains("#445566"));
    let own =
        figure(&[one, (VALUES, &look("{label: mine, color: \"#010203\"}"))]).expect("its own");
    assert!(own.text("data").contains(",mine,") && own.text("data").contains("#010203"));
    for (edits, message) in [
        (
            &[one, (VALUES, "        look: both_w\n")][..],
            "panels.0.series.0.look: `looks` has no `both_w`; did you mean `both_v`?",
        ),
        (
            &[("zs, both, both_v]", "zs, both, both_w]")],
            "panels.0.series.0.values.2: `looks` has no `both_w`; did you mean `both_v`?",
        ),
        (
            &[
                one,
                (VALUES, "        look: {color: {viridis: [0, 0.5]}}\n"),
            ],
            "panels.0.series.0.look.color: a colour map is for the curves of `each`",
        ),
        (
            &[("mark: {line: 1.2}", "mark: {line: 1.2, marker: 3}")],
            "panels.0.series.0.mark.marker: no look here has a `shape`",
        ),
        (
            &[("dash: dotted", "color: \"#445566\"")],
            "looks.both_v: it looks like `both`",
        ),
        (
            &[("dash: dotted", "color: {viridis: [0, 1]}")],
            "looks.both.color: a colour map is for curves of `each`",
        ),
        (
            &[("color: \"#445566\"", "color: {viridis: [0, 1.5]}")],
            "1.5 is not a number from 0 to 1",
        ),
        (
            &[("color: \"#445566\"", "color: {plasma: [0, 1]}")],
            "unknown key `plasma`",
        ),
        (
            &[("color: \"#445566\"", "color: [0, 1]")],
            "a colour such as \"#1A6FF0\", or {viridis: [FROM, TO]}",
        ),
        (
            &[("color: \"#445566\"", "color: blue")],
            "`blue` is not a colour",
        ),
        (
            &[("shape: star}", "fill: hollow}")],
            "panels.0.callouts.0: a marker needs a `shape`",
        ),
        (
            &[("at: 0.5}", "at: 0.5, color: {viridis: [0, 1]}}")],
            "panels.0.guides.0.color: a colour map is for lines at several places",
        ),
        (
            &[("at: 0.5}", "at: []}")],
            "panels.0.guides.0.at: it has no place",
        ),
        (
            &[("at: 0.5}", "at: half}")],
            "a number or a list of numbers",
        ),
        (
            &[(
                "mark: {line: 1.2}",
                "mark: {line: 1.2}\n        means_of: 2\n        medians_of: 2",
            )],
            "panels.0.series.0.medians_of: there are `means_of` too",
        ),
        (
            &[("legend: {panel: 0}", "legend: {entries: [{values: [zz]}]}")],
            "legend.entries.0.values.0: `looks` has no `zz`",
        ),
        (
            &[(
                "legend: {panel: 0}",
                "legend: {entries: [{mark: {line: 1}}]}",
            )],
            "legend.entries.0: it lists nothing",
        ),
    ] {
        let (found, ..) = refused(figure(edits));
        assert!(found.contains(message), "{edits:?}: {found}");
    }
}

#[test]
fn guides_at_several_places_are_several_guides() {
    let lines = (
        "horizontal: {at: 0.5}",
        "horizontal: {at: [0.25, 0.5], color: {viridis: [0, 0.5]}}",
    );
    let svg = figure(&[lines]).expect("it runs").text("svg");
    for share in [0.0, 0.5] {
        let color = plots::color::Color::viridis(share).to_string();
        assert!(svg.to_uppercase().contains(&color), "{color}");
    }
    let beyond = ("horizontal: {at: 0.5}", "horizontal: {at: [0.5, 7]}");
    let made = figure(&[beyond]).expect("it runs");
    assert!(made.warnings[0].starts_with("panels.0.guides.0: 7 has no place on the y axis"));
}

/// The figure's data, one column.
fn column(made: &Made, name: &str) -> Vec<String> {
    let text = made.text("data");
    let header: Vec<&str> = text.lines().next().expect("a header").split(',').collect();
    let at = header.iter().position(|known| *known == name).expect(name);
    let cells = text.lines().skip(1);
    cells
        .map(|line| line.split(',').nth(at).expect(name).to_owned())
        .collect()
}

#[test]
fn bars_say_how_many_standard_errors_they_are() {
    let svg = |edits: &[(&str, &str)]| figure(edits).expect("it runs").files["svg"].clone();
    let two = ("error: {bars: 1}", "error: {bars: 2}");
    let made = figure(&[two]).expect("it runs");
    // The last is the marked point, which has no bar.
    let reaches = column(&made, "std_errors");
    let (marked, of_curves) = reaches.split_last().expect("cells");
    assert!(marked.is_empty() && of_curves.iter().all(|cell| cell == "2.0"));
    let none = figure(&[("        error: {bars: 1}\n", "")]).expect("it runs");
    assert!(column(&none, "std_errors").iter().all(String::is_empty));
    // The words are glyphs in the SVG: a legend that says ± 2 s.e. is the one that an author writes so.
    let written =
        "legend: {entries: [{values: [zs, both, both_v], mark: {line: 1.2}}, {error: {bars: 2}}]}";
    assert_eq!(svg(&[two]), svg(&[two, ("legend: {panel: 0}", written)]));
    let other = written.replace("bars: 2", "bars: 3");
    assert_ne!(svg(&[two]), svg(&[two, ("legend: {panel: 0}", &other)]));
    // An author's own words have the number where they ask for it.
    let own = |label: &str| {
        let entry = format!(
            "legend: {{entries: [{{values: [zs, both, both_v], mark: {{line: 1.2}}}}, {{look: {{label: \"{label}\", color: \"#222222\"}}, error: {{bars: 2}}}}]}}"
        );
        svg(&[two, ("legend: {panel: 0}", &entry)])
    };
    assert_eq!(own("{}"), svg(&[two]));
    assert_eq!(own("± 2 s.e."), svg(&[two]));
    assert_ne!(own("learned, {}"), svg(&[two]));
}

#[test]
fn a_legend_shows_a_label_in_all_the_ways_it_is_drawn() {
    let shaped = ("dash: dotted", "shape: circle");
    let line = "        mark: {line: 1.2}\n";
    let markers = "        mark: {line: 1.2}\n      - {from: {table: t, where: {task: -theta0}, x: n, y: error}, each: model, values: [zs, both, both_v], mark: {marker: 3}}\n";
    let written = "legend: {entries: [{values: [zs, both, both_v], mark: {line: 1.2, marker: 3}}, {error: {bars: 1}}]}";
    let both = [shaped, (line, markers)];
    let made = figure(&both).expect("it runs");
    let told = figure(&[both[0], both[1], ("legend: {panel: 0}", written)]).expect("it runs");
    assert_eq!(made.files["svg"], told.files["svg"]);
}

#[test]
fn the_same_description_gives_the_same_bytes() {
    let one = figure_of(FIGURE, table()).expect("it runs");
    let other = figure_of(FIGURE, table()).expect("it runs");
    assert_eq!(one.files, other.files);
}
