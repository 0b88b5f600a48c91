//! What large frozen models need: reading on after a kept prefix, and low-rank training in little memory.

use super::{batch, configs, network, parameters, training};
use std::ops::ControlFlow;
use tuning::transformer::adapter::adapt;
use tuning::transformer::decode::{Asked, Continuation, Decoder};
use tuning::transformer::model::batch::{Batch, Read, Target, Tokens};
use tuning::transformer::model::config::{Config, Input};
use tuning::transformer::network::Network;
use tuning::transformer::train::{Ending, Training, Worker, train};
use tuning::transformer::trainable::{LowRank, Subset};

const LOW_RANK: Option<LowRank> = Some(LowRank {
    rank: 2,
    alpha: 4.0,
});

/// Grouped heads, biases, rotary positions, SwiGLU, tied output: as in real models.
fn real() -> Config {
    let is_real =
        |config: &Config| config.layers == 3 && matches!(config.input, Input::Embedding { .. });
    configs().into_iter().find(is_real).unwrap()
}

/// The logits after the last token of a sequence, all of it read at once.
fn whole(network: &Network, parameters: &[f64], tokens: &[u32]) -> Vec<f64> {
    let batch = Batch {
        lengths: vec![tokens.len()],
        tokens: Tokens::Bags {
            entries: tokens.iter().map(|&token| (token, 1.0)).collect(),
            ends: (1..=tokens.len()).collect(),
        },
        reads: vec![Read {
            token: tokens.len() - 1,
            target: Target::Class {
                from: 0,
                to: 1,
                class: 0,
            },
            weight: 0.0,
        }],
    };
    Worker::new(network).predict(parameters, &batch).unwrap()
}

#[test]
fn reading_on_gives_the_bits_of_reading_anew() {
    let network = network(&real());
    let parameters = parameters(&network);
    let tokens = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
    for cuts in [&[11][..], &[1, 10], &[4, 1, 6], &[1; 11]] {
        let mut decoder = Decoder::new(&network, &parameters).unwrap();
        let mut cache = decoder.start();
        let mut at = 0;
        for &count in cuts {
            let logits = decoder.read(&mut cache, &tokens[at..at + count]).unwrap();
            at += count;
            assert_eq!(
                logits,
                whole(&network, &parameters, &tokens[..at]),
                "{cuts:?} at {at}"
            );
        }
        assert_eq!(cache.len(), tokens.len());
    }
}

#[test]
fn scores_are_those_of_whole_sequences() {
    let network = network(&real());
    let parameters = parameters(&network);
    let prefix = [3, 1, 4, 1, 5];
    let continuations: Vec<Continuation> = [&[9, 2, 6][..], &[5, 3], &[5, 8, 9, 7, 9], &[0, 12]]
        .iter()
        .map(|tokens| Continuation {
            tokens: tokens.to_vec(),
            scored_from: 1 + tokens.len() / 4,
        })
        .collect();
    for prefix in [&prefix[..], &[]] {
        let mut decoder = Decoder::new(&network, &parameters).unwrap();
        let mut cache = decoder.start();
        if !prefix.is_empty() {
            decoder.read(&mut cache, prefix).unwrap();
        }
        let scores = decoder
            .score(&[Asked {
                prefix: &cache,
                continuations: &continuations,
            }])
            .unwrap();
        for (one, scores) in continuations.iter().zip(scores) {
            assert_eq!(scores.len(), one.tokens.len() - one.scored_from);
            for (at, score) in (one.scored_from..).zip(scores) {
                let before = [prefix, &one.tokens[..at]].concat();
                let logits = whole(&network, &parameters, &before);
                let sum: f64 = logits.iter().map(|&x| libm::exp(x)).sum();
                let right = one.tokens[at] as usize;
                let expected = logits[right] - libm::log(sum);
                assert!(
                    (score.log_probability - expected).abs() < 1e-12,
                    "{score:?} {expected}"
                );
                let is_first = logits.iter().all(|&x| x <= logits[right]);
                assert_eq!(score.is_first, is_first);
            }
        }
    }
}

/// Texts that are read at once leave what each leaves alone, and continuations of several are scored as of one.
#[test]
fn texts_at_once_are_texts_alone() {
    let network = network(&real());
    let parameters = parameters(&network);
    let texts = [vec![3, 1, 4], vec![], vec![1], vec![5, 9, 2, 6, 5]];
    let continuations: Vec<Continuation> = (0..3)
        .map(|at| Continuation {
            tokens: vec![at, at + 4, 2, 7],
            scored_from: 1 + at as usize,
        })
        .collect();
    let mut decoder = Decoder::new(&network, &parameters).unwrap();
    let caches = decoder.read_each(&texts).unwrap();
    let all: Vec<Asked<'_, f64>> = caches
        .iter()
        .map(|prefix| Asked {
            prefix,
            continuations: &continuations,
        })
        .collect();
    let together = decoder.score(&all).unwrap();
    let mut apart = Vec::new();
    for (text, cache) in texts.iter().zip(&caches) {
        let mut alone = decoder.start();
        if !text.is_empty() {
            decoder.read(&mut alone, text).unwrap();
        }
        assert_eq!(&alone, cache, "{text:?}");
        let one = Asked {
            prefix: &alone,
            continuations: &continuations,
        };
        apart.extend(decoder.score(&[one]).unwrap());
    }
    assert_eq!(together, apart);
}

