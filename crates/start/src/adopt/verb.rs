//! The verb: reads what is there, runs it, writes what was seen.

use crate::adopt::step::{Step, Steps, below};
use crate::adopt::trial::{self, around};
use crate::adopt::{commands, dvc, order, pipeline, scripts, text};
use clap::Args;
use retrace::base::files;
use retrace::stage::io::Repository;
use retrace::store::workspace::{KEYS_FILE, LOCK_FILE, SPEC_FILE};
use retrace::{Error, OpenOptions, Result};
use retrace_cli::{Call, exit, terminal, workers};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is adopted, and how.
#[derive(Debug, Args)]
pub struct AdoptArgs {
    /// A dvc.yaml, or a folder of numbered scripts (01_clean.py); dvc.yaml if nothing is said
    pub source: Option<PathBuf>,
    /// A file of commands, one a line, in the order in which they run
    #[arg(long, value_name = "FILE", conflicts_with = "source")]
    pub commands: Option<PathBuf>,
    /// The folder in which scripts and commands run, if it is not this one
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub folder: PathBuf,
    /// A file that is no stage's output, such as a log; may be repeated
    #[arg(long, value_name = "FILE")]
    pub leave_out: Vec<PathBuf>,
    /// An environment variable that the programs need, as PYTHONPATH=.; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Write over a pipeline.yaml
    #[arg(long)]
    pub force: bool,
}

/// Runs the steps in a view of this folder and writes pipeline.yaml, which holds what they did.
///
/// # Errors
/// There is a pipeline.yaml, or nothing to adopt; a step fails. Then nothing is written.
pub fn adopt(args: &AdoptArgs, call: &Call) -> Result<u8> {
    let root = std::path::absolute(".").and_then(|root| root.canonicalize());
    let root = root.map_err(|e| Error::io("find", Path::new("."), &e))?;
    let spec = root.join(SPEC_FILE);
    if !args.force && spec.symlink_metadata().is_ok() {
        let error = Error::config(format!("there is a {SPEC_FILE} already"));
        return Err(error.hint("`--force` writes over it"));
    }
    let (from, steps) = read(args, &root)?;
    let Steps { steps, mut left } = steps;
    let steps = order::sorted(steps).map_err(Error::config)?;
    workers::start(None)?;
    let cache = format!(".{}", call.program.name);
    let made = ["figures", "artifacts", LOCK_FILE, KEYS_FILE, &cache];
    let made = made.iter().map(|name| root.join(name)).collect();
    let repository = Repository {
        root: root.clone(),
        made,
    };
    let around = around(&root, variables(&args.env)?);
    let count = steps.len();
    let mut begun = 0;
    let mut hear = |step: &Step| {
        begun += 1;
        terminal::note(&format!("{begun} of {count}: {}", step.run.join(" ")));
    };
    let ran = trial::run(repository, &around, steps, workers::cancelled(), &mut hear)?;
    let left_out = args.leave_out.iter().map(|path| path_below(path));
    let left_out = left_out.collect::<Result<Vec<_>>>()?;
    let seen = pipeline::of(&ran, &around, &left_out)
        .map_err(|why| Error::failed(why).hint("nothing was written"))?;
    left.extend(seen.said.iter().cloned());
    let name = call.program.name;
    let written = text::pipeline(&seen, &from, name, &left);
    check(&written, call)?;
    files::write(&spec, written.as_bytes())?;
    let stages = terminal::count(seen.stages.len(), "stage");
    terminal::print(&format!("{SPEC_FILE} has {stages}:\n"));
    for stage in &seen.stages {
        let outputs = stage
            .outputs
            .values()
            .map(|(lies, _)| lies.display().to_string());
        let outputs: Vec<String> = outputs.take(4).collect();
        let more = match stage.outputs.len() - outputs.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        terminal::print(&format!("  {}: {}{more}\n", stage.name, outputs.join(", ")));
    }
    if !left.is_empty() {
        terminal::print("not as it was:\n");
        for line in &left {
            terminal::print(&format!("  - {line}\n"));
        }
    }
    terminal::note(&format!(
        "next: `{name} run`; commit {SPEC_FILE} and {LOCK_FILE}, and let git ignore .{name}/ and artifacts/"
    ));
    Ok(exit::OK)
}

/// Variables that were given as NAME=VALUE.
fn variables(given: &[String]) -> Result<BTreeMap<String, String>> {
    let pair = |text: &String| {
        let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, value) =
            pair.ok_or_else(|| Error::config(format!("--env {text}: write it as NAME=VALUE")))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    given.iter().map(pair).collect()
}

/// What is to be adopted, and what it is called.
fn read(args: &AdoptArgs, root: &Path) -> Result<(String, Steps)> {
    const DVC: &str = "dvc.yaml";
    let folder = path_below(&args.folder)?.to_string_lossy().into_owned();
    if let Some(file) = &args.commands {
        let text = text_of(file)?;
        let shown = file.display().to_string();
        let steps = commands::read(&shown, &text, &folder).map_err(Error::config)?;
        return Ok((shown, steps));
    }
    let source = match &args.source {
        Some(source) => source.clone(),
        None if root.join(DVC).is_file() => PathBuf::from(DVC),
        None => {
            let error = Error::config(format!("there is no {DVC} here"));
            return Err(error.hint(
                "name a folder of numbered scripts, or a file of commands with --commands FILE",
            ));
        }
    };
    let shown = source.display().to_string();
    if source.is_dir() {
        let steps = scripts::read(root, &path_below(&source)?, &folder).map_err(Error::config)?;
        let called = match shown.as_str() {
            "." | "./" => "the scripts of this folder".to_owned(),
            shown => shown.to_owned(),
        };
        return Ok((called, steps));
    }
    let text = text_of(&source)?;
    let is_yaml = source
        .extension()
        .is_some_and(|ending| ending == "yaml" || ending == "yml");
    if !is_yaml {
        let error = Error::config(format!("{shown} is no dvc.yaml and no folder of scripts"));
        return Err(error.hint(format!("for a file of commands: --commands {shown}")));
    }
    if !folder.is_empty() {
        let error = Error::config("--folder is for scripts and commands");
        return Err(error.hint("a stage of a dvc.yaml says where it runs: `wdir`"));
    }
    let below = path_below(&source)?;
    let base = below.parent().unwrap_or(Path::new(""));
    let steps = dvc::read(root, &shown, &text, &base.to_string_lossy())?;
    Ok((shown, steps))
}

fn path_below(path: &Path) -> Result<PathBuf> {
    below("", &path.to_string_lossy()).map_err(Error::config)
}

fn text_of(path: &Path) -> Result<String> {
    /// A larger file is no list of steps.
    const MOST: u64 = 4 << 20;
    let bytes = files::read_at_most(path, MOST).map_err(|e| Error::io("read", path, &e))?;
    String::from_utf8(bytes)
        .map_err(|_| Error::config(format!("{} is no text in UTF-8", path.display())))
}

/// Reads the pipeline as `run` will, in a folder of its own.
fn check(text: &str, call: &Call) -> Result<()> {
    let folder = tempfile::tempdir()
        .map_err(|e| Error::io("make a folder in", &std::env::temp_dir(), &e))?;
    files::write(&folder.path().join(SPEC_FILE), text.as_bytes())?;
    let opened = OpenOptions::new().open(folder.path(), (call.program.kinds)());
    opened.map(drop).map_err(|e| {
        let message = format!("what was seen makes no pipeline: {e}");
        Error::failed(message).hint(e.hint.unwrap_or_else(|| "nothing was written".into()))
    })
}
