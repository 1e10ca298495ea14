//! A bounds-checked reader of the blobs that are not signatures: custom attributes and marshalling.

use super::error::{Error, Result};
use super::heaps::compressed;

/// Reads a blob from front to back.
#[derive(Clone, Debug)]
pub(crate) struct BlobReader {
    rest: &'static [u8],
}

impl BlobReader {
    pub(crate) fn new(blob: &'static [u8]) -> BlobReader {
        BlobReader { rest: blob }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Bytes that are left.
    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'static [u8]> {
        let taken = self.rest.get(..count).ok_or(Error::Blob("truncated"))?;
        self.rest = &self.rest[count..];
        Ok(taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        Ok(self.bytes(1)?[0])
    }

    /// A little-endian number of at most 8 bytes, zero-extended.
    pub(crate) fn little_endian(&mut self, size: usize) -> Result<u64> {
        let taken = self.bytes(size)?;
        Ok(taken.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    /// A compressed unsigned number (II.23.2).
    pub(crate) fn compressed(&mut self) -> Result<u32> {
        let (n, rest) = compressed(self.rest).ok_or(Error::Blob("truncated"))?;
        self.rest = rest;
        Ok(n)
    }

    /// A compressed number, if the blob goes on.
    pub(crate) fn optional_number(&mut self) -> Result<Option<u32>> {
        if self.is_empty() {
            Ok(None)
        } else {
            self.compressed().map(Some)
        }
    }

    /// A counted UTF-8 string; `None` for the null string (a length byte of 0xff).
    pub(crate) fn string(&mut self) -> Result<Option<&'static str>> {
        if self.rest.first() == Some(&0xff) {
            self.byte()?;
            return Ok(None);
        }
        let len = self.compressed()? as usize;
        let text = core::str::from_utf8(self.bytes(len)?);
        text.map(Some).map_err(|_| Error::Blob("string"))
    }
}
