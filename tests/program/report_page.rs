//! The report: what must be on it, and that hostile words and missing pieces do it no harm.
//!
//! `tests/browser/` uses the page as a reader does.

use findings::page::kind::Report;
use findings::page::params::Params;
use icl_repro::registry;
use plots::warnings;
use retrace::base::error::Result;
use retrace::resolve::stages::Pipeline;
use retrace::spec::file::Spec;
use retrace::spec::ids::Pattern;
use retrace::spec::settings::Settings;
use retrace::stage::kind::{Io, StageKind};
use retrace::stage::stage::Source;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn every_figure_and_table_has_its_place_and_its_words() {
    let text = String::from_utf8(read("pipeline.yaml")).expect("UTF-8");
    let spec = Spec::parse("pipeline.yaml", &text).expect("a pipeline");
    let pipeline = Pipeline::resolve(spec, &registry::kinds(), &Settings::default());
    let stages = pipeline.expect("it resolves").stages;
    let report = stages.iter().find(|stage| stage.id == "report");
    let report = report.expect("a report");
    let shown: BTreeSet<(usize, &str)> = report
        .inputs
        .iter()
        .filter_map(|input| match &input.source {
            Source::Output { stage, output } => Some((*stage, output.as_str())),
            Source::File(_) | Source::Recorded { .. } => None,
        })
        .collect();
    let mut figures = 0;
    for (index, stage) in stages.iter().enumerate() {
        for (output, path) in &stage.outputs {
            let path = path.display().to_string();
            let wanted = ["svg", "csv", "data"].contains(&output.as_str());
            // What is made only when asked for is not on the page that is always made.
            let asked_for = !stage.opt_in.is_empty();
            if wanted && !asked_for && path.starts_with("figures/") {
                figures += usize::from(output == "svg");
                assert!(
                    shown.contains(&(index, output)),
                    "{path} is not in the report"
                );
            }
        }
    }
    let words = report.job.params();
    let sections = words["sections"].as_array().expect("sections").iter();
    let named = sections.flat_map(|section| section["figures"].as_array().expect("figures"));
    let named: Vec<Pattern> = named
        .map(|name| Pattern::read(name.as_str().expect("text")).expect("a glob"))
        .collect();
    let drawn = stages.iter().filter(|stage| {
        let mut outputs = stage.outputs.iter();
        stage.opt_in.is_empty()
            && outputs.any(|(output, path)| output == "svg" && path.starts_with("figures"))
    });
    let drawn: Vec<_> = drawn.collect();
    assert_eq!(drawn.len(), figures);
    for stage in drawn {
        assert!(
            named.iter().any(|name| name.matches(&stage.id)),
            "{}",
            stage.id
        );
        assert!(
            stage.title.is_some() && stage.caption.is_some(),
            "{}",
            stage.id
        );
    }
}

#[test]
fn the_charting_library_is_the_one_that_its_note_describes() {
    let digest = blake3::hash(&read("data/report/vendor/echarts.common.min.js")).to_hex();
    let note = String::from_utf8(read("data/report/vendor/README.md")).expect("UTF-8");
    assert!(note.contains(digest.as_str()));
}

const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"72pt\" height=\"36pt\" \
                   viewBox=\"0 0 1440 720\"><path fill=\"#4d96ff\" d=\"M 0 0 L 9 9 Z\"/></svg>";
const DATA: &str = "panel,panel_title,curve,series,key,row,x,y,std_error,exact,color,line,marker,shape,std_errors\n\
                    0,</script>,0,a,,,0,1.5,0.1,,#4D96FF,solid,,,2\n\
                    0,</script>,0,a,,,1,2.5,0.2,2.6,#4D96FF,solid,,,2\n";
const HOSTILE: &str = "</script><script>alert('claim')</script><img src=x onerror=alert(1)>";

/// A report of one figure, one table and one claim.
struct Small {
    folder: tempfile::TempDir,
    inputs: BTreeMap<String, Vec<(String, PathBuf)>>,
    params: Value,
}

