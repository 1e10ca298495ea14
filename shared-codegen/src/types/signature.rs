//! Signature blobs read straight into interned types (ECMA-335 II.23.2).

use super::{
    CallConv, Error, GenericContext, Known, Local, MethodSignature, ModuleId, Result, TypeContext,
    TypeId, TypeKind, TypeList,
};
use crate::metadata::sig::{self, Element, MethodSig, TypeSig};
use crate::metadata::{MemberRefRow, RowId, StandAloneSigRow, Token, TypeRefRow, TypeSpecRow};

/// A signature with its types, before interning.
#[derive(Clone, Debug)]
pub(crate) struct ParsedMethod {
    pub(crate) has_this: bool,
    pub(crate) explicit_this: bool,
    pub(crate) conv: CallConv,
    pub(crate) generic_count: u32,
    pub(crate) params: Vec<TypeId>,
    pub(crate) ret: TypeId,
    pub(crate) fixed_params: Option<u32>,
}

impl ParsedMethod {
    /// Parameters before the sentinel.
    pub(crate) fn fixed(&self) -> &[TypeId] {
        let n = self.fixed_params.map_or(self.params.len(), |n| n as usize);
        self.params.get(..n).unwrap_or(&self.params)
    }

    /// Refers to a method declared with `sig`.
    pub(crate) fn matches(&self, sig: &MethodSignature) -> bool {
        self.has_this == sig.has_this
            && self.generic_count == sig.generic_count
            && (self.conv == CallConv::VarArg) == sig.is_vararg()
            && self.fixed() == sig.params
            && self.ret == sig.ret
    }
}

/// Element types that can stand for a class.
const ELEMENTS: [(Element, Known); 18] = [
    (Element::Void, Known::Void),
    (Element::Boolean, Known::Boolean),
    (Element::Char, Known::Char),
    (Element::I1, Known::SByte),
    (Element::U1, Known::Byte),
    (Element::I2, Known::Int16),
    (Element::U2, Known::UInt16),
    (Element::I4, Known::Int32),
    (Element::U4, Known::UInt32),
    (Element::I8, Known::Int64),
    (Element::U8, Known::UInt64),
    (Element::R4, Known::Single),
    (Element::R8, Known::Double),
    (Element::String, Known::String),
    (Element::TypedByRef, Known::TypedReference),
    (Element::I, Known::IntPtr),
    (Element::U, Known::UIntPtr),
    (Element::Object, Known::Object),
];

/// Classes of the element types.
fn element_class(e: Element) -> Known {
    let found = ELEMENTS.iter().find(|(element, _)| *element == e);
    found.map_or(Known::Object, |(_, class)| *class)
}

impl TypeContext {
    /// The element type that stands for a class in signatures.
    pub(crate) fn element_of(&self, t: TypeId) -> Option<Element> {
        let found = ELEMENTS.iter().find(|(_, class)| self.known(*class) == t);
        found.map(|(element, _)| *element)
    }

    /// The type a signature tree of `module` stands for. Custom modifiers are dropped.
    pub fn type_of_sig(
        &self,
        module: ModuleId,
        sig: &TypeSig,
        generics: GenericContext,
    ) -> Result<TypeId> {
        let part = |s: &TypeSig| self.type_of_sig(module, s, generics);
        let argument = |args: TypeList, n: u32, open: TypeKind| match args.get(n as usize) {
            Some(&t) => t,
            None => self.intern_type(open),
        };
        Ok(match sig {
            TypeSig::Element(e) => self.known(element_class(*e)),
            TypeSig::Named(token, value) => self.named_type(module, *token, *value)?,
            TypeSig::Generic(token, value, args) => {
                let def = self.named_type(module, *token, *value)?;
                if args.is_empty() || args.len() as u32 != self.generic_count(def) {
                    return Err(self.type_load(def, "wrong number of type arguments"));
                }
                let args: Vec<TypeId> = args.iter().map(part).collect::<Result<_>>()?;
                self.instance(def, &args)
            }
            TypeSig::SzArray(e) => self.sz_array(part(e)?),
            TypeSig::Array(e, shape) => self.intern_type(TypeKind::Array {
                elem: part(e)?,
                rank: shape.rank,
            }),
            TypeSig::Ptr(e) => self.pointer(part(e)?),
            TypeSig::ByRef(e) => self.by_ref(part(e)?),
            TypeSig::FnPtr(m) => {
                let parsed = self.parse_sig(module, m, generics)?;
                let sig = self.intern_signature(self.finish_signature(parsed));
                self.intern_type(TypeKind::FnPtr(sig))
            }
            TypeSig::Var(n) => argument(generics.type_args, *n, TypeKind::Var(*n)),
            TypeSig::MVar(n) => argument(generics.method_args, *n, TypeKind::MVar(*n)),
            TypeSig::Modified(_, _, inner) | TypeSig::Pinned(inner) => part(inner)?,
        })
    }

    /// A class named inside a signature, as a class or a value type. TypeSpecs are refused there: they could name themselves.
    fn named_type(&self, module: ModuleId, token: Token, value: bool) -> Result<TypeId> {
        if token.table() == TypeSpecRow::TABLE {
            let file = self.module_name(module);
            return Err(Error::bad_image(file, "TypeSpec inside a signature"));
        }
        let found = self.resolve_type(module, token, GenericContext::EMPTY)?;
        // What an own definition is was known to the compiler; that of another module may have changed since.
        if token.table() == TypeRefRow::TABLE
            && value != self.is_value_type(found)
            && self.growth(module).is_none()
        {
            return Err(self.at_odds(found, "due to value type mismatch"));
        }
        Ok(found)
    }

