//! A JSON Schema (draft 2020-12) of pipeline.yaml, by which editors complete and check it.
//!
//! Parameters come from the types of the kinds, so the schema cannot say anything else than the
//! program. It describes the file as written: wherever a value may stand, `${...}` may stand too.
//! What needs more than one place of the file (names that exist, cycles) is left to the program.

use crate::resolve::{recorded, resources, supplied, tolerance};
use crate::stage::kind::{Arity, Kind};
use crate::stage::stage::OUTPUT_FOLDERS;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json, json};

const REFERENCE: &str = "#/$defs/reference";
const SUPPLIED: &str = "#/$defs/supplied-file";
const RECORDED: &str = "#/$defs/recorded-output";
/// What [`crate::spec::ids`] takes for a name, and for an item of a matrix.
const NAME: &str = "^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$";
const ITEM: &str = "^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}$";

/// The schema of a pipeline.yaml of the program of that name, whose stages are of these kinds.
pub fn document(program: &str, kinds: &[Box<dyn Kind>]) -> Json {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut stages = Map::new();
    let mut alternatives = Vec::new();
    let mut defaults = Map::new();
    for kind in kinds {
        let mut params = kind.schema(&mut generator).to_value();
        accept_references(&mut params);
        let definition = format!("stage-{}", kind.name());
        alternatives.push(json!({
            "if": {"properties": {"kind": {"const": kind.name()}}, "required": ["kind"]},
            "then": {"$ref": format!("#/$defs/{definition}")},
        }));
        defaults.insert(
            kind.name().to_owned(),
            json!({
                "$ref": format!("#/$defs/{definition}"),
                "propertyNames": {"enum": ["params", "inputs", "outputs"]},
            }),
        );
        stages.insert(definition, stage_of(kind.as_ref(), params));
    }
    let mut definitions = generator.take_definitions(true);
    definitions.values_mut().for_each(accept_references);
    definitions.append(&mut stages);
    definitions.insert(
        "reference".into(),
        json!({
            "description": "${name}: a variable of `vars`, or an item of the stage's matrix; $${ is the text ${",
            "type": "string",
            "pattern": r"\$\{[^}]*\}",
        }),
    );
    definitions.insert("supplied-file".into(), supplied_file());
    definitions.append(&mut artifacts());
    definitions.insert("recorded-output".into(), json!({
        "description": "What the lock records of a stage of an opt-in group, read without running it; where it is not recorded, or its file is not as recorded, there is no such input.",
        "type": "object",
        "properties": {recorded::RECORDED: {"description": "stage.output", "type": "string"}},
        "required": [recorded::RECORDED],
        "additionalProperties": false,
    }));
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    definitions.insert("stage".into(), stage(&names, &alternatives));
    let targets = json!({"type": "array", "items": {"type": "string"}, "minItems": 1});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("pipeline.yaml of {program}"),
        "description": format!("Made by `{program} schema`."),
        "type": "object",
        "properties": {
            "version": {"description": "Version of the file format.", "const": 2},
            "store": {
                "description": "The shared store where --store and RETRACE_STORE name none: a folder, from this file, or a URL. In no key.",
                "type": "string",
            },
            "vars": {
                "description": "Constants that parameters refer to as ${name}.",
                "type": ["object", "null"],
            },
            "kinds": {
                "description": "Defaults of the stages of a kind: what a stage has under a key stands in place of them, null takes them away.",
                "type": ["object", "null"],
                "properties": defaults,
                "additionalProperties": false,
            },
            "profiles": {
                "description": "Changes that --profile NAME makes: stage.param or vars.name, and the value.",
                "type": ["object", "null"],
                "propertyNames": {"pattern": NAME},
                "additionalProperties": {
                    "type": ["object", "null"],
                    "propertyNames": {"pattern": r"^[^.]+\."},
                },
            },
            "groups": {
                "description": "Named sets of stages: a list of ids, names and globs, or a mapping that has it as `stages`.",
                "type": ["object", "null"],
                "propertyNames": {"pattern": NAME},
                "additionalProperties": {"anyOf": [targets, {
                    "type": "object",
                    "properties": {
                        "opt_in": {
                            "description": "Whether the stages run only when they are asked for, or when a stage outside reads them by name.",
                            "type": "boolean",
                        },
                        "stages": targets,
                    },
                    "required": ["stages"],
                    "additionalProperties": false,
                }]},
            },
            "resources": resources::schema(&names),
            "stages": {
                "type": ["object", "null"],
                "propertyNames": {"pattern": NAME},
                "additionalProperties": {"$ref": "#/$defs/stage"},
            },
        },
        "required": ["version", "stages"],
        "additionalProperties": false,
        "$defs": definitions,
    })
}

