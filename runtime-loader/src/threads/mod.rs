//! Threads that run managed code: attaching, stopping, blocking, waiting, locking.
//!
//! A thread is *managed* while it may touch the heap, and *native* while it promises not to. To stop the world (for a
//! collection) every thread must be native or parked; managed threads notice at their next poll. Rust code of the
//! runtime runs managed unless it calls [`blocking`].
//!
//! Rules for Rust code in managed state: do not block on anything that another managed thread may hold across a
//! poll (use [`blocking`]), and poll in long loops ([`poll`]). Every allocation polls.

mod context;
pub mod monitor;
mod park;
mod safepoint;
mod spawn;
pub mod statics;
mod thread;
pub mod waitable;
mod world;

pub(crate) use context::MUTATOR_OFFSET;
pub use context::{ThreadContext, ThreadId};
pub use park::{Deadline, WaitEnd, deadline_of, sleep, wait_until};
pub use safepoint::{
    blocking, enter_native, in_managed_state, leave_native, managed, poll, without_references,
};
pub use spawn::{SpawnOptions, spawn};
pub use thread::{Request, Thread};
pub use world::{attach, current, detach, for_each, try_current};
pub(crate) use world::{resume_world, stop_world, stopped_threads};

#[cfg(test)]
mod tests;
