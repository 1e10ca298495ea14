//! Changing between managed and native state, and parking.
//!
//! Protocol: a thread leaves native state by storing `managed` and then loading its request bits; the stopper sets
//! the bits, passes [`crate::sys::barrier::process_barrier`], and then reads the states. So either the thread sees the
//! request or the stopper sees `managed` and waits.
#![allow(unsafe_code, reason = "saves registers in assembly")]

use super::context::ThreadContext;
use super::thread::Request;
use super::world;
use super::{current, try_current};
use crate::arch::native::registers::call_with_saved_registers;
use core::sync::atomic::{Ordering, compiler_fence};
use shared_codegen::abi::layout::thread::{STATE_MANAGED, STATE_NATIVE};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Runs `f` in native state: the world may be stopped meanwhile. `f` must not touch the heap, hold on to the contents
/// of objects, or call managed code. On threads that are not attached, or are native already, just runs `f`.
pub fn blocking<R>(f: impl FnOnce() -> R) -> R {
    match try_current() {
        Some(t) if t.state.load(Ordering::Relaxed) == STATE_MANAGED => in_safe_region(t, f),
        _ => f(),
    }
}

/// Is the calling thread attached and in managed state?
pub fn in_managed_state() -> bool {
    try_current().is_some_and(|t| t.state.load(Ordering::Relaxed) == STATE_MANAGED)
}

/// Parks if the world is to be stopped. For Rust loops that neither allocate nor block.
pub fn poll() {
    let t = current();
    if t.has_stop_request() {
        blocking(|| ());
    }
}

/// Runs `f` in managed state, for calls from native code: attaches the thread if need be and restores its state afterwards.
pub fn managed<R>(f: impl FnOnce() -> R) -> R {
    match try_current() {
        Some(t) if t.state.load(Ordering::Relaxed) == STATE_MANAGED => return f(),
        Some(t) => leave_native(t),
        None => {
            world::attach();
        }
    }
    let t = current();
    // While managed, the stack is found through regions entered further in.
    let outer = t.scan_sp.swap(0, Ordering::Relaxed);
    let result = f();
    t.scan_sp.store(outer, Ordering::Relaxed);
    enter_native(t);
    result
}

fn in_safe_region<R>(t: &ThreadContext, f: impl FnOnce() -> R) -> R {
    with_saved_registers(|sp| {
        let floor = t.scan_floor.load(Ordering::Relaxed);
        let scan = if floor == 0 { sp } else { floor };
        t.scan_sp.store(scan, Ordering::Relaxed);
        enter_native(t);
        let result = catch_unwind(AssertUnwindSafe(f));
        leave_native(t);
        t.scan_sp.store(0, Ordering::Relaxed);
        result.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Runs `f`, which may stop for a collection but holds no references itself: its frames are not scanned then. What lies in holes of
/// frames, left by calls that are over, would keep dead objects alive there, just when memory is short.
pub fn without_references<R>(t: &ThreadContext, f: impl FnOnce() -> R) -> R {
    with_saved_registers(|sp| {
        let outer = t.scan_floor.swap(sp, Ordering::Relaxed);
        let result = catch_unwind(AssertUnwindSafe(f));
        t.scan_floor.store(outer, Ordering::Relaxed);
        result.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

struct Work<F, R> {
    work: Option<F>,
    result: Option<Result<R, Box<dyn Any + Send>>>,
}

/// Calls `f` with the lowest stack address that has to be scanned for what the callers hold, in registers too.
fn with_saved_registers<R, F: FnOnce(usize) -> R>(f: F) -> R {
    let mut work = Work {
        work: Some(f),
        result: None,
    };
    // SAFETY: `run_work::<F, R>` gets the structure it expects, which outlives the call, and does not unwind.
    unsafe { call_with_saved_registers((&raw mut work).cast(), run_work::<F, R>) };
    match work.result.take() {
        Some(Ok(r)) => r,
        Some(Err(panic)) => resume_unwind(panic),
        None => unreachable!("the work always runs"),
    }
}

/// # Safety
/// `data` must point to a `Work<F, R>` nobody else uses.
unsafe extern "C" fn run_work<F: FnOnce(usize) -> R, R>(data: *mut u8, sp: usize) {
    // SAFETY: the caller's promise.
    let work = unsafe { &mut *data.cast::<Work<F, R>>() };
    if let Some(f) = work.work.take() {
        work.result = Some(catch_unwind(AssertUnwindSafe(|| f(sp))));
    }
}

/// Managed to native. The thread's managed frames must be found through `scan_sp` or `last_sp`.
pub fn enter_native(t: &ThreadContext) {
    t.state.store(STATE_NATIVE, Ordering::Release);
}

/// Native to managed; waits while the world is stopped.
pub fn leave_native(t: &ThreadContext) {
    loop {
        t.state.store(STATE_MANAGED, Ordering::Relaxed);
        // The stopper's process barrier orders the store before the load for the processor.
        compiler_fence(Ordering::SeqCst);
        if !t.has_stop_request() {
            core::sync::atomic::fence(Ordering::Acquire);
            return;
        }
        t.state.store(STATE_NATIVE, Ordering::Release);
        world::wait_resumed(t);
    }
}

impl ThreadContext {
    pub(crate) fn has_stop_request(&self) -> bool {
        self.requests.load(Ordering::Relaxed) & Request::Stop as u32 != 0
    }
}
