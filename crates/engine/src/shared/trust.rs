//! Whose word counts: the file `store.trust`, and the keys that entries are signed with.
//!
//! A line of `store.trust` is `ed25519 KEY NAME`, where KEY is a public key of 64 hexadecimal digits; empty
//! lines and those that begin with `#` say nothing. The file is read as it lies in the working tree, so who may
//! edit that may add a name, committed or not. A secret key is a file of one line, `ed25519-secret SEED`, and is nobody else's.
//!
//! Signatures are those of Ed25519 (RFC 8032, doi:10.17487/RFC8032), checked strictly: a key of small order
//! or a signature that is not in its one form is refused.

use crate::base::error::{Error, Place, Result};
use crate::base::files;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The file, beside pipeline.yaml.
pub const TRUST_FILE: &str = "store.trust";

/// A larger file of keys is none.
const MAX_BYTES: u64 = 64 << 10;
const PUBLIC: &str = "ed25519";
const SECRET: &str = "ed25519-secret";

/// A public key, shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignerId([u8; 32]);

impl fmt::Display for SignerId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for SignerId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "SignerId({self})")
    }
}

impl SignerId {
    /// The key that these digits write.
    ///
    /// # Errors
    /// They are not 64 hexadecimal digits of a point on the curve.
    pub fn read(text: &str) -> std::result::Result<Self, String> {
        let bytes = from_hex::<32>(text)
            .ok_or_else(|| format!("`{text}` is not a key of 64 hexadecimal digits"))?;
        match VerifyingKey::from_bytes(&bytes) {
            Ok(key) if !key.is_weak() => Ok(SignerId(bytes)),
            _ => Err(format!("`{text}` is no public key of Ed25519")),
        }
    }

    /// Whether the signature, of 128 hexadecimal digits, is this key's for the text.
    pub fn has_signed(&self, text: &[u8], signature: &str) -> bool {
        let key = VerifyingKey::from_bytes(&self.0);
        let signature = from_hex::<64>(signature).map(|bytes| Signature::from_bytes(&bytes));
        key.ok()
            .zip(signature)
            .is_some_and(|(key, signature)| key.verify_strict(text, &signature).is_ok())
    }
}

/// The signers whose word counts, and how people call them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    names: BTreeMap<SignerId, String>,
}

impl Trust {
    /// Reads a [`TRUST_FILE`]; one that is not there trusts nobody.
    ///
    /// # Errors
    /// A line is no key with a name, or says a key or a name twice.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = match files::read_at_most(path, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Trust::default()),
            Err(e) => return Err(Error::io("read", path, &e)),
        };
        let name = path.file_name().unwrap_or(path.as_os_str());
        Trust::parse(&name.to_string_lossy(), &String::from_utf8_lossy(&bytes))
    }

    /// Reads its text; `shown` is its name in messages.
    ///
    /// # Errors
    /// As [`Trust::read`].
    pub fn parse(shown: &str, text: &str) -> Result<Self> {
        let mut trust = Trust::default();
        let source = shown.into();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why: String| {
                let error = Error::config(why).at(&Place::file(&source, number, 1));
                error.hint(format!("a line is `{PUBLIC} KEY NAME`: `store key FILE` makes a key and prints its line"))
            };
            let mut words = line.splitn(3, char::is_whitespace);
            let (Some(PUBLIC), Some(key), Some(name)) = (words.next(), words.next(), words.next())
            else {
                return Err(wrong(format!("`{line}` is not `{PUBLIC} KEY NAME`")));
            };
            let id = SignerId::read(key).map_err(wrong)?;
            if let Some(before) = trust.names.get(&id) {
                return Err(wrong(format!("`{before}` has the same key")));
            }
            let name = name.trim();
            if trust.names.values().any(|known| known == name) {
                return Err(wrong(format!(
                    "there are two keys of `{name}`: give each a name of its own"
                )));
            }
            trust.add(id, name);
        }
        Ok(trust)
    }

    /// Trusts one more.
    pub fn add(&mut self, id: SignerId, name: &str) {
        self.names.insert(id, name.to_owned());
    }

    /// Those that are trusted, in the order of their keys.
    pub fn signers(&self) -> impl Iterator<Item = (SignerId, &str)> {
        self.names.iter().map(|(id, name)| (*id, name.as_str()))
    }

    /// How people call a signer that is trusted.
    pub fn name(&self, id: SignerId) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }
}

/// Who signs: a secret key.
pub struct Signer(SigningKey);

