//! How files below `figures/` get their provenance, and how it is read: by [`provenance::embed`], in the
//! formats that it knows.

use crate::contents::foreign::check_parquet;
use provenance::embed::{self, Format};
use retrace::base::error::{Error, Result};
use retrace::stage::key::Code;
use retrace::stage::publication::{Apart, Publisher};
use retrace::stage::sources::Sources;
use serde_json::Value as Json;
use std::path::Path;
use std::sync::Arc;

/// The publisher of a program.
pub struct FilePublisher {
    code: Arc<Code>,
}

impl FilePublisher {
    /// With the digests of the code that embeds, among the sources of the program.
    pub fn new(sources: &Sources) -> Self {
        FilePublisher {
            code: Arc::new(sources.reach(embed::SOURCE)),
        }
    }
}

impl Publisher for FilePublisher {
    fn code(&self) -> &Arc<Code> {
        &self.code
    }

    fn applies(&self, path: &Path) -> bool {
        Format::of_name(path).is_some()
    }

    fn embed(&self, path: &Path, content: &[u8], record: &Json) -> Result<Vec<u8>> {
        let format = Format::of_name(path)
            .ok_or_else(|| Error::failed("the file cannot carry provenance"))?;
        embed::embed(format, content, &record.to_string()).map_err(|e| {
            let message = format!("{} cannot be given its provenance: {e}", path.display());
            Error::failed(message)
        })
    }

    fn format(&self, file: &[u8]) -> Option<&'static str> {
        Format::of_bytes(file).map(Format::name)
    }

    fn take_apart(&self, file: &[u8]) -> std::result::Result<Apart, String> {
        let format = Format::of_bytes(file).ok_or("its format carries no provenance")?;
        // A file of somebody else's may ask for any memory.
        if format == Format::Parquet {
            check_parquet(file)?;
        }
        let carried = embed::take_apart(format, file).map_err(|e| e.to_string())?;
        Ok(Apart {
            provenance: carried.provenance,
            content: carried.content,
        })
    }
}
