//! The developer's tool: shows every stage of any type or method of any assembly. One file per verb.

mod types;

use clap::{Parser, Subcommand};
use shared_codegen::types::TypeContext;
use shared_codegen::types::binding::{SearchPath, StandardBinder};
use std::path::{Path, PathBuf};

/// Shows what the compiler and the runtime make of an assembly.
#[derive(Parser, Debug)]
#[command(name = "cilutil", version)]
struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Hierarchy, layout, statics, vtable and interface map of types.
    Types {
        /// The assembly.
        file: PathBuf,
        /// Name of a type in reflection form (arguments allowed); without it, all types are listed.
        name: Option<String>,
    },
}

/// Runs the tool on the process's arguments.
pub fn run() -> anyhow::Result<()> {
    match Options::parse().verb {
        Verb::Types { file, name } => types::run(&file, name.as_deref()),
    }
}

/// A type context that searches beside `file` and in the usual places.
fn context_for(file: &Path) -> anyhow::Result<TypeContext> {
    let folder = file.parent().map(Path::to_path_buf);
    let binder = StandardBinder::reading(SearchPath::system(folder));
    Ok(TypeContext::new(Box::new(binder))?)
}
