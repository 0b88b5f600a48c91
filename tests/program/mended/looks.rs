//! One visual language: what a reader with any colour vision can tell apart, and one look for each model
//! in every figure of the paper and of the example with own data.
//!
//! Contrast is that of WCAG 2.2 (relative luminance; 3 is what its criterion 1.4.11 asks of graphics).
//! Colour vision is simulated by the matrices of Machado, Oliveira and Fernandes, "A physiologically-based
//! model for simulation of color vision deficiency", IEEE TVCG 15 (2009), severity 1.0, on linear RGB.
//! Distances are Euclidean in CIELAB (CIE 1976, white D65).

use crate::mended::language::resolve;
use plots::color::Color;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const CONTRAST: f64 = 3.0;
/// A difference of 2.3 is just noticed between large patches side by side (Mahy and others 1994). Lines and
/// markers of a point or two lie apart and are judged from memory of a legend: nearly ten times as much.
/// It is less than the best that six hues of this contrast can reach, 27.
const APART: f64 = 20.0;

const NORMAL: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
const PROTANOPIA: [[f64; 3]; 3] = [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
];
const DEUTERANOPIA: [[f64; 3]; 3] = [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.011820, 0.042940, 0.968881],
];

/// sRGB (IEC 61966-2-1) to linear light.
fn linear(color: Color) -> [f64; 3] {
    [color.red, color.green, color.blue].map(|byte| {
        let share = f64::from(byte) / 255.0;
        match share <= 0.04045 {
            true => share / 12.92,
            false => libm::pow((share + 0.055) / 1.055, 2.4),
        }
    })
}

fn times(matrix: &[[f64; 3]; 3], rgb: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(rgb).map(|(a, b)| a * b).sum())
}

/// Against white.
fn contrast(color: Color) -> f64 {
    let [red, green, blue] = linear(color);
    1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
}

fn lab(rgb: [f64; 3]) -> [f64; 3] {
    const XYZ: [[f64; 3]; 3] = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ];
    let white = times(&XYZ, [1.0; 3]);
    let xyz = times(&XYZ, rgb);
    let f = |at: usize| {
        let share = xyz[at] / white[at];
        match share > 216.0 / 24389.0 {
            true => libm::cbrt(share),
            false => (24389.0 / 27.0 * share + 16.0) / 116.0,
        }
    };
    [
        116.0 * f(1) - 16.0,
        500.0 * (f(0) - f(1)),
        200.0 * (f(1) - f(2)),
    ]
}

/// How far two colours are from each other for the eye that tells them apart worst.
fn apart(a: Color, b: Color) -> f64 {
    let seen = |color: Color, eye: &[[f64; 3]; 3]| {
        lab(times(eye, linear(color)).map(|light| light.clamp(0.0, 1.0)))
    };
    let distance = |eye: &[[f64; 3]; 3]| {
        let pairs = seen(a, eye).into_iter().zip(seen(b, eye));
        pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
    };
    let eyes = [NORMAL, PROTANOPIA, DEUTERANOPIA];
    eyes.iter().map(distance).fold(f64::INFINITY, f64::min)
}

fn color(text: &str) -> Color {
    Color::try_from(text.to_owned()).expect("a colour")
}

/// The params of every figure of a pipeline, by stage.
fn figures(path: &str) -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join(path)).expect(path);
    let pipeline = resolve(&text, &[]).expect("it resolves");
    let stages = pipeline.stages.iter();
    let params = stages.map(|stage| (stage.id.clone(), (*stage.job.params()).clone()));
    let figures: Vec<_> = params
        .filter(|(_, params)| params["panels"].is_array())
        .collect();
    assert!(!figures.is_empty(), "{path} draws nothing");
    figures
}

fn all() -> Vec<(String, Value)> {
    let own = figures("docs/own-data/pipeline.yaml");
    let mut all = figures("pipeline.yaml");
    assert_eq!(all.len(), 52, "figures and their legend");
    all.extend(own);
    all
}

/// Every value with this key, however deep.
fn each<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                match name == key {
                    true => found.push(value),
                    false => each(value, key, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each(item, key, found)),
        _ => {}
    }
}

