//! Types by name: indices built at the first lookup, so that opening a module stays cheap.

use super::module::Module;
use super::schema::TableId;
use super::tables::columns::{exported_type, nested_class, type_def};
use super::tables::{ExportedType, ExportedTypeRow, NestedClassRow, RowId, TypeDef, TypeDefRow};
use core::hash::Hasher;
use rustc_hash::FxHasher;
use std::sync::OnceLock;

/// The indices of one module.
#[derive(Debug, Default)]
pub(crate) struct Names {
    types: OnceLock<NameIndex>,
    exported: OnceLock<NameIndex>,
    nested: OnceLock<NestedIndex>,
}

/// Hash table over row numbers: a row's bucket chains to the next row in it.
#[derive(Debug)]
struct NameIndex {
    /// First row by the low bits of the hash.
    heads: Box<[u32]>,
    /// Next row of the same bucket, by row.
    next: Box<[u32]>,
}

/// Nested types grouped by the type around them.
#[derive(Debug)]
struct NestedIndex {
    /// Where the group of each TypeDef row starts in `rows`.
    starts: Box<[u32]>,
    rows: Box<[TypeDefRow]>,
}

fn hash_text(text: &[u8]) -> u64 {
    let mut h = FxHasher::default();
    h.write(text);
    h.finish()
}

fn combine(namespace: u64, name: &[u8]) -> u64 {
    let mut h = FxHasher::default();
    h.write_u64(namespace);
    h.write(name);
    h.finish()
}

impl NameIndex {
    /// Indexes the rows of `table` for which `wanted` holds by the two name columns. Names are hashed as bytes:
    /// whether they are text is found out when a row is read.
    fn build(
        module: &Module,
        table: TableId,
        columns: (usize, usize),
        wanted: impl Fn(u32) -> bool,
    ) -> Self {
        let count = module.row_count(table);
        let buckets = (count as usize).next_power_of_two().max(1);
        let mut index = NameIndex {
            heads: vec![0; buckets].into(),
            next: vec![0; count as usize + 1].into(),
        };
        // Neighbours mostly share their namespace.
        let mut last = (0, hash_text(b""));
        // From the back, so that chains ascend and the first of equal names is found first.
        for row in (1..=count).rev().filter(|r| wanted(*r)) {
            let Some(cells) = module.cells(table, row) else {
                continue;
            };
            let namespace = cells.get(columns.0);
            if namespace != last.0 {
                last = (
                    namespace,
                    hash_text(module.heaps.string_bytes(namespace).unwrap_or(b"")),
                );
            }
            let name = module
                .heaps
                .string_bytes(cells.get(columns.1))
                .unwrap_or(b"");
            let head = &mut index.heads[combine(last.1, name) as usize & (buckets - 1)];
            index.next[row as usize] = *head;
            *head = row;
        }
        index
    }

    /// Rows that may have the name, ascending.
    fn candidates(&self, namespace: &str, name: &str) -> impl Iterator<Item = u32> + '_ {
        let hash = combine(hash_text(namespace.as_bytes()), name.as_bytes());
        let first = self.heads[hash as usize & (self.heads.len() - 1)];
        core::iter::successors(Some(first), |row| Some(self.next[*row as usize]))
            .take_while(|row| *row != 0)
    }
}

impl NestedIndex {
    fn build(module: &Module) -> NestedIndex {
        let count = module.row_count(TypeDefRow::TABLE) as usize;
        let pairs = || {
            module.rows::<NestedClassRow>().filter_map(|r| {
                let cells = module.cells(NestedClassRow::TABLE, r.0)?;
                let outer = cells.get(nested_class::enclosing as usize) as usize;
                let inner = cells.get(nested_class::nested as usize);
                (outer <= count).then_some((outer, TypeDefRow(inner)))
            })
        };
        let mut starts = vec![0u32; count + 2];
        for (outer, _) in pairs() {
            starts[outer + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut at = starts.clone();
        let mut rows = vec![TypeDefRow(0); starts[count + 1] as usize];
        for (outer, inner) in pairs() {
            rows[at[outer] as usize] = inner;
            at[outer] += 1;
        }
        NestedIndex {
            starts: starts.into(),
            rows: rows.into(),
        }
    }

    fn of(&self, row: TypeDefRow) -> &[TypeDefRow] {
        let row = row.0 as usize;
        match (self.starts.get(row), self.starts.get(row.wrapping_add(1))) {
            (Some(&from), Some(&to)) => &self.rows[from as usize..to as usize],
            _ => &[],
        }
    }
}

/// Visibilities of nested types start here (II.23.1.15).
const NESTED_PUBLIC: u32 = 2;
const VISIBILITY_MASK: u32 = 7;

impl Module {
    /// A top-level type by name.
    pub fn find_type(&self, namespace: &str, name: &str) -> Option<TypeDefRow> {
        if let Some(growth) = self.growth() {
            return growth.find_type(namespace, name);
        }
        let columns = (type_def::namespace as usize, type_def::name as usize);
        let is_top_level = |row| {
            let flags = self.cell(TypeDefRow::TABLE, row, type_def::flags as usize);
            flags & VISIBILITY_MASK < NESTED_PUBLIC
        };
        let index = self
            .names
            .types
            .get_or_init(|| NameIndex::build(self, TypeDefRow::TABLE, columns, is_top_level));
        let matches = |t: TypeDef| t.name == name && t.namespace == namespace;
        let mut rows = index.candidates(namespace, name).map(TypeDefRow);
        rows.find(|r| self.type_def(*r).is_ok_and(matches))
    }

    /// An exported type (forwarder, or type of another module of the assembly) by name.
    pub fn find_exported(&self, namespace: &str, name: &str) -> Option<ExportedTypeRow> {
        if self.growth().is_some() {
            return None;
        }
        let columns = (
            exported_type::namespace as usize,
            exported_type::name as usize,
        );
        let index = self
            .names
            .exported
            .get_or_init(|| NameIndex::build(self, ExportedTypeRow::TABLE, columns, |_| true));
        let matches = |t: ExportedType| {
            // Nested types stand in the same table, below their enclosing type.
            let is_nested = t.implementation.table() == ExportedTypeRow::TABLE;
            t.name == name && t.namespace == namespace && !is_nested
        };
        let mut rows = index.candidates(namespace, name).map(ExportedTypeRow);
        rows.find(|r| self.exported_type(*r).is_ok_and(matches))
    }

    /// Types nested in a type, in row order.
    pub fn nested_types(&self, enclosing: TypeDefRow) -> &[TypeDefRow] {
        if let Some(growth) = self.growth() {
            return growth.nested_types(enclosing);
        }
        let index = self.names.nested.get_or_init(|| NestedIndex::build(self));
        index.of(enclosing)
    }

    /// A nested type by name. An empty namespace matches any.
    pub fn find_nested(
        &self,
        enclosing: TypeDefRow,
        namespace: &str,
        name: &str,
    ) -> Option<TypeDefRow> {
        let matches =
            |t: TypeDef| t.name == name && (namespace.is_empty() || t.namespace == namespace);
        let mut rows = self.nested_types(enclosing).iter().copied();
        rows.find(|r| self.type_def(*r).is_ok_and(matches))
    }
}
