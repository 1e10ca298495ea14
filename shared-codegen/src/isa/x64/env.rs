//! The registers that may be allocated.

use super::regs::{self, RSP, gpr, xmm};
use regalloc2::{MachineEnv, PRegSet};

/// Everything but `rsp`, `rbp` and the thread register; registers that calls change come first.
pub fn machine_env() -> MachineEnv {
    let reserved = [RSP, regs::RBP, regs::THREAD];
    let mut ints = PRegSet::empty();
    let mut kept = PRegSet::empty();
    for n in 0..16 {
        let r = gpr(n);
        if regs::CALLEE_SAVED.contains(&r) {
            kept.add(r);
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
