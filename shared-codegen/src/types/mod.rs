//! The CLI type system over metadata: identity, resolution, layout, dispatch and casting.
//!
//! Everything hangs on [`TypeContext`], which all threads share. Ids are interned numbers; what they
//! stand for is in [`kind`]. Every derived fact is computed at first use, touches only the rows it
//! needs, and is kept; failures are kept too.

mod assembly;
pub mod binding;
mod binding_names;
mod cast;
mod check;
mod closed;
mod comparers;
mod constraints;
mod context;
mod describe;
mod dispatch;
pub mod encode;
mod error;
mod facts;
mod growing;
mod hierarchy;
mod kind;
mod known;
mod layout;
mod member;
mod names;
mod native;
mod properties;
mod resolve;
mod sharing;
mod signature;
mod statics;
mod type_name;
mod vtable;

#[cfg(test)]
mod tests;

pub use assembly::{AssemblyInfo, AssemblyResolver, LoadedFile};
pub use binding::AssemblyName;
pub use constraints::ConstrainedCall;
pub use context::TypeContext;
pub use dispatch::{InterfaceEntry, InterfaceMap};
pub use error::{Error, Result};
pub use facts::{GenericParam, Variance};
pub use growing::TokenBinder;
pub use kind::{
    ArrayMethod, CallConv, FieldKind, GenericContext, Local, Member, MethodKind, MethodSignature,
    Prim, SyntheticKind, TypeKind, TypeList, ValueClass,
};
pub use known::Known;
pub use layout::Layout;
pub use member::Access;
pub use names::NameFormat;
pub use native::{BoolForm, NativeField, NativeKind, NativeLayout, Passing, TextForm, Word};
pub use properties::{Event, Property};
pub use sharing::ContextSource;
pub use statics::{StaticStorage, StaticsLayout};
pub use type_name::{Suffix, TypeName};
pub use vtable::VTable;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub struct $name(pub u32);
    };
}

id!(/// A loaded module of one `TypeContext`.
    ModuleId);
id!(/// An interned type of one `TypeContext`.
    TypeId);
id!(/// An interned method of one `TypeContext`.
    MethodId);
id!(/// An interned field of one `TypeContext`.
    FieldId);
id!(/// An interned signature of one `TypeContext` (function pointers, synthetic methods).
    SigId);
