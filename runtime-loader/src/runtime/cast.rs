//! Type tests on objects, boxing and unboxing.
#![allow(unsafe_code, reason = "copies values between boxes and frames")]
#![allow(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "addresses come from compiled code, which vouches for them at the border in `jit::helpers`"
)]

use super::word_cache::WordCache;
use crate::icall::{Result, Thrown};
use crate::object::{MethodTable, Obj, new_object};
use core::sync::atomic::Ordering;
use shared_codegen::abi::layout::method_table as l;

/// Answers of [`is_assignable`] by the two method tables.
static CACHE: WordCache<2, 1, 2048> = WordCache::new();

/// Is the object (not null) an instance of a type? The answer is noted where compiled code looks before it asks.
pub fn is_instance(o: Obj, mt: &'static MethodTable) -> bool {
    let from = o.method_table();
    let answer = is_assignable(from, mt);
    let note = mt.handle() + usize::from(answer);
    from.last_cast.store(note, Ordering::Relaxed);
    answer
}

/// May a value of type `from` stand where `to` is wanted?
pub fn is_assignable(from: &'static MethodTable, to: &'static MethodTable) -> bool {
    if core::ptr::eq(from, to) {
        return true;
    }
    if !to.has(l::FLAG_SLOW_CAST) && !from.has(l::FLAG_ARRAY) && from.is_subclass_of(to) {
        return true;
    }
    let key = [from.handle(), to.handle()];
    if let Some([known]) = CACHE.get(key) {
        return known != 0;
    }
    let rt = super::get();
    let to_type = rt.types.nullable_arg(to.type_id()).unwrap_or(to.type_id());
    let answer = rt.types.is_assignable(from.type_id(), to_type);
    CACHE.insert(key, [answer.into()]);
    answer
}

/// The exception of a failed cast or unboxing, with the text of the class libraries' own runtime.
pub fn invalid_cast(o: Obj) -> Thrown {
    if o.is_null() {
        return Thrown::null_reference();
    }
    Thrown::system("InvalidCastException", "Specified cast is not valid.")
}

/// A box of type `from` may be unboxed as `to`: the same type, or an enum and its base type.
pub fn unboxes_to(from: &'static MethodTable, to: &'static MethodTable) -> bool {
    if core::ptr::eq(from, to) {
        return true;
    }
    let (a, b) = (from.desc.underlying(), to.desc.underlying());
    from.has(l::FLAG_VALUE_TYPE) && a.ty == b.ty && a.prim.is_some()
}

/// Size of the value in a box.
pub fn value_size(mt: &'static MethodTable) -> usize {
    super::get().types.value_size(mt.type_id()).unwrap_or(0) as usize
}

/// Boxes a value of any value type; a nullable becomes null or a box of its value. Of a reference type, `from` is
/// the address of a reference, which is the result.
pub fn box_value(mt: &'static MethodTable, from: *const u8) -> Result<Obj> {
    let rt = super::get();
    if !mt.has(l::FLAG_VALUE_TYPE) {
        // SAFETY: the address of a reference.
        return Ok(unsafe { from.cast::<Obj>().read_unaligned() });
    }
    let (mt, from) = match rt.types.nullable_arg(mt.type_id()) {
        None => (mt, from),
        Some(arg) => {
            // SAFETY: the address of a `Nullable<T>`, whose first byte says whether there is a value.
            if unsafe { from.read() } == 0 {
                return Ok(Obj::NULL);
            }
            (
                rt.method_table(arg)?,
                from.wrapping_add(nullable_value_offset(mt)),
            )
        }
    };
    let boxed = new_object(mt)?;
    // SAFETY: the box has room for a value of its type; `from` is the address of one.
    unsafe { core::ptr::copy_nonoverlapping(from, boxed.data(), value_size(mt)) };
    Ok(boxed)
}

/// Where `Nullable<T>` keeps the value.
fn nullable_value_offset(mt: &'static MethodTable) -> usize {
    super::get().offset_of(mt.type_id(), "value") as usize
}

/// Unboxes an object or null into a `Nullable<T>`.
pub fn unbox_nullable(mt: &'static MethodTable, o: Obj, to: *mut u8) -> Result<()> {
    let rt = super::get();
    let arg = rt
        .types
        .nullable_arg(mt.type_id())
        .ok_or_else(|| invalid_cast(o))?;
    let arg = rt.method_table(arg)?;
    // SAFETY: `to` is the address of a `Nullable<T>`: a flag, and the value at its offset.
    unsafe {
        core::ptr::write_bytes(to, 0, value_size(mt));
        if o.is_null() {
            return Ok(());
        }
        if !unboxes_to(o.method_table(), arg) {
            return Err(invalid_cast(o));
        }
        to.write(1);
        core::ptr::copy_nonoverlapping(
            o.data(),
            to.add(nullable_value_offset(mt)),
            value_size(arg),
        );
    }
    Ok(())
}
