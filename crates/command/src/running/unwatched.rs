//! Commands where nothing can be watched: what they read must be declared, and is trusted.

use crate::described::params::Params;
use retrace::stage::io::Io;
use retrace::stage::look::Look;
use retrace::{Error, Result};
use sandbox::{End, Ended};
use std::path::Path;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// Tells the files that a command is said to read.
///
/// # Errors
/// None are named, or a pattern matches none.
pub fn declared(params: &Params, root: &Path, why: &str, io: &Io) -> Result<()> {
    let Some(reads) = &params.reads else {
        let message = format!("what a command reads cannot be watched here: {why}");
        return Err(Error::failed(message)
            .hint("name all files that it reads under `reads`, as [src/*.py, data/x.csv]"));
    };
    io.warn(format!("nothing was watched, `reads` is trusted: {why}"));
    for pattern in reads {
        let full = root.join(pattern);
        let found = glob::glob(&full.to_string_lossy())
            .map_err(|e| Error::failed(format!("reads: `{pattern}` is no glob: {e}")))?;
        let mut is_any = false;
        for path in found.flatten().filter(|path| path.is_file()) {
            if let Ok(below) = path.strip_prefix(root) {
                io.saw(Look::At(below.to_string_lossy().into_owned()));
                is_any = true;
            }
        }
        if !is_any {
            return Err(Error::failed(format!("reads: `{pattern}` matches no file")));
        }
    }
    Ok(())
}

/// Runs it as anybody would.
///
/// # Errors
/// It cannot be started.
pub fn simply(started: &sandbox::Command, longest: Option<Duration>, io: &Io) -> Result<Ended> {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    /// How often it is looked whether somebody stops the run.
    const LOOK: Duration = Duration::from_millis(20);
    let open =
        || std::fs::File::create(&started.log).map_err(|e| Error::io("write", &started.log, &e));
    let log = open()?;
    let beside = log
        .try_clone()
        .map_err(|e| Error::io("write", &started.log, &e))?;
    let mut child = std::process::Command::new(&started.program)
        .args(&started.arguments)
        .env_clear()
        .envs(&started.environment)
        .current_dir(&started.folder)
        .stdin(std::process::Stdio::null())
        .stdout(log)
        .stderr(beside)
        .process_group(0)
        .spawn()
        .map_err(|e| Error::io("start", &started.program, &e))?;
    let group = rustix::process::Pid::from_child(&child);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || tell.send(child.wait()));
    let start = std::time::Instant::now();
    let mut stopped = None;
    let status = loop {
        match told.recv_timeout(LOOK) {
            Ok(status) => break status,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::failed("the command's end was missed"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let is_late = longest.is_some_and(|longest| start.elapsed() > longest);
        stopped = match (io.cancelled(), is_late) {
            (true, _) => Some(End::Cancelled),
            (_, true) => Some(End::TimedOut),
            _ => continue,
        };
        // With what it started, as far as that stayed in its group.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    };
    let status = status.map_err(|e| Error::io("wait for", &started.program, &e))?;
    let end = stopped.unwrap_or(match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, signal) => End::Killed(signal.unwrap_or_default()),
    });
    Ok(Ended {
        end,
        seen: sandbox::Seen::default(),
        left_behind: Vec::new(),
        memory: 0,
    })
}
