//! Opening an image. Everything is read from the file's bytes when asked for; nothing is copied.

use super::blobs::{BlobId, Blobs};
use super::clauses::ClauseRecord;
use super::dependencies::DependencyRecord;
use super::elf::{Container, Segment};
use super::failures::FailureRecord;
use super::fixups::{CellRecord, FixupRef};
use super::header::{self, FILE_HASH_AT, Header, Section};
use super::left_out::LeftOutRecord;
use super::lines::SiteRecord;
use super::methods::{HashRecord, MethodRecord};
use super::record::Table;
use super::traps::TrapRecord;
use super::{Error, Hash, Result};
use core::ops::Range;

/// An image: its file's bytes with every table found and within bounds.
///
/// The readers of single tables are methods of this type, in the tables' files.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    bytes: &'a [u8],
    container: Container,
    header: Header,
    code: Range<u64>,
    cells: Range<u64>,
    pub(super) tables: Tables<'a>,
}

/// The tables of an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tables<'a> {
    pub blobs: Blobs<'a>,
    pub dependencies: Table<'a, DependencyRecord>,
    pub methods: Table<'a, MethodRecord>,
    pub index: Table<'a, HashRecord>,
    pub cells: Table<'a, CellRecord>,
    pub lists: Table<'a, FixupRef>,
    pub clauses: Table<'a, ClauseRecord>,
    pub traps: Table<'a, TrapRecord>,
    pub lines: &'a [u8],
    pub sites: Table<'a, SiteRecord>,
    pub failures: Table<'a, FailureRecord>,
    pub left_out: Table<'a, LeftOutRecord>,
}

impl<'a> Image<'a> {
    /// Opens the image in a file's bytes: checks format, ABI hash and the bounds of every table. Does not look at the
    /// content hash (see [`verify_hash`](Self::verify_hash)), nor at the dependencies.
    pub fn parse(bytes: &'a [u8]) -> Result<Image<'a>> {
        let container = Container::parse(bytes)?;
        let at = container.header_vaddr;
        let header_range = at..at.saturating_add(header::SIZE as u64);
        let header = container.bytes_at(bytes, header_range);
        let header = Header::parse(header.ok_or(Error::Damaged("no header at its symbol"))?)?;
        let place = |s: Section| {
            let (distance, size) = header.section(s);
            let start = at.checked_add_signed(distance.into())?;
            Some(start..start.checked_add(size.into())?)
        };
        let table = |s: Section| {
            place(s)
                .and_then(|range| container.bytes_at(bytes, range))
                .ok_or(Error::Damaged("a table beyond its segment"))
        };
        let code = place(Section::Code)
            .filter(|r| {
                container
                    .segment_of(r)
                    .is_some_and(|s| s.executable && !s.writable)
            })
            .ok_or(Error::Damaged("the code is not executable"))?;
        let cells = place(Section::Cells)
            .filter(|r| {
                container
                    .segment_of(r)
                    .is_some_and(|s| s.writable && !s.executable)
            })
            .filter(|r| r.start % 8 == 0 && r.end - r.start == 8 * u64::from(header.cells))
            .ok_or(Error::Damaged("the cells are not writable"))?;
        let tables = Tables {
            blobs: Blobs {
                index: Table::new(table(Section::BlobIndex)?)?,
                heap: table(Section::BlobHeap)?,
            },
            dependencies: Table::new(table(Section::Dependencies)?)?,
            methods: Table::new(table(Section::Methods)?)?,
            index: Table::new(table(Section::MethodIndex)?)?,
            cells: Table::new(table(Section::CellFixups)?)?,
            lists: Table::new(table(Section::FixupLists)?)?,
            clauses: Table::new(table(Section::Clauses)?)?,
            traps: Table::new(table(Section::Traps)?)?,
            lines: table(Section::Lines)?,
            sites: Table::new(table(Section::Sites)?)?,
            failures: Table::new(table(Section::Failures)?)?,
            left_out: Table::new(table(Section::LeftOut)?)?,
        };
        if tables.cells.len() != header.cells as usize || tables.methods.is_empty() {
            return Err(Error::Damaged("the number of cells or methods is wrong"));
        }
        Ok(Image {
            bytes,
            container,
            header,
            code,
            cells,
            tables,
        })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Name and version of the compiler.
    pub fn compiler(&self) -> Result<&'a str> {
        self.tables.blobs.text(BlobId(self.header.compiler))
    }

    /// The options the image was made with.
    pub fn options(&self) -> Result<&'a str> {
        self.tables.blobs.text(BlobId(self.header.options))
    }

    /// Compares the content hash with the file's bytes: reads all of them.
    pub fn verify_hash(&self) -> Result<()> {
        let at = self.hash_offset().ok_or(Error::Hash)?;
        if file_hash(self.bytes, at) == Some(self.header.file_hash) {
            Ok(())
        } else {
            Err(Error::Hash)
        }
    }

    /// Where in the file the content hash stands.
    pub fn hash_offset(&self) -> Option<usize> {
        let at = self
            .container
            .header_vaddr
            .checked_add(FILE_HASH_AT as u64)?;
        let place = self
            .container
            .bytes_at(self.bytes, at..at.checked_add(32)?)?;
        let segment = self.container.segment_of(&(at..at + 32))?;
        let offset = segment.file.start + (at - segment.vaddrs.start);
        (place.len() == 32).then_some(offset as usize)
    }

    /// What is to be mapped where (`PT_LOAD`), in the order of addresses.
    pub fn segments(&self) -> &[Segment] {
        &self.container.segments
    }

    /// Virtual address of the header (the symbol `aotc_image`).
    pub fn header_vaddr(&self) -> u64 {
        self.container.header_vaddr
    }

    /// Virtual addresses of the code, within an executable segment.
    pub fn code_vaddrs(&self) -> Range<u64> {
        self.code.clone()
    }

    /// Virtual addresses of the cells, within a writable segment, aligned.
    pub fn cell_vaddrs(&self) -> Range<u64> {
        self.cells.clone()
    }

    /// The bytes of the code in the file.
    pub fn code_bytes(&self) -> Option<&'a [u8]> {
        self.container.bytes_at(self.bytes, self.code.clone())
    }
}

/// The content hash of a file whose hash field stands at `at`.
pub fn file_hash(bytes: &[u8], at: usize) -> Option<Hash> {
    let (before, rest) = bytes.split_at_checked(at)?;
    let (_, after) = rest.split_at_checked(32)?;
    let mut hash = blake3::Hasher::new();
    hash.update(before).update(&Hash::default()).update(after);
    Some(*hash.finalize().as_bytes())
}
