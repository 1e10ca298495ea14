//! `System.RuntimeType`, `System.RuntimeTypeHandle`, `System.Type`.

use super::{Result, Thrown, assembly, icalls, managed, module, reflection};
use crate::object::{MethodTable, Obj, array, string};
use crate::runtime::{self, cast};
use shared_codegen::abi::layout::method_table as l;
use shared_codegen::metadata::MethodDefRow;
use shared_codegen::types::{Error, GenericParam, Known, MethodId, NameFormat, TypeId, TypeKind};

icalls! {
    "System.RuntimeType" {
        "getFullName" => full_name(Obj, bool, bool) -> Obj;
        "get_Name" => name(Obj) -> Obj;
        "get_Namespace" => namespace(Obj) -> Obj;
        "get_DeclaringType" => declaring_type(Obj) -> Obj;
        "MakeGenericType" => make_generic_type(Obj, Obj) -> Obj;
        "make_array_type" => make_array_type(Obj, i32) -> Obj;
        "make_byref_type" => make_byref_type(Obj) -> Obj;
        "MakePointerType" => make_pointer_type(Obj) -> Obj;
        "GetGenericArgumentsInternal" => generic_arguments(Obj, bool) -> Obj;
        "get_DeclaringMethod" => declaring_method(Obj) -> Obj;
        "GetGenericParameterPosition" => parameter_position(Obj) -> i32;
        "GetPacking" => packing(Obj, *mut i32, *mut i32);
        "GetTypeCodeImplInternal" => type_code(Obj) -> i32;
        "CreateInstanceInternal" => create_instance(Obj) -> Obj;
    }
    "System.RuntimeTypeHandle" {
        "GetAssembly" => assembly_of(Obj) -> Obj;
        "GetModule" => module_of(Obj) -> Obj;
        "GetGenericParameterInfo" => parameter_data(Obj) -> *const ParameterData;
        "IsComObject" => is_com_object(Obj) -> bool;
        "IsByRefLike" => is_by_ref_like(Obj) -> bool;
        "GetAttributes" => attributes(Obj) -> i32;
        "GetBaseType" => base_type(Obj) -> Obj;
        "GetElementType" => element_type(Obj) -> Obj;
        "GetCorElementType" => cor_element_type(Obj) -> u8;
        "GetGenericTypeDefinition_impl" => generic_definition(Obj) -> Obj;
        "HasInstantiation" => has_instantiation(Obj) -> bool;
        "HasReferences" => has_references(Obj) -> bool;
        "IsGenericTypeDefinition" => is_generic_definition(Obj) -> bool;
        "IsGenericVariable" => is_generic_variable(Obj) -> bool;
        "IsInstanceOfType" => is_instance_of(Obj, Obj) -> bool;
        "IsArray" => is_array(Obj) -> bool;
        "IsByRef" => is_by_ref(Obj) -> bool;
        "IsPointer" => is_pointer(Obj) -> bool;
        "GetArrayRank" => array_rank(Obj) -> i32;
        "GetMetadataToken" => metadata_token(Obj) -> i32;
        "is_subclass_of" => is_subclass_of(usize, usize) -> bool;
        "type_is_assignable_from" => is_assignable_from(Obj, Obj) -> bool;
    }
    "Mono.RuntimeClassHandle" {
        "GetTypeFromClass" => type_handle_of_class(usize) -> usize;
    }
    "System.Type" {
        "internal_from_handle" => from_handle(usize) -> Obj;
    }
}

/// The type behind a `Type` argument.
pub(super) fn table(ty: Obj) -> Result<&'static MethodTable> {
    runtime::get()
        .type_of_object(ty)
        .ok_or_else(|| Thrown::argument_null("type"))
}

fn id(ty: Obj) -> Result<TypeId> {
    Ok(table(ty)?.type_id())
}

/// The type as reflection knows it: an instance over the definition's own parameters is the definition.
pub(super) fn normal(ty: TypeId) -> TypeId {
    let types = &runtime::get().types;
    match types.kind(ty) {
        TypeKind::Inst { def, args }
            if args == types.param_types(def) || types.open_form(def) == ty =>
        {
            def
        }
        _ => ty,
    }
}