/// What all stages have in common; the kind decides the rest.
fn stage(kinds: &[&str], alternatives: &[Json]) -> Json {
    let scalar = json!({"type": ["string", "number", "boolean"]});
    let combinations = |about: &str| {
        let items = json!({"type": "array", "items": scalar, "minItems": 1});
        let list = json!({
            "type": "array",
            "items": {"type": "object", "minProperties": 1, "additionalProperties": {"anyOf": [scalar, items]}},
        });
        let variable = json!({"type": "string", "pattern": "^\\$\\{[^{}]+\\}$"});
        json!({"description": about, "anyOf": [list, variable]})
    };
    json!({
        "type": "object",
        "properties": {
            "about": {"description": "What it is, in a sentence.", "type": "string"},
            "title": {"description": "What it shows, in a few words; a report prints it.", "type": "string"},
            "caption": {"description": "What to see in it, in a sentence or two; a report prints it.", "type": "string"},
            "kind": {"enum": kinds},
            "seconds": {
                "description": "About how long one item takes: for estimates where nothing is recorded yet.",
                "type": "number",
                "minimum": 0,
            },
            "matrix": {
                "description": "Axes with their items; one stage for each combination.",
                "type": ["object", "null"],
                "propertyNames": {"pattern": NAME},
                "additionalProperties": {"anyOf": [
                    {"type": "array", "items": scalar, "minItems": 1},
                    {"type": "object", "propertyNames": {"pattern": ITEM}, "minProperties": 1},
                ]},
            },
            "exclude": combinations("Combinations of the matrix to leave out, each a mapping from axis to item or list of items."),
            "only": combinations("Combinations of the matrix to keep, likewise; an exclude is taken from them."),
            "vars": {
                "description": "Variables that the stage adds: names that the file has not.",
                "type": ["object", "null"],
            },
            "override": {
                "description": "Variables of the file that have another value in this stage.",
                "type": ["object", "null"],
            },
            "params": {},
            "inputs": {},
            "outputs": {},
            "compare": {
                "description": "For outputs below figures/ that may be other bytes elsewhere, as from a GPU, how they compare with those recorded. Only for kinds that may vary, and for stages that read such outputs.",
                "type": ["object", "null"],
                "additionalProperties": comparison(),
            },
        },
        "required": ["kind"],
        "additionalProperties": false,
        "allOf": alternatives,
    })
}

/// How an output compares.
fn comparison() -> Json {
    let number = |about: &str| json!({"description": about, "type": "number", "minimum": 0});
    json!({"anyOf": [
        {
            "description": "A table in CSV, by its values.",
            "type": "object",
            "properties": {
                "columns": {
                    "description": "Columns of numbers that may differ: |a - b| is at most absolute + relative * max(|a|, |b|).",
                    "type": "object",
                    "additionalProperties": {
                        "type": "object",
                        "properties": {"relative": number("Below 1."), "absolute": number("In the unit of the column.")},
                        "additionalProperties": false,
                    },
                },
                "differing_rows": {
                    "description": "In how many rows any of the other columns may differ.",
                    "type": "integer",
                    "minimum": 0,
                },
            },
            "additionalProperties": false,
        },
        {
            "description": "What is drawn from a table, or is the same table in another format: by that output.",
            "type": "object",
            "properties": {tolerance::AS: {"type": "string"}},
            "required": [tolerance::AS],
            "additionalProperties": false,
        },
        {"$ref": REFERENCE},
    ]})
}

/// What a kind knows of its stages. What is required may be a default of the kind, so the schema
/// cannot ask for it.
fn stage_of(kind: &dyn Kind, mut params: Json) -> Json {
    let inputs: Map<String, Json> = kind
        .inputs()
        .iter()
        .map(|role| (role.name.to_string(), artifact(role.arity)))
        .collect();
    let folders = OUTPUT_FOLDERS.join("|");
    let path = json!({
        "description": format!("A path below {}/; ${{id}} in it is the id of the stage.", OUTPUT_FOLDERS.join("/ or ")),
        "type": "string",
        "pattern": format!(r"^(({folders})/|\$\{{)"),
    });
    let outputs = kind.outputs();
    let paths: Map<String, Json> = outputs.iter().map(|o| (o.clone(), path.clone())).collect();
    if let Some(params) = params.as_object_mut() {
        params.remove("required");
        if let Some(Json::Object(values)) = params.get_mut("properties") {
            values.values_mut().for_each(or_nothing);
        }
    }
    let section = |mut entries: Map<String, Json>| {
        entries.values_mut().for_each(or_nothing);
        json!({"type": ["object", "null"], "properties": entries, "additionalProperties": false})
    };
    if kind.is_open() {
        let open = |each: Json| json!({"type": ["object", "null"], "additionalProperties": each});
        return json!({
            "properties": {
                "params": or_reference(params),
                "inputs": open(artifact(Arity::Any)),
                "outputs": open(path),
            },
        });
    }
    json!({
        "properties": {
            "params": or_reference(params),
            "inputs": section(inputs),
            "outputs": section(paths),
        },
    })
}

