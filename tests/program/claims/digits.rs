//! Errors and accuracies on digits as they were measured, with a spread of the size that was seen. Knows no claim.

use crate::claims::made_up::named;
use findings::claims::query::evidence::Named;
use icl::math::stream::Stream;
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
/// place of 45 a difference of two models, or a ratio, has about the standard error that was measured: 0.002 to 0.003, and 0.02.
const APART: [[f64; 2]; 2] = [[0.0015, 0.005], [0.02, 0.06]];

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
