//! The per-thread structure that `r15` points to while managed code runs.

use super::statics::ThreadStatics;
use super::thread::{Request, Thread};
use crate::eh::signals::HandlerStack;
use crate::gc::MutatorSpace;
use core::cell::{RefCell, UnsafeCell};
use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use shared_codegen::abi::layout::thread as l;
use std::sync::Arc;

/// Stack left for the runtime while managed code handles a stack overflow.
const OVERFLOW_RESERVE: usize = 128 << 10;

/// Identity of an attached thread: small, unique among live threads, never 0. Fits the owner field of the lock word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ThreadId(pub u32);

/// See the module documentation; offsets of the first fields are `abi::layout::thread`.
///
/// Fields are atomic because a stopped thread is inspected by others; the owner uses relaxed accesses.
#[repr(C)]
pub struct ThreadContext {
    pub(crate) stack_limit: AtomicUsize,
    pub(crate) last_sp: AtomicUsize,
    pub(crate) last_fp: AtomicUsize,
    pub(crate) pending_exception: AtomicUsize,
    pub(crate) state: AtomicU32,
    /// See [`super::safepoint`].
    pub(crate) requests: AtomicU32,
    /// Lowest stack address to scan while in a safe region entered by Rust code; 0 otherwise.
    pub(crate) scan_sp: AtomicUsize,
    /// Stack pointer of the innermost filter call; 0 outside filters.
    pub(crate) filter_frame: AtomicUsize,
    pub(crate) object_bits: usize,
    pub(crate) thread_statics: AtomicUsize,
    pub(crate) thread_statics_len: AtomicUsize,
    /// `stack_limit` when nobody wants the thread to stop.
    pub(crate) real_limit: AtomicUsize,
    /// One past the highest stack address.
    pub(crate) stack_high: usize,
    /// Lowest usable stack address.
    pub(crate) stack_low: usize,
    pub(crate) id: ThreadId,
    pub(super) _pad: u32,
    pub(crate) thread: Option<Arc<Thread>>,
    /// What `real_limit` is unless a stack overflow is being handled.
    pub(crate) normal_limit: usize,
    pub(crate) mutator: UnsafeCell<MutatorSpace>,
    /// Where to scan from instead of the place a safe region was entered, while the runtime works for this thread in frames without
    /// references; 0 otherwise. See [`super::safepoint::without_references`].
    pub(super) scan_floor: AtomicUsize,
    pub(super) handler_stack: Option<HandlerStack>,
    pub(super) statics: RefCell<ThreadStatics>,
}

/// Where the allocator's part of the context starts; the allocation cursor and limit lie in it.
pub(crate) const MUTATOR_OFFSET: usize = offset_of!(ThreadContext, mutator);

const _: () = {
    assert!(offset_of!(ThreadContext, stack_limit) == l::STACK_LIMIT as usize);
    assert!(offset_of!(ThreadContext, last_sp) == l::LAST_SP as usize);
    assert!(offset_of!(ThreadContext, last_fp) == l::LAST_FP as usize);
    assert!(offset_of!(ThreadContext, pending_exception) == l::PENDING_EXCEPTION as usize);
    assert!(offset_of!(ThreadContext, state) == l::STATE as usize);
    assert!(offset_of!(ThreadContext, object_bits) == l::OBJECT_BITS as usize);
    assert!(offset_of!(ThreadContext, thread_statics) == l::THREAD_STATICS as usize);
    assert!(offset_of!(ThreadContext, thread_statics_len) == l::THREAD_STATICS_LEN as usize);
    assert!(offset_of!(ThreadContext, real_limit) == l::STACK_END as usize);
    assert!(MUTATOR_OFFSET == 128);
};

impl ThreadContext {
    /// Identity.
    pub fn id(&self) -> ThreadId {
        self.id
    }

    /// The sharable side.
    ///
    /// # Panics
    /// Never while attached.
    pub fn thread(&self) -> &Arc<Thread> {
        self.thread.as_ref().expect("attached")
    }

    /// Address that goes into `r15`.
    pub fn addr(&self) -> usize {
        core::ptr::from_ref(self) as usize
    }

    /// Is an exception waiting to be raised when native code returns?
    pub fn has_pending_exception(&self) -> bool {
        self.pending_exception.load(Ordering::Relaxed) != 0
    }

    /// Sets the exception (an object's address) to be raised when native code returns; 0: none.
    pub fn set_pending_exception(&self, exception: usize) {
        self.pending_exception.store(exception, Ordering::Relaxed);
    }

    /// Takes the pending exception; 0 if there is none.
    pub fn take_pending_exception(&self) -> usize {
        self.pending_exception.swap(0, Ordering::Relaxed)
    }

    pub(crate) fn has_other_requests(&self) -> bool {
        self.requests.load(Ordering::Relaxed) & !(Request::Stop as u32) != 0
    }

    /// Where the stack that managed code may use ends.
    pub(crate) fn stack_end(&self) -> usize {
        self.real_limit.load(Ordering::Relaxed)
    }

    /// After a stack overflow: lets managed code use the reserve while the exception is handled.
    pub(crate) fn relax_stack_limit(&self) {
        self.change_limit(self.normal_limit.min(self.stack_low + OVERFLOW_RESERVE));
    }

    /// Ends the effect of [`relax_stack_limit`](Self::relax_stack_limit) when the stack has shrunk to `sp`.
    pub(crate) fn restore_stack_limit(&self, sp: usize) {
        if self.real_limit.load(Ordering::Relaxed) != self.normal_limit && sp > self.normal_limit {
            self.change_limit(self.normal_limit);
        }
    }

    fn change_limit(&self, limit: usize) {
        let old = self.real_limit.swap(limit, Ordering::Relaxed);
        // Only if nobody wants the thread to stop; then lowering the request stores the limit.
        let (order, failed) = (Ordering::SeqCst, Ordering::Relaxed);
        let _ = self.stack_limit.compare_exchange(old, limit, order, failed);
    }
}
