//! When to collect: after the heap has grown to a multiple of what survived the last collection.

use super::binding::Vm;
use super::heap::size_limits;
use core::sync::atomic::{AtomicUsize, Ordering};
use mmtk::MMTK;
use mmtk::plan::Plan;
use mmtk::util::heap::{GCTriggerPolicy, SpaceStats};

const PAGE: usize = 4096;

/// Limit = max(minimum, factor × live), capped by the maximal heap size.
pub(super) struct Trigger {
    limit: AtomicUsize,
    pending: AtomicUsize,
    /// Pages used since memory was last given back.
    touched: AtomicUsize,
    min: usize,
    max: usize,
}

/// Growth between collections relative to what survived.
const FACTOR: usize = 2;
/// The same where more than [`MUCH`] survived: marking that again is what costs, and programs that build large data keep it.
const LARGE_FACTOR: usize = 3;
const MUCH: usize = (16 << 20) / PAGE;
/// Pages that may stay unused without being given back.
const SLACK: usize = (16 << 20) / PAGE;

impl Trigger {
    pub(super) fn new() -> Trigger {
        let (min, max) = size_limits();
        Trigger {
            limit: AtomicUsize::new(min / PAGE),
            pending: AtomicUsize::new(0),
            touched: AtomicUsize::new(0),
            min: min / PAGE,
            max: max / PAGE,
        }
    }
}

impl GCTriggerPolicy<Vm> for Trigger {
    fn on_pending_allocation(&self, pages: usize) {
        self.pending.fetch_add(pages, Ordering::Relaxed);
    }

    fn on_gc_start(&self, mmtk: &'static MMTK<Vm>) {
        let used = mmtk.get_plan().get_reserved_pages();
        self.touched.fetch_max(used, Ordering::Relaxed);
    }

    fn on_gc_end(&self, mmtk: &'static MMTK<Vm>) {
        let live = mmtk.get_plan().get_reserved_pages();
        let factor = if live > MUCH { LARGE_FACTOR } else { FACTOR };
        let wanted = live * factor + self.pending.swap(0, Ordering::Relaxed);
        let limit = wanted.clamp(self.min, self.max);
        self.limit.store(limit, Ordering::Relaxed);
        if self.touched.load(Ordering::Relaxed) > limit + limit / 4 + SLACK {
            super::release::free_pages();
            self.touched.store(live, Ordering::Relaxed);
        }
    }

    fn is_gc_required(
        &self,
        space_full: bool,
        _: Option<SpaceStats<Vm>>,
        plan: &dyn Plan<VM = Vm>,
    ) -> bool {
        plan.collection_required(space_full, None)
    }

    fn is_heap_full(&self, plan: &dyn Plan<VM = Vm>) -> bool {
        plan.get_reserved_pages() > self.limit.load(Ordering::Relaxed)
    }

    fn get_current_heap_size_in_pages(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    fn get_max_heap_size_in_pages(&self) -> usize {
        self.max
    }

    fn can_heap_size_grow(&self) -> bool {
        self.limit.load(Ordering::Relaxed) < self.max
    }
}
