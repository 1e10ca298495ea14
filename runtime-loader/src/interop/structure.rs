//! Structures in native memory: native layout of a type and copying between both forms.

use super::{native_string, text_of};
use crate::icall::{Result, Thrown};
use crate::object::{MethodTable, Obj, array, string};
use crate::runtime::{self, cast};
use shared_codegen::abi::layout::object::HEADER;
use shared_codegen::ir::MemType;
use shared_codegen::metadata::marshal::{MarshalSpec, NativeType, parse};
use shared_codegen::types::{Error, FieldId, Known, Prim, TypeId, TypeKind, ValueClass};

/// What a field is in native memory.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// The same bytes on both sides.
    Copy(u32),
    /// A 32-bit or 8-bit truth value.
    Bool(u32),
    /// One byte of text.
    NarrowChar,
    /// A pointer to UTF-8 text.
    Text,
    /// A pointer to UTF-16 text.
    WideText,
    /// This many bytes of text, terminator included.
    FixedText(u32),
    /// This many UTF-16 units, terminator included.
    FixedWideText(u32),
    /// Elements in place.
    FixedArray {
        /// Their number.
        count: u32,
        /// Bytes of each.
        size: u32,
    },
    /// A function pointer.
    Function(TypeId),
    /// A structure in place.
    Nested(TypeId),
}

/// A field on both sides.
#[derive(Clone, Debug)]
struct Field {
    field: FieldId,
    managed: u32,
    native: u32,
    kind: Kind,
}

/// The native form of a type.
#[derive(Clone, Debug)]
pub struct Structure {
    /// Bytes.
    pub size: u32,
    align: u32,
    fields: Vec<Field>,
}

/// Deepest nesting of structures.
const MAX_DEPTH: u32 = 64;
/// Bits of `TypeAttributes`.
const LAYOUT_MASK: u32 = 0x18;
const AUTO_LAYOUT: u32 = 0;
const EXPLICIT_LAYOUT: u32 = 0x10;
const STRING_MASK: u32 = 0x30000;
const UNICODE: u32 = 0x10000;

fn unfit(ty: TypeId) -> Thrown {
    let name = runtime::get().types.full_name(ty);
    Thrown::argument(
        format!("Type {name} cannot be marshaled as an unmanaged structure."),
        "t",
    )
}

/// The native form of a class or value type.
pub fn of_type(ty: TypeId) -> Result<Structure> {
    build(ty, 0)
}

fn build(ty: TypeId, depth: u32) -> Result<Structure> {
    let types = &runtime::get().types;
    if let Some(p) = types.prim(types.underlying(ty)) {
        let size = if p == Prim::Bool { 4 } else { p.size() };
        return Ok(Structure {
            size,
            align: size,
            fields: Vec::new(),
        });
    }
    let flags = types.type_flags(ty);
    let Some((module, row)) = types.def_of(ty) else {
        return Err(unfit(ty));
    };
    let generic = !types.type_args(ty).is_empty();
    let auto = flags & LAYOUT_MASK == AUTO_LAYOUT;
    if depth > MAX_DEPTH || generic || auto || types.is_generic_definition(ty) {
        return Err(unfit(ty));
    }
    let layout = types.module(module).class_layout_of(row);
    let (pack, least) = layout.map_or((0, 0), |l| (u32::from(l.packing_size), l.class_size));
    let (mut end, mut align, mut fields) = (0u32, 1u32, Vec::new());
    for f in types.fields(ty)? {
        if types.field_is_static(f) {
            continue;
        }
        let (kind, size, mut natural) = kind_of(f, flags & STRING_MASK == UNICODE, depth)?;
        if pack != 0 {
            natural = natural.min(pack);
        }
        let at = match flags & LAYOUT_MASK {
            EXPLICIT_LAYOUT => {
                let row = types.field_kind(f).row;
                types.module(module).field_offset_of(row).unwrap_or(0)
            }
            _ => end.next_multiple_of(natural),
        };
        end = end.max(at.saturating_add(size));
        align = align.max(natural);
        fields.push(Field {
            field: f,
            managed: types.field_offset(f)?,
            native: at,
            kind,
        });
    }
    let size = end.max(least).max(1).next_multiple_of(align);
    Ok(Structure {
        size,
        align,
        fields,
    })
}

