//! Finding assemblies: the standard search, then what handlers of `AppDomain.AssemblyResolve` supply.

use super::RUNTIME;
use crate::icall::app_domain;
use shared_codegen::types::binding::StandardBinder;
use shared_codegen::types::{AssemblyInfo, AssemblyName, AssemblyResolver, LoadedFile, ModuleId};
use std::path::Path;

/// The resolver of a running program.
pub struct ProgramBinder(pub StandardBinder);

impl AssemblyResolver for ProgramBinder {
    fn resolve(
        &self,
        requester: Option<&AssemblyInfo>,
        name: &AssemblyName,
    ) -> shared_codegen::types::Result<LoadedFile> {
        self.0.resolve(requester, name)
    }

    fn read(&self, path: &Path) -> shared_codegen::types::Result<LoadedFile> {
        self.0.read(path)
    }

    fn newest(&self, simple_name: &str) -> Option<AssemblyName> {
        self.0.newest(simple_name)
    }

    fn ask(&self, requester: Option<&AssemblyInfo>, name: &AssemblyName) -> Option<ModuleId> {
        // Before the program runs there is nobody to ask.
        let rt = RUNTIME.get().filter(|rt| rt.objects.get().is_some())?;
        app_domain::ask_program(rt, requester.map(|r| r.module), name)
            .ok()
            .flatten()
    }
}
