//! Copy propagation: removes block parameters that always have one value, and rewrites operands to what their aliases lead to.
//!
//! ```text
//! block1(v5: i32, v6: i32):         block1(v6: i32):
//!     v7 = iadd.i32 v5, v6              v7 = iadd.i32 v0, v6
//!     brif v7, block1(v5, v7), ..       brif v7, block1(v7), ..
//! ```
//! when the other branches to `block1` pass `v0` for `v5`.
//!
//! Algorithm: an optimistic fixed point. At first no parameter stands for anything; then each stands for what all its arguments
//! stand for, or for itself if they differ. So parameters that only pass each other around are found too (the redundant sets of φ
//! of Braun et al., CC 2013, which bodies inlined into loops with several ways in have). Casts to the same type and selects
//! between equal values go as well. Arguments are removed in one sweep at the end.
//! Cost: a parameter changes at most three times; linear per round, few rounds in practice.
//! Needs nothing. Keeps the control flow; invalidates uses and liveness.

use super::PassContext;
use crate::ir::{Function, Inst, Op, Value, ValueDef};

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    let copies = remove_copies(f);
    let removed = remove_redundant(f);
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

/// Makes parameters aliases of the one value that they always have.
fn remove_redundant(f: &mut Function) -> bool {
    let meanings = Meanings::new(f);
    let mut changed = false;
    for n in 0..f.layout.len() {
        for v in f.blocks[f.layout[n].index()].params.clone() {
            if let Some(w) = meanings.of[v.index()].filter(|&w| w != v) {
                f.replace(v, w);
                changed = true;
            }
        }
    }
    changed
}

/// What values stand for; parameters nobody passes anything to stand for nothing.
struct Meanings {
    of: Vec<Option<Value>>,
}

impl Meanings {
    fn new(f: &Function) -> Meanings {
        let mut edges: Vec<Vec<(Inst, usize)>> = vec![Vec::new(); f.blocks.len()];
        for &b in &f.layout {
            let t = f.terminator(b);
            for (n, target) in f.insts[t.index()].targets.iter().enumerate() {
                edges[target.block.index()].push((t, n));
            }
        }
        let mut meanings = Meanings {
            of: (0..f.values.len()).map(|n| Some(Value(n as u32))).collect(),
        };
        // The arguments of the entry and of handlers come from outside.
        let is_open = |b: &crate::ir::Block| *b != f.entry() && !edges[b.index()].is_empty();
        let blocks: Vec<_> = f.layout.iter().copied().filter(is_open).collect();
        for b in &blocks {
            for p in &f.blocks[b.index()].params {
                if !matches!(f.values[p.index()].def, ValueDef::Alias(_)) {
                    meanings.of[p.index()] = None;
                }
            }
        }
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for b in &blocks {
                for (n, &p) in f.blocks[b.index()].params.iter().enumerate() {
                    changed |= meanings.update(f, &edges[b.index()], n, p);
                }
            }
        }
        meanings
    }

    /// Looks at the arguments of a parameter again; tells whether it stands for something else now.
    fn update(&mut self, f: &Function, edges: &[(Inst, usize)], n: usize, p: Value) -> bool {
        let old = self.of[p.index()];
        if old == Some(p) {
            return false;
        }
        let mut new = None;
        for &(inst, target) in edges {
            let arg = f.resolve(f.insts[inst.index()].targets[target].args[n]);
            match (self.of[arg.index()], new) {
                _ if arg == p => {}
                (None, _) => {}
                (meaning, None) => new = meaning,
                (meaning, _) if meaning == new => {}
                _ => new = Some(p),
            }
        }
        self.of[p.index()] = new;
        new != old
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
