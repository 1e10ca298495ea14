//! The questions passes ask about types and methods. Passes never see metadata: whoever runs them (the
//! compile driver) answers through [`TypeOracle`], and "unknown" is always a correct answer.

use crate::abi::fixup::Fixup;
use crate::ir::{Function, Lookup, MemType, Signature};
use crate::types::{FieldId, MethodId, TypeId};

/// How instances of a type are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InstanceFacts {
    /// Bytes of an instance with its header, multiple of 8.
    pub size: u32,
    /// An instance may hold references.
    pub has_refs: bool,
    /// Allocation has to register a finalizer.
    pub has_finalizer: bool,
}

/// Elements of a vector type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ElementFacts {
    /// Bytes of one element.
    pub size: u32,
    /// An element may hold references.
    pub has_refs: bool,
}

/// What decides whether an object is an instance of a type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CastTest {
    /// Every object is (`object` itself).
    Always,
    /// Equal method tables, nothing else: sealed classes, boxed value types.
    Exact,
    /// The type stands at this depth in the object's display of base classes.
    Class {
        /// Number of base classes of the type.
        depth: u32,
        /// No object has exactly this type.
        is_abstract: bool,
    },
    /// Only the runtime knows: interfaces, arrays, variance, types known by lookup only. Equal method tables
    /// still mean yes.
    Slow,
}

/// What a method's declaration says about inlining.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InlineHint {
    /// It must not be inlined (`NoInlining`, synchronized, no IL).
    Never,
    /// If it is small.
    Small,
    /// Even if it is not so small (`AggressiveInlining`).
    Wanted,
}

/// What is known of the class of an object, if it is not null.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KnownClass {
    /// A class, value type (boxed), array or interface. With `Canon` in it as far as that goes.
    pub ty: TypeId,
    /// The object has exactly this class; else it may be derived from it or implement it.
    pub exact: bool,
}

/// What a method takes as `this`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Receiver {
    /// Nothing: it is static.
    Static,
    /// An object.
    Object,
    /// The address of a value: of the data of a box.
    Value,
}

/// A method that can be called directly, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectTarget {
    /// The body (canonical form).
    pub method: MethodId,
    /// Its machine-level signature.
    pub sig: Signature,
    /// `this`.
    pub receiver: Receiver,
    /// Parameters in IL, without `this`.
    pub params: u32,
    /// It returns a struct, through a buffer.
    pub returns_struct: bool,
    /// Value of the generic context, if the signature wants one.
    pub context: Option<Fixup>,
}

/// Facts about the types and methods that IR names. All types and methods are canonical forms.
pub trait TypeOracle {
    /// Instances of a class or boxed value type; `None` if the inline allocation path must not be used
    /// (strings, arrays, abstract classes, unknown size).
    fn instance(&self, ty: TypeId) -> Option<InstanceFacts>;

    /// Elements of a vector; `None` if unknown.
    fn element(&self, array: TypeId) -> Option<ElementFacts>;

    /// The scalars a value type consists of, by ascending offset; `None` if they overlap, are more than `max`, or are unknown.
    fn scalars(&self, ty: TypeId, max: usize) -> Option<Vec<(u32, MemType)>>;

    /// The parameters of a method's body that are addresses of structs, by position in its signature: each a copy of its own.
    fn struct_params(&self, method: MethodId) -> Vec<(usize, TypeId)>;

    /// How to test for a type.
    fn cast_test(&self, ty: TypeId) -> CastTest;

    /// An unbox to the type accepts only boxes of exactly this type (not an enum, nor the base of one).
    fn unbox_is_exact(&self, ty: TypeId) -> bool;

    /// `System.Object`, if known.
    fn object_type(&self) -> Option<TypeId>;

    /// Is an instance of exact class `from` (null excluded) an instance of `to`? `None` if it depends.
    fn is_assignable(&self, from: TypeId, to: TypeId) -> Option<bool>;

    /// Slot of a method in the vtables of its class and the classes derived from it.
    fn vtable_slot(&self, method: MethodId) -> Option<u32>;

    /// Slot of an interface method in every class's interface dispatch table.
    fn imt_slot(&self, method: MethodId) -> Option<u32>;

