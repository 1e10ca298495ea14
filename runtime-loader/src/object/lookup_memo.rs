//! What generic lookups found in one context, where the helper's fast path finds it again.
//!
//! A context is a method table or a method; both have a memo at [`LookupMemo::OFFSET`]. Entries are written once: first the
//! value, then the descriptor it belongs to, so whoever sees the descriptor may take the value. Descriptors that
//! want the same entry share it badly: the second always takes the slow path.

use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// Entries of a memo.
pub const ENTRIES: usize = 16;

/// A descriptor's address and the value; zeros while free.
#[repr(C)]
#[derive(Debug)]
pub struct Entry {
    descriptor: AtomicUsize,
    value: AtomicUsize,
}

impl Entry {
    /// Size in bytes.
    pub const SIZE: usize = size_of::<Entry>();
    /// Where the value is.
    pub const VALUE: usize = core::mem::offset_of!(Entry, value);

    const fn free() -> Entry {
        Entry {
            descriptor: AtomicUsize::new(0),
            value: AtomicUsize::new(0),
        }
    }
}

type Entries = [Entry; ENTRIES];

/// Every memo at first; never written.
static NOTHING: Entries = [const { Entry::free() }; ENTRIES];

/// Pointer to the entries.
#[repr(transparent)]
#[derive(Debug)]
pub struct LookupMemo(AtomicPtr<Entries>);

impl Default for LookupMemo {
    fn default() -> Self {
        Self::new()
    }
}

impl LookupMemo {
    /// Where contexts have it, in bytes.
    pub const OFFSET: usize = 72;

    /// Nothing looked up yet.
    pub const fn new() -> LookupMemo {
        LookupMemo(AtomicPtr::new((&raw const NOTHING).cast_mut()))
    }

    /// Keeps a value, if the entry is free.
    pub fn note(&self, entry: usize, descriptor: usize, value: usize) {
        let Some(entry) = self.entries().get(entry) else {
            return;
        };
        // Who wins the value writes the descriptor.
        let free = entry
            .value
            .compare_exchange(0, value, Ordering::Relaxed, Ordering::Relaxed);
        if value != 0 && free.is_ok() {
            entry.descriptor.store(descriptor, Ordering::Release);
        }
    }

    fn entries(&self) -> &'static Entries {
        let nothing = (&raw const NOTHING).cast_mut();
        let mut now = self.0.load(Ordering::Acquire);
        if core::ptr::eq(now, nothing) {
            let fresh = Box::leak(Box::new([const { Entry::free() }; ENTRIES]));
            let set = self
                .0
                .compare_exchange(nothing, fresh, Ordering::AcqRel, Ordering::Acquire);
            now = set.map_or_else(|other| other, |_| &raw mut *fresh);
        }
        // SAFETY: a leaked array, never written but through its atomics.
        unsafe { &*now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(memo: &LookupMemo, entry: usize) -> (usize, usize) {
        let entry = &memo.entries()[entry];
        let load = |word: &AtomicUsize| word.load(Ordering::Acquire);
        (load(&entry.descriptor), load(&entry.value))
    }

    #[test]
    fn entries_are_written_once() {
        let (memo, other) = (LookupMemo::new(), LookupMemo::new());
        memo.note(3, 100, 7);
        memo.note(3, 200, 8);
        memo.note(ENTRIES, 300, 9);
        assert_eq!(seen(&memo, 3), (100, 7));
        assert_eq!(seen(&memo, 2), (0, 0));
        assert_eq!(seen(&other, 3), (0, 0));
    }

    #[test]
    fn a_value_of_zero_is_not_kept() {
        let memo = LookupMemo::new();
        memo.note(0, 100, 0);
        assert_eq!(seen(&memo, 0), (0, 0));
        memo.note(0, 200, 5);
        assert_eq!(seen(&memo, 0), (200, 5));
    }
}
