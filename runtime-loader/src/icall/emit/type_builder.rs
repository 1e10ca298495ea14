//! `TypeBuilder` and `EnumBuilder`: the rows of a type.

use super::super::app_domain::ask_to_finish;
use super::super::runtime_type::object_of;
use super::{Result, attributes, elements, growth, items, members, reference, text, type_members};
use crate::icall::{Thrown, icalls, managed};
use crate::object::Obj;
use crate::runtime;
use shared_codegen::metadata::{
    ClassLayout, GenericParam, GenericParamConstraint, GenericParamRow, InterfaceImpl, NestedClass,
    Token, TypeDef, TypeDefRow,
};
use shared_codegen::types::{Member, ModuleId, TypeId};

icalls! {
    "System.Reflection.Emit.EnumBuilder" {
        "setup_enum_type" => setup_enum(Obj, Obj);
    }
    "System.Reflection.Emit.TypeBuilder" {
        "create_runtime_class" => create(Obj) -> Obj;
    }
}

/// A builder with its place in the metadata.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) module: ModuleId,
    pub(super) row: TypeDefRow,
}

fn place(builder: Obj) -> Result<Place> {
    let module = reference(builder, "pmodule").ok_or_else(Thrown::null_reference)?;
    Ok(Place {
        module: members::module_of(module)?,
        row: TypeDefRow(runtime::get().get_field::<i32>(builder, "table_idx") as u32),
    })
}

/// The type a builder stands for, finished or not. What is known about an unfinished one is what others need to refer to it.
pub(super) fn declared(builder: Obj) -> Result<TypeId> {
    let at = place(builder)?;
    if !growth(at.module)?.has(at.row.token()) {
        describe(builder, at)?;
    }
    Ok(runtime::get().types.type_def(at.module, at.row))
}

/// The token of a type as base class, interface or constraint.
fn type_token(module: ModuleId, ty: Option<Obj>) -> Result<Token> {
    match ty {
        Some(ty) => {
            let member = Member::Type(members::type_of(ty)?);
            Ok(runtime::get().types.token_for(module, member))
        }
        None => Ok(Token::NULL),
    }
}

/// Writes the TypeDef row and those of its generic parameters.
fn describe(builder: Obj, at: Place) -> Result<()> {
    let rt = runtime::get();
    let growth = growth(at.module)?;
    let (name, namespace) = (text(builder, "tname"), text(builder, "nspace"));
    let mut row = TypeDef {
        flags: rt.get_field::<i32>(builder, "attrs") as u32,
        name: growth.text(&name),
        namespace: growth.text(&namespace),
        ..TypeDef::default()
    };
    generic_params(at.module, at.row.token(), builder)?;
    // A base class may have this class as argument.
    if !growth.has(at.row.token()) {
        growth.set(at.row, &row);
    }
    row.extends = type_token(at.module, reference(builder, "parent"))?;
    growth.set(at.row, &row);
    let enclosing = match reference(builder, "nesting_type") {
        Some(outer) => {
            let outer = declared(outer)?;
            rt.types.def_of(outer).map(|(_, row)| row)
        }
        None => None,
    };
    growth.set_name(at.row, &namespace, &name, enclosing);
    if let Some(enclosing) = enclosing {
        let nested = growth.add(&NestedClass {
            nested: at.row,
            enclosing,
        });
        growth.set_rows(at.row.0, [nested]);
    }
    Ok(())
}

/// Writes the generic parameters of a type or method, without constraints.
pub(super) fn generic_params(module: ModuleId, owner: Token, builder: Obj) -> Result<()> {
    let rt = runtime::get();
    let growth = growth(module)?;
    let mut known = rt.types.module(module).generic_params_of(owner);
    let mut rows: Vec<GenericParamRow> = Vec::new();
    for (number, param) in items(builder, "generic_params").enumerate() {
        let row = known.next().unwrap_or_else(|| growth.reserve());
        growth.set(
            row,
            &GenericParam {
                number: number as u16,
                flags: rt.get_field::<i32>(param, "attrs") as u16,
                owner,
                name: growth.text(&text(param, "name")),
            },
        );
        rows.push(row);
    }
    if !rows.is_empty() {
        growth.set_keyed_rows(owner, rows);
    }
    Ok(())
}

