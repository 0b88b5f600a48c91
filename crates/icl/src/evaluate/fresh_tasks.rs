//! Monte Carlo test errors of many models on the same prompts.
//!
//! Every model of one call sees the same prompts (common random numbers), drawn by one stream per
//! (seed, task, n, block of [`BLOCK`] prompts); results do not depend on the thread count. Does not
//! know the closed forms.

use crate::math::lane_stream::LaneStream;
use crate::math::lanes::WIDTH;
use crate::math::moments::{Estimate, Moments};
use crate::math::sample::Sample;
use crate::math::simd::{self, Kernel};
use crate::math::spread::{Buckets, Spread};
use crate::math::width::{Fixed, Width};
use crate::model::attention::Attention;
use crate::model::effective::Effective;
use crate::model::head::Head;
use crate::model::weights::{LinearAttention, ModelError};
use crate::prompts::fresh::{FreshSampler, Method, TaskChoice};
use crate::prompts::gram::PromptGroup;
use crate::prompts::setting::Setting;
use crate::prompts::task::Task;
use crate::theory::one_layer::{OneLayerKernel, OneLayerPlan};
use rayon::prelude::*;
use std::fmt;
use std::ops::ControlFlow;

/// Prompts per block. Part of the definition of every result.
pub const BLOCK: usize = 1024;
/// Blocks whose squared errors are held at a time, where their spread is asked for.
const HELD: usize = 256;

/// Which prompts to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluatePlan {
    /// Shots to evaluate at; 0 is the query alone.
    pub n_shots: Vec<usize>,
    /// Fresh prompts for each task, n and seed.
    pub n_prompts: usize,
    /// Results are pooled over the seeds.
    pub seeds: Vec<u64>,
}

/// The estimates of one call, by model, task and position in `n_shots`.
#[derive(Debug, Clone, PartialEq)]
pub struct TestErrors {
    n_tasks: usize,
    n_points: usize,
    estimates: Vec<Estimate>,
    /// Likewise; none where they were not asked for.
    spreads: Vec<Spread>,
}

impl TestErrors {
    /// The mean squared error of a model on a task at `n_shots[point]`, label noise included.
    ///
    /// # Panics
    /// If there is no such model, task or point.
    pub fn get(&self, model: usize, task: usize, point: usize) -> Estimate {
        self.estimates[self.index(model, task, point)]
    }

    /// Where the squared errors of the single prompts lie; none from [`evaluate`].
    ///
    /// # Panics
    /// As [`TestErrors::get`].
    pub fn spread(&self, model: usize, task: usize, point: usize) -> Option<Spread> {
        let index = self.index(model, task, point);
        self.spreads.get(index).copied()
    }

    fn index(&self, model: usize, task: usize, point: usize) -> usize {
        assert!(
            task < self.n_tasks && point < self.n_points,
            "no task {task}, point {point}"
        );
        (model * self.n_tasks + task) * self.n_points + point
    }
}

/// Why an evaluation does not end in estimates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvaluateError {
    Dimension {
        what: &'static str,
        index: usize,
        found: usize,
        expected: usize,
    },
    NoPrompts,
    Stopped,
}

impl fmt::Display for EvaluateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvaluateError::Dimension {
                what,
                index,
                found,
                expected,
            } => write!(
                f,
                "{what} {index}: dimension {found}, but the setting has d = {expected}"
            ),
            EvaluateError::NoPrompts => {
                write!(f, "prompts and seeds: at least 1 of each is needed")
            }
            EvaluateError::Stopped => write!(f, "stopped before the end"),
        }
    }
}

impl std::error::Error for EvaluateError {}

