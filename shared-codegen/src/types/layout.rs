//! Instance layout.
//!
//! Offsets count from the start of the object for classes (so the first field is behind the header) and
//! from 0 for value types. `Sequential` and `Explicit` are honoured for classes and value types
//! alike; `Auto` puts references first and then the widest fields.

use super::{Error, FieldId, Result, TypeContext, TypeId, TypeKind, ValueClass};
use crate::abi::layout::object;
use crate::metadata::FieldRow;

/// Where the instance fields of a type are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Bytes of an instance: with header and rounded to 8 for classes, of the bare value for value types.
    pub size: u32,
    /// Alignment of a value (8 for classes).
    pub align: u32,
    /// Offsets of all object references, ascending, those of base classes and nested structs included.
    pub refs: Box<[u32]>,
    /// Offsets of managed pointers held in the value (`ByReference<T>`); only stack values have them.
    pub byrefs: Box<[u32]>,
    /// Fields declared by the type itself, in row order.
    pub fields: Box<[(FieldRow, u32)]>,
    /// Some bytes belong to no field, or floats occur: bitwise comparison is not equality.
    pub has_padding: bool,
}

impl Layout {
    /// Offset of a field declared by the type.
    pub fn offset_of(&self, row: FieldRow) -> Option<u32> {
        let at = self.fields.binary_search_by_key(&row, |f| f.0).ok()?;
        Some(self.fields[at].1)
    }
}

/// How fields are placed (ECMA-335 II.10.1.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Placement {
    Auto,
    Sequential,
    Explicit,
}

/// Size, alignment and contents of a field's type.
#[derive(Debug)]
pub(crate) struct FieldShape {
    pub(crate) row: FieldRow,
    pub(crate) size: u32,
    pub(crate) align: u32,
    pub(crate) refs: Vec<u32>,
    pub(crate) byrefs: Vec<u32>,
    padded: bool,
}

impl FieldShape {
    fn is_reference(&self) -> bool {
        self.size == 8 && self.refs == [0]
    }
}

/// Largest instance accepted, in bytes.
pub(crate) const MAX_SIZE: u32 = 1 << 28;
/// Longest chain of base classes and nested structs followed.
const MAX_STACK: usize = super::hierarchy::MAX_BASES + super::context::MAX_DEPTH as usize;
/// Most references in one instance.
const MAX_REFS: usize = 1 << 20;

impl TypeContext {
    /// The layout of a class or value type. Fails for open types, and for value types that contain themselves.
    pub fn layout(&self, t: TypeId) -> Result<&Layout> {
        self.layout_within(t, &mut Vec::new())
    }

    /// Offset of an instance field from the start of the object, or of the value.
    pub fn field_offset(&self, f: FieldId) -> Result<u32> {
        let field = self.field_kind(f);
        let offset = self.layout(field.owner)?.offset_of(field.row);
        offset.ok_or_else(|| Error::MissingField {
            member: self.field_full_name(f).into(),
        })
    }

    /// How a value of type `t` is held.
    pub fn value_class(&self, t: TypeId) -> Result<ValueClass> {
        self.value_class_within(t, &mut Vec::new())
    }

    /// An instance of the type (or the value) holds object references.
    pub fn contains_refs(&self, t: TypeId) -> Result<bool> {
        if self.is_reference_type(t) {
            return Ok(true);
        }
        match self.value_class(t)? {
            ValueClass::Struct { .. } => Ok(!self.layout(t)?.refs.is_empty()),
            _ => Ok(false),
        }
    }

    /// Size of a value in a local, field or array element.
    pub fn value_size(&self, t: TypeId) -> Result<u32> {
        Ok(match self.value_class(t)? {
            ValueClass::Void => 0,
            ValueClass::Scalar(m) => m.bytes(),
            ValueClass::Struct { size, .. } => size,
        })
    }

    fn layout_within(&self, t: TypeId, stack: &mut Vec<TypeId>) -> Result<&Layout> {
        let entry = self.entry(t);
        if let Some(done) = entry.layout.get() {
            return done.as_deref().map_err(Clone::clone);
        }
        if stack.contains(&t) || stack.len() > MAX_STACK {
            return Err(self.type_load(t, "it contains itself"));
        }
        stack.push(t);
        let computed = self.compute_layout(t, stack);
        stack.pop();
        let kept = entry.layout.get_or_init(|| computed.map(Box::new));
        kept.as_deref().map_err(Clone::clone)
    }

