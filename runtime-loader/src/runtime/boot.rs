//! Start-up (class-library contract §4.1): from nothing to the program's `Main`.
#![allow(unsafe_code, reason = "stores the first statics")]

use super::binder::ProgramBinder;
use super::options::Options;
use super::{RUNTIME, Runtime, exception, host, invoke};
use crate::arch::native::calls::CallKind;
use crate::icall::{Result, Thrown};
use crate::image::Images;
use crate::image::files::MappedFiles;
use crate::object::{Handle, Obj, array, new_object, string};
use crate::{eh, gc, threads};
use anyhow::{Context, anyhow};
use shared_codegen::metadata::Token;
use shared_codegen::types::{Known, ModuleId, TypeContext, ValueClass, binding};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The version of the class libraries this runtime is made for.
pub const CORLIB_VERSION: &str = "ABB721D6-116A-4555-B4FD-9248146D2051";

/// Objects made at start-up.
pub struct BootObjects {
    /// Raised when there is no memory to make another.
    pub out_of_memory: Handle,
    /// Marks dead ephemeron slots.
    pub tombstone: Handle,
    /// `System.AppDomain`
    pub domain: Handle,
    /// The entry assembly's module.
    pub entry: ModuleId,
}

/// Starts the runtime for a program.
pub fn start(options: Options, program: &Path) -> anyhow::Result<&'static Runtime> {
    crate::interop::keep();
    let program = std::fs::canonicalize(program).with_context(|| program.display().to_string())?;
    crate::icall::environment::set_program(&program);
    gc::init(gc::HeapOptions {
        stress: options.gc_stress,
        max_size: options.heap_max,
        ..gc::HeapOptions::default()
    });
    threads::attach();
    eh::signals::install().context("cannot install signal handlers")?;
    eh::install_host(&host::RuntimeHost);
    let mut search = binding::SearchPath::system(program.parent().map(Path::to_path_buf));
    search.extra.extend(options.lib_path.iter().cloned());
    let files = Arc::new(MappedFiles::default());
    let mapped = files.clone();
    let binder = binding::StandardBinder::new(search, Box::new(move |p: &Path| mapped.map(p)));
    let types = TypeContext::new(Box::new(ProgramBinder(binder))).map_err(|e| anyhow!("{e}"))?;
    let jit = crate::jit::Jit::new(&options).map_err(|e| anyhow!("{e:?}"))?;
    let runtime = Runtime {
        images: Images::new(&options, files),
        options,
        types,
        tables: Default::default(),
        methods: Default::default(),
        fields: Default::default(),
        statics: Default::default(),
        class_init: Default::default(),
        strings: Default::default(),
        symbols: Default::default(),
        reflect: Default::default(),
        emit: Default::default(),
        lookups: Default::default(),
        jit,
        objects: OnceLock::new(),
    };
    assert!(RUNTIME.set(runtime).is_ok(), "the runtime starts once");
    let rt = super::get();
    let entry = rt
        .types
        .load_assembly(&program)
        .map_err(|e| anyhow!("{}: {e}", program.display()))?;
    make_objects(rt, entry, &program).map_err(|e| anyhow!("start-up failed: {}", describe(e)))?;
    Ok(rt)
}

fn describe(e: Thrown) -> String {
    match e {
        Thrown::Object(o) if !o.is_null() => super::exit::describe(o),
        other => format!("{other:?}"),
    }
}

fn make_objects(rt: &'static Runtime, entry: ModuleId, program: &Path) -> Result<()> {
    let empty = rt.strings.intern(&[])?;
    let string_type = rt.types.known(Known::String);
    store_static(rt, string_type, "Empty", empty)?;
    crate::icall::thread::attach_current(rt, "")?;
    crate::icall::finalizer::install();
    let domain = new_object(rt.known(Known::AppDomain))?;
    let out_of_memory = exception::materialize(Thrown::of(
        "System",
        "OutOfMemoryException",
        "Out of memory",
    ));
    let tombstone = new_object(rt.known(Known::Object))?;
    gc::raw::set_tombstone(tombstone.addr());
    let objects = BootObjects {
        out_of_memory: Handle::strong(out_of_memory),
        tombstone: Handle::strong(tombstone),
        domain: Handle::strong(domain),
        entry,
    };
    let _ = rt.objects.set(objects);
    crate::icall::app_domain::set_up(rt, domain, program)
}

fn store_static(
    rt: &Runtime,
    ty: shared_codegen::types::TypeId,
    name: &str,
    value: Obj,
) -> Result<()> {
    let at = rt.static_field(ty, name)?;
    // SAFETY: the address of a static field of reference type.
    unsafe { at.cast::<Obj>().write(value) };
    Ok(())
}

/// Runs the program's `Main` and gives the exit code.
pub fn run_main(rt: &'static Runtime, args: &[String]) -> Result<i32> {
    crate::icall::environment::set_arguments(args);
    let entry = rt
        .objects
        .get()
        .map(|o| o.entry)
        .ok_or_else(Thrown::null_reference)?;
    run_entry_point(rt, entry, string_array(rt, args)?, CallKind::Outermost)
}

/// Whether the program is one: it has an entry point.
pub fn has_main(rt: &Runtime) -> bool {
    let entry = rt.objects.get().map(|o| o.entry);
    entry.is_some_and(|e| !entry_point(rt, e).is_null())
}

fn entry_point(rt: &Runtime, module: ModuleId) -> Token {
    Token(rt.types.module(module).pe().entry_point)
}

/// Calls the entry point of an assembly. The result is the exit code: what it returns, else `Environment.ExitCode`.
pub(crate) fn run_entry_point(
    rt: &'static Runtime,
    entry: ModuleId,
    args: Obj,
    kind: CallKind,
) -> Result<i32> {
    let token = entry_point(rt, entry);
    let main =
        rt.types
            .resolve_method(entry, token, shared_codegen::types::GenericContext::EMPTY)?;
    rt.types.check_class(rt.types.method_owner(main))?;
    let signature = *rt.types.method_signature(main)?;
    let mut operands = Vec::new();
    if signature.params.len() == 1 {
        operands.push(invoke::Arg::Ref(args));
    }
    run_module_initializer(rt, entry)?;
    let code = rt.methods.callable(rt, rt.methods.desc(main))?;
    let result = invoke::call_as(code, &operands, kind)?;
    Ok(match rt.types.value_class(signature.ret)? {
        ValueClass::Void => crate::icall::environment::exit_code(),
        _ => result.word as i32,
    })
}

fn run_module_initializer(rt: &'static Runtime, module: ModuleId) -> Result<()> {
    let global = rt
        .types
        .type_def(module, shared_codegen::metadata::TypeDefRow(1));
    if rt.types.has_cctor(global) {
        rt.class_init.ensure(rt.method_table(global)?)?;
    }
    Ok(())
}

/// A `string[]`.
pub fn string_array(rt: &Runtime, items: &[String]) -> Result<Obj> {
    let ty = rt.types.sz_array(rt.types.known(Known::String));
    let a = array::allocate(rt.method_table(ty)?, items.len())?;
    for (n, item) in items.iter().enumerate() {
        array::set(a, n, string::from_rust(item)?);
    }
    Ok(a)
}
