//! Native layout: what classes and value types with `LayoutKind.Sequential` or `Explicit` look like to native code.
//!
//! References become pointers to text or function pointers, `bool` becomes 1, 2 or 4 bytes, `char` perhaps one, and text
//! and arrays may stand in place. A type whose managed bytes are its native bytes is *blittable*: its address is passed as it is.

mod sysv;

pub use sysv::{Passing, Word};

use super::layout::{MAX_SIZE, Placement, round_up};
use super::{
    Error, FieldId, Known, MethodId, MethodKind, Prim, Result, SyntheticKind, TypeContext, TypeId,
    TypeKind, ValueClass,
};
use crate::abi::layout::object::HEADER;
use crate::ir::MemType;
use crate::metadata::marshal::{self, MarshalSpec, NativeType};

/// How text is written in native memory. The numbers are passed to runtime helpers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u32)]
pub enum TextForm {
    /// NUL-terminated UTF-8 (what `Ansi` means outside Windows).
    Utf8 = 0,
    /// NUL-terminated UTF-16.
    Utf16 = 1,
    /// UTF-16 with its length in bytes in the four bytes before it.
    Bstr = 2,
    /// UTF-8 with its length in the four bytes before it.
    AnsiBstr = 3,
}

impl TextForm {
    /// All forms in the order of their numbers.
    pub const ALL: [TextForm; 4] = [
        TextForm::Utf8,
        TextForm::Utf16,
        TextForm::Bstr,
        TextForm::AnsiBstr,
    ];

    /// The form meant by a native type; `unicode` decides where it says nothing.
    pub fn of(native: Option<NativeType>, unicode: bool) -> Option<TextForm> {
        Some(match native {
            None | Some(NativeType::LPTSTR) if unicode => TextForm::Utf16,
            None | Some(NativeType::LPTSTR | NativeType::LPSTR | NativeType::LPUTF8STR) => {
                TextForm::Utf8
            }
            Some(NativeType::LPWSTR) => TextForm::Utf16,
            Some(NativeType::BSTR | NativeType::TBSTR) => TextForm::Bstr,
            Some(NativeType::ANSI_BSTR) => TextForm::AnsiBstr,
            Some(_) => return None,
        })
    }
}

/// How `bool` is written in native memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BoolForm {
    /// One byte, 0 or 1.
    Byte,
    /// `VARIANT_BOOL`: two bytes, 0 or -1.
    Variant,
    /// Four bytes, 0 or 1.
    Word,
}

impl BoolForm {
    /// The form meant by a native type.
    pub fn of(native: Option<NativeType>) -> Option<BoolForm> {
        Some(match native {
            None | Some(NativeType::BOOLEAN | NativeType::I4 | NativeType::U4) => BoolForm::Word,
            Some(NativeType::I1 | NativeType::U1) => BoolForm::Byte,
            Some(NativeType::VARIANT_BOOL) => BoolForm::Variant,
            Some(_) => return None,
        })
    }

    /// Bytes.
    pub fn size(self) -> u32 {
        match self {
            BoolForm::Byte => 1,
            BoolForm::Variant => 2,
            BoolForm::Word => 4,
        }
    }
}

/// What a field or array element is in native memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NativeKind {
    /// The same bits on both sides.
    Scalar(MemType),
    /// A truth value.
    Bool(BoolForm),
    /// A `char` as one byte.
    NarrowChar,
    /// A pointer to text.
    Text(TextForm),
    /// Text in place.
    FixedText {
        /// Characters, terminator included.
        units: u32,
        /// UTF-16.
        wide: bool,
    },
    /// Elements in place.
    FixedArray {
        /// Managed element type.
        element: TypeId,
        /// Number of elements.
        count: u32,
        /// What each is.
        kind: Box<NativeKind>,
    },
    /// A function pointer made from a delegate of this type.
    Function(TypeId),
    /// A value type in place.
    Struct(TypeId),
    /// A class with layout in place.
    Class(TypeId),
    /// The handle in a `SafeHandle` of this class.
    Handle(TypeId),
}

