//! The scope every pass runs in: timer, dump, verification with the IR from before on failure.

use super::table::{self, PassId};
use super::{PassContext, Verify};
use crate::ir::verify::{VerifyError, VerifyOptions, verify};
use crate::ir::{Function, Level};
use crate::stages::{inst_count, ir_memory};
use std::time::{Duration, Instant};

/// Sees the function around passes: dumps, graphs.
pub trait PassObserver {
    /// A pass is about to run.
    fn before(&self, pass: PassId, f: &Function);
    /// A pass has run.
    fn after(&self, pass: PassId, f: &Function, run: &PassRun);
}

/// One run of one pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PassRun {
    /// Which.
    pub pass: PassId,
    /// Something changed.
    pub changed: bool,
    /// How long it took.
    pub time: Duration,
    /// Instructions in the layout before.
    pub before: u32,
    /// Instructions in the layout after.
    pub after: u32,
    /// Bytes of the IR after.
    pub memory: usize,
}

/// What the pipeline did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PipelineReport {
    /// Runs in order.
    pub runs: Vec<PassRun>,
}

/// A pass left a function that is not valid IR.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("after {}: {error}", .pass.map_or("import", |p| p.info().name))]
pub struct PassError {
    /// The pass, `None` if the function was wrong before the first. With [`Verify::Ends`] any pass may be to blame.
    pub pass: Option<PassId>,
    /// What is wrong.
    pub error: VerifyError,
    /// IR text from before the pass (with [`Verify::Ends`]: of the wrong function itself).
    pub before: String,
}

/// Proves the function the pipeline starts with, if the context asks for it.
pub(super) fn verify_input(f: &Function, cx: &PassContext) -> Result<(), PassError> {
    if cx.verify == Verify::Off {
        return Ok(());
    }
    prove(f, VerifyOptions::CLI, None, f)
}

/// Proves the function the pipeline ends with, if the context asks for it.
pub(super) fn verify_output(f: &Function, cx: &PassContext) -> Result<(), PassError> {
    if cx.verify == Verify::Off {
        return Ok(());
    }
    prove(f, VerifyOptions::FINAL, table::PIPELINE.last().copied(), f)
}

fn prove(
    f: &Function,
    options: VerifyOptions,
    pass: Option<PassId>,
    before: &Function,
) -> Result<(), PassError> {
    verify(f, options).map_err(|error| PassError {
        pass,
        error,
        before: before.to_string(),
    })
}

/// Runs one pass.
pub(super) fn run_pass(
    pass: PassId,
    f: &mut Function,
    cx: &PassContext,
    report: &mut PipelineReport,
) -> Result<(), PassError> {
    let before = (cx.verify == Verify::Each).then(|| f.clone());
    if let Some(o) = cx.observer {
        o.before(pass, f);
    }
    let count = inst_count(f);
    let start = Instant::now();
    let changed = pass.info().apply(f, cx);
    let run = PassRun {
        pass,
        changed,
        time: start.elapsed(),
        before: count,
        after: inst_count(f),
        memory: ir_memory(f),
    };
    report.runs.push(run);
    if let Some(o) = cx.observer {
        o.after(pass, f, &run);
    }
    match before {
        Some(before) => prove(f, options_after(report), Some(pass), &before),
        None => Ok(()),
    }
}

/// CLI-aware ops are legal until `expand` has run, values live into handlers until `eh-demote` has.
fn options_after(report: &PipelineReport) -> VerifyOptions {
    let has_run = |pass| report.runs.iter().any(|r| r.pass == pass);
    VerifyOptions {
        level: if has_run(PassId::Expand) {
            Level::Low
        } else {
            Level::Cli
        },
        eh_demoted: has_run(PassId::EhDemote),
    }
}
