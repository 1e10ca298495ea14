//! `System.String`, `System.Buffer`, `System.Text.EncodingHelper`.

use super::{Thrown, icalls, managed};
use crate::object::{Obj, array, string};
use crate::runtime;

icalls! {
    "System.String" {
        "FastAllocateString" => fast_allocate(i32) -> Obj;
        "InternalIntern" => intern(Obj) -> Obj;
        "InternalIsInterned" => is_interned(Obj) -> Obj;
    }
    "System.Buffer" {
        "InternalMemcpy" => memcpy(*mut u8, *const u8, i32);
        "InternalBlockCopy" => block_copy(Obj, i32, Obj, i32, i32) -> bool;
        "_ByteLength" => byte_length(Obj) -> i32;
        "ByteLengthInternal" => byte_length(Obj) -> i32;
        "BlockCopyInternal" => block_copy(Obj, i32, Obj, i32, i32) -> bool;
        "InternalMemmove" => memmove(*mut u8, *const u8, u64);
    }
}

extern "C" fn fast_allocate(len: i32) -> Obj {
    managed(|| match usize::try_from(len) {
        Ok(0) => runtime::get().strings.intern(&[]),
        Ok(len) => string::allocate(len),
        Err(_) => Err(Thrown::out_of_memory()),
    })
}

extern "C" fn intern(s: Obj) -> Obj {
    runtime::get().strings.intern_object(s)
}

extern "C" fn is_interned(s: Obj) -> Obj {
    runtime::get()
        .strings
        .find(string::units(s))
        .unwrap_or(Obj::NULL)
}

extern "C" fn memcpy(to: *mut u8, from: *const u8, count: i32) {
    // SAFETY: managed code vouches for both regions.
    unsafe { core::ptr::copy(from, to, count.max(0) as usize) };
}

extern "C" fn memmove(to: *mut u8, from: *const u8, count: u64) {
    // SAFETY: managed code vouches for both regions.
    unsafe { core::ptr::copy(from, to, count as usize) };
}

extern "C" fn byte_length(a: Obj) -> i32 {
    let mt = a.method_table();
    let primitive = mt
        .element()
        .is_some_and(|e| runtime::get().types.prim(e.type_id()).is_some());
    if primitive {
        array::bytes_len(a) as i32
    } else {
        -1
    }
}

extern "C" fn block_copy(from: Obj, from_at: i32, to: Obj, to_at: i32, count: i32) -> bool {
    let (from_len, to_len) = (array::bytes_len(from) as i64, array::bytes_len(to) as i64);
    let (a, b, n) = (i64::from(from_at), i64::from(to_at), i64::from(count));
    if a < 0 || b < 0 || n < 0 || a + n > from_len || b + n > to_len {
        return false;
    }
    // SAFETY: both ranges lie in the arrays' elements, which are plain data.
    unsafe {
        core::ptr::copy(
            array::data(from).add(a as usize),
            array::data(to).add(b as usize),
            n as usize,
        )
    };
    true
}
