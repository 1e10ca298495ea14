//! `System.ArgIterator` over the blocks that callers make (`shared_codegen::import::varargs`), and the object in a
//! `System.TypedReference`.
#![allow(
    unsafe_code,
    reason = "argument lists and typed references are raw addresses"
)]

use super::{Result, Thrown, icalls, managed};
use crate::object::{MethodTable, Obj};
use crate::runtime::{self, cast};
use shared_codegen::abi::layout::{method_table, varargs as block};
use shared_codegen::ir::MemType;
use shared_codegen::types::ValueClass;

icalls! {
    "System.ArgIterator" {
        "Setup" => setup(*mut ArgIterator, usize, usize);
        "IntGetNextArg" => next_arg(*mut ArgIterator, *mut TypedReference);
        "IntGetNextArgWithType" => next_arg_with_type(*mut ArgIterator, *mut TypedReference, usize);
        "IntGetNextArgType" => next_arg_type(*mut ArgIterator) -> usize;
    }
    "System.TypedReference" {
        "InternalToObject" => to_object(*const TypedReference) -> Obj;
    }
}

/// The fields of `System.ArgIterator`.
#[repr(C)]
struct ArgIterator {
    /// Address of the block.
    sig: usize,
    /// Address of its first entry.
    args: usize,
    /// Number of the entry that comes next.
    next_arg: i32,
    /// Number of entries.
    num_args: i32,
}

/// The fields of `System.TypedReference`.
#[repr(C)]
#[derive(Clone, Copy)]
struct TypedReference {
    handle: usize,
    value: usize,
    class: usize,
}

/// An entry of a block: method table and address of an argument.
#[repr(C)]
#[derive(Clone, Copy)]
struct Entry {
    table: usize,
    address: usize,
}

const _: () = assert!(
    block::ENTRY_SIZE as usize == size_of::<Entry>()
        && block::TABLE == 0
        && block::ADDRESS == 8
        && block::COUNT == 0
);

fn iterator<'a>(at: *mut ArgIterator) -> Result<&'a mut ArgIterator> {
    // SAFETY: `this` of an instance method of a struct: null or the address of one that its caller keeps alive.
    unsafe { at.as_mut() }.ok_or_else(Thrown::null_reference)
}

fn past_the_end() -> Thrown {
    Thrown::system("InvalidOperationException", "Invalid iterator position")
}

impl ArgIterator {
    /// The entry that comes next.
    fn entry(&self) -> Result<Entry> {
        let n = usize::try_from(self.next_arg).map_err(|_| past_the_end())?;
        if self.args == 0 || self.next_arg >= self.num_args {
            return Err(past_the_end());
        }
        // SAFETY: `setup` took address and count from a block; it lives in the frame of the caller of the method the
        // iterator was made in.
        Ok(unsafe { *(self.args as *const Entry).add(n) })
    }
}

impl From<Entry> for TypedReference {
    fn from(e: Entry) -> TypedReference {
        TypedReference {
            handle: e.table,
            value: e.address,
            class: e.table,
        }
    }
}

/// Starts at the first argument, or at the one that `start` is the address of.
extern "C" fn setup(this: *mut ArgIterator, list: usize, start: usize) {
    managed(|| {
        let this = iterator(this)?;
        *this = ArgIterator {
            sig: list,
            args: 0,
            next_arg: 0,
            num_args: 0,
        };
        if list != 0 {
            this.args = list + block::ENTRIES as usize;
            // SAFETY: a nonzero list is the address of a block, which starts with the number of entries.
            this.num_args = unsafe { *(list as *const i64) } as i32;
        }
        if start != 0 {
            while this.entry()?.address != start {
                this.next_arg += 1;
            }
        }
        Ok(())
    });
}

extern "C" fn next_arg(this: *mut ArgIterator, result: *mut TypedReference) {
    managed(|| {
        let this = iterator(this)?;
        let entry = this.entry()?;
        this.next_arg += 1;
        // SAFETY: the managed method passes the address of a local.
        unsafe { *result = entry.into() };
        Ok(())
    });
}

/// Skips arguments of other types.
extern "C" fn next_arg_with_type(
    this: *mut ArgIterator,
    result: *mut TypedReference,
    handle: usize,
) {
    managed(|| {
        let this = iterator(this)?;
        loop {
            let entry = this.entry()?;
            this.next_arg += 1;
            if entry.table == handle {
                // SAFETY: the managed method passes the address of a local.
                unsafe { *result = entry.into() };
                return Ok(());
            }
        }
    });
}

extern "C" fn next_arg_type(this: *mut ArgIterator) -> usize {
    managed(|| Ok(iterator(this)?.entry()?.table))
}

extern "C" fn to_object(reference: *const TypedReference) -> Obj {
    managed(|| {
        // SAFETY: the managed method passes the address of its argument.
        let reference = unsafe { reference.as_ref() }.ok_or_else(Thrown::null_reference)?;
        let Some(class) = MethodTable::from_handle(reference.class) else {
            return Err(Thrown::bare("System", "ArgumentNullException"));
        };
        if class.has(method_table::FLAG_VALUE_TYPE) {
            return cast::box_value(class, reference.value as *const u8);
        }
        match runtime::get().types.value_class(class.type_id())? {
            // SAFETY: the address of a location that holds an object reference, as its type says.
            ValueClass::Scalar(MemType::Ref) => Ok(unsafe { *(reference.value as *const Obj) }),
            _ => Err(Thrown::bare("System", "NotSupportedException")),
        }
    })
}
