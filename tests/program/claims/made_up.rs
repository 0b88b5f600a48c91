//! Tables of what is not trained here: depth as it was measured; models of more heads, the front and its gaps from the
//! theory. Knows no claim.

use crate::claims::models::{SEEDS, SHOTS, setting};
use crate::mended::sketch::run;
use findings::claims::query::evidence::{Named, Part};
use icl::math::stream::Stream;
use icl::model::head::Head;
use icl::prompts::task::Task;
use icl::theory::pareto::entries::Layout;
use icl::theory::pareto::every_value::EveryValue;
use icl::theory::pareto::front::{Family, Tradeoff};
use icl::theory::pareto::search::{Errors, Plan};
use icl::theory::{measures, optima};
use icl_repro::kinds::exchange::measures::error_table;
use ndarray::Array2;
use tables::table::{Column, Table};

/// Median errors of 20 shots on -theta0 over the pretrained ones, as measured: two layers, three layers, two layers of
/// two heads, each with seeds 3 to 7. They spread by factors, and that is why the claims of depth are open.
const DEPTH: [(&str, [[f64; 5]; 3]); 4] = [
    (
        "zs_v",
        [
            [17.1, 9.72, 3.144, 2.44, 3.31],
            [5.64, 10.5, 8.21, 5.33, 3.98],
            [9.06, 7.3, 2.19, 5.14, 6.95],
        ],
    ),
    (
        "both_v",
        [
            [15.1, 13.65, 2.23, 2.65, 6.01],
            [21.63, 7.64, 3.24, 6.73, 43.28],
            [12.65, 3.144, 1.86, 4.73, 14.55],
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

/// The front of one head, and what descent and a grid of value vectors find; for two heads at level 4 alone.
pub fn front() -> Named {
    let tradeoff = tradeoff();
    let (one, two) = (Errors::new(&tradeoff, 1), Errors::new(&tradeoff, 2));
    let every = EveryValue::new(&tradeoff);
    let (mut curve, mut level, mut few_shot) = (Vec::new(), Vec::new(), Vec::new());
    for (at, above) in LEVELS {
        let bound = 0.1 + above;
        let exact = tradeoff.point(Family::OneHead, bound).expect("in reach");
        let grid = every.least_of_grid(bound, 4).expect("in reach");
        let search = |errors: &Errors, starts| {
            let found = errors.search(bound, &Plan { starts, seed: 0 });
            found.expect("in reach").few_shot
        };
        let mut found = vec![
            ("one_head", exact.few_shot),
            ("descent_1", search(&one, 12)),
            ("every_value", grid.value),
        ];
        if at == 4 {
            found.push(("descent_2", search(&two, 6)));
        }
        for (name, few) in found {
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
