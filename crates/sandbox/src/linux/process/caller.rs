//! The caller's side: starts the supervisor, cancels, and takes its report.

use super::roles;
use super::starter::Order;
use super::supervisor::{CANCEL, Report};
use crate::types::ended::{End, Ended, Seen};
use crate::types::plan::{Bounds, Command};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ChildStdout, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// How long it may take until a wish to cancel is noticed, in nanoseconds.
const NOTICE: i64 = 50_000_000;

pub fn run(command: &Command, bounds: &Bounds, cancelled: &AtomicBool) -> Result<Ended, String> {
    let words = |error: std::io::Error| format!("no process can be started to watch it: {error}");
    let mut supervisor = std::process::Command::new(roles::IMAGE)
        .arg(roles::SUPERVISOR)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // What a terminal sends to this process is this process's business.
        .process_group(0)
        .spawn()
        .map_err(words)?;
    let (Some(mut to), Some(mut from)) = (supervisor.stdin.take(), supervisor.stdout.take()) else {
        return Err("the process that watches it has no pipes".into());
    };
    let order = Order {
        command: command.clone(),
        bounds: bounds.clone(),
    };
    let mut text = serde_json::to_vec(&order).map_err(|error| error.to_string())?;
    text.push(b'\n');
    // One that has ended already says why, or its status does.
    let _ = to.write_all(&text);
    let mut report = Vec::new();
    let mut asked = false;
    let read = loop {
        if !asked && cancelled.load(Ordering::Relaxed) {
            asked = true;
            // One that has ended has nothing to cancel.
            let _ = to.write_all(&[CANCEL]);
        }
        match something_to_read(&from).and_then(|some| match some {
            true => read_some(&mut from, &mut report),
            false => Ok(true),
        }) {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    drop(to);
    let status = supervisor.wait().map_err(|error| error.to_string())?;
    read.map_err(|error| format!("what the process that watches it says: {error}"))?;
    match serde_json::from_slice(&report) {
        Ok(Report::Ended(ended)) => Ok(*ended),
        Ok(Report::Failed(why)) => Err(why),
        Err(_) => match status.signal() {
            Some(signal) => Ok(Ended {
                end: End::Unseen(signal),
                seen: Seen::default(),
                left_behind: Vec::new(),
                memory: 0,
            }),
            None => Err(format!(
                "the process that watches it ended without a report ({status}); what the command started \
                 may still run"
            )),
        },
    }
}

fn something_to_read(from: &ChildStdout) -> std::io::Result<bool> {
    let wait = Timespec {
        tv_sec: 0,
        tv_nsec: NOTICE,
    };
    match poll(&mut [PollFd::new(from, PollFlags::IN)], Some(&wait)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether there may be more.
fn read_some(from: &mut ChildStdout, to: &mut Vec<u8>) -> std::io::Result<bool> {
    let mut buffer = [0; 1 << 14];
    let read = match from.read(&mut buffer) {
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(true),
        result => result?,
    };
    to.extend(&buffer[..read]);
    Ok(read > 0)
}
