//! `Assembly` and `RuntimeAssembly`.

use super::reflection::native::{PointerArray, pointer_array};
use super::reflection::{method_object, module_of_handle, object_array};
use super::runtime_type::object_of;
use super::stack_trace::callers;
use super::{Result, Thrown, assembly_name, icalls, managed, module, type_lookup};
use crate::object::{Obj, array, new_object, string};
use crate::runtime::invoke::{Arg, call};
use crate::runtime::{self, boot};
use shared_codegen::metadata::{
    AssemblyRefRow, FileRow, ManifestResource, ManifestResourceRow, TableId, Token, TypeDefRow,
};
use shared_codegen::types::binding::AssemblyName;
use shared_codegen::types::{Error, Known, ModuleId, TypeId};
use std::path::Path;

icalls! {
    "System.Reflection.Assembly" {
        "GetCallingAssembly" => calling_assembly() -> Obj;
        "GetEntryAssembly" => entry_assembly() -> Obj;
        "GetExecutingAssembly" => executing_assembly() -> Obj;
        "GetTypes" => types(Obj, bool) -> Obj;
        "InternalGetType" => get_type(Obj, Obj, Obj, bool, bool) -> Obj;
        "InternalGetReferencedAssemblies" => referenced_assemblies(Obj) -> *mut PointerArray;
        "LoadFile_internal" => load_file(Obj, *const i32) -> Obj;
        "LoadFrom" => load_from(Obj, bool, *const i32) -> Obj;
        "load_with_partial_name" => load_with_partial_name(Obj, Obj) -> Obj;
    }
    "System.AppDomain" {
        "GetAssemblies" => assemblies(Obj, bool) -> Obj;
    }
    "System.Reflection.RuntimeAssembly" {
        "GetAotIdInternal" => aot_id(Obj) -> bool;
        "GetFilesInternal" => files(Obj, Obj, bool) -> Obj;
        "GetManifestModuleInternal" => manifest_module(Obj) -> Obj;
        "GetManifestResourceInfoInternal" => resource_info(Obj, Obj, Obj) -> bool;
        "GetManifestResourceInternal" => resource(Obj, Obj, *mut i32, *mut Obj) -> *const u8;
        "GetManifestResourceNames" => resource_names(Obj) -> Obj;
        "GetModulesInternal" => modules(Obj) -> Obj;
        "InternalImageRuntimeVersion" => runtime_version(Obj) -> Obj;
        "get_EntryPoint" => entry_point(Obj) -> Obj;
        "get_ReflectionOnly" => reflection_only(Obj) -> bool;
        "get_code_base" => code_base(Obj, bool) -> Obj;
        "get_fullname" => full_name(Obj) -> Obj;
        "get_global_assembly_cache" => in_global_cache(Obj) -> bool;
        "get_location" => location(Obj) -> Obj;
    }
}

/// Keys of reflection objects: a module's assembly and its module object.
pub(super) const ASSEMBLY_KEY: usize = 1;

/// The `RuntimeAssembly` of a module.
pub(super) fn assembly_object(module: ModuleId) -> Result<Obj> {
    let rt = runtime::get();
    let handle = module.0 as usize + 1;
    rt.reflect.get_or_make((handle, ASSEMBLY_KEY), || {
        let o = new_object(rt.known(Known::RuntimeAssembly))?;
        rt.set_field(o, "_mono_assembly", handle);
        Ok(o)
    })
}

/// The module of an assembly object.
pub(super) fn module_of(assembly: Obj) -> Result<ModuleId> {
    let assembly = assembly
        .non_null()
        .ok_or_else(|| Thrown::argument_null("assembly"))?;
    module_of_handle(runtime::get().get_field(assembly, "_mono_assembly"))
}

/// Modules of the frames of this thread outside namespace `System.Reflection`, innermost first.
fn calling_modules() -> impl Iterator<Item = ModuleId> {
    let types = &runtime::get().types;
    let reflection = |m| types.type_name(types.method_owner(m)).0 == "System.Reflection";
    callers()
        .into_iter()
        .filter(move |m| !reflection(*m))
        .map(|m| types.method_module(m))
}