    /// The method that a virtual or interface call of `method` runs on objects of class `receiver`. If the class is not exact,
    /// only types and methods that nothing derives from or overrides have an answer.
    fn virtual_target(&self, method: MethodId, receiver: KnownClass) -> Option<DirectTarget>;

    /// How to call the method whose address `Fixup::MethodCode` is.
    fn code_target(&self, method: MethodId) -> Option<DirectTarget>;

    /// The class of what a method returns, as far as that helps.
    fn result_class(&self, method: MethodId) -> Option<KnownClass>;

    /// The class of what a method's body gets as the parameter at this position of its signature, as far as that helps.
    fn param_class(&self, method: MethodId, position: usize) -> Option<KnownClass>;

    /// The class of what a field holds. The field is in open form, as in [`crate::ir::AliasClass`].
    fn field_class(&self, field: FieldId) -> Option<KnownClass>;

    /// The class of a constant object.
    fn constant_class(&self, fixup: Fixup) -> Option<KnownClass>;

    /// The constant that a lookup finds in a generic context which is itself a constant.
    fn exact_lookup(&self, lookup: Lookup, context: Fixup) -> Option<Fixup>;

    /// A call of the method never returns null, and may be left out if nobody needs the result.
    fn is_discardable(&self, method: MethodId) -> bool;

    /// Whether a method is worth and fit for inlining, as far as can be said without its body.
    fn inline_hint(&self, method: MethodId) -> InlineHint;

    /// Bytes of IL of a method that has some; `u32::MAX` if that cannot be said.
    fn il_size(&self, method: MethodId) -> u32;

    /// The imported body of a method that may be inlined anywhere: not one that walks the stack or calls a method that
    /// does. Every failure is `None`.
    fn body_for_inlining(&self, method: MethodId) -> Option<Function>;

    /// The method is one the intrinsics table replaces.
    fn intrinsic(&self, method: MethodId) -> Option<super::intrinsics::Intrinsic>;
}

/// Knows nothing: every question gets the answer that is always right.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFacts;

impl TypeOracle for NoFacts {
    fn instance(&self, _: TypeId) -> Option<InstanceFacts> {
        None
    }
    fn element(&self, _: TypeId) -> Option<ElementFacts> {
        None
    }
    fn scalars(&self, _: TypeId, _: usize) -> Option<Vec<(u32, MemType)>> {
        None
    }
    fn struct_params(&self, _: MethodId) -> Vec<(usize, TypeId)> {
        Vec::new()
    }
    fn cast_test(&self, _: TypeId) -> CastTest {
        CastTest::Slow
    }
    fn unbox_is_exact(&self, _: TypeId) -> bool {
        false
    }
    fn object_type(&self) -> Option<TypeId> {
        None
    }
    fn is_assignable(&self, _: TypeId, _: TypeId) -> Option<bool> {
        None
    }
    fn vtable_slot(&self, _: MethodId) -> Option<u32> {
        None
    }
    fn imt_slot(&self, _: MethodId) -> Option<u32> {
        None
    }
    fn virtual_target(&self, _: MethodId, _: KnownClass) -> Option<DirectTarget> {
        None
    }
    fn code_target(&self, _: MethodId) -> Option<DirectTarget> {
        None
    }
    fn result_class(&self, _: MethodId) -> Option<KnownClass> {
        None
    }
    fn param_class(&self, _: MethodId, _: usize) -> Option<KnownClass> {
        None
    }
    fn field_class(&self, _: FieldId) -> Option<KnownClass> {
        None
    }
    fn constant_class(&self, _: Fixup) -> Option<KnownClass> {
        None
    }
    fn exact_lookup(&self, _: Lookup, _: Fixup) -> Option<Fixup> {
        None
    }
    fn is_discardable(&self, _: MethodId) -> bool {
        false
    }
    fn inline_hint(&self, _: MethodId) -> InlineHint {
        InlineHint::Never
    }
    fn il_size(&self, _: MethodId) -> u32 {
        u32::MAX
    }
    fn body_for_inlining(&self, _: MethodId) -> Option<Function> {
        None
    }
    fn intrinsic(&self, _: MethodId) -> Option<super::intrinsics::Intrinsic> {
        None
    }
}
