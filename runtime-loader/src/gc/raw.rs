//! The heap in terms of addresses.
#![allow(unsafe_code, reason = "addresses become objects")]

use super::handles::{HandleKind, RawHandle};
use super::heap;
use super::{ephemerons, finalize};
use crate::threads;
use core::sync::atomic::AtomicBool;
use shared_codegen::abi::layout::method_table::FLAG_FINALIZER;

/// A zeroed object with this method table; 0 when out of memory. `size` is the whole size in bytes, with elements and bounds. The
/// caller writes the length of arrays and strings before the next poll. Registers the object for finalization if its type asks for it.
///
/// # Safety
/// `method_table` must be the address of a complete method table, `size` what it says about the object to be.
#[inline]
pub unsafe fn allocate(method_table: usize, size: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        let object = heap::allocate(threads::current(), method_table, size);
        if super::layout::flags(method_table) & FLAG_FINALIZER != 0 && object != 0 {
            finalize::register(object, false);
        }
        object
    }
}

/// A new handle for an object or 0.
pub fn new_handle(kind: HandleKind, object: usize) -> RawHandle {
    RawHandle::new(kind, object)
}

/// Address of a handle's target; 0 if there is none (any more).
pub fn target(handle: RawHandle) -> usize {
    handle.target_addr()
}

/// Changes a handle's target.
pub fn set_target(handle: RawHandle, object: usize) {
    handle.set_target_addr(object);
}

/// Wants the object finalized (`GC.ReRegisterForFinalize`); `critical` objects come after all others.
pub fn register_finalizer(object: usize, critical: bool) {
    finalize::register(object, critical);
}

/// `GC.SuppressFinalize`.
pub fn suppress_finalizer(object: usize) {
    finalize::suppress(object);
}

/// Takes the next object whose finalizer has to run, waiting for one. `None` when `stop` is set (after
/// [`super::wake_all`]) or another thread was faster.
pub fn wait_finalizable(stop: &AtomicBool) -> Option<usize> {
    finalize::wait_next(stop)
}

/// Takes the next object whose finalizer has to run, if there is one.
pub fn take_finalizable() -> Option<usize> {
    finalize::take()
}

/// Registers an `Ephemeron[]`.
pub fn register_ephemerons(array: usize) {
    ephemerons::register(array);
}

/// Sets the object that replaces dead keys; the caller keeps it alive by a handle.
pub fn set_tombstone(object: usize) {
    ephemerons::set_tombstone(object);
}

/// The object that an address points to or into, if it is one in the heap.
pub fn object_at(address: usize) -> Option<usize> {
    if !super::in_heap_range(address) {
        return None;
    }
    // SAFETY: any address may be asked about.
    let at = unsafe { mmtk::util::Address::from_usize(address) };
    let found = mmtk::memory_manager::find_object_from_internal_pointer(at, usize::MAX >> 1);
    found.map(|o| o.to_raw_address().as_usize())
}

/// Size of an object in bytes.
///
/// # Safety
/// `object` must be the address of an object.
pub unsafe fn object_size(object: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { super::layout::size(object) }
}
