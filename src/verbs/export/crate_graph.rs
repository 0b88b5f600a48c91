//! A run of a pipeline as the graph of a Provenance Run Crate: pure, facts in, JSON-LD out.
//!
//! Profiles: RO-Crate 1.1, Workflow RO-Crate 1.0, and Process, Workflow and Provenance Run Crate 0.5.
//! A kind of stage is a tool, a stage is a step of the workflow and its run an action. Equal facts give
//! equal bytes. Does not read files, and knows no times: the lock records none.

use crate::verbs::export::citation::Citation;
use crate::verbs::export::crate_values::{
    Entities, data_type, escaped, media_type, reference, references,
};
use crate::verbs::export::licences::{Licence, Licences};
use retrace::base::digest::Digest;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// The file that makes a folder a crate.
pub const METADATA: &str = "ro-crate-metadata.json";

/// The terms that RO-Crate's own context lacks.
const TERMS: &str = "https://w3id.org/ro/terms/workflow-run#";
const WORKFLOW: &str = retrace::store::workspace::SPEC_FILE;
const ENGINE: &str = "#icl-repro";
const LANGUAGE: &str = "#pipeline-language";
const WORKFLOW_RUN: &str = "#run";
const DONE: &str = "http://schema.org/CompletedActionStatus";

/// Profiles with what they are called and their version.
const PROFILES: [(&str, &str, &str); 4] = [
    (
        "https://w3id.org/ro/wfrun/process/0.5",
        "Process Run Crate",
        "0.5",
    ),
    (
        "https://w3id.org/ro/wfrun/workflow/0.5",
        "Workflow Run Crate",
        "0.5",
    ),
    (
        "https://w3id.org/ro/wfrun/provenance/0.5",
        "Provenance Run Crate",
        "0.5",
    ),
    (
        "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
        "Workflow RO-Crate",
        "1.0",
    ),
];

/// All that the crate says.
pub struct Facts {
    pub citation: Citation,
    pub published: String,
    pub licences: Licences,
    /// Every file of the crate, by its path there.
    pub files: BTreeMap<String, FileFacts>,
    /// In an order in which they can run.
    pub runs: Vec<StageRun>,
}

/// A file as it is on the disk.
pub struct FileFacts {
    pub bytes: u64,
    pub blake3: Digest,
    pub sha256: String,
}

/// A stage that has run.
pub struct StageRun {
    pub id: String,
    pub kind: String,
    pub key: Digest,
    pub params: BTreeMap<String, Json>,
    pub inputs: Vec<Artifact>,
    pub outputs: Vec<Artifact>,
}

/// What a stage reads or writes.
pub struct Artifact {
    /// The role, or the name of the output.
    pub name: String,
    pub path: String,
    pub recorded: Digest,
    /// The kind and the name of the output that it is read from.
    pub from: Option<(String, String)>,
}

/// The text of the metadata file.
pub fn text(facts: &Facts) -> String {
    let mut entities = Entities::default();
    describe_root(&mut entities, facts);
    describe_workflow(&mut entities, facts);
    for (position, run) in facts.runs.iter().enumerate() {
        describe_run(&mut entities, facts, run, position);
    }
    let terms = [
        "ParameterConnection",
        "connection",
        "sourceParameter",
        "targetParameter",
        "sha256",
    ];
    let terms: BTreeMap<&str, String> = terms
        .iter()
        .map(|term| (*term, format!("{TERMS}{term}")))
        .collect();
    let document = json!({
        "@context": ["https://w3id.org/ro/crate/1.1/context", terms],
        "@graph": entities.into_graph(),
    });
    format!("{document:#}\n")
}