/// The `Type` object of a type.
pub(super) fn object_of(ty: TypeId) -> Result<Obj> {
    let rt = runtime::get();
    rt.type_object(rt.method_table(normal(ty))?)
}

extern "C" fn from_handle(handle: usize) -> Obj {
    managed(|| match MethodTable::from_handle(handle) {
        Some(mt) => runtime::get().type_object(mt),
        None => Ok(Obj::NULL),
    })
}

/// Classes and types have the same handle.
extern "C" fn type_handle_of_class(class: usize) -> usize {
    class
}

/// The type at the bottom of arrays, pointers and by-refs, as reflection knows it.
fn root(ty: TypeId) -> TypeId {
    match runtime::get().types.kind(ty) {
        TypeKind::SzArray(e)
        | TypeKind::Array { elem: e, .. }
        | TypeKind::Ptr(e)
        | TypeKind::ByRef(e) => root(e),
        _ => normal(ty),
    }
}

/// The same made of a definition instead of the definition over its own parameters.
fn named(ty: TypeId) -> TypeId {
    let types = &runtime::get().types;
    match types.kind(ty) {
        TypeKind::SzArray(e) => types.sz_array(named(e)),
        TypeKind::Array { elem, rank } => types.intern_type(TypeKind::Array {
            elem: named(elem),
            rank,
        }),
        TypeKind::Ptr(e) => types.pointer(named(e)),
        TypeKind::ByRef(e) => types.by_ref(named(e)),
        _ => normal(ty),
    }
}

extern "C" fn full_name(this: Obj, full: bool, qualified: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let ty = id(this)?;
        let open =
            rt.types.contains_generic_params(ty) && !rt.types.is_generic_definition(root(ty));
        if full && open {
            return Ok(Obj::NULL);
        }
        // An array of a definition is named after the definition.
        let ty = if full || qualified { named(ty) } else { ty };
        let format = if full || qualified {
            NameFormat::FullName
        } else {
            NameFormat::Reflection
        };
        let mut name = rt.types.type_name_as(ty, format);
        if !full && !qualified && rt.types.is_generic_definition(ty) {
            let params: Vec<&str> = rt
                .types
                .generic_params(ty)?
                .iter()
                .map(|p| p.name)
                .collect();
            name = format!("{name}[{}]", params.join(","));
        }
        if qualified {
            name = format!("{name}, {}", rt.types.assembly_name_of(ty));
        }
        string::from_rust(&name)
    })
}

/// Name of a type without namespace and enclosing types.
fn simple_name(ty: TypeId) -> String {
    let types = &runtime::get().types;
    match types.kind(ty) {
        TypeKind::SzArray(e) => simple_name(e) + "[]",
        TypeKind::Array { elem, rank: 1 } => simple_name(elem) + "[*]",
        TypeKind::Array { elem, rank } => {
            format!("{}[{}]", simple_name(elem), ",".repeat(rank as usize - 1))
        }
        TypeKind::Ptr(e) => simple_name(e) + "*",
        TypeKind::ByRef(e) => simple_name(e) + "&",
        TypeKind::Def { .. } | TypeKind::Inst { .. } => types.type_name(ty).1.to_owned(),
        _ => types.full_name(ty),
    }
}

extern "C" fn name(this: Obj) -> Obj {
    managed(|| string::from_rust(&simple_name(id(this)?)))
}

extern "C" fn namespace(this: Obj) -> Obj {
    managed(|| {
        let types = &runtime::get().types;
        let mut ty = id(this)?;
        if let TypeKind::Param { .. } = types.kind(ty) {
            match type_parameter_owner(ty)? {
                Owner::Type(t) => ty = t,
                Owner::Method(m) => ty = types.method_owner(m),
            }
        }
        while let TypeKind::SzArray(e)
        | TypeKind::Ptr(e)
        | TypeKind::ByRef(e)
        | TypeKind::Array { elem: e, .. } = types.kind(ty)
        {
            ty = e;
        }
        while let Some(outer) = types.enclosing_type(ty) {
            ty = outer;
        }
        match types.type_name(ty).0 {
            "" => Ok(Obj::NULL),
            text => string::from_rust(text),
        }
    })
}

