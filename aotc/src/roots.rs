//! What to compile of an assembly in any case: every method with a body, generic ones over references.

use shared_codegen::metadata::TypeDefRow;
use shared_codegen::types::{GenericParam, MethodId, ModuleId, TypeContext, TypeId};

/// `GenericParameterAttributes.NotNullableValueTypeConstraint`
const VALUE_TYPE: u32 = 8;

/// Methods of a module in canonical form, and rows of types that cannot be read with the error.
pub fn methods(ctx: &TypeContext, module: ModuleId) -> Vec<MethodId> {
    let mut found = Vec::new();
    for row in ctx.module(module).rows::<TypeDefRow>() {
        methods_of(ctx, ctx.type_def(module, row), &mut found);
    }
    found
}

fn methods_of(ctx: &TypeContext, def: TypeId, found: &mut Vec<MethodId>) {
    let Some(owner) = over_references(ctx, def) else {
        return;
    };
    for open in ctx.methods(def).unwrap_or_default() {
        let m = ctx.method_on(open, owner);
        if !has_body(ctx, m) {
            continue;
        }
        let count = ctx.generic_param_count(m) as usize;
        if count == 0 {
            found.push(ctx.canonical_method(m));
        } else if takes_references(&ctx.method_generic_params(m).unwrap_or_default()) {
            let args = ctx.list(&vec![ctx.canon(); count]);
            found.push(ctx.canonical_method(ctx.with_method_args(m, args)));
        }
    }
}

/// The type itself, or its instance over reference types if it can have one.
pub fn over_references(ctx: &TypeContext, def: TypeId) -> Option<TypeId> {
    if !ctx.is_generic_definition(def) {
        return Some(def);
    }
    if !takes_references(&ctx.generic_params(def).ok()?) {
        return None;
    }
    let args = vec![ctx.canon(); ctx.generic_count(def) as usize];
    Some(ctx.instance(def, &args))
}

fn takes_references(params: &[GenericParam]) -> bool {
    params.iter().all(|p| p.flags & VALUE_TYPE == 0)
}

/// There is something to compile: IL, or a wrapper that stands for the method.
pub fn has_body(ctx: &TypeContext, m: MethodId) -> bool {
    !ctx.method_is_abstract(m)
        && (ctx.method_rva(m) != 0
            || ctx.method_is_internal_call(m)
            || ctx.method_is_pinvoke(m)
            || ctx.method_is_runtime(m))
}
