//! What transformers keep after fine-tuning, as it was measured, with a spread of about the size that was seen. Knows no
//! claim.
//!
//! Means are those of docs/transformer.md: places are `matched`, then `end`.

use crate::claims::made_up::named;
use findings::claims::query::evidence::Named;
use icl::evaluate::kept;
use icl::math::stream::Stream;
use std::ops::Range;
use tables::table::{Column, Table};

/// Means at both places.
type Places = [f64; 2];

const SEEDS: Range<u64> = 10..18;

/// Kept on random tasks: by rung with the pretrained model's error, the variants of [`BRIDGE_VARIANTS`].
const BRIDGE: [(&str, f64, [Places; 6]); 9] = [
    (
        "linear",
        0.346,
        [
            [0.31, -1.58],
            [0.31, -1.58],
            [0.97, 0.97],
            [0.94, 0.93],
            [0.97, 0.97],
            [0.98, 0.98],
        ],
    ),
    (
        "heads",
        0.347,
        [
            [0.79, 0.42],
            [0.90, 0.85],
            [0.97, 0.97],
            [0.96, 0.95],
            [0.97, 0.97],
            [0.97, 0.96],
        ],
    ),
    (
        "softmax",
        0.381,
        [
            [0.89, 0.84],
            [0.90, 0.88],
            [0.90, 0.88],
            [0.91, 0.87],
            [0.93, 0.91],
            [0.93, 0.95],
        ],
    ),
    (
        "sink",
        0.358,
        [
            [0.29, -0.62],
            [-0.88, -1.80],
            [0.80, 0.57],
            [0.86, 0.74],
            [0.88, 0.85],
            [0.92, 0.94],
        ],
    ),
    (
        "norm",
        0.271,
        [
            [0.69, 0.41],
            [0.72, 0.39],
            [0.90, 0.82],
            [0.93, 0.88],
            [0.94, 0.95],
            [0.96, 0.99],
        ],
    ),
    (
        "mlp",
        0.262,
        [
            [0.86, 0.68],
            [0.90, 0.75],
            [0.93, 0.87],
            [0.94, 0.88],
            [0.95, 0.97],
            [0.94, 0.99],
        ],
    ),
    (
        "two_layers",
        0.150,
        [
            [0.80, 0.63],
            [0.84, 0.70],
            [0.90, 0.86],
            [0.94, 0.91],
            [0.96, 0.97],
            [0.95, 1.00],
        ],
    ),
    (
        "three_layers",
        0.142,
        [
            [0.89, 0.78],
            [0.89, 0.74],
            [0.90, 0.86],
            [0.94, 0.94],
            [0.96, 0.98],
            [0.96, 1.00],
        ],
    ),
    (
        "rope",
        0.147,
        [
            [0.86, 0.78],
            [0.94, 0.89],
            [0.88, 0.84],
            [0.94, 0.93],
            [0.95, 0.97],
            [0.96, 1.00],
        ],
    ),
];

const BRIDGE_VARIANTS: [&str; 6] = [
    "zs_all",
    "zs_qkv",
    "zs_v",
    "both_v",
    "replay_v",
    "replay_all",
];

/// Variants that the chapter has no row for, and those whose means they take here.
const ALIKE: [(&str, &str); 7] = [
    ("zs_q", "zs_qkv"),
    ("zs_k", "zs_qkv"),
    ("zs_v_first", "zs_qkv"),
    ("zs_v_last", "zs_v"),
    ("both_all", "zs_all"),
    ("both_qkv", "zs_qkv"),
    ("replay_qkv", "replay_all"),
];

/// Rungs, and the variants that do not get to the level of ZS (all) there.
const NOT_REACHED: [(&str, &[&str]); 3] = [
    ("linear", &["zs_v", "both_v", "replay_v", "replay_all"]),
    ("heads", &["zs_qkv", "zs_v", "both_v", "replay_v"]),
    ("softmax", &["both_v", "replay_v"]),
];

/// Measures of the bridge, and how much is lost on each for what is lost on random tasks.
const LOST: [(&str, f64); 4] = [
    ("target", 0.1),
    ("opposite", 1.35),
    ("random", 1.0),
    ("scaled", 0.6),
];

