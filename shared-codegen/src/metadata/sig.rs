//! Signatures (ECMA-335 II.23.2), parsed into trees. Nesting is limited, so damaged blobs cannot
//! exhaust the stack.

use super::column::{coded, decode};
use super::error::{Error, Result};
use super::heaps::compressed;
use super::token::Token;

/// How deep types may nest in a signature.
const MAX_DEPTH: u32 = 64;

/// A type in a signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TypeSig {
    /// One of the element types that stand for a class of mscorlib: void, primitives, string, object, native ints, typed reference.
    Element(Element),
    /// Class (false) or value type (true) by TypeDefOrRef token.
    Named(Token, bool),
    /// Instance of a generic type: definition token, is a value type, arguments.
    Generic(Token, bool, Vec<TypeSig>),
    /// Vector.
    SzArray(Box<TypeSig>),
    /// Array with shape.
    Array(Box<TypeSig>, ArrayShape),
    /// Unmanaged pointer.
    Ptr(Box<TypeSig>),
    /// Managed pointer.
    ByRef(Box<TypeSig>),
    /// Function pointer.
    FnPtr(Box<MethodSig>),
    /// Generic parameter of the type.
    Var(u32),
    /// Generic parameter of the method.
    MVar(u32),
    /// Custom modifier: required?, modifier, modified type.
    Modified(bool, Token, Box<TypeSig>),
    /// Pinned local.
    Pinned(Box<TypeSig>),
}

/// Element types that name a class by themselves.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are the standard's")]
pub enum Element {
    Void = 0x01,
    Boolean = 0x02,
    Char = 0x03,
    I1 = 0x04,
    U1 = 0x05,
    I2 = 0x06,
    U2 = 0x07,
    I4 = 0x08,
    U4 = 0x09,
    I8 = 0x0a,
    U8 = 0x0b,
    R4 = 0x0c,
    R8 = 0x0d,
    String = 0x0e,
    TypedByRef = 0x16,
    I = 0x18,
    U = 0x19,
    Object = 0x1c,
}

const ELEMENTS: [Element; 18] = [
    Element::Void,
    Element::Boolean,
    Element::Char,
    Element::I1,
    Element::U1,
    Element::I2,
    Element::U2,
    Element::I4,
    Element::U4,
    Element::I8,
    Element::U8,
    Element::R4,
    Element::R8,
    Element::String,
    Element::TypedByRef,
    Element::I,
    Element::U,
    Element::Object,
];

impl Element {
    /// The element type with this byte, if it names a class by itself.
    pub fn from_byte(byte: u8) -> Option<Element> {
        ELEMENTS.into_iter().find(|e| *e as u8 == byte)
    }
}

/// Rank and bounds of an array type.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ArrayShape {
    /// Dimensions.
    pub rank: u32,
    /// Sizes of the first dimensions.
    pub sizes: Vec<u32>,
    /// Lower bounds of the first dimensions.
    pub lower_bounds: Vec<i32>,
}

/// Signature of a method.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MethodSig {
    /// Low nibble of the first byte: 0 default, 1–4 and 9 unmanaged, 5 vararg.
    pub call_conv: u8,
    /// Has a `this`.
    pub has_this: bool,
    /// `this` is among the parameters.
    pub explicit_this: bool,
    /// Number of generic parameters.
    pub generic_count: u32,
    /// Result.
    pub ret: TypeSig,
    /// Parameters.
    pub params: Vec<TypeSig>,
    /// Position of the sentinel: number of fixed parameters of a vararg call site.
    pub sentinel: Option<u32>,
}

/// Signature of a property.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PropertySig {
    /// Accessors are instance methods.
    pub has_this: bool,
    /// Type.
    pub ty: TypeSig,
    /// Index parameters.
    pub params: Vec<TypeSig>,
}

/// Reads a signature blob from front to back.
#[derive(Clone, Debug)]
pub struct SigReader {
    rest: &'static [u8],
}

