//! What the assembly stubs call.
#![allow(unsafe_code, reason = "called from assembly with raw pointers")]

use super::dispatch::{Resume, raise, resume};
use super::host::{TraceStart, host};
use crate::arch::native::stubs::Raise;
use crate::threads::{self, ThreadContext};
use core::sync::atomic::Ordering;
use shared_codegen::abi::trap::TrapKind;

/// Raises an exception (see [`Raise`]) and says where to go on.
///
/// # Safety
/// For the raise stubs: `t` is the calling thread, `out` their result area.
pub(crate) unsafe extern "C" fn raise_entry(
    t: &ThreadContext,
    argument: usize,
    kind: u32,
    out: *mut Resume,
) {
    let target = if kind == Raise::Resume as u32 {
        resume(t, argument)
    } else {
        let (exception, start) = exception_of(t, argument, kind);
        raise(t, exception, start)
    };
    // SAFETY: the stub passes a pointer to its result area.
    unsafe { out.write(target) };
}

fn exception_of(t: &ThreadContext, argument: usize, kind: u32) -> (usize, TraceStart) {
    if kind == Raise::Pending as u32 {
        return (
            t.pending_exception.swap(0, Ordering::Relaxed),
            TraceStart::Continue,
        );
    }
    if kind == Raise::Trap as u32 {
        let trap = TrapKind::try_from(argument as u8).unwrap_or(TrapKind::InvalidProgram);
        if trap == TrapKind::StackOverflow {
            t.relax_stack_limit();
        }
        return (host().trap_exception(trap), TraceStart::Fresh);
    }
    if argument == 0 {
        return (
            host().trap_exception(TrapKind::NullReference),
            TraceStart::Fresh,
        );
    }
    (
        argument,
        if kind == Raise::Rethrow as u32 {
            TraceStart::Rethrow
        } else {
            TraceStart::Fresh
        },
    )
}

/// The slow path of a poll: park, notice requests, or overflow the stack. Keeps `errno`: what a native function left there is
/// saved behind the poll that follows the call.
pub(crate) extern "C" fn poll_entry(t: &ThreadContext, sp: usize) {
    // SAFETY: the address of the thread's own variable.
    let errno = unsafe { *libc::__errno_location() };
    slow_poll(t, sp);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

fn slow_poll(t: &ThreadContext, sp: usize) {
    if t.has_stop_request() {
        threads::poll();
    }
    if t.has_other_requests() {
        host().poll_request(t);
    }
    if sp <= t.real_limit.load(Ordering::Relaxed) && !t.has_pending_exception() {
        t.relax_stack_limit();
        let exception = host().trap_exception(TrapKind::StackOverflow);
        t.pending_exception.store(exception, Ordering::Relaxed);
    }
}

/// First call of a method.
pub(crate) extern "C" fn resolve_method_entry(
    t: &ThreadContext,
    id: u32,
    context: usize,
    this: usize,
) -> usize {
    host().resolve_method(t, id, context, this)
}

/// First call through a slot of a vtable.
pub(crate) extern "C" fn resolve_virtual_entry(
    t: &ThreadContext,
    slot: u32,
    _: usize,
    this: usize,
) -> usize {
    host().resolve_virtual(t, slot, this)
}

/// Interface dispatch in the slow way.
pub(crate) extern "C" fn resolve_interface_entry(
    t: &ThreadContext,
    _: u32,
    method: usize,
    this: usize,
) -> usize {
    host().resolve_interface(t, method, this)
}
