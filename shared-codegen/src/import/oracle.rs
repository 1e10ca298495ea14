//! Answers the passes' questions from the type system.

use super::{ImportOptions, import_method};
use crate::ir::Function;
use crate::passes::intrinsics::Intrinsic;
use crate::passes::{CastTest, ElementFacts, InlineHint, InstanceFacts, TypeOracle};
use crate::types::{ContextSource, Known, MethodId, TypeContext, TypeId, TypeKind, ValueClass};

/// [`TypeOracle`] over a [`TypeContext`].
pub struct ContextOracle<'c> {
    /// The type system.
    pub ctx: &'c TypeContext,
    /// How bodies for inlining are imported.
    pub options: ImportOptions,
}

impl ContextOracle<'_> {
    fn depth(&self, ty: TypeId) -> Option<u32> {
        let mut depth = 0;
        let mut at = ty;
        while let Some(parent) = self.ctx.parent(at).ok()? {
            depth += 1;
            at = parent;
        }
        Some(depth)
    }

    fn is_plain_class(&self, ty: TypeId) -> bool {
        matches!(
            self.ctx.kind(ty),
            TypeKind::Def { .. } | TypeKind::Inst { .. }
        ) && !self.ctx.contains_canon(ty)
    }

    /// Callers of these look at the frames above them.
    fn walks_stack(&self, f: &Function) -> bool {
        let calls = f.insts.iter().filter_map(|i| {
            if let crate::ir::Imm::Call(c) = i.imm {
                c.method
            } else {
                None
            }
        });
        calls.into_iter().any(|m| {
            matches!(
                self.ctx.method_name(m),
                "GetCallingAssembly"
                    | "GetExecutingAssembly"
                    | "GetCurrentMethod"
                    | "GetType"
                    | "Load"
                    | "LoadFrom"
                    | "CreateInstance"
                    | "get_StackTrace"
                    | ".ctor"
            ) && {
                let (namespace, class) = self.ctx.type_name(self.ctx.method_owner(m));
                matches!(
                    (namespace, class),
                    ("System.Reflection", "Assembly" | "MethodBase")
                        | ("System", "Type" | "Activator" | "Environment")
                        | ("System.Diagnostics", "StackTrace" | "StackFrame")
                )
            }
        })
    }
}

impl TypeOracle for ContextOracle<'_> {
    fn instance(&self, ty: TypeId) -> Option<InstanceFacts> {
        let ctx = self.ctx;
        let special = ty == ctx.known(Known::String) || ctx.is_abstract(ty) || ctx.is_interface(ty);
        if special || !matches!(ctx.kind(ty), TypeKind::Def { .. } | TypeKind::Inst { .. }) {
            return None;
        }
        let layout = ctx.layout(ty).ok()?;
        let header = if ctx.is_value_type(ty) {
            crate::abi::layout::object::HEADER
        } else {
            0
        };
        Some(InstanceFacts {
            size: (layout.size + header).next_multiple_of(8),
            has_refs: !layout.refs.is_empty(),
            has_finalizer: ctx.has_finalizer(ty),
        })
    }

    fn element(&self, array: TypeId) -> Option<ElementFacts> {
        let TypeKind::SzArray(elem) = self.ctx.kind(array) else {
            return None;
        };
        let has_refs = match self.ctx.value_class(elem).ok()? {
            ValueClass::Scalar(m) => m == crate::ir::MemType::Ref,
            _ => self.ctx.contains_refs(elem).ok()?,
        };
        Some(ElementFacts {
            size: self.ctx.value_size(elem).ok()?,
            has_refs,
        })
    }

    fn cast_test(&self, ty: TypeId) -> CastTest {
        let ctx = self.ctx;
        if ty == ctx.known(Known::Object) {
            return CastTest::Always;
        }
        let slow = !self.is_plain_class(ty)
            || ctx.is_interface(ty)
            || ctx.is_nullable(ty)
            || ctx.has_variance(ty)
            || ctx.is_enum(ty);
        if slow {
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
        self.is_plain_class(ty)
            && self.ctx.is_value_type(ty)
            && self.ctx.prim(self.ctx.underlying(ty)).is_none()
    }

    fn object_type(&self) -> Option<TypeId> {
        Some(self.ctx.known(Known::Object))
    }

    fn is_assignable(&self, from: TypeId, to: TypeId) -> Option<bool> {
        self.ctx.cast_outcome(from, to)
    }

    fn vtable_slot(&self, method: MethodId) -> Option<u32> {
        self.ctx.vtable_slot(method)
    }

    fn imt_slot(&self, method: MethodId) -> Option<u32> {
        Some(self.ctx.imt_slot(method))
    }

    fn devirtualize(&self, method: MethodId, receiver: TypeId, exact: bool) -> Option<MethodId> {
        let ctx = self.ctx;
        if !(exact || ctx.is_sealed(receiver))
            || ctx.is_value_type(receiver)
            || ctx.contains_canon(receiver)
        {
            return None;
        }
        let target = ctx.resolve_virtual(receiver, method).ok()?;
        let plain = ctx.needs_context(target) == ContextSource::None
            && !ctx.is_value_type(ctx.method_owner(target))
            && !ctx.method_is_abstract(target);
        plain.then(|| ctx.canonical_method(target))
    }

    fn inline_hint(&self, method: MethodId) -> InlineHint {
        let ctx = self.ctx;
        let never = ctx.method_is_noinlining(method)
            || ctx.method_is_synchronized(method)
            || ctx.method_rva(method) == 0
            || ctx.method_is_pinvoke(method)
            || ctx.method_is_internal_call(method);
        if never {
            InlineHint::Never
        } else if ctx.method_is_aggressive_inlining(method) {
            InlineHint::Wanted
        } else {
            InlineHint::Small
        }
    }

    fn body_for_inlining(
        &self,
        method: MethodId,
        _caller: Option<MethodId>,
        max_il: u32,
    ) -> Option<Function> {
        let ctx = self.ctx;
        let body = crate::il::MethodBody::parse(
            ctx.module(ctx.method_module(method)),
            ctx.method_rva(method),
        )
        .ok()?;
        if body.code.len() > max_il as usize || !body.clauses.is_empty() {
            return None;
        }
        let f = import_method(ctx, method, &self.options).ok()?;
        (f.failures.is_empty() && !self.walks_stack(&f)).then_some(f)
    }

    fn intrinsic(&self, _method: MethodId) -> Option<Intrinsic> {
        None
    }
}
