//! Members of a type under construction: fields, methods, properties, events.

use super::type_builder::{Place, constraints, generic_params};
use super::{
    Result, attributes, body, elements, growth, items, members, reference, signature, text,
};
use crate::icall::Thrown;
use crate::object::{Obj, string};
use crate::runtime;
use shared_codegen::metadata::{
    Constant, Event, EventRow, Field, FieldLayout, FieldMarshal, FieldRow, FieldRva, ImplMap,
    MethodDef, MethodDefRow, MethodImpl, MethodSemantics, ModuleRef, Param, Property, PropertyRow,
    Token, sig_write,
};
use shared_codegen::types::{Member, ModuleId, TypeId};

/// `FieldAttributes`, `MethodAttributes`, `MethodImplAttributes`
const LITERAL: u16 = 0x40;
const HAS_DEFAULT: u16 = 0x8000;
const HAS_MARSHAL: u16 = 0x1000;
const HAS_RVA: u16 = 0x100;
const STATIC: i32 = 0x10;
const ABSTRACT: i32 = 0x400;
const PINVOKE: i32 = 0x2000;
const RUNTIME: i32 = 3;
const INTERNAL_CALL: i32 = 0x1000;

/// The modifiers of parameters.
const PARAMETER_MODIFIERS: Option<[&str; 2]> = Some(["paramModReq", "paramModOpt"]);

/// Writes all members.
pub(super) fn write(builder: Obj, at: Place, ty: TypeId) -> Result<()> {
    let growth = growth(at.module)?;
    let mut fields = Vec::new();
    for (position, field) in elements(reference(builder, "fields")).enumerate() {
        if let Some(field) = field.non_null() {
            let row = members::field_row(ty, position)?;
            write_field(at.module, row, field)?;
            fields.push(row);
        }
    }
    growth.set_rows(at.row.0, fields);
    methods(builder, at)?;
    properties(builder, at)?;
    events(builder, at)
}

/// Gives the builders of a finished type the handles of what they built.
pub(super) fn publish(builder: Obj, ty: TypeId) -> Result<()> {
    let rt = runtime::get();
    let owner = rt.types.open_form(ty);
    for (position, field) in elements(reference(builder, "fields")).enumerate() {
        if let Some(field) = field.non_null() {
            let id = rt.types.field_of(owner, members::field_row(ty, position)?);
            rt.set_field(field, "handle", rt.fields.desc(rt, id)?.handle());
        }
    }
    for list in ["ctors", "methods"] {
        for method in items(builder, list) {
            let row = MethodDefRow(rt.get_field::<i32>(method, "table_idx") as u32);
            let desc = rt.methods.desc(rt.types.method_of(owner, row));
            rt.set_field(method, "mhandle", desc.handle());
        }
    }
    Ok(())
}

fn write_field(module: ModuleId, row: FieldRow, field: Obj) -> Result<()> {
    let rt = runtime::get();
    let growth = growth(module)?;
    let ty = signature::type_or_void_sig(module, reference(field, "type"))?;
    let (required, optional) = (reference(field, "modReq"), reference(field, "modOpt"));
    let ty = signature::modified(module, ty, required, optional)?;
    let mut flags = rt.get_field::<i32>(field, "attrs") as u16;
    let value = reference(field, "def_value");
    // The builder does not tell null from nothing, but a literal without value makes no sense.
    if value.is_some() || flags & LITERAL != 0 {
        flags |= HAS_DEFAULT;
        write_constant(module, row.token(), value)?;
    }
    if let Some(data) = members::bytes_in(field, "rva_data") {
        flags |= HAS_RVA;
        let rva = growth.data(data);
        let data = growth.add(&FieldRva { rva, field: row });
        growth.set_rows(row.0, [data]);
    }
    let offset = rt.get_field::<i32>(field, "offset");
    if let Ok(offset) = u32::try_from(offset) {
        let layout = growth.add(&FieldLayout { offset, field: row });
        growth.set_rows(row.0, [layout]);
    }
    if write_marshal(module, row.token(), field)? {
        flags |= HAS_MARSHAL;
    }
    growth.set(
        row,
        &Field {
            flags,
            name: growth.text(&text(field, "name")),
            signature: growth.bytes(&sig_write::field_blob(&ty)),
        },
    );
    attributes::write(module, row.token(), field)
}

