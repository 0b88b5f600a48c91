//! Hostile figures: what a few lines draw many times, and every new word of their grammar misused.

use crate::yaml::pipeline;

/// Adds each with its name.
pub fn attacks(add: &mut impl FnMut(&str, String)) {
    let figure = |params: &str| {
        let stage = "  f: {kind: figure, inputs: {font: data/f}, outputs: {svg: figures/f.svg, pdf: figures/f.pdf, \
                     png: figures/f.png, data: figures/f.csv}, params: {width_pt: 9, height_pt: 9, font_pt: 8, dpi: 9, ";
        pipeline("{}", &format!("{stage}{params}}}}}\n"))
    };
    let many = |piece: &str, count: usize| vec![piece; count].join(", ");
    let curve = "{from: {table: t, x: x, y: y}, mark: {line: 1}}";
    add(
        "facets by curves",
        figure(&format!(
            "panels: [{{x: {{}}, y: {{}}, facets: [{}], series: [{}]}}]",
            many("{}", 50_000),
            many(curve, 10_000)
        )),
    );
    let looks: Vec<String> = (0..20_000)
        .map(|i| format!("\"{i}\": {{label: l}}"))
        .collect();
    let names: Vec<String> = (0..20_000).map(|i| format!("{i}.0")).collect();
    let listed = names.join(", ");
    add(
        "many looks that are one",
        figure(&format!("looks: {{{}}}", looks.join(", "))),
    );
    add(
        "many values in another notation",
        figure(&format!(
            "looks: {{a: {{}}}}, panels: [{{x: {{}}, y: {{}}, series: [{{from: {{table: t, x: x, y: y}}, each: c, \
             values: [{listed}]}}]}}]"
        )),
    );
    for (name, params) in [
        ("a colour that is a list", "looks: {a: {color: [1]}}"),
        (
            "a colour map of three",
            "looks: {a: {color: {viridis: [0, 1, 2]}}}",
        ),
        (
            "a colour map of nothing",
            "looks: {a: {color: {viridis: [.nan, 1]}}}",
        ),
        (
            "a look of a look",
            "panels: [{x: {}, y: {}, series: [{from: {x: x, y: y}, look: {look: a}}]}]",
        ),
        (
            "facets of facets",
            "panels: [{x: {}, y: {}, series: [], facets: [{facets: [{}]}]}]",
        ),
        (
            "a facet of nothing",
            "panels: [{x: {}, y: {}, series: [], facets: [null]}]",
        ),
        (
            "guides nowhere",
            "panels: [{x: {}, y: {}, series: [], guides: [{vertical: {at: []}}]}]",
        ),
        (
            "guides at a word",
            "panels: [{x: {}, y: {}, series: [], guides: [{vertical: {at: [here]}}]}]",
        ),
        (
            "bars of minus one",
            "panels: [{x: {}, y: {}, series: [{from: {x: x, y: y}, error: {bars: -1}}]}]",
        ),
        (
            "two kinds of bars",
            "panels: [{x: {}, y: {}, series: [{from: {x: x, y: y}, error: {bars: 1, band: 1}}]}]",
        ),
        (
            "stars in a table",
            "panels: [{x: {}, y: {}, series: [{from: {table: \"***\", x: x, y: y}}]}]",
        ),
    ] {
        add(name, figure(params));
    }
}
