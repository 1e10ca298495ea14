//! The garbage collector: mmtk behind a narrow interface of our own. Nothing outside this folder names mmtk.
//!
//! Roots are thread stacks (conservatively), handles, registered blocks of static fields and tables that
//! implement [`RootProvider`]. Objects do not move. A collection starts only when a thread allocates or asks for one; all threads are stopped
//! meanwhile (see [`crate::threads`]).

mod binding;
mod ephemerons;
mod finalize;
mod handles;
mod heap;
mod layout;
pub mod map;
pub mod raw;
mod release;
mod roots;
mod stack_scan;
pub mod sync_word;
mod trigger;
mod weak;

pub use finalize::{
    done as finalizer_done, make_all_ready, set_critical_test, set_ready_hook, wait_pending,
    wake_all,
};
pub use handles::{HandleKind, RawHandle};
pub use heap::{HeapOptions, MutatorSpace, init};
pub use map::GcMap;
pub use roots::{RootBlock, RootProvider, add_block, add_provider, remove_block};

use core::sync::atomic::{AtomicUsize, Ordering};
use heap::in_heap_range;
pub(crate) use heap::{bind_mutator, object_bits_base, unbind_mutator};

static PRESSURE: AtomicUsize = AtomicUsize::new(0);

/// `GC.AddMemoryPressure` (positive) and `RemoveMemoryPressure` (negative), in bytes.
pub fn add_pressure(bytes: isize) {
    // Saturating: unbalanced calls of user code must not wrap.
    let _ = PRESSURE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |p| {
        Some(p.saturating_add_signed(bytes))
    });
}

fn pressure_bytes() -> usize {
    PRESSURE.load(Ordering::Relaxed)
}

/// Collects now. Returns when the collection is over; finalizers may still have to run.
pub fn collect() {
    heap::heap().collect(crate::threads::current());
}

/// Number of collections so far.
pub fn collection_count() -> usize {
    binding::EPOCH.load(Ordering::Relaxed)
}

/// Numbers about the heap.
#[derive(Clone, Copy, Debug)]
pub struct MemoryInfo {
    /// Bytes in use, including garbage not yet collected, in units of pages.
    pub used: usize,
    /// The heap may grow to this.
    pub max: usize,
    /// Collections so far.
    pub collections: usize,
}

/// Current numbers.
pub fn memory_info() -> MemoryInfo {
    MemoryInfo {
        used: mmtk::memory_manager::used_bytes(heap::heap().mmtk()),
        max: heap::size_limits().1,
        collections: collection_count(),
    }
}

#[cfg(test)]
pub(crate) mod test_types;
#[cfg(test)]
mod tests;
