//! Verb `store key`: a key to sign with.

use crate::console::terminal;
use crate::pipeline::shared::KEY_VARIABLE;
use crate::program::exit;
use clap::Args;
use retrace::base::error::{Error, Result};
use retrace::shared::trust::{Signer, TRUST_FILE, line};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct KeyArgs {
    /// The new file, which only its owner may read: keep it out of the repository
    pub file: PathBuf,
    /// How people call the signer
    #[arg(long)]
    pub name: String,
}

/// Makes the key. Nothing is printed to stdout but the line, so that it can be appended.
pub fn key(args: &KeyArgs) -> Result<u8> {
    let name = args.name.trim();
    if name.is_empty() || name.contains(char::is_control) {
        let error = Error::config("the name of a signer must be a line of text");
        return Err(error.hint("for example --name \"CI of main\""));
    }
    let signer = Signer::draw()?;
    signer.write(&args.file)?;
    terminal::print(&format!("{}\n", line(signer.id(), name)));
    terminal::note(&format!(
        "put this line into {TRUST_FILE} and commit it; {KEY_VARIABLE}={} lets `push` sign",
        args.file.display()
    ));
    Ok(exit::OK)
}
