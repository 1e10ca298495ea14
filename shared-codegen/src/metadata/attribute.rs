//! Values of custom attributes (ECMA-335 II.23.3).
//!
//! The blob alone cannot be read: the types of the positional arguments stand in the constructor's
//! signature, and enums are stored as their underlying integers. Callers give the constructor's
//! parameters and a function that tells the underlying type of an enum.

use super::blob::BlobReader;
use super::error::{Error, Result};
use super::sig::{Element, TypeSig};
use super::token::Token;

/// How deep boxed values and arrays may nest.
const MAX_DEPTH: u32 = 16;

/// Arguments of one custom attribute.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Attribute {
    /// Arguments of the constructor.
    pub fixed: Vec<Arg>,
    /// Fields and properties set afterwards, in order.
    pub named: Vec<NamedArg>,
}

/// A typed value.
#[derive(Clone, PartialEq, Debug)]
pub struct Arg {
    /// Its type.
    pub ty: ArgType,
    /// Its value.
    pub value: Value,
}

/// A value for a field or property of the attribute.
#[derive(Clone, PartialEq, Debug)]
pub struct NamedArg {
    /// Field rather than property.
    pub is_field: bool,
    /// Name of the field or property.
    pub name: &'static str,
    /// Its type, as the blob says, and value.
    pub arg: Arg,
}

/// Type of an argument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ArgType {
    /// Boolean, char, integer or floating point.
    Primitive(Element),
    /// `string`
    String,
    /// `System.Type`
    Type,
    /// `object`: the value is boxed and carries its own type.
    Object,
    /// An enum and its underlying type.
    Enum(EnumRef, Element),
    /// Vector.
    Array(Box<ArgType>),
}

/// How a blob or signature names an enum.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EnumRef {
    /// TypeDef or TypeRef of the module.
    Token(Token),
    /// Serialized type name.
    Name(&'static str),
}

/// A value; its [`ArgType`] says what it means.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Primitives and enums: the stored bytes, zero-extended (floats are their bits).
    Bits(u64),
    /// Strings, and types by their serialized names; `None` is null.
    Text(Option<&'static str>),
    /// Elements of an array; `None` is null.
    Array(Option<Vec<Value>>),
    /// What an argument of type `object` holds.
    Boxed(Box<Arg>),
}

/// Tells the underlying type of an enum.
pub type UnderlyingType<'a> = &'a dyn Fn(EnumRef) -> Result<Element>;

/// Decodes a blob for a constructor with these parameters. Class-typed parameters are taken to be `System.Type`:
/// no other class is allowed.
pub fn parse(
    blob: &'static [u8],
    params: &[TypeSig],
    underlying: UnderlyingType,
) -> Result<Attribute> {
    if blob.is_empty() && params.is_empty() {
        return Ok(Attribute::default());
    }
    let mut decoder = Decoder {
        blob: BlobReader::new(blob),
        underlying,
    };
    if decoder.blob.little_endian(2)? != 1 {
        return Err(Error::Blob("custom attribute without prolog"));
    }
    let fixed = params.iter().map(|p| {
        let ty = decoder.type_of_param(p, 0)?;
        decoder.arg(ty, 0)
    });
    let fixed = fixed.collect::<Result<_>>()?;
    // Some compilers leave out the count when it is zero.
    let count = match decoder.blob.len() {
        0 => 0,
        _ => decoder.blob.little_endian(2)?,
    };
    let named = (0..count).map(|_| decoder.named()).collect::<Result<_>>()?;
    Ok(Attribute { fixed, named })
}

struct Decoder<'a> {
    blob: BlobReader,
    underlying: UnderlyingType<'a>,
}

fn size_of(e: Element) -> Result<usize> {
    match e {
        Element::Boolean | Element::I1 | Element::U1 => Ok(1),
        Element::Char | Element::I2 | Element::U2 => Ok(2),
        Element::I4 | Element::U4 | Element::R4 => Ok(4),
        Element::I8 | Element::U8 | Element::R8 => Ok(8),
        _ => Err(Error::Blob("no type for a custom attribute")),
    }
}

