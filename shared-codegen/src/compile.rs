//! From IR at `Low` level to code: the back end's table of contents.

use crate::emit::{CodeBlob, Reduced};
use crate::ir::{Function, Op};
use crate::isa::x64;
use crate::isa::x64::MInst;
pub use crate::isa::x64::emit::EmitOptions;
use crate::mach::anchors::anchor_values;
use crate::mach::regalloc::{self, Allocator};
use crate::stages::{Clock, Stage, inst_count};

/// How much effort to spend.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tier {
    /// Little: the code is needed now.
    Quick,
    /// All there is.
    Opt,
}

/// How code gets at runtime constants.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ConstPolicy {
    /// The value is known when the code is placed: immediates.
    Jit,
    /// The value is in a slot of the image's offset table.
    Aot,
}

/// The optional parts of the back end. [`passes::OptSet::machine`](crate::passes::OptSet::machine) says which a set of
/// optimizations has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MachinePasses {
    /// Tight loops begin at multiples of 16 bytes.
    pub align_loops: bool,
    /// Neighbouring instructions are simplified.
    pub peephole: bool,
    /// Loops stand in one piece, with one branch a round.
    pub gather_loops: bool,
    /// Values that loops only read stay in one place throughout the loop.
    pub anchor_values: bool,
}

impl MachinePasses {
    /// All of them.
    pub const ALL: MachinePasses = MachinePasses {
        align_loops: true,
        peephole: true,
        gather_loops: true,
        anchor_values: true,
    };
}

/// What to generate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodegenOptions {
    /// Effort.
    pub tier: Tier,
    /// Instruction-set extensions the code may use.
    pub features: x64::Features,
    /// Optional parts.
    pub machine: MachinePasses,
    /// Access to runtime constants.
    pub policy: ConstPolicy,
    /// Prove the register allocation (slow; for tests and `--verify`).
    pub checker: bool,
    /// Also deliver assembler text.
    pub text: bool,
}

impl CodegenOptions {
    /// Quick code for this process, for the baseline processor.
    pub fn jit() -> CodegenOptions {
        CodegenOptions {
            tier: Tier::Quick,
            features: x64::Features::empty(),
            machine: MachinePasses::default(),
            policy: ConstPolicy::Jit,
            checker: false,
            text: false,
        }
    }
}

/// Why a function could not be compiled.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CompileError {
    /// An op the back end does not know (or should have been expanded before).
    #[error("no instruction selection rule for `{}`", .0.info().name)]
    Unsupported(Op),
    /// The frame or the code exceeds what the formats can express.
    #[error("function too large: {0}")]
    TooLarge(&'static str),
    /// A defect of the code generator.
    #[error("internal error: {0}")]
    Internal(String),
}

/// Sum of the live lengths of all registers, in instructions, up to which the thorough allocator is used. Its time
/// grows with this sum: about a third of a second here.
const MAX_LIVE_LENGTH: u64 = 1 << 24;

/// Most blocks for which the thorough allocator is used: joining live ranges across them takes time quadratic in their
/// number, about half a second here.
const MAX_BLOCKS: usize = 12_000;

/// Compiles a function whose ops are all at `Low` level.
pub fn compile(f: &Function, options: &CodegenOptions) -> Result<CodeBlob, CompileError> {
    let emission = EmitOptions {
        text: options.text.then_some(""),
        ..x64::finish::emit_options(options.policy)
    };
    compile_with(f, options, &emission)
}

/// The same with full control over emission: local symbols of the text, direct calls.
pub fn compile_with(
    f: &Function,
    options: &CodegenOptions,
    emission: &EmitOptions<'_>,
) -> Result<CodeBlob, CompileError> {
    let mut clock = Clock::start();
    x64::live::check_handlers(f)?;
    let mut lowered = x64::lower::lower(f, options.features, options.policy)?;
    let selection = clock.lap();
    let selected = regalloc2::Function::num_insts(&lowered.code);
    let hard = lowered.code.order.blocks.len() > MAX_BLOCKS
        || regalloc::total_live_length(&lowered.code) > MAX_LIVE_LENGTH;
    let (allocator, reduced) = match options.tier {
        Tier::Quick => (Allocator::Fast, None),
        Tier::Opt if hard => (Allocator::Fast, Some(Reduced::Registers)),
        Tier::Opt => (Allocator::Full, None),
    };
    if options.machine.anchor_values && allocator == Allocator::Full {
        anchor_values(&mut lowered.code, &MInst::keep);
    }
    let env = x64::env::machine_env(allocator);
    let allocation = regalloc::allocate(&lowered.code, &env, allocator, options.checker)
        .map_err(CompileError::Internal)?;
    let (allocating, moves) = (clock.lap(), allocation.edits.len());
    let (blob, polished) = x64::finish::finish(f, lowered, &allocation, options.machine, emission)?;
    let size = size_of::<x64::inst::MInst>();
    let stage = |name, time, before: usize, after: usize, memory| Stage {
        name,
        time,
        before: before as u32,
        after: after as u32,
        memory,
    };
    let count = inst_count(f) as usize;
    let done = selected + moves;
    let emission = clock.lap().saturating_sub(polished.time);
    let mut stages = vec![
        stage("selection", selection, count, selected, selected * size),
        stage("registers", allocating, selected, done, done * size),
        stage("emission", emission, done, done, blob.code.len()),
    ];
    if options.machine.peephole {
        let (before, after) = (polished.before, polished.after);
        stages.push(stage(
            "peephole",
            polished.time,
            before,
            after,
            after * size,
        ));
    }
    Ok(CodeBlob {
        reduced,
        stages,
        ..blob
    })
}
