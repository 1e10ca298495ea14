//! Tests over the installed class libraries. Each is skipped where they are not installed.

use super::binding::{SearchPath, StandardBinder};
use super::*;
use crate::ir::MemType;
use crate::metadata::TypeDefRow;
use std::sync::OnceLock;

/// One context for all tests.
fn context() -> Option<&'static TypeContext> {
    static CONTEXT: OnceLock<Option<TypeContext>> = OnceLock::new();
    let make =
        || TypeContext::new(Box::new(StandardBinder::reading(SearchPath::system(None)))).ok();
    CONTEXT.get_or_init(make).as_ref()
}

/// A type of mscorlib by reflection name, arguments in `<>` not supported.
fn class(ctx: &TypeContext, name: &str) -> TypeId {
    ctx.find_type_by_full_name(ctx.corlib(), name)
        .unwrap()
        .unwrap()
}

fn instance(ctx: &TypeContext, name: &str, args: &[TypeId]) -> TypeId {
    ctx.instance(class(ctx, name), args)
}

fn method(ctx: &TypeContext, t: TypeId, name: &str) -> MethodId {
    ctx.find_method(t, name)
        .unwrap()
        .unwrap_or_else(|| panic!("{name}"))
}

fn load(ctx: &TypeContext, name: &str) -> ModuleId {
    let name = format!("{name}, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089");
    ctx.load_by_name(None, &AssemblyName::parse(&name)).unwrap()
}

#[test]
fn coupled_classes_have_the_offsets_the_libraries_expect() {
    let Some(ctx) = context() else { return };
    for (name, field, offset) in [
        ("System.String", "_stringLength", 16),
        ("System.String", "_firstChar", 20),
        ("System.Array+RawData", "Bounds", 16),
        ("System.Array+RawData", "Count", 24),
        ("System.Array+RawData", "Data", 32),
        ("System.Delegate", "method_ptr", 16),
        ("System.Delegate", "m_target", 32),
        ("System.Delegate", "method_is_virtual", 112),
        ("System.MulticastDelegate", "delegates", 120),
        ("System.Exception", "_remoteStackIndex", 80),
        ("System.Exception", "_dynamicMethods", 88),
        ("System.Exception", "_HResult", 96),
        ("System.Exception", "caught_in_unmanaged", 136),
        ("System.RuntimeType", "type_info", 24),
        ("System.Reflection.RuntimeFieldInfo", "fhandle", 24),
        ("System.Reflection.RuntimeFieldInfo", "attrs", 48),
        ("System.Reflection.RuntimePropertyInfo", "cached", 80),
        ("System.Threading.InternalThread", "last", 296),
        (
            "System.Threading.InternalThread",
            "thread_interrupt_requested",
            177,
        ),
        ("System.Threading.WaitHandle", "hasThreadAffinity", 40),
        ("System.Globalization.CultureInfo", "m_isInherited", 200),
        ("System.Globalization.CultureInfo+Data", "list_sep", 17),
        ("Mono.MonoAssemblyName", "public_key_token", 32),
        ("Mono.MonoAssemblyName", "hash_alg", 52),
        ("System.Reflection.LocalVariableInfo", "position", 26),
    ] {
        let t = class(ctx, name);
        let f = ctx.find_field(t, field).unwrap().unwrap();
        assert_eq!(ctx.field_offset(f).unwrap(), offset, "{name}::{field}");
    }
    for (name, size) in [
        ("System.Delegate", 120),
        ("System.MulticastDelegate", 128),
        ("System.Exception", 144),
        ("System.Threading.InternalThread", 304),
        ("System.Object", 16),
        ("System.Reflection.MonoEventInfo", 64),
        ("System.TypedReference", 24),
        ("Mono.MonoAssemblyName", 80),
        ("System.Diagnostics.StackFrame", 72),
    ] {
        assert_eq!(ctx.layout(class(ctx, name)).unwrap().size, size, "{name}");
    }
}

