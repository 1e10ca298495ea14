//! What the unwinder and the stubs ask of the rest of the runtime.

use super::walk::{Frame, TraceFrame};

use crate::threads::ThreadContext;
use shared_codegen::abi::trap::TrapKind;
use shared_codegen::emit::EhClause;
use std::sync::OnceLock;

/// How the frames of an exception's stack trace go on from those it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TraceStart {
    /// `throw`: it had none, or loses them.
    Fresh,
    /// `rethrow`: the first new frame stands for the last one it has, where the exception was caught.
    Rethrow,
    /// Behind them.
    Continue,
}

/// The rest of the runtime. Objects are addresses. All calls come in managed state on the thread concerned, and the
/// managed frames below are recorded, so implementations may allocate, call managed code and walk the stack.
pub trait Host: Send + Sync {
    /// Code of the method whose prestub was called: the number given to the prestub thunk, the hidden argument and first
    /// argument as passed. 0: a pending exception is set.
    fn resolve_method(&self, t: &ThreadContext, id: u32, context: usize, this: usize) -> usize;

    /// Code for a slot of the object's vtable that still holds its resolver. Should fill the slot. 0: a pending exception is set.
    fn resolve_virtual(&self, t: &ThreadContext, slot: u32, this: usize) -> usize;

    /// Code of an interface method (handle) for an object. 0: a pending exception is set. May fill the type's dispatch table.
    fn resolve_interface(&self, t: &ThreadContext, method: usize, this: usize) -> usize;

    /// Does this catch clause of the frame's method take the exception? Must not raise exceptions.
    fn catches(&self, exception: usize, frame: &Frame, clause: &EhClause) -> bool;

    /// A new exception object for a trap (made by running the constructor, or preallocated).
    fn trap_exception(&self, kind: TrapKind) -> usize;

    /// Adds frames to the exception's stack trace.
    fn record_trace(&self, exception: usize, frames: &[TraceFrame], start: TraceStart);

    /// Nobody handles the exception. Usually ends the process; if it returns, the outermost call ends with the
    /// exception pending.
    fn unhandled(&self, exception: usize);

    /// The thread was asked for something ([`Request`](crate::threads::Request)) and is at a poll. May set a pending exception.
    fn poll_request(&self, t: &ThreadContext);
}

static HOST: OnceLock<&'static dyn Host> = OnceLock::new();

/// Sets the host; once per process, before managed code runs. Later calls have no effect.
pub fn install_host(host: &'static dyn Host) {
    // Assembly stubs call back without context, so this is a global.
    let _ = HOST.set(host);
}

pub(super) fn host() -> &'static dyn Host {
    *HOST
        .get()
        .expect("the host is installed before managed code runs")
}
