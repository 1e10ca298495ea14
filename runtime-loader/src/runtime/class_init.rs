//! Class initializers (ECMA-335 II.10.5.3): each runs at most once, a thread that needs a class another
//! thread is initializing waits, and threads that would wait for each other in a circle go on instead
//! and see the class half-initialized.
#![allow(unsafe_code, reason = "marks blocks of statics")]

use crate::icall::{Result, Thrown};
use crate::object::Handle;
use crate::object::{InitState, MethodTable};
use crate::threads::{self, ThreadId};
use parking_lot::{Condvar, Mutex};
use rustc_hash::FxHashMap;
use shared_codegen::abi::layout::statics;

/// Who waits for whom.
#[derive(Default)]
pub struct ClassInit {
    waiting: Mutex<FxHashMap<ThreadId, ThreadId>>,
    changed: Condvar,
}

/// What a thread that asks for a class has to do.
enum Turn {
    /// Run the initializer.
    Run,
    /// Nothing: done, or being run by this thread, or by one that waits for this thread.
    Pass,
    /// Raise the stored failure.
    Fail(Handle),
}

impl ClassInit {
    /// Makes sure that the initializer of a type has run as far as this thread may demand.
    pub fn ensure(&self, mt: &'static MethodTable) -> Result<()> {
        match self.turn(mt) {
            Turn::Pass => Ok(()),
            Turn::Fail(handle) => Err(Thrown::Object(handle.target())),
            Turn::Run => self.run(mt),
        }
    }

    fn turn(&self, mt: &'static MethodTable) -> Turn {
        let me = threads::current().id();
        loop {
            let mut waiting = self.waiting.lock();
            let mut state = mt.desc.init.lock();
            match *state {
                InitState::Done => return Turn::Pass,
                InitState::Failed(handle) => return Turn::Fail(handle),
                InitState::None => {
                    *state = InitState::Running(me);
                    return Turn::Run;
                }
                InitState::Running(other) if other == me || would_deadlock(&waiting, me, other) => {
                    return Turn::Pass;
                }
                InitState::Running(other) => {
                    drop(state);
                    waiting.insert(me, other);
                    // The lock is given back before the end of the safe region, where this thread may have to park: others
                    // take it in managed state and could not be stopped.
                    threads::blocking(move || {
                        self.changed.wait(&mut waiting);
                        waiting.remove(&me);
                    });
                }
            }
        }
    }

    fn run(&self, mt: &'static MethodTable) -> Result<()> {
        let outcome = match super::get().initializer_of(mt) {
            Some(cctor) => super::invoke::call(cctor, &[]).map(|_| ()),
            None => Ok(()),
        };
        let (state, result) = match outcome {
            Ok(()) => (InitState::Done, Ok(())),
            Err(thrown) => {
                let failure = super::exception::type_initialization(mt, thrown);
                (
                    InitState::Failed(Handle::strong(failure)),
                    Err(Thrown::Object(failure)),
                )
            }
        };
        if state == InitState::Done {
            mark_done(mt);
        }
        let _waiting = self.waiting.lock();
        *mt.desc.init.lock() = state;
        self.changed.notify_all();
        result
    }
}

/// Is `other` waiting, perhaps through more threads, for `me`?
fn would_deadlock(
    waiting: &FxHashMap<ThreadId, ThreadId>,
    me: ThreadId,
    mut other: ThreadId,
) -> bool {
    for _ in 0..=waiting.len() {
        match waiting.get(&other) {
            Some(next) if *next == me => return true,
            Some(next) => other = *next,
            None => return false,
        }
    }
    false
}

/// Tells compiled code that no check is needed any more.
fn mark_done(mt: &'static MethodTable) {
    let base = super::get().statics.base(mt);
    // SAFETY: every statics block has its state byte at this offset before its base.
    unsafe { base.offset(statics::INIT_STATE as isize).write_volatile(1) };
}