/// Measures of words, with the pretrained model's error.
const WORDS_MEASURES: [(&str, f64); 5] = [
    ("target", 0.18),
    ("other_letters", 0.19),
    ("other_trained", 0.19),
    ("unseen", 0.35),
    ("other_script", 0.70),
];

/// Kept on words, by variant, on all measures but the last.
const WORDS: [(&str, [Places; 4]); 10] = [
    (
        "zs_all",
        [[1.03, 1.08], [0.69, -0.34], [0.95, 0.43], [0.91, 0.31]],
    ),
    (
        "zs_mlp",
        [[1.03, 1.07], [0.85, -0.28], [0.98, 0.67], [0.96, 0.54]],
    ),
    (
        "zs_qkv",
        [[1.00, 1.03], [0.84, -0.08], [0.97, 0.76], [0.95, 0.64]],
    ),
    (
        "zs_v",
        [[1.00, 1.02], [0.80, 0.05], [0.97, 0.80], [0.93, 0.69]],
    ),
    (
        "both_all",
        [[1.04, 1.11], [0.69, -0.37], [0.95, 0.34], [0.88, 0.22]],
    ),
    (
        "both_qkv",
        [[1.03, 1.07], [0.84, -0.08], [0.97, 0.70], [0.94, 0.53]],
    ),
    (
        "both_v",
        [[1.02, 1.04], [0.85, 0.08], [0.97, 0.79], [0.92, 0.69]],
    ),
    (
        "replay_all",
        [[1.03, 1.03], [0.77, 0.96], [0.95, 0.97], [0.90, 0.95]],
    ),
    (
        "replay_qkv",
        [[1.00, 1.02], [0.85, 0.90], [0.97, 0.97], [0.95, 0.95]],
    ),
    (
        "replay_v",
        [[1.00, 1.01], [0.88, 0.82], [0.98, 0.98], [0.96, 0.95]],
    ),
];

/// On other scripts nothing is learned that could be kept.
const OTHER_SCRIPT: Places = [0.9, 0.5];

/// A training of one draw.
struct Variant<'a> {
    name: &'a str,
    /// The name of its random numbers: two of one name are the same training.
    drawn_as: &'a str,
    reached: bool,
    /// Training changes nothing.
    still: bool,
    zero_shot: Places,
    steps: Places,
    /// Measure, error before, and what is kept.
    kept: Vec<(&'a str, f64, Places)>,
}

/// What draws have in common.
struct Kind<'a> {
    name: &'a str,
    null: f64,
    /// Standard deviation between draws of what is lost, over its mean; all variants of a draw share its number.
    of_draw: f64,
    /// That standard deviation where most is lost.
    at_most: f64,
    /// Standard deviation between variants of a draw of what is kept.
    of_variant: f64,
}

/// One table for each rung and seed.
pub fn bridge(labels: &[String]) -> Named {
    let mut files = Vec::new();
    for (rung, before, means) in &BRIDGE {
        let variants: Vec<Variant> = BRIDGE_VARIANTS
            .iter()
            .map(|name| (*name, *name))
            .chain(ALIKE)
            .map(|(name, like)| on_bridge(rung, *before, means, [name, like]))
            .collect();
        let kind = Kind {
            name: &format!("bridge {rung}"),
            null: 1.1,
            of_draw: 0.4,
            at_most: 0.3,
            of_variant: 0.005,
        };
        for seed in SEEDS {
            let of = vec![(*rung).to_owned(), seed.to_string()];
            files.push((of, draw(&kind, seed, &variants)));
        }
    }
    named("bridge", labels, files)
}

fn on_bridge<'a>(
    rung: &str,
    before: f64,
    means: &[Places; 6],
    [name, like]: [&'a str; 2],
) -> Variant<'a> {
    // A lone query has attention weight 1 whatever Q and K are: training them changes nothing there.
    let lone_query = rung == "softmax";
    let same_as_value = lone_query && name == "zs_qkv";
    let still = lone_query && ["zs_q", "zs_k"].contains(&name);
    let at = BRIDGE_VARIANTS.iter().position(|known| *known == like);
    let random = means[at.expect("a variant of the chapter")];
    let stuck = NOT_REACHED.iter().find(|(of, _)| *of == rung);
    let stuck = stuck.is_some_and(|(_, names)| names.contains(&name));
    let of_measure = |(measure, times): (&'a str, f64)| {
        let kept = random.map(|kept| 1.0 - times * (1.0 - kept));
        (measure, before, kept)
    };
    let end = if rung == "linear" { 2_000.0 } else { 300.0 };
    let first = if stuck || still { end } else { 0.2 * end };
    Variant {
        name,
        drawn_as: if same_as_value { "zs_v" } else { name },
        reached: !stuck && !still,
        still,
        zero_shot: match (still, stuck) {
            (true, _) => [1.09; 2],
            (false, true) => [0.33; 2],
            (false, false) => [0.2, 0.105],
        },
        steps: [first, end],
        kept: LOST.into_iter().map(of_measure).collect(),
    }
}