fn assembly_or_entry(module: Option<ModuleId>) -> Result<Obj> {
    match module {
        Some(m) => assembly_object(m),
        None => entry(),
    }
}

extern "C" fn executing_assembly() -> Obj {
    managed(|| assembly_or_entry(calling_modules().next()))
}

extern "C" fn calling_assembly() -> Obj {
    managed(|| assembly_or_entry(calling_modules().nth(1)))
}

fn entry() -> Result<Obj> {
    match runtime::get().objects.get() {
        Some(o) => assembly_object(o.entry),
        None => Ok(Obj::NULL),
    }
}

extern "C" fn entry_assembly() -> Obj {
    managed(entry)
}

/// TypeDefs of a module without `<Module>`; with `exported` only those visible outside.
pub(super) fn types_of(module: ModuleId, exported: bool) -> Vec<TypeId> {
    let types = &runtime::get().types;
    // Modules made at run time have rows for types that are not finished.
    let finished = |row: &TypeDefRow| types.growth(module).is_none_or(|g| g.has(row.token()));
    let rows = types
        .module(module)
        .rows::<TypeDefRow>()
        .skip(1)
        .filter(finished);
    let visible = |t: &TypeId| {
        let mut at = Some(*t);
        while let Some(t) = at {
            // Public or NestedPublic all the way out.
            if !matches!(types.type_flags(t) & 7, 1 | 2) {
                return false;
            }
            at = types.enclosing_type(t);
        }
        true
    };
    rows.map(|row| types.type_def(module, row))
        .filter(|t| !exported || visible(t))
        .collect()
}

extern "C" fn assemblies(_domain: Obj, reflection_only: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let hidden = rt.emit.dynamic_methods();
        let all = rt
            .types
            .modules()
            .filter(|m| !reflection_only && hidden != Some(*m));
        // The objects stay alive: the cache holds them.
        let all = all.map(assembly_object).collect::<Result<Vec<Obj>>>()?;
        object_array(rt, rt.types.known(Known::Assembly), &all)
    })
}

extern "C" fn types(this: Obj, exported: bool) -> Obj {
    managed(|| type_objects(module_of(this)?, exported))
}

/// The `Type` of a type whose base classes, interfaces and fields can be loaded.
fn loaded(ty: TypeId) -> Result<Obj> {
    let types = &runtime::get().types;
    types.parent(ty)?;
    types.interfaces(ty)?;
    object_of(ty)
}

/// The types of a module as `Type[]`; `ReflectionTypeLoadException` if some cannot be loaded.
pub(super) fn type_objects(module: ModuleId, exported: bool) -> Result<Obj> {
    let rt = runtime::get();
    let all = types_of(module, exported);
    let nulls = vec![Obj::NULL; all.len()];
    let objects = object_array(rt, rt.types.known(Known::Type), &nulls)?;
    let exception = rt.types.known(Known::Exception);
    let failures = object_array(rt, exception, &nulls)?;
    let mut failed = 0;
    for (n, ty) in all.into_iter().enumerate() {
        match loaded(ty) {
            Ok(object) => array::set(objects, n, object),
            Err(e) => {
                array::set(failures, failed, e.into_object());
                failed += 1;
            }
        }
    }
    if failed == 0 {
        return Ok(objects);
    }
    let class = "ReflectionTypeLoadException";
    let class = rt
        .types
        .require_type(rt.types.corlib(), "System.Reflection", class)?;
    let params = [objects, failures].map(|a| a.method_table().type_id());
    let ctor = rt.types.find_constructor(class, &params)?;
    let ctor = ctor.ok_or_else(|| Thrown::bare("System", "TypeLoadException"))?;
    let shown = array::allocate(failures.method_table(), failed)?;
    for n in 0..failed {
        array::set(shown, n, array::get::<Obj>(failures, n));
    }
    let thrown = new_object(rt.method_table(class)?)?;
    let args = [thrown, objects, shown].map(Arg::Ref);
    call(rt.methods.desc(ctor), &args)?;
    Err(Thrown::Object(thrown))
}

