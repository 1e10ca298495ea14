//! All metadata tables (ECMA-335 II.22), declared once: the declaration gives row numbers, row
//! structs, accessors, column sizes and the dump.

use super::column::{Blob, CodedIndex, Guid, Index, List, Str, coded};
use super::error::{Error, Result};
use super::module::Module;
use super::schema::{ColumnKind, TableId};
use super::token::Token;

/// Number of a row in its table, counted from 1; 0 means none.
pub trait RowId: Copy + Eq + core::fmt::Debug + From<u32> + Into<u32> {
    /// Its table.
    const TABLE: TableId;
}

macro_rules! tables {
    ($($(#[$doc:meta])* $num:literal $name:ident $row:ident $get:ident { $($field:ident: $col:ty),* $(,)? })*) => {
        $(
            #[doc = concat!("Row number in the ", stringify!($name), " table, counted from 1; 0 means none.")]
            #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
            pub struct $row(pub u32);

            impl $row {
                /// Names no row.
                pub fn is_null(self) -> bool { self.0 == 0 }
                /// The token of the row.
                pub fn token(self) -> Token { Token::new(TableId($num), self.0) }
            }
            impl RowId for $row { const TABLE: TableId = TableId($num); }
            impl From<u32> for $row { fn from(n: u32) -> Self { $row(n) } }
            impl From<$row> for u32 { fn from(r: $row) -> u32 { r.0 } }
            impl From<$row> for Token { fn from(r: $row) -> Token { r.token() } }

            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            #[allow(missing_docs, reason = "the columns are those of the standard")]
            pub struct $name { $(pub $field: <$col as super::column::Column>::Out),* }
        )*

        $(
            impl super::grow::GrownRow for $name {
                type Row = $row;
                fn cells(&self, growth: &super::grow::Growth) -> Vec<(ColumnKind, u32)> {
                    vec![$((
                        <$col as super::column::Column>::KIND,
                        <$col as super::column::Column>::encode(growth, &self.$field),
                    )),*]
                }
            }
        )*

        impl Module {
            $(
                #[doc = concat!("Reads a row of the ", stringify!($name), " table.")]
                pub fn $get(&self, row: $row) -> Result<$name> {
                    let cells = self.cells(TableId($num), row.0).ok_or(Error::Row { table: stringify!($name), row: row.0 })?;
                    Ok($name {
                        $($field: <$col as super::column::Column>::decode(&self.heaps, cells.get(columns::$get::$field as usize))?),*
                    })
                }
            )*

            /// The columns of a row as text, for people.
            pub fn describe_row(&self, table: TableId, row: u32) -> Result<Vec<(&'static str, String)>> {
                match table.0 {
                    $($num => {
                        let row = self.$get($row(row))?;
                        Ok(vec![$((stringify!($field), <$col as super::column::Column>::show(&row.$field))),*])
                    })*
                    _ => Err(Error::Token(u32::from(table.0) << 24)),
                }
            }
        }

        /// Column numbers of each table.
        pub(crate) mod columns {
            $(
                #[allow(unused_imports, reason = "few columns are searched by")]
                pub(crate) mod $get {
                    #[derive(Clone, Copy)]
                    #[allow(non_camel_case_types, dead_code, reason = "the field names of the row; few columns are searched by")]
                    pub(crate) enum Column { $($field),* }
                    pub(crate) use Column::*;
                }
            )*
        }

        /// Name and columns of every table, by number.
        pub(crate) const SCHEMA: [Option<(&str, &[ColumnKind])>; 64] = {
            let mut all: [Option<(&str, &[ColumnKind])>; 64] = [None; 64];
            $(all[$num] = Some((stringify!($name), &[$(<$col as super::column::Column>::KIND),*]));)*
            all
        };
    };
}

tables! {
    /// II.22.30
    0x00 ModuleDef ModuleRow module_def { generation: u16, name: Str, mvid: Guid, enc_id: Guid, enc_base_id: Guid }
    /// II.22.38
    0x01 TypeRef TypeRefRow type_ref { scope: CodedIndex<coded::ResolutionScope>, name: Str, namespace: Str }
    /// II.22.37
    0x02 TypeDef TypeDefRow type_def { flags: u32, name: Str, namespace: Str, extends: CodedIndex<coded::TypeDefOrRef>, field_list: List<FieldRow>, method_list: List<MethodDefRow> }
    /// Indirection of uncompressed metadata.
    0x03 FieldPtr FieldPtrRow field_ptr { field: Index<FieldRow> }
    /// II.22.15
    0x04 Field FieldRow field { flags: u16, name: Str, signature: Blob }
    /// Indirection of uncompressed metadata.
    0x05 MethodPtr MethodPtrRow method_ptr { method: Index<MethodDefRow> }
    /// II.22.26
    0x06 MethodDef MethodDefRow method_def { rva: u32, impl_flags: u16, flags: u16, name: Str, signature: Blob, param_list: List<ParamRow> }
    /// Indirection of uncompressed metadata.
    0x07 ParamPtr ParamPtrRow param_ptr { param: Index<ParamRow> }
    /// II.22.33
    0x08 Param ParamRow param { flags: u16, sequence: u16, name: Str }
    /// II.22.23
    0x09 InterfaceImpl InterfaceImplRow interface_impl { class: Index<TypeDefRow>, interface: CodedIndex<coded::TypeDefOrRef> }
    /// II.22.25
    0x0a MemberRef MemberRefRow member_ref { class: CodedIndex<coded::MemberRefParent>, name: Str, signature: Blob }
    /// II.22.9
    0x0b Constant ConstantRow constant { ty: u16, parent: CodedIndex<coded::HasConstant>, value: Blob }
    /// II.22.10
    0x0c CustomAttribute CustomAttributeRow custom_attribute { parent: CodedIndex<coded::HasCustomAttribute>, ty: CodedIndex<coded::CustomAttributeType>, value: Blob }
    /// II.22.17
    0x0d FieldMarshal FieldMarshalRow field_marshal { parent: CodedIndex<coded::HasFieldMarshal>, native_type: Blob }
    /// II.22.11
    0x0e DeclSecurity DeclSecurityRow decl_security { action: u16, parent: CodedIndex<coded::HasDeclSecurity>, permission_set: Blob }
    /// II.22.8
    0x0f ClassLayout ClassLayoutRow class_layout { packing_size: u16, class_size: u32, parent: Index<TypeDefRow> }
    /// II.22.16
    0x10 FieldLayout FieldLayoutRow field_layout { offset: u32, field: Index<FieldRow> }
    /// II.22.36
    0x11 StandAloneSig StandAloneSigRow stand_alone_sig { signature: Blob }
    /// II.22.12
    0x12 EventMap EventMapRow event_map { parent: Index<TypeDefRow>, event_list: List<EventRow> }
    /// Indirection of uncompressed metadata.
    0x13 EventPtr EventPtrRow event_ptr { event: Index<EventRow> }
    /// II.22.13
    0x14 Event EventRow event { flags: u16, name: Str, ty: CodedIndex<coded::TypeDefOrRef> }
    /// II.22.35
    0x15 PropertyMap PropertyMapRow property_map { parent: Index<TypeDefRow>, property_list: List<PropertyRow> }
    /// Indirection of uncompressed metadata.
    0x16 PropertyPtr PropertyPtrRow property_ptr { property: Index<PropertyRow> }
    /// II.22.34
    0x17 Property PropertyRow property { flags: u16, name: Str, signature: Blob }
    /// II.22.28
    0x18 MethodSemantics MethodSemanticsRow method_semantics { semantics: u16, method: Index<MethodDefRow>, association: CodedIndex<coded::HasSemantics> }
    /// II.22.27
    0x19 MethodImpl MethodImplRow method_impl { class: Index<TypeDefRow>, body: CodedIndex<coded::MethodDefOrRef>, declaration: CodedIndex<coded::MethodDefOrRef> }
    /// II.22.31
    0x1a ModuleRef ModuleRefRow module_ref { name: Str }
    /// II.22.39
    0x1b TypeSpec TypeSpecRow type_spec { signature: Blob }
    /// II.22.22
    0x1c ImplMap ImplMapRow impl_map { flags: u16, member: CodedIndex<coded::MemberForwarded>, import_name: Str, import_scope: Index<ModuleRefRow> }
    /// II.22.18
    0x1d FieldRva FieldRvaRow field_rva { rva: u32, field: Index<FieldRow> }
    /// Edit-and-continue log.
    0x1e EncLog EncLogRow enc_log { token: u32, func_code: u32 }
    /// Edit-and-continue map.
    0x1f EncMap EncMapRow enc_map { token: u32 }
    /// II.22.2
    0x20 Assembly AssemblyRow assembly { hash_alg: u32, major: u16, minor: u16, build: u16, revision: u16, flags: u32, public_key: Blob, name: Str, culture: Str }
    /// II.22.4
    0x21 AssemblyProcessor AssemblyProcessorRow assembly_processor { processor: u32 }
    /// II.22.3
    0x22 AssemblyOs AssemblyOsRow assembly_os { platform: u32, major: u32, minor: u32 }
    /// II.22.5
    0x23 AssemblyRef AssemblyRefRow assembly_ref { major: u16, minor: u16, build: u16, revision: u16, flags: u32, public_key_or_token: Blob, name: Str, culture: Str, hash: Blob }
    /// II.22.7
    0x24 AssemblyRefProcessor AssemblyRefProcessorRow assembly_ref_processor { processor: u32, assembly_ref: Index<AssemblyRefRow> }
    /// II.22.6
    0x25 AssemblyRefOs AssemblyRefOsRow assembly_ref_os { platform: u32, major: u32, minor: u32, assembly_ref: Index<AssemblyRefRow> }
    /// II.22.19
    0x26 File FileRow file { flags: u32, name: Str, hash: Blob }
    /// II.22.14
    0x27 ExportedType ExportedTypeRow exported_type { flags: u32, type_def_id: u32, name: Str, namespace: Str, implementation: CodedIndex<coded::Implementation> }
    /// II.22.24
    0x28 ManifestResource ManifestResourceRow manifest_resource { offset: u32, flags: u32, name: Str, implementation: CodedIndex<coded::Implementation> }
    /// II.22.32
    0x29 NestedClass NestedClassRow nested_class { nested: Index<TypeDefRow>, enclosing: Index<TypeDefRow> }
    /// II.22.20
    0x2a GenericParam GenericParamRow generic_param { number: u16, flags: u16, owner: CodedIndex<coded::TypeOrMethodDef>, name: Str }
    /// II.22.29
    0x2b MethodSpec MethodSpecRow method_spec { method: CodedIndex<coded::MethodDefOrRef>, instantiation: Blob }
    /// II.22.21
    0x2c GenericParamConstraint GenericParamConstraintRow generic_param_constraint { owner: Index<GenericParamRow>, constraint: CodedIndex<coded::TypeDefOrRef> }
}
