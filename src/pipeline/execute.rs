//! What a run does to one stage: confirms it, restores it, or runs it in a scratch folder.
//!
//! Unaware of the order of stages: the outputs of those before it are given. Outputs go to the store
//! first and from there to where the user sees them.

use crate::pipeline::actions::{Action, Outputs};
use crate::pipeline::digest::Digest;
use crate::pipeline::error::{Error, Result};
use crate::pipeline::files;
use crate::pipeline::kind::Io;
use crate::pipeline::plan::{Context, Reason};
use crate::pipeline::resolve::{Source, Stage};
use crate::pipeline::run::{Event, Finished, Outcome, Run};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Instant;

impl Run<'_> {
    /// Confirms, restores or runs a stage whose inputs are there.
    pub fn bring_up_to_date(
        &self,
        index: usize,
        known: &BTreeMap<usize, Outputs>,
    ) -> Result<Finished> {
        let stage = &self.context.pipeline.stages[index];
        let start = Instant::now();
        let result = self.try_stage(index, stage, known);
        match &result {
            Ok(finished) => {
                let seconds = start.elapsed().as_secs_f64();
                (self.observer)(Event::Done {
                    stage: index,
                    outcome: finished.outcome,
                    seconds,
                });
            }
            Err(error) => {
                let log = self.context.workspace.log_path(&stage.id);
                let log = log.is_file().then_some(log);
                (self.observer)(Event::Failed {
                    stage: index,
                    error: error.clone(),
                    log,
                });
            }
        }
        result
    }

    fn try_stage(
        &self,
        index: usize,
        stage: &Stage,
        known: &BTreeMap<usize, Outputs>,
    ) -> Result<Finished> {
        let context = self.context;
        let inputs = context
            .input_digests(stage, |upstream| known.get(&upstream))?
            .ok_or_else(|| Error::failed("an input has no digest"))?;
        let probe = context.probe(stage, inputs.clone());
        if let (Some(action), false) = (&probe.cached, self.is_forced(index)) {
            let moved = context.out_of_place(stage, &action.outputs);
            let outcome = if moved.is_empty() {
                Outcome::Fresh
            } else {
                Outcome::Restored
            };
            self.publish(stage, &action.outputs, &moved)?;
            return Ok(Finished {
                key: probe.key,
                outputs: action.outputs.clone(),
                outcome,
            });
        }
        let reason = if probe.cached.is_some() {
            Reason::Forced
        } else {
            context.reason(stage, &probe.key)?
        };
        (self.observer)(Event::Started {
            stage: index,
            reason,
        });
        let start = Instant::now();
        let outputs = self.run_job(index, stage, known, &inputs)?;
        let action = Action {
            stage: stage.id.clone(),
            outputs: outputs.clone(),
            seconds: start.elapsed().as_secs_f64(),
        };
        context.store.record(probe.key.digest(), &action)?;
        self.publish(stage, &outputs, &context.out_of_place(stage, &outputs))?;
        Ok(Finished {
            key: probe.key,
            outputs,
            outcome: Outcome::Ran,
        })
    }

    /// Runs the job in a scratch folder and moves what it declares into the store.
    fn run_job(
        &self,
        index: usize,
        stage: &Stage,
        known: &BTreeMap<usize, Outputs>,
        digests: &[(String, Digest)],
    ) -> Result<Outputs> {
        let context = self.context;
        let scratch_root = context.workspace.cache.join("scratch");
        files::create_folder(&scratch_root)?;
        let scratch = tempfile::Builder::new()
            .prefix(&format!("{}-", stage.id))
            .tempdir_in(&scratch_root)
            .map_err(|e| Error::io("make a folder in", &scratch_root, &e))?;
        let mut files: BTreeMap<String, Vec<(String, PathBuf)>> = BTreeMap::new();
        for input in &stage.inputs {
            let path = match &input.source {
                Source::File(path) => context.input_file(path)?,
                Source::Output { stage, output } => {
                    let digest = known.get(stage).and_then(|outputs| outputs.get(output));
                    let digest = digest.ok_or_else(|| Error::failed("an input has no digest"))?;
                    context.store.object(*digest)
                }
            };
            files
                .entry(input.role.clone())
                .or_default()
                .push((input.label.clone(), path));
        }
        let report = |progress| {
            (self.observer)(Event::Progress {
                stage: index,
                progress,
            })
        };
        let io = Io::new(
            files.clone(),
            scratch.path().to_owned(),
            self.cancelled,
            &report,
        );
        let result = catch_unwind(AssertUnwindSafe(|| stage.job.run(&io)))
            .unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
        let mut log = io.take_log();
        if let Err(error) = &result {
            log.push_str(&format!("failed: {error}\n"));
        }
        write_log(&context.workspace.log_path(&stage.id), &log)?;
        result?;
        self.check_inputs_unchanged(stage, &files, digests)?;
        collect(scratch.path(), stage, context)
    }

    /// An input that changed while the stage ran makes its result worthless.
    fn check_inputs_unchanged(
        &self,
        stage: &Stage,
        files: &BTreeMap<String, Vec<(String, PathBuf)>>,
        digests: &[(String, Digest)],
    ) -> Result<()> {
        for input in &stage.inputs {
            let file = files[&input.role]
                .iter()
                .find(|(label, _)| *label == input.label);
            let Some((_, path)) = file else { continue };
            let name = input.key_name();
            let before = digests
                .iter()
                .find(|(role, _)| *role == name)
                .map(|(_, digest)| *digest);
            if Some(Digest::of_file(path)?.0) != before {
                let message = format!("the input `{name}` changed while the stage ran");
                return Err(Error::failed(message).hint("nothing was recorded: run again"));
            }
        }
        Ok(())
    }

    fn publish(&self, stage: &Stage, outputs: &Outputs, moved: &[PathBuf]) -> Result<()> {
        let context = self.context;
        for (name, path) in stage
            .outputs
            .iter()
            .filter(|(_, path)| moved.contains(path))
        {
            refuse_links(&context.workspace.out, path)?;
            let target = context.workspace.out.join(path);
            context.store.copy_to(outputs[name], &target)?;
        }
        Ok(())
    }
}

