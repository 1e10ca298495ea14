//! What the console needs: standard handles, encodings, terminals.

use super::{icalls, managed};
use crate::object::{Obj, array};

icalls! {
    "System.ConsoleDriver" {
        "Isatty" => is_a_tty(isize) -> bool;
    }
    "System.Text.EncodingHelper" {
        "InternalCodePage" => internal_code_page(*mut i32) -> Obj;
    }
    "System.IO.MonoIO" {
        "get_ConsoleInput" => stdin() -> isize;
        "get_ConsoleOutput" => stdout() -> isize;
        "get_ConsoleError" => stderr() -> isize;
        "Seek" => seek(isize, i64, i32, *mut i32) -> i64;
        "GetFileType" => file_type(isize, *mut i32) -> i32;
        "Write" => write(isize, Obj, i32, i32, *mut i32) -> i32;
        "Read" => read(isize, Obj, i32, i32, *mut i32) -> i32;
    }
    "System.Globalization.CultureInfo" {
        "get_current_locale_name" => current_locale() -> Obj;
        "construct_internal_locale_from_name" => locale_from_name(Obj, Obj) -> bool;
    }
    "System.GC" {
        "_SuppressFinalize" => suppress_finalize(Obj);
        "get_ephemeron_tombstone" => tombstone() -> Obj;
    }
    "Interop/Sys" {
        "DoubleToString" => double_to_string(f64, *const core::ffi::c_char, *mut core::ffi::c_char, i32) -> i32;
    }
}

extern "C" fn is_a_tty(handle: isize) -> bool {
    // SAFETY: asks about a number.
    unsafe { libc::isatty(handle as i32) == 1 }
}

/// UTF-8, as the flag for "preamble already decided" wants it.
const UTF8_CODE_PAGE: i32 = 3 | 0x1000_0000;

extern "C" fn internal_code_page(code_page: *mut i32) -> Obj {
    // SAFETY: the address of the caller's variable.
    unsafe { code_page.write(UTF8_CODE_PAGE) };
    Obj::NULL
}

extern "C" fn stdin() -> isize {
    0
}

extern "C" fn stdout() -> isize {
    1
}

extern "C" fn stderr() -> isize {
    2
}

extern "C" fn seek(handle: isize, offset: i64, origin: i32, error: *mut i32) -> i64 {
    // SAFETY: moves a file position; `error` is the caller's variable. `SeekOrigin` has the numbers of `SEEK_*`.
    unsafe {
        let at = libc::lseek(handle as i32, offset, origin);
        error.write(if at < 0 { last_error() } else { 0 });
        at
    }
}

/// `MonoFileType`
extern "C" fn file_type(handle: isize, error: *mut i32) -> i32 {
    // SAFETY: `stat` is filled by the call before it is read; `error` is the caller's variable.
    unsafe {
        error.write(0);
        let mut stat: libc::stat = core::mem::zeroed();
        if libc::fstat(handle as i32, &mut stat) != 0 {
            error.write(6);
            return 0;
        }
        match stat.st_mode & libc::S_IFMT {
            libc::S_IFREG => 1,
            libc::S_IFCHR => 2,
            libc::S_IFIFO | libc::S_IFSOCK => 3,
            _ => 0,
        }
    }
}

/// Win32 code of the current errno, as far as the console needs it.
fn last_error() -> i32 {
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::EPIPE) => 109,
        Some(libc::EBADF) => 6,
        Some(libc::EACCES) => 5,
        _ => 31,
    }
}

extern "C" fn write(handle: isize, bytes: Obj, offset: i32, count: i32, error: *mut i32) -> i32 {
    let part = &array::as_slice::<u8>(bytes)[offset as usize..(offset + count) as usize];
    // SAFETY: the slice is readable; `error` is the caller's variable.
    let n = crate::threads::blocking(|| unsafe {
        libc::write(handle as i32, part.as_ptr().cast(), part.len())
    });
    // SAFETY: as above.
    unsafe { error.write(if n < 0 { last_error() } else { 0 }) };
    n as i32
}

extern "C" fn read(handle: isize, bytes: Obj, offset: i32, count: i32, error: *mut i32) -> i32 {
    let part = &mut array::as_mut_slice::<u8>(bytes)[offset as usize..(offset + count) as usize];
    // SAFETY: the slice is writable; `error` is the caller's variable.
    let n = crate::threads::blocking(|| unsafe {
        libc::read(handle as i32, part.as_mut_ptr().cast(), part.len())
    });
    // SAFETY: as above.
    unsafe { error.write(if n < 0 { last_error() } else { 0 }) };
    n as i32
}

extern "C" fn current_locale() -> Obj {
    Obj::NULL
}

extern "C" fn locale_from_name(_this: Obj, _name: Obj) -> bool {
    false
}

extern "C" fn suppress_finalize(o: Obj) {
    crate::gc::raw::suppress_finalizer(o.addr());
}

extern "C" fn tombstone() -> Obj {
    crate::runtime::get()
        .objects
        .get()
        .map_or(Obj::NULL, |o| o.tombstone.target())
}

extern "C" fn double_to_string(
    value: f64,
    format: *const core::ffi::c_char,
    buffer: *mut core::ffi::c_char,
    size: i32,
) -> i32 {
    managed(|| {
        // SAFETY: managed code passes a NUL-terminated printf format for one double and a buffer of `size` bytes.
        Ok(unsafe { libc::snprintf(buffer, size as usize, format, value) })
    })
}
