//! Exception clauses by method, inner before outer.
//!
//! ```text
//! { start u32, end u32, handler u32, kind u32, operand u32, eh_slot i32, region u32 }
//! kind 0 catch: operand = blob of the type    1 catch by generic lookup: blob of the fixup `GenericLookup`
//!      2 filter: operand = its offset         3 fault
//! ```

use super::blobs::BlobId;
use super::fixups;
use super::methods::MethodEntry;
use super::record::record;
use super::writer::ImageWriter;
use super::{Error, Image, Result};
use crate::abi::fixup::Fixup;
use crate::emit::{ClauseKind, EhClause};
use crate::types::TypeContext;

record! {
    /// A clause as stored.
    ClauseRecord {
        /// First protected byte.
        start,
        /// First byte behind.
        end,
        /// Offset of the handler.
        handler,
        /// What kind.
        kind,
        /// Depends on the kind.
        operand,
        /// Offset of the EH slot from `rbp`.
        eh_slot,
        /// Number of the region.
        region,
    }
}

/// What a stored clause handles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImageClauseKind<'a> {
    /// Exceptions of a type (encoded).
    Catch(&'a [u8]),
    /// Exceptions of a type found by generic lookup: an encoded `Fixup::GenericLookup`.
    CatchLookup(&'a [u8]),
    /// Exceptions the filter at this offset accepts.
    Filter(u32),
    /// All, without stopping them.
    Fault,
}

/// An exception clause of an image; see [`EhClause`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImageClause<'a> {
    /// First protected byte.
    pub start: u32,
    /// First byte behind.
    pub end: u32,
    /// Offset of the handler.
    pub handler: u32,
    /// What is handled.
    pub kind: ImageClauseKind<'a>,
    /// Offset of the EH slot from `rbp`.
    pub eh_slot: i32,
    /// Number of the region.
    pub region: u32,
}

impl ImageWriter {
    pub(super) fn add_clause(&mut self, ctx: &TypeContext, clause: &EhClause) {
        let mut bytes = Vec::new();
        let (kind, operand) = match clause.kind {
            ClauseKind::Catch(t) => {
                ctx.encode_type(t, &mut bytes);
                (0, self.blobs.add(bytes).0)
            }
            ClauseKind::CatchLookup(l) => match l.fixup.try_into() {
                Ok(open) => {
                    fixups::encode(ctx, Fixup::GenericLookup(l.owner, open), &mut bytes);
                    (1, self.blobs.add(bytes).0)
                }
                Err(()) => (3, 0),
            },
            ClauseKind::Filter(at) => (2, at),
            ClauseKind::Fault => (3, 0),
        };
        self.clauses.push(ClauseRecord {
            start: clause.start,
            end: clause.end,
            handler: clause.handler,
            kind,
            operand,
            eh_slot: clause.eh_slot as u32,
            region: clause.region,
        });
    }
}

impl<'a> Image<'a> {
    /// The exception clauses of a method.
    pub fn clauses(&self, m: &MethodEntry) -> Result<Vec<ImageClause<'a>>> {
        let list = self.tables.clauses.slice(m.clauses.start, m.clauses.end)?;
        list.iter().map(|c| self.clause(m, &c)).collect()
    }

    fn clause(&self, m: &MethodEntry, c: &ClauseRecord) -> Result<ImageClause<'a>> {
        let size = m.code.end - m.code.start;
        let blob = || self.tables.blobs.get(BlobId(c.operand));
        let kind = match c.kind {
            0 => ImageClauseKind::Catch(blob()?),
            1 => ImageClauseKind::CatchLookup(blob()?),
            2 if c.operand < size => ImageClauseKind::Filter(c.operand),
            3 => ImageClauseKind::Fault,
            _ => return Err(Error::Damaged("an unknown kind of clause")),
        };
        if c.start > c.end || c.end > size || c.handler >= size {
            return Err(Error::Damaged("a clause outside its method"));
        }
        Ok(ImageClause {
            start: c.start,
            end: c.end,
            handler: c.handler,
            kind,
            eh_slot: c.eh_slot as i32,
            region: c.region,
        })
    }
}
