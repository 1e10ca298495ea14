//! What generic lookups found in one context, where the helper's fast path finds it again.
//!
//! A context is a method table or a method; both have a memo at [`LookupMemo::OFFSET`]: the address of a table, whose first word is its size in
//! bytes. Entries are written once: first the value, then the descriptor it belongs to, so whoever sees the descriptor may take the
//! value. A table that is too small is replaced by a larger one and stays in memory, as others may be reading it; what is noted
//! in it meanwhile is looked up once more. Descriptors that want the same entry share it badly: the second always takes the slow path.

use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// Most entries of a memo, and one more.
pub const ENTRIES: usize = 256;
/// Entries of the first table, one of them the size.
const FIRST: usize = 8;

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

    const fn new(descriptor: usize, value: usize) -> Entry {
        Entry {
            descriptor: AtomicUsize::new(descriptor),
            value: AtomicUsize::new(value),
        }
    }

    /// The first entry of a table with so many.
    const fn head(entries: usize) -> Entry {
        Entry::new(entries * Entry::SIZE, 0)
    }

    fn copy(&self) -> Entry {
        let descriptor = self.descriptor.load(Ordering::Acquire);
        match descriptor {
            0 => Entry::new(0, 0),
            _ => Entry::new(descriptor, self.value.load(Ordering::Relaxed)),
        }
    }
}

/// Every memo at first: no entries.
static NOTHING: [Entry; 1] = [Entry::head(1)];

/// Pointer to the table.
#[repr(transparent)]
#[derive(Debug)]
pub struct LookupMemo(AtomicPtr<Entry>);

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
        LookupMemo(AtomicPtr::new((&raw const NOTHING).cast_mut().cast()))
    }

    /// Keeps a value, if the entry is free. The first entry of all has number 1.
    pub fn note(&self, entry: usize, descriptor: usize, value: usize) {
        if value == 0 || !(1..ENTRIES).contains(&entry) {
            return;
        }
        let entry = &self.table_with(entry)[entry];
        // Who wins the value writes the descriptor.
        let free = entry
            .value
            .compare_exchange(0, value, Ordering::Relaxed, Ordering::Relaxed);
        if free.is_ok() {
            entry.descriptor.store(descriptor, Ordering::Release);
        }
    }

    fn table(&self) -> &'static [Entry] {
        let first = self.0.load(Ordering::Acquire);
        // SAFETY: the first entry of `NOTHING` or of a leaked table, which says how many there are.
        unsafe {
            let bytes = (*first).descriptor.load(Ordering::Relaxed);
            core::slice::from_raw_parts(first, bytes / Entry::SIZE)
        }
    }

    /// The table, made larger if it does not have this entry.
    fn table_with(&self, entry: usize) -> &'static [Entry] {
        loop {
            let old = self.table();
            if entry < old.len() {
                return old;
            }
            let len = (entry + 1).next_power_of_two().max(FIRST);
            let rest = (old.len()..len).map(|_| Entry::new(0, 0));
            let kept = old[1..].iter().map(Entry::copy);
            let new: Vec<Entry> = core::iter::once(Entry::head(len))
                .chain(kept)
                .chain(rest)
                .collect();
            let new = Box::into_raw(new.into_boxed_slice());
            let was = old.as_ptr().cast_mut();
            let set = self
                .0
                .compare_exchange(was, new.cast(), Ordering::AcqRel, Ordering::Acquire);
            if set.is_err() {
                // SAFETY: made above; nobody has seen it.
                drop(unsafe { Box::from_raw(new) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(memo: &LookupMemo, entry: usize) -> (usize, usize) {
        let entry = memo.table().get(entry).map(Entry::copy);
        let mut entry = entry.unwrap_or(Entry::new(0, 0));
        (*entry.descriptor.get_mut(), *entry.value.get_mut())
    }

    #[test]
    fn entries_are_written_once() {
        let (memo, other) = (LookupMemo::new(), LookupMemo::new());
        memo.note(3, 100, 7);
        memo.note(3, 200, 8);
        memo.note(ENTRIES, 300, 9);
        memo.note(0, 300, 9);
        assert_eq!(seen(&memo, 3), (100, 7));
        assert_eq!(seen(&memo, 2), (0, 0));
        assert_eq!(seen(&other, 3), (0, 0));
        assert_eq!(seen(&memo, 0).0, memo.table().len() * Entry::SIZE);
    }

    #[test]
    fn a_value_of_zero_is_not_kept() {
        let memo = LookupMemo::new();
        memo.note(1, 100, 0);
        assert_eq!(seen(&memo, 1), (0, 0));
        memo.note(1, 200, 5);
        assert_eq!(seen(&memo, 1), (200, 5));
    }

    #[test]
    fn growing_keeps_what_there_is() {
        let memo = LookupMemo::new();
        for n in 1..ENTRIES {
            memo.note(n, n + 1000, n);
        }
        for n in 1..ENTRIES {
            assert_eq!(seen(&memo, n), (n + 1000, n));
        }
    }
}
