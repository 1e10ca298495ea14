//! Static fields that each thread has for itself: one block per type and thread, allocated at first use. Compiled code reads the
//! thread's table of blocks; entries of types the thread has not touched are null.
#![allow(unsafe_code, reason = "registers blocks as roots")]

use super::context::ThreadContext;
use crate::gc::{self, RootBlock};
use core::sync::atomic::Ordering;

/// Layout of the block of one type.
struct Layout {
    size: usize,
    refs: Box<[u32]>,
}

static LAYOUTS: boxcar::Vec<Layout> = boxcar::Vec::new();

/// Gives a type a place in the tables: size of the block in bytes and offsets of the references in it.
pub fn new_index(size: u32, refs: &[u32]) -> usize {
    LAYOUTS.push(Layout {
        size: size as usize,
        refs: refs.into(),
    })
}

/// The blocks of one thread. Dropped when the thread detaches.
#[derive(Default)]
pub(super) struct ThreadStatics {
    table: Vec<usize>,
    blocks: Vec<(RootBlock, Box<[u64]>)>,
}

impl Drop for ThreadStatics {
    fn drop(&mut self) {
        self.blocks
            .iter()
            .for_each(|(root, _)| gc::remove_block(*root));
    }
}

/// The calling thread's block of the type with this index, zeroed when new.
///
/// # Panics
/// When [`new_index`] never gave this index.
pub fn base(t: &ThreadContext, index: usize) -> *mut u8 {
    let mut statics = t.statics.borrow_mut();
    let statics = &mut *statics;
    if statics.table.len() <= index {
        statics.table.resize((index + 1).max(LAYOUTS.count()), 0);
        t.thread_statics
            .store(statics.table.as_ptr() as usize, Ordering::Relaxed);
        t.thread_statics_len
            .store(statics.table.len(), Ordering::Relaxed);
    }
    if statics.table[index] == 0 {
        let layout = &LAYOUTS[index];
        let mut block = vec![0u64; layout.size.div_ceil(8).max(1)].into_boxed_slice();
        let base = block.as_mut_ptr().cast::<u8>();
        // SAFETY: the block lives until the thread detaches, which removes it from the roots first; references in it are
        // written by compiled code that knows the layout.
        let root = unsafe { gc::add_block(base, &layout.refs) };
        statics.blocks.push((root, block));
        statics.table[index] = base as usize;
    }
    statics.table[index] as *mut u8
}
