//! `System.Runtime.InteropServices.Marshal`: native memory, strings in it, and structures of plain data.

use super::{Result, Thrown, icalls, managed};
use crate::interop::LAST_ERROR;
use crate::object::{MethodDesc, Obj, array, string};
use crate::runtime;

icalls! {
    "System.Runtime.InteropServices.Marshal" {
        "AllocHGlobal" => alloc(isize) -> *mut u8;
        "AllocCoTaskMem" => alloc_i32(i32) -> *mut u8;
        "AllocCoTaskMemSize" => alloc(isize) -> *mut u8;
        "ReAllocHGlobal" => realloc(*mut u8, isize) -> *mut u8;
        "ReAllocCoTaskMem" => realloc_i32(*mut u8, i32) -> *mut u8;
        "FreeHGlobal" => free(*mut u8);
        "FreeCoTaskMem" => free(*mut u8);
        "BufferToBSTR" => buffer_to_bstr(*const u16, i32) -> *mut u8;
        "FreeBSTR" => free_bstr(*mut u8);
        "PtrToStringBSTR" => bstr_to_string(*const u16) -> Obj;
        "PtrToStringAnsi(intptr)" => utf8_to_string(*const u8) -> Obj;
        "PtrToStringAnsi(intptr,int)" => utf8_part_to_string(*const u8, i32) -> Obj;
        "PtrToStringUni(intptr)" => utf16_to_string(*const u16) -> Obj;
        "PtrToStringUni(intptr,int)" => utf16_part_to_string(*const u16, i32) -> Obj;
        "StringToHGlobalAnsi" => string_to_utf8(*const u16, i32) -> *mut u8;
        "StringToHGlobalUni" => string_to_utf16(*const u16, i32) -> *mut u8;
        "GetLastWin32Error" => last_error() -> i32;
        "SetLastWin32Error" => set_last_error(i32);
        "UnsafeAddrOfPinnedArrayElement" => address_of_element(Obj, i32) -> *mut u8;
        "copy_from_unmanaged_fixed" => copy_from(*const u8, i32, Obj, i32, *const u8);
        "copy_to_unmanaged_fixed" => copy_to(Obj, i32, *mut u8, i32, *const u8);
        "Prelink" => prelink(Obj);
        "PrelinkAll" => prelink_all(Obj);
        "IsComObject" => is_com_object(Obj) -> bool;
    }
}

/// Memory of the C allocator, which programs may free themselves. At least one byte.
fn malloc(len: usize) -> Result<*mut u8> {
    // SAFETY: any size may be asked for.
    let at = unsafe { libc::malloc(len.max(1)) };
    if at.is_null() {
        return Err(Thrown::out_of_memory());
    }
    Ok(at.cast())
}

fn size(len: isize) -> Result<usize> {
    usize::try_from(len).map_err(|_| Thrown::out_of_memory())
}

extern "C" fn alloc(len: isize) -> *mut u8 {
    managed(|| malloc(size(len)?))
}

extern "C" fn alloc_i32(len: i32) -> *mut u8 {
    alloc(len as isize)
}

extern "C" fn realloc(at: *mut u8, len: isize) -> *mut u8 {
    managed(|| {
        let len = size(len)?.max(1);
        // SAFETY: memory of the C allocator or null, as the program promises.
        let at = unsafe { libc::realloc(at.cast(), len) };
        if at.is_null() {
            return Err(Thrown::out_of_memory());
        }
        Ok(at.cast())
    })
}

extern "C" fn realloc_i32(at: *mut u8, len: i32) -> *mut u8 {
    realloc(at, len as isize)
}

extern "C" fn free(at: *mut u8) {
    // SAFETY: memory of the C allocator or null, as the program promises.
    unsafe { libc::free(at.cast()) }
}

/// Bytes of the length that stands before the text of a BSTR.
const BSTR_PREFIX: usize = 4;

extern "C" fn buffer_to_bstr(text: *const u16, len: i32) -> *mut u8 {
    managed(|| {
        let bytes = 2 * len.max(0) as usize;
        let at = malloc(BSTR_PREFIX + bytes + 2)?;
        // SAFETY: the block has room for length, text and NUL; `text` has `len` units.
        unsafe {
            at.cast::<u32>().write(bytes as u32);
            let data = at.add(BSTR_PREFIX);
            core::ptr::copy_nonoverlapping(text.cast::<u8>(), data, bytes);
            data.add(bytes).cast::<u16>().write(0);
            Ok(data)
        }
    })
}

extern "C" fn free_bstr(at: *mut u8) {
    if !at.is_null() {
        free(at.wrapping_sub(BSTR_PREFIX));
    }
}

extern "C" fn bstr_to_string(at: *const u16) -> Obj {
    managed(|| {
        if at.is_null() {
            return Err(Thrown::argument_null("ptr"));
        }
        // SAFETY: a BSTR has its length in bytes before the text.
        let units = unsafe {
            let bytes = at.cast::<u8>().sub(BSTR_PREFIX).cast::<u32>().read();
            core::slice::from_raw_parts(at, bytes as usize / 2)
        };
        string::from_units(units)
    })
}

extern "C" fn utf8_to_string(at: *const u8) -> Obj {
    if at.is_null() {
        return Obj::NULL;
    }
    // SAFETY: a NUL-terminated string, as the program promises.
    let bytes = unsafe { core::ffi::CStr::from_ptr(at.cast()) }.to_bytes();
    managed(|| string::from_rust(&String::from_utf8_lossy(bytes)))
}