extern "C" fn declaring_type(this: Obj) -> Obj {
    managed(|| {
        let types = &runtime::get().types;
        let ty = id(this)?;
        if let TypeKind::Param { .. } = types.kind(ty) {
            return match type_parameter_owner(ty)? {
                Owner::Type(t) => object_of(t),
                Owner::Method(m) => object_of(types.method_owner(m)),
            };
        }
        match types.enclosing_type(ty) {
            Some(outer) => object_of(outer),
            None => Ok(Obj::NULL),
        }
    })
}

/// Who declares a generic parameter.
pub(super) enum Owner {
    /// A type definition.
    Type(TypeId),
    /// A method, its owner in open form.
    Method(MethodId),
}

/// Who declares a `Param` type.
pub(super) fn type_parameter_owner(ty: TypeId) -> Result<Owner> {
    let types = &runtime::get().types;
    let TypeKind::Param { module, row } = types.kind(ty) else {
        return Err(Thrown::system(
            "InvalidOperationException",
            "Method may only be called on a Type for which Type.IsGenericParameter is true.",
        ));
    };
    let owner = types
        .module(module)
        .generic_param(row)
        .map_err(Error::from)?
        .owner;
    Ok(match owner.as_row::<MethodDefRow>() {
        Some(_) => Owner::Method(types.resolve_method(module, owner, Default::default())?),
        None => Owner::Type(types.resolve_type(module, owner, Default::default())?),
    })
}

/// A `Param` type's declaration, its constraints in terms of `Param` types.
fn type_parameter(ty: TypeId) -> Result<GenericParam> {
    let types = &runtime::get().types;
    let (all, context) = match type_parameter_owner(ty)? {
        Owner::Type(t) => (types.generic_params(t)?, reflection::shown_context(t, None)),
        Owner::Method(m) => (
            types.method_generic_params(m)?,
            reflection::shown_context(types.method_owner(m), Some(m)),
        ),
    };
    let is_it =
        |p: &GenericParam| matches!(types.kind(ty), TypeKind::Param { row, .. } if row == p.row);
    let mut found = all
        .into_iter()
        .find(is_it)
        .ok_or_else(Thrown::null_reference)?;
    for c in &mut found.constraints {
        *c = normal(types.substitute(*c, context));
    }
    Ok(found)
}

/// Constraints of a `Param` type.
pub(super) fn constraints(ty: TypeId) -> Result<Vec<TypeId>> {
    Ok(type_parameter(ty)?.constraints)
}

extern "C" fn declaring_method(this: Obj) -> Obj {
    managed(|| {
        let ty = id(this)?;
        if !matches!(runtime::get().types.kind(ty), TypeKind::Param { .. }) {
            return Ok(Obj::NULL);
        }
        match type_parameter_owner(ty)? {
            Owner::Method(m) => reflection::method_object(m),
            Owner::Type(_) => Ok(Obj::NULL),
        }
    })
}

extern "C" fn parameter_position(this: Obj) -> i32 {
    managed(|| {
        let ty = id(this)?;
        match runtime::get().types.kind(ty) {
            TypeKind::Param { .. } => Ok(type_parameter(ty)?.number as i32),
            TypeKind::Var(n) | TypeKind::MVar(n) => Ok(n as i32),
            _ => Ok(-1),
        }
    })
}

/// `Mono.RuntimeStructs.GenericParamInfo`
#[repr(C)]
pub struct ParameterData {
    class: usize,
    name: *const u8,
    flags: u16,
    token: u32,
    constraints: *const usize,
}

extern "C" fn parameter_data(this: Obj) -> *const ParameterData {
    managed(|| {
        let rt = runtime::get();
        let mt = table(this)?;
        let address = rt.reflect.native((mt.handle(), 0), || {
            let p = type_parameter(mt.type_id())?;
            let mut classes = p
                .constraints
                .iter()
                .map(|c| Ok(rt.method_table(*c)?.handle()))
                .collect::<Result<Vec<_>>>()?;
            classes.push(0);
            let data = ParameterData {
                class: mt.handle(),
                name: crate::interop::native_string(p.name),
                flags: p.flags as u16,
                token: p.row.token().0,
                constraints: classes.leak().as_ptr(),
            };
            Ok(core::ptr::from_ref(Box::leak(Box::new(data))) as usize)
        })?;
        Ok(address as *const ParameterData)
    })
}

