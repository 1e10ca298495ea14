//! The developer's tool: shows every stage of any type or method of any assembly. One file per verb.

mod asm;
pub mod graph;
mod icalls;
mod il;
mod ir;
mod lower;
mod metadata;
mod opt;
mod select;
mod stage;
mod types;
mod verify;
mod why;

use anyhow::Context;
use clap::{Parser, Subcommand};
use shared_codegen::metadata::Module;
use shared_codegen::types::TypeContext;
use shared_codegen::types::binding::{SearchPath, StandardBinder};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// Shows what the compiler and the runtime make of an assembly.
#[derive(Parser, Debug)]
#[command(
    name = "cilutil",
    version,
    after_help = "Exit status: 0 done, 1 the input cannot be read or has no such item, 2 usage."
)]
struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Metadata(metadata::Args),
    Types(types::Args),
    Icalls(icalls::Args),
    Il(il::Args),
    Ir(ir::Args),
    Opt(opt::Args),
    Graph(graph::Args),
    Lower(lower::Args),
    Asm(asm::Args),
    Verify(verify::Args),
    Why(why::Args),
}

impl Verb {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        match self {
            Verb::Metadata(args) => metadata::run(args, out),
            Verb::Types(args) => types::run(args, out),
            Verb::Icalls(args) => icalls::run(args, out),
            Verb::Il(args) => il::run(args, out),
            Verb::Ir(args) => ir::run(args, out),
            Verb::Opt(args) => opt::run(args, out),
            Verb::Graph(args) => graph::run(args, out),
            Verb::Lower(args) => lower::run(args, out),
            Verb::Asm(args) => asm::run(args, out),
            Verb::Verify(args) => verify::run(args, out),
            Verb::Why(args) => why::run(args, out),
        }
    }
}

/// Runs the tool on the process's arguments.
pub fn run() -> ExitCode {
    let options = Options::parse();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let done = options.verb.run(&mut out).and_then(|()| Ok(out.flush()?));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of a pipe has seen enough.
        Err(e) if is_broken_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("cilutil: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(e: &anyhow::Error) -> bool {
    let io = e.downcast_ref::<io::Error>();
    io.is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

/// Opens one module for the rest of the process, without what it refers to.
fn open(path: &Path) -> anyhow::Result<Module> {
    let shown = || path.display().to_string();
    let bytes = std::fs::read(path).with_context(shown)?;
    Module::parse(bytes.leak(), path.to_owned()).with_context(shown)
}

/// A type context that searches beside `file` and in the usual places.
fn context_for(file: &Path) -> anyhow::Result<TypeContext> {
    let folder = file.parent().map(Path::to_path_buf);
    let binder = StandardBinder::reading(SearchPath::system(folder));
    Ok(TypeContext::new(Box::new(binder))?)
}
