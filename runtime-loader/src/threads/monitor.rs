//! Object monitors: thin locks in the sync word, inflated to an entry of a side table when contended, nested deeply or waited on.

use super::context::ThreadId;
use super::current;
use super::park::{Deadline, WaitEnd, wait_until};
use super::thread::Thread;
use crate::gc::sync_word::{
    INFLATED, LOCK_BITS, MONITOR_MASK, OWNER_MASK, OWNER_SHIFT, RECURSION_MASK, RECURSION_SHIFT,
    word,
};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

/// The calling thread does not own the monitor (`SynchronizationLockException`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the monitor is not owned by the calling thread")]
pub struct NotOwner;

/// Spins before a contended thin lock is inflated.
const SPINS: u32 = 100;

/// One thread waiting for a pulse.
struct Waiter {
    thread: Arc<Thread>,
    pulsed: AtomicBool,
}

#[derive(Default)]
struct Inner {
    owner: u32,
    recursion: u32,
    /// Threads blocked in `enter`, in order of arrival.
    entering: VecDeque<Arc<Thread>>,
    /// Threads in `wait`.
    waiting: VecDeque<Arc<Waiter>>,
}

struct Monitor {
    /// The object, while in use; not a root.
    object: AtomicUsize,
    inner: Mutex<Inner>,
}

// Indexed by the sync words of objects in the one heap of the process.
static MONITORS: boxcar::Vec<Monitor> = boxcar::Vec::new();
static FREE: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// Takes the monitor of `object`, waiting until `deadline`. `Done`: taken.
pub fn enter(object: usize, deadline: Deadline, interruptible: bool) -> WaitEnd {
    let me = current().id();
    if enter_thin(object, me) {
        return WaitEnd::Done;
    }
    let monitor = inflate(object);
    enter_fat(monitor, me, deadline, interruptible)
}

/// Takes the monitor if nobody else has it.
pub fn try_enter(object: usize) -> bool {
    let me = current().id();
    match attempt_thin(object, me) {
        Attempt::Taken => true,
        Attempt::Held => false,
        Attempt::Fat => inflate(object).inner.lock().try_take(me),
    }
}

/// Leaves the monitor once.
pub fn exit(object: usize) -> Result<(), NotOwner> {
    let me = current().id();
    let word = word(object);
    let mut old = word.load(Ordering::Relaxed);
    while old & INFLATED == 0 {
        if old >> OWNER_SHIFT & OWNER_MASK != u64::from(me.0) {
            return Err(NotOwner);
        }
        let new = match old >> RECURSION_SHIFT & RECURSION_MASK {
            0 => old & !(OWNER_MASK << OWNER_SHIFT),
            _ => old - (1 << RECURSION_SHIFT),
        };
        match word.compare_exchange_weak(old, new, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => return Ok(()),
            Err(now) => old = now,
        }
    }
    monitor_of(old).inner.lock().leave(me)
}

/// Gives the monitor up, waits for a pulse, and takes it again (in any case, uninterruptibly).
pub fn wait(object: usize, deadline: Deadline) -> Result<WaitEnd, NotOwner> {
    let me = current();
    if !is_owned(object) {
        return Err(NotOwner);
    }
    let monitor = inflate(object);
    let waiter = Arc::new(Waiter {
        thread: me.thread().clone(),
        pulsed: AtomicBool::new(false),
    });
    let recursion = {
        let mut inner = monitor.inner.lock();
        inner.waiting.push_back(waiter.clone());
        inner.release(me.id())?
    };
    let mut end = wait_until(deadline, true, || waiter.pulsed.load(Ordering::Acquire));
    {
        let mut inner = monitor.inner.lock();
        inner.waiting.retain(|w| !Arc::ptr_eq(w, &waiter));
        // A pulse between the end of the wait and this lock was meant for us.
        if waiter.pulsed.load(Ordering::Acquire) && end == WaitEnd::TimedOut {
            end = WaitEnd::Done;
        }
    }
    enter_fat(monitor, me.id(), None, false);
    monitor.inner.lock().recursion = recursion;
    Ok(end)
}

/// Wakes one waiting thread, or all.
pub fn pulse(object: usize, all: bool) -> Result<(), NotOwner> {
    if !is_owned(object) {
        return Err(NotOwner);
    }
    let old = word(object).load(Ordering::Acquire);
    if old & INFLATED == 0 {
        return Ok(());
    }
    let mut inner = monitor_of(old).inner.lock();
    while let Some(waiter) = inner.waiting.pop_front() {
        waiter.pulsed.store(true, Ordering::Release);
        waiter.thread.unpark();
        if !all {
            break;
        }
    }
    Ok(())
}

/// Does the calling thread own the monitor?
pub fn is_owned(object: usize) -> bool {
    let me = current().id().0;
    let old = word(object).load(Ordering::Acquire);
    match old & INFLATED {
        0 => old >> OWNER_SHIFT & OWNER_MASK == u64::from(me),
        _ => monitor_of(old).inner.lock().owner == me,
    }
}

