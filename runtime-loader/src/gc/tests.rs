use super::raw::{self, new_handle, target};
use super::test_types::{TestType, get, scrub_stack, set};
use super::{GcMap, HandleKind, collect};
use crate::threads;
use core::sync::atomic::{AtomicBool, Ordering};
use parking_lot::Mutex;

/// Tests that look at finalizers share one queue.
static FINALIZERS: Mutex<()> = Mutex::new(());

struct Attached;

impl Attached {
    fn new() -> Attached {
        threads::attach();
        Attached
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        threads::detach();
    }
}

fn tree(ty: &TestType, depth: u32) -> usize {
    let node = ty.new_object();
    assert_ne!(node, 0);
    if depth > 0 {
        set(node, 0, tree(ty, depth - 1));
        set(node, 1, tree(ty, depth - 1));
    }
    node
}

fn count(node: usize) -> usize {
    if node == 0 {
        0
    } else {
        1 + count(get(node, 0)) + count(get(node, 1))
    }
}

#[test]
fn trees_survive_collections() {
    let _a = Attached::new();
    let ty = TestType::class(2, 2, 0);
    let kept = tree(ty, 12);
    for _ in 0..20 {
        assert_eq!(count(tree(ty, 14)), (2 << 14) - 1);
    }
    collect();
    assert_eq!(count(kept), (2 << 12) - 1);
}

#[test]
fn threads_allocate_while_others_collect() {
    let _a = Attached::new();
    let ty = TestType::class(2, 2, 0);
    let spawn = || {
        threads::spawn(threads::SpawnOptions::default(), move || {
            for _ in 0..10 {
                let kept = tree(ty, 8);
                for _ in 0..10 {
                    tree(ty, 10);
                }
                assert_eq!(count(kept), (2 << 8) - 1);
            }
        })
    };
    let all: Vec<_> = (0..6).map(|_| spawn().unwrap()).collect();
    for _ in 0..10 {
        collect();
    }
    all.iter().for_each(|t| t.wait_finished());
}

#[test]
fn large_arrays_and_interior_pointers() {
    let _a = Attached::new();
    let refs = TestType::array(8, Some(GcMap::ref_array(0)));
    let ty = TestType::class(1, 0, 0);
    let len = 100_000;
    let interior = {
        let a = refs.new_array(len);
        for i in 0..len {
            let o = ty.new_object();
            set(o, 0, i);
            set(a, 2 + i, o);
        }
        a + 32 + 8 * 777
    };
    collect();
    assert_eq!(
        raw::object_at(core::hint::black_box(interior)),
        Some(interior - 32 - 8 * 777)
    );
    for i in 0..len {
        assert_eq!(get(get(interior - 32 - 8 * 777, 2 + i), 0), i);
    }
}

#[test]
fn too_large_is_null() {
    let _a = Attached::new();
    let bytes = TestType::array(1, None);
    assert_eq!(bytes.new_array(1 << 45), 0);
    assert_ne!(bytes.new_array(1 << 20), 0);
}

#[inline(never)]
fn handle_to_garbage(ty: &TestType, kind: HandleKind) -> super::RawHandle {
    new_handle(kind, ty.new_object())
}

#[test]
fn handles_keep_or_clear() {
    let _a = Attached::new();
    let ty = TestType::class(1, 1, 0);
    let weak: Vec<_> = (0..100)
        .map(|_| handle_to_garbage(ty, HandleKind::Weak))
        .collect();
    let strong: Vec<_> = (0..100)
        .map(|_| handle_to_garbage(ty, HandleKind::Normal))
        .collect();
    scrub_stack();
    collect();
    let left = weak.iter().filter(|h| target(**h) != 0).count();
    assert!(left <= 3, "stale stack words may keep a few, not {left}");
    assert!(strong.iter().all(|h| target(*h) != 0));
    for h in weak.iter().chain(&strong) {
        h.free();
        assert_eq!(super::RawHandle::from_raw(h.raw()), None);
    }
}

#[inline(never)]
fn finalizable_garbage(ty: &TestType, n: usize) -> Vec<(super::RawHandle, super::RawHandle)> {
    let make = |i| {
        let o = ty.new_object();
        if i == 7 {
            raw::suppress_finalizer(o);
        }
        (
            new_handle(HandleKind::Weak, o),
            new_handle(HandleKind::WeakTrackResurrection, o),
        )
    };
    (0..n).map(make).collect()
}