impl NativeKind {
    /// A number for array elements of this kind, by which helpers know them; the element type says the rest.
    pub fn code(&self) -> u32 {
        match self {
            NativeKind::Bool(BoolForm::Byte) => 1,
            NativeKind::Bool(BoolForm::Variant) => 2,
            NativeKind::Bool(BoolForm::Word) => 3,
            NativeKind::NarrowChar => 4,
            NativeKind::Function(_) => 5,
            NativeKind::Text(form) => TEXT_CODES + *form as u32,
            _ => 0,
        }
    }
}

/// First code of text.
const TEXT_CODES: u32 = 8;

impl TypeContext {
    /// The kind that array elements of a type have by their [`NativeKind::code`].
    pub fn native_kind_of_code(&self, code: u32, element: TypeId) -> Result<NativeKind> {
        let form = |n: u32| TextForm::ALL.get(n as usize).copied();
        Ok(match code {
            1 => NativeKind::Bool(BoolForm::Byte),
            2 => NativeKind::Bool(BoolForm::Variant),
            3 => NativeKind::Bool(BoolForm::Word),
            4 => NativeKind::NarrowChar,
            5 => NativeKind::Function(element),
            _ => match code.checked_sub(TEXT_CODES).and_then(form) {
                Some(form) => NativeKind::Text(form),
                None => match self.value_class(element)? {
                    ValueClass::Scalar(m) if m != MemType::Ref => NativeKind::Scalar(m),
                    _ => NativeKind::Struct(element),
                },
            },
        })
    }
}

/// A field on both sides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NativeField {
    /// Which.
    pub field: FieldId,
    /// Offset in the value, or in the object for classes.
    pub managed: u32,
    /// Offset in native memory.
    pub native: u32,
    /// What it is there.
    pub kind: NativeKind,
}

/// The native form of a type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NativeLayout {
    /// Bytes.
    pub size: u32,
    /// Alignment.
    pub align: u32,
    /// Fields, those of base classes first.
    pub fields: Vec<NativeField>,
    /// The managed bytes are the native bytes.
    pub blittable: bool,
    /// The one field stands for an array of such that fills the type (`fixed` buffers).
    repeated: bool,
}

impl TypeContext {
    /// A stub between a delegate's `Invoke` and native code: `NativeToManaged` takes the delegate and the address of the frame
    /// of the call, `ManagedToNative` is called in place of `Invoke`.
    pub fn marshalling_stub(&self, kind: SyntheticKind, invoke: MethodId) -> Result<MethodId> {
        let mut signature = *self.method_signature(invoke)?;
        if kind == SyntheticKind::NativeToManaged {
            let params = [self.method_owner(invoke), self.known(Known::IntPtr)];
            signature.has_this = false;
            signature.params = self.list(&params);
            signature.ret = self.known(Known::Void);
        }
        Ok(self.intern_method(MethodKind::Synthetic {
            kind,
            subject: invoke,
            sig: self.intern_signature(signature),
        }))
    }
}

/// Bits of `TypeAttributes`: the character set of text in fields.
const STRING_MASK: u32 = 0x30000;
const UNICODE: u32 = 0x10000;
/// Deepest nesting of structs looked into.
const MAX_NESTING: usize = 64;

impl TypeContext {
    /// The native form of a class or value type with layout.
    pub fn native_layout(&self, t: TypeId) -> Result<&NativeLayout> {
        self.native_layout_within(t, &mut Vec::new())
    }

    fn native_layout_within(&self, t: TypeId, stack: &mut Vec<TypeId>) -> Result<&NativeLayout> {
        let entry = self.entry(t);
        if let Some(done) = entry.native_layout.get() {
            return done.as_deref().map_err(Clone::clone);
        }
        if stack.contains(&t) || stack.len() > MAX_NESTING {
            return Err(self.type_load(t, "its native form contains itself"));
        }
        stack.push(t);
        let computed = self.compute_native(t, stack);
        stack.pop();
        let kept = entry.native_layout.get_or_init(|| computed.map(Box::new));
        kept.as_deref().map_err(Clone::clone)
    }

