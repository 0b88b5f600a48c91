//! Evidence for the claims of pipeline.yaml: models trained on the exact loss, six seeds, and made-up
//! tables of what is sampled. A claim that reads another table needs it here.

use icl::model::head::Head;
use icl::model::trainable::Trainable;
use icl::model::weights::{LinearAttention, Shape};
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::theory::measures::{self, Measures};
use icl::theory::points::{self, TheoryPoints};
use icl::train::descent::Descent;
use icl::train::objective::Objective;
use icl::train::optimizer::OptimizerConfig;
use icl::train::population::{PopulationLoss, train_population};
use icl_repro::kinds::claims::claim::{Claim, Confidence, Decided};
use icl_repro::kinds::claims::decide;
use icl_repro::kinds::claims::forms;
use icl_repro::kinds::claims::query::evidence::{Cells, Evidence, Named, Part};
use icl_repro::kinds::exchange::measures::{error_table, value_table};
use icl_repro::kinds::measure::closed_forms::{limits, minimisers, thresholds};
use icl_repro::registry;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};
use retrace::resolve::stages::Pipeline;
use retrace::spec::file::Spec;
use retrace::spec::settings::Settings;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::OnceLock;
use tables::table::{Column, Table};

const SHOTS: usize = 20;
const SEEDS: u64 = 6;

/// The target task and the models of a seed.
#[derive(Clone)]
pub struct Seed {
    pub theta0: Task,
    pub models: Vec<(String, Head)>,
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
    let target = PopulationLoss::Target(&theta0);
    let (zs, both) = (Objective::ZeroShot, Objective::ZeroAndFewShot);
    let (value, kq) = (Trainable::Value, Trainable::KeyQuery);
    let mut models = vec![("pretrained".to_owned(), head(&pretrained))];
    for (name, start, objective, trainable) in [
        ("zs", &pretrained, zs, all),
        ("both", &pretrained, both, all),
        ("zs_kq", &residual, zs, kq),
        ("both_kq", &residual, both, kq),
        ("zs_v", &pretrained, zs, value),
        ("both_v", &pretrained, both, value),
    ] {
        let model = train(start, target, objective, trainable);
        models.push((name.to_owned(), head(&model)));
    }
    Seed { theta0, models }
}

pub fn seeds() -> &'static [Seed] {
    static SEEDS_ONCE: OnceLock<Vec<Seed>> = OnceLock::new();
    SEEDS_ONCE.get_or_init(|| (0..SEEDS).into_par_iter().map(seed).collect())
}

fn measured(seed: &Seed) -> Measures {
    let mut shots: Vec<usize> = (0..=40).collect();
    shots.extend([100, 1000, 10_000, 1_000_000]);
    let models = seed.models.iter();
    let models: Vec<_> = models
        .map(|(name, head)| (name.clone(), vec![head.clone()]))
        .collect();
    measures::measure(&setting(), &seed.theta0, &models, SHOTS, &shots).expect("one d")
}

