//! Bounds check elimination: removes checks that a dominating comparison and the way an index counts prove to pass.
//!
//! ```text
//! block1(v3: i32):                      ; v3 is 0 at entry, v9 around the loop
//!     v4 = array_len v0
//!     v5 = trunc v4
//!     v6 = icmp slt v3, v5
//!     brif v6, block2, block3
//! block2:
//!     bounds_check v3, v5               ; goes: 0 <= v3 < v5
//!     ...
//!     v9 = iadd.i32 v3, v8              ; v8 = 1; cannot overflow, v3 < v5
//!     jump block1(v9)
//! ```
//! `bounds_check i, n` goes if `i <u n` is known, or `i <s n` and `0 <= i`, by the proofs of `passes/proofs.rs`.
//!
//! Cost: checks times the bounded search of a proof. Needs `gvn` before, so that equal lengths are
//! equal values, and loops that are not rotated. Removes checks, and branches become foldable; keeps the control flow.

use super::PassContext;
use super::proofs::Prover;
use crate::analysis::{Cfg, Dominators};
use crate::ir::{Function, Inst, Op};
use rustc_hash::FxHashSet;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    let any = |op: Op| {
        let mut insts = f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts);
        insts.any(|i| f.insts[i.index()].op == op)
    };
    if !any(Op::BoundsCheck) {
        return false;
    }
    f.resolve_aliases();
    let cfg = Cfg::new(f);
    let doms = Dominators::new(&cfg);
    let mut proven: FxHashSet<Inst> = FxHashSet::default();
    let mut prover = Prover::new(f, &cfg, &doms);
    for &b in cfg.rpo() {
        for &i in &f.blocks[b.index()].insts {
            let data = &f.insts[i.index()];
            if data.op == Op::BoundsCheck && prover.in_bounds(data.args[0], data.args[1], b) {
                proven.insert(i);
            }
        }
    }
    for b in f.layout.clone() {
        f.blocks[b.index()].insts.retain(|i| !proven.contains(i));
    }
    !proven.is_empty()
}
