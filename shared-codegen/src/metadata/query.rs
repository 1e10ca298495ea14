//! Relations between rows: lists, owners, and lookups in tables sorted by key.

use super::column::{coded, encode};
use super::error::{Error, Result};
use super::module::{Module, RowRange, partition_point};
use super::schema::TableId;
use super::tables::*;
use super::token::Token;
use crate::pe::u32_at;
use rustc_hash::FxHashMap;

/// PropertyMap and EventMap rows by type. (Neither table has to be sorted.)
#[derive(Debug)]
pub(crate) struct Maps {
    properties: FxHashMap<u32, u32>,
    events: FxHashMap<u32, u32>,
}

impl Module {
    /// Rows whose key column, a coded index, refers to `token`.
    fn keyed<R: RowId>(&self, column: usize, token: Token) -> RowRange<'_, R> {
        match key_of(R::TABLE, token) {
            Some(key) => self.equal_range(column, key),
            None => self.range(1, 1),
        }
    }

    /// The list that starts in column `column` of `row` and ends where that of the next row starts.
    fn list<R: RowId, E: RowId>(&self, row: R, column: usize) -> RowRange<'_, E> {
        let row: u32 = row.into();
        if let Some(growth) = self.growth() {
            return self.in_order(growth.rows_of(E::TABLE, row));
        }
        let count = self.row_count(R::TABLE);
        let start = self.cell(R::TABLE, row, column);
        let limit = self.list_length::<E>() + 1;
        let end = match row {
            row if row < count => self.cell(R::TABLE, row + 1, column).min(limit),
            _ => limit,
        };
        if start == 0 {
            self.range(1, 1)
        } else {
            self.range(start.min(limit), end)
        }
    }

    /// Fields of a type.
    pub fn fields_of(&self, row: TypeDefRow) -> RowRange<'_, FieldRow> {
        self.list(row, columns::type_def::field_list as usize)
    }

    /// Methods of a type.
    pub fn methods_of(&self, row: TypeDefRow) -> RowRange<'_, MethodDefRow> {
        self.list(row, columns::type_def::method_list as usize)
    }

    /// Param rows of a method (there may be fewer than parameters).
    pub fn params_of(&self, row: MethodDefRow) -> RowRange<'_, ParamRow> {
        self.list(row, columns::method_def::param_list as usize)
    }

    fn maps(&self) -> &Maps {
        let parents = |table, column| {
            let rows = (1..=self.row_count(table)).rev();
            rows.map(|row| (self.cell(table, row, column), row))
                .collect()
        };
        self.maps.get_or_init(|| Maps {
            properties: parents(
                PropertyMapRow::TABLE,
                columns::property_map::parent as usize,
            ),
            events: parents(EventMapRow::TABLE, columns::event_map::parent as usize),
        })
    }

    /// Properties of a type.
    pub fn properties_of(&self, row: TypeDefRow) -> RowRange<'_, PropertyRow> {
        if let Some(growth) = self.growth() {
            return self.in_order(growth.rows_of(PropertyRow::TABLE, row.0));
        }
        let map = self.maps().properties.get(&row.0).copied().unwrap_or(0);
        let column = columns::property_map::property_list as usize;
        self.list(PropertyMapRow(map), column)
    }

    /// Events of a type.
    pub fn events_of(&self, row: TypeDefRow) -> RowRange<'_, EventRow> {
        if let Some(growth) = self.growth() {
            return self.in_order(growth.rows_of(EventRow::TABLE, row.0));
        }
        let map = self.maps().events.get(&row.0).copied().unwrap_or(0);
        let column = columns::event_map::event_list as usize;
        self.list(EventMapRow(map), column)
    }

    /// The last TypeDef whose list starts at or before `item`: the owner, if lists ascend as they must.
    fn owner(&self, item: u32, column: usize) -> Result<TypeDefRow> {
        let count = self.row_count(TypeDefRow::TABLE);
        let after = partition_point(count, |row| {
            self.cell(TypeDefRow::TABLE, row, column) <= item
        });
        if after > 1 && item != 0 {
            Ok(TypeDefRow(after - 1))
        } else {
            Err(NO_OWNER)
        }
    }

    /// The type that declares a method.
    pub fn owner_of_method(&self, row: MethodDefRow) -> Result<TypeDefRow> {
        if let Some(growth) = self.growth() {
            return growth.owner(row.into()).ok_or(NO_OWNER);
        }
        if self.row_count(MethodPtrRow::TABLE) > 0 {
            return self.owner_by_scan(|t| self.methods_of(t).any(|m| m == row));
        }
        self.owner(row.0, columns::type_def::method_list as usize)
    }

    /// The type that declares a field.
    pub fn owner_of_field(&self, row: FieldRow) -> Result<TypeDefRow> {
        if let Some(growth) = self.growth() {
            return growth.owner(row.into()).ok_or(NO_OWNER);
        }
        if self.row_count(FieldPtrRow::TABLE) > 0 {
            return self.owner_by_scan(|t| self.fields_of(t).any(|f| f == row));
        }
        self.owner(row.0, columns::type_def::field_list as usize)
    }

    fn owner_by_scan(&self, owns: impl Fn(TypeDefRow) -> bool) -> Result<TypeDefRow> {
        self.rows().find(|t| owns(*t)).ok_or(NO_OWNER)
    }

    /// InterfaceImpl rows of a type.
    pub fn interfaces_of(&self, row: TypeDefRow) -> RowRange<'_, InterfaceImplRow> {
        self.equal_range(columns::interface_impl::class as usize, row.0)
    }

    /// MethodImpl rows of a type.
    pub fn method_impls_of(&self, row: TypeDefRow) -> RowRange<'_, MethodImplRow> {
        self.equal_range(columns::method_impl::class as usize, row.0)
    }

    /// Generic parameters of a type or method.
    pub fn generic_params_of(&self, owner: Token) -> RowRange<'_, GenericParamRow> {
        self.keyed(columns::generic_param::owner as usize, owner)
    }

    /// Constraints of a generic parameter.
    pub fn generic_constraints_of(&self, row: GenericParamRow) -> impl Iterator<Item = Token> + '_ {
        let rows = self.equal_range::<GenericParamConstraintRow>(
            columns::generic_param_constraint::owner as usize,
            row.0,
        );
        rows.filter_map(|r| self.generic_param_constraint(r).ok())
            .map(|c| c.constraint)
    }

    /// Custom attributes of anything.
    pub fn custom_attributes_of(&self, parent: Token) -> RowRange<'_, CustomAttributeRow> {
        self.keyed(columns::custom_attribute::parent as usize, parent)
    }

    /// Default value of a field, parameter or property.
    pub fn constant_of(&self, parent: Token) -> Option<Constant> {
        let row = self
            .keyed::<ConstantRow>(columns::constant::parent as usize, parent)
            .next()?;
        self.constant(row).ok()
    }

    /// Marshalling blob of a field or parameter.
    pub fn field_marshal_of(&self, parent: Token) -> Option<&'static [u8]> {
        let row = self
            .keyed::<FieldMarshalRow>(columns::field_marshal::parent as usize, parent)
            .next()?;
        self.field_marshal(row).ok().map(|m| m.native_type)
    }

    /// Declarative security of a type, method or assembly.
    pub fn decl_security_of(&self, parent: Token) -> RowRange<'_, DeclSecurityRow> {
        self.keyed(columns::decl_security::parent as usize, parent)
    }

    /// Packing and size of a type.
    pub fn class_layout_of(&self, row: TypeDefRow) -> Option<ClassLayout> {
        let found = self
            .equal_range::<ClassLayoutRow>(columns::class_layout::parent as usize, row.0)
            .next()?;
        self.class_layout(found).ok()
    }

    /// Explicit offset of a field.
    pub fn field_offset_of(&self, row: FieldRow) -> Option<u32> {
        let found = self
            .equal_range::<FieldLayoutRow>(columns::field_layout::field as usize, row.0)
            .next()?;
        self.field_layout(found).ok().map(|l| l.offset)
    }

    /// Address of the initial data of a field.
    pub fn field_rva_of(&self, row: FieldRow) -> Option<u32> {
        let found = self
            .equal_range::<FieldRvaRow>(columns::field_rva::field as usize, row.0)
            .next()?;
        self.field_rva(found).ok().map(|l| l.rva)
    }

    /// P/Invoke description of a method.
    pub fn impl_map_of(&self, row: MethodDefRow) -> Option<ImplMap> {
        let found = self
            .keyed::<ImplMapRow>(columns::impl_map::member as usize, row.token())
            .next()?;
        self.impl_map(found).ok()
    }

    /// Accessors of a property or event.
    pub fn semantics_of(&self, association: Token) -> impl Iterator<Item = MethodSemantics> + '_ {
        let at = columns::method_semantics::association as usize;
        let rows = self.keyed::<MethodSemanticsRow>(at, association);
        rows.filter_map(|r| self.method_semantics(r).ok())
    }

    /// The type that contains a nested type.
    pub fn enclosing_type(&self, row: TypeDefRow) -> Option<TypeDefRow> {
        let found = self
            .equal_range::<NestedClassRow>(columns::nested_class::nested as usize, row.0)
            .next()?;
        self.nested_class(found).ok().map(|n| n.enclosing)
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

/// The number that stands for a row in the key column, a coded index, of a table.
pub(crate) fn key_of(table: TableId, owner: Token) -> Option<u32> {
    match table {
        GenericParamRow::TABLE => encode::<coded::TypeOrMethodDef>(owner),
        CustomAttributeRow::TABLE => encode::<coded::HasCustomAttribute>(owner),
        ConstantRow::TABLE => encode::<coded::HasConstant>(owner),
        FieldMarshalRow::TABLE => encode::<coded::HasFieldMarshal>(owner),
        DeclSecurityRow::TABLE => encode::<coded::HasDeclSecurity>(owner),
        ImplMapRow::TABLE => encode::<coded::MemberForwarded>(owner),
        MethodSemanticsRow::TABLE => encode::<coded::HasSemantics>(owner),
        _ => None,
    }
}

const NO_OWNER: Error = Error::Row {
    table: "TypeDef",
    row: 0,
};