/// The colours that a param `color` can have.
fn colors(value: &Value) -> Vec<Color> {
    match value.as_str() {
        Some(text) => vec![color(text)],
        None => {
            let ends = [0, 1].map(|end| value["viridis"][end].as_f64().expect("a number"));
            let share = |at: i32| ends[0] + f64::from(at) / 100.0 * (ends[1] - ends[0]);
            (0..=100).map(|at| Color::viridis(share(at))).collect()
        }
    }
}

/// The names of `looks` that a figure draws or lists.
fn used(params: &Value) -> BTreeSet<&str> {
    let mut found = Vec::new();
    each(params, "values", &mut found);
    each(params, "look", &mut found);
    let lists = found.iter().flat_map(|value| match value.as_array() {
        Some(items) => items.iter().collect(),
        None => vec![*value],
    });
    lists.filter_map(Value::as_str).collect()
}

#[test]
fn the_arithmetic_is_that_of_its_sources() {
    let near = |a: f64, b: f64| (a - b).abs() < 0.01;
    assert!(near(contrast(Color::BLACK), 21.0) && near(contrast(Color::WHITE), 1.0));
    // The darkest gray that WCAG's guides call just enough for text.
    assert!(near(contrast(color("#767676")), 4.54));
    // CIELAB of the primaries, from the definition of sRGB.
    let red = lab(linear(color("#FF0000")));
    assert!(
        near(red[0], 53.24) && near(red[1], 80.09) && near(red[2], 67.20),
        "{red:?}"
    );
    let white = lab([1.0; 3]);
    assert!(near(white[0], 100.0) && near(white[1], 0.0) && near(white[2], 0.0));
    // A gray is the same gray for every eye.
    for eye in [PROTANOPIA, DEUTERANOPIA] {
        let gray = times(&eye, [0.3; 3]);
        assert!(gray.iter().all(|light| near(*light, 0.3)), "{gray:?}");
    }
    // What is to be found: red and green of one lightness, and the authors' palette.
    assert!(apart(color("#FF6B6B"), color("#6BCB77")) < APART);
    for pale in ["#FFD93D", "#6BCB77", "#4D96FF", "#FF6B6B"] {
        assert!(contrast(color(pale)) < CONTRAST, "{pale}");
    }
}

#[test]
fn every_line_and_marker_stands_out_from_the_page() {
    for (stage, params) in all() {
        let mut found = Vec::new();
        each(&params, "color", &mut found);
        assert!(!found.is_empty(), "{stage}");
        for ink in found.into_iter().flat_map(colors) {
            assert!(
                contrast(ink) >= CONTRAST,
                "{stage}: {ink} has {:.2}",
                contrast(ink)
            );
        }
    }
}

#[test]
fn no_eye_takes_one_colour_for_another() {
    for (stage, params) in all() {
        let looks = params["looks"].as_object().expect("looks");
        let inks: BTreeSet<&str> = looks
            .values()
            .filter_map(|look| look["color"].as_str())
            .collect();
        let inks: Vec<&str> = inks.into_iter().collect();
        for (at, a) in inks.iter().enumerate() {
            for b in &inks[..at] {
                let apart = apart(color(a), color(b));
                assert!(apart >= APART, "{stage}: {a} and {b} are {apart:.1} apart");
            }
        }
    }
}

#[test]
fn a_model_has_one_look_and_a_look_one_model() {
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    let seen = |look: &Value| ["color", "shape", "fill", "dash"].map(|part| look[part].clone());
    for (stage, params) in all() {
        let looks = &params["looks"];
        for name in used(&params) {
            // Ways to train, not models.
            if stage == "balance_law" {
                continue;
            }
            let look = &looks[name];
            // Of transformers a variant says what is trained where the paper's says nothing: everything.
            let name = name.strip_suffix("_all").unwrap_or(name);
            let before = known.entry(name.to_owned()).or_insert_with(|| look.clone());
            assert_eq!(before, look, "{stage}: {name}");
        }
        // Beside the scale nothing has the colour of a model that means something else.
        let mut own = Vec::new();
        each(&params["panels"], "color", &mut own);
        let mut plain = own.iter().filter_map(|color| color.as_str());
        let foreign = plain.find(|ink| !["#000000", "#808080"].contains(ink));
        assert_eq!(foreign, None, "{stage}: a colour without a name in `looks`");
    }
    let models: Vec<(&String, &Value)> = known.iter().collect();
    assert!(models.len() > 12, "{models:?}");
    // Its points by SGD are the models that other figures call ZS (all), the rest no models of theirs.
    let (_, balance) = all()
        .into_iter()
        .find(|(stage, _)| stage == "balance_law")
        .expect("it");
    for (name, look) in balance["looks"].as_object().expect("looks") {
        let like = models.iter().find(|(_, model)| seen(model) == seen(look));
        let like = like.map(|(model, _)| model.as_str());
        let shared = (name == "sgd").then_some("zs");
        assert_eq!(like, shared, "{name}");
    }
    for (at, (name, look)) in models.iter().enumerate() {
        for (other, its) in &models[..at] {
            assert_ne!(seen(look), seen(its), "{name} and {other}");
        }
    }
}

