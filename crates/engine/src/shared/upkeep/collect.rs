//! What is old and nobody has pinned removed from a store: entries first, then objects that no entry names, then what
//! somebody has left who was ended in the middle of a put.
//!
//! Others use the store meanwhile, and it has no locks. What keeps them safe is an order and an age. Whoever
//! puts something there renews what is half as old as the least age ([`RENEWED_AFTER_S`]) before it relies on
//! it, and puts objects before entries. A collection removes old entries, then lists objects, then reads which
//! of them the entries that are left name, and removes those that were old when it listed them and that nobody
//! has put anew since. The last look and the removal are two requests: what is put anew in between is lost, and is
//! a miss for who asks for it, as any object that a store has lost. A model of all this is searched through in
//! `crates/engine/tests/shared/protocol`.

use crate::base::digest::Digest;
use crate::base::error::{Error, Result};
use crate::shared::at_once::{self, Progress};
use crate::shared::backend::Backend;
use crate::shared::entry::{self, Entry};
use crate::shared::store::{RENEWED_AFTER_S, SharedStore};
use crate::shared::upkeep::names::{self, ListedEntry, ListedObject, Unread};
use crate::shared::upkeep::pin::{self, Pin};
use crate::store::content::Store;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// What is younger is only removed where nobody else uses the store.
pub const LEAST_AGE_S: u64 = 2 * RENEWED_AFTER_S;

/// A file on its way that nobody has written to for so long is on no way any more: one is written without a pause.
const UNFINISHED_AGE_S: u64 = 24 * 60 * 60;

/// What to remove.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What was put there longer ago than so many seconds.
    pub older_than_s: u64,
    /// Whether nobody else uses the store now.
    pub alone: bool,
    /// Whether anything is removed, or only said.
    pub dry_run: bool,
}

/// What was removed, or would be, and what stays.
#[derive(Debug, Default)]
pub struct Collected {
    /// Names of entries and objects that go.
    pub entries: Vec<String>,
    pub objects: Vec<String>,
    /// Bytes of these objects.
    pub bytes: u64,
    pub kept_entries: usize,
    pub kept_objects: usize,
    pub kept_bytes: u64,
    /// Names of files that are no objects yet and will be none, and bytes of these.
    pub unfinished: Vec<String>,
    pub unfinished_bytes: u64,
    /// Pins that keep something.
    pub pins: usize,
}

