//! How Linux does it: three processes of one program.
//!
//! [`process::caller`] asks; [`process::supervisor`] watches; [`process::starter`] binds itself
//! ([`process::confine`]) and becomes the command. Of each call that [`kernel::calls`] lists, the supervisor
//! reads what is meant ([`kernel::descriptors`]), looks where it leads ([`watch::look`]) and whose place that
//! is ([`watch::places`]), decides ([`watch::judge`]) and writes down ([`watch::notes`]).
//! [`kernel::family`] ends what is left.

mod kernel;
mod process;
mod watch;

use crate::types::ended::Ended;
use crate::types::plan::{Bounds, Command};
use kernel::seccomp;
use process::roles::{IMAGE, STARTER, SUPERVISOR};
use process::{caller, confine, starter, supervisor};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

static IS_PROGRAM: AtomicBool = AtomicBool::new(false);

pub fn support() -> Result<(), String> {
    // What the library says of it is a list of rights.
    confine::available().map_err(|_| {
        "the kernel has no Landlock: it needs Linux 5.13, and that switched on".to_owned()
    })?;
    seccomp::available().map_err(|why| {
        format!("the kernel tells no program of another's calls (seccomp user notification): {why}")
    })?;
    // 0 and 1 let a process read the memory of those that descend from it.
    let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    if matches!(scope.trim(), "2" | "3") && !is_administrator() {
        return Err(format!(
            "kernel.yama.ptrace_scope is {}: a process may not read what its own children mean; 0 or 1 is \
             needed",
            scope.trim()
        ));
    }
    match std::path::Path::new(IMAGE).exists() {
        true => Ok(()),
        false => Err("/proc is not mounted".into()),
    }
}

fn is_administrator() -> bool {
    use rustix::thread::{CapabilitySet, capabilities};
    capabilities(None).is_ok_and(|has| has.effective.contains(CapabilitySet::SYS_PTRACE))
}

pub fn run(command: &Command, bounds: &Bounds, cancelled: &AtomicBool) -> Result<Ended, String> {
    if !IS_PROGRAM.load(Ordering::Relaxed) {
        return Err(
            "this program did not call sandbox::act_if_asked first, so it cannot be started again to \
             watch a command"
                .into(),
        );
    }
    support()?;
    caller::run(command, bounds, cancelled)
}

pub fn act_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let asked = match (arguments.next(), arguments.next()) {
        (Some(only), None) if only == SUPERVISOR => Some(supervisor::act as fn() -> ExitCode),
        (Some(only), None) if only == STARTER => Some(starter::act as fn() -> ExitCode),
        _ => None,
    };
    match asked {
        Some(act) => Some(act()),
        None => {
            IS_PROGRAM.store(true, Ordering::Relaxed);
            None
        }
    }
}
