//! A small figure over a small table, drawn in process as the engine would.

use icl_repro::registry;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::Io;
use retrace::yaml::node::Node;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use tables::table::{Column, Table};

/// Inputs of a stage: role, label, bytes.
pub type Given = Vec<(String, String, Vec<u8>)>;

/// What a stage wrote and said.
#[derive(Debug)]
pub struct Made {
    pub files: BTreeMap<String, Vec<u8>>,
    pub warnings: Vec<String>,
    pub log: String,
}

impl Made {
    pub fn text(&self, output: &str) -> String {
        String::from_utf8(self.files[output].clone()).expect("UTF-8")
    }
}

/// Runs a stage of a kind; `params` is YAML.
pub fn run(kind: &str, params: &str, given: &Given) -> Result<Made> {
    let kinds = registry::kinds();
    let kind = kinds.iter().find(|known| known.name() == kind);
    let kind = kind.expect("a kind");
    let job = kind.job(&Node::parse("pipeline.yaml", params)?)?;
    let inputs = tempfile::tempdir().expect("a folder");
    let scratch = tempfile::tempdir().expect("a folder");
    let mut roles: BTreeMap<String, Vec<(String, PathBuf)>> = BTreeMap::new();
    for (number, (role, label, bytes)) in given.iter().enumerate() {
        let path = inputs.path().join(number.to_string());
        std::fs::write(&path, bytes).expect("a file");
        let files = roles.entry(role.clone()).or_default();
        files.push((label.clone(), path));
    }
    let cancelled = AtomicBool::new(false);
    let io = Io::new(roles, scratch.path().to_owned(), &cancelled, &|_| {});
    job.run(&io)?;
    let files = kind.outputs().into_iter().map(|output| {
        let bytes = std::fs::read(scratch.path().join(&output)).expect("an output");
        (output, bytes)
    });
    Ok(Made {
        files: files.collect(),
        warnings: io.take_warnings(),
        log: io.take_log(),
    })
}

pub fn font() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read(root.join("data/fonts/DejaVuSans.ttf")).expect("the font")
}

/// Errors of three models on two tasks at n = 0 to 3, with columns of every type.
pub fn table() -> Table {
    let (mut model, mut task, mut label) = (Vec::new(), Vec::new(), Vec::new());
    let (mut n, mut flag) = (Vec::new(), Vec::new());
    let (mut error, mut std_error, mut weight) = (Vec::new(), Vec::new(), Vec::new());
    for (m, name) in ["zs", "both", "both_v"].into_iter().enumerate() {
        for on in ["theta0", "-theta0"] {
            for shots in 0..4 {
                model.push(name.to_owned());
                task.push(on.to_owned());
                label.push(["1", "1.0", "01"][m].to_owned());
                n.push(shots);
                flag.push(i64::from(m == 0));
                error.push(0.5 + 0.1 * m as f64 + 0.05 * shots as f64);
                std_error.push(0.01);
                weight.push([0.5, 1.0, 100.0][m]);
            }
        }
    }
    Table::new(vec![
        ("model", Column::Text(model)),
        ("task", Column::Text(task)),
        ("label", Column::Text(label)),
        ("n", Column::Int(n)),
        ("flag", Column::Int(flag)),
        ("error", Column::Float(error)),
        ("std_error", Column::Float(std_error)),
        ("weight", Column::Float(weight)),
    ])
    .expect("a table")
}

/// The same with another column of numbers in the place of `error`.
pub fn with_errors(error: impl Fn(usize) -> f64) -> Table {
    let table = table();
    let columns = table.columns().iter().map(|(name, column)| {
        let column = match name.as_str() {
            "error" => Column::Float((0..table.rows()).map(&error).collect()),
            _ => column.clone(),
        };
        (name.as_str(), column)
    });
    Table::new(columns.collect()).expect("a table")
}

/// The same without rows.
pub fn empty() -> Table {
    let table = table();
    let columns = table.columns().iter().map(|(name, column)| {
        let column = match column {
            Column::Text(_) => Column::Text(Vec::new()),
            Column::Int(_) => Column::Int(Vec::new()),
            Column::Float(_) => Column::Float(Vec::new()),
        };
        (name.as_str(), column)
    });
    Table::new(columns.collect()).expect("a table")
}

/// A sound figure of the table `t`, of which there is nothing to say.
pub const FIGURE: &str = r##"
width_pt: 200
height_pt: 150
font_pt: 8
dpi: 30
layout: {columns: 1}
legend: {panel: 0}
looks:
  zs: {label: ZS, color: "#112233"}
  both: {label: both, dash: dotted}
  both_v: {label: value, color: "#445566"}
panels:
  - x: {label: n, range: [-0.5, 3.5], ticks: [0, 1, 2, 3]}
    y: {label: error, range: [0, 1]}
    guides: [{horizontal: {at: 0.5}}]
    callouts:
      - {from: {table: t, where: {model: zs, task: theta0, n: 2}, x: n, y: error}, label: "{x}", decimals: 2, look: {color: "#FF0000", shape: star}, mark: {marker: 7}}
    series:
      - from: {table: t, where: {task: theta0}, x: n, y: error, std_error: std_error}
        error: {bars: 1}
        each: model
        values: [zs, both, both_v]
        mark: {line: 1.2}
"##;

/// The figure with parts of its text replaced.
pub fn edited(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(FIGURE.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "the figure has no `{old}`");
        text.replacen(old, new, 1)
    })
}

pub fn figure_of(params: &str, table: Table) -> Result<Made> {
    let tables = vec![
        ("font".to_owned(), String::new(), font()),
        (
            "tables".to_owned(),
            "t".to_owned(),
            table.to_parquet().expect("bytes"),
        ),
    ];
    run("figure", params, &tables)
}

pub fn figure(edits: &[(&str, &str)]) -> Result<Made> {
    figure_of(&edited(edits), table())
}

/// The error, with what it suggests.
pub fn refused<T: std::fmt::Debug>(result: Result<T>) -> (String, String, Error) {
    let error = result.expect_err("it must be refused");
    (
        error.message.clone(),
        error.hint.clone().unwrap_or_default(),
        error,
    )
}
