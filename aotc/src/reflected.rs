//! Instances that the class libraries make by reflection, so that no code names them.
//!
//! * `PropertyInfo.GetValue` reads properties of classes by generic adapters over the property's type.
//! * Compiled expressions and serializers call the members of `Nullable<T>`, which compiled code has inlined.
//! * `EqualityComparer<T>.Default` and `Comparer<T>.Default` choose a class by looking at `T` and make it with
//!   `RuntimeType.CreateInstanceForAnotherGenericParameter`.

use shared_codegen::types::Property;
use shared_codegen::types::{MethodId, Prim, TypeContext, TypeId};

/// Comparers for enums by the underlying type (`EqualityComparer<T>.CreateComparer`).
const ENUMS: [(&[Prim], &str); 4] = [
    (&[Prim::I1], "SByteEnumEqualityComparer`1"),
    (&[Prim::I2], "ShortEnumEqualityComparer`1"),
    (
        &[Prim::U1, Prim::U2, Prim::I4, Prim::U4],
        "EnumEqualityComparer`1",
    ),
    (&[Prim::I8, Prim::U8], "LongEnumEqualityComparer`1"),
];

/// The names that one kind of comparer goes by.
struct Family {
    asked: &'static str,
    interface: &'static str,
    generic: &'static str,
    nullable: &'static str,
    object: &'static str,
}

const EQUALITY: Family = Family {
    asked: "EqualityComparer`1",
    interface: "IEquatable`1",
    generic: "GenericEqualityComparer`1",
    nullable: "NullableEqualityComparer`1",
    object: "ObjectEqualityComparer`1",
};

const ORDER: Family = Family {
    asked: "Comparer`1",
    interface: "IComparable`1",
    generic: "GenericComparer`1",
    nullable: "NullableComparer`1",
    object: "ObjectComparer`1",
};

/// The classes that using `t` may make by reflection.
pub fn made_by(ctx: &TypeContext, t: TypeId) -> Vec<TypeId> {
    let &[arg] = ctx.type_args(t) else {
        return Vec::new();
    };
    let def = ctx.definition(t);
    if arg == ctx.canon() || ctx.type_module(def) != ctx.corlib() {
        return Vec::new();
    }
    let mut made = Vec::new();
    for family in [&EQUALITY, &ORDER] {
        if collection_class(ctx, family.asked) == Some(def) {
            made.extend(comparers(ctx, family, arg));
            if family.asked == EQUALITY.asked {
                made.extend(enum_comparer(ctx, arg));
            }
        }
    }
    made
}

/// The methods by which reflection reads a property.
pub fn readers(ctx: &TypeContext, class: TypeId, property: &Property) -> Vec<MethodId> {
    // Enums are left out: there are too many of them, and few are read in this way.
    let fit = ctx.is_value_type(property.ty) && !ctx.is_enum(property.ty);
    let (Some(getter), true) = (property.getter, fit && property.params.is_empty()) else {
        return Vec::new();
    };
    let info = ctx.find_type_def(ctx.corlib(), "System.Reflection", "RuntimePropertyInfo");
    let reader = |name, args: &[TypeId]| {
        let open = ctx.find_method(info?, name).ok()??;
        Some(ctx.with_method_args(open, ctx.list(args)))
    };
    let found = if ctx.method_is_static(getter) {
        reader("StaticGetterAdapterFrame", &[property.ty])
    } else if ctx.is_value_type(class) {
        None
    } else {
        reader("GetterAdapterFrame", &[ctx.canon(), property.ty])
    };
    found.into_iter().collect()
}

/// The types of the delegates that [`readers`] get.
pub fn reader_types(ctx: &TypeContext, reader: MethodId) -> Vec<TypeId> {
    let args = ctx.generic_context(reader);
    let first = ctx
        .method_signature(reader)
        .ok()
        .and_then(|s| s.params.first().copied());
    first.map(|t| ctx.substitute(t, args)).into_iter().collect()
}

fn comparers(ctx: &TypeContext, family: &Family, arg: TypeId) -> Vec<TypeId> {
    let over = |name, arg| collection_class(ctx, name).map(|c| ctx.instance(c, &[arg]));
    let compares_itself = |t: TypeId| {
        let interface = ctx.find_type_def(ctx.corlib(), "System", family.interface);
        interface.is_some_and(|i| ctx.is_assignable(t, ctx.instance(i, &[t])))
    };
    let chosen = if compares_itself(arg) {
        over(family.generic, arg)
    } else {
        let inner = ctx.nullable_arg(arg).filter(|&u| compares_itself(u));
        inner.and_then(|u| over(family.nullable, u))
    };
    chosen
        .or_else(|| over(family.object, arg))
        .into_iter()
        .collect()
}

fn enum_comparer(ctx: &TypeContext, arg: TypeId) -> Option<TypeId> {
    if !ctx.is_enum(arg) {
        return None;
    }
    let prim = ctx.prim(ctx.underlying(arg))?;
    let (_, name) = ENUMS.iter().find(|(prims, _)| prims.contains(&prim))?;
    Some(ctx.instance(collection_class(ctx, name)?, &[arg]))
}

fn collection_class(ctx: &TypeContext, name: &str) -> Option<TypeId> {
    ctx.find_type_def(ctx.corlib(), "System.Collections.Generic", name)
}
