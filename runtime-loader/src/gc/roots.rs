//! Roots outside the stacks: handles, static fields, tables of the runtime, objects waiting for their finalizers.
#![allow(unsafe_code, reason = "slots are raw addresses")]

use super::{finalize, handles};
use core::sync::atomic::{AtomicUsize, Ordering};
use mmtk::util::{Address, ObjectReference};
use mmtk::vm::RootsWorkFactory;
use mmtk::vm::slot::SimpleSlot;
use parking_lot::Mutex;

/// A table of the runtime that holds references.
pub trait RootProvider: Send + Sync {
    /// Calls `visit` with the address of each word that holds a reference or null. The world is stopped: take no
    /// lock that a managed thread may hold while it polls.
    fn visit_roots(&self, visit: &mut dyn FnMut(*mut usize));
}

/// A block of memory with references, for example the static fields of a type.
struct Block {
    base: usize,
    offsets: Box<[u32]>,
}

/// Identifies a registered block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RootBlock(u32);

#[derive(Default)]
struct Blocks {
    blocks: Vec<Block>,
    free: Vec<u32>,
}

static BLOCKS: Mutex<Blocks> = Mutex::new(Blocks {
    blocks: Vec::new(),
    free: Vec::new(),
});
static PROVIDERS: Mutex<Vec<&'static dyn RootProvider>> = Mutex::new(Vec::new());

/// Registers references at these byte offsets from `base` as roots.
///
/// # Safety
/// The words must stay readable until the block is removed, and hold references or null.
pub unsafe fn add_block(base: *const u8, offsets: &[u32]) -> RootBlock {
    let block = Block {
        base: base as usize,
        offsets: offsets.into(),
    };
    let mut blocks = BLOCKS.lock();
    if let Some(id) = blocks.free.pop() {
        blocks.blocks[id as usize] = block;
        return RootBlock(id);
    }
    blocks.blocks.push(block);
    RootBlock(blocks.blocks.len() as u32 - 1)
}

/// Forgets a block.
pub fn remove_block(id: RootBlock) {
    let mut blocks = BLOCKS.lock();
    blocks.blocks[id.0 as usize].offsets = Box::default();
    blocks.free.push(id.0);
}

/// Registers a table for good.
pub fn add_provider(provider: &'static dyn RootProvider) {
    PROVIDERS.lock().push(provider);
}

/// Roots handed over at once.
const CHUNK: usize = 4096;

/// Reports what all of them refer to. The words are read here and now: threads that are not stopped, because they run native code or
/// end, may free handles and blocks meanwhile, but not while the tables are locked.
pub(super) fn scan(factory: &mut impl RootsWorkFactory<SimpleSlot>) {
    let mut found = Vec::new();
    let mut add = |at: usize| {
        // SAFETY: whoever registered the slot promised that it is one; atomic, as native code may free a handle now.
        let word = unsafe { AtomicUsize::from_ptr(at as *mut usize) }.load(Ordering::Relaxed);
        if word > handles::FREED {
            found.push(word);
        }
    };
    for block in &BLOCKS.lock().blocks {
        block
            .offsets
            .iter()
            .for_each(|&o| add(block.base + o as usize));
    }
    handles::for_each_strong_slot(&mut add);
    for provider in PROVIDERS.lock().iter() {
        provider.visit_roots(&mut |slot| add(slot as usize));
    }
    found.extend(finalize::ready_objects());
    for chunk in found.chunks(CHUNK) {
        // SAFETY: slots and the queue hold addresses of live objects only.
        let object = |&a| ObjectReference::from_raw_address(unsafe { Address::from_usize(a) });
        factory.create_process_pinning_roots_work(chunk.iter().filter_map(object).collect());
    }
}
