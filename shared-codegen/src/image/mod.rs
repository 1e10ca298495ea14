//! Precompiled images: what `aotc` writes and the loader reads. The two meet here and nowhere else.
//!
//! An image is an ELF shared object without relocations and imports. Its one exported symbol,
//! [`HEADER_SYMBOL`], is a [`header`] in read-only data that gives every table by its distance from
//! the header. Code refers to runtime constants through *cells*: 8-byte slots in `.bss`, zero until
//! bound. What a cell holds is said at [`fixups`].
//!
//! Each table has a file of its own with its byte layout, its writer and its reader:
//!
//! | file | table |
//! |---|---|
//! | [`header`] | identity, place of the tables |
//! | [`blobs`] | byte strings: encoded types and members, names |
//! | [`dependencies`] | assemblies the code was made from, with content hashes |
//! | [`methods`] | methods in code order, and the index by hash |
//! | [`fixups`] | meaning of each cell, and the lists of cells of each method |
//! | [`clauses`] | exception clauses |
//! | [`traps`] | instructions that may trap |
//! | [`lines`] | source positions and inlined calls |
//! | [`failures`] | exceptions of code that could not be compiled |
//! | [`left_out`] | methods without code, and why |
//!
//! All numbers are little-endian. A reader takes any bytes: damage gives an [`Error`].

pub mod blobs;
pub mod clauses;
pub mod dependencies;
pub mod elf;
pub mod failures;
pub mod fixups;
pub mod header;
pub mod left_out;
pub mod lines;
pub mod methods;
pub mod reader;
pub mod record;
#[cfg(test)]
mod tests;
pub mod traps;
pub mod writer;

pub use reader::Image;
pub use writer::ImageWriter;

/// The exported symbol.
pub const HEADER_SYMBOL: &str = "aotc_image";

/// Mono takes `X.exe.so` beside an assembly for an image of its own and reads this symbol before anything else, without asking
/// whether it is there. Zeros under that name (version 0) make it say "unusable" to its log and compile as usual, so that
/// both can be used on one machine.
pub const MONO_SYMBOL: &str = "mono_aot_file_info";

/// What Mono 6.8 reads there fits twice.
pub const MONO_SYMBOL_SIZE: usize = 1024;

/// Version of the format and of the conventions between compiled code and the runtime that
/// [`abi_hash`] does not see. Counted up at each change.
pub const FORMAT_VERSION: u32 = 1;

/// Name and version of the compiler, recorded in images, with a hash of its sources: code of another compiler is not used, even
/// of the same version.
pub const COMPILER: &str = concat!(
    "aotc ",
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("CODEGEN_SOURCE_HASH"),
    ")"
);

/// A BLAKE3 hash.
pub type Hash = [u8; 32];

/// Why an image cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// Not an ELF file of the expected kind.
    #[error("not an image: {0}")]
    NotAnImage(String),
    /// Made in another version of the format.
    #[error("image format {0}, expected {FORMAT_VERSION}")]
    Format(u32),
    /// Made for another object layout, helper table or trap numbering.
    #[error("image made for another version of the runtime")]
    Abi,
    /// The bytes of the file are not those that were written.
    #[error("image damaged: the content hash does not match")]
    Hash,
    /// A table or an entry does not make sense.
    #[error("image damaged: {0}")]
    Damaged(&'static str),
}

/// Result of reading an image.
pub type Result<T> = core::result::Result<T, Error>;

/// Hash of everything compiled code takes for granted about the runtime. It is made from the source text of the
/// declarations, so no constant can be forgotten.
pub fn abi_hash() -> Hash {
    let mut hash = blake3::Hasher::new();
    for text in [
        include_str!("../abi/layout.rs"),
        include_str!("../abi/helper.rs"),
        include_str!("../abi/trap.rs"),
        include_str!("../abi/fixup.rs"),
        include_str!("../types/encode.rs"),
        include_str!("fixups.rs"),
    ] {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(&FORMAT_VERSION.to_le_bytes());
    *hash.finalize().as_bytes()
}

/// The hash of an assembly's bytes, as dependencies record it.
pub fn content_hash(bytes: &[u8]) -> Hash {
    *blake3::hash(bytes).as_bytes()
}
