//! `System.ValueType` and `System.Enum`.

use super::array::{Number, read_prim, write_prim};
use super::{Result, Thrown, icalls, managed};
use crate::object::{MethodTable, Obj, array, new_object, string};
use crate::runtime::{self, cast};
use shared_codegen::types::{FieldId, Known, Prim, TypeId};

icalls! {
    "System.ValueType" {
        "InternalEquals" => equals(Obj, Obj, *mut Obj) -> bool;
        "InternalGetHashCode" => hash_code(Obj, *mut Obj) -> i32;
    }
    "System.Enum" {
        "GetEnumValuesAndNames" => values_and_names(Obj, *mut Obj, *mut Obj) -> bool;
        "InternalBoxEnum" => box_enum(Obj, i64) -> Obj;
        "InternalCompareTo" => compare(Obj, Obj) -> i32;
        "InternalGetUnderlyingType" => underlying(Obj) -> Obj;
        "InternalHasFlag" => has_flag(Obj, Obj) -> bool;
        "get_hashcode" => enum_hash(Obj) -> i32;
        "get_value" => enum_value(Obj) -> Obj;
    }
}

fn instance_fields(ty: TypeId) -> Result<Vec<FieldId>> {
    let types = &runtime::get().types;
    let mut fields = types.fields(ty)?;
    fields.retain(|&f| !types.field_is_static(f));
    Ok(fields)
}

/// An `object[]` of the values of these fields in each of the objects, field by field.
fn values(fields: &[FieldId], objects: &[Obj]) -> Result<Obj> {
    let rt = runtime::get();
    let class = rt.types.sz_array(rt.types.known(Known::Object));
    let len = fields.len() * objects.len();
    let list = array::allocate(rt.method_table(class)?, len)?;
    let pairs = fields
        .iter()
        .flat_map(|f| objects.iter().map(move |o| (*f, *o)));
    for (n, (f, o)) in pairs.enumerate() {
        array::set(list, n, field_object(o, f)?);
    }
    Ok(list)
}

/// A field's value as an object.
fn field_object(o: Obj, field: FieldId) -> Result<Obj> {
    let rt = runtime::get();
    let offset = rt.types.field_offset(field)?;
    let mt = rt.method_table(rt.types.field_type(field)?)?;
    let data = o.data().wrapping_add(offset as usize);
    if mt.has(shared_codegen::abi::layout::method_table::FLAG_VALUE_TYPE) {
        return cast::box_value(mt, data);
    }
    // SAFETY: a field of reference type in a live box.
    Ok(unsafe { data.cast::<Obj>().read() })
}

fn bytes(o: Obj, size: usize) -> &'static [u8] {
    // SAFETY: a boxed value has this many bytes; the caller keeps it on its stack.
    unsafe { core::slice::from_raw_parts(o.data(), size) }
}

extern "C" fn equals(a: Obj, b: Obj, rest: *mut Obj) -> bool {
    managed(|| {
        let rt = runtime::get();
        if a.is_null() || b.is_null() {
            return Ok(false);
        }
        let mt = a.method_table();
        if !core::ptr::eq(mt, b.method_table()) {
            return Ok(false);
        }
        let mut others = Vec::new();
        for f in instance_fields(mt.type_id())? {
            let ty = rt.types.field_type(f)?;
            match rt.types.prim(rt.types.underlying(ty)) {
                Some(p) if !matches!(p, Prim::R4 | Prim::R8) => {
                    let (at, size) = (rt.types.field_offset(f)? as usize, p.size() as usize);
                    if bytes(a, at + size)[at..] != bytes(b, at + size)[at..] {
                        return Ok(false);
                    }
                }
                _ => others.push(f),
            }
        }
        if !others.is_empty() {
            // SAFETY: managed code passes the address of a reference.
            unsafe { rest.write(values(&others, &[a, b])?) };
        }
        Ok(others.is_empty())
    })
}

extern "C" fn hash_code(o: Obj, rest: *mut Obj) -> i32 {
    managed(|| {
        let rt = runtime::get();
        let mt = o.method_table();
        let mut hash = mt.type_id().0 as i32;
        let mut others = Vec::new();
        for f in instance_fields(mt.type_id())? {
            let ty = rt.types.field_type(f)?;
            match rt.types.prim(rt.types.underlying(ty)) {
                Some(p) if !matches!(p, Prim::R4 | Prim::R8) => {
                    let at = o.data().wrapping_add(rt.types.field_offset(f)? as usize);
                    // SAFETY: a field of this primitive type.
                    if let Number::Int(n) = unsafe { read_prim(at, p) } {
                        hash = hash.rotate_left(5) ^ (n as i64 ^ (n as i64 >> 32)) as i32;
                    }
                }
                _ => others.push(f),
            }
        }
        if !others.is_empty() {
            // SAFETY: managed code passes the address of a reference.
            unsafe { rest.write(values(&others, &[o])?) };
        }
        Ok(hash)
    })
}

