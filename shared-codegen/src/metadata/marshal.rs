//! Marshalling descriptors (ECMA-335 II.23.4, with the extensions that class libraries use).

use super::blob::BlobReader;
use super::error::Result;

/// Number of a native type, `System.Runtime.InteropServices.UnmanagedType`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct NativeType(pub u32);

macro_rules! native_types {
    ($($number:literal $name:ident)*) => {
        #[allow(missing_docs, reason = "the names are the standard's")]
        impl NativeType { $(pub const $name: NativeType = NativeType($number);)* }

        impl NativeType {
            /// Name, for people.
            pub fn name(self) -> &'static str {
                match self.0 { $($number => stringify!($name),)* _ => "?" }
            }
        }
    };
}

native_types! {
    0x02 BOOLEAN
    0x03 I1
    0x04 U1
    0x05 I2
    0x06 U2
    0x07 I4
    0x08 U4
    0x09 I8
    0x0a U8
    0x0b R4
    0x0c R8
    0x0f CURRENCY
    0x13 BSTR
    0x14 LPSTR
    0x15 LPWSTR
    0x16 LPTSTR
    0x17 FIXED_STRING
    0x19 IUNKNOWN
    0x1a IDISPATCH
    0x1b STRUCT
    0x1c INTERFACE
    0x1d SAFE_ARRAY
    0x1e FIXED_ARRAY
    0x1f INT
    0x20 UINT
    0x22 VB_BYREF_STR
    0x23 ANSI_BSTR
    0x24 TBSTR
    0x25 VARIANT_BOOL
    0x26 FUNCTION
    0x28 AS_ANY
    0x2a ARRAY
    0x2b LPSTRUCT
    0x2c CUSTOM
    0x2d ERROR
    0x30 LPUTF8STR
}

/// Stands for "not given" where an element type is expected.
const NO_TYPE: u32 = 0x50;

/// How a field, parameter or result is passed to native code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MarshalSpec {
    /// A type without parameters.
    Simple(NativeType),
    /// Characters inside a struct, including the terminator.
    FixedString(u32),
    /// Array inside a struct.
    FixedArray {
        /// Elements.
        count: u32,
        /// Element type, if given.
        element: Option<NativeType>,
    },
    /// Pointer to the first element.
    Array {
        /// Element type, if given.
        element: Option<NativeType>,
        /// Parameter (counted from 0) that holds the number of elements.
        size_param: Option<u32>,
        /// Constant number of elements, added to the parameter's.
        size_const: Option<u32>,
    },
    /// COM array.
    SafeArray {
        /// Variant type of the elements, 0 if not given.
        variant: u32,
        /// Class of user-defined elements.
        class: Option<&'static str>,
    },
    /// COM interface pointer.
    Interface {
        /// Which of the interface types.
        native: NativeType,
        /// Parameter that holds the interface id.
        iid_param: Option<u32>,
    },
    /// Custom marshaller.
    Custom {
        /// Serialized name of the marshaller class.
        marshaler: &'static str,
        /// String passed to its `GetInstance`.
        cookie: &'static str,
    },
}

fn given(n: Option<u32>) -> Option<NativeType> {
    n.filter(|n| *n != NO_TYPE && *n != 0).map(NativeType)
}

/// Decodes a `NativeType` blob of the FieldMarshal table.
pub fn parse(blob: &'static [u8]) -> Result<MarshalSpec> {
    let mut r = BlobReader::new(blob);
    let native = NativeType(r.compressed()?);
    Ok(match native {
        NativeType::FIXED_STRING => MarshalSpec::FixedString(r.optional_number()?.unwrap_or(1)),
        NativeType::FIXED_ARRAY => MarshalSpec::FixedArray {
            count: r.optional_number()?.unwrap_or(1),
            element: given(r.optional_number()?),
        },
        NativeType::ARRAY => array(&mut r)?,
        NativeType::SAFE_ARRAY => MarshalSpec::SafeArray {
            variant: r.optional_number()?.unwrap_or(0),
            class: if r.is_empty() { None } else { r.string()? },
        },
        NativeType::IUNKNOWN | NativeType::IDISPATCH | NativeType::INTERFACE => {
            MarshalSpec::Interface {
                native,
                iid_param: r.optional_number()?,
            }
        }
        NativeType::CUSTOM => {
            let (_guid, _native_name) = (r.string()?, r.string()?);
            MarshalSpec::Custom {
                marshaler: r.string()?.unwrap_or_default(),
                cookie: r.string()?.unwrap_or_default(),
            }
        }
        _ => MarshalSpec::Simple(native),
    })
}

fn array(r: &mut BlobReader) -> Result<MarshalSpec> {
    let element = given(r.optional_number()?);
    let size_param = r.optional_number()?;
    let size_const = r.optional_number()?;
    // A fourth number says in its lowest bit whether the parameter number is meant.
    let flags = r.optional_number()?;
    Ok(MarshalSpec::Array {
        element,
        size_param: size_param.filter(|_| flags.is_none_or(|f| f & 1 != 0)),
        size_const,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors() {
        assert_eq!(
            parse(&[0x14]).unwrap(),
            MarshalSpec::Simple(NativeType::LPSTR)
        );
        assert_eq!(
            parse(&[0x17, 0x80, 0x80]).unwrap(),
            MarshalSpec::FixedString(128)
        );
        let array = |size_param, size_const| MarshalSpec::Array {
            element: None,
            size_param,
            size_const,
        };
        assert_eq!(parse(&[0x2a, 0x50, 1]).unwrap(), array(Some(1), None));
        assert_eq!(parse(&[0x2a, 0x50, 0, 8, 0]).unwrap(), array(None, Some(8)));
        assert_eq!(
            parse(b"\x2c\0\0\x03A.B\x01c").unwrap(),
            MarshalSpec::Custom {
                marshaler: "A.B",
                cookie: "c"
            }
        );
        assert!(parse(&[]).is_err());
        assert!(parse(b"\x2c\0\0\x09A").is_err());
    }
}
