//! Reads the gzipped text files that lie below `data/`, each of one digest.
//!
//! Does not know what a text says.

use flate2::read::MultiGzDecoder;
use retrace::base::error::{Error, Result};
use retrace::stage::kind::{Io, read};
use std::io::Read;

/// Larger than any such file: what decodes to more is not one.
const MOST_BYTES: u64 = 16 << 20;

/// Whether a param is a digest.
pub fn check_digest(digest: &str) -> std::result::Result<(), String> {
    blake3::Hash::from_hex(digest)
        .map(|_| ())
        .map_err(|e| format!("blake3: `{digest}` is no digest: {e}"))
}

/// The file's name, for messages, and its text.
///
/// # Errors
/// A file of another digest, and one that is no gzip of UTF-8.
pub fn read_packed(io: &Io, role: &str, digest: &str) -> Result<(String, String)> {
    let path = io.input(role)?;
    let bytes = read(path)?;
    let name = path.display().to_string();
    let found = blake3::hash(&bytes).to_hex();
    if *found != *digest {
        let message = format!("{name}: its BLAKE3 digest is {found}, expected {digest}");
        return Err(Error::failed(message).hint(
            "the file was changed: restore it with git, or state the digest of yours in pipeline.yaml",
        ));
    }
    match decode(&bytes) {
        Ok(text) => Ok((name, text)),
        Err(message) => Err(Error::failed(format!("{name}: {message}"))),
    }
}

fn decode(bytes: &[u8]) -> std::result::Result<String, String> {
    let mut text = String::new();
    let decoder = MultiGzDecoder::new(bytes).take(MOST_BYTES);
    let size = { decoder }
        .read_to_string(&mut text)
        .map_err(|e| format!("it does not decode: {e}"))?;
    match size as u64 == MOST_BYTES {
        true => Err(format!("it decodes to {MOST_BYTES} bytes or more")),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn texts_are_decoded_and_others_are_refused() {
        assert_eq!(decode(&packed(b"one\n")).unwrap(), "one\n");
        assert!(decode(b"no gzip").unwrap_err().contains("does not decode"));
        assert!(decode(&packed(b"\xff")).unwrap_err().contains("UTF-8"));
        let bomb = packed(&vec![b'0'; MOST_BYTES as usize + 1]);
        let message = decode(&bomb).unwrap_err();
        assert_eq!(message, "it decodes to 16777216 bytes or more");
    }

    #[test]
    fn digests_are_checked() {
        assert!(check_digest(&"0".repeat(64)).is_ok());
        assert!(
            check_digest("xyz")
                .unwrap_err()
                .contains("`xyz` is no digest")
        );
    }
}
