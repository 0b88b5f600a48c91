//! A shared store as a run, a push or a worker uses it: objects by digest, and what signers say of keys.
//!
//! An object is `objects/ab/REST`, named by the BLAKE3 digest of its bytes, as in the cache
//! ([`crate::store::content`]); an entry is `entries/ab/REST/SIGNER`, named by the key that it is about and by
//! who signed it. Nobody has to trust who keeps them. Who asks for an object knows its digest: it is hashed in
//! a temporary file before the cache takes it, and wrong, short, missing or too many bytes are the same as
//! none. Who asks for an entry knows whose word counts: it is asked for by their names alone, so nothing is
//! listed, and one with another signature is the same as none. Objects are put first and entries last.
//!
//! What goes wrong is kept for whoever tells it, once; a store that fails three times is left alone. What may not be
//! read is the same as none, and no failure: a store that lets nobody list it says that of all that it does not have.
//! Knows neither stages nor locks, so not which digests are the right ones.

use crate::base::digest::Digest;
use crate::base::error::{Error, ErrorKind, PROGRAM, Result};
use crate::base::files;
use crate::shared::backend::{Backend, Failure, FailureKind, Listed, unless_forbidden};
use crate::shared::entry::{self, Entry, Made};
use crate::shared::trust::{Signer, SignerId, Trust};
use crate::stage::key::Key;
use crate::store::actions::Outputs;
use crate::store::content::{Store, object_in};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A larger object is taken for a lie where nothing says how large it is.
pub const MAX_BYTES: u64 = 16 << 30;
/// What is in a store for so long, in seconds, is put there anew by who relies on it: seven days, half of the
/// least age at which [`crate::shared::upkeep::collect`] removes anything. So whoever ends within seven days of
/// looking whether an object is there has promised nothing that goes away before that is known. What else that
/// takes, and that it is enough, shows the model in `crates/engine/tests/shared/protocol`.
pub const RENEWED_AFTER_S: u64 = 7 * 24 * 60 * 60;
/// After so many failures nothing more is asked for.
pub const FAILURES: usize = 3;

/// A store that is shared.
pub struct SharedStore {
    backend: Box<dyn Backend>,
    trust: Trust,
    signs: Option<Signs>,
    /// Whether a run is for nothing without it.
    required: bool,
    troubles: Mutex<Troubles>,
    /// Names of what was seen to be wrong there, until it is put anew.
    damaged: Mutex<BTreeSet<String>>,
    /// Names of entries that were asked for and not to be had: whoever makes them does not ask again.
    lacked: Mutex<BTreeSet<String>>,
}

/// Who signs what is put there.
struct Signs {
    signer: Signer,
    /// The program that has made it, by the digest of its file.
    program: Digest,
}

/// What went wrong in a shared store.
#[derive(Clone, Debug, Default)]
pub struct Troubles {
    /// Objects and entries that are not what their names say.
    pub wrong: Vec<String>,
    /// How often it did not do what it was asked, and what that said first.
    pub failures: usize,
    pub first: Option<Error>,
    /// What may not be read, or is not there and that may not be known: it counted as absent.
    pub forbidden: BTreeSet<String>,
    /// What the store said of the first of these.
    pub forbade: Option<Error>,
    /// What is there, will soon be old enough to be removed, and may not be put anew.
    pub fading: BTreeSet<String>,
    /// What the store said of the first of these.
    pub refused: Option<Error>,
}

impl Troubles {
    /// Whether nothing more is asked for.
    pub fn is_given_up(&self) -> bool {
        self.failures >= FAILURES
    }
}

/// What the trusted signers say of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    /// Nobody says anything.
    None,
    /// Who has something to say says this.
    One(Entry),
    /// Two say different things: by name, with what they say.
    Disagree(Box<[(String, Entry); 2]>),
}

impl SharedStore {
    /// The store that this keeps; nobody is trusted, nothing is signed.
    pub fn new(backend: Box<dyn Backend>) -> Self {
        SharedStore {
            backend,
            trust: Trust::default(),
            signs: None,
            required: false,
            troubles: Mutex::default(),
            damaged: Mutex::default(),
            lacked: Mutex::default(),
        }
    }

