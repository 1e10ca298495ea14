//! Identity of types and members that holds across processes.
//!
//! Images name types, methods and fields by assembly name and metadata row. The encoding below is a
//! byte string that another context with the same assemblies decodes to the same thing.
//!
//! ```text
//! type   := 'D' asm row | 'I' type n type* | 'S' type | 'A' rank type | 'P' type | 'R' type
//!         | 'F' sig | 'V' n | 'M' n | 'G' asm row | 'C'
//! method := 'd' row type(owner) n type* | 'a' op type | 's' kind method sig
//! field  := row type(owner)
//! sig    := flags conv generic_count fixed+1 n type* type(ret)
//! asm    := len utf-8          numbers are LEB128
//! ```

use super::{
    ArrayMethod, CallConv, Error, FieldId, FieldKind, MethodId, MethodKind, MethodSignature,
    ModuleId, Result, SyntheticKind, TypeContext, TypeId, TypeKind,
};
use crate::metadata::{FieldRow, GenericParamRow, MethodDefRow, TypeDefRow};

/// FNV-1a, 64 bits: a hash that never changes.
#[derive(Clone, Copy, Debug)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv::new()
    }
}

impl Fnv {
    /// The empty hash.
    pub fn new() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.0 = (self.0 ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// The hash of what was added, well mixed.
    pub fn finish(self) -> u64 {
        let mut h = self.0;
        h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        h ^ (h >> 33)
    }
}

const SYNTHETIC: [SyntheticKind; 7] = [
    SyntheticKind::DelegateInvoke,
    SyntheticKind::NativeToManaged,
    SyntheticKind::ManagedToNative,
    SyntheticKind::Unbox,
    SyntheticKind::Instantiating,
    SyntheticKind::ReflectionInvoke,
    SyntheticKind::Synchronized,
];

const CONVENTIONS: [CallConv; 6] = [
    CallConv::Default,
    CallConv::C,
    CallConv::StdCall,
    CallConv::ThisCall,
    CallConv::FastCall,
    CallConv::VarArg,
];

/// Nesting at which decoding gives up.
const MAX_NESTING: u32 = 128;

fn number(out: &mut Vec<u8>, mut n: u32) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

impl TypeContext {
    /// Appends the encoding of a type.
    pub fn encode_type(&self, t: TypeId, out: &mut Vec<u8>) {
        let tagged = |tag: u8, n: u32, out: &mut Vec<u8>| {
            out.push(tag);
            number(out, n);
        };
        match self.kind(t) {
            TypeKind::Def { module, row } => {
                out.push(b'D');
                self.encode_row(module, row.0, out);
            }
            TypeKind::Inst { def, args } => {
                out.push(b'I');
                self.encode_type(def, out);
                self.encode_types(args, out);
            }
            TypeKind::SzArray(e) => {
                out.push(b'S');
                self.encode_type(e, out);
            }
            TypeKind::Array { elem, rank } => {
                tagged(b'A', rank, out);
                self.encode_type(elem, out);
            }
            TypeKind::Ptr(e) => {
                out.push(b'P');
                self.encode_type(e, out);
            }
            TypeKind::ByRef(e) => {
                out.push(b'R');
                self.encode_type(e, out);
            }
            TypeKind::FnPtr(s) => {
                out.push(b'F');
                self.encode_signature(self.signature(s), out);
            }
            TypeKind::Var(n) => tagged(b'V', n, out),
            TypeKind::MVar(n) => tagged(b'M', n, out),
            TypeKind::Param { module, row } => {
                out.push(b'G');
                self.encode_row(module, row.0, out);
            }
            TypeKind::Canon => out.push(b'C'),
            TypeKind::Missing(k) => tagged(b'X', k as u32, out),
        }
    }

    /// Appends the encoding of a method.
    pub fn encode_method(&self, m: MethodId, out: &mut Vec<u8>) {
        match self.method_kind(m) {
            MethodKind::Def {
                row, owner, args, ..
            } => {
                out.push(b'd');
                number(out, row.0);
                self.encode_type(owner, out);
                self.encode_types(args, out);
            }
            MethodKind::Array { array, op } => {
                out.push(b'a');
                match op {
                    ArrayMethod::Get => number(out, 0),
                    ArrayMethod::Set => number(out, 1),
                    ArrayMethod::Address => number(out, 2),
                    ArrayMethod::Ctor(n) => number(out, 3 + n),
                }
                self.encode_type(array, out);
            }
            MethodKind::Synthetic { kind, subject, sig } => {
                out.push(b's');
                let kind = SYNTHETIC.iter().position(|&k| k == kind);
                number(out, kind.unwrap_or(SYNTHETIC.len()) as u32);
                self.encode_method(subject, out);
                self.encode_signature(self.signature(sig), out);
            }
        }
    }

