//! `cilutil graph` and `aotrun --graph`: graphs of methods for Graphviz.

use super::select;
use super::stage::{optimized, selected};
use anyhow::anyhow;
use clap::Parser;
use shared_codegen::analysis::{Graph, dot};
use shared_codegen::compile::CodegenOptions;
use shared_codegen::passes::{OptSet, Verify};
use shared_codegen::pipeline::Plan;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Draws methods as they are after all passes, in the language of Graphviz.
#[derive(Parser, Debug)]
pub(super) struct Args {
    /// Assembly or module.
    file: PathBuf,
    #[arg(help = select::METHOD_HELP)]
    method: String,
    /// cfg, ssa (with instructions), dom, loops
    #[arg(short, long, default_value = "cfg")]
    graph: String,
    /// Optimizations.
    #[arg(short = 'O', long = "optimize", default_value = "all")]
    optimize: String,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let passes = OptSet::parse(&args.optimize)?;
    write(&args.graph, &args.file, &args.method, passes, out)
}

/// Draws the methods that `method` names, `graph` being the name of a [`Graph`].
pub fn write(
    graph: &str,
    file: &Path,
    method: &str,
    passes: OptSet,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let graph: Graph = graph.parse().map_err(|e: String| anyhow!(e))?;
    let plan = Plan {
        passes,
        codegen: CodegenOptions::jit(),
        verify: Verify::Each,
        remarks: false,
        stages: false,
    };
    let (ctx, methods) = selected(file, method)?;
    for m in methods {
        let f = optimized(&ctx, m, &plan)?;
        out.write_all(dot(&f, &ctx, graph).as_bytes())?;
    }
    Ok(())
}
