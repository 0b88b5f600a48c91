//! Systems that are no Linux: nothing can be watched there, and that is all this says.

use crate::types::ended::Ended;
use crate::types::plan::{Bounds, Command};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

const WHY: &str = "this system is no Linux, and only Linux lets a program watch and confine a command \
                   without root";

pub fn support() -> Result<(), String> {
    Err(WHY.into())
}

pub fn run(_: &Command, _: &Bounds, _: &AtomicBool) -> Result<Ended, String> {
    Err(WHY.into())
}

pub fn act_if_asked() -> Option<ExitCode> {
    None
}
