//! Runs regalloc2 over machine code.

use super::slots::share_slots;
use super::vcode::{MachInst, VCode};
use regalloc2::checker::Checker;
use regalloc2::{
    Algorithm, Allocation, Edit, Function, MachineEnv, Output, PRegSet, RegallocOptions,
};

/// How much work to put into register allocation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Allocator {
    /// One pass over each block, everything that crosses blocks in memory.
    Fast,
    /// Backtracking allocation over live ranges.
    Full,
}

/// Allocates registers; with `check`, proves the result by symbolic execution (slow).
/// An error is a defect of the instruction selection and says which.
pub fn allocate<I: MachInst>(
    code: &VCode<I>,
    env: &MachineEnv,
    allocator: Allocator,
    check: bool,
) -> Result<Output, String> {
    let options = RegallocOptions {
        verbose_log: false,
        validate_ssa: check,
        algorithm: match allocator {
            Allocator::Fast => Algorithm::Fastalloc,
            Allocator::Full => Algorithm::Ion,
        },
    };
    let mut output =
        regalloc2::run(code, env, &options).map_err(|e| format!("register allocation: {e}"))?;
    if check {
        let mut checker = Checker::new(code, env);
        checker.prepare(&output);
        checker
            .run()
            .map_err(|e| format!("register allocation checker: {e:?}"))?;
    }
    if allocator == Allocator::Fast {
        share_slots(code, &mut output);
    }
    Ok(output)
}

/// For each virtual register the instructions from its first occurrence to its last, in the order of the code, summed up.
/// A measure of how many values are live at a time and how long; linear to compute, exact but for loops.
pub fn total_live_length<I: MachInst>(code: &VCode<I>) -> u64 {
    let mut spans: Vec<(u32, u32)> = vec![(u32::MAX, 0); code.num_vregs()];
    for n in 0..code.num_insts() {
        for operand in code.inst_operands(regalloc2::Inst::new(n)) {
            let span = &mut spans[operand.vreg().vreg()];
            *span = (span.0.min(n as u32), n as u32);
        }
    }
    let lengths = spans
        .iter()
        .map(|(first, last)| u64::from(last.saturating_sub(*first)));
    lengths.sum()
}

/// Registers that the allocated code writes: allocations, moves and clobbers.
pub fn written_registers<I: MachInst>(code: &VCode<I>, output: &Output) -> PRegSet {
    let mut set = PRegSet::empty();
    let mut add = |a: Allocation| {
        if let Some(r) = a.as_reg() {
            set.add(r);
        }
    };
    output.allocs.iter().copied().for_each(&mut add);
    for (_, Edit::Move { to, .. }) in &output.edits {
        add(*to);
    }
    for c in code.all_clobbers() {
        set.union_from(c);
    }
    debug_assert_eq!(output.inst_alloc_offsets.len(), code.num_insts());
    set
}
