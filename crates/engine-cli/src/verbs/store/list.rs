//! Verb `store list`.

use crate::console::terminal::{self, count};
use crate::pipeline::session::Session;
use crate::pipeline::shared::StoreArgs;
use crate::program::exit;
use crate::verbs::gc::size;
use clap::Args;
use retrace::base::error::Result;
use retrace::shared::trust::{SignerId, TRUST_FILE};
use retrace::shared::upkeep::{names, pin};
use std::collections::BTreeMap;

#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Prints what is there.
pub fn list(session: &Session, args: &ListArgs) -> Result<u8> {
    let shared = args.store.required(session, false)?;
    let backend = shared.backend();
    let objects = names::objects(backend)?;
    let bytes = objects.iter().map(|object| object.listed.size).sum();
    let objects = count(objects.len(), "object");
    let mut text = format!("{}: {objects}, {}\n", shared.shown(), size(bytes));
    let mut of_signer: BTreeMap<SignerId, usize> = BTreeMap::new();
    for entry in names::entries(backend)? {
        *of_signer.entry(entry.signer).or_default() += 1;
    }
    for (signer, entries) in of_signer {
        let entries = match entries {
            1 => "1 entry".to_owned(),
            more => format!("{more} entries"),
        };
        text += &match shared.trust().name(signer) {
            Some(name) => format!("{entries} signed by {name}\n"),
            None => format!("{entries} signed by {signer}, who is not in {TRUST_FILE}\n"),
        };
    }
    for (name, pin) in pin::all(backend, session.context()?.store)? {
        text += &match pin {
            Some(pin) => {
                let stages = count(pin.outputs.len(), "stage");
                let objects = count(pin.objects().len(), "object");
                format!("pin {name}: {stages}, {objects}\n")
            }
            None => format!("pin {name}: it cannot be read\n"),
        };
    }
    let unfinished = names::unfinished(backend)?;
    if !unfinished.is_empty() {
        let bytes = unfinished.iter().map(|file| file.size).sum();
        let files = count(unfinished.len(), "file");
        text += &format!(
            "{files} on the way there or left by a put that was cut short, {}: `store gc` removes those of more than a day\n",
            size(bytes)
        );
    }
    terminal::print(&text);
    Ok(exit::OK)
}
