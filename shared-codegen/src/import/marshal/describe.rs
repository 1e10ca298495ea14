//! What a native signature asks for.

use super::{ArrayConversion, Conversion, Param};
use crate::import::error::Result;
use crate::ir::MemType;
use crate::metadata::attribute::{self, Value};
use crate::metadata::marshal::{self, MarshalSpec, NativeType};
use crate::metadata::sig::{Element, TypeSig};
use crate::metadata::{MethodDefRow, Module};
use crate::types::{
    BoolForm, Error, Known, MethodId, MethodSignature, ModuleId, NativeKind, Prim,
    Result as TypeResult, TextForm, TypeContext, TypeId, TypeKind, ValueClass,
};
use rustc_hash::FxHashSet;

/// Flags of `ImplMap` rows: the character set.
const CHARSET_MASK: u16 = 6;
const CHARSET_UNICODE: u16 = 4;
const SUPPORTS_LAST_ERROR: u16 = 0x40;
/// Flags of `Param` rows.
const PARAM_IN: u16 = 1;
const PARAM_OUT: u16 = 2;
/// `System.Runtime.InteropServices.CharSet.Unicode`.
const UNICODE: u64 = 3;

/// A signature with all that says how its values cross the border.
#[derive(Debug)]
pub(in crate::import) struct Described {
    pub(super) params: Vec<Param>,
    pub(super) ret: Param,
    /// The native function returns an HRESULT, and its result through a pointer behind the other arguments.
    pub(super) returns_hresult: bool,
    /// `errno` is kept for `Marshal.GetLastWin32Error`.
    pub(super) saves_last_error: bool,
    /// Number of parameters that a variadic function declares: C passes a `float` behind them as a `double`.
    pub(super) declared: usize,
    /// The method whose rows describe the parameters.
    pub(super) method: Option<MethodId>,
}

impl Described {
    /// Of a P/Invoke.
    pub(in crate::import) fn pinvoke(
        ctx: &TypeContext,
        method: MethodId,
        signature: &MethodSignature,
    ) -> Result<Described> {
        let module = ctx.method_module(method);
        let row = ctx.method_row(method);
        let flags = ctx.module(module).impl_map_of(row).map_or(0, |m| m.flags);
        let unicode = flags & CHARSET_MASK == CHARSET_UNICODE;
        let mut made = of_method(ctx, method, signature, unicode)?;
        made.saves_last_error = flags & SUPPORTS_LAST_ERROR != 0;
        if let Some(n) = signature.fixed_params {
            made.declared = n as usize;
        }
        made.returns_hresult = !ctx.method_is_preserve_sig(method);
        Ok(made)
    }

    /// Of the native side of a delegate type, whose `Invoke` is `invoke`.
    pub(in crate::import) fn delegate(
        ctx: &TypeContext,
        invoke: MethodId,
        signature: &MethodSignature,
    ) -> Result<Described> {
        let options = delegate_options(ctx, ctx.method_owner(invoke));
        let mut made = of_method(ctx, invoke, signature, options.unicode)?;
        made.saves_last_error = options.saves_last_error;
        Ok(made)
    }

    /// Of a signature without any description.
    pub(in crate::import) fn bare(
        ctx: &TypeContext,
        signature: &MethodSignature,
    ) -> Result<Described> {
        let describe = |n: u32, ty| {
            let from = Source {
                ctx,
                number: n,
                flags: 0,
                spec: None,
                unicode: false,
            };
            from.param(ty)
        };
        let numbered = (1..).zip(signature.params);
        Ok(Described {
            params: numbered
                .map(|(n, ty)| describe(n, *ty))
                .collect::<Result<_>>()?,
            ret: describe(0, signature.ret)?,
            returns_hresult: false,
            saves_last_error: false,
            declared: usize::MAX,
            method: None,
        })
    }
}

#[derive(Default)]
struct DelegateOptions {
    unicode: bool,
    saves_last_error: bool,
}

