//! Column types: what the number in a cell means.

use super::error::{Error, Result};
use super::grow::Growth;
use super::heaps::Heaps;
use super::schema::{ColumnKind, TableId};
use super::tables::RowId;
use super::token::Token;
use core::fmt::Debug;
use core::marker::PhantomData;

/// Largest row number that a token can hold.
pub(crate) const MAX_ROW: u32 = 0x00ff_ffff;

/// A column type.
pub trait Column {
    /// What reading gives.
    type Out: Copy + Debug;
    /// Representation.
    const KIND: ColumnKind;
    /// The meaning of the number stored in a cell.
    fn decode(heaps: &Heaps, cell: u32) -> Result<Self::Out>;
    /// The number to store in a cell of a module made at run time.
    fn encode(growth: &Growth, value: &Self::Out) -> u32;
    /// The value as text, for people.
    fn show(value: &Self::Out) -> String {
        format!("{value:?}")
    }
}

impl Column for u16 {
    type Out = u16;
    const KIND: ColumnKind = ColumnKind::U16;
    fn decode(_: &Heaps, cell: u32) -> Result<u16> {
        Ok(cell as u16)
    }
    fn encode(_: &Growth, value: &u16) -> u32 {
        (*value).into()
    }
    fn show(value: &u16) -> String {
        format!("{value:#x}")
    }
}

impl Column for u32 {
    type Out = u32;
    const KIND: ColumnKind = ColumnKind::U32;
    fn decode(_: &Heaps, cell: u32) -> Result<u32> {
        Ok(cell)
    }
    fn encode(_: &Growth, value: &u32) -> u32 {
        *value
    }
    fn show(value: &u32) -> String {
        format!("{value:#x}")
    }
}

/// A name in `#Strings`.
pub struct Str;
impl Column for Str {
    type Out = &'static str;
    const KIND: ColumnKind = ColumnKind::Str;
    fn decode(heaps: &Heaps, cell: u32) -> Result<&'static str> {
        heaps.string(cell)
    }
    fn encode(growth: &Growth, value: &&'static str) -> u32 {
        growth.item(value.as_bytes())
    }
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A GUID.
pub struct Guid;
impl Column for Guid {
    type Out = [u8; 16];
    const KIND: ColumnKind = ColumnKind::Guid;
    fn decode(heaps: &Heaps, cell: u32) -> Result<[u8; 16]> {
        heaps.guid(cell)
    }
    fn encode(growth: &Growth, value: &[u8; 16]) -> u32 {
        growth.item(value)
    }
    fn show(value: &[u8; 16]) -> String {
        hex(value)
    }
}

/// A blob.
pub struct Blob;
impl Column for Blob {
    type Out = &'static [u8];
    const KIND: ColumnKind = ColumnKind::Blob;
    fn decode(heaps: &Heaps, cell: u32) -> Result<&'static [u8]> {
        heaps.blob(cell)
    }
    fn encode(growth: &Growth, value: &&'static [u8]) -> u32 {
        growth.item(value)
    }
    fn show(value: &&'static [u8]) -> String {
        hex(value)
    }
}

/// A row of one table; may be 0, is otherwise not checked against the table's length (reading the row is).
pub struct Index<R>(PhantomData<R>);
impl<R: RowId> Column for Index<R> {
    type Out = R;
    const KIND: ColumnKind = ColumnKind::Index(R::TABLE);
    fn decode(_: &Heaps, cell: u32) -> Result<R> {
        row_number(cell, R::TABLE).map(R::from)
    }
    fn encode(_: &Growth, value: &R) -> u32 {
        (*value).into()
    }
    fn show(value: &R) -> String {
        let row: u32 = (*value).into();
        row.to_string()
    }
}

/// Start of a list of rows that ends where the next row's list starts.
pub struct List<R>(PhantomData<R>);
impl<R: RowId> Column for List<R> {
    type Out = R;
    const KIND: ColumnKind = Index::<R>::KIND;
    fn decode(heaps: &Heaps, cell: u32) -> Result<R> {
        Index::<R>::decode(heaps, cell)
    }
    fn encode(_: &Growth, value: &R) -> u32 {
        (*value).into()
    }
    fn show(value: &R) -> String {
        Index::<R>::show(value)
    }
}

fn row_number(n: u32, table: TableId) -> Result<u32> {
    if n <= MAX_ROW {
        Ok(n)
    } else {
        Err(Error::Row {
            table: table.name(),
            row: n,
        })
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
    fn decode(_: &Heaps, cell: u32) -> Result<Token> {
        decode::<C>(cell)
    }
    fn encode(_: &Growth, value: &Token) -> u32 {
        encode::<C>(*value).unwrap_or(0)
    }
}

/// The token behind the number of a coded index.
pub(crate) fn decode<C: Coded>(n: u32) -> Result<Token> {
    let tag = (n & ((1 << C::BITS) - 1)) as usize;
    match C::TABLES.get(tag).copied().flatten() {
        Some(table) => Ok(Token::new(table, row_number(n >> C::BITS, table)?)),
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
