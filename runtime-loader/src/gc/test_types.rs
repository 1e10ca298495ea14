//! Hand-made method tables for tests without class libraries.
#![allow(unsafe_code, reason = "tests build objects by hand")]

use super::map::GcMap;
use super::raw;
use shared_codegen::abi::layout::{array, method_table as mt};

/// A method table of the ABI's layout without vtable.
#[repr(C, align(8))]
pub(crate) struct TestType([u8; mt::VTABLE as usize]);

impl TestType {
    fn new(component: u32, base: u32, flags: u32, map: Option<GcMap>) -> &'static TestType {
        let mut bytes = [0u8; mt::VTABLE as usize];
        let mut put =
            |at: i32, v: &[u8]| bytes[at as usize..at as usize + v.len()].copy_from_slice(v);
        put(mt::COMPONENT_SIZE, &component.to_ne_bytes());
        put(mt::BASE_SIZE, &base.to_ne_bytes());
        put(mt::FLAGS, &flags.to_ne_bytes());
        let map = map.map_or(0, |m| core::ptr::from_ref(Box::leak(Box::new(m))) as usize);
        put(mt::GC_MAP, &map.to_ne_bytes());
        Box::leak(Box::new(TestType(bytes)))
    }

    /// A class with `fields` words, the first `refs` of them references.
    pub(crate) fn class(fields: u32, refs: u32, flags: u32) -> &'static TestType {
        let offsets: Vec<u32> = (0..refs).map(|i| 16 + 8 * i).collect();
        TestType::new(
            0,
            16 + 8 * fields,
            flags | mt::FLAG_HAS_REFS,
            Some(GcMap::object(&offsets)),
        )
    }

    pub(crate) fn array(component: u32, map: Option<GcMap>) -> &'static TestType {
        let refs = if map.is_some() { mt::FLAG_HAS_REFS } else { 0 };
        TestType::new(
            component,
            array::DATA as u32,
            mt::FLAG_ARRAY | mt::FLAG_SZARRAY | refs,
            map,
        )
    }

    fn addr(&self) -> usize {
        core::ptr::from_ref(self) as usize
    }

    pub(crate) fn new_object(&self) -> usize {
        let size = u32::from_ne_bytes(self.0[4..8].try_into().unwrap()) as usize;
        // SAFETY: a complete method table and its size.
        unsafe { raw::allocate(self.addr(), size) }
    }

    pub(crate) fn new_array(&self, len: usize) -> usize {
        let component = u32::from_ne_bytes(self.0[0..4].try_into().unwrap()) as usize;
        // SAFETY: a complete method table, the size of an array of this length, whose length is written at once.
        unsafe {
            let a = raw::allocate(self.addr(), 32 + component * len);
            if a != 0 {
                ((a + array::LENGTH as usize) as *mut u64).write(len as u64);
            }
            a
        }
    }
}

/// Field `i` of a test class.
pub(crate) fn get(object: usize, i: usize) -> usize {
    // SAFETY: tests pass live objects and fields they have.
    unsafe { ((object + 16 + 8 * i) as *const usize).read() }
}

pub(crate) fn set(object: usize, i: usize, value: usize) {
    // SAFETY: as above.
    unsafe { ((object + 16 + 8 * i) as *mut usize).write(value) }
}

/// Overwrites dead stack below the caller, so that stale words do not keep objects alive.
#[inline(never)]
pub(crate) fn scrub_stack() {
    let mut words = [0usize; 2048];
    core::hint::black_box(&mut words);
}
