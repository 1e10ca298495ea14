//! Stubs between delegates and native code that no compiled code names: the runtime asks for them when a delegate becomes a
//! function pointer, or a function pointer a delegate.
//!
//! Wanted are those of delegate types that occur in P/Invokes of the assembly and in the structs passed there, of delegate
//! types with `UnmanagedFunctionPointerAttribute`, and, if the assembly calls `Marshal`'s conversions itself, of all its delegate types.

use rustc_hash::FxHashSet;
use shared_codegen::import::delegates_passed;
use shared_codegen::metadata::{MemberRefRow, TypeDefRow};
use shared_codegen::types::{MethodId, ModuleId, SyntheticKind, TypeContext, TypeId};

/// `Marshal`'s conversions.
const CONVERSIONS: [&str; 2] = [
    "GetFunctionPointerForDelegate",
    "GetDelegateForFunctionPointer",
];
const ATTRIBUTE: (&str, &str) = (
    "System.Runtime.InteropServices",
    "UnmanagedFunctionPointerAttribute",
);

/// The stubs that an assembly may need.
pub fn of_module(ctx: &TypeContext, module: ModuleId) -> Vec<MethodId> {
    let mut types = Vec::new();
    let convert = converts(ctx, module);
    for row in ctx.module(module).rows::<TypeDefRow>() {
        let def = ctx.type_def(module, row);
        if ctx.is_generic_definition(def) {
            continue;
        }
        if ctx.is_delegate(def) && (convert || ctx.has_attribute(module, row.into(), ATTRIBUTE)) {
            types.push(def);
        }
        for m in ctx.methods(def).unwrap_or_default() {
            if ctx.method_is_pinvoke(m) {
                types.extend(delegates_passed(ctx, m));
            }
        }
    }
    stubs_of(ctx, types)
}

/// Both stubs of each delegate type, and of those in their signatures.
fn stubs_of(ctx: &TypeContext, mut types: Vec<TypeId>) -> Vec<MethodId> {
    let (mut stubs, mut seen) = (Vec::new(), FxHashSet::default());
    while let Some(t) = types.pop() {
        let Ok(Some(invoke)) = ctx.delegate_invoke(t) else {
            continue;
        };
        if !seen.insert(t) {
            continue;
        }
        types.extend(delegates_passed(ctx, invoke));
        for kind in [
            SyntheticKind::NativeToManaged,
            SyntheticKind::ManagedToNative,
        ] {
            stubs.extend(ctx.marshalling_stub(kind, invoke));
        }
    }
    stubs
}

fn converts(ctx: &TypeContext, module: ModuleId) -> bool {
    let md = ctx.module(module);
    md.rows::<MemberRefRow>()
        .filter_map(|row| md.member_ref(row).ok())
        .any(|m| CONVERSIONS.contains(&m.name))
}
