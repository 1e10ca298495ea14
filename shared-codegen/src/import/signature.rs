//! Machine-level signatures (`docs/architecture.md` §3).

use super::error::Result;
use crate::ir::{Signature, Type};
use crate::types::{ContextSource, MethodId, MethodSignature, TypeContext, TypeId, ValueClass};

/// How a value of this type is passed: structs by address.
pub fn pass_type(class: ValueClass) -> Option<Type> {
    match class {
        ValueClass::Void => None,
        ValueClass::Scalar(m) => Some(m.value_type()),
        ValueClass::Struct { .. } => Some(Type::I64),
    }
}

/// Type of `this` of a method.
pub(super) fn this_type(ctx: &TypeContext, owner: TypeId) -> Type {
    if ctx.is_value_type(owner) {
        Type::ByRef
    } else {
        Type::Ref
    }
}

/// Parameters and result of a CLI signature; `this` is the type of an implicit `this`.
pub(super) fn lower(
    ctx: &TypeContext,
    signature: &MethodSignature,
    this: Option<Type>,
) -> Result<Signature> {
    let mut sig = Signature::default();
    sig.params.extend(this);
    match ctx.value_class(signature.ret)? {
        ValueClass::Void => {}
        ValueClass::Struct { .. } => sig.params.push(Type::I64),
        ValueClass::Scalar(m) => sig.ret = Some(m.value_type()),
    }
    for p in signature.params {
        sig.params.extend(pass_type(ctx.value_class(*p)?));
    }
    if signature.is_vararg() {
        sig.params.push(super::varargs::LIST);
    }
    Ok(sig)
}

/// The machine-level signature of a method's body.
pub fn ir_signature(
    ctx: &TypeContext,
    method: MethodId,
    signature: &MethodSignature,
) -> Result<Signature> {
    let this = (signature.has_this && !signature.explicit_this)
        .then(|| this_type(ctx, ctx.method_owner(method)));
    let mut sig = lower(ctx, signature, this)?;
    sig.context = matches!(
        ctx.needs_context(method),
        ContextSource::OwnerTable | ContextSource::MethodHandle
    );
    Ok(sig)
}
