//! Waiting that other threads can end: the one primitive under monitors, joins, sleeps and wait handles.
//!
//! A waiter publishes itself somewhere, then calls [`Thread::park`](super::Thread) in a loop that checks its condition; whoever
//! makes the condition true calls `unpark`. A token remembers an `unpark` that comes first.

use super::thread::Request;
use super::{blocking, current};
use parking_lot::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// When a wait gives up; `None`: never.
pub type Deadline = Option<Instant>;

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitEnd {
    /// The condition came true.
    Done,
    /// The deadline passed first.
    TimedOut,
    /// Another thread asked for an interruption or abort; the request is still pending.
    Interrupted,
}

#[derive(Debug, Default)]
pub(super) struct Parker {
    token: Mutex<bool>,
    changed: Condvar,
}

impl Parker {
    pub(super) fn unpark(&self) {
        *self.token.lock() = true;
        self.changed.notify_one();
    }

    /// Waits for the token; false when the deadline passed.
    fn park(&self, deadline: Deadline) -> bool {
        let mut token = self.token.lock();
        while !*token {
            match deadline {
                None => self.changed.wait(&mut token),
                Some(at) => {
                    if self.changed.wait_until(&mut token, at).timed_out() {
                        break;
                    }
                }
            }
        }
        core::mem::take(&mut *token)
    }
}

/// The deadline for a timeout in milliseconds as the class libraries give it: negative means never.
pub fn deadline_of(milliseconds: i64) -> Deadline {
    let ms = u64::try_from(milliseconds).ok()?;
    Instant::now().checked_add(Duration::from_millis(ms))
}

/// Waits until `done()` holds, the deadline passes, or (if `interruptible`) somebody asks for an interruption or abort.
/// Whoever makes the condition true must `unpark` this thread. Counts as native meanwhile.
pub fn wait_until(
    deadline: Deadline,
    interruptible: bool,
    mut done: impl FnMut() -> bool,
) -> WaitEnd {
    let thread = current().thread().clone();
    loop {
        if done() {
            return WaitEnd::Done;
        }
        if interruptible
            && (thread.has_request(Request::Interrupt) || thread.has_request(Request::Abort))
        {
            return WaitEnd::Interrupted;
        }
        if deadline.is_some_and(|at| Instant::now() >= at) {
            return WaitEnd::TimedOut;
        }
        blocking(|| thread.parker.park(deadline));
    }
}

/// `Thread.Sleep`.
pub fn sleep(deadline: Deadline) -> WaitEnd {
    wait_until(deadline, true, || false)
}