/// Estimates the test error of each model on each task at each n, pooled over the seeds.
///
/// Models with one layer (any heads, merged or separate) take a fast path; if any model is deeper,
/// all take the general one, because they share their prompts. `on_point(done, total)` is called
/// after each (task, n); `Break` stops with [`EvaluateError::Stopped`].
///
/// # Errors
/// Dimensions that differ from the setting's, no prompts or seeds, or a stop.
pub fn evaluate(
    setting: &Setting,
    models: &[&LinearAttention],
    tasks: &[Task],
    plan: &EvaluatePlan,
    on_point: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<TestErrors, EvaluateError> {
    sampled(setting, models, tasks, plan, false, on_point)
}

/// As [`evaluate`], with the spread of the squared errors beside each estimate.
///
/// # Errors
/// As of [`evaluate`].
pub fn evaluate_spread(
    setting: &Setting,
    models: &[&LinearAttention],
    tasks: &[Task],
    plan: &EvaluatePlan,
    on_point: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<TestErrors, EvaluateError> {
    sampled(setting, models, tasks, plan, true, on_point)
}

fn sampled(
    setting: &Setting,
    models: &[&LinearAttention],
    tasks: &[Task],
    plan: &EvaluatePlan,
    keeps: bool,
    mut on_point: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<TestErrors, EvaluateError> {
    check(setting, models, tasks, plan)?;
    let total = tasks.len() * plan.n_shots.len();
    let mut points = Vec::with_capacity(total);
    for (task_index, task) in tasks.iter().enumerate() {
        let reader = Reader::new(setting, models, task);
        for &n_shots in &plan.n_shots {
            points.push(pooled(
                &reader,
                models.len(),
                plan,
                keeps,
                (task_index, n_shots),
            ));
            if on_point(points.len(), total).is_break() {
                return Err(EvaluateError::Stopped);
            }
        }
    }
    let by_model = || (0..models.len()).flat_map(|model| points.iter().map(move |p| (p, model)));
    let estimates =
        by_model().map(|(point, model): (&Pooled, usize)| point.moments[model].estimate());
    let spreads = by_model().filter_map(|(point, model)| point.spreads.get(model).copied());
    Ok(TestErrors {
        n_tasks: tasks.len(),
        n_points: plan.n_shots.len(),
        estimates: estimates.collect(),
        spreads: spreads.collect(),
    })
}

fn check(
    setting: &Setting,
    models: &[&LinearAttention],
    tasks: &[Task],
    plan: &EvaluatePlan,
) -> Result<(), EvaluateError> {
    let expected = setting.d();
    let models = models.iter().map(|model| ("model", model.shape().d));
    let tasks = tasks.iter().map(|task| ("task", task.d()));
    for (index, (what, found)) in models.enumerate().chain(tasks.enumerate()) {
        if found != expected {
            return Err(EvaluateError::Dimension {
                what,
                index,
                found,
                expected,
            });
        }
    }
    if plan.n_prompts == 0 || plan.seeds.is_empty() {
        return Err(EvaluateError::NoPrompts);
    }
    Ok(())
}

/// How the models of one call read the prompts of one task.
enum Reader<'a> {
    OneLayer(OneLayerPlan),
    AnyDepth {
        setting: &'a Setting,
        task: &'a Task,
        models: Vec<Effective>,
    },
}

impl<'a> Reader<'a> {
    fn new(setting: &'a Setting, models: &[&LinearAttention], task: &'a Task) -> Reader<'a> {
        let heads: Result<Vec<Vec<Head>>, ModelError> =
            models.iter().map(|model| model.heads()).collect();
        match heads {
            Ok(heads) => Reader::OneLayer(OneLayerPlan::new(setting, &heads, task)),
            Err(_) => Reader::AnyDepth {
                setting,
                task,
                models: models.iter().map(|model| model.effective()).collect(),
            },
        }
    }

    fn block(
        &self,
        n_shots: usize,
        n_prompts: usize,
        stream: LaneStream,
        keeps: bool,
    ) -> Vec<Sample> {
        match self {
            Reader::OneLayer(plan) => simd::dispatch(OneLayerKernel {
                plan,
                n_shots,
                n_prompts,
                stream,
                keeps,
            }),
            Reader::AnyDepth {
                setting,
                task,
                models,
            } => {
                let choice = TaskChoice::Fixed(task);
                let sampler = FreshSampler::new(setting, n_shots, choice, Method::Fastest);
                simd::dispatch(AnyDepthKernel {
                    models,
                    sampler,
                    d: setting.d(),
                    n_prompts,
                    stream,
                    keeps,
                })
            }
        }
    }
}

/// What is known of every model at one (task, n).
struct Pooled {
    moments: Vec<Moments>,
    /// None where they were not asked for.
    spreads: Vec<Spread>,
}

/// Pools the squared errors over all seeds and blocks of one (task, n).
fn pooled(
    reader: &Reader<'_>,
    n_models: usize,
    plan: &EvaluatePlan,
    keeps: bool,
    (task, n_shots): (usize, usize),
) -> Pooled {
    let n_blocks = plan.n_prompts.div_ceil(BLOCK);
    let sample = |index: usize| {
        let (seed, block) = (plan.seeds[index / n_blocks], index % n_blocks);
        let n_prompts = BLOCK.min(plan.n_prompts - block * BLOCK);
        let name = [task as u64, n_shots as u64, block as u64];
        let stream = LaneStream::new(seed, "evaluation prompts", &name);
        reader.block(n_shots, n_prompts, stream, keeps)
    };
    let mut moments = vec![Moments::new(); n_models];
    let mut buckets = vec![Buckets::new(); if keeps { n_models } else { 0 }];
    let blocks: Vec<usize> = (0..plan.seeds.len() * n_blocks).collect();
    for held in blocks.chunks(HELD) {
        let samples: Vec<Vec<Sample>> = held.par_iter().map(|&index| sample(index)).collect();
        for block in &samples {
            for (total, sample) in moments.iter_mut().zip(block) {
                total.merge(&sample.moments());
            }
        }
        buckets
            .par_iter_mut()
            .enumerate()
            .for_each(|(model, buckets)| {
                let of_model = samples.iter().map(|block| block[model].values());
                of_model.for_each(|values| buckets.extend(values));
            });
    }
    Pooled {
        moments,
        spreads: buckets.iter().map(Buckets::spread).collect(),
    }
}

/// Squared errors of models of any depth on one block of prompts.
struct AnyDepthKernel<'a> {
    models: &'a [Effective],
    sampler: FreshSampler,
    d: usize,
    n_prompts: usize,
    stream: LaneStream,
    keeps: bool,
}

