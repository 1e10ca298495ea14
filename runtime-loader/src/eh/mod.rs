//! Exceptions: raising, searching, unwinding, stack traces, traps.
//!
//! Two passes over managed frames. The first looks for a handler without changing anything (filters run on top of the stack); the
//! second runs fault handlers from the inside out and goes on at the handler that was found. Frames of Rust code are never
//! unwound: an exception that leaves managed code called from Rust ends that call with a pending exception
//! (see [`CallKind`](crate::arch::native::calls::CallKind)), and Rust returns normally.

mod dispatch;
mod entry;
mod host;
pub mod signals;
mod walk;

pub(crate) use entry::{
    poll_entry, raise_entry, resolve_interface_entry, resolve_method_entry, resolve_virtual_entry,
};
pub use host::{Host, TraceStart, install_host};
pub use walk::{Boundary, Frame, FrameWalk, Step, TraceFrame, capture_trace};

#[cfg(test)]
mod test_code;
#[cfg(test)]
mod tests;
