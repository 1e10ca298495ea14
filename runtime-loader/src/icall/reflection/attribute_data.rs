//! `CustomAttributeData`: attributes as data, nothing instantiated.

use super::attribute_values::{Scope, decode, object, type_of};
use super::custom_attributes::find;
use super::{field_object, method_object, method_of, module_of_handle, object_array};
use crate::icall::assembly::assembly_object;
use crate::icall::runtime_type::{normal, object_of};
use crate::icall::{Result, Thrown, icalls, managed};
use crate::object::{MethodTable, Obj, array, new_object};
use crate::runtime;
use crate::runtime::invoke::{self, Arg};
use shared_codegen::metadata::attribute::{self, NamedArg, Value};
use shared_codegen::types::{Known, TypeId};

icalls! {
    "System.Reflection.CustomAttributeData" {
        "ResolveArgumentsInternal" => resolve(Obj, Obj, *const u8, u32, *mut Obj, *mut Obj);
    }
}

/// Runs the constructor with these parameter types on a fresh object (or box).
fn construct(class: Known, params: &[TypeId], args: &[Arg]) -> Result<Obj> {
    let rt = runtime::get();
    let mt = rt.known(class);
    let ctor = rt.types.find_constructor(mt.type_id(), params)?;
    let ctor = ctor.ok_or_else(|| {
        Thrown::system("MissingMethodException", rt.types.full_name(mt.type_id()))
    })?;
    let made = new_object(mt)?;
    let this = if rt.types.is_value_type(mt.type_id()) {
        Arg::Word(made.data() as u64)
    } else {
        Arg::Ref(made)
    };
    let all: Vec<Arg> = core::iter::once(this).chain(args.iter().copied()).collect();
    invoke::call(rt.methods.desc(ctor), &all)?;
    Ok(made)
}

pub(super) extern "C" fn get(provider: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let found = find(provider, None)?;
        let class = rt.types.known(Known::CustomAttributeData);
        let all = object_array(rt, class, &vec![Obj::NULL; found.len()])?;
        for (n, f) in found.iter().enumerate() {
            let params = [
                rt.types
                    .require_type(rt.types.corlib(), "System.Reflection", "ConstructorInfo")?,
                rt.types.known(Known::Assembly),
                rt.types.known(Known::IntPtr),
                rt.types.known(Known::UInt32),
            ];
            let args = [
                Arg::Ref(method_object(f.constructor)?),
                Arg::Ref(assembly_object(f.module)?),
                Arg::Word(f.row.value.as_ptr() as u64),
                Arg::Word(f.row.value.len() as u64),
            ];
            array::set(
                all,
                n,
                construct(Known::CustomAttributeData, &params, &args)?,
            );
        }
        Ok(all)
    })
}

extern "C" fn resolve(
    ctor: Obj,
    assembly: Obj,
    data: *const u8,
    len: u32,
    fixed: *mut Obj,
    named: *mut Obj,
) {
    managed(|| {
        let rt = runtime::get();
        let module = module_of_handle(rt.get_field(assembly, "_mono_assembly"))?;
        let method = method_of(ctor)?.method;
        // SAFETY: the blob given to the constructor of `CustomAttributeData`: bytes of a mapped assembly.
        let blob: &'static [u8] = unsafe { core::slice::from_raw_parts(data, len as usize) };
        let (decoded, scope) = decode(module, method, blob)?;
        let typed = object_array(
            rt,
            rt.types.known(Known::Object),
            &vec![Obj::NULL; decoded.fixed.len()],
        )?;
        for (n, a) in decoded.fixed.iter().enumerate() {
            array::set(typed, n, typed_argument(scope, a)?);
        }
        let class = rt.method_table(rt.types.method_owner(method))?;
        let members = object_array(
            rt,
            rt.types.known(Known::Object),
            &vec![Obj::NULL; decoded.named.len()],
        )?;
        for (n, a) in decoded.named.iter().enumerate() {
            array::set(members, n, named_argument(scope, class, a)?);
        }
        // SAFETY: addresses of the caller's variables.
        unsafe {
            fixed.write(typed);
            named.write(members);
        }
        Ok(())
    })
}

fn typed_argument(scope: Scope, arg: &attribute::Arg) -> Result<Obj> {
    let rt = runtime::get();
    // What a parameter of type `object` holds has a type of its own.
    let arg = match &arg.value {
        Value::Boxed(inner) if !matches!(inner.value, Value::Text(None)) => inner,
        _ => arg,
    };
    let ty = object_of(type_of(scope, &arg.ty)?)?;
    let value = object(scope, &arg.ty, &arg.value)?;
    let params = [rt.types.known(Known::Type), rt.types.known(Known::Object)];
    construct(
        Known::CustomAttributeTypedArgument,
        &params,
        &[Arg::Ref(ty), Arg::Ref(value)],
    )
}

fn named_argument(scope: Scope, class: &'static MethodTable, arg: &NamedArg) -> Result<Obj> {
    let rt = runtime::get();
    let typed = typed_argument(scope, &arg.arg)?;
    let member = named_member(class, arg)?;
    let member_info =
        rt.types
            .require_type(rt.types.corlib(), "System.Reflection", "MemberInfo")?;
    let params = [member_info, rt.types.known(Known::Object)];
    construct(
        Known::CustomAttributeNamedArgument,
        &params,
        &[Arg::Ref(member), Arg::Ref(typed)],
    )
}

fn named_member(class: &'static MethodTable, arg: &NamedArg) -> Result<Obj> {
    let rt = runtime::get();
    let mut at = Some(class.type_id());
    while let Some(t) = at {
        if arg.is_field
            && let Some(f) = rt.types.find_field(t, arg.name)?
        {
            return field_object(f, class);
        }
        if !arg.is_field
            && let Some(p) = rt
                .types
                .properties(t)?
                .into_iter()
                .find(|p| p.name == arg.name)
        {
            let desc = rt.reflect.member(normal(t), p.row.token());
            return super::property::property_object(desc, class);
        }
        at = rt.types.parent(t)?;
    }
    Ok(Obj::NULL)
}
