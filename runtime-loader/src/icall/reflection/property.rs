//! `RuntimePropertyInfo` and `RuntimeEventInfo`.

use super::{member_of, object_array, optional_method, parameter};
use crate::icall::runtime_type::{normal, object_of, type_array};
use crate::icall::{Result, Thrown, icalls, managed};
use crate::object::{MethodTable, Obj, new_object, string};
use crate::runtime;
use crate::runtime::reflect::MemberDesc;
use shared_codegen::metadata::{EventRow, PropertyRow, sig};
use shared_codegen::types::{Event, Known, Property};

icalls! {
    "System.Reflection.RuntimePropertyInfo" {
        "GetTypeModifiers" => property_modifiers(Obj, bool) -> Obj;
        "get_metadata_token" => property_token(Obj) -> i32;
        "get_property_info" => property_info(Obj, *mut PropertyData, i32);
        "internal_from_handle_type" => property_from_handle(usize, usize) -> Obj;
        "get_default_value" => default_value(Obj) -> Obj;
    }
    "System.Reflection.RuntimeEventInfo" {
        "get_event_info" => event_info(Obj, *mut EventData);
        "get_metadata_token" => event_token(Obj) -> i32;
    }
    "System.Reflection.EventInfo" {
        "internal_from_handle_type" => event_from_handle(usize, usize) -> Obj;
    }
}

/// `System.Reflection.MonoPropertyInfo`
#[repr(C)]
pub struct PropertyData {
    parent: Obj,
    declaring_type: Obj,
    name: Obj,
    get_method: Obj,
    set_method: Obj,
    attrs: i32,
}

/// `System.Reflection.MonoEventInfo`
#[repr(C)]
pub struct EventData {
    declaring_type: Obj,
    reflected_type: Obj,
    name: Obj,
    add_method: Obj,
    remove_method: Obj,
    raise_method: Obj,
    attrs: i32,
    other_methods: Obj,
}

fn reflected(info: Obj) -> Result<&'static MethodTable> {
    let handle = runtime::get().get_field(info, "klass");
    MethodTable::from_handle(handle).ok_or_else(|| Thrown::argument_null("type"))
}

fn property(desc: &MemberDesc) -> Result<Property> {
    Ok(runtime::get()
        .types
        .property(desc.owner, PropertyRow(desc.token.row()))?)
}

fn event(desc: &MemberDesc) -> Result<Event> {
    Ok(runtime::get()
        .types
        .event(desc.owner, EventRow(desc.token.row()))?)
}

extern "C" fn property_info(info: Obj, out: *mut PropertyData, _wanted: i32) {
    managed(|| {
        let desc = member_of(info, "prop")?;
        let p = property(desc)?;
        let reflected = reflected(info)?;
        let data = PropertyData {
            parent: runtime::get().type_object(reflected)?,
            declaring_type: object_of(desc.owner)?,
            name: string::from_rust(p.name)?,
            get_method: optional_method(p.getter, reflected)?,
            set_method: optional_method(p.setter, reflected)?,
            attrs: p.flags.into(),
        };
        // SAFETY: the address of the caller's struct.
        unsafe { out.write(data) };
        Ok(())
    })
}

extern "C" fn event_info(info: Obj, out: *mut EventData) {
    managed(|| {
        let rt = runtime::get();
        let desc = member_of(info, "handle")?;
        let e = event(desc)?;
        let reflected = reflected(info)?;
        let others = e
            .others
            .iter()
            .map(|m| optional_method(Some(*m), reflected))
            .collect::<Result<Vec<_>>>()?;
        let data = EventData {
            declaring_type: object_of(desc.owner)?,
            reflected_type: rt.type_object(reflected)?,
            name: string::from_rust(e.name)?,
            add_method: optional_method(e.add, reflected)?,
            remove_method: optional_method(e.remove, reflected)?,
            raise_method: optional_method(e.raise, reflected)?,
            attrs: e.flags.into(),
            other_methods: if others.is_empty() {
                Obj::NULL
            } else {
                object_array(rt, rt.types.known(Known::MethodInfo), &others)?
            },
        };
        // SAFETY: the address of the caller's struct.
        unsafe { out.write(data) };
        Ok(())
    })
}

/// The object of a property or event; null when the type asked for does not have it.
fn member_object(handle: usize, ty: usize, class: Known, field: &'static str) -> Result<Obj> {
    let rt = runtime::get();
    let desc = MemberDesc::from_handle(handle).ok_or_else(|| Thrown::argument_null("handle"))?;
    let reflected = match MethodTable::from_handle(ty) {
        Some(mt) => rt.method_table(normal(mt.type_id()))?,
        None => rt.method_table(normal(desc.owner))?,
    };
    let def = rt.types.definition(desc.owner);
    if rt
        .types
        .ancestor_of_definition(reflected.type_id(), def)
        .is_none()
    {
        return Ok(Obj::NULL);
    }
    make_object(desc, reflected, class, field)
}

fn make_object(
    desc: &MemberDesc,
    reflected: &'static MethodTable,
    class: Known,
    field: &'static str,
) -> Result<Obj> {
    let rt = runtime::get();
    rt.reflect
        .get_or_make((desc.handle(), reflected.handle()), || {
            let o = new_object(rt.known(class))?;
            rt.set_field(o, "klass", reflected.handle());
            rt.set_field(o, field, desc.handle());
            Ok(o)
        })
}

/// The `RuntimePropertyInfo` of a property.
pub(super) fn property_object(desc: &MemberDesc, reflected: &'static MethodTable) -> Result<Obj> {
    make_object(desc, reflected, Known::RuntimePropertyInfo, "prop")
}

extern "C" fn property_from_handle(handle: usize, ty: usize) -> Obj {
    managed(|| member_object(handle, ty, Known::RuntimePropertyInfo, "prop"))
}

extern "C" fn event_from_handle(handle: usize, ty: usize) -> Obj {
    managed(|| member_object(handle, ty, Known::RuntimeEventInfo, "handle"))
}

extern "C" fn property_token(info: Obj) -> i32 {
    managed(|| Ok(member_of(info, "prop")?.token.0 as i32))
}

extern "C" fn event_token(info: Obj) -> i32 {
    managed(|| Ok(member_of(info, "handle")?.token.0 as i32))
}

extern "C" fn property_modifiers(info: Obj, optional: bool) -> Obj {
    managed(|| {
        let types = &runtime::get().types;
        let desc = member_of(info, "prop")?;
        let module = types.type_module(desc.owner);
        let row = types.module(module).property(PropertyRow(desc.token.row()));
        match row.and_then(|r| sig::parse_property(r.signature)) {
            Ok(sig) => parameter::modifiers(module, &sig.ty, optional),
            Err(_) => type_array(&[], false),
        }
    })
}

extern "C" fn default_value(info: Obj) -> Obj {
    managed(|| {
        let types = &runtime::get().types;
        let desc = member_of(info, "prop")?;
        let module = types.module(types.type_module(desc.owner));
        match module.constant_of(desc.token) {
            Some(c) => parameter::constant_value(&c, None),
            None => Err(Thrown::system(
                "InvalidOperationException",
                "Operation is not valid due to the current state of the object.",
            )),
        }
    })
}
