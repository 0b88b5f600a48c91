//! Where a change of V acts, against the network's own predictions, and along a training against fine-tuning itself.

use icl::math::stream::Stream;
use icl::math::tensor::float::Float;
use icl::prompts::task::Task;
use std::ops::ControlFlow;
use tuning::bridge::explain::{Split, change_norm};
use tuning::bridge::explained_path::explained_path;
use tuning::bridge::regression::Regression;
use tuning::forgetting::paths::finetune;
use tuning::forgetting::variant::{Objective, Variant};
use tuning::forgetting::world::World;
use tuning::transformer::model::config::{Attention, Config, HeadOutput, Input, Kernel, Output};
use tuning::transformer::model::layout::Role;
use tuning::transformer::model::parameters::{Init, initial};
use tuning::transformer::network::Network;
use tuning::transformer::optimizer::{Decay, Optimizer, Schedule};
use tuning::transformer::train::{Ending, Training, Worker};
use tuning::transformer::trainable::Subset;

fn world(first_token: bool) -> Regression {
    Regression {
        target: Task::random_unit(3, 1),
        noise_std: 0.3,
        shots: 5,
        first_token,
        seed: 1,
        prompts: 8,
        measured: 9,
    }
}

/// Softmax with shared heads of values, biases and O.
fn softmax(features: usize) -> Config {
    Config {
        input: Input::Linear { features },
        width: 8,
        layers: 1,
        attention: Attention {
            kernel: Kernel::Softmax,
            causal: true,
            heads: 4,
            key_value_heads: 2,
            head_size: 2,
            bias: true,
            output: HeadOutput::Projection { bias: true },
            rope: Some(100.0),
        },
        norm: None,
        mlp: None,
        output: Output::Separate { size: 1 },
    }
}

/// Random parameters, no tensor zero, and the same with another V.
fn parameters(network: &Network) -> (Vec<f64>, Vec<f64>) {
    let mut before: Vec<f64> = initial(network.layout(), Init::Normal { std: 0.5 }, 2);
    let mut stream = Stream::new(3, "test", &[]);
    for x in &mut before {
        *x += 0.3 * stream.normal();
    }
    let mut after = before.clone();
    for tensor in network.layout().tensors() {
        if tensor.role == Role::Value {
            for x in &mut after[tensor.range()] {
                *x += stream.normal();
            }
        }
    }
    (before, after)
}

fn contributions_sum_to_the_difference(config: Config, world: &Regression) {
    let network = Network::new(config).expect("a network");
    let (before, after) = parameters(&network);
    let mut worker = Worker::new(&network);
    for measure in world.measures().expect("measures") {
        let batch = &measure.batch;
        let split = Split::new(&network, &before, batch, world.first_token).expect("a split");
        let change = split.change(&after).expect("V alone differs");
        let old = worker.predict(&before, batch).expect("predictions");
        let new = worker.predict(&after, batch).expect("predictions");
        assert_eq!(change.contributions.len(), 9);
        for (of, (old, new)) in change.contributions.iter().zip(old.iter().zip(&new)) {
            let (sum, difference) = (of.iter().sum::<f64>(), new - old);
            let scale = of.iter().map(|x| x.abs()).sum::<f64>() + old.abs();
            assert!(difference.abs() > 1e-6, "V changes nothing");
            assert!(
                (sum - difference).abs() <= 1e-12 * scale,
                "{sum} {difference}"
            );
        }
        let error = |parameters: &[f64], worker: &mut Worker<'_, f64>| {
            measure.error(worker, parameters).expect("an error")
        };
        for (acts, parameters) in [([false; 3], &before), ([true; 3], &after)] {
            let (one, other) = (change.error(acts), error(parameters, &mut worker));
            assert!((one - other).abs() <= 1e-12 * other, "{one} {other}");
        }
    }
}