/// A model's error and accuracy on the target without shots, then with 20 on the target, on the
/// flipped target, and on unseen pairs.
pub type OnDigits = (&'static str, [(f64, f64); 4]);

/// About what the digits give.
pub const DIGITS: [OnDigits; 5] = [
    (
        "pretrained",
        [(1.1, 0.5), (0.3, 0.95), (0.3, 0.95), (0.3, 0.95)],
    ),
    ("zs", [(0.07, 0.99), (3.0, 0.2), (1.2, 0.34), (1.5, 0.54)]),
    (
        "both",
        [(0.07, 0.99), (0.16, 0.98), (5.0, 0.93), (1.8, 0.59)],
    ),
    (
        "zs_v",
        [(0.26, 0.98), (0.5, 0.94), (0.44, 0.935), (0.42, 0.93)],
    ),
    (
        "both_v",
        [(0.26, 0.98), (0.25, 0.94), (1.1, 0.5), (0.56, 0.85)],
    ),
];

/// Twelve targets at each dimension, a little apart from each other; on three splits, where pipeline.yaml
/// has splits.
fn digits(models: &[OnDigits], labels: &[String]) -> Named {
    let places = [
        ("target", 0),
        ("target", 20),
        ("flipped", 20),
        ("unseen", 20),
    ];
    let rows = models.len() * places.len();
    let of_target = |shift: usize| {
        let (mut model, mut task, mut shots) = (Vec::new(), Vec::new(), Vec::new());
        let (mut error, mut accuracy) = (Vec::new(), Vec::new());
        for (k, (name, values)) in models.iter().enumerate() {
            for ((on, n_shots), (e, a)) in places.into_iter().zip(values) {
                let apart = ((shift + k) % 3) as f64 - 1.0;
                model.push((*name).to_owned());
                task.push(on.to_owned());
                shots.push(n_shots);
                error.push(e * (1.0 + 0.01 * apart));
                accuracy.push(a + 0.002 * apart);
            }
        }
        let table = Table::new(vec![
            ("model", Column::Text(model)),
            ("task", Column::Text(task)),
            ("n_shots", Column::Int(shots)),
            ("error", Column::Float(error)),
            ("accuracy", Column::Float(accuracy)),
            ("prompts", Column::Int(vec![1024; rows])),
        ]);
        table.expect("columns of one length")
    };
    let has_splits = labels.iter().any(|label| label == "split");
    let mut files = Vec::new();
    for d in ["4", "8", "16"] {
        for split in 0..if has_splits { 3 } else { 1 } {
            for target in 0..12 {
                let label = |name: &String| match name.as_str() {
                    "d" => d.to_owned(),
                    "split" => split.to_string(),
                    "target" => format!("t{target}"),
                    other => panic!("what is the label `{other}` of the digits?"),
                };
                let labels: Vec<String> = labels.iter().map(label).collect();
                files.push((labels, of_target(target + split)));
            }
        }
    }
    named("digits", labels, files)
}

/// A table of files with labels.
fn named(name: &str, labels: &[String], files: Vec<(Vec<String>, Table)>) -> Named {
    let mut parts = Vec::new();
    for (labels, table) in &files {
        parts.push(Part {
            labels: labels.iter().map(String::as_str).collect(),
            table: table.clone(),
        });
    }
    Named::new(name, labels, &parts).unwrap_or_else(|e| panic!("{e}"))
}

/// Estimates two standard errors off.
fn sampled() -> Table {
    let exact = [0.3, 1.4];
    let float = |values: [f64; 2]| Column::Float(values.to_vec());
    let table = Table::new(vec![
        ("n_shots", Column::Int(vec![1, 2])),
        ("error", float(exact.map(|exact| exact + 0.002))),
        ("std_error", float([0.001; 2])),
        ("exact", float(exact)),
    ]);
    table.expect("columns of one length")
}

/// Models as `change` leaves them.
pub fn evidence(change: impl Fn(&mut Seed)) -> Evidence {
    evidence_of(change, &points::exact(&setting()).expect("one d"), &DIGITS)
}

/// The same with other points of theory and other digits.
pub fn evidence_of(
    change: impl Fn(&mut Seed),
    points: &TheoryPoints,
    on_digits: &[OnDigits],
) -> Evidence {
    let ledger = ledger();
    let labels = |name: &str| ledger.labels.get(name).cloned().unwrap_or_default();
    let mut seeds = seeds().to_vec();
    seeds.iter_mut().for_each(change);
    let measured: Vec<Measures> = seeds.iter().map(measured).collect();
    let of_seeds = |name: &str, table: &dyn Fn(&Measures) -> Table| {
        let files = measured.iter().enumerate();
        let files = files.map(|(seed, measures)| (vec![seed.to_string()], table(measures)));
        named(name, &["seed".to_owned()], files.collect())
    };
    let alone = |name: &str, table: Table| named(name, &[], vec![(Vec::new(), table)]);
    let families = ["pretrained", "zero_shot", "value_only"];
    let families = families.map(|family| (vec![family.to_owned()], sampled()));
    Evidence {
        tables: vec![
            of_seeds("errors", &|m| error_table(&m.errors).expect("a table")),
            of_seeds("values", &|m| value_table(&m.values).expect("a table")),
            digits(on_digits, &labels("digits")),
            alone("sampled", sampled()),
            named("optima", &labels("optima"), families.to_vec()),
            alone("thresholds", thresholds(points).expect("a table")),
            alone(
                "minimisers",
                minimisers(points, &setting()).expect("a table"),
            ),
            alone("limits", limits(points).expect("a table")),
        ],
        constants: forms::values(&setting(), SHOTS),
    }
}

/// The params of the stage `claims`.
pub struct Ledger {
    pub claims: Vec<Claim>,
    pub confidence: Confidence,
    pub labels: BTreeMap<String, Vec<String>>,
    pub random: Vec<String>,
}

/// As pipeline.yaml has it.
pub fn ledger() -> Ledger {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pipeline.yaml");
    let text = std::fs::read_to_string(path).expect("the pipeline");
    let spec = Spec::parse("pipeline.yaml", &text).expect("a spec");
    let pipeline = Pipeline::resolve(spec, &registry::kinds(), &Settings::default());
    let pipeline = pipeline.unwrap_or_else(|e| panic!("{e}"));
    let stage = pipeline.stages.iter().find(|stage| stage.id == "claims");
    let params = stage.expect("the claims").job.params();
    let read = |name: &str| params[name].clone();
    Ledger {
        claims: serde_json::from_value(read("claims")).expect("claims"),
        confidence: serde_json::from_value(read("confidence")).expect("a confidence"),
        labels: serde_json::from_value(read("labels")).expect("labels"),
        random: serde_json::from_value(read("random")).expect("names"),
    }
}

/// What the claims come to.
pub fn decide(evidence: &Evidence) -> Vec<Decided> {
    let Ledger {
        claims,
        confidence,
        random,
        ..
    } = ledger();
    decide::decide(&claims, confidence, &random, evidence).unwrap_or_else(|e| panic!("{e}"))
}

/// The floats of a column of a table, to be changed.
pub fn column<'a>(evidence: &'a mut Evidence, table: &str, column: &str) -> &'a mut Vec<f64> {
    let table = evidence.tables.iter_mut().find(|found| found.name == table);
    let mut columns = table.expect("known").columns.iter_mut();
    match columns.find(|(name, _)| name == column) {
        Some((_, Cells::Float(values))) => values,
        _ => panic!("no floats in `{column}`"),
    }
}
