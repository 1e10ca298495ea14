//! The helpers of P/Invoke wrappers.

#![allow(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "helpers get addresses from compiled code, which vouches for them"
)]

use crate::icall::{Result, Thrown, managed};
use crate::object::{Obj, string};
use crate::runtime;
use crate::runtime::invoke::{self, Arg};
use core::ffi::{CStr, c_char};
use shared_codegen::types::Known;

/// Helper `free_native_string`.
pub extern "C" fn free_native_string(p: *mut c_char) {
    // SAFETY: made by `native_text`, or null.
    unsafe { libc::free(p.cast()) };
}

/// A string object from native text; null for null.
pub fn text_of(p: *const c_char) -> Result<Obj> {
    if p.is_null() {
        return Ok(Obj::NULL);
    }
    // SAFETY: native functions give NUL-terminated text.
    let text = unsafe { CStr::from_ptr(p) };
    string::from_rust(&text.to_string_lossy())
}

/// Helper `string_builder_to_native`: room for the capacity in UTF-8.
pub extern "C" fn string_builder_to_native(b: Obj) -> *mut c_char {
    if b.is_null() {
        return core::ptr::null_mut();
    }
    managed(|| {
        let rt = runtime::get();
        let to_string = rt.method_named(rt.types.known(Known::StringBuilder), "ToString", &[])?;
        let capacity =
            rt.method_named(rt.types.known(Known::StringBuilder), "get_Capacity", &[])?;
        let text = string::to_rust(invoke::call(to_string, &[Arg::Ref(b)])?.object());
        let capacity = invoke::call(capacity, &[Arg::Ref(b)])?.word as u32 as usize;
        let room = text.len().max(capacity * 3) + 1;
        // SAFETY: room for the text and its terminator, checked for null.
        unsafe {
            let to = libc::calloc(room, 1).cast::<u8>();
            if to.is_null() {
                return Err(Thrown::out_of_memory());
            }
            to.copy_from_nonoverlapping(text.as_ptr(), text.len());
            Ok(to.cast())
        }
    })
}

/// Helper `string_builder_from_native`.
pub extern "C" fn string_builder_from_native(b: Obj, p: *mut c_char) {
    if b.is_null() || p.is_null() {
        return;
    }
    managed(|| {
        let rt = runtime::get();
        let text = text_of(p);
        free_native_string(p);
        let builder = rt.types.known(Known::StringBuilder);
        let clear = rt.method_named(builder, "Clear", &[])?;
        let append = rt.method_named(builder, "Append", &[rt.types.known(Known::String)])?;
        invoke::call(clear, &[Arg::Ref(b)])?;
        invoke::call(append, &[Arg::Ref(b), Arg::Ref(text?)])?;
        Ok(())
    })
}

/// Helper `delegate_to_native`.
pub extern "C" fn delegate_to_native(d: Obj) -> usize {
    if d.is_null() {
        return 0;
    }
    managed(|| super::callback::thunk_for(d))
}

/// Helper `safe_handle_acquire`.
pub extern "C" fn safe_handle_acquire(h: Obj) -> usize {
    managed(|| {
        if h.is_null() {
            return Err(Thrown::argument_null("handle"));
        }
        let rt = runtime::get();
        let bool_ref = rt.types.by_ref(rt.types.known(Known::Boolean));
        let class = rt.types.known(Known::SafeHandle);
        let method = rt.method_named(class, "DangerousAddRef", &[bool_ref])?;
        let mut success = 0u8;
        let flag = core::ptr::from_mut(&mut success) as u64;
        invoke::call(method, &[Arg::Ref(h), Arg::Word(flag)])?;
        Ok(rt.get_field::<usize>(h, "handle"))
    })
}

/// Helper `safe_handle_release`.
pub extern "C" fn safe_handle_release(h: Obj) {
    managed(|| {
        let rt = runtime::get();
        let class = rt.types.known(Known::SafeHandle);
        let method = rt.method_named(class, "DangerousRelease", &[])?;
        invoke::call(method, &[Arg::Ref(h)])?;
        Ok(())
    })
}
