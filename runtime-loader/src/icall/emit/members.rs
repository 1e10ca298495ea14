//! From the objects of reflection and its builders to types, methods and fields.
//!
//! Types come out in the terms of signatures: parameters of generic types and methods by their position.

use super::super::reflection::{field_of as runtime_field, method_of as runtime_method};
use super::{elements, growth, items, reference, type_builder};
use crate::icall::{Result, Thrown};
use crate::object::{Obj, array, string};
use crate::runtime::{self, Runtime};
use shared_codegen::metadata::{FieldRow, MethodDefRow, RowId, Token, TypeDefRow};
use shared_codegen::types::{
    ArrayMethod, FieldId, Known, Member, MethodId, MethodKind, ModuleId, TypeId, TypeKind,
};

/// Name of an object's class.
pub(super) fn class_of(object: Obj) -> (&'static str, &'static str) {
    let rt = runtime::get();
    rt.types.type_name(object.method_table().type_id())
}

fn unknown<T>(object: Obj) -> Result<T> {
    let class = runtime::get()
        .types
        .full_name(object.method_table().type_id());
    Err(Thrown::not_supported(format!(
        "{class} cannot be used in emitted code."
    )))
}

fn required(object: Obj, field: &'static str) -> Result<Obj> {
    reference(object, field).ok_or_else(Thrown::null_reference)
}

/// The module behind a `ModuleBuilder`.
pub(super) fn module_of(builder: Obj) -> Result<ModuleId> {
    super::super::reflection::module_of_handle(runtime::get().get_field(builder, "_impl"))
}

/// Replaces generic parameters known by their owner by their positions.
fn positional(rt: &Runtime, t: TypeId) -> TypeId {
    let part = |t: TypeId| positional(rt, t);
    let types = &rt.types;
    match types.kind(t) {
        TypeKind::Param { module, row } => match types.module(module).generic_param(row) {
            Ok(p) if p.owner.table() == TypeDefRow::TABLE => {
                types.intern_type(TypeKind::Var(p.number.into()))
            }
            Ok(p) => types.intern_type(TypeKind::MVar(p.number.into())),
            Err(_) => t,
        },
        TypeKind::Inst { def, args } => {
            let args: Vec<TypeId> = args.iter().map(|&a| part(a)).collect();
            types.instance(def, &args)
        }
        TypeKind::SzArray(e) => types.sz_array(part(e)),
        TypeKind::Array { elem, rank } => types.intern_type(TypeKind::Array {
            elem: part(elem),
            rank,
        }),
        TypeKind::Ptr(e) => types.pointer(part(e)),
        TypeKind::ByRef(e) => types.by_ref(part(e)),
        _ => t,
    }
}

/// The type behind any `System.Type` object. Generic type definitions stay what they are.
pub(super) fn definition_of(ty: Obj) -> Result<TypeId> {
    let rt = runtime::get();
    let ty = ty.non_null().ok_or_else(|| Thrown::argument_null("type"))?;
    let types = &rt.types;
    let base = || type_of(required(ty, "m_baseType")?);
    Ok(match class_of(ty).1 {
        "RuntimeType" => {
            let mt = rt.type_of_object(ty).ok_or_else(Thrown::null_reference)?;
            positional(rt, mt.type_id())
        }
        "TypeBuilder" => type_builder::declared(ty)?,
        "EnumBuilder" => type_builder::declared(required(ty, "_tb")?)?,
        "GenericTypeParameterBuilder" => {
            let index = rt.get_field::<i32>(ty, "index") as u32;
            types.intern_type(match reference(ty, "mbuilder") {
                Some(_) => TypeKind::MVar(index),
                None => TypeKind::Var(index),
            })
        }
        "TypeBuilderInstantiation" => {
            let def = definition_of(required(ty, "generic_type")?)?;
            types.instance(types.definition(def), &types_in(ty, "type_arguments")?)
        }
        "ArrayType" => match rt.get_field::<i32>(ty, "rank") {
            0 => types.sz_array(base()?),
            rank => types.intern_type(TypeKind::Array {
                elem: base()?,
                rank: rank as u32,
            }),
        },
        "PointerType" => types.pointer(base()?),
        "ByRefType" => types.by_ref(base()?),
        _ => return unknown(ty),
    })
}

/// The type behind a `System.Type` object as code and signatures mean it: a generic type definition is the type over its own
/// parameters.
pub(super) fn type_of(ty: Obj) -> Result<TypeId> {
    Ok(runtime::get().types.open_form(definition_of(ty)?))
}

/// As [`type_of`]; null is `void`.
pub(super) fn type_or_void(ty: Option<Obj>) -> Result<TypeId> {
    match ty {
        Some(ty) => type_of(ty),
        None => Ok(runtime::get().types.known(Known::Void)),
    }
}

/// The types in an array in a field of a builder.
pub(super) fn types_in(object: Obj, field: &'static str) -> Result<Vec<TypeId>> {
    elements(reference(object, field)).map(type_of).collect()
}

/// Names the row of a method that a builder describes, and its open form.
fn built_method(builder: Obj, is_method: bool) -> Result<MethodId> {
    let rt = runtime::get();
    let ty = required(builder, "type")?;
    let owner = type_builder::declared(ty)?;
    let row = MethodDefRow(rt.get_field::<i32>(builder, "table_idx") as u32);
    let method = rt.types.method_of(rt.types.open_form(owner), row);
    let params = match is_method {
        true => items(builder, "generic_params").count() as u32,
        false => 0,
    };
    let open = (0..params).map(|n| rt.types.intern_type(TypeKind::MVar(n)));
    let open = rt.types.list(&open.collect::<Vec<_>>());
    Ok(rt.types.with_method_args(method, open))
}

