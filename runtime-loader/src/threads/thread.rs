//! What other threads may know and ask of a thread.

use super::context::ThreadId;
use super::park::Parker;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use parking_lot::{Condvar, Mutex};

/// Something another thread wants a thread to do at its next poll or interruptible wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Request {
    /// Park until the world goes on. (Set and cleared by the runtime only.)
    Stop = 1,
    /// `Thread.Interrupt`: the next interruptible wait ends early.
    Interrupt = 2,
    /// `Thread.Abort`: raise `ThreadAbortException` at the next poll or wait.
    Abort = 4,
    /// `Thread.Suspend`.
    Suspend = 8,
}

/// The sharable side of an attached thread. Outlives the attachment.
#[derive(Debug)]
pub struct Thread {
    pub(super) id: ThreadId,
    os_id: u32,
    pub(super) context: AtomicUsize,
    pub(super) parker: Parker,
    /// Bits of [`Request`], except `Stop`, that wait to be noticed.
    pub(super) wanted: AtomicU32,
    finished: Mutex<bool>,
    finished_changed: Condvar,
    /// For the runtime: a handle of the managed thread object.
    pub managed: AtomicU32,
    /// For the runtime: does not keep the process alive.
    pub background: AtomicBool,
}

impl Thread {
    pub(super) fn new(id: ThreadId) -> Thread {
        Thread {
            id,
            os_id: rustix::thread::gettid().as_raw_nonzero().get() as u32,
            context: AtomicUsize::new(0),
            parker: Parker::default(),
            wanted: AtomicU32::new(0),
            finished: Mutex::new(false),
            finished_changed: Condvar::new(),
            managed: AtomicU32::new(0),
            background: AtomicBool::new(false),
        }
    }

    /// Identity among attached threads.
    pub fn id(&self) -> ThreadId {
        self.id
    }

    /// The kernel's number of the thread.
    pub fn os_id(&self) -> u32 {
        self.os_id
    }

    /// Asks for something; ends the thread's current interruptible wait.
    pub fn request(&self, request: Request) {
        self.wanted.fetch_or(request as u32, Ordering::SeqCst);
        if request != Request::Interrupt {
            super::world::raise_request(self, request);
        }
        self.parker.unpark();
    }

    /// Takes a request back (or acknowledges it). Was it pending?
    pub fn clear_request(&self, request: Request) -> bool {
        let had = self.wanted.fetch_and(!(request as u32), Ordering::SeqCst) & request as u32 != 0;
        super::world::lower_request(self, request);
        had
    }

    /// Is this request pending?
    pub fn has_request(&self, request: Request) -> bool {
        self.wanted.load(Ordering::SeqCst) & request as u32 != 0
    }

    /// Ends the thread's current wait, or lets its next one look at its condition at once.
    pub fn unpark(&self) {
        self.parker.unpark();
    }

    /// Has it detached?
    pub fn is_finished(&self) -> bool {
        *self.finished.lock()
    }

    /// Waits until the thread has detached. Not interruptible.
    pub fn wait_finished(&self) {
        super::blocking(|| {
            let mut finished = self.finished.lock();
            while !*finished {
                self.finished_changed.wait(&mut finished);
            }
        });
    }

    pub(super) fn finish(&self) {
        *self.finished.lock() = true;
        self.finished_changed.notify_all();
    }
}
