//! Native libraries: finding functions for P/Invokes, and what marshalling stubs ask the runtime to do.
#![allow(unsafe_code, reason = "loads libraries and fills native memory")]

mod callback;
mod custom;
mod dllmap;
mod exports;
mod library;
mod marshal;
pub mod structure;
pub mod text;

pub use callback::delegate_of;
pub use custom::{custom_clean, custom_from_native, custom_marshaler, custom_to_native};
pub use exports::keep;
pub use library::resolve;
pub use marshal::*;
pub use text::native_string;

use core::cell::Cell;

thread_local! {
    /// `Marshal.GetLastWin32Error` of this thread.
    pub static LAST_ERROR: Cell<i32> = const { Cell::new(0) };
}
