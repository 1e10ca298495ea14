//! Strength reduction: signed operations on numbers that are not negative become unsigned ones, which cost less.
//!
//! ```text
//! v5 = sdiv.i32 v3, v4          v5 = udiv.i32 v3, v4         ; v3 counts up from 0, v4 = iconst.i32 8
//! v6 = srem.i32 v3, v4          v6 = urem.i32 v3, v4
//! v7 = sext32 v3                v7 = zext32 v3
//! ```
//! Of divisions by powers of two `const-prop` then makes a shift or a mask; other constants need no correction for negative
//! numbers; zero extension is free where the upper half of a register is clear anyway.
//!
//! Not negative is what `passes/proofs.rs` proves, and what has passed a bounds check on the way.
//! Cost: operations times the bounded search of a proof. Wants loops that are not rotated, as the proofs do. Keeps the control
//! flow and all values.

use super::PassContext;
use super::proofs::Prover;
use crate::analysis::{Cfg, Dominators};
use crate::ir::{Block, Function, Inst, Op, Value};
use rustc_hash::FxHashMap;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    let insts = f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts);
    if !{ insts }.any(|i| unsigned(f.insts[i.index()].op).is_some()) {
        return false;
    }
    f.resolve_aliases();
    let reductions = find(f);
    for &(i, op) in &reductions {
        f.insts[i.index()].op = op;
    }
    !reductions.is_empty()
}

/// The operation that does the same to operands that are not negative.
fn unsigned(op: Op) -> Option<Op> {
    Some(match op {
        Op::Sdiv => Op::Udiv,
        Op::DivS => Op::DivU,
        Op::Srem => Op::Urem,
        Op::RemS => Op::RemU,
        Op::Sext32 => Op::Zext32,
        _ => return None,
    })
}

fn find(f: &Function) -> Vec<(Inst, Op)> {
    let cfg = Cfg::new(f);
    let doms = Dominators::new(&cfg);
    let mut prover = Prover::new(f, &cfg, &doms);
    // Blocks in which an index has passed a bounds check.
    let mut checked: FxHashMap<Value, Vec<Block>> = FxHashMap::default();
    let mut found = Vec::new();
    for &b in cfg.rpo() {
        for &i in &f.blocks[b.index()].insts {
            let data = &f.insts[i.index()];
            if data.op == Op::BoundsCheck && prover.is_non_negative(data.args[1], b) {
                checked.entry(data.args[0]).or_default().push(b);
            }
            let Some(op) = unsigned(data.op) else {
                continue;
            };
            let passed = |v: &Value| {
                let blocks = checked.get(v).map_or(&[][..], Vec::as_slice);
                blocks.iter().any(|&c| doms.dominates(c, b))
            };
            let mut operands = data.args.iter().rev();
            if operands.all(|v| passed(v) || prover.is_non_negative(*v, b)) {
                found.push((i, op));
            }
        }
    }
    found
}
