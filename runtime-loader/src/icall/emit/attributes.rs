//! `CustomAttributeBuilder`: blobs of attributes (ECMA-335 II.23.3), and their rows.

use super::super::reflection::member_of as runtime_member;
use super::{Result, elements, growth, items, members, reference, text};
use crate::icall::{Thrown, icalls, managed};
use crate::object::{Obj, array, string};
use crate::runtime::{self, Runtime};
use shared_codegen::metadata::sig_write::write_compressed;
use shared_codegen::metadata::{CustomAttribute, PropertyRow, Token};
use shared_codegen::types::{Known, Member, ModuleId, Prim, TypeId, TypeKind};

icalls! {
    "System.Reflection.Emit.CustomAttributeBuilder" {
        "GetBlob" => blob(Obj, Obj, Obj, Obj, Obj, Obj, Obj) -> Obj;
    }
}

/// Tags of the blob besides element types.
const TYPE: u8 = 0x50;
const BOXED: u8 = 0x51;
const FIELD: u8 = 0x53;
const PROPERTY: u8 = 0x54;
const ENUM: u8 = 0x55;
const STRING: u8 = 0x0e;
const VECTOR: u8 = 0x1d;
/// A null string.
const NULL: u8 = 0xff;

/// Writes the attributes in field `cattrs` of a builder as those of a row, in place of earlier ones.
pub(super) fn write(module: ModuleId, parent: Token, builder: Obj) -> Result<()> {
    let types = &runtime::get().types;
    let growth = growth(module)?;
    let mut rows = Vec::new();
    for attribute in items(builder, "cattrs") {
        let ctor = reference(attribute, "ctor").ok_or_else(Thrown::null_reference)?;
        let ctor = Member::Method(members::method_of(ctor)?);
        let value = members::bytes_in(attribute, "data").unwrap_or_default();
        rows.push(growth.add(&CustomAttribute {
            parent,
            ty: types.token_for(module, ctor),
            value: growth.bytes(value),
        }));
    }
    if !rows.is_empty() {
        growth.set_keyed_rows(parent, rows);
    }
    Ok(())
}

/// Writes the attributes of a builder that takes further ones at any time, if there are further ones.
pub(in crate::icall) fn refresh(module: ModuleId, parent: Token, builder: Obj) -> Result<()> {
    let known = runtime::get().types.module(module);
    match known.custom_attributes_of(parent).len() == items(builder, "cattrs").count() {
        true => Ok(()),
        false => write(module, parent, builder),
    }
}

/// Element type of a primitive.
pub(super) fn element_byte(prim: Prim) -> u8 {
    match prim {
        Prim::Bool => 2,
        Prim::Char => 3,
        Prim::I1 => 4,
        Prim::U1 => 5,
        Prim::I2 => 6,
        Prim::U2 => 7,
        Prim::I4 => 8,
        Prim::U4 => 9,
        Prim::I8 => 0xa,
        Prim::U8 => 0xb,
        Prim::R4 => 0xc,
        Prim::R8 => 0xd,
        Prim::I => 0x18,
        Prim::U => 0x19,
    }
}

/// The bytes of a boxed primitive or enum.
pub(super) fn boxed_bytes(rt: &Runtime, value: Obj) -> Option<(Prim, Vec<u8>)> {
    let ty = value.method_table().type_id();
    let prim = rt.types.prim(rt.types.underlying(ty))?;
    let at = |n: u32| value.get::<u8>(shared_codegen::abi::layout::object::HEADER + n);
    Some((prim, (0..prim.size()).map(at).collect()))
}

struct Writer<'a> {
    rt: &'a Runtime,
    out: Vec<u8>,
}

