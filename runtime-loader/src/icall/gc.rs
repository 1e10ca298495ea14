//! `System.GC` and `GCHandle`.

use super::{Result, Thrown, icalls, managed};
use crate::gc::{self, HandleKind, RawHandle};
use crate::object::{Handle, Obj, array, string};
use crate::runtime;
use shared_codegen::abi::layout::method_table as mt;

icalls! {
    "System.GC" {
        "GetAllocatedBytesForCurrentThread" => allocated_bytes() -> i64;
        "GetCollectionCount" => collection_count(i32) -> i32;
        "GetGeneration" => generation_of(Obj) -> i32;
        "GetMaxGeneration" => max_generation() -> i32;
        "GetTotalMemory" => total_memory(bool) -> i64;
        "InternalCollect" => collect(i32);
        "RecordPressure" => record_pressure(i64);
        "WaitForPendingFinalizers" => wait_for_finalizers();
        "_ReRegisterForFinalize" => reregister(Obj);
        "_SuppressFinalize" => suppress(Obj);
        "get_ephemeron_tombstone" => tombstone() -> Obj;
        "register_ephemeron_array" => register_ephemerons(Obj);
    }
    "System.Runtime.InteropServices.GCHandle" {
        "CheckCurrentDomain" => check_domain(i32) -> bool;
        "FreeHandle" => free_handle(i32);
        "GetAddrOfPinnedObject" => address_of_pinned(i32) -> isize;
        "GetTarget" => get_target(i32) -> Obj;
        "GetTargetHandle" => get_target_handle(Obj, i32, i32) -> i32;
    }
}

/// The only generation; class libraries expect at least two.
const MAX_GENERATION: i32 = 1;

extern "C" fn allocated_bytes() -> i64 {
    gc::memory_info().used as i64
}

extern "C" fn collection_count(generation: i32) -> i32 {
    if generation > MAX_GENERATION {
        return 0;
    }
    gc::collection_count() as i32
}

extern "C" fn generation_of(_o: Obj) -> i32 {
    MAX_GENERATION
}

extern "C" fn max_generation() -> i32 {
    MAX_GENERATION
}

extern "C" fn total_memory(collect_first: bool) -> i64 {
    if collect_first {
        gc::collect();
    }
    gc::memory_info().used as i64
}

extern "C" fn collect(_generation: i32) {
    gc::collect();
}

extern "C" fn record_pressure(bytes: i64) {
    gc::add_pressure(bytes as isize);
}

extern "C" fn wait_for_finalizers() {
    super::finalizer::wait_pending();
}

extern "C" fn reregister(o: Obj) {
    if let Some(o) = o.non_null() {
        gc::raw::register_finalizer(o.addr(), false);
    }
}

extern "C" fn suppress(o: Obj) {
    if let Some(o) = o.non_null() {
        gc::raw::suppress_finalizer(o.addr());
    }
}

extern "C" fn tombstone() -> Obj {
    let objects = runtime::get().objects.get();
    objects.map_or(Obj::NULL, |o| o.tombstone.target())
}

extern "C" fn register_ephemerons(array: Obj) {
    gc::raw::register_ephemerons(array.addr());
}

fn handle(raw: i32) -> Option<Handle> {
    RawHandle::from_raw(raw as u32).map(Handle)
}

extern "C" fn check_domain(raw: i32) -> bool {
    handle(raw).is_some()
}

extern "C" fn free_handle(raw: i32) {
    if let Some(h) = handle(raw) {
        h.free();
    }
}

extern "C" fn get_target(raw: i32) -> Obj {
    handle(raw).map_or(Obj::NULL, Handle::target)
}

/// What `GetAddrOfPinnedObject` says of a handle that does not pin.
const NOT_PINNED: isize = -2;

extern "C" fn address_of_pinned(raw: i32) -> isize {
    let Some(h) = handle(raw).filter(|h| h.0.kind() == HandleKind::Pinned) else {
        return NOT_PINNED;
    };
    let Some(o) = h.target().non_null() else {
        return 0;
    };
    let table = o.method_table();
    let data = if table.has(mt::FLAG_ARRAY) {
        array::data(o)
    } else if core::ptr::eq(
        table,
        runtime::get().known(shared_codegen::types::Known::String),
    ) {
        string::units(o).as_ptr().cast::<u8>().cast_mut()
    } else {
        o.data()
    };
    data as isize
}

extern "C" fn get_target_handle(o: Obj, old: i32, kind: i32) -> i32 {
    managed(|| {
        if let Some(h) = handle(old) {
            h.set_target(o);
            return Ok(old);
        }
        let kind = HandleKind::from_number(kind as u32)
            .ok_or_else(|| Thrown::argument("Invalid handle type.", "type"))?;
        if kind == HandleKind::Pinned {
            check_pinnable(o)?;
        }
        Ok(Handle::new(kind, o).0.raw() as i32)
    })
}

fn check_pinnable(o: Obj) -> Result<()> {
    let Some(o) = o.non_null() else {
        return Ok(());
    };
    let rt = runtime::get();
    let table = o.method_table();
    let value = match table.element() {
        Some(element) if table.has(mt::FLAG_ARRAY) => element,
        _ => table,
    };
    let is_class = value.type_id() == table.type_id() && !table.has(mt::FLAG_VALUE_TYPE);
    // The layout of classes is not looked at: pinning more than is allowed does no harm.
    if !is_class && rt.types.contains_refs(value.type_id()).unwrap_or(true) {
        return Err(Thrown::argument(
            "Object contains non-primitive or non-blittable data.",
            "value",
        ));
    }
    Ok(())
}