impl Decoder<'_> {
    fn enum_type(&self, which: EnumRef) -> Result<ArgType> {
        let element = (self.underlying)(which)?;
        size_of(element)?;
        Ok(ArgType::Enum(which, element))
    }

    fn type_of_param(&self, sig: &TypeSig, depth: u32) -> Result<ArgType> {
        if depth > MAX_DEPTH {
            return Err(Error::Blob("nested too deeply"));
        }
        Ok(match sig {
            TypeSig::Element(Element::String) => ArgType::String,
            TypeSig::Element(Element::Object) => ArgType::Object,
            TypeSig::Element(e) => {
                size_of(*e)?;
                ArgType::Primitive(*e)
            }
            TypeSig::Named(_, false) => ArgType::Type,
            TypeSig::Named(token, true) => self.enum_type(EnumRef::Token(*token))?,
            TypeSig::SzArray(e) => ArgType::Array(Box::new(self.type_of_param(e, depth + 1)?)),
            TypeSig::Modified(_, _, inner) => self.type_of_param(inner, depth + 1)?,
            _ => return Err(Error::Blob("no type for a custom attribute")),
        })
    }

    /// A FieldOrPropType.
    fn stored_type(&mut self, depth: u32) -> Result<ArgType> {
        if depth > MAX_DEPTH {
            return Err(Error::Blob("nested too deeply"));
        }
        Ok(match self.blob.byte()? {
            0x0e => ArgType::String,
            0x1d => ArgType::Array(Box::new(self.stored_type(depth + 1)?)),
            0x50 => ArgType::Type,
            0x51 => ArgType::Object,
            0x55 => {
                let name = self.blob.string()?.ok_or(Error::Blob("enum name"))?;
                self.enum_type(EnumRef::Name(name))?
            }
            byte => {
                let element = Element::from_byte(byte).ok_or(Error::Blob("type of a value"))?;
                size_of(element)?;
                ArgType::Primitive(element)
            }
        })
    }

    fn named(&mut self) -> Result<NamedArg> {
        let is_field = match self.blob.byte()? {
            0x53 => true,
            0x54 => false,
            _ => return Err(Error::Blob("neither field nor property")),
        };
        let ty = self.stored_type(0)?;
        let name = self.blob.string()?.ok_or(Error::Blob("member name"))?;
        let arg = self.arg(ty, 0)?;
        Ok(NamedArg {
            is_field,
            name,
            arg,
        })
    }

    fn arg(&mut self, ty: ArgType, depth: u32) -> Result<Arg> {
        let value = self.value(&ty, depth)?;
        Ok(Arg { ty, value })
    }

    fn value(&mut self, ty: &ArgType, depth: u32) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(Error::Blob("nested too deeply"));
        }
        Ok(match ty {
            ArgType::Primitive(e) | ArgType::Enum(_, e) => {
                Value::Bits(self.blob.little_endian(size_of(*e)?)?)
            }
            ArgType::String | ArgType::Type => Value::Text(self.blob.string()?),
            ArgType::Object => {
                let ty = self.stored_type(depth + 1)?;
                Value::Boxed(Box::new(self.arg(ty, depth + 1)?))
            }
            ArgType::Array(element) => self.array(element, depth + 1)?,
        })
    }

    fn array(&mut self, element: &ArgType, depth: u32) -> Result<Value> {
        let count = self.blob.little_endian(4)? as usize;
        if count == u32::MAX as usize {
            return Ok(Value::Array(None));
        }
        if count > self.blob.len() {
            return Err(Error::Blob("count too large"));
        }
        let items = (0..count).map(|_| self.value(element, depth));
        Ok(Value::Array(Some(items.collect::<Result<_>>()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(blob: &'static [u8], params: &[TypeSig]) -> Result<Attribute> {
        parse(blob, params, &|which| match which {
            EnumRef::Name("E") => Ok(Element::U1),
            _ => Ok(Element::I4),
        })
    }

    #[test]
    fn positional_arguments() {
        let params = [
            TypeSig::Element(Element::I4),
            TypeSig::Element(Element::String),
            TypeSig::SzArray(Box::new(TypeSig::Element(Element::Object))),
        ];
        let a = decode(
            b"\x01\0\x05\0\0\0\x02hi\x02\0\0\0\x51\x08\x07\0\0\0\x50\x01T\0\0",
            &params,
        );
        // The first element is an object inside an object.
        let a = a.unwrap();
        assert_eq!(a.fixed[0].value, Value::Bits(5));
        assert_eq!(a.fixed[1].value, Value::Text(Some("hi")));
        let Value::Array(Some(items)) = &a.fixed[2].value else {
            panic!("array expected")
        };
        assert_eq!(items.len(), 2);
        let Value::Boxed(second) = &items[1] else {
            panic!("boxed value expected")
        };
        assert_eq!(second.ty, ArgType::Type);
        assert_eq!(second.value, Value::Text(Some("T")));
    }

    #[test]
    fn named_arguments() {
        let a = decode(b"\x01\0\x02\0\x53\x55\x01E\x01f\x03\x54\x0e\x01p\xff", &[]).unwrap();
        assert_eq!(a.named.len(), 2);
        assert!(a.named[0].is_field && !a.named[1].is_field);
        assert_eq!(
            a.named[0].arg.ty,
            ArgType::Enum(EnumRef::Name("E"), Element::U1)
        );
        assert_eq!(a.named[0].arg.value, Value::Bits(3));
        assert_eq!(
            (a.named[1].name, &a.named[1].arg.value),
            ("p", &Value::Text(None))
        );
    }

    #[test]
    fn damaged_blobs() {
        let object = [TypeSig::Element(Element::Object)];
        assert!(decode(b"", &object).is_err());
        assert!(decode(b"\x02\0", &[]).is_err());
        assert!(decode(b"\x01\0\x51\x51\x51\x51\x51\x51\x51\x51\x51\x51\x51\x51\x51\x51\x51\x51\x51\x51\x51\x51\x51", &object).is_err());
        assert!(decode(b"\x01\0\x1d\x08\xfe\xff\xff\xff", &object).is_err());
        assert!(decode(b"\x01\0\xff\xff", &[]).is_err());
    }
}
