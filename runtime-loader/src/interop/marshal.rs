//! Helpers of marshalling stubs for delegates, handles and error codes.

use crate::icall::{Result, Thrown, managed};
use crate::object::{MethodTable, Obj, new_object};
use crate::runtime;
use crate::runtime::invoke::{self, Arg};
use shared_codegen::types::Known;

/// Helper `delegate_to_native`.
pub extern "C" fn delegate_to_native(d: Obj) -> usize {
    if d.is_null() {
        return 0;
    }
    managed(|| super::callback::thunk_for(d))
}

/// Helper `delegate_from_native`.
pub extern "C" fn delegate_from_native(code: usize, class: &'static MethodTable) -> Obj {
    managed(|| super::callback::delegate_of(code, class.type_id()))
}

/// Helper `throw_null_handle`.
pub extern "C" fn throw_null_handle() {
    managed(|| Err::<(), _>(Thrown::argument_null("handle")));
}

/// Helper `handle_new`.
pub extern "C" fn handle_new(class: &'static MethodTable) -> Obj {
    managed(|| {
        let rt = runtime::get();
        rt.class_init.ensure(class)?;
        let constructor = rt.method_named(class.type_id(), ".ctor", &[])?;
        let object = new_object(class)?;
        invoke::call(constructor, &[Arg::Ref(object)])?;
        Ok(object)
    })
}

/// Helper `handle_set`.
pub extern "C" fn handle_set(h: Obj, handle: usize) {
    managed(|| {
        let h = h.non_null().ok_or_else(Thrown::null_reference)?;
        runtime::get().set_field(h, "handle", handle);
        Ok(())
    });
}

/// Helper `throw_for_hresult`.
pub extern "C" fn throw_for_hresult(code: i32) {
    if code >= 0 {
        return;
    }
    managed(|| -> Result<()> {
        let rt = runtime::get();
        let class = rt.types.known(Known::Marshal);
        let int = rt.types.known(Known::Int32);
        let method = rt.method_named(class, "ThrowExceptionForHR", &[int])?;
        invoke::call(method, &[Arg::Word(code as u32 as u64)])?;
        Ok(())
    });
}
