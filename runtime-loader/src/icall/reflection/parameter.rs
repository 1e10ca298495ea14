//! `RuntimeParameterInfo` and constants in metadata.

use super::{marshal_info, method_of, method_of_handle, object_array, shown_in};
use crate::icall::runtime_type::{object_of, type_array};
use crate::icall::{Result, icalls, managed};
use crate::object::{MethodDesc, Obj, new_object, string};
use crate::runtime::{self, cast};
use shared_codegen::metadata::sig::TypeSig;
use shared_codegen::metadata::{Constant, Param, ParamRow, sig};
use shared_codegen::types::{Known, ModuleId, TypeId};

icalls! {
    "System.Reflection.RuntimeParameterInfo" {
        "GetMetadataToken" => metadata_token(Obj) -> i32;
        "GetTypeModifiers" => type_modifiers(Obj, Obj, i32, bool) -> Obj;
    }
}

/// `ParameterAttributes.Optional`
const OPTIONAL: u16 = 0x10;

/// The Param row of a parameter (0 for the result).
pub(super) fn param_row(desc: &MethodDesc, sequence: usize) -> Option<(ParamRow, Param)> {
    let types = &runtime::get().types;
    let module = types.module(types.method_module(desc.method));
    let rows = module.params_of(types.method_row(desc.method));
    rows.filter_map(|r| Some((r, module.param(r).ok()?)))
        .find(|(_, p)| usize::from(p.sequence) == sequence)
}

pub(super) extern "C" fn parameter_info(handle: usize, member: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let desc = method_of_handle(handle)?;
        let reflected: Obj = if member.is_null() {
            Obj::NULL
        } else {
            rt.get_field(member, "reftype")
        };
        let reflected = rt.type_of_object(reflected).map_or(0, |mt| mt.handle());
        // Method handles are even, so this key is not a method's own.
        rt.reflect
            .get_or_make((handle | 1, reflected), || make_parameters(desc, member))
    })
}

fn make_parameters(desc: &'static MethodDesc, member: Obj) -> Result<Obj> {
    let rt = runtime::get();
    let params = rt.types.method_signature(desc.method)?.params;
    let array = object_array(
        rt,
        rt.types.known(Known::ParameterInfo),
        &vec![Obj::NULL; params.len()],
    )?;
    for (n, ty) in params.iter().enumerate() {
        let p = new_object(rt.known(Known::RuntimeParameterInfo))?;
        crate::object::array::set(array, n, p);
        let row = param_row(desc, n + 1);
        rt.set_field(p, "ClassImpl", object_of(shown_in(desc.method, *ty))?);
        rt.set_field(p, "PositionImpl", n as i32);
        rt.set_field(p, "MemberImpl", member);
        rt.set_field(p, "AttrsImpl", row.map_or(0, |r| i32::from(r.1.flags)));
        rt.set_field(p, "DefaultValueImpl", default_value(desc, row, *ty)?);
        if let Some((row, data)) = row {
            rt.set_field(p, "NameImpl", string::from_rust(data.name)?);
            rt.set_field(
                p,
                "marshalAs",
                marshal_info::of_token(rt.types.method_module(desc.method), row.token())?,
            );
        }
    }
    Ok(array)
}

fn default_value(desc: &MethodDesc, row: Option<(ParamRow, Param)>, ty: TypeId) -> Result<Obj> {
    let rt = runtime::get();
    let module = rt.types.method_module(desc.method);
    if let Some((row, _)) = row
        && let Some(constant) = rt.types.module(module).constant_of(row.token())
    {
        return constant_value(&constant, Some(ty));
    }
    let optional = row.is_some_and(|r| r.1.flags & OPTIONAL != 0);
    let class = rt.types.known(if optional {
        Known::Missing
    } else {
        Known::DBNull
    });
    rt.class_init.ensure(rt.method_table(class)?)?;
    let at = rt.static_field(class, "Value")?;
    // SAFETY: the address of a static field of reference type.
    Ok(unsafe { at.cast::<Obj>().read() })
}

