//! Predictions and gradients of every configuration against slow, plain references.

use crate::written_out::{attend, prompts, shapes};
use icl::math::lanes::Lanes;
use icl::math::linalg;
use icl::math::tolerance;
use icl::math::width::{Fixed, Width};
use icl::model::attention::{Attention, LaneGradient};
use icl::model::effective::Effective;
use icl::model::single_token::SingleToken;
use icl::model::trainable::Trainable;
use icl::model::weights::{LinearAttention, MatrixKind, Shape};
use icl::prompts::data_set::DataSet;
use icl::prompts::gram::PromptGroup;
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::train::batch::{BatchPlan, Part, Reader, Reading, Streams};
use icl::train::fresh::Fresh;
use icl::train::objective::Objective;
use icl::train::replay::Replay;
use icl::train::rows::Rows;
use icl::train::sampled::Source;
use ndarray::s;

/// Matrices of side 5, whose kernels take their width at run time, and of side 7, whose have it compiled in.
const DIMENSIONS: [usize; 2] = [3, 5];

fn model(shape: Shape) -> LinearAttention {
    LinearAttention::random(shape, 0.4, 21).unwrap()
}

#[test]
fn the_gram_form_equals_attention_on_the_prompt() {
    for (d, n) in [(3, 0), (3, 1), (3, 6), (5, 0), (5, 6), (9, 6)] {
        let (prompts, group) = prompts(n, d);
        for shape in shapes(d) {
            let model = model(shape);
            let mut attention = Attention::new(d + 2, shape.n_layers, shape.n_heads);
            let found = attention.forward(d + 2, &model.effective(), &group);
            let mut single = SingleToken::new(d + 2, shape.n_layers, shape.n_heads);
            let alone = single.forward(d + 2, &model.effective(), &group.z);
            for (lane, prompt) in prompts.iter().enumerate() {
                let close = |found: f64, expected: f64| {
                    let gap = (found - expected).abs();
                    assert!(
                        gap < tolerance::ROUNDING * expected.abs().max(1.0),
                        "{shape:?}, n = {n}: {gap}"
                    );
                };
                close(found.0[lane], attend(&model, prompt));
                let query = prompt.slice(s![n.., ..]).to_owned();
                close(alone.0[lane], attend(&model, &query));
            }
        }
    }
}

/// A width that the compiler knows changes the speed and not one bit.
#[test]
fn widths_known_to_the_compiler_give_the_same_bits() {
    let (_, group) = prompts(6, 5);
    let run = |shape: Shape, width: &dyn Fn(&mut Kernels, &Effective) -> [Lanes; 2]| {
        let mut kernels = Kernels {
            attention: Attention::new(7, shape.n_layers, shape.n_heads),
            single: SingleToken::new(7, shape.n_layers, shape.n_heads),
            gradient: LaneGradient::zeros(7, shape.n_layers, shape.n_heads),
            prompts: group.clone(),
        };
        let predictions = width(&mut kernels, &model(shape).effective());
        let mut gradient = Effective::zeros(7, shape.n_layers, shape.n_heads);
        kernels.gradient.reduce_into(&mut gradient);
        (predictions, gradient)
    };
    for shape in shapes(5) {
        let constant = run(shape, &|kernels, model| kernels.pass(Fixed::<7>, model));
        let run_time = run(shape, &|kernels, model| kernels.pass(7_usize, model));
        assert_eq!(constant, run_time, "{shape:?}");
    }
}

struct Kernels {
    attention: Attention,
    single: SingleToken,
    gradient: LaneGradient,
    prompts: PromptGroup,
}

impl Kernels {
    /// Both predictions; adds the gradient of their sum.
    fn pass<W: Width>(&mut self, width: W, model: &Effective) -> [Lanes; 2] {
        let few = self.attention.forward(width, model, &self.prompts);
        self.attention
            .backward(width, model, &self.prompts, Lanes::ONE, &mut self.gradient);
        let zero = self.single.forward(width, model, &self.prompts.z);
        self.single
            .backward(width, model, Lanes::ONE, &mut self.gradient);
        [few, zero]
    }
}

