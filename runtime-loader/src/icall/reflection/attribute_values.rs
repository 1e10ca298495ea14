//! Custom attribute blobs decoded into objects.

use super::parameter::primitive;
use crate::icall::runtime_type::object_of;
use crate::icall::{Result, Thrown};
use crate::object::{Obj, array, string};
use crate::runtime::{self, cast};
use shared_codegen::metadata;
use shared_codegen::metadata::attribute::{self, ArgType, Attribute, EnumRef, Value};
use shared_codegen::metadata::sig::{self, Element};
use shared_codegen::types::{Known, MethodId, ModuleId, Prim, TypeId, TypeName};

/// Where the types in an attribute are looked for.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    /// Tokens in the constructor's signature belong to its module.
    declaring: ModuleId,
    /// Names in the blob are meant in the module that uses the attribute.
    using: ModuleId,
}

/// Decodes the blob of an attribute that a module uses.
pub(super) fn decode(
    using: ModuleId,
    constructor: MethodId,
    blob: &'static [u8],
) -> Result<(Attribute, Scope)> {
    let types = &runtime::get().types;
    let def = types
        .method_def(constructor)
        .ok_or_else(Thrown::null_reference)?;
    let params = sig::parse_method(def.signature).map_err(failed)?.params;
    let scope = Scope {
        declaring: types.method_module(constructor),
        using,
    };
    let underlying = |which: EnumRef| -> metadata::Result<Element> {
        let ty = enum_type(scope, which).map_err(|_| metadata::Error::Blob("unknown enum"))?;
        let prim = types.try_underlying(ty).ok().and_then(|t| types.prim(t));
        prim.and_then(element_of)
            .ok_or(metadata::Error::Blob("not an enum"))
    };
    let decoded = attribute::parse(blob, &params, &underlying).map_err(failed)?;
    Ok((decoded, scope))
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

fn enum_type(scope: Scope, which: EnumRef) -> Result<TypeId> {
    let types = &runtime::get().types;
    match which {
        EnumRef::Token(token) => {
            Ok(types.resolve_type(scope.declaring, token, Default::default())?)
        }
        EnumRef::Name(name) => named_type(scope.using, name),
    }
}

/// The type of an argument.
pub(super) fn type_of(scope: Scope, ty: &ArgType) -> Result<TypeId> {
    let types = &runtime::get().types;
    Ok(match ty {
        ArgType::Primitive(e) => types.known(primitive(*e).unwrap_or(Known::Object)),
        ArgType::String => types.known(Known::String),
        ArgType::Type => types.known(Known::Type),
        ArgType::Object => types.known(Known::Object),
        ArgType::Enum(which, _) => enum_type(scope, *which)?,
        ArgType::Array(e) => types.sz_array(type_of(scope, e)?),
    })
}

/// A value as an object: null, a string, a `Type`, a box or an array.
pub(super) fn object(scope: Scope, ty: &ArgType, value: &Value) -> Result<Obj> {
    let rt = runtime::get();
    match (ty, value) {
        (_, Value::Bits(bits)) => {
            let mt = rt.method_table(type_of(scope, ty)?)?;
            cast::box_value(mt, core::ptr::from_ref(bits).cast())
        }
        (_, Value::Text(None) | Value::Array(None)) => Ok(Obj::NULL),
        (ArgType::Type, Value::Text(Some(name))) => object_of(named_type(scope.using, name)?),
        (_, Value::Text(Some(text))) => string::from_rust(text),
        (_, Value::Boxed(inner)) => object(scope, &inner.ty, &inner.value),
        (ArgType::Array(element), Value::Array(Some(items))) => vector(scope, element, items),
        (_, Value::Array(Some(_))) => Ok(Obj::NULL),
    }
}

fn vector(scope: Scope, element: &ArgType, items: &[Value]) -> Result<Obj> {
    let rt = runtime::get();
    let class = type_of(scope, element)?;
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
            other => array::set(a, n, object(scope, element, other)?),
        }
    }
    Ok(a)
}