extern "C" fn get_type(this: Obj, _module: Obj, name: Obj, throw: bool, ignore_case: bool) -> Obj {
    managed(|| {
        let name = name
            .non_null()
            .ok_or_else(|| Thrown::argument_null("name"))?;
        type_lookup::in_assembly(module_of(this)?, &string::to_rust(name), throw, ignore_case)
    })
}

extern "C" fn referenced_assemblies(assembly: Obj) -> *mut PointerArray {
    managed(|| {
        let types = &runtime::get().types;
        let module = module_of(assembly)?;
        let rows = types.module(module).rows::<AssemblyRefRow>();
        let names = rows
            .map(|row| assembly_name::allocate_reference(types.module(module), row))
            .collect::<Result<Vec<_>>>()?;
        Ok(pointer_array(&names))
    })
}

fn load_path(file: Obj) -> Result<Obj> {
    let file = file
        .non_null()
        .ok_or_else(|| Thrown::argument_null("assemblyFile"))?;
    let path = string::to_rust(file);
    let not_found = || Thrown::New {
        namespace: "System.IO",
        name: "FileNotFoundException",
        message: Some(
            format!("Could not load file or assembly '{path}' or one of its dependencies.").into(),
        ),
        second: Some(path.clone().into()),
    };
    let full = std::fs::canonicalize(&path).map_err(|_| not_found())?;
    assembly_object(runtime::get().types.load_assembly(&full)?)
}

extern "C" fn load_file(file: Obj, _mark: *const i32) -> Obj {
    managed(|| {
        if !file.is_null() && !string::to_rust(file).starts_with('/') {
            let text = "Absolute path information is required.";
            return Err(Thrown::argument(text, "assemblyFile"));
        }
        load_path(file)
    })
}

extern "C" fn load_from(file: Obj, _reflection_only: bool, _mark: *const i32) -> Obj {
    managed(|| load_path(file))
}

extern "C" fn load_with_partial_name(name: Obj, _evidence: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let entry = rt.objects.get().map(|o| o.entry);
        let name = AssemblyName::parse(&string::to_rust(name));
        match rt.types.load_by_partial_name(entry, &name) {
            Ok(module) => assembly_object(module),
            Err(_) => Ok(Obj::NULL),
        }
    })
}

extern "C" fn aot_id(_id: Obj) -> bool {
    false
}

extern "C" fn manifest_module(this: Obj) -> Obj {
    managed(|| module::module_object(module_of(this)?))
}

extern "C" fn modules(this: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        object_array(
            rt,
            rt.types.known(Known::Module),
            &[module::module_object(module_of(this)?)?],
        )
    })
}

/// The path of the assembly's file for its name, or for null, an array of all.
extern "C" fn files(this: Obj, name: Obj, _resource_modules: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let info = rt.types.assembly(module_of(this)?);
        let md = rt.types.module(info.module);
        let listed = md.rows::<FileRow>().filter_map(|r| md.file(r).ok());
        let path = |name: &str| info.path.with_file_name(name).display().to_string();
        if name.is_null() {
            // The manifest's own file is added by the caller.
            let others: Vec<String> = listed.map(|f| path(f.name)).collect();
            return boot::string_array(rt, &others);
        }
        let wanted = string::to_rust(name);
        match listed.into_iter().any(|f| f.name == wanted) {
            true => string::from_rust(&path(&wanted)),
            false => Ok(Obj::NULL),
        }
    })
}

fn find_resource(module: ModuleId, name: &str) -> Option<(ManifestResourceRow, ManifestResource)> {
    let md = runtime::get().types.module(module);
    let mut rows = md
        .rows::<ManifestResourceRow>()
        .filter_map(|r| Some((r, md.manifest_resource(r).ok()?)));
    rows.find(|(_, r)| r.name == name)
}