impl SigReader {
    /// A reader at the start of a blob.
    pub fn new(blob: &'static [u8]) -> SigReader {
        SigReader { rest: blob }
    }

    /// Nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self
            .rest
            .split_first()
            .ok_or(Error::Signature("truncated"))?;
        self.rest = rest;
        Ok(*first)
    }

    fn peek(&self) -> u8 {
        self.rest.first().copied().unwrap_or(0)
    }

    /// A compressed unsigned number.
    pub fn number(&mut self) -> Result<u32> {
        let (n, rest) = compressed(self.rest).ok_or(Error::Signature("truncated"))?;
        self.rest = rest;
        Ok(n)
    }

    /// A compressed signed number.
    fn signed(&mut self) -> Result<i32> {
        let before = self.rest.len();
        let n = self.number()?;
        let bits = match before - self.rest.len() {
            1 => 7,
            2 => 14,
            _ => 29,
        };
        let magnitude = (n >> 1) as i32;
        Ok(if n & 1 == 0 {
            magnitude
        } else {
            magnitude - (1 << (bits - 1))
        })
    }

    fn type_token(&mut self) -> Result<Token> {
        let n = self.number()?;
        decode::<coded::TypeDefOrRef>(n)
    }

    /// A count that is followed by at least that many bytes.
    fn count(&mut self) -> Result<usize> {
        let n = self.number()? as usize;
        if n > self.rest.len() {
            Err(Error::Signature("count too large"))
        } else {
            Ok(n)
        }
    }

    fn types(&mut self, count: usize, depth: u32) -> Result<Vec<TypeSig>> {
        (0..count).map(|_| self.ty(depth)).collect()
    }

    fn boxed(&mut self, depth: u32) -> Result<Box<TypeSig>> {
        Ok(Box::new(self.ty(depth)?))
    }

    fn ty(&mut self, depth: u32) -> Result<TypeSig> {
        if depth > MAX_DEPTH {
            return Err(Error::Signature("nested too deeply"));
        }
        let depth = depth + 1;
        let byte = self.byte()?;
        if let Some(e) = Element::from_byte(byte) {
            return Ok(TypeSig::Element(e));
        }
        Ok(match byte {
            0x0f => TypeSig::Ptr(self.boxed(depth)?),
            0x10 => TypeSig::ByRef(self.boxed(depth)?),
            0x11 => TypeSig::Named(self.type_token()?, true),
            0x12 => TypeSig::Named(self.type_token()?, false),
            0x13 => TypeSig::Var(self.number()?),
            0x14 => TypeSig::Array(self.boxed(depth)?, self.shape()?),
            0x15 => {
                let is_value = match self.byte()? {
                    0x11 => true,
                    0x12 => false,
                    _ => return Err(Error::Signature("generic instance of no class")),
                };
                let def = self.type_token()?;
                let count = self.count()?;
                TypeSig::Generic(def, is_value, self.types(count, depth)?)
            }
            0x1b => TypeSig::FnPtr(Box::new(self.method(depth)?)),
            0x1d => TypeSig::SzArray(self.boxed(depth)?),
            0x1e => TypeSig::MVar(self.number()?),
            0x1f => TypeSig::Modified(true, self.type_token()?, self.boxed(depth)?),
            0x20 => TypeSig::Modified(false, self.type_token()?, self.boxed(depth)?),
            0x45 => TypeSig::Pinned(self.boxed(depth)?),
            _ => return Err(Error::Signature("unknown element type")),
        })
    }

    fn shape(&mut self) -> Result<ArrayShape> {
        let rank = self.number()?;
        if rank == 0 || rank > 32 {
            return Err(Error::Signature("array rank"));
        }
        let sizes = self.count()?;
        let sizes = (0..sizes).map(|_| self.number()).collect::<Result<_>>()?;
        let bounds = self.count()?;
        let lower_bounds = (0..bounds).map(|_| self.signed()).collect::<Result<_>>()?;
        Ok(ArrayShape {
            rank,
            sizes,
            lower_bounds,
        })
    }

    fn method(&mut self, depth: u32) -> Result<MethodSig> {
        let first = self.byte()?;
        if !matches!(first & 0x0f, 0..=5 | 9) {
            return Err(Error::Signature("not a method"));
        }
        let generic_count = if first & 0x10 != 0 { self.number()? } else { 0 };
        let count = self.count()?;
        let ret = self.ty(depth)?;
        let mut params = Vec::new();
        let mut sentinel = None;
        for i in 0..count {
            if self.peek() == 0x41 {
                self.byte()?;
                sentinel = Some(i as u32);
            }
            // Mono's assembler counts the sentinel of stand-alone signatures too.
            if sentinel.is_some() && i + 1 == count && self.rest.is_empty() {
                break;
            }
            params.push(self.ty(depth)?);
        }
        Ok(MethodSig {
            call_conv: first & 0x0f,
            has_this: first & 0x20 != 0,
            explicit_this: first & 0x40 != 0,
            generic_count,
            ret,
            params,
            sentinel,
        })
    }
}

