//! The optimizer and the lowering of CLI-aware ops.
//!
//! A pass is one file with `pub fn run(&mut Function, &PassContext) -> bool` (true: something changed) and one row
//! of [`table::PASSES`]. The order of passes is data ([`table::PIPELINE`]), and so are the reasons for it
//! ([`table::ORDER`], checked by a test). Which optional passes run is an [`OptSet`]. Every pass runs inside
//! [`scope::run_pass`], which gives it time, dump and verification.

mod body_cache;
mod cursor;
mod known_class;
mod memory;
mod optset;
mod oracle;
mod proofs;
pub mod remarks;
mod scope;
mod ssa_repair;
mod survey;
pub mod table;

pub mod bounds_check_elim;
pub mod const_prop;
pub mod copy_prop;
pub mod dce;
pub mod devirtualize;
pub mod eh_demote;
pub mod eh_simplify;
pub mod escape_analysis;
pub mod expand;
pub mod gvn;
pub mod if_convert;
pub mod inline;
pub mod intrinsics;
pub mod jump_threading;
pub mod licm;
pub mod null_check_elim;
pub mod poll_elim;
pub mod promote_loads;
pub mod promote_slots;
pub mod rotate_loops;
pub mod sccp;
pub mod simplify_cfg;
pub mod split_loops;
pub mod sroa;
pub mod store_elim;
pub mod strength_reduce;
pub mod tail_calls;
pub mod tail_recursion;
pub mod type_check_elim;
pub mod vectorize;

pub use body_cache::BodyCache;
pub use cursor::Cursor;
pub use optset::{OptError, OptSet, help_text};
pub use oracle::{
    CastTest, DirectTarget, ElementFacts, InlineHint, InstanceFacts, KnownClass, NoFacts, Receiver,
    TypeOracle,
};
pub use scope::{PassError, PassObserver, PassRun, PipelineReport};

use crate::ir::{Function, Type};

/// How stores of references are told to the collector.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BarrierPolicy {
    /// Not at all: the collector scans the whole heap.
    #[default]
    None,
    /// A helper call after each store into the heap.
    Helper,
}

/// When [`run_pipeline`] proves that the function is valid IR.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verify {
    /// Never.
    Off,
    /// Before the first and after the last pass.
    Ends,
    /// After every pass too; the error then names the pass and has the IR from before it.
    Each,
}

/// What every pass may look at besides the function.
#[derive(Clone, Copy)]
pub struct PassContext<'a> {
    /// Facts about types and methods.
    pub oracle: &'a dyn TypeOracle,
    /// Write barriers.
    pub barriers: BarrierPolicy,
    /// The processor rounds floats in one instruction (`fround ffloor fceil ftrunc` may be used).
    pub has_round: bool,
    /// The processor counts bits in one instruction (`popcnt`).
    pub has_popcnt: bool,
    /// The largest vectors of the processor.
    pub vectors: Type,
    /// The optional passes that run: some ask others for help.
    pub passes: OptSet,
    /// Which results to prove.
    pub verify: Verify,
    /// Sees the function around every pass.
    pub observer: Option<&'a dyn PassObserver>,
    /// Where bodies for inlining are kept. It must always be used with the same processor features.
    pub bodies: Option<&'a BodyCache>,
    /// Who listens to [`PassContext::remark`].
    pub remarks: Option<&'a remarks::Remarks>,
}

impl<'a> PassContext<'a> {
    /// No barriers, no processor extensions; in debug builds the ends of the pipeline are verified.
    pub fn new(oracle: &'a dyn TypeOracle) -> PassContext<'a> {
        PassContext {
            oracle,
            barriers: BarrierPolicy::None,
            has_round: false,
            has_popcnt: false,
            vectors: Type::V128,
            passes: OptSet::default(),
            verify: if cfg!(debug_assertions) {
                Verify::Ends
            } else {
                Verify::Off
            },
            observer: None,
            bodies: None,
            remarks: None,
        }
    }
}

/// Runs the pipeline: the required passes and those in `opts`. Afterwards all ops are at `Low` level and handlers
/// have no live-in values. An error is a defect of a pass (or of the importer), never of the program compiled.
pub fn run_pipeline(
    f: &mut Function,
    opts: &OptSet,
    cx: &PassContext,
) -> Result<PipelineReport, PassError> {
    let cx = &PassContext {
        passes: *opts,
        ..*cx
    };
    let mut report = PipelineReport::default();
    scope::verify_input(f, cx)?;
    let mut survey = survey::Survey::new(f, cx);
    for &pass in table::PIPELINE {
        let wanted = pass.info().required || opts.contains(pass);
        survey.before(pass, f);
        if wanted && !table::is_idle(pass, &report.runs) {
            scope::run_pass(pass, f, cx, &mut report)?;
            survey.after(pass, f);
        }
    }
    survey.finish(f);
    scope::verify_output(f, cx)?;
    Ok(report)
}