/// Kind, size and alignment of a field.
fn kind_of(f: FieldId, unicode: bool, depth: u32) -> Result<(Kind, u32, u32)> {
    let types = &runtime::get().types;
    let ty = types.field_type(f)?;
    let place = types.field_kind(f);
    let blob = types
        .module(place.module)
        .field_marshal_of(place.row.into());
    let spec = match blob {
        Some(b) => Some(parse(b).map_err(Error::from)?),
        None => None,
    };
    let simple = match &spec {
        Some(MarshalSpec::Simple(n)) => Some(*n),
        _ => None,
    };
    if let Some(p) = types.prim(types.underlying(ty)) {
        return Ok(match p {
            Prim::Bool => match simple {
                Some(NativeType::I1 | NativeType::U1) => (Kind::Bool(1), 1, 1),
                _ => (Kind::Bool(4), 4, 4),
            },
            Prim::Char if !unicode => (Kind::NarrowChar, 1, 1),
            p => (Kind::Copy(p.size()), p.size(), p.size()),
        });
    }
    if let ValueClass::Struct { .. } = types.value_class(ty)? {
        let inner = build(ty, depth + 1)?;
        return Ok((Kind::Nested(ty), inner.size, inner.align));
    }
    if types.is_pointer_like(ty) {
        return Ok((Kind::Copy(8), 8, 8));
    }
    if ty == types.known(Known::String) {
        return Ok(match spec {
            Some(MarshalSpec::FixedString(n)) if unicode => (Kind::FixedWideText(n), 2 * n, 2),
            Some(MarshalSpec::FixedString(n)) => (Kind::FixedText(n), n, 1),
            Some(MarshalSpec::Simple(NativeType::LPWSTR)) => (Kind::WideText, 8, 8),
            None if unicode => (Kind::WideText, 8, 8),
            _ => (Kind::Text, 8, 8),
        });
    }
    if types.is_delegate(ty) {
        return Ok((Kind::Function(ty), 8, 8));
    }
    if let (TypeKind::SzArray(e), Some(MarshalSpec::FixedArray { count, .. })) =
        (types.kind(ty), &spec)
        && let ValueClass::Scalar(m) = types.value_class(e)?
        && m != MemType::Ref
    {
        let (count, size) = (*count, m.bytes());
        return Ok((Kind::FixedArray { count, size }, count * size, size));
    }
    if let Some((_, row)) = types.def_of(ty)
        && !types.is_value_type(ty)
        && types.module(place.module).class_layout_of(row).is_some()
    {
        return Err(unfit(ty));
    }
    Err(unfit(ty))
}

/// Writes the native form. `value` is the address of the fields' base: of the object for classes, of
/// the value for value types.
///
/// # Safety
/// `value` must be a live value of the type, `to` have room for the native form.
pub unsafe fn to_native(s: &Structure, value: *const u8, to: *mut u8) -> Result<()> {
    for f in &s.fields {
        let from = value.wrapping_add(f.managed as usize);
        let at = to.wrapping_add(f.native as usize);
        // SAFETY: both are places of this field (the caller's promise).
        unsafe { field_to_native(&f.kind, from, at)? };
    }
    Ok(())
}

unsafe fn field_to_native(kind: &Kind, from: *const u8, at: *mut u8) -> Result<()> {
    // SAFETY: the caller passes places of a field of this kind.
    unsafe {
        let object = || from.cast::<Obj>().read_unaligned();
        match kind {
            Kind::Copy(n) => core::ptr::copy(from, at, *n as usize),
            Kind::Bool(1) => at.write(*from),
            Kind::Bool(_) => at.cast::<u32>().write_unaligned((*from).into()),
            Kind::NarrowChar => {
                let c = from.cast::<u16>().read_unaligned();
                at.write(u8::try_from(c).unwrap_or(b'?'));
            }
            Kind::Text => {
                let text = object().non_null().map(string::to_rust);
                let p = text.map_or(core::ptr::null_mut(), |t| native_string(&t));
                at.cast::<*mut u8>().write_unaligned(p);
            }
            Kind::WideText => {
                let p = object().non_null().map_or(core::ptr::null_mut(), wide_copy);
                at.cast::<*mut u16>().write_unaligned(p);
            }
            Kind::FixedText(n) => {
                at.write_bytes(0, *n as usize);
                if let Some(s) = object().non_null() {
                    let text = string::to_rust(s);
                    let len = text.len().min((*n as usize).saturating_sub(1));
                    at.copy_from_nonoverlapping(text.as_ptr(), len);
                }
            }
            Kind::FixedWideText(n) => {
                at.write_bytes(0, 2 * *n as usize);
                if let Some(s) = object().non_null() {
                    let units = string::units(s);
                    let len = units.len().min((*n as usize).saturating_sub(1));
                    at.copy_from_nonoverlapping(units.as_ptr().cast(), 2 * len);
                }
            }
            Kind::FixedArray { count, size } => {
                at.write_bytes(0, (count * size) as usize);
                if let Some(a) = object().non_null() {
                    let len = array::len(a).min(*count as usize) * *size as usize;
                    at.copy_from_nonoverlapping(array::data(a), len);
                }
            }
            Kind::Function(_) => {
                let p = match object().non_null() {
                    Some(d) => super::callback::thunk_for(d)?,
                    None => 0,
                };
                at.cast::<usize>().write_unaligned(p);
            }
            Kind::Nested(ty) => to_native(&of_type(*ty)?, from, at)?,
        }
    }
    Ok(())
}

