//! The runtime's description of a loaded type, as compiled code sees it.
//!
//! A method table is immortal. It is `#[repr(C)]` with a tail: `vtable` holds `vtable_len` code
//! pointers. Its address is also the value of a `RuntimeTypeHandle`.

use super::desc::TypeDesc;
use super::header::Obj;
use super::lookup_memo::LookupMemo;
use crate::gc::GcMap;
use core::mem::offset_of;
use core::sync::atomic::{AtomicPtr, AtomicUsize};
use shared_codegen::abi::layout::method_table as l;
use shared_codegen::types::TypeId;

/// See the module documentation; offsets are `abi::layout::method_table`.
#[repr(C)]
#[derive(Debug)]
pub struct MethodTable {
    /// Bytes per element of arrays and strings, else 0.
    pub component_size: u32,
    /// Bytes of an instance with header; for arrays and strings without elements.
    pub base_size: u32,
    /// `FLAG_*`.
    pub flags: u32,
    /// Number of base classes.
    pub depth: u32,
    /// Base class.
    pub parent: *const MethodTable,
    /// Element type of arrays, pointers, by-refs.
    pub element: *const MethodTable,
    /// Base classes by depth, the type itself last.
    pub supers: *const *const MethodTable,
    /// The `System.RuntimeType` object, null until asked for.
    pub type_object: AtomicUsize,
    /// Base of the static fields, null until allocated.
    pub statics: AtomicPtr<u8>,
    /// Everything else.
    pub desc: &'static TypeDesc,
    /// Where instances hold references.
    pub gc_map: *const GcMap,
    /// Results of generic lookups in the context of this type.
    pub lookups: LookupMemo,
    /// The type of the last test by the runtime of such an object, plus 1 if it passed.
    pub last_cast: AtomicUsize,
    /// Interface dispatch.
    pub imt: [AtomicUsize; l::IMT_SLOTS as usize],
    /// Virtual methods: `desc.vtable_len` entries.
    pub vtable: [AtomicUsize; 0],
}

const _: () = {
    assert!(offset_of!(MethodTable, component_size) == l::COMPONENT_SIZE as usize);
    assert!(offset_of!(MethodTable, base_size) == l::BASE_SIZE as usize);
    assert!(offset_of!(MethodTable, flags) == l::FLAGS as usize);
    assert!(offset_of!(MethodTable, depth) == l::DEPTH as usize);
    assert!(offset_of!(MethodTable, parent) == l::PARENT as usize);
    assert!(offset_of!(MethodTable, element) == l::ELEMENT as usize);
    assert!(offset_of!(MethodTable, supers) == l::SUPERS as usize);
    assert!(offset_of!(MethodTable, type_object) == l::TYPE_OBJECT as usize);
    assert!(offset_of!(MethodTable, statics) == l::STATICS as usize);
    assert!(offset_of!(MethodTable, desc) == l::TYPE_DESC as usize);
    assert!(offset_of!(MethodTable, gc_map) == l::GC_MAP as usize);
    assert!(offset_of!(MethodTable, lookups) == LookupMemo::OFFSET);
    assert!(offset_of!(MethodTable, last_cast) == l::LAST_CAST as usize);
    assert!(offset_of!(MethodTable, imt) == l::IMT as usize);
    assert!(offset_of!(MethodTable, vtable) == l::VTABLE as usize);
};

// SAFETY: the raw pointers point to immortal, immutable data; what changes is atomic.
unsafe impl Sync for MethodTable {}
// SAFETY: as above.
unsafe impl Send for MethodTable {}

impl MethodTable {
    /// Identity in the type context.
    pub fn type_id(&self) -> TypeId {
        self.desc.ty
    }

    /// Has any of these `FLAG_*` bits.
    pub fn has(&self, flags: u32) -> bool {
        self.flags & flags != 0
    }

    /// Base class.
    pub fn parent(&self) -> Option<&'static MethodTable> {
        // SAFETY: null or an immortal method table.
        unsafe { self.parent.as_ref() }
    }

    /// Element type of arrays, pointers, by-refs.
    pub fn element(&self) -> Option<&'static MethodTable> {
        // SAFETY: null or an immortal method table.
        unsafe { self.element.as_ref() }
    }

    /// A virtual method slot.
    ///
    /// # Panics
    /// When the slot is out of range.
    pub fn vtable_slot(&self, slot: u32) -> &AtomicUsize {
        assert!(
            slot < self.desc.vtable_len,
            "vtable slot {slot} of {}",
            self.desc.vtable_len
        );
        // SAFETY: the table was allocated with `vtable_len` entries behind the struct.
        unsafe { &*self.vtable.as_ptr().add(slot as usize) }
    }

    /// Is this type `ancestor`, or derived from it (classes only)?
    pub fn is_subclass_of(&self, ancestor: &MethodTable) -> bool {
        if self.depth < ancestor.depth {
            return false;
        }
        // SAFETY: `supers` has `depth + 1` entries.
        let at = unsafe { *self.supers.add(ancestor.depth as usize) };
        core::ptr::eq(at, ancestor)
    }

    /// Address as a handle value.
    pub fn handle(&self) -> usize {
        core::ptr::from_ref(self) as usize
    }

    /// The method table behind a handle value that came from us.
    pub fn from_handle(handle: usize) -> Option<&'static MethodTable> {
        // SAFETY: type handles are method-table addresses (or 0) and method tables are immortal; managed
        // code cannot forge others without unsafe code of its own.
        unsafe { (handle as *const MethodTable).as_ref() }
    }

    /// Size in bytes of an instance with this number of elements.
    pub fn instance_size(&self, elements: usize) -> usize {
        (self.base_size as usize + elements * self.component_size as usize + 7) & !7
    }

    /// Is `o` an instance of exactly this type?
    pub fn is_exact(&self, o: Obj) -> bool {
        core::ptr::eq(o.method_table(), self)
    }
}
