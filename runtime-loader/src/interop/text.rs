//! Text across the border, in every [`TextForm`].

#![allow(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "helpers get addresses from compiled code, which vouches for them"
)]

use crate::icall::{Result, Thrown, managed};
use crate::object::{Obj, string};
use crate::runtime;
use crate::runtime::invoke::{self, Arg};
use core::ffi::CStr;
use shared_codegen::types::{Known, TextForm};

/// Bytes of the length in front of a BSTR.
const BSTR_PREFIX: usize = 4;

/// The form with this number; anything else is UTF-8.
fn form_of(number: u32) -> TextForm {
    let known = TextForm::ALL.get(number as usize);
    known.copied().unwrap_or(TextForm::Utf8)
}

/// Zeroed memory of the C allocator, which programs may free themselves. At least one byte.
pub fn allocate(bytes: usize) -> Result<*mut u8> {
    // SAFETY: any size may be asked for.
    let p = unsafe { libc::calloc(bytes.max(1), 1) };
    match p.is_null() {
        true => Err(Thrown::out_of_memory()),
        false => Ok(p.cast()),
    }
}

/// Text and a terminator of two zero bytes behind `prefix` bytes; gives the address of the text.
fn place(text: &[u8], prefix: usize) -> Result<*mut u8> {
    let block = allocate(prefix + text.len() + 2)?;
    // SAFETY: the block has room for prefix, text and terminator.
    unsafe {
        if prefix != 0 {
            block.cast::<u32>().write(text.len() as u32);
        }
        let at = block.add(prefix);
        at.copy_from_nonoverlapping(text.as_ptr(), text.len());
        Ok(at)
    }
}

fn utf16_bytes(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|u| u.to_le_bytes()).collect()
}

/// A native copy of text.
pub fn to_native(units: &[u16], form: TextForm) -> Result<*mut u8> {
    let prefix = match form {
        TextForm::Utf8 | TextForm::Utf16 => 0,
        TextForm::Bstr | TextForm::AnsiBstr => BSTR_PREFIX,
    };
    match form {
        TextForm::Utf8 | TextForm::AnsiBstr => {
            place(String::from_utf16_lossy(units).as_bytes(), prefix)
        }
        TextForm::Utf16 | TextForm::Bstr => place(&utf16_bytes(units), prefix),
    }
}

/// A NUL-terminated UTF-8 copy in memory of the C allocator, null if there is none left.
pub fn native_string(text: &str) -> *mut u8 {
    place(text.as_bytes(), 0).unwrap_or(core::ptr::null_mut())
}

/// The units up to a NUL.
///
/// # Safety
/// `p` must be NUL-terminated; the text must stay as it is while the slice is used.
pub unsafe fn wide_units<'a>(p: *const u16) -> &'a [u16] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut n = 0;
        while p.add(n).read_unaligned() != 0 {
            n += 1;
        }
        core::slice::from_raw_parts(p, n)
    }
}

/// A string from native text; null for null.
///
/// # Safety
/// `p` must be null or text of this form.
pub unsafe fn from_native(p: *const u8, form: TextForm) -> Result<Obj> {
    if p.is_null() {
        return Ok(Obj::NULL);
    }
    // SAFETY: the caller's promise; a BSTR has its length in bytes before the text.
    unsafe {
        let prefixed = || p.sub(BSTR_PREFIX).cast::<u32>().read_unaligned() as usize;
        match form {
            TextForm::Utf8 => string::from_rust(&CStr::from_ptr(p.cast()).to_string_lossy()),
            TextForm::AnsiBstr => {
                let bytes = core::slice::from_raw_parts(p, prefixed());
                string::from_rust(&String::from_utf8_lossy(bytes))
            }
            TextForm::Utf16 => string::from_units(wide_units(p.cast())),
            TextForm::Bstr => {
                string::from_units(core::slice::from_raw_parts(p.cast(), prefixed() / 2))
            }
        }
    }
}

/// Frees native text.
///
/// # Safety
/// `p` must be null or text of this form in memory of the C allocator.
pub unsafe fn free(p: *mut u8, form: TextForm) {
    if p.is_null() {
        return;
    }
    let block = match form {
        TextForm::Utf8 | TextForm::Utf16 => p,
        TextForm::Bstr | TextForm::AnsiBstr => p.wrapping_sub(BSTR_PREFIX),
    };
    // SAFETY: the caller's promise.
    unsafe { libc::free(block.cast()) };
}

/// Helper `text_to_native`.
pub extern "C" fn text_to_native(s: Obj, form: u32) -> *mut u8 {
    managed(|| match s.non_null() {
        Some(s) => to_native(string::units(s), form_of(form)),
        None => Ok(core::ptr::null_mut()),
    })
}

/// Helper `text_from_native`.
pub extern "C" fn text_from_native(p: *const u8, form: u32) -> Obj {
    // SAFETY: native functions give text of the form that their declaration says.
    managed(|| unsafe { from_native(p, form_of(form)) })
}

/// Helper `free_native`.
pub extern "C" fn free_native(p: *mut u8, form: u32) {
    // SAFETY: made by a helper, or given by native code to be freed.
    unsafe { free(p, form_of(form)) };
}

/// Most bytes of a UTF-16 unit in UTF-8.
const UTF8_PER_UNIT: usize = 3;

/// Helper `builder_to_native`: room for the capacity and a terminator.
pub extern "C" fn builder_to_native(b: Obj, form: u32) -> *mut u8 {
    if b.is_null() {
        return core::ptr::null_mut();
    }
    managed(|| {
        let rt = runtime::get();
        let class = rt.types.known(Known::StringBuilder);
        let to_string = rt.method_named(class, "ToString", &[])?;
        let capacity = rt.method_named(class, "get_Capacity", &[])?;
        let capacity = invoke::call(capacity, &[Arg::Ref(b)])?.word as u32 as usize;
        let text = invoke::call(to_string, &[Arg::Ref(b)])?.object();
        let units = string::units(text);
        let (bytes, room) = match form_of(form) {
            TextForm::Utf16 | TextForm::Bstr => (utf16_bytes(units), 2 * capacity),
            _ => (
                String::from_utf16_lossy(units).into_bytes(),
                UTF8_PER_UNIT * capacity,
            ),
        };
        let p = allocate(bytes.len().max(room) + 2)?;
        // SAFETY: the block is as long as the text at least.
        unsafe { p.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Ok(p)
    })
}

/// Helper `builder_from_native`.
pub extern "C" fn builder_from_native(b: Obj, p: *mut u8, form: u32) {
    if b.is_null() || p.is_null() {
        return;
    }
    managed(|| {
        let rt = runtime::get();
        // SAFETY: made by `builder_to_native`; native code keeps the text terminated.
        let text = unsafe {
            let text = from_native(p, form_of(form));
            free(p, form_of(form));
            text?
        };
        let class = rt.types.known(Known::StringBuilder);
        let clear = rt.method_named(class, "Clear", &[])?;
        let append = rt.method_named(class, "Append", &[rt.types.known(Known::String)])?;
        invoke::call(clear, &[Arg::Ref(b)])?;
        invoke::call(append, &[Arg::Ref(b), Arg::Ref(text)])?;
        Ok(())
    })
}
