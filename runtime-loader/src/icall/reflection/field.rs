//! `RuntimeFieldInfo`, `FieldInfo`, `RuntimeFieldHandle`.

use super::{field_object, field_of, parameter, shown_context};
use crate::icall::runtime_type::{normal, object_of, type_array};
use crate::icall::{Result, Thrown, icalls, managed};
use crate::object::{FieldDesc, MethodTable, Obj};
use crate::runtime::{self, cast};
use shared_codegen::abi::layout::object;
use shared_codegen::ir::MemType;
use shared_codegen::metadata::sig;
use shared_codegen::types::{FieldId, TypeId, ValueClass};

icalls! {
    "System.Reflection.RuntimeFieldInfo" {
        "GetParentType" => parent_type(Obj, bool) -> Obj;
        "GetRawConstantValue" => raw_constant(Obj) -> Obj;
        "GetTypeModifiers" => type_modifiers(Obj, bool) -> Obj;
        "GetValueInternal" => get_value(Obj, Obj) -> Obj;
        "UnsafeGetValue" => get_value(Obj, Obj) -> Obj;
        "ResolveType" => resolve_type(Obj) -> Obj;
        "SetValueInternal" => set_value(Obj, Obj, Obj);
        "get_metadata_token" => metadata_token(Obj) -> i32;
        "GetFieldOffset" => field_offset(Obj) -> i32;
    }
    "System.Reflection.FieldInfo" {
        "internal_from_handle_type" => from_handle(usize, usize) -> Obj;
    }
    "System.RuntimeFieldHandle" {
        "SetValueInternal" => set_value(Obj, Obj, Obj);
        "GetValueDirect" => get_direct(Obj, Obj, *const usize, Obj) -> Obj;
        "SetValueDirect" => set_direct(Obj, Obj, *const usize, Obj, Obj);
    }
}

extern "C" fn from_handle(field: usize, ty: usize) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let desc = FieldDesc::from_handle(field).ok_or_else(|| Thrown::argument_null("handle"))?;
        let owner = normal(rt.types.field_owner(desc.field));
        let reflected = match MethodTable::from_handle(ty) {
            Some(mt) => rt.method_table(normal(mt.type_id()))?,
            None => rt.method_table(owner)?,
        };
        let def = rt.types.definition(owner);
        match rt.types.ancestor_of_definition(reflected.type_id(), def) {
            Some(_) => field_object(desc.field, reflected),
            None => Ok(Obj::NULL),
        }
    })
}

extern "C" fn parent_type(this: Obj, declaring: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        if declaring {
            return object_of(rt.types.field_owner(field_of(this)?.field));
        }
        match MethodTable::from_handle(rt.get_field(this, "klass")) {
            Some(mt) => rt.type_object(mt),
            None => Ok(Obj::NULL),
        }
    })
}

fn shown_type(field: FieldId) -> Result<TypeId> {
    let types = &runtime::get().types;
    let context = shown_context(types.field_owner(field), None);
    Ok(types.substitute(types.field_type(field)?, context))
}

extern "C" fn resolve_type(this: Obj) -> Obj {
    managed(|| object_of(shown_type(field_of(this)?.field)?))
}

extern "C" fn metadata_token(this: Obj) -> i32 {
    managed(|| {
        Ok(runtime::get()
            .types
            .field_kind(field_of(this)?.field)
            .row
            .token()
            .0 as i32)
    })
}

extern "C" fn field_offset(this: Obj) -> i32 {
    managed(|| {
        let types = &runtime::get().types;
        let field = field_of(this)?.field;
        // The class libraries ask about every field of a type with explicit layout.
        if types.field_is_static(field) {
            return Ok(0);
        }
        let header = if types.is_value_type(types.field_owner(field)) {
            0
        } else {
            object::HEADER
        };
        Ok(types.field_offset(field)?.saturating_sub(header) as i32)
    })
}

extern "C" fn type_modifiers(this: Obj, optional: bool) -> Obj {
    managed(|| {
        let types = &runtime::get().types;
        let kind = types.field_kind(field_of(this)?.field);
        let row = types.module(kind.module).field(kind.row);
        match row.and_then(|r| sig::parse_field(r.signature)) {
            Ok(sig) => parameter::modifiers(kind.module, &sig, optional),
            Err(_) => type_array(&[], false),
        }
    })
}

fn constant(field: FieldId, as_enum: bool) -> Result<Obj> {
    let types = &runtime::get().types;
    let kind = types.field_kind(field);
    let found = types.module(kind.module).constant_of(kind.row.token());
    let Some(found) = found else {
        return Err(Thrown::system(
            "InvalidOperationException",
            "Operation is not valid due to the current state of the object.",
        ));
    };
    parameter::constant_value(&found, as_enum.then_some(types.field_type(field)?))
}