#[test]
fn nullable_and_spans_lie_as_expected() {
    let Some(ctx) = context() else { return };
    let int = ctx.known(Known::Int32);
    let string = ctx.known(Known::String);
    let nullable = ctx
        .layout(instance(ctx, "System.Nullable`1", &[int]))
        .unwrap();
    assert_eq!((nullable.size, nullable.align), (8, 4));
    let span = ctx
        .layout(instance(ctx, "System.Span`1", &[string]))
        .unwrap();
    assert_eq!(
        (span.size, &*span.byrefs, &*span.refs),
        (16, &[0][..], &[][..])
    );
    let pair = instance(
        ctx,
        "System.Collections.Generic.KeyValuePair`2",
        &[int, string],
    );
    assert_eq!(&*ctx.layout(pair).unwrap().refs, &[8]);
    let decimal = ctx.known(Known::Decimal);
    assert_eq!(
        ctx.value_class(decimal).unwrap(),
        ValueClass::Struct { size: 16, align: 8 }
    );
}

#[test]
fn primitives_and_enums_are_scalars() {
    let Some(ctx) = context() else { return };
    let scalar = |name| ctx.value_class(class(ctx, name)).unwrap();
    assert_eq!(scalar("System.Int32"), ValueClass::Scalar(MemType::I32));
    assert_eq!(scalar("System.IntPtr"), ValueClass::Scalar(MemType::I64));
    assert_eq!(scalar("System.DayOfWeek"), ValueClass::Scalar(MemType::I32));
    assert_eq!(scalar("System.String"), ValueClass::Scalar(MemType::Ref));
    assert_eq!(scalar("System.Void"), ValueClass::Void);
    for p in [Prim::Bool, Prim::U1, Prim::I8, Prim::U, Prim::R8] {
        assert_eq!(ctx.prim(ctx.known(p.known())), Some(p));
    }
}

/// Everything of a type can be computed.
fn check_type(ctx: &TypeContext, t: TypeId) -> Result<()> {
    let open = ctx.open_form(t);
    let form = if ctx.is_generic_definition(t) {
        let object = ctx.known(Known::Object);
        ctx.instance(t, &vec![object; ctx.generic_count(t) as usize])
    } else {
        t
    };
    ctx.vtable(open)?;
    for entry in &ctx.interface_map(open)?.entries {
        let complete = entry.slots.iter().all(Option::is_some);
        if !complete && !ctx.is_abstract(t) {
            return Err(ctx.type_load(t, &format!("lacks {}", ctx.full_name(entry.interface))));
        }
    }
    ctx.layout(form)?;
    ctx.statics(form)?;
    for m in ctx.methods(open)? {
        ctx.method_signature(m)?;
    }
    Ok(())
}

#[test]
fn all_types_of_the_framework_load() {
    let Some(ctx) = context() else { return };
    let start = std::time::Instant::now();
    let mut failures = Vec::new();
    for name in ["mscorlib", "System", "System.Core", "System.Xml"] {
        let module = load(ctx, name);
        for row in ctx.module(module).rows::<TypeDefRow>() {
            let t = ctx.type_def(module, row);
            if let Err(e) = check_type(ctx, t) {
                failures.push(format!("{}: {e}", ctx.full_name(t)));
            }
        }
    }
    eprintln!("{} ms", start.elapsed().as_millis());
    assert!(failures.is_empty(), "{}: {failures:#?}", failures.len());
}

