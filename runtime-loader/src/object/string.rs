//! `System.String` objects.

use super::header::Obj;
use crate::icall::{Result, Thrown};
use shared_codegen::abi::layout::string as l;

/// The UTF-16 units of a string.
///
/// The borrow lives as long as the caller keeps the reference on the stack; strings do not move.
///
/// # Panics
/// When null.
pub fn units(s: Obj) -> &'static [u16] {
    let len = s.get::<i32>(l::LENGTH as u32);
    // SAFETY: a string object has `len` UTF-16 units (and a NUL) behind its length; only the runtime and
    // the string builder write to strings, and only to fresh ones.
    unsafe { core::slice::from_raw_parts(s.at(l::DATA as u32).cast::<u16>(), len as usize) }
}

/// Writable UTF-16 units of a string nobody else has seen yet.
///
/// # Panics
/// When null.
pub fn units_mut(s: Obj) -> &'static mut [u16] {
    let len = s.get::<i32>(l::LENGTH as u32);
    // SAFETY: as for `units`; the caller has just allocated the string, so this is the only borrow.
    unsafe { core::slice::from_raw_parts_mut(s.at(l::DATA as u32).cast::<u16>(), len as usize) }
}

/// The string as Rust text, lone surrogates replaced.
///
/// # Panics
/// When null.
pub fn to_rust(s: Obj) -> String {
    String::from_utf16_lossy(units(s))
}

/// A fresh string of `len` zero units.
pub fn allocate(len: usize) -> Result<Obj> {
    let rt = crate::runtime::get();
    if len > 0x3fff_ffdf {
        return Err(Thrown::out_of_memory());
    }
    let mt = rt.known(shared_codegen::types::Known::String);
    let s = super::allocate(mt, mt.instance_size(len)).ok_or_else(Thrown::out_of_memory)?;
    s.set(l::LENGTH as u32, len as i32);
    Ok(s)
}

/// A fresh string with these units.
pub fn from_units(units: &[u16]) -> Result<Obj> {
    let s = allocate(units.len())?;
    units_mut(s).copy_from_slice(units);
    Ok(s)
}

/// A fresh string with this text.
pub fn from_rust(text: &str) -> Result<Obj> {
    let s = allocate(text.encode_utf16().count())?;
    for (to, from) in units_mut(s).iter_mut().zip(text.encode_utf16()) {
        *to = from;
    }
    Ok(s)
}
