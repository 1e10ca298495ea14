//! Answers the passes' questions ([`TypeOracle`]) from the type system.

use super::{ImportOptions, import_method, targets};
use crate::abi::fixup::Fixup;
use crate::il::MethodBody;
use crate::ir::{Function, Imm, Lookup, MemType};
use crate::passes::intrinsics::{self, Intrinsic};
use crate::passes::{
    CastTest, DirectTarget, ElementFacts, InlineHint, InstanceFacts, KnownClass, TypeOracle,
};
use crate::types::{FieldId, Known, MethodId, Prim, TypeContext, TypeId, TypeKind, ValueClass};

/// Methods that look at the frames of their callers, so that those must not be inlined: namespace, class, method (`*`: all).
const STACK_WALKERS: &[(&str, &str, &str)] = &[
    ("System", "Type", "GetType"),
    ("System", "Type", "ReflectionOnlyGetType"),
    ("System", "Activator", "CreateInstance"),
    ("System", "Environment", "get_StackTrace"),
    ("System.Diagnostics", "StackFrame", "*"),
    ("System.Diagnostics", "StackTrace", "*"),
    ("System.Reflection", "Assembly", "GetCallingAssembly"),
    ("System.Reflection", "Assembly", "GetExecutingAssembly"),
    ("System.Reflection", "Assembly", "Load"),
    ("System.Reflection", "Assembly", "LoadFrom"),
    ("System.Reflection", "Assembly", "LoadWithPartialName"),
    ("System.Reflection", "MethodBase", "GetCurrentMethod"),
    ("System.Resources", "ResourceManager", ".ctor"),
];

/// Most exception clauses of a method that is inlined.
const MAX_INLINE_CLAUSES: usize = 1;

/// [`TypeOracle`] over a [`TypeContext`].
pub struct ContextOracle<'c> {
    /// The type system.
    pub ctx: &'c TypeContext,
    /// How bodies for inlining are imported.
    pub options: ImportOptions,
}

impl ContextOracle<'_> {
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

    fn add_scalars(
        &self,
        ty: TypeId,
        base: u32,
        max: usize,
        to: &mut Vec<(u32, MemType)>,
    ) -> Option<()> {
        let ctx = self.ctx;
        let fields = ctx.fields(ctx.definition(ty)).ok()?;
        let mut end = base;
        for f in fields.into_iter().filter(|&f| !ctx.field_is_static(f)) {
            let f = ctx.field_of(ty, ctx.field_kind(f).row);
            let offset = base + ctx.field_offset(f).ok()?;
            let field_type = ctx.field_type(f).ok()?;
            match ctx.value_class(field_type).ok()? {
                ValueClass::Void => return None,
                ValueClass::Scalar(m) => to.push((offset, m)),
                ValueClass::Struct { .. } => self.add_scalars(field_type, offset, max, to)?,
            }
            if to.len() > max {
                return None;
            }
            end = end.max(offset + ctx.value_size(field_type).ok()?);
        }
        // What a declared size adds is data too: a `fixed` buffer has a field for its first element only.
        let (_, _, declared) = ctx.class_layout(ty);
        (base.saturating_add(declared) <= end).then_some(())
    }

    /// Parameters that are structs: where they stand behind `this` and the address for the result.
    fn find_struct_params(&self, method: MethodId) -> Option<Vec<(usize, TypeId)>> {
        let ctx = self.ctx;
        let signature = ctx.method_signature(method).ok()?;
        let is_struct = |ty| {
            Some(matches!(
                ctx.value_class(ty).ok()?,
                ValueClass::Struct { .. }
            ))
        };
        let this = signature.has_this && !signature.explicit_this;
        let first = usize::from(this) + usize::from(is_struct(signature.ret)?);
        let mut found = Vec::new();
        for (n, &ty) in signature.params.iter().enumerate() {
            if is_struct(ty)? && !signature.explicit_this {
                found.push((first + n, ty));
            }
        }
        Some(found)
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

    /// The method looks at the frames of its callers.
    fn walks_stack(&self, method: MethodId) -> bool {
        let ctx = self.ctx;
        let owner = ctx.method_owner(method);
        let in_corlib = ctx.def_of(owner).is_some_and(|d| d.0 == ctx.corlib());
        if !in_corlib {
            return false;
        }
        let (namespace, class) = ctx.type_name(owner);
        let name = ctx.method_name(method);
        let listed = STACK_WALKERS
            .iter()
            .any(|&(n, c, m)| (n, c) == (namespace, class) && (m == "*" || m == name));
        listed || self.takes_crawl_mark(method)
    }

    fn takes_crawl_mark(&self, method: MethodId) -> bool {
        let ctx = self.ctx;
        let Ok(signature) = ctx.method_signature(method) else {
            return true;
        };
        let is_mark = |&p: &TypeId| match ctx.kind(p) {
            TypeKind::ByRef(to) => ctx.type_name(to) == ("System.Threading", "StackCrawlMark"),
            _ => false,
        };
        signature.params.iter().any(is_mark)
    }
}

