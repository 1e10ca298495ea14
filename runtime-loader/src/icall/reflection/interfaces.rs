//! Interfaces of types and who implements them.

use super::{method_object, object_array, shown_context};
use crate::icall::runtime_type::{table, type_array};
use crate::icall::{Result, icalls, managed};
use crate::object::Obj;
use crate::runtime;
use shared_codegen::types::{Known, TypeId, TypeKind};

icalls! {
    "System.RuntimeType" {
        "GetInterfaces" => interfaces(Obj) -> Obj;
        "GetInterfaceMapData" => interface_map(Obj, Obj, *mut Obj, *mut Obj);
    }
}

/// Generic interfaces of vectors, in the order reflection lists them.
const VECTOR_INTERFACES: [Known; 5] = [
    Known::IListOf,
    Known::ICollectionOf,
    Known::IEnumerableOf,
    Known::IReadOnlyListOf,
    Known::IReadOnlyCollectionOf,
];

fn interfaces_of(ty: TypeId) -> Result<Vec<TypeId>> {
    let types = &runtime::get().types;
    let context = shown_context(ty, None);
    let listed = match types.kind(ty) {
        TypeKind::SzArray(_) | TypeKind::Array { .. } => {
            types.interfaces(types.known(Known::Array))?
        }
        TypeKind::Param { .. } => return parameter_interfaces(ty),
        _ => types.interfaces(ty)?,
    };
    let mut all: Vec<TypeId> = listed
        .iter()
        .map(|t| types.substitute(*t, context))
        .collect();
    if let TypeKind::SzArray(e) = types.kind(ty) {
        all.extend(
            VECTOR_INTERFACES
                .iter()
                .map(|k| types.instance(types.known(*k), &[e])),
        );
    }
    Ok(all)
}

/// Those of the constraints of a generic parameter.
fn parameter_interfaces(ty: TypeId) -> Result<Vec<TypeId>> {
    let types = &runtime::get().types;
    let mut all = Vec::new();
    for c in super::super::runtime_type::constraints(ty)? {
        let more = interfaces_of(c)?;
        let own = types.is_interface(c).then_some(c);
        for i in own.into_iter().chain(more) {
            if !all.contains(&i) {
                all.push(i);
            }
        }
    }
    Ok(all)
}

extern "C" fn interfaces(this: Obj) -> Obj {
    managed(|| type_array(&interfaces_of(table(this)?.type_id())?, false))
}

extern "C" fn interface_map(ty: Obj, interface: Obj, targets: *mut Obj, methods: *mut Obj) {
    managed(|| {
        let rt = runtime::get();
        let interface = rt.types.open_form(table(interface)?.type_id());
        let receiver = rt.types.open_form(table(ty)?.type_id());
        let (mut found, mut declared) = (Vec::new(), Vec::new());
        for m in rt.types.interface_methods(interface)? {
            declared.push(method_object(m)?);
            found.push(match rt.types.resolve_interface(receiver, m) {
                Ok(target) => method_object(target)?,
                Err(_) => Obj::NULL,
            });
        }
        let class = rt.types.known(Known::MethodInfo);
        // Cached member objects live for ever, so the vectors need not keep them.
        let (found, declared) = (
            object_array(rt, class, &found)?,
            object_array(rt, class, &declared)?,
        );
        // SAFETY: addresses of the caller's variables.
        unsafe {
            targets.write(found);
            methods.write(declared);
        }
        Ok(())
    })
}
