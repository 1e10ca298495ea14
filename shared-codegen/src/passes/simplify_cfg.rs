//! Control-flow simplification: folds branches, threads jumps through empty blocks, merges blocks, removes what cannot
//! be reached.
//!
//! ```text
//! block0(v0: i32):                  block0(v0: i32):
//!     v1 = iconst.i32 1                 v1 = iconst.i32 1
//!     brif v1, block1, block2           v3 = iadd.i32 v0, v1
//! block1:                               return v3
//!     jump block3(v0)
//! block2:
//!     jump block3(v1)
//! block3(v2: i32):
//!     v3 = iadd.i32 v2, v1
//!     return v3
//! ```
//!
//! Steps, repeated while something changes:
//! 1. Branches on constants, and branches whose ways are all the same, become jumps; a branch on `x == 0` or `x != 0` of an integer
//!    tests `x` itself.
//! 2. A branch to a block that holds nothing but a jump goes to that jump's target, if the block's parameters serve that jump only.
//! 3. Blocks that cannot be reached leave the layout (handlers live as long as a block of their region does).
//! 4. A block whose only predecessor ends in a jump to it is appended there, if both are in the same region.
//!
//! Handlers, filters and the entry keep their identity. Cost: linear per round; rounds are bounded.
//! Needs nothing; invalidates everything about control flow.

use super::PassContext;
use crate::analysis::Cfg;
use crate::ir::{Block, BlockData, Function, Imm, InstData, IntCc, Op, RegionKind, Target, Value};
use smallvec::SmallVec;

/// More rounds than sensible code needs.
const MAX_ROUNDS: usize = 8;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    let mut changed = false;
    for _ in 0..MAX_ROUNDS {
        let mut round = fold_branches(f);
        round |= thread_jumps(f);
        round |= remove_unreachable(f);
        round |= merge(f);
        if !round {
            break;
        }
        changed = true;
    }
    if changed {
        f.resolve_aliases();
    }
    changed
}

/// Blocks that must stay what they are: entry, handlers, filters.
fn fixed_blocks(f: &Function) -> Vec<bool> {
    let mut fixed = vec![false; f.blocks.len()];
    fixed[f.entry().index()] = true;
    for r in &f.regions {
        fixed[r.handler.index()] = true;
        if let RegionKind::Filter(b) = r.kind {
            fixed[b.index()] = true;
        }
    }
    fixed
}

// ---- branches

fn fold_branches(f: &mut Function) -> bool {
    let mut changed = false;
    for n in 0..f.layout.len() {
        let inst = f.terminator(f.layout[n]);
        while let Some(new) = folded(f, &f.insts[inst.index()]) {
            f.insts[inst.index()] = new;
            changed = true;
        }
    }
    changed
}

/// A simpler form of a terminator.
fn folded(f: &Function, data: &InstData) -> Option<InstData> {
    let targets = &data.targets;
    let same = |a: &Target, b: &Target| {
        let args = |t: &Target| t.args.iter().map(|&v| f.resolve(v)).collect::<Vec<_>>();
        a.block == b.block && args(a) == args(b)
    };
    let constant = || f.const_of(data.args[0]).map(|c| c.bits as usize);
    let chosen = match data.op {
        Op::Brif | Op::Switch if targets.iter().all(|t| same(t, &targets[0])) => Some(0),
        Op::Brif => constant().map(|c| (c == 0) as usize),
        Op::Switch => constant().map(|c| c.min(targets.len() - 1)),
        _ => return None,
    };
    if let Some(n) = chosen {
        return Some(InstData {
            op: Op::Jump,
            args: SmallVec::new(),
            targets: SmallVec::from_iter([targets[n].clone()]),
            ..data.clone()
        });
    }
    if data.op == Op::Brif {
        plain_condition(f, data)
    } else {
        None
    }
}

/// `brif (icmp ne x, 0)` is `brif x`; with `eq` the ways are exchanged.
fn plain_condition(f: &Function, data: &InstData) -> Option<InstData> {
    let test = &f.insts[f.def_inst(data.args[0])?.index()];
    let Imm::IntCc(cc @ (IntCc::Eq | IntCc::Ne)) = test.imm else {
        return None;
    };
    let x = f.resolve(*test.args.first()?);
    if test.op != Op::Icmp || f.ty(x) != crate::ir::Type::I32 || f.const_of(test.args[1])?.bits != 0
    {
        return None;
    }
    // The back end fuses a comparison with its branch; only undo comparisons of conditions.
    if f.insts[f.def_inst(x)?.index()].op != Op::Icmp
        && f.insts[f.def_inst(x)?.index()].op != Op::Fcmp
    {
        return None;
    }
    let mut new = data.clone();
    new.args[0] = x;
    if cc == IntCc::Eq {
        new.targets.reverse();
    }
    Some(new)
}

