//! Sizes of rows and columns (ECMA-335 II.24.2.6).

use super::tables::SCHEMA;

/// Number of a metadata table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TableId(pub u8);

impl TableId {
    /// Pseudo table of `ldstr` tokens.
    pub const USER_STRING: TableId = TableId(0x70);

    /// Name of the table.
    pub fn name(self) -> &'static str {
        SCHEMA
            .get(self.0 as usize)
            .copied()
            .flatten()
            .map_or("?", |(name, _)| name)
    }

    /// All tables that exist.
    pub fn all() -> impl Iterator<Item = TableId> {
        (0..64u8)
            .map(TableId)
            .filter(|t| SCHEMA[t.0 as usize].is_some())
    }
}

/// Representation of a column.
#[derive(Clone, Copy, Debug)]
pub enum ColumnKind {
    /// Fixed 2 bytes.
    U16,
    /// Fixed 4 bytes.
    U32,
    /// Index into `#Strings`.
    Str,
    /// Index into `#GUID`.
    Guid,
    /// Index into `#Blob`.
    Blob,
    /// Row of one table.
    Index(TableId),
    /// Row of one of several tables; number of tag bits.
    Coded(&'static [Option<TableId>], u32),
}

/// What column sizes depend on.
#[derive(Clone, Debug)]
pub(crate) struct Sizes {
    pub(crate) wide_strings: bool,
    pub(crate) wide_guids: bool,
    pub(crate) wide_blobs: bool,
    pub(crate) rows: [u32; 64],
    /// Coded and simple indices into a table take 4 bytes: list columns of `#-` streams point to the indirection tables.
    pub(crate) uncompressed: bool,
}

impl Sizes {
    /// Rows a simple or list index into `table` may address.
    fn rows_of(&self, table: TableId) -> u32 {
        let direct = self.rows[table.0 as usize];
        match indirection(table).filter(|_| self.uncompressed) {
            Some(ptr) => direct.max(self.rows[ptr.0 as usize]),
            None => direct,
        }
    }
}

/// The table of an uncompressed stream through which lists of this table go.
pub(crate) fn indirection(table: TableId) -> Option<TableId> {
    match table.0 {
        0x04 => Some(TableId(0x03)),
        0x06 => Some(TableId(0x05)),
        0x08 => Some(TableId(0x07)),
        0x14 => Some(TableId(0x13)),
        0x17 => Some(TableId(0x16)),
        _ => None,
    }
}

impl ColumnKind {
    /// Bytes of the column.
    pub(crate) fn size(self, sizes: &Sizes) -> u32 {
        let wide = match self {
            ColumnKind::U16 => false,
            ColumnKind::U32 => true,
            ColumnKind::Str => sizes.wide_strings,
            ColumnKind::Guid => sizes.wide_guids,
            ColumnKind::Blob => sizes.wide_blobs,
            ColumnKind::Index(t) => sizes.rows_of(t) > 0xffff,
            ColumnKind::Coded(tables, bits) => {
                let limit = 0xffffu32 >> bits;
                tables
                    .iter()
                    .flatten()
                    .any(|t| sizes.rows[t.0 as usize] > limit)
            }
        };
        if wide { 4 } else { 2 }
    }
}
