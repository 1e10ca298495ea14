//! Signature blobs read straight into interned types (ECMA-335 II.23.2).

use super::{
    CallConv, Error, GenericContext, Known, Local, MethodSignature, ModuleId, Result, TypeContext,
    TypeId, TypeKind, TypeList,
};
use crate::metadata::{Token, coded};

/// Nesting of a signature after which it is refused.
const MAX_NESTING: u32 = 64;
/// Parameters, locals or arguments of one signature.
const MAX_COUNT: u32 = 0xffff;

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

/// Reads one blob.
struct Reader<'a> {
    ctx: &'a TypeContext,
    module: ModuleId,
    generics: GenericContext,
    data: &'static [u8],
    nesting: u32,
}

mod element {
    pub(super) const PTR: u8 = 0x0f;
    pub(super) const BYREF: u8 = 0x10;
    pub(super) const VALUETYPE: u8 = 0x11;
    pub(super) const CLASS: u8 = 0x12;
    pub(super) const VAR: u8 = 0x13;
    pub(super) const ARRAY: u8 = 0x14;
    pub(super) const GENERICINST: u8 = 0x15;
    pub(super) const FNPTR: u8 = 0x1b;
    pub(super) const SZARRAY: u8 = 0x1d;
    pub(super) const MVAR: u8 = 0x1e;
    pub(super) const CMOD_REQD: u8 = 0x1f;
    pub(super) const CMOD_OPT: u8 = 0x20;
    pub(super) const SENTINEL: u8 = 0x41;
    pub(super) const PINNED: u8 = 0x45;
}

/// Classes of the one-byte element types.
const SIMPLE: [(u8, Known); 18] = [
    (0x01, Known::Void),
    (0x02, Known::Boolean),
    (0x03, Known::Char),
    (0x04, Known::SByte),
    (0x05, Known::Byte),
    (0x06, Known::Int16),
    (0x07, Known::UInt16),
    (0x08, Known::Int32),
    (0x09, Known::UInt32),
    (0x0a, Known::Int64),
    (0x0b, Known::UInt64),
    (0x0c, Known::Single),
    (0x0d, Known::Double),
    (0x0e, Known::String),
    (0x16, Known::TypedReference),
    (0x18, Known::IntPtr),
    (0x19, Known::UIntPtr),
    (0x1c, Known::Object),
];

impl Reader<'_> {
    fn bad(&self, what: &str) -> Error {
        Error::bad_image(
            self.ctx.module_name(self.module),
            format_args!("signature: {what}"),
        )
    }

    fn byte(&mut self) -> Result<u8> {
        let (&b, rest) = self
            .data
            .split_first()
            .ok_or_else(|| self.bad("ends early"))?;
        self.data = rest;
        Ok(b)
    }

    fn peek(&self) -> u8 {
        self.data.first().copied().unwrap_or(0)
    }

    /// A compressed unsigned number.
    fn number(&mut self) -> Result<u32> {
        let first = self.byte()?;
        if first & 0x80 == 0 {
            return Ok(first.into());
        }
        let second = u32::from(self.byte()?);
        if first & 0x40 == 0 {
            return Ok(u32::from(first & 0x3f) << 8 | second);
        }
        let (third, fourth) = (u32::from(self.byte()?), u32::from(self.byte()?));
        Ok(u32::from(first & 0x1f) << 24 | second << 16 | third << 8 | fourth)
    }

    fn count(&mut self) -> Result<u32> {
        match self.number()? {
            n if n <= MAX_COUNT && n as usize <= self.data.len() => Ok(n),
            _ => Err(self.bad("count")),
        }
    }

    fn token(&mut self) -> Result<Token> {
        let coded = self.number()?;
        coded::type_def_or_ref(coded).ok_or_else(|| self.bad("type token"))
    }

    fn skip_modifiers(&mut self) -> Result<()> {
        while matches!(self.peek(), element::CMOD_REQD | element::CMOD_OPT) {
            self.byte()?;
            self.number()?;
        }
        Ok(())
    }

    fn ty(&mut self) -> Result<TypeId> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(self.bad("nested too deeply"));
        }
        self.skip_modifiers()?;
        let t = self.ty_inner()?;
        self.nesting -= 1;
        Ok(t)
    }

    fn ty_inner(&mut self) -> Result<TypeId> {
        let ctx = self.ctx;
        Ok(match self.byte()? {
            element::PTR => ctx.pointer(self.ty()?),
            element::BYREF => ctx.by_ref(self.ty()?),
            element::CLASS | element::VALUETYPE => {
                let token = self.token()?;
                ctx.resolve_type(self.module, token, self.generics)?
            }
            element::VAR => {
                let n = self.number()?;
                self.argument(self.generics.type_args, n, TypeKind::Var(n))
            }
            element::MVAR => {
                let n = self.number()?;
                self.argument(self.generics.method_args, n, TypeKind::MVar(n))
            }
            element::SZARRAY => ctx.sz_array(self.ty()?),
            element::ARRAY => self.array()?,
            element::GENERICINST => self.instance()?,
            element::FNPTR => {
                let sig = self.method()?;
                let sig = ctx.intern_signature(ctx.finish_signature(sig));
                ctx.intern_type(TypeKind::FnPtr(sig))
            }
            code => match SIMPLE.iter().find(|s| s.0 == code) {
                Some(&(_, class)) => ctx.known(class),
                None => return Err(self.bad("element type")),
            },
        })
    }

    fn argument(&self, args: TypeList, n: u32, open: TypeKind) -> TypeId {
        match args.get(n as usize) {
            Some(&t) => t,
            None => self.ctx.intern_type(open),
        }
    }

    fn array(&mut self) -> Result<TypeId> {
        let elem = self.ty()?;
        let rank = self.number()?;
        if rank == 0 || rank > 32 {
            return Err(self.bad("array rank"));
        }
        for _ in 0..2 {
            // Sizes, then lower bounds; neither is part of the type's identity.
            for _ in 0..self.count()? {
                self.number()?;
            }
        }
        Ok(self.ctx.intern_type(TypeKind::Array { elem, rank }))
    }

    fn instance(&mut self) -> Result<TypeId> {
        self.byte()?;
        let token = self.token()?;
        let def = self
            .ctx
            .resolve_type(self.module, token, GenericContext::EMPTY)?;
        let count = self.count()?;
        if count == 0 || count != self.ctx.generic_count(def) {
            return Err(self.ctx.type_load(def, "wrong number of type arguments"));
        }
        let args: Vec<TypeId> = (0..count).map(|_| self.ty()).collect::<Result<_>>()?;
        Ok(self.ctx.instance(def, &args))
    }

    fn method(&mut self) -> Result<ParsedMethod> {
        let flags = self.byte()?;
        let conv = match flags & 0xf {
            0 => CallConv::Default,
            1 => CallConv::C,
            2 => CallConv::StdCall,
            3 => CallConv::ThisCall,
            4 => CallConv::FastCall,
            5 => CallConv::VarArg,
            _ => return Err(self.bad("calling convention")),
        };
        let generic_count = if flags & 0x10 != 0 { self.number()? } else { 0 };
        let count = self.count()?;
        let ret = self.ty()?;
        let mut params = Vec::with_capacity(count as usize);
        let mut fixed_params = None;
        for n in 0..count {
            if self.peek() == element::SENTINEL {
                self.byte()?;
                fixed_params = Some(n);
            }
            params.push(self.ty()?);
        }
        Ok(ParsedMethod {
            has_this: flags & 0x20 != 0,
            explicit_this: flags & 0x40 != 0,
            conv,
            generic_count,
            params,
            ret,
            fixed_params,
        })
    }

    fn locals(&mut self) -> Result<Vec<Local>> {
        if self.byte()? != 7 {
            return Err(self.bad("not a locals signature"));
        }
        let count = self.count()?;
        (0..count).map(|_| self.local()).collect()
    }

    fn local(&mut self) -> Result<Local> {
        let mut pinned = false;
        self.skip_modifiers()?;
        while self.peek() == element::PINNED {
            self.byte()?;
            pinned = true;
            self.skip_modifiers()?;
        }
        let ty = self.ty()?;
        Ok(Local { ty, pinned })
    }
}

