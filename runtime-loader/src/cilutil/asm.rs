//! `cilutil asm`: methods as assembler text or bytes.

use super::stage::{Selection, optimized};
use clap::Parser;
use shared_codegen::compile::{EmitOptions, compile_with};
use shared_codegen::emit::CodeBlob;
use shared_codegen::ir::Function;
use shared_codegen::pipeline::emit_options;
use shared_codegen::types::TypeContext;
use std::io::Write;

/// Compiles methods and prints AT&T text with IL offsets, then what its symbols stand for.
#[derive(Parser, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Print the bytes, in hexadecimal, by the IL offset they come from.
    #[arg(short, long)]
    bytes: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let plan = args.selection.plan()?;
    args.selection.each(&mut |ctx, m| {
        let f = optimized(ctx, m, &plan)?;
        let emission = EmitOptions {
            text: Some(""),
            ..emit_options(plan.codegen.policy)
        };
        let blob = compile_with(&f, &plan.codegen, &emission)?;
        let (name, size) = (ctx.method_full_name(m), blob.code_size);
        writeln!(out, "# {name}: {size} bytes of instructions")?;
        match args.bytes {
            true => bytes(&blob, out)?,
            false => write!(out, "{}", blob.text.as_deref().unwrap_or_default())?,
        }
        Ok(symbols(ctx, &f, &blob, out)?)
    })
}

/// The code with a new line wherever the source position changes, at most 16 bytes on each.
fn bytes(blob: &CodeBlob, out: &mut dyn Write) -> std::io::Result<()> {
    let mut starts: Vec<_> = blob.lines.iter().map(|l| l.offset as usize).collect();
    starts.extend([0, blob.code_size as usize, blob.code.len()]);
    starts.sort_unstable();
    starts.dedup();
    for span in starts.windows(2) {
        let [start, end] = span else { continue };
        let loc = blob.loc_at(*start as u32);
        let loc = loc.filter(|_| *start < blob.code_size as usize);
        let loc = loc.map_or(String::new(), |l| format!("IL_{:04x}", l.il));
        for (n, row) in blob.code[*start..*end].chunks(16).enumerate() {
            let hex: Vec<_> = row.iter().map(|b| format!("{b:02x}")).collect();
            writeln!(out, "{:06x}  {loc:<8} {}", start + 16 * n, hex.join(" "))?;
        }
    }
    Ok(())
}

fn symbols(
    ctx: &TypeContext,
    f: &Function,
    blob: &CodeBlob,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    for (k, fixup) in blob.fixups.iter().enumerate() {
        writeln!(out, "# .Lc_{k} = {}", f.display_fixup(*fixup, ctx))?;
    }
    Ok(())
}
