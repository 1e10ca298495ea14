//! Answers the questions of passes ([`TypeOracle`]) from the type system.

use crate::ir::Function;
use crate::passes::intrinsics::{self, Intrinsic};
use crate::passes::{CastTest, ElementFacts, InstanceFacts, TypeOracle};
use crate::types::{ContextSource, Known, MethodId, Prim, TypeContext, TypeId, TypeKind};

/// Where bodies for inlining come from: the importer, with whatever rules the driver adds.
pub trait BodySource {
    /// The imported body of a canonical method that has IL of at most `max_il` bytes. `caller` is the method compiled.
    fn body(&self, method: MethodId, caller: Option<MethodId>, max_il: u32) -> Option<Function>;
}

/// The oracle of a type context.
#[derive(Clone, Copy)]
pub struct ContextOracle<'a> {
    ctx: &'a TypeContext,
    bodies: Option<&'a dyn BodySource>,
}

impl<'a> ContextOracle<'a> {
    /// Without `bodies` nothing is inlined.
    pub fn new(ctx: &'a TypeContext, bodies: Option<&'a dyn BodySource>) -> ContextOracle<'a> {
        ContextOracle { ctx, bodies }
    }

    /// The number of base classes; `None` if one of them cannot be loaded.
    fn depth(&self, ty: TypeId) -> Option<u32> {
        let mut depth = 0;
        let mut at = ty;
        while let Some(parent) = self.ctx.parent(at).ok()? {
            depth += 1;
            at = parent;
        }
        Some(depth)
    }

    /// A class (not an interface, array or type parameter) whose instances have one layout.
    fn is_plain_class(&self, ty: TypeId) -> bool {
        let known = matches!(
            self.ctx.kind(ty),
            TypeKind::Def { .. } | TypeKind::Inst { .. }
        );
        known && !self.ctx.is_interface(ty) && !self.ctx.is_open(ty)
    }

    /// Letters for the parameters of a method, as [`intrinsics::find`] wants them.
    fn param_letters(&self, method: MethodId) -> Option<String> {
        let signature = self.ctx.method_signature(method).ok()?;
        let mut letters = String::new();
        for &p in signature.params {
            match self.ctx.kind(p) {
                TypeKind::ByRef(to) => letters.extend(['&', self.letter(to)]),
                _ => letters.push(self.letter(p)),
            }
        }
        Some(letters)
    }

    fn letter(&self, ty: TypeId) -> char {
        match self.ctx.prim(ty) {
            Some(Prim::I4) => 'i',
            Some(Prim::U4) => 'I',
            Some(Prim::I8) => 'l',
            Some(Prim::U8) => 'L',
            Some(Prim::I) => 'n',
            Some(Prim::U) => 'N',
            Some(Prim::R4) => 'f',
            Some(Prim::R8) => 'd',
            _ if self.ctx.is_known(ty, Known::Object) => 'o',
            _ if self.ctx.is_known(ty, Known::String) => 's',
            _ => '?',
        }
    }

    /// The target can be called with the operands of a virtual call: `this` is an object, and no context is passed.
    fn direct(&self, target: MethodId) -> Option<MethodId> {
        let ctx = self.ctx;
        let context = ctx.needs_context(target);
        let plain = matches!(context, ContextSource::None | ContextSource::FromThis);
        let callable =
            plain && !ctx.method_is_abstract(target) && ctx.method_args(target).is_empty();
        let boxed = ctx.is_value_type(ctx.method_owner(target));
        (callable && !boxed).then(|| ctx.canonical_method(target))
    }
}

