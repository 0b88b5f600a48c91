//! Verb `store`: what is done for a shared store as a whole.

use crate::runner::call::Call;
use clap::{Args, Subcommand};
use retrace::base::error::Result;

mod key;

/// What is done.
#[derive(Debug, Args)]
pub struct StoreCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a secret key in a new FILE, and print the line of store.trust that trusts what it signs
    Key(key::KeyArgs),
}

/// Does it.
pub fn store(_call: &Call, command: &StoreCommand) -> Result<u8> {
    match &command.what {
        What::Key(args) => key::key(args),
    }
}
