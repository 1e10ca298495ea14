//! Assemblies and modules: identity, resources, who calls.

use super::runtime_type::table;
use super::stack_trace::calling_module;
use super::{Result, Thrown, icalls, managed};
use crate::interop::native_string;
use crate::object::{Obj, array, new_object, string};
use crate::runtime::{self, Runtime};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use shared_codegen::metadata::{AssemblyRow, ManifestResourceRow, ModuleRow};
use shared_codegen::types::{Error, Known, ModuleId};

icalls! {
    "System.Reflection.Assembly" {
        "GetExecutingAssembly" => executing_assembly() -> Obj;
        "GetCallingAssembly" => calling_assembly() -> Obj;
        "GetEntryAssembly" => entry_assembly() -> Obj;
        "GetTypes" => assembly_types(Obj, bool) -> Obj;
    }
    "System.Reflection.AssemblyName" {
        "GetNativeName" => native_name(usize) -> *mut NativeName;
    }
    "System.Reflection.RuntimeAssembly" {
        "GetAotIdInternal" => aot_id(Obj) -> bool;
        "GetManifestModuleInternal" => manifest_module(Obj) -> Obj;
        "GetManifestResourceInternal" => resource(Obj, Obj, *mut i32, *mut Obj) -> *const u8;
        "GetManifestResourceInfoInternal" => resource_info(Obj, Obj, Obj) -> bool;
        "GetManifestResourceNames" => resource_names(Obj) -> Obj;
        "GetModulesInternal" => modules(Obj) -> Obj;
        "InternalImageRuntimeVersion" => runtime_version(Obj) -> Obj;
        "get_EntryPoint" => entry_point(Obj) -> Obj;
        "get_ReflectionOnly" => no(Obj) -> bool;
        "get_code_base" => code_base(Obj, bool) -> Obj;
        "get_fullname" => full_name(Obj) -> Obj;
        "get_global_assembly_cache" => in_gac(Obj) -> bool;
        "get_location" => location(Obj) -> Obj;
    }
    "System.Reflection.RuntimeModule" {
        "GetGuidInternal" => guid(usize, Obj);
        "GetMDStreamVersion" => stream_version(usize) -> i32;
        "InternalGetTypes" => module_types(usize) -> Obj;
    }
    "System.RuntimeTypeHandle" {
        "GetAssembly" => assembly_of_type(Obj) -> Obj;
        "GetModule" => module_of_type(Obj) -> Obj;
    }
    "System.AppDomain" {
        "GetAssemblies" => assemblies(Obj, bool) -> Obj;
    }
}

/// What `RuntimeAssembly._mono_assembly` and `RuntimeModule._impl` hold: the module's number plus one.
fn handle_of(module: ModuleId) -> usize {
    module.0 as usize + 1
}

/// The module behind such a value.
pub(super) fn module_of_handle(handle: usize) -> Result<ModuleId> {
    let number = handle.checked_sub(1).ok_or_else(Thrown::null_reference)?;
    Ok(ModuleId(number as u32))
}

/// The module of an assembly object.
pub(super) fn module_of(assembly: Obj) -> Result<ModuleId> {
    if assembly.is_null() {
        return Err(Thrown::null_reference());
    }
    module_of_handle(runtime::get().get_field(assembly, "_mono_assembly"))
}

/// Second part of the cache keys of assembly and module objects; no address.
const ASSEMBLY_KEY: usize = 1;
const MODULE_KEY: usize = 2;

/// The `RuntimeAssembly` of a module.
pub fn assembly_object(rt: &'static Runtime, module: ModuleId) -> Result<Obj> {
    let key = (handle_of(module), ASSEMBLY_KEY);
    rt.reflect.get_or_make(key, || {
        let object = new_object(rt.known(Known::RuntimeAssembly))?;
        rt.set_field(object, "_mono_assembly", handle_of(module));
        Ok(object)
    })
}

/// The `RuntimeModule` of a module.
pub fn module_object(rt: &'static Runtime, module: ModuleId) -> Result<Obj> {
    let key = (handle_of(module), MODULE_KEY);
    rt.reflect.get_or_make(key, || {
        let object = new_object(rt.known(Known::RuntimeModule))?;
        let path = &rt.types.assembly(module).path;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let row = rt.types.module(module).module_def(ModuleRow(1));
        let scope = row.map_or(&*file, |m| m.name);
        rt.set_field(object, "_impl", handle_of(module));
        rt.set_field(object, "assembly", assembly_object(rt, module)?);
        let whole = string::from_rust(&path.to_string_lossy())?;
        rt.set_field(object, "fqname", whole);
        rt.set_field(object, "name", string::from_rust(&file)?);
        rt.set_field(object, "scopename", string::from_rust(scope)?);
        rt.set_field(object, "token", 1i32);
        Ok(object)
    })
}

fn object_or_null(rt: &'static Runtime, module: Option<ModuleId>) -> Result<Obj> {
    module.map_or(Ok(Obj::NULL), |m| assembly_object(rt, m))
}

