//! Sizes and references of objects, read from their method tables.
#![allow(unsafe_code, reason = "reads object headers through raw addresses")]

use super::map::{GcMap, MapKind};
use shared_codegen::abi::layout::{array, method_table as mt, object, string};

/// Address of an object. Never 0.
pub(super) type Addr = usize;

/// # Safety
/// `addr + offset` must be readable as a `T`.
unsafe fn read<T: Copy>(addr: usize, offset: i32) -> T {
    // SAFETY: the caller's promise.
    unsafe { ((addr as isize + offset as isize) as *const T).read() }
}

/// The method table of an object.
///
/// # Safety
/// `obj` must be the address of an object.
pub(super) unsafe fn method_table(obj: Addr) -> usize {
    // SAFETY: every object starts with its method table.
    unsafe { read(obj, object::METHOD_TABLE) }
}

/// The flags of a method table.
///
/// # Safety
/// `table` must be the address of a method table.
pub(super) unsafe fn flags(table: usize) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { read(table, mt::FLAGS) }
}

/// Size in bytes, a multiple of 8.
///
/// # Safety
/// `obj` must be the address of an object whose header and length are written.
pub(super) unsafe fn size(obj: Addr) -> usize {
    // SAFETY: objects start with a method table; arrays and strings have their length at the ABI's offset.
    unsafe {
        let table = method_table(obj);
        let base = read::<u32>(table, mt::BASE_SIZE) as usize;
        let component = read::<u32>(table, mt::COMPONENT_SIZE) as usize;
        if component == 0 {
            return base;
        }
        let flags = flags(table);
        if flags & mt::FLAG_STRING != 0 {
            let units = read::<i32>(obj, string::LENGTH) as usize;
            return (string::DATA as usize + 2 * (units + 1)).next_multiple_of(8);
        }
        let len = read::<u64>(obj, array::LENGTH) as usize;
        let data = (array::DATA as usize + len * component).next_multiple_of(8);
        if flags & mt::FLAG_SZARRAY != 0 {
            data
        } else {
            data + 8 * rank(table)
        }
    }
}

/// # Safety
/// `table` must be the address of a method table.
unsafe fn rank(table: usize) -> usize {
    // SAFETY: the caller's promise; a method table's GC map is null or immortal.
    unsafe { gc_map(table).map_or(0, |m| m.rank as usize) }
}

/// # Safety
/// `table` must be the address of a method table.
unsafe fn gc_map(table: usize) -> Option<&'static GcMap> {
    // SAFETY: the caller's promise; the word is null or points to an immortal map.
    unsafe { read::<*const GcMap>(table, mt::GC_MAP).as_ref() }
}

/// Number of elements of an array.
///
/// # Safety
/// `obj` must be the address of an array.
pub(super) unsafe fn array_len(obj: Addr) -> usize {
    // SAFETY: the caller's promise.
    unsafe { read::<u64>(obj, array::LENGTH) as usize }
}

/// Calls `visit` with the address of every reference slot of an object.
///
/// # Safety
/// `obj` must be the address of an object whose header and length are written.
#[inline]
pub(super) unsafe fn for_each_slot(obj: Addr, mut visit: impl FnMut(usize)) {
    // SAFETY: slots are inside the object as its type's map and length say.
    unsafe {
        let table = method_table(obj);
        if flags(table) & mt::FLAG_HAS_REFS == 0 {
            return;
        }
        let Some(map) = gc_map(table) else { return };
        match map.kind {
            MapKind::Object => visit_runs(obj, map, &mut visit),
            MapKind::RefArray => {
                let data = obj + array::DATA as usize;
                (0..array_len(obj)).for_each(|i| visit(data + 8 * i));
            }
            MapKind::StructArray => {
                let step = read::<u32>(table, mt::COMPONENT_SIZE) as usize;
                let data = obj + array::DATA as usize;
                (0..array_len(obj)).for_each(|i| visit_runs(data + step * i, map, &mut visit));
            }
            MapKind::EphemeronArray => {}
        }
    }
}

#[inline]
fn visit_runs(base: usize, map: &GcMap, visit: &mut impl FnMut(usize)) {
    for run in &map.runs {
        let first = base + run.offset as usize;
        (0..run.count as usize).for_each(|i| visit(first + 8 * i));
    }
}
