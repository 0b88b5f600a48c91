//! Models of six seeds, trained on the exact loss, and what is measured of them. Knows no claim.

use crate::mended::sketch::run;
use icl::model::head::Head;
use icl::model::trainable::Trainable;
use icl::model::weights::{LinearAttention, Shape};
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::theory::measures::{self, Measures};
use icl::train::descent::Descent;
use icl::train::objective::Objective;
use icl::train::optimizer::OptimizerConfig;
use icl::train::population::{PopulationLoss, train_population};
use icl_repro::kinds::exchange::model;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};
use std::ops::ControlFlow;
use std::sync::OnceLock;

pub const SHOTS: usize = 20;
pub const SEEDS: u64 = 6;

/// The target task and the models of a seed.
#[derive(Clone)]
pub struct Seed {
    pub theta0: Task,
    pub models: Vec<(String, Head)>,
}

impl Seed {
    pub fn model(&mut self, name: &str) -> &mut Head {
        let found = self.models.iter_mut().find(|(known, _)| known == name);
        &mut found.unwrap_or_else(|| panic!("no model {name}")).1
    }
}

pub fn setting() -> Setting {
    Setting::new(5, 0.1).expect("the defaults")
}

pub fn train(
    start: &LinearAttention,
    loss: PopulationLoss<'_>,
    objective: Objective,
    trainable: Trainable,
) -> LinearAttention {
    let descent = Descent {
        steps: 5_000,
        objective,
        trainable,
        optimizer: OptimizerConfig::Sgd {
            learning_rate: 0.01,
            momentum: 0.9,
        },
        clip_norm: Some(1.0),
    };
    let go_on = |_, _| ControlFlow::Continue(());
    let run = train_population(start, &setting(), loss, SHOTS, &descent, go_on);
    run.expect("it trains").model
}

pub fn head(model: &LinearAttention) -> Head {
    model.heads().expect("one layer").remove(0)
}

fn seed(seed: u64) -> Seed {
    let theta0 = Task::random_unit(5, seed);
    let start = LinearAttention::random(Shape::merged(5), 0.05, seed).expect("a model");
    let (few, all) = (Objective::FewShot, Trainable::All);
    let pretrained = train(&start, PopulationLoss::Pretraining, few, all);
    // What sampling noise leaves of v0 and vx: key-query training starts to grow from it.
    let mut residual = head(&pretrained).v().to_vec();
    let noise = LinearAttention::random(Shape::merged(5), 0.003, seed).expect("noise");
    let noise = head(&noise);
    (0..6).for_each(|i| residual[i] += noise.v()[i]);
    let residual = Head::new(residual, head(&pretrained).q().to_owned()).expect("finite");
    let residual = LinearAttention::from_head(&residual);
    let (target, random) = (
        PopulationLoss::Target(&theta0),
        PopulationLoss::Replay(&theta0),
    );
    let (zs, both) = (Objective::ZeroShot, Objective::ZeroAndFewShot);
    let replay = Objective::ZeroShotAndReplay { weight: 1.0 };
    let (value, kq) = (Trainable::Value, Trainable::KeyQuery);
    let mut models = vec![("pretrained".to_owned(), head(&pretrained))];
    for (name, start, loss, objective, trainable) in [
        ("zs", &pretrained, target, zs, all),
        ("both", &pretrained, target, both, all),
        ("zs_kq", &residual, target, zs, kq),
        ("both_kq", &residual, target, both, kq),
        ("zs_v", &pretrained, target, zs, value),
        ("both_v", &pretrained, target, both, value),
        ("replay_v", &pretrained, random, replay, value),
        (
            "replay_vl",
            &pretrained,
            random,
            replay,
            Trainable::ValueAndLabelColumn,
        ),
        ("replay", &pretrained, random, replay, all),
    ] {
        let model = train(start, loss, objective, trainable);
        models.push((name.to_owned(), head(&model)));
    }
    let mut seed = Seed { theta0, models };
    let value_only = seed.model("zs_v").clone();
    let corrected = corrected(&seed.theta0, &value_only);
    seed.models.push(("corrected".to_owned(), corrected));
    seed
}

/// By the stage that corrects.
fn corrected(theta0: &Task, value_only: &Head) -> Head {
    let task = serde_json::to_vec(theta0.theta()).expect("JSON");
    let plain = model::to_bytes(&LinearAttention::from_head(value_only), None);
    let given = vec![
        ("task".to_owned(), String::new(), task),
        ("finetuned".to_owned(), String::new(), plain.expect("bytes")),
    ];
    let params = format!("{{noise_var: 0.1, shots: {SHOTS}}}");
    let made = run("label-column", &params, &given).expect("a model");
    let file = serde_json::from_slice(&made.files["model"]).expect("a model file");
    let corrected = model::from_file(&file).expect("a model").only_head();
    corrected.expect("one head")
}

pub fn seeds() -> &'static [Seed] {
    static SEEDS_ONCE: OnceLock<Vec<Seed>> = OnceLock::new();
    SEEDS_ONCE.get_or_init(|| (0..SEEDS).into_par_iter().map(seed).collect())
}

/// What `measure` says of the models of seed `number`, which may have been changed. Those that are
/// models of the sound seed, by whatever name, are measured once.
pub fn measured(number: usize, seed: &Seed) -> Measures {
    static SOUND: OnceLock<Vec<Vec<Measures>>> = OnceLock::new();
    let sound = SOUND.get_or_init(|| {
        let each = |seed: &Seed| {
            let models = seed.models.iter();
            models.map(|(_, head)| of(&seed.theta0, head)).collect()
        };
        let seeds: Vec<&Seed> = seeds().iter().collect();
        seeds.into_par_iter().map(each).collect()
    });
    let mut all = Measures::default();
    for (name, head) in &seed.models {
        let known = seeds()[number].models.iter();
        let known = known.zip(&sound[number]).find(|((_, h), _)| h == head);
        let mut found = match known {
            Some((_, measures)) => measures.clone(),
            None => of(&seed.theta0, head),
        };
        found
            .errors
            .iter_mut()
            .for_each(|e| e.model.clone_from(name));
        found
            .values
            .iter_mut()
            .for_each(|v| v.model.clone_from(name));
        all.errors.append(&mut found.errors);
        all.values.append(&mut found.values);
    }
    all
}

fn of(theta0: &Task, head: &Head) -> Measures {
    let mut shots: Vec<usize> = (0..=40).collect();
    shots.extend([100, 1000, 10_000, 1_000_000]);
    let models = [(String::new(), vec![head.clone()])];
    measures::measure(&setting(), theta0, &models, SHOTS, &shots).expect("one d")
}
