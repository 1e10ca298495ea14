//! Modules made at run time (`System.Reflection.Emit`): rows that are added one by one.
//!
//! A growing module is read through the same functions as a file. What differs is where the primitives of
//! [`Module`](super::Module) find things:
//! * a row is a byte string of its own, with every index column four bytes wide;
//! * heap indices and addresses (`rva`) are numbers of items, which carry no length prefix;
//! * rows belonging to a row (fields of a type, attributes of anything) are lists noted by table and owner, so
//!   rows may come in any order and owners get theirs all at once.
//!
//! Rows and items are never freed, like the bytes of files. A row may be replaced: builders change what they
//! describe until it is created.

use super::heaps::{Heaps, Items};
use super::schema::{ColumnKind, Sizes, TableId};
use super::tables::{RowId, TypeDefRow};
use super::token::Token;
use parking_lot::RwLock;
use rustc_hash::FxHashMap;

/// A row that can be written.
pub trait GrownRow {
    /// Its number.
    type Row: RowId;
    /// Kind and number of each cell.
    fn cells(&self, growth: &Growth) -> Vec<(ColumnKind, u32)>;
}

/// The contents of a growing module.
#[derive(Debug)]
pub struct Growth {
    state: RwLock<State>,
    items: &'static Items,
}

#[derive(Debug, Default)]
struct State {
    rows: FxHashMap<Token, &'static [u8]>,
    counts: FxHashMap<TableId, u32>,
    /// Rows of a table that belong to a row or have a key.
    lists: FxHashMap<(TableId, u32), &'static [u32]>,
    owners: FxHashMap<Token, TypeDefRow>,
    types: FxHashMap<(&'static str, &'static str), TypeDefRow>,
    nested: FxHashMap<TypeDefRow, &'static [TypeDefRow]>,
    item_numbers: FxHashMap<&'static [u8], u32>,
}

impl Default for Growth {
    fn default() -> Self {
        let items: &'static Items = Box::leak(Box::new(Items::new()));
        items.push(&[]);
        Growth {
            state: RwLock::default(),
            items,
        }
    }
}

impl Growth {
    /// Sizes that make every index four bytes wide.
    pub(crate) const SIZES: Sizes = Sizes {
        wide_strings: true,
        wide_guids: true,
        wide_blobs: true,
        rows: [super::column::MAX_ROW; 64],
        uncompressed: false,
    };

    pub(crate) fn heaps(&self) -> Heaps {
        Heaps {
            grown: Some(self.items),
            ..Heaps::default()
        }
    }

    /// Number of a heap item with these bytes: a name, blob, string (UTF-16LE), method body or initial data.
    pub fn item(&self, bytes: &[u8]) -> u32 {
        if bytes.is_empty() {
            return 0;
        }
        if let Some(known) = self.state.read().item_numbers.get(bytes) {
            return *known;
        }
        let kept: &'static [u8] = Box::leak(bytes.into());
        let number = self.items.push(kept) as u32;
        *self
            .state
            .write()
            .item_numbers
            .entry(kept)
            .or_insert(number)
    }

    /// Address of a copy of the bytes that nobody else shares: initial values of fields may be changed in place.
    pub fn data(&self, bytes: &[u8]) -> u32 {
        self.items.push(Box::leak(bytes.into())) as u32
    }

