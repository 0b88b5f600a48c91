//! Kind `balance-law`: the weight that full zero-shot training reaches against its prediction.
//!
//! Models trained by SGD come in (three roles with the same labels); runs of descent on the
//! population loss are made here, over a grid of dimensions, noise levels and seeds. Output `runs`:
//! columns `descent` (`sgd`, or a name of `population`), `d`, `noise_var` (null for SGD), `seed` (its
//! label for SGD), `predicted`, `reached`, `relative_gap` = reached/predicted - 1.

use crate::kinds::exchange::model::read_model;
use crate::kinds::exchange::table::{failed, write_table};
use crate::kinds::params::number::{Dimension, NonNegative, Positive};
use crate::kinds::params::seed::Seed;
use crate::kinds::train::population::{self, DescentParams, Start};
use icl::model::head::Head;
use icl::model::trainable::Trainable;
use icl::model::weights::LinearAttention;
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::theory::optima;
use icl::theory::readout;
use icl::train::objective::Objective;
use icl::train::population::PopulationLoss;
use retrace::base::error::{Error, Result};
use retrace::stage::columns::columns;
use retrace::stage::kind::{Io, Role, StageKind, any, read};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tables::table::{Column, Table};

pub struct BalanceLaw;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    dimensions: Vec<Dimension>,
    noise_vars: Vec<NonNegative>,
    seeds: Vec<u64>,
    init_std: Positive,
    pretraining: DescentParams,
    /// Ways to descend on the zero-shot loss, by name.
    population: BTreeMap<String, DescentParams>,
}

struct Run {
    descent: String,
    d: usize,
    noise_var: f64,
    seed: String,
    predicted: f64,
    reached: f64,
}

impl StageKind for BalanceLaw {
    const NAME: &'static str = "balance-law";
    const SOURCE: &'static str = file!();
    const INPUTS: &'static [Role] = &[any("tasks"), any("pretrained"), any("finetuned")];
    const OUTPUTS: &'static [&'static str] = &["runs.parquet"];
    type Params = Params;

    fn columns(output: &str, _params: &Params) -> Option<Vec<String>> {
        match output {
            "runs" => columns(&[
                "descent",
                "d",
                "noise_var",
                "seed",
                "predicted",
                "reached",
                "relative_gap",
            ]),
            _ => None,
        }
    }

    fn run(params: &Params, io: &Io) -> Result<()> {
        let mut runs = learned(io)?;
        let total = (params.dimensions.len() * params.noise_vars.len() * params.seeds.len()) as u64;
        let mut done = 0;
        for &d in &params.dimensions {
            for noise in &params.noise_vars {
                for &seed in &params.seeds {
                    io.progress(done, total, format!("d = {}", d.get()));
                    runs.extend(population_runs(params, io, d, *noise, seed)?);
                    done += 1;
                }
            }
        }
        let floats = |part: fn(&Run) -> f64| Column::Float(runs.iter().map(part).collect());
        let text = |part: fn(&Run) -> &str| {
            Column::Text(runs.iter().map(|run| part(run).to_owned()).collect())
        };
        let table = Table::new(vec![
            ("descent", text(|run| &run.descent)),
            (
                "d",
                Column::Int(runs.iter().map(|run| run.d as i64).collect()),
            ),
            ("noise_var", floats(|run| run.noise_var)),
            ("seed", text(|run| &run.seed)),
            ("predicted", floats(|run| run.predicted)),
            ("reached", floats(|run| run.reached)),
            (
                "relative_gap",
                floats(|run| run.reached / run.predicted - 1.0),
            ),
        ]);
        write_table(io, "runs", table)
    }
}

fn head(model: &LinearAttention) -> Result<Head> {
    model
        .only_head()
        .ok_or_else(|| Error::failed("the balance law is for one layer with one head"))
}

/// The models that came in.
fn learned(io: &Io) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for (label, _) in io.inputs("pretrained") {
        let tuned = || {
            io.inputs("finetuned")
                .iter()
                .map(|(label, _)| label.as_str())
        };
        if !tuned().any(|known| known == label) {
            let message = format!("the input `finetuned` has no `{label}`, which was pretrained");
            return Err(Error::failed(message).suggest(label, tuned()));
        }
    }
    for (label, path) in io.inputs("finetuned") {
        let of = |role: &str| {
            let found = io.inputs(role).iter().find(|(other, _)| other == label);
            found.map(|(_, path)| path.as_path()).ok_or_else(|| {
                let known = io.inputs(role).iter().map(|(label, _)| label.as_str());
                let message = format!("the input `{role}` has no `{label}`, which was fine-tuned");
                Error::failed(message).suggest(label, known)
            })
        };
        let start = head(&read_model(of("pretrained")?)?)?;
        let theta = serde_json::from_slice(&read(of("tasks")?)?).map_err(failed)?;
        let theta0 = Task::new(theta).map_err(failed)?;
        let end = head(&read_model(path)?)?;
        runs.push(Run {
            descent: "sgd".to_owned(),
            d: theta0.d(),
            noise_var: f64::NAN,
            seed: label.clone(),
            predicted: optima::balance_law_weight(&start),
            reached: readout::read(&end, &theta0).w_from_value.abs(),
        });
    }
    Ok(runs)
}

fn population_runs(
    params: &Params,
    io: &Io,
    d: Dimension,
    noise: NonNegative,
    seed: u64,
) -> Result<Vec<Run>> {
    let setting = Setting::new(d.get(), noise.get()).map_err(failed)?;
    let start = Start {
        d,
        init_std: params.init_std,
        seed: Seed::Whole(seed),
    };
    let pretraining = &params.pretraining;
    let (pretrained, _) = population::descend(
        &population::random(&start)?,
        &setting,
        PopulationLoss::Pretraining,
        pretraining.shots.get(),
        &pretraining.descent(Objective::FewShot, Trainable::All),
        io,
    )?;
    let predicted = optima::balance_law_weight(&head(&pretrained)?);
    let theta0 = Task::random_unit(d.get(), seed);
    let mut runs = Vec::new();
    for (name, way) in &params.population {
        let (end, _) = population::descend(
            &pretrained,
            &setting,
            PopulationLoss::Target(&theta0),
            way.shots.get(),
            &way.descent(Objective::ZeroShot, Trainable::All),
            io,
        )?;
        runs.push(Run {
            descent: name.clone(),
            d: d.get(),
            noise_var: noise.get(),
            seed: seed.to_string(),
            predicted,
            reached: readout::read(&head(&end)?, &theta0).w_from_value.abs(),
        });
    }
    Ok(runs)
}
