//! From a method to its code: import, passes, back end. The one place where the JIT and the
//! ahead-of-time compiler meet all stages.

use crate::compile::{CodegenOptions, CompileError, EmitOptions, compile_with};
use crate::emit::{CodeBlob, Reduced};
use crate::image::left_out::Reason;
use crate::import::{self, ContextOracle, ImportOptions, import_method};
use crate::ir::{Failure, Function, Region};
pub use crate::isa::x64::finish::emit_options;
use crate::passes::remarks::{Remark, Remarks};
use crate::passes::{BodyCache, OptSet, PassContext, PassError, Verify, run_pipeline};
use crate::stages::{Clock, Stage, inst_count, ir_memory};
use crate::types::{MethodId, TypeContext};

/// Why a method has no code.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The method itself is at fault; the program sees an exception.
    #[error(transparent)]
    Import(#[from] import::Error),
    /// A pass produced wrong IR: a defect of the compiler.
    #[error("{0}")]
    Pass(String),
    /// The back end gave up.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

impl Error {
    /// The reason code of images and reports.
    pub fn reason(&self) -> Reason {
        match self {
            Error::Import(import::Error::Type(_)) => Reason::MissingReference,
            Error::Import(import::Error::Unsupported(_)) => Reason::Unsupported,
            Error::Import(_) => Reason::InvalidIl,
            Error::Pass(_) => Reason::Internal,
            Error::Compile(_) => Reason::Backend,
        }
    }
}

impl From<PassError> for Error {
    fn from(e: PassError) -> Error {
        Error::Pass(e.to_string())
    }
}

/// What to do with a method.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Optional passes.
    pub passes: OptSet,
    /// Back end; its optional parts are those in `passes`.
    pub codegen: CodegenOptions,
    /// Proof of the IR.
    pub verify: Verify,
    /// Collect what passes say about calls, loops, checks and allocations ([`CodeBlob::remarks`]).
    pub remarks: bool,
    /// Keep what each stage takes ([`CodeBlob::stages`]).
    pub stages: bool,
}

/// Compiles a method (canonical form).
pub fn compile_method(ctx: &TypeContext, method: MethodId, plan: &Plan) -> Result<CodeBlob, Error> {
    let emission = EmitOptions {
        text: plan.codegen.text.then_some(""),
        ..emit_options(plan.codegen.policy)
    };
    compile_method_with(ctx, method, plan, &emission)
}

/// The same with full control over emission: local symbols of the text, direct calls.
pub fn compile_method_with(
    ctx: &TypeContext,
    method: MethodId,
    plan: &Plan,
    emission: &EmitOptions<'_>,
) -> Result<CodeBlob, Error> {
    let mut stages = Vec::new();
    let (f, passes) = optimize_with(ctx, method, plan, None, &mut stages)?;
    let codegen = CodegenOptions {
        machine: passes.machine(),
        ..plan.codegen
    };
    let blob = compile_with(&f, &codegen, emission)?;
    stages.extend(&blob.stages);
    if !plan.stages {
        stages = Vec::new();
    }
    let reduced = [
        (passes != plan.passes).then_some(Reduced::Passes),
        f.vars_in_frame.then_some(Reduced::Variables),
        blob.reduced,
    ];
    Ok(CodeBlob {
        reduced: reduced.into_iter().flatten().next(),
        remarks: match plan.remarks {
            true => remarks(ctx, method, plan)?,
            false => Vec::new(),
        },
        stages,
        ..blob
    })
}

/// What the passes say of a method. It goes through them once more for that, with places that are exact, as the code shall not
/// depend on whether somebody asked.
fn remarks(ctx: &TypeContext, method: MethodId, plan: &Plan) -> Result<Vec<Remark>, Error> {
    let remarks = Remarks::default();
    optimize_with(ctx, method, plan, Some(&remarks), &mut Vec::new())?;
    Ok(remarks.take())
}

/// Bodies for inlining.
#[derive(Default)]
struct Bodies {
    /// With places as stack traces show them.
    plain: BodyCache,
    /// With exact ones.
    exact: BodyCache,
}

