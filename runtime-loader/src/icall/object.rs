//! `System.Object`, `System.ValueType`.

use super::{Thrown, icalls, managed};
use crate::gc;
use crate::object::{Obj, allocate, array};
use crate::runtime;

icalls! {
    "System.Object" {
        "GetType" => get_type(Obj) -> Obj;
        "MemberwiseClone" => memberwise_clone(Obj) -> Obj;
        "InternalGetHashCode" => hash_code(Obj) -> i32;
    }
    "System.Runtime.CompilerServices.RuntimeHelpers" {
        "InternalGetHashCode" => hash_code(Obj) -> i32;
        "get_OffsetToStringData" => offset_to_string_data() -> i32;
        "InitializeArray" => initialize_array(Obj, usize);
        "RunClassConstructor" => run_class_constructor(usize);
        "RunModuleConstructor" => run_module_constructor(usize);
        "GetObjectValue" => object_value(Obj) -> Obj;
        "SufficientExecutionStack" => sufficient_stack() -> bool;
    }
}

extern "C" fn get_type(o: Obj) -> Obj {
    managed(|| runtime::get().type_object(o.method_table()))
}

/// Bytes of an object with elements and bounds.
fn size_of(o: Obj) -> usize {
    // SAFETY: `o` is a live object.
    unsafe { gc::raw::object_size(o.addr()) }
}

extern "C" fn memberwise_clone(o: Obj) -> Obj {
    managed(|| {
        let size = size_of(o);
        let copy = allocate(o.method_table(), size).ok_or_else(Thrown::out_of_memory)?;
        let header = shared_codegen::abi::layout::object::HEADER;
        // SAFETY: both objects have `size` bytes; the copy is ours alone.
        unsafe {
            core::ptr::copy_nonoverlapping(o.at(header), copy.at(header), size - header as usize)
        };
        fix_bounds(o, copy);
        Ok(copy)
    })
}

/// The bounds of a multi-dimensional array lie in the array itself.
fn fix_bounds(from: Obj, to: Obj) {
    use shared_codegen::abi::layout::{array::BOUNDS, method_table::FLAG_ARRAY};
    if !from.method_table().has(FLAG_ARRAY) {
        return;
    }
    let bounds: usize = from.get(BOUNDS as u32);
    if bounds != 0 {
        to.set(BOUNDS as u32, bounds - from.addr() + to.addr());
    }
}

extern "C" fn hash_code(o: Obj) -> i32 {
    if o.is_null() {
        0
    } else {
        gc::sync_word::hash_code(o.addr())
    }
}

extern "C" fn offset_to_string_data() -> i32 {
    shared_codegen::abi::layout::string::DATA
}

extern "C" fn initialize_array(a: Obj, field: usize) {
    managed(|| {
        let rt = runtime::get();
        let desc = crate::object::FieldDesc::from_handle(field)
            .filter(|_| !a.is_null())
            .ok_or_else(|| Thrown::argument_null("array"))?;
        let kind = rt.types.field_kind(desc.field);
        let module = rt.types.module(kind.module);
        let data = module
            .field_rva_of(kind.row)
            .and_then(|rva| module.data_at(rva));
        let len = array::bytes_len(a);
        let Some(data) = data.filter(|d| d.len() >= len) else {
            return Err(Thrown::argument(
                "Value does not fall within the expected range.",
                "fldHandle",
            ));
        };
        // SAFETY: the array has `len` bytes of elements; the data is in the assembly's file.
        unsafe { core::ptr::copy_nonoverlapping(data.as_ptr(), array::data(a), len) };
        Ok(())
    })
}

extern "C" fn run_class_constructor(type_handle: usize) {
    managed(|| {
        let mt = crate::object::MethodTable::from_handle(type_handle)
            .ok_or_else(|| Thrown::argument_null("type"))?;
        runtime::get().class_init.ensure(mt)
    })
}

extern "C" fn run_module_constructor(module: usize) {
    managed(|| {
        let rt = runtime::get();
        let module = super::reflection::module_of_handle(module)?;
        let global = rt
            .types
            .type_def(module, shared_codegen::metadata::TypeDefRow(1));
        if rt.types.has_cctor(global) {
            rt.class_init.ensure(rt.method_table(global)?)?;
        }
        Ok(())
    })
}

/// A copy of a boxed value; other objects themselves.
extern "C" fn object_value(o: Obj) -> Obj {
    use shared_codegen::abi::layout::method_table::FLAG_VALUE_TYPE;
    match o.non_null() {
        Some(o) if o.method_table().has(FLAG_VALUE_TYPE) => memberwise_clone(o),
        _ => o,
    }
}

extern "C" fn sufficient_stack() -> bool {
    true
}
