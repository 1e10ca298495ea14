//! Signature blobs from builders.

use super::{elements, growth, members, reference};
use crate::icall::{Result, Thrown, icalls, managed};
use crate::object::{Obj, array};
use crate::runtime;
use shared_codegen::metadata::sig::{MethodSig, PropertySig, TypeSig};
use shared_codegen::metadata::sig_write;
use shared_codegen::types::{Known, Member, ModuleId};

icalls! {
    "System.Reflection.Emit.SignatureHelper" {
        "get_signature_field" => of_field(Obj) -> Obj;
        "get_signature_local" => of_locals(Obj) -> Obj;
    }
}

/// `CallingConventions`
const VAR_ARGS: i32 = 2;
const HAS_THIS: i32 = 0x20;
const EXPLICIT_THIS: i32 = 0x40;

/// `SignatureHelperType`
const FIELD: i32 = 0;
const LOCALS: i32 = 1;
const METHOD: i32 = 2;

/// A type as it stands in a signature of the module.
pub(super) fn type_sig(module: ModuleId, ty: Obj) -> Result<TypeSig> {
    let types = &runtime::get().types;
    Ok(types.sig_of_type(module, members::type_of(ty)?))
}

/// As [`type_sig`]; null is `void`.
pub(super) fn type_or_void_sig(module: ModuleId, ty: Option<Obj>) -> Result<TypeSig> {
    let types = &runtime::get().types;
    Ok(types.sig_of_type(module, members::type_or_void(ty)?))
}

/// Puts custom modifiers (arrays of types) around a type.
pub(super) fn modified(
    module: ModuleId,
    inner: TypeSig,
    required: Option<Obj>,
    optional: Option<Obj>,
) -> Result<TypeSig> {
    let types = &runtime::get().types;
    let mut all = inner;
    for (list, is_required) in [(optional, false), (required, true)] {
        for ty in elements(list) {
            let modifier = Member::Type(members::definition_of(ty)?);
            let token = types.token_for(module, modifier);
            all = TypeSig::Modified(is_required, token, Box::new(all));
        }
    }
    Ok(all)
}

/// Element `n` of an array of arrays that may be missing.
pub(super) fn nth(list: Option<Obj>, n: usize) -> Option<Obj> {
    let list = list.filter(|l| n < array::len(*l))?;
    array::get::<Obj>(list, n).non_null()
}

/// The types in the array `field`, with the modifiers in two arrays of arrays: required ones, optional ones.
pub(super) fn parameters(
    module: ModuleId,
    builder: Obj,
    field: &'static str,
    modifiers: Option<[&'static str; 2]>,
) -> Result<Vec<TypeSig>> {
    let list = |which: usize| reference(builder, modifiers?[which]);
    let (required, optional) = (list(0), list(1));
    let types = elements(reference(builder, field)).enumerate();
    let each = types.map(|(n, ty)| {
        let ty = type_sig(module, ty)?;
        modified(module, ty, nth(required, n), nth(optional, n))
    });
    each.collect()
}

/// First byte of a method signature and the flags of `CallingConventions`.
pub(super) fn method_sig(convention: i32, ret: TypeSig, params: Vec<TypeSig>) -> MethodSig {
    MethodSig {
        call_conv: if convention & VAR_ARGS != 0 { 5 } else { 0 },
        has_this: convention & HAS_THIS != 0,
        explicit_this: convention & EXPLICIT_THIS != 0,
        generic_count: 0,
        ret,
        params,
        sentinel: None,
    }
}

/// The blob of a property.
pub(super) fn property(module: ModuleId, builder: Obj, has_this: bool) -> Result<Vec<u8>> {
    let ty = type_or_void_sig(module, reference(builder, "type"))?;
    Ok(sig_write::property_blob(&PropertySig {
        has_this,
        ty,
        params: parameters(
            module,
            builder,
            "parameters",
            Some(["paramModReq", "paramModOpt"]),
        )?,
    }))
}

/// The blob of a `SignatureHelper`.
pub(super) fn blob(module: ModuleId, helper: Obj) -> Result<Vec<u8>> {
    let rt = runtime::get();
    let arguments = || parameters(module, helper, "arguments", Some(["modreqs", "modopts"]));
    match rt.get_field::<i32>(helper, "type") {
        LOCALS => Ok(sig_write::locals_blob(&arguments()?)),
        FIELD => match arguments()?.as_slice() {
            [ty] => Ok(sig_write::field_blob(ty)),
            _ => Err(Thrown::argument("A field has one type.", "arguments")),
        },
        METHOD => {
            let ret = type_or_void_sig(module, reference(helper, "returnType"))?;
            let convention = rt.get_field::<i32>(helper, "callConv");
            let mut sig = method_sig(convention, ret, arguments()?);
            // `CallingConvention` counts from 1 = Winapi, signatures from 1 = C.
            let native = rt.get_field::<i32>(helper, "unmanagedCallConv");
            if native != 0 {
                sig.call_conv = (native - 1).clamp(1, 4) as u8;
            }
            Ok(sig_write::method_blob(&sig))
        }
        _ => Err(Thrown::not_supported("Signatures of properties")),
    }
}

fn as_array(helper: Obj) -> Result<Obj> {
    let rt = runtime::get();
    let module = match reference(helper, "module") {
        Some(m) => members::module_of(m)?,
        None => rt.emit.methods_module(rt),
    };
    growth(module)?;
    let blob = blob(module, helper)?;
    let class = rt.types.sz_array(rt.types.known(Known::Byte));
    let a = array::allocate(rt.method_table(class)?, blob.len())?;
    array::as_mut_slice::<u8>(a).copy_from_slice(&blob);
    Ok(a)
}

extern "C" fn of_field(helper: Obj) -> Obj {
    managed(|| as_array(helper))
}

extern "C" fn of_locals(helper: Obj) -> Obj {
    managed(|| as_array(helper))
}
