//! Custom attribute blobs decoded into objects.

use super::parameter::primitive;
use crate::icall::runtime_type::object_of;
use crate::icall::{Result, Thrown};
use crate::object::{Obj, array, string};
use crate::runtime::{self, cast};
use shared_codegen::metadata::attribute::{self, ArgType, Attribute, EnumRef, Value};
use shared_codegen::metadata::sig::{self, Element, TypeSig};
use shared_codegen::metadata::{self, CustomAttribute, MemberRefRow, MethodDefRow};
use shared_codegen::types::{Known, ModuleId, Prim, TypeId, TypeName};

/// Decodes the blob of an attribute of a module.
pub(super) fn decode(module: ModuleId, row: &CustomAttribute) -> Result<Attribute> {
    let md = runtime::get().types.module(module);
    let signature = match (
        row.ty.as_row::<MethodDefRow>(),
        row.ty.as_row::<MemberRefRow>(),
    ) {
        (Some(def), _) => md.method_def(def).map(|d| d.signature),
        (_, Some(reference)) => md.member_ref(reference).map(|r| r.signature),
        _ => Err(metadata::Error::Token(row.ty.0)),
    };
    let params = signature
        .and_then(sig::parse_method)
        .map_err(failed)?
        .params;
    decode_with(module, module, row.value, &params)
}

/// Decodes a blob for a constructor with these parameters. Tokens in the parameters belong to `declaring`, names in the
/// blob are looked up for `module`.
pub(super) fn decode_with(
    declaring: ModuleId,
    module: ModuleId,
    blob: &'static [u8],
    params: &[TypeSig],
) -> Result<Attribute> {
    let underlying = |which: EnumRef| -> metadata::Result<Element> {
        let scope = if matches!(which, EnumRef::Token(_)) {
            declaring
        } else {
            module
        };
        let ty = enum_type(scope, which).map_err(|_| metadata::Error::Blob("unknown enum"))?;
        let types = &runtime::get().types;
        let prim = types.try_underlying(ty).ok().and_then(|t| types.prim(t));
        prim.and_then(element_of)
            .ok_or(metadata::Error::Blob("not an enum"))
    };
    attribute::parse(blob, params, &underlying).map_err(failed)
}

fn failed(e: metadata::Error) -> Thrown {
    Thrown::of(
        "System.Reflection",
        "CustomAttributeFormatException",
        e.to_string(),
    )
}

fn element_of(p: Prim) -> Option<Element> {
    Some(match p {
        Prim::Bool => Element::Boolean,
        Prim::Char => Element::Char,
        Prim::I1 => Element::I1,
        Prim::U1 => Element::U1,
        Prim::I2 => Element::I2,
        Prim::U2 => Element::U2,
        Prim::I4 => Element::I4,
        Prim::U4 => Element::U4,
        Prim::I8 => Element::I8,
        Prim::U8 => Element::U8,
        Prim::R4 => Element::R4,
        Prim::R8 => Element::R8,
        Prim::I | Prim::U => return None,
    })
}

fn named_type(module: ModuleId, name: &str) -> Result<TypeId> {
    let types = &runtime::get().types;
    let parsed = TypeName::parse(name)?;
    let found = types.resolve_type_name(module, &parsed, false)?;
    found.ok_or_else(|| {
        Thrown::system(
            "TypeLoadException",
            format!("Could not load type '{name}'."),
        )
    })
}

fn enum_type(module: ModuleId, which: EnumRef) -> Result<TypeId> {
    match which {
        EnumRef::Token(token) => {
            Ok(runtime::get()
                .types
                .resolve_type(module, token, Default::default())?)
        }
        EnumRef::Name(name) => named_type(module, name),
    }
}

/// The type of an argument.
pub(super) fn type_of(module: ModuleId, ty: &ArgType) -> Result<TypeId> {
    let types = &runtime::get().types;
    Ok(match ty {
        ArgType::Primitive(e) => types.known(primitive(*e).unwrap_or(Known::Object)),
        ArgType::String => types.known(Known::String),
        ArgType::Type => types.known(Known::Type),
        ArgType::Object => types.known(Known::Object),
        ArgType::Enum(which, _) => enum_type(module, *which)?,
        ArgType::Array(e) => types.sz_array(type_of(module, e)?),
    })
}

/// A value as an object: null, a string, a `Type`, a box or an array.
pub(super) fn object(module: ModuleId, ty: &ArgType, value: &Value) -> Result<Obj> {
    let rt = runtime::get();
    match (ty, value) {
        (_, Value::Bits(bits)) => {
            let mt = rt.method_table(type_of(module, ty)?)?;
            cast::box_value(mt, core::ptr::from_ref(bits).cast())
        }
        (_, Value::Text(None) | Value::Array(None)) => Ok(Obj::NULL),
        (ArgType::Type, Value::Text(Some(name))) => object_of(named_type(module, name)?),
        (_, Value::Text(Some(text))) => string::from_rust(text),
        (_, Value::Boxed(inner)) => object(module, &inner.ty, &inner.value),
        (ArgType::Array(element), Value::Array(Some(items))) => vector(module, element, items),
        (_, Value::Array(Some(_))) => Ok(Obj::NULL),
    }
}

fn vector(module: ModuleId, element: &ArgType, items: &[Value]) -> Result<Obj> {
    let rt = runtime::get();
    let class = type_of(module, element)?;
    let a = array::allocate(rt.method_table(rt.types.sz_array(class))?, items.len())?;
    for (n, item) in items.iter().enumerate() {
        match item {
            Value::Bits(bits) => {
                let size = a.method_table().component_size as usize;
                // SAFETY: an element has `size` bytes, at most eight.
                unsafe {
                    core::ptr::copy_nonoverlapping(
                        core::ptr::from_ref(bits).cast(),
                        array::element(a, n),
                        size.min(8),
                    );
                }
            }
            other => array::set(a, n, object(module, element, other)?),
        }
    }
    Ok(a)
}