#[test]
fn contributions_are_the_networks_own_change() {
    for first_token in [false, true] {
        let world = world(first_token);
        let features = world.features();
        contributions_sum_to_the_difference(softmax(features), &world);
        let mut linear = softmax(features);
        linear.attention.kernel = Kernel::Linear;
        linear.attention.causal = false;
        contributions_sum_to_the_difference(linear, &world);
        contributions_sum_to_the_difference(Config::linear_attention(features, 1, 2), &world);
    }
}

#[test]
fn a_lone_query_changes_by_itself() {
    let world = world(false);
    let network = Network::new(softmax(world.features())).expect("a network");
    let (before, after) = parameters(&network);
    let lone = &world.measures().expect("measures")[0];
    assert_eq!(lone.shots, 0);
    let split = Split::new(&network, &before, &lone.batch, false).expect("a split");
    assert_eq!(split.attention(), [0.0, 0.0, 1.0]);
    let change = split.change(&after).expect("V alone differs");
    for (of, alone) in change.contributions.iter().zip(&change.alone) {
        assert_eq!(of[..2], [0.0, 0.0]);
        assert!(
            (of[2] - alone).abs() <= 1e-12 * of[2].abs(),
            "{of:?} {alone}"
        );
        assert!(of[2].abs() > 1e-6);
    }
    assert_eq!(change.mean_square()[..2], [0.0, 0.0]);
    assert_eq!(change.error([true, true, false]), change.error([false; 3]));
}

/// A change of V that the tokens' embeddings see only through this feature: it vanishes on what lacks the feature.
fn seen_through(feature: usize, network: &Network, before: &[f64], features: usize) -> Vec<f64> {
    let width = network.config().width;
    let tensor = |role| {
        let mut all = network.layout().tensors().iter();
        all.find(|tensor| tensor.role == role)
            .expect("a tensor")
            .range()
    };
    let embedding = &before[tensor(Role::Embedding)];
    let column = |at: usize| (0..width).map(move |row| embedding[row * features + at]);
    let others = (0..features).filter(|&other| other != feature);
    // The part of the feature's column that is orthogonal to all others.
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for at in others.chain([feature]) {
        let mut rest: Vec<f64> = column(at).collect();
        for _ in 0..2 {
            for one in &basis {
                let along: f64 = one.iter().zip(&rest).map(|(a, b)| a * b).sum();
                rest.iter_mut().zip(one).for_each(|(x, b)| *x -= along * b);
            }
        }
        let norm = rest.iter().map(|x| x * x).sum::<f64>().sqrt();
        basis.push(rest.iter().map(|x| x / norm).collect());
    }
    let direction = basis.pop().expect("the feature's own");
    let mut after = before.to_vec();
    let value = network.layout().tensors().iter();
    let value = value.filter(|tensor| tensor.role == Role::Value && tensor.columns.is_some());
    for row in value
        .flat_map(|tensor| tensor.range())
        .collect::<Vec<_>>()
        .chunks(width)
    {
        for (&at, x) in row.iter().zip(&direction) {
            after[at] += x;
        }
    }
    after
}

/// The first token alone has the last feature, and it lacks the first, which all others have; labels, the last but
/// one, are those of examples.
#[test]
fn groups_are_what_they_say() {
    let world = world(true);
    let features = world.features();
    let network = Network::new(softmax(features)).expect("a network");
    let (before, _) = parameters(&network);
    for measure in world.measures().expect("measures") {
        let split = Split::new(&network, &before, &measure.batch, true).expect("a split");
        let [first, examples, query] = split.attention();
        assert!(first > 0.0 && query > 0.0);
        assert!((first + examples + query - 1.0).abs() < 1e-12);
        assert_eq!(examples > 0.0, measure.shots > 0);
        let with_examples = measure.shots > 0;
        for (feature, acts) in [
            (features - 1, [true, false, false]),
            (features - 2, [false, with_examples, false]),
            (0, [false, with_examples, true]),
        ] {
            let after = seen_through(feature, &network, &before, features);
            let change = split.change(&after).expect("V alone differs");
            for (group, acts) in acts.into_iter().enumerate() {
                let square = change.mean_square()[group];
                assert_eq!(square > 1e-12, acts, "{feature} {group} {square}");
            }
        }
    }
}

