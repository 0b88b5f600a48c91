//! Slurm's own programs: what submits, what says how many jobs are left, what cancels them. Knows no plan.

use crate::console::terminal;
use crate::verbs::cluster::slurm::{JOBS, SUBMIT};
use retrace::base::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Jobs that were submitted together.
pub struct Queue {
    folder: PathBuf,
    jobs: Vec<String>,
}

impl Queue {
    /// Submits what is left to do; `None` where that is nothing.
    ///
    /// # Errors
    /// The script cannot be started, or says that something went wrong.
    pub fn submit(folder: &Path) -> Result<Option<Queue>> {
        let script = folder.join(SUBMIT);
        let output = run(Command::new(&script), "submit.sh")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            // What was submitted before it went wrong would wait for what never comes.
            let queue = Queue::of(folder)?;
            queue.cancel()?;
            let message = format!("the tasks could not be submitted: {}", said.trim());
            let hint = format!(
                "{} is what was tried; the jobs that it submitted are cancelled",
                script.display()
            );
            return Err(Error::failed(message).hint(hint));
        }
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            terminal::note(line);
        }
        let queue = Queue::of(folder)?;
        Ok((!queue.jobs.is_empty()).then_some(queue))
    }

    /// The jobs that the script has noted.
    fn of(folder: &Path) -> Result<Queue> {
        let path = folder.join(JOBS);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(Error::io("read", &path, &e)),
        };
        Ok(Queue {
            folder: folder.to_owned(),
            jobs: text.lines().map(str::to_owned).collect(),
        })
    }

    /// The numbers of the job arrays.
    pub fn jobs(&self) -> &[String] {
        &self.jobs
    }

    /// How many tasks have not ended.
    ///
    /// # Errors
    /// Slurm does not answer.
    pub fn unfinished(&self) -> Result<usize> {
        let mut command = Command::new("squeue");
        command.args(["--noheader", "--array", "--format=%T", "--jobs"]);
        command.arg(self.jobs.join(","));
        let output = run(command, "squeue")?;
        let said = String::from_utf8_lossy(&output.stderr);
        // Slurm forgets jobs that ended long ago, and then does not know their numbers.
        if !output.status.success() && !said.contains("Invalid job id") {
            return Err(Error::failed(format!("squeue: {}", said.trim())));
        }
        Ok(String::from_utf8_lossy(&output.stdout).lines().count())
    }

    /// Cancels what has not ended.
    ///
    /// # Errors
    /// Slurm does not answer.
    pub fn cancel(&self) -> Result<()> {
        if self.jobs.is_empty() {
            return Ok(());
        }
        let mut command = Command::new("scancel");
        command.args(&self.jobs);
        let output = run(command, "scancel")?;
        match output.status.success() {
            true => Ok(()),
            false => {
                let said = String::from_utf8_lossy(&output.stderr);
                let jobs = self.folder.join(JOBS);
                let hint = format!("`xargs scancel <{}` cancels them", jobs.display());
                Err(Error::failed(format!("scancel: {}", said.trim())).hint(hint))
            }
        }
    }
}

/// Runs a program to its end; Ctrl-C is for this program, which then cancels the jobs.
fn run(mut command: Command, name: &str) -> Result<Output> {
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.stdin(Stdio::null()).output().map_err(|e| {
        let error = Error::failed(format!("{name} cannot be started: {e}"));
        error.hint("Slurm's programs must be on PATH: run this where you would submit jobs")
    })
}
