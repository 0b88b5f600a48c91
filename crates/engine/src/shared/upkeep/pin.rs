//! Pins: names for what stays in a store, however old it grows.
//!
//! A pin is the file `pins/NAME`, one line a stage after a title: its key, then the digests of its outputs. It
//! keeps the entries of its keys, whoever signed them, and its objects. It counts for every collection that
//! begins after it is there.

use crate::base::digest::Digest;
use crate::base::error::{Error, Result};
use crate::base::files;
use crate::lock::block::Lock;
use crate::shared::at_once::{self, Progress};
use crate::shared::backend::{Backend, unless_forbidden};
use crate::shared::store::{SharedStore, object};
use crate::shared::upkeep::names::{self, PINS, Unread};
use crate::store::content::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

const TITLE: &str = "retrace pin 1";
/// A larger file is no pin: 100,000 stages with four outputs have 33 MB.
const MAX_BYTES: u64 = 256 << 20;
/// A longer name is none.
const MAX_NAME: usize = 100;

/// What a pin keeps: the outputs of each key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pin {
    pub outputs: BTreeMap<Digest, BTreeSet<Digest>>,
}

impl Pin {
    /// What a lock records of stages, by their ids.
    pub fn of_lock<'a>(lock: &Lock, stages: impl IntoIterator<Item = &'a str>) -> Pin {
        let mut pin = Pin::default();
        for block in stages.into_iter().filter_map(|id| lock.stages.get(id)) {
            let digests = block.outputs.values().map(|record| record.digest);
            pin.outputs.entry(block.key).or_default().extend(digests);
        }
        pin
    }

    /// Every object that it keeps.
    pub fn objects(&self) -> BTreeSet<Digest> {
        self.outputs.values().flatten().copied().collect()
    }

    fn text(&self) -> String {
        let mut text = format!("{TITLE}\n");
        for (key, digests) in &self.outputs {
            text += &key.to_string();
            for digest in digests {
                text += &format!(" {digest}");
            }
            text.push('\n');
        }
        text
    }

    fn parse(text: &[u8]) -> Option<Pin> {
        let mut lines = std::str::from_utf8(text).ok()?.split('\n');
        (lines.next()? == TITLE).then_some(())?;
        let mut pin = Pin::default();
        let mut is_whole = false;
        for line in lines {
            // The text ends with the end of a line, so what is cut short is seen.
            if is_whole {
                return None;
            }
            is_whole = line.is_empty();
            if !is_whole {
                let digests = line.split(' ').map(|word| Digest::try_from(word).ok());
                let mut digests = digests.collect::<Option<Vec<Digest>>>()?.into_iter();
                let outputs = pin.outputs.entry(digests.next()?).or_default();
                outputs.extend(digests);
            }
        }
        is_whole.then_some(pin)
    }
}

/// Refuses what is no name of a pin.
///
/// # Errors
/// It has other characters than letters, digits, `.`, `_` and `-`, begins with a dot, or is too long.
pub fn check_name(name: &str) -> Result<()> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_name = !name.is_empty() && name.len() <= MAX_NAME && !name.starts_with('.');
    if is_name && name.chars().all(is_plain) {
        return Ok(());
    }
    let shown: String = name.chars().take(MAX_NAME).collect();
    let error = Error::config(format!("`{shown}` is no name of a pin"));
    Err(error.hint(format!(
        "a name has up to {MAX_NAME} letters, digits, `.`, `_` and `-`: release-1.0"
    )))
}

/// Puts a pin there, in place of one of that name, and says how many of its objects are not in the store.
///
/// # Errors
/// The name is none, the pin keeps nothing, or the store cannot be written or read.
pub fn put(
    shared: &SharedStore,
    name: &str,
    pin: &Pin,
    cache: &Store,
    cancelled: &AtomicBool,
    observer: Progress,
) -> Result<usize> {
    check_name(name)?;
    if pin.outputs.is_empty() {
        let error = Error::config("there is nothing to pin: the lock records none of these stages");
        return Err(error.hint("name recorded stages, or run them first"));
    }
    let backend = shared.backend();
    let text = files::scratch(&cache.scratch()?, pin.text().as_bytes())?;
    backend.put(&format!("{PINS}{name}"), text.path())?;
    // After the pin: what is there now, no later collection takes.
    let objects: Vec<Digest> = pin.objects().into_iter().collect();
    let is_there = at_once::each(&objects, cancelled, observer, |&digest| {
        Ok(unless_forbidden(backend.look(&object(digest)))?.is_some())
    })?;
    Ok(is_there.into_iter().filter(|is_there| !is_there).count())
}

/// Removes a pin; what it kept goes with a later collection.
///
/// # Errors
/// There is none of that name: the hint has the nearest. Or the store cannot be read or written.
pub fn remove(shared: &SharedStore, name: &str) -> Result<()> {
    check_name(name)?;
    let backend = shared.backend();
    let path = format!("{PINS}{name}");
    if backend.look(&path)?.is_none() {
        let known = names_of(backend)?;
        let error = Error::config(format!("there is no pin `{name}` in {}", backend.shown()));
        return Err(error.suggest(name, known.iter().map(String::as_str)));
    }
    Ok(backend.remove(&path)?)
}

/// Every pin of a store; `None` where one cannot be read.
///
/// # Errors
/// The store does not give them, or the cache cannot be written.
pub fn all(backend: &dyn Backend, cache: &Store) -> Result<BTreeMap<String, Option<Pin>>> {
    let mut pins = BTreeMap::new();
    for name in names_of(backend)? {
        let pin = match names::read(backend, &format!("{PINS}{name}"), MAX_BYTES, cache)? {
            Ok(text) => Pin::parse(&text),
            // It was removed since it was listed.
            Err(Unread::Absent) => continue,
            Err(Unread::TooLarge) => None,
            Err(Unread::Forbidden(failure)) => return Err(failure.into()),
        };
        pins.insert(name, pin);
    }
    Ok(pins)
}

fn names_of(backend: &dyn Backend) -> Result<Vec<String>> {
    let listed = backend.list(PINS)?.into_iter();
    let name = |path: &str| path.strip_prefix(PINS).map(str::to_owned);
    Ok(listed.filter_map(|found| name(&found.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_reads_back_and_one_that_is_cut_short_is_none() {
        let digest = |n: u8| Digest::of(&[n]);
        let outputs = BTreeMap::from([
            (digest(0), BTreeSet::from([digest(1), digest(2)])),
            (digest(3), BTreeSet::new()),
        ]);
        let pin = Pin { outputs };
        let text = pin.text();
        assert_eq!(Pin::parse(text.as_bytes()), Some(pin));
        // Whole lines alone are a smaller pin, which nobody has written: none is put in pieces.
        for end in (0..text.len()).filter(|&end| !text[..end].ends_with('\n')) {
            assert_eq!(Pin::parse(&text.as_bytes()[..end]), None, "{end} bytes");
        }
        assert_eq!(Pin::parse(format!("{text}x").as_bytes()), None);
    }

    #[test]
    fn names_lead_nowhere_else() {
        for name in ["release-1.0", "a", "A_b.c"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let long = "x".repeat(101);
        for name in ["", ".", "..", "a/b", ".hidden", "a b", "é", &long] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
