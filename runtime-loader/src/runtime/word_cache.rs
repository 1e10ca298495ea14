//! A cache of facts that never change, read without locks: for answers that compiled code asks for over and over.
//!
//! Each key has one slot. A slot is guarded by a version (a sequence lock: odd while somebody writes, and readers that saw it
//! change have seen nothing), so a later fact takes the place of an earlier one and nothing grows.

use core::array;
use core::sync::atomic::{AtomicUsize, Ordering, fence};

/// Keys of `K` words, values of `V` words.
pub struct WordCache<const K: usize, const V: usize, const SLOTS: usize> {
    slots: [Slot<K, V>; SLOTS],
}

struct Slot<const K: usize, const V: usize> {
    version: AtomicUsize,
    key: [AtomicUsize; K],
    value: [AtomicUsize; V],
}

impl<const K: usize, const V: usize> Slot<K, V> {
    const fn empty() -> Self {
        Slot {
            version: AtomicUsize::new(0),
            key: [const { AtomicUsize::new(0) }; K],
            value: [const { AtomicUsize::new(0) }; V],
        }
    }
}

impl<const K: usize, const V: usize, const SLOTS: usize> Default for WordCache<K, V, SLOTS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const K: usize, const V: usize, const SLOTS: usize> WordCache<K, V, SLOTS> {
    /// An empty cache.
    pub const fn new() -> Self {
        assert!(SLOTS.is_power_of_two());
        WordCache {
            slots: [const { Slot::empty() }; SLOTS],
        }
    }

    fn slot(&self, key: &[usize; K]) -> &Slot<K, V> {
        let mixed = key.iter().fold(0usize, |h, word| {
            (h.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        &self.slots[(mixed >> (usize::BITS / 2)) & (SLOTS - 1)]
    }

    /// What is kept for a key.
    #[inline]
    pub fn get(&self, key: [usize; K]) -> Option<[usize; V]> {
        let slot = self.slot(&key);
        let before = slot.version.load(Ordering::Acquire);
        let same = (0..K).all(|i| slot.key[i].load(Ordering::Relaxed) == key[i]);
        let value = array::from_fn(|i| slot.value[i].load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        let after = slot.version.load(Ordering::Relaxed);
        // 0: never written.
        (same && before == after && before & 1 == 0 && before != 0).then_some(value)
    }

    /// Keeps a fact; does nothing while another thread writes to the same slot.
    pub fn insert(&self, key: [usize; K], value: [usize; V]) {
        let slot = self.slot(&key);
        let version = slot.version.load(Ordering::Relaxed);
        let odd = version.wrapping_add(1);
        let mine = version & 1 == 0
            && slot
                .version
                .compare_exchange(version, odd, Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
        if !mine {
            return;
        }
        fence(Ordering::Release);
        for (to, word) in slot.key.iter().zip(key) {
            to.store(word, Ordering::Relaxed);
        }
        for (to, word) in slot.value.iter().zip(value) {
            to.store(word, Ordering::Relaxed);
        }
        slot.version
            .store(version.wrapping_add(2), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_fact_of_a_slot() {
        static CACHE: WordCache<2, 1, 4> = WordCache::new();
        assert_eq!(CACHE.get([1, 2]), None);
        assert_eq!(CACHE.get([0, 0]), None);
        CACHE.insert([1, 2], [3]);
        assert_eq!(CACHE.get([1, 2]), Some([3]));
        assert_eq!(CACHE.get([2, 1]), None);
        for n in 1..100 {
            CACHE.insert([n, n], [n + 1]);
            assert_eq!(CACHE.get([n, n]), Some([n + 1]));
        }
    }

    /// A reader sees whole facts or none: every value belongs to its key.
    #[test]
    fn facts_are_whole_while_threads_write() {
        static CACHE: WordCache<2, 2, 2> = WordCache::new();
        let found: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|t| {
                    scope.spawn(move || {
                        let mut found = 0;
                        for i in 0..50_000usize {
                            let k = i % 7 + 1;
                            if t < 2 {
                                CACHE.insert([k, k * 3], [k * 5, k * 7]);
                            } else if let Some(value) = CACHE.get([k, k * 3]) {
                                assert_eq!(value, [k * 5, k * 7]);
                                found += 1;
                            }
                        }
                        found
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|t| t.join().expect("no panic"))
                .sum()
        });
        assert!(found > 0 || CACHE.get([1, 3]).is_none_or(|v| v == [5, 7]));
    }
}