extern "C" fn packing(this: Obj, packing: *mut i32, size: *mut i32) {
    managed(|| {
        let types = &runtime::get().types;
        let row = types.def_of(id(this)?);
        let layout = row.and_then(|(m, row)| types.module(m).class_layout_of(row));
        // SAFETY: addresses of the caller's variables.
        unsafe {
            packing.write(layout.map_or(8, |l| l.packing_size.into()));
            size.write(layout.map_or(0, |l| l.class_size as i32));
        }
        Ok(())
    })
}

extern "C" fn assembly_of(ty: Obj) -> Obj {
    managed(|| assembly::assembly_object(runtime::get().types.type_module(id(ty)?)))
}

extern "C" fn module_of(ty: Obj) -> Obj {
    managed(|| module::module_object(runtime::get().types.type_module(id(ty)?)))
}

extern "C" fn is_com_object(_ty: Obj) -> bool {
    false
}

extern "C" fn is_by_ref_like(ty: Obj) -> bool {
    test(ty, |t| runtime::get().types.is_byref_like(t))
}

/// Most dimensions of an array.
const MAX_RANK: u32 = 32;

/// The type behind a `Type` object, to be part of another type.
fn element(ty: Obj) -> Result<TypeId> {
    Ok(runtime::get().types.element_form(id(ty)?))
}

extern "C" fn make_generic_type(definition: Obj, arguments: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let args = array::as_slice::<Obj>(arguments)
            .iter()
            .map(|a| element(*a))
            .collect::<Result<Vec<_>>>()?;
        let def = rt.types.definition(id(definition)?);
        let list = rt.types.list(&args);
        if !args.iter().any(|a| rt.types.contains_generic_params(*a)) {
            rt.types
                .check_type_arguments(def, list)
                .map_err(|e| Thrown::system("ArgumentException", e.to_string()))?;
        }
        object_of(rt.types.instance(def, &args))
    })
}

extern "C" fn make_array_type(this: Obj, rank: i32) -> Obj {
    managed(|| {
        let types = &runtime::get().types;
        let elem = element(this)?;
        let made = |rank: u32| types.intern_type(TypeKind::Array { elem, rank });
        if rank as u32 > MAX_RANK {
            let name = types.full_name(made(rank as u32));
            let text = format!("{name} has too many dimensions.");
            return Err(Thrown::system("TypeLoadException", text));
        }
        object_of(if rank == 0 {
            types.sz_array(elem)
        } else {
            made(rank as u32)
        })
    })
}

extern "C" fn make_byref_type(this: Obj) -> Obj {
    managed(|| object_of(runtime::get().types.by_ref(element(this)?)))
}

extern "C" fn make_pointer_type(this: Obj) -> Obj {
    managed(|| object_of(runtime::get().types.pointer(element(this)?)))
}

/// A `Type[]` (or `RuntimeType[]`) of these types.
pub(super) fn type_array(types: &[TypeId], runtime_array: bool) -> Result<Obj> {
    let rt = runtime::get();
    let class = rt.types.known(if runtime_array {
        Known::RuntimeType
    } else {
        Known::Type
    });
    let a = array::allocate(rt.method_table(rt.types.sz_array(class))?, types.len())?;
    for (n, t) in types.iter().enumerate() {
        array::set(a, n, object_of(*t)?);
    }
    Ok(a)
}

extern "C" fn generic_arguments(this: Obj, runtime_array: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let ty = id(this)?;
        let args = match rt.types.kind(ty) {
            TypeKind::Inst { args, .. } => args.to_vec(),
            _ => rt.types.param_types(ty).to_vec(),
        };
        type_array(&args, runtime_array)
    })
}

