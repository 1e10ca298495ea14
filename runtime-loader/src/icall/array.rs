//! `System.Array`.

use super::{Result, Thrown, icalls, managed};
use crate::object::array::{self, Dim};
use crate::object::{MethodTable, Obj};
use crate::runtime::{self, cast};
use shared_codegen::abi::layout::method_table as l;
use shared_codegen::types::{Known, Prim, TypeKind};

icalls! {
    "System.Array" {
        "ClearInternal" => clear(Obj, i32, i32);
        "CreateInstanceImpl" => create_instance(Obj, Obj, Obj) -> Obj;
        "FastCopy" => fast_copy(Obj, i32, Obj, i32, i32) -> bool;
        "GetGenericValueImpl" => get_generic_value(Obj, i32, *mut u8);
        "SetGenericValueImpl" => set_generic_value(Obj, i32, *const u8);
        "GetLength" => get_length(Obj, i32) -> i32;
        "GetLowerBound" => get_lower_bound(Obj, i32) -> i32;
        "GetRank" => get_rank(Obj) -> i32;
        "GetValue" => get_value(Obj, Obj) -> Obj;
        "GetValueImpl" => get_value_at(Obj, i32) -> Obj;
        "SetValue" => set_value(Obj, Obj, Obj);
        "SetValueImpl" => set_value_at(Obj, Obj, i32);
    }
}

fn element_table(a: Obj) -> Result<&'static MethodTable> {
    a.method_table()
        .element()
        .ok_or_else(|| Thrown::bare("System", "ArrayTypeMismatchException"))
}

fn size(a: Obj) -> usize {
    a.method_table().component_size as usize
}

fn in_range(a: Obj, index: i32, count: i32) -> bool {
    index >= 0 && count >= 0 && index as usize + count as usize <= array::len(a)
}

/// Address of an element or of the end of the data.
fn at(a: Obj, index: i32) -> *mut u8 {
    array::data(a).wrapping_add(index as usize * size(a))
}

extern "C" fn clear(a: Obj, index: i32, count: i32) {
    managed(|| {
        if a.is_null() {
            return Err(Thrown::argument_null("array"));
        }
        if !in_range(a, index, count) {
            return Err(Thrown::bare("System", "IndexOutOfRangeException"));
        }
        // SAFETY: the range lies in the array.
        unsafe { at(a, index).write_bytes(0, count as usize * size(a)) };
        Ok(())
    });
}

extern "C" fn create_instance(element: Obj, lengths: Obj, bounds: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let element = rt
            .type_of_object(element)
            .ok_or_else(Thrown::null_reference)?;
        let ty = element.type_id();
        if ty == rt.types.known(Known::Void) || rt.types.contains_generic_params(ty) {
            return Err(Thrown::not_supported(
                "Arrays of this type are not supported.",
            ));
        }
        let lengths = array::as_slice::<i32>(lengths);
        let lower = |i: usize| match bounds.non_null() {
            Some(b) => array::as_slice::<i32>(b)[i],
            None => 0,
        };
        let dims: Result<Vec<Dim>> = lengths
            .iter()
            .enumerate()
            .map(|(i, &n)| {
                let length = u32::try_from(n).map_err(|_| Thrown::out_of_range("length"))?;
                let lower = lower(i);
                Ok(Dim { length, lower })
            })
            .collect();
        let dims = dims?;
        match dims[..] {
            [d] if d.lower == 0 => {
                let mt = rt.method_table(rt.types.sz_array(ty))?;
                array::allocate(mt, d.length as usize)
            }
            _ => {
                let rank = dims.len() as u32;
                let ty = rt.types.intern_type(TypeKind::Array { elem: ty, rank });
                array::allocate_md(rt.method_table(ty)?, &dims)
            }
        }
    })
}

extern "C" fn fast_copy(from: Obj, from_index: i32, to: Obj, to_index: i32, count: i32) -> bool {
    let (source, target) = (from.method_table(), to.method_table());
    if source.desc.rank != target.desc.rank {
        return false;
    }
    if has_lower_bound(from) || has_lower_bound(to) {
        return false;
    }
    if !in_range(from, from_index, count) || !in_range(to, to_index, count) {
        return false;
    }
    let (Some(source), Some(target)) = (source.element(), target.element()) else {
        return false;
    };
    let value = |t: &MethodTable| t.has(l::FLAG_VALUE_TYPE) || !is_reference(t);
    let safe = match (value(source), value(target)) {
        (true, true) => core::ptr::eq(source, target) || same_bits(source, target),
        (false, false) => runtime::get()
            .types
            .is_assignable(source.type_id(), target.type_id()),
        _ => false,
    };
    if !safe {
        return false;
    }
    let bytes = count as usize * size(from);
    // SAFETY: both ranges were checked and the elements are compatible.
    unsafe { core::ptr::copy(at(from, from_index), at(to, to_index), bytes) };
    true
}

