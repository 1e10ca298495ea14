//! `System.ConsoleDriver`: terminals. Also numbers as text, which the class libraries ask the C library for.

use super::icalls;
use core::ffi::c_char;

icalls! {
    "System.ConsoleDriver" {
        "Isatty" => is_a_tty(isize) -> bool;
        "InternalKeyAvailable" => key_available(i32) -> i32;
        "SetBreak" => set_break(bool) -> bool;
        "SetEcho" => set_echo(bool) -> bool;
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

/// Changes a local mode of the terminal on standard input; false if there is none.
fn set_local_mode(bit: libc::tcflag_t, on: bool) -> bool {
    // SAFETY: `tcgetattr` fills the attributes before they are changed and handed back.
    unsafe {
        let mut attributes: libc::termios = core::mem::zeroed();
        if libc::tcgetattr(0, &mut attributes) != 0 {
            return false;
        }
        attributes.c_lflag = if on {
            attributes.c_lflag | bit
        } else {
            attributes.c_lflag & !bit
        };
        libc::tcsetattr(0, libc::TCSANOW, &attributes) == 0
    }
}

extern "C" fn set_break(wanted: bool) -> bool {
    // The program sees the interrupt character when it does not want the signal.
    set_local_mode(libc::ISIG, !wanted)
}

extern "C" fn set_echo(wanted: bool) -> bool {
    set_local_mode(libc::ECHO, wanted)
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