/// What `UnmanagedFunctionPointerAttribute` says.
fn delegate_options(ctx: &TypeContext, ty: TypeId) -> DelegateOptions {
    const CLASS: (&str, &str) = (
        "System.Runtime.InteropServices",
        "UnmanagedFunctionPointerAttribute",
    );
    let mut options = DelegateOptions::default();
    let Some((module, row)) = ctx.def_of(ty) else {
        return options;
    };
    let md = ctx.module(module);
    for a in md.custom_attributes_of(row.token()) {
        let Ok(a) = md.custom_attribute(a) else {
            continue;
        };
        if ctx.attribute_class_name(module, a.ty) != CLASS {
            continue;
        }
        // The argument is an enum of 32 bits, and so are the others.
        let int = TypeSig::Element(Element::I4);
        let parsed = attribute::parse(a.value, &[int], &|_| Ok(Element::I4));
        for n in parsed.map(|p| p.named).unwrap_or_default() {
            if let Value::Bits(bits) = n.arg.value {
                match n.name {
                    "CharSet" => options.unicode = bits == UNICODE,
                    "SetLastError" => options.saves_last_error = bits != 0,
                    _ => {}
                }
            }
        }
    }
    options
}

/// The delegate types that a P/Invoke, or the native side of a delegate's `Invoke`, passes as function pointers: those in
/// structs, arrays and by-refs too. None if the signature cannot be marshalled.
pub fn delegates_passed(ctx: &TypeContext, method: MethodId) -> Vec<TypeId> {
    let mut search = Delegates {
        ctx,
        found: Vec::new(),
        seen: FxHashSet::default(),
    };
    let Ok(signature) = ctx.method_signature(method) else {
        return search.found;
    };
    let described = match ctx.method_is_pinvoke(method) {
        true => Described::pinvoke(ctx, method, signature),
        false => Described::delegate(ctx, method, signature),
    };
    if let Ok(described) = described {
        for p in described.params.iter().chain([&described.ret]) {
            search.conversion(&p.conversion);
        }
    }
    search.found
}

/// Search for delegate types.
struct Delegates<'c> {
    ctx: &'c TypeContext,
    found: Vec<TypeId>,
    /// Structs looked into.
    seen: FxHashSet<TypeId>,
}

impl Delegates<'_> {
    fn conversion(&mut self, conversion: &Conversion) {
        match conversion {
            Conversion::Function(t) => self.found.push(*t),
            Conversion::Struct(t) | Conversion::StructPointer(t) | Conversion::Class(t) => {
                self.kind(&NativeKind::Struct(*t));
            }
            Conversion::Array(a) => self.kind(&a.kind),
            Conversion::ByRef(inner) => self.conversion(inner),
            _ => {}
        }
    }

    fn kind(&mut self, kind: &NativeKind) {
        match kind {
            NativeKind::Function(t) => self.found.push(*t),
            NativeKind::Struct(t) | NativeKind::Class(t) if self.seen.insert(*t) => {
                let layout = self.ctx.native_layout(*t);
                for f in layout.map(|l| &l.fields[..]).unwrap_or_default() {
                    self.kind(&f.kind);
                }
            }
            NativeKind::FixedArray { kind, .. } => self.kind(kind),
            _ => {}
        }
    }
}

fn of_method(
    ctx: &TypeContext,
    method: MethodId,
    signature: &MethodSignature,
    unicode: bool,
) -> Result<Described> {
    let module = ctx.method_module(method);
    let row = ctx.method_row(method);
    let describe = |n, ty| Source::of_row(ctx, module, row, n, unicode)?.param(ty);
    let numbered = (1..).zip(signature.params);
    Ok(Described {
        params: numbered
            .map(|(n, ty)| describe(n, *ty))
            .collect::<Result<_>>()?,
        ret: describe(0, signature.ret)?,
        returns_hresult: false,
        saves_last_error: false,
        declared: usize::MAX,
        method: Some(method),
    })
}

