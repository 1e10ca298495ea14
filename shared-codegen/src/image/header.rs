//! The header: identity of the image and place of its tables.
//!
//! ```text
//!   0  magic            8 bytes "AOTIMAGE"
//!   8  format version   u32
//!  12  CPU features     u32   `isa::x64::Features`
//!  16  file hash        32    BLAKE3 of the whole file with these bytes zero
//!  48  ABI hash         32    `abi_hash()`
//!  80  content id       32    BLAKE3 of what the code was made from and how
//! 112  compiler         u32   blob
//! 116  options          u32   blob
//! 120  cells            u32   number of cells
//! 124  sections         u32   number of entries that follow
//! 128  sections         { distance from the header i32, bytes u32 } in the order of `Section`
//! ```
//! Distances are from the first byte of the header (`.long table - aotc_image`).

use super::{Error, FORMAT_VERSION, Hash, Result, abi_hash};

/// The first bytes of the header.
pub const MAGIC: [u8; 8] = *b"AOTIMAGE";
/// Where the file hash stands in the header.
pub const FILE_HASH_AT: usize = 16;
/// Where the sections start.
pub const SECTIONS_AT: usize = 128;
/// Bytes of the header.
pub const SIZE: usize = SECTIONS_AT + 8 * Section::ALL.len();

macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident = $symbol:literal),* $(,)?) => {
        /// Parts of an image the header points to.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub enum Section { $($(#[$doc])* $name),* }

        impl Section {
            /// All, in the order of the header.
            pub const ALL: &'static [Section] = &[$(Section::$name),*];

            /// The symbol in assembler source.
            pub fn symbol(self) -> &'static str {
                match self { $(Section::$name => $symbol),* }
            }
        }
    };
}

sections! {
    /// Code.
    Code = "aotc_code",
    /// Cells (`.bss`).
    Cells = "aotc_cells",
    /// Starts of blobs.
    BlobIndex = "aotc_blob_index",
    /// Bytes of blobs.
    BlobHeap = "aotc_blob_heap",
    /// Dependencies.
    Dependencies = "aotc_dependencies",
    /// Methods.
    Methods = "aotc_methods",
    /// Index of methods by hash.
    MethodIndex = "aotc_method_index",
    /// Meaning of the cells.
    CellFixups = "aotc_cell_fixups",
    /// Lists of cells.
    FixupLists = "aotc_fixup_lists",
    /// Exception clauses.
    Clauses = "aotc_clauses",
    /// Traps.
    Traps = "aotc_traps",
    /// Source positions.
    Lines = "aotc_lines",
    /// Inlined calls.
    Sites = "aotc_inline_sites",
    /// Failures.
    Failures = "aotc_failures",
    /// Methods left out.
    LeftOut = "aotc_left_out",
}

/// The header of an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// CPU features the code may use (`isa::x64::Features`).
    pub features: u32,
    /// Hash of the whole file.
    pub file_hash: Hash,
    /// Hash of what the code was made from and how.
    pub content_id: Hash,
    /// Blob: compiler and version.
    pub compiler: u32,
    /// Blob: options.
    pub options: u32,
    /// Number of cells.
    pub cells: u32,
    sections: [(i32, u32); Section::ALL.len()],
}

impl Header {
    /// Reads and checks a header.
    pub fn parse(bytes: &[u8]) -> Result<Header> {
        let bytes = bytes
            .get(..SIZE)
            .ok_or(Error::Damaged("the header is cut off"))?;
        let word = |at: usize| super::record::word(&bytes[at..], 0);
        let hash = |at: usize| bytes[at..at + 32].try_into().unwrap_or(Hash::default());
        if bytes[..8] != MAGIC {
            return Err(Error::NotAnImage("wrong magic number".into()));
        }
        if word(8) != FORMAT_VERSION {
            return Err(Error::Format(word(8)));
        }
        if hash(48) != abi_hash() {
            return Err(Error::Abi);
        }
        if word(124) as usize != Section::ALL.len() {
            return Err(Error::Damaged("the number of sections is wrong"));
        }
        Ok(Header {
            features: word(12),
            file_hash: hash(FILE_HASH_AT),
            content_id: hash(80),
            compiler: word(112),
            options: word(116),
            cells: word(120),
            sections: core::array::from_fn(|n| {
                let at = SECTIONS_AT + 8 * n;
                (word(at) as i32, word(at + 4))
            }),
        })
    }

    /// Distance from the header and size of a section.
    pub fn section(&self, s: Section) -> (i32, u32) {
        self.sections[s as usize]
    }
}

/// What the writer puts before the sections.
#[derive(Clone, Debug)]
pub(super) struct HeaderFields {
    pub features: u32,
    pub content_id: Hash,
    pub compiler: u32,
    pub options: u32,
    pub cells: u32,
}

impl HeaderFields {
    /// The bytes before the sections, without file hash.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let word = |out: &mut Vec<u8>, n: u32| out.extend_from_slice(&n.to_le_bytes());
        word(&mut out, FORMAT_VERSION);
        word(&mut out, self.features);
        out.extend_from_slice(&Hash::default());
        out.extend_from_slice(&abi_hash());
        out.extend_from_slice(&self.content_id);
        for n in [
            self.compiler,
            self.options,
            self.cells,
            Section::ALL.len() as u32,
        ] {
            word(&mut out, n);
        }
        out
    }
}