extern "C" fn executing_assembly() -> Obj {
    managed(|| {
        let rt = runtime::get();
        object_or_null(rt, calling_module(rt, 0))
    })
}

extern "C" fn calling_assembly() -> Obj {
    managed(|| {
        let rt = runtime::get();
        let found = calling_module(rt, 1).or_else(|| calling_module(rt, 0));
        object_or_null(rt, found)
    })
}

extern "C" fn entry_assembly() -> Obj {
    managed(|| {
        let rt = runtime::get();
        object_or_null(rt, rt.objects.get().map(|o| o.entry))
    })
}

extern "C" fn assembly_of_type(ty: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        assembly_object(rt, rt.types.type_module(table(ty)?.type_id()))
    })
}

extern "C" fn module_of_type(ty: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        module_object(rt, rt.types.type_module(table(ty)?.type_id()))
    })
}

fn object_list(class: Known, items: Vec<Obj>) -> Result<Obj> {
    let rt = runtime::get();
    let class = rt.types.sz_array(rt.types.known(class));
    let list = array::allocate(rt.method_table(class)?, items.len())?;
    for (i, item) in items.iter().enumerate() {
        array::set(list, i, *item);
    }
    Ok(list)
}

extern "C" fn assemblies(_domain: Obj, reflection_only: bool) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let all = rt.types.modules().filter(|_| !reflection_only);
        // The objects stay alive: the cache holds them.
        let all: Result<Vec<Obj>> = all.map(|m| assembly_object(rt, m)).collect();
        object_list(Known::Assembly, all?)
    })
}

fn types_of(module: ModuleId, exported: bool) -> Result<Obj> {
    /// Visibility bits of `TypeAttributes`, public and nested public.
    const VISIBILITY: u32 = 7;
    const PUBLIC: [u32; 2] = [1, 2];
    let rt = runtime::get();
    let rows = rt.types.module(module).rows();
    let mut all = Vec::new();
    for row in rows.skip(1) {
        let ty = rt.types.type_def(module, row);
        if !exported || PUBLIC.contains(&(rt.types.type_flags(ty) & VISIBILITY)) {
            all.push(rt.type_object(rt.method_table(ty)?)?);
        }
    }
    object_list(Known::Type, all)
}

extern "C" fn assembly_types(assembly: Obj, exported: bool) -> Obj {
    managed(|| types_of(module_of(assembly)?, exported))
}

extern "C" fn module_types(module: usize) -> Obj {
    managed(|| types_of(module_of_handle(module)?, false))
}

extern "C" fn manifest_module(assembly: Obj) -> Obj {
    managed(|| module_object(runtime::get(), module_of(assembly)?))
}

extern "C" fn modules(assembly: Obj) -> Obj {
    managed(|| {
        let module = module_object(runtime::get(), module_of(assembly)?)?;
        object_list(Known::Module, vec![module])
    })
}

extern "C" fn aot_id(_id: Obj) -> bool {
    false
}

extern "C" fn no(_assembly: Obj) -> bool {
    false
}

extern "C" fn guid(module: usize, bytes: Obj) {
    managed(|| {
        let id = runtime::get()
            .types
            .module(module_of_handle(module)?)
            .mvid();
        array::as_mut_slice::<u8>(bytes).copy_from_slice(&id);
        Ok(())
    });
}

/// Version of the metadata streams, 2.0.
const STREAM_VERSION: i32 = 0x20000;

extern "C" fn stream_version(_module: usize) -> i32 {
    STREAM_VERSION
}

extern "C" fn runtime_version(assembly: Obj) -> Obj {
    managed(|| {
        let module = module_of(assembly)?;
        string::from_rust(runtime::get().types.module(module).version())
    })
}

extern "C" fn location(assembly: Obj) -> Obj {
    managed(|| {
        let info = runtime::get().types.assembly(module_of(assembly)?);
        string::from_rust(&info.path.to_string_lossy())
    })
}

extern "C" fn code_base(assembly: Obj, _escaped: bool) -> Obj {
    managed(|| {
        let info = runtime::get().types.assembly(module_of(assembly)?);
        string::from_rust(&format!("file://{}", info.path.to_string_lossy()))
    })
}

extern "C" fn full_name(assembly: Obj) -> Obj {
    managed(|| {
        let info = runtime::get().types.assembly(module_of(assembly)?);
        string::from_rust(&info.name.to_string())
    })
}

extern "C" fn in_gac(assembly: Obj) -> bool {
    managed(|| {
        let info = runtime::get().types.assembly(module_of(assembly)?);
        Ok(info.path.components().any(|c| c.as_os_str() == "gac"))
    })
}

