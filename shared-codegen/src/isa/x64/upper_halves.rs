//! Where the upper halves of vector registers have to be cleared.
//!
//! While they are not, SSE instructions are slow: each waits for the upper half of its destination. Functions with vectors
//! of 32 bytes have none (their scalars use the AVX encodings), but what they call and what calls them may. So `vzeroupper`
//! stands before calls and where such a function is left, unless nothing has touched an upper half on any way there.
//! A forward data flow over blocks; nothing in a register is live across a call, so the instruction changes no value.

use super::inst::MInst;
use super::operand::Lanes;
use crate::mach::order::{MBlock, Origin};
use crate::mach::vcode::VCode;
use regalloc2::{Edit, Output, ProgPoint, RegClass};

impl MInst {
    /// Writes the upper half of a vector register.
    pub(super) fn touches_upper_halves(&self) -> bool {
        match self {
            MInst::AvxMov { lanes, .. }
            | MInst::Avx { lanes, .. }
            | MInst::AvxImm { lanes, .. }
            | MInst::AvxUn { lanes, .. }
            | MInst::AvxUnImm { lanes, .. }
            | MInst::AvxShift { lanes, .. }
            | MInst::Broadcast { lanes, .. }
            | MInst::Fma { lanes, .. } => *lanes == Lanes::Y,
            MInst::Permq { .. } => true,
            _ => false,
        }
    }

    /// Goes to code of other functions.
    pub(super) fn leaves_function(&self) -> bool {
        matches!(
            self,
            MInst::Call { .. }
                | MInst::CallReg { .. }
                | MInst::AllocObject { .. }
                | MInst::AllocArray { .. }
                | MInst::Ret { .. }
                | MInst::FilterRet { .. }
                | MInst::JmpReg { .. }
                | MInst::JmpFixup { .. }
        )
    }
}

/// For each block whether upper halves may be in use where it starts.
pub(super) fn in_use(code: &VCode<MInst>, allocation: &Output) -> Vec<bool> {
    let blocks = &code.order.blocks;
    let mut starts = vec![false; blocks.len()];
    if code.float_bytes < 32 {
        return starts;
    }
    for &(_, handler) in &code.order.handlers {
        starts[handler.index()] = true;
    }
    let effects: Vec<Option<bool>> = (0..blocks.len())
        .map(|b| effect(code, allocation, MBlock(b as u32)))
        .collect();
    let mut changed = true;
    while changed {
        changed = false;
        for (b, block) in blocks.iter().enumerate() {
            let end = effects[b].unwrap_or(starts[b]);
            if !end || block.origin == Origin::Prologue {
                continue;
            }
            for s in &block.succs {
                changed |= !std::mem::replace(&mut starts[s.index()], true);
            }
        }
    }
    starts
}

/// Whether upper halves are in use at the end of a block, if it does not depend on its start.
fn effect(code: &VCode<MInst>, allocation: &Output, b: MBlock) -> Option<bool> {
    let mut state = None;
    let range = code.block_range(b);
    let point = |i| ProgPoint::before(regalloc2::Inst::new(i));
    let edits = &allocation.edits;
    let mut next = edits.partition_point(|(p, _)| *p < point(range.start));
    for i in range {
        while let Some((_, edit)) = edits.get(next).filter(|(p, _)| *p <= point(i)) {
            if moves_vectors(edit) {
                state = Some(true);
            }
            next += 1;
        }
        if code.insts[i].leaves_function() {
            state = Some(false);
        } else if code.insts[i].touches_upper_halves() {
            state = Some(true);
        }
    }
    state
}

/// A move of a whole vector register, or from memory to one.
pub(super) fn moves_vectors(edit: &Edit) -> bool {
    let Edit::Move { to, .. } = edit;
    to.as_reg().is_some_and(|r| r.class() == RegClass::Float)
}
