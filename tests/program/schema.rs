//! The JSON Schema of pipeline.yaml: up to date, true of the project's pipeline, and able to fail.

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

/// A validator for the keywords that the schema uses; any other is an error of the test.
struct Validator {
    root: Value,
}

impl Validator {
    fn new() -> Self {
        let text = app().schema().expect("a schema");
        Validator {
            root: serde_json::from_str(&text).expect("JSON"),
        }
    }

    /// Why a pipeline.yaml is not valid.
    fn check(&self, yaml: &str) -> Result<(), String> {
        self.valid(&self.root, &parsed(yaml))
            .map_err(|(place, why)| format!("{place}: {why}"))
    }

    fn valid(&self, schema: &Value, value: &Value) -> Result<(), (String, String)> {
        let fail = |why: String| Err((String::new(), why));
        let Value::Object(keywords) = schema else {
            return match schema {
                Value::Bool(true) => Ok(()),
                _ => fail("nothing may stand here".into()),
            };
        };
        let below = |step: &str, schema: &Value, value: &Value| {
            self.valid(schema, value)
                .map_err(|(place, why)| (format!(".{step}{place}"), why))
        };
        let all = |list: &Value| list.as_array().expect("a list").clone();
        let holds = |schema: &Value| self.valid(schema, value).is_ok();
        let bound = |limit: &Value, ok: fn(f64, f64) -> bool| {
            let limit = limit.as_f64().expect("a number");
            value.as_f64().is_none_or(|x| ok(x, limit))
        };
        for (keyword, content) in keywords {
            match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" | "default" => {}
                "$ref" => {
                    let path = content.as_str().expect("text").trim_start_matches('#');
                    self.valid(self.root.pointer(path).expect("a definition"), value)?;
                }
                "type" => {
                    let is = |name: &Value| match name.as_str().expect("text") {
                        "null" => value.is_null(),
                        "boolean" => value.is_boolean(),
                        "integer" => value.as_f64().is_some_and(|x| x.fract() == 0.0),
                        "number" => value.is_number(),
                        "string" => value.is_string(),
                        "array" => value.is_array(),
                        "object" => value.is_object(),
                        other => panic!("unknown type {other}"),
                    };
                    let one_of = content.as_array();
                    if !one_of.map_or_else(|| is(content), |types| types.iter().any(is)) {
                        return fail(format!("{value} is not of type {content}"));
                    }
                }
                "const" if content != value => return fail(format!("{value} is not {content}")),
                "enum" if !all(content).contains(value) => {
                    return fail(format!("{value} is not one of {content}"));
                }
                "const" | "enum" => {}
                "pattern" => {
                    let pattern = regex::Regex::new(content.as_str().expect("text"));
                    let matches = |text| pattern.expect("a pattern").is_match(text);
                    if !value.as_str().is_none_or(matches) {
                        return fail(format!("{value} does not match {content}"));
                    }
                }
                "minimum" if !bound(content, |x, limit| x >= limit) => {
                    return fail(format!("{value} is below {content}"));
                }
                "maximum" if !bound(content, |x, limit| x <= limit) => {
                    return fail(format!("{value} is above {content}"));
                }
                "exclusiveMinimum" if !bound(content, |x, limit| x > limit) => {
                    return fail(format!("{value} is not above {content}"));
                }
                "exclusiveMaximum" if !bound(content, |x, limit| x < limit) => {
                    return fail(format!("{value} is not below {content}"));
                }
                "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {}
                "minItems" | "maxItems" | "minProperties" => {
                    let limit = content.as_u64().expect("a number") as usize;
                    let length = value.as_array().map(Vec::len);
                    let length = length.or(value.as_object().map(serde_json::Map::len));
                    let ok = length.is_none_or(|n| match keyword.starts_with("min") {
                        true => n >= limit,
                        false => n <= limit,
                    });
                    if !ok {
                        return fail(format!("{keyword} is {limit}"));
                    }
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        below(&index.to_string(), content, item)?;
                    }
                }
                "properties" => {
                    for (name, schema) in content.as_object().expect("an object") {
                        if let Some(value) = value.get(name) {
                            below(name, schema, value)?;
                        }
                    }
                }
                "additionalProperties" => {
                    let declared = &schema["properties"];
                    for (name, value) in value.as_object().into_iter().flatten() {
                        if declared.get(name).is_none() {
                            below(name, content, value)?;
                        }
                    }
                }
                "propertyNames" => {
                    for name in value
                        .as_object()
                        .into_iter()
                        .flat_map(serde_json::Map::keys)
                    {
                        below(name, content, &json!(name))?;
                    }
                }
                "required" => {
                    for name in all(content) {
                        let name = name.as_str().expect("text").to_owned();
                        if value.is_object() && value.get(&name).is_none() {
                            return fail(format!("`{name}` is missing"));
                        }
                    }
                }
                "allOf" => all(content)
                    .iter()
                    .try_for_each(|schema| self.valid(schema, value))?,
                "anyOf" => {
                    let results: Vec<_> =
                        all(content).iter().map(|s| self.valid(s, value)).collect();
                    if !results.iter().any(Result::is_ok) {
                        // The alternative that got furthest says most.
                        let errors = results.into_iter().filter_map(Result::err);
                        return Err(errors.max_by_key(|(p, _)| p.len()).expect("an error"));
                    }
                }
                "oneOf" => {
                    let valid = all(content).iter().filter(|s| holds(s)).count();
                    if valid != 1 {
                        return fail(format!("{value} fits {valid} alternatives"));
                    }
                }
                "if" => {
                    if holds(content) {
                        self.valid(&schema["then"], value)?;
                    }
                }
                "then" => {}
                other => panic!("unknown keyword {other}"),
            }
        }
        Ok(())
    }
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
    assert_eq!(Validator::new().check(&file("pipeline.yaml")), Ok(()));
}

#[test]
fn mistakes_are_found_where_they_stand() {
    let validator = Validator::new();
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
            "json: artifacts/claims/claims.json",
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
        let error = validator.check(&edited);
        let error = error.expect_err(wrong);
        assert!(error.starts_with(place), "{wrong}\n{error}");
    }
}

#[test]
fn a_reference_may_stand_for_any_value() {
    let validator = Validator::new();
    let stage = |params: &str| {
        format!(
            "version: 2\nstages:\n  p:\n    kind: pretrain\n    params: {params}\n    \
             outputs: {{model: artifacts/m, losses: artifacts/l}}\n"
        )
    };
    let params = "{d: \"${d}\", noise_var: \"${n}\", layers: \"${l}\", heads: \"${h}\", \
                  matrices: \"${m}\", init_std: \"${i}\", training: \"${t}\"}";
    assert_eq!(validator.check(&stage("\"${all}\"")), Ok(()));
    assert_eq!(validator.check(&stage(params)), Ok(()));
    assert!(
        validator
            .check(&stage(&params.replace("${l}", "l")))
            .is_err()
    );
}