#[test]
fn lists_dispatch() {
    let Some(ctx) = context() else { return };
    let (int, string) = (ctx.known(Known::Int32), ctx.known(Known::String));
    let list = instance(ctx, "System.Collections.Generic.List`1", &[int]);
    let ilist = ctx.instance(ctx.known(Known::IListOf), &[int]);
    let get = method(ctx, ilist, "get_Item");
    let target = ctx.resolve_interface(list, get).unwrap();
    assert_eq!(
        ctx.method_full_name(target),
        "System.Collections.Generic.List`1<System.Int32>::get_Item(System.Int32)"
    );
    let to_string = method(ctx, ctx.known(Known::Object), "ToString");
    let of_string = ctx.resolve_virtual(string, to_string).unwrap();
    assert_eq!(ctx.method_owner(of_string), string);
    // Explicit implementation.
    let enumerable = class(ctx, "System.Collections.IEnumerable");
    let target = ctx
        .resolve_interface(list, method(ctx, enumerable, "GetEnumerator"))
        .unwrap();
    assert_eq!(
        ctx.method_name(target),
        "System.Collections.IEnumerable.GetEnumerator"
    );
    // Vectors, with the interface's argument.
    let object = ctx.known(Known::Object);
    let objects = ctx.instance(ctx.known(Known::IListOf), &[object]);
    let strings = ctx.sz_array(string);
    let target = ctx
        .resolve_interface(strings, method(ctx, objects, "get_Item"))
        .unwrap();
    assert_eq!(ctx.method_name(target), "InternalArray__get_Item");
    assert_eq!(ctx.method_args(target), &[object]);
    // Variance.
    let of_objects = ctx.instance(ctx.known(Known::IEnumerableOf), &[object]);
    let of_strings = instance(ctx, "System.Collections.Generic.List`1", &[string]);
    let target = ctx
        .resolve_interface(of_strings, method(ctx, of_objects, "GetEnumerator"))
        .unwrap();
    assert_eq!(ctx.method_owner(target), of_strings);
}

#[test]
fn casts() {
    let Some(ctx) = context() else { return };
    let (int, string, object) = (
        ctx.known(Known::Int32),
        ctx.known(Known::String),
        ctx.known(Known::Object),
    );
    let vector = |t| ctx.sz_array(t);
    let enumerable = |t| ctx.instance(ctx.known(Known::IEnumerableOf), &[t]);
    let uint = ctx.known(Known::UInt32);
    let day = class(ctx, "System.DayOfWeek");
    for (from, to, yes) in [
        (string, object, true),
        (object, string, false),
        (int, object, true),
        (vector(string), vector(object), true),
        (vector(int), vector(object), false),
        (vector(int), vector(uint), true),
        (vector(day), vector(int), true),
        (
            vector(ctx.known(Known::Boolean)),
            vector(ctx.known(Known::Byte)),
            false,
        ),
        (
            vector(ctx.known(Known::Char)),
            vector(ctx.known(Known::UInt16)),
            false,
        ),
        (
            vector(ctx.known(Known::Int64)),
            vector(ctx.known(Known::IntPtr)),
            true,
        ),
        (vector(day), enumerable(int), true),
        (vector(string), enumerable(object), true),
        (enumerable(string), enumerable(object), true),
        (enumerable(int), enumerable(object), false),
        (string, class(ctx, "System.IComparable"), true),
        (string, ctx.known(Known::IDisposable), false),
        (int, ctx.instance(ctx.known(Known::Nullable), &[int]), true),
        (vector(int), ctx.known(Known::Array), true),
    ] {
        let names = (ctx.full_name(from), ctx.full_name(to));
        assert_eq!(ctx.is_assignable(from, to), yes, "{names:?}");
    }
}

#[test]
fn sharing_keeps_value_types_exact() {
    let Some(ctx) = context() else { return };
    let (int, string) = (ctx.known(Known::Int32), ctx.known(Known::String));
    let name = "System.Collections.Generic.Dictionary`2";
    let dictionary = instance(ctx, name, &[string, int]);
    let canonical = ctx.canonical_type(dictionary);
    assert_eq!(
        ctx.full_name(canonical),
        format!("{name}[__Canon,System.Int32]")
    );
    assert_eq!(
        canonical,
        ctx.canonical_type(instance(ctx, name, &[vec_of(ctx, int), int]))
    );
    let add = method(ctx, dictionary, "Add");
    assert_eq!(ctx.needs_context(add), ContextSource::FromThis);
    assert!(ctx.is_shared(ctx.canonical_method(add)));
    let exact = method(ctx, instance(ctx, name, &[int, int]), "Add");
    assert_eq!(ctx.needs_context(exact), ContextSource::None);
    let entry = class(ctx, "System.Collections.Generic.Dictionary`2+Enumerator");
    let next = method(ctx, ctx.instance(entry, &[string, int]), "MoveNext");
    assert_eq!(ctx.needs_context(next), ContextSource::OwnerTable);
    check_layouts_agree(ctx, dictionary);
}

