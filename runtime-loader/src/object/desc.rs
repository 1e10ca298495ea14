//! Descriptors of types, methods and fields: what the runtime knows beyond the type context.

use super::lookup_memo::LookupMemo;
use super::method_table::MethodTable;
use crate::jit::EntrySlot;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use parking_lot::Mutex;
use shared_codegen::abi::layout::method_desc;
use shared_codegen::types::{FieldId, MethodId, Prim, TypeId};
use std::sync::OnceLock;

/// A type: the part of the method table that compiled code does not read.
#[derive(Debug)]
pub struct TypeDesc {
    /// Identity.
    pub ty: TypeId,
    /// Number of virtual method slots.
    pub vtable_len: u32,
    /// Number of dimensions of an array type.
    pub rank: u32,
    /// State of the class initializer.
    pub init: Mutex<InitState>,
    /// Index of the block of thread-static fields plus one; 0 until one is assigned.
    pub thread_statics: AtomicUsize,
    /// See [`TypeDesc::underlying`].
    pub underlying: OnceLock<Underlying>,
}

/// What values of a type are made of.
#[derive(Clone, Copy, Debug)]
pub struct Underlying {
    /// The integer type of an enum; other types themselves.
    pub ty: TypeId,
    /// That type if it is primitive.
    pub prim: Option<Prim>,
}

impl TypeDesc {
    /// What values of the type are made of.
    pub fn underlying(&self) -> Underlying {
        *self.underlying.get_or_init(|| {
            let types = &crate::runtime::get().types;
            let ty = types.underlying(self.ty);
            Underlying {
                ty,
                prim: types.prim(ty),
            }
        })
    }
}

/// How far a class initializer got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitState {
    /// Not started.
    None,
    /// Being run by a thread.
    Running(crate::threads::ThreadId),
    /// Done, or there is none.
    Done,
    /// Failed: handle of the exception to raise on every access.
    Failed(super::Handle),
}

/// A method. Its address is the value of a `RuntimeMethodHandle` and the hidden argument of shared
/// generic methods.
#[repr(C)]
#[derive(Debug)]
pub struct MethodDesc {
    /// Identity.
    pub method: MethodId,
    /// The native function of a P/Invoke, 0 until it is found. Compiled code reads it.
    pub native: AtomicUsize,
    /// The body that runs: the same method unless shared.
    pub canonical: OnceLock<&'static MethodDesc>,
    /// Where calls go.
    pub entry: OnceLock<EntrySlot>,
    /// Final code, 0 until compiled or bound.
    pub code: AtomicUsize,
    /// An address that an outside caller can call (with context and unboxing applied); 0 until asked for.
    pub callable: AtomicUsize,
    /// The unboxing variant of `callable` for vtables of value types.
    pub unboxing: AtomicUsize,
    /// Results of generic lookups in the context of this method.
    pub lookups: LookupMemo,
}

const _: () = {
    assert!(core::mem::offset_of!(MethodDesc, native) == method_desc::NATIVE_FUNCTION as usize);
    assert!(core::mem::offset_of!(MethodDesc, lookups) == LookupMemo::OFFSET);
};

impl MethodDesc {
    /// A descriptor with nothing known yet.
    pub fn new(method: MethodId) -> MethodDesc {
        MethodDesc {
            method,
            native: AtomicUsize::new(0),
            canonical: OnceLock::new(),
            entry: OnceLock::new(),
            code: AtomicUsize::new(0),
            callable: AtomicUsize::new(0),
            unboxing: AtomicUsize::new(0),
            lookups: LookupMemo::new(),
        }
    }

    /// Address as a handle value.
    pub fn handle(&self) -> usize {
        core::ptr::from_ref(self) as usize
    }

    /// The method behind a handle value that came from us.
    pub fn from_handle(handle: usize) -> Option<&'static MethodDesc> {
        // SAFETY: method handles are addresses of immortal descriptors, or 0.
        unsafe { (handle as *const MethodDesc).as_ref() }
    }

    /// The final code address, if compiled or bound.
    pub fn compiled(&self) -> Option<usize> {
        Some(self.code.load(Ordering::Acquire)).filter(|c| *c != 0)
    }
}

/// A field. Its address is the value of a `RuntimeFieldHandle`.
#[derive(Debug)]
pub struct FieldDesc {
    /// Identity.
    pub field: FieldId,
    /// The exact declaring type.
    pub owner: AtomicPtr<MethodTable>,
}

impl FieldDesc {
    /// Address as a handle value.
    pub fn handle(&self) -> usize {
        core::ptr::from_ref(self) as usize
    }

    /// The field behind a handle value that came from us.
    pub fn from_handle(handle: usize) -> Option<&'static FieldDesc> {
        // SAFETY: field handles are addresses of immortal descriptors, or 0.
        unsafe { (handle as *const FieldDesc).as_ref() }
    }
}