/// Writes the value of a constant; none is null.
fn write_constant(module: ModuleId, parent: Token, value: Option<Obj>) -> Result<()> {
    let rt = runtime::get();
    let growth = growth(module)?;
    let (ty, bytes) = match value {
        None => (0x12, vec![0; 4]),
        Some(v) if members::class_of(v) == ("System", "String") => (0x0e, members::utf16_bytes(v)),
        Some(v) => {
            let (prim, bytes) = attributes::boxed_bytes(rt, v)
                .ok_or_else(|| Thrown::argument("The value is no constant.", "defaultValue"))?;
            (attributes::element_byte(prim), bytes)
        }
    };
    let row = growth.add(&Constant {
        ty: ty.into(),
        parent,
        value: growth.bytes(&bytes),
    });
    growth.set_keyed_rows(parent, [row]);
    Ok(())
}

/// Writes the marshalling descriptor of a field or parameter, if it has one.
fn write_marshal(module: ModuleId, parent: Token, builder: Obj) -> Result<bool> {
    let rt = runtime::get();
    let Some(info) = reference(builder, "marshal_info") else {
        return Ok(false);
    };
    let number = |field: &'static str| rt.get_field::<i32>(info, field);
    let mut out = Vec::new();
    let mut put = |n: i32| sig_write::write_compressed(&mut out, n.max(0) as u32);
    let native = number("t");
    put(native);
    match native {
        // Fixed string, fixed array.
        0x17 => put(number("count")),
        0x1e => {
            put(number("count"));
            if number("tbase") > 0 {
                put(number("tbase"));
            }
        }
        // Pointer to elements.
        0x2a => {
            put(number("tbase"));
            if rt.get_field::<u8>(info, "has_size") != 0 {
                put(number("param_num"));
                put(number("count"));
            }
        }
        0x2c => {
            let class = match reference(info, "marshaltyperef") {
                Some(ty) => {
                    let ty = members::definition_of(ty)?;
                    let assembly = rt.types.assembly_name_of(ty);
                    format!("{}, {assembly}", rt.types.full_name(ty))
                }
                None => text(info, "marshaltype"),
            };
            for s in [
                text(info, "guid"),
                String::new(),
                class,
                text(info, "mcookie"),
            ] {
                sig_write::write_compressed(&mut out, s.len() as u32);
                out.extend_from_slice(s.as_bytes());
            }
        }
        _ => {}
    }
    let growth = growth(module)?;
    let row = growth.add(&FieldMarshal {
        parent,
        native_type: growth.bytes(&out),
    });
    growth.set_keyed_rows(parent, [row]);
    Ok(true)
}

fn methods(builder: Obj, at: Place) -> Result<()> {
    let growth = growth(at.module)?;
    let (mut rows, mut overrides) = (Vec::new(), Vec::new());
    for (list, is_method) in [("ctors", false), ("methods", true)] {
        for method in items(builder, list) {
            let row = MethodDefRow(runtime::get().get_field::<i32>(method, "table_idx") as u32);
            growth.set_owner(row.token(), at.row);
            write_method(at.module, row, method, is_method)?;
            rows.push(row);
            if is_method {
                method_impls(at, row, method, &mut overrides)?;
            }
        }
    }
    growth.set_rows(at.row.0, rows);
    growth.set_rows(at.row.0, overrides);
    Ok(())
}

fn method_impls(
    at: Place,
    body: MethodDefRow,
    method: Obj,
    out: &mut Vec<shared_codegen::metadata::MethodImplRow>,
) -> Result<()> {
    let types = &runtime::get().types;
    for declaration in items(method, "override_methods") {
        let declaration = members::method_of(declaration)?;
        // A generic method is overridden as such.
        let declaration = Member::Method(types.method_definition(declaration));
        out.push(growth(at.module)?.add(&MethodImpl {
            class: at.row,
            body: body.token(),
            declaration: types.token_for(at.module, declaration),
        }));
    }
    Ok(())
}