fn vec_of(ctx: &TypeContext, t: TypeId) -> TypeId {
    ctx.sz_array(t)
}

fn check_layouts_agree(ctx: &TypeContext, t: TypeId) {
    let (exact, shared) = (
        ctx.layout(t).unwrap(),
        ctx.layout(ctx.canonical_type(t)).unwrap(),
    );
    assert_eq!(exact, shared);
    let statics = (
        ctx.statics(t).unwrap(),
        ctx.statics(ctx.canonical_type(t)).unwrap(),
    );
    assert_eq!(statics.0, statics.1);
}

#[test]
fn identities_survive_encoding() {
    let Some(ctx) = context() else { return };
    let (int, string) = (ctx.known(Known::Int32), ctx.known(Known::String));
    let list = instance(
        ctx,
        "System.Collections.Generic.List`1",
        &[vec_of(ctx, string)],
    );
    let types = [int, list, ctx.by_ref(list), ctx.pointer(int), ctx.canon()];
    for t in types {
        let mut bytes = Vec::new();
        ctx.encode_type(t, &mut bytes);
        assert_eq!(ctx.decode_type(ctx.corlib(), &bytes), Ok(t));
        assert!(
            ctx.decode_type(ctx.corlib(), &bytes[..bytes.len() - 1])
                .is_err()
        );
    }
    for m in ctx.methods(list).unwrap() {
        let mut bytes = Vec::new();
        ctx.encode_method(m, &mut bytes);
        assert_eq!(ctx.decode_method(ctx.corlib(), &bytes), Ok(m));
    }
}

#[test]
fn thread_statics_and_image_data_are_found() {
    let Some(ctx) = context() else { return };
    let thread = ctx.known(Known::Thread);
    let current = ctx.find_field(thread, "current_thread").unwrap().unwrap();
    assert!(matches!(
        ctx.static_storage(current).unwrap(),
        StaticStorage::Thread(_)
    ));
    let empty = ctx
        .find_field(ctx.known(Known::String), "Empty")
        .unwrap()
        .unwrap();
    assert_eq!(ctx.static_storage(empty).unwrap(), StaticStorage::Normal(0));
    let data = class(ctx, "<PrivateImplementationDetails>");
    let fields = ctx.fields(data).unwrap();
    let in_image = |f: &&FieldId| matches!(ctx.static_storage(**f), Ok(StaticStorage::Rva(_)));
    assert!(fields.iter().filter(in_image).count() > 100);
}

#[test]
fn finalizers_and_initializers() {
    let Some(ctx) = context() else { return };
    assert!(ctx.has_finalizer(class(ctx, "System.IO.FileStream")));
    assert!(!ctx.has_finalizer(ctx.known(Known::String)));
    assert!(!ctx.has_cctor(ctx.known(Known::String)));
    assert!(ctx.has_cctor(class(ctx, "System.Console")));
}

#[test]
fn properties_and_events_have_their_accessors() {
    let Some(ctx) = context() else { return };
    let int = ctx.known(Known::Int32);
    let list = instance(ctx, "System.Collections.Generic.List`1", &[int]);
    let properties = ctx.properties(list).unwrap();
    let item = properties.iter().find(|p| p.name == "Item").unwrap();
    assert_eq!((item.ty, &*item.params), (int, &[int][..]));
    assert_eq!(ctx.method_name(item.setter.unwrap()), "set_Item");
    let events = ctx.events(ctx.known(Known::AppDomain)).unwrap();
    let exit = events.iter().find(|e| e.name == "ProcessExit").unwrap();
    assert!(exit.add.is_some() && exit.remove.is_some() && ctx.is_delegate(exit.ty));
}