    fn value_class_within(&self, t: TypeId, stack: &mut Vec<TypeId>) -> Result<ValueClass> {
        use crate::ir::MemType;
        Ok(match self.kind(t) {
            TypeKind::Ptr(_) | TypeKind::FnPtr(_) => ValueClass::Scalar(MemType::I64),
            TypeKind::ByRef(_) => ValueClass::Scalar(MemType::ByRef),
            TypeKind::SzArray(_) | TypeKind::Array { .. } | TypeKind::Canon => {
                ValueClass::Scalar(MemType::Ref)
            }
            TypeKind::Def { .. } | TypeKind::Inst { .. } => {
                if !self.is_value_type(t) {
                    return Ok(ValueClass::Scalar(MemType::Ref));
                }
                if self.is_known(t, super::Known::Void) {
                    return Ok(ValueClass::Void);
                }
                if let Some(prim) = self.prim(self.try_underlying(t)?) {
                    return Ok(ValueClass::Scalar(prim.mem_type()));
                }
                let layout = self.layout_within(t, stack)?;
                ValueClass::Struct {
                    size: layout.size,
                    align: layout.align,
                }
            }
            TypeKind::Missing(_) => return Err(self.type_load(t, "")),
            TypeKind::Var(_) | TypeKind::MVar(_) | TypeKind::Param { .. } => {
                return Err(Error::invalid_program(format_args!(
                    "{} has no layout",
                    self.full_name(t)
                )));
            }
        })
    }

    /// Types nested too deeply cannot be used.
    pub(super) fn check_nesting(&self, t: TypeId) -> Result<()> {
        match self.shape(t).contains(super::context::Shape::TOO_DEEP) {
            true => Err(self.type_load(t, "its instantiation is nested too deeply")),
            false => Ok(()),
        }
    }

    fn compute_layout(&self, t: TypeId, stack: &mut Vec<TypeId>) -> Result<Layout> {
        self.check_nesting(t)?;
        let value_type = self.is_value_type(t);
        let base = match self.parent(t)? {
            Some(parent) if !value_type => Some(self.layout_within(parent, stack)?),
            _ => None,
        };
        let start = match base {
            Some(base) => base.size,
            None if value_type => 0,
            None => object::HEADER,
        };
        let mut fields = Vec::new();
        for f in self.fields(t)? {
            if !self.field_is_static(f) {
                fields.push(self.field_shape(f, stack)?);
            }
        }
        let (placement, pack, class_size) = self.class_layout(t);
        let mut builder = Builder::new(base, start);
        match placement {
            Placement::Auto => builder.place_auto(&fields),
            Placement::Sequential => builder.place_in_order(&fields, pack),
            Placement::Explicit => self.place_explicit(t, &mut builder, &fields, pack)?,
        }
        let min = match placement {
            Placement::Auto => 0,
            _ => start.saturating_add(class_size),
        };
        if builder.end.max(min) > MAX_SIZE || builder.refs.len() > MAX_REFS {
            return Err(self.type_load(t, "it is too large"));
        }
        Ok(builder.finish(value_type, min))
    }

    /// The signature of a field says that it holds a reference, whatever is known about the class.
    fn says_reference(&self, f: FieldId) -> bool {
        use crate::metadata::sig::{TypeSig, parse_field};
        fn holds(sig: &TypeSig) -> bool {
            match sig {
                TypeSig::Named(_, is_value) | TypeSig::Generic(_, is_value, _) => !is_value,
                TypeSig::SzArray(_) | TypeSig::Array(..) => true,
                TypeSig::Modified(_, _, inner) => holds(inner),
                _ => false,
            }
        }
        let field = self.field_kind(f);
        let row = self.module(field.module).field(field.row).ok();
        row.and_then(|r| parse_field(r.signature).ok())
            .is_some_and(|sig| holds(&sig))
    }

    pub(crate) fn field_shape(&self, f: FieldId, stack: &mut Vec<TypeId>) -> Result<FieldShape> {
        use crate::ir::MemType;
        let row = self.field_kind(f).row;
        let owner = self.field_kind(f).owner;
        let plain = |size, align| FieldShape {
            row,
            size,
            align,
            refs: Vec::new(),
            byrefs: Vec::new(),
            padded: false,
        };
        let reference = || FieldShape {
            refs: vec![0],
            ..plain(8, 8)
        };
        let ty = match self.field_type(f) {
            // A class that is missing matters to who uses the field.
            Err(_) if self.says_reference(f) => return Ok(reference()),
            ty => ty?,
        };
        if self.is_known(self.dispatch_def(owner), super::Known::ByReference) {
            return Ok(FieldShape {
                byrefs: vec![0],
                ..plain(8, 8)
            });
        }
        Ok(match self.value_class_within(ty, stack)? {
            ValueClass::Void => return Err(self.type_load(owner, "a field has type void")),
            ValueClass::Scalar(MemType::Ref) => reference(),
            ValueClass::Scalar(m) => FieldShape {
                byrefs: if m == MemType::ByRef { vec![0] } else { vec![] },
                padded: matches!(m, MemType::F32 | MemType::F64),
                ..plain(m.bytes(), m.bytes())
            },
            ValueClass::Struct { size, align } => {
                let inner = self.layout_within(ty, stack)?;
                FieldShape {
                    refs: inner.refs.to_vec(),
                    byrefs: inner.byrefs.to_vec(),
                    padded: inner.has_padding,
                    ..plain(size, align)
                }
            }
        })
    }