impl Kernel for AnyDepthKernel<'_> {
    type Output = Vec<Sample>;

    #[inline(always)]
    fn run(self) -> Vec<Sample> {
        match self.d + 2 {
            7 => self.run_at(Fixed::<7>),
            width => self.run_at(width),
        }
    }
}

impl AnyDepthKernel<'_> {
    #[inline(always)]
    fn run_at<W: Width>(mut self, width: W) -> Vec<Sample> {
        let mut group = PromptGroup::new(self.d);
        let mut attentions: Vec<Attention> = self
            .models
            .iter()
            .map(|model| Attention::new(model.dim(), model.n_layers(), model.n_heads()))
            .collect();
        let mut samples = vec![Sample::new(self.n_prompts, self.keeps); self.models.len()];
        for start in (0..self.n_prompts).step_by(WIDTH) {
            let active = self.n_prompts - start;
            self.sampler.draw_query(&mut self.stream, &mut group);
            self.sampler
                .draw_context(width, &mut self.stream, &mut group);
            let attentions = attentions.iter_mut();
            for ((model, attention), sample) in self.models.iter().zip(attentions).zip(&mut samples)
            {
                let residual = attention.forward(width, model, &group) - group.y;
                sample.push(residual * residual, active);
            }
        }
        samples
    }
}
