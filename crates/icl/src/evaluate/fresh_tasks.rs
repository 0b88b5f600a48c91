//! Monte Carlo test errors of many models on the same prompts.
//!
//! Every model of one call sees the same prompts (common random numbers), drawn by one stream per
//! (seed, task, n, block of [`BLOCK`] prompts); results do not depend on the thread count. Does not
//! know the closed forms.

use crate::math::lane_stream::LaneStream;
use crate::math::lanes::{Lanes, WIDTH};
use crate::math::moments::{Estimate, LaneSums, Moments};
use crate::math::simd::{self, Kernel};
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
}

impl TestErrors {
    /// The mean squared error of a model on a task at `n_shots[point]`, label noise included.
    ///
    /// # Panics
    /// If there is no such model, task or point.
    pub fn get(&self, model: usize, task: usize, point: usize) -> Estimate {
        assert!(
            task < self.n_tasks && point < self.n_points,
            "no task {task}, point {point}"
        );
        self.estimates[(model * self.n_tasks + task) * self.n_points + point]
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
    mut on_point: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<TestErrors, EvaluateError> {
    check(setting, models, tasks, plan)?;
    let total = tasks.len() * plan.n_shots.len();
    let mut points = Vec::with_capacity(total);
    for (task_index, task) in tasks.iter().enumerate() {
        let reader = Reader::new(setting, models, task);
        for &n_shots in &plan.n_shots {
            points.push(pooled(&reader, models.len(), plan, task_index, n_shots));
            if on_point(points.len(), total).is_break() {
                return Err(EvaluateError::Stopped);
            }
        }
    }
    let estimates = (0..models.len())
        .flat_map(|model| {
            points
                .iter()
                .map(move |point: &Vec<Moments>| point[model].estimate())
        })
        .collect();
    Ok(TestErrors {
        n_tasks: tasks.len(),
        n_points: plan.n_shots.len(),
        estimates,
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

    fn block(&self, n_shots: usize, n_prompts: usize, stream: LaneStream) -> Vec<LaneSums> {
        match self {
            Reader::OneLayer(plan) => simd::dispatch(OneLayerKernel {
                plan,
                n_shots,
                n_prompts,
                stream,
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
                })
            }
        }
    }
}

/// Moments of every model's squared error over all seeds and blocks of one (task, n).
fn pooled(
    reader: &Reader<'_>,
    n_models: usize,
    plan: &EvaluatePlan,
    task: usize,
    n_shots: usize,
) -> Vec<Moments> {
    let n_blocks = plan.n_prompts.div_ceil(BLOCK);
    let blocks: Vec<Vec<Moments>> = (0..plan.seeds.len() * n_blocks)
        .into_par_iter()
        .map(|index| {
            let (seed, block) = (plan.seeds[index / n_blocks], index % n_blocks);
            let n_prompts = BLOCK.min(plan.n_prompts - block * BLOCK);
            let name = [task as u64, n_shots as u64, block as u64];
            let stream = LaneStream::new(seed, "evaluation prompts", &name);
            let sums = reader.block(n_shots, n_prompts, stream);
            sums.iter()
                .map(|sum| sum.moments(n_prompts as u64))
                .collect()
        })
        .collect();
    let mut pooled = vec![Moments::new(); n_models];
    for block in &blocks {
        for (total, moments) in pooled.iter_mut().zip(block) {
            total.merge(moments);
        }
    }
    pooled
}

/// Squared errors of models of any depth on one block of prompts.
struct AnyDepthKernel<'a> {
    models: &'a [Effective],
    sampler: FreshSampler,
    d: usize,
    n_prompts: usize,
    stream: LaneStream,
}

impl Kernel for AnyDepthKernel<'_> {
    type Output = Vec<LaneSums>;

    #[inline(always)]
    fn run(self) -> Vec<LaneSums> {
        match self.d + 2 {
            7 => self.run_at(Fixed::<7>),
            width => self.run_at(width),
        }
    }
}

impl AnyDepthKernel<'_> {
    #[inline(always)]
    fn run_at<W: Width>(mut self, width: W) -> Vec<LaneSums> {
        let mut group = PromptGroup::new(self.d);
        let mut attentions: Vec<Attention> = self
            .models
            .iter()
            .map(|model| Attention::new(model.dim(), model.n_layers(), model.n_heads()))
            .collect();
        let mut sums = vec![LaneSums::ZERO; self.models.len()];
        for start in (0..self.n_prompts).step_by(WIDTH) {
            let mask = Lanes::first(self.n_prompts - start);
            self.sampler.draw_query(&mut self.stream, &mut group);
            self.sampler
                .draw_context(width, &mut self.stream, &mut group);
            for ((model, attention), sums) in self.models.iter().zip(&mut attentions).zip(&mut sums)
            {
                let residual = attention.forward(width, model, &group) - group.y;
                sums.push(residual * residual, mask);
            }
        }
        sums
    }
}
