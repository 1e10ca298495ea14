//! What happens to weakly held objects, in the order .NET demands. Runs when the strong closure is complete; each step that
//! keeps more objects alive makes the collector trace them and come back.
//!
//! 1. Ephemerons: values of reached keys, until nothing is added.
//! 2. Short weak handles are cleared; unreached objects with finalizers become ready and are kept.
//! 3. Ephemerons again, for what the ready objects reach.
//! 4. Long weak handles, dead ephemeron pairs and monitors of dead objects are cleared.
#![allow(unsafe_code, reason = "addresses become object references")]

use super::handles::{self, HandleKind};
use super::layout::Addr;
use super::{ephemerons, finalize};
use core::sync::atomic::{AtomicU8, Ordering};
use mmtk::util::{Address, ObjectReference};
use mmtk::vm::ObjectTracer;

const EPHEMERONS: u8 = 0;
const EPHEMERONS_AGAIN: u8 = 1;
static STEP: AtomicU8 = AtomicU8::new(EPHEMERONS);

pub(super) fn start_cycle() {
    STEP.store(EPHEMERONS, Ordering::Relaxed);
}

fn reference(object: Addr) -> ObjectReference {
    // SAFETY: the tables hold addresses of objects that were alive until this collection.
    unsafe { ObjectReference::from_raw_address_unchecked(Address::from_usize(object)) }
}

fn alive(object: Addr) -> bool {
    reference(object).is_reachable()
}

fn keep(objects: &[Addr], tracer: &mut impl ObjectTracer) -> bool {
    objects.iter().for_each(|&o| {
        tracer.trace_object(reference(o));
    });
    !objects.is_empty()
}

/// One step; true: trace what was kept and call again.
pub(super) fn process(tracer: &mut impl ObjectTracer) -> bool {
    if keep(&ephemerons::values_to_keep(alive), tracer) {
        return true;
    }
    if STEP.load(Ordering::Relaxed) == EPHEMERONS {
        handles::clear_dead(HandleKind::Weak, alive);
        STEP.store(EPHEMERONS_AGAIN, Ordering::Relaxed);
        if keep(&finalize::move_dead(alive), tracer) {
            return true;
        }
    }
    handles::clear_dead(HandleKind::WeakTrackResurrection, alive);
    ephemerons::clear_dead(alive);
    crate::threads::monitor::recycle_dead(alive);
    false
}
