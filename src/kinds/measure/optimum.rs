//! Kind `optimum`: test errors of a family of closed-form optima, by Monte Carlo and exactly.
//!
//! Output `curves`: columns `member` (the family's parameter: d or w), `n_shots`, `error`,
//! `std_error`, `prompts`, `exact`. Members of one dimension see the same prompts.

use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::measure::sampling::{self, Seeds};
use crate::kinds::params::number::{Count, Dimension, NonNegative, Positive, ShotRange};
use crate::kinds::params::seed::Seed;
use icl::model::head::Head;
use icl::model::weights::LinearAttention;
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::theory::optima;
use icl::theory::risk;
use retrace::base::error::Result;
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tables::table::{Column, Table};

pub struct Optimum;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    family: Family,
    noise_var: NonNegative,
    shots: ShotRange,
    /// Prompts for each member, number of shots and seed.
    prompts: Count,
    seeds: Seeds,
    /// The task is the random unit task of this seed.
    task_seed: Seed,
}

/// Which optima.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Family {
    /// Q[x,x] = a I with a = m/(m+1+d), one member for each d.
    Pretrained {
        dimensions: Vec<Dimension>,
        pretrain_shots: Count,
    },
    /// The full zero-shot optimum vx = w theta0, Q00 = 1/w, one member for each w.
    ZeroShot {
        d: Dimension,
        weights: Vec<Positive>,
    },
    /// The value-only zero-shot optimum vx = theta0/(d+4), vy = w, one member for each w.
    ValueOnly {
        d: Dimension,
        weights: Vec<Positive>,
    },
}

/// Members that share a task, and so their prompts: the parameter and the head of each.
struct Batch {
    task: Task,
    members: Vec<(f64, Head)>,
}

impl Family {
    fn batches(&self, task_seed: u64) -> Vec<Batch> {
        let batch = |d: Dimension, members: &dyn Fn(&Task) -> Vec<(f64, Head)>| {
            let task = Task::random_unit(d.get(), task_seed);
            Batch {
                members: members(&task),
                task,
            }
        };
        let by_weight = |d: Dimension, weights: &[Positive], head: fn(&Task, f64) -> Head| {
            let member = |task: &Task, w: &Positive| (w.get(), head(task, w.get()));
            batch(d, &|task| weights.iter().map(|w| member(task, w)).collect())
        };
        match self {
            Family::Pretrained {
                dimensions,
                pretrain_shots,
            } => dimensions
                .iter()
                .map(|&d| {
                    let a = optima::authors_pretraining_scale(d.get(), pretrain_shots.get());
                    batch(d, &|_| {
                        vec![(d.get() as f64, optima::pretrained_head(d.get(), a))]
                    })
                })
                .collect(),
            Family::ZeroShot { d, weights } => {
                vec![by_weight(*d, weights, optima::zero_shot_head)]
            }
            Family::ValueOnly { d, weights } => {
                vec![by_weight(*d, weights, optima::value_only_head)]
            }
        }
    }
}

impl StageKind for Optimum {
    const NAME: &'static str = "optimum";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[];
    const OUTPUTS: &'static [&'static str] = &["curves.parquet"];
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "curves" => columns(&[
                "member",
                "n_shots",
                "error",
                "std_error",
                "prompts",
                "exact",
            ]),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let plan = sampling::plan(params.shots, params.prompts, &params.seeds);
        let batches = params.family.batches(params.task_seed.get());
        let (mut member, mut n_shots, mut prompts) = (Vec::new(), Vec::new(), Vec::new());
        let (mut error, mut std_error, mut exact) = (Vec::new(), Vec::new(), Vec::new());
        for (b, Batch { task, members }) in batches.iter().enumerate() {
            let setting = Setting::new(task.d(), params.noise_var.get()).map_err(failed)?;
            let models: Vec<LinearAttention> = members
                .iter()
                .map(|(_, head)| LinearAttention::from_head(head))
                .collect();
            let references: Vec<&LinearAttention> = models.iter().collect();
            let tasks = std::slice::from_ref(task);
            let part = (b, batches.len());
            let errors = sampling::evaluate(io, &setting, &references, tasks, &plan, part)?;
            for (m, (parameter, head)) in members.iter().enumerate() {
                for (p, &n) in plan.n_shots.iter().enumerate() {
                    let estimate = errors.get(m, 0, p);
                    member.push(*parameter);
                    n_shots.push(n as i64);
                    error.push(estimate.mean);
                    std_error.push(estimate.std_error);
                    prompts.push(estimate.n as i64);
                    exact.push(risk::test_error(&setting, head, task, n).map_err(failed)?);
                }
            }
        }
        let table = Table::new(vec![
            ("member", Column::Float(member)),
            ("n_shots", Column::Int(n_shots)),
            ("error", Column::Float(error)),
            ("std_error", Column::Float(std_error)),
            ("prompts", Column::Int(prompts)),
            ("exact", Column::Float(exact)),
        ]);
        write_table(io, "curves", table)
    }
}
