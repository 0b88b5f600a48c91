//! Runs somebody's command confined and watched, on Linux, without root.
//!
//! The docs of the mechanism follow with it.

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
