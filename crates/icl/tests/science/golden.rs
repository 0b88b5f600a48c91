//! Bits that must be the same on every machine: the small draws, which a library makes.
//!
//! The bulk random numbers are pinned beside their code. Initial parameters and tasks come from
//! `rand_distr`, whose rare tail draws call the platform's logarithm; this notices if they differ.

use icl::model::weights::{LinearAttention, Shape};
use icl::prompts::task::Task;

fn digest(values: &[f64]) -> String {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|x| x.to_bits().to_le_bytes())
        .collect();
    blake3::hash(&bytes).to_hex()[..16].to_owned()
}

#[test]
fn tasks_and_initial_parameters_are_pinned() {
    let tasks: Vec<f64> = (0..1000)
        .flat_map(|seed| Task::random_unit(5, seed).theta().to_vec())
        .collect();
    let models: Vec<f64> = (0..100)
        .flat_map(|seed| {
            let model = LinearAttention::random(Shape::merged(5), 0.05, seed);
            model.expect("a model").params().to_vec()
        })
        .collect();
    assert_eq!(
        (digest(&tasks), digest(&models)),
        ("6e0ab81daa6b696c".to_owned(), "faf893e8aae47498".to_owned())
    );
}
