//! Internal calls that do not exist (yet): they raise an exception naming themselves.

use super::{Result, Thrown, managed};
use crate::arch::native::stubs;
use crate::runtime::Runtime;
use shared_codegen::types::{Prim, TypeContext, TypeId, TypeKind};

/// A function that raises `MissingMethodException` naming the internal call.
pub fn missing(rt: &Runtime, name: String) -> Result<usize> {
    let name: &'static str = name.leak();
    let data = Box::leak(Box::new(name));
    let _ = stubs::native_entry as *const ();
    Ok(rt
        .jit
        .thunks
        .native_callback(core::ptr::from_ref(data) as usize, raise)?)
}

unsafe extern "C" fn raise(data: usize, args: *mut stubs::NativeArgs) {
    // SAFETY: `data` is the leaked name given to the thunk; `args` is valid for the call.
    let name = unsafe {
        (*args).int_results[0] = 0;
        (*args).float_results[0] = 0;
        *(data as *const &'static str)
    };
    managed(|| {
        Err(Thrown::system(
            "MissingMethodException",
            format!("internal call {name}"),
        ))
    })
}

/// A type in the short form of the internal-call tables.
pub fn short_name(types: &TypeContext, ty: TypeId) -> String {
    match types.kind(ty) {
        TypeKind::ByRef(t) => short_name(types, t) + "&",
        TypeKind::Ptr(t) => short_name(types, t) + "*",
        TypeKind::SzArray(t) => short_name(types, t) + "[]",
        _ if types.is_enum(ty) => types.full_name(ty),
        _ => match types.prim(ty) {
            Some(p) => prim_name(p).to_owned(),
            None => match types.type_name(ty) {
                ("System", "Object") => "object".to_owned(),
                ("System", "String") => "string".to_owned(),
                _ => types.full_name(ty),
            },
        },
    }
}

fn prim_name(p: Prim) -> &'static str {
    match p {
        Prim::Bool => "bool",
        Prim::Char => "char",
        Prim::I1 => "sbyte",
        Prim::U1 => "byte",
        Prim::I2 => "int16",
        Prim::U2 => "uint16",
        Prim::I4 => "int",
        Prim::U4 => "uint",
        Prim::I8 => "long",
        Prim::U8 => "ulong",
        Prim::I => "intptr",
        Prim::U => "uintptr",
        Prim::R4 => "single",
        Prim::R8 => "double",
    }
}