/// `TypeCode` of a type.
extern "C" fn type_code(ty: Obj) -> i32 {
    managed(|| {
        use shared_codegen::types::Prim::*;
        let rt = runtime::get();
        let ty = id(ty)?;
        Ok(match rt.types.prim(rt.types.underlying(ty)) {
            Some(Bool) => 3,
            Some(Char) => 4,
            Some(I1) => 5,
            Some(U1) => 6,
            Some(I2) => 7,
            Some(U2) => 8,
            Some(I4) => 9,
            Some(U4) => 10,
            Some(I8) => 11,
            Some(U8) => 12,
            Some(R4) => 13,
            Some(R8) => 14,
            Some(I | U) => 1,
            None => match rt.types.type_name(ty) {
                ("System", "Decimal") => 15,
                ("System", "DateTime") => 16,
                ("System", "String") => 18,
                ("System", "DBNull") => 2,
                _ => 1,
            },
        })
    })
}

extern "C" fn create_instance(ty: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let mt = table(ty)?;
        if mt.has(l::FLAG_NULLABLE) {
            return Ok(Obj::NULL);
        }
        let object = crate::object::new_object(mt)?;
        if !mt.has(l::FLAG_VALUE_TYPE) {
            let ctor = rt.types.find_constructor(mt.type_id(), &[])?;
            let ctor = ctor.ok_or_else(|| {
                Thrown::system(
                    "MissingMethodException",
                    format!(
                        "Default constructor not found for type {}",
                        rt.types.full_name(mt.type_id())
                    ),
                )
            })?;
            crate::runtime::invoke::call(
                rt.methods.desc(ctor),
                &[crate::runtime::invoke::Arg::Ref(object)],
            )?;
        }
        Ok(object)
    })
}

/// Public, sealed, serializable.
const ARRAY_ATTRIBUTES: i32 = 0x2101;

extern "C" fn attributes(ty: Obj) -> i32 {
    managed(|| {
        let types = &runtime::get().types;
        let ty = id(ty)?;
        Ok(match types.kind(ty) {
            TypeKind::SzArray(_) | TypeKind::Array { .. } => ARRAY_ATTRIBUTES,
            TypeKind::Param { .. } | TypeKind::Ptr(_) | TypeKind::FnPtr(_) => 1,
            TypeKind::ByRef(e) => types.type_flags(e) as i32,
            _ => types.type_flags(ty) as i32,
        })
    })
}

extern "C" fn base_type(ty: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let ty = id(ty)?;
        if let TypeKind::Param { .. } = rt.types.kind(ty) {
            let class = constraints(ty)?
                .into_iter()
                .find(|c| !rt.types.is_interface(*c));
            return object_of(class.unwrap_or(rt.types.known(Known::Object)));
        }
        match reflection::shown_parent(ty)? {
            Some(p) => object_of(p),
            None => Ok(Obj::NULL),
        }
    })
}

extern "C" fn element_type(ty: Obj) -> Obj {
    managed(|| match runtime::get().types.kind(id(ty)?) {
        TypeKind::SzArray(e)
        | TypeKind::Ptr(e)
        | TypeKind::ByRef(e)
        | TypeKind::Array { elem: e, .. } => object_of(e),
        _ => Ok(Obj::NULL),
    })
}

/// ECMA-335 II.23.1.16 element type of a type.
extern "C" fn cor_element_type(ty: Obj) -> u8 {
    managed(|| {
        use shared_codegen::types::Prim::*;
        let types = &runtime::get().types;
        let ty = id(ty)?;
        Ok(match types.kind(ty) {
            TypeKind::SzArray(_) => 0x1d,
            TypeKind::Array { .. } => 0x14,
            TypeKind::Ptr(_) => 0x0f,
            TypeKind::ByRef(_) => 0x10,
            TypeKind::FnPtr(_) => 0x1b,
            TypeKind::Var(_) | TypeKind::Param { .. } => 0x13,
            TypeKind::MVar(_) => 0x1e,
            _ if types.is_enum(ty) => 0x11,
            TypeKind::Inst { .. } => 0x15,
            _ => match types.prim(ty) {
                Some(Bool) => 0x02,
                Some(Char) => 0x03,
                Some(I1) => 0x04,
                Some(U1) => 0x05,
                Some(I2) => 0x06,
                Some(U2) => 0x07,
                Some(I4) => 0x08,
                Some(U4) => 0x09,
                Some(I8) => 0x0a,
                Some(U8) => 0x0b,
                Some(R4) => 0x0c,
                Some(R8) => 0x0d,
                Some(I) => 0x18,
                Some(U) => 0x19,
                None if ty == types.known(Known::Void) => 0x01,
                None if ty == types.known(Known::String) => 0x0e,
                None if ty == types.known(Known::Object) => 0x1c,
                None if types.is_value_type(ty) => 0x11,
                None => 0x12,
            },
        })
    })
}

