//! What an interned id stands for.

use super::{MethodId, ModuleId, SigId, TypeId};
use crate::ir::MemType;
use crate::metadata::{FieldRow, GenericParamRow, MethodDefRow, TypeDefRow};

/// An interned list of types. Contexts live as long as the process (like the assemblies they hold),
/// so lists are never freed and the kinds below stay `Copy`.
pub type TypeList = &'static [TypeId];

/// The structure of a type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TypeKind {
    /// A TypeDef. If it is generic this is the generic type definition (`typeof(List<>)`), which is
    /// not the same id as its instance over its own parameters (`List<!0>`).
    Def {
        /// Module of the row.
        module: ModuleId,
        /// The row.
        row: TypeDefRow,
    },
    /// An instance of a generic TypeDef.
    Inst {
        /// The generic type definition (always a `Def`).
        def: TypeId,
        /// One type per generic parameter.
        args: TypeList,
    },
    /// Vector: one dimension, lower bound zero.
    SzArray(TypeId),
    /// Array with rank and bounds (rank 1 is possible: `T[*]`).
    Array {
        /// Element type.
        elem: TypeId,
        /// Number of dimensions.
        rank: u32,
    },
    /// Unmanaged pointer.
    Ptr(TypeId),
    /// Managed pointer.
    ByRef(TypeId),
    /// Function pointer.
    FnPtr(SigId),
    /// Type parameter of the generic type in context.
    Var(u32),
    /// Method type parameter of the generic method in context.
    MVar(u32),
    /// A generic parameter by identity of its owner (`typeof(List<>).GetGenericArguments()[0]`); only
    /// reflection makes these.
    Param {
        /// Module of the row.
        module: ModuleId,
        /// The GenericParam row.
        row: GenericParamRow,
    },
    /// Any reference type, in code shared between instances.
    Canon,
    /// A class that the runtime needs but the class libraries do not have. Any use fails with `TypeLoad`.
    Missing(super::Known),
}

/// Operation of an array pseudo-method (ECMA-335 II.14.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum ArrayMethod {
    /// `.ctor` with this number of `int32` arguments: lengths, or pairs of lower bound and length;
    /// on vectors of vectors, lengths of the inner arrays.
    Ctor(u32),
    /// `Get(int…) -> T`
    Get,
    /// `Set(int…, T)`
    Set,
    /// `Address(int…) -> T&`
    Address,
}

/// Wrappers made by the runtime and the compiler. Signature and meaning are the business of whoever
/// makes them; the type system only keeps their identity.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SyntheticKind {
    /// `Invoke` of a delegate type; `subject` is the declared `Invoke` method.
    DelegateInvoke,
    /// Native code calls a delegate (`subject` is its `Invoke`): takes the delegate and the address of the frame that the call left.
    NativeToManaged,
    /// Managed code calls a native function: `Invoke` (the subject) of a delegate that stands for one, or a call site of a variadic
    /// P/Invoke.
    ManagedToNative,
    /// Takes a boxed `this`, passes the address of its data on.
    Unbox,
    /// Adds the hidden generic context and goes on to the shared body.
    Instantiating,
    /// Takes `(this, object[] args) -> object`: the general way reflection invokes.
    ReflectionInvoke,
    /// Holds the lock of `this` or of the type object around the subject.
    Synchronized,
}

/// The structure of a method.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MethodKind {
    /// A MethodDef of an exact owner.
    Def {
        /// Module of the row.
        module: ModuleId,
        /// The row.
        row: MethodDefRow,
        /// Declaring type: a non-generic `Def` or an `Inst` (for the open form, the instance over the type's own parameters).
        owner: TypeId,
        /// Method type arguments; empty for non-generic methods and for generic method definitions.
        args: TypeList,
    },
    /// A pseudo-method of an array type.
    Array {
        /// The array type.
        array: TypeId,
        /// Which.
        op: ArrayMethod,
    },
    /// A wrapper around `subject`.
    Synthetic {
        /// What it does.
        kind: SyntheticKind,
        /// The method it is about.
        subject: MethodId,
        /// Its own signature.
        sig: SigId,
    },
}

