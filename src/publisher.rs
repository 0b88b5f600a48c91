//! How files below `figures/` get their provenance: by [`provenance::embed`], in the formats
//! that it knows.

use crate::code;
use provenance::embed::{self, Format};
use retrace::base::error::{Error, Result};
use retrace::stage::key::Code;
use retrace::stage::publication::Publisher;
use serde_json::Value as Json;
use std::path::Path;
use std::sync::Arc;

/// The publisher of this program.
pub struct FilePublisher {
    code: Arc<Code>,
}

impl FilePublisher {
    /// With the digests of the code that embeds.
    #[expect(
        clippy::new_without_default,
        reason = "reading the code digests is no default"
    )]
    pub fn new() -> Self {
        FilePublisher {
            code: Arc::new(code::reach(embed::SOURCE)),
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
}