    fn place_explicit(
        &self,
        t: TypeId,
        builder: &mut Builder,
        fields: &[FieldShape],
        pack: u32,
    ) -> Result<()> {
        let start = builder.end;
        for field in fields {
            let offset = self
                .explicit_offset(t, field.row)
                .ok_or_else(|| self.type_load(t, "a field of an explicit layout has no offset"))?;
            let at = start.saturating_add(offset);
            if at > MAX_SIZE {
                return Err(self.type_load(t, "a field offset is too large"));
            }
            if field.refs.iter().any(|r| (at + r) % 8 != 0) {
                return Err(self.type_load(t, "a reference field is not aligned"));
            }
            builder.put(field, at, pack);
        }
        if overlaps(builder, fields) {
            return Err(self.type_load(t, "a reference field overlaps another field"));
        }
        Ok(())
    }
}

/// A reference shares bytes with something that is not the same reference.
fn overlaps(builder: &Builder, fields: &[FieldShape]) -> bool {
    let offset = |row| {
        builder
            .fields
            .iter()
            .find(|f| f.0 == row)
            .map_or(0, |f| f.1)
    };
    fields.iter().any(|a| {
        let at = offset(a.row);
        a.refs.iter().any(|r| {
            let (lo, hi) = (at + r, at + r + 8);
            fields.iter().any(|b| {
                let start = offset(b.row);
                let touches = start < hi && lo < start + b.size;
                touches && !b.refs.iter().any(|s| start + s == lo)
            })
        })
    })
}

/// Rounds up to a power of two.
pub(crate) fn round_up(n: u32, align: u32) -> u32 {
    n.saturating_add(align - 1) & !(align - 1)
}

/// A layout being made.
struct Builder {
    end: u32,
    align: u32,
    used: u32,
    start: u32,
    padded: bool,
    refs: Vec<u32>,
    byrefs: Vec<u32>,
    fields: Vec<(FieldRow, u32)>,
}

impl Builder {
    fn new(base: Option<&Layout>, start: u32) -> Builder {
        Builder {
            end: start,
            align: 1,
            used: 0,
            start,
            padded: false,
            refs: base.map_or(Vec::new(), |b| b.refs.to_vec()),
            byrefs: Vec::new(),
            fields: Vec::new(),
        }
    }

    fn put(&mut self, field: &FieldShape, at: u32, pack: u32) {
        self.align = self.align.max(packed(field.align, pack));
        self.used = self.used.saturating_add(field.size);
        self.padded |= field.padded;
        self.refs
            .extend(field.refs.iter().map(|r| at.saturating_add(*r)));
        self.byrefs
            .extend(field.byrefs.iter().map(|r| at.saturating_add(*r)));
        self.fields.push((field.row, at));
        self.end = self.end.max(at.saturating_add(field.size));
    }

    fn place_in_order(&mut self, fields: &[FieldShape], pack: u32) {
        for field in fields {
            // References stay aligned whatever the packing says: the collector needs it.
            let pack = if field.refs.is_empty() { pack } else { 0 };
            let at = round_up(self.end, packed(field.align, pack));
            self.put(field, at, pack);
        }
    }

    fn place_auto(&mut self, fields: &[FieldShape]) {
        let mut order: Vec<&FieldShape> = fields.iter().collect();
        order.sort_by_key(|f| (!f.is_reference(), core::cmp::Reverse(f.align)));
        for field in order {
            let at = round_up(self.end, field.align);
            self.put(field, at, 0);
        }
    }

    fn finish(mut self, value_type: bool, min: u32) -> Layout {
        let end = self
            .end
            .max(min)
            .max(if value_type { 1 } else { self.start });
        let align = if value_type { self.align } else { 8 };
        let size = round_up(end, align);
        self.refs.sort_unstable();
        self.refs.dedup();
        self.byrefs.sort_unstable();
        self.byrefs.dedup();
        self.fields.sort_unstable_by_key(|f| f.0);
        Layout {
            size,
            align,
            refs: self.refs.into(),
            byrefs: self.byrefs.into(),
            fields: self.fields.into(),
            has_padding: self.padded || self.used != size - self.start,
        }
    }
}

fn packed(align: u32, pack: u32) -> u32 {
    match pack {
        0 => align,
        pack => align.min(pack),
    }
}