fn enum_type(ty: Obj) -> Result<&'static MethodTable> {
    runtime::get()
        .type_of_object(ty)
        .ok_or_else(|| Thrown::argument_null("enumType"))
}

fn prim_of(mt: &MethodTable) -> Result<Prim> {
    mt.desc
        .underlying()
        .prim
        .ok_or_else(|| Thrown::argument("Type provided must be an Enum.", "enumType"))
}

/// The constants of an enum: values sign-extended, names.
fn constants(mt: &MethodTable) -> Result<Vec<(u64, &'static str)>> {
    let types = &runtime::get().types;
    let mut all = Vec::new();
    for f in types.fields(mt.type_id())? {
        if !types.field_is_literal(f) {
            continue;
        }
        let kind = types.field_kind(f);
        let Some(constant) = types.module(kind.module).constant_of(kind.row.into()) else {
            continue;
        };
        let blob = constant.value;
        let mut word = [0u8; 8];
        let n = blob.len().min(8);
        word[..n].copy_from_slice(&blob[..n]);
        let prim = prim_of(mt)?;
        // SAFETY: eight readable bytes.
        if let Number::Int(value) = unsafe { read_prim(word.as_ptr(), prim) } {
            all.push((value as i64 as u64, types.field_name(f)));
        }
    }
    Ok(all)
}

extern "C" fn values_and_names(ty: Obj, values: *mut Obj, names: *mut Obj) -> bool {
    managed(|| {
        let rt = runtime::get();
        let all = constants(enum_type(ty)?)?;
        let class = |k| rt.method_table(rt.types.sz_array(rt.types.known(k)));
        let numbers = array::allocate(class(Known::UInt64)?, all.len())?;
        let texts = array::allocate(class(Known::String)?, all.len())?;
        for (i, (value, name)) in all.iter().enumerate() {
            array::set(numbers, i, *value);
            array::set(texts, i, string::from_rust(name)?);
        }
        // SAFETY: managed code passes addresses of references.
        unsafe {
            values.write(numbers);
            names.write(texts);
        }
        Ok(all.is_sorted_by_key(|c| c.0))
    })
}

extern "C" fn box_enum(ty: Obj, value: i64) -> Obj {
    managed(|| {
        let mt = enum_type(ty)?;
        let prim = prim_of(mt)?;
        let object = new_object(mt)?;
        // SAFETY: the box holds a value of this size.
        unsafe { write_prim(object.data(), prim, Number::Int(value.into())) };
        Ok(object)
    })
}

fn number(o: Obj) -> Result<Number> {
    let prim = prim_of(o.method_table())?;
    // SAFETY: a boxed enum holds its underlying type.
    Ok(unsafe { read_prim(o.data(), prim) })
}

fn integer(o: Obj) -> Result<i128> {
    match number(o)? {
        Number::Int(i) => Ok(i),
        Number::Float(f) => Ok(f as i128),
    }
}

extern "C" fn compare(a: Obj, b: Obj) -> i32 {
    managed(|| {
        if b.is_null() {
            return Ok(1);
        }
        if !core::ptr::eq(a.method_table(), b.method_table()) {
            return Ok(2);
        }
        Ok(integer(a)?.cmp(&integer(b)?) as i32)
    })
}

extern "C" fn underlying(ty: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let under = enum_type(ty)?.desc.underlying().ty;
        rt.type_object(rt.method_table(under)?)
    })
}

extern "C" fn has_flag(a: Obj, flags: Obj) -> bool {
    managed(|| {
        let (a, flags) = (integer(a)?, integer(flags)?);
        Ok(a & flags == flags)
    })
}

extern "C" fn enum_hash(o: Obj) -> i32 {
    managed(|| {
        let n = integer(o)? as i64;
        let wide = prim_of(o.method_table())?.size() == 8;
        Ok(if wide {
            (n ^ (n >> 32)) as i32
        } else {
            n as i32
        })
    })
}

extern "C" fn enum_value(o: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let under = o.method_table().desc.underlying().ty;
        cast::box_value(rt.method_table(under)?, o.data())
    })
}
