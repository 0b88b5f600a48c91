//! Verb `store key`: a key to sign with.

use crate::console::terminal;
use crate::pipeline::shared::KEY_VARIABLE;
use crate::program::exit;
use clap::Args;
use retrace::base::error::{Error, Result};
use retrace::shared::trust::{Signer, TRUST_FILE, line};
use retrace::store::workspace::Workspace;
use std::path::{Path, PathBuf};

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
    let shown = args.file.display();
    let folder = std::path::absolute(&args.file).ok();
    let folder = folder.as_deref().and_then(Path::parent);
    if folder.is_some_and(|folder| Workspace::find_root(folder).is_ok()) {
        terminal::warn(&format!(
            "{shown} lies in a repository: who gets a copy of that can sign as {name}; move the file out of there"
        ));
    }
    terminal::note(&format!(
        "put this line into {TRUST_FILE} and commit it; {KEY_VARIABLE}={shown} lets `push` sign"
    ));
    Ok(exit::OK)
}