impl Small {
    fn new() -> Self {
        let mut small = Small {
            folder: tempfile::tempdir().expect("a folder"),
            inputs: BTreeMap::new(),
            params: json!({
                "title": "a title", "paper": "a paper", "paper_url": "https://arxiv.org/abs/0",
                "lead": [HOSTILE],
                "sections": [{"title": "one", "figures": ["curve"]}],
                "claims": {"curve": ["c"]},
                "tables": ["numbers"],
            }),
        };
        for (role, file) in [
            ("template", "page.html"),
            ("style", "page.css"),
            ("script", "page.js"),
            ("charts", "vendor/echarts.common.min.js"),
        ] {
            small.give(role, "", &read(&format!("data/report/{file}")));
        }
        let check = json!({
            "quantity": "q", "factors": [], "expected": "1", "measured": 1.0, "std_error": 0.1,
            "interval": null, "reserve": null, "chance_open": null, "decided": "so",
            "outcome": "passes", "units": [],
        });
        let claims = json!([{
            "id": "c", "statement": HOSTILE, "expected": "1", "measured": 1.0, "std_error": 0.1,
            "verdict": "holds", "recorded": "holds", "refuted_by": HOSTILE,
            "checks": [check], "shows": [], "correction": null,
        }]);
        small.give("claims", "", claims.to_string().as_bytes());
        small.give("pictures", "curve", SVG.as_bytes());
        small.give("data", "curve", DATA.as_bytes());
        small.give(
            "tables",
            "numbers",
            format!("x,words\n0.5,{HOSTILE}\n,b\n").as_bytes(),
        );
        small.trace();
        small
    }

    fn give(&mut self, role: &str, label: &str, bytes: &[u8]) {
        let path = self.folder.path().join(format!("{role}-{label}"));
        std::fs::write(&path, bytes).expect("a file");
        let files = self.inputs.entry(role.to_owned()).or_default();
        files.retain(|(known, _)| known != label);
        files.push((label.to_owned(), path));
    }

    /// The stages that wrote the picture and the table.
    fn trace(&mut self) {
        let digest = |role: &str, label: &str| {
            let (_, path) = self.inputs[role]
                .iter()
                .find(|(known, _)| known == label)
                .expect("an input");
            blake3::hash(&std::fs::read(path).expect("a file"))
                .to_hex()
                .to_string()
        };
        let axis = json!({"label": "x", "scale": "linear"});
        let trace = json!({"format": 1, "stages": [
            {"stage": "curve", "kind": "figure", "title": "A curve", "caption": HOSTILE,
             "params": {"panels": [{"title": "", "x": axis, "y": axis}], "note": HOSTILE},
             "inputs": [{"role": "font", "from": "data/font.ttf", "digest": "0".repeat(64)}],
             "outputs": [{"name": "svg", "path": "figures/curve.svg", "digest": digest("pictures", "curve")}]},
            {"stage": "numbers", "kind": "table", "title": "Numbers", "caption": "of x", "params": {},
             "inputs": [{"role": "a", "from": "curve.svg", "digest": "0".repeat(64)}],
             "outputs": [{"name": "csv", "path": "figures/numbers.csv", "digest": digest("tables", "numbers")}]},
        ]});
        self.give("trace", "", trace.to_string().as_bytes());
    }

    fn run(&self) -> Result<String> {
        let scratch = tempfile::tempdir().expect("a folder");
        let cancelled = AtomicBool::new(false);
        let folder = scratch.path().to_owned();
        let io = Io::new(self.inputs.clone(), folder, &cancelled, &|_| {});
        let params: Params = serde_json::from_value(self.params.clone()).expect("params");
        Report::check(&params).expect("params that fit");
        Report::run(&params, &io)?;
        Ok(std::fs::read_to_string(scratch.path().join("html")).expect("a page"))
    }