extern "C" fn resource(this: Obj, name: Obj, size: *mut i32, module_out: *mut Obj) -> *const u8 {
    managed(|| {
        let module = module_of(this)?;
        let name = name
            .non_null()
            .ok_or_else(|| Thrown::argument_null("name"))?;
        let Some((row, data)) = find_resource(module, &string::to_rust(name)) else {
            return Ok(core::ptr::null());
        };
        if !data.implementation.is_null() {
            return Ok(core::ptr::null());
        }
        let bytes = runtime::get()
            .types
            .module(module)
            .resource_bytes(row)
            .map_err(Error::from)?;
        let object = module::module_object(module)?;
        // SAFETY: addresses of the caller's variables.
        unsafe {
            size.write(bytes.len() as i32);
            module_out.write(object);
        }
        Ok(bytes.as_ptr())
    })
}

extern "C" fn resource_names(this: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let md = rt.types.module(module_of(this)?);
        let rows = md
            .rows::<ManifestResourceRow>()
            .filter_map(|r| md.manifest_resource(r).ok());
        boot::string_array(rt, &rows.map(|r| r.name.to_owned()).collect::<Vec<_>>())
    })
}

/// `ResourceLocation`
const EMBEDDED_IN_MANIFEST: i32 = 1 | 4;
const IN_ANOTHER_ASSEMBLY: i32 = 2;

extern "C" fn resource_info(this: Obj, name: Obj, info: Obj) -> bool {
    managed(|| {
        let rt = runtime::get();
        let module = module_of(this)?;
        let Some((_, data)) = find_resource(module, &string::to_rust(name)) else {
            return Ok(false);
        };
        let mut location = EMBEDDED_IN_MANIFEST;
        if let Some(row) = data.implementation.as_row::<FileRow>() {
            let file = rt.types.module(module).file(row).map_err(Error::from)?;
            rt.set_field(
                info,
                "<FileName>k__BackingField",
                string::from_rust(file.name)?,
            );
            location = 0;
        } else if let Some(row) = data.implementation.as_row::<AssemblyRefRow>() {
            let other = rt.types.assembly_ref(module, row)?;
            rt.set_field(
                info,
                "<ReferencedAssembly>k__BackingField",
                assembly_object(other)?,
            );
            location = IN_ANOTHER_ASSEMBLY;
        }
        rt.set_field(info, "<ResourceLocation>k__BackingField", location);
        Ok(true)
    })
}

extern "C" fn runtime_version(assembly: Obj) -> Obj {
    managed(|| string::from_rust(runtime::get().types.module(module_of(assembly)?).version()))
}

extern "C" fn entry_point(this: Obj) -> Obj {
    managed(|| {
        let types = &runtime::get().types;
        let module = module_of(this)?;
        let token = Token(types.module(module).pe().entry_point);
        if token.is_null() || token.table() != TableId(6) {
            return Ok(Obj::NULL);
        }
        method_object(types.resolve_method(module, token, Default::default())?)
    })
}

extern "C" fn reflection_only(_this: Obj) -> bool {
    false
}

/// Path bytes that a `file://` address shows as they are.
fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"/-_.~!$&'()*+,;=:@".contains(&b)
}

pub(super) fn file_address(path: &Path, escaped: bool) -> String {
    use std::os::unix::ffi::OsStrExt;
    let mut out = String::from("file://");
    if !escaped {
        out.push_str(&path.display().to_string());
        return out;
    }
    for &b in path.as_os_str().as_bytes() {
        if is_plain(b) {
            out.push(b as char);
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

extern "C" fn code_base(assembly: Obj, escaped: bool) -> Obj {
    managed(|| {
        string::from_rust(&file_address(
            &runtime::get().types.assembly(module_of(assembly)?).path,
            escaped,
        ))
    })
}

extern "C" fn location(this: Obj) -> Obj {
    managed(|| {
        string::from_rust(
            &runtime::get()
                .types
                .assembly(module_of(this)?)
                .path
                .display()
                .to_string(),
        )
    })
}

extern "C" fn full_name(assembly: Obj) -> Obj {
    managed(|| {
        string::from_rust(
            &runtime::get()
                .types
                .assembly(module_of(assembly)?)
                .name
                .to_string(),
        )
    })
}

extern "C" fn in_global_cache(this: Obj) -> bool {
    managed(|| {
        let path = &runtime::get().types.assembly(module_of(this)?).path;
        Ok(path.to_string_lossy().contains("/mono/gac/"))
    })
}