#[test]
fn dashes_and_fillings_mean_one_objective_everywhere() {
    for (stage, params) in all().iter().filter(|(stage, _)| stage != "balance_law") {
        for (name, look) in params["looks"].as_object().expect("looks") {
            // A ring around a point: no objective.
            if name == "missed" {
                continue;
            }
            let zero_shot = look["label"]
                .as_str()
                .is_some_and(|label| label.starts_with("ZS ("));
            assert_eq!(look["dash"] == "dashed", zero_shot, "{stage}: {name}");
            assert_eq!(look["fill"] == "hollow", zero_shot, "{stage}: {name}");
            assert_eq!(name.starts_with("zs"), zero_shot, "{stage}: {name}");
            let replay = look["label"]
                .as_str()
                .is_some_and(|label| label.starts_with("ZS+R ("));
            assert_eq!(look["fill"] == "half", replay, "{stage}: {name}");
            // A baseline is dash-dotted too, but has no markers.
            let dash_dot = look["dash"] == "dash_dot" && !look["shape"].is_null();
            assert_eq!(dash_dot, replay, "{stage}: {name}");
            assert_eq!(name.starts_with("replay"), replay, "{stage}: {name}");
        }
        let mut dashes = Vec::new();
        each(&params["panels"], "dash", &mut dashes);
        assert!(dashes.iter().all(|dash| *dash != "dashed"), "{stage}");
    }
}

#[test]
fn colour_and_shape_tell_what_is_trained() {
    let (_, params) = figures("pipeline.yaml").swap_remove(0);
    let looks = params["looks"].as_object().expect("looks");
    let mut by_set: BTreeMap<&str, (&Value, &Value)> = BTreeMap::new();
    for (name, look) in looks {
        let (objective, set) = name.split_once('_').unwrap_or((name, "all"));
        if !["zs", "both", "replay"].contains(&objective) {
            continue;
        }
        // One layer's value is value: its colour, and a shape of its own.
        if let Some((_, which)) = [("v_first", "first"), ("v_last", "last")]
            .iter()
            .find(|(s, _)| *s == set)
        {
            assert_eq!(look["color"], looks["zs_v"]["color"], "{name}");
            assert_eq!(look["label"], format!("ZS ({which} V)"), "{name}");
            assert!(
                looks
                    .values()
                    .filter(
                        |other| other["shape"] == look["shape"] && other["color"] == look["color"]
                    )
                    .count()
                    == 1
            );
            continue;
        }
        let parts = (&look["color"], &look["shape"]);
        assert_eq!(*by_set.entry(set).or_insert(parts), parts, "{name}");
        let label = look["label"].as_str().expect("a label");
        let words = match set {
            "all" => "(all)".to_owned(),
            "vl" => "(V+Qxy)".to_owned(),
            set => format!("({})", set.to_uppercase()),
        };
        assert!(label.ends_with(&words), "{name}: {label}");
    }
    assert_eq!(
        by_set.keys().copied().collect::<Vec<_>>(),
        ["all", "k", "kq", "q", "v", "vl"]
    );
    let sets: BTreeSet<String> = by_set
        .values()
        .map(|(color, _)| color.to_string())
        .collect();
    let shapes: BTreeSet<String> = by_set
        .values()
        .map(|(_, shape)| shape.to_string())
        .collect();
    assert_eq!((sets.len(), shapes.len()), (6, 6));
}