/// The method on an instance of its class.
fn on_instance(method: MethodId, instance: Obj) -> Result<MethodId> {
    Ok(runtime::get().types.method_on(method, type_of(instance)?))
}

fn existing_method(info: Obj) -> Result<MethodId> {
    let rt = runtime::get();
    let method = runtime_method(info)?.method;
    let MethodKind::Def { owner, args, .. } = rt.types.method_kind(method) else {
        return Ok(method);
    };
    let owner = rt.types.open_form(positional(rt, owner));
    let args: Vec<TypeId> = args.iter().map(|&a| positional(rt, a)).collect();
    let on = rt.types.method_on(method, owner);
    Ok(rt.types.with_method_args(on, rt.types.list(&args)))
}

/// `ModuleBuilder.GetArrayMethod`
fn array_method(info: Obj) -> Result<MethodId> {
    let rt = runtime::get();
    let array = type_of(required(info, "parent")?)?;
    let name = super::text(info, "name");
    let op = match name.as_str() {
        ".ctor" => ArrayMethod::Ctor(elements(reference(info, "parameters")).count() as u32),
        "Get" => ArrayMethod::Get,
        "Set" => ArrayMethod::Set,
        "Address" => ArrayMethod::Address,
        _ => return unknown(info),
    };
    Ok(rt.types.intern_method(MethodKind::Array { array, op }))
}

/// The method behind a `MethodBase`, in the terms of signatures.
pub(super) fn method_of(info: Obj) -> Result<MethodId> {
    let rt = runtime::get();
    Ok(match class_of(info).1 {
        "RuntimeMethodInfo" | "RuntimeConstructorInfo" => existing_method(info)?,
        "DynamicMethod" => runtime_method(info)?.method,
        "MethodBuilder" => built_method(info, true)?,
        "ConstructorBuilder" => built_method(info, false)?,
        "ConstructorOnTypeBuilderInst" => on_instance(
            method_of(required(info, "cb")?)?,
            required(info, "instantiation")?,
        )?,
        "MethodOnTypeBuilderInst" => {
            let base = method_of(required(info, "base_method")?)?;
            let on = on_instance(base, required(info, "instantiation")?)?;
            match reference(info, "method_arguments") {
                Some(_) => {
                    let args = types_in(info, "method_arguments")?;
                    let generic = rt.types.method_definition(on);
                    rt.types.with_method_args(generic, rt.types.list(&args))
                }
                None => on,
            }
        }
        "MonoArrayMethod" => array_method(info)?,
        _ => return unknown(info),
    })
}

/// Row of a field of a type under construction, by its position in it.
pub(super) fn field_row(owner: TypeId, position: usize) -> Result<FieldRow> {
    let rt = runtime::get();
    let (module, row) = rt.types.def_of(owner).ok_or_else(Thrown::null_reference)?;
    let growth = growth(module)?;
    let mut fields = rt.emit.fields.lock();
    let field = *fields.entry((owner, position)).or_insert_with(|| {
        let field = growth.reserve::<FieldRow>();
        growth.set_owner(field.token(), row);
        field
    });
    Ok(field)
}

fn built_field(builder: Obj) -> Result<FieldId> {
    let rt = runtime::get();
    let ty = required(builder, "typeb")?;
    let owner = type_builder::declared(ty)?;
    let position = elements(reference(ty, "fields")).position(|f| f == builder);
    let position = position.ok_or_else(|| Thrown::argument_null("field"))?;
    let row = field_row(owner, position)?;
    Ok(rt.types.field_of(rt.types.open_form(owner), row))
}

/// The field behind a `FieldInfo`, in the terms of signatures.
pub(super) fn field_of(info: Obj) -> Result<FieldId> {
    let rt = runtime::get();
    let on = |field: FieldId, owner: TypeId| {
        let row = rt.types.field_kind(field).row;
        rt.types.field_of(owner, row)
    };
    Ok(match class_of(info).1 {
        "RuntimeFieldInfo" => {
            let field = runtime_field(info)?.field;
            let owner = positional(rt, rt.types.field_owner(field));
            on(field, rt.types.open_form(owner))
        }
        "FieldBuilder" => built_field(info)?,
        "FieldOnTypeBuilderInst" => on(
            field_of(required(info, "fb")?)?,
            type_of(required(info, "instantiation")?)?,
        ),
        _ => return unknown(info),
    })
}

/// What any object that IL can refer to stands for. `token` is the one it got: that of a TypeDef or TypeRef means a generic type
/// definition itself, that of a TypeSpec the type over its own parameters.
pub(super) fn member_of(object: Obj, token: Token) -> Result<Member> {
    let class = class_of(object).1;
    let is_type_row = matches!(token.table().0, 0x01 | 0x02);
    match class {
        "RuntimeFieldInfo" | "FieldBuilder" | "FieldOnTypeBuilderInst" => {
            field_of(object).map(Member::Field)
        }
        "RuntimeType" | "TypeBuilder" | "EnumBuilder" if is_type_row => {
            definition_of(object).map(Member::Type)
        }
        "RuntimeType"
        | "TypeBuilder"
        | "EnumBuilder"
        | "GenericTypeParameterBuilder"
        | "TypeBuilderInstantiation"
        | "ArrayType"
        | "PointerType"
        | "ByRefType" => type_of(object).map(Member::Type),
        _ => method_of(object).map(Member::Method),
    }
}

/// UTF-16LE bytes of a string.
pub(super) fn utf16_bytes(s: Obj) -> Vec<u8> {
    string::units(s)
        .iter()
        .flat_map(|u| u.to_le_bytes())
        .collect()
}

/// Bytes of a byte array that may be null.
pub(super) fn bytes_in(object: Obj, field: &'static str) -> Option<&'static [u8]> {
    reference(object, field).map(array::as_slice::<u8>)
}