/// The object of a constant: a string, null, or a box of its primitive type, or of the enum `ty`.
pub(super) fn constant_value(constant: &Constant, ty: Option<TypeId>) -> Result<Obj> {
    let rt = runtime::get();
    let element = sig::Element::from_byte(constant.ty as u8);
    match element {
        Some(sig::Element::String) => {
            let units: Vec<u16> = constant
                .value
                .chunks_exact(2)
                .map(|c| u16::from_le_bytes([c[0], c[1]]))
                .collect();
            string::from_units(&units)
        }
        Some(e) => {
            let Some(class) = primitive(e) else {
                return Ok(Obj::NULL);
            };
            let class = rt.types.known(class);
            let boxed_as = ty
                .filter(|t| rt.types.is_enum(*t) && rt.types.underlying(*t) == class)
                .unwrap_or(class);
            let mut bits = [0u8; 8];
            let n = constant.value.len().min(8);
            bits[..n].copy_from_slice(&constant.value[..n]);
            cast::box_value(rt.method_table(boxed_as)?, bits.as_ptr())
        }
        None => Ok(Obj::NULL),
    }
}

/// The class of a primitive element type.
pub(super) fn primitive(e: sig::Element) -> Option<Known> {
    use sig::Element as E;
    Some(match e {
        E::Boolean => Known::Boolean,
        E::Char => Known::Char,
        E::I1 => Known::SByte,
        E::U1 => Known::Byte,
        E::I2 => Known::Int16,
        E::U2 => Known::UInt16,
        E::I4 => Known::Int32,
        E::U4 => Known::UInt32,
        E::I8 => Known::Int64,
        E::U8 => Known::UInt64,
        E::R4 => Known::Single,
        E::R8 => Known::Double,
        _ => return None,
    })
}

extern "C" fn metadata_token(parameter: Obj) -> i32 {
    managed(|| {
        let rt = runtime::get();
        let nil = 0x0800_0000;
        let member: Obj = rt.get_field(parameter, "MemberImpl");
        let is_method = !member.is_null() && is_method_object(member);
        if !is_method {
            return Ok(nil);
        }
        let position: i32 = rt.get_field(parameter, "PositionImpl");
        let row = param_row(method_of(member)?, (position + 1) as usize);
        Ok(row.map_or(nil, |r| r.0.token().0 as i32))
    })
}

/// Is this a method or constructor object of ours?
pub(super) fn is_method_object(member: Obj) -> bool {
    let rt = runtime::get();
    let class = member.method_table().type_id();
    class == rt.types.known(Known::RuntimeMethodInfo)
        || class == rt.types.known(Known::RuntimeConstructorInfo)
}

/// Custom modifiers of a type in a signature.
pub(super) fn modifiers(module: ModuleId, sig: &TypeSig, optional: bool) -> Result<Obj> {
    let types = &runtime::get().types;
    let mut found = Vec::new();
    let mut at = sig;
    while let TypeSig::Modified(required, token, inner) = at {
        if *required != optional {
            found.push(types.resolve_type(module, *token, Default::default())?);
        }
        at = inner;
    }
    type_array(&found, false)
}

extern "C" fn type_modifiers(_ty: Obj, member: Obj, position: i32, optional: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        if member.is_null() || !is_method_object(member) {
            return type_array(&[], false);
        }
        let m = method_of(member)?.method;
        let Some(def) = rt.types.method_def(m) else {
            return type_array(&[], false);
        };
        let signature =
            sig::parse_method(def.signature).map_err(shared_codegen::types::Error::from)?;
        let part = match usize::try_from(position) {
            Ok(n) => signature.params.get(n),
            Err(_) => Some(&signature.ret),
        };
        match part {
            Some(part) => modifiers(rt.types.method_module(m), part, optional),
            None => type_array(&[], false),
        }
    })
}
