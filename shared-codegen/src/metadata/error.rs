//! What can be wrong with a file.

/// Why a file, or a part of it, cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// Not a PE file.
    #[error("not a PE file")]
    NotPe,
    /// A PE file without (readable) CLI header.
    #[error("not a CLI assembly")]
    NotCli,
    /// The metadata root or a stream header is damaged.
    #[error("damaged metadata header: {0}")]
    Header(&'static str),
    /// A table has more rows than the stream has bytes.
    #[error("metadata table {0} is truncated")]
    Table(&'static str),
    /// A row index is out of range.
    #[error("{table} has no row {row}")]
    Row {
        /// Table.
        table: &'static str,
        /// 1-based row number asked for.
        row: u32,
    },
    /// A heap index is out of range or the item is damaged.
    #[error("bad {heap} heap index {index:#x}")]
    Heap {
        /// Heap.
        heap: &'static str,
        /// Index asked for.
        index: u32,
    },
    /// A coded index or token names a table that is not allowed there.
    #[error("bad token {0:#010x}")]
    Token(u32),
    /// A signature blob is damaged.
    #[error("bad signature: {0}")]
    Signature(&'static str),
    /// A custom attribute or marshalling blob is damaged.
    #[error("bad blob: {0}")]
    Blob(&'static str),
    /// A method body is damaged.
    #[error("bad method body: {0}")]
    Body(&'static str),
    /// A type name or assembly name cannot be parsed.
    #[error("bad name: {0}")]
    Name(&'static str),
}

/// Result of reading metadata.
pub type Result<T> = core::result::Result<T, Error>;