/// Removes what the rule says, but for what pins keep.
///
/// # Errors
/// The age is less than [`LEAST_AGE_S`] and others may use the store; a pin cannot be read; the store cannot be
/// read or written, the cache cannot be written, or the user has interrupted.
pub fn collect(
    shared: &SharedStore,
    cache: &Store,
    rule: Rule,
    cancelled: &AtomicBool,
    observer: Progress,
) -> Result<Collected> {
    if rule.older_than_s < LEAST_AGE_S && !rule.alone {
        let days = LEAST_AGE_S / (24 * 60 * 60);
        let message = format!("what is younger than {days} days may be in use");
        return Err(Error::config(message).hint(format!(
            "give {days} days or more, or add --alone where nobody else reads or writes the store now"
        )));
    }
    let backend = shared.backend();
    let mut collected = Collected::default();
    let pinned = pinned(backend, cache)?;
    let old_entries = names::entries(backend)?;
    let old_entries: Vec<ListedEntry> = old_entries
        .into_iter()
        .filter(|entry| entry.listed.age_s >= rule.older_than_s)
        .filter(|entry| !pinned.keys.contains(&entry.key))
        .collect();
    let goes = at_once::each(&old_entries, cancelled, observer, |entry| {
        remove(backend, &entry.listed.name, rule.older_than_s, rule)
    })?;
    let mut gone: BTreeSet<String> = BTreeSet::new();
    for (entry, goes) in old_entries.into_iter().zip(goes) {
        if goes {
            gone.insert(entry.listed.name);
        }
    }

    // In this order: an entry that is put after the entries are read names what is younger than this list.
    let listed_at = Instant::now();
    let objects = names::objects(backend)?;
    let pinned = self::pinned(backend, cache)?;
    let mut entries = names::entries(backend)?;
    entries.retain(|entry| !gone.contains(&entry.listed.name));
    let named = at_once::each(&entries, cancelled, observer, |entry| {
        objects_of(backend, entry, cache)
    })?;
    let named: BTreeSet<Digest> = named.into_iter().flatten().collect();
    let is_old = |object: &ListedObject| {
        object.listed.age_s >= rule.older_than_s
            && !named.contains(&object.digest)
            && !pinned.objects.contains(&object.digest)
    };
    let (old, kept): (Vec<ListedObject>, Vec<ListedObject>) = objects.into_iter().partition(is_old);
    let goes = at_once::each(&old, cancelled, observer, |object| {
        let own_time = listed_at.elapsed().as_secs();
        let age = rule.older_than_s.saturating_add(own_time);
        remove(backend, &object.listed.name, age, rule)
    })?;
    collected.kept_objects = kept.len();
    collected.kept_bytes = kept.iter().map(|object| object.listed.size).sum();
    for (object, goes) in old.into_iter().zip(goes) {
        if goes {
            collected.bytes += object.listed.size;
            collected.objects.push(object.listed.name);
        } else {
            collected.kept_objects += 1;
            collected.kept_bytes += object.listed.size;
        }
    }

    // Where nobody else is there, they are nobody's at any age; of a day, they are under any rule.
    let age = match rule.alone {
        true => rule.older_than_s.min(UNFINISHED_AGE_S),
        false => UNFINISHED_AGE_S,
    };
    let unfinished = names::unfinished(backend)?;
    let goes = at_once::each(&unfinished, cancelled, observer, |file| {
        remove(backend, &file.name, age, rule)
    })?;
    for (file, _) in unfinished.into_iter().zip(goes).filter(|(_, goes)| *goes) {
        collected.unfinished_bytes += file.size;
        collected.unfinished.push(file.name);
    }
    collected.entries = gone.into_iter().collect();
    collected.kept_entries = entries.len();
    collected.pins = pinned.pins;
    Ok(collected)
}

/// What pins keep.
struct Pinned {
    pins: usize,
    keys: BTreeSet<Digest>,
    objects: BTreeSet<Digest>,
}

fn pinned(backend: &dyn Backend, cache: &Store) -> Result<Pinned> {
    let mut pinned = Pinned {
        pins: 0,
        keys: BTreeSet::new(),
        objects: BTreeSet::new(),
    };
    for (name, pin) in pin::all(backend, cache)? {
        let Some(Pin { outputs }) = pin else {
            let message = format!("the pin `{name}` of {} cannot be read", backend.shown());
            return Err(Error::failed(message).hint(format!(
                "nothing is removed while nobody knows what it keeps: `store pin {name}` again, or `store unpin {name}`"
            )));
        };
        pinned.pins += 1;
        for (key, digests) in outputs {
            pinned.keys.insert(key);
            pinned.objects.extend(digests);
        }
    }
    Ok(pinned)
}

/// Removes what is still so old when it is looked at once more; whether it goes.
fn remove(backend: &dyn Backend, name: &str, age_s: u64, rule: Rule) -> Result<bool> {
    let found = backend.look(name)?;
    let goes = found.is_some_and(|found| found.age_s >= age_s);
    if goes && !rule.dry_run {
        backend.remove(name)?;
    }
    Ok(goes)
}

/// The objects that an entry names, whoever signed it; one that is none names nothing.
fn objects_of(backend: &dyn Backend, listed: &ListedEntry, cache: &Store) -> Result<Vec<Digest>> {
    let text = names::read(backend, &listed.listed.name, entry::MAX_BYTES, cache)?;
    let entry = text.map(|text| Entry::read(&text, listed.key, listed.signer));
    Ok(match entry {
        Ok(Ok(entry)) => entry.digests().into_values().collect(),
        // It is there, and what it names must stay.
        Err(Unread::Forbidden(failure)) => return Err(failure.into()),
        Ok(Err(_)) | Err(Unread::Absent | Unread::TooLarge) => Vec::new(),
    })
}
