//! One opened module: streams, table positions, access to rows.

use super::column::MAX_ROW;
use super::error::{Error, Result};
use super::grow::Growth;
use super::heaps::Heaps;
use super::names::Names;
use super::query::Maps;
use super::schema::{ColumnKind, Sizes, TableId, indirection};
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
    /// Where the columns of each table's rows start; the row size follows the last one.
    columns: [ColumnOffsets; 64],
    sorted: u64,
    version: &'static str,
    /// Row numbers in key order, of tables that are searched by key but do not claim to be sorted.
    orders: [OnceLock<Box<[u32]>>; 64],
    pub(crate) names: Names,
    pub(crate) maps: OnceLock<Maps>,
    /// The rows of a module made at run time.
    growth: Option<Growth>,
}

/// Offsets of the columns of a row.
type ColumnOffsets = [u8; MAX_COLUMNS + 1];

/// Columns of the widest table.
const MAX_COLUMNS: usize = 9;

/// The cells of one row.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'m> {
    bytes: &'static [u8],
    columns: &'m ColumnOffsets,
}

impl Cells<'_> {
    /// The number in a column.
    pub(crate) fn get(&self, column: usize) -> u32 {
        let (at, end) = (self.columns[column], self.columns[column + 1]);
        let cell = &self.bytes[at as usize..end as usize];
        match *cell {
            [a, b] => u16::from_le_bytes([a, b]).into(),
            [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
            _ => 0,
        }
    }
}

/// Consecutive rows of a table, in the order of the table or of its key; rows of uncompressed metadata are found through its indirection tables.
#[derive(Clone, Debug)]
pub struct RowRange<'m, R> {
    module: &'m Module,
    next: u32,
    end: u32,
    /// Row numbers by position, where rows are not in key order.
    order: Option<&'m [u32]>,
    row: PhantomData<R>,
}