/// First byte of a field signature.
const FIELD: u8 = 0x06;

/// Is this the blob of a field (MemberRef blobs are of fields or methods)?
pub fn is_field(blob: &[u8]) -> bool {
    blob.first().is_some_and(|b| b & 0x0f == FIELD)
}

/// A type (TypeSpec).
pub fn parse_type(blob: &'static [u8]) -> Result<TypeSig> {
    SigReader::new(blob).ty(0)
}

/// A method (MethodDef, MemberRef, StandAloneSig of `calli`).
pub fn parse_method(blob: &'static [u8]) -> Result<MethodSig> {
    SigReader::new(blob).method(0)
}

/// A field.
pub fn parse_field(blob: &'static [u8]) -> Result<TypeSig> {
    let mut r = SigReader::new(blob);
    if r.byte()? & 0x0f != FIELD {
        return Err(Error::Signature("not a field"));
    }
    r.ty(0)
}

/// Local variables; pinned ones are `TypeSig::Pinned` at the outside.
pub fn parse_locals(blob: &'static [u8]) -> Result<Vec<TypeSig>> {
    let mut r = SigReader::new(blob);
    if r.byte()? != 0x07 {
        return Err(Error::Signature("not local variables"));
    }
    let count = r.count()?;
    r.types(count, 0)
}

/// Arguments of a MethodSpec.
pub fn parse_method_spec(blob: &'static [u8]) -> Result<Vec<TypeSig>> {
    let mut r = SigReader::new(blob);
    if r.byte()? != 0x0a {
        return Err(Error::Signature("not a generic method instance"));
    }
    let count = r.count()?;
    r.types(count, 0)
}

/// A property.
pub fn parse_property(blob: &'static [u8]) -> Result<PropertySig> {
    let mut r = SigReader::new(blob);
    let first = r.byte()?;
    if first & 0x0f != 0x08 {
        return Err(Error::Signature("not a property"));
    }
    let count = r.count()?;
    let ty = r.ty(0)?;
    Ok(PropertySig {
        has_this: first & 0x20 != 0,
        ty,
        params: r.types(count, 0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentinels_are_no_parameters() {
        let int = || TypeSig::Element(Element::I4);
        let read = |blob: &'static [u8]| parse_method(blob).map(|m| (m.params, m.sentinel));
        let two = Ok((vec![int(), int()], Some(1)));
        // vararg int32(int32, ..., int32)
        assert_eq!(read(&[5, 2, 8, 8, 0x41, 8]), two);
        // The same with the sentinel counted.
        assert_eq!(read(&[5, 3, 8, 8, 0x41, 8]), two);
        assert!(read(&[5, 4, 8, 8, 0x41, 8]).is_err());
        assert!(read(&[5, 3, 8, 8, 8]).is_err());
    }
}
