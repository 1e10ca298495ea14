//! Native libraries: finding functions for P/Invokes, and what marshalling stubs ask the runtime to do.
#![allow(unsafe_code, reason = "loads libraries and fills native memory")]

mod callback;
mod custom;
mod dllmap;
mod exports;
mod marshal;
pub mod structure;
pub mod text;

pub use callback::delegate_of;
pub use custom::{custom_clean, custom_from_native, custom_marshaler, custom_to_native};
pub use exports::keep;
pub use marshal::*;
pub use text::native_string;

use crate::icall::{Result, Thrown};
use crate::runtime::Runtime;
use core::cell::Cell;
use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;
use shared_codegen::types::MethodId;
use std::ffi::CString;
use std::path::Path;

thread_local! {
    /// `Marshal.GetLastWin32Error` of this thread.
    pub static LAST_ERROR: Cell<i32> = const { Cell::new(0) };
}

static LIBRARIES: Mutex<Option<FxHashMap<String, usize>>> = Mutex::new(None);

// Addresses of native functions by method, found once.
static FUNCTIONS: RwLock<Option<FxHashMap<MethodId, usize>>> = RwLock::new(None);

/// Address of the native function of a P/Invoke.
pub fn resolve(rt: &Runtime, method: MethodId) -> Result<usize> {
    let known = FUNCTIONS
        .read()
        .as_ref()
        .and_then(|f| f.get(&method).copied());
    if let Some(address) = known {
        return Ok(address);
    }
    let address = find(rt, method)?;
    let mut functions = FUNCTIONS.write();
    functions.get_or_insert_default().insert(method, address);
    Ok(address)
}

fn find(rt: &Runtime, method: MethodId) -> Result<usize> {
    let folder = rt
        .types
        .assembly(rt.types.method_module(method))
        .path
        .parent();
    let module = rt.types.module(rt.types.method_module(method));
    let map = module
        .impl_map_of(rt.types.method_row(method))
        .ok_or_else(|| Thrown::bare("System", "EntryPointNotFoundException"))?;
    let library = module
        .module_ref(map.import_scope)
        .map_err(shared_codegen::types::Error::from)?
        .name;
    let handle = open(library, folder).ok_or_else(|| {
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

fn open(name: &str, folder: Option<&Path>) -> Option<usize> {
    if let Some(handle) = LIBRARIES.lock().get_or_insert_default().get(name) {
        return (*handle != 0).then_some(*handle);
    }
    let library = dllmap::get().apply(name);
    let handle = crate::threads::blocking(|| open_any(library, folder)).unwrap_or(0);
    let mut libraries = LIBRARIES.lock();
    let libraries = libraries.get_or_insert_default();
    libraries.insert(name.to_owned(), handle);
    (handle != 0).then_some(handle)
}

/// Tries variants of the name in the folder of the assembly, then where the system looks.
fn open_any(name: &str, folder: Option<&Path>) -> Option<usize> {
    if name == "__Internal" {
        // SAFETY: null stands for the program itself.
        let handle = unsafe { libc::dlopen(core::ptr::null(), libc::RTLD_LAZY) };
        return (!handle.is_null()).then_some(handle as usize);
    }
    if name.contains('/') {
        return load(name);
    }
    let stem = name.strip_suffix(".dll").unwrap_or(name);
    let variants = [
        name.to_owned(),
        stem.to_owned(),
        format!("{stem}.so"),
        format!("lib{stem}.so"),
        format!("lib{stem}"),
    ];
    let beside = |v: &String| {
        let path = folder?.join(v);
        path.is_file().then(|| load(path.to_str()?)).flatten()
    };
    variants.iter().find_map(|v| beside(v).or_else(|| load(v)))
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
