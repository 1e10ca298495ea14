//! The list of attached threads, and stopping all of them.
#![allow(
    unsafe_code,
    reason = "thread contexts are reached through raw pointers"
)]

use super::context::{ThreadContext, ThreadId};
use super::thread::{Request, Thread};
use crate::eh::signals::HandlerStack;
use crate::gc::MutatorSpace;
use crate::sys::barrier::process_barrier;
use crate::sys::stack;
use core::cell::{Cell, RefCell, UnsafeCell};
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use parking_lot::{Condvar, Mutex, MutexGuard};
use shared_codegen::abi::layout::thread::STATE_NATIVE;
use std::sync::Arc;
use std::time::Duration;

/// Stack kept free above the guard for the runtime's own work when managed code has used up its share.
const STACK_RESERVE: usize = 512 << 10;
/// Spins before the stopper sleeps between looks at a running thread.
const STOP_SPINS: u32 = 300;
/// Sleep between looks; compiled code changes its state without telling.
const STOP_SLEEP: Duration = Duration::from_micros(50);

#[derive(Clone, Copy)]
struct ContextPtr(*const ThreadContext);

// SAFETY: contexts stay valid while they are in the list, and other threads touch only their atomics, or everything
// while the owner is stopped.
unsafe impl Send for ContextPtr {}

#[derive(Default)]
struct State {
    threads: Vec<ContextPtr>,
    free_ids: Vec<u32>,
    highest_id: u32,
    stopping: bool,
}

/// Who is attached. A process has one set of threads, so this is a global.
struct World {
    state: Mutex<State>,
    resumed: Condvar,
    parked: Condvar,
}

static WORLD: World = World {
    state: Mutex::new(State {
        threads: Vec::new(),
        free_ids: Vec::new(),
        highest_id: 0,
        stopping: false,
    }),
    resumed: Condvar::new(),
    parked: Condvar::new(),
};

thread_local! {
    static CURRENT: Cell<*const ThreadContext> = const { Cell::new(core::ptr::null()) };
    static EXIT: DetachAtExit = const { DetachAtExit };
}

/// Detaches threads that end without doing it, such as native ones that called back.
struct DetachAtExit;

impl Drop for DetachAtExit {
    fn drop(&mut self) {
        detach();
    }
}

/// The calling thread's context, if attached.
pub fn try_current() -> Option<&'static ThreadContext> {
    let p = CURRENT.get();
    // SAFETY: null, or this thread's context, which lives until the thread detaches; callers use it on this thread.
    unsafe { p.as_ref() }
}

/// The calling thread's context.
///
/// # Panics
/// When the thread is not attached.
pub fn current() -> &'static ThreadContext {
    try_current().expect("the thread is attached to the runtime")
}

/// Makes the calling thread a managed one (in managed state). Does nothing when it is attached already.
pub fn attach() -> &'static ThreadContext {
    if let Some(t) = try_current() {
        return t;
    }
    let bounds = stack::current_bounds();
    let reserve = STACK_RESERVE.min((bounds.high - bounds.low) / 4);
    let mut state = lock_going_world();
    let id = state.free_ids.pop().unwrap_or_else(|| {
        state.highest_id += 1;
        state.highest_id
    });
    let id = ThreadId(id);
    let thread = Arc::new(Thread::new(id));
    let context = Box::new(ThreadContext {
        stack_limit: AtomicUsize::new(bounds.low + reserve),
        last_sp: AtomicUsize::new(0),
        last_fp: AtomicUsize::new(0),
        pending_exception: AtomicUsize::new(0),
        state: AtomicU32::new(STATE_NATIVE),
        requests: AtomicU32::new(0),
        scan_sp: AtomicUsize::new(0),
        filter_frame: AtomicUsize::new(0),
        object_bits: crate::gc::object_bits_base(),
        thread_statics: AtomicUsize::new(0),
        thread_statics_len: AtomicUsize::new(0),
        real_limit: AtomicUsize::new(bounds.low + reserve),
        stack_high: bounds.high,
        stack_low: bounds.low,
        id,
        _pad: 0,
        thread: Some(thread.clone()),
        normal_limit: bounds.low + reserve,
        mutator: UnsafeCell::new(MutatorSpace::unbound()),
        scan_floor: AtomicUsize::new(0),
        handler_stack: HandlerStack::install(),
        statics: RefCell::default(),
    });
    let context: &'static ThreadContext = Box::leak(context);
    crate::gc::bind_mutator(context);
    thread
        .context
        .store(core::ptr::from_ref(context) as usize, Ordering::Release);
    CURRENT.set(context);
    EXIT.with(|_| ());
    state.threads.push(ContextPtr(context));
    drop(state);
    super::safepoint::leave_native(context);
    context
}

