//! Filling delegates: which code they call and how.
//!
//! That depends only on the delegate's type, the method and the class of the target, so the last plans are kept.

use super::Runtime;
use super::word_cache::WordCache;
use crate::icall::{Result, Thrown};
use crate::object::{MethodDesc, MethodTable, Obj};
use core::sync::atomic::Ordering;
use shared_codegen::abi::layout::delegate;
use shared_codegen::types::{ContextSource, MethodId, ValueClass};

/// What the fields of a delegate get besides the target.
#[derive(Clone, Copy)]
struct Plan {
    /// Code to call.
    code: usize,
    /// `INVOKE_*`
    kind: i64,
    /// Handle of the method, 0 if only code is known.
    method: usize,
}

/// Plans by the delegate's method table, the target's (0 for null), code and method handle.
static PLANS: WordCache<4, 3, 512> = WordCache::new();

/// Fills a fresh delegate.
pub fn init(d: Obj, target: Obj, code: usize, method: Option<&'static MethodDesc>) -> Result<()> {
    let class = (!target.is_null()).then(|| target.method_table());
    let key = [
        d.method_table().handle(),
        class.map_or(0, MethodTable::handle),
        code,
        method.map_or(0, MethodDesc::handle),
    ];
    let plan = match PLANS.get(key) {
        Some([code, kind, method]) => Plan {
            code,
            kind: kind as i64,
            method,
        },
        None => {
            let plan = plan(d.method_table(), target, code, method)?;
            // Code without a method may get one later.
            if plan.method != 0 {
                PLANS.insert(key, [plan.code, plan.kind as usize, plan.method]);
            }
            plan
        }
    };
    if plan.method != 0 {
        d.set(delegate::METHOD as u32, plan.method);
    }
    d.set(delegate::METHOD_PTR as u32, plan.code);
    d.set(delegate::INVOKE_KIND as u32, plan.kind);
    d.set(delegate::TARGET as u32, target);
    Ok(())
}

fn plan(
    class: &MethodTable,
    target: Obj,
    code: usize,
    method: Option<&'static MethodDesc>,
) -> Result<Plan> {
    let rt = super::get();
    let open = match target.is_null() {
        true => delegate::INVOKE_OPEN,
        false => delegate::INVOKE_CLOSED,
    };
    let Some(desc) = method.or_else(|| rt.methods.at_code(code)) else {
        return Ok(Plan {
            code,
            kind: open,
            method: 0,
        });
    };
    let types = &rt.types;
    let is_static = types.method_is_static(desc.method);
    // `ldftn` of a virtual method (`base.M`) means that very method.
    let settled = code != 0
        && [&desc.callable, &desc.code]
            .iter()
            .any(|c| c.load(Ordering::Relaxed) == code);
    let resolve = !is_static && !settled && types.method_is_virtual(desc.method);
    let (desc, code) = if !target.is_null() && resolve {
        let found = rt.methods.resolve_virtual(rt, target, desc.method)?;
        (found, rt.methods.for_object(rt, found)?)
    } else if !target.is_null()
        && !is_static
        && types.is_value_type(types.method_owner(desc.method))
    {
        (desc, rt.methods.unboxing(rt, desc)?)
    } else {
        (desc, code)
    };
    let code = direct(rt, desc, code);
    Ok(Plan {
        code,
        kind: kind(class, desc.method, open, resolve)?,
        method: desc.handle(),
    })
}

/// The code of a method in an image instead of the stub that goes there; what must be compiled waits for its first call.
fn direct(rt: &Runtime, desc: &'static MethodDesc, code: usize) -> usize {
    let is_stub = code == desc.callable.load(Ordering::Relaxed);
    let adds_context = matches!(
        rt.types.needs_context(desc.method),
        ContextSource::OwnerTable | ContextSource::MethodHandle
    );
    if !is_stub || adds_context {
        return code;
    }
    let precompiled = rt.jit.precompiled(rt, rt.methods.canonical(rt, desc));
    precompiled.unwrap_or(code)
}

/// How a delegate of this class calls a method. `open` is the answer where the numbers of parameters do not tell.
fn kind(class: &MethodTable, method: MethodId, open: i64, resolved: bool) -> Result<i64> {
    let types = &super::get().types;
    let is_static = types.method_is_static(method);
    let invoke = types
        .delegate_invoke(class.type_id())?
        .ok_or_else(Thrown::null_reference)?;
    let supplied = types.method_signature(invoke)?;
    let wanted = types.method_signature(method)?.params.len() + usize::from(!is_static);
    let struct_result = matches!(types.value_class(supplied.ret)?, ValueClass::Struct { .. });
    let params = supplied.params.len();
    Ok(if wanted == params + 1 {
        // Closed, over null too: one parameter more than the delegate supplies.
        match struct_result && is_static {
            true => delegate::INVOKE_CLOSED_STATIC,
            false => delegate::INVOKE_CLOSED,
        }
    } else if wanted != params || is_static {
        open
    } else if struct_result && !resolved {
        delegate::INVOKE_OPEN_INSTANCE
    } else if types.method_is_virtual(method) && open == delegate::INVOKE_OPEN {
        delegate::INVOKE_OPEN_VIRTUAL
    } else {
        open
    })
}
