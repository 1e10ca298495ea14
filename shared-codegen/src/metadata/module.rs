//! One opened module: streams, table positions, access to rows.

use super::error::{Error, Result};
use super::heaps::Heaps;
use super::query::Names;
use super::schema::{Sizes, TableId, indirection};
use super::tables::{RowId, SCHEMA};
use crate::pe::{PeFile, u16_at, u32_at};
use core::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A module. Opening touches headers only; everything else is read when asked for.
#[derive(Debug)]
pub struct Module {
    path: PathBuf,
    pe: PeFile,
    pub(crate) heaps: Heaps,
    pub(crate) sizes: Sizes,
    /// Bytes of each table.
    tables: [&'static [u8]; 64],
    row_sizes: [u8; 64],
    sorted: u64,
    version: &'static str,
    pub(crate) names: OnceLock<Names>,
}

/// Consecutive rows of a table; rows of uncompressed metadata are found through its indirection tables.
#[derive(Clone, Debug)]
pub struct RowRange<'m, R> {
    module: &'m Module,
    next: u32,
    end: u32,
    row: PhantomData<R>,
}

impl<R: RowId> Iterator for RowRange<'_, R> {
    type Item = R;

    fn next(&mut self) -> Option<R> {
        (self.next < self.end).then(|| {
            self.next += 1;
            self.module.through_pointer(R::from(self.next - 1))
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let n = (self.end - self.next) as usize;
        (n, Some(n))
    }
}

impl<R: RowId> ExactSizeIterator for RowRange<'_, R> {}

impl Module {
    /// Opens a module. `bytes` must stay as they are; `path` is what people and reflection see.
    pub fn parse(bytes: &'static [u8], path: PathBuf) -> Result<Module> {
        let pe = PeFile::parse(bytes)?;
        let root = pe
            .slice(pe.metadata.rva, pe.metadata.size)
            .ok_or(Error::Header("metadata directory"))?;
        if u32_at(root, 0) != Some(0x424a_5342) {
            return Err(Error::Header("signature"));
        }
        let version_len = u32_at(root, 12).ok_or(Error::Header("version"))? as usize;
        let version = root
            .get(16..16usize.saturating_add(version_len))
            .ok_or(Error::Header("version"))?;
        let version = version.split(|b| *b == 0).next().unwrap_or_default();
        let mut module = Module {
            path,
            pe,
            heaps: Heaps::default(),
            sizes: Sizes {
                wide_strings: false,
                wide_guids: false,
                wide_blobs: false,
                rows: [0; 64],
                uncompressed: false,
            },
            tables: [&[]; 64],
            row_sizes: [0; 64],
            sorted: 0,
            version: core::str::from_utf8(version).map_err(|_| Error::Header("version"))?,
            names: OnceLock::new(),
        };
        let tables = module.read_streams(root, 16 + version_len)?;
        module.read_tables(tables)?;
        Ok(module)
    }

    fn read_streams(&mut self, root: &'static [u8], flags_at: usize) -> Result<&'static [u8]> {
        let bad = Error::Header("stream header");
        let count = u16_at(root, flags_at + 2).ok_or(bad.clone())?;
        let mut at = flags_at + 4;
        let mut tables = None;
        for _ in 0..count {
            let offset = u32_at(root, at).ok_or(bad.clone())? as usize;
            let size = u32_at(root, at + 4).ok_or(bad.clone())? as usize;
            let name = root.get(at + 8..).ok_or(bad.clone())?;
            let len = name
                .iter()
                .take(32)
                .position(|b| *b == 0)
                .ok_or(bad.clone())?;
            let stream = offset
                .checked_add(size)
                .and_then(|end| root.get(offset..end))
                .ok_or(bad.clone())?;
            match &name[..len] {
                b"#Strings" => self.heaps.strings = stream,
                b"#Blob" => self.heaps.blobs = stream,
                b"#GUID" => self.heaps.guids = stream,
                b"#US" => self.heaps.user_strings = stream,
                b"#~" => tables = Some(stream),
                b"#-" => {
                    self.sizes.uncompressed = true;
                    tables = Some(stream);
                }
                _ => {}
            }
            at += 8 + (len + 4) / 4 * 4;
        }
        tables.ok_or(Error::Header("no table stream"))
    }

    fn read_tables(&mut self, stream: &'static [u8]) -> Result<()> {
        let bad = Error::Header("table stream");
        let heap_sizes = *stream.get(6).ok_or(bad.clone())?;
        self.sizes.wide_strings = heap_sizes & 1 != 0;
        self.sizes.wide_guids = heap_sizes & 2 != 0;
        self.sizes.wide_blobs = heap_sizes & 4 != 0;
        let word = |at: usize| {
            Some(u64::from(u32_at(stream, at)?) | u64::from(u32_at(stream, at + 4)?) << 32)
        };
        let valid = word(8).ok_or(bad.clone())?;
        self.sorted = word(16).ok_or(bad.clone())?;
        let mut at = 24;
        for t in 0..64 {
            if valid >> t & 1 != 0 {
                let rows = u32_at(stream, at).ok_or(bad.clone())?;
                if rows > 0x00ff_ffff || SCHEMA[t].is_none() {
                    return Err(bad);
                }
                self.sizes.rows[t] = rows;
                at += 4;
            }
        }
        if heap_sizes & 0x40 != 0 {
            at += 4;
        }
        for t in 0..64 {
            let Some((name, columns)) = SCHEMA[t] else {
                continue;
            };
            let size: u32 = columns.iter().map(|c| c.size(&self.sizes)).sum();
            let len = size as usize * self.sizes.rows[t] as usize;
            self.row_sizes[t] = size as u8;
            self.tables[t] = stream.get(at..at + len).ok_or(Error::Table(name))?;
            at += len;
        }
        Ok(())
    }

    /// Where the file came from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The container.
    pub fn pe(&self) -> &PeFile {
        &self.pe
    }

    /// Runtime version string of the metadata root (`v4.0.30319`).
    pub fn version(&self) -> &'static str {
        self.version
    }

    /// Number of rows of a table.
    pub fn row_count(&self, table: TableId) -> u32 {
        self.sizes.rows.get(table.0 as usize).copied().unwrap_or(0)
    }

    /// All rows of a table.
    pub fn rows<R: RowId>(&self) -> RowRange<'_, R> {
        self.range(1, self.row_count(R::TABLE) + 1)
    }

    pub(crate) fn range<R: RowId>(&self, from: u32, to: u32) -> RowRange<'_, R> {
        RowRange {
            module: self,
            next: from,
            end: to.max(from),
            row: PhantomData,
        }
    }

    /// The row that entry `row` of an indirection table points to; the row itself in compressed metadata.
    fn through_pointer<R: RowId>(&self, row: R) -> R {
        match indirection(R::TABLE) {
            Some(ptr) if self.row_count(ptr) > 0 => {
                let target =
                    self.row_bytes(ptr, row.into())
                        .ok()
                        .and_then(|bytes| match bytes.len() {
                            2 => u16_at(bytes, 0).map(u32::from),
                            _ => u32_at(bytes, 0),
                        });
                R::from(target.unwrap_or(0))
            }
            _ => row,
        }
    }

    /// Number of rows that list columns of a table count in: those of the indirection table if there is one.
    pub(crate) fn list_length<R: RowId>(&self) -> u32 {
        match indirection(R::TABLE) {
            Some(ptr) if self.row_count(ptr) > 0 => self.row_count(ptr),
            _ => self.row_count(R::TABLE),
        }
    }

    /// The table is sorted by its key, says the header.
    pub(crate) fn is_sorted(&self, table: TableId) -> bool {
        self.sorted >> table.0 & 1 != 0
    }

    /// Bytes of a row.
    pub(crate) fn row_bytes(&self, table: TableId, row: u32) -> Result<&'static [u8]> {
        let size = self.row_sizes.get(table.0 as usize).copied().unwrap_or(0) as usize;
        let bytes = self
            .tables
            .get(table.0 as usize)
            .copied()
            .unwrap_or_default();
        let start = (row as usize).checked_sub(1).map(|r| r * size);
        let found = start
            .and_then(|s| bytes.get(s..s + size))
            .filter(|b| !b.is_empty());
        found.ok_or(Error::Row {
            table: table.name(),
            row,
        })
    }
}
