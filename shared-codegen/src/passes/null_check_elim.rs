//! Null check elimination: removes checks of values that cannot be null.
//!
//! ```text
//! v2 = new_object type#1 v1         v2 = new_object type#1 v1
//! null_check v2                     null_check v0
//! null_check v0                     v3 = load.i32 i32+16 v0
//! v3 = load.i32 i32+16 v0
//! null_check v0
//! ```
//!
//! A value is not null if it is a fresh object, a constant object, an address of a slot, part of another such
//! value (`addr_add`, a cast), `this` in a function that says so ([`Function::this_non_null`]), or if
//! a check or a branch on a comparison with null dominates.
//!
//! Algorithm: walk over the dominator tree with a set of known values, from which a subtree's facts are taken out when it is
//! left. Dominance respects exceptional edges: facts of a protected block do not reach its handler.
//! Cost: linear, plus dominators. Needs nothing. Removes instructions only.

use super::PassContext;
use crate::analysis::{Cfg, Dominators, ValueSet};
use crate::ir::{Block, Function, Imm, IntCc, Op, Value};

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    if !has_checks(f) {
        return false;
    }
    let cfg = Cfg::new(f);
    let doms = Dominators::new(&cfg);
    let mut facts = Facts {
        known: ValueSet::new(f.values.len()),
        trail: Vec::new(),
    };
    if f.this_non_null
        && let Some(&this) = f.blocks[f.entry().index()].params.first()
    {
        facts.known.insert(this);
    }
    let mut changed = false;
    // Blocks still to be visited, with the length of the trail that holds for them.
    let mut stack = vec![(f.entry(), 0)];
    while let Some((b, trail)) = stack.pop() {
        facts.undo(trail);
        learn_from_branch(f, &cfg, b, &mut facts);
        changed |= visit(f, b, &mut facts);
        let trail = facts.trail.len();
        stack.extend(doms.children(b).map(|c| (c, trail)));
    }
    changed
}

fn has_checks(f: &Function) -> bool {
    let mut insts = f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts);
    insts.any(|i| f.insts[i.index()].op == Op::NullCheck)
}

/// Values known not to be null, and the order in which they became known.
struct Facts {
    known: ValueSet,
    trail: Vec<Value>,
}

impl Facts {
    fn add(&mut self, v: Value) {
        if self.known.insert(v) {
            self.trail.push(v);
        }
    }

    fn undo(&mut self, to: usize) {
        while self.trail.len() > to {
            if let Some(v) = self.trail.pop() {
                self.known.remove(v);
            }
        }
    }

    fn non_null(&self, f: &Function, v: Value) -> bool {
        let mut v = f.resolve(v);
        loop {
            if self.known.contains(v) {
                return true;
            }
            let Some(i) = f.def_inst(v) else { return false };
            let data = &f.insts[i.index()];
            match data.op {
                Op::NewObject
                | Op::NewArray
                | Op::AllocObject
                | Op::AllocArray
                | Op::Unbox
                | Op::SlotAddr
                | Op::CatchObject
                | Op::Const => return true,
                // Something inside an object that is there; unmanaged addresses may wrap to anything.
                Op::AddrCast => v = f.resolve(data.args[0]),
                Op::AddrAdd | Op::AddrIndex if f.ty(data.args[0]).is_managed() => {
                    v = f.resolve(data.args[0]);
                }
                Op::CastClass => v = f.resolve(data.args[1]),
                _ => return false,
            }
        }
    }
}

/// What the only branch into a block says.
fn learn_from_branch(f: &Function, cfg: &Cfg, b: Block, facts: &mut Facts) {
    let (&[p], []) = (cfg.preds(b), cfg.eh_preds(b)) else {
        return;
    };
    let branch = &f.insts[f.terminator(p).index()];
    if branch.op != Op::Brif {
        return;
    }
    let taken = branch.targets[0].block == b;
    let cond = f.resolve(branch.args[0]);
    let Some(i) = f.def_inst(cond) else { return };
    let test = &f.insts[i.index()];
    let Imm::IntCc(cc) = test.imm else { return };
    let is_null = |v: Value| f.const_of(v).is_some_and(|c| c.bits == 0);
    let (x, y) = (test.args[0], test.args[1]);
    let subject = match (is_null(x), is_null(y)) {
        (false, true) => x,
        (true, false) => y,
        _ => return,
    };
    let cc = if taken { cc } else { cc.inverse() };
    if cc == IntCc::Ne || (cc == IntCc::Ugt && subject == x) {
        let subject = f.resolve(subject);
        facts.add(subject);
        // The answer of a type test is the object.
        if let Some(i) = f.def_inst(subject)
            && f.insts[i.index()].op == Op::IsInst
        {
            facts.add(f.resolve(f.insts[i.index()].args[1]));
        }
    }
}

fn visit(f: &mut Function, b: Block, facts: &mut Facts) -> bool {
    let mut insts = std::mem::take(&mut f.blocks[b.index()].insts);
    let before = insts.len();
    insts.retain(|i| {
        let data = &f.insts[i.index()];
        if data.op != Op::NullCheck {
            return true;
        }
        let v = f.resolve(data.args[0]);
        let known = facts.non_null(f, v);
        facts.add(v);
        !known
    });
    let changed = insts.len() != before;
    f.blocks[b.index()].insts = insts;
    changed
}