impl TypeOracle for ContextOracle<'_> {
    fn instance(&self, ty: TypeId) -> Option<InstanceFacts> {
        let ctx = self.ctx;
        let usual = self.is_plain_class(ty) && !ctx.is_abstract(ty);
        if !usual || ctx.is_known(ty, Known::String) || ctx.is_known(ty, Known::Array) {
            return None;
        }
        let layout = ctx.layout(ty).ok()?;
        let boxed = ctx.is_value_type(ty);
        let header = if boxed {
            crate::abi::layout::object::HEADER
        } else {
            0
        };
        Some(InstanceFacts {
            size: layout.size.checked_add(header)?.next_multiple_of(8),
            has_refs: !layout.refs.is_empty(),
            has_finalizer: !boxed && ctx.finalizer(ty).ok()?.is_some(),
        })
    }

    fn element(&self, array: TypeId) -> Option<ElementFacts> {
        let TypeKind::SzArray(element) = self.ctx.kind(array) else {
            return None;
        };
        Some(ElementFacts {
            size: self.ctx.value_size(element).ok()?,
            has_refs: self.ctx.contains_refs(element).ok()?,
        })
    }

    fn cast_test(&self, ty: TypeId) -> CastTest {
        let ctx = self.ctx;
        if ctx.is_known(ty, Known::Object) {
            return CastTest::Always;
        }
        if ctx.has_variance(ty) || ctx.is_nullable(ty) {
            return CastTest::Slow;
        }
        let exact_array = matches!(ctx.kind(ty), TypeKind::SzArray(_)) && ctx.is_sealed(ty);
        if exact_array {
            return CastTest::Exact;
        }
        if !self.is_plain_class(ty) {
            return CastTest::Slow;
        }
        if ctx.is_sealed(ty) || ctx.is_value_type(ty) {
            return CastTest::Exact;
        }
        match self.depth(ty) {
            Some(depth) => CastTest::Class {
                depth,
                is_abstract: ctx.is_abstract(ty),
            },
            None => CastTest::Slow,
        }
    }

    fn unbox_is_exact(&self, ty: TypeId) -> bool {
        let ctx = self.ctx;
        let number = ctx.is_enum(ty) || ctx.prim(ty).is_some();
        self.is_plain_class(ty) && ctx.is_value_type(ty) && !number && !ctx.is_nullable(ty)
    }

    fn object_type(&self) -> Option<TypeId> {
        Some(self.ctx.known(Known::Object))
    }

    fn is_assignable(&self, from: TypeId, to: TypeId) -> Option<bool> {
        self.ctx.cast_outcome(from, to)
    }

    fn vtable_slot(&self, method: MethodId) -> Option<u32> {
        let ctx = self.ctx;
        let of_class = !ctx.is_interface(ctx.method_owner(method));
        let plain = of_class && ctx.method_args(method).is_empty();
        plain.then(|| ctx.vtable_slot(method)).flatten()
    }

    fn imt_slot(&self, method: MethodId) -> Option<u32> {
        let ctx = self.ctx;
        let plain =
            ctx.is_interface(ctx.method_owner(method)) && ctx.method_args(method).is_empty();
        plain.then(|| ctx.imt_slot(method))
    }

    fn devirtualize(&self, method: MethodId, receiver: TypeId, exact: bool) -> Option<MethodId> {
        let ctx = self.ctx;
        let vague = |t| ctx.contains_canon(t) || ctx.is_open(t);
        let owner = ctx.method_owner(method);
        if vague(receiver) || vague(owner) || ctx.is_interface(receiver) {
            return None;
        }
        let target = ctx.resolve_virtual(receiver, method).ok()?;
        let settled = exact
            || ctx.is_sealed(receiver)
            || (!ctx.is_interface(owner) && ctx.method_is_final(target));
        settled.then(|| self.direct(target)).flatten()
    }

    fn body_for_inlining(
        &self,
        method: MethodId,
        caller: Option<MethodId>,
        max_il: u32,
    ) -> Option<Function> {
        let ctx = self.ctx;
        if ctx.method_is_noinlining(method) || ctx.method_is_synchronized(method) {
            return None;
        }
        self.bodies?.body(method, caller, max_il)
    }

    fn intrinsic(&self, method: MethodId) -> Option<Intrinsic> {
        let ctx = self.ctx;
        let owner = ctx.method_owner(method);
        let plain =
            matches!(ctx.kind(owner), TypeKind::Def { module, .. } if module == ctx.corlib());
        if !plain || !ctx.method_args(method).is_empty() {
            return None;
        }
        let (namespace, name) = ctx.type_name(owner);
        if !intrinsics::is_class(namespace, name) {
            return None;
        }
        let class = format!("{namespace}.{name}");
        intrinsics::find(
            &class,
            ctx.method_name(method),
            &self.param_letters(method)?,
        )
    }
}
