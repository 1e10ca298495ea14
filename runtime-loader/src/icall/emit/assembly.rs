//! `AssemblyBuilder` and `ModuleBuilder`.

use super::super::assembly::{ASSEMBLY_KEY, module_of as module_of_assembly};
use super::super::module::MODULE_KEY;
use super::{Result, attributes, growth, members, reference, text, tokens};
use crate::icall::{Thrown, icalls, managed};
use crate::object::Obj;
use crate::runtime;
use shared_codegen::metadata::{Assembly, AssemblyRow, ModuleDef, ModuleRow};
use shared_codegen::types::{AssemblyName, ModuleId};

icalls! {
    "System.Reflection.Emit.AssemblyBuilder" {
        "UpdateNativeCustomAttributes" => update_attributes(Obj);
        "basic_init" => init_assembly(Obj);
    }
    "System.Reflection.Emit.ModuleBuilder" {
        "WriteToFile" => write_to_file(Obj, usize);
        "basic_init" => init_module(Obj);
        "build_metadata" => build_metadata(Obj);
        "set_wrappers_type" => set_wrappers_type(Obj, Obj);
    }
}

/// Identity as the builder has it.
fn name_of(builder: Obj) -> AssemblyName {
    let token: String = members::bytes_in(builder, "pktoken")
        .unwrap_or_default()
        .iter()
        .map(|b| char::from(*b))
        .collect();
    let token = match token.is_empty() {
        true => "null",
        false => &token,
    };
    let (version, culture) = (text(builder, "version"), text(builder, "culture"));
    let version = if version.is_empty() {
        "0.0.0.0"
    } else {
        &version
    };
    let culture = if culture.is_empty() {
        "neutral"
    } else {
        &culture
    };
    let name = format!("x, Version={version}, Culture={culture}, PublicKeyToken={token}");
    AssemblyName {
        name: text(builder, "name").into(),
        ..AssemblyName::parse(&name)
    }
}

extern "C" fn init_assembly(builder: Obj) {
    managed(|| {
        let rt = runtime::get();
        let name = name_of(builder);
        let module = rt
            .types
            .add_growing_module(name.clone(), Box::new(tokens::Binder));
        let growth = growth(module)?;
        let [major, minor, build, revision] = name.version;
        let row = Assembly {
            hash_alg: rt.get_field::<u32>(builder, "algid"),
            major,
            minor,
            build,
            revision,
            flags: rt.get_field::<u32>(builder, "flags"),
            public_key: growth.bytes(members::bytes_in(builder, "public_key").unwrap_or_default()),
            name: growth.text(&name.name),
            culture: growth.text(&name.culture),
        };
        growth.set(AssemblyRow(1), &row);
        rt.set_field(builder, "_mono_assembly", handle(module));
        rt.reflect.adopt((handle(module), ASSEMBLY_KEY), builder);
        Ok(())
    });
}

/// How managed code names a module.
fn handle(module: ModuleId) -> usize {
    module.0 as usize + 1
}

/// The module of a new builder: that of the assembly for the first one, else one more.
fn module_for(assembly: Obj) -> Result<ModuleId> {
    let rt = runtime::get();
    let first = module_of_assembly(assembly)?;
    if !growth(first)?.has(ModuleRow(1).token()) {
        return Ok(first);
    }
    let next = rt
        .types
        .add_growing_module(name_of(assembly), Box::new(tokens::Binder));
    if let Ok(row) = rt.types.module(first).assembly(AssemblyRow(1)) {
        growth(next)?.set(AssemblyRow(1), &row);
    }
    rt.reflect.adopt((handle(next), ASSEMBLY_KEY), assembly);
    Ok(next)
}

extern "C" fn init_module(builder: Obj) {
    managed(|| {
        let rt = runtime::get();
        let assembly = reference(builder, "assemblyb").ok_or_else(Thrown::null_reference)?;
        let module = module_for(assembly)?;
        let growth = growth(module)?;
        let guid = members::bytes_in(builder, "guid").unwrap_or_default();
        let row = ModuleDef {
            name: growth.text(&text(builder, "name")),
            mvid: guid.try_into().unwrap_or_default(),
            ..ModuleDef::default()
        };
        growth.set(ModuleRow(1), &row);
        rt.set_field(builder, "_impl", handle(module));
        rt.reflect.adopt((handle(module), MODULE_KEY), builder);
        Ok(())
    });
}

extern "C" fn update_attributes(builder: Obj) {
    managed(|| {
        let module = module_of_assembly(builder)?;
        attributes::write(module, AssemblyRow(1).token(), builder)
    });
}

/// The runtime makes no wrappers that would need a class of their own.
extern "C" fn set_wrappers_type(_module: Obj, _class: Obj) {}

fn no_files<T>() -> Result<T> {
    Err(Thrown::not_supported(
        "AssemblyBuilder.Save: assemblies made at run time cannot be written to files.",
    ))
}

extern "C" fn build_metadata(_module: Obj) {
    managed(no_files)
}

extern "C" fn write_to_file(_module: Obj, _handle: usize) {
    managed(no_files)
}
