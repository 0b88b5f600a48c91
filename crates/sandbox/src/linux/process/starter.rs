//! The process that becomes the command: binds itself, hands over the listener, and executes the program.
//!
//! Its stdin is a socket to the supervisor: the plan comes from there, then the listener goes there, and
//! words if the program cannot be started.

use super::confine;
use crate::linux::kernel::filter::filter;
use crate::linux::kernel::seccomp;
use crate::linux::watch::places::Places;
use crate::types::plan::{Bounds, Command};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Signal, set_parent_process_death_signal, setsid};
use std::fs::File;
use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::ExitCode;

/// What it is told.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Order {
    pub command: Command,
    pub bounds: Bounds,
}

/// Becomes the command, or says why not.
pub fn act() -> ExitCode {
    let socket = std::io::stdin().as_fd().try_clone_to_owned();
    let Ok(mut socket) = socket.map(UnixStream::from) else {
        return ExitCode::FAILURE;
    };
    if let Err(why) = start(&mut socket) {
        // If the supervisor has gone, nobody is left to hear it.
        let _ = socket.write_all(why.as_bytes());
    }
    ExitCode::FAILURE
}

fn start(socket: &mut UnixStream) -> Result<(), String> {
    let words = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    let mut text = Vec::new();
    socket
        .read_to_end(&mut text)
        .map_err(|error| words("its orders", &error))?;
    let order: Order =
        serde_json::from_slice(&text).map_err(|error| words("its orders", &error))?;
    let Order { command, bounds } = order;
    let places = Places::new(&command, &bounds)?;
    let filter = filter(bounds.network)?;
    let nothing = File::open("/dev/null").map_err(|error| words("/dev/null", &error))?;
    std::env::set_current_dir(&command.folder)
        .map_err(|error| words(&format!("folder {}", command.folder.display()), &error))?;
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| words("its end with its parent", &error))?;
    // No terminal: nobody can be asked for anything.
    setsid().map_err(|error| words("a session of its own", &error))?;
    let mut program = std::process::Command::new(&command.program);
    program
        .args(&command.arguments)
        .env_clear()
        .envs(&command.environment);
    confine::privileges()?;
    rustix::thread::set_no_new_privs(true).map_err(|error| words("no new privileges", &error))?;
    confine::files_and_network(&places, &bounds)?;
    let listener = seccomp::install(&filter).map_err(|error| match error.raw_os_error() {
        Some(libc::EBUSY) => {
            "this process is watched itself, and the kernel lets nobody watch a command within a watched \
             command"
                .into()
        }
        _ => words("the filter of calls", &error),
    })?;
    send(socket, &listener).map_err(|error| words("the listener", &error))?;
    drop(listener);
    rustix::stdio::dup2_stdin(&nothing).map_err(|error| words("stdin", &error))?;
    seccomp::close_others_at_exec().map_err(|error| words("open files", &error))?;
    confine::limits(&bounds)?;
    let error = program.exec();
    Err(words(&command.program.display().to_string(), &error))
}

/// What goes with the listener: a message cannot be empty.
pub const WITH_LISTENER: u8 = b'L';

fn send(socket: &UnixStream, listener: &OwnedFd) -> rustix::io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let listener = [listener.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&listener));
    sendmsg(
        socket,
        &[IoSlice::new(&[WITH_LISTENER])],
        &mut control,
        SendFlags::NOSIGNAL,
    )
    .map(drop)
}
