//! What virtual calls, delegates and generic lookups come to when types are known: the parts of [`super::ContextOracle`]
//! that `devirtualize` asks for.

use super::signature::ir_signature;
use crate::abi::fixup::Fixup;
use crate::ir::Lookup;
use crate::passes::{DirectTarget, KnownClass, Receiver};
use crate::types::{ContextSource, GenericContext, MethodId, TypeContext, TypeId, ValueClass};

/// The type is not known exactly: it contains `Canon`, or parameters.
fn is_vague(ctx: &TypeContext, t: TypeId) -> bool {
    ctx.contains_canon(t) || ctx.is_open(t)
}

fn is_vague_method(ctx: &TypeContext, m: MethodId) -> bool {
    is_vague(ctx, ctx.method_owner(m)) || ctx.method_args(m).iter().any(|&a| is_vague(ctx, a))
}

/// See [`crate::passes::TypeOracle::virtual_target`].
pub(super) fn of_virtual(
    ctx: &TypeContext,
    method: MethodId,
    receiver: KnownClass,
) -> Option<DirectTarget> {
    let KnownClass { ty, exact } = receiver;
    let owner = ctx.method_owner(method);
    let of_interface = ctx.is_interface(owner);
    if ctx.is_open(ty) || ctx.is_interface(ty) || ctx.is_nullable(ty) {
        return None;
    }
    // A slot of a class is the same for all instances; which interface is meant depends on its arguments.
    if is_vague_method(ctx, method) && (of_interface || !ctx.method_args(method).is_empty()) {
        return None;
    }
    let suits = match of_interface {
        true => !ctx.has_variance(owner) || !is_vague(ctx, ty),
        false => ctx.cast_outcome(ty, owner) != Some(false),
    };
    let exact = exact || ctx.is_leaf(ty);
    if !suits || !exact && of_interface {
        return None;
    }
    let target = ctx.resolve_virtual(ty, method).ok()?;
    let settled = exact || ctx.method_is_final(target) || ctx.is_final_below(ty, target);
    if !settled || ctx.method_is_abstract(target) {
        return None;
    }
    of_exact(ctx, target)
}

/// See [`crate::passes::TypeOracle::code_target`].
pub(super) fn of_exact(ctx: &TypeContext, method: MethodId) -> Option<DirectTarget> {
    let owner = ctx.method_owner(method);
    let signature = ctx.method_signature(method).ok()?;
    if signature.is_vararg() || signature.explicit_this || ctx.method_is_abstract(method) {
        return None;
    }
    let context = match ctx.needs_context(method) {
        ContextSource::None | ContextSource::FromThis => None,
        _ if is_vague_method(ctx, method) => return None,
        ContextSource::OwnerTable => Some(Fixup::MethodTable(owner)),
        ContextSource::MethodHandle => Some(Fixup::MethodHandle(method)),
    };
    let body = ctx.canonical_method(method);
    let receiver = match (signature.has_this, ctx.is_value_type(owner)) {
        (false, _) => Receiver::Static,
        (true, false) => Receiver::Object,
        (true, true) => Receiver::Value,
    };
    Some(DirectTarget {
        method: body,
        sig: ir_signature(ctx, body, ctx.method_signature(body).ok()?).ok()?,
        receiver,
        params: signature.params.len() as u32,
        returns_struct: matches!(
            ctx.value_class(signature.ret).ok()?,
            ValueClass::Struct { .. }
        ),
        context,
    })
}

/// The class that `EqualityComparer<T>.Default` and `Comparer<T>.Default` return, if the method is one of them and `T` known.
pub(super) fn chosen_comparer(ctx: &TypeContext, method: MethodId) -> Option<TypeId> {
    let owner = ctx.method_owner(method);
    if ctx.type_args(owner).len() != 1
        || is_vague(ctx, owner)
        || ctx.method_name(method) != "get_Default"
    {
        return None;
    }
    ctx.default_comparer(owner)
}

/// See [`crate::passes::TypeOracle::result_class`].
pub(super) fn result_class(ctx: &TypeContext, method: MethodId) -> Option<KnownClass> {
    if let Some(ty) = chosen_comparer(ctx, method) {
        return Some(KnownClass { ty, exact: true });
    }
    declared_class(ctx, ctx.method_signature(method).ok()?.ret)
}

/// What the declared type of a variable says of the objects in it.
pub(super) fn declared_class(ctx: &TypeContext, ty: TypeId) -> Option<KnownClass> {
    let helps = !ctx.is_open(ty)
        && ctx.is_reference_type(ty)
        && !ctx.is_interface(ty)
        && ty != ctx.canon()
        && !ctx.is_known(ty, crate::types::Known::Object);
    helps.then_some(KnownClass { ty, exact: false })
}

/// See [`crate::passes::TypeOracle::exact_lookup`].
pub(super) fn exact_lookup(ctx: &TypeContext, lookup: Lookup, context: Fixup) -> Option<Fixup> {
    let generics = context_of(ctx, lookup.owner, context)?;
    let ty = |t| {
        let exact = ctx.substitute(t, generics);
        (!is_vague(ctx, exact)).then_some(exact)
    };
    let method = |m| {
        let exact = ctx.substitute_method(m, generics);
        (!is_vague_method(ctx, exact)).then_some(exact)
    };
    Some(match lookup.fixup {
        Fixup::MethodTable(t) => Fixup::MethodTable(ty(t)?),
        Fixup::TypeObject(t) => Fixup::TypeObject(ty(t)?),
        Fixup::StaticsBase(t) => Fixup::StaticsBase(ty(t)?),
        Fixup::MethodHandle(m) => Fixup::MethodHandle(method(m)?),
        Fixup::MethodCode(m) => Fixup::MethodCode(method(m)?),
        _ => return None,
    })
}

/// The arguments that a constant context gives the parameters of a method.
fn context_of(ctx: &TypeContext, method: MethodId, context: Fixup) -> Option<GenericContext> {
    match (ctx.needs_context(ctx.canonical_method(method)), context) {
        (ContextSource::MethodHandle, Fixup::MethodHandle(m)) => Some(ctx.generic_context(m)),
        (ContextSource::OwnerTable | ContextSource::FromThis, Fixup::MethodTable(t)) => {
            // The table of `this` may be that of a derived class.
            let wanted = ctx.definition(ctx.method_owner(method));
            let mut at = t;
            while ctx.definition(at) != wanted {
                at = ctx.parent(at).ok()??;
            }
            (!is_vague(ctx, at)).then(|| ctx.owner_context(at))
        }
        _ => None,
    }
}
