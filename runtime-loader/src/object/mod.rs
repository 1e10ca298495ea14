//! Managed objects seen from Rust: references, method tables, descriptors, strings and arrays.
#![allow(
    unsafe_code,
    reason = "reads and writes objects through raw references"
)]

pub mod array;
mod desc;
mod handle;
mod header;
pub mod lookup_memo;
mod method_table;
pub mod string;

pub use desc::{FieldDesc, InitState, MethodDesc, TypeDesc};
pub use handle::Handle;
pub use header::{Obj, ObjectHeader, Plain};
pub use method_table::MethodTable;

use crate::gc;

/// A zeroed object of `size` bytes in all; `None` when out of memory. For arrays and strings the caller
/// sets the length before the next poll.
pub fn allocate(mt: &'static MethodTable, size: usize) -> Option<Obj> {
    // SAFETY: a `&MethodTable` is complete and immortal, and callers compute the size from it.
    let at = unsafe { gc::raw::allocate(mt.handle(), size) };
    Obj::from_addr(at).non_null()
}

/// A zeroed object of a class without elements, or a box.
pub fn new_object(mt: &'static MethodTable) -> crate::icall::Result<Obj> {
    allocate(mt, mt.instance_size(0)).ok_or_else(crate::icall::Thrown::out_of_memory)
}
