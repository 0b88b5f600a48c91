//! Verb `risk`: the exact test error of a one-layer model from the user's own files.

use crate::kinds::exchange::model;
use crate::kinds::params::number::MAX_SHOTS;
use clap::Args;
use icl::model::head::Head;
use icl::prompts::setting::Setting;
use icl::prompts::task::Task;
use icl::theory::risk::test_error;
use ndarray::Array2;
use retrace::base::error::{Error, ErrorKind, Place, Result};
use retrace::base::files;
use retrace_cli::answers::answer;
use retrace_cli::{Answer, exit, terminal};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Write as _};
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use tables::model_file::{Matrix, ModelFile};

#[derive(Debug, Args)]
pub struct RiskArgs {
    /// JSON: {"v": [d+2 numbers], "q": [d+2 rows of d+2 numbers]}, or a model file of a stage
    #[arg(long, value_name = "FILE")]
    pub params: PathBuf,
    /// JSON: [d numbers]
    #[arg(long, value_name = "FILE")]
    pub task: PathBuf,
    /// Numbers of shots: one (20), or first and last (0..20), both included
    #[arg(long, value_name = "RANGE")]
    pub shots: String,
    /// Variance of the label noise
    #[arg(
        long,
        value_name = "SIGMA2",
        default_value_t = 0.1,
        allow_negative_numbers = true
    )]
    pub noise_var: f64,
    /// JSON: covariance of the covariates, d rows of d numbers [default: identity]
    #[arg(long, value_name = "FILE")]
    pub covariance: Option<PathBuf>,
    /// Print a JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// The params file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadFile {
    v: Vec<f64>,
    q: Matrix,
}

/// A larger file is taken for a mistake.
const MAX_BYTES: u64 = 16 << 20;

/// Prints the error for each number of shots.
pub fn risk(args: &RiskArgs) -> Result<u8> {
    let shots = parse_shots(&args.shots)?;
    let head = read_head(&args.params)?;
    let d = head.d();
    let theta: Vec<f64> = read_json(&args.task)?;
    if theta.len() != d {
        let found = theta.len();
        return Err(wrong(
            &args.task,
            format!("the task has {found} numbers, the model has d = {d}"),
        ));
    }
    let task = Task::new(theta).map_err(|e| wrong(&args.task, e))?;
    let option = |e: icl::prompts::setting::SettingError| {
        Error::config(e.to_string()).at(&Place::whole("--noise-var"))
    };
    let mut setting = Setting::new(d, args.noise_var).map_err(option)?;
    if let Some(path) = &args.covariance {
        let matrix = square(read_json(path)?, d).map_err(|e| wrong(path, e))?;
        setting = setting
            .with_covariance(&matrix)
            .map_err(|e| wrong(path, e))?;
    }
    let covariance = args.covariance.as_ref();
    let covariance = covariance.map_or("identity".to_owned(), |path| path.display().to_string());
    terminal::detail(&format!(
        "model: one layer, one head, d = {d}; noise variance {}; covariance {covariance}",
        args.noise_var
    ));
    let mut errors = Vec::new();
    for n in shots {
        let error = test_error(&setting, &head, &task, n).map_err(|e| wrong(&args.params, e))?;
        if !error.is_finite() {
            let message = format!("the test error at n = {n} is beyond the range of f64");
            return Err(wrong(&args.params, message));
        }
        errors.push((n, error));
    }
    let mut text = String::new();
    if args.json {
        let errors = errors.into_iter().map(|(n, error)| ErrorAt { n, error });
        text = answer::text(&Risk {
            errors: errors.collect(),
        })?;
    } else {
        let _ = writeln!(text, "{:>4}  {:>12}", "n", "test error");
        for (n, error) in errors {
            let _ = writeln!(text, "{n:>4}  {error:>12.6}");
        }
    }
    terminal::print(&text);
    Ok(exit::OK)
}

/// Exact test errors of a model, printed by `risk --json`.
#[derive(Serialize, JsonSchema)]
pub struct Risk {
    /// In the order of the numbers of shots.
    errors: Vec<ErrorAt>,
}

/// The error at a number of shots.
#[derive(Serialize, JsonSchema)]
struct ErrorAt {
    /// Examples in the prompt.
    n: usize,
    /// The expected squared error of the prediction, noise of the label included.
    error: f64,
}

impl Answer for Risk {
    const NAME: &'static str = "risk";
    const FORMAT: &'static str = "icl-repro risk 1";
}

/// Reads a params file: `v` and `q`, or the model file of a stage.
fn read_head(path: &Path) -> Result<Head> {
    parse_head(path, &read_bytes(path)?)
}

/// The model in the bytes of a file; `path` is its name in messages.
pub fn parse_head(path: &Path, bytes: &[u8]) -> Result<Head> {
    let content: serde_json::Value = parse_json(path, bytes)?;
    if content.get("layers").is_none() {
        let HeadFile { v, q } = parse_json(path, bytes)?;
        return Head::from_rows(v, &q).map_err(|e| wrong(path, e));
    }
    let file: ModelFile = parse_json(path, bytes)?;
    let model = model::from_file(&file).map_err(|e| wrong(path, e))?;
    let message = "the closed form is for one layer with one head";
    model.only_head().ok_or_else(|| wrong(path, message))
}

/// `20` or `0..20`, both ends included.
fn parse_shots(text: &str) -> Result<std::ops::RangeInclusive<usize>> {
    let error = || {
        Error::config(format!("`{text}` is no range of shots"))
            .at(&Place::whole("--shots"))
            .hint(format!(
                "write one number (20) or two (0..20), at most {MAX_SHOTS}"
            ))
    };
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let last = last.strip_prefix('=').unwrap_or(last);
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| error());
    let (first, last) = (number(first)?, number(last)?);
    if first > last || last > MAX_SHOTS {
        return Err(error());
    }
    Ok(first as usize..=last as usize)
}

fn wrong(path: &Path, message: impl Display) -> Error {
    Error::config(message.to_string()).at(&Place::whole(path.display().to_string()))
}

/// The bytes of a file, or of a pipe: what a shell makes of `<(command)`.
fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let bytes = File::open(path).and_then(|file| files::take_at_most(file, MAX_BYTES));
    bytes.map_err(|e| Error {
        kind: ErrorKind::Config,
        ..Error::io("read", path, &e)
    })
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    parse_json(path, &read_bytes(path)?)
}

fn parse_json<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|e| {
        let shown = path.display().to_string().into();
        let place = Place::file(&shown, e.line() as u64, e.column() as u64);
        let text = e.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
        Error::config(message).at(&place)
    })
}

fn square(rows: Matrix, d: usize) -> std::result::Result<Array2<f64>, String> {
    if rows.len() != d {
        return Err(format!(
            "the covariance has {} rows, the model has d = {d}",
            rows.len()
        ));
    }
    if let Some((r, row)) = rows.iter().enumerate().find(|(_, row)| row.len() != d) {
        return Err(format!(
            "covariance: row {r} has {} numbers, expected {d}",
            row.len()
        ));
    }
    Ok(Array2::from_shape_fn((d, d), |(i, j)| rows[i][j]))
}
