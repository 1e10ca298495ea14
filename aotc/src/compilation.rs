//! Compiling the methods of one assembly: all roots, then what they need, until nothing is new.
//!
//! The work goes in rounds. Each round's methods are sorted by encoding, compiled on all threads and looked
//! through in order, so that the result does not depend on the number of threads.

use crate::context::Input;
use crate::instances::Instances;
use crate::{roots, stubs};
use indicatif::ProgressBar;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use shared_codegen::abi::fixup::Fixup;
use shared_codegen::compile::EmitOptions;
use shared_codegen::emit::CodeBlob;
use shared_codegen::image::left_out::Reason;
use shared_codegen::pipeline::{self, Plan, compile_method_with, emit_options};
use shared_codegen::types::{MethodId, TypeContext};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Largest number of instances taken into one image.
const MAX_INSTANCES: usize = 40_000;

/// A method and what became of it.
pub struct Unit {
    pub method: MethodId,
    pub name: String,
    /// Prefix of the local symbols of its text.
    pub prefix: String,
    /// The method that needs it; none for those that are compiled in any case, or needed by a type.
    pub needed_by: Option<MethodId>,
    /// Compiled in any case.
    pub is_root: bool,
    pub outcome: Result<CodeBlob, LeftOut>,
    /// Runtime constants that methods it calls directly need, beyond its own.
    pub bound_for_callees: Vec<Fixup>,
}

/// Why a method has no code.
pub struct LeftOut {
    pub reason: Reason,
    pub detail: String,
}

/// A method to be compiled.
struct Work {
    key: Vec<u8>,
    method: MethodId,
    needed_by: Option<MethodId>,
}

/// Compiles everything. The order of the result is the order of the image.
pub fn run(input: &Input, plan: &Plan, progress: &ProgressBar) -> Vec<Unit> {
    let ctx = &input.ctx;
    let mut instances = Instances::new(ctx, input.module);
    let mut seen = FxHashSet::default();
    let mut roots = roots::methods(ctx, input.module);
    roots.extend(stubs::of_module(ctx, input.module));
    let roots = roots.into_iter();
    let mut work = fresh(ctx, roots.map(|m| (m, None)), &mut seen);
    let mut by_types = Vec::new();
    instances.needed_by_types(&mut by_types);
    let mut needed: Vec<_> = by_types.into_iter().map(|m| (m, None)).collect();
    let root_count = work.len();
    let mut units = Vec::new();
    let mut budget = MAX_INSTANCES;
    while !work.is_empty() {
        progress.inc_length(work.len() as u64);
        let round: Vec<Unit> = work
            .into_par_iter()
            .map(|w| {
                let unit = compile(ctx, plan, &w);
                progress.inc(1);
                unit
            })
            .collect();
        for unit in &round {
            let mut by_unit = Vec::new();
            if let Ok(blob) = &unit.outcome {
                instances.needed_by(blob, &mut by_unit);
            }
            needed.extend(by_unit.into_iter().map(|m| (m, Some(unit.method))));
        }
        units.extend(round);
        work = fresh(ctx, needed.drain(..), &mut seen);
        work.sort_by(|a, b| a.key.cmp(&b.key));
        for w in work.drain(budget.min(work.len())..) {
            let detail = format!("more than {MAX_INSTANCES} instances");
            units.push(unit(ctx, &w, Err(left_out(Reason::Budget, detail))));
        }
        budget -= work.len();
    }
    units[..root_count]
        .iter_mut()
        .for_each(|u| u.is_root = true);
    units
}

/// Those that are not yet known.
fn fresh(
    ctx: &TypeContext,
    methods: impl Iterator<Item = (MethodId, Option<MethodId>)>,
    seen: &mut FxHashSet<MethodId>,
) -> Vec<Work> {
    let new = methods.filter(|(m, _)| seen.insert(*m));
    new.map(|(method, needed_by)| {
        let mut key = Vec::new();
        ctx.encode_method(method, &mut key);
        Work {
            key,
            method,
            needed_by,
        }
    })
    .collect()
}

fn unit(ctx: &TypeContext, work: &Work, outcome: Result<CodeBlob, LeftOut>) -> Unit {
    Unit {
        method: work.method,
        name: ctx.method_full_name(work.method),
        prefix: format!("{:016x}", ctx.stable_method_hash(work.method)),
        needed_by: work.needed_by,
        is_root: false,
        outcome,
        bound_for_callees: Vec::new(),
    }
}

thread_local! {
    /// Message of the panic that is being caught on this thread.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes panics of the compiler quiet: they are reported as the reason why a method was left out.
pub fn catch_panics() {
    std::panic::set_hook(Box::new(|info| {
        let text = info.payload_as_str().unwrap_or("panic");
        let place = info.location().map(|l| {
            let file = l.file().rsplit('/').next().unwrap_or_default();
            format!("{file}:{}", l.line())
        });
        let message = format!("{text} at {}", place.unwrap_or_default());
        PANIC.with(|p| *p.borrow_mut() = Some(message));
    }));
}

fn compile(ctx: &TypeContext, plan: &Plan, work: &Work) -> Unit {
    let prefix = format!("{:016x}", ctx.stable_method_hash(work.method));
    let emission = EmitOptions {
        text: plan.codegen.text.then_some(&prefix),
        ..emit_options(plan.codegen.policy)
    };
    let attempt = AssertUnwindSafe(|| compile_method_with(ctx, work.method, plan, &emission));
    let outcome = match catch_unwind(attempt) {
        Ok(outcome) => accept(outcome),
        Err(_) => {
            let message = PANIC.with(|p| p.borrow_mut().take());
            Err(left_out(Reason::Internal, message.unwrap_or_default()))
        }
    };
    unit(ctx, work, outcome)
}

fn accept(outcome: Result<CodeBlob, pipeline::Error>) -> Result<CodeBlob, LeftOut> {
    let why = pipeline::left_out(&outcome).map(|(reason, detail)| left_out(reason, detail));
    match (outcome, why) {
        (Ok(blob), None) => Ok(blob),
        (_, Some(why)) => Err(why),
        (Err(e), None) => Err(left_out(e.reason(), String::new())),
    }
}

fn left_out(reason: Reason, detail: String) -> LeftOut {
    LeftOut { reason, detail }
}
