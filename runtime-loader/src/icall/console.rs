//! `System.ConsoleDriver`: what can be asked of any standard stream. Also numbers as text, which the class libraries ask the C library for.

use super::icalls;
use core::ffi::c_char;

icalls! {
    "System.ConsoleDriver" {
        "Isatty" => is_a_tty(isize) -> bool;
        "InternalKeyAvailable" => key_available(i32) -> i32;
    }
    "Interop/Sys" {
        "DoubleToString" => double_to_string(f64, *const c_char, *mut c_char, i32) -> i32;
    }
}

extern "C" fn is_a_tty(handle: isize) -> bool {
    // SAFETY: asks about a number.
    unsafe { libc::isatty(handle as i32) == 1 }
}

/// Bytes that can be read from standard input, after waiting for some.
extern "C" fn key_available(milliseconds: i32) -> i32 {
    crate::threads::blocking(|| {
        let mut poll = libc::pollfd {
            fd: 0,
            events: libc::POLLIN,
            revents: 0,
        };
        let mut bytes = 0;
        // SAFETY: one entry; `FIONREAD` stores an int.
        unsafe {
            if libc::poll(&mut poll, 1, milliseconds) > 0 {
                libc::ioctl(0, libc::FIONREAD, &mut bytes);
            }
        }
        bytes
    })
}

extern "C" fn double_to_string(
    value: f64,
    format: *const c_char,
    buffer: *mut c_char,
    size: i32,
) -> i32 {
    // SAFETY: managed code passes a NUL-terminated printf format for one double and a buffer of `size` bytes.
    unsafe { libc::snprintf(buffer, size.max(0) as usize, format, value) }
}
