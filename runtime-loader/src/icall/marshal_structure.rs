//! `Marshal`: structures in native memory, delegates as function pointers.

use super::runtime_type::table;
use super::{Result, Thrown, icalls, managed};
use crate::interop::{self, structure};
use crate::object::{MethodTable, Obj, new_object, string};
use crate::runtime;
use shared_codegen::abi::layout::method_table as l;
use shared_codegen::types::NativeLayout;

icalls! {
    "System.Runtime.InteropServices.Marshal" {
        "DestroyStructure" => destroy_structure(*mut u8, Obj);
        "GetDelegateForFunctionPointerInternal" => delegate_for_pointer(usize, Obj) -> Obj;
        "GetFunctionPointerForDelegateInternal" => pointer_for_delegate(Obj) -> usize;
        "OffsetOf" => offset_of(Obj, Obj) -> usize;
        "PtrToStructure(intptr,System.Type)" => pointer_to_structure(*const u8, Obj) -> Obj;
        "PtrToStructure(intptr,object)" => pointer_into_object(*const u8, Obj);
        "SizeOf" => size_of_type(Obj) -> i32;
        "StructureToPtr" => structure_to_pointer(Obj, *mut u8, bool);
    }
}

fn check<T>(p: *const T, name: &'static str) -> Result<()> {
    match p.is_null() {
        true => Err(Thrown::argument_null(name)),
        false => Ok(()),
    }
}

extern "C" fn size_of_type(ty: Obj) -> i32 {
    managed(|| Ok(structure::size_of(table(ty)?.type_id())? as i32))
}

extern "C" fn offset_of(ty: Obj, name: Obj) -> usize {
    managed(|| {
        check(name.0, "fieldName")?;
        let mt = table(ty)?;
        let s = structure::of_type(mt.type_id())?;
        let found = structure::offset_of(s, &string::to_rust(name));
        let missing = || {
            let class = runtime::get().types.full_name(mt.type_id());
            let text = format!("Field passed in is not a marshaled member of the type '{class}'.");
            Thrown::argument(text, "fieldName")
        };
        Ok(found.ok_or_else(missing)? as usize)
    })
}

fn read_object(p: *const u8, mt: &'static MethodTable) -> Result<Obj> {
    let object = new_object(mt)?;
    read_into(p, object)?;
    Ok(object)
}

/// The native form of a class or of a value type that has fields; `None` for values that are copied as they are.
fn form_of(mt: &'static MethodTable) -> Result<Option<&'static NativeLayout>> {
    let types = &runtime::get().types;
    match types.prim(types.underlying(mt.type_id())) {
        Some(_) => Ok(None),
        None => Ok(Some(structure::of_type(mt.type_id())?)),
    }
}

fn read_into(p: *const u8, object: Obj) -> Result<()> {
    let mt = object.method_table();
    let Some(s) = form_of(mt)? else {
        // SAFETY: managed code vouches for the pointer; the object is a box of this size.
        unsafe {
            object
                .data()
                .copy_from_nonoverlapping(p, structure::managed_size(mt))
        };
        return Ok(());
    };
    // SAFETY: managed code vouches for the pointer.
    unsafe { structure::from_native(s, p, structure::fields_base(object)) }
}

extern "C" fn pointer_to_structure(p: *const u8, ty: Obj) -> Obj {
    managed(|| {
        check(ty.0, "structureType")?;
        match p.is_null() {
            true => Ok(Obj::NULL),
            false => read_object(p, table(ty)?),
        }
    })
}

extern "C" fn pointer_into_object(p: *const u8, object: Obj) {
    managed(|| {
        check(p, "ptr")?;
        check(object.0, "structure")?;
        if object.method_table().has(l::FLAG_VALUE_TYPE) {
            let text = "The structure must not be a value class.";
            return Err(Thrown::argument(text, "structure"));
        }
        read_into(p, object)
    });
}

extern "C" fn structure_to_pointer(object: Obj, p: *mut u8, delete_old: bool) {
    managed(|| {
        check(p, "ptr")?;
        check(object.0, "structure")?;
        let mt = object.method_table();
        let Some(s) = form_of(mt)? else {
            // SAFETY: managed code vouches for the pointer.
            unsafe { p.copy_from_nonoverlapping(object.data(), structure::managed_size(mt)) };
            return Ok(());
        };
        // SAFETY: as above.
        unsafe {
            if delete_old {
                structure::destroy(s, p)?;
            }
            structure::to_native(s, structure::fields_base(object), p)
        }
    });
}

extern "C" fn destroy_structure(p: *mut u8, ty: Obj) {
    managed(|| {
        check(p, "ptr")?;
        let s = structure::of_type(table(ty)?.type_id())?;
        // SAFETY: managed code vouches for the pointer.
        unsafe { structure::destroy(s, p) }
    });
}

extern "C" fn pointer_for_delegate(d: Obj) -> usize {
    interop::delegate_to_native(d)
}

extern "C" fn delegate_for_pointer(code: usize, ty: Obj) -> Obj {
    managed(|| interop::delegate_of(code, table(ty)?.type_id()))
}
