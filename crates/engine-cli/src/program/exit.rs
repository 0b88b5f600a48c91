//! Exit codes. They are an interface: scripts and CI depend on them.

use retrace::base::error::ErrorKind;

/// An exit code and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    pub code: u8,
    /// For the help: a word or two.
    pub short: &'static str,
    /// For manual and documentation.
    pub meaning: &'static str,
}

/// All is as asked.
pub const OK: u8 = 0;
/// A stage failed, or a file or an answer could not be read or written.
pub const FAILED: u8 = 1;
/// The command line or the configuration is wrong; nothing has run.
pub const USAGE: u8 = 2;
/// Outputs differ from the lock.
pub const DIFFERS: u8 = 3;
/// Another run holds the lock, and `--no-wait` was given.
pub const BUSY: u8 = 5;
/// Something is stale: `status --exit-code` says what.
pub const STALE: u8 = 6;
/// A task of a plan missed something that another try may find: `work` alone.
pub const AGAIN: u8 = 75;
/// Interrupted by Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// Every code that any program has; 4 and those from 7 to 63 are free for one's own.
pub const ALL: &[Exit] = &[
    Exit {
        code: OK,
        short: "ok",
        meaning: "all is as asked",
    },
    Exit {
        code: FAILED,
        short: "a stage failed",
        meaning: "a stage failed, or a file or an answer could not be read or written",
    },
    Exit {
        code: USAGE,
        short: "usage or configuration",
        meaning: "the command line or the configuration is wrong; nothing has run",
    },
    Exit {
        code: DIFFERS,
        short: "outputs differ from the lock",
        meaning: "outputs differ from the lock",
    },
    Exit {
        code: BUSY,
        short: "another run is going on (--no-wait)",
        meaning: "another run is going on (run --no-wait)",
    },
    Exit {
        code: STALE,
        short: "something is stale (--exit-code)",
        meaning: "something is not fresh (status --exit-code)",
    },
    Exit {
        code: AGAIN,
        short: "another try may do it (work)",
        meaning: "a task missed something of the store; another try may find it (work)",
    },
    Exit {
        code: INTERRUPTED,
        short: "interrupted",
        meaning: "interrupted by Ctrl-C; what is finished is kept",
    },
];

/// The code for an error.
pub fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Config => USAGE,
        ErrorKind::Failed | ErrorKind::Killed => FAILED,
        ErrorKind::Differs => DIFFERS,
        ErrorKind::Busy => BUSY,
        ErrorKind::Interrupted => INTERRUPTED,
    }
}

/// The codes in one sentence, as the help ends with it.
pub fn sentence(exits: &[Exit]) -> String {
    let all = exits
        .iter()
        .map(|exit| format!("{} {}", exit.code, exit.short));
    format!("Exit codes: {}.", all.collect::<Vec<_>>().join(", "))
}