extern "C" fn generic_definition(ty: Obj) -> Obj {
    managed(|| {
        let types = &runtime::get().types;
        let ty = id(ty)?;
        if types.is_generic_definition(types.definition(ty)) {
            object_of(types.definition(ty))
        } else {
            Ok(Obj::NULL)
        }
    })
}

fn test(ty: Obj, f: impl FnOnce(TypeId) -> bool) -> bool {
    managed(|| Ok(f(id(ty)?)))
}

extern "C" fn has_instantiation(ty: Obj) -> bool {
    let types = &runtime::get().types;
    test(ty, |t| {
        matches!(types.kind(t), TypeKind::Inst { .. }) || types.is_generic_definition(t)
    })
}

extern "C" fn has_references(ty: Obj) -> bool {
    managed(|| Ok(table(ty)?.has(l::FLAG_HAS_REFS)))
}

extern "C" fn is_generic_definition(ty: Obj) -> bool {
    test(ty, |t| runtime::get().types.is_generic_definition(t))
}

extern "C" fn is_generic_variable(ty: Obj) -> bool {
    test(ty, |t| {
        matches!(
            runtime::get().types.kind(t),
            TypeKind::Var(_) | TypeKind::MVar(_) | TypeKind::Param { .. }
        )
    })
}

extern "C" fn is_instance_of(ty: Obj, o: Obj) -> bool {
    managed(|| Ok(!o.is_null() && cast::is_instance(o, table(ty)?)))
}

extern "C" fn is_array(ty: Obj) -> bool {
    test(ty, |t| {
        matches!(
            runtime::get().types.kind(t),
            TypeKind::SzArray(_) | TypeKind::Array { .. }
        )
    })
}

extern "C" fn is_by_ref(ty: Obj) -> bool {
    test(ty, |t| {
        matches!(runtime::get().types.kind(t), TypeKind::ByRef(_))
    })
}

extern "C" fn is_pointer(ty: Obj) -> bool {
    test(ty, |t| {
        matches!(runtime::get().types.kind(t), TypeKind::Ptr(_))
    })
}

extern "C" fn array_rank(ty: Obj) -> i32 {
    managed(|| {
        Ok(match runtime::get().types.kind(id(ty)?) {
            TypeKind::SzArray(_) => 1,
            TypeKind::Array { rank, .. } => rank as i32,
            _ => 0,
        })
    })
}

extern "C" fn metadata_token(ty: Obj) -> i32 {
    managed(|| {
        Ok(runtime::get()
            .types
            .def_of(id(ty)?)
            .map_or(0x0200_0000, |(_, row)| row.token().0 as i32))
    })
}

/// Is one of the base classes. Interfaces and pointers count as derived from `object`.
extern "C" fn is_subclass_of(child: usize, base: usize) -> bool {
    managed(|| {
        let tables = (
            MethodTable::from_handle(child),
            MethodTable::from_handle(base),
        );
        let (Some(child), Some(base)) = tables else {
            return Ok(false);
        };
        let (child, base) = (child.type_id(), base.type_id());
        if base == runtime::get().types.known(Known::Object) {
            return Ok(child != base);
        }
        let mut at = reflection::shown_parent(child)?;
        while let Some(t) = at {
            if t == base {
                return Ok(true);
            }
            at = reflection::shown_parent(t)?;
        }
        Ok(false)
    })
}

extern "C" fn is_assignable_from(to: Obj, from: Obj) -> bool {
    managed(|| Ok(cast::is_assignable(table(from)?, table(to)?)))
}
