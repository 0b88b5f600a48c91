//! Why a stage runs, in words that people understand. Does not know how that was found out.

use crate::stage::key::Change;

/// Why a stage runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// It was asked for with `--force`.
    Forced,
    /// It is to be compared with what was recorded.
    Compared,
    /// The lock does not know it.
    New,
    /// What the lock says of it cannot be read.
    Unreadable(String),
    /// It has the lock's key, but this machine has not run it.
    NotRunHere,
    /// An output is gone from the store, or damaged.
    ObjectLost,
    /// The cache answers the lock's key with other bytes than the lock records.
    Contradicted,
    /// Its key differs from the lock's.
    Changed(Vec<Change>),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        /// More changes than this are counted, not listed.
        const SHOWN: usize = 3;
        match self {
            Reason::Forced => f.write_str("forced"),
            Reason::Compared => f.write_str("to be compared"),
            Reason::New => f.write_str("new"),
            Reason::Unreadable(why) => write!(f, "not recorded: {why}"),
            Reason::NotRunHere => f.write_str("not yet run on this machine"),
            Reason::ObjectLost => f.write_str("a cached output is lost or damaged"),
            Reason::Contradicted => {
                f.write_str("the cache has other bytes than the lock records for this key")
            }
            Reason::Changed(changes) => {
                let shown: Vec<String> =
                    changes.iter().take(SHOWN).map(Change::to_string).collect();
                f.write_str(&shown.join("; "))?;
                match changes.len().saturating_sub(SHOWN) {
                    0 => Ok(()),
                    more => write!(f, "; and {more} more"),
                }
            }
        }
    }
}