#[test]
fn gradients_equal_finite_differences() {
    for shape in DIMENSIONS.into_iter().flat_map(shapes) {
        let setting = Setting::new(shape.d, 0.1).unwrap();
        let task = Task::random_unit(shape.d, 1);
        let data = DataSet::generate(&setting, &task, 40, 1).unwrap();
        let base = model(shape);
        for (source, objective) in [
            (&Fresh(&setting) as &dyn Source, Objective::FewShot),
            (&Rows(&data), Objective::ZeroShot),
            (&Rows(&data), Objective::ZeroAndFewShot),
            (
                &Replay {
                    target: &Rows(&data),
                    others: &Fresh(&setting),
                },
                Objective::ZeroShotAndReplay { weight: 0.7 },
            ),
        ] {
            // 277 prompts: two blocks, and a last group that is not full.
            let mut batch = source.batches(
                BatchPlan {
                    shape,
                    batch_size: 277,
                    seed: 3,
                    streams: Streams::TRAINING,
                },
                5,
            );
            let weights = objective.weights(1, 4);
            let mut total = |model: &LinearAttention| {
                let reader = Reader {
                    matrices: model.effective(),
                    objective,
                    weights,
                };
                let Reading { loss, gradient } = &batch.read(&[reader], Part::Whole, 1)[0];
                let total = weights.zero_shot * loss.zero_shot + weights.few_shot * loss.few_shot;
                (total, model.pull_back(gradient))
            };
            let (_, gradient) = total(&base);
            let size = linalg::inner(&gradient, &gradient).sqrt().max(1.0);
            let step = tolerance::FINITE_DIFFERENCE_STEP;
            for index in 0..base.params().len() {
                let mut moved = |by: f64| {
                    let mut params = base.params().to_vec();
                    params[index] += by;
                    total(&LinearAttention::from_params(shape, params).unwrap()).0
                };
                let slope = (moved(step) - moved(-step)) / (2.0 * step);
                let gap = (slope - gradient[index]).abs() / size;
                assert!(
                    gap < tolerance::FINITE_DIFFERENCE,
                    "{shape:?} {objective:?} parameter {index}: {slope} {}",
                    gradient[index]
                );
            }
        }
    }
}

/// Every trainable set moves its own matrices and no other.
#[test]
fn trainable_sets_move_only_their_matrices() {
    use icl::train::config::TrainConfig;
    use icl::train::optimizer::OptimizerConfig;
    use icl::train::sampled::train;
    let d = DIMENSIONS[0];
    let setting = Setting::new(d, 0.1).unwrap();
    let all = [
        Trainable::All,
        Trainable::KeyQuery,
        Trainable::Query,
        Trainable::Key,
        Trainable::Value,
        Trainable::ValueAndLabelColumn,
        Trainable::FirstLayerValue,
        Trainable::LastLayerValue,
    ];
    // The matrix that a parametrisation must have.
    let needs = |trainable| match trainable {
        Trainable::All => None,
        Trainable::KeyQuery | Trainable::ValueAndLabelColumn => Some(MatrixKind::KeyQuery),
        Trainable::Query => Some(MatrixKind::Query),
        Trainable::Key => Some(MatrixKind::Key),
        Trainable::Value | Trainable::FirstLayerValue | Trainable::LastLayerValue => {
            Some(MatrixKind::Value)
        }
    };
    for shape in shapes(d).filter(|shape| shape.n_heads < 4) {
        for trainable in all {
            let fits =
                needs(trainable).is_none_or(|kind| shape.parametrization.kinds().contains(&kind));
            let config = TrainConfig {
                steps: 2,
                batch_size: 16,
                n_shots: 4,
                objective: Objective::ZeroAndFewShot,
                trainable,
                optimizer: OptimizerConfig::Sgd {
                    learning_rate: 0.01,
                    momentum: 0.9,
                },
                clip_norm: Some(1.0),
                seed: 0,
            };
            let before = model(shape);
            let run = train(&before, &Fresh(&setting), &config, |_, _| {
                std::ops::ControlFlow::Continue(())
            });
            assert_eq!(run.is_ok(), fits, "{shape:?} {trainable:?}");
            let Ok(after) = run else { continue };
            for (layer, head, kind, _) in shape.matrices() {
                let (first, last) = (layer == 0, layer + 1 == shape.n_layers);
                let allowed = match trainable {
                    Trainable::ValueAndLabelColumn => true,
                    Trainable::FirstLayerValue => kind == MatrixKind::Value && first,
                    Trainable::LastLayerValue => kind == MatrixKind::Value && last,
                    other => needs(other).is_none_or(|only| only == kind),
                };
                let old = before.matrix(layer, head, kind).unwrap();
                let new = after.model.matrix(layer, head, kind).unwrap();
                assert_eq!(old != new, allowed, "{shape:?} {trainable:?} {kind:?}");
                if trainable == Trainable::ValueAndLabelColumn && kind == MatrixKind::KeyQuery {
                    assert_eq!(old.slice(s![.., ..=d]), new.slice(s![.., ..=d]));
                }
                if kind == MatrixKind::Value && last {
                    // Only the last row of the last layer's V reaches the output.
                    assert_eq!(old.slice(s![..=d, ..]), new.slice(s![..=d, ..]));
                }
            }
        }
    }
}
