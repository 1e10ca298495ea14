//! Vectorization: counted loops over arrays do several rounds by one operation.
//!
//! ```text
//! block1(v2: i32, v3: i32):             block0:                        ; n = length of v0
//!     v5 = sext32 v2                        L = min(limit, n)
//!     v6 = addr_index v0, v5                brif 0 < L - 3, block2, block1(0, v3)
//!     v7 = load.i32 v6                  block2:
//!     v8 = iadd.i32 v3, v7                  brif 0 < L - 15, block3(0, zero, ..), block5(0, zero)
//!     v9 = iadd.i32 v2, 1               block3(w: i64, a0: v128, .. a3: v128):
//!     v10 = icmp slt v9, limit              a0' = vadd.v128 i32 a0, v0[w .. w + 4]
//!     poll                                  ... a3' = vadd.v128 i32 a3, v0[w + 12 .. w + 16]
//!     brif v10, block1(v9, v8), block7      w' = iadd.i64 w, 16
//!                                           poll
//!                                           brif w' < L - 15, block3(w', a0', ..), block4
//!                                       block4:
//!                                           a' = a0' + a1' + a2' + a3'
//!                                           brif w' < L - 3, block5(w', a'), block6(w', a')
//!                                       block5(w: i64, a: v128):       ; as block3 with one vector
//!                                       block6(w: i64, a: v128):
//!                                           s = v3 + vsum a
//!                                           brif trunc(w) < limit, block1(trunc(w), s), block7
//!                                       block1(v2: i32, v3: i32):      ; as before: the rest of the rounds
//! ```
//! The loop stays behind its vector version and does what is left, or everything if something could fail: see [`super::split_loops`], whose
//! analysis of what must be asked in front is used here. Vectorized are innermost loops of one path that count up by 1 and do nothing but
//! * read and write elements of one-dimensional arrays of numbers, of spans or behind pointers at the counter plus an invariant
//!   ([`address`]);
//! * compute with them what SSE or AVX2 can ([`PassContext::vectors`]): addition and so on ([`values`] has the list). Arithmetic on small integers is done in lanes of 8
//!   or 16 bits where the upper bits do not matter, else in lanes of 32; where lanes of different sizes meet, the smaller ones
//!   fill only a part of their vectors;
//! * divide 32-bit integers by constants ([`divide`]);
//! * choose between values by comparing integers;
//! * sum up integers, all or some, or find the smallest or largest one. Sums of floats depend on the order, so they stay as they are.
//!
//! Two arrays may be the same object. Accesses to the same index keep their order, and a read of what a later round writes
//! comes before it; for anything else the arrays are compared in front, addresses by how far they are from each other.
//!
//! Cost: as `split-loops`; runs `gvn` and `copy-prop` where references seem to change from round to round, which mostly shows that
//! they do not. Needs `rotate-loops` and `licm` before, and must come before `split-loops`, which makes loops
//! unrecognizable and takes care of the rest of the rounds. Invalidates everything about control flow.

mod address;
mod build;
mod compare;
mod divide;
mod plan;
mod sums;
mod values;

use super::PassContext;
use super::remarks::{Subject, Verdict, loop_loc};
use super::split_loops::shape;
use crate::analysis::{Cfg, Dominators, Loop, Loops};
use crate::ir::{Block, Function, Type};
use rustc_hash::FxHashSet;

/// Most loops vectorized in a function.
const MAX_LOOPS: usize = 24;

/// Runs the pass.
pub fn run(f: &mut Function, cx: &PassContext) -> bool {
    f.resolve_aliases();
    let mut done: FxHashSet<Block> = FxHashSet::default();
    let mut changed = false;
    let cfg = Cfg::new(f);
    let loops = Loops::new(&cfg, &Dominators::new(&cfg));
    if loops.loops.is_empty() {
        return false;
    }
    if has_changing_references(f, &cfg, &loops) {
        // Mostly fields with arrays and lengths, which rotation made the loop load twice and `licm` has moved out since.
        changed |= super::gvn::run(f, cx);
        changed |= super::copy_prop::run(f, cx);
        f.resolve_aliases();
    }
    for _ in 0..MAX_LOOPS {
        if !vectorize_one(f, cx, &mut done) {
            break;
        }
        changed = true;
    }
    if changed {
        super::promote_slots::run(f, cx);
    }
    changed
}

/// There is a loop to look at for which a reference is computed in each round, or that hands on what is computed outside.
fn has_changing_references(f: &Function, cfg: &Cfg, loops: &Loops) -> bool {
    let mut headers = loops.loops.iter().enumerate();
    headers.any(|(n, l)| {
        let params = &f.blocks[l.header.index()].params;
        let seems_to_change = |shape: &shape::Shape| {
            let branch = &f.insts[f.terminator(shape.latch).index()];
            let back = branch.targets.iter().filter(|t| t.block == l.header);
            let passed = back.flat_map(|t| params.iter().zip(&t.args));
            let mut passed = passed.filter(|(p, v)| p != v);
            passed.any(|(&p, &v)| f.ty(p) == Type::Ref || shape.is_outside(f, v))
        };
        !params.is_empty()
            && shape::find(f, cfg, loops, Loop(n as u32)).is_ok_and(|s| seems_to_change(&s))
    })
}

/// Vectorizes the first loop whose header is not among those done with; false if there is none.
fn vectorize_one(f: &mut Function, cx: &PassContext, done: &mut FxHashSet<Block>) -> bool {
    let cfg = Cfg::new(f);
    let doms = Dominators::new(&cfg);
    let loops = Loops::new(&cfg, &doms);
    for (n, l) in loops.loops.iter().enumerate() {
        let n = Loop(n as u32);
        if !done.insert(l.header) {
            continue;
        }
        let loc = loop_loc(f, l.header);
        let missed = |why: &str| {
            cx.remark("vectorize", Subject::Loop, f, loc, || {
                Verdict::missed(format!("not vectorized: {why}"))
            });
        };
        let shape = match shape::find(f, &cfg, &loops, n) {
            Ok(shape) => shape,
            Err(why) => {
                missed(why);
                continue;
            }
        };
        let (split, plan) = match plan::plan(f, &doms, &shape, cx.vectors) {
            Ok(plans) => plans,
            Err(why) => {
                missed(why);
                continue;
            }
        };
        cx.remark("vectorize", Subject::Loop, f, loc, || {
            let (rounds, ty) = (plan.rounds, plan.vector.name());
            Verdict::done(format!("vectorized: {rounds} rounds at a time, {ty}"))
        });
        done.extend(build::build(f, &shape, &split, &plan));
        return true;
    }
    false
}