#[test]
fn finalizers_come_before_long_weak_handles_are_cleared() {
    let _one = FINALIZERS.lock();
    let _a = Attached::new();
    let ty = TestType::class(
        1,
        1,
        shared_codegen::abi::layout::method_table::FLAG_FINALIZER,
    );
    let handles = finalizable_garbage(ty, 50);
    scrub_stack();
    collect();
    let short = handles.iter().filter(|h| target(h.0) != 0).count();
    let long = handles.iter().filter(|h| target(h.1) != 0).count();
    assert!(short <= 3, "{short}");
    assert!(long >= 49, "the queue keeps {long}");
    let mut run = 0;
    while let Some(o) = raw::take_finalizable() {
        assert_ne!(o, 0);
        super::finalizer_done();
        run += 1;
    }
    assert!((46..=49).contains(&run), "{run}");
    scrub_stack();
    collect();
    assert!(handles.iter().filter(|h| target(h.1) != 0).count() <= 4);
    let stop = AtomicBool::new(true);
    assert_eq!(raw::wait_finalizable(&stop), None);
    stop.store(false, Ordering::Relaxed);
}

#[test]
fn ephemerons_follow_their_keys() {
    let _a = Attached::new();
    let pairs = TestType::array(16, Some(GcMap::ephemeron_array()));
    let ty = TestType::class(1, 1, 0);
    let tombstone = ty.new_object();
    let _kept = new_handle(HandleKind::Normal, tombstone);
    raw::set_tombstone(tombstone);
    let table = pairs.new_array(40);
    raw::register_ephemerons(table);
    let keys = TestType::array(8, Some(GcMap::ref_array(0))).new_array(20);
    fill(table, keys, ty);
    scrub_stack();
    collect();
    let mut dead = 0;
    for i in 0..20 {
        assert_eq!(get(table, 2 + 2 * i), get(keys, 2 + i));
        assert_eq!(
            get(get(table, 3 + 2 * i), 0),
            get(keys, 2 + (i + 1) % 20),
            "value was traced"
        );
        dead += usize::from(
            get(table, 2 + 2 * (20 + i)) == tombstone && get(table, 3 + 2 * (20 + i)) == 0,
        );
    }
    assert!(dead >= 17, "{dead}");
}

/// Pairs 0..20 have keys in `keys`, pairs 20..40 have keys nobody knows; each value refers to the next key.
#[inline(never)]
fn fill(table: usize, keys: usize, ty: &TestType) {
    for i in 0..20 {
        set(keys, 2 + i, ty.new_object());
    }
    for i in 0..40 {
        let key = if i < 20 {
            get(keys, 2 + i)
        } else {
            ty.new_object()
        };
        let value = ty.new_object();
        set(value, 0, get(keys, 2 + (i + 1) % 20));
        set(table, 2 + 2 * i, key);
        set(table, 3 + 2 * i, value);
    }
}

#[test]
fn hash_codes_stay() {
    let _a = Attached::new();
    let ty = TestType::class(1, 1, 0);
    let o = ty.new_object();
    let hash = super::sync_word::hash_code(o);
    assert!(hash > 0);
    assert_eq!(super::sync_word::hash_code(o), hash);
}

#[test]
fn handles_are_freed_while_others_collect() {
    let _a = Attached::new();
    let ty = TestType::class(1, 1, 0);
    for _ in 0..20 {
        let handles: Vec<_> = (0..20_000)
            .map(|_| handle_to_garbage(ty, HandleKind::Normal))
            .collect();
        let free = std::thread::spawn(move || handles.into_iter().for_each(super::RawHandle::free));
        while !free.is_finished() {
            collect();
        }
        free.join().unwrap();
    }
}

#[test]
fn threads_with_static_fields_end_while_others_collect() {
    let _a = Attached::new();
    let ty = TestType::class(1, 1, 0);
    let refs: Vec<u32> = (0..2000).map(|i| 8 * i).collect();
    let index = threads::statics::new_index(8 * 2000, &refs);
    let work = move || {
        let block = threads::statics::base(threads::current(), index).cast::<usize>();
        for i in 0..2000 {
            // SAFETY: the block has that many words.
            unsafe { block.add(i).write(ty.new_object()) };
        }
    };
    for _ in 0..40 {
        let all: Vec<_> = (0..4)
            .map(|_| threads::spawn(threads::SpawnOptions::default(), work).unwrap())
            .collect();
        collect();
        all.iter().for_each(|t| t.wait_finished());
    }
}
