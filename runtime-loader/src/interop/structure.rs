//! Values in native memory: copying structs, objects and array elements between both forms. What goes where is said by
//! [`NativeLayout`].

#![allow(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "helpers get addresses from compiled code, which vouches for them"
)]

use super::{callback, text};
use crate::icall::{Result, Thrown, managed};
use crate::object::{MethodTable, Obj, array, new_object, string};
use crate::runtime::{self, cast};
use shared_codegen::abi::layout::object::HEADER;

use shared_codegen::types::{BoolForm, NativeKind, NativeLayout, Prim, TextForm, TypeId};

type Table = &'static MethodTable;

/// The native form of a class or value type, for `Marshal`'s functions: anything unfit is an ArgumentException.
pub fn of_type(ty: TypeId) -> Result<&'static NativeLayout> {
    let types = &runtime::get().types;
    let unfit = || {
        let name = types.full_name(ty);
        Thrown::argument(
            format!(
                "Type '{name}' cannot be marshaled as an unmanaged structure; no meaningful size or offset can be computed."
            ),
            "t",
        )
    };
    if !types.type_args(ty).is_empty() || types.is_generic_definition(ty) {
        return Err(unfit());
    }
    types.native_layout(ty).map_err(|_| unfit())
}

/// Native size of a type, primitives included.
pub fn size_of(ty: TypeId) -> Result<u32> {
    let types = &runtime::get().types;
    match types.prim(ty) {
        Some(Prim::Bool) => Ok(BoolForm::Word.size()),
        Some(Prim::Char) => Ok(1),
        Some(p) => Ok(p.size()),
        None if types.is_pointer_like(ty) => Ok(8),
        None => Ok(of_type(ty)?.size),
    }
}

/// Writes the native form. `value`: address of the value, or of the object for classes.
///
/// # Safety
/// `value` must be a live value of the type, `to` have room for the native form.
pub unsafe fn to_native(s: &NativeLayout, value: *const u8, to: *mut u8) -> Result<()> {
    for f in &s.fields {
        let from = value.wrapping_add(f.managed as usize);
        let at = to.wrapping_add(f.native as usize);
        // SAFETY: both are places of this field (the caller's promise).
        unsafe { write(&f.kind, from, at)? };
    }
    Ok(())
}

/// Writes one field or element.
///
/// # Safety
/// `from` must be a live value of this kind, `at` have room for its native form.
unsafe fn write(kind: &NativeKind, from: *const u8, at: *mut u8) -> Result<()> {
    // SAFETY: the caller passes places of a value of this kind.
    unsafe {
        let object = || from.cast::<Obj>().read_unaligned();
        match kind {
            NativeKind::Scalar(m) => core::ptr::copy(from, at, m.bytes() as usize),
            NativeKind::Bool(form) => {
                let truth = *from != 0;
                match form {
                    BoolForm::Byte => at.write(truth.into()),
                    BoolForm::Variant => at.cast::<i16>().write_unaligned(-i16::from(truth)),
                    BoolForm::Word => at.cast::<u32>().write_unaligned(truth.into()),
                }
            }
            NativeKind::NarrowChar => {
                let c = from.cast::<u16>().read_unaligned();
                at.write(u8::try_from(c).unwrap_or(b'?'));
            }
            NativeKind::Text(form) => {
                let p = match object().non_null() {
                    Some(s) => text::to_native(string::units(s), *form)?,
                    None => core::ptr::null_mut(),
                };
                at.cast::<*mut u8>().write_unaligned(p);
            }
            NativeKind::FixedText { units, wide } => {
                let units_of = object().non_null().map(string::units).unwrap_or_default();
                write_fixed_text(units_of, at, *units as usize, *wide);
            }
            NativeKind::FixedArray { count, kind, .. } => {
                write_fixed_array(object(), at, *count as usize, kind)?;
            }
            NativeKind::Function(_) => {
                let p = match object().non_null() {
                    Some(d) => callback::thunk_for(d)?,
                    None => 0,
                };
                at.cast::<usize>().write_unaligned(p);
            }
            NativeKind::Handle(_) => {
                let o = object().non_null().ok_or_else(Thrown::null_reference)?;
                let handle = runtime::get().get_field::<usize>(o, HANDLE_FIELD);
                at.cast::<usize>().write_unaligned(handle);
            }
            NativeKind::Struct(ty) => to_native(layout(*ty)?, from, at)?,
            NativeKind::Class(ty) => {
                let form = layout(*ty)?;
                at.write_bytes(0, form.size as usize);
                if let Some(o) = object().non_null() {
                    to_native(form, o.at(0), at)?;
                }
            }
        }
    }
    Ok(())
}

