//! Byte strings that other tables refer to by number: encoded types and members, names, messages.
//!
//! ```text
//! BlobIndex: { start u32 } per blob, and one more: the end of the last
//! BlobHeap:  the bytes, one after another
//! ```
//! Blob 0 is empty.

use super::record::{Table, record};
use super::{Error, Result};
use indexmap::IndexSet;

/// Number of a blob.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord)]
pub struct BlobId(pub u32);

record! {
    /// Where a blob starts.
    BlobStart {
        /// Offset in the heap.
        start,
    }
}

/// The blobs of an image.
#[derive(Clone, Copy, Debug)]
pub struct Blobs<'a> {
    pub(super) index: Table<'a, BlobStart>,
    pub(super) heap: &'a [u8],
}

impl<'a> Blobs<'a> {
    /// The bytes of a blob.
    pub fn get(&self, id: BlobId) -> Result<&'a [u8]> {
        let at = |n: usize| self.index.get(n).map(|b| b.start as usize);
        at(id.0 as usize)
            .zip(at(id.0 as usize + 1))
            .and_then(|(start, end)| self.heap.get(start..end))
            .ok_or(Error::Damaged("a blob outside the heap"))
    }

    /// A blob that is text.
    pub fn text(&self, id: BlobId) -> Result<&'a str> {
        core::str::from_utf8(self.get(id)?).map_err(|_| Error::Damaged("a text is not UTF-8"))
    }
}

/// Collects blobs; equal ones get the same number.
#[derive(Debug)]
pub struct BlobWriter(IndexSet<Vec<u8>>);

impl Default for BlobWriter {
    fn default() -> Self {
        BlobWriter([Vec::new()].into_iter().collect())
    }
}

impl BlobWriter {
    /// The number of these bytes.
    pub fn add(&mut self, bytes: Vec<u8>) -> BlobId {
        BlobId(self.0.insert_full(bytes).0 as u32)
    }

    /// Index and heap.
    pub fn finish(&self) -> (Vec<u8>, Vec<u8>) {
        let (mut index, mut heap) = (Vec::new(), Vec::new());
        for blob in &self.0 {
            index.extend_from_slice(&(heap.len() as u32).to_le_bytes());
            heap.extend_from_slice(blob);
        }
        index.extend_from_slice(&(heap.len() as u32).to_le_bytes());
        (index, heap)
    }
}
