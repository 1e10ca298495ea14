//! Memory handed to managed code that it gives back: pointer arrays and UTF-8 strings.

use crate::icall::icalls;
use crate::object::{Obj, string};

icalls! {
    "Mono.RuntimeGPtrArrayHandle" {
        "GPtrArrayFree" => free_pointer_array(*mut PointerArray);
    }
    "Mono.SafeStringMarshal" {
        "GFree" => free(*mut u8);
        "StringToUtf8" => string_to_utf8(Obj) -> *mut u8;
    }
}

/// `Mono.RuntimeStructs.GPtrArray`: freed by the managed side.
#[repr(C)]
pub struct PointerArray {
    data: *mut usize,
    len: i32,
}

/// A block that `GPtrArrayFree` frees.
pub(in crate::icall) fn pointer_array(items: &[usize]) -> *mut PointerArray {
    let data = items.to_vec().into_boxed_slice();
    let len = data.len() as i32;
    Box::into_raw(Box::new(PointerArray {
        data: Box::into_raw(data).cast(),
        len,
    }))
}

extern "C" fn free_pointer_array(a: *mut PointerArray) {
    if a.is_null() {
        return;
    }
    // SAFETY: made by `pointer_array`, freed once by the handle that owns it.
    unsafe {
        let a = Box::from_raw(a);
        drop(Box::from_raw(core::ptr::slice_from_raw_parts_mut(
            a.data,
            a.len as usize,
        )));
    }
}

extern "C" fn free(p: *mut u8) {
    // SAFETY: from `string_to_utf8`, which uses the C allocator.
    unsafe { libc::free(p.cast()) };
}

extern "C" fn string_to_utf8(s: Obj) -> *mut u8 {
    if s.is_null() {
        core::ptr::null_mut()
    } else {
        crate::interop::native_string(&string::to_rust(s))
    }
}

/// A NUL-terminated UTF-8 string from managed code; `None` for null.
pub(in crate::icall) fn utf8(p: *const u8) -> Option<String> {
    if p.is_null() {
        return None;
    }
    // SAFETY: managed code passes strings of `StringToUtf8`.
    let text = unsafe { core::ffi::CStr::from_ptr(p.cast()) };
    Some(text.to_string_lossy().into_owned())
}
