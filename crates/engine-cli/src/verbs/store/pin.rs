//! Verbs `store pin` and `store unpin`.

use crate::console::terminal::{self, count};
use crate::console::typed;
use crate::pipeline::session::Session;
use crate::pipeline::shared::StoreArgs;
use crate::pipeline::workers;
use crate::program::exit;
use clap::Args;
use retrace::base::error::Result;
use retrace::shared::upkeep::pin::{self, Pin};

#[derive(Debug, Args)]
pub struct PinArgs {
    /// Of the pin; one of that name is replaced
    pub name: String,
    /// Stage ids, globs, groups or output paths, with what they need; none means everything but opt-in groups
    pub targets: Vec<String>,
    #[command(flatten)]
    pub store: StoreArgs,
}

#[derive(Debug, Args)]
pub struct UnpinArgs {
    /// Of the pin
    pub name: String,
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Pins what the lock records.
pub fn pin(session: &Session, args: &PinArgs) -> Result<u8> {
    pin::check_name(&args.name)?;
    let selection = session.select(&args.targets)?;
    let shared = args.store.required(session, false)?;
    workers::listen("stopping")?;
    let context = session.context()?;
    let stages = selection.closure.iter().map(|&stage| session.id(stage));
    let pin = Pin::of_lock(context.lock.get()?, stages);
    let absent = pin::put(
        &shared,
        &args.name,
        &pin,
        context.store,
        workers::cancelled(),
        &|_, _| {},
    )?;
    if absent > 0 {
        terminal::warn(&format!(
            "{} of the pin {} not in the store yet: `{}` puts there what the cache has",
            count(absent, "object"),
            if absent == 1 { "is" } else { "are" },
            typed::command(&format!("push{}", typed::store_option(&shared.shown())))
        ));
    }
    let stages = count(pin.outputs.len(), "stage");
    let objects = count(pin.objects().len(), "object");
    let (name, shown) = (&args.name, shared.shown());
    terminal::summary(&format!(
        "pin {name}: {stages}, {objects} stay in {shown}\n"
    ));
    Ok(exit::OK)
}

/// Takes a pin away.
pub fn unpin(session: &Session, args: &UnpinArgs) -> Result<u8> {
    let shared = args.store.required(session, false)?;
    pin::remove(&shared, &args.name)?;
    let (name, shown) = (&args.name, shared.shown());
    terminal::summary(&format!("pin {name} is gone from {shown}\n"));
    Ok(exit::OK)
}