#[test]
fn threads_do_not_change_scores() {
    let network = network(&real());
    let parameters = parameters(&network);
    let continuations: Vec<Continuation> = (0..9)
        .map(|at| Continuation {
            tokens: vec![at, at + 1, at + 2],
            scored_from: 1,
        })
        .collect();
    let scores = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut decoder = Decoder::new(&network, &parameters).unwrap();
            let mut cache = decoder.start();
            decoder.read(&mut cache, &[7, 7]).unwrap();
            decoder
                .score(&[Asked {
                    prefix: &cache,
                    continuations: &continuations,
                }])
                .unwrap()
        })
    };
    assert_eq!(scores(1), scores(3));
}

#[test]
fn what_cannot_be_read_on_is_told() {
    let linear = network(&Config::linear_attention(5, 1, 1));
    let told = Decoder::new(&linear, &parameters(&linear)).unwrap_err();
    assert_eq!(told, "only a model of token ids can be read on");
    let network = network(&real());
    let parameters = parameters(&network);
    let told = Decoder::new(&network, &parameters[1..]).unwrap_err();
    assert!(told.contains("parameters for a model of"), "{told}");
    let mut decoder = Decoder::new(&network, &parameters).unwrap();
    let mut cache = decoder.start();
    let told = decoder.read(&mut cache, &[13]).unwrap_err();
    assert_eq!(told, "token id 13: the vocabulary has 13");
    let told = decoder.read(&mut cache, &[]).unwrap_err();
    assert_eq!(told, "there are no tokens to read");
    assert!(cache.is_empty());
    for scored_from in [0, 2] {
        let wrong = Continuation {
            tokens: vec![1, 2],
            scored_from,
        };
        assert!(
            decoder
                .score(&[Asked {
                    prefix: &cache,
                    continuations: &[wrong]
                }])
                .is_err()
        );
    }
}

/// Losses and last parameters of a training.
fn path(
    run: impl FnOnce(
        &mut [f64],
        &mut dyn FnMut(usize, Option<f64>, &[f64]) -> ControlFlow<()>,
    ) -> Ending,
    start: &[f64],
) -> (Vec<Option<f64>>, Vec<f64>) {
    let (mut losses, mut last) = (Vec::new(), Vec::new());
    let mut parameters = start.to_vec();
    let ending = run(&mut parameters, &mut |_, loss, parameters| {
        losses.push(loss);
        last = parameters.to_vec();
        ControlFlow::Continue(())
    });
    assert_eq!(ending, Ending::Completed);
    (losses, last)
}

/// The same updates as training with buffers for everything, but for the order in which a batch's parts are added.
#[test]
fn little_memory_trains_the_same_additions() {
    let config = real();
    let network = network(&config);
    let start = parameters(&network);
    for subset in [
        Subset::Attention,
        Subset::Value,
        Subset::Mlp,
        Subset::LastLayerValue,
    ] {
        let training = Training {
            steps: 6,
            ..training(subset, LOW_RANK)
        };
        let of_step = |step| Ok(batch(&config, 9 + step));
        let (ours, after) = path(
            |p, heard| {
                let ending = adapt(&network, p, &training, of_step, heard).unwrap();
                assert_eq!(p, start, "{subset:?}: the pretrained parameters are back");
                ending
            },
            &start,
        );
        let (theirs, expected) = path(
            |p, heard| train(&network, p, &training, of_step, heard).unwrap(),
            &start,
        );
        for (a, b) in ours.iter().zip(&theirs) {
            assert_eq!(a.is_some(), b.is_some());
            assert!(
                (a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-10,
                "{subset:?}: {a:?} {b:?}"
            );
        }
        assert_eq!(ours.len(), theirs.len());
        let off = after
            .iter()
            .zip(&expected)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        assert!(off < 1e-8, "{subset:?}: {off}");
        let moved = start.iter().zip(&after).filter(|(a, b)| a != b).count();
        assert!(moved > 0, "{subset:?}");
    }
}

#[test]
fn threads_do_not_change_a_low_rank_training() {
    let config = real();
    let network = network(&config);
    let start = parameters(&network);
    let training = training(Subset::Attention, LOW_RANK);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let of_step = |step| Ok(batch(&config, 2 + step));
            path(
                |p, heard| adapt(&network, p, &training, of_step, heard).unwrap(),
                &start,
            )
        })
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn a_low_rank_training_without_rank_is_refused() {
    let network = network(&real());
    let mut start = parameters(&network);
    let of_step = |_| Ok(batch(&real(), 1));
    let go = |_: usize, _: Option<f64>, _: &[f64]| ControlFlow::Continue(());
    let told = adapt(
        &network,
        &mut start,
        &training(Subset::Value, None),
        of_step,
        go,
    )
    .unwrap_err();
    assert_eq!(
        told,
        "a frozen model is trained by low-rank additions: state their rank"
    );
}
