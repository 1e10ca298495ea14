//! Cells: what each one means, and which ones a method needs.
//!
//! ```text
//! cells: { fixup blob } per cell
//! lists: { cell u32 }, by method
//!
//! fixup := kind u8, operands    kinds in the order of the enum `Fixup`, from 0
//!   0 1 6 7   type                  2 4 5 11  method         3 9  field
//!   8         module token(4 bytes) 10        helper u16
//!   12        length of method(LEB128) method fixup
//! ```
//! Types and members as in [`crate::types::encode`].
//!
//! What the loader stores in a cell: for `MethodEntry`, `Helper` and `NativeCode`, which are call targets, the *code
//! address* (code does `call *cell`), so the cell of a method that has no code yet holds the address of a
//! prestub and changes later; for all others the value.

use super::blobs::BlobId;
use super::methods::MethodEntry;
use super::record::{push_number, record, take_number};
use super::{Error, Image, Result};
use crate::abi::fixup::{Fixup, OpenFixup};
use crate::abi::helper::HelperId;
use crate::types::{self, ModuleId, TypeContext};

record! {
    /// Meaning of a cell as stored.
    CellRecord {
        /// Blob: the encoded fixup.
        fixup,
    }
}

record! {
    /// An element of a method's list.
    FixupRef {
        /// Number of the cell.
        cell,
    }
}

/// Appends the encoding of a fixup.
pub fn encode(ctx: &TypeContext, fixup: Fixup, out: &mut Vec<u8>) {
    let mut with = |kind: u8, write: &dyn Fn(&mut Vec<u8>)| {
        out.push(kind);
        write(out);
    };
    match fixup {
        Fixup::MethodTable(t) => with(0, &|o| ctx.encode_type(t, o)),
        Fixup::TypeObject(t) => with(1, &|o| ctx.encode_type(t, o)),
        Fixup::MethodHandle(m) => with(2, &|o| ctx.encode_method(m, o)),
        Fixup::FieldHandle(f) => with(3, &|o| ctx.encode_field(f, o)),
        Fixup::MethodEntry(m) => with(4, &|o| ctx.encode_method(m, o)),
        Fixup::MethodCode(m) => with(5, &|o| ctx.encode_method(m, o)),
        Fixup::StaticsBase(t) => with(6, &|o| ctx.encode_type(t, o)),
        Fixup::ThreadStaticsIndex(t) => with(7, &|o| ctx.encode_type(t, o)),
        Fixup::StringLiteral(module, token) => with(8, &|o| {
            o.extend_from_slice(&token.to_le_bytes());
            o.extend_from_slice(ctx.module_name(module).as_bytes());
        }),
        Fixup::FieldData(f) => with(9, &|o| ctx.encode_field(f, o)),
        Fixup::Helper(h) => with(10, &|o| o.extend_from_slice(&(h as u16).to_le_bytes())),
        Fixup::NativeCode(m) => with(11, &|o| ctx.encode_method(m, o)),
        Fixup::GenericLookup(owner, open) => with(12, &|o| {
            let mut method = Vec::new();
            ctx.encode_method(owner, &mut method);
            push_number(o, method.len() as u32);
            o.extend_from_slice(&method);
            encode(ctx, open.into(), o);
        }),
    }
}

/// Reads a fixup on behalf of the assembly the image is of.
pub fn decode(ctx: &TypeContext, requester: ModuleId, bytes: &[u8]) -> types::Result<Fixup> {
    let malformed = || types::Error::bad_image("image", "malformed runtime constant");
    let (&kind, rest) = bytes.split_first().ok_or_else(malformed)?;
    let ty = || ctx.decode_type(requester, rest);
    let method = || ctx.decode_method(requester, rest);
    let field = || ctx.decode_field(requester, rest);
    Ok(match kind {
        0 => Fixup::MethodTable(ty()?),
        1 => Fixup::TypeObject(ty()?),
        2 => Fixup::MethodHandle(method()?),
        3 => Fixup::FieldHandle(field()?),
        4 => Fixup::MethodEntry(method()?),
        5 => Fixup::MethodCode(method()?),
        6 => Fixup::StaticsBase(ty()?),
        7 => Fixup::ThreadStaticsIndex(ty()?),
        8 => {
            let (token, name) = rest.split_first_chunk().ok_or_else(malformed)?;
            let name = core::str::from_utf8(name).map_err(|_| malformed())?;
            let module = ctx.module_by_simple_name(requester, name)?;
            Fixup::StringLiteral(module, u32::from_le_bytes(*token))
        }
        9 => Fixup::FieldData(field()?),
        10 => {
            let number = rest.try_into().map(u16::from_le_bytes);
            let number = number.map_err(|_| malformed())?;
            Fixup::Helper(*HelperId::ALL.get(number as usize).ok_or_else(malformed)?)
        }
        11 => Fixup::NativeCode(method()?),
        12 => {
            let mut rest = rest;
            let len = take_number(&mut rest).map_err(|_| malformed())?;
            let (owner, inner) = rest.split_at_checked(len as usize).ok_or_else(malformed)?;
            // Open fixups do not nest, so neither does this.
            if inner.first() == Some(&12) {
                return Err(malformed());
            }
            let open: OpenFixup = decode(ctx, requester, inner)?
                .try_into()
                .map_err(|()| malformed())?;
            Fixup::GenericLookup(ctx.decode_method(requester, owner)?, open)
        }
        _ => return Err(malformed()),
    })
}

impl<'a> Image<'a> {
    /// Number of cells.
    pub fn cell_count(&self) -> u32 {
        self.tables.cells.len() as u32
    }

    /// The encoded fixup of a cell.
    pub fn cell_fixup(&self, cell: u32) -> Result<&'a [u8]> {
        let record = self.tables.cells.get(cell as usize);
        let record = record.ok_or(Error::Damaged("no such cell"))?;
        self.tables.blobs.get(BlobId(record.fixup))
    }

    /// The cells a method needs bound before it first runs, each below [`cell_count`](Self::cell_count).
    pub fn fixups(&self, m: &MethodEntry) -> Result<impl Iterator<Item = Result<u32>> + use<'a>> {
        let count = self.cell_count();
        let list = self.tables.lists.slice(m.fixups.start, m.fixups.end)?;
        Ok(list.iter().map(move |f| {
            if f.cell < count {
                Ok(f.cell)
            } else {
                Err(Error::Damaged("no such cell"))
            }
        }))
    }
}
