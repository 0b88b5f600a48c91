//! Exit codes. They are an interface: scripts and CI depend on them.

use retrace::base::error::ErrorKind;

/// All is as asked.
pub const OK: u8 = 0;
/// A stage failed, or a file or an answer could not be read or written.
pub const FAILED: u8 = 1;
/// The command line or the configuration is wrong; nothing has run.
pub const USAGE: u8 = 2;
/// Outputs differ from the lock.
pub const DIFFERS: u8 = 3;
/// The verdict on a claim differs from the recorded one.
pub const VERDICT: u8 = 4;
/// Another run holds the lock, and `--no-wait` was given.
pub const BUSY: u8 = 5;
/// Something is stale: `status --exit-code` or `report` says what.
pub const STALE: u8 = 6;
/// Interrupted by Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// Every code and what it means, for help, manual and documentation.
pub const MEANINGS: &[(u8, &str)] = &[
    (OK, "all is as asked"),
    (
        FAILED,
        "a stage failed, or a file or an answer could not be read or written",
    ),
    (
        USAGE,
        "the command line or the configuration is wrong; nothing has run",
    ),
    (DIFFERS, "outputs differ from the lock"),
    (
        VERDICT,
        "the verdict on a claim differs from the recorded one (claims)",
    ),
    (BUSY, "another run is going on (run --no-wait)"),
    (STALE, "something is not fresh (status --exit-code)"),
    (
        INTERRUPTED,
        "interrupted by Ctrl-C; what is finished is kept",
    ),
];

/// The code for an error.
pub fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Config => USAGE,
        ErrorKind::Failed => FAILED,
        ErrorKind::Differs => DIFFERS,
        ErrorKind::Busy => BUSY,
        ErrorKind::Interrupted => INTERRUPTED,
    }
}