/// Ends the calling thread's life as a managed thread. No managed frames may be left on its stack.
pub fn detach() {
    let Some(t) = try_current() else { return };
    // Nothing on its stack is a root any more.
    t.scan_sp.store(t.stack_high, Ordering::Relaxed);
    super::safepoint::enter_native(t);
    let mut state = lock_going_world();
    state.threads.retain(|c| !core::ptr::eq(c.0, t));
    state.free_ids.push(t.id.0);
    let thread = t.thread().clone();
    // Requests look the context up under this lock, so nobody uses it after it is freed.
    thread.context.store(0, Ordering::Release);
    crate::gc::unbind_mutator(t);
    CURRENT.set(core::ptr::null());
    drop(state);
    // SAFETY: the context was leaked by `attach`, is out of the list and out of CURRENT, so this is the last pointer.
    let mut context = unsafe { Box::from_raw(core::ptr::from_ref(t).cast_mut()) };
    if let Some(stack) = context.handler_stack.take() {
        stack.remove();
    }
    drop(context);
    thread.finish();
}

/// The state, when no stop is under way. The caller must not be in managed state.
fn lock_going_world() -> MutexGuard<'static, State> {
    let mut state = WORLD.state.lock();
    while state.stopping {
        WORLD.resumed.wait(&mut state);
    }
    state
}

/// Calls `f` for every attached thread.
pub fn for_each(f: impl FnMut(&Arc<Thread>)) {
    let threads: Vec<Arc<Thread>> = {
        let state = WORLD.state.lock();
        // SAFETY: contexts in the list are alive while the lock is held.
        state
            .threads
            .iter()
            .map(|c| unsafe { &*c.0 }.thread().clone())
            .collect()
    };
    threads.iter().for_each(f);
}

/// Stops every attached thread except the calling one; returns when all are stopped. Only one stop at a time:
/// others wait. The caller must not be in managed state if another stop can be under way.
pub(crate) fn stop_world() {
    let mut state = lock_going_world();
    state.stopping = true;
    let me = CURRENT.get();
    let threads: Vec<ContextPtr> = state
        .threads
        .iter()
        .copied()
        .filter(|c| c.0 != me)
        .collect();
    for c in &threads {
        // SAFETY: in the list, and the list cannot change while `stopping`.
        raise(unsafe { &*c.0 }, Request::Stop);
    }
    process_barrier();
    for c in threads {
        // SAFETY: as above.
        let t = unsafe { &*c.0 };
        let mut spins = 0;
        while t.state.load(Ordering::Acquire) != STATE_NATIVE {
            spins += 1;
            if spins < STOP_SPINS {
                core::hint::spin_loop();
            } else {
                WORLD.parked.wait_for(&mut state, STOP_SLEEP);
            }
        }
    }
}

/// Lets all threads go on.
pub(crate) fn resume_world() {
    let mut state = WORLD.state.lock();
    for c in &state.threads {
        // SAFETY: in the list.
        lower(unsafe { &*c.0 }, Request::Stop);
    }
    state.stopping = false;
    drop(state);
    WORLD.resumed.notify_all();
}

/// The contexts of all attached threads. Valid while the world is stopped.
pub(crate) fn stopped_threads() -> Vec<&'static ThreadContext> {
    let state = WORLD.state.lock();
    // SAFETY: the list cannot change while the world is stopped, which the caller guarantees.
    state.threads.iter().map(|c| unsafe { &*c.0 }).collect()
}

/// Waits until this thread is not asked to stop any more. The caller is in native state.
pub(super) fn wait_resumed(t: &ThreadContext) {
    let mut state = WORLD.state.lock();
    WORLD.parked.notify_one();
    while t.has_stop_request() {
        WORLD.resumed.wait(&mut state);
    }
}

/// Makes the thread's next poll take the slow path.
fn raise(t: &ThreadContext, request: Request) {
    t.requests.fetch_or(request as u32, Ordering::SeqCst);
    t.stack_limit.store(usize::MAX, Ordering::SeqCst);
}

fn lower(t: &ThreadContext, request: Request) {
    let left = t.requests.fetch_and(!(request as u32), Ordering::SeqCst) & !(request as u32);
    if left == 0 {
        t.stack_limit
            .store(t.real_limit.load(Ordering::Relaxed), Ordering::SeqCst);
        if t.requests.load(Ordering::SeqCst) != 0 {
            t.stack_limit.store(usize::MAX, Ordering::SeqCst);
        }
    }
}

/// Forwards a request of [`Thread::request`] to the polls of the thread.
pub(super) fn raise_request(thread: &Thread, request: Request) {
    with_context(thread, |t| raise(t, request));
}

/// Takes back what [`raise_request`] did.
pub(super) fn lower_request(thread: &Thread, request: Request) {
    with_context(thread, |t| lower(t, request));
}

fn with_context(thread: &Thread, f: impl FnOnce(&ThreadContext)) {
    let _state = WORLD.state.lock();
    let context = thread.context.load(Ordering::Acquire) as *const ThreadContext;
    // SAFETY: null once detached; `detach` clears the pointer under the lock we hold before it frees the context.
    if let Some(t) = unsafe { context.as_ref() } {
        f(t);
    }
}
