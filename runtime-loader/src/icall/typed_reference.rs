//! `System.TypedReference`: (type handle, address, class) of a variable (class-library contract).

use super::{Result, Thrown, icalls, managed};
use crate::object::{MethodTable, Obj, array};
use crate::runtime::{self, cast};
use shared_codegen::ir::MemType;
use shared_codegen::types::ValueClass;

icalls! {
    "System.TypedReference" {
        "InternalToObject" => to_object(*const [usize; 3]) -> Obj;
        "InternalMakeTypedReference" => make(*mut [usize; 3], Obj, Obj, Obj);
    }
}

extern "C" fn to_object(reference: *const [usize; 3]) -> Obj {
    managed(|| {
        // SAFETY: the address of the caller's typed reference.
        let [handle, at, _] = unsafe { *reference };
        let Some(mt) = MethodTable::from_handle(handle) else {
            return Ok(Obj::NULL);
        };
        match runtime::get().types.value_class(mt.type_id())? {
            // SAFETY: the typed reference is of a variable that holds a reference.
            ValueClass::Scalar(MemType::Ref) => Ok(unsafe { (at as *const Obj).read() }),
            _ => cast::box_value(mt, at as *mut u8),
        }
    })
}

/// The field at the end of a path of fields that starts at an object; all but the first are fields of values.
extern "C" fn make(result: *mut [usize; 3], target: Obj, fields: Obj, last: Obj) {
    managed(|| {
        let target = target.non_null().ok_or_else(Thrown::null_reference)?;
        let rt = runtime::get();
        let mt = rt
            .type_of_object(last)
            .ok_or_else(|| Thrown::argument_null("lastFieldType"))?;
        let at = address(target, fields)?;
        // SAFETY: the address of the caller's typed reference.
        unsafe { result.write([mt.handle(), at, mt.handle()]) };
        Ok(())
    });
}

fn address(target: Obj, fields: Obj) -> Result<usize> {
    let rt = runtime::get();
    let mut at = target.addr();
    for n in 0..array::len(fields) {
        let field = crate::object::FieldDesc::from_handle(array::get(fields, n))
            .ok_or_else(|| Thrown::argument_null("flds"))?
            .field;
        let header = if n == 0 && rt.types.is_value_type(rt.types.field_owner(field)) {
            shared_codegen::abi::layout::object::HEADER as usize
        } else {
            0
        };
        at += header + rt.types.field_offset(field)? as usize;
    }
    Ok(at)
}
