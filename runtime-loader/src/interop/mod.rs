//! Native libraries: finding functions for P/Invokes, strings across the border.
#![allow(unsafe_code, reason = "loads libraries and fills native memory")]

use crate::icall::{Result, Thrown};
use crate::object::Obj;
use crate::runtime::Runtime;
use core::cell::Cell;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use shared_codegen::types::MethodId;
use std::ffi::CString;

thread_local! {
    /// `Marshal.GetLastWin32Error` of this thread.
    pub static LAST_ERROR: Cell<i32> = const { Cell::new(0) };
}

static LIBRARIES: Mutex<Option<FxHashMap<String, usize>>> = Mutex::new(None);

/// Names that the system's library map sends elsewhere.
const LIBRARY_MAP: &[(&str, &str)] = &[
    ("libc", "libc.so.6"),
    ("msvcrt", "libc.so.6"),
    ("libm", "libm.so.6"),
    ("intl", "libc.so.6"),
    ("System.Native", "/usr/lib/libmono-native.so"),
    ("System.Net.Security.Native", "/usr/lib/libmono-native.so"),
    ("MonoPosixHelper", "/usr/lib/libMonoPosixHelper.so"),
    ("libMonoPosixHelper.so", "/usr/lib/libMonoPosixHelper.so"),
    ("libmono-btls-shared", "/usr/lib/libmono-btls-shared.so"),
];

/// Address of the native function of a P/Invoke.
pub fn resolve(rt: &Runtime, method: MethodId) -> Result<usize> {
    let module = rt.types.module(rt.types.method_module(method));
    let map = module
        .impl_map_of(rt.types.method_row(method))
        .ok_or_else(|| Thrown::bare("System", "EntryPointNotFoundException"))?;
    let library = module
        .module_ref(map.import_scope)
        .map_err(shared_codegen::types::Error::from)?
        .name;
    let handle = open(library).ok_or_else(|| {
        Thrown::system(
            "DllNotFoundException",
            format!("{library} assembly:<unknown assembly> type:<unknown type> member:(null)"),
        )
    })?;
    let name = if map.import_name.is_empty() {
        rt.types.method_name(method)
    } else {
        map.import_name
    };
    symbol(handle, name).ok_or_else(|| {
        Thrown::system(
            "EntryPointNotFoundException",
            format!("{name} assembly:<unknown assembly> type:<unknown type> member:(null)"),
        )
    })
}

fn open(name: &str) -> Option<usize> {
    let mut libraries = LIBRARIES.lock();
    let libraries = libraries.get_or_insert_default();
    if let Some(handle) = libraries.get(name) {
        return (*handle != 0).then_some(*handle);
    }
    let mapped = LIBRARY_MAP
        .iter()
        .find(|(from, _)| *from == name)
        .map(|(_, to)| *to);
    let stem = name.strip_suffix(".dll").unwrap_or(name);
    let candidates = [
        mapped.unwrap_or(name).to_owned(),
        stem.to_owned(),
        format!("{stem}.so"),
        format!("lib{stem}.so"),
        format!("lib{stem}"),
    ];
    let handle = candidates.iter().find_map(|c| load(c)).unwrap_or(0);
    libraries.insert(name.to_owned(), handle);
    (handle != 0).then_some(handle)
}

fn load(path: &str) -> Option<usize> {
    let path = CString::new(path).ok()?;
    // SAFETY: loading a library runs its initializers, which is what the program asked for.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY) };
    (!handle.is_null()).then_some(handle as usize)
}

fn symbol(handle: usize, name: &str) -> Option<usize> {
    let name = CString::new(name).ok()?;
    // SAFETY: a handle from `load`, which is never closed.
    let address = unsafe { libc::dlsym(handle as *mut _, name.as_ptr()) };
    (!address.is_null()).then_some(address as usize)
}

/// A NUL-terminated copy in memory of the C allocator.
pub fn native_string(text: &str) -> *mut u8 {
    // SAFETY: `len + 1` bytes are allocated, `len` copied and a NUL written behind them.
    unsafe {
        let p = libc::malloc(text.len() + 1).cast::<u8>();
        if !p.is_null() {
            core::ptr::copy_nonoverlapping(text.as_ptr(), p, text.len());
            p.add(text.len()).write(0);
        }
        p
    }
}

/// A native buffer with the text of a `StringBuilder` and room for its capacity.
pub fn string_builder_to_native(_builder: Obj) -> Result<*mut u8> {
    Err(Thrown::not_supported(
        "StringBuilder arguments of native functions",
    ))
}

/// Copies a native buffer back into a `StringBuilder` and frees it.
pub fn string_builder_from_native(_builder: Obj, _buffer: *mut u8) -> Result<()> {
    Err(Thrown::not_supported(
        "StringBuilder arguments of native functions",
    ))
}
