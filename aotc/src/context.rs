//! Opening an assembly with everything it refers to.

use crate::options::Compile;
use anyhow::{Context, bail};
use shared_codegen::metadata::AssemblyRefRow;
use shared_codegen::types::binding::{SearchPath, StandardBinder};
use shared_codegen::types::{ModuleId, TypeContext};
use std::path::{Path, PathBuf};

/// A type context for one assembly and the assembly in it.
pub struct Input {
    pub ctx: TypeContext,
    pub module: ModuleId,
}

/// A context that searches beside `file`, in `folders` and in the usual places.
pub fn context(file: &Path, folders: &[PathBuf]) -> anyhow::Result<TypeContext> {
    let folder = match file.parent() {
        Some(p) if p.as_os_str().is_empty() => PathBuf::from("."),
        Some(p) => p.to_owned(),
        None => PathBuf::from("."),
    };
    let mut path = SearchPath::system(Some(folder.clone()));
    let own = (file.file_name() == Some("mscorlib.dll".as_ref())).then_some(folder);
    path.extra
        .splice(0..0, own.into_iter().chain(folders.iter().cloned()));
    Ok(TypeContext::new(Box::new(StandardBinder::reading(path)))?)
}

impl Input {
    /// Opens an assembly and loads all it refers to directly.
    pub fn open(path: &Path, options: &Compile) -> anyhow::Result<Input> {
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        let ctx = context(path, &options.lib_path)?;
        for reference in &options.reference {
            ctx.load_assembly(reference)?;
        }
        let module = ctx.load_assembly(path)?;
        if ctx.module(module).pe().bytes() != bytes {
            bail!(
                "{}: another assembly with the same identity is found first: {}",
                path.display(),
                ctx.assembly(module).path.display()
            );
        }
        Ok(Input { ctx, module })
    }

    /// Loads the assemblies referred to; the names of those that cannot be found.
    pub fn load_references(&self) -> Vec<String> {
        let refs = self.ctx.module(self.module).rows::<AssemblyRefRow>();
        let missing = refs.filter_map(|row| {
            let failed = self.ctx.assembly_ref(self.module, row).is_err();
            let name = self.ctx.assembly_ref_name(self.module, row);
            failed.then(|| name.map_or("?".into(), |n| n.to_string()))
        });
        missing.collect()
    }

    /// Simple name of the assembly.
    pub fn name(&self) -> &str {
        self.ctx.module_name(self.module)
    }
}
