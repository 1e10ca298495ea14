//! `RuntimeMethodInfo`, `RuntimeConstructorInfo`, `MonoMethodInfo`.

use super::marshal_info::of_result as marshal_of_result;
use super::parameter::parameter_info;
use super::{method_object, method_of, method_of_handle, shown_context, shown_in};
use crate::icall::runtime_type::{normal, object_of, table, type_array};
use crate::icall::{Result, Thrown, icalls, managed, stack_trace};
use crate::object::{MethodTable, Obj, array, string};
use crate::runtime;
use shared_codegen::metadata::Token;
use shared_codegen::types::{CallConv, MethodId, MethodKind};

icalls! {
    "System.Reflection.MonoMethodInfo" {
        "get_method_attributes" => method_attributes(usize) -> i32;
        "get_method_info" => method_info(usize, *mut MethodInfoData);
        "get_retval_marshal" => marshal_of_result(usize) -> Obj;
        "get_parameter_info" => parameter_info(usize, Obj) -> Obj;
    }
    "System.Reflection.RuntimeMethodInfo" {
        "GetMethodFromHandleInternalType_native" => method_from_handle(usize, usize, bool) -> Obj;
        "get_name" => method_name(Obj) -> Obj;
        "get_IsGenericMethod" => is_generic_method(Obj) -> bool;
        "get_IsGenericMethodDefinition" => is_generic_definition(Obj) -> bool;
        "get_metadata_token" => metadata_token(Obj) -> i32;
        "get_base_method" => base_method(Obj, bool) -> Obj;
        "GetGenericArguments" => generic_arguments(Obj) -> Obj;
        "GetGenericMethodDefinition_impl" => generic_definition(Obj) -> Obj;
        "MakeGenericMethod_impl" => make_generic_method(Obj, Obj) -> Obj;
        "GetPInvoke" => pinvoke(Obj, *mut i32, *mut Obj, *mut Obj);
    }
    "System.Reflection.RuntimeConstructorInfo" {
        "get_metadata_token" => metadata_token(Obj) -> i32;
    }
    "System.Reflection.MethodBase" {
        "GetCurrentMethod" => current_method() -> Obj;
    }
    "System.RuntimeMethodHandle" {
        "GetFunctionPointer" => function_pointer(usize) -> usize;
    }
    "System.RuntimeType" {
        "GetCorrespondingInflatedMethod" => inflated_method(Obj, Obj) -> Obj;
        "GetCorrespondingInflatedConstructor" => inflated_method(Obj, Obj) -> Obj;
    }
}

/// Flags of array pseudo-methods: public, special name for constructors.
const ARRAY_METHOD_FLAGS: i32 = 6;

extern "C" fn method_attributes(handle: usize) -> i32 {
    managed(|| Ok(attributes_of(method_of_handle(handle)?.method)))
}

fn attributes_of(method: MethodId) -> i32 {
    runtime::get()
        .types
        .method_def(method)
        .map_or(ARRAY_METHOD_FLAGS, |d| d.flags.into())
}

/// `System.Reflection.MonoMethodInfo`
#[repr(C)]
pub struct MethodInfoData {
    parent: Obj,
    ret: Obj,
    attrs: i32,
    impl_attrs: i32,
    call_conv: i32,
}

/// `CallingConventions`
fn calling_convention(conv: CallConv, has_this: bool, explicit_this: bool) -> i32 {
    let kind = if conv == CallConv::VarArg { 2 } else { 1 };
    kind | if has_this { 0x20 } else { 0 } | if explicit_this { 0x40 } else { 0 }
}

extern "C" fn method_info(handle: usize, out: *mut MethodInfoData) {
    managed(|| {
        let rt = runtime::get();
        let method = method_of_handle(handle)?.method;
        let signature = rt.types.method_signature(method)?;
        let def = rt.types.method_def(method);
        let data = MethodInfoData {
            parent: object_of(rt.types.method_owner(method))?,
            ret: object_of(shown_in(method, signature.ret))?,
            attrs: attributes_of(method),
            impl_attrs: def.map_or(0, |d| d.impl_flags.into()),
            call_conv: calling_convention(
                signature.conv,
                signature.has_this,
                signature.explicit_this,
            ),
        };
        // SAFETY: the address of the caller's struct.
        unsafe { out.write(data) };
        Ok(())
    })
}

extern "C" fn method_from_handle(method: usize, ty: usize, _generic_check: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let desc = method_of_handle(method)?;
        let owner = normal(rt.types.method_owner(desc.method));
        let Some(asked) = MethodTable::from_handle(ty) else {
            return rt.method_object(desc, rt.method_table(owner)?);
        };
        let asked_type = normal(asked.type_id());
        if asked_type == owner {
            return rt.method_object(desc, rt.method_table(owner)?);
        }
        // The same method on another instance of its class, else one inherited by the type asked for.
        let def = rt.types.definition(owner);
        let Some(exact) = rt.types.ancestor_of_definition(asked_type, def) else {
            return Ok(Obj::NULL);
        };
        let on = rt.types.method_on(desc.method, rt.types.open_form(exact));
        rt.method_object(rt.methods.desc(on), asked)
    })
}

