//! Collecting at every few allocations, in a process of its own because the heap's options are the process's.
#![allow(unsafe_code, reason = "builds objects by hand")]

use runtime_loader::gc::{self, GcMap, HeapOptions, raw};
use runtime_loader::threads::{self, SpawnOptions};
use shared_codegen::abi::layout::method_table as mt;

/// A method table for a class of four words, of which the first two are references.
fn node_type() -> usize {
    let table = vec![0u64; mt::VTABLE as usize / 8].leak();
    let map = Box::leak(Box::new(GcMap::object(&[16, 24])));
    table[mt::COMPONENT_SIZE as usize / 8] = 48 << 32;
    table[mt::FLAGS as usize / 8] = u64::from(mt::FLAG_HAS_REFS);
    table[mt::GC_MAP as usize / 8] = core::ptr::from_ref(map) as u64;
    table.as_ptr() as usize
}

fn field(object: usize, i: usize) -> *mut usize {
    (object + 16 + 8 * i) as *mut usize
}

fn list(ty: usize, len: usize) -> usize {
    let mut head = 0;
    for i in 0..len {
        // SAFETY: the table is complete and says 48 bytes; fields are inside.
        unsafe {
            let node = raw::allocate(ty, 48);
            field(node, 0).write(head);
            field(node, 1).write(raw::allocate(ty, 48));
            field(node, 2).write(i);
            head = node;
        }
    }
    head
}

fn check(mut node: usize, len: usize) {
    for i in (0..len).rev() {
        // SAFETY: `list` made these nodes.
        unsafe {
            assert_eq!(field(node, 2).read(), i);
            assert_eq!(field(field(node, 1).read(), 2).read(), 0);
            node = field(node, 0).read();
        }
    }
    assert_eq!(node, 0);
}

#[test]
fn lists_survive_constant_collections() {
    gc::init(HeapOptions {
        stress: 3,
        ..HeapOptions::default()
    });
    let ty = node_type();
    let work = move || {
        for _ in 0..5 {
            check(list(ty, 60), 60);
        }
    };
    threads::attach();
    let other = threads::spawn(SpawnOptions::default(), work).unwrap();
    work();
    other.wait_finished();
    assert!(gc::collection_count() > 100);
    threads::detach();
}