fn write_method(module: ModuleId, row: MethodDefRow, method: Obj, is_method: bool) -> Result<()> {
    let rt = runtime::get();
    let growth = growth(module)?;
    let flags = rt.get_field::<i32>(method, "attrs");
    let impl_flags = rt.get_field::<i32>(method, "iattrs");
    let name = match is_method {
        true => text(method, "name"),
        false if flags & STATIC != 0 => ".cctor".into(),
        false => ".ctor".into(),
    };
    if is_method {
        generic_params(module, row.token(), method)?;
    }
    let signature = method_signature(module, method, is_method, flags)?;
    let params = params(module, method)?;
    growth.set_rows(row.0, params);
    let has_body = flags & (ABSTRACT | PINVOKE) == 0
        && impl_flags & INTERNAL_CALL == 0
        && impl_flags & 3 != RUNTIME;
    let rva = match has_body {
        true => method_body(module, method, is_method)?,
        false => 0,
    };
    growth.set(
        row,
        &MethodDef {
            rva,
            impl_flags: impl_flags as u16,
            flags: flags as u16,
            name: growth.text(&name),
            signature: growth.bytes(&signature),
            param_list: 0.into(),
        },
    );
    if is_method {
        constraints(module, row.token(), method)?;
        if flags & PINVOKE != 0 {
            pinvoke(module, row, method)?;
        }
    }
    attributes::write(module, row.token(), method)
}

fn method_signature(module: ModuleId, method: Obj, is_method: bool, flags: i32) -> Result<Vec<u8>> {
    let rt = runtime::get();
    let mut ret = signature::type_or_void_sig(module, None)?;
    if is_method {
        ret = signature::type_or_void_sig(module, reference(method, "rtype"))?;
        let (required, optional) = (
            reference(method, "returnModReq"),
            reference(method, "returnModOpt"),
        );
        ret = signature::modified(module, ret, required, optional)?;
    }
    let params = signature::parameters(module, method, "parameters", PARAMETER_MODIFIERS)?;
    let convention = rt.get_field::<i32>(method, "call_conv");
    let mut sig = signature::method_sig(convention, ret, params);
    sig.has_this = flags & STATIC == 0;
    if is_method {
        sig.generic_count = items(method, "generic_params").count() as u32;
    }
    Ok(sig_write::method_blob(&sig))
}

fn method_body(module: ModuleId, method: Obj, is_method: bool) -> Result<u32> {
    let rt = runtime::get();
    if let Some(code) = is_method
        .then(|| members::bytes_in(method, "code"))
        .flatten()
    {
        return body::from_bytes(module, code);
    }
    let init_locals = rt.get_field::<u8>(method, "init_locals") != 0;
    match reference(method, "ilgen") {
        Some(generator) => body::from_generator(module, generator, init_locals, None),
        None => Ok(0),
    }
}

/// Writes the Param rows of a method: element 0 of `pinfo` is the result's.
fn params(module: ModuleId, method: Obj) -> Result<Vec<shared_codegen::metadata::ParamRow>> {
    let rt = runtime::get();
    let growth = growth(module)?;
    let mut rows = Vec::new();
    for (sequence, param) in elements(reference(method, "pinfo")).enumerate() {
        let Some(param) = param.non_null() else {
            continue;
        };
        let mut flags = rt.get_field::<i32>(param, "attrs") as u16;
        let row: shared_codegen::metadata::ParamRow = growth.reserve();
        if flags & HAS_DEFAULT_PARAM != 0 {
            write_constant(module, row.token(), reference(param, "def_value"))?;
        }
        if write_marshal(module, row.token(), param)? {
            flags |= HAS_MARSHAL_PARAM;
        }
        growth.set(
            row,
            &Param {
                flags,
                sequence: sequence as u16,
                name: growth.text(&text(param, "name")),
            },
        );
        attributes::write(module, row.token(), param)?;
        rows.push(row);
    }
    Ok(rows)
}