fn is_reference(t: &MethodTable) -> bool {
    runtime::get().types.is_reference_type(t.type_id())
}

/// Enums and their underlying types.
fn same_bits(a: &MethodTable, b: &MethodTable) -> bool {
    let types = &runtime::get().types;
    types.array_element_compatible(a.type_id(), b.type_id())
}

fn dims(a: Obj) -> Vec<Dim> {
    array::dims(a, a.method_table().desc.rank as usize)
}

fn has_lower_bound(a: Obj) -> bool {
    dims(a).iter().any(|d| d.lower != 0)
}

extern "C" fn get_generic_value(a: Obj, index: i32, to: *mut u8) {
    // SAFETY: the caller checked the index and passes the address of a value of the element type.
    unsafe { core::ptr::copy(at(a, index), to, size(a)) };
}

extern "C" fn set_generic_value(a: Obj, index: i32, from: *const u8) {
    // SAFETY: as above.
    unsafe { core::ptr::copy(from, at(a, index), size(a)) };
}

fn dim(a: Obj, dimension: i32) -> Result<Dim> {
    let found = usize::try_from(dimension)
        .ok()
        .and_then(|d| dims(a).get(d).copied());
    found.ok_or_else(|| Thrown::bare("System", "IndexOutOfRangeException"))
}

extern "C" fn get_length(a: Obj, dimension: i32) -> i32 {
    managed(|| Ok(dim(a, dimension)?.length as i32))
}

extern "C" fn get_lower_bound(a: Obj, dimension: i32) -> i32 {
    managed(|| Ok(dim(a, dimension)?.lower))
}

extern "C" fn get_rank(a: Obj) -> i32 {
    a.method_table().desc.rank as i32
}

/// Position of the element with these indices.
fn flat_index(a: Obj, indices: Obj) -> Result<i32> {
    if indices.is_null() {
        return Err(Thrown::argument_null("indices"));
    }
    let indices = array::as_slice::<i32>(indices);
    let dims = dims(a);
    if indices.len() != dims.len() {
        return Err(Thrown::argument(
            "Indices length does not match the array rank",
            "indices",
        ));
    }
    let mut flat = 0usize;
    for (&i, d) in indices.iter().zip(&dims) {
        let offset = i64::from(i) - i64::from(d.lower);
        if offset < 0 || offset >= i64::from(d.length) {
            return Err(Thrown::bare("System", "IndexOutOfRangeException"));
        }
        flat = flat * d.length as usize + offset as usize;
    }
    Ok(flat as i32)
}

extern "C" fn get_value(a: Obj, indices: Obj) -> Obj {
    managed(|| element_object(a, flat_index(a, indices)?))
}

extern "C" fn get_value_at(a: Obj, index: i32) -> Obj {
    managed(|| element_object(a, index))
}

fn element_object(a: Obj, index: i32) -> Result<Obj> {
    let element = element_table(a)?;
    if !is_reference(element) && !element.has(l::FLAG_VALUE_TYPE) {
        return Err(Thrown::not_supported("Type is not supported."));
    }
    cast::box_value(element, at(a, index))
}

extern "C" fn set_value(a: Obj, value: Obj, indices: Obj) {
    managed(|| store(a, value, flat_index(a, indices)?));
}

extern "C" fn set_value_at(a: Obj, value: Obj, index: i32) {
    managed(|| store(a, value, index));
}

fn store(a: Obj, value: Obj, index: i32) -> Result<()> {
    let element = element_table(a)?;
    let to = at(a, index);
    if !element.has(l::FLAG_VALUE_TYPE) {
        if !value.is_null() && !cast::is_instance(value, element) {
            return Err(cannot_widen());
        }
        // SAFETY: the caller checked the index; the element is a reference.
        unsafe { to.cast::<Obj>().write(value) };
        return Ok(());
    }
    if element.has(l::FLAG_NULLABLE) {
        return cast::unbox_nullable(element, value, to);
    }
    if value.is_null() {
        // SAFETY: the element is zeroed.
        unsafe { to.write_bytes(0, size(a)) };
        return Ok(());
    }
    if core::ptr::eq(value.method_table(), element) {
        // SAFETY: the object is a boxed element.
        unsafe { core::ptr::copy(value.data(), to, size(a)) };
        return Ok(());
    }
    let prim = |t: &MethodTable| t.desc.underlying().prim;
    match (prim(value.method_table()), prim(element)) {
        (Some(from), Some(into)) if widens(from, into) => {
            // SAFETY: a boxed primitive, and an element of the other.
            unsafe { write_prim(to, into, read_prim(value.data(), from)) };
            Ok(())
        }
        _ => Err(cannot_widen()),
    }
}

