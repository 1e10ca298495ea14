//! Loop rotation: a loop with its test at the top gets it at the bottom, and a copy of the test in front.
//!
//! ```text
//! block0(v0: i32):                      block0(v0: i32):
//!     jump block1(v0)                       v5 = icmp sgt v0, v1
//! block1(v2: i32):                          brif v5, block2(v0), block3
//!     v3 = icmp sgt v2, v1              block2(v6: i32):
//!     brif v3, block2, block3               v4 = isub.i32 v6, v7
//! block2:                                   v3 = icmp sgt v4, v1
//!     v4 = isub.i32 v2, v7                  brif v3, block2(v4), block3
//!     jump block1(v4)                   block3:
//! block3:
//! ```
//! One branch less per round, and what the body does first is sure to run once the loop is entered, so `licm` may hoist checks
//! and loads from it.
//!
//! Algorithm: the header is copied for the edges into the loop. What it defines for others has two definitions then; it goes
//! through stack slots, which `promote-slots` turns into values with block parameters where needed. Headers of more than
//! [`MAX_HEADER`] instructions, with calls, or that do not leave the loop stay as they are.
//! Inner loops go first. Cost: loops are computed anew after each
//! rotation; then the promotion. Needs nothing; after `bounds-check-elim`, whose proofs want the test on
//! top. Invalidates everything about control flow.

use super::PassContext;
use super::ssa_repair::spill_definitions;
use crate::analysis::{Cfg, Dominators, Loop, Loops};
use crate::ir::{Block, Function, Fx, Inst, Op, Value};
use rustc_hash::{FxHashMap, FxHashSet};

/// Most loops rotated in a function: each needs the loops computed anew.
const MAX_LOOPS: usize = 64;
/// Longest header copied.
const MAX_HEADER: usize = 16;

/// Runs the pass.
pub fn run(f: &mut Function, cx: &PassContext) -> bool {
    f.resolve_aliases();
    // Headers that are done with, as they were or after rotation.
    let mut done: FxHashSet<Block> = FxHashSet::default();
    let mut changed = false;
    for _ in 0..MAX_LOOPS {
        let cfg = Cfg::new(f);
        let loops = Loops::new(&cfg, &Dominators::new(&cfg));
        let fresh = |n: &usize| !done.contains(&loops.loops[*n].header);
        let fit = |n: &usize| is_rotatable(f, &cfg, &loops, Loop(*n as u32));
        let Some(n) = (0..loops.loops.len()).rev().find(|n| fresh(n) && fit(n)) else {
            break;
        };
        let header = loops.loops[n].header;
        done.insert(header);
        done.extend(f.succs(header));
        rotate(f, &cfg, &loops, Loop(n as u32));
        changed = true;
    }
    if changed {
        super::promote_slots::run(f, cx);
    }
    changed
}

fn is_rotatable(f: &Function, cfg: &Cfg, loops: &Loops, l: Loop) -> bool {
    refusal(f, cfg, loops, l).is_none()
}

/// Why a loop is not rotated.
pub(super) fn refusal(f: &Function, cfg: &Cfg, loops: &Loops, l: Loop) -> Option<&'static str> {
    let header = loops.loops[l.index()].header;
    let block = &f.blocks[header.index()];
    let branch = &f.insts[f.terminator(header).index()];
    let inside = branch
        .targets
        .iter()
        .filter(|t| loops.contains(l, t.block))
        .count();
    let copies = |i: &Inst| {
        let op = f.insts[i.index()].op;
        op == Op::Poll || op == Op::Brif || !op.info().fx.intersects(Fx::CALL | Fx::WRITE | Fx::PIN)
    };
    let itself = branch.targets.iter().any(|t| t.block == header);
    let entered = cfg.preds(header).iter().any(|&p| !loops.contains(l, p));
    let conditions = [
        (
            branch.op == Op::Brif && inside == 1,
            "its first block does not test",
        ),
        (!itself, "it is one block"),
        (entered, "it is not entered at the top"),
        (!block.cold, "seldom reached"),
        (
            cfg.eh_preds(header).is_empty(),
            "its top is an exception handler",
        ),
        (block.insts.len() <= MAX_HEADER, "the test is too long"),
        (
            block.insts.iter().all(copies),
            "the test calls or writes something",
        ),
    ];
    conditions.iter().find(|c| !c.0).map(|c| c.1)
}

fn rotate(f: &mut Function, cfg: &Cfg, loops: &Loops, l: Loop) {
    let header = loops.loops[l.index()].header;
    spill_definitions(f, &[header]);
    let copy = copy_header(f, header);
    for &p in cfg.preds(header) {
        if loops.contains(l, p) {
            continue;
        }
        let branch = f.terminator(p);
        for t in &mut f.insts[branch.index()].targets {
            if t.block == header {
                t.block = copy;
            }
        }
    }
    let at = f.layout.iter().position(|&b| b == header).unwrap_or(0);
    f.layout.insert(at, copy);
}

/// A copy of the header for entering the loop. It stores to the same slots; the poll is left to the loop.
fn copy_header(f: &mut Function, header: Block) -> Block {
    let copy = f.add_block();
    f.layout.pop();
    let (region, cold) = (
        f.blocks[header.index()].region,
        f.blocks[header.index()].cold,
    );
    (f.blocks[copy.index()].region, f.blocks[copy.index()].cold) = (region, cold);
    let mut map: FxHashMap<Value, Value> = FxHashMap::default();
    for v in f.blocks[header.index()].params.clone() {
        let ty = f.ty(v);
        let new = f.add_param(copy, ty);
        map.insert(v, new);
    }
    for inst in f.blocks[header.index()].insts.clone() {
        let mut data = f.insts[inst.index()].clone();
        if data.op == Op::Poll {
            continue;
        }
        for v in data.operands_mut() {
            *v = map.get(v).copied().unwrap_or(*v);
        }
        let old = data.result.take();
        let ty = old.map(|v| f.ty(v));
        let new = f.make_inst(data, ty);
        if let (Some(old), Some(value)) = (old, f.insts[new.index()].result) {
            map.insert(old, value);
        }
        f.blocks[copy.index()].insts.push(new);
    }
    copy
}
