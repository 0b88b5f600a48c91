//! Files that git gave other line ends at a checkout, as `core.autocrlf` asks it to.

use crate::base::digest::Digest;
use crate::base::files;
use std::path::Path;

/// In a larger file nobody looks for that.
const MAX_BYTES: u64 = 64 << 20;

/// Whether a file has the digest once each CR LF is the LF that it was.
pub(crate) fn were_changed(path: &Path, expected: Digest) -> bool {
    let bytes = files::read_at_most(path, MAX_BYTES).unwrap_or_default();
    let mut plain = Vec::with_capacity(bytes.len());
    for (index, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(index + 1) != Some(&b'\n') {
            plain.push(*byte);
        }
    }
    plain.len() < bytes.len() && Digest::of(&plain) == expected
}
