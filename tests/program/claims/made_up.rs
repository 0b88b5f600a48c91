//! Tables of what is not trained here: digits and depth as they were measured, with a spread of the size that was
//! seen; models of more heads and the front from the theory. Knows no claim.

use crate::claims::models::{SEEDS, SHOTS, setting};
use crate::mended::sketch::run;
use icl::math::stream::Stream;
use icl::model::head::Head;
use icl::prompts::task::Task;
use icl::theory::pareto::entries::Layout;
use icl::theory::pareto::every_value::EveryValue;
use icl::theory::pareto::front::{Family, Tradeoff};
use icl::theory::pareto::search::{Errors, Plan};
use icl::theory::{measures, optima};
use icl_repro::kinds::claims::query::evidence::{Named, Part};
use icl_repro::kinds::exchange::measures::error_table;
use ndarray::Array2;
use tables::table::{Column, Table};

/// Error and accuracy at each of [`PLACES`].
type OnDigits<const PLACES: usize> = [(f64, f64); PLACES];

/// Task and number of shots; the last one in the strict pool alone.
const PLACES: [(&str, i64); 5] = [
    ("target", 0),
    ("target", 20),
    ("flipped", 20),
    ("unseen", 20),
    ("new_class", 20),
];

/// Median error and mean accuracy at d = 8, of pretraining that saw all digits, and of one that did not.
const DIGITS: [(&str, OnDigits<4>, OnDigits<5>); 7] = [
    (
        "pretrained",
        [(1.006, 0.489), (0.26, 0.945), (0.26, 0.945), (0.289, 0.943)],
        [
            (0.992, 0.547),
            (0.702, 0.825),
            (0.726, 0.807),
            (0.275, 0.951),
            (0.47, 0.889),
        ],
    ),
    (
        "zs",
        [
            (0.048, 0.987),
            (3.187, 0.209),
            (1.157, 0.351),
            (1.485, 0.532),
        ],
        [
            (0.046, 0.986),
            (3.094, 0.223),
            (1.205, 0.343),
            (1.262, 0.584),
            (1.902, 0.43),
        ],
    ),
    (
        "both",
        [
            (0.046, 0.987),
            (0.139, 0.979),
            (5.118, 0.946),
            (1.555, 0.594),
        ],
        [
            (0.044, 0.987),
            (0.142, 0.979),
            (4.862, 0.925),
            (1.491, 0.539),
            (1.721, 0.671),
        ],
    ),
    (
        "zs_v",
        [(0.263, 0.962), (0.413, 0.94), (0.446, 0.92), (0.385, 0.921)],
        [
            (0.336, 0.932),
            (1.051, 0.836),
            (0.656, 0.796),
            (0.348, 0.934),
            (0.563, 0.875),
        ],
    ),
    (
        "both_v",
        [
            (0.263, 0.962),
            (0.189, 0.949),
            (0.902, 0.551),
            (0.517, 0.845),
        ],
        [
            (0.333, 0.932),
            (0.447, 0.849),
            (1.032, 0.42),
            (0.677, 0.807),
            (0.718, 0.725),
        ],
    ),
    (
        "replay_vl",
        [
            (0.263, 0.959),
            (0.369, 0.912),
            (0.288, 0.949),
            (0.324, 0.935),
        ],
        [
            (0.337, 0.936),
            (0.875, 0.803),
            (0.624, 0.824),
            (0.3, 0.946),
            (0.51, 0.885),
        ],
    ),
    (
        "replay",
        [(0.129, 0.987), (0.635, 0.782), (0.46, 0.88), (0.331, 0.927)],
        [
            (0.113, 0.986),
            (1.168, 0.625),
            (0.846, 0.668),
            (0.303, 0.938),
            (0.508, 0.846),
        ],
    ),
];

const SPLITS: u64 = 5;
/// Standard deviations of splits and of targets within one: of accuracy, and of the error's logarithm. With 12 targets in
/// place of 45 a difference of two models, or a ratio, has about the standard error that was measured: 0.003 and 0.02.
const APART: [[f64; 2]; 2] = [[0.002, 0.006], [0.015, 0.045]];

/// All targets in every split, in the strict pool each in one.
pub fn digits(labels: &[String]) -> Named {
    let mut files = Vec::new();
    for (d, targets) in [(4, 5), (8, 12), (16, 5)] {
        for (split, target) in (0..SPLITS).flat_map(|split| (0..targets).map(move |t| (split, t))) {
            for pool in ["seen", "strict"] {
                if pool == "strict" && target % SPLITS != split {
                    continue;
                }
                let label = |name: &String| match name.as_str() {
                    "d" => d.to_string(),
                    "split" => split.to_string(),
                    "target" => format!("t{target}"),
                    "pool" => pool.to_owned(),
                    other => panic!("what is the label `{other}` of the digits?"),
                };
                let labels = labels.iter().map(label).collect();
                files.push((labels, digits_of(pool, [d, split, target])));
            }
        }
    }
    named("digits", labels, files)
}

