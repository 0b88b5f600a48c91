//! The JSON Schema of pipeline.yaml: up to date, true of the project's pipeline, and able to fail.

use crate::schema::validator::Validator;
use icl_repro::app::app;
use retrace::yaml::node::{Node, Value as Yaml};
use serde_json::{Value, json};
use std::path::Path;

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn parsed(text: &str) -> Value {
    fn convert(node: &Node) -> Value {
        match &node.value {
            Yaml::Null => Value::Null,
            Yaml::Bool(b) => json!(b),
            Yaml::Int(i) => json!(i64::try_from(*i).expect("a small number")),
            Yaml::Float(x) => json!(x),
            Yaml::Text(text) => json!(text),
            Yaml::List(items) => items.iter().map(convert).collect(),
            Yaml::Map(entries) => entries
                .iter()
                .map(|(key, value)| (key.text.clone(), convert(value)))
                .collect(),
        }
    }
    convert(&Node::parse("pipeline.yaml", text).expect("YAML"))
}

/// Why a pipeline.yaml is not valid.
fn check(validator: &Validator, yaml: &str) -> Result<(), String> {
    validator.check(&parsed(yaml))
}

fn validator() -> Validator {
    let text = app().schema().expect("a schema");
    Validator::lenient(serde_json::from_str(&text).expect("JSON"))
}

#[test]
fn the_committed_schema_is_up_to_date() {
    let committed = file("docs/pipeline.schema.json");
    assert!(
        committed == app().schema().expect("a schema"),
        "write it anew: icl-repro schema > docs/pipeline.schema.json"
    );
    let first = "# yaml-language-server: $schema=docs/pipeline.schema.json\n";
    assert!(file("pipeline.yaml").starts_with(first));
}

#[test]
fn the_pipeline_of_the_paper_is_valid() {
    assert_eq!(check(&validator(), &file("pipeline.yaml")), Ok(()));
}

#[test]
fn mistakes_are_found_where_they_stand() {
    let validator = validator();
    let yaml = file("pipeline.yaml");
    let cases = [
        ("version: 2", "version: 1", ".version"),
        ("kind: pretrain", "kind: pretrian", ".stages.pretrain.kind"),
        (
            "layers: 1\n",
            "layers: 0\n",
            ".kinds.pretrain.params.layers",
        ),
        (
            "layers: 1\n",
            "layers: one\n",
            ".kinds.pretrain.params.layers",
        ),
        ("layers: 1\n", "layrs: 1\n", ".kinds.pretrain.params"),
        (
            "matrices: merged",
            "matrices: mergd",
            ".stages.digits_pretrain.params.matrices",
        ),
        (
            "clip_norm: \"${clip_norm}\", seed",
            "clip_norm: 0, seed",
            ".kinds.finetune.params.training.clip_norm",
        ),
        (
            "batch: \"${batch}\", optimizer: \"${optimizer}\"",
            "batch: 1, optimizer: {sgd: {learning_rate: 1}}",
            ".kinds.finetune.params.training.optimizer",
        ),
        (
            "task: tasks@${main_seed}.task",
            "tusk: tasks@${main_seed}.task",
            ".stages.evaluate.inputs",
        ),
        (
            "json: \"figures/tables/${file}.json\"",
            "json: elsewhere/claims.json",
            ".stages.claims.outputs.json",
        ),
        (
            "    override: &balance",
            "    overide: &balance",
            ".stages.balance_tasks",
        ),
        (
            "    only: [{pool: seen}, {dim: 8}]",
            "    only: [{}, {dim: 8}]",
            ".stages.digits_summary.only",
        ),
        ("\nkinds:\n  figure:", "\nkinds:\n  figre:", ".kinds"),
        (
            "    params: {noise_var: \"${noise_var}\", shots: {first",
            "    parms: {noise_var: \"${noise_var}\", shots: {first",
            ".kinds.evaluate",
        ),
        (
            "[5, 10, 15, 20], color: \"${viridis}\"",
            "[5, 10, 15, 20], color: grey",
            ".stages.optimal_pretrained.params.panels.0.guides.1",
        ),
        ("position: right", "position: rigth", ".stages.train_losses"),
        ("\ngroups:\n  main:", "\ngroups:\n  ma/in:", ".groups"),
    ];
    for (right, wrong, place) in cases {
        assert!(yaml.contains(right), "{right}");
        // Variables hold the same words earlier, where any value may stand.
        let (vars, stages) = yaml.split_at(yaml.find("\nstages:").expect("stages"));
        let edited = match stages.contains(right) {
            true => vars.to_owned() + &stages.replacen(right, wrong, 1),
            false => yaml.replacen(right, wrong, 1),
        };
        let error = check(&validator, &edited);
        let error = error.expect_err(wrong);
        assert!(error.starts_with(place), "{wrong}\n{error}");
    }
}

#[test]
fn a_reference_may_stand_for_any_value() {
    let validator = validator();
    let stage = |params: &str| {
        format!(
            "version: 2\nstages:\n  p:\n    kind: pretrain\n    params: {params}\n    \
             outputs: {{model: artifacts/m, losses: artifacts/l}}\n"
        )
    };
    let params = "{d: \"${d}\", noise_var: \"${n}\", layers: \"${l}\", heads: \"${h}\", \
                  matrices: \"${m}\", init_std: \"${i}\", training: \"${t}\"}";
    assert_eq!(check(&validator, &stage("\"${all}\"")), Ok(()));
    assert_eq!(check(&validator, &stage(params)), Ok(()));
    assert!(check(&validator, &stage(&params.replace("${l}", "l"))).is_err());
}