fn describe_root(entities: &mut Entities, facts: &Facts) {
    let citation = &facts.citation;
    for (id, name, version) in PROFILES {
        entities.add(
            id,
            "CreativeWork",
            json!({"name": name, "version": version}),
        );
    }
    let conforms = ["https://w3id.org/ro/crate/1.1", PROFILES[3].0];
    entities.add(
        METADATA,
        "CreativeWork",
        json!({"about": reference("./"), "conformsTo": references(conforms)}),
    );
    let license = format!("https://spdx.org/licenses/{}", escaped(&citation.license));
    entities.add(
        &license,
        "CreativeWork",
        json!({"name": citation.license, "description": "The licence in the file LICENSE"}),
    );
    let mut authors = Vec::new();
    for author in &citation.authors {
        let id = format!("#author/{}", escaped(&author.name));
        let kind = if author.is_person {
            "Person"
        } else {
            "Organization"
        };
        entities.add(&id, kind, json!({"name": author.name}));
        authors.push(id);
    }
    let mut root = json!({
        "name": citation.title,
        "description": "The results of the pipeline, and what each of them was made from: \
            every stage's run with its parameters, inputs and outputs",
        "license": reference(&license),
        "author": references(&authors),
        "datePublished": facts.published,
        "version": citation.version,
        "conformsTo": references(PROFILES.map(|(id, _, _)| id)),
        "mainEntity": reference(WORKFLOW),
        "hasPart": references(facts.files.keys().map(|path| escaped(path))),
        "mentions": references([WORKFLOW_RUN]),
    });
    if let Some((title, identifier)) = &citation.reproduces {
        let id = match identifier.strip_prefix("arXiv:") {
            Some(number) => format!("https://arxiv.org/abs/{number}"),
            None => format!("#work/{}", escaped(identifier)),
        };
        entities.add(
            &id,
            "ScholarlyArticle",
            json!({"name": title, "identifier": identifier}),
        );
        root["isBasedOn"] = reference(&id);
    }
    entities.add("./", "Dataset", root);
    for (path, file) in &facts.files {
        let mut types = json!("File");
        let mut about = json!({
            "name": path,
            "contentSize": file.bytes.to_string(),
            "encodingFormat": media_type(path),
            "identifier": format!("blake3:{}", file.blake3),
            "sha256": file.sha256,
        });
        if path == WORKFLOW {
            types = json!([
                "File",
                "SoftwareSourceCode",
                "ComputationalWorkflow",
                "HowTo"
            ]);
            about["programmingLanguage"] = reference(LANGUAGE);
            about["license"] = reference(&license);
            about["version"] = json!(citation.version);
        }
        let licences: Vec<String> = facts
            .licences
            .of(path)
            .flat_map(|licence| describe_licence(entities, facts, licence))
            .collect();
        if !licences.is_empty() {
            about["license"] = references(licences);
        }
        if path == "README.md" {
            about["about"] = reference("./");
        }
        entities.add_typed(&escaped(path), types, about);
    }
}

/// What a file's `license` refers to: the licence by its address, and the texts that are in the crate.
fn describe_licence(entities: &mut Entities, facts: &Facts, licence: &Licence) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(spdx) = &licence.spdx {
        let id = format!("https://spdx.org/licenses/{}", escaped(spdx));
        entities.add(&id, "CreativeWork", json!({"name": licence.name}));
        found.push(id);
    }
    let texts = licence.texts.iter();
    let texts = texts.filter(|text| facts.files.contains_key(*text));
    found.extend(texts.map(|text| escaped(text)));
    found
}

fn describe_workflow(entities: &mut Entities, facts: &Facts) {
    let version = &facts.citation.version;
    entities.add(
        LANGUAGE,
        "ComputerLanguage",
        json!({"name": "pipeline.yaml of icl-repro", "alternateName": "icl-repro pipeline", "version": "1"}),
    );
    entities.add(
        ENGINE,
        "SoftwareApplication",
        json!({"name": "icl-repro", "softwareVersion": version}),
    );
    let written: BTreeSet<&str> = facts
        .runs
        .iter()
        .flat_map(|run| &run.outputs)
        .map(|output| output.path.as_str())
        .collect();
    let read: BTreeSet<&str> = facts
        .runs
        .iter()
        .flat_map(|run| &run.inputs)
        .map(|input| input.path.as_str())
        .collect();
    let here = |paths: BTreeSet<&str>| -> Vec<String> {
        let here = paths
            .into_iter()
            .filter(|path| facts.files.contains_key(*path));
        here.map(escaped).collect()
    };
    let given = here(read.difference(&written).copied().collect());
    let results = here(written.iter().copied().collect());
    entities.add(
        WORKFLOW_RUN,
        "CreateAction",
        json!({
            "name": "Run of the pipeline",
            "description": "What pipeline.lock records of all stages together",
            "instrument": reference(WORKFLOW),
            "object": references(given),
            "result": references(results),
            "actionStatus": DONE,
        }),
    );
    entities.add(
        "#organize",
        "OrganizeAction",
        json!({
            "name": "Orchestration of the stages by icl-repro",
            "instrument": reference(ENGINE),
            "object": references(facts.runs.iter().map(|run| format!("#control/{}", escaped(&run.id)))),
            "result": reference(WORKFLOW_RUN),
        }),
    );
}

