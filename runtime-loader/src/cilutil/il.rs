//! `cilutil il`: methods as CIL assembler text.

use super::{open, select};
use anyhow::Context;
use clap::Parser;
use shared_codegen::il;
use shared_codegen::metadata::MethodDefRow;
use std::io::Write;
use std::path::PathBuf;

/// Disassembles methods.
#[derive(Parser, Debug)]
pub(super) struct Args {
    /// Assembly or module.
    file: PathBuf,
    #[arg(help = select::METHOD_HELP)]
    method: String,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let module = open(&args.file)?;
    for row in select::methods(&module, &args.method)? {
        let MethodDefRow(number) = row;
        let text = il::print_method(&module, row).with_context(|| format!("method {number:#x}"))?;
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}
