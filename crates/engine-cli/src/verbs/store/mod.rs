//! Verb `store`: what is done for a shared store as a whole.

use crate::pipeline::scope::Scope;
use crate::pipeline::session::Session;
use crate::program::description::Program;
use clap::{Args, Subcommand};
use retrace::base::error::Result;

mod audit;
mod gc;
mod key;
mod list;
mod pin;

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
    /// Say how much is in it, whose entries, and what is pinned
    List(list::ListArgs),
    /// Read every object and entry: what is damaged, what is missing, and where two signers disagree (exit code 3)
    Verify(audit::AuditArgs),
    /// Keep what the lock records of targets under a name, so that `store gc` leaves it, however old it grows
    Pin(pin::PinArgs),
    /// Take a pin away: what it kept goes with a later `store gc`
    Unpin(pin::UnpinArgs),
    /// Remove what is old and not pinned
    Gc(gc::GcArgs),
}

/// Does it.
pub fn store(program: &Program, scope: &Scope, command: &StoreCommand) -> Result<u8> {
    let session = || Session::open(program, scope);
    match &command.what {
        What::Key(args) => key::key(args),
        What::List(args) => list::list(&session()?, args),
        What::Verify(args) => audit::audit(&session()?, args),
        What::Pin(args) => pin::pin(&session()?, args),
        What::Unpin(args) => pin::unpin(&session()?, args),
        What::Gc(args) => gc::gc(&session()?, args),
    }
}