/// The structure of a field.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FieldKind {
    /// Module of the row.
    pub module: ModuleId,
    /// The row.
    pub row: FieldRow,
    /// Declaring type: a non-generic `Def` or an `Inst`.
    pub owner: TypeId,
}

/// The built-in value types; enums count as their underlying type where said so.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the CLI's")]
pub enum Prim {
    Bool,
    Char,
    I1,
    U1,
    I2,
    U2,
    I4,
    U4,
    I8,
    U8,
    I,
    U,
    R4,
    R8,
}

impl Prim {
    /// How a value lies in memory.
    pub fn mem_type(self) -> MemType {
        match self {
            Prim::I1 => MemType::I8,
            Prim::Bool | Prim::U1 => MemType::U8,
            Prim::I2 => MemType::I16,
            Prim::Char | Prim::U2 => MemType::U16,
            Prim::I4 | Prim::U4 => MemType::I32,
            Prim::I8 | Prim::U8 | Prim::I | Prim::U => MemType::I64,
            Prim::R4 => MemType::F32,
            Prim::R8 => MemType::F64,
        }
    }

    /// Size in bytes.
    pub fn size(self) -> u32 {
        self.mem_type().bytes()
    }

    /// No sign (conversions to wider types extend with zeros). True for `Bool` and `Char`.
    pub fn is_unsigned(self) -> bool {
        use Prim::*;
        matches!(self, Bool | Char | U1 | U2 | U4 | U8 | U)
    }

    /// The reduced type of ECMA-335 I.8.7.1: unsigned integers become signed ones of the same size.
    /// `Bool` and `Char` stay as they are.
    pub fn reduced(self) -> Prim {
        match self {
            Prim::U1 => Prim::I1,
            Prim::U2 => Prim::I2,
            Prim::U4 => Prim::I4,
            Prim::U8 => Prim::I8,
            Prim::U => Prim::I,
            p => p,
        }
    }
}

/// How a value of a type is held in locals, arguments and fields.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ValueClass {
    /// No value.
    Void,
    /// Fits a register: primitives, enums, references, managed and unmanaged pointers.
    Scalar(MemType),
    /// A value type that is not a primitive or enum, held in memory.
    Struct {
        /// Size in bytes, a multiple of `align`.
        size: u32,
        /// Alignment in bytes.
        align: u32,
    },
}

/// The generic arguments that give `Var` and `MVar` a meaning.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct GenericContext {
    /// Meaning of `Var(n)`.
    pub type_args: TypeList,
    /// Meaning of `MVar(n)`.
    pub method_args: TypeList,
}

impl GenericContext {
    /// No generic arguments: `Var` and `MVar` stay as they are.
    pub const EMPTY: GenericContext = GenericContext {
        type_args: &[],
        method_args: &[],
    };

    /// Substitution would change nothing.
    pub fn is_empty(&self) -> bool {
        self.type_args.is_empty() && self.method_args.is_empty()
    }
}

/// A method, property or stand-alone signature with types resolved.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MethodSignature {
    /// There is a `this` argument (not contained in `params` unless explicit).
    pub has_this: bool,
    /// `this` is written as first of `params`.
    pub explicit_this: bool,
    /// The calling convention.
    pub conv: CallConv,
    /// Number of method type parameters.
    pub generic_count: u32,
    /// Parameter types without `this`.
    pub params: TypeList,
    /// Result type (`void` is `Known::Void`).
    pub ret: TypeId,
    /// For call sites of vararg methods: number of fixed parameters.
    pub fixed_params: Option<u32>,
}

impl MethodSignature {
    /// Takes a variable argument list.
    pub fn is_vararg(&self) -> bool {
        self.conv == CallConv::VarArg
    }
}

/// Calling convention of a signature (ECMA-335 II.23.2.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the names are the CLI's")]
pub enum CallConv {
    Default,
    C,
    StdCall,
    ThisCall,
    FastCall,
    VarArg,
}

/// A local variable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Local {
    /// Its type.
    pub ty: TypeId,
    /// What it refers to may not be moved.
    pub pinned: bool,
}

/// What an `ldtoken` operand is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Member {
    /// A type.
    Type(TypeId),
    /// A method.
    Method(MethodId),
    /// A field.
    Field(super::FieldId),
}
