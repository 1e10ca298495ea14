//! Relations between rows: lists, owners, and lookups in sorted tables.

use super::column::{Coded, Column, coded, encode};
use super::error::{Error, Result};
use super::module::{Module, RowRange};
use super::schema::TableId;
use super::tables::*;
use super::token::Token;
use crate::pe::{u16_at, u32_at};
use core::hash::{Hash, Hasher};
use rustc_hash::{FxHashMap, FxHasher};

/// Index of type names, built at the first lookup by name.
#[derive(Debug)]
pub struct Names {
    /// Rows by hash of (namespace, name); top-level types.
    types: FxHashMap<u64, RowList>,
    /// Forwarders by the same hash.
    exported: FxHashMap<u64, RowList>,
    /// Nested types by enclosing row.
    nested: FxHashMap<u32, Vec<TypeDefRow>>,
}

type RowList = smallvec::SmallVec<[u32; 1]>;

fn name_hash(namespace: &str, name: &str) -> u64 {
    let mut h = FxHasher::default();
    (namespace, name).hash(&mut h);
    h.finish()
}

/// Reads a column that is a number of 2 or 4 bytes.
fn number<C: Column>(module: &Module, row: &[u8], at: u32) -> u32 {
    let at = at as usize;
    if C::KIND.size(&module.sizes) == 4 {
        u32_at(row, at)
    } else {
        u16_at(row, at).map(u32::from)
    }
    .unwrap_or(0)
}

impl Module {
    /// Bytes of the columns in front of a key column.
    fn offset_of<const N: usize>(&self, before: [super::schema::ColumnKind; N]) -> u32 {
        before.iter().map(|c| c.size(&self.sizes)).sum()
    }