/// Writes constraints and attributes of generic parameters.
pub(super) fn constraints(module: ModuleId, owner: Token, builder: Obj) -> Result<()> {
    let rt = runtime::get();
    let growth = growth(module)?;
    let rows = rt.types.module(module).generic_params_of(owner);
    for (row, param) in rows.zip(items(builder, "generic_params")) {
        let all = reference(param, "base_type")
            .into_iter()
            .chain(items(param, "iface_constraints"));
        let mut written = Vec::new();
        for ty in all {
            written.push(growth.add(&GenericParamConstraint {
                owner: row,
                constraint: type_token(module, Some(ty))?,
            }));
        }
        growth.set_rows(row.0, written);
        attributes::write(module, row.token(), param)?;
    }
    Ok(())
}

fn interfaces(builder: Obj, at: Place) -> Result<()> {
    let growth = growth(at.module)?;
    let mut rows = Vec::new();
    for ty in elements(reference(builder, "interfaces")) {
        rows.push(growth.add(&InterfaceImpl {
            class: at.row,
            interface: type_token(at.module, Some(ty))?,
        }));
    }
    growth.set_rows(at.row.0, rows);
    Ok(())
}

fn class_layout(builder: Obj, at: Place) -> Result<()> {
    let rt = runtime::get();
    let size = rt.get_field::<i32>(builder, "class_size");
    let packing = rt.get_field::<i32>(builder, "packing_size");
    if size > 0 || packing > 0 {
        let growth = growth(at.module)?;
        let row = growth.add(&ClassLayout {
            packing_size: packing.max(0) as u16,
            class_size: size.max(0) as u32,
            parent: at.row,
        });
        growth.set_rows(at.row.0, [row]);
    }
    Ok(())
}

/// The builder, not yet finished, that the layout or the methods of a type depend on.
fn unfinished(ty: Obj) -> Option<Obj> {
    match members::class_of(ty).1 {
        "TypeBuilder" => match reference(ty, "created") {
            Some(_) => None,
            None => Some(ty),
        },
        "EnumBuilder" => unfinished(reference(ty, "_tb")?),
        "TypeBuilderInstantiation" => unfinished(reference(ty, "generic_type")?),
        _ => None,
    }
}

/// A type cannot be finished before its base classes, interfaces and the structs in its fields.
fn check_needed(builder: Obj) -> Result<()> {
    let rt = runtime::get();
    let bases = reference(builder, "parent")
        .into_iter()
        .chain(items(builder, "interfaces"));
    for ty in bases {
        require(unfinished(ty))?;
    }
    for field in items(builder, "fields") {
        let is_static = rt.get_field::<i32>(field, "attrs") & 0x10 != 0;
        let Some(ty) = reference(field, "type").filter(|_| !is_static) else {
            continue;
        };
        if let Some(missing) = unfinished(ty)
            && missing != builder
            && rt.types.is_value_type(declared(missing)?)
        {
            require(Some(missing))?;
        }
    }
    Ok(())
}

/// Has the program finish a type, and refuses to go on if it does not.
fn require(builder: Option<Obj>) -> Result<()> {
    let Some(builder) = builder else {
        return Ok(());
    };
    ask_to_finish(runtime::get(), builder)?;
    match unfinished(builder) {
        Some(builder) => Err(not_loaded(builder)),
        None => Ok(()),
    }
}

fn not_loaded(builder: Obj) -> Thrown {
    let types = &runtime::get().types;
    let Ok(ty) = declared(builder) else {
        return Thrown::bare("System", "TypeLoadException");
    };
    let (name, assembly) = (types.full_name(ty), types.assembly_name_of(ty));
    Thrown::no_type(&name, assembly)
}

extern "C" fn create(builder: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let at = place(builder)?;
        check_needed(builder)?;
        describe(builder, at)?;
        let ty = rt.types.type_def(at.module, at.row);
        interfaces(builder, at)?;
        class_layout(builder, at)?;
        type_members::write(builder, at, ty)?;
        constraints(at.module, at.row.token(), builder)?;
        attributes::write(at.module, at.row.token(), builder)?;
        let created = object_of(ty)?;
        type_members::publish(builder, ty)?;
        Ok(created)
    })
}

/// An enum builder's type is finished like any other.
extern "C" fn setup_enum(_builder: Obj, _ty: Obj) {}
