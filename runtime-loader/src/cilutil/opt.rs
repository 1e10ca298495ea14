//! `cilutil opt`: methods as IR, after import and after passes.

use super::{context_for, select};
use anyhow::Context;
use clap::Parser;
use shared_codegen::import::{ContextOracle, ImportOptions, import_method};
use shared_codegen::ir::Function;
use shared_codegen::passes::table::PassId;
use shared_codegen::passes::{
    OptSet, PassContext, PassObserver, PassRun, Verify, help_text, run_pipeline,
};
use shared_codegen::types::{MethodId, ModuleId, TypeContext};
use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

/// Imports and optimizes methods and prints their IR. Generic parameters stand for any reference type.
#[derive(Parser, Debug)]
#[command(after_help = help_text())]
pub(super) struct Args {
    /// Assembly or module.
    file: PathBuf,
    #[arg(help = select::METHOD_HELP)]
    method: String,
    /// Optimizations.
    #[arg(short = 'O', long = "optimize", default_value = "all")]
    optimize: String,
    /// Print the IR as imported too, and after every pass that changed something.
    #[arg(short, long)]
    steps: bool,
    /// Print no IR at the end but what each pass did and how long it took.
    #[arg(short, long)]
    times: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let shown = || args.file.display().to_string();
    let file = std::fs::canonicalize(&args.file).with_context(shown)?;
    let opts = OptSet::parse(&args.optimize)?;
    let ctx = context_for(&file)?;
    let module = ctx.load_assembly(&file)?;
    for row in select::methods(ctx.module(module), &args.method)? {
        let method = canonical(&ctx, module, row);
        show(&ctx, method, &opts, args, out)?;
    }
    Ok(())
}

/// The method with `Canon` for every generic parameter.
pub(super) fn canonical(
    ctx: &TypeContext,
    module: ModuleId,
    row: shared_codegen::metadata::MethodDefRow,
) -> MethodId {
    let owner = ctx
        .module(module)
        .owner_of_method(row)
        .map(|t| ctx.type_def(module, t));
    let owner = owner.unwrap_or_else(|_| ctx.canon());
    let canon = |n: u32| vec![ctx.canon(); n as usize];
    let owner = match ctx.generic_count(owner) {
        0 => owner,
        n => ctx.instance(owner, &canon(n)),
    };
    let method = ctx.method_of(owner, row);
    let args = canon(ctx.generic_param_count(method));
    ctx.with_method_args(method, ctx.list(&args))
}

fn show(
    ctx: &TypeContext,
    method: MethodId,
    opts: &OptSet,
    args: &Args,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let name = ctx.method_full_name(method);
    let options = ImportOptions::default();
    let mut f = match import_method(ctx, method, &options) {
        Ok(f) => f,
        Err(e) => return Ok(writeln!(out, "; {name}: {e}")?),
    };
    let steps = Steps {
        ctx,
        text: RefCell::new(String::new()),
    };
    if args.steps {
        writeln!(out, "; imported\n{}", f.display(ctx))?;
    }
    let oracle = ContextOracle { ctx, options };
    let mut cx = PassContext::new(&oracle);
    cx.verify = Verify::Each;
    cx.observer = args.steps.then_some(&steps as &dyn PassObserver);
    let report = match run_pipeline(&mut f, opts, &cx) {
        Ok(report) => report,
        Err(e) => anyhow::bail!("{name}: {e}\n{}", e.before),
    };
    out.write_all(steps.text.borrow().as_bytes())?;
    if args.times {
        writeln!(out, "{name}")?;
        for r in &report.runs {
            let mark = if r.changed { '*' } else { ' ' };
            let pass = r.pass.info().name;
            writeln!(
                out,
                "  {mark} {pass:<18} {:>6} -> {:<6} {:>8.1?}",
                r.before, r.after, r.time
            )?;
        }
    } else if !args.steps {
        writeln!(out, "{}", f.display(ctx))?;
    }
    Ok(())
}

/// Collects the IR after each pass that changed something.
struct Steps<'c> {
    ctx: &'c TypeContext,
    text: RefCell<String>,
}

impl PassObserver for Steps<'_> {
    fn before(&self, _: PassId, _: &Function) {}

    fn after(&self, pass: PassId, f: &Function, run: &PassRun) {
        if run.changed {
            let mut text = self.text.borrow_mut();
            let _ = writeln!(
                text,
                "; after {}\n{}",
                pass.info().name,
                f.display(self.ctx)
            );
        }
    }
}
