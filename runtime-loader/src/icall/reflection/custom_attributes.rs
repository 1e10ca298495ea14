//! `MonoCustomAttrs`: attributes of anything that reflection shows.

use super::attribute_data::get as attribute_data;
use super::attribute_values::{Scope, decode, object};
use super::invoke::invoke_with_objects;
use super::parameter::{is_method_object, param_row};
use super::{field_of, member_of, method_of, module_of_handle, object_array};
use crate::icall::emit::attributes;
use crate::icall::runtime_type::table;
use crate::icall::{Result, Thrown, icalls, managed};
use crate::object::{MethodTable, Obj, array};
use crate::runtime::{self, cast};
use shared_codegen::metadata::attribute::NamedArg;
use shared_codegen::metadata::{AssemblyRow, CustomAttribute, ModuleRow, PropertyRow, Token};
use shared_codegen::types::{Known, MethodId, ModuleId, TypeId, TypeKind};

icalls! {
    "System.MonoCustomAttrs" {
        "GetCustomAttributesInternal" => get(Obj, Obj, bool) -> Obj;
        "GetCustomAttributesDataInternal" => attribute_data(Obj) -> Obj;
        "IsDefinedInternal" => is_defined(Obj, Obj) -> bool;
    }
}

/// The metadata item behind a provider; `None` if it has no metadata.
fn item(provider: Obj) -> Result<Option<(ModuleId, Token)>> {
    let rt = runtime::get();
    let class = provider.method_table().type_id();
    let is = |k: Known| rt.types.known(k) == class;
    if is(Known::RuntimeType) {
        let ty = table(provider)?.type_id();
        return Ok(match rt.types.kind(ty) {
            TypeKind::Param { module, row } => Some((module, row.token())),
            _ => rt.types.def_of(ty).map(|(m, row)| (m, row.token())),
        });
    }
    if is_method_object(provider) {
        let m = method_of(provider)?.method;
        return Ok(rt
            .types
            .method_def(m)
            .map(|_| (rt.types.method_module(m), rt.types.method_row(m).token())));
    }
    if is(Known::RuntimeFieldInfo) {
        let kind = rt.types.field_kind(field_of(provider)?.field);
        return Ok(Some((kind.module, kind.row.token())));
    }
    for (class, field) in [
        (Known::RuntimePropertyInfo, "prop"),
        (Known::RuntimeEventInfo, "handle"),
    ] {
        if is(class) {
            let desc = member_of(provider, field)?;
            return Ok(Some((rt.types.type_module(desc.owner), desc.token)));
        }
    }
    let emitted = |name: &str| rt.types.type_name(class) == ("System.Reflection.Emit", name);
    for (known, builder, field, token) in [
        (
            Known::RuntimeAssembly,
            "AssemblyBuilder",
            "_mono_assembly",
            AssemblyRow(1).token(),
        ),
        (
            Known::RuntimeModule,
            "ModuleBuilder",
            "_impl",
            ModuleRow(1).token(),
        ),
    ] {
        let is_builder = emitted(builder);
        if is(known) || is_builder {
            let module = module_of_handle(rt.get_field(provider, field))?;
            if is_builder {
                attributes::refresh(module, token, provider)?;
            }
            return Ok(Some((module, token)));
        }
    }
    if is(Known::RuntimeParameterInfo) {
        return parameter_item(provider);
    }
    Ok(None)
}

fn parameter_item(parameter: Obj) -> Result<Option<(ModuleId, Token)>> {
    let rt = runtime::get();
    let member: Obj = rt.get_field(parameter, "MemberImpl");
    let position: i32 = rt.get_field(parameter, "PositionImpl");
    if member.is_null() {
        return Ok(None);
    }
    let method = if is_method_object(member) {
        Some(method_of(member)?.method)
    } else if member.method_table().type_id() == rt.types.known(Known::RuntimePropertyInfo) {
        let desc = member_of(member, "prop")?;
        let p = rt
            .types
            .property(desc.owner, PropertyRow(desc.token.row()))?;
        p.getter.or(p.setter)
    } else {
        None
    };
    let Some(method) = method else {
        return Ok(None);
    };
    let row = param_row(rt.methods.desc(method), (position + 1) as usize);
    Ok(row.map(|(row, _)| (rt.types.method_module(method), row.token())))
}

/// An attribute with its constructor.
pub(super) struct Found {
    pub(super) module: ModuleId,
    pub(super) row: CustomAttribute,
    pub(super) constructor: MethodId,
}

