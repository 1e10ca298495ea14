//! What the verbs that show later stages have in common: choosing and preparing methods.

use super::{context_for, opt, select};
use anyhow::Context;
use clap::Parser;
use shared_codegen::compile::{CodegenOptions, ConstPolicy, Tier};
use shared_codegen::ir::Function;
use shared_codegen::passes::{OptSet, Verify};
use shared_codegen::pipeline::{self, Plan};
use shared_codegen::types::{MethodId, TypeContext};
use std::path::{Path, PathBuf};

/// A method and how to compile it.
#[derive(Parser, Debug)]
pub(super) struct Selection {
    /// Assembly or module.
    pub file: PathBuf,
    #[arg(help = select::METHOD_HELP)]
    pub method: String,
    /// Optimizations.
    #[arg(short = 'O', long = "optimize", default_value = "all")]
    optimize: String,
    /// Quick register allocation, as in the JIT.
    #[arg(long)]
    quick: bool,
    /// Runtime constants as immediates, as in the JIT.
    #[arg(long)]
    jit: bool,
}

impl Selection {
    pub fn plan(&self) -> anyhow::Result<Plan> {
        let passes = OptSet::parse(&self.optimize)?;
        let codegen = CodegenOptions {
            machine: passes.machine(),
            tier: if self.quick { Tier::Quick } else { Tier::Opt },
            policy: match self.jit {
                true => ConstPolicy::Jit,
                false => ConstPolicy::Aot,
            },
            checker: true,
            text: true,
            ..CodegenOptions::jit()
        };
        Ok(Plan {
            passes,
            codegen,
            verify: Verify::Each,
            remarks: false,
            stages: false,
        })
    }

    /// Calls `show` for every method selected that has IL.
    pub fn each(
        &self,
        show: &mut dyn FnMut(&TypeContext, MethodId) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let (ctx, methods) = selected(&self.file, &self.method)?;
        methods.into_iter().try_for_each(|m| show(&ctx, m))
    }
}

/// The methods a METHOD argument names, generic parameters standing for any reference type.
pub(super) fn selected(file: &Path, method: &str) -> anyhow::Result<(TypeContext, Vec<MethodId>)> {
    let file = std::fs::canonicalize(file).with_context(|| file.display().to_string())?;
    let ctx = context_for(&file)?;
    let module = ctx.load_assembly(&file)?;
    let rows = select::methods(ctx.module(module), method)?;
    let methods = rows
        .into_iter()
        .map(|row| opt::canonical(&ctx, module, row));
    let methods = methods.filter(|m| !ctx.method_is_abstract(*m)).collect();
    Ok((ctx, methods))
}

/// Imports and optimizes a method; an error names it.
pub(super) fn optimized(ctx: &TypeContext, m: MethodId, plan: &Plan) -> anyhow::Result<Function> {
    let (f, _) = pipeline::optimize(ctx, m, plan).with_context(|| ctx.method_full_name(m))?;
    Ok(f)
}