    /// Appends the encoding of a field.
    pub fn encode_field(&self, f: FieldId, out: &mut Vec<u8>) {
        let field = self.field_kind(f);
        number(out, field.row.0);
        self.encode_type(field.owner, out);
    }

    /// Appends the name of a module's assembly.
    pub fn encode_module(&self, module: ModuleId, out: &mut Vec<u8>) {
        if self.growth(module).is_some() {
            // Modules made at run time are in no image, and their names may be anybody's.
            let unique = format!("\0{}", module.0);
            number(out, unique.len() as u32);
            out.extend_from_slice(unique.as_bytes());
            return;
        }
        let name = self.module_name(module);
        number(out, name.len() as u32);
        out.extend_from_slice(name.as_bytes());
    }

    /// A number for a type that is the same in every process.
    pub fn stable_type_hash(&self, t: TypeId) -> u64 {
        hash_of(|out| self.encode_type(t, out))
    }

    /// A number for a method that is the same in every process.
    pub fn stable_method_hash(&self, m: MethodId) -> u64 {
        hash_of(|out| self.encode_method(m, out))
    }

    /// A number for a field that is the same in every process.
    pub fn stable_field_hash(&self, f: FieldId) -> u64 {
        hash_of(|out| self.encode_field(f, out))
    }

    fn encode_row(&self, module: ModuleId, row: u32, out: &mut Vec<u8>) {
        self.encode_module(module, out);
        number(out, row);
    }

    fn encode_types(&self, types: &[TypeId], out: &mut Vec<u8>) {
        number(out, types.len() as u32);
        types.iter().for_each(|&t| self.encode_type(t, out));
    }

    fn encode_signature(&self, sig: &MethodSignature, out: &mut Vec<u8>) {
        out.push(u8::from(sig.has_this) | u8::from(sig.explicit_this) << 1);
        let conv = CONVENTIONS.iter().position(|&c| c == sig.conv);
        number(out, conv.unwrap_or(0) as u32);
        number(out, sig.generic_count);
        number(out, sig.fixed_params.map_or(0, |n| n + 1));
        self.encode_types(sig.params, out);
        self.encode_type(sig.ret, out);
    }

    /// Decodes a type, loading assemblies by name on behalf of `requester`.
    pub fn decode_type(&self, requester: ModuleId, bytes: &[u8]) -> Result<TypeId> {
        self.decode(requester, bytes, Decoder::ty)
    }

    /// Decodes a method.
    pub fn decode_method(&self, requester: ModuleId, bytes: &[u8]) -> Result<MethodId> {
        self.decode(requester, bytes, Decoder::method)
    }

    /// Decodes a field.
    pub fn decode_field(&self, requester: ModuleId, bytes: &[u8]) -> Result<FieldId> {
        self.decode(requester, bytes, Decoder::field)
    }

    fn decode<'a, T>(
        &'a self,
        requester: ModuleId,
        bytes: &'a [u8],
        read: impl FnOnce(&mut Decoder<'a>) -> Result<T>,
    ) -> Result<T> {
        let mut decoder = Decoder {
            ctx: self,
            requester,
            data: bytes,
            nesting: 0,
        };
        let value = read(&mut decoder)?;
        match decoder.data {
            [] => Ok(value),
            _ => Err(malformed()),
        }
    }
}

fn hash_of(encode: impl FnOnce(&mut Vec<u8>)) -> u64 {
    let mut bytes = Vec::with_capacity(64);
    encode(&mut bytes);
    let mut hash = Fnv::new();
    hash.write(&bytes);
    hash.finish()
}

fn malformed() -> Error {
    Error::bad_image("image", "malformed identity of a type or member")
}

/// Reads the encoding.
struct Decoder<'a> {
    ctx: &'a TypeContext,
    requester: ModuleId,
    data: &'a [u8],
    nesting: u32,
}

