//! The methods of an image in the order of their code, and the index by hash.
//!
//! ```text
//! methods: { key blob, name blob, code offset, code size, frame size, saved registers,
//!            first of: fixups, clauses, traps, lines (bytes), inline sites, failures }
//!          and one record more, whose firsts are the ends of the lists
//! index:   { hash low u32, hash high u32, method u32 } sorted by hash, then key
//! ```
//! The list of a method ends where that of the next one starts. Code offsets count from the start of the code.

use super::blobs::BlobId;
use super::record::record;
use super::{Error, Image, Result};
use crate::emit::FrameInfo;
use core::ops::Range;

record! {
    /// A method as stored.
    MethodRecord {
        /// Blob: encoded method.
        key,
        /// Blob: name for people.
        name,
        /// Where its code starts.
        code,
        /// Bytes of instructions.
        code_size,
        /// `rbp - rsp`.
        frame_size,
        /// Saved registers.
        saved,
        /// First of its fixups.
        fixups,
        /// First of its clauses.
        clauses,
        /// First of its traps.
        traps,
        /// First byte of its lines.
        lines,
        /// First of its inlined calls.
        sites,
        /// First of its failures.
        failures,
    }
}

record! {
    /// An entry of the index.
    HashRecord {
        /// Low half of the stable hash.
        low,
        /// High half.
        high,
        /// Number of the method.
        method,
    }
}

impl HashRecord {
    fn hash(self) -> u64 {
        u64::from(self.low) | u64::from(self.high) << 32
    }
}

/// A method of an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MethodEntry {
    /// Its number, in the order of the code.
    pub number: u32,
    /// Blob: the encoded method.
    pub key: BlobId,
    /// Blob: name for people.
    pub name: BlobId,
    /// Its instructions, counted from the start of the image's code. Lies within the code.
    pub code: Range<u32>,
    /// Frame.
    pub frame: FrameInfo,
    /// Its part of each list (see the readers of the tables).
    pub(super) fixups: Range<u32>,
    pub(super) clauses: Range<u32>,
    pub(super) traps: Range<u32>,
    pub(super) lines: Range<u32>,
    pub(super) sites: Range<u32>,
    pub(super) failures: Range<u32>,
}

impl<'a> Image<'a> {
    /// Number of methods with code.
    pub fn method_count(&self) -> u32 {
        (self.tables.methods.len() as u32).saturating_sub(1)
    }

    /// The `n`th method in the order of the code.
    pub fn method(&self, n: u32) -> Result<MethodEntry> {
        self.method_entry(n)
            .ok_or(Error::Damaged("no such method, or outside the code"))
    }

    fn method_entry(&self, n: u32) -> Option<MethodEntry> {
        let r = self.tables.methods.get(n as usize)?;
        let next = self.tables.methods.get(n as usize + 1)?;
        let end = r.code.checked_add(r.code_size)?;
        if u64::from(end) > self.code_vaddrs().end - self.code_vaddrs().start {
            return None;
        }
        Some(MethodEntry {
            number: n,
            key: BlobId(r.key),
            name: BlobId(r.name),
            code: r.code..end,
            frame: FrameInfo {
                size: r.frame_size,
                saved: r.saved as u16,
            },
            fixups: r.fixups..next.fixups,
            clauses: r.clauses..next.clauses,
            traps: r.traps..next.traps,
            lines: r.lines..next.lines,
            sites: r.sites..next.sites,
            failures: r.failures..next.failures,
        })
    }

    /// The method with a stable hash and encoding (`TypeContext::{stable_method_hash, encode_method}`).
    pub fn find_method(&self, hash: u64, key: &[u8]) -> Result<Option<MethodEntry>> {
        let index = self.tables.index;
        let mut at = index.partition_point(|r| r.hash() < hash);
        while let Some(r) = index.get(at).filter(|r| r.hash() == hash) {
            let m = self.method(r.method)?;
            if self.tables.blobs.get(m.key)? == key {
                return Ok(Some(m));
            }
            at += 1;
        }
        Ok(None)
    }

    /// The method whose instructions hold this offset from the start of the code. Allocates nothing and takes no locks.
    pub fn method_at(&self, code_offset: u32) -> Option<MethodEntry> {
        let real = self.method_count() as usize;
        let methods = self.tables.methods;
        let n = methods.partition_point(|r| r.code <= code_offset).min(real);
        let m = self.method_entry(n.checked_sub(1)? as u32)?;
        m.code.contains(&code_offset).then_some(m)
    }

    /// The encoded method.
    pub fn method_key(&self, m: &MethodEntry) -> Result<&'a [u8]> {
        self.tables.blobs.get(m.key)
    }

    /// Its name for people.
    pub fn method_name(&self, m: &MethodEntry) -> Result<&'a str> {
        self.tables.blobs.text(m.name)
    }
}