extern "C" fn utf8_part_to_string(at: *const u8, len: i32) -> Obj {
    managed(|| {
        if at.is_null() {
            return Err(Thrown::argument_null("ptr"));
        }
        let len = usize::try_from(len).map_err(|_| Thrown::out_of_range("len"))?;
        // SAFETY: `len` bytes, as the program promises.
        let bytes = unsafe { core::slice::from_raw_parts(at, len) };
        match core::str::from_utf8(bytes) {
            Ok(text) => string::from_rust(text),
            Err(e) if e.error_len().is_none() => Err(Thrown::system(
                "ArgumentException",
                "Partial byte sequence encountered in the input.",
            )),
            Err(_) => Err(Thrown::system(
                "ArgumentException",
                "Illegal byte sequence encountered in the input.",
            )),
        }
    })
}

extern "C" fn utf16_to_string(at: *const u16) -> Obj {
    if at.is_null() {
        return Obj::NULL;
    }
    let mut len = 0;
    // SAFETY: a NUL-terminated string, as the program promises.
    while unsafe { at.add(len).read() } != 0 {
        len += 1;
    }
    utf16_part_to_string(at, len as i32)
}

extern "C" fn utf16_part_to_string(at: *const u16, len: i32) -> Obj {
    managed(|| {
        if at.is_null() {
            return Err(Thrown::argument_null("ptr"));
        }
        let len = usize::try_from(len).map_err(|_| Thrown::out_of_range("len"))?;
        // SAFETY: `len` units, as the program promises.
        let units = unsafe { core::slice::from_raw_parts(at, len) };
        string::from_units(units)
    })
}

fn text_at(text: *const u16, len: i32) -> &'static [u16] {
    // SAFETY: managed code passes a pinned string and its length; the caller uses the text before it returns.
    unsafe { core::slice::from_raw_parts(text, len.max(0) as usize) }
}

extern "C" fn string_to_utf8(text: *const u16, len: i32) -> *mut u8 {
    if text.is_null() {
        return core::ptr::null_mut();
    }
    crate::interop::native_string(&String::from_utf16_lossy(text_at(text, len)))
}

extern "C" fn string_to_utf16(text: *const u16, len: i32) -> *mut u8 {
    if text.is_null() {
        return core::ptr::null_mut();
    }
    managed(|| {
        let units = text_at(text, len);
        let at = malloc(2 * units.len() + 2)?.cast::<u16>();
        // SAFETY: the block has room for the text and a NUL.
        unsafe {
            core::ptr::copy_nonoverlapping(units.as_ptr(), at, units.len());
            at.add(units.len()).write(0);
        }
        Ok(at.cast())
    })
}

extern "C" fn last_error() -> i32 {
    LAST_ERROR.get()
}

extern "C" fn set_last_error(error: i32) {
    LAST_ERROR.set(error);
}

extern "C" fn address_of_element(a: Obj, index: i32) -> *mut u8 {
    managed(|| {
        let a = a.non_null().ok_or_else(|| Thrown::argument_null("arr"))?;
        let offset = index as isize * a.method_table().component_size as isize;
        Ok(array::data(a).wrapping_offset(offset))
    })
}

/// Address and size in bytes of `count` elements from `start` on; `native` is the other side.
fn elements(
    a: Obj,
    name: &'static str,
    start: i32,
    count: i32,
    (native, native_name): (*const u8, &'static str),
) -> Result<(*mut u8, usize)> {
    let a = a.non_null().ok_or_else(|| Thrown::argument_null(name))?;
    if native.is_null() {
        return Err(Thrown::argument_null(native_name));
    }
    let start = usize::try_from(start).map_err(|_| Thrown::out_of_range("startIndex"))?;
    let count = usize::try_from(count).map_err(|_| Thrown::out_of_range("length"))?;
    if start + count > array::len(a) {
        return Err(Thrown::out_of_range("length"));
    }
    let size = a.method_table().component_size as usize;
    let at = array::data(a).wrapping_add(start * size);
    Ok((at, count * size))
}

extern "C" fn copy_from(from: *const u8, start: i32, to: Obj, count: i32, _first: *const u8) {
    managed(|| {
        let (to, len) = elements(to, "destination", start, count, (from, "source"))?;
        // SAFETY: the program promises `len` bytes at `from`; the array has room.
        unsafe { core::ptr::copy(from, to, len) };
        Ok(())
    });
}

extern "C" fn copy_to(from: Obj, start: i32, to: *mut u8, count: i32, _first: *const u8) {
    managed(|| {
        let (from, len) = elements(from, "source", start, count, (to, "destination"))?;
        // SAFETY: the program promises room for `len` bytes at `to`.
        unsafe { core::ptr::copy(from, to, len) };
        Ok(())
    });
}

/// Finds the native function of a P/Invoke and makes the stub.
fn link(method: &'static MethodDesc) -> Result<()> {
    let rt = runtime::get();
    if rt.types.method_is_pinvoke(method.method) {
        rt.jit.prepare(rt, method)?;
        crate::interop::resolve(rt, method)?;
    }
    Ok(())
}

extern "C" fn prelink(method: Obj) {
    managed(|| link(super::reflection::method_of(method)?));
}

extern "C" fn prelink_all(class: Obj) {
    managed(|| {
        let rt = runtime::get();
        for m in rt
            .types
            .methods(super::runtime_type::table(class)?.type_id())?
        {
            link(rt.methods.desc(m))?;
        }
        Ok(())
    });
}

extern "C" fn is_com_object(_o: Obj) -> bool {
    false
}