    /// Believes these signers of keys that no lock knows.
    pub fn trusting(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Signs what is put there; `program` is the digest of the file of the program that has made it.
    pub fn signing(mut self, signer: Signer, program: Digest) -> Self {
        self.signs = Some(Signs { signer, program });
        self
    }

    /// A run is for nothing without it: once it is given up, nothing more is made.
    pub fn required(mut self, required: bool) -> Self {
        self.required = required;
        self
    }

    /// Whether it is required and was given up.
    pub fn is_lost(&self) -> bool {
        self.required && self.lock().is_given_up()
    }

    /// Whether what is put there is signed.
    pub fn signs(&self) -> bool {
        self.signs.is_some()
    }

    /// Where it is, for people.
    pub fn shown(&self) -> String {
        self.backend.shown()
    }

    /// Who keeps the bytes.
    pub fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    /// Whose word counts.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// What has gone wrong so far.
    pub fn troubles(&self) -> Troubles {
        self.lock().clone()
    }

    /// Brings an object of at most `most` bytes into the cache; its size, or `None` where the store does not
    /// have it, whole and right, or does not give it.
    ///
    /// # Errors
    /// The cache cannot be written, or the user has interrupted.
    pub fn fetch(
        &self,
        digest: Digest,
        most: u64,
        into: &Store,
        cancelled: &AtomicBool,
    ) -> Result<Option<u64>> {
        if self.lock().is_given_up() {
            return Ok(None);
        }
        if cancelled.load(Ordering::Relaxed) {
            return Err(Error::of(ErrorKind::Interrupted, "interrupted"));
        }
        let name = object(digest);
        let copy = files::scratch(&into.scratch()?, &[])?;
        let Some(size) = self.get(&name, copy.path(), most)? else {
            return Ok(None);
        };
        if Digest::of_file(copy.path())?.0 != digest {
            self.is_wrong(name);
            return Ok(None);
        }
        into.insert(copy.path())?;
        Ok(Some(size))
    }

    /// Puts an object of the cache there; its size, or `None` where it is there already: something of that
    /// name and size or, for who is `paranoid`, with the right bytes. What this store was seen to have wrong, and
    /// what will soon be old enough to be removed ([`RENEWED_AFTER_S`]), is put anew. Where the store may not be
    /// written, what is there stays as it is and is told as [`Troubles::fading`].
    ///
    /// # Errors
    /// It is larger than anybody would fetch, the cached object is damaged, or the store does not take it.
    pub fn put(&self, digest: Digest, from: &Store, paranoid: bool) -> Result<Option<u64>> {
        let source = from.object(digest);
        let size = fs::metadata(&source).map_err(|e| Error::io("read", &source, &e))?;
        let size = size.len();
        if size > MAX_BYTES {
            let message =
                format!("{digest} has {size} bytes: nobody would fetch an object so large");
            return Err(Error::failed(message));
        }
        let name = object(digest);
        let there = unless_forbidden(self.backend.look(&name))?;
        let there = there.filter(|found| found.size == size && !self.damaged().contains(&name));
        let is_young = |found: &Listed| found.age_s < RENEWED_AFTER_S;
        if there.as_ref().is_some_and(is_young)
            && (!paranoid || self.has_right(&name, digest, size, from)?)
        {
            return Ok(None);
        }
        if Digest::of_file(&source)?.0 != digest {
            from.distrust(&source);
            let message = format!("the cached object {digest} is damaged");
            let error = Error::failed(message);
            return Err(error.hint(format!("run `{PROGRAM} run` again: it re-makes it")));
        }
        // What is there and wrong is replaced.
        match self.backend.put(&name, &source) {
            Err(failure)
                if failure.kind == FailureKind::Denied
                    && there.is_some()
                    && (!paranoid || self.has_right(&name, digest, size, from)?) =>
            {
                self.fades(name, failure);
                return Ok(None);
            }
            done => done?,
        }
        self.damaged().remove(&name);
        Ok(Some(size))
    }

    /// What those whose word counts say of a key. Each of them is asked, so that a lie of one is found.
    ///
    /// # Errors
    /// The cache's folder for what is on its way cannot be written.
    pub fn ask(&self, key: Digest, cache: &Store) -> Result<Word> {
        let mut said: Option<(String, Entry)> = None;
        for (id, name) in self.trust.signers() {
            let Some(entry) = self.entry(key, id, cache)? else {
                continue;
            };
            match said {
                Some(before) if before.1.digests() != entry.digests() => {
                    let both = [before, (name.to_owned(), entry)];
                    return Ok(Word::Disagree(Box::new(both)));
                }
                Some(_) => {}
                None => said = Some((name.to_owned(), entry)),
            }
        }
        Ok(said.map_or(Word::None, |(_, entry)| Word::One(entry)))
    }

    /// What one signer says of a key, if that is there and right.
    ///
    /// # Errors
    /// The cache's folder for what is on its way cannot be written.
    pub fn entry(&self, key: Digest, signer: SignerId, cache: &Store) -> Result<Option<Entry>> {
        if self.lock().is_given_up() {
            return Ok(None);
        }
        let name = entry_name(key, signer);
        let copy = files::scratch(&cache.scratch()?, &[])?;
        let found = self.get(&name, copy.path(), entry::MAX_BYTES)?;
        if found.is_none() {
            self.lacked().insert(name);
            return Ok(None);
        }
        let text = files::read_at_most(copy.path(), entry::MAX_BYTES);
        let text = text.map_err(|e| Error::io("read", copy.path(), &e))?;
        let entry = Entry::read(&text, key, signer);
        if entry.is_err() {
            self.is_wrong(name);
        }
        Ok(entry.ok())
    }

    /// Puts an entry there that says what came of a key, where this store signs; its objects are there by
    /// then. Whether anything was put: the same entry is left alone, until it is old ([`RENEWED_AFTER_S`]). One
    /// that was asked for before and was not there is not asked for again.
    ///
    /// # Errors
    /// An output is not in the cache, or the store does not take the entry, or did not take an output anew
    /// ([`Troubles::fading`]): nobody may rely on that.
    pub fn publish(
        &self,
        stage: &str,
        key: &Key,
        outputs: &Outputs,
        cache: &Store,
    ) -> Result<bool> {
        self.publish_as(key.digest(), stage, key.code(), outputs, cache)
    }

    /// The same under any digest, and whatever covers the code.
    ///
    /// # Errors
    /// As [`SharedStore::publish`].
    pub(crate) fn publish_as(
        &self,
        key: Digest,
        stage: &str,
        code: &str,
        outputs: &Outputs,
        cache: &Store,
    ) -> Result<bool> {
        let Some(Signs { signer, program }) = &self.signs else {
            return Ok(false);
        };
        let made = |(name, digest): (&String, &Digest)| {
            let object = cache.object(*digest);
            let size = fs::metadata(&object).map_err(|e| Error::io("read", &object, &e))?;
            let made = Made {
                digest: *digest,
                bytes: size.len(),
            };
            Ok((name.clone(), made))
        };
        let entry = Entry {
            key,
            stage: stage.to_owned(),
            code: code.to_owned(),
            program: *program,
            outputs: outputs
                .iter()
                .map(made)
                .collect::<Result<BTreeMap<_, _>>>()?,
        };
        let name = entry_name(entry.key, signer.id());
        let was_asked = self.lacked().contains(&name);
        let before = match was_asked {
            true => None,
            false => self.entry(entry.key, signer.id(), cache)?,
        };
        // The one that is there may be of an older program: it says the same.
        let is_said = before.is_some_and(|before| before.outputs == entry.outputs);
        if is_said {
            let is_young = |found: Listed| found.age_s < RENEWED_AFTER_S;
            if self.backend.look(&name)?.is_some_and(is_young) {
                return Ok(false);
            }
        }
        if let Some(refused) = self.refused(outputs) {
            return match is_said {
                true => Ok(false),
                false => Err(refused),
            };
        }
        let text = files::scratch(&cache.scratch()?, entry.sign(signer).as_bytes())?;
        match self.backend.put(&name, text.path()) {
            Err(failure) if failure.kind == FailureKind::Denied && is_said => {
                self.fades(name, failure);
                return Ok(false);
            }
            done => done?,
        }
        self.lacked().remove(&name);
        Ok(true)
    }

    /// The bytes under a name, in a file; what is too large is wrong, what may not be read is none, and a failure is
    /// noted.
    ///
    /// # Errors
    /// The file cannot be written.
    fn get(&self, name: &str, to: &Path, most: u64) -> Result<Option<u64>> {
        let failure = match self.backend.get(name, to, most) {
            Ok(size) => return Ok(size),
            Err(failure) => failure,
        };
        match failure.kind {
            FailureKind::TooLarge => self.is_wrong(name.to_owned()),
            FailureKind::Local => return Err(failure.into()),
            FailureKind::Forbidden => {
                let mut troubles = self.lock();
                troubles.forbade.get_or_insert_with(|| failure.into());
                troubles.forbidden.insert(name.to_owned());
            }
            _ => {
                let mut troubles = self.lock();
                troubles.failures += 1;
                troubles.first.get_or_insert_with(|| failure.into());
            }
        }
        Ok(None)
    }

    /// Whether the bytes under the name of an object are those of the name.
    fn has_right(&self, name: &str, digest: Digest, size: u64, cache: &Store) -> Result<bool> {
        let copy = files::scratch(&cache.scratch()?, &[])?;
        match self.backend.get(name, copy.path(), size) {
            Ok(None) => Ok(false),
            Ok(Some(_)) => Ok(Digest::of_file(copy.path())?.0 == digest),
            Err(failure) if failure.kind == FailureKind::TooLarge => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Notes that something is there and old, and may not be put anew.
    fn fades(&self, name: String, failure: Failure) {
        let mut troubles = self.lock();
        troubles.refused.get_or_insert_with(|| failure.into());
        troubles.fading.insert(name);
    }

    /// What the store said where one of the outputs may not be put anew.
    fn refused(&self, outputs: &Outputs) -> Option<Error> {
        let troubles = self.lock();
        let fades = |&digest: &Digest| troubles.fading.contains(&object(digest));
        let any = outputs.values().any(fades);
        troubles.refused.clone().filter(|_| any)
    }

    fn is_wrong(&self, name: String) {
        self.damaged().insert(name.clone());
        self.lock().wrong.push(name);
    }

    fn lacked(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.lacked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn damaged(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of an object.
pub fn object(digest: Digest) -> String {
    let path = object_in(Path::new(""), digest);
    path.display().to_string()
}

/// The name of what a signer says of a key.
pub fn entry_name(key: Digest, signer: SignerId) -> String {
    let key = key.to_string();
    format!("entries/{}/{}/{signer}", &key[..2], &key[2..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::folder::Folder;
    use std::path::PathBuf;

    struct Both {
        folder: tempfile::TempDir,
        full: Store,
        shared: SharedStore,
        cache: Store,
        digest: Digest,
    }

    const CONTENT: &[u8] = b"some content of an object";
    static GO_ON: AtomicBool = AtomicBool::new(false);

    /// A store that has an object, the cache that it came from, and an empty one.
    fn both() -> Both {
        let folder = tempfile::tempdir().unwrap();
        let full = Store::open(&folder.path().join("full"), false).unwrap();
        let file = folder.path().join("new");
        fs::write(&file, CONTENT).unwrap();
        let digest = full.insert(&file).unwrap();
        let shared = SharedStore::new(Box::new(
            Folder::open_or_make(&folder.path().join("shared")).unwrap(),
        ));
        let size = CONTENT.len() as u64;
        assert_eq!(shared.put(digest, &full, false).unwrap(), Some(size));
        assert_eq!(shared.put(digest, &full, false).unwrap(), None);
        let cache = Store::open(&folder.path().join("cache"), false).unwrap();
        Both {
            folder,
            full,
            shared,
            cache,
            digest,
        }
    }

    /// The files of the cache: nothing wrong stays, also not under a temporary name.
    fn files_of(cache: &Store) -> usize {
        let objects = cache.objects().unwrap().len();
        objects + fs::read_dir(cache.scratch().unwrap()).unwrap().count()
    }

    #[test]
    fn a_right_object_arrives_and_every_lie_is_a_miss() {
        let Both {
            shared,
            cache,
            digest,
            ..
        } = &both();
        let object = object_in(Path::new(&shared.shown()), *digest);
        let fetch = || shared.fetch(*digest, MAX_BYTES, cache, &GO_ON).unwrap();
        let lies: [(&str, &[u8]); 4] = [
            ("flipped", b"some content of an objecu"),
            ("truncated", &CONTENT[..7]),
            ("empty", b""),
            ("longer", b"some content of an object, and more"),
        ];
        for (n, (what, bytes)) in lies.into_iter().enumerate() {
            files::write(&object, bytes).unwrap();
            assert_eq!(fetch(), None, "{what}");
            assert_eq!(files_of(cache), 0, "{what}");
            assert_eq!(shared.troubles().wrong.len(), n + 1, "{what}");
        }
        // Larger than any: not one byte of it is read.
        fs::File::options()
            .write(true)
            .open(&object)
            .and_then(|file| file.set_len(MAX_BYTES + 1))
            .unwrap();
        assert_eq!((fetch(), files_of(cache)), (None, 0));
        fs::remove_file(&object).unwrap();
        assert_eq!((fetch(), files_of(cache)), (None, 0));
        fs::create_dir(&object).unwrap();
        assert_eq!((fetch(), files_of(cache)), (None, 0));
        fs::remove_dir(&object).unwrap();
        assert_eq!(shared.troubles().wrong.len(), lies.len() + 1);
        assert_eq!(shared.troubles().failures, 0);
        files::write(&object, CONTENT).unwrap();
        assert_eq!(fetch(), Some(CONTENT.len() as u64));
        assert!(cache.holds(*digest));
        assert_eq!(files_of(cache), 1);
    }

    #[test]
    fn a_wrong_object_of_the_right_size_is_replaced_for_who_asks() {
        let Both {
            full,
            shared,
            digest,
            ..
        } = &both();
        let object = object_in(Path::new(&shared.shown()), *digest);
        files::write(&object, b"some content of an objecu").unwrap();
        assert_eq!(shared.put(*digest, full, false).unwrap(), None);
        assert!(shared.put(*digest, full, true).unwrap().is_some());
        assert_eq!(fs::read(&object).unwrap(), CONTENT);
        assert_eq!(shared.put(*digest, full, true).unwrap(), None);
        files::write(&object, b"short").unwrap();
        assert!(shared.put(*digest, full, false).unwrap().is_some());
        assert_eq!(fs::read(&object).unwrap(), CONTENT);
        let shard = fs::read_dir(object.parent().unwrap()).unwrap();
        assert_eq!(shard.count(), 1, "no temporary file stays");
    }

    /// A file that was written so long ago.
    fn make_old(path: &Path, seconds: u64) {
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(seconds);
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(then).unwrap();
    }

    #[test]
    fn what_was_found_wrong_is_replaced_and_what_is_old_renewed() {
        let Both {
            full,
            shared,
            cache,
            digest,
            ..
        } = &both();
        let object = object_in(Path::new(&shared.shown()), *digest);
        let put = || shared.put(*digest, full, false).unwrap().is_some();
        files::write(&object, b"some content of an objecu").unwrap();
        assert!(!put(), "nobody has looked at it");
        assert_eq!(
            shared.fetch(*digest, MAX_BYTES, cache, &GO_ON).unwrap(),
            None
        );
        assert!(put() && !put());
        make_old(&object, RENEWED_AFTER_S - 60);
        assert!(!put());
        make_old(&object, RENEWED_AFTER_S);
        assert!(put() && !put());
    }

    #[test]
    fn an_old_entry_is_said_again() {
        let both = both();
        let (stores, ids, key) = signed(&both, 1);
        let publish = || {
            let outputs = outputs(both.digest);
            stores[0].publish("a", &key, &outputs, &both.full).unwrap()
        };
        assert!(publish() && !publish());
        let path = Path::new(&stores[0].shown()).join(entry_name(key.digest(), ids[0]));
        make_old(&path, RENEWED_AFTER_S);
        assert!(publish() && !publish());
    }

    #[test]
    fn a_store_that_fails_is_given_up_after_three_times() {
        let Both {
            shared,
            cache,
            digest,
            ..
        } = &both();
        let object = object_in(Path::new(&shared.shown()), *digest);
        let shard = object.parent().unwrap();
        // A file where the folder should be: so it fails for an administrator, too.
        fs::remove_dir_all(shard).unwrap();
        fs::write(shard, "").unwrap();
        for failures in 1..=3 {
            assert!(!shared.troubles().is_given_up());
            assert_eq!(
                shared.fetch(*digest, MAX_BYTES, cache, &GO_ON).unwrap(),
                None
            );
            assert_eq!(shared.troubles().failures, failures);
        }
        assert!(shared.troubles().is_given_up());
        assert!(!shared.is_lost(), "nobody requires it");
        fs::remove_file(shard).unwrap();
        files::write(&object, CONTENT).unwrap();
        assert_eq!(
            shared.fetch(*digest, MAX_BYTES, cache, &GO_ON).unwrap(),
            None
        );
        assert_eq!(shared.troubles().failures, 3);
        let first = shared.troubles().first.unwrap();
        assert!(first.message.contains("cannot read"), "{first}");
    }

    #[test]
    fn a_store_that_cannot_be_written_is_named() {
        let Both {
            full,
            shared,
            digest,
            ..
        } = &both();
        let object = object_in(Path::new(&shared.shown()), *digest);
        fs::remove_file(&object).unwrap();
        // A file where a folder should be: so it fails for an administrator, too.
        let shard = object.parent().unwrap();
        fs::remove_dir(shard).unwrap();
        fs::write(shard, "").unwrap();
        let error = shared.put(*digest, full, false).err().unwrap();
        assert!(error.message.contains("cannot"), "{error}");
        assert!(error.message.contains(&*shard.to_string_lossy()), "{error}");
    }

    /// A folder of which one thing may not be had, for a reason: of an administrator, too.
    #[derive(Debug)]
    struct Without {
        folder: Folder,
        name: String,
        kind: FailureKind,
    }

    impl Without {
        fn refused(&self, name: &str) -> std::result::Result<(), Failure> {
            match name == self.name {
                true => Err(Failure::new(self.kind, format!("no {name} for you"))),
                false => Ok(()),
            }
        }
    }

    impl Backend for Without {
        fn shown(&self) -> String {
            self.folder.shown()
        }

        fn look(&self, name: &str) -> std::result::Result<Option<Listed>, Failure> {
            self.refused(name).and_then(|()| self.folder.look(name))
        }

        fn get(
            &self,
            name: &str,
            to: &Path,
            most: u64,
        ) -> std::result::Result<Option<u64>, Failure> {
            self.refused(name)
                .and_then(|()| self.folder.get(name, to, most))
        }

        fn put(&self, name: &str, from: &Path) -> std::result::Result<(), Failure> {
            self.folder.put(name, from)
        }

        fn list(&self, prefix: &str) -> std::result::Result<Vec<Listed>, Failure> {
            self.folder.list(prefix)
        }

        fn remove(&self, name: &str) -> std::result::Result<(), Failure> {
            self.folder.remove(name)
        }
    }

    /// The store of which one object may not be had.
    fn without(both: &Both, kind: FailureKind) -> SharedStore {
        SharedStore::new(Box::new(Without {
            folder: Folder::open(Path::new(&both.shared.shown())).unwrap(),
            name: object(both.digest),
            kind,
        }))
    }

    #[test]
    fn what_may_not_be_read_is_a_miss_and_no_failure() {
        let both = both();
        let store = without(&both, FailureKind::Forbidden);
        for _ in 0..5 {
            let found = store.fetch(both.digest, MAX_BYTES, &both.cache, &GO_ON);
            assert_eq!(found.unwrap(), None);
        }
        let troubles = store.troubles();
        assert_eq!((troubles.failures, troubles.is_given_up()), (0, false));
        assert_eq!(
            troubles.forbidden,
            BTreeSet::from([object(both.digest)]),
            "told once"
        );
        assert!(troubles.forbade.unwrap().message.ends_with("for you"));
        // Whether that is there nobody knows, so it is put there: it has the bytes of its name.
        let put = store.put(both.digest, &both.full, false).unwrap();
        assert_eq!(put, Some(CONTENT.len() as u64));
        // Credentials that are none are another matter.
        let store = without(&both, FailureKind::Denied);
        assert!(store.put(both.digest, &both.full, false).is_err());
        for _ in 0..5 {
            let found = store.fetch(both.digest, MAX_BYTES, &both.cache, &GO_ON);
            assert_eq!(found.unwrap(), None);
        }
        assert_eq!(store.troubles().failures, 3);
        assert!(store.troubles().forbidden.is_empty());
    }

    #[test]
    fn what_goes_wrong_on_this_machine_is_no_failure_of_the_store() {
        let both = both();
        let store = without(&both, FailureKind::Local);
        for _ in 0..4 {
            let error = store
                .fetch(both.digest, MAX_BYTES, &both.cache, &GO_ON)
                .unwrap_err();
            assert!(error.hint.unwrap().contains("on this machine"));
        }
        assert_eq!(store.troubles().failures, 0);
    }

    const NAMES: [&str; 2] = ["ann", "bob"];

    /// A store that two sign and that trusts the first `trusted` of them; the signers, and a key.
    fn signed(both: &Both, trusted: usize) -> (Vec<SharedStore>, Vec<SignerId>, Key) {
        let params = std::sync::Arc::new(serde_json::json!({}));
        let code = std::sync::Arc::new(crate::stage::key::Code::new("1", []));
        let key = Key::new("kind", params, Vec::new(), &code);
        let signers: Vec<Signer> = NAMES.iter().map(|_| Signer::draw().unwrap()).collect();
        let ids: Vec<SignerId> = signers.iter().map(Signer::id).collect();
        let mut trust = Trust::default();
        for (id, name) in ids.iter().zip(NAMES).take(trusted) {
            trust.add(*id, name);
        }
        let open = |signer| {
            let folder = Folder::open(Path::new(&both.shared.shown())).unwrap();
            let program = Digest::of(b"program");
            SharedStore::new(Box::new(folder))
                .trusting(trust.clone())
                .signing(signer, program)
        };
        (signers.into_iter().map(open).collect(), ids, key)
    }

    fn outputs(digest: Digest) -> Outputs {
        Outputs::from([("out".into(), digest)])
    }

    #[test]
    fn a_trusted_word_counts_and_no_other() {
        let both = both();
        let (stores, _, key) = signed(&both, 1);
        let ask = || stores[0].ask(key.digest(), &both.cache).unwrap();
        assert_eq!(ask(), Word::None);
        // An unknown signer says nothing that counts.
        let publish = |n: usize| {
            stores[n]
                .publish("a", &key, &outputs(both.digest), &both.full)
                .unwrap()
        };
        assert!(publish(1));
        assert_eq!(ask(), Word::None);
        assert!(publish(0));
        let Word::One(entry) = ask() else {
            panic!("nothing was said")
        };
        assert_eq!(entry.digests(), outputs(both.digest));
        assert_eq!(entry.outputs["out"].bytes, CONTENT.len() as u64);
        assert!(!publish(0), "the same is said once");
        assert_eq!(stores[0].troubles().wrong, Vec::<String>::new());
    }

    #[test]
    fn an_entry_under_another_name_or_damaged_is_none() {
        let both = both();
        let (stores, ids, key) = signed(&both, 2);
        stores[0]
            .publish("a", &key, &outputs(both.digest), &both.full)
            .unwrap();
        let root = PathBuf::from(stores[0].shown());
        let path = |key: Digest, id: SignerId| root.join(entry_name(key, id));
        let right = fs::read(path(key.digest(), ids[0])).unwrap();
        let ask = |key: Digest| stores[0].ask(key, &both.cache).unwrap();
        // A valid entry under another key, and as if another had signed it.
        let other = Digest::of(b"another key");
        files::write(&path(other, ids[0]), &right).unwrap();
        assert_eq!(ask(other), Word::None);
        files::write(&path(key.digest(), ids[1]), &right).unwrap();
        assert!(matches!(ask(key.digest()), Word::One(_)));
        for lie in [&right[..40], b"", &vec![b'x'; 5 << 20]] {
            files::write(&path(key.digest(), ids[0]), lie).unwrap();
            assert_eq!(ask(key.digest()), Word::None);
        }
        assert_eq!(stores[0].troubles().failures, 0);
        assert_eq!(stores[0].troubles().wrong.len(), 2 + 2 * 3);
        // Who makes it anew puts a right one there.
        assert!(
            stores[0]
                .publish("a", &key, &outputs(both.digest), &both.full)
                .unwrap()
        );
        assert!(matches!(ask(key.digest()), Word::One(_)));
    }

    #[test]
    fn two_who_disagree_are_both_named() {
        let both = both();
        let file = both.folder.path().join("new");
        fs::write(&file, "something else").unwrap();
        let other = both.full.insert(&file).unwrap();
        let (stores, _, key) = signed(&both, 2);
        stores[0]
            .publish("a", &key, &outputs(both.digest), &both.full)
            .unwrap();
        stores[1]
            .publish("a", &key, &outputs(other), &both.full)
            .unwrap();
        let Word::Disagree(said) = stores[0].ask(key.digest(), &both.cache).unwrap() else {
            panic!("they agree");
        };
        let mut names = said.each_ref().map(|(name, _)| name.as_str());
        names.sort_unstable();
        assert_eq!(names, NAMES);
        stores[1]
            .publish("a", &key, &outputs(both.digest), &both.full)
            .unwrap();
        assert!(matches!(
            stores[0].ask(key.digest(), &both.cache),
            Ok(Word::One(_))
        ));
    }
}
