//! `System.AppDomain`: there is one domain.

use super::assembly::assembly_object;
use super::{Result, Thrown, icalls, managed, stack_trace};
use crate::arch::native::calls::CallKind;
use crate::object::{Handle, Obj, array, new_object, string};
use crate::runtime::invoke::{Arg, call};
use crate::runtime::{self, Runtime, boot};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use shared_codegen::types::binding::AssemblyName;
use shared_codegen::types::{Known, LoadedFile, ModuleId};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

icalls! {
    "System.AppDomain" {
        "getCurDomain" => get_domain() -> Obj;
        "getRootDomain" => get_domain() -> Obj;
        "getSetup" => get_setup(Obj) -> Obj;
        "getFriendlyName" => get_friendly_name(Obj) -> Obj;
        "GetData" => get_data(Obj, Obj) -> Obj;
        "SetData" => set_data(Obj, Obj, Obj);
        "LoadAssembly" => load_assembly(Obj, Obj, Obj, bool, *const i32) -> Obj;
        "LoadAssemblyRaw" => load_assembly_raw(Obj, Obj, Obj, Obj, bool) -> Obj;
        "ExecuteAssembly" => execute_assembly(Obj, Obj, Obj) -> i32;
        "InternalSetDomain" => set_domain(Obj) -> Obj;
        "InternalSetDomainByID" => set_domain_by_id(i32) -> Obj;
        "InternalPushDomainRef" => push_domain(Obj);
        "InternalPushDomainRefByID" => push_domain_by_id(i32);
        "InternalPopDomainRef" => pop_domain();
        "InternalGetProcessGuid" => process_guid(Obj) -> Obj;
    }
}

struct Setup {
    setup: Handle,
    name: String,
    /// `SetData`, and the process's GUID under [`PROCESS_GUID`].
    data: Mutex<FxHashMap<String, Handle>>,
}

/// Key that no program can use.
const PROCESS_GUID: &str = "\0guid";

static SETUP: OnceLock<Setup> = OnceLock::new();

/// Fills the domain object and its setup before `Main`.
pub fn set_up(rt: &'static Runtime, domain: Obj, program: &Path) -> Result<()> {
    rt.set_field(domain, "_mono_app_domain", 1usize);
    let setup = new_object(rt.known(Known::AppDomainSetup))?;
    let folder = program
        .parent()
        .map(|p| format!("{}/", p.display()))
        .unwrap_or_default();
    rt.set_field(setup, "application_base", string::from_rust(&folder)?);
    rt.set_field(
        setup,
        "configuration_file",
        string::from_rust(&format!("{}.config", program.display()))?,
    );
    let name = program
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let _ = SETUP.set(Setup {
        setup: Handle::strong(setup),
        name,
        data: Mutex::default(),
    });
    Ok(())
}

extern "C" fn get_domain() -> Obj {
    runtime::get()
        .objects
        .get()
        .map_or(Obj::NULL, |o| o.domain.target())
}

extern "C" fn get_setup(_this: Obj) -> Obj {
    SETUP.get().map_or(Obj::NULL, |s| s.setup.target())
}

extern "C" fn get_friendly_name(_this: Obj) -> Obj {
    managed(|| string::from_rust(SETUP.get().map_or("", |s| &s.name)))
}

/// Names that `GetData` answers from the domain's setup, with the field of `AppDomainSetup`.
const SETUP_DATA: &[(&str, &str)] = &[
    ("APPBASE", "application_base"),
    ("APP_CONFIG_FILE", "configuration_file"),
    ("APP_NAME", "application_name"),
    ("CACHE_BASE", "cache_path"),
    ("DYNAMIC_BASE", "dynamic_base"),
    ("PRIVATE_BINPATH", "private_bin_path"),
    ("BINPATH_PROBE_ONLY", "private_bin_path_probe"),
    ("SHADOW_COPY_DIRS", "shadow_copy_directories"),
];

extern "C" fn get_data(_this: Obj, name: Obj) -> Obj {
    managed(|| {
        let name = name
            .non_null()
            .ok_or_else(|| Thrown::argument_null("name"))?;
        let name = string::to_rust(name);
        let Some(setup) = SETUP.get() else {
            return Ok(Obj::NULL);
        };
        if let Some((_, field)) = SETUP_DATA.iter().find(|(n, _)| *n == name) {
            return Ok(runtime::get().get_field(setup.setup.target(), field));
        }
        Ok(setup
            .data
            .lock()
            .get(&name)
            .map_or(Obj::NULL, |h| h.target()))
    })
}

extern "C" fn set_data(_this: Obj, name: Obj, value: Obj) {
    managed(|| {
        let name = name
            .non_null()
            .ok_or_else(|| Thrown::argument_null("name"))?;
        if let Some(setup) = SETUP.get() {
            let mut data = setup.data.lock();
            data.entry(string::to_rust(name))
                .or_insert_with(|| Handle::strong(value))
                .set_target(value);
        }
        Ok(())
    })
}

