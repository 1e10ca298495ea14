//! `System.Reflection`: members of types, invocation, fields, properties, events, attributes.

use super::runtime_type::{normal, object_of};
use super::{Result, Thrown};
use crate::object::{FieldDesc, MethodDesc, MethodTable, Obj, array, string};
use crate::runtime::reflect::MemberDesc;
use crate::runtime::{self, Runtime};
use shared_codegen::types::{FieldId, GenericContext, Known, MethodId, ModuleId, TypeId};

pub(super) mod attribute_data;
pub(super) mod attribute_values;
pub(super) mod custom_attributes;
pub(super) mod field;
pub(super) mod interfaces;
pub(super) mod invoke;
pub(super) mod marshal_info;
pub(super) mod members;
pub(super) mod method;
pub(super) mod method_body;
pub(super) mod native;
pub(super) mod parameter;
pub(super) mod property;

/// The generic arguments under which reflection shows the members of a type: a generic definition is shown
/// over its own parameters.
pub(super) fn shown_context(owner: TypeId, method: Option<MethodId>) -> GenericContext {
    let types = &runtime::get().types;
    let def = types.definition(owner);
    let open = normal(owner) == def && types.generic_count(def) > 0;
    let method = method.filter(|m| types.is_generic_method_definition(*m));
    GenericContext {
        type_args: if open { types.param_types(def) } else { &[] },
        method_args: method.map_or(&[], |m| types.method_param_types(m)),
    }
}

/// A type in the signature of a method, as reflection shows it.
pub(super) fn shown_in(method: MethodId, ty: TypeId) -> TypeId {
    let types = &runtime::get().types;
    let owner = types.method_owner(method);
    types.substitute(ty, shown_context(owner, Some(method)))
}

/// The method behind a handle.
pub(super) fn method_of_handle(handle: usize) -> Result<&'static MethodDesc> {
    MethodDesc::from_handle(handle).ok_or_else(|| Thrown::argument_null("handle"))
}

/// The method behind a `RuntimeMethodInfo` or `RuntimeConstructorInfo`.
pub(super) fn method_of(info: Obj) -> Result<&'static MethodDesc> {
    let info = info
        .non_null()
        .ok_or_else(|| Thrown::argument_null("method"))?;
    method_of_handle(runtime::get().get_field(info, "mhandle"))
}

/// The field behind a `RuntimeFieldInfo`.
pub(super) fn field_of(info: Obj) -> Result<&'static FieldDesc> {
    let info = info
        .non_null()
        .ok_or_else(|| Thrown::argument_null("field"))?;
    FieldDesc::from_handle(runtime::get().get_field(info, "fhandle"))
        .ok_or_else(|| Thrown::argument_null("field"))
}

/// The property or event behind a `RuntimePropertyInfo` (`prop`) or `RuntimeEventInfo` (`handle`).
pub(super) fn member_of(info: Obj, field: &'static str) -> Result<&'static MemberDesc> {
    let info = info
        .non_null()
        .ok_or_else(|| Thrown::argument_null("member"))?;
    MemberDesc::from_handle(runtime::get().get_field(info, field))
        .ok_or_else(|| Thrown::argument_null("member"))
}

/// The reflection object of a method, reflected from its own declaring type.
pub(super) fn method_object(method: MethodId) -> Result<Obj> {
    let rt = runtime::get();
    let owner = rt.method_table(normal(rt.types.method_owner(method)))?;
    rt.method_object(rt.methods.desc(method), owner)
}

/// The reflection object of a method that may be missing.
pub(super) fn optional_method(
    method: Option<MethodId>,
    reflected: &'static MethodTable,
) -> Result<Obj> {
    let rt = runtime::get();
    match method {
        Some(m) => rt.method_object(rt.methods.desc(m), reflected),
        None => Ok(Obj::NULL),
    }
}

/// The `RuntimeFieldInfo` of a field.
pub(super) fn field_object(field: FieldId, reflected: &'static MethodTable) -> Result<Obj> {
    let rt = runtime::get();
    let desc = rt.fields.desc(rt, field)?;
    rt.reflect
        .get_or_make((desc.handle(), reflected.handle()), || {
            let o = crate::object::new_object(rt.known(Known::RuntimeFieldInfo))?;
            let owner = rt.types.field_owner(field);
            let ty = rt
                .types
                .substitute(rt.types.field_type(field)?, shown_context(owner, None));
            rt.set_field(o, "klass", reflected.handle());
            rt.set_field(o, "fhandle", desc.handle());
            rt.set_field(o, "name", string::from_rust(rt.types.field_name(field))?);
            rt.set_field(o, "type", object_of(ty)?);
            rt.set_field(o, "attrs", rt.types.field_flags(field) as i32);
            Ok(o)
        })
}

/// A vector of references with elements of a class.
pub(super) fn object_array(rt: &Runtime, class: TypeId, items: &[Obj]) -> Result<Obj> {
    let a = array::allocate(rt.method_table(rt.types.sz_array(class))?, items.len())?;
    for (n, item) in items.iter().enumerate() {
        array::set(a, n, *item);
    }
    Ok(a)
}

/// The `RuntimeModule` handle of a module: its number plus one.
pub(super) fn module_of_handle(handle: usize) -> Result<ModuleId> {
    let id = ModuleId(u32::try_from(handle).unwrap_or(0).wrapping_sub(1));
    let known = runtime::get().types.modules().any(|m| m == id);
    if known {
        Ok(id)
    } else {
        Err(Thrown::argument_null("module"))
    }
}

/// The base class as reflection shows it.
pub(super) fn shown_parent(ty: TypeId) -> Result<Option<TypeId>> {
    let types = &runtime::get().types;
    if types.is_interface(ty) {
        return Ok(None);
    }
    let parent = types.parent(ty)?;
    Ok(parent.map(|p| normal(types.substitute(p, shown_context(ty, None)))))
}

/// Methods a type declares; arrays have pseudo-methods.
pub(super) fn declared_methods(ty: TypeId) -> Result<Vec<MethodId>> {
    use shared_codegen::types::{ArrayMethod, MethodKind, TypeKind};
    let types = &runtime::get().types;
    let mut ops = match types.kind(ty) {
        // Vectors of vectors can be made with the lengths of the inner ones.
        TypeKind::SzArray(element) => {
            let inner = core::iter::successors(Some(element), |e| match types.kind(*e) {
                TypeKind::SzArray(e) => Some(e),
                _ => None,
            });
            (1..=inner.count() as u32).map(ArrayMethod::Ctor).collect()
        }
        TypeKind::Array { rank, .. } => vec![ArrayMethod::Ctor(rank), ArrayMethod::Ctor(2 * rank)],
        _ => return Ok(types.methods(ty)?),
    };
    ops.extend([ArrayMethod::Set, ArrayMethod::Address, ArrayMethod::Get]);
    let make = |op| types.intern_method(MethodKind::Array { array: ty, op });
    Ok(ops.into_iter().map(make).collect())
}
