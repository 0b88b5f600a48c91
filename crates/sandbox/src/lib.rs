//! Runs somebody's command confined and watched, on Linux, without root.
//!
//! Confined: it may write below some folders, read below others, make no socket but those within the machine;
//! when it ends, however it ends, no process that it started is left. Watched: of the folders that are named
//! for that, what it read, listed, looked for in vain or was refused is told. The crate knows no pipeline and
//! no cache; what is done with what was seen is its user's business.
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//!
//! fn main() -> std::process::ExitCode {
//!     // The process that watches and the one that becomes the command are this program, started again.
//!     if let Some(code) = sandbox::act_if_asked() {
//!         return code;
//!     }
//!     let command = sandbox::Command {
//!         program: "/usr/bin/python3".into(),
//!         arguments: vec!["main.py".into()],
//!         folder: "/home/me/paper".into(),
//!         log: "/home/me/paper/.cache/log".into(),
//!         ..Default::default()
//!     };
//!     let bounds = sandbox::Bounds {
//!         watched: vec!["/home/me/paper".into()],
//!         writable: vec!["/home/me/paper/.cache/scratch".into()],
//!         ..Default::default()
//!     };
//!     match sandbox::run(&command, &bounds, &AtomicBool::new(false)) {
//!         Ok(ended) => println!("{:?}: it read {:?}", ended.end, ended.seen.read),
//!         Err(why) => println!("{why}"),
//!     }
//!     std::process::ExitCode::SUCCESS
//! }
//! ```
//!
//! # What holds whatever the program tries
//!
//! The kernel keeps these, by Landlock, by a filter of its calls and by limits:
//!
//! * Files are written below `writable` only, and in `/dev/shm`; with `devices` also in `/dev`.
//! * File contents are read below `watched`, `shown`, `readable`, `writable` and what every program needs only.
//!   What is hidden *within* one of these is not among it: see below.
//! * No socket of a family but `AF_UNIX` is made, unless `network`. (Landlock alone knows TCP only.) No ring of
//!   `io_uring`, which could make one unseen, and no call of 32-bit programs.
//! * No privilege is gained, nothing is mounted, no handle opened; an administrator's command keeps of its
//!   privileges those that concern files.
//! * No process outlives the command: orphans come back to the supervisor, which kills until there are none.
//!   Processes outside are not signalled (Landlock 6, Linux 6.12; before that, `kill` only is watched).
//!
//! Landlock of version 1 (Linux 5.13) is the least; before version 2 nothing is moved from folder to folder,
//! and before version 3 what is too short for a check of its path may be truncated.
//!
//! # What is observed, for honest programs
//!
//! A watched call is told to the supervisor, which reads the path in the caller's memory, looks itself, notes,
//! and lets the kernel go on. So these are not seen, or may be seen wrongly:
//!
//! * A path that another thread exchanges between the two looks. The same holds for `hidden` and for names of
//!   shared memory, which are kept by answers and not by rules. What a rule protects stays protected.
//! * What comes through a descriptor that was open already: none is inherited, but one can be sent over a
//!   socket or opened below `/proc`.
//! * Names in the listing of a folder: hidden entries are listed with the others.
//! * `stat` through a descriptor, and a path of `fstatat` beside the flag `AT_EMPTY_PATH`; watches for changes
//!   (`inotify`), the space left on a file system.
//! * What is not below a watched folder: that something is there, and how large it is, can always be asked.
//!   `/proc` and `/sys` tell of the machine and of other processes' command lines.
//! * Time, random numbers, the number of processors, memory that System V shares.
//! * What the supervisor saw may have changed when its user looks again: who digests files afterwards compares
//!   with what they were before. A link is told by its own name ([`Seen`]).
//! * A datagram within the machine to a socket that another process has (`sendto`): only `connect` is watched.
//!
//! `memory` binds each process by itself, not all together; `file_size` each file, not their number. When the
//! supervisor itself is killed (nobody but its owner can), the command's first process is too, but others may
//! stay, whose watched calls then all fail.

mod types;

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
mod elsewhere;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod linux;
#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
use elsewhere as linux;

pub use types::ended::{End, Ended, Refused, Seen};
pub use types::plan::{Bounds, Command};

use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

/// Why a command could not be run, or not be watched to its end; nothing of it is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub String);

impl std::fmt::Display for Error {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Whether commands can be confined and watched here.
///
/// # Errors
/// Why not, in a sentence: the system is no Linux, or what the kernel lacks or forbids.
pub fn support() -> Result<(), String> {
    linux::support()
}

/// Runs a command within bounds and waits for its end; then no process that it started is left.
///
/// Setting `cancelled` ends it. When the caller's process is killed, the command is ended too.
///
/// # Errors
/// A command or bounds that cannot be ([`Bounds`]), a path that is not there, a program that cannot be
/// started, a system without [`support`], and a process that never called [`act_if_asked`].
pub fn run(command: &Command, bounds: &Bounds, cancelled: &AtomicBool) -> Result<Ended, Error> {
    types::plan::check(command, bounds).map_err(Error)?;
    linux::run(command, bounds, cancelled).map_err(Error)
}

/// Does what this process was started for, when [`run`] started it: the first call in `main` of any program
/// that uses it. Then the answer is what `main` returns.
///
/// The parts that stand beside a command are the very program that runs it, started again.
pub fn act_if_asked() -> Option<ExitCode> {
    linux::act_if_asked()
}
