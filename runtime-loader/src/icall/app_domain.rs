//! `System.AppDomain`: there is one domain.

use super::{Result, icalls, managed};
use crate::object::{Obj, new_object, string};
use crate::runtime::{self, Runtime};
use shared_codegen::types::Known;
use std::path::Path;
use std::sync::OnceLock;

icalls! {
    "System.AppDomain" {
        "getCurDomain" => get_domain() -> Obj;
        "getRootDomain" => get_domain() -> Obj;
        "getSetup" => get_setup(Obj) -> Obj;
        "getFriendlyName" => get_friendly_name(Obj) -> Obj;
    }
}

struct Setup {
    setup: crate::object::Handle,
    name: String,
}

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
        setup: crate::object::Handle::strong(setup),
        name,
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
