//! Links from the page to the files of a stage: the page lies in figures/, and so do they.
//!
//! Also which stage wrote what the page shows, and which input it came in.

use crate::exchange::trace::{Trace, Traced};
use retrace::base::error::{Error, Result};
use retrace::stage::kind::Io;
use std::path::Path;

/// What is published of outputs, given by name and path: what each file is called, and the way there.
pub fn of<'a>(outputs: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    let published = outputs.filter_map(|(name, path)| {
        let words = match name {
            "data" => "CSV".to_owned(),
            "parquet" => "Parquet".to_owned(),
            "tex" => "LaTeX".to_owned(),
            "md" => "Markdown".to_owned(),
            other => other.to_uppercase(),
        };
        Some((words, path.strip_prefix("figures/")?.to_owned()))
    });
    published.collect()
}

/// The stage that wrote what `role[label]` reads, from the digest of the bytes.
pub fn writer<'t>(trace: &'t Trace, bytes: &[u8], label: &str) -> Result<&'t Traced> {
    let digest = blake3::hash(bytes).to_hex().to_string();
    let wrote = |stage: &&Traced| stage.outputs.iter().any(|output| output.digest == digest);
    let same_name = trace.stages.iter().filter(wrote);
    let same_name = same_name.min_by_key(|stage| (stage.stage != label, &stage.stage));
    same_name.ok_or_else(|| Error::failed(format!("no stage of the trace wrote `{label}`")))
}

/// The files of a stage as the page links them.
pub fn files(stage: &Traced) -> Vec<(String, String)> {
    let outputs = stage.outputs.iter();
    of(outputs.map(|output| (output.name.as_str(), output.path.as_str())))
}

/// The input of a role with a label.
pub fn input<'a>(io: &'a Io, role: &str, label: &str) -> Option<&'a Path> {
    let found = io.inputs(role).iter().find(|(known, _)| known == label);
    found.map(|(_, path)| path.as_path())
}