/// A NUL-terminated UTF-16 copy in memory of the C allocator.
pub fn wide_copy(s: Obj) -> *mut u16 {
    wide_copy_of(string::units(s))
}

/// The same of any units.
pub fn wide_copy_of(units: &[u16]) -> *mut u16 {
    // SAFETY: room for the units and a NUL, checked for null.
    unsafe {
        let p = libc::malloc(2 * units.len() + 2).cast::<u16>();
        if !p.is_null() {
            p.copy_from_nonoverlapping(units.as_ptr(), units.len());
            p.add(units.len()).write(0);
        }
        p
    }
}

/// The units up to a NUL.
///
/// # Safety
/// `p` must be NUL-terminated.
pub unsafe fn wide_units<'a>(p: *const u16) -> &'a [u16] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut n = 0;
        while *p.add(n) != 0 {
            n += 1;
        }
        core::slice::from_raw_parts(p, n)
    }
}

/// Reads the native form into a value.
///
/// # Safety
/// As for [`to_native`], with the directions exchanged.
pub unsafe fn from_native(s: &Structure, from: *const u8, value: *mut u8) -> Result<()> {
    for f in &s.fields {
        let at = from.wrapping_add(f.native as usize);
        let to = value.wrapping_add(f.managed as usize);
        // SAFETY: both are places of this field (the caller's promise).
        unsafe { field_from_native(f, at, to)? };
    }
    Ok(())
}

unsafe fn field_from_native(f: &Field, at: *const u8, to: *mut u8) -> Result<()> {
    // SAFETY: the caller passes places of this field.
    unsafe {
        let set = |o: Obj| to.cast::<Obj>().write_unaligned(o);
        match &f.kind {
            Kind::Copy(n) => core::ptr::copy(at, to, *n as usize),
            Kind::Bool(1) => to.write(u8::from(*at != 0)),
            Kind::Bool(_) => to.write(u8::from(at.cast::<u32>().read_unaligned() != 0)),
            Kind::NarrowChar => to.cast::<u16>().write_unaligned((*at).into()),
            Kind::Text => set(text_of(
                at.cast::<*const core::ffi::c_char>().read_unaligned(),
            )?),
            Kind::WideText => {
                let p = at.cast::<*const u16>().read_unaligned();
                set(match p.is_null() {
                    true => Obj::NULL,
                    false => string::from_units(wide_units(p))?,
                });
            }
            Kind::FixedText(n) => {
                let bytes = core::slice::from_raw_parts(at, *n as usize);
                let text = bytes.split(|b| *b == 0).next().unwrap_or_default();
                set(string::from_rust(&String::from_utf8_lossy(text))?);
            }
            Kind::FixedWideText(n) => {
                let mut units = vec![0u16; *n as usize];
                core::ptr::copy(at, units.as_mut_ptr().cast(), 2 * *n as usize);
                let text = units.split(|u| *u == 0).next().unwrap_or_default();
                set(string::from_units(text)?);
            }
            Kind::FixedArray { count, size } => {
                let rt = runtime::get();
                let mt = rt.method_table(rt.types.field_type(f.field)?)?;
                let a = array::allocate(mt, *count as usize)?;
                core::ptr::copy(at, array::data(a), (count * size) as usize);
                set(a);
            }
            Kind::Function(ty) => {
                let code = at.cast::<usize>().read_unaligned();
                set(super::callback::delegate_of(code, *ty)?);
            }
            Kind::Nested(ty) => from_native(&of_type(*ty)?, at, to)?,
        }
    }
    Ok(())
}

/// Frees the text that [`to_native`] made.
///
/// # Safety
/// `at` must hold the native form.
pub unsafe fn destroy(s: &Structure, at: *mut u8) -> Result<()> {
    for f in &s.fields {
        let field = at.wrapping_add(f.native as usize);
        // SAFETY: the caller's promise.
        unsafe {
            match &f.kind {
                Kind::Text | Kind::WideText => {
                    libc::free(field.cast::<*mut libc::c_void>().read_unaligned());
                    field.cast::<usize>().write_unaligned(0);
                }
                Kind::Nested(ty) => destroy(&of_type(*ty)?, field)?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// Base for field offsets of an object: its address, or that of the boxed value.
pub fn fields_base(o: Obj) -> *mut u8 {
    let types = &runtime::get().types;
    match types.is_value_type(o.method_table().type_id()) {
        true => o.at(HEADER),
        false => o.at(0),
    }
}

/// A primitive has no fields: its bytes are copied.
pub fn is_plain(s: &Structure) -> bool {
    s.fields.is_empty()
}

/// Native offset of a field by name.
pub fn offset_of(s: &Structure, name: &str) -> Option<u32> {
    let types = &runtime::get().types;
    let named = |f: &&Field| types.field_name(f.field) == name;
    Some(s.fields.iter().find(named)?.native)
}

/// Managed bytes of a value type's value.
pub fn managed_size(mt: &'static MethodTable) -> Result<usize> {
    Ok(cast::value_size(mt))
}
