//! `System.Environment` and its relatives.

use super::{icalls, managed};
use crate::object::{Obj, string};
use core::sync::atomic::{AtomicI32, Ordering};

icalls! {
    "System.Environment" {
        "GetNewLine" => get_new_line() -> Obj;
        "get_Platform" => get_platform() -> i32;
        "internalGetEnvironmentVariable_native" => get_variable(*const core::ffi::c_char) -> Obj;
        "get_ExitCode" => get_exit_code() -> i32;
        "set_ExitCode" => set_exit_code(i32);
        "Exit" => exit(i32);
        "get_TickCount" => tick_count() -> i32;
        "get_ProcessorCount" => processor_count() -> i32;
        "get_HasShutdownStarted" => shutdown_started() -> bool;
    }
}

static EXIT_CODE: AtomicI32 = AtomicI32::new(0);

/// What `Main` without result ends with.
pub fn exit_code() -> i32 {
    EXIT_CODE.load(Ordering::Relaxed)
}

extern "C" fn get_new_line() -> Obj {
    managed(|| string::from_rust("\n"))
}

/// `PlatformID.Unix`
const UNIX: i32 = 4;

extern "C" fn get_platform() -> i32 {
    UNIX
}

extern "C" fn get_variable(name: *const core::ffi::c_char) -> Obj {
    managed(|| {
        // SAFETY: managed code passes a NUL-terminated UTF-8 name.
        let name = unsafe { core::ffi::CStr::from_ptr(name) };
        match std::env::var_os(name.to_string_lossy().as_ref()) {
            Some(value) => string::from_rust(&value.to_string_lossy()),
            None => Ok(Obj::NULL),
        }
    })
}

extern "C" fn get_exit_code() -> i32 {
    exit_code()
}

extern "C" fn set_exit_code(code: i32) {
    EXIT_CODE.store(code, Ordering::Relaxed);
}

extern "C" fn exit(code: i32) {
    crate::runtime::exit::shut_down(crate::runtime::get(), code);
}

extern "C" fn tick_count() -> i32 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    (now.tv_sec * 1000 + now.tv_nsec / 1_000_000) as i32
}

extern "C" fn processor_count() -> i32 {
    std::thread::available_parallelism().map_or(1, |n| n.get() as i32)
}

extern "C" fn shutdown_started() -> bool {
    crate::runtime::exit::is_shutting_down()
}
