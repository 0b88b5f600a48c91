//! The names in a store read back, and small files of it read whole.

use crate::base::digest::Digest;
use crate::base::error::{Error, Result};
use crate::base::files;
use crate::shared::backend::{Backend, Failure, FailureKind, Listed};
use crate::shared::store::{entry_name, object};
use crate::shared::trust::SignerId;
use crate::store::content::Store;

pub const OBJECTS: &str = "objects/";
pub const ENTRIES: &str = "entries/";
pub const PINS: &str = "pins/";

/// The files of a store that are on their way there, or that somebody who was ended in the middle has left.
///
/// # Errors
/// The store does not list them.
pub fn unfinished(backend: &dyn Backend) -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    for prefix in [OBJECTS, ENTRIES, PINS] {
        found.extend(backend.unfinished(prefix)?);
    }
    Ok(found)
}

/// An object that a store lists.
#[derive(Clone, Debug)]
pub struct ListedObject {
    pub digest: Digest,
    pub listed: Listed,
}

/// An entry that a store lists.
#[derive(Clone, Debug)]
pub struct ListedEntry {
    pub key: Digest,
    pub signer: SignerId,
    pub listed: Listed,
}

/// The objects of a store; names that no object has are left out.
///
/// # Errors
/// The store does not list them.
pub fn objects(backend: &dyn Backend) -> Result<Vec<ListedObject>> {
    let listed = backend.list(OBJECTS)?.into_iter();
    let read = |listed: Listed| {
        let digest = digest_of(listed.name.strip_prefix(OBJECTS)?)?;
        (object(digest) == listed.name).then_some(ListedObject { digest, listed })
    };
    Ok(listed.filter_map(read).collect())
}

/// The entries of a store, whoever signed them; names that no entry has are left out.
///
/// # Errors
/// The store does not list them.
pub fn entries(backend: &dyn Backend) -> Result<Vec<ListedEntry>> {
    let listed = backend.list(ENTRIES)?.into_iter();
    let read = |listed: Listed| {
        let (key, signer) = listed.name.strip_prefix(ENTRIES)?.rsplit_once('/')?;
        let (key, signer) = (digest_of(key)?, SignerId::read(signer).ok()?);
        let is_name = entry_name(key, signer) == listed.name;
        is_name.then_some(ListedEntry {
            key,
            signer,
            listed,
        })
    };
    Ok(listed.filter_map(read).collect())
}

/// `ab/REST` as a digest.
fn digest_of(name: &str) -> Option<Digest> {
    let (shard, rest) = name.split_once('/')?;
    Digest::try_from(format!("{shard}{rest}")).ok()
}

/// Why the bytes of a name are not here.
pub enum Unread {
    /// They are not in the store.
    Absent,
    /// There are more than were asked for.
    TooLarge,
    /// They may not be read.
    Forbidden(Failure),
}

/// The bytes of a small file of a store.
///
/// # Errors
/// The store does not give them, or the cache cannot be written.
pub fn read(
    backend: &dyn Backend,
    name: &str,
    most: u64,
    cache: &Store,
) -> Result<std::result::Result<Vec<u8>, Unread>> {
    let copy = files::scratch(&cache.scratch()?, &[])?;
    match backend.get(name, copy.path(), most) {
        Ok(None) => Ok(Err(Unread::Absent)),
        Ok(Some(_)) => {
            let bytes = files::read_at_most(copy.path(), most);
            let bytes = bytes.map_err(|e| Error::io("read", copy.path(), &e))?;
            Ok(Ok(bytes))
        }
        Err(Failure {
            kind: FailureKind::TooLarge,
            ..
        }) => Ok(Err(Unread::TooLarge)),
        Err(failure) if failure.kind == FailureKind::Forbidden => {
            Ok(Err(Unread::Forbidden(failure)))
        }
        Err(failure) => Err(failure.into()),
    }
}