/// The field of `SafeHandle`.
const HANDLE_FIELD: &str = "handle";

fn layout(ty: TypeId) -> Result<&'static NativeLayout> {
    Ok(runtime::get().types.native_layout(ty)?)
}

/// Text that ends with a NUL inside the room for it.
///
/// # Safety
/// `at` must have room for `count` characters.
unsafe fn write_fixed_text(units: &[u16], at: *mut u8, count: usize, wide: bool) {
    let limit = count.saturating_sub(1);
    // SAFETY: at most `count - 1` characters are written behind the zeros of all.
    unsafe {
        if wide {
            at.write_bytes(0, 2 * count);
            let len = units.len().min(limit);
            at.copy_from_nonoverlapping(units.as_ptr().cast(), 2 * len);
        } else {
            at.write_bytes(0, count);
            let text = String::from_utf16_lossy(units);
            let len = text.len().min(limit);
            at.copy_from_nonoverlapping(text.as_ptr(), len);
        }
    }
}

/// # Safety
/// `at` must have room for `count` elements.
unsafe fn write_fixed_array(a: Obj, at: *mut u8, count: usize, kind: &NativeKind) -> Result<()> {
    let (size, _) = runtime::get().types.native_size(kind)?;
    // SAFETY: the caller's promise.
    unsafe { at.write_bytes(0, count * size as usize) };
    let Some(a) = a.non_null() else {
        return Ok(());
    };
    if array::len(a) < count {
        return Err(Thrown::argument(
            "Type could not be marshaled because the length of an embedded array instance does not match the declared length in the layout.",
            "structure",
        ));
    }
    // SAFETY: as above.
    unsafe { write_elements(a, at, count, kind, size as usize) }
}

/// # Safety
/// `at` must have room for `count` elements of `size` bytes; the array must have that many.
unsafe fn write_elements(
    a: Obj,
    at: *mut u8,
    count: usize,
    kind: &NativeKind,
    size: usize,
) -> Result<()> {
    let step = a.method_table().component_size as usize;
    for n in 0..count {
        // SAFETY: the caller's promise.
        unsafe { write(kind, array::data(a).add(n * step), at.add(n * size))? };
    }
    Ok(())
}

/// Reads the native form into a value.
///
/// # Safety
/// As for [`to_native`], with the directions exchanged.
pub unsafe fn from_native(s: &NativeLayout, from: *const u8, value: *mut u8) -> Result<()> {
    for f in &s.fields {
        let at = from.wrapping_add(f.native as usize);
        let to = value.wrapping_add(f.managed as usize);
        // SAFETY: both are places of this field (the caller's promise).
        unsafe { read(&f.kind, at, to)? };
    }
    Ok(())
}

/// Reads one field or element.
///
/// # Safety
/// `at` must hold the native form of a value of this kind, `to` be a place for the managed one.
unsafe fn read(kind: &NativeKind, at: *const u8, to: *mut u8) -> Result<()> {
    let rt = runtime::get();
    // SAFETY: the caller passes places of a value of this kind.
    unsafe {
        let set = |o: Obj| to.cast::<Obj>().write_unaligned(o);
        let word = || at.cast::<usize>().read_unaligned();
        match kind {
            NativeKind::Scalar(m) => core::ptr::copy(at, to, m.bytes() as usize),
            NativeKind::Bool(form) => {
                let bytes = core::slice::from_raw_parts(at, form.size() as usize);
                to.write(bytes.iter().any(|b| *b != 0).into());
            }
            NativeKind::NarrowChar => to.cast::<u16>().write_unaligned((*at).into()),
            NativeKind::Text(form) => set(text::from_native(word() as *const u8, *form)?),
            NativeKind::FixedText { units, wide } => {
                set(read_fixed_text(at, *units as usize, *wide)?);
            }
            NativeKind::FixedArray {
                element,
                count,
                kind,
            } => {
                let mt = rt.method_table(rt.types.sz_array(*element))?;
                set(read_elements(mt, at, *count as usize, kind)?);
            }
            NativeKind::Function(ty) => set(callback::delegate_of(word(), *ty)?),
            NativeKind::Handle(_) => {
                // A handle object cannot be made of a number that somebody else owns; the same number stays.
                let known = to.cast::<Obj>().read_unaligned().non_null();
                if known.map(|o| rt.get_field::<usize>(o, HANDLE_FIELD)) != Some(word()) {
                    return Err(Thrown::not_supported(
                        "SafeHandle fields cannot be created from an unmanaged handle.",
                    ));
                }
            }
            NativeKind::Struct(ty) => from_native(layout(*ty)?, at, to)?,
            NativeKind::Class(ty) => {
                let o = new_object(rt.method_table(*ty)?)?;
                set(o);
                from_native(layout(*ty)?, at, o.at(0))?;
            }
        }
    }
    Ok(())
}