extern "C" fn load_assembly(
    _this: Obj,
    name: Obj,
    _evidence: Obj,
    _reflection_only: bool,
    _mark: *const i32,
) -> Obj {
    managed(|| {
        let rt = runtime::get();
        let text = string::to_rust(name);
        let requester =
            stack_trace::calling_module(rt, 0).or_else(|| rt.objects.get().map(|o| o.entry));
        let found = rt
            .types
            .search_by_name(requester, &AssemblyName::parse(&text));
        // Handlers see the name as it was written.
        let found = match found {
            Ok(module) => Some(module),
            Err(_) => ask_for_assembly(rt, None, name)?,
        };
        found.map_or(Ok(Obj::NULL), assembly_object)
    })
}

/// Runs one of the domain's methods that ask the program for an assembly.
fn ask(rt: &Runtime, method: &str, args: &[Arg]) -> Result<Option<ModuleId>> {
    let class = rt.types.known(Known::AppDomain);
    let (Some(objects), Some(m)) = (rt.objects.get(), rt.types.find_method(class, method)?) else {
        return Ok(None);
    };
    let mut all = vec![Arg::Ref(objects.domain.target())];
    all.extend_from_slice(args);
    let found = call(rt.methods.desc(m), &all)?.object();
    found.non_null().map(super::assembly::module_of).transpose()
}

/// The assembly that handlers of `AssemblyResolve` supply.
pub fn ask_program(
    rt: &Runtime,
    requester: Option<ModuleId>,
    name: &AssemblyName,
) -> Result<Option<ModuleId>> {
    let name = string::from_rust(&name.to_string())?;
    ask_for_assembly(rt, requester, name)
}

fn ask_for_assembly(
    rt: &Runtime,
    requester: Option<ModuleId>,
    name: Obj,
) -> Result<Option<ModuleId>> {
    let requester = requester.map_or(Ok(Obj::NULL), assembly_object)?;
    let args = [Arg::Ref(name), Arg::Ref(requester), Arg::Word(0)];
    ask(rt, "DoAssemblyResolve", &args)
}

/// The assembly that handlers of `TypeResolve` supply for a type's name.
pub(super) fn ask_for_type(rt: &Runtime, name: &str) -> Result<Option<ModuleId>> {
    ask(rt, "DoTypeResolve", &[Arg::Ref(string::from_rust(name)?)])
}

/// Has handlers of `TypeResolve` finish the type of a `TypeBuilder`.
pub(super) fn ask_to_finish(rt: &Runtime, builder: Obj) -> Result<()> {
    ask(rt, "DoTypeBuilderResolve", &[Arg::Ref(builder)]).map(drop)
}

extern "C" fn load_assembly_raw(
    _this: Obj,
    bytes: Obj,
    _symbols: Obj,
    _evidence: Obj,
    _reflection_only: bool,
) -> Obj {
    managed(|| {
        let bytes = bytes
            .non_null()
            .ok_or_else(|| Thrown::argument_null("rawAssembly"))?;
        let file = LoadedFile {
            bytes: array::as_slice::<u8>(bytes).to_vec().leak(),
            path: PathBuf::new(),
        };
        let rt = runtime::get();
        let loaded = rt.types.load_bytes(file);
        assembly_object(loaded.map_err(|_| not_an_assembly(rt, array::len(bytes)))?)
    })
}

fn not_an_assembly(rt: &Runtime, len: usize) -> Thrown {
    let caller = stack_trace::calling_module(rt, 0).unwrap_or(rt.types.corlib());
    let caller = &rt.types.assembly(caller).name;
    Thrown::system(
        "BadImageFormatException",
        format!(
            "Could not load file or assembly '{len} bytes loaded from {caller}' or one of its dependencies. \
             An attempt was made to load a program with an incorrect format."
        ),
    )
}

extern "C" fn execute_assembly(_this: Obj, assembly: Obj, args: Obj) -> i32 {
    managed(|| {
        let rt = runtime::get();
        let entry = super::assembly::module_of(assembly)?;
        let args = match args.non_null() {
            Some(args) => args,
            None => boot::string_array(rt, &[])?,
        };
        boot::run_entry_point(rt, entry, args, CallKind::Propagate)
    })
}

extern "C" fn set_domain(_domain: Obj) -> Obj {
    get_domain()
}

extern "C" fn set_domain_by_id(_id: i32) -> Obj {
    get_domain()
}

extern "C" fn push_domain(_domain: Obj) {}

extern "C" fn push_domain_by_id(_id: i32) {}

extern "C" fn pop_domain() {}

/// The first GUID offered stays.
extern "C" fn process_guid(fresh: Obj) -> Obj {
    let Some(setup) = SETUP.get() else {
        return fresh;
    };
    let mut data = setup.data.lock();
    data.entry(PROCESS_GUID.to_owned())
        .or_insert_with(|| Handle::strong(fresh))
        .target()
}