    fn compute_native(&self, t: TypeId, stack: &mut Vec<TypeId>) -> Result<NativeLayout> {
        let value_type = self.is_value_type(t);
        let (placement, pack, class_size) = self.class_layout(t);
        let structural = matches!(self.kind(t), TypeKind::Def { .. } | TypeKind::Inst { .. })
            && !self.is_interface(t)
            && !self.is_open(t);
        if placement == Placement::Auto || !structural {
            return Err(self.unmarshalable(t, "it has no sequential or explicit layout"));
        }
        let unicode = self.type_flags(t) & STRING_MASK == UNICODE;
        let mut made = self.native_base(t, value_type, stack)?;
        let start = made.size;
        let mut end = start;
        for f in self.fields(t)? {
            if self.field_is_static(f) {
                continue;
            }
            let kind = self.native_field(f, unicode, stack)?;
            let (size, natural) = self.native_size_within(&kind, stack)?;
            let align = if pack == 0 {
                natural
            } else {
                natural.min(pack)
            };
            let native = match placement {
                Placement::Explicit => {
                    let row = self.field_kind(f).row;
                    start.saturating_add(self.explicit_offset(t, row).unwrap_or(0))
                }
                _ => round_up(end, align),
            };
            end = end.max(native.saturating_add(size));
            if end > MAX_SIZE {
                return Err(self.type_load(t, "it is too large"));
            }
            made.align = made.align.max(align);
            let managed = self.field_offset(f)?;
            made.fields.push(NativeField {
                field: f,
                managed,
                native,
                kind,
            });
        }
        let wanted = start.saturating_add(class_size).min(MAX_SIZE);
        made.repeated = value_type && made.fields.len() == 1 && wanted >= 2 * end.max(1);
        made.size = round_up(end.max(wanted).max(1), made.align);
        made.blittable = self.is_blittable(t, &made, value_type, stack)?;
        Ok(made)
    }

    /// What stands in front of the type's own fields.
    fn native_base(
        &self,
        t: TypeId,
        value_type: bool,
        stack: &mut Vec<TypeId>,
    ) -> Result<NativeLayout> {
        let parent = match value_type {
            true => None,
            false => self.parent(t)?.filter(|p| *p != self.known(Known::Object)),
        };
        match parent {
            Some(p) => Ok(self.native_layout_within(p, stack)?.clone()),
            None => Ok(NativeLayout {
                size: 0,
                align: 1,
                fields: Vec::new(),
                blittable: true,
                repeated: false,
            }),
        }
    }

    fn is_blittable(
        &self,
        t: TypeId,
        made: &NativeLayout,
        value_type: bool,
        stack: &mut Vec<TypeId>,
    ) -> Result<bool> {
        let start = if value_type { 0 } else { HEADER };
        for f in &made.fields {
            let same = match f.kind {
                NativeKind::Scalar(_) => true,
                NativeKind::Struct(inner) => self.native_layout_within(inner, stack)?.blittable,
                _ => false,
            };
            if !same || f.managed != f.native + start {
                return Ok(false);
            }
        }
        Ok(!value_type || self.layout(t)?.size == made.size)
    }

    fn native_field(
        &self,
        f: FieldId,
        unicode: bool,
        stack: &mut Vec<TypeId>,
    ) -> Result<NativeKind> {
        let place = self.field_kind(f);
        let blob = self.module(place.module).field_marshal_of(place.row.into());
        let spec = blob.map(marshal::parse).transpose()?;
        self.native_kind_within(self.field_type(f)?, spec.as_ref(), unicode, stack)
            .map_err(|e| match e {
                Error::Marshal { reason } => Error::Marshal {
                    reason: format!("field '{}': {reason}", self.field_name(f)).into(),
                },
                e => e,
            })
    }

    /// What a field or element of type `ty` is in native memory. `unicode`: the character set where `spec` names none.
    pub fn native_kind(
        &self,
        ty: TypeId,
        spec: Option<&MarshalSpec>,
        unicode: bool,
    ) -> Result<NativeKind> {
        self.native_kind_within(ty, spec, unicode, &mut Vec::new())
    }

