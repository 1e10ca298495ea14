//! `cilutil ir`: methods as IR, as the importer makes it.

use super::{context_for, opt, select};
use anyhow::Context;
use clap::Parser;
use shared_codegen::import::{ImportOptions, import_method};
use shared_codegen::ir::verify::{VerifyOptions, verify};
use std::io::Write;
use std::path::PathBuf;

/// Imports methods and prints their IR. Generic parameters stand for any reference type.
#[derive(Parser, Debug)]
pub(super) struct Args {
    /// Assembly or module.
    file: PathBuf,
    #[arg(help = select::METHOD_HELP)]
    method: String,
    /// Print only what cannot be imported, and why.
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let shown = || args.file.display().to_string();
    let file = std::fs::canonicalize(&args.file).with_context(shown)?;
    let ctx = context_for(&file)?;
    let module = ctx.load_assembly(&file)?;
    for row in select::methods(ctx.module(module), &args.method)? {
        let method = opt::canonical(&ctx, module, row);
        if ctx.method_is_abstract(method) {
            continue;
        }
        let name = ctx.method_full_name(method);
        let f = match import_method(&ctx, method, &ImportOptions::default()) {
            Ok(f) => f,
            Err(e) => {
                writeln!(out, "; {name}: {e}")?;
                continue;
            }
        };
        if let Err(e) = verify(&f, VerifyOptions::CLI) {
            writeln!(out, "; {name}: {e}")?;
        }
        for failure in &f.failures {
            writeln!(out, "; {name}: in part: {}", failure.message)?;
        }
        if !args.quiet {
            writeln!(out, "{}", f.display(&ctx))?;
        }
    }
    Ok(())
}
