//! Poll elimination: one safepoint poll in each round of a loop is enough, and none is needed where nothing is repeated.
//!
//! ```text
//! block1(v1: i32):                      block1(v1: i32):
//!     poll                                  poll
//!     brif v1, block2, block3               brif v1, block2, block3
//! block2:                               block2:
//!     v2 = isub.i32 v1, v3                  v2 = isub.i32 v1, v3
//!     poll
//!     jump block1(v2)                       jump block1(v2)
//! ```
//! Threads must come to a safepoint in bounded time, so every cycle has a poll (functions that call poll when they are
//! entered). A poll outside of all loops is left over from a loop that was unrolled or turned out to be none. In a loop
//! a poll is not needed if another one of the same loop, not of one inside it, dominates it: whoever comes to the one a
//! second time has passed the header, and so the other.
//!
//! Functions with irreducible cycles keep all their polls. Cost: linear but for the dominator queries, at most [`MAX_KEPT`] per
//! poll. Needs nothing; after the passes that copy or dissolve loops. Keeps the control flow.

use super::PassContext;
use crate::analysis::{Cfg, Dominators, Loop, Loops};
use crate::ir::{Block, Function, Op};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Most polls of a loop that others are compared with.
const MAX_KEPT: usize = 8;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    let mut insts = f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts);
    if !insts.any(|i| f.insts[i.index()].op == Op::Poll) {
        return false;
    }
    let cfg = Cfg::new(f);
    let doms = Dominators::new(&cfg);
    let loops = Loops::new(&cfg, &doms);
    if loops.irreducible {
        return false;
    }
    let mut kept: FxHashMap<Loop, SmallVec<[Block; MAX_KEPT]>> = FxHashMap::default();
    let mut changed = false;
    for &b in cfg.rpo() {
        let mut insts = std::mem::take(&mut f.blocks[b.index()].insts);
        let before = insts.len();
        insts.retain(|i| {
            f.insts[i.index()].op != Op::Poll
                || loops.innermost(b).is_some_and(|l| {
                    let kept = kept.entry(l).or_default();
                    let needed = !kept.iter().any(|&k| doms.dominates(k, b));
                    if needed && kept.len() < MAX_KEPT {
                        kept.push(b);
                    }
                    needed
                })
        });
        changed |= insts.len() != before;
        f.blocks[b.index()].insts = insts;
    }
    changed
}