/// # Safety
/// `at` must hold `count` characters.
unsafe fn read_fixed_text(at: *const u8, count: usize, wide: bool) -> Result<Obj> {
    if wide {
        let mut units = vec![0u16; count];
        // SAFETY: the caller's promise.
        unsafe { core::ptr::copy(at, units.as_mut_ptr().cast(), 2 * count) };
        let text = units.split(|u| *u == 0).next().unwrap_or_default();
        return string::from_units(text);
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { core::slice::from_raw_parts(at, count) };
    let text = bytes.split(|b| *b == 0).next().unwrap_or_default();
    string::from_rust(&String::from_utf8_lossy(text))
}

/// A new vector of native elements.
///
/// # Safety
/// `at` must hold `count` elements.
unsafe fn read_elements(mt: Table, at: *const u8, count: usize, kind: &NativeKind) -> Result<Obj> {
    let a = array::allocate(mt, count)?;
    // SAFETY: the array has that many elements, and so has `at`.
    unsafe { read_into(a, at, kind)? };
    Ok(a)
}

/// # Safety
/// `at` must hold as many elements as the array has.
unsafe fn read_into(a: Obj, at: *const u8, kind: &NativeKind) -> Result<()> {
    let size = runtime::get().types.native_size(kind)?.0 as usize;
    let step = a.method_table().component_size as usize;
    for n in 0..array::len(a) {
        // SAFETY: the caller's promise.
        unsafe { read(kind, at.add(n * size), array::data(a).add(n * step))? };
    }
    Ok(())
}

/// Frees what [`to_native`] made.
///
/// # Safety
/// `at` must hold the native form.
pub unsafe fn destroy(s: &NativeLayout, at: *mut u8) -> Result<()> {
    for f in &s.fields {
        // SAFETY: the caller's promise.
        unsafe { destroy_one(&f.kind, at.wrapping_add(f.native as usize))? };
    }
    Ok(())
}

/// # Safety
/// `at` must hold the native form of a value of this kind.
unsafe fn destroy_one(kind: &NativeKind, at: *mut u8) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe {
        match kind {
            NativeKind::Text(form) => {
                text::free(at.cast::<*mut u8>().read_unaligned(), *form);
                at.cast::<usize>().write_unaligned(0);
            }
            NativeKind::Struct(ty) | NativeKind::Class(ty) => destroy(layout(*ty)?, at)?,
            NativeKind::FixedArray { count, kind, .. } => {
                let (size, _) = runtime::get().types.native_size(kind)?;
                for n in 0..*count {
                    destroy_one(kind, at.add((n * size) as usize))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What field offsets of an object count from: its address, or that of the boxed value.
pub fn fields_base(o: Obj) -> *mut u8 {
    let types = &runtime::get().types;
    match types.is_value_type(o.method_table().type_id()) {
        true => o.at(HEADER),
        false => o.at(0),
    }
}

/// Native offset of a field by name.
pub fn offset_of(s: &NativeLayout, name: &str) -> Option<u32> {
    let types = &runtime::get().types;
    let named = s.fields.iter().find(|f| types.field_name(f.field) == name);
    Some(named?.native)
}

/// Managed bytes of a value type's value.
pub fn managed_size(mt: Table) -> usize {
    cast::value_size(mt)
}

// ---- helpers of compiled code

/// Helper `struct_to_native`.
pub extern "C" fn struct_to_native(mt: Table, value: *const u8, to: *mut u8) {
    if value.is_null() || to.is_null() {
        return;
    }
    // SAFETY: compiled code passes a value of the type and room for its native form.
    managed(|| unsafe { to_native(layout(mt.type_id())?, value, to) });
}

/// Helper `struct_from_native`.
pub extern "C" fn struct_from_native(mt: Table, from: *const u8, value: *mut u8) {
    if value.is_null() || from.is_null() {
        return;
    }
    // SAFETY: compiled code passes a value of the type; native code left its native form.
    managed(|| unsafe { from_native(layout(mt.type_id())?, from, value) });
}

/// Helper `struct_destroy`.
pub extern "C" fn struct_destroy(mt: Table, at: *mut u8) {
    if !at.is_null() {
        // SAFETY: compiled code passes a native form.
        managed(|| unsafe { destroy(layout(mt.type_id())?, at) });
    }
}

/// Helper `object_to_native`.
pub extern "C" fn object_to_native(mt: Table, o: Obj) -> *mut u8 {
    managed(|| {
        let Some(o) = o.non_null() else {
            return Ok(core::ptr::null_mut());
        };
        let form = layout(mt.type_id())?;
        let p = text::allocate(form.size as usize)?;
        // SAFETY: the block has room for the native form.
        unsafe { to_native(form, o.at(0), p)? };
        Ok(p)
    })
}

/// Helper `object_from_native`.
pub extern "C" fn object_from_native(mt: Table, at: *const u8) -> Obj {
    managed(|| {
        if at.is_null() {
            return Ok(Obj::NULL);
        }
        let o = new_object(mt)?;
        // SAFETY: native code gave the native form.
        unsafe { from_native(layout(mt.type_id())?, at, o.at(0))? };
        Ok(o)
    })
}

fn element_kind(mt: Table, code: u32) -> Result<NativeKind> {
    let types = &runtime::get().types;
    let element = mt.element().ok_or_else(Thrown::null_reference)?;
    Ok(types.native_kind_of_code(code, element.type_id())?)
}

/// Helper `array_to_native`.
pub extern "C" fn array_to_native(a: Obj, code: u32, convert: i32) -> *mut u8 {
    managed(|| {
        let Some(a) = a.non_null() else {
            return Ok(core::ptr::null_mut());
        };
        let kind = element_kind(a.method_table(), code)?;
        let size = runtime::get().types.native_size(&kind)?.0 as usize;
        let p = text::allocate((array::len(a) + 1) * size)?;
        if convert != 0 {
            // SAFETY: the block has room for all elements, and one of zeros behind them.
            unsafe { write_elements(a, p, array::len(a), &kind, size)? };
        }
        Ok(p)
    })
}

/// Helper `array_from_native`.
pub extern "C" fn array_from_native(a: Obj, at: *mut u8, code: u32, convert: i32) {
    if a.is_null() || at.is_null() {
        return;
    }
    managed(|| {
        let kind = element_kind(a.method_table(), code)?;
        let size = runtime::get().types.native_size(&kind)?.0 as usize;
        // SAFETY: `at` was made by `array_to_native` for this array.
        unsafe {
            if convert != 0 {
                read_into(a, at, &kind)?;
            }
            for n in 0..array::len(a) {
                destroy_one(&kind, at.add(n * size))?;
            }
            text::free(at, TextForm::Utf8);
        }
        Ok(())
    });
}

/// Helper `array_new_from_native`.
pub extern "C" fn array_new(mt: Table, at: *const u8, code: u32, count: i64) -> Obj {
    managed(|| {
        if at.is_null() {
            return Ok(Obj::NULL);
        }
        let count =
            usize::try_from(count).map_err(|_| Thrown::bare("System", "OverflowException"))?;
        let kind = element_kind(mt, code)?;
        // SAFETY: native code gave as many elements as the declaration says.
        unsafe { read_elements(mt, at, count, &kind) }
    })
}

/// Helper `array_into_native`.
pub extern "C" fn array_into_native(a: Obj, at: *mut u8, code: u32) {
    if a.is_null() || at.is_null() {
        return;
    }
    managed(|| {
        let kind = element_kind(a.method_table(), code)?;
        let size = runtime::get().types.native_size(&kind)?.0 as usize;
        // SAFETY: the array was made from the elements there.
        unsafe { write_elements(a, at, array::len(a), &kind, size) }
    });
}