extern "C" fn method_name(method: Obj) -> Obj {
    managed(|| string::from_rust(runtime::get().types.method_name(method_of(method)?.method)))
}

extern "C" fn is_generic_method(method: Obj) -> bool {
    managed(|| {
        Ok(runtime::get()
            .types
            .generic_param_count(method_of(method)?.method)
            > 0)
    })
}

extern "C" fn is_generic_definition(method: Obj) -> bool {
    managed(|| {
        Ok(runtime::get()
            .types
            .is_generic_method_definition(method_of(method)?.method))
    })
}

/// Token of a method; array methods have a nil one.
extern "C" fn metadata_token(method: Obj) -> i32 {
    managed(|| Ok(Token::from(runtime::get().types.method_row(method_of(method)?.method)).0 as i32))
}

/// The method that `method` overrides: the first declaration, or the one in the nearest base class.
extern "C" fn base_method(method: Obj, definition: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let desc = method_of(method)?;
        let owner = rt.types.method_owner(desc.method);
        let Some(slot) = rt
            .types
            .vtable_slot(desc.method)
            .filter(|_| !rt.types.is_interface(owner))
        else {
            return Ok(method);
        };
        let mut found = desc.method;
        let mut at = owner;
        while let Some(parent) = rt.types.parent(at)? {
            if slot >= rt.types.vtable_len(parent)? {
                break;
            }
            found = rt.types.vtable_method(parent, slot)?;
            at = rt.types.method_owner(found);
            if !definition || rt.types.method_is_newslot(found) {
                break;
            }
        }
        if found == desc.method {
            return Ok(method);
        }
        // In terms of the type asked about, as reflection shows its parameters.
        let shown = rt
            .types
            .substitute(rt.types.method_owner(found), shown_context(owner, None));
        method_object(rt.types.method_on(found, shown))
    })
}

extern "C" fn generic_arguments(method: Obj) -> Obj {
    managed(|| {
        let types = &runtime::get().types;
        let m = method_of(method)?.method;
        let args = if types.is_generic_method_definition(m) {
            types.method_param_types(m)
        } else {
            types.method_args(m)
        };
        type_array(args, false)
    })
}

extern "C" fn generic_definition(method: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let m = method_of(method)?.method;
        if rt.types.generic_param_count(m) == 0 {
            return Ok(Obj::NULL);
        }
        if rt.types.is_generic_method_definition(m) {
            return Ok(method);
        }
        let reflected = table(rt.get_field(method, "reftype"))?;
        rt.method_object(rt.methods.desc(rt.types.method_definition(m)), reflected)
    })
}

extern "C" fn make_generic_method(method: Obj, arguments: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let m = rt.types.method_definition(method_of(method)?.method);
        let args = array::as_slice::<Obj>(arguments)
            .iter()
            .map(|a| Ok(table(*a)?.type_id()))
            .collect::<Result<Vec<_>>>()?;
        let args = rt.types.list(&args);
        let reflected = table(rt.get_field(method, "reftype"))?;
        if args == rt.types.method_param_types(m) {
            return rt.method_object(rt.methods.desc(m), reflected);
        }
        rt.types
            .check_method_arguments(m, args)
            .map_err(|e| Thrown::system("ArgumentException", e.to_string()))?;
        rt.method_object(
            rt.methods.desc(rt.types.with_method_args(m, args)),
            reflected,
        )
    })
}

extern "C" fn pinvoke(method: Obj, flags: *mut i32, entry: *mut Obj, dll: *mut Obj) {
    managed(|| {
        let rt = runtime::get();
        let m = method_of(method)?.method;
        let module = rt.types.module(rt.types.method_module(m));
        let Some(map) = module.impl_map_of(rt.types.method_row(m)) else {
            return Ok(());
        };
        let scope = module.module_ref(map.import_scope).map_or("", |s| s.name);
        let (entry_name, dll_name) = (
            string::from_rust(map.import_name)?,
            string::from_rust(scope)?,
        );
        // SAFETY: addresses of the caller's variables.
        unsafe {
            flags.write(map.flags.into());
            entry.write(entry_name);
            dll.write(dll_name);
        }
        Ok(())
    })
}

/// The method that called `MethodBase.GetCurrentMethod`.
extern "C" fn current_method() -> Obj {
    managed(|| {
        let rt = runtime::get();
        let is_self = |m: &MethodId| rt.types.method_name(*m) == "GetCurrentMethod";
        match stack_trace::callers().into_iter().find(|m| !is_self(m)) {
            Some(m) => stack_trace::method_base(rt, m),
            None => Ok(Obj::NULL),
        }
    })
}

extern "C" fn function_pointer(handle: usize) -> usize {
    managed(|| {
        let rt = runtime::get();
        rt.methods.callable(rt, method_of_handle(handle)?)
    })
}

/// The method of a generic definition on this instance.
extern "C" fn inflated_method(this: Obj, generic: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let reflected = table(this)?;
        let m = method_of(generic)?.method;
        if !matches!(rt.types.method_kind(m), MethodKind::Def { .. }) {
            return Ok(generic);
        }
        let on = rt
            .types
            .method_on(m, rt.types.open_form(reflected.type_id()));
        rt.method_object(rt.methods.desc(on), reflected)
    })
}
