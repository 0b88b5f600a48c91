//! A store looked through: every object read and hashed, every entry held to its signature and to the others.
//!
//! Nothing is mended: what is wrong is a miss for whoever asks for it, and is put right by who makes it anew.

use crate::base::digest::Digest;
use crate::base::error::Result;
use crate::base::files;
use crate::shared::at_once::{self, Progress};
use crate::shared::backend::{Backend, FailureKind};
use crate::shared::entry::{self, Entry};
use crate::shared::store::SharedStore;
use crate::shared::upkeep::names::{self, ListedEntry, ListedObject, Unread};
use crate::shared::upkeep::pin;
use crate::store::content::Store;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

/// What was found in a store.
#[derive(Debug, Default)]
pub struct Audit {
    /// Objects that are there, how many of them were read, and the bytes of these.
    pub objects: usize,
    pub read: usize,
    pub bytes: u64,
    /// Entries of signers who are trusted, and of others.
    pub entries: usize,
    pub of_others: usize,
    pub pins: usize,
    pub findings: Vec<Finding>,
}

/// Something that is not right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The bytes of an object are others than its name says, or more or fewer.
    Object { digest: Digest },
    /// An object, or the entry of a trusted signer, is there and may not be read.
    Unread { name: String },
    /// The entry of a trusted signer is none, in words.
    Entry {
        name: String,
        signer: String,
        why: &'static str,
    },
    /// An entry names an object that is not there, or is there with another size.
    Missing {
        stage: String,
        signer: String,
        output: String,
        digest: Digest,
    },
    /// Two trusted signers say different things of one key.
    Disagree {
        stage: String,
        key: Digest,
        signers: [String; 2],
    },
    /// A pin cannot be read.
    Pin { name: String },
    /// So many objects that a pin keeps are not there.
    Unkept { name: String, objects: usize },
}

/// A sample of objects, by a part of all that there are from 0 to 1: those with the smallest digests, so that
/// the same are taken each time. `None` takes all.
pub type Sample = Option<f64>;

/// Looks through a store.
///
/// # Errors
/// The store does not list or give what it has, the cache cannot be written, or the user has interrupted.
pub fn audit(
    shared: &SharedStore,
    cache: &Store,
    sample: Sample,
    cancelled: &AtomicBool,
    observer: Progress,
) -> Result<Audit> {
    let backend = shared.backend();
    // Entries first: an object is put before the entry that names it, so it is listed after that.
    let entries = names::entries(backend)?;
    let pins = pin::all(backend, cache)?;
    let objects = names::objects(backend)?;
    let sizes: BTreeMap<Digest, u64> = objects.iter().map(|o| (o.digest, o.listed.size)).collect();
    let mut audit = Audit {
        objects: objects.len(),
        pins: pins.len(),
        ..Audit::default()
    };

    let name = |entry: &ListedEntry| shared.trust().name(entry.signer).map(str::to_owned);
    let (trusted, others): (Vec<ListedEntry>, Vec<ListedEntry>) =
        entries.into_iter().partition(|entry| name(entry).is_some());
    audit.entries = trusted.len();
    audit.of_others = others.len();
    let read = at_once::each(&trusted, cancelled, observer, |entry| {
        read_entry(backend, entry, cache)
    })?;
    let mut said: BTreeMap<Digest, (String, Entry)> = BTreeMap::new();
    for (listed, read) in trusted.iter().zip(read) {
        let signer = name(listed).unwrap_or_default();
        let entry = match read {
            Read::Right(entry) => entry,
            // It was removed since it was listed.
            Read::Gone => continue,
            Read::Forbidden => {
                let name = listed.listed.name.clone();
                audit.findings.push(Finding::Unread { name });
                continue;
            }
            Read::Wrong(why) => {
                let name = listed.listed.name.clone();
                audit.findings.push(Finding::Entry { name, signer, why });
                continue;
            }
        };
        for (output, made) in &entry.outputs {
            if sizes.get(&made.digest) != Some(&made.bytes) {
                audit.findings.push(Finding::Missing {
                    stage: entry.stage.clone(),
                    signer: signer.clone(),
                    output: output.clone(),
                    digest: made.digest,
                });
            }
        }
        match said.get(&entry.key) {
            Some((other, before)) if before.digests() != entry.digests() => {
                audit.findings.push(Finding::Disagree {
                    stage: entry.stage.clone(),
                    key: entry.key,
                    signers: [other.clone(), signer],
                });
            }
            Some(_) => {}
            None => drop(said.insert(entry.key, (signer, entry))),
        }
    }

    let asked = sampled(objects, sample);
    audit.read = asked.len();
    audit.bytes = asked.iter().map(|object| object.listed.size).sum();
    let read = at_once::each(&asked, cancelled, observer, |object| {
        read_object(backend, object, cache)
    })?;
    for (object, read) in asked.iter().zip(read) {
        match read {
            Read::Right(()) | Read::Gone => {}
            Read::Forbidden => {
                let name = object.listed.name.clone();
                audit.findings.push(Finding::Unread { name });
            }
            Read::Wrong(_) => {
                let digest = object.digest;
                audit.findings.push(Finding::Object { digest });
            }
        }
    }

    for (name, pin) in pins {
        let Some(pin) = pin else {
            audit.findings.push(Finding::Pin { name });
            continue;
        };
        let objects = pin.objects();
        let objects = objects.iter().filter(|digest| !sizes.contains_key(digest));
        match objects.count() {
            0 => {}
            objects => audit.findings.push(Finding::Unkept { name, objects }),
        }
    }
    Ok(audit)
}

/// What came of reading something that was listed.
enum Read<T> {
    Right(T),
    /// Why it is not what its name says, in words.
    Wrong(&'static str),
    /// It was removed since.
    Gone,
    /// It may not be read.
    Forbidden,
}

/// What an entry says.
fn read_entry(backend: &dyn Backend, listed: &ListedEntry, cache: &Store) -> Result<Read<Entry>> {
    let text = names::read(backend, &listed.listed.name, entry::MAX_BYTES, cache)?;
    Ok(match text {
        Ok(text) => match Entry::read(&text, listed.key, listed.signer) {
            Ok(entry) => Read::Right(entry),
            Err(why) => Read::Wrong(why),
        },
        Err(Unread::Absent) => Read::Gone,
        Err(Unread::TooLarge) => Read::Wrong("is too large"),
        Err(Unread::Forbidden(_)) => Read::Forbidden,
    })
}

/// Whether the bytes of an object are those of its name.
fn read_object(backend: &dyn Backend, object: &ListedObject, cache: &Store) -> Result<Read<()>> {
    const WRONG: Read<()> = Read::Wrong("has other bytes");
    let copy = files::scratch(&cache.scratch()?, &[])?;
    let failure = match backend.get(&object.listed.name, copy.path(), object.listed.size) {
        Ok(None) => return Ok(Read::Gone),
        Ok(Some(_)) if Digest::of_file(copy.path())?.0 == object.digest => {
            return Ok(Read::Right(()));
        }
        Ok(Some(_)) => return Ok(WRONG),
        Err(failure) => failure,
    };
    match failure.kind {
        FailureKind::TooLarge => Ok(WRONG),
        FailureKind::Forbidden => Ok(Read::Forbidden),
        _ => Err(failure.into()),
    }
}

/// The objects of a sample: of some at least one.
fn sampled(mut objects: Vec<ListedObject>, sample: Sample) -> Vec<ListedObject> {
    if let Some(part) = sample {
        objects.sort_by_key(|object| object.digest);
        let count = (objects.len() as f64 * part).ceil() as usize;
        objects.truncate(count);
    }
    objects
}
