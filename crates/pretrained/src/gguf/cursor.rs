//! Little-endian numbers and strings, one after another, from bytes that may end at any place.
//!
//! Knows no GGUF but for its way of writing a string: eight bytes of length, then UTF-8.

use crate::base::error::{Error, Result};
use std::path::Path;

pub(crate) struct Cursor<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(path: &'a Path, bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { path, bytes, at: 0 }
    }

    /// Bytes read so far.
    pub fn at(&self) -> usize {
        self.at
    }

    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// # Errors
    /// Fewer bytes than that are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let Some(taken) = rest.get(..count) else {
            let (at, left) = (self.at, rest.len());
            let what =
                format!("it ends too early: at byte {at} {count} bytes should follow, {left} do");
            return Err(Error::damaged(self.path, what));
        };
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A number of things of at least `least` bytes each.
    ///
    /// # Errors
    /// More than the rest of the bytes can hold.
    pub fn count(&mut self, what: &str, least: usize) -> Result<usize> {
        let count = self.u64()?;
        let most = self.left() / least.max(1);
        match usize::try_from(count) {
            Ok(count) if count <= most => Ok(count),
            _ => {
                let (path, left) = (self.path, self.left());
                let what = format!("it states {count} {what}, but only {left} bytes follow");
                Err(Error::damaged(path, what))
            }
        }
    }

    pub fn string(&mut self, what: &str) -> Result<&'a str> {
        let length = self.count(&format!("bytes of {what}"), 1)?;
        let at = self.at;
        std::str::from_utf8(self.take(length)?)
            .map_err(|e| Error::damaged(self.path, format!("{what} at byte {at} is no UTF-8: {e}")))
    }
}