/// Why the method is left out of an image, and what exactly is wrong; `None` if its code may be kept.
pub fn left_out(outcome: &Result<CodeBlob, Error>) -> Option<(Reason, String)> {
    match outcome {
        Ok(blob) => passing_failure(blob).map(|f| (Reason::MissingReference, f.message.clone())),
        Err(e) => {
            // Passes add the IR from before; its first line says what is wrong.
            let detail = e.to_string();
            Some((
                e.reason(),
                detail.lines().next().unwrap_or_default().to_owned(),
            ))
        }
    }
}

/// Code that raises an exception because a file was not found is not kept: the file may be there when it runs.
fn passing_failure(blob: &CodeBlob) -> Option<&Failure> {
    const PASSING: [&str; 3] = [
        "FileNotFoundException",
        "FileLoadException",
        "BadImageFormatException",
    ];
    blob.failures.iter().find(|f| PASSING.contains(&f.class))
}

/// Imports a method and runs the passes; the IR is at `Low` level. Tells which optional passes ran: fewer than asked
/// for if the method is very large.
pub fn optimize(
    ctx: &TypeContext,
    method: MethodId,
    plan: &Plan,
) -> Result<(Function, OptSet), Error> {
    optimize_with(ctx, method, plan, None, &mut Vec::new())
}

/// The same with somebody who listens to the passes' remarks, and what was done.
fn optimize_with(
    ctx: &TypeContext,
    method: MethodId,
    plan: &Plan,
    remarks: Option<&Remarks>,
    stages: &mut Vec<Stage>,
) -> Result<(Function, OptSet), Error> {
    let options = ImportOptions {
        exact_places: remarks.is_some(),
        ..ImportOptions::default()
    };
    let mut clock = Clock::start();
    let mut f = import_method(ctx, method, &options)?;
    stages.push(Stage {
        name: "import",
        time: clock.lap(),
        before: 0,
        after: inst_count(&f),
        memory: ir_memory(&f),
    });
    let oracle = ContextOracle { ctx, options };
    let mut cx = PassContext::new(&oracle);
    cx.verify = plan.verify;
    // The baseline of the back end is x86-64-v2.
    (cx.has_round, cx.has_popcnt) = (true, true);
    cx.vectors = plan.codegen.features.vectors();
    let bodies = ctx.attached::<Bodies>();
    cx.bodies = bodies.map(|b| match options.exact_places {
        true => &b.exact,
        false => &b.plain,
    });
    cx.remarks = remarks;
    let too_large = exceptional_edges(&f) > MAX_EXCEPTIONAL_EDGES;
    let passes = match too_large {
        true => plan.passes.intersection(OptSet::quick()),
        false => plan.passes,
    };
    let report = run_pipeline(&mut f, &passes, &cx)?;
    stages.extend(report.runs.iter().map(|run| Stage {
        name: run.pass.info().name,
        time: run.time,
        before: run.before,
        after: run.after,
        memory: run.memory,
    }));
    Ok((f, passes))
}

/// Most edges to handlers for which all passes run. Dominators and liveness look at each of them several times; this many
/// take about half a second.
const MAX_EXCEPTIONAL_EDGES: u64 = 1 << 19;

/// Edges from the blocks to the handlers around them.
fn exceptional_edges(f: &Function) -> u64 {
    let mut depths: Vec<u64> = vec![0; f.regions.len()];
    for n in 0..f.regions.len() {
        let mut chain = Vec::new();
        let mut at = Some(Region(n as u32));
        while let Some(r) = at.filter(|r| depths[r.index()] == 0) {
            chain.push(r);
            at = f.regions[r.index()].parent;
        }
        let mut depth = at.map_or(0, |r| depths[r.index()]);
        for r in chain.into_iter().rev() {
            depth += 1;
            depths[r.index()] = depth;
        }
    }
    let regions = f.layout.iter().filter_map(|b| f.blocks[b.index()].region);
    regions.map(|r| depths[r.index()]).sum()
}