fn cannot_widen() -> Thrown {
    Thrown::system(
        "InvalidCastException",
        "Object cannot be stored in an array of this type.",
    )
}

/// A primitive value: integers sign- or zero-extended, floats.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// An integer.
    Int(i128),
    /// A float.
    Float(f64),
}

/// Reads a primitive.
///
/// # Safety
/// `at` must be the address of one.
pub unsafe fn read_prim(at: *const u8, prim: Prim) -> Number {
    // SAFETY: the caller's promise.
    unsafe {
        match prim {
            Prim::Bool | Prim::U1 => Number::Int((*at).into()),
            Prim::I1 => Number::Int((*at.cast::<i8>()).into()),
            Prim::I2 => Number::Int(at.cast::<i16>().read_unaligned().into()),
            Prim::Char | Prim::U2 => Number::Int(at.cast::<u16>().read_unaligned().into()),
            Prim::I4 => Number::Int(at.cast::<i32>().read_unaligned().into()),
            Prim::U4 => Number::Int(at.cast::<u32>().read_unaligned().into()),
            Prim::I8 | Prim::I => Number::Int(at.cast::<i64>().read_unaligned().into()),
            Prim::U8 | Prim::U => Number::Int(at.cast::<u64>().read_unaligned().into()),
            Prim::R4 => Number::Float(at.cast::<f32>().read_unaligned().into()),
            Prim::R8 => Number::Float(at.cast::<f64>().read_unaligned()),
        }
    }
}

/// Writes a primitive.
///
/// # Safety
/// `at` must be the address of one.
pub unsafe fn write_prim(at: *mut u8, prim: Prim, value: Number) {
    let (int, float) = match value {
        Number::Int(i) => (i, i as f64),
        Number::Float(f) => (f as i128, f),
    };
    // SAFETY: the caller's promise.
    unsafe {
        match prim.size() {
            _ if prim == Prim::R4 => at.cast::<f32>().write_unaligned(float as f32),
            _ if prim == Prim::R8 => at.cast::<f64>().write_unaligned(float),
            1 => at.write(int as u8),
            2 => at.cast::<u16>().write_unaligned(int as u16),
            4 => at.cast::<u32>().write_unaligned(int as u32),
            _ => at.cast::<u64>().write_unaligned(int as u64),
        }
    }
}

/// Is every value of `from` one of `into` (the table of `Array.SetValue` and reflection)?
pub fn widens(from: Prim, into: Prim) -> bool {
    use Prim::*;
    let targets: &[Prim] = match from {
        Bool => &[Bool],
        Char => &[Char, U2, U4, I4, U8, I8, R4, R8],
        I1 => &[I1, I2, I4, I8, R4, R8],
        U1 => &[U1, Char, U2, I2, U4, I4, U8, I8, R4, R8],
        I2 => &[I2, I4, I8, R4, R8],
        U2 => &[U2, Char, U4, I4, U8, I8, R4, R8],
        I4 => &[I4, I8, R4, R8],
        U4 => &[U4, U8, I8, R4, R8],
        I8 => &[I8, R4, R8],
        U8 => &[U8, R4, R8],
        R4 => &[R4, R8],
        R8 => &[R8],
        I => &[I],
        U => &[U],
    };
    targets.contains(&into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widening_keeps_values() {
        assert!(widens(Prim::I4, Prim::I8) && !widens(Prim::I8, Prim::I4));
        assert!(widens(Prim::U1, Prim::Char) && !widens(Prim::Char, Prim::I2));
        let mut out = [0u8; 8];
        // SAFETY: the buffers have eight bytes.
        unsafe {
            let n = read_prim((-5i32).to_le_bytes().as_ptr(), Prim::I4);
            write_prim(out.as_mut_ptr(), Prim::R8, n);
        }
        assert_eq!(f64::from_le_bytes(out), -5.0);
    }
}
