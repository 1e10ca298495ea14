//! Functions that `libmono-native.so` expects of the program that loads it. They are exported from the
//! executable's dynamic symbol table (see `build.rs`).

use crate::threads;
use core::ffi::c_char;

fn set_last_error() {
    super::LAST_ERROR.set(std::io::Error::last_os_error().raw_os_error().unwrap_or(0));
}

/// Adds an internal call; the two that the library adds are not called by this runtime.
// SAFETY: the name is the library's, nothing else defines it.
#[unsafe(no_mangle)]
extern "C" fn mono_add_internal_call_with_flags(_name: *const c_char, _f: usize, _flags: i32) {}

/// Saves `errno` for `Marshal.GetLastWin32Error`.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn mono_marshal_set_last_error() {
    set_last_error();
}

/// The library blocks from here on. P/Invokes are in native state already.
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn mono_threads_enter_gc_safe_region_internal(_stack: *mut u8) -> usize {
    usize::from(threads::in_managed_state())
}

/// End of [`mono_threads_enter_gc_safe_region_internal`].
// SAFETY: as above.
#[unsafe(no_mangle)]
extern "C" fn mono_threads_exit_gc_safe_region_internal(_cookie: usize, _stack: *mut u8) {}

/// Keeps the exported functions in the program.
pub fn keep() -> [usize; 4] {
    [
        mono_add_internal_call_with_flags as *const () as usize,
        mono_marshal_set_last_error as *const () as usize,
        mono_threads_enter_gc_safe_region_internal as *const () as usize,
        mono_threads_exit_gc_safe_region_internal as *const () as usize,
    ]
}
