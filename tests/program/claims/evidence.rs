//! Evidence for the claims of pipeline.yaml, sound and changed. A claim that reads another table needs it here.

use crate::claims::digits::digits;
use crate::claims::made_up::{alone, depth, front, gaps, heads, named, sampled};
use crate::claims::models::{SHOTS, Seed, measured, seeds, setting};
use crate::claims::transformers::{bridge, words};
use findings::claims::claim::{Claim, Confidence, Decided, Verdict};
use findings::claims::decide;
use findings::claims::query::evidence::{Cells, Evidence, Named};
use icl::theory::measures::Measures;
use icl::theory::points::{self, TheoryPoints};
use icl_repro::kinds::claims::forms;
use icl_repro::kinds::exchange::measures::{error_table, value_table};
use icl_repro::kinds::measure::closed_forms::{limits, minimisers, thresholds};
use icl_repro::registry;
use retrace::resolve::stages::Pipeline;
use retrace::spec::file::Spec;
use retrace::spec::settings::Settings;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use tables::table::Table;

/// What sound science gives.
pub fn sound() -> Evidence {
    static SOUND: OnceLock<Evidence> = OnceLock::new();
    let make = || {
        let labels = |name: &str| ledger().labels.get(name).cloned().unwrap_or_default();
        let families = ["pretrained", "zero_shot", "value_only"];
        let families = families.map(|family| (vec![family.to_owned()], sampled()));
        let mut tables = of_seeds(seeds()).to_vec();
        tables.extend(of_theory(&points::exact(&setting()).expect("one d")));
        tables.extend([
            digits(&labels("digits")),
            alone("sampled", sampled()),
            named("optima", &labels("optima"), families.to_vec()),
            front(),
            gaps(),
            heads(&labels("heads")),
            depth(),
            bridge(&labels("bridge")),
            words(&labels("words")),
        ]);
        Evidence {
            tables,
            constants: forms::values(&setting(), SHOTS),
        }
    };
    SOUND.get_or_init(make).clone()
}

/// The same of models as `change` leaves them.
pub fn with_models(change: impl Fn(&mut Seed)) -> Evidence {
    let mut seeds = seeds().to_vec();
    seeds.iter_mut().for_each(change);
    with(of_seeds(&seeds))
}

/// The same with other points of theory.
pub fn with_theory(points: &TheoryPoints) -> Evidence {
    with(of_theory(points))
}

fn with<const N: usize>(tables: [Named; N]) -> Evidence {
    let mut evidence = sound();
    for table in tables {
        let old = evidence.tables.iter_mut().find(|t| t.name == table.name);
        *old.expect("a table of the sound evidence") = table;
    }
    evidence
}

fn of_seeds(seeds: &[Seed]) -> [Named; 2] {
    let measured: Vec<Measures> = seeds
        .iter()
        .enumerate()
        .map(|(n, s)| measured(n, s))
        .collect();
    let table = |name: &str, of: &dyn Fn(&Measures) -> Table| {
        let files = measured.iter().enumerate();
        let files = files.map(|(seed, measures)| (vec![seed.to_string()], of(measures)));
        named(name, &["seed".to_owned()], files.collect())
    };
    [
        table("errors", &|m| error_table(&m.errors).expect("a table")),
        table("values", &|m| value_table(&m.values).expect("a table")),
    ]
}

fn of_theory(points: &TheoryPoints) -> [Named; 3] {
    [
        alone("thresholds", thresholds(points).expect("a table")),
        alone(
            "minimisers",
            minimisers(points, &setting()).expect("a table"),
        ),
        alone("limits", limits(points).expect("a table")),
    ]
}

/// The params of the stage `claims`.
pub struct Ledger {
    pub claims: Vec<Claim>,
    pub confidence: Confidence,
    pub labels: BTreeMap<String, Vec<String>>,
    pub random: Vec<String>,
}

/// As pipeline.yaml has it.
pub fn ledger() -> &'static Ledger {
    static LEDGER: OnceLock<Ledger> = OnceLock::new();
    LEDGER.get_or_init(|| {
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
    })
}

/// What the claims come to.
pub fn decide(evidence: &Evidence) -> Vec<Decided> {
    decide_some(&ledger().claims, evidence)
}

/// What these claims come to, as if there were no others: it is easier to refute one.
pub fn decide_some(claims: &[Claim], evidence: &Evidence) -> Vec<Decided> {
    let ledger = ledger();
    let decided = decide::decide(claims, ledger.confidence, &ledger.random, evidence);
    decided.unwrap_or_else(|e| panic!("{e}"))
}

/// What a claim comes to.
pub fn verdict(decided: &[Decided], id: &str) -> Verdict {
    let found = decided.iter().find(|claim| claim.id == id);
    found.unwrap_or_else(|| panic!("no claim {id}")).verdict
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

/// The rows `to` of a table become what the rows `from` are, in the order of both. Rows are said as claims do: `task=unit, model=zs`.
pub fn copy(evidence: &mut Evidence, table: &str, from: &str, to: &str) {
    let mut tables = evidence.tables.iter_mut();
    let table = tables.find(|found| found.name == table).expect("known");
    let (from, to) = (rows(table, from), rows(table, to));
    for (_, cells) in &mut table.columns {
        if let Cells::Float(values) = cells {
            for (from, to) in from.iter().zip(&to) {
                values[*to] = values[*from];
            }
        }
    }
    assert_eq!(from.len(), to.len(), "rows of `{}`", table.name);
}

fn rows(table: &Named, filters: &str) -> Vec<usize> {
    let filters = filters.split(", ").map(|filter| {
        let (name, text) = filter.split_once('=').expect("a column and a value");
        (table.column(name).expect("known"), text)
    });
    let filters: Vec<(&Cells, &str)> = filters.collect();
    let holds = |row: usize| {
        let mut filters = filters.iter();
        filters.all(|(cells, text)| cells.key(row).expect("no float").to_string() == *text)
    };
    let found: Vec<usize> = (0..table.rows).filter(|row| holds(*row)).collect();
    assert!(!found.is_empty(), "`{}` has no such row", table.name);
    found
}