    fn native_kind_within(
        &self,
        ty: TypeId,
        spec: Option<&MarshalSpec>,
        unicode: bool,
        stack: &mut Vec<TypeId>,
    ) -> Result<NativeKind> {
        let simple = match spec {
            Some(MarshalSpec::Simple(n)) => Some(*n),
            _ => None,
        };
        let refused = || self.unmarshalable(ty, "invalid managed/unmanaged type combination");
        if let Some(p) = self.prim(self.try_underlying(ty)?) {
            return match p {
                Prim::Bool => BoolForm::of(simple).map(NativeKind::Bool),
                Prim::Char => char_kind(simple, unicode),
                p => Some(NativeKind::Scalar(p.mem_type())),
            }
            .ok_or_else(refused);
        }
        match self.value_class(ty)? {
            ValueClass::Struct { .. } => {
                self.native_layout_within(ty, stack)?;
                return Ok(NativeKind::Struct(ty));
            }
            ValueClass::Scalar(MemType::Ref) => {}
            ValueClass::Scalar(m) => return Ok(NativeKind::Scalar(m)),
            ValueClass::Void => return Err(refused()),
        }
        if ty == self.known(Known::String) {
            return match spec {
                Some(MarshalSpec::FixedString(n)) => Some(NativeKind::FixedText {
                    units: *n,
                    wide: unicode,
                }),
                Some(MarshalSpec::Simple(_)) | None => {
                    TextForm::of(simple, unicode).map(NativeKind::Text)
                }
                Some(_) => None,
            }
            .ok_or_else(refused);
        }
        if let TypeKind::SzArray(element) = self.kind(ty) {
            return self.native_array(ty, element, spec, unicode, stack);
        }
        if self.is_delegate(ty) {
            return match simple {
                None | Some(NativeType::FUNCTION) => Ok(NativeKind::Function(ty)),
                Some(_) => Err(refused()),
            };
        }
        if self
            .ancestor_of_definition(ty, self.known(Known::SafeHandle))
            .is_some()
        {
            return Ok(NativeKind::Handle(ty));
        }
        if ty == self.known(Known::Object) {
            return Err(self.unmarshalable(ty, "COM objects and variants are not supported"));
        }
        if self.is_interface(ty) {
            return Err(self.unmarshalable(ty, "COM interfaces are not supported"));
        }
        self.native_layout_within(ty, stack)?;
        Ok(NativeKind::Class(ty))
    }

    fn native_array(
        &self,
        ty: TypeId,
        element: TypeId,
        spec: Option<&MarshalSpec>,
        unicode: bool,
        stack: &mut Vec<TypeId>,
    ) -> Result<NativeKind> {
        let Some(MarshalSpec::FixedArray {
            count,
            element: native,
        }) = spec
        else {
            return Err(self.unmarshalable(ty, "arrays in structures must be ByValArray"));
        };
        let inner = native.map(MarshalSpec::Simple);
        let kind = self.native_kind_within(element, inner.as_ref(), unicode, stack)?;
        Ok(NativeKind::FixedArray {
            element,
            count: *count,
            kind: Box::new(kind),
        })
    }

    /// Size and alignment in native memory.
    pub fn native_size(&self, kind: &NativeKind) -> Result<(u32, u32)> {
        self.native_size_within(kind, &mut Vec::new())
    }

    fn native_size_within(&self, kind: &NativeKind, stack: &mut Vec<TypeId>) -> Result<(u32, u32)> {
        let square = |n| (n, n);
        Ok(match kind {
            NativeKind::Scalar(m) => square(m.bytes()),
            NativeKind::Bool(form) => square(form.size()),
            NativeKind::NarrowChar => square(1),
            NativeKind::Text(_) | NativeKind::Function(_) | NativeKind::Handle(_) => square(8),
            NativeKind::FixedText { units, wide } => {
                let unit = if *wide { 2 } else { 1 };
                (units.saturating_mul(unit), unit)
            }
            NativeKind::FixedArray { count, kind, .. } => {
                let (size, align) = self.native_size_within(kind, stack)?;
                (size.saturating_mul(*count), align)
            }
            NativeKind::Struct(t) | NativeKind::Class(t) => {
                let inner = self.native_layout_within(*t, stack)?;
                (inner.size, inner.align)
            }
        })
    }

    pub(crate) fn unmarshalable(&self, t: TypeId, reason: &str) -> Error {
        Error::Marshal {
            reason: format!("type '{}': {reason}", self.full_name(t)).into(),
        }
    }
}

fn char_kind(native: Option<NativeType>, unicode: bool) -> Option<NativeKind> {
    match native {
        None if unicode => Some(NativeKind::Scalar(MemType::U16)),
        None | Some(NativeType::I1 | NativeType::U1) => Some(NativeKind::NarrowChar),
        Some(NativeType::I2 | NativeType::U2) => Some(NativeKind::Scalar(MemType::U16)),
        Some(_) => None,
    }
}