/// What describes one parameter.
struct Source<'c> {
    ctx: &'c TypeContext,
    /// From 1; 0 is the result.
    number: u32,
    flags: u16,
    spec: Option<MarshalSpec>,
    unicode: bool,
}

impl<'c> Source<'c> {
    fn of_row(
        ctx: &'c TypeContext,
        module: ModuleId,
        row: MethodDefRow,
        number: u32,
        unicode: bool,
    ) -> Result<Source<'c>> {
        let (flags, spec) = row_of(ctx.module(module), row, number);
        let spec = spec.map(marshal::parse).transpose();
        Ok(Source {
            ctx,
            number,
            flags,
            spec: spec.map_err(Error::from)?,
            unicode,
        })
    }

    fn param(&self, ty: TypeId) -> Result<Param> {
        let conversion = self.conversion(ty).map_err(|e| self.named(e))?;
        let (given_in, given_out) = (self.flags & PARAM_IN != 0, self.flags & PARAM_OUT != 0);
        let (is_in, is_out) = match (&conversion, given_in, given_out) {
            (Conversion::ByRef(_) | Conversion::Builder(_), false, false) => (true, true),
            (_, false, false) => (true, false),
            (_, given_in, given_out) => (given_in, given_out),
        };
        Ok(Param {
            ty,
            conversion,
            is_in,
            is_out,
        })
    }

    /// Says in the message which parameter is meant.
    fn named(&self, e: Error) -> Error {
        match e {
            Error::Marshal { reason } => {
                let place = match self.number {
                    0 => "return value".to_owned(),
                    n => format!("parameter #{n}"),
                };
                Error::Marshal {
                    reason: format!("'{place}': {reason}").into(),
                }
            }
            e => e,
        }
    }

    fn simple(&self) -> Option<NativeType> {
        match self.spec {
            Some(MarshalSpec::Simple(n)) => Some(n),
            _ => None,
        }
    }

    fn refused<T>(&self, ty: TypeId) -> TypeResult<T> {
        let reason = "invalid managed/unmanaged type combination";
        Err(self.ctx.unmarshalable(ty, reason))
    }

    fn conversion(&self, ty: TypeId) -> TypeResult<Conversion> {
        let ctx = self.ctx;
        if let TypeKind::ByRef(inner) = ctx.kind(ty) {
            if self.number == 0 {
                return self.refused(ty);
            }
            return Ok(match self.conversion(inner)? {
                Conversion::StructPointer(t) => Conversion::ByRef(Conversion::Struct(t).into()),
                Conversion::Builder(_) | Conversion::HandleRef | Conversion::ByRef(_) => {
                    return self.refused(ty);
                }
                inner => Conversion::ByRef(inner.into()),
            });
        }
        if matches!(self.spec, Some(MarshalSpec::Custom { .. })) {
            return match ctx.value_class(ty)? {
                ValueClass::Scalar(MemType::Ref) => Ok(Conversion::Custom(self.number)),
                _ => Err(ctx.unmarshalable(
                    ty,
                    "custom marshalers are only allowed on classes, strings, arrays and boxed value types",
                )),
            };
        }
        if let Some(p) = ctx.prim(ctx.try_underlying(ty)?) {
            return self.primitive(ty, p);
        }
        match ctx.value_class(ty)? {
            ValueClass::Void => Ok(Conversion::Void),
            ValueClass::Scalar(MemType::Ref) => self.reference(ty),
            ValueClass::Scalar(m) => Ok(Conversion::Scalar(m)),
            ValueClass::Struct { .. } if ty == ctx.known(Known::HandleRef) => {
                Ok(Conversion::HandleRef)
            }
            ValueClass::Struct { .. } => {
                ctx.native_layout(ty)?;
                Ok(match self.simple() {
                    Some(NativeType::LPSTRUCT) => Conversion::StructPointer(ty),
                    _ => Conversion::Struct(ty),
                })
            }
        }
    }

    fn primitive(&self, ty: TypeId, p: Prim) -> TypeResult<Conversion> {
        Ok(match p {
            Prim::Bool => match BoolForm::of(self.simple()) {
                Some(form) => Conversion::Bool(form),
                None => return self.refused(ty),
            },
            Prim::Char => match self.ctx.native_kind(ty, self.spec.as_ref(), self.unicode)? {
                NativeKind::NarrowChar => Conversion::NarrowChar,
                _ => Conversion::Scalar(MemType::U16),
            },
            p => Conversion::Scalar(p.mem_type()),
        })
    }

    fn reference(&self, ty: TypeId) -> TypeResult<Conversion> {
        let ctx = self.ctx;
        let is_a = |class| ctx.ancestor_of_definition(ty, ctx.known(class)).is_some();
        if ty == ctx.known(Known::String) || ty == ctx.known(Known::StringBuilder) {
            let form = match self.spec {
                Some(MarshalSpec::Simple(_)) | None => TextForm::of(self.simple(), self.unicode),
                Some(_) => None,
            };
            return match form {
                Some(form) if ty == ctx.known(Known::String) => Ok(Conversion::Text(form)),
                Some(form @ (TextForm::Utf8 | TextForm::Utf16)) if self.number != 0 => {
                    Ok(Conversion::Builder(form))
                }
                _ => self.refused(ty),
            };
        }
        if let TypeKind::SzArray(element) | TypeKind::Array { elem: element, .. } = ctx.kind(ty) {
            return self.array(ty, element);
        }
        if ctx.is_interface(ty) {
            return Err(ctx.unmarshalable(ty, "COM interfaces are not supported"));
        }
        if ctx.is_delegate(ty) {
            return match self.simple() {
                None | Some(NativeType::FUNCTION) => Ok(Conversion::Function(ty)),
                Some(_) => self.refused(ty),
            };
        }
        if is_a(Known::SafeHandle) {
            return Ok(Conversion::SafeHandle(ty));
        }
        if is_a(Known::CriticalHandle) {
            return Ok(Conversion::CriticalHandle(ty));
        }
        if ty == ctx.known(Known::Object) {
            let reason = "objects are variants by default, and COM is not supported";
            return Err(ctx.unmarshalable(ty, reason));
        }
        ctx.native_layout(ty)?;
        Ok(Conversion::Class(ty))
    }

    fn array(&self, array: TypeId, element: TypeId) -> TypeResult<Conversion> {
        let ctx = self.ctx;
        let (native, size_param, size_const) = match self.spec {
            None => (None, None, None),
            Some(MarshalSpec::Array {
                element,
                size_param,
                size_const,
            }) => (element, size_param, size_const),
            _ => return self.refused(array),
        };
        if self.number == 0 {
            return Err(ctx.unmarshalable(array, "arrays cannot be returned"));
        }
        let inner = native.map(MarshalSpec::Simple);
        let kind = ctx.native_kind(element, inner.as_ref(), self.unicode)?;
        let blittable = match kind {
            NativeKind::Scalar(_) => true,
            NativeKind::Struct(t) => ctx.native_layout(t)?.blittable,
            NativeKind::Class(_) | NativeKind::Handle(_) | NativeKind::FixedArray { .. } => {
                return self.refused(array);
            }
            _ => false,
        };
        if !blittable && !matches!(ctx.kind(array), TypeKind::SzArray(_)) {
            let reason =
                "elements of multi-dimensional arrays must have the same bytes on both sides";
            return Err(ctx.unmarshalable(array, reason));
        }
        Ok(Conversion::Array(ArrayConversion {
            array,
            element,
            kind,
            blittable,
            size_const,
            size_param,
        }))
    }
}

/// Flags and marshalling descriptor of a parameter (from 1; 0 is the result).
fn row_of(md: &Module, method: MethodDefRow, number: u32) -> (u16, Option<&'static [u8]>) {
    for row in md.params_of(method) {
        if let Ok(p) = md.param(row)
            && u32::from(p.sequence) == number
        {
            return (p.flags, md.field_marshal_of(row.into()));
        }
    }
    (0, None)
}