#[test]
fn friends_override_internal_methods() {
    let Some(ctx) = context() else { return };
    let system = load(ctx, "System");
    let Some(provider) = ctx
        .find_type(system, "Mono.Btls", "MonoBtlsProvider")
        .unwrap()
    else {
        return;
    };
    let slots = &ctx.vtable(provider).unwrap().slots;
    assert!(slots.iter().all(|&m| !ctx.method_is_abstract(m)));
}

/// Computes everything about a module, whatever is wrong with it.
fn exercise(ctx: &TypeContext, module: ModuleId) {
    use crate::metadata::{MemberRefRow, MethodSpecRow, TypeSpecRow};
    let md = ctx.module(module);
    for row in md.rows::<TypeDefRow>() {
        let t = ctx.type_def(module, row);
        let _ = check_type(ctx, t);
        let _ = (ctx.properties(t), ctx.events(t), ctx.generic_params(t));
        let _ = (
            ctx.full_name(t),
            ctx.canonical_type(t),
            ctx.has_finalizer(t),
        );
        let _ = ctx.is_assignable(t, ctx.known(Known::IDisposable));
        for m in ctx.methods(t).unwrap_or_default() {
            let _ = (
                ctx.method_full_name(m),
                ctx.imt_slot(m),
                ctx.needs_context(m),
            );
        }
    }
    let tokens = md.rows::<MemberRefRow>().map(MemberRefRow::token);
    let tokens = tokens.chain(md.rows::<MethodSpecRow>().map(MethodSpecRow::token));
    for token in tokens.chain(md.rows::<TypeSpecRow>().map(TypeSpecRow::token)) {
        let _ = ctx.resolve_member_token(module, token, GenericContext::EMPTY);
    }
}

#[test]
fn damaged_assemblies_give_errors() {
    let Some(ctx) = context() else { return };
    let Ok(original) = std::fs::read("/usr/lib/mono/4.5/System.Json.dll") else {
        return;
    };
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as usize
    };
    for n in 0..40 {
        let mut bytes = original.clone();
        for _ in 0..1 + random() % 40 {
            // Metadata stands in the last two thirds of the file.
            let at = bytes.len() / 3 + random() % (bytes.len() * 2 / 3);
            bytes[at] = random() as u8;
        }
        let file = LoadedFile {
            bytes: Box::leak(bytes.into_boxed_slice()),
            path: format!("damaged{n}").into(),
        };
        if let Ok(module) = ctx.load_bytes(file) {
            exercise(ctx, module);
        }
    }
}

#[test]
fn types_are_described() {
    let Some(ctx) = context() else { return };
    let int = ctx.known(Known::Int32);
    let list = instance(ctx, "System.Collections.Generic.List`1", &[int]);
    let text = ctx.describe_type(list);
    assert!(text.contains("System.Int32[] _items") && text.contains("-> System.Collections"));
    assert!(!text.contains("error"), "{text}");
}

#[test]
fn constraints_and_constrained_calls() {
    let Some(ctx) = context() else { return };
    let (int, string) = (ctx.known(Known::Int32), ctx.known(Known::String));
    let nullable = ctx.known(Known::Nullable);
    assert!(ctx.check_type_arguments(nullable, ctx.list(&[int])).is_ok());
    for bad in [string, ctx.instance(nullable, &[int]), ctx.pointer(int)] {
        assert!(
            ctx.check_type_arguments(nullable, ctx.list(&[bad]))
                .is_err()
        );
    }
    let object = ctx.known(Known::Object);
    let hash = method(ctx, object, "GetHashCode");
    let call = |t, m| ctx.constrained_call(t, m).unwrap();
    assert!(matches!(call(int, hash), ConstrainedCall::Direct(_)));
    assert!(matches!(
        call(class(ctx, "System.DayOfWeek"), hash),
        ConstrainedCall::Box(_)
    ));
    assert_eq!(call(string, hash), ConstrainedCall::Dereference);
    let get_type = method(ctx, object, "GetType");
    assert_eq!(call(int, get_type), ConstrainedCall::Box(get_type));
}