impl<R: RowId> Iterator for RowRange<'_, R> {
    type Item = R;

    fn next(&mut self) -> Option<R> {
        (self.next < self.end).then(|| {
            let at = self.next;
            self.next += 1;
            match self.order {
                Some(order) => R::from(order[at as usize - 1]),
                None => self.module.through_pointer(R::from(at)),
            }
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
            columns: [[0; MAX_COLUMNS + 1]; 64],
            sorted: 0,
            version: core::str::from_utf8(version).map_err(|_| Error::Header("version"))?,
            orders: [const { OnceLock::new() }; 64],
            names: Names::default(),
            maps: OnceLock::new(),
            growth: None,
        };
        let tables = module.read_streams(root, 16 + version_len)?;
        module.read_tables(tables)?;
        Ok(module)
    }

    /// An empty module that rows are added to at run time: see [`Growth`].
    pub fn growing(path: PathBuf) -> Module {
        let growth = Growth::default();
        let mut module = Module {
            path,
            pe: PeFile::default(),
            heaps: growth.heaps(),
            sizes: Growth::SIZES,
            tables: [&[]; 64],
            columns: [[0; MAX_COLUMNS + 1]; 64],
            sorted: 0,
            version: "v4.0.30319",
            orders: [const { OnceLock::new() }; 64],
            names: Names::default(),
            maps: OnceLock::new(),
            growth: Some(growth),
        };
        for (ends, table) in module.columns.iter_mut().zip(&SCHEMA) {
            let columns = table.map_or(&[] as &[_], |(_, columns)| columns);
            column_ends(columns, &module.sizes, ends);
        }
        module
    }

    /// The rows of a module made at run time; `None` for files.
    pub fn growth(&self) -> Option<&Growth> {
        self.growth.as_ref()
    }

    /// The bytes from an address of the image on: method bodies and initial values of fields.
    pub fn data_at(&self, rva: u32) -> Option<&'static [u8]> {
        match self.growth() {
            Some(_) => self.heaps.grown?.get(rva as usize).copied(),
            None => self.pe.tail_at(rva),
        }
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
        for (t, rows) in self.sizes.rows.iter_mut().enumerate() {
            if valid >> t & 1 != 0 {
                *rows = u32_at(stream, at).ok_or(bad.clone())?;
                at += 4;
            }
        }
        // Extra data that edit-and-continue compilers leave.
        if heap_sizes & 0x40 != 0 {
            at += 4;
        }
        self.lay_out(stream, at)
    }

    /// Finds columns and tables, now that all sizes are known.
    fn lay_out(&mut self, stream: &'static [u8], mut at: usize) -> Result<()> {
        for (t, table) in SCHEMA.iter().enumerate() {
            let rows = self.sizes.rows[t];
            let Some((name, columns)) = table else {
                if rows > 0 {
                    return Err(Error::Header("unknown table"));
                }
                continue;
            };
            if rows > MAX_ROW {
                return Err(Error::Table(name));
            }
            let size = column_ends(columns, &self.sizes, &mut self.columns[t]);
            let len = size as usize * rows as usize;
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
        match self.growth() {
            Some(growth) => growth.row_count(table),
            None => self.sizes.rows.get(table.0 as usize).copied().unwrap_or(0),
        }
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
            order: None,
            row: PhantomData,
        }
    }

    /// The rows with these numbers.
    pub(crate) fn in_order<R: RowId>(&self, rows: &'static [u32]) -> RowRange<'_, R> {
        RowRange {
            order: Some(rows),
            ..self.range(1, rows.len() as u32 + 1)
        }
    }

    /// Rows whose column `column`, which is the table's key, is `key`.
    pub(crate) fn equal_range<R: RowId>(&self, column: usize, key: u32) -> RowRange<'_, R> {
        if let Some(growth) = self.growth() {
            return self.in_order(growth.rows_of(R::TABLE, key));
        }
        let order = self.key_order(R::TABLE, column);
        let key_at = |position: u32| {
            let row = order.map_or(position, |o| o[position as usize - 1]);
            self.cell(R::TABLE, row, column)
        };
        let count = self.row_count(R::TABLE);
        let from = partition_point(count, |position| key_at(position) < key);
        // Runs are short, and most are empty.
        let run = (from..=count).take_while(|p| key_at(*p) == key).count();
        RowRange {
            order,
            ..self.range(from, from + run as u32)
        }
    }

    /// The order of a table's rows by key, if it is not the order of the rows.
    fn key_order(&self, table: TableId, column: usize) -> Option<&[u32]> {
        if self.sorted >> table.0 & 1 != 0 {
            return None;
        }
        let order = self.orders[table.0 as usize].get_or_init(|| {
            let mut rows: Vec<u32> = (1..=self.row_count(table)).collect();
            rows.sort_by_key(|row| self.cell(table, *row, column));
            rows.into()
        });
        Some(order)
    }

    /// The row that entry `row` of an indirection table points to; the row itself in compressed metadata.
    fn through_pointer<R: RowId>(&self, row: R) -> R {
        match indirection(R::TABLE) {
            Some(ptr) if self.row_count(ptr) > 0 => {
                R::from(self.cell(ptr, row.into(), 0) & MAX_ROW)
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

    /// The cells of a row, if it exists.
    pub(crate) fn cells(&self, table: TableId, row: u32) -> Option<Cells<'_>> {
        if let Some(growth) = self.growth() {
            return Some(Cells {
                bytes: growth.cells(table, row)?,
                columns: &self.columns[table.0 as usize],
            });
        }
        if row == 0 || row > self.row_count(table) {
            return None;
        }
        let (name_and_columns, table) = (SCHEMA[table.0 as usize]?, table.0 as usize);
        let columns = &self.columns[table];
        let size = columns[name_and_columns.1.len()] as usize;
        let bytes = self.tables[table].get((row as usize - 1) * size..row as usize * size)?;
        Some(Cells { bytes, columns })
    }

    /// The number in one cell; 0 if there is no such row.
    pub(crate) fn cell(&self, table: TableId, row: u32, column: usize) -> u32 {
        self.cells(table, row).map_or(0, |c| c.get(column))
    }
}

/// Notes where columns end, and gives the size of a row.
fn column_ends(columns: &[ColumnKind], sizes: &Sizes, ends: &mut ColumnOffsets) -> u32 {
    let mut size = 0;
    for (column, end) in columns.iter().zip(&mut ends[1..]) {
        size += column.size(sizes);
        *end = size as u8;
    }
    size
}

/// The first of the positions 1 to `count` for which `less` no longer holds, or `count + 1`.
pub(crate) fn partition_point(count: u32, less: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (1, count + 1);
    while low < high {
        let mid = low + (high - low) / 2;
        if less(mid) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    low
}
