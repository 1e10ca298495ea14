//! Object references and the header every object starts with.

use super::method_table::MethodTable;
use shared_codegen::abi::layout;

/// A reference to a managed object, or null.
///
/// Copying it is free. It may live in locals of Rust code across a collection (stacks are scanned
/// conservatively and objects do not move); anywhere else it must be reachable from a registered
/// root.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Obj(pub *mut ObjectHeader);

/// First two words of every object.
#[repr(C)]
#[derive(Debug)]
pub struct ObjectHeader {
    /// Type of the object.
    pub method_table: *const MethodTable,
    /// Lock, hash and sync-block word.
    pub sync: core::sync::atomic::AtomicU64,
}

const _: () = {
    assert!(size_of::<ObjectHeader>() == layout::object::HEADER as usize);
    assert!(core::mem::offset_of!(ObjectHeader, sync) == layout::object::SYNC as usize);
};

impl Obj {
    /// The null reference.
    pub const NULL: Obj = Obj(core::ptr::null_mut());

    /// Is this null?
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// `None` for null.
    pub fn non_null(self) -> Option<Obj> {
        (!self.is_null()).then_some(self)
    }

    /// Address as a number.
    pub fn addr(self) -> usize {
        self.0 as usize
    }

    /// The object at an address.
    pub fn from_addr(addr: usize) -> Obj {
        Obj(addr as *mut ObjectHeader)
    }

    /// The exact type.
    ///
    /// # Panics
    /// When null.
    pub fn method_table(self) -> &'static MethodTable {
        assert!(!self.is_null(), "method table of a null reference");
        // SAFETY: a non-null `Obj` is the address of a live object (conservative roots keep it so),
        // whose first word is a method table, and method tables are never freed.
        unsafe { &*(*self.0).method_table }
    }

    /// Address of a byte in the object.
    pub fn at(self, offset: u32) -> *mut u8 {
        self.0.cast::<u8>().wrapping_add(offset as usize)
    }

    /// Address of the first field: of the data of a boxed value.
    pub fn data(self) -> *mut u8 {
        self.at(layout::object::HEADER)
    }

    /// Reads a field of plain data or a reference.
    ///
    /// `T` must be the field's representation and the offset must come from the type's layout.
    pub fn get<T: Plain>(self, offset: u32) -> T {
        assert!(!self.is_null(), "field of a null reference");
        // SAFETY: the object is live and not null; the caller took offset and type from the layout
        // of the object's class, so the bytes are in the object and a valid `T`.
        unsafe { self.at(offset).cast::<T>().read_unaligned() }
    }

    /// Writes a field. References need no barrier while the collector is not generational.
    pub fn set<T: Plain>(self, offset: u32, value: T) {
        assert!(!self.is_null(), "field of a null reference");
        // SAFETY: as for `get`.
        unsafe { self.at(offset).cast::<T>().write_unaligned(value) }
    }
}

/// Types whose every bit pattern is a value and which a managed field can hold.
///
/// # Safety
/// Implementors accept every bit pattern the managed side may leave in such a field.
pub unsafe trait Plain: Copy {}

macro_rules! plain {
    ($($t:ty),*) => { $(
        // SAFETY: numbers and raw pointers accept every bit pattern.
        unsafe impl Plain for $t {}
    )* };
}
plain!(
    u8, i8, u16, i16, u32, i32, u64, i64, usize, isize, f32, f64, Obj
);

// SAFETY: raw pointers accept every bit pattern.
unsafe impl<T> Plain for *mut T {}
// SAFETY: raw pointers accept every bit pattern.
unsafe impl<T> Plain for *const T {}
