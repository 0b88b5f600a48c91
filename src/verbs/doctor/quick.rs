//! Whether this machine computes the bits that others do, in one round: before it does a task for others.

use crate::golden::check;
use crate::verbs::doctor::instructions;
use retrace::base::error::{Error, ErrorKind, Result};

/// Refuses a machine that computes other bits than are expected, with the widest instructions that it may use.
///
/// # Errors
/// A computation gave something else, or none could be made.
pub fn check() -> Result<()> {
    let cap = instructions::cap()?;
    let level = check::levels(cap).pop().unwrap_or(cap);
    let round = check::round(level, cap, 1, None).map_err(Error::failed)?;
    let differences = check::differences(&round.digests, false);
    let Some(first) = differences.first() else {
        return Ok(());
    };
    let message = format!(
        "this machine computes other bits than others do: {} of {} computations, the first is `{}`",
        differences.len(),
        round.digests.len(),
        first.name
    );
    Err(Error::of(ErrorKind::Differs, message)
        .hint("nothing was done here; `icl-repro doctor` on this machine tells more"))
}
