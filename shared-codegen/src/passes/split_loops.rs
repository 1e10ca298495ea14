//! Loop splitting: the rounds of a counted loop that cannot fail run in a copy without bounds checks, several rounds at a time.
//!
//! ```text
//! block1(v2: i32):                      block0:                        ; n = length of v0
//!     bounds_check v2, v4                   L = min(limit, n)
//!     v5 = sext32 v2                        brif 0 < L - 3, block2(0), block1(0)
//!     ... v0[v5] ...                    block2(w: i64):
//!     v7 = iadd.i32 v2, 1                   ... v0[w], v0[w + 1], v0[w + 2], v0[w + 3] ...
//!     v8 = icmp slt v7, limit               w4 = iadd.i64 w, 4
//!     poll                                  poll
//!     brif v8, block1(v7), block3           brif w4 < L - 3, block2(w4), block4
//!                                       block4:
//!                                           brif trunc(w4) < limit, block1(trunc(w4)), block3
//!                                       block1(v2: i32):               ; as before: the rest of the rounds
//! ```
//! The original loop stays behind the copy and does what is left: the last rounds, or all of them if something could fail. So every
//! exception is raised in its round, by the code that always did it. In the copy:
//! * a check of `i + c` (or `i - x` with an invariant `x`, as arrays with lower bounds have it) against an invariant length is gone,
//!   the `L` above is small enough for it; so are branches `i + c <u n` and `i + c < n`, and checks of invariant indices, which are tested in front;
//! * objects whose lengths were asked in front are not tested for null;
//! * the counter has 64 bits, so that it needs no extension for addressing;
//! * there is one poll and one test of the counter for [`bounds::unroll_factor`] rounds.
//!
//! What is asked in front may itself be computed in the loop (lengths, fields not written in it), if that cannot fault: see
//! [`bounds`]. HotSpot's "range check elimination" makes such pre-, main and post-loops (Paleczny, Vick, Click: "The Java HotSpot Server
//! Compiler", JVM 2001); here the post-loop serves as the slow version too.
//!
//! Limits: innermost rotated loops without calls, up to [`shape::MAX_BLOCKS`] blocks and [`shape::MAX_INSTS`] instructions, [`MAX_LOOPS`] of a function.
//! Cost: control flow is computed anew for each loop split, then linear in its size. Needs `rotate-loops` and `licm` before;
//! runs `licm` after itself, which finds more in the copies. Invalidates everything about control flow.

pub(super) mod bounds;
mod build;
pub(super) mod front;
pub(super) mod shape;

use super::PassContext;
use super::remarks::{Subject, Verdict, loop_loc};
use crate::analysis::{Cfg, Dominators, Loop, Loops};
use crate::ir::{Block, Function, Op};
use rustc_hash::FxHashSet;

/// Most loops split in a function.
const MAX_LOOPS: usize = 48;

/// Runs the pass.
pub fn run(f: &mut Function, cx: &PassContext) -> bool {
    f.resolve_aliases();
    let mut done: FxHashSet<Block> = FxHashSet::default();
    let mut changed = false;
    for _ in 0..MAX_LOOPS {
        if !split_one(f, cx, &mut done) {
            break;
        }
        changed = true;
    }
    if changed {
        super::promote_slots::run(f, cx);
        super::licm::run(f, cx);
    }
    changed
}

/// Splits the first loop whose header is not among those done with; false if there is none.
fn split_one(f: &mut Function, cx: &PassContext, done: &mut FxHashSet<Block>) -> bool {
    let cfg = Cfg::new(f);
    let doms = Dominators::new(&cfg);
    let loops = Loops::new(&cfg, &doms);
    for (n, l) in loops.loops.iter().enumerate() {
        if !done.insert(l.header) {
            continue;
        }
        let loc = loop_loc(f, l.header);
        let missed = |why: &str| {
            let innermost = loops.loops.iter().all(|x| x.parent != Some(Loop(n as u32)));
            if innermost && has_vectors(f, &l.blocks) {
                return;
            }
            cx.remark("split-loops", Subject::Loop, f, loc, || {
                Verdict::missed(format!("not split: {why}"))
            });
        };
        let shape = match shape::find(f, &cfg, &loops, Loop(n as u32)) {
            Ok(shape) => shape,
            Err(why) => {
                missed(why);
                continue;
            }
        };
        let plan = bounds::plan(f, &doms, &shape);
        if !plan.is_worthwhile() {
            missed("no check to remove, too large to unroll");
            continue;
        }
        for i in plan.removed.keys() {
            let data = &f.insts[i.index()];
            if data.op == Op::BoundsCheck {
                cx.remark("split-loops", Subject::Check, f, data.loc, || {
                    Verdict::done("bounds check removed from the rounds that cannot fail")
                });
            }
        }
        cx.remark("split-loops", Subject::Loop, f, loc, || {
            Verdict::done(format!(
                "split: {} checks removed, {} rounds at a time",
                plan.removed.len(),
                plan.rounds
            ))
        });
        done.insert(build::build(f, &shape, &plan));
        return true;
    }
    false
}

/// `vectorize` has made the loop, and has said so.
fn has_vectors(f: &Function, blocks: &[Block]) -> bool {
    let mut insts = blocks.iter().flat_map(|b| &f.blocks[b.index()].insts);
    insts.any(|i| f.insts[i.index()].ty.is_vector())
}