    /// Rows of table `R` whose key column (at byte `at`, a column of type `C`) equals `key`.
    fn equal_range<R: RowId, C: Column>(&self, at: u32, key: u32) -> RowRange<'_, R> {
        let count = self.row_count(R::TABLE);
        let key_of = |row: u32| {
            self.row_bytes(R::TABLE, row)
                .map_or(0, |b| number::<C>(self, b, at))
        };
        let bound = |less: &dyn Fn(u32) -> bool| {
            let (mut low, mut high) = (1, count + 1);
            while low < high {
                let mid = low + (high - low) / 2;
                if less(key_of(mid)) {
                    low = mid + 1
                } else {
                    high = mid
                }
            }
            low
        };
        if !self.is_sorted(R::TABLE) {
            // Unsorted tables occur in uncompressed metadata only: find the run by scanning.
            let first = (1..=count).find(|r| key_of(*r) == key).unwrap_or(1);
            let run = (first..=count).take_while(|r| key_of(*r) == key).count() as u32;
            return self.range(first, first + run);
        }
        self.range(bound(&|k| k < key), bound(&|k| k <= key))
    }

    fn keyed<R: RowId, C: Coded>(&self, at: u32, token: Token) -> RowRange<'_, R>
    where
        super::column::CodedIndex<C>: Column,
    {
        match encode::<C>(token) {
            Some(key) => self.equal_range::<R, super::column::CodedIndex<C>>(at, key),
            None => self.range(1, 1),
        }
    }

    /// End of a list that starts in row `row` of table `R` at column value `start`, given how to read the next row's start.
    fn list<E: RowId>(&self, start: u32, next: Option<u32>) -> RowRange<'_, E> {
        let limit = self.list_length::<E>() + 1;
        let end = next.unwrap_or(limit).min(limit);
        if start == 0 {
            self.range(1, 1)
        } else {
            self.range(start.min(limit), end)
        }
    }

    /// Fields of a type.
    pub fn fields_of(&self, row: TypeDefRow) -> RowRange<'_, FieldRow> {
        let start = |r| self.type_def(TypeDefRow(r)).ok().map(|t| t.field_list.0);
        self.list(start(row.0).unwrap_or(0), start(row.0 + 1))
    }

    /// Methods of a type.
    pub fn methods_of(&self, row: TypeDefRow) -> RowRange<'_, MethodDefRow> {
        let start = |r| self.type_def(TypeDefRow(r)).ok().map(|t| t.method_list.0);
        self.list(start(row.0).unwrap_or(0), start(row.0 + 1))
    }

    /// Param rows of a method (there may be fewer than parameters).
    pub fn params_of(&self, row: MethodDefRow) -> RowRange<'_, ParamRow> {
        let start = |r| {
            self.method_def(MethodDefRow(r))
                .ok()
                .map(|t| t.param_list.0)
        };
        self.list(start(row.0).unwrap_or(0), start(row.0 + 1))
    }

    /// Properties of a type.
    pub fn properties_of(&self, row: TypeDefRow) -> RowRange<'_, PropertyRow> {
        let Some(map) = self
            .rows::<PropertyMapRow>()
            .find(|m| self.property_map(*m).is_ok_and(|m| m.parent == row))
        else {
            return self.range(1, 1);
        };
        let start = |r| {
            self.property_map(PropertyMapRow(r))
                .ok()
                .map(|t| t.property_list.0)
        };
        self.list(start(map.0).unwrap_or(0), start(map.0 + 1))
    }

    /// Events of a type.
    pub fn events_of(&self, row: TypeDefRow) -> RowRange<'_, EventRow> {
        let Some(map) = self
            .rows::<EventMapRow>()
            .find(|m| self.event_map(*m).is_ok_and(|m| m.parent == row))
        else {
            return self.range(1, 1);
        };
        let start = |r| self.event_map(EventMapRow(r)).ok().map(|t| t.event_list.0);
        self.list(start(map.0).unwrap_or(0), start(map.0 + 1))
    }

    /// The last TypeDef whose list starts at or before `item`: the owner, if lists ascend as they must.
    fn owner(&self, item: u32, start: impl Fn(&TypeDef) -> u32) -> Result<TypeDefRow> {
        let count = self.row_count(TypeDefRow::TABLE);
        let (mut low, mut high) = (1, count + 1);
        while low < high {
            let mid = low + (high - low) / 2;
            if start(&self.type_def(TypeDefRow(mid))?) <= item {
                low = mid + 1
            } else {
                high = mid
            }
        }
        if low > 1 {
            Ok(TypeDefRow(low - 1))
        } else {
            Err(Error::Row {
                table: "TypeDef",
                row: 0,
            })
        }
    }

    /// The type that declares a method.
    pub fn owner_of_method(&self, row: MethodDefRow) -> Result<TypeDefRow> {
        if self.row_count(MethodPtrRow::TABLE) > 0 {
            return self.owner_by_scan(|t| self.methods_of(t).any(|m| m == row));
        }
        self.owner(row.0, |t| t.method_list.0)
    }

    /// The type that declares a field.
    pub fn owner_of_field(&self, row: FieldRow) -> Result<TypeDefRow> {
        if self.row_count(FieldPtrRow::TABLE) > 0 {
            return self.owner_by_scan(|t| self.fields_of(t).any(|f| f == row));
        }
        self.owner(row.0, |t| t.field_list.0)
    }

    fn owner_by_scan(&self, owns: impl Fn(TypeDefRow) -> bool) -> Result<TypeDefRow> {
        self.rows().find(|t| owns(*t)).ok_or(Error::Row {
            table: "TypeDef",
            row: 0,
        })
    }

    /// InterfaceImpl rows of a type.
    pub fn interfaces_of(&self, row: TypeDefRow) -> RowRange<'_, InterfaceImplRow> {
        self.equal_range::<_, super::column::Index<TypeDefRow>>(0, row.0)
    }

    /// MethodImpl rows of a type.
    pub fn method_impls_of(&self, row: TypeDefRow) -> RowRange<'_, MethodImplRow> {
        self.equal_range::<_, super::column::Index<TypeDefRow>>(0, row.0)
    }

    /// Generic parameters of a type or method.
    pub fn generic_params_of(&self, owner: Token) -> RowRange<'_, GenericParamRow> {
        self.keyed::<_, coded::TypeOrMethodDef>(4, owner)
    }

    /// Constraints of a generic parameter.
    pub fn generic_constraints_of(&self, row: GenericParamRow) -> impl Iterator<Item = Token> + '_ {
        let rows = self
            .equal_range::<GenericParamConstraintRow, super::column::Index<GenericParamRow>>(
                0, row.0,
            );
        rows.filter_map(|r| self.generic_param_constraint(r).ok())
            .map(|c| c.constraint)
    }

    /// Custom attributes of anything.
    pub fn custom_attributes_of(&self, parent: Token) -> RowRange<'_, CustomAttributeRow> {
        self.keyed::<_, coded::HasCustomAttribute>(0, parent)
    }

    /// Default value of a field, parameter or property.
    pub fn constant_of(&self, parent: Token) -> Option<Constant> {
        let row = self
            .keyed::<ConstantRow, coded::HasConstant>(2, parent)
            .next()?;
        self.constant(row).ok()
    }

    /// Marshalling blob of a field or parameter.
    pub fn field_marshal_of(&self, parent: Token) -> Option<&'static [u8]> {
        let row = self
            .keyed::<FieldMarshalRow, coded::HasFieldMarshal>(0, parent)
            .next()?;
        self.field_marshal(row).ok().map(|m| m.native_type)
    }

    /// Declarative security of a type, method or assembly.
    pub fn decl_security_of(&self, parent: Token) -> RowRange<'_, DeclSecurityRow> {
        self.keyed::<_, coded::HasDeclSecurity>(2, parent)
    }

    /// Packing and size of a type.
    pub fn class_layout_of(&self, row: TypeDefRow) -> Option<ClassLayout> {
        let found = self
            .equal_range::<ClassLayoutRow, super::column::Index<TypeDefRow>>(6, row.0)
            .next()?;
        self.class_layout(found).ok()
    }

    /// Explicit offset of a field.
    pub fn field_offset_of(&self, row: FieldRow) -> Option<u32> {
        let found = self
            .equal_range::<FieldLayoutRow, super::column::Index<FieldRow>>(4, row.0)
            .next()?;
        self.field_layout(found).ok().map(|l| l.offset)
    }

    /// Address of the initial data of a field.
    pub fn field_rva_of(&self, row: FieldRow) -> Option<u32> {
        let found = self
            .equal_range::<FieldRvaRow, super::column::Index<FieldRow>>(4, row.0)
            .next()?;
        self.field_rva(found).ok().map(|l| l.rva)
    }

    /// P/Invoke description of a method.
    pub fn impl_map_of(&self, row: MethodDefRow) -> Option<ImplMap> {
        let found = self
            .keyed::<ImplMapRow, coded::MemberForwarded>(2, row.token())
            .next()?;
        self.impl_map(found).ok()
    }

    /// Accessors of a property or event.
    pub fn semantics_of(&self, association: Token) -> impl Iterator<Item = MethodSemantics> + '_ {
        let at = self.offset_of([
            <u16 as Column>::KIND,
            super::column::Index::<MethodDefRow>::KIND,
        ]);
        let rows = self.keyed::<MethodSemanticsRow, coded::HasSemantics>(at, association);
        rows.filter_map(|r| self.method_semantics(r).ok())
    }

    /// The type that contains a nested type.
    pub fn enclosing_type(&self, row: TypeDefRow) -> Option<TypeDefRow> {
        let found = self
            .equal_range::<NestedClassRow, super::column::Index<TypeDefRow>>(0, row.0)
            .next()?;
        self.nested_class(found).ok().map(|n| n.enclosing)
    }

    fn names(&self) -> &Names {
        self.names.get_or_init(|| self.index_names())
    }

    fn index_names(&self) -> Names {
        let mut names = Names {
            types: FxHashMap::default(),
            exported: FxHashMap::default(),
            nested: FxHashMap::default(),
        };
        let mut is_nested = vec![false; self.row_count(TypeDefRow::TABLE) as usize + 1];
        for n in self
            .rows::<NestedClassRow>()
            .filter_map(|r| self.nested_class(r).ok())
        {
            names
                .nested
                .entry(n.enclosing.0)
                .or_default()
                .push(n.nested);
            if let Some(flag) = is_nested.get_mut(n.nested.0 as usize) {
                *flag = true;
            }
        }
        names.types.reserve(is_nested.len());
        for row in self
            .rows::<TypeDefRow>()
            .filter(|r| !is_nested[r.0 as usize])
        {
            if let Ok(t) = self.type_def(row) {
                names
                    .types
                    .entry(name_hash(t.namespace, t.name))
                    .or_default()
                    .push(row.0);
            }
        }
        for row in self.rows::<ExportedTypeRow>() {
            if let Ok(t) = self.exported_type(row) {
                names
                    .exported
                    .entry(name_hash(t.namespace, t.name))
                    .or_default()
                    .push(row.0);
            }
        }
        names
    }

    /// A top-level type by name.
    pub fn find_type(&self, namespace: &str, name: &str) -> Option<TypeDefRow> {
        let rows = self.names().types.get(&name_hash(namespace, name))?;
        let matches = |r: &TypeDefRow| {
            self.type_def(*r)
                .is_ok_and(|t| t.name == name && t.namespace == namespace)
        };
        rows.iter().map(|r| TypeDefRow(*r)).find(matches)
    }

    /// A nested type by name.
    pub fn find_nested(
        &self,
        enclosing: TypeDefRow,
        namespace: &str,
        name: &str,
    ) -> Option<TypeDefRow> {
        let matches = |r: &TypeDefRow| {
            self.type_def(*r)
                .is_ok_and(|t| t.name == name && (namespace.is_empty() || t.namespace == namespace))
        };
        self.nested_types(enclosing).iter().copied().find(matches)
    }

    /// Types nested in a type, in row order.
    pub fn nested_types(&self, enclosing: TypeDefRow) -> &[TypeDefRow] {
        self.names().nested.get(&enclosing.0).map_or(&[], |v| v)
    }

    /// An exported type (forwarder, or type of another module of the assembly) by name.
    pub fn find_exported(&self, namespace: &str, name: &str) -> Option<ExportedTypeRow> {
        let rows = self.names().exported.get(&name_hash(namespace, name))?;
        let matches = |r: &ExportedTypeRow| {
            self.exported_type(*r)
                .is_ok_and(|t| t.name == name && t.namespace == namespace)
        };
        rows.iter().map(|r| ExportedTypeRow(*r)).find(matches)
    }

    /// UTF-16LE bytes of an `ldstr` operand.
    pub fn user_string(&self, token: Token) -> Result<&'static [u8]> {
        if token.table() != TableId::USER_STRING {
            return Err(Error::Token(token.0));
        }
        self.heaps.user_string(token.row())
    }

    /// A blob by its heap index (locals and custom modifiers refer to blobs through rows; reflection asks by index).
    pub fn blob(&self, index: u32) -> Result<&'static [u8]> {
        self.heaps.blob(index)
    }

    /// The module's version id.
    pub fn mvid(&self) -> [u8; 16] {
        self.module_def(ModuleRow(1)).map_or([0; 16], |m| m.mvid)
    }

    /// Bytes of an embedded manifest resource.
    pub fn resource_bytes(&self, row: ManifestResourceRow) -> Result<&'static [u8]> {
        let offset = self.manifest_resource(row)?.offset as usize;
        let bad = Error::Blob("manifest resource");
        let all = self
            .pe()
            .slice(self.pe().resources.rva, self.pe().resources.size)
            .ok_or(bad.clone())?;
        let len = u32_at(all, offset).ok_or(bad.clone())? as usize;
        all.get(offset + 4..)
            .and_then(|rest| rest.get(..len))
            .ok_or(bad)
    }
}
