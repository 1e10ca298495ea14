//! The scope every pass runs in: timer, dump, verification with the IR from before on failure.

use super::PassContext;
use super::table::PassId;
use crate::ir::{Function, Level};
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
}

/// What the pipeline did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PipelineReport {
    /// Runs in order.
    pub runs: Vec<PassRun>,
}

/// A pass left a function that is not valid IR.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{function}: invalid IR {}: {message}", .pass.map_or("from the importer", |p| p.info().name))]
pub struct VerifyError {
    /// The function.
    pub function: String,
    /// The pass, `None` if the function was wrong before the first.
    pub pass: Option<PassId>,
    /// What is wrong.
    pub message: String,
    /// IR text from before the pass.
    pub before: String,
}

/// Proves the function the pipeline starts with, if the context asks for it.
pub(super) fn verify_input(f: &Function, cx: &PassContext) -> Result<(), VerifyError> {
    if !cx.verify {
        return Ok(());
    }
    verify(f, Level::Cli).map_err(|message| VerifyError {
        function: f.name.clone(),
        pass: None,
        message,
        before: text(f),
    })
}

/// Runs one pass.
pub(super) fn run_pass(
    pass: PassId,
    f: &mut Function,
    cx: &PassContext,
    report: &mut PipelineReport,
) -> Result<(), VerifyError> {
    let before = cx.verify.then(|| f.clone());
    if let Some(o) = cx.observer {
        o.before(pass, f);
    }
    let count = inst_count(f);
    let start = Instant::now();
    let changed = (pass.info().run)(f, cx);
    let run = PassRun {
        pass,
        changed,
        time: start.elapsed(),
        before: count,
        after: inst_count(f),
    };
    report.runs.push(run);
    if let Some(o) = cx.observer {
        o.after(pass, f, &run);
    }
    match before {
        Some(before) => verify(f, level_after(report)).map_err(|message| VerifyError {
            function: f.name.clone(),
            pass: Some(pass),
            message,
            before: text(&before),
        }),
        None => Ok(()),
    }
}

/// CLI-aware ops are legal until `expand` has run.
fn level_after(report: &PipelineReport) -> Level {
    if report.runs.iter().any(|r| r.pass == PassId::Expand) {
        Level::Low
    } else {
        Level::Cli
    }
}

fn inst_count(f: &Function) -> u32 {
    f.layout
        .iter()
        .map(|b| f.blocks[b.index()].insts.len() as u32)
        .sum()
}

/// The IR verifier, to be connected when it lands.
fn verify(_f: &Function, _level: Level) -> Result<(), String> {
    Ok(())
}

fn text(f: &Function) -> String {
    f.to_string()
}