// ---- jumps to jumps

fn thread_jumps(f: &mut Function) -> bool {
    let fixed = fixed_blocks(f);
    let uses = crate::analysis::UseCounts::new(f);
    let empty: Vec<bool> = (0..f.blocks.len())
        .map(|n| !fixed[n] && is_forwarder(f, Block(n as u32), &uses))
        .collect();
    if !empty.contains(&true) {
        return false;
    }
    let mut changed = false;
    for n in 0..f.layout.len() {
        let inst = f.terminator(f.layout[n]);
        for t in 0..f.insts[inst.index()].targets.len() {
            let old = f.insts[inst.index()].targets[t].clone();
            let new = follow(f, &empty, old.clone());
            if new.block != old.block {
                f.insts[inst.index()].targets[t] = new;
                changed = true;
            }
        }
    }
    changed
}

/// The block only jumps elsewhere, and its parameters are needed for nothing else.
fn is_forwarder(f: &Function, b: Block, uses: &crate::analysis::UseCounts) -> bool {
    let block = &f.blocks[b.index()];
    let &[only] = block.insts.as_slice() else {
        return false;
    };
    let data = &f.insts[only.index()];
    if data.op != Op::Jump || data.targets[0].block == b {
        return false;
    }
    block.params.iter().all(|&p| {
        let own = data.operands().filter(|&v| f.resolve(v) == p).count();
        uses.of(p) as usize == own
    })
}

/// Where a branch ends up when forwarding blocks are passed. Gives up on cycles of them.
fn follow(f: &Function, empty: &[bool], start: Target) -> Target {
    let mut at = start.clone();
    for _ in 0..16 {
        if !empty[at.block.index()] {
            return at;
        }
        let block = &f.blocks[at.block.index()];
        let jump = &f.insts[block.insts[0].index()].targets[0];
        let passed = |&v: &Value| {
            let v = f.resolve(v);
            match block.params.iter().position(|&p| p == v) {
                Some(n) => at.args[n],
                None => v,
            }
        };
        let args = jump.args.iter().map(passed).collect();
        at = Target {
            block: jump.block,
            args,
        };
    }
    start
}

// ---- unreachable blocks

/// Takes blocks out of the layout that nothing leads to.
pub(super) fn remove_unreachable(f: &mut Function) -> bool {
    let cfg = Cfg::new(f);
    let before = f.layout.len();
    let mut layout = std::mem::take(&mut f.layout);
    layout.retain(|&b| {
        let keep = cfg.is_reachable(b);
        if !keep {
            f.blocks[b.index()] = BlockData::default();
        }
        keep
    });
    f.layout = layout;
    f.layout.len() != before
}

// ---- merging

fn merge(f: &mut Function) -> bool {
    let fixed = fixed_blocks(f);
    let mut preds = vec![0u32; f.blocks.len()];
    for &b in &f.layout {
        for s in f.succs(b) {
            preds[s.index()] += 1;
        }
    }
    let mut gone = vec![false; f.blocks.len()];
    for n in 0..f.layout.len() {
        let b = f.layout[n];
        if gone[b.index()] {
            continue;
        }
        while let Some(target) = jump_target(f, b) {
            let t = target.block;
            let same_region = f.blocks[b.index()].region == f.blocks[t.index()].region;
            if t == b || preds[t.index()] != 1 || fixed[t.index()] || !same_region {
                break;
            }
            append(f, b, &target);
            gone[t.index()] = true;
        }
    }
    let before = f.layout.len();
    f.layout.retain(|b| !gone[b.index()]);
    f.layout.len() != before
}

fn jump_target(f: &Function, b: Block) -> Option<Target> {
    let data = &f.insts[f.terminator(b).index()];
    (data.op == Op::Jump).then(|| data.targets[0].clone())
}

/// Appends the target block in place of the jump to it.
fn append(f: &mut Function, b: Block, target: &Target) {
    let gone = std::mem::take(&mut f.blocks[target.block.index()]);
    for (&p, &a) in gone.params.iter().zip(&target.args) {
        f.replace(p, a);
    }
    let block = &mut f.blocks[b.index()];
    block.insts.pop();
    block.insts.extend(gone.insts);
    block.cold |= gone.cold;
}