extern "C" fn raw_constant(this: Obj) -> Obj {
    managed(|| constant(field_of(this)?.field, false))
}

/// Address of a field in an object (static: in its block), its class initialized.
fn address(field: FieldId, target: Obj) -> Result<*mut u8> {
    let rt = runtime::get();
    let owner = rt.types.field_owner(field);
    if rt.types.field_is_static(field) {
        rt.class_init.ensure(rt.method_table(owner)?)?;
        return rt.static_address(field);
    }
    if target.is_null() {
        return Err(Thrown::of(
            "System.Reflection",
            "TargetException",
            "Non-static field requires a target",
        ));
    }
    let offset = rt.types.field_offset(field)? as usize;
    let header = if rt.types.is_value_type(owner) {
        object::HEADER as usize
    } else {
        0
    };
    Ok(target.at(0).wrapping_add(offset + header))
}

/// The value of a field of type `ty` at an address.
fn read(at: *mut u8, ty: TypeId) -> Result<Obj> {
    let rt = runtime::get();
    match rt.types.value_class(ty)? {
        // SAFETY: the address of a field that holds a reference.
        ValueClass::Scalar(MemType::Ref) => Ok(unsafe { at.cast::<Obj>().read() }),
        _ if matches!(rt.types.kind(ty), shared_codegen::types::TypeKind::Ptr(_)) => {
            let boxed = crate::object::new_object(rt.known(shared_codegen::types::Known::Pointer))?;
            // SAFETY: the address of a field that holds a pointer.
            rt.set_field(boxed, "_ptr", unsafe { at.cast::<usize>().read() });
            rt.set_field(boxed, "_ptrType", object_of(ty)?);
            Ok(boxed)
        }
        _ => cast::box_value(rt.method_table(ty)?, at),
    }
}

/// Stores an object or the value in a box (null: zero) to a field of type `ty`.
fn write(at: *mut u8, ty: TypeId, value: Obj) -> Result<()> {
    let rt = runtime::get();
    if rt.types.is_nullable(ty) {
        return cast::unbox_nullable(rt.method_table(ty)?, value, at);
    }
    match rt.types.value_class(ty)? {
        // SAFETY: the address of a field that holds a reference.
        ValueClass::Scalar(MemType::Ref) => unsafe { at.cast::<Obj>().write(value) },
        _ => {
            let size = rt.types.value_size(ty)? as usize;
            // SAFETY: the field has `size` bytes; a box of a smaller type gives only those it has.
            unsafe {
                core::ptr::write_bytes(at, 0, size);
                if !value.is_null() {
                    core::ptr::copy_nonoverlapping(
                        value.data(),
                        at,
                        size.min(cast::value_size(value.method_table())),
                    );
                }
            }
        }
    }
    Ok(())
}

extern "C" fn get_value(this: Obj, target: Obj) -> Obj {
    managed(|| {
        let types = &runtime::get().types;
        let field = field_of(this)?.field;
        if types.field_is_literal(field) {
            return constant(field, true);
        }
        read(address(field, target)?, types.field_type(field)?)
    })
}

/// Stores a value to a field of an object.
pub(super) fn store(field: FieldId, target: Obj, value: Obj) -> Result<()> {
    write(
        address(field, target)?,
        runtime::get().types.field_type(field)?,
        value,
    )
}

extern "C" fn set_value(this: Obj, target: Obj, value: Obj) {
    managed(|| store(field_of(this)?.field, target, value))
}

/// Address of a field of the value a `TypedReference` (type, address, class) refers to.
fn direct_address(field: FieldId, reference: *const usize) -> Result<*mut u8> {
    // SAFETY: the address of the caller's `TypedReference`; its second word is the address of the value.
    let at = unsafe { *reference.add(1) } as *mut u8;
    let types = &runtime::get().types;
    let offset = types.field_offset(field)? as usize;
    if types.is_value_type(types.field_owner(field)) {
        return Ok(at.wrapping_add(offset));
    }
    // SAFETY: a typed reference to a variable of reference type.
    let object = unsafe { at.cast::<Obj>().read() };
    address(field, object)
}

extern "C" fn get_direct(this: Obj, _ty: Obj, reference: *const usize, _context: Obj) -> Obj {
    managed(|| {
        let field = field_of(this)?.field;
        read(
            direct_address(field, reference)?,
            runtime::get().types.field_type(field)?,
        )
    })
}

extern "C" fn set_direct(this: Obj, _ty: Obj, reference: *const usize, value: Obj, _context: Obj) {
    managed(|| {
        let field = field_of(this)?.field;
        write(
            direct_address(field, reference)?,
            runtime::get().types.field_type(field)?,
            value,
        )
    })
}
