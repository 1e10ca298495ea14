//! Column types: how each is read from a row.

use super::error::{Error, Result};
use super::module::Module;
use super::schema::{ColumnKind, TableId};
use super::tables::RowId;
use super::token::Token;
use crate::pe::{u16_at, u32_at};
use core::marker::PhantomData;

/// A column type.
pub trait Column {
    /// What reading gives.
    type Out: Copy;
    /// Representation.
    const KIND: ColumnKind;
    /// Reads the column at byte `at` of a row.
    fn read(module: &Module, row: &'static [u8], at: usize) -> Result<Self::Out>;
}

fn raw(module: &Module, kind: ColumnKind, row: &'static [u8], at: usize) -> Result<u32> {
    let wide = kind.size(&module.sizes) == 4;
    let value = if wide {
        u32_at(row, at)
    } else {
        u16_at(row, at).map(u32::from)
    };
    value.ok_or(Error::Table("row"))
}

impl Column for u16 {
    type Out = u16;
    const KIND: ColumnKind = ColumnKind::U16;
    fn read(_: &Module, row: &'static [u8], at: usize) -> Result<u16> {
        u16_at(row, at).ok_or(Error::Table("row"))
    }
}

impl Column for u32 {
    type Out = u32;
    const KIND: ColumnKind = ColumnKind::U32;
    fn read(_: &Module, row: &'static [u8], at: usize) -> Result<u32> {
        u32_at(row, at).ok_or(Error::Table("row"))
    }
}

/// A name in `#Strings`.
pub struct Str;
impl Column for Str {
    type Out = &'static str;
    const KIND: ColumnKind = ColumnKind::Str;
    fn read(module: &Module, row: &'static [u8], at: usize) -> Result<&'static str> {
        module.heaps.string(raw(module, Self::KIND, row, at)?)
    }
}

/// A GUID.
pub struct Guid;
impl Column for Guid {
    type Out = [u8; 16];
    const KIND: ColumnKind = ColumnKind::Guid;
    fn read(module: &Module, row: &'static [u8], at: usize) -> Result<[u8; 16]> {
        module.heaps.guid(raw(module, Self::KIND, row, at)?)
    }
}

/// A blob.
pub struct Blob;
impl Column for Blob {
    type Out = &'static [u8];
    const KIND: ColumnKind = ColumnKind::Blob;
    fn read(module: &Module, row: &'static [u8], at: usize) -> Result<&'static [u8]> {
        module.heaps.blob(raw(module, Self::KIND, row, at)?)
    }
}

/// A row of one table; may be 0, is otherwise not checked against the table's length (reading the row is).
pub struct Index<R>(PhantomData<R>);
impl<R: RowId> Column for Index<R> {
    type Out = R;
    const KIND: ColumnKind = ColumnKind::Index(R::TABLE);
    fn read(module: &Module, row: &'static [u8], at: usize) -> Result<R> {
        raw(module, Self::KIND, row, at).map(R::from)
    }
}

/// Start of a list of rows that ends where the next row's list starts.
pub struct List<R>(PhantomData<R>);
impl<R: RowId> Column for List<R> {
    type Out = R;
    const KIND: ColumnKind = ColumnKind::Index(R::TABLE);
    fn read(module: &Module, row: &'static [u8], at: usize) -> Result<R> {
        raw(module, Self::KIND, row, at).map(R::from)
    }
}

/// Tables that a coded index chooses from (II.24.2.6).
pub trait Coded {
    /// Tables by tag.
    const TABLES: &'static [Option<TableId>];
    /// Tag bits.
    const BITS: u32;
}

/// A row of one of several tables, as a token.
pub struct CodedIndex<C>(PhantomData<C>);
impl<C: Coded> Column for CodedIndex<C> {
    type Out = Token;
    const KIND: ColumnKind = ColumnKind::Coded(C::TABLES, C::BITS);
    fn read(module: &Module, row: &'static [u8], at: usize) -> Result<Token> {
        decode::<C>(raw(module, Self::KIND, row, at)?)
    }
}

/// The token behind the number of a coded index.
pub(crate) fn decode<C: Coded>(n: u32) -> Result<Token> {
    let tag = (n & ((1 << C::BITS) - 1)) as usize;
    match C::TABLES.get(tag).copied().flatten() {
        Some(table) => Ok(Token::new(table, n >> C::BITS)),
        None => Err(Error::Token(n)),
    }
}

/// The number of a coded index for a token, if its table is among the choices.
pub(crate) fn encode<C: Coded>(token: Token) -> Option<u32> {
    let tag = C::TABLES.iter().position(|t| *t == Some(token.table()))? as u32;
    Some(token.row() << C::BITS | tag)
}

/// The choices.
pub mod coded {
    use super::{Coded, TableId};

    macro_rules! coded {
        ($($name:ident $bits:literal [$($t:tt),*];)*) => { $(
            #[doc = concat!("`", stringify!($name), "` of II.24.2.6")]
            pub struct $name;
            impl Coded for $name {
                const TABLES: &'static [Option<TableId>] = &[$(coded!(@ $t)),*];
                const BITS: u32 = $bits;
            }
        )* };
        (@ _) => { None };
        (@ $t:literal) => { Some(TableId($t)) };
    }

    coded! {
        TypeDefOrRef 2 [0x02, 0x01, 0x1b];
        HasConstant 2 [0x04, 0x08, 0x17];
        HasCustomAttribute 5 [0x06, 0x04, 0x01, 0x02, 0x08, 0x09, 0x0a, 0x00, 0x0e, 0x17, 0x14, 0x11, 0x1a, 0x1b, 0x20, 0x23, 0x26, 0x27, 0x28, 0x2a, 0x2c, 0x2b];
        HasFieldMarshal 1 [0x04, 0x08];
        HasDeclSecurity 2 [0x02, 0x06, 0x20];
        MemberRefParent 3 [0x02, 0x01, 0x1a, 0x06, 0x1b];
        HasSemantics 1 [0x14, 0x17];
        MethodDefOrRef 1 [0x06, 0x0a];
        MemberForwarded 1 [0x04, 0x06];
        Implementation 2 [0x26, 0x23, 0x27];
        CustomAttributeType 3 [_, _, 0x06, 0x0a, _];
        ResolutionScope 2 [0x00, 0x1a, 0x23, 0x01];
        TypeOrMethodDef 1 [0x02, 0x06];
    }
}