extern "C" fn entry_point(assembly: Obj) -> Obj {
    managed(|| {
        use shared_codegen::metadata::Token;
        use shared_codegen::types::GenericContext;
        let rt = runtime::get();
        let module = module_of(assembly)?;
        let token = Token(rt.types.module(module).pe().entry_point);
        if token == Token(0) {
            return Ok(Obj::NULL);
        }
        let method = rt
            .types
            .resolve_method(module, token, GenericContext::EMPTY)?;
        let owner = rt.method_table(rt.types.method_owner(method))?;
        rt.method_object(rt.methods.desc(method), owner)
    })
}

/// Names of resources with their rows.
fn resources(rt: &Runtime, module: ModuleId) -> Vec<(&'static str, ManifestResourceRow)> {
    let md = rt.types.module(module);
    let named = |row| Some((md.manifest_resource(row).ok()?.name, row));
    md.rows::<ManifestResourceRow>().filter_map(named).collect()
}

fn find_resource(
    rt: &Runtime,
    module: ModuleId,
    name: Obj,
) -> Option<(&'static str, ManifestResourceRow)> {
    let wanted = string::to_rust(name.non_null()?);
    let all = resources(rt, module);
    all.into_iter().find(|(n, _)| *n == wanted)
}

extern "C" fn resource(assembly: Obj, name: Obj, size: *mut i32, module: *mut Obj) -> *const u8 {
    managed(|| {
        let rt = runtime::get();
        let owner = module_of(assembly)?;
        let Some((_, row)) = find_resource(rt, owner, name) else {
            return Ok(core::ptr::null());
        };
        let bytes = rt.types.module(owner).resource_bytes(row);
        let bytes = bytes.map_err(Error::from)?;
        // SAFETY: managed code passes addresses of variables; the bytes stay mapped for ever.
        unsafe {
            size.write(bytes.len() as i32);
            module.write(module_object(rt, owner)?);
        }
        Ok(bytes.as_ptr())
    })
}

/// `ResourceLocation.Embedded | ContainedInManifestFile`
const EMBEDDED: i32 = 5;

extern "C" fn resource_info(assembly: Obj, name: Obj, info: Obj) -> bool {
    managed(|| {
        let rt = runtime::get();
        let found = find_resource(rt, module_of(assembly)?, name).is_some();
        if found {
            rt.set_field(info, "<ResourceLocation>k__BackingField", EMBEDDED);
        }
        Ok(found)
    })
}

extern "C" fn resource_names(assembly: Obj) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let names = resources(rt, module_of(assembly)?);
        let names: Vec<String> = names.iter().map(|(n, _)| (*n).to_owned()).collect();
        runtime::boot::string_array(rt, &names)
    })
}

/// `Mono.MonoAssemblyName`
#[repr(C)]
#[derive(Debug)]
pub struct NativeName {
    name: *mut u8,
    culture: *mut u8,
    hash_value: *mut u8,
    public_key: *const u8,
    public_key_token: [u8; 17],
    hash_alg: u32,
    hash_len: u32,
    flags: u32,
    version: [u16; 4],
    arch: u16,
}

const _: () = assert!(size_of::<NativeName>() == 80);

/// Native names by module; they live for ever.
static NAMES: Mutex<Option<FxHashMap<u32, usize>>> = Mutex::new(None);

extern "C" fn native_name(assembly: usize) -> *mut NativeName {
    managed(|| {
        let module = module_of_handle(assembly)?;
        let mut names = NAMES.lock();
        let names = names.get_or_insert_default();
        let made = names
            .entry(module.0)
            .or_insert_with(|| Box::into_raw(Box::new(make_name(module))) as usize);
        Ok(*made as *mut NativeName)
    })
}

fn make_name(module: ModuleId) -> NativeName {
    let rt = runtime::get();
    let name = &rt.types.assembly(module).name;
    let row = rt.types.module(module).assembly(AssemblyRow(1));
    let mut public_key_token = [0; 17];
    let digits = name.token.unwrap_or_default();
    for (i, byte) in digits.iter().enumerate().filter(|_| name.token.is_some()) {
        let hex = format!("{byte:02x}");
        public_key_token[2 * i..2 * i + 2].copy_from_slice(hex.as_bytes());
    }
    let (hash_alg, flags) = row.as_ref().map_or((0, 0), |r| (r.hash_alg, r.flags));
    let key = row.map_or(&[][..], |r| r.public_key);
    NativeName {
        name: native_string(&name.name),
        culture: native_string(&name.culture),
        hash_value: core::ptr::null_mut(),
        public_key: with_length(key),
        public_key_token,
        hash_alg,
        hash_len: 0,
        flags,
        version: name.version,
        arch: 0,
    }
}

/// A leaked blob with its length in front; null for an empty one.
fn with_length(bytes: &[u8]) -> *const u8 {
    if bytes.is_empty() {
        return core::ptr::null();
    }
    let n = bytes.len() as u32;
    let mut blob = match n {
        0..0x80 => vec![n as u8],
        0x80..0x4000 => (n as u16 | 0x8000).to_be_bytes().to_vec(),
        _ => (n | 0xc000_0000).to_be_bytes().to_vec(),
    };
    blob.extend_from_slice(bytes);
    blob.leak().as_ptr()
}
