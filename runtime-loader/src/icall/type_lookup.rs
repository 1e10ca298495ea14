//! Types by name: `Type.GetType`, `Assembly.GetType`.

use super::assembly::module_of;
use super::runtime_type::object_of;
use super::stack_trace::calling_module;
use super::{Result, Thrown, icalls, managed};
use crate::object::{Obj, string};
use crate::runtime;
use shared_codegen::types::{ModuleId, TypeId, TypeName};

icalls! {
    "System.RuntimeTypeHandle" {
        "internal_from_name" => from_name(Obj, *const i32, Obj, bool, bool, bool) -> Obj;
    }
}

fn not_found(name: &str, module: ModuleId) -> Thrown {
    let assembly = runtime::get().types.assembly(module).name.to_string();
    Thrown::system(
        "TypeLoadException",
        format!("Could not load type '{name}' from assembly '{assembly}'."),
    )
}

/// The `Type`, or null, or an exception if `throw`.
fn finish(found: Result<Option<TypeId>>, name: &str, module: ModuleId, throw: bool) -> Result<Obj> {
    match found {
        Ok(Some(t)) => object_of(t),
        Ok(None) if throw => Err(not_found(name, module)),
        Err(e) if throw => Err(e),
        _ => Ok(Obj::NULL),
    }
}

extern "C" fn from_name(
    name: Obj,
    _mark: *const i32,
    caller: Obj,
    throw: bool,
    ignore_case: bool,
    _reflection_only: bool,
) -> Obj {
    managed(|| {
        let name = name
            .non_null()
            .ok_or_else(|| Thrown::argument_null("typeName"))?;
        let name = string::to_rust(name);
        let rt = runtime::get();
        let types = &rt.types;
        let module = match caller.non_null() {
            Some(c) => module_of(c)?,
            None => calling_module(rt, 0).unwrap_or(types.corlib()),
        };
        let resolve = || -> Result<Option<TypeId>> {
            Ok(types.resolve_type_name(module, &TypeName::parse(&name)?, ignore_case)?)
        };
        finish(resolve(), &name, module, throw)
    })
}

/// A type of one assembly.
pub(super) fn in_assembly(
    module: ModuleId,
    name: &str,
    throw: bool,
    ignore_case: bool,
) -> Result<Obj> {
    let types = &runtime::get().types;
    let resolve = || -> Result<Option<TypeId>> {
        let parsed = TypeName::parse(name)?;
        if parsed.assembly.is_some() {
            return Err(Thrown::argument(
                "Type names passed to Assembly.GetType() must not specify an assembly.",
                "name",
            ));
        }
        let found = types.resolve_type_name(module, &parsed, ignore_case)?;
        // Names not found in the assembly are looked up in mscorlib too, which is not wanted here.
        let namespace = parsed.namespace.as_str();
        let own = parsed.names.first().is_some_and(|n| {
            ignore_case || matches!(types.find_type(module, namespace, n), Ok(Some(_)))
        });
        Ok(found.filter(|_| own))
    };
    finish(resolve(), name, module, throw)
}