/// `ParameterAttributes`
const HAS_DEFAULT_PARAM: u16 = 0x1000;
const HAS_MARSHAL_PARAM: u16 = 0x2000;

fn pinvoke(module: ModuleId, row: MethodDefRow, method: Obj) -> Result<()> {
    let rt = runtime::get();
    let growth = growth(module)?;
    let scope = growth.add(&ModuleRef {
        name: growth.text(&text(method, "pi_dll")),
    });
    // `CharSet` and `CallingConvention` are the flags, shifted.
    let char_set = (rt.get_field::<i32>(method, "charset") - 1).max(0) * 2;
    let convention = rt.get_field::<i32>(method, "native_cc") << 8;
    let extra = rt.get_field::<u32>(method, "extra_flags") as i32;
    let entry = reference(method, "pi_entry").or_else(|| reference(method, "name"));
    let import = growth.add(&ImplMap {
        flags: (char_set | convention | extra) as u16,
        member: row.token(),
        import_name: growth.text(&entry.map(string::to_rust).unwrap_or_default()),
        import_scope: scope,
    });
    growth.set_keyed_rows(row.token(), [import]);
    Ok(())
}

/// Writes which methods serve a property or event.
fn semantics(module: ModuleId, association: Token, methods: &[(u16, Option<Obj>)]) -> Result<()> {
    let rt = runtime::get();
    let growth = growth(module)?;
    let mut rows = Vec::new();
    for (semantics, method) in methods {
        if let Some(method) = method {
            let method = MethodDefRow(rt.get_field::<i32>(*method, "table_idx") as u32);
            rows.push(growth.add(&MethodSemantics {
                semantics: *semantics,
                method,
                association,
            }));
        }
    }
    growth.set_keyed_rows(association, rows);
    Ok(())
}

fn properties(builder: Obj, at: Place) -> Result<()> {
    let rt = runtime::get();
    let growth = growth(at.module)?;
    let mut rows = Vec::new();
    for property in items(builder, "properties") {
        let row = PropertyRow(rt.get_field::<i32>(property, "table_idx") as u32);
        let accessors = [
            (1, reference(property, "set_method")),
            (2, reference(property, "get_method")),
        ];
        let is_static = |m: Obj| rt.get_field::<i32>(m, "attrs") & STATIC != 0;
        let has_this = !accessors.iter().any(|(_, m)| m.is_some_and(is_static));
        let mut flags = rt.get_field::<i32>(property, "attrs") as u16;
        if let Some(value) = reference(property, "def_value") {
            flags |= HAS_DEFAULT_PARAM;
            write_constant(at.module, row.token(), Some(value))?;
        }
        growth.set(
            row,
            &Property {
                flags,
                name: growth.text(&text(property, "name")),
                signature: growth.bytes(&signature::property(at.module, property, has_this)?),
            },
        );
        semantics(at.module, row.token(), &accessors)?;
        attributes::write(at.module, row.token(), property)?;
        rows.push(row);
    }
    growth.set_rows(at.row.0, rows);
    Ok(())
}

fn events(builder: Obj, at: Place) -> Result<()> {
    let rt = runtime::get();
    let types = &rt.types;
    let growth = growth(at.module)?;
    let mut rows = Vec::new();
    for event in items(builder, "events") {
        let row = EventRow(rt.get_field::<i32>(event, "table_idx") as u32);
        let ty = Member::Type(members::type_or_void(reference(event, "type"))?);
        growth.set(
            row,
            &Event {
                flags: rt.get_field::<i32>(event, "attrs") as u16,
                name: growth.text(&text(event, "name")),
                ty: types.token_for(at.module, ty),
            },
        );
        let mut accessors = vec![
            (8, reference(event, "add_method")),
            (0x10, reference(event, "remove_method")),
            (0x20, reference(event, "raise_method")),
        ];
        accessors.extend(items(event, "other_methods").map(|m| (4, Some(m))));
        semantics(at.module, row.token(), &accessors)?;
        attributes::write(at.module, row.token(), event)?;
        rows.push(row);
    }
    growth.set_rows(at.row.0, rows);
    Ok(())
}
