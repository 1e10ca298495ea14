//! Value types of the IR and memory access types.

/// Type of an SSA value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Type {
    /// 32-bit integer; small CLI integers are held extended to 32 bits.
    I32,
    /// 64-bit integer, native int, unmanaged pointer, code address.
    I64,
    /// IEEE single.
    F32,
    /// IEEE double.
    F64,
    /// Object reference.
    Ref,
    /// Managed pointer; may point into an object, to the stack, or to unmanaged memory.
    ByRef,
    /// 16 bytes of lanes of one kind ([`super::Lane`]); made by `vectorize`, never passed or returned.
    V128,
    /// The same of 32 bytes, for processors that have such registers.
    V256,
}

impl Type {
    /// All types with their names in IR text.
    pub const ALL: [(Type, &'static str); 8] = [
        (Type::I32, "i32"),
        (Type::I64, "i64"),
        (Type::F32, "f32"),
        (Type::F64, "f64"),
        (Type::Ref, "ref"),
        (Type::ByRef, "byref"),
        (Type::V128, "v128"),
        (Type::V256, "v256"),
    ];

    /// Name in IR text.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Size in bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Type::I32 | Type::F32 => 4,
            Type::V128 => 16,
            Type::V256 => 32,
            _ => 8,
        }
    }

    /// Floating-point number: kept in an SSE register.
    pub fn is_float(self) -> bool {
        matches!(self, Type::F32 | Type::F64)
    }

    /// Vector: kept in an SSE register too.
    pub fn is_vector(self) -> bool {
        matches!(self, Type::V128 | Type::V256)
    }

    /// Memory that holds a value of this type whole.
    pub fn in_memory(self) -> MemType {
        match self {
            Type::I32 => MemType::I32,
            Type::I64 => MemType::I64,
            Type::F32 => MemType::F32,
            Type::F64 => MemType::F64,
            Type::Ref => MemType::Ref,
            Type::ByRef => MemType::ByRef,
            Type::V128 => MemType::V128,
            Type::V256 => MemType::V256,
        }
    }

    /// Object reference or managed pointer.
    pub fn is_managed(self) -> bool {
        matches!(self, Type::Ref | Type::ByRef)
    }

    /// 64-bit value in a general register.
    pub fn is_word(self) -> bool {
        matches!(self, Type::I64 | Type::Ref | Type::ByRef)
    }
}

/// What a load or store touches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum MemType {
    /// Signed byte; loads sign-extend to i32.
    I8,
    /// Unsigned byte; loads zero-extend to i32.
    U8,
    /// Signed 16 bits.
    I16,
    /// Unsigned 16 bits.
    U16,
    /// 32 bits.
    I32,
    /// 64 bits.
    I64,
    /// IEEE single.
    F32,
    /// IEEE double.
    F64,
    /// Object reference.
    Ref,
    /// Managed pointer (only in stack memory).
    ByRef,
    /// 16 bytes, not necessarily aligned.
    V128,
    /// 32 bytes, not necessarily aligned.
    V256,
}

impl MemType {
    /// All access types with their names in IR text.
    pub const ALL: [(MemType, &'static str); 12] = [
        (MemType::I8, "i8"),
        (MemType::U8, "u8"),
        (MemType::I16, "i16"),
        (MemType::U16, "u16"),
        (MemType::I32, "i32"),
        (MemType::I64, "i64"),
        (MemType::F32, "f32"),
        (MemType::F64, "f64"),
        (MemType::Ref, "ref"),
        (MemType::ByRef, "byref"),
        (MemType::V128, "v128"),
        (MemType::V256, "v256"),
    ];

    /// Name in IR text.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Size in bytes.
    pub fn bytes(self) -> u32 {
        match self {
            MemType::I8 | MemType::U8 => 1,
            MemType::I16 | MemType::U16 => 2,
            MemType::I32 | MemType::F32 => 4,
            MemType::V128 => 16,
            MemType::V256 => 32,
            _ => 8,
        }
    }

    /// Type of the SSA value loaded or stored.
    pub fn value_type(self) -> Type {
        match self {
            MemType::I8 | MemType::U8 | MemType::I16 | MemType::U16 | MemType::I32 => Type::I32,
            MemType::I64 => Type::I64,
            MemType::F32 => Type::F32,
            MemType::F64 => Type::F64,
            MemType::Ref => Type::Ref,
            MemType::ByRef => Type::ByRef,
            MemType::V128 => Type::V128,
            MemType::V256 => Type::V256,
        }
    }
}

/// Memory that cannot overlap with memory of another class (`Any` overlaps with all).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AliasClass {
    /// Unknown.
    Any,
    /// A local stack slot (by `slot_load`/`slot_store` or its known address).
    Stack,
    /// An instance field of a class, by FieldDef identity.
    Field(u32),
    /// Array elements of this access type.
    Element(MemType),
    /// A static field.
    Static(u32),
    /// Object headers, array lengths, method tables: never written after allocation.
    Immutable,
}

/// Immediate of memory ops.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MemRef {
    /// Byte offset added to the address operand.
    pub offset: i32,
    /// What is accessed.
    pub ty: MemType,
    /// Alias class.
    pub alias: AliasClass,
    /// `volatile.`: acquire load or release store, never removed or moved.
    pub volatile: bool,
}
