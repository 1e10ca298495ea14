//! `cilutil verify`: compiles every method of an assembly with all proofs on.

use super::stage::selected;
use clap::Parser;
use shared_codegen::compile::{CodegenOptions, ConstPolicy, Tier};
use shared_codegen::emit::CodeBlob;
use shared_codegen::image::left_out::Reason;
use shared_codegen::passes::{OptSet, Verify};
use shared_codegen::pipeline::{self, Plan, compile_method};
use shared_codegen::types::{MethodId, TypeContext};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Imports, optimizes and compiles every method, proving the IR after each pass and the register allocation, and lists what
/// could not be compiled, wholly or in part, by reason. Generic parameters stand for any reference type. Exit status 1 if there was anything.
#[derive(Parser, Debug)]
pub(super) struct Args {
    /// Assembly or module.
    file: PathBuf,
    /// Only these methods.
    #[arg(long, default_value = "all")]
    method: String,
    /// Optimizations.
    #[arg(short = 'O', long = "optimize", default_value = "all")]
    optimize: String,
}

/// Messages by reason: where, and what.
type Findings = BTreeMap<Reason, Vec<(String, String)>>;

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let plan = Plan {
        passes: OptSet::parse(&args.optimize)?,
        codegen: CodegenOptions {
            tier: Tier::Opt,
            policy: ConstPolicy::Aot,
            checker: true,
            ..CodegenOptions::jit()
        },
        verify: Verify::Each,
        remarks: false,
        stages: false,
    };
    let (ctx, methods) = selected(&args.file, &args.method)?;
    let findings = compile_all(&ctx, &methods, &plan);
    for (reason, list) in &findings {
        for (name, detail) in list {
            writeln!(out, "{}: {name}: {detail}", reason.code())?;
        }
    }
    let bad: usize = findings.values().map(Vec::len).sum();
    writeln!(out, "{:<20}{:>8}", "methods", methods.len())?;
    writeln!(out, "{:<20}{:>8}", "compiled", methods.len() - bad)?;
    for (reason, list) in &findings {
        writeln!(out, "{:<20}{:>8}", reason.code(), list.len())?;
    }
    out.flush()?;
    anyhow::ensure!(bad == 0, "{}: {bad} methods", args.file.display());
    Ok(())
}

/// What is wrong with a method: it has no code, or code that raises an exception where something could not be compiled.
fn finding(outcome: &Result<CodeBlob, pipeline::Error>) -> Option<(Reason, String)> {
    let in_part = || {
        let failure = outcome.as_ref().ok()?.failures.first()?;
        let reason = match failure.class {
            "InvalidProgramException" => Reason::InvalidIl,
            _ => Reason::MissingReference,
        };
        Some((reason, failure.message.clone()))
    };
    pipeline::left_out(outcome).or_else(in_part)
}

fn compile_all(ctx: &TypeContext, methods: &[MethodId], plan: &Plan) -> Findings {
    let next = AtomicUsize::new(0);
    let findings = Mutex::new(Findings::new());
    let work = || {
        while let Some(m) = methods.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = compile_method(ctx, *m, plan);
            if let Some((reason, detail)) = finding(&outcome) {
                let mut all = findings.lock().unwrap_or_else(|e| e.into_inner());
                let found = (ctx.method_full_name(*m), detail);
                all.entry(reason).or_default().push(found);
            }
        }
    };
    std::thread::scope(|threads| {
        let count = std::thread::available_parallelism().map_or(1, |n| n.get());
        for _ in 0..count {
            threads.spawn(work);
        }
    });
    let mut findings = findings.into_inner().unwrap_or_else(|e| e.into_inner());
    findings.values_mut().for_each(|list| list.sort());
    findings
}
