//! `cilutil types`: what the type system knows of types.

use anyhow::{Context, bail};
use clap::Parser;
use shared_codegen::metadata::TypeDefRow;
use shared_codegen::types::TypeName;
use std::io::Write;
use std::path::PathBuf;

/// Prints hierarchy, layout, statics, vtable and interface map of types.
#[derive(Parser, Debug)]
pub(super) struct Args {
    /// The assembly.
    file: PathBuf,
    /// Name of a type in reflection form (arguments allowed); without it, all types are listed.
    name: Option<String>,
}

/// Describes one type, or lists all.
pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let shown = || args.file.display().to_string();
    let file = std::fs::canonicalize(&args.file).with_context(shown)?;
    let ctx = super::context_for(&file)?;
    let module = ctx.load_assembly(&file)?;
    match args.name.as_deref() {
        None => {
            for row in ctx.module(module).rows::<TypeDefRow>() {
                writeln!(out, "{}", ctx.full_name(ctx.type_def(module, row)))?;
            }
        }
        Some(name) => {
            let parsed = TypeName::parse(name)?;
            let Some(t) = ctx.resolve_type_name(module, &parsed, false)? else {
                bail!("{} has no type {name}", file.display());
            };
            write!(out, "{}", ctx.describe_type(t))?;
        }
    }
    Ok(())
}