fn describe_run(entities: &mut Entities, facts: &Facts, run: &StageRun, position: usize) {
    let id = escaped(&run.id);
    let tool = format!("#kind/{}", escaped(&run.kind));
    let (step, action) = (format!("#step/{id}"), format!("#run/{id}"));
    entities.add(
        &tool,
        "SoftwareApplication",
        json!({"name": format!("icl-repro, stages of kind {}", run.kind), "softwareVersion": facts.citation.version}),
    );
    entities.link(WORKFLOW, "hasPart", &tool);
    entities.link(WORKFLOW, "step", &step);
    entities.add(
        &step,
        "HowToStep",
        json!({"name": run.id, "position": (position + 1).to_string(), "workExample": reference(&tool)}),
    );
    entities.add(
        &format!("#control/{id}"),
        "ControlAction",
        json!({
            "name": format!("Orchestration of {}", run.id),
            "instrument": reference(&step),
            "object": reference(&action),
        }),
    );

    let (mut objects, mut results) = (BTreeSet::new(), BTreeSet::new());
    for (name, value) in &run.params {
        objects.insert(describe_value(entities, &tool, name, value));
    }
    for input in &run.inputs {
        let parameter = describe_role(entities, &tool, "input", &input.name);
        let file = describe_artifact(entities, facts, input);
        entities.link(&file, "exampleOfWork", &parameter);
        objects.insert(file);
        if let Some((kind, output)) = &input.from {
            let maker = format!("#kind/{}", escaped(kind));
            let source = format!("{maker}/output/{}", escaped(output));
            let connection = format!("#connection/{}..{}", &source[1..], &parameter[1..]);
            entities.add(
                &connection,
                "ParameterConnection",
                json!({"sourceParameter": reference(&source), "targetParameter": reference(&parameter)}),
            );
            entities.link(&step, "connection", &connection);
        }
    }
    for output in &run.outputs {
        let parameter = describe_role(entities, &tool, "output", &output.name);
        let file = describe_artifact(entities, facts, output);
        entities.link(&file, "exampleOfWork", &parameter);
        results.insert(file);
    }
    entities.add(
        &action,
        "CreateAction",
        json!({
            "name": format!("Run of {}", run.id),
            "description": format!("`icl-repro run {}` makes it again", run.id),
            "identifier": format!("icl-repro-key:{}", run.key),
            "instrument": reference(&tool),
            "object": references(objects),
            "result": references(results),
            "actionStatus": DONE,
        }),
    );
    entities.link("./", "mentions", &action);
}

/// A parameter's value: one entity for all stages of a kind that have it.
fn describe_value(entities: &mut Entities, tool: &str, name: &str, value: &Json) -> String {
    let parameter = format!("{tool}/param/{}", escaped(name));
    entities.add(
        &parameter,
        "FormalParameter",
        json!({"name": name, "additionalType": data_type(value)}),
    );
    entities.link(tool, "input", &parameter);
    let digest = Digest::of(value.to_string().as_bytes()).short();
    let id = format!("{parameter}/{digest}");
    // A list or mapping is there only when it is empty: its text says which.
    let shown = match value {
        Json::Array(_) | Json::Object(_) | Json::Null => json!(value.to_string()),
        plain => plain.clone(),
    };
    entities.add(
        &id,
        "PropertyValue",
        json!({"name": name, "value": shown, "exampleOfWork": reference(&parameter)}),
    );
    id
}

fn describe_role(entities: &mut Entities, tool: &str, side: &str, name: &str) -> String {
    let parameter = format!("{tool}/{side}/{}", escaped(name));
    entities.add(
        &parameter,
        "FormalParameter",
        json!({"name": name, "additionalType": "File"}),
    );
    entities.link(tool, side, &parameter);
    parameter
}

/// A file of the crate; or, of one that is not in it, what it is called and its digest.
fn describe_artifact(entities: &mut Entities, facts: &Facts, artifact: &Artifact) -> String {
    if facts.files.contains_key(&artifact.path) {
        return escaped(&artifact.path);
    }
    let id = format!("#artifact/{}", escaped(&artifact.path));
    entities.add(
        &id,
        "CreativeWork",
        json!({
            "name": artifact.path,
            "description": "An intermediate result that is not in this crate",
            "identifier": format!("blake3:{}", artifact.recorded),
        }),
    );
    id
}
