//! BLAKE3 digests, and the unambiguous encoding of structured values that is hashed.
//!
//! Encoding: an integer is 8 bytes, little endian; text and bytes are their length as an integer,
//! then the bytes; every variant opens with a tag byte. So no two different sequences of calls give
//! the same byte stream ("ab" + "cd" is not "a" + "bcd").

use crate::base::error::{Error, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The BLAKE3-256 digest of some content. Shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl JsonSchema for Digest {
    fn schema_name() -> Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A BLAKE3-256 digest in hexadecimal.",
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
        })
    }
}

/// How much of a file is in memory while it is hashed.
const READ_AT_ONCE: usize = 128 << 10;

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Digest(*blake3::hash(bytes).as_bytes())
    }

    /// The digest of a file's content, and its size in bytes.
    pub fn of_file(path: &Path) -> Result<(Self, u64)> {
        let io = |e| Error::io("read", path, &e);
        // Opening a pipe waits for a writer, and a device may never end.
        let found = std::fs::metadata(path).map_err(io)?;
        if !found.is_file() {
            let message = format!("cannot read {}: it is no regular file", path.display());
            return Err(Error::failed(message));
        }
        let mut file = File::open(path).map_err(io)?;
        Digest::of_open(&mut file).map_err(io)
    }

    /// The digest of what is left to read of an open file, and how many bytes that is.
    pub(crate) fn of_open(file: &mut File) -> std::io::Result<(Self, u64)> {
        let mut hasher = blake3::Hasher::new();
        // BLAKE3 hashes 16 chunks of 1 KiB at once where the CPU can: small reads halve its speed.
        let expected = usize::try_from(file.metadata()?.len()).unwrap_or(READ_AT_ONCE);
        let mut buffer = vec![0; expected.clamp(1, READ_AT_ONCE)];
        let mut size = 0;
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    hasher.update(&buffer[..count]);
                    size += count as u64;
                }
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok((Digest(*hasher.finalize().as_bytes()), size))
    }

    /// The first 12 hexadecimal digits, enough to tell digests apart by eye.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }

    /// A digest from its raw bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Digest(bytes)
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(blake3::Hash::from_bytes(self.0).to_hex().as_str())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        Digest::try_from(text.as_str())
    }
}

impl TryFrom<&str> for Digest {
    type Error = String;

    fn try_from(text: &str) -> std::result::Result<Self, String> {
        blake3::Hash::from_hex(text)
            .map(|hash| Digest(*hash.as_bytes()))
            .map_err(|_| format!("`{text}` is not a digest of 64 hexadecimal digits"))
    }
}

/// Hashes a sequence of values in the encoding described at the top of this file. The bytes are
/// gathered first: BLAKE3 takes a few kilobytes at once several times faster than in small pieces.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoder(Vec<u8>);

impl Encoder {
    /// Starts an encoding; `domain` separates uses of the hash from each other.
    pub fn new(domain: &str) -> Self {
        let mut encoder = Encoder(Vec::with_capacity(4 << 10));
        encoder.text(domain);
        encoder
    }

    /// Starts a piece that [`Encoder::append`] puts into others.
    pub fn piece() -> Self {
        Encoder(Vec::new())
    }

    /// Adds a piece that was encoded before.
    pub fn append(&mut self, piece: &Encoder) {
        self.0.extend_from_slice(&piece.0);
    }

    /// A tag that says which variant follows.
    pub fn tag(&mut self, tag: u8) {
        self.0.push(tag);
    }

    /// An integer or the bits of a float.
    pub fn word(&mut self, word: u64) {
        self.0.extend_from_slice(&word.to_le_bytes());
    }

    /// Length-prefixed bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// Length-prefixed UTF-8.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Leaves room for an integer that is known later; [`Encoder::fill`] puts it there.
    pub fn later(&mut self) -> usize {
        self.word(0);
        self.0.len() - size_of::<u64>()
    }

    /// Puts the integer for which [`Encoder::later`] left room.
    pub fn fill(&mut self, place: usize, word: u64) {
        self.0[place..place + size_of::<u64>()].copy_from_slice(&word.to_le_bytes());
    }

    /// The digest of all that was encoded.
    pub fn finish(self) -> Digest {
        Digest::of(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(parts: &[&str]) -> Digest {
        let mut encoder = Encoder::new("test");
        parts.iter().for_each(|part| encoder.text(part));
        encoder.finish()
    }

    #[test]
    fn the_encoding_is_unambiguous() {
        assert_ne!(encode(&["ab", "cd"]), encode(&["a", "bcd"]));
        assert_ne!(encode(&["ab"]), encode(&["ab", ""]));
    }

    #[test]
    fn a_digest_reads_back_from_its_text() {
        let digest = Digest::of(b"abc");
        assert_eq!(Digest::try_from(digest.to_string()), Ok(digest));
        assert!(
            digest.to_string().starts_with("6437b3ac38465133"),
            "BLAKE3 of \"abc\""
        );
        assert!(Digest::try_from("xyz").is_err());
    }
}