    fn fails_with(&self, wanted: &str) {
        let error = self.run().expect_err(wanted).to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn hostile_words_stay_words_and_the_same_inputs_are_the_same_bytes() {
    let small = Small::new();
    let page = small.run().expect("it runs");
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"));
    assert!(page.contains("&lt;img src=x"));
    let scripts = page.matches("<script").count();
    assert_eq!(page.matches("</script>").count(), scripts);
    // One of the figure's data, one of the table's, the charting library, the page's own.
    assert_eq!(scripts, 4);
    assert!(page.contains("1 of 1 claims hold") && page.contains("retrace run curve"));
    assert!(!page.contains(&*small.folder.path().to_string_lossy()));
    assert_eq!(page, Small::new().run().expect("it runs"));
}

#[test]
fn what_is_named_must_be_there_and_what_has_no_words_comes_last() {
    let mut missing = Small::new();
    missing.params["sections"][0]["figures"][0] = json!("curvy");
    missing.fails_with("`curvy`, which no input of `pictures` gives");
    missing.params["sections"][0]["figures"][0] = json!("curve@*");
    missing.fails_with("`curve@*`, which no input of `pictures` gives");
    missing.params["sections"][0]["figures"] = json!(["curve", "c*"]);
    missing.fails_with("`curve` stands in the report twice");

    let mut missing = Small::new();
    missing.params["claims"] = json!({"curvy": ["c"]});
    missing.fails_with("there is no figure `curvy`");

    let mut missing = Small::new();
    missing.params["claims"] = json!({"curve": ["d"]});
    missing.fails_with("no claim `d`");

    let mut more = Small::new();
    let other = SVG.replace("9 9", "8 8");
    more.give("pictures", "other", other.as_bytes());
    more.fails_with("no stage of the trace wrote `other`");
    more.params["sections"] = json!([]);
    more.params["claims"] = json!({});
    let only = more.inputs.get_mut("pictures").expect("pictures");
    only.retain(|(label, _)| label == "curve");
    assert!(more.run().expect("it runs").contains("Further figures"));
}

#[test]
fn what_a_figure_does_not_show_stands_beside_it() {
    let plain = Small::new().run().expect("it runs");
    assert!(!plain.contains("Warning"));
    let mut small = Small::new();
    let said = ["5 of 9 points > 1".to_owned(), HOSTILE.to_owned()];
    small.give("pictures", "curve", warnings::embed(SVG, &said).as_bytes());
    small.trace();
    let page = small.run().expect("it runs");
    assert!(page.contains("<b>Warning.</b> 5 of 9 points &gt; 1</li>"));
    assert_eq!(page.matches("<b>Warning.</b>").count(), 2);
    assert!(!page.contains("<script>alert"));
    // And nothing else on the page is another: without warnings it has the bytes that it had.
    let list = page.find("<ul class=\"differs\"").expect("the list");
    let figure = page.find("id=\"figure-curve\"").expect("the figure");
    assert!(list > figure && page.len() > plain.len());
}

#[test]
fn data_of_no_picture_are_refused_and_words_of_curves_stay_words() {
    let mut missing = Small::new();
    missing.give("data", "crve", DATA.as_bytes());
    missing.fails_with("the data `crve` belong to no input of `pictures`");
    let mut numbered = Small::new();
    let data = DATA
        .replace(",a,", ",1.0,")
        .replacen("0,</script>,0,1.0", "0,</script>,1,007", 1);
    numbered.give("data", "curve", data.as_bytes());
    let page = numbered.run().expect("it runs");
    assert!(page.contains("\"name\": \"1.0\"") && page.contains("\"name\": \"007\""));
}

#[test]
fn a_table_without_sense_and_a_newer_trace_are_refused() {
    let mut wrong = Small::new();
    wrong.give("data", "curve", b"panel,curve\n0,0\n0\n");
    wrong.fails_with("row 2");
    let mut newer = Small::new();
    newer.give("trace", "", b"{\"format\": 2, \"stages\": []}");
    newer.fails_with("format 2");
    let mut heavy = Small::new();
    heavy.give("script", "", &vec![b' '; 9_000_000]);
    heavy.fails_with("more than the 9000000");
}
