//! Types by name: `Type.GetType`, `Assembly.GetType`.

use super::app_domain::ask_for_type;
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

/// The name without the assembly: what stands before the first comma outside of brackets and escapes.
fn without_assembly(name: &str) -> &str {
    let (mut depth, mut escaped) = (0, false);
    let end = name.find(|c| {
        let (is_escaped, plain) = (escaped, !escaped);
        escaped = c == '\\' && !is_escaped;
        match c {
            '[' if plain => depth += 1,
            ']' if plain => depth -= 1,
            _ => {}
        }
        c == ',' && plain && depth == 0
    });
    name[..end.unwrap_or(name.len())].trim()
}

fn not_found(name: &str, requester: ModuleId) -> Thrown {
    let types = &runtime::get().types;
    let asked = TypeName::parse(name).ok().and_then(|n| n.assembly);
    let module = asked.and_then(|a| types.load_by_name(Some(requester), &a).ok());
    let assembly = &types.assembly(module.unwrap_or(requester)).name;
    Thrown::no_type(without_assembly(name), assembly)
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
            match TypeName::parse(&name) {
                Ok(parsed) => Ok(types.resolve_type_name(module, &parsed, ignore_case)?),
                Err(_) if !throw => Ok(None),
                Err(_) => Err(Thrown::argument(
                    format!("failed parse: {name}"),
                    "typeName",
                )),
            }
        };
        let mut found = resolve();
        if matches!(found, Ok(None)) {
            found = from_program(&name, ignore_case);
        }
        finish(found, &name, module, throw)
    })
}

/// A type of the assembly that handlers of `AppDomain.TypeResolve` supply for it.
fn from_program(name: &str, ignore_case: bool) -> Result<Option<TypeId>> {
    let rt = runtime::get();
    let Ok(mut parsed) = TypeName::parse(name) else {
        return Ok(None);
    };
    match ask_for_type(rt, without_assembly(name))? {
        Some(module) => {
            parsed.assembly = None;
            Ok(rt.types.resolve_type_name(module, &parsed, ignore_case)?)
        }
        None => Ok(None),
    }
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

#[cfg(test)]
mod tests {
    use super::without_assembly;

    #[test]
    fn names_end_before_the_assembly() {
        for (name, own) in [
            ("A.B", "A.B"),
            (" A.B , asm, Version=1", "A.B"),
            ("A`2[[X, m],[Y]], asm", "A`2[[X, m],[Y]]"),
            (r"A\,B, asm", r"A\,B"),
            (r"A\[, asm", r"A\["),
            ("", ""),
        ] {
            assert_eq!(without_assembly(name), own);
        }
    }
}