/// Gives the monitors of dead objects to others. The world is stopped.
pub(crate) fn recycle_dead(alive: impl Fn(usize) -> bool) {
    for (index, monitor) in &MONITORS {
        let object = monitor.object.load(Ordering::Relaxed);
        if object != 0 && !alive(object) {
            monitor.object.store(0, Ordering::Relaxed);
            *monitor.inner.lock() = Inner::default();
            FREE.lock().push(index as u32);
        }
    }
}

enum Attempt {
    Taken,
    Held,
    Fat,
}

/// Takes a free thin lock, or takes it once more.
fn attempt_thin(object: usize, me: ThreadId) -> Attempt {
    let word = word(object);
    let mut old = word.load(Ordering::Relaxed);
    loop {
        if old & INFLATED != 0 {
            return Attempt::Fat;
        }
        let new = match old >> OWNER_SHIFT & OWNER_MASK {
            0 => old | u64::from(me.0) << OWNER_SHIFT,
            owner if owner != u64::from(me.0) => return Attempt::Held,
            _ if old >> RECURSION_SHIFT & RECURSION_MASK == RECURSION_MASK => return Attempt::Fat,
            _ => old + (1 << RECURSION_SHIFT),
        };
        match word.compare_exchange_weak(old, new, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => return Attempt::Taken,
            Err(now) => old = now,
        }
    }
}

fn enter_thin(object: usize, me: ThreadId) -> bool {
    for _ in 0..SPINS {
        match attempt_thin(object, me) {
            Attempt::Taken => return true,
            Attempt::Fat => return false,
            Attempt::Held => core::hint::spin_loop(),
        }
    }
    false
}

fn enter_fat(monitor: &Monitor, me: ThreadId, deadline: Deadline, interruptible: bool) -> WaitEnd {
    if monitor.inner.lock().try_take(me) {
        return WaitEnd::Done;
    }
    let thread = current().thread().clone();
    let mut queued = false;
    let end = wait_until(deadline, interruptible, || {
        let mut inner = monitor.inner.lock();
        if inner.try_take(me) {
            return true;
        }
        // Leaving takes the first thread off the queue to wake it; if it comes too late it queues again.
        queued = inner.entering.iter().any(|t| Arc::ptr_eq(t, &thread));
        if !queued {
            inner.entering.push_back(thread.clone());
        }
        false
    });
    let mut inner = monitor.inner.lock();
    inner.entering.retain(|t| !Arc::ptr_eq(t, &thread));
    if end != WaitEnd::Done && inner.owner == 0 {
        // The wake-up may have been for us; pass it on.
        inner.wake_next();
    }
    end
}

impl Inner {
    fn try_take(&mut self, me: ThreadId) -> bool {
        if self.owner == me.0 {
            self.recursion += 1;
            return true;
        }
        if self.owner == 0 {
            self.owner = me.0;
            self.recursion = 0;
            return true;
        }
        false
    }

    fn leave(&mut self, me: ThreadId) -> Result<(), NotOwner> {
        if self.owner != me.0 {
            return Err(NotOwner);
        }
        if self.recursion > 0 {
            self.recursion -= 1;
        } else {
            self.owner = 0;
            self.wake_next();
        }
        Ok(())
    }

    /// Leaves all levels at once; returns how many more than one there were.
    fn release(&mut self, me: ThreadId) -> Result<u32, NotOwner> {
        let recursion = core::mem::take(&mut self.recursion);
        self.leave(me)?;
        Ok(recursion)
    }

    fn wake_next(&mut self) {
        if let Some(next) = self.entering.pop_front() {
            next.unpark();
        }
    }
}

fn monitor_of(word: u64) -> &'static Monitor {
    &MONITORS[(word >> OWNER_SHIFT & MONITOR_MASK) as usize]
}

/// The monitor of an object, made from its thin lock (held by whomever) if there is none yet.
fn inflate(object: usize) -> &'static Monitor {
    let word = word(object);
    let mut old = word.load(Ordering::Acquire);
    if old & INFLATED != 0 {
        return monitor_of(old);
    }
    let index = allocate(object);
    let monitor = &MONITORS[index as usize];
    loop {
        {
            let mut inner = monitor.inner.lock();
            inner.owner = (old >> OWNER_SHIFT & OWNER_MASK) as u32;
            inner.recursion = (old >> RECURSION_SHIFT & RECURSION_MASK) as u32;
        }
        let new = old & !LOCK_BITS | INFLATED | u64::from(index) << OWNER_SHIFT;
        match word.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return monitor,
            Err(now) if now & INFLATED != 0 => {
                monitor.object.store(0, Ordering::Relaxed);
                *monitor.inner.lock() = Inner::default();
                FREE.lock().push(index);
                return monitor_of(now);
            }
            Err(now) => old = now,
        }
    }
}

fn allocate(object: usize) -> u32 {
    let free = FREE.lock().pop();
    let index = free.unwrap_or_else(|| {
        MONITORS.push(Monitor {
            object: AtomicUsize::new(0),
            inner: Mutex::new(Inner::default()),
        }) as u32
    });
    MONITORS[index as usize]
        .object
        .store(object, Ordering::Relaxed);
    index
}