/// Attributes of a provider whose class is `filter` or derived from it, in metadata order.
pub(super) fn find(provider: Obj, filter: Option<&'static MethodTable>) -> Result<Vec<Found>> {
    let rt = runtime::get();
    let Some((module, token)) = item(provider)? else {
        return Ok(Vec::new());
    };
    let md = rt.types.module(module);
    let mut found = Vec::new();
    for row in md
        .custom_attributes_of(token)
        .filter_map(|r| md.custom_attribute(r).ok())
    {
        let constructor = match rt.types.resolve_method(module, row.ty, Default::default()) {
            Ok(c) => c,
            // Attributes of missing assemblies matter only to who asks for everything.
            Err(_) if filter.is_some_and(|f| !is_root(f)) => continue,
            Err(e) => return Err(e.into()),
        };
        let class = rt.method_table(rt.types.method_owner(constructor))?;
        if filter.is_none_or(|f| fits(class, f)) {
            found.push(Found {
                module,
                row,
                constructor,
            });
        }
    }
    Ok(found)
}

/// Every attribute is one.
fn is_root(class: &'static MethodTable) -> bool {
    let types = &runtime::get().types;
    [Known::Object, Known::Attribute]
        .map(|k| types.known(k))
        .contains(&class.type_id())
}

fn fits(class: &'static MethodTable, filter: &'static MethodTable) -> bool {
    cast::is_assignable(class, filter)
}

/// The decorated module may use the attribute. Others are shown as data only.
fn is_visible(found: &Found) -> bool {
    let types = &runtime::get().types;
    let home = types.method_module(found.constructor);
    // Public or NestedPublic all the way out.
    let class = types.method_owner(found.constructor);
    let mut classes = core::iter::successors(Some(class), |t| types.enclosing_type(*t));
    let public = types.method_is_public(found.constructor)
        && classes.all(|t| matches!(types.type_flags(t) & 7, 1 | 2));
    public || home == found.module || types.is_friend(home, found.module)
}

extern "C" fn is_defined(provider: Obj, attribute: Obj) -> bool {
    managed(|| {
        let found = find(provider, Some(table(attribute)?))?;
        Ok(found.iter().any(is_visible))
    })
}

extern "C" fn get(provider: Obj, attribute: Obj, _pseudo: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let filter = if attribute.is_null() {
            None
        } else {
            Some(table(attribute)?)
        };
        let mut found = find(provider, filter)?;
        found.retain(is_visible);
        let all = object_array(
            rt,
            rt.types.known(Known::Attribute),
            &vec![Obj::NULL; found.len()],
        )?;
        for (n, f) in found.iter().enumerate() {
            array::set(all, n, make(f)?);
        }
        Ok(all)
    })
}

/// Constructs an attribute and sets its fields and properties.
fn make(found: &Found) -> Result<Obj> {
    let rt = runtime::get();
    let (decoded, scope) = decode(found.module, found.constructor, found.row.value)?;
    let args = object_array(
        rt,
        rt.types.known(Known::Object),
        &vec![Obj::NULL; decoded.fixed.len()],
    )?;
    for (n, a) in decoded.fixed.iter().enumerate() {
        array::set(args, n, object(scope, &a.ty, &a.value)?);
    }
    let made = invoke_with_objects(rt.methods.desc(found.constructor), Obj::NULL, args)?;
    for named in &decoded.named {
        set_member(made, scope, named)?;
    }
    Ok(made)
}

fn missing_member(class: TypeId, name: &str) -> Thrown {
    let class = runtime::get().types.full_name(class);
    Thrown::of(
        "System.Reflection",
        "CustomAttributeFormatException",
        format!("Could not find a field or property with name {class}.{name}"),
    )
}

fn set_member(made: Obj, scope: Scope, named: &NamedArg) -> Result<()> {
    let rt = runtime::get();
    let class = made.method_table().type_id();
    let value = object(scope, &named.arg.ty, &named.arg.value)?;
    let mut at = Some(class);
    while let Some(t) = at {
        if named.is_field
            && let Some(f) = rt.types.find_field(t, named.name)?
        {
            return super::field::store(f, made, value);
        }
        let properties = if named.is_field {
            Vec::new()
        } else {
            rt.types.properties(t)?
        };
        if let Some(setter) = properties
            .iter()
            .find(|p| p.name == named.name)
            .and_then(|p| p.setter)
        {
            let args = object_array(rt, rt.types.known(Known::Object), &[value])?;
            return invoke_with_objects(rt.methods.desc(setter), made, args).map(drop);
        }
        at = rt.types.parent(t)?;
    }
    Err(missing_member(class, named.name))
}
