//! Finalization: which objects want it, and the queue of those whose turn has come.
//!
//! An object with a finalizer is registered when it is allocated. When a collection finds it unreachable it moves to
//! the ready queue, which keeps it alive until the finalizer thread has taken it. `GC.SuppressFinalize` sets a bit
//! in the object's sync word.

use super::layout::Addr;
use super::sync_word;
use core::sync::atomic::{AtomicBool, Ordering};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::OnceLock;

#[derive(Default)]
struct Ready {
    normal: VecDeque<Addr>,
    /// Objects of classes derived from `CriticalFinalizerObject` come after all others.
    critical: VecDeque<Addr>,
    /// Taken and not yet done.
    running: usize,
}

struct Candidate {
    object: Addr,
    critical: bool,
}

static CANDIDATES: Mutex<Vec<Candidate>> = Mutex::new(Vec::new());
static READY: Mutex<Ready> = Mutex::new(Ready {
    normal: VecDeque::new(),
    critical: VecDeque::new(),
    running: 0,
});
static READY_CHANGED: Condvar = Condvar::new();
static NEW_READY: AtomicBool = AtomicBool::new(false);
static HOOK: OnceLock<fn()> = OnceLock::new();
static IS_CRITICAL: OnceLock<fn(Addr) -> bool> = OnceLock::new();

/// Sets what is called when objects have become ready: it should see to it that a finalizer thread exists. It runs on the
/// collector's thread, after the world goes on.
pub fn set_ready_hook(hook: fn()) {
    // A second runtime in the process (tests) keeps the first hook.
    let _ = HOOK.set(hook);
}

/// Sets the test whether an object's finalizer comes after the ordinary ones. It must not allocate managed memory.
pub fn set_critical_test(test: fn(Addr) -> bool) {
    // As for the hook.
    let _ = IS_CRITICAL.set(test);
}

pub(super) fn register(object: Addr, critical: bool) {
    let critical = critical || IS_CRITICAL.get().is_some_and(|test| test(object));
    if sync_word::set_finalizer_registered(object) {
        CANDIDATES.lock().push(Candidate { object, critical });
    }
}

pub(super) fn suppress(object: Addr) {
    sync_word::set_finalizer_suppressed(object, true);
}

/// Takes the next ready object, waiting for one until `stop` holds. Call [`done`] after its finalizer has run.
pub(super) fn wait_next(stop: &AtomicBool) -> Option<Addr> {
    let found = crate::threads::blocking(|| {
        let mut ready = READY.lock();
        loop {
            if stop.load(Ordering::SeqCst) {
                return false;
            }
            if !ready.normal.is_empty() || !ready.critical.is_empty() {
                return true;
            }
            READY_CHANGED.wait(&mut ready);
        }
    });
    // Managed again, so no collection comes between taking the object off the queue and having it on the stack.
    if found { take() } else { None }
}

/// Takes the next ready object if there is one.
pub(super) fn take() -> Option<Addr> {
    let mut ready = READY.lock();
    let object = ready
        .normal
        .pop_front()
        .or_else(|| ready.critical.pop_front())?;
    ready.running += 1;
    Some(object)
}

/// The finalizer of a taken object has run.
pub fn done() {
    READY.lock().running -= 1;
    READY_CHANGED.notify_all();
}

/// Wakes everybody who waits in this module, to look at their conditions again.
pub fn wake_all() {
    let _guard = READY.lock();
    READY_CHANGED.notify_all();
}

/// Waits until every ready object was finalized. Not for the finalizer thread.
pub fn wait_pending() {
    crate::threads::blocking(|| {
        let mut ready = READY.lock();
        while ready.running != 0 || !ready.normal.is_empty() || !ready.critical.is_empty() {
            READY_CHANGED.wait(&mut ready);
        }
    });
}

/// At exit: every registered object becomes ready, reachable or not; those for which `late` holds come after the others.
pub fn make_all_ready(late: impl Fn(Addr) -> bool) {
    let mut candidates = core::mem::take(&mut *CANDIDATES.lock());
    for c in &mut candidates {
        c.critical |= late(c.object);
    }
    enqueue(candidates);
    announce();
}

fn enqueue(candidates: Vec<Candidate>) {
    let mut ready = READY.lock();
    for c in candidates {
        if !sync_word::take_finalizer(c.object) {
            continue;
        }
        if c.critical {
            ready.critical.push_back(c.object)
        } else {
            ready.normal.push_back(c.object)
        }
        NEW_READY.store(true, Ordering::Relaxed);
    }
}

/// Tells the finalizer thread about objects that became ready.
pub(super) fn announce() {
    if NEW_READY.swap(false, Ordering::Relaxed) {
        READY_CHANGED.notify_all();
        if let Some(hook) = HOOK.get() {
            hook();
        }
    }
}

/// Objects the queue keeps alive.
pub(super) fn ready_objects() -> Vec<Addr> {
    let ready = READY.lock();
    ready
        .normal
        .iter()
        .chain(&ready.critical)
        .copied()
        .collect()
}

/// Moves unreachable candidates to the queue; returns those that have to be kept alive.
pub(super) fn move_dead(alive: impl Fn(Addr) -> bool) -> Vec<Addr> {
    let mut candidates = CANDIDATES.lock();
    let (dead, living) = core::mem::take(&mut *candidates)
        .into_iter()
        .partition::<Vec<_>, _>(|c| !alive(c.object));
    *candidates = living;
    drop(candidates);
    let kept = dead
        .iter()
        .map(|c| c.object)
        .filter(|&o| sync_word::wants_finalizer(o))
        .collect();
    enqueue(dead);
    kept
}
