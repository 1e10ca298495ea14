//! `ICustomMarshaler`: found by the description of a parameter, kept for all calls.

use crate::icall::{Result, Thrown, managed};
use crate::object::{Handle, MethodDesc, Obj, string};
use crate::runtime::invoke::{self, Arg};
use crate::runtime::{self, Runtime};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use shared_codegen::metadata::marshal::{MarshalSpec, parse};
use shared_codegen::types::{Error, Known, MethodId, TypeId, TypeName};

/// Marshalers by class and cookie.
static MARSHALERS: Mutex<Option<FxHashMap<(TypeId, &'static str), Handle>>> = Mutex::new(None);

/// The class and the cookie that a parameter's descriptor names.
fn described(rt: &Runtime, method: MethodId, number: u32) -> Result<(TypeId, &'static str)> {
    let types = &rt.types;
    let module = types.method_module(method);
    let md = types.module(module);
    for row in md.params_of(types.method_row(method)) {
        let found = md.param(row).ok();
        if found.is_none_or(|p| u32::from(p.sequence) != number) {
            continue;
        }
        let Some(blob) = md.field_marshal_of(row.into()) else {
            continue;
        };
        if let MarshalSpec::Custom { marshaler, cookie } = parse(blob).map_err(Error::from)? {
            let name = TypeName::parse(marshaler)?;
            let found = types.resolve_type_name(module, &name, false)?;
            let missing = || {
                let text = format!("Could not load type '{marshaler}'.");
                Thrown::system("TypeLoadException", text)
            };
            return Ok((found.ok_or_else(missing)?, cookie));
        }
    }
    Err(Thrown::null_reference())
}

/// `static ICustomMarshaler GetInstance(string cookie)`.
fn instance(rt: &'static Runtime, class: TypeId, cookie: &'static str) -> Result<Obj> {
    let name = rt.types.full_name(class);
    let application = |text: String| Thrown::system("ApplicationException", text);
    let get = rt
        .method_named(class, "GetInstance", &[rt.types.known(Known::String)])
        .map_err(|_| {
            application(format!(
                "Custom marshaler '{name}' does not implement a static GetInstance method that takes a single string parameter and returns an ICustomMarshaler."
            ))
        })?;
    rt.class_init.ensure(rt.method_table(class)?)?;
    let cookie = string::from_rust(cookie)?;
    let made = invoke::call(get, &[Arg::Ref(cookie)])?.object();
    let null = || {
        application(format!(
            "A call to GetInstance() for custom marshaler '{name}' returned null, which is not allowed."
        ))
    };
    made.non_null().ok_or_else(null)
}

/// Helper `custom_marshaler`.
pub extern "C" fn custom_marshaler(method: usize, number: u32) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let desc = MethodDesc::from_handle(method).ok_or_else(Thrown::null_reference)?;
        let key = described(rt, desc.method, number)?;
        if let Some(known) = MARSHALERS.lock().get_or_insert_default().get(&key) {
            return Ok(known.target());
        }
        let made = instance(rt, key.0, key.1)?;
        let mut kept = MARSHALERS.lock();
        let entry = kept.get_or_insert_default().entry(key);
        Ok(entry.or_insert_with(|| Handle::strong(made)).target())
    })
}

/// Calls a method of the interface.
fn call(marshaler: Obj, name: &str, argument: Arg) -> Result<invoke::Returned> {
    let rt = runtime::get();
    let types = &rt.types;
    let namespace = "System.Runtime.InteropServices";
    let interface = types.find_type_def(types.corlib(), namespace, "ICustomMarshaler");
    let interface = interface.ok_or_else(Thrown::null_reference)?;
    let method = types.find_method(interface, name)?;
    let method = rt.methods.desc(method.ok_or_else(Thrown::null_reference)?);
    let code = rt.methods.interface_target(rt, marshaler, method)?;
    invoke::call_code(code, &[Arg::Ref(marshaler), argument])
}

/// Helper `custom_to_native`.
pub extern "C" fn custom_to_native(marshaler: Obj, o: Obj) -> usize {
    managed(|| match o.is_null() {
        true => Ok(0),
        false => Ok(call(marshaler, "MarshalManagedToNative", Arg::Ref(o))?.word as usize),
    })
}

/// Helper `custom_from_native`.
pub extern "C" fn custom_from_native(marshaler: Obj, p: usize) -> Obj {
    managed(|| match p {
        0 => Ok(Obj::NULL),
        p => Ok(call(marshaler, "MarshalNativeToManaged", Arg::Word(p as u64))?.object()),
    })
}

/// Helper `custom_clean`.
pub extern "C" fn custom_clean(marshaler: Obj, p: usize) {
    managed(|| {
        if p != 0 {
            call(marshaler, "CleanUpNativeData", Arg::Word(p as u64))?;
        }
        Ok(())
    });
}
