//! Instances that the class libraries make by reflection, so that no code names them.
//!
//! * `PropertyInfo.GetValue` reads properties of classes by generic adapters over the property's type.
//! * Compiled expressions and serializers call the members of `Nullable<T>`, which compiled code has inlined.
//! * `EqualityComparer<T>.Default` and `Comparer<T>.Default` choose a class by looking at `T` and make it with
//!   `RuntimeType.CreateInstanceForAnotherGenericParameter`.

use shared_codegen::types::Property;
use shared_codegen::types::{MethodId, TypeContext, TypeId};

/// The classes that using `t` may make by reflection.
pub fn made_by(ctx: &TypeContext, t: TypeId) -> Vec<TypeId> {
    ctx.default_comparer(t).into_iter().collect()
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
