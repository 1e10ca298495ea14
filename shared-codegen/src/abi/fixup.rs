//! Runtime constants: everything compiled code needs whose value is known only when it runs.

use super::helper::HelperId;
use crate::types::{FieldId, MethodId, ModuleId, TypeId};

/// One runtime constant. In JIT code its value is an immediate; in an image it is a GOT slot bound
/// before the method first runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Fixup {
    /// Address of the method table of a loaded type (also the value of its `RuntimeTypeHandle`).
    MethodTable(TypeId),
    /// The `System.RuntimeType` object of a type.
    TypeObject(TypeId),
    /// Address of the runtime's method descriptor (the value of a `RuntimeMethodHandle`).
    MethodHandle(MethodId),
    /// Address of the runtime's field descriptor (the value of a `RuntimeFieldHandle`).
    FieldHandle(FieldId),
    /// The cell holding the current code address of a method: operand of `call *slot(%rip)`.
    MethodEntry(MethodId),
    /// A code address that can be stored and called at any time (`ldftn`): entry stub or final code,
    /// with unboxing and generic context applied as an outside caller needs.
    MethodCode(MethodId),
    /// Base of the static fields of a type (allocates them).
    StaticsBase(TypeId),
    /// Index of a type's block in the thread's table of thread-static blocks.
    ThreadStaticsIndex(TypeId),
    /// The interned string of an `ldstr` token.
    StringLiteral(ModuleId, u32),
    /// Address of the initial data of a field with RVA.
    FieldData(FieldId),
    /// The cell holding the address of a runtime helper.
    Helper(HelperId),
    /// Address of the native function behind an internal call or P/Invoke method (resolved when bound
    /// for internal calls, by a lazy stub for P/Invokes).
    NativeCode(MethodId),
    /// Address of the runtime's descriptor of a generic lookup: which open constant is asked for, and the
    /// method (any canonical or open form) whose generic parameters it is written in. Second argument of helper
    /// `generic_lookup`, whose first is the generic context of that method.
    GenericLookup(MethodId, OpenFixup),
}

macro_rules! open_fixups {
    ($($name:ident($id:ident)),* $(,)?) => {
        /// The fixups that can depend on generic parameters.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub enum OpenFixup {
            $(#[doc = concat!("An open [`Fixup::", stringify!($name), "`].")] $name($id)),*
        }

        impl From<OpenFixup> for Fixup {
            fn from(open: OpenFixup) -> Fixup {
                match open { $(OpenFixup::$name(x) => Fixup::$name(x)),* }
            }
        }

        impl TryFrom<Fixup> for OpenFixup {
            type Error = ();
            fn try_from(fixup: Fixup) -> Result<OpenFixup, ()> {
                match fixup { $(Fixup::$name(x) => Ok(OpenFixup::$name(x)),)* _ => Err(()) }
            }
        }
    };
}

open_fixups! {
    MethodTable(TypeId),
    TypeObject(TypeId),
    MethodHandle(MethodId),
    FieldHandle(FieldId),
    MethodEntry(MethodId),
    MethodCode(MethodId),
    StaticsBase(TypeId),
    ThreadStaticsIndex(TypeId),
}