/// One table for each seed.
pub fn words(labels: &[String]) -> Named {
    let variants: Vec<Variant> = WORDS
        .iter()
        .map(|(name, means)| {
            let means = means.iter().copied().chain([OTHER_SCRIPT]);
            let kept = WORDS_MEASURES.iter().zip(means);
            Variant {
                name,
                drawn_as: name,
                reached: true,
                still: false,
                zero_shot: [0.17, 0.115],
                steps: [if name.ends_with("all") { 4.0 } else { 24.0 }, 200.0],
                kept: kept.map(|((m, before), k)| (*m, *before, k)).collect(),
            }
        })
        .collect();
    let kind = Kind {
        name: "words",
        null: 0.75,
        of_draw: 0.25,
        at_most: 0.1,
        of_variant: 0.025,
    };
    let files = SEEDS.map(|seed| (vec![seed.to_string()], draw(&kind, seed, &variants)));
    named("words", labels, files.collect())
}

fn draw(kind: &Kind, seed: u64, variants: &[Variant]) -> Table {
    let noise = |what: &str| noise(&format!("{} {what}", kind.name), seed);
    let [mut name, mut place, mut of] = [const { Vec::new() }; 3];
    let mut numbers: [Vec<f64>; 6] = Default::default();
    for variant in variants {
        let own = |what: &str| noise(&format!("{} {what}", variant.drawn_as));
        let error = (1.0 + 0.05 * noise("zero-shot")) * (1.0 + 0.01 * own("zero-shot"));
        for (at, label) in ["matched", "end"].into_iter().enumerate() {
            for (measure, before, mean) in &variant.kept {
                let before = before * (1.0 + 0.02 * noise(&format!("{measure} before")));
                let lost = 1.0 - mean[at];
                let apart = (kind.of_draw * lost).min(kind.at_most);
                let lost = lost + apart * noise(measure);
                let left = 1.0 - lost + kind.of_variant * own(measure);
                let after = match variant.still {
                    true => before,
                    false => kind.null - left * (kind.null - before),
                };
                let sooner = match label {
                    "matched" if variant.reached => 1.0 + 0.2 * own("step"),
                    _ => 1.0,
                };
                name.push(variant.name.to_owned());
                place.push(label.to_owned());
                of.push((*measure).to_owned());
                let row = [
                    variant.steps[at] * sooner,
                    f64::from(u8::from(variant.reached)),
                    variant.zero_shot[at] * error,
                    before,
                    after,
                    kept::kept(kind.null, before, after).expect("it learns from examples"),
                ];
                numbers.iter_mut().zip(row).for_each(|(c, x)| c.push(x));
            }
        }
    }
    let [step, reached, zero_shot, before, after, left] = numbers.map(Column::Float);
    let table = Table::new(vec![
        ("variant", Column::Text(name)),
        ("at", Column::Text(place)),
        ("measure", Column::Text(of)),
        ("step", step),
        ("reached", reached),
        ("zero_shot", zero_shot),
        ("before", before),
        ("after", after),
        ("kept", left),
    ]);
    table.expect("columns of one length")
}

/// Of normal numbers, one for each seed, that of `seed`, after their mean is taken off and their standard deviation made
/// 1: so that eight seeds have the means and spreads that are said above, and not by luck others.
fn noise(what: &str, seed: u64) -> f64 {
    let draws: Vec<f64> = SEEDS
        .map(|seed| Stream::new(seed, what, &[]).normal())
        .collect();
    let count = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / count;
    let squares: f64 = draws.iter().map(|x| (x - mean) * (x - mean)).sum();
    let at = (seed - SEEDS.start) as usize;
    (draws[at] - mean) / libm::sqrt(squares / (count - 1.0))
}
