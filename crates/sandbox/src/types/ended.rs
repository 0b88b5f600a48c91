//! How a command ended and what it was seen to do.

use super::wire;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// With this exit status.
    Exited(i32),
    /// By this signal. SIGSYS (31) is a program for another architecture than the kernel's own (32-bit):
    /// its calls cannot be watched.
    Killed(i32),
    /// Nobody saw how: who watched it was ended by this signal, and what it started may still run.
    Unseen(i32),
    /// It ran longer than it may.
    TimedOut,
    /// The caller asked for it.
    Cancelled,
}

/// What there is to tell of a command that has ended; no process of it is left, unless nobody saw how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub end: End,
    pub seen: Seen,
    /// Names of processes that outlived the command and were killed, sorted.
    pub left_behind: Vec<String>,
    /// Resident bytes of its largest process, at the most.
    pub memory: u64,
}

/// What a command looked at. Absolute paths, lexically normal, links in them not followed; nothing that is
/// below `writable`, unless that folder is watched too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Files below watched folders that were opened for reading, asked about or executed, and were there.
    #[serde(with = "wire::many")]
    pub read: BTreeSet<PathBuf>,
    /// Folders below watched folders (or these themselves) that were asked about, not listed.
    #[serde(with = "wire::many")]
    pub folders: BTreeSet<PathBuf>,
    /// Folders that were opened for reading: their names can be known.
    #[serde(with = "wire::many")]
    pub listed: BTreeSet<PathBuf>,
    /// Symbolic links that were asked about as such (`lstat`, `readlink`): their text can be known.
    #[serde(with = "wire::many")]
    pub links: BTreeSet<PathBuf>,
    /// What was looked for below watched folders and is not there.
    #[serde(with = "wire::many")]
    pub absent: BTreeSet<PathBuf>,
    /// Programs and interpreters of scripts, wherever they are, by their real paths.
    #[serde(with = "wire::many")]
    pub executed: BTreeSet<PathBuf>,
    /// What was looked for and not shown.
    #[serde(with = "wire::many")]
    pub hidden: BTreeSet<PathBuf>,
    pub refused: BTreeSet<Refused>,
}

/// What a command wanted to do and was not let.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Refused {
    /// To read this file, list this folder or execute this program.
    Read(#[serde(with = "wire::one")] PathBuf),
    /// To make, change, rename or remove this.
    Write(#[serde(with = "wire::one")] PathBuf),
    /// To make a socket of this family.
    Network(String),
    /// Anything else, in words.
    Other(String),
}
