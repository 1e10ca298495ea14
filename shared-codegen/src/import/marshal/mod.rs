//! Marshalling stubs: code between managed and native calling conventions and representations.
//!
//! * `describe`: what a signature, its marshalling descriptors and flags ask for, as a [`Conversion`] per parameter;
//! * `convention`: words of values to and from registers and stack as System V AMD64 says;
//! * `value`: conversion of one value, each way;
//! * `forward`: managed code calls a native function (P/Invokes, delegates of native functions, `calli`);
//! * `reverse`: native code calls a delegate.
//!
//! Simple conversions are code; text, structs with other bytes, arrays of such and handles are left to runtime helpers.
//! Objects do not move, so what is passed by address only has to stay alive until the call returns.

mod convention;
mod describe;
mod forward;
mod reverse;
mod value;

pub(super) use describe::Described;
pub use describe::delegates_passed;
pub(super) use forward::{NativeCall, call_native};
pub(super) use reverse::native_to_managed;
pub(super) use value::FUNCTION_FIELD;

use crate::ir::MemType;
use crate::types::{BoolForm, NativeKind, TextForm, TypeId};

/// How a value crosses the border.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Conversion {
    /// No value.
    Void,
    /// The same bits.
    Scalar(MemType),
    Bool(BoolForm),
    /// A `char` as one byte.
    NarrowChar,
    /// A struct by value.
    Struct(TypeId),
    /// A struct, passed as a pointer to it (`UnmanagedType.LPStruct`).
    StructPointer(TypeId),
    /// A string as a pointer to its text.
    Text(TextForm),
    /// A StringBuilder as a pointer to a buffer.
    Builder(TextForm),
    /// A vector as a pointer to its elements.
    Array(ArrayConversion),
    /// A delegate as a function pointer.
    Function(TypeId),
    /// An object with layout as a pointer to its fields.
    Class(TypeId),
    SafeHandle(TypeId),
    CriticalHandle(TypeId),
    /// A `HandleRef` as the handle in it.
    HandleRef,
    /// By an `ICustomMarshaler`; the number of the parameter.
    Custom(u32),
    /// An address of something with this conversion.
    ByRef(Box<Conversion>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct ArrayConversion {
    /// The array type.
    array: TypeId,
    element: TypeId,
    kind: NativeKind,
    /// Elements have the same bytes on both sides.
    blittable: bool,
    /// Number of elements that native code means, without those of `size_param`.
    size_const: Option<u32>,
    /// Parameter (counted from 0) with a number of elements.
    size_param: Option<u32>,
}

/// A parameter or result.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Param {
    ty: TypeId,
    conversion: Conversion,
    /// The callee sees the value.
    is_in: bool,
    /// The caller sees what the callee made of it.
    is_out: bool,
}