impl Decoder<'_> {
    fn byte(&mut self) -> Result<u8> {
        let (&b, rest) = self.data.split_first().ok_or_else(malformed)?;
        self.data = rest;
        Ok(b)
    }

    fn number(&mut self) -> Result<u32> {
        let mut n = 0;
        for shift in (0..35).step_by(7) {
            let b = self.byte()?;
            n |= u64::from(b & 0x7f) << shift;
            if b & 0x80 == 0 {
                return u32::try_from(n).map_err(|_| malformed());
            }
        }
        Err(malformed())
    }

    fn module(&mut self) -> Result<ModuleId> {
        let len = self.number()? as usize;
        let (name, rest) = self.data.split_at_checked(len).ok_or_else(malformed)?;
        self.data = rest;
        let name = core::str::from_utf8(name).map_err(|_| malformed())?;
        self.ctx.module_by_simple_name(self.requester, name)
    }

    fn def(&mut self) -> Result<TypeId> {
        let module = self.module()?;
        let row = TypeDefRow(self.number()?);
        self.ctx.module(module).type_def(row)?;
        Ok(self.ctx.type_def(module, row))
    }

    fn types(&mut self) -> Result<Vec<TypeId>> {
        let count = self.number()? as usize;
        if count > self.data.len() {
            return Err(malformed());
        }
        (0..count).map(|_| self.ty()).collect()
    }

    fn ty(&mut self) -> Result<TypeId> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(malformed());
        }
        let t = self.ty_inner()?;
        self.nesting -= 1;
        Ok(t)
    }

    fn ty_inner(&mut self) -> Result<TypeId> {
        let ctx = self.ctx;
        let kind = match self.byte()? {
            b'D' => return self.def(),
            b'I' => {
                let def = self.ty()?;
                let args = self.types()?;
                if !ctx.is_generic_definition(def) || args.len() as u32 != ctx.generic_count(def) {
                    return Err(malformed());
                }
                return Ok(ctx.instance(def, &args));
            }
            b'S' => TypeKind::SzArray(self.ty()?),
            b'A' => {
                let rank = self.number()?;
                let elem = self.ty()?;
                TypeKind::Array { elem, rank }
            }
            b'P' => TypeKind::Ptr(self.ty()?),
            b'R' => TypeKind::ByRef(self.ty()?),
            b'F' => TypeKind::FnPtr(ctx.intern_signature(self.signature()?)),
            b'V' => TypeKind::Var(self.number()?),
            b'M' => TypeKind::MVar(self.number()?),
            b'G' => TypeKind::Param {
                module: self.module()?,
                row: GenericParamRow(self.number()?),
            },
            b'C' => TypeKind::Canon,
            b'X' => {
                let known = super::Known::ALL.get(self.number()? as usize);
                TypeKind::Missing(*known.ok_or_else(malformed)?)
            }
            _ => return Err(malformed()),
        };
        Ok(ctx.intern_type(kind))
    }

    fn signature(&mut self) -> Result<MethodSignature> {
        let flags = self.byte()?;
        let conv = CONVENTIONS.get(self.number()? as usize);
        let generic_count = self.number()?;
        let fixed = self.number()?;
        let params = self.types()?;
        Ok(MethodSignature {
            has_this: flags & 1 != 0,
            explicit_this: flags & 2 != 0,
            conv: *conv.ok_or_else(malformed)?,
            generic_count,
            params: self.ctx.list(&params),
            ret: self.ty()?,
            fixed_params: fixed.checked_sub(1),
        })
    }

    fn method(&mut self) -> Result<MethodId> {
        let ctx = self.ctx;
        let kind = match self.byte()? {
            b'd' => {
                let row = MethodDefRow(self.number()?);
                let owner = self.ty()?;
                let args = self.types()?;
                let (module, class) = ctx.def_of(owner).ok_or_else(malformed)?;
                if ctx.module(module).owner_of_method(row) != Ok(class) {
                    return Err(malformed());
                }
                MethodKind::Def {
                    module,
                    row,
                    owner,
                    args: ctx.list(&args),
                }
            }
            b'a' => {
                let op = match self.number()? {
                    0 => ArrayMethod::Get,
                    1 => ArrayMethod::Set,
                    2 => ArrayMethod::Address,
                    n => ArrayMethod::Ctor(n - 3),
                };
                let array = self.ty()?;
                MethodKind::Array { array, op }
            }
            b's' => {
                self.nesting += 1;
                if self.nesting > MAX_NESTING {
                    return Err(malformed());
                }
                let kind = SYNTHETIC.get(self.number()? as usize);
                MethodKind::Synthetic {
                    kind: *kind.ok_or_else(malformed)?,
                    subject: self.method()?,
                    sig: ctx.intern_signature(self.signature()?),
                }
            }
            _ => return Err(malformed()),
        };
        Ok(ctx.intern_method(kind))
    }

    fn field(&mut self) -> Result<FieldId> {
        let row = FieldRow(self.number()?);
        let owner = self.ty()?;
        let (module, class) = self.ctx.def_of(owner).ok_or_else(malformed)?;
        if self.ctx.module(module).owner_of_field(row) != Ok(class) {
            return Err(malformed());
        }
        Ok(self.ctx.intern_field(FieldKind { module, row, owner }))
    }
}
