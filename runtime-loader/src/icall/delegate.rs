//! `System.Delegate`.

use super::{Thrown, icalls, managed};
use crate::object::{MethodDesc, Obj, new_object};
use crate::runtime;
use shared_codegen::abi::layout::delegate as l;

icalls! {
    "System.Delegate" {
        "AllocDelegateLike_internal" => allocate_like(Obj) -> Obj;
        "CreateDelegate_internal" => create(Obj, Obj, Obj, bool) -> Obj;
        "GetVirtualMethod_internal" => virtual_method(Obj) -> Obj;
    }
}

extern "C" fn allocate_like(d: Obj) -> Obj {
    managed(|| new_object(d.method_table()))
}

extern "C" fn create(class: Obj, target: Obj, method: Obj, _throw: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let class = rt
            .type_of_object(class)
            .ok_or_else(|| Thrown::argument_null("type"))?;
        let handle = rt.get_field::<usize>(method, "mhandle");
        let method = MethodDesc::from_handle(handle).ok_or_else(Thrown::null_reference)?;
        let delegate = new_object(class)?;
        // A virtual method is looked up on the target, as `ldvirtftn` does.
        let late = rt.types.method_is_virtual(method.method) && !target.is_null();
        let code = match late {
            true => 0,
            false => rt.methods.callable(rt, method)?,
        };
        crate::runtime::delegates::init(delegate, target, code, Some(method))?;
        Ok(delegate)
    })
}

extern "C" fn virtual_method(d: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let handle = d.get::<usize>(l::METHOD as u32);
        let declared = MethodDesc::from_handle(handle).ok_or_else(Thrown::null_reference)?;
        let target = d.get::<Obj>(l::TARGET as u32);
        let method = match target.non_null() {
            Some(t) => rt.methods.resolve_virtual(rt, t, declared.method)?,
            None => declared,
        };
        let owner = rt.types.method_owner(method.method);
        rt.method_object(method, rt.method_table(owner)?)
    })
}
