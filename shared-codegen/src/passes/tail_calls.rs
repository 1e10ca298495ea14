//! `tail-calls`: calls that asked to replace the frame (`tail.`) do so.
//!
//! ```text
//!     v3 = call tail method#5 sig0 v1, v2        tail_call method#5 sig0 v1, v2
//!     return v3
//! ```
//! also where the return stands in a block of its own that does nothing else, and for calls through an address.
//!
//! Whoever marked the call promises that nothing of the frame is passed, as far as the CIL goes; what passes made of it is
//! looked at again here. Calls in protected regions, and in functions that allocate on the stack dynamically, stay.
//! Whether the callee's stack arguments have room is the back end's to see.
//! Cost: linear. Needs the low level, and nothing that could make values live across calls after it; invalidates the
//! control flow.

use super::PassContext;
use crate::ir::{Block, CallInfo, Function, Imm, Inst, InstData, Op, Value, ValueDef, typing};
use smallvec::SmallVec;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    let mut changed = false;
    for site in sites(f) {
        let data = &f.insts[site.call.index()];
        let op = match data.op {
            Op::Call => Op::TailCall,
            Op::CallIndirect => Op::TailCallIndirect,
            _ => continue,
        };
        let Imm::Call(info) = data.imm else {
            continue;
        };
        if !info.tail || passes_frame(f, data) {
            continue;
        }
        let imm = Imm::Call(CallInfo {
            tail: false,
            ..info
        });
        let data = InstData {
            op,
            ty: typing::canonical_type(f, op, data.ty, &imm),
            imm,
            result: None,
            ..data.clone()
        };
        let leave = f.make_inst(data, None);
        let insts = &mut f.blocks[site.block.index()].insts;
        insts.truncate(insts.len() - 2);
        insts.push(leave);
        changed = true;
    }
    changed
}

/// A call whose result the function returns at once.
#[derive(Clone, Copy)]
pub(super) struct Site {
    /// Where it stands, as last but one instruction.
    pub(super) block: Block,
    /// The call.
    pub(super) call: Inst,
}

/// All calls whose result is returned at once, outside of protected regions. None if the frame may grow.
pub(super) fn sites(f: &Function) -> Vec<Site> {
    let mut found = Vec::new();
    for &block in &f.layout {
        let data = &f.blocks[block.index()];
        let insts = data.insts.iter().map(|i| &f.insts[i.index()]);
        if insts.clone().any(|d| d.op == Op::LocAlloc) {
            return Vec::new();
        }
        let [.., call, end] = data.insts[..] else {
            continue;
        };
        let d = &f.insts[call.index()];
        let Imm::Call(info) = d.imm else {
            continue;
        };
        if data.region.is_none()
            && f.sigs[info.sig.index()].ret == f.sig.ret
            && returns(f, end, d.result)
        {
            found.push(Site { block, call });
        }
    }
    found
}

/// Longest chain of empty blocks looked through.
const MAX_JUMPS: u32 = 4;

/// The terminator returns this value (nothing if the function has no result), perhaps by way of empty blocks.
fn returns(f: &Function, end: Inst, value: Option<Value>) -> bool {
    let mut value = value.map(|v| f.resolve(v));
    let mut end = end;
    for _ in 0..MAX_JUMPS {
        let data = &f.insts[end.index()];
        match data.op {
            Op::Return => return data.args.first().map(|v| f.resolve(*v)) == value,
            Op::Jump => {
                let to = &data.targets[0];
                let block = &f.blocks[to.block.index()];
                let [only] = block.insts[..] else {
                    return false;
                };
                if let Some(v) = value
                    && let Some(n) = to.args.iter().position(|a| f.resolve(*a) == v)
                {
                    value = Some(block.params[n]);
                }
                end = only;
            }
            _ => return false,
        }
    }
    false
}

/// An operand is an address in the frame.
pub(super) fn passes_frame(f: &Function, call: &InstData) -> bool {
    let mut work: SmallVec<[Value; 8]> = call.args.iter().map(|v| f.resolve(*v)).collect();
    let mut looked_at = 0;
    while let Some(v) = work.pop() {
        let ValueDef::Result(i) = f.values[v.index()].def else {
            continue;
        };
        let data = &f.insts[i.index()];
        looked_at += 1;
        match data.op {
            Op::SlotAddr => return true,
            Op::AddrAdd | Op::AddrIndex | Op::AddrCast | Op::Iadd | Op::Select => {
                work.extend(data.args.iter().map(|v| f.resolve(*v)));
            }
            _ => {}
        }
        if looked_at > MAX_LOOKED_AT {
            return true;
        }
    }
    false
}

/// Bound on the instructions behind an operand.
const MAX_LOOKED_AT: u32 = 256;