/// The schema, or null, which takes a default away.
fn or_nothing(schema: &mut Json) {
    let Some(mut whole) = schema.as_object_mut().map(std::mem::take) else {
        return;
    };
    let mut outside = Map::new();
    for keyword in ["description", "default"] {
        outside.extend(whole.remove_entry(keyword));
    }
    if !whole.is_empty() {
        let alone = whole.len() == 1;
        let mut alternatives = match whole.get_mut("anyOf") {
            Some(Json::Array(any)) if alone => std::mem::take(any),
            _ => vec![Json::Object(whole)],
        };
        if !alternatives.contains(&json!({"type": "null"})) {
            alternatives.push(json!({"type": "null"}));
        }
        outside.insert("anyOf".into(), alternatives.into());
    }
    *schema = Json::Object(outside);
}

/// A file that people supply themselves.
fn supplied_file() -> Json {
    let key = |(key, about): (&str, &str)| {
        let mut value = json!({"description": about, "type": "string"});
        if key == "blake3" {
            value["pattern"] = json!(r"^[0-9a-fA-F]{64}$|\$\{");
        }
        (key.to_owned(), value)
    };
    let keys: Map<String, Json> = supplied::KEYS.map(key).into_iter().collect();
    json!({
        "description": "A file that people supply themselves and that may not be here: what does not need it goes on without.",
        "type": "object",
        "properties": keys,
        "required": [supplied::FILE, "get"],
        "additionalProperties": false,
    })
}

/// The definition of what may stand for a role.
fn artifact(arity: Arity) -> Json {
    json!({"$ref": format!("#/$defs/{}", name_of(arity))})
}

fn name_of(arity: Arity) -> &'static str {
    match arity {
        Arity::One => "artifact",
        Arity::Optional => "optional-artifact",
        Arity::Many => "artifacts",
        Arity::Any => "optional-artifacts",
    }
}

/// What may stand for roles, by name.
fn artifacts() -> Map<String, Json> {
    let alone = |arity: Arity| {
        let reference = json!({
            "description": "stage.output, stage@*.output, kind:*.output, or the path of a file such as data/x.csv",
            "type": "string",
        });
        let mut forms = vec![reference, json!({"$ref": SUPPLIED})];
        if !arity.is_required() {
            forms.push(json!({"$ref": RECORDED}));
        }
        json!({"anyOf": forms})
    };
    let several = |of: Arity| {
        let one = artifact(of);
        let labelled = json!({
            "description": "A label for each artifact, or for each group of them.",
            "type": "object",
            "additionalProperties": one,
        });
        let list = json!({"type": "array", "items": one, "minItems": 1});
        json!({"anyOf": [one, labelled, list]})
    };
    [
        (Arity::One, alone(Arity::One)),
        (Arity::Optional, alone(Arity::Optional)),
        (Arity::Many, several(Arity::One)),
        (Arity::Any, several(Arity::Optional)),
    ]
    .map(|(arity, schema)| (name_of(arity).to_owned(), schema))
    .into_iter()
    .collect()
}

/// Lets `${...}` stand at every place of a value below this schema, and drops what says nothing in
/// YAML: the width of numbers.
fn accept_references(schema: &mut Json) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    if schema.get("type") != Some(&json!("string")) {
        schema.remove("format");
    }
    for (keyword, below) in schema.iter_mut() {
        match (keyword.as_str(), below) {
            ("properties" | "patternProperties", Json::Object(values)) => {
                values.values_mut().for_each(accept_reference);
            }
            ("prefixItems", Json::Array(values)) => values.iter_mut().for_each(accept_reference),
            ("items" | "additionalProperties", below @ Json::Object(_)) => accept_reference(below),
            ("anyOf" | "oneOf" | "allOf", Json::Array(schemas)) => {
                schemas.iter_mut().for_each(accept_references);
            }
            _ => {}
        }
    }
}

/// A place of a value: `${...}` may stand there, and below it.
fn accept_reference(schema: &mut Json) {
    accept_references(schema);
    *schema = or_reference(std::mem::take(schema));
}

/// The schema, or a reference; what it says about itself moves to the outside, where editors look.
fn or_reference(schema: Json) -> Json {
    let Json::Object(mut schema) = schema else {
        return schema;
    };
    let mut outside = Map::new();
    for keyword in ["description", "default"] {
        outside.extend(schema.remove_entry(keyword));
    }
    if takes_any_text(&schema) {
        outside.append(&mut schema);
        return Json::Object(outside);
    }
    let alone = schema.len() == 1;
    let mut alternatives = match schema.get_mut("anyOf") {
        Some(Json::Array(any)) if alone => std::mem::take(any),
        _ => vec![Json::Object(schema)],
    };
    alternatives.push(json!({"$ref": REFERENCE}));
    outside.insert("anyOf".into(), alternatives.into());
    Json::Object(outside)
}

fn takes_any_text(schema: &Map<String, Json>) -> bool {
    match schema.get("type") {
        None => schema.is_empty(),
        Some(Json::Array(types)) => schema.len() == 1 && types.contains(&json!("string")),
        Some(kind) => schema.len() == 1 && kind == "string",
    }
}
