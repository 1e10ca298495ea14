//! What the runtime knows about a managed thread besides its objects: state, name, who waits for its end.

use crate::object::{Handle, Obj};
use crate::threads::{self, Deadline, Request, Thread, WaitEnd};
use core::cell::RefCell;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use parking_lot::Mutex;
use std::sync::Arc;

/// Bits of `ThreadState`.
pub mod state {
    /// No bit: it runs.
    pub const RUNNING: u32 = 0;
    /// Does not keep the process alive.
    pub const BACKGROUND: u32 = 4;
    /// Not started yet.
    pub const UNSTARTED: u32 = 8;
    /// Has ended.
    pub const STOPPED: u32 = 0x10;
    /// Waits for something.
    pub const WAIT_SLEEP_JOIN: u32 = 0x20;
    /// `Abort` was called, and not taken back.
    pub const ABORT_REQUESTED: u32 = 0x80;
    /// Aborted before it started.
    pub const ABORTED: u32 = 0x100;
}

/// State of one managed thread.
pub struct ThreadInfo {
    state: AtomicU32,
    pool_worker: AtomicBool,
    /// Made by the runtime.
    is_own: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    name: Option<Vec<u16>>,
    native: Option<Arc<Thread>>,
    waiting: Vec<Arc<Thread>>,
    abort_reason: Option<Handle>,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<ThreadInfo>>> = const { RefCell::new(None) };
}

/// Threads that run or are about to. A process has one set of threads.
static LIVE: Mutex<Vec<Arc<ThreadInfo>>> = Mutex::new(Vec::new());
/// Who waits for foreground threads to end.
static EXITING: Mutex<Option<Arc<Thread>>> = Mutex::new(None);

/// The calling thread's info, if it has a managed thread object.
pub fn current_info() -> Option<Arc<ThreadInfo>> {
    CURRENT.with_borrow(Clone::clone)
}

impl ThreadInfo {
    /// A thread in this state.
    pub fn new(state: u32) -> Arc<ThreadInfo> {
        Arc::new(ThreadInfo {
            state: AtomicU32::new(state),
            pool_worker: AtomicBool::new(false),
            is_own: AtomicBool::new(false),
            inner: Mutex::default(),
        })
    }

    /// Counts as alive from now on.
    pub fn will_run(self: &Arc<Self>) {
        let mut live = LIVE.lock();
        if !live.iter().any(|i| Arc::ptr_eq(i, self)) {
            live.push(self.clone());
        }
    }

    /// Says which native thread it is; on that thread itself this also makes it the current one.
    pub fn run_on(self: &Arc<Self>, native: Arc<Thread>) {
        if Arc::ptr_eq(&native, threads::current().thread()) {
            CURRENT.set(Some(self.clone()));
            self.will_run();
        }
        self.inner.lock().native.get_or_insert(native);
    }

    /// The native thread, once started.
    pub fn native(&self) -> Option<Arc<Thread>> {
        self.inner.lock().native.clone()
    }

    /// `ThreadState` bits.
    pub fn state(&self) -> u32 {
        self.state.load(Ordering::SeqCst)
    }

    /// Sets bits.
    pub fn add_state(&self, bits: u32) {
        self.state.fetch_or(bits, Ordering::SeqCst);
        if bits & state::BACKGROUND != 0 {
            wake_exiting();
        }
    }

    /// Clears bits.
    pub fn remove_state(&self, bits: u32) {
        self.state.fetch_and(!bits, Ordering::SeqCst);
    }

    /// The name.
    pub fn name(&self) -> Option<Vec<u16>> {
        self.inner.lock().name.clone()
    }

    /// Gives it a name.
    pub fn set_name(&self, name: Option<Vec<u16>>) {
        self.inner.lock().name = name;
    }

    /// Belongs to the thread pool.
    pub fn is_pool_worker(&self) -> bool {
        self.pool_worker.load(Ordering::Relaxed)
    }

    /// Makes it one of the thread pool's.
    pub fn set_pool_worker(&self) {
        self.pool_worker.store(true, Ordering::Relaxed);
    }

    /// Marks it as one of the runtime's own.
    pub fn set_own(&self) {
        self.is_own.store(true, Ordering::Relaxed);
    }

    /// The argument of `Abort`.
    pub fn abort_reason(&self) -> Obj {
        let reason = self.inner.lock().abort_reason;
        reason.map_or(Obj::NULL, Handle::target)
    }

    /// Sets the argument of `Abort`.
    pub fn set_abort_reason(&self, reason: Obj) {
        let new = reason.non_null().map(Handle::strong);
        let old = core::mem::replace(&mut self.inner.lock().abort_reason, new);
        if let Some(old) = old {
            old.free();
        }
    }

    /// It has ended (or could not be started): wakes all who wait for that.
    pub fn stop(self: &Arc<Self>) {
        self.set_abort_reason(Obj::NULL);
        let waiting = {
            let mut inner = self.inner.lock();
            self.state.fetch_or(state::STOPPED, Ordering::SeqCst);
            self.remove_state(state::WAIT_SLEEP_JOIN | state::BACKGROUND);
            core::mem::take(&mut inner.waiting)
        };
        LIVE.lock().retain(|i| !Arc::ptr_eq(i, self));
        waiting.iter().for_each(|t| t.unpark());
        wake_exiting();
    }

    /// Waits until it has stopped.
    pub fn wait_stopped(&self, deadline: Deadline) -> WaitEnd {
        let me = threads::current().thread().clone();
        self.inner.lock().waiting.push(me.clone());
        let stopped = || self.state() & (state::STOPPED | state::ABORTED) != 0;
        let end = threads::wait_until(deadline, true, stopped);
        let mut inner = self.inner.lock();
        inner.waiting.retain(|t| !Arc::ptr_eq(t, &me));
        end
    }
}

impl Drop for ThreadInfo {
    fn drop(&mut self) {
        self.set_abort_reason(Obj::NULL);
    }
}

fn wake_exiting() {
    if let Some(t) = EXITING.lock().as_ref() {
        t.unpark();
    }
}

/// Waits until only background threads and the calling one are left.
pub fn wait_for_foreground() {
    let me = current_info();
    let is_me = |i: &Arc<ThreadInfo>| me.as_ref().is_some_and(|m| Arc::ptr_eq(m, i));
    *EXITING.lock() = Some(threads::current().thread().clone());
    threads::wait_until(None, false, || {
        let live = LIVE.lock();
        live.iter()
            .all(|i| is_me(i) || i.state() & state::BACKGROUND != 0)
    });
    *EXITING.lock() = None;
}

/// Asks background threads to abort, so that their `finally` blocks run, and waits for them until the deadline. Pool workers and
/// threads of the runtime just go with the process.
pub fn abort_background(deadline: Deadline) {
    let me = current_info();
    let is_me = |i: &Arc<ThreadInfo>| me.as_ref().is_some_and(|m| Arc::ptr_eq(m, i));
    let asked: Vec<Arc<ThreadInfo>> = LIVE.lock().clone();
    let asked = asked
        .into_iter()
        .filter(|i| !is_me(i) && !i.is_own.load(Ordering::Relaxed));
    let asked: Vec<_> = asked
        .inspect(|i| {
            i.add_state(state::ABORT_REQUESTED);
            if let Some(native) = i.native() {
                native.request(Request::Abort);
            }
        })
        .collect();
    *EXITING.lock() = Some(threads::current().thread().clone());
    threads::wait_until(deadline, false, || {
        asked.iter().all(|i| i.state() & state::STOPPED != 0)
    });
    *EXITING.lock() = None;
}
