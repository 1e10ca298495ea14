//! The registers that may be allocated.

use super::regs::{self, RSP, gpr, xmm};
use crate::mach::regalloc::Allocator;
use regalloc2::{MachineEnv, PRegSet};

/// Everything but `rsp`, `rbp` and the thread register; registers that calls change come first.
/// The fast allocator knows no such order (it would begin with `r14`) and keeps nothing in registers
/// over block ends, so it does without registers that must be saved: a fifth less code.
pub fn machine_env(allocator: Allocator) -> MachineEnv {
    let reserved = [RSP, regs::RBP, regs::THREAD];
    let mut ints = PRegSet::empty();
    let mut kept = PRegSet::empty();
    for n in 0..16 {
        let r = gpr(n);
        if regs::CALLEE_SAVED.contains(&r) {
            if allocator == Allocator::Full {
                kept.add(r);
            }
        } else if !reserved.contains(&r) {
            ints.add(r);
        }
    }
    let mut floats = PRegSet::empty();
    for n in 0..16 {
        floats.add(xmm(n));
    }
    MachineEnv {
        preferred_regs_by_class: [ints, floats, PRegSet::empty()],
        non_preferred_regs_by_class: [kept, PRegSet::empty(), PRegSet::empty()],
        scratch_by_class: [None; 3],
        fixed_stack_slots: Vec::new(),
    }
}