fn digits_of(pool: &str, [d, split, target]: [u64; 3]) -> Table {
    let (mut model, mut task, mut shots) = (Vec::new(), Vec::new(), Vec::new());
    let (mut error, mut accuracy) = (Vec::new(), Vec::new());
    for (name, seen, strict) in &DIGITS {
        let values = if pool == "seen" {
            &seen[..]
        } else {
            &strict[..]
        };
        for (&(on, n_shots), (e, a)) in PLACES.iter().zip(values) {
            let of = format!("{pool} {name} {on} {n_shots}");
            let [of_split, of_target] = [vec![d, split], vec![d, split, target]];
            let mut streams = [of_split, of_target].map(|index| Stream::new(0, &of, &index));
            let mut noise = |[split, target]: [f64; 2]| {
                split * streams[0].normal() + target * streams[1].normal()
            };
            let (more, times) = (noise(APART[0]), libm::exp(noise(APART[1])));
            model.push((*name).to_owned());
            task.push(on.to_owned());
            shots.push(n_shots);
            error.push(e * times);
            accuracy.push(a + more);
        }
    }
    let prompts = vec![1024; error.len()];
    let table = Table::new(vec![
        ("model", Column::Text(model)),
        ("task", Column::Text(task)),
        ("n_shots", Column::Int(shots)),
        ("error", Column::Float(error)),
        ("accuracy", Column::Float(accuracy)),
        ("prompts", Column::Int(prompts)),
    ]);
    table.expect("columns of one length")
}

/// Median errors of 20 shots on -theta0 over the pretrained ones, as measured: two layers, three layers, two layers of
/// two heads, each with seeds 3 to 7. They spread by factors, and that is why the claims of depth are open.
const DEPTH: [(&str, [[f64; 5]; 3]); 4] = [
    (
        "zs_v",
        [
            [17.1, 9.72, 3.14, 2.44, 3.31],
            [5.64, 10.5, 8.21, 5.33, 3.98],
            [9.06, 7.3, 2.19, 5.14, 6.95],
        ],
    ),
    (
        "both_v",
        [
            [15.1, 13.65, 2.23, 2.65, 6.01],
            [21.63, 7.64, 3.24, 6.73, 43.28],
            [12.65, 3.14, 1.86, 4.73, 14.55],
        ],
    ),
    (
        "zs_v_first",
        [
            [3.51, 22.43, 1.44, 2.53, 2.03],
            [7.21, 6.73, 5.94, 4.74, 8.99],
            [3.44, 1.71, 3.36, 2.99, 25.21],
        ],
    ),
    (
        "zs_v_last",
        [
            [1.01, 1.01, 11.51, 1.26, 17.25],
            [1.11, 1.34, 6.48, 3.56, 1.63],
            [7.74, 1.54, 2.76, 14.61, 1.83],
        ],
    ),
];

pub fn depth() -> Named {
    let (mut size, mut model, mut task) = (Vec::new(), Vec::new(), Vec::new());
    let (mut seed, mut shots) = (Vec::new(), Vec::new());
    let (mut median, mut ratio) = (Vec::new(), Vec::new());
    let sizes = ["h1_l2_sgd", "h1_l3_sgd", "h2_l2_sgd"];
    let pretrained = [("pretrained", [[1.0; 5]; 3])];
    for (name, ratios) in DEPTH.iter().chain(&pretrained) {
        for (of, ratios) in sizes.iter().zip(ratios) {
            for (number, times) in (3..).zip(ratios) {
                for (on, n, of_pretrained, times) in
                    [("-theta0", 20, 0.08, *times), ("theta0", 0, 0.7, 0.7)]
                {
                    size.push((*of).to_owned());
                    model.push((*name).to_owned());
                    task.push(on.to_owned());
                    seed.push(number);
                    shots.push(n);
                    median.push(of_pretrained * times);
                    ratio.push(times);
                }
            }
        }
    }
    let table = Table::new(vec![
        ("configuration", Column::Text(size)),
        ("model", Column::Text(model)),
        ("task", Column::Text(task)),
        ("seed", Column::Int(seed)),
        ("n_shots", Column::Int(shots)),
        ("median", Column::Float(median)),
        ("ratio", Column::Float(ratio)),
    ]);
    alone("depth", table.expect("columns of one length"))
}

fn tradeoff() -> Tradeoff {
    Tradeoff::new(5, 0.1, SHOTS).expect("the defaults")
}

