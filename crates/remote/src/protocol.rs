//! What the two programs say to each other: JSON, a line each.
//!
//! ```text
//! to this one   {"id":7,"verb":"get","name":"objects/ab/cd","file":"/abs/path","most":1234}
//!               look {name}   get {name,file,most}   put {name,file}   list {prefix}   remove {name}
//! from it       {"retrace_remote":1,"url":"s3://bucket/prefix"}          the first line
//!               {"retrace_remote":1,"failed":{"kind":…,"words":…}}       instead: it cannot start
//!               {"id":7,"bytes":1234}   get            {"id":7,"absent":true}   look, get
//!               {"id":7,"done":true}    put, remove
//!               {"id":7,"listed":[{"name":…,"size":…,"age_s":…}]}     list; look, one
//!               {"id":7,"failed":{"kind":"unreachable|denied|forbidden|full|too_large|local|other",
//!                                  "words":…}}   forbidden: look, get; local: the file on this side
//!               {"id":7,"moved":123}    no answer yet: so many bytes have moved, every five seconds
//! ```

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The version of all this.
pub const VERSION: u32 = 1;

#[derive(Debug, Deserialize)]
pub struct Request {
    pub id: u64,
    #[serde(flatten)]
    pub verb: Verb,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "verb", rename_all = "lowercase")]
pub enum Verb {
    Look {
        name: String,
    },
    Get {
        name: String,
        file: PathBuf,
        most: u64,
    },
    Put {
        name: String,
        file: PathBuf,
    },
    List {
        prefix: String,
    },
    Remove {
        name: String,
    },
}

#[derive(Debug, Serialize)]
pub struct Listed {
    pub name: String,
    pub size: u64,
    /// Seconds since it was written, by the server's clock where it tells its time.
    pub age_s: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Bytes(u64),
    Absent(bool),
    Listed(Vec<Listed>),
    Done(bool),
    Failed(Failure),
    Moved(u64),
}

#[derive(Debug, Serialize)]
pub struct Reply {
    pub id: u64,
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The first line.
#[derive(Debug, Serialize)]
pub struct Hello<'a> {
    pub retrace_remote: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<&'a Failure>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureKind;

    #[test]
    fn the_lines_are_as_documented() {
        let reply = |outcome| serde_json::to_string(&Reply { id: 7, outcome }).unwrap();
        assert_eq!(reply(Outcome::Bytes(12)), r#"{"id":7,"bytes":12}"#);
        assert_eq!(reply(Outcome::Absent(true)), r#"{"id":7,"absent":true}"#);
        assert_eq!(reply(Outcome::Done(true)), r#"{"id":7,"done":true}"#);
        assert_eq!(reply(Outcome::Moved(3)), r#"{"id":7,"moved":3}"#);
        assert_eq!(
            reply(Outcome::Failed(Failure::new(FailureKind::TooLarge, "w"))),
            r#"{"id":7,"failed":{"kind":"too_large","words":"w"}}"#
        );
        let request: Request =
            serde_json::from_str(r#"{"id":7,"verb":"get","name":"a","file":"/b","most":3}"#)
                .unwrap();
        assert!(matches!(request.verb, Verb::Get { most: 3, .. }));
        assert!(serde_json::from_str::<Request>(r#"{"id":7,"verb":"sell"}"#).is_err());
    }
}
