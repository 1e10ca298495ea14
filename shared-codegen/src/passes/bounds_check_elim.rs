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
//! `bounds_check i, n` goes if `i <u n` is known, or `i <s n` and `0 <= i`, by the proofs of `passes/proofs.rs`. So do branches on
//! such comparisons, which are how spans and lists check indexes, and on `i < 0`.
//!
//! Cost: checks times the bounded search of a proof. Needs `gvn` before, so that equal lengths are
//! equal values, and loops that are not rotated. Runs `simplify-cfg` if branches go: then it invalidates everything about control flow.

use super::PassContext;
use super::proofs::Prover;
use super::remarks::{Subject, Verdict};
use crate::analysis::{Cfg, Dominators};
use crate::ir::{Block, Function, Imm, Inst, InstData, Op, Type, Value, ValueDef};
use rustc_hash::FxHashSet;
use smallvec::SmallVec;

/// Runs the pass.
pub fn run(f: &mut Function, cx: &PassContext) -> bool {
    f.resolve_aliases();
    if !has_work(f) {
        return false;
    }
    let cfg = Cfg::new(f);
    let doms = Dominators::new(&cfg);
    let mut proven: FxHashSet<Inst> = FxHashSet::default();
    let mut decided: Vec<(Block, bool)> = Vec::new();
    let mut prover = Prover::new(f, &cfg, &doms);
    for &b in cfg.rpo() {
        for &i in &f.blocks[b.index()].insts {
            let data = &f.insts[i.index()];
            if data.op != Op::BoundsCheck {
                continue;
            }
            let (index, length) = (data.args[0], data.args[1]);
            let is_proven = prover.in_bounds(index, length, b);
            if is_proven {
                proven.insert(i);
            }
            cx.remark("bounds-check-elim", Subject::Check, f, data.loc, || {
                if is_proven {
                    return Verdict::done("bounds check removed");
                }
                let (why, what) = (prover.doubt(index, length, b), describe(f, index));
                Verdict::missed(format!("bounds check stays: the index, {what}, {why}"))
            });
        }
        if let Some(test) = test_of(f, b)
            && let Imm::IntCc(cc) = test.imm
            && let Some(holds) = prover.decide(cc, test.args[0], test.args[1], b)
        {
            decided.push((b, holds));
        }
    }
    if !proven.is_empty() {
        for b in f.layout.clone() {
            f.blocks[b.index()].insts.retain(|i| !proven.contains(i));
        }
    }
    for &(b, holds) in &decided {
        decide(f, b, holds);
    }
    if !decided.is_empty() {
        super::simplify_cfg::run(f, cx);
    }
    !proven.is_empty() || !decided.is_empty()
}

fn has_work(f: &Function) -> bool {
    f.layout.iter().any(|&b| {
        let mut insts = f.blocks[b.index()].insts.iter();
        insts.any(|i| f.insts[i.index()].op == Op::BoundsCheck) || test_of(f, b).is_some()
    })
}

/// The comparison that decides where a block goes.
fn test_of(f: &Function, b: Block) -> Option<&InstData> {
    let branch = &f.insts[f.terminator(b).index()];
    let test = &f.insts[f.def_inst(*branch.args.first()?)?.index()];
    (branch.op == Op::Brif && test.op == Op::Icmp).then_some(test)
}

/// The branch at the end of a block goes one way.
fn decide(f: &mut Function, b: Block, holds: bool) {
    let branch = f.terminator(b);
    let data = InstData {
        op: Op::Iconst,
        ty: Type::I32,
        args: SmallVec::new(),
        imm: Imm::Int(holds.into()),
        targets: SmallVec::new(),
        result: None,
        loc: f.insts[branch.index()].loc,
    };
    let constant = f.make_inst(data, Some(Type::I32));
    let insts = &mut f.blocks[b.index()].insts;
    insts.insert(insts.len() - 1, constant);
    f.insts[branch.index()].args[0] = f.insts[constant.index()]
        .result
        .expect("made with a result");
}

/// What an index is, for people.
fn describe(f: &Function, v: Value) -> String {
    match f.values[f.resolve(v).index()].def {
        ValueDef::Param(b, _) if Some(&b) == f.layout.first() => "an argument".to_owned(),
        ValueDef::Param(..) => "a variable".to_owned(),
        ValueDef::Result(i) => match f.insts[i.index()].op {
            Op::Iconst => "a constant".to_owned(),
            Op::Load | Op::SlotLoad => "loaded from memory".to_owned(),
            op => format!("computed by {}", op.info().name),
        },
        ValueDef::Alias(_) => "a variable".to_owned(),
    }
}