impl Signer {
    /// A new key, from the system's random numbers.
    ///
    /// # Errors
    /// The system has none.
    pub fn draw() -> Result<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|e| Error::failed(format!("the system gives no random numbers: {e}")))?;
        Ok(Signer(SigningKey::from_bytes(&seed)))
    }

    /// The key in a file.
    ///
    /// # Errors
    /// The file cannot be read, or holds no secret key. What it holds is not shown.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = files::read_at_most(path, MAX_BYTES).map_err(|e| {
            let error = Error::io("read the secret key", path, &e);
            Error::config(error.message).hint("`store key FILE` makes one")
        })?;
        let text = String::from_utf8_lossy(&bytes);
        let seed = text.trim().strip_prefix(SECRET).map(str::trim);
        let seed = seed.and_then(from_hex::<32>).ok_or_else(|| {
            let message = format!("{} holds no secret key", path.display());
            Error::config(message).hint(format!(
                "it is one line, `{SECRET}` and 64 hexadecimal digits: `store key FILE` makes one"
            ))
        })?;
        Ok(Signer(SigningKey::from_bytes(&seed)))
    }

    /// Writes it to a new file that only its owner may read.
    ///
    /// # Errors
    /// There is a file of that name, or it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let line = format!("{SECRET} {}\n", to_hex(&self.0.to_bytes()));
        let mut file = options.open(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => {
                let message = format!("{} is there already: nothing was written", path.display());
                Error::config(message).hint("a key that is overwritten is lost: name another file")
            }
            _ => Error::io("write", path, &e),
        })?;
        let written = file
            .write_all(line.as_bytes())
            .and_then(|()| file.sync_all());
        written.map_err(|e| Error::io("write", path, &e))
    }

    /// Its public half.
    pub fn id(&self) -> SignerId {
        SignerId(self.0.verifying_key().to_bytes())
    }

    /// The signature of a text, as 128 hexadecimal digits.
    pub fn sign(&self, text: &[u8]) -> String {
        to_hex(&self.0.sign(text).to_bytes())
    }
}

/// The line of [`TRUST_FILE`] that trusts a signer.
pub fn line(id: SignerId, name: &str) -> String {
    format!("{PUBLIC} {id} {name}")
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_hex = text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hex || text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_kept_for_its_owner_and_signs_what_its_public_half_checks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let signer = Signer::draw().unwrap();
        signer.write(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(
            signer
                .write(&path)
                .unwrap_err()
                .message
                .contains("is there already")
        );
        let read = Signer::read(&path).unwrap();
        let signature = read.sign(b"text");
        assert!(signer.id().has_signed(b"text", &signature));
        assert!(!signer.id().has_signed(b"texu", &signature));
        assert!(!Signer::draw().unwrap().id().has_signed(b"text", &signature));
        std::fs::write(&path, "ed25519-secret 12").unwrap();
        let error = Signer::read(&path).err().unwrap();
        assert!(error.message.ends_with("holds no secret key"), "{error}");
    }

    // RFC 8032, section 7.1, test 2.
    #[test]
    fn a_published_signature_is_right() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        std::fs::write(&path, format!("{SECRET} {seed}\n")).unwrap();
        let signer = Signer::read(&path).unwrap();
        let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        assert_eq!(signer.id().to_string(), public);
        let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        assert_eq!(signer.sign(&[0x72]), signature);
        assert!(signer.id().has_signed(&[0x72], signature));
    }

    #[test]
    fn a_line_that_is_no_key_with_a_name_is_refused_where_it_stands() {
        let id = Signer::draw().unwrap().id();
        let text = format!("# who signs\n\n{}\n", line(id, "main, by CI"));
        let trust = Trust::parse("store.trust", &text).unwrap();
        assert_eq!(trust.name(id), Some("main, by CI"));
        let zero = "0".repeat(64);
        let wrong = [
            (format!("{text}ed25519 {id} other"), "has the same key"),
            (format!("ed25519 {id}"), "is not `ed25519 KEY NAME`"),
            ("rsa 12 me".to_owned(), "is not `ed25519 KEY NAME`"),
            ("ed25519 12 me".to_owned(), "is not a key of 64"),
            (format!("ed25519 {zero} me"), "is no public key"),
        ];
        for (text, why) in wrong {
            let error = Trust::parse("store.trust", &text).unwrap_err();
            assert!(error.message.contains(why), "{error}");
            assert!(error.place.is_some() && error.hint.is_some());
        }
    }
}
