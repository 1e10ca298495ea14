//! Metadata tokens (ECMA-335 III.1.9).

use super::schema::TableId;
use core::fmt;

/// Table number in the high byte, row number below. Row 0 means none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Token(pub u32);

impl Token {
    /// No token.
    pub const NULL: Token = Token(0);

    /// The token of a row.
    pub fn new(table: TableId, row: u32) -> Token {
        Token(u32::from(table.0) << 24 | row & 0x00ff_ffff)
    }

    /// Table.
    pub fn table(self) -> TableId {
        TableId((self.0 >> 24) as u8)
    }

    /// Row number, counted from 1.
    pub fn row(self) -> u32 {
        self.0 & 0x00ff_ffff
    }

    /// Names no row.
    pub fn is_null(self) -> bool {
        self.row() == 0
    }

    /// The row number if the token is of this table.
    pub fn as_row<R: super::tables::RowId>(self) -> Option<R> {
        (self.table() == R::TABLE && !self.is_null()).then(|| R::from(self.row()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}