/// A log is for people: one that a kill cuts short does no harm.
fn write_log(path: &Path, log: &str) -> Result<()> {
    files::create_folder(path.parent().unwrap_or(Path::new(".")))?;
    std::fs::write(path, log).map_err(|e| Error::io("write", path, &e))
}

/// Moves the declared outputs into the store; a missing or undeclared file fails the stage.
fn collect(scratch: &Path, stage: &Stage, context: &Context) -> Result<Outputs> {
    let io = |e: std::io::Error| Error::io("list", scratch, &e);
    for entry in std::fs::read_dir(scratch).map_err(io)? {
        let name = entry
            .map_err(io)?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if !stage.outputs.iter().any(|(output, _)| *output == name) {
            return Err(Error::failed(format!(
                "the stage wrote an undeclared output `{name}`"
            )));
        }
    }
    let mut outputs = Outputs::new();
    for (name, _) in &stage.outputs {
        let file = scratch.join(name);
        if !file.is_file() {
            return Err(Error::failed(format!(
                "the stage did not write its output `{name}`"
            )));
        }
        outputs.insert(name.clone(), context.store.insert(&file)?);
    }
    Ok(outputs)
}

/// A link on the way to an output could lead out of the folder that receives outputs.
fn refuse_links(out: &Path, path: &Path) -> Result<()> {
    let folders = path
        .parent()
        .map(|p| p.ancestors().collect::<Vec<_>>())
        .unwrap_or_default();
    for folder in folders {
        if out.join(folder).is_symlink() && !folder.as_os_str().is_empty() {
            let message = format!(
                "{} is a symbolic link: nothing was written",
                folder.display()
            );
            return Err(Error::failed(message).hint("put a real folder there"));
        }
    }
    Ok(())
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    Error::failed(format!("the stage panicked: {text}")).hint("this is a bug: please report it")
}