impl TypeContext {
    fn reader(
        &self,
        module: ModuleId,
        data: &'static [u8],
        generics: GenericContext,
    ) -> Reader<'_> {
        Reader {
            ctx: self,
            module,
            generics,
            data,
            nesting: 0,
        }
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
        self.reader(module, blob, GenericContext::EMPTY).method()
    }

    pub(crate) fn read_method_signature(
        &self,
        module: ModuleId,
        blob: &'static [u8],
        generics: GenericContext,
    ) -> Result<MethodSignature> {
        let sig = self.reader(module, blob, generics).method()?;
        Ok(self.finish_signature(sig))
    }

    pub(crate) fn read_field_signature(
        &self,
        module: ModuleId,
        blob: &'static [u8],
        generics: GenericContext,
    ) -> Result<TypeId> {
        let mut reader = self.reader(module, blob, generics);
        if reader.byte()? & 0xf != 6 {
            return Err(reader.bad("not a field signature"));
        }
        reader.ty()
    }

    pub(crate) fn read_type_spec(
        &self,
        module: ModuleId,
        blob: &'static [u8],
        generics: GenericContext,
    ) -> Result<TypeId> {
        self.reader(module, blob, generics).ty()
    }

    /// Arguments of a MethodSpec, in open terms.
    pub(crate) fn read_instantiation(
        &self,
        module: ModuleId,
        blob: &'static [u8],
    ) -> Result<TypeList> {
        let mut reader = self.reader(module, blob, GenericContext::EMPTY);
        if reader.byte()? != 0x0a {
            return Err(reader.bad("not an instantiation"));
        }
        let count = reader.count()?;
        let args: Vec<TypeId> = (0..count).map(|_| reader.ty()).collect::<Result<_>>()?;
        Ok(self.list(&args))
    }

    /// Local variables of a `StandAloneSig` token; none for the nil token.
    pub fn locals(
        &self,
        module: ModuleId,
        token: Token,
        generics: GenericContext,
    ) -> Result<Vec<Local>> {
        if token.is_nil() {
            return Ok(Vec::new());
        }
        let blob = self.module(module).stand_alone_sig(token)?;
        self.reader(module, blob, generics).locals()
    }

    /// The signature of a `calli` site.
    pub fn stand_alone_signature(
        &self,
        module: ModuleId,
        token: Token,
        generics: GenericContext,
    ) -> Result<MethodSignature> {
        let blob = self.module(module).stand_alone_sig(token)?;
        self.read_method_signature(module, blob, generics)
    }

    /// The signature written at a call site: for vararg calls through a MemberRef it has the extra arguments, else it is the method's.
    pub fn call_site_signature(
        &self,
        module: ModuleId,
        token: Token,
        generics: GenericContext,
    ) -> Result<MethodSignature> {
        use crate::metadata::Table;
        if token.table() == Table::MemberRef {
            let blob = self.module(module).member_ref(token)?.signature;
            if blob.first().is_some_and(|c| c & 0xf == 5) {
                return self.read_method_signature(module, blob, generics);
            }
        }
        let m = self.resolve_method(module, token, generics)?;
        self.method_signature(m).copied()
    }
}