/// Methods called by a body.
fn callees(body: &Function) -> impl Iterator<Item = MethodId> + '_ {
    body.insts.iter().filter_map(|i| match i.imm {
        Imm::Call(info) => info.method,
        _ => None,
    })
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

    fn scalars(&self, ty: TypeId, max: usize) -> Option<Vec<(u32, MemType)>> {
        let mut scalars = Vec::new();
        self.add_scalars(ty, 0, max, &mut scalars)?;
        scalars.sort_unstable_by_key(|s| s.0);
        let apart = |w: &[(u32, MemType)]| w[0].0 + w[0].1.bytes() <= w[1].0;
        scalars.windows(2).all(apart).then_some(scalars)
    }

    fn struct_params(&self, method: MethodId) -> Vec<(usize, TypeId)> {
        let plain = self.ctx.method_rva(method) != 0;
        plain
            .then(|| self.find_struct_params(method))
            .flatten()
            .unwrap_or_default()
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
        if ctx.is_leaf(ty) || ctx.is_value_type(ty) {
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

    fn virtual_target(&self, method: MethodId, receiver: KnownClass) -> Option<DirectTarget> {
        targets::of_virtual(self.ctx, method, receiver)
    }

    fn code_target(&self, method: MethodId) -> Option<DirectTarget> {
        targets::of_exact(self.ctx, method)
    }

    fn result_class(&self, method: MethodId) -> Option<KnownClass> {
        targets::result_class(self.ctx, method)
    }

    fn param_class(&self, method: MethodId, position: usize) -> Option<KnownClass> {
        let ctx = self.ctx;
        if ctx.method_rva(method) == 0 {
            return None;
        }
        let signature = ctx.method_signature(method).ok()?;
        let this = signature.has_this && !signature.explicit_this;
        if this && position == 0 {
            return targets::declared_class(ctx, ctx.method_owner(method));
        }
        let buffer = matches!(
            ctx.value_class(signature.ret).ok()?,
            ValueClass::Struct { .. }
        );
        let n = position.checked_sub(usize::from(this) + usize::from(buffer))?;
        targets::declared_class(ctx, *signature.params.get(n)?)
    }

    fn field_class(&self, field: FieldId) -> Option<KnownClass> {
        targets::declared_class(self.ctx, self.ctx.field_type(field).ok()?)
    }

    fn constant_class(&self, fixup: Fixup) -> Option<KnownClass> {
        let known = match fixup {
            Fixup::StringLiteral(..) => Known::String,
            Fixup::TypeObject(_) => Known::RuntimeType,
            _ => return None,
        };
        let ty = self.ctx.known(known);
        Some(KnownClass { ty, exact: true })
    }

    fn exact_lookup(&self, lookup: Lookup, context: Fixup) -> Option<Fixup> {
        targets::exact_lookup(self.ctx, lookup, context)
    }

    fn is_discardable(&self, method: MethodId) -> bool {
        targets::chosen_comparer(self.ctx, method).is_some()
    }

    fn inline_hint(&self, method: MethodId) -> InlineHint {
        let ctx = self.ctx;
        let unfit = ctx.method_is_noinlining(method)
            || ctx.method_is_synchronized(method)
            || ctx.method_is_internal_call(method)
            || ctx.method_is_pinvoke(method)
            || ctx.method_is_runtime(method)
            || ctx.method_rva(method) == 0
            // Its result is known; `devirtualize` wants to see the call.
            || targets::chosen_comparer(ctx, method).is_some();
        match unfit {
            true => InlineHint::Never,
            false if ctx.method_is_aggressive_inlining(method) => InlineHint::Wanted,
            false => InlineHint::Small,
        }
    }

    fn il_size(&self, method: MethodId) -> u32 {
        let ctx = self.ctx;
        let module = ctx.module(ctx.method_module(method));
        let body = MethodBody::parse(module, ctx.method_rva(method));
        body.map_or(u32::MAX, |b| b.code.len() as u32)
    }

    fn body_for_inlining(&self, method: MethodId) -> Option<Function> {
        let ctx = self.ctx;
        if self.walks_stack(method) {
            return None;
        }
        let module = ctx.module(ctx.method_module(method));
        let il = MethodBody::parse(module, ctx.method_rva(method)).ok()?;
        if il.clauses.len() > MAX_INLINE_CLAUSES {
            return None;
        }
        let body = import_method(ctx, method, &self.options).ok()?;
        let walks = callees(&body).any(|m| self.walks_stack(m));
        (body.failures.is_empty() && !walks).then_some(body)
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