    /// A copy of the text that lives as long as the module.
    pub fn text(&self, text: &str) -> &'static str {
        let kept = self.items.get(self.item(text.as_bytes()) as usize);
        kept.and_then(|k| core::str::from_utf8(k).ok())
            .unwrap_or_default()
    }

    /// A copy of the bytes that lives as long as the module.
    pub fn bytes(&self, bytes: &[u8]) -> &'static [u8] {
        let kept = self.items.get(self.item(bytes) as usize);
        kept.copied().unwrap_or_default()
    }

    /// Writes a row, over an earlier one with this number.
    pub fn set<T: GrownRow>(&self, row: T::Row, value: &T) {
        let mut bytes = Vec::new();
        for (kind, cell) in value.cells(self) {
            match kind.size(&Self::SIZES) {
                2 => bytes.extend_from_slice(&(cell as u16).to_le_bytes()),
                _ => bytes.extend_from_slice(&cell.to_le_bytes()),
            }
        }
        let token = Token::new(T::Row::TABLE, row.into());
        let mut state = self.state.write();
        state.rows.insert(token, Box::leak(bytes.into()));
        // The class libraries give helper types that nobody should find the last number there is.
        if token.row() < super::column::MAX_ROW {
            let count = state.counts.entry(token.table()).or_default();
            *count = (*count).max(token.row());
        }
    }

    /// Writes a row behind the last one of its table.
    pub fn add<T: GrownRow>(&self, value: &T) -> T::Row {
        let row = self.reserve();
        self.set(row, value);
        row
    }

    /// The number behind the last row of a table, taken from now on.
    pub fn reserve<R: RowId>(&self) -> R {
        let mut state = self.state.write();
        let count = state.counts.entry(R::TABLE).or_default();
        *count += 1;
        R::from(*count)
    }

    /// Says which rows of a table belong to `owner`: the row whose list they are (fields, methods and parameters), their
    /// type (properties, events), or the value of the key column of their table.
    pub fn set_rows<R: RowId>(&self, owner: u32, rows: impl IntoIterator<Item = R>) {
        let rows: Box<[u32]> = rows.into_iter().map(Into::into).collect();
        let rows: &'static [u32] = Box::leak(rows);
        self.state.write().lists.insert((R::TABLE, owner), rows);
    }

    /// As [`Growth::set_rows`] for tables keyed by a coded index.
    pub fn set_keyed_rows<R: RowId>(&self, owner: Token, rows: impl IntoIterator<Item = R>) {
        if let Some(key) = super::query::key_of(R::TABLE, owner) {
            self.set_rows(key, rows);
        }
    }

    /// Says which type declares a method or field.
    pub fn set_owner(&self, member: Token, owner: TypeDefRow) {
        self.state.write().owners.insert(member, owner);
    }

    /// Makes a type known by name: a nested one by the type around it.
    pub fn set_name(
        &self,
        row: TypeDefRow,
        namespace: &str,
        name: &str,
        enclosing: Option<TypeDefRow>,
    ) {
        let (namespace, name) = (self.text(namespace), self.text(name));
        let mut state = self.state.write();
        let Some(outer) = enclosing else {
            state.types.entry((namespace, name)).or_insert(row);
            return;
        };
        let siblings = state.nested.get(&outer).copied().unwrap_or_default();
        if !siblings.contains(&row) {
            let all: Box<[TypeDefRow]> = siblings.iter().copied().chain([row]).collect();
            state.nested.insert(outer, Box::leak(all));
        }
    }

    /// A row was written.
    pub fn has(&self, token: Token) -> bool {
        self.state.read().rows.contains_key(&token)
    }

    pub(crate) fn cells(&self, table: TableId, row: u32) -> Option<&'static [u8]> {
        self.state.read().rows.get(&Token::new(table, row)).copied()
    }

    pub(crate) fn row_count(&self, table: TableId) -> u32 {
        self.state.read().counts.get(&table).copied().unwrap_or(0)
    }

    pub(crate) fn rows_of(&self, table: TableId, owner: u32) -> &'static [u32] {
        let state = self.state.read();
        state.lists.get(&(table, owner)).copied().unwrap_or(&[])
    }

    pub(crate) fn owner(&self, member: Token) -> Option<TypeDefRow> {
        self.state.read().owners.get(&member).copied()
    }

    pub(crate) fn find_type(&self, namespace: &str, name: &str) -> Option<TypeDefRow> {
        let state = self.state.read();
        let types: &FxHashMap<(&str, &str), TypeDefRow> = &state.types;
        types.get(&(namespace, name)).copied()
    }

    pub(crate) fn nested_types(&self, enclosing: TypeDefRow) -> &'static [TypeDefRow] {
        let state = self.state.read();
        state.nested.get(&enclosing).copied().unwrap_or(&[])
    }
}
