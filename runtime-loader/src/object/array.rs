//! Array objects of every rank.

use super::header::{Obj, Plain};
use super::method_table::MethodTable;
use crate::icall::{Result, Thrown};
use shared_codegen::abi::layout::array as l;

/// Total number of elements.
///
/// # Panics
/// When null.
pub fn len(a: Obj) -> usize {
    a.get::<u64>(l::LENGTH as u32) as usize
}

/// Address of element 0.
pub fn data(a: Obj) -> *mut u8 {
    a.at(l::DATA as u32)
}

/// Address of an element.
///
/// # Panics
/// When null or out of range.
pub fn element(a: Obj, index: usize) -> *mut u8 {
    assert!(index < len(a), "array index {index} of {}", len(a));
    data(a).wrapping_add(index * a.method_table().component_size as usize)
}

/// Reads an element of plain data or a reference.
///
/// # Panics
/// When null, out of range, or the element size differs from `T`'s.
pub fn get<T: Plain>(a: Obj, index: usize) -> T {
    assert_eq!(size_of::<T>(), a.method_table().component_size as usize);
    // SAFETY: `element` checked the bounds, the size was checked, `T` accepts every bit pattern.
    unsafe { element(a, index).cast::<T>().read_unaligned() }
}

/// Writes an element of plain data or a reference.
///
/// # Panics
/// As [`get`].
pub fn set<T: Plain>(a: Obj, index: usize, value: T) {
    assert_eq!(size_of::<T>(), a.method_table().component_size as usize);
    // SAFETY: as for `get`.
    unsafe { element(a, index).cast::<T>().write_unaligned(value) }
}

/// The elements of a vector of plain data.
///
/// # Panics
/// When null or the element size differs from `T`'s.
pub fn as_slice<T: Plain>(a: Obj) -> &'static [T] {
    assert_eq!(size_of::<T>(), a.method_table().component_size as usize);
    // SAFETY: the array holds `len` elements of this size at `data`, aligned to 8; it stays alive while
    // the caller has the reference on its stack. Racing managed writers give torn numbers at worst.
    unsafe { core::slice::from_raw_parts(data(a).cast::<T>(), len(a)) }
}

/// The writable elements of a vector of plain data.
///
/// # Panics
/// As [`as_slice`].
#[allow(clippy::mut_from_ref, reason = "the reference is a managed one")]
pub fn as_mut_slice<T: Plain>(a: Obj) -> &'static mut [T] {
    assert_eq!(size_of::<T>(), a.method_table().component_size as usize);
    // SAFETY: as for `as_slice`; callers hold the only Rust borrow.
    unsafe { core::slice::from_raw_parts_mut(data(a).cast::<T>(), len(a)) }
}

/// The raw bytes of all elements of an array of any rank.
pub fn bytes_len(a: Obj) -> usize {
    len(a) * a.method_table().component_size as usize
}

/// A fresh vector; `mt` is the array's own method table.
pub fn allocate(mt: &'static MethodTable, len: usize) -> Result<Obj> {
    let a = super::allocate(mt, vector_size(mt, len)?).ok_or_else(Thrown::out_of_memory)?;
    a.set(l::LENGTH as u32, len as u64);
    Ok(a)
}

fn vector_size(mt: &MethodTable, len: usize) -> Result<usize> {
    if len > i32::MAX as usize {
        return Err(Thrown::out_of_memory());
    }
    Ok(mt.instance_size(len))
}

/// One dimension of an array.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Dim {
    /// Number of elements.
    pub length: u32,
    /// First index.
    pub lower: i32,
}

// SAFETY: two numbers.
unsafe impl Plain for Dim {}

/// A fresh array of any shape; `mt` is a multi-dimensional array's method table.
pub fn allocate_md(mt: &'static MethodTable, dims: &[Dim]) -> Result<Obj> {
    let total = dims
        .iter()
        .try_fold(1usize, |n, d| n.checked_mul(d.length as usize))
        .filter(|n| *n <= i32::MAX as usize);
    let total = total.ok_or_else(Thrown::out_of_memory)?;
    let bounds_at = vector_size(mt, total)?;
    let a = super::allocate(mt, bounds_at + size_of_val(dims)).ok_or_else(Thrown::out_of_memory)?;
    a.set(l::LENGTH as u32, total as u64);
    for (i, d) in dims.iter().enumerate() {
        a.set((bounds_at + i * size_of::<Dim>()) as u32, *d);
    }
    a.set(l::BOUNDS as u32, a.addr() + bounds_at);
    Ok(a)
}

/// `newobj` of an array type: lengths, pairs of lower bound and length, or lengths of nested vectors.
pub fn construct(mt: &'static MethodTable, args: &[i32]) -> Result<Obj> {
    let overflow = || Thrown::bare("System", "OverflowException");
    let length = |n: i32| u32::try_from(n).map_err(|_| overflow());
    if mt.has(shared_codegen::abi::layout::method_table::FLAG_SZARRAY) {
        let (first, rest) = args.split_first().ok_or_else(overflow)?;
        let outer = allocate(mt, length(*first)? as usize)?;
        if let (false, Some(element)) = (rest.is_empty(), mt.element()) {
            for n in 0..len(outer) {
                set(outer, n, construct(element, rest)?);
            }
        }
        return Ok(outer);
    }
    let rank = mt.desc.rank as usize;
    let dims = if args.len() == rank {
        args.iter()
            .map(|n| {
                Ok(Dim {
                    length: length(*n)?,
                    lower: 0,
                })
            })
            .collect::<Result<Vec<_>>>()?
    } else {
        args.chunks_exact(2)
            .map(|p| {
                Ok(Dim {
                    length: length(p[1])?,
                    lower: p[0],
                })
            })
            .collect::<Result<Vec<_>>>()?
    };
    allocate_md(mt, &dims)
}

/// The shape of an array.
pub fn dims(a: Obj, rank: usize) -> Vec<Dim> {
    let bounds = a.get::<*const Dim>(l::BOUNDS as u32);
    if bounds.is_null() {
        return vec![Dim {
            length: len(a) as u32,
            lower: 0,
        }];
    }
    // SAFETY: a non-null bounds pointer points to `rank` pairs behind the array's data.
    unsafe { core::slice::from_raw_parts(bounds, rank).to_vec() }
}
