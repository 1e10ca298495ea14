//! Copy propagation: removes block parameters that always have one value, and rewrites operands to what their aliases lead to.
//!
//! ```text
//! block1(v5: i32, v6: i32):         block1(v6: i32):
//!     v7 = iadd.i32 v5, v6              v7 = iadd.i32 v0, v6
//!     brif v7, block1(v5, v7), ..       brif v7, block1(v7), ..
//! ```
//! when the other branches to `block1` pass `v0` for `v5`.
//!
//! Algorithm: a parameter whose arguments are all one value or itself becomes an alias of that value (the trivial φ of Braun et
//! al., CC 2013); again until nothing changes, as one removal can make others trivial. Casts to the same type and selects
//! between equal values go too. Arguments are removed in one sweep at the end.
//! Cost: linear per round, few rounds in practice.
//! Needs nothing. Keeps the control flow; invalidates uses and liveness.

use super::PassContext;
use crate::ir::{Block, Function, Op, Value, ValueDef};

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    let copies = remove_copies(f);
    let edges = EdgeArgs::new(f);
    let mut removed = false;
    while edges.remove_trivial(f) {
        removed = true;
    }
    if removed {
        drop_aliased_params(f);
    }
    if copies || removed {
        f.resolve_aliases();
    }
    copies || removed
}

/// Instructions that give back one of their operands.
fn remove_copies(f: &mut Function) -> bool {
    let mut changed = false;
    for n in 0..f.layout.len() {
        let block = f.layout[n].index();
        let mut insts = std::mem::take(&mut f.blocks[block].insts);
        insts.retain(|i| {
            let data = &f.insts[i.index()];
            let same = match data.op {
                Op::AddrCast if f.ty(data.args[0]) == data.ty => data.args[0],
                Op::Select if f.resolve(data.args[1]) == f.resolve(data.args[2]) => data.args[1],
                _ => return true,
            };
            let result = data.result.expect("both ops have a result");
            f.replace(result, same);
            changed = true;
            false
        });
        f.blocks[block].insts = insts;
    }
    changed
}

/// The arguments of all branches to each block.
struct EdgeArgs {
    of: Vec<Vec<(crate::ir::Inst, u32)>>,
}

impl EdgeArgs {
    fn new(f: &Function) -> EdgeArgs {
        let mut of = vec![Vec::new(); f.blocks.len()];
        for &b in &f.layout {
            let t = f.terminator(b);
            for (n, target) in f.insts[t.index()].targets.iter().enumerate() {
                of[target.block.index()].push((t, n as u32));
            }
        }
        EdgeArgs { of }
    }

    /// One round over all parameters that are left.
    fn remove_trivial(&self, f: &mut Function) -> bool {
        let mut changed = false;
        let entry = f.entry();
        for n in 0..f.layout.len() {
            let b = f.layout[n];
            if b == entry {
                continue;
            }
            for p in 0..f.blocks[b.index()].params.len() {
                let v = f.blocks[b.index()].params[p];
                if matches!(f.values[v.index()].def, ValueDef::Alias(_)) {
                    continue;
                }
                if let Some(w) = self.only_value(f, b, p, v) {
                    f.replace(v, w);
                    changed = true;
                }
            }
        }
        changed
    }

    fn only_value(&self, f: &Function, b: Block, p: usize, v: Value) -> Option<Value> {
        let mut only = None;
        for &(inst, target) in &self.of[b.index()] {
            let arg = f.resolve(f.insts[inst.index()].targets[target as usize].args[p]);
            if arg == v || only == Some(arg) {
                continue;
            }
            if only.is_some() {
                return None;
            }
            only = Some(arg);
        }
        only
    }
}

/// Takes parameters that became aliases out of their blocks, with the arguments of all branches.
fn drop_aliased_params(f: &mut Function) {
    let values = &f.values;
    let keep: Vec<Vec<bool>> = f
        .blocks
        .iter()
        .map(|b| {
            let alias = |v: &Value| matches!(values[v.index()].def, ValueDef::Alias(_));
            b.params.iter().map(|v| !alias(v)).collect()
        })
        .collect();
    f.retain_params(|b, n| keep[b.index()][n]);
}