/// With one head the optima of the families, in equal parts; with replay what descent finds for two heads. Every entry a
/// little off, by seed.
pub fn heads(labels: &[String]) -> Named {
    let axis = Task::new(vec![1.0, 0.0, 0.0, 0.0, 0.0]).expect("a task");
    let scale = optima::pretraining_scale(&setting(), SHOTS);
    let plan = Plan { starts: 6, seed: 0 };
    let found = Errors::new(&tradeoff(), 2).search(0.105, &plan);
    let layout = Layout { d: 5, n_heads: 2 };
    let models = [
        ("pretrained", vec![optima::pretrained_head(5, scale)]),
        ("zs", vec![optima::zero_shot_head(&axis, 0.52)]),
        ("zs_v", vec![optima::value_only_head(&axis, scale)]),
        ("replay", from_flat(layout, &found.expect("in reach").heads)),
    ];
    let mut files = Vec::new();
    for (label, n_heads) in [("h2", 2), ("h4", 4)] {
        for seed in 0..SEEDS {
            let mut noise = Stream::new(seed, label, &[]);
            let mut around = |head: &Head| {
                let v = head
                    .v()
                    .iter()
                    .map(|x| x + 0.002 * noise.normal())
                    .collect();
                let q = head.q().mapv(|x| x + 0.002 * noise.normal());
                Head::new(v, q).expect("finite")
            };
            let models: Vec<(String, Vec<Head>)> = models
                .iter()
                .map(|(name, heads)| {
                    let all = heads.iter().cycle().take(n_heads);
                    ((*name).to_owned(), all.map(&mut around).collect())
                })
                .collect();
            let measured = measures::measure(&setting(), &axis, &models, SHOTS, &[0, SHOTS]);
            let table = error_table(&measured.expect("one d").errors).expect("a table");
            files.push((vec![label.to_owned(), seed.to_string()], table));
        }
    }
    named("heads", labels, files)
}

/// Flat heads as heads; the last row of Q, which reads a masked label, is 0.
fn from_flat(layout: Layout, flat: &[f64]) -> Vec<Head> {
    let dim = layout.d + 2;
    let head = |part: &[f64]| {
        let (v, q) = part.split_at(dim);
        let q = Array2::from_shape_fn((dim, dim), |(i, j)| match i + 1 == dim {
            true => 0.0,
            false => q[i * dim + j],
        });
        Head::new(v.to_vec(), q).expect("finite")
    };
    flat.chunks_exact(layout.head_len()).map(head).collect()
}

/// The levels that claims name, of those in pipeline.yaml, and their distances from the noise.
const LEVELS: [(i64, f64); 6] = [
    (0, 0.001),
    (4, 0.015),
    (5, 0.03),
    (10, 0.1),
    (15, 0.18),
    (20, 0.23),
];

/// The front of one head, and what descent and a grid of value vectors find.
pub fn front() -> Named {
    let tradeoff = tradeoff();
    let (one, two) = (Errors::new(&tradeoff, 1), Errors::new(&tradeoff, 2));
    let every = EveryValue::new(&tradeoff);
    let plan = |starts| Plan { starts, seed: 0 };
    let (mut curve, mut level, mut few_shot) = (Vec::new(), Vec::new(), Vec::new());
    for (at, above) in LEVELS {
        let bound = 0.1 + above;
        let exact = tradeoff.point(Family::OneHead, bound).expect("in reach");
        let grid = every.least_of_grid(bound, 4).expect("in reach");
        let searched = [one.search(bound, &plan(24)), two.search(bound, &plan(6))];
        let [one, two] = searched.map(|found| found.expect("in reach").few_shot);
        for (name, few) in [
            ("one_head", exact.few_shot),
            ("descent_1", one),
            ("descent_2", two),
            ("every_value", grid.value),
        ] {
            curve.push(name.to_owned());
            level.push(at);
            few_shot.push(few);
        }
    }
    let table = Table::new(vec![
        ("curve", Column::Text(curve)),
        ("level", Column::Int(level)),
        ("few_shot", Column::Float(few_shot)),
    ]);
    alone("front", table.expect("columns of one length"))
}

/// By their stage.
pub fn gaps() -> Named {
    let params = "{dimensions: [5], noise_vars: [0.1], shots: [20, 1000]}";
    let made = run("pareto-gap", params, &Vec::new()).expect("gaps");
    let table = Table::from_parquet(&made.files["gaps"]);
    alone("gaps", table.expect("a table"))
}

/// Estimates two standard errors off.
pub fn sampled() -> Table {
    let exact = [0.3, 1.4];
    let float = |values: [f64; 2]| Column::Float(values.to_vec());
    let table = Table::new(vec![
        ("n_shots", Column::Int(vec![1, 2])),
        ("error", float(exact.map(|exact| exact + 0.002))),
        ("std_error", float([0.001; 2])),
        ("exact", float(exact)),
    ]);
    table.expect("columns of one length")
}

/// A table of one file.
pub fn alone(name: &str, table: Table) -> Named {
    named(name, &[], vec![(Vec::new(), table)])
}

/// A table of files with labels.
pub fn named(name: &str, labels: &[String], files: Vec<(Vec<String>, Table)>) -> Named {
    let mut parts = Vec::new();
    for (labels, table) in &files {
        parts.push(Part {
            labels: labels.iter().map(String::as_str).collect(),
            table: table.clone(),
        });
    }
    Named::new(name, labels, &parts).unwrap_or_else(|e| panic!("{e}"))
}