#[test]
fn the_norm_is_relative() {
    let network = Network::new(softmax(6)).expect("a network");
    let (before, _) = parameters(&network);
    let mut after = before.clone();
    for tensor in network.layout().tensors() {
        if tensor.role == Role::Value {
            after[tensor.range()].iter_mut().for_each(|x| *x *= 1.5);
        }
    }
    let norm = change_norm(&network, &before, &after).expect("V alone differs");
    assert!((norm - 0.5).abs() < 1e-12, "{norm}");
}

#[test]
fn refuses_what_does_not_split() {
    let world = world(true);
    let batch = world.zero_shot(0).expect("prompts");
    let mut two = softmax(world.features());
    two.layers = 2;
    let network = Network::new(two).expect("a network");
    let (before, _) = parameters(&network);
    let refused = Split::new(&network, &before, &batch, true).expect_err("two layers");
    assert!(refused.contains("2 layers"), "{refused}");

    let network = Network::new(softmax(world.features())).expect("a network");
    let (before, mut after) = parameters(&network);
    let split = Split::new(&network, &before, &batch, true).expect("a split");
    after[0] += 1.0;
    let refused = split.change(&after).expect_err("the embedding differs");
    assert!(refused.contains("model.embed_tokens.weight"), "{refused}");
    assert!(split.change(&after[1..]).is_err());

    let mut elsewhere = batch.clone();
    elsewhere.reads[0].token -= 1;
    assert!(Split::new(&network, &before, &elsewhere, true).is_err());
}

/// The same prompts, updates and errors as the variant ZS (V) of fine-tuning, in both precisions.
fn path_is_that_of_finetuning<T: Float>(tolerance: f64) {
    let world = world(true);
    let network = Network::new(softmax(world.features())).expect("a network");
    let (before, _) = parameters(&network);
    let pretrained: Vec<T> = before.iter().map(|&x| T::from_f64(x)).collect();
    let measures = world.measures().expect("measures");
    let training = Training {
        steps: 30,
        optimizer: Optimizer::AdamW {
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.0,
        },
        schedule: Schedule {
            learning_rate: 0.01,
            warmup: 0,
            decay: Decay::Linear,
        },
        clip_norm: Some(1.0),
        subset: Subset::Everything,
        low_rank: None,
        seed: 1,
    };
    let stops = [0, 7, 30];
    let variant = Variant {
        name: "zs_v".into(),
        objective: Objective::ZeroShot,
        subset: Subset::Value,
        low_rank: None,
        between: None,
    };
    let mut go_on = |_, _| ControlFlow::Continue(());
    let path = finetune(
        &network,
        &pretrained,
        &world,
        &measures,
        &variant,
        &training,
        &stops,
        &mut go_on,
    )
    .expect("a path");
    let explained = explained_path(
        &network,
        &pretrained,
        &world,
        true,
        &measures,
        &training,
        &stops,
        &mut go_on,
    )
    .expect("explained");
    assert_eq!(explained.ending, Ending::Completed);
    assert_eq!(explained.checkpoints.len(), stops.len());
    for (one, other) in explained.checkpoints.iter().zip(&path.checkpoints) {
        assert_eq!(one.step, other.step);
        assert_eq!(one.change_norm > 0.0, one.step > 0);
        for (change, error) in one.changes.iter().zip(&other.errors) {
            let found = change.error([true; 3]);
            assert!(
                (found - error).abs() <= tolerance * error,
                "{found} {error}"
            );
        }
    }
    let [first, last] = [0, 2].map(|at| path.checkpoints[at].errors[0]);
    assert!(last < 0.9 * first, "nothing was learned: {first} {last}");
}

#[test]
fn a_path_is_that_of_finetuning() {
    path_is_that_of_finetuning::<f64>(1e-12);
    path_is_that_of_finetuning::<f32>(1e-5);
}