impl Writer<'_> {
    fn text(&mut self, s: &str) {
        write_compressed(&mut self.out, s.len() as u32);
        self.out.extend_from_slice(s.as_bytes());
    }

    fn is(&self, ty: TypeId, class: Known) -> bool {
        self.rt.types.is_known(ty, class)
    }

    /// A type by the name it can be found by.
    fn type_name(&mut self, ty: TypeId) {
        use shared_codegen::types::NameFormat;
        let types = &self.rt.types;
        let mut name = types.type_name_as(ty, NameFormat::FullName);
        // Assemblies made at run time are not found by name, and their attributes are their own.
        if types.growth(types.type_module(ty)).is_none() {
            name.push_str(", ");
            name.push_str(&types.assembly_name_of(ty));
        }
        self.text(&name);
    }

    /// How a type is named in front of a value.
    fn type_tag(&mut self, ty: TypeId) -> Result<()> {
        let types = &self.rt.types;
        if types.is_enum(ty) {
            self.out.push(ENUM);
            self.type_name(ty);
        } else if let Some(prim) = types.prim(ty) {
            self.out.push(element_byte(prim));
        } else if let TypeKind::SzArray(element) = types.kind(ty) {
            self.out.push(VECTOR);
            self.type_tag(element)?;
        } else if self.is(ty, Known::String) {
            self.out.push(STRING);
        } else if self.is(ty, Known::Object) {
            self.out.push(BOXED);
        } else if self.is(ty, Known::Type) || self.is(ty, Known::RuntimeType) {
            self.out.push(TYPE);
        } else {
            let name = types.full_name(ty);
            return Err(Thrown::argument(
                format!("{name} cannot be an argument of an attribute."),
                "constructorArgs",
            ));
        }
        Ok(())
    }

    fn boxed(&mut self, value: Option<Obj>) -> Result<()> {
        let Some(value) = value else {
            self.out.extend_from_slice(&[STRING, NULL]);
            return Ok(());
        };
        let ty = value.method_table().type_id();
        self.type_tag(ty)?;
        self.value(ty, Some(value))
    }

    fn value(&mut self, ty: TypeId, value: Option<Obj>) -> Result<()> {
        let types = &self.rt.types;
        if self.is(ty, Known::Object) {
            return self.boxed(value);
        }
        if let TypeKind::SzArray(element) = types.kind(ty) {
            return self.vector(element, value);
        }
        let Some(value) = value else {
            self.out.push(NULL);
            return Ok(());
        };
        if types.is_value_type(ty) {
            let bytes = boxed_bytes(self.rt, value);
            let (_, bytes) = bytes.ok_or_else(|| Thrown::argument("value", "value"))?;
            self.out.extend_from_slice(&bytes);
        } else if self.is(ty, Known::String) {
            self.text(&string::to_rust(value));
        } else {
            self.type_name(members::definition_of(value)?);
        }
        Ok(())
    }

    fn vector(&mut self, element: TypeId, list: Option<Obj>) -> Result<()> {
        let Some(list) = list else {
            self.out.extend_from_slice(&u32::MAX.to_le_bytes());
            return Ok(());
        };
        let len = array::len(list);
        self.out.extend_from_slice(&(len as u32).to_le_bytes());
        if self.rt.types.is_value_type(element) {
            let size = list.method_table().component_size;
            let start = shared_codegen::abi::layout::array::DATA as u32;
            let bytes = (0..len as u32 * size).map(|n| list.get::<u8>(start + n));
            self.out.extend(bytes);
            return Ok(());
        }
        for item in elements(Some(list)) {
            self.value(element, item.non_null())?;
        }
        Ok(())
    }

    fn named(&mut self, tag: u8, member: Obj, value: Option<Obj>) -> Result<()> {
        let (name, ty) = named_member(member)?;
        self.out.push(tag);
        self.type_tag(ty)?;
        self.text(&name);
        self.value(ty, value)
    }
}

/// Name and type of a field or property that an attribute sets.
fn named_member(member: Obj) -> Result<(String, TypeId)> {
    let rt = runtime::get();
    match members::class_of(member).1 {
        "RuntimePropertyInfo" => {
            let desc = runtime_member(member, "prop")?;
            let row = PropertyRow(desc.token.row());
            let property = rt.types.property(desc.owner, row)?;
            Ok((property.name.into(), property.ty))
        }
        "RuntimeFieldInfo" => {
            let field = members::field_of(member)?;
            let name = rt.types.field_name(field).into();
            Ok((name, rt.types.field_type(field)?))
        }
        _ => {
            let ty = members::type_or_void(reference(member, "type"))?;
            Ok((text(member, "name"), ty))
        }
    }
}

/// Parameter types of a constructor.
fn parameters(ctor: Obj) -> Result<Vec<TypeId>> {
    let types = &runtime::get().types;
    if members::class_of(ctor).1 == "ConstructorBuilder" {
        return members::types_in(ctor, "parameters");
    }
    let sig = types.method_signature(members::method_of(ctor)?)?;
    Ok(sig.params.to_vec())
}

#[allow(
    clippy::too_many_arguments,
    reason = "the class libraries fix the signature"
)]
extern "C" fn blob(
    _assembly: Obj,
    ctor: Obj,
    arguments: Obj,
    properties: Obj,
    property_values: Obj,
    fields: Obj,
    field_values: Obj,
) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let out = vec![1, 0];
        let mut w = Writer { rt, out };
        for (ty, value) in parameters(ctor)?
            .into_iter()
            .zip(elements(arguments.non_null()))
        {
            w.value(ty, value.non_null())?;
        }
        let count = |list: Obj| list.non_null().map_or(0, array::len) as u16;
        let named = count(properties) + count(fields);
        w.out.extend_from_slice(&named.to_le_bytes());
        for (tag, names, values) in [
            (PROPERTY, properties, property_values),
            (FIELD, fields, field_values),
        ] {
            let pairs = elements(names.non_null()).zip(elements(values.non_null()));
            for (member, value) in pairs {
                w.named(tag, member, value.non_null())?;
            }
        }
        let class = rt.types.sz_array(rt.types.known(Known::Byte));
        let a = array::allocate(rt.method_table(class)?, w.out.len())?;
        array::as_mut_slice::<u8>(a).copy_from_slice(&w.out);
        Ok(a)
    })
}