    fn parse_sig(
        &self,
        module: ModuleId,
        sig: &MethodSig,
        generics: GenericContext,
    ) -> Result<ParsedMethod> {
        let conv = match sig.call_conv {
            0 => CallConv::Default,
            1 => CallConv::C,
            2 => CallConv::StdCall,
            3 => CallConv::ThisCall,
            4 => CallConv::FastCall,
            5 => CallConv::VarArg,
            _ => {
                let file = self.module_name(module);
                return Err(Error::bad_image(file, "calling convention of a signature"));
            }
        };
        let params = sig.params.iter();
        Ok(ParsedMethod {
            has_this: sig.has_this,
            explicit_this: sig.explicit_this,
            conv,
            generic_count: sig.generic_count,
            params: params
                .map(|p| self.type_of_sig(module, p, generics))
                .collect::<Result<_>>()?,
            ret: self.type_of_sig(module, &sig.ret, generics)?,
            fixed_params: sig.sentinel,
        })
    }

    fn finish_signature(&self, sig: ParsedMethod) -> MethodSignature {
        MethodSignature {
            has_this: sig.has_this,
            explicit_this: sig.explicit_this,
            conv: sig.conv,
            generic_count: sig.generic_count,
            params: self.list(&sig.params),
            ret: sig.ret,
            fixed_params: sig.fixed_params,
        }
    }

    pub(crate) fn parse_method_signature(
        &self,
        module: ModuleId,
        blob: &'static [u8],
    ) -> Result<ParsedMethod> {
        self.parse_sig(module, &sig::parse_method(blob)?, GenericContext::EMPTY)
    }

    pub(crate) fn read_method_signature(
        &self,
        module: ModuleId,
        blob: &'static [u8],
        generics: GenericContext,
    ) -> Result<MethodSignature> {
        let parsed = self.parse_sig(module, &sig::parse_method(blob)?, generics)?;
        Ok(self.finish_signature(parsed))
    }

    pub(crate) fn read_field_signature(
        &self,
        module: ModuleId,
        blob: &'static [u8],
        generics: GenericContext,
    ) -> Result<TypeId> {
        self.type_of_sig(module, &sig::parse_field(blob)?, generics)
    }

    pub(crate) fn read_type_spec(
        &self,
        module: ModuleId,
        blob: &'static [u8],
        generics: GenericContext,
    ) -> Result<TypeId> {
        self.type_of_sig(module, &sig::parse_type(blob)?, generics)
    }

    /// Arguments of a MethodSpec, in open terms.
    pub(crate) fn read_instantiation(
        &self,
        module: ModuleId,
        blob: &'static [u8],
    ) -> Result<TypeList> {
        let args = sig::parse_method_spec(blob)?;
        let args: Vec<TypeId> = args
            .iter()
            .map(|a| self.type_of_sig(module, a, GenericContext::EMPTY))
            .collect::<Result<_>>()?;
        Ok(self.list(&args))
    }

    /// Local variables of a `StandAloneSig` token; none for the nil token.
    pub fn locals(
        &self,
        module: ModuleId,
        token: Token,
        generics: GenericContext,
    ) -> Result<Vec<Local>> {
        if token.is_null() {
            return Ok(Vec::new());
        }
        let blob = self.stand_alone_blob(module, token)?;
        let locals = sig::parse_locals(blob)?;
        let local = |s: &TypeSig| {
            Ok(Local {
                ty: self.type_of_sig(module, s, generics)?,
                pinned: is_pinned(s),
            })
        };
        locals.iter().map(local).collect()
    }

    fn stand_alone_blob(&self, module: ModuleId, token: Token) -> Result<&'static [u8]> {
        let row: StandAloneSigRow = token
            .as_row()
            .ok_or_else(|| Error::bad_image(self.module_name(module), "signature token"))?;
        Ok(self.module(module).stand_alone_sig(row)?.signature)
    }

    /// The signature of a `calli` site.
    pub fn stand_alone_signature(
        &self,
        module: ModuleId,
        token: Token,
        generics: GenericContext,
    ) -> Result<MethodSignature> {
        let blob = self.stand_alone_blob(module, token)?;
        self.read_method_signature(module, blob, generics)
    }

    /// The signature written at a call site: for vararg calls through a MemberRef it has the extra arguments, else it is the method's.
    pub fn call_site_signature(
        &self,
        module: ModuleId,
        token: Token,
        generics: GenericContext,
    ) -> Result<MethodSignature> {
        if let Some(row) = token.as_row::<MemberRefRow>() {
            // References bound at run time have no row.
            let blob = self
                .module(module)
                .member_ref(row)
                .map_or(&[][..], |r| r.signature);
            if blob.first().is_some_and(|c| c & 0xf == 5) {
                return self.read_method_signature(module, blob, generics);
            }
        }
        let m = self.resolve_method(module, token, generics)?;
        self.method_signature(m).copied()
    }
}

/// `pinned` may stand behind custom modifiers.
fn is_pinned(sig: &TypeSig) -> bool {
    match sig {
        TypeSig::Pinned(_) => true,
        TypeSig::Modified(_, _, inner) => is_pinned(inner),
        _ => false,
    }
}
