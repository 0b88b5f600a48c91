//! A file looked at by itself: its digests, and the record that it carries.
//!
//! Knows no lock and no repository.

use crate::answers::provenance::Carried;
use crate::console::panics::caught;
use retrace::base::digest::Digest;
use retrace::base::error::{Error, ErrorKind, PROGRAM, Result};
use retrace::base::files;
use retrace::stage::publication::{FORMAT, Publisher};
use retrace::store::workspace::LOCK_FILE;
use serde::Deserialize;
use std::path::Path;

/// A larger file is none of ours.
const MAX_BYTES: u64 = 1 << 30;

/// A file looked at by itself.
pub struct Looked {
    /// What its format is called, if it is one that carries provenance.
    pub format: Option<&'static str>,
    pub file: Digest,
    /// Without provenance.
    pub content: Digest,
    pub carried: Option<Carried>,
}

/// Reads a file and what it carries.
pub fn look(publisher: Option<&dyn Publisher>, path: &Path) -> Result<Looked> {
    let config = |message: String| Error::config(message);
    let io = |e: std::io::Error| Error {
        kind: ErrorKind::Config,
        ..Error::io("read", path, &e)
    };
    let bytes = files::read_at_most(path, MAX_BYTES).map_err(io)?;
    let file = Digest::of(&bytes);
    let known = publisher.and_then(|publisher| Some((publisher, publisher.format(&bytes)?)));
    let Some((publisher, format)) = known else {
        return Ok(Looked {
            format: None,
            file,
            content: file,
            carried: None,
        });
    };
    // Files of others meet libraries here that may panic, or believe any size.
    let apart = caught(|| publisher.take_apart(&bytes));
    let apart = apart.unwrap_or_else(Err).map_err(|e| {
        config(format!(
            "{} looks like {format} but cannot be read: {e}",
            path.display()
        ))
        .hint("it may be cut short or damaged: take another copy")
    })?;
    let carried = apart.provenance.map(|text| read(path, &text)).transpose()?;
    Ok(Looked {
        format: Some(format),
        file,
        content: Digest::of(&apart.content),
        carried,
    })
}

fn read(path: &Path, text: &str) -> Result<Carried> {
    #[derive(Deserialize)]
    struct Version {
        #[serde(rename = "retrace")]
        format: u64,
    }
    let shown = path.display();
    let damaged = |e: serde_json::Error| {
        Error::config(format!("the provenance in {shown} cannot be read: {e}"))
            .hint("somebody may have edited it: take another copy")
    };
    let version: Version = serde_json::from_str(text).map_err(damaged)?;
    if version.format > FORMAT {
        let format = version.format;
        let message =
            format!("the provenance in {shown} has format {format}, this program knows {FORMAT}");
        return Err(Error::config(message).hint(format!("update {PROGRAM}")));
    }
    serde_json::from_str(text).map_err(damaged)
}

pub fn unknown(path: &Path, looked: &Looked, has_lock: bool) -> Error {
    let (shown, digest) = (path.display(), looked.file.short());
    let carries = match looked.format {
        Some(format) => format!("{shown} is {format} without provenance"),
        None => format!("{shown} is of a format that carries no provenance"),
    };
    match has_lock {
        true => {
            let message = format!(
                "{carries}, and no {LOCK_FILE} of this repository knows its digest {digest}"
            );
            Error::config(message)
                .hint("it is not from here, or another program has written it again")
        }
        false => Error::config(format!("{carries}, and there is no repository here")).hint(
            format!("with -C DIR the {LOCK_FILE} there is asked for its digest"),
        ),
    }
}
