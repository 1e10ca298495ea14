//! The CLI type system over metadata.

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
