//! Dead code elimination: operations, block parameters and stores to slots that nothing needs.
//!
//! ```text
//! block0(v0: i32):                  block0(v0: i32):
//!     v1 = imul.i32 v0, v0              jump block1
//!     slot_store.i32 ss0+0 i32 v0   block1:
//!     jump block1(v1)                   return v0
//! block1(v2: i32):
//!     return v0
//! ```
//!
//! Algorithm: marking from the instructions that have an effect (Cytron et al. 1991, without control dependence). A branch needs
//! its condition; its arguments are needed only if the parameter is. A store to a slot whose address nobody takes and from
//! which nobody loads has no effect; slots the runtime reads (EH slots) are left alone.
//! Cost: linear. Needs nothing. Keeps the control flow; invalidates uses and liveness.

use super::PassContext;
use crate::abi::helper::Effects;
use crate::ir::{Function, Imm, InstData, Op, Value, ValueDef};

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    let marks = Marks::new(f);
    sweep(f, &marks)
}

struct Marks {
    /// Values that are needed.
    live: Vec<bool>,
    /// Slots from which something may be read.
    read_slots: Vec<bool>,
}

impl Marks {
    fn new(f: &Function) -> Marks {
        let mut marks = Marks {
            live: vec![false; f.values.len()],
            read_slots: read_slots(f),
        };
        let edges = param_arguments(f);
        let mut work = Vec::new();
        for &b in &f.layout {
            for i in &f.blocks[b.index()].insts {
                let data = &f.insts[i.index()];
                if !marks.removable(data) {
                    work.extend(data.args.iter().map(|&v| f.resolve(v)));
                }
            }
        }
        for &p in &f.blocks[f.entry().index()].params {
            work.push(p);
        }
        while let Some(v) = work.pop() {
            if std::mem::replace(&mut marks.live[v.index()], true) {
                continue;
            }
            match f.values[v.index()].def {
                ValueDef::Result(i) => {
                    let args = &f.insts[i.index()].args;
                    work.extend(args.iter().map(|&a| f.resolve(a)));
                }
                ValueDef::Param(b, n) => {
                    for &(inst, target) in &edges[b.index()] {
                        let args = &f.insts[inst.index()].targets[target as usize].args;
                        work.push(f.resolve(args[n as usize]));
                    }
                }
                ValueDef::Alias(_) => {}
            }
        }
        marks
    }

    /// The instruction goes if its result is not needed.
    fn removable(&self, data: &InstData) -> bool {
        match data.imm {
            Imm::Slot(s, ..) if data.op == Op::SlotStore => !self.read_slots[s.index()],
            Imm::Helper(h) => h.info().effects == Effects::PURE,
            Imm::Mem(m) if m.volatile => false,
            _ => data.op.is_removable(),
        }
    }
}

fn read_slots(f: &Function) -> Vec<bool> {
    let mut read: Vec<bool> = f.slots.iter().map(|s| s.eh.is_some()).collect();
    for &b in &f.layout {
        for i in &f.blocks[b.index()].insts {
            let data = &f.insts[i.index()];
            if let (Imm::Slot(s, ..), true) = (data.imm, data.op != Op::SlotStore) {
                read[s.index()] = true;
            }
        }
    }
    read
}

/// For each block the branches to it: instruction and number of the target.
fn param_arguments(f: &Function) -> Vec<Vec<(crate::ir::Inst, u32)>> {
    let mut edges = vec![Vec::new(); f.blocks.len()];
    for &b in &f.layout {
        let t = f.terminator(b);
        for (n, target) in f.insts[t.index()].targets.iter().enumerate() {
            if !target.args.is_empty() {
                edges[target.block.index()].push((t, n as u32));
            }
        }
    }
    edges
}

fn sweep(f: &mut Function, marks: &Marks) -> bool {
    let mut changed = false;
    for n in 0..f.layout.len() {
        let block = f.layout[n].index();
        let mut insts = std::mem::take(&mut f.blocks[block].insts);
        let before = insts.len();
        insts.retain(|i| {
            let data = &f.insts[i.index()];
            let needed = |v: Value| marks.live[v.index()];
            !marks.removable(data) || data.result.is_some_and(needed)
        });
        changed |= insts.len() != before;
        f.blocks[block].insts = insts;
    }
    let keep: Vec<Vec<bool>> = f
        .blocks
        .iter()
        .map(|b| b.params.iter().map(|v| marks.live[v.index()]).collect())
        .collect();
    f.retain_params(|b, n| keep[b.index()][n]) | changed
}
