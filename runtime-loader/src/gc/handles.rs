//! Handles: the way to hold references outside the heap and the stacks. Also the values of `GCHandle`.
//!
//! A handle is a 32-bit number: index << 3 | kind + 1, never 0.

use super::layout::Addr;
use boxcar::Vec as AppendVec;
use core::sync::atomic::{AtomicUsize, Ordering};
use parking_lot::Mutex;

/// What a handle does to its target. The numbers are those of `GCHandleType`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum HandleKind {
    /// Does not keep the target; cleared before finalizers run.
    Weak = 0,
    /// Does not keep the target; cleared when it is really gone.
    WeakTrackResurrection = 1,
    /// Keeps the target.
    Normal = 2,
    /// Keeps the target at its address.
    Pinned = 3,
}

impl HandleKind {
    /// The kind with this `GCHandleType` number.
    pub fn from_number(n: u32) -> Option<HandleKind> {
        [
            HandleKind::Weak,
            HandleKind::WeakTrackResurrection,
            HandleKind::Normal,
            HandleKind::Pinned,
        ]
        .get(n as usize)
        .copied()
    }
}

struct Table {
    slots: AppendVec<AtomicUsize>,
    free: Mutex<Vec<u32>>,
}

impl Table {
    const fn new() -> Table {
        Table {
            slots: AppendVec::new(),
            free: Mutex::new(Vec::new()),
        }
    }

    fn insert(&self, target: usize) -> u32 {
        if let Some(index) = self.free.lock().pop() {
            self.slots[index as usize].store(target, Ordering::Release);
            return index;
        }
        self.slots.push(AtomicUsize::new(target)) as u32
    }
}

/// Marks the slots of freed handles. Odd, so no object.
pub(super) const FREED: usize = 1;

static TABLES: [Table; 4] = [Table::new(), Table::new(), Table::new(), Table::new()];

/// A registered reference.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RawHandle(u32);

impl RawHandle {
    pub(super) fn new(kind: HandleKind, target: usize) -> RawHandle {
        RawHandle(TABLES[kind as usize].insert(target) << 3 | (kind as u32 + 1))
    }

    /// The handle with this number, if it is in use.
    pub fn from_raw(raw: u32) -> Option<RawHandle> {
        let h = RawHandle(raw);
        HandleKind::from_number((raw & 7).wrapping_sub(1))?;
        h.slot()
            .filter(|s| s.load(Ordering::Acquire) != FREED)
            .map(|_| h)
    }

    /// The number, never 0.
    pub fn raw(self) -> u32 {
        self.0
    }

    /// What it does to its target.
    pub fn kind(self) -> HandleKind {
        HandleKind::from_number((self.0 & 7) - 1).unwrap_or(HandleKind::Normal)
    }

    /// Frees the handle; its number may be used again.
    pub fn free(self) {
        if let Some(slot) = self.slot()
            && slot.swap(FREED, Ordering::AcqRel) != FREED
        {
            TABLES[self.kind() as usize].free.lock().push(self.0 >> 3);
        }
    }

    pub(super) fn target_addr(self) -> usize {
        self.slot()
            .map(|s| s.load(Ordering::Acquire))
            .filter(|&a| a != FREED)
            .unwrap_or(0)
    }

    pub(super) fn set_target_addr(self, target: usize) {
        if let Some(slot) = self.slot() {
            slot.store(target, Ordering::Release);
        }
    }

    fn slot(self) -> Option<&'static AtomicUsize> {
        TABLES[self.kind() as usize].slots.get(self.0 as usize >> 3)
    }
}

/// Calls `f` with the address of each slot that keeps its target.
pub(super) fn for_each_strong_slot(f: &mut impl FnMut(usize)) {
    for kind in [HandleKind::Normal, HandleKind::Pinned] {
        for (_, slot) in &TABLES[kind as usize].slots {
            f(core::ptr::from_ref(slot) as usize);
        }
    }
}

/// Clears the handles of one weak kind whose target is not `alive`.
pub(super) fn clear_dead(kind: HandleKind, alive: impl Fn(Addr) -> bool) {
    for (_, slot) in &TABLES[kind as usize].slots {
        let target = slot.load(Ordering::Relaxed);
        if target > FREED && !alive(target) {
            // Unless native code frees the handle just now.
            let _ = slot.compare_exchange(target, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}
