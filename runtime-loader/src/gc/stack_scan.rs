//! Conservative scanning of stopped threads: every word that points into an object keeps it alive and in place.
#![allow(unsafe_code, reason = "reads other threads' stacks")]

use crate::threads::ThreadContext;
use core::sync::atomic::Ordering;
use mmtk::memory_manager as mm;
use mmtk::util::{Address, ObjectReference};
use mmtk::vm::RootsWorkFactory;
use mmtk::vm::slot::SimpleSlot;

/// Roots handed over at once.
const CHUNK: usize = 4096;
/// How far before an interior pointer its object may start: no limit (arrays may be large).
const MAX_SEARCH: usize = usize::MAX >> 1;

/// Reports what a stopped thread's stack and context refer to.
pub(super) fn scan_thread(t: &ThreadContext, factory: &mut impl RootsWorkFactory<SimpleSlot>) {
    let mut found = Found {
        nodes: Vec::new(),
        last: 0,
        factory,
    };
    found.word(t.pending_exception.load(Ordering::Relaxed));
    if let Some(low) = lowest_word(t) {
        // SAFETY: the thread is stopped; from `low` to the high end of its stack memory is mapped and does not change.
        let words =
            unsafe { core::slice::from_raw_parts(low as *const usize, (t.stack_high - low) / 8) };
        words.iter().for_each(|&w| found.word(w));
    }
    found.flush();
}

/// Where to start: callee-saved registers were pushed there, or are dead (P/Invoke).
fn lowest_word(t: &ThreadContext) -> Option<usize> {
    let scan = t.scan_sp.load(Ordering::Relaxed);
    let low = if scan != 0 {
        scan
    } else {
        t.last_sp.load(Ordering::Relaxed)
    };
    (low != 0 && low < t.stack_high).then_some(low & !7)
}

struct Found<'a, F> {
    nodes: Vec<ObjectReference>,
    last: usize,
    factory: &'a mut F,
}

impl<F: RootsWorkFactory<SimpleSlot>> Found<'_, F> {
    #[inline]
    fn word(&mut self, word: usize) {
        if word == self.last || !super::in_heap_range(word) {
            return;
        }
        self.last = word;
        // SAFETY: any address may be asked about; the range check keeps it inside the collector's tables.
        let at = unsafe { Address::from_usize(word) };
        if let Some(object) = mm::find_object_from_internal_pointer(at, MAX_SEARCH) {
            self.nodes.push(object);
            if self.nodes.len() == CHUNK {
                self.flush();
            }
        }
    }

    fn flush(&mut self) {
        if !self.nodes.is_empty() {
            self.factory
                .create_process_pinning_roots_work(core::mem::take(&mut self.nodes));
        }
    }
}
