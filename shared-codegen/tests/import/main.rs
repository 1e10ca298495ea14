//! The importer on real assemblies and on small programs.

mod golden;
mod libraries;

use shared_codegen::types::{MethodId, ModuleId, TypeContext, binding};
use std::path::{Path, PathBuf};

/// Where Debian keeps the class libraries.
const LIBRARIES: &str = "/usr/lib/mono/4.5";

/// A context that searches beside `folder` and in the usual places.
fn context(folder: Option<PathBuf>) -> TypeContext {
    let path = binding::SearchPath::system(folder);
    TypeContext::new(Box::new(binding::StandardBinder::reading(path)))
        .expect("mscorlib is installed")
}

/// The module of an assembly file.
fn module(ctx: &TypeContext, file: &Path) -> ModuleId {
    match file.file_name().and_then(|n| n.to_str()) {
        Some("mscorlib.dll") => ctx.corlib(),
        _ => ctx.load_assembly(file).expect("the assembly loads"),
    }
}

/// Every method of a module in canonical form: generic parameters become `Canon`.
fn methods(ctx: &TypeContext, module: ModuleId) -> Vec<MethodId> {
    let mut all = Vec::new();
    for row in ctx.module(module).rows() {
        let def = ctx.type_def(module, row);
        let count = ctx.generic_count(def);
        let owner = match count {
            0 => def,
            _ => ctx.instance(def, &vec![ctx.canon(); count as usize]),
        };
        for m in ctx.methods(owner).unwrap_or_default() {
            let args = vec![ctx.canon(); ctx.generic_param_count(m) as usize];
            all.push(ctx.with_method_args(m, ctx.list(&args)));
        }
    }
    all
}
