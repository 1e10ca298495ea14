//! Keeps values that loops only read where they are throughout the loop.
//!
//! The allocator splits live ranges where registers run out and leaves what lies between the split and the next use to
//! whatever is free, a register or the frame. It sees the code as a line: a value made in front of a loop and used in its
//! middle may be left somewhere else from the loop's head to that use, and be moved back and forth in every round:
//! ```text
//! head:  ..                      before: moves in every round
//!        movq %r12, %rax
//!        movl 32(%rax,%rcx,4), %edx
//!        ..
//!        movq %rax, %r12
//!        jmp head
//! ```
//! Therefore such a value gets two more uses that need neither a register nor code: at the end of the block in
//! front of the loop and at the end of the loop. What is left over then ends in front of the loop or begins behind it.
//!
//! Linear in the code for each level of loops; loops nested more than [`MAX_DEPTH`] deep and values beyond the
//! first [`MAX_VALUES`] of a loop are left alone.

use super::loops::{Loop, natural_loops};
use super::order::MBlock;
use super::vcode::{MachInst, VCode};
use regalloc2::{Block, Function, Inst, OperandKind, VReg};
use rustc_hash::FxHashSet;

/// Values of one loop; there are not more registers.
const MAX_VALUES: usize = 24;
/// Loops around each other that are looked at, from the innermost.
const MAX_DEPTH: u32 = 3;

/// Adds the uses. `keep` makes an instruction that does nothing but use a register.
pub fn anchor_values<I: MachInst>(code: &mut VCode<I>, keep: &dyn Fn(VReg) -> I) {
    let mut added = Vec::new();
    for round in natural_loops(&code.order) {
        if round.height >= MAX_DEPTH {
            continue;
        }
        let preds = code.order.blocks[round.head].preds.iter();
        let mut entries = preds.filter(|p| p.index() < round.head);
        let (Some(&front), None) = (entries.next(), entries.next()) else {
            continue;
        };
        let last = round.body.last().copied().unwrap_or(round.head);
        for v in read_only(code, &round) {
            for block in [front, MBlock(last as u32)] {
                let at = code.block_range(block).end - 1;
                added.push((at, keep(v)));
            }
        }
    }
    if !added.is_empty() {
        added.sort_by_key(|(at, _)| *at);
        code.insert(added);
    }
}

/// Registers that a loop reads and does not write, in the order of their first use.
fn read_only<I: MachInst>(code: &VCode<I>, round: &Loop) -> Vec<VReg> {
    let blocks = round.body.iter().copied();
    let operands = blocks
        .clone()
        .flat_map(|b| code.block_range(MBlock(b as u32)))
        .flat_map(|i| code.inst_operands(Inst::new(i)));
    let params = blocks.flat_map(|b| code.block_params(Block::new(b)));
    let written = operands.clone().filter(|o| o.kind() == OperandKind::Def);
    let written = written.map(|o| o.vreg()).chain(params.copied());
    let mut other: FxHashSet<VReg> = written.collect();
    let read = operands.filter(|o| o.kind() == OperandKind::Use);
    let new = read.map(|o| o.vreg()).filter(|v| other.insert(*v));
    new.take(MAX_VALUES).collect()
}
