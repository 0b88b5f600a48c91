//! What a signer says of a key: these outputs come of it.
//!
//! Three lines: a title with the format, the statement as JSON, and who signed the two lines before, with the
//! signature. There is one entry for a key and a signer, and it does not change where the same key gives the same
//! bytes. So it holds no time and no host, and an old one that somebody puts back says what a new one would. Of a
//! stage that makes other bytes each time, or whose wrong result was signed before it was put right, it does not:
//! only what a lock knows is safe from that.
//!
//! The statement holds its own key: under the name of another it is nothing. Does not know whom to trust.

use crate::base::digest::Digest;
use crate::shared::trust::{Signer, SignerId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A larger entry is none.
pub const MAX_BYTES: u64 = 4 << 20;

const TITLE: &str = "retrace entry 1\n";

/// The statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub key: Digest,
    /// The stage that was run, for people: the key does not hold it.
    pub stage: String,
    /// Of the code that the stage's kind reaches: it is part of the key, too.
    pub code: String,
    /// The program whose owner says so, by the digest of its file.
    pub program: Digest,
    pub outputs: BTreeMap<String, Made>,
}

/// An output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    pub digest: Digest,
    pub bytes: u64,
}

impl Entry {
    /// The text of the entry, signed.
    pub fn sign(&self, signer: &Signer) -> String {
        // A structure of texts and numbers always has a JSON.
        let json = serde_json::to_string(self).unwrap_or_default();
        let stated = format!("{TITLE}{json}\n");
        let signature = signer.sign(stated.as_bytes());
        format!("{stated}{} {signature}\n", signer.id())
    }

    /// What `signer` says of `key`, if the text is that.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(text: &[u8], key: Digest, signer: SignerId) -> Result<Entry, &'static str> {
        let text = std::str::from_utf8(text).map_err(|_| "is no text")?;
        let rest = text.strip_prefix(TITLE).ok_or("has another format")?;
        let (json, signed) = rest.split_once('\n').ok_or("is cut short")?;
        let stated = &text[..TITLE.len() + json.len() + 1];
        let signed = signed.strip_suffix('\n').ok_or("is cut short")?;
        let (by, signature) = signed.split_once(' ').ok_or("has no signature")?;
        if by != signer.to_string() {
            return Err("is signed by another");
        }
        if !signer.has_signed(stated.as_bytes(), signature) {
            return Err("has a wrong signature");
        }
        let entry: Entry =
            serde_json::from_str(json).map_err(|_| "states nothing that is known here")?;
        match entry.key == key {
            true => Ok(entry),
            false => Err("is about another key"),
        }
    }

    /// The outputs by their digests.
    pub fn digests(&self) -> BTreeMap<String, Digest> {
        let digest = |(name, made): (&String, &Made)| (name.clone(), made.digest);
        self.outputs.iter().map(digest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let made = Made {
            digest: Digest::of(b"made"),
            bytes: 4,
        };
        Entry {
            key: Digest::of(b"key"),
            stage: "a@1".into(),
            code: "code".into(),
            program: Digest::of(b"program"),
            outputs: BTreeMap::from([("out".into(), made)]),
        }
    }

    #[test]
    fn a_signed_entry_is_read_and_no_byte_of_it_can_change() {
        let signer = Signer::draw().unwrap();
        let (key, text) = (entry().key, entry().sign(&signer));
        assert_eq!(Entry::read(text.as_bytes(), key, signer.id()), Ok(entry()));
        for i in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[i] ^= 1;
            assert!(Entry::read(&other, key, signer.id()).is_err(), "byte {i}");
            let cut = &text.as_bytes()[..i];
            assert!(Entry::read(cut, key, signer.id()).is_err(), "{i} bytes");
        }
        let longer = format!("{text}\n");
        assert!(Entry::read(longer.as_bytes(), key, signer.id()).is_err());
    }

    #[test]
    fn an_entry_of_another_key_or_signer_is_none() {
        let (signer, other) = (Signer::draw().unwrap(), Signer::draw().unwrap());
        let text = entry().sign(&signer);
        let read = |key, id| Entry::read(text.as_bytes(), key, id);
        assert_eq!(
            read(Digest::of(b"other"), signer.id()),
            Err("is about another key")
        );
        assert_eq!(read(entry().key, other.id()), Err("is signed by another"));
        // Who signs as another has no signature of theirs.
        let forged = text.replace(&signer.id().to_string(), &other.id().to_string());
        let forged = Entry::read(forged.as_bytes(), entry().key, other.id());
        assert_eq!(forged, Err("has a wrong signature"));
    }
}
