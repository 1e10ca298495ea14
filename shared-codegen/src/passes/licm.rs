//! Loop-invariant code motion: what a loop computes, checks or loads the same way each time is done once in front of it.
//!
//! ```text
//! block1(v2: i32):                      block4:
//!     null_check v0                         null_check v0
//!     v3 = array_len v0                     v3 = array_len v0
//!     v4 = sext32 v2                        jump block1(v5)
//!     ...                               block1(v2: i32):
//!                                           v4 = sext32 v2
//!                                           ...
//! ```
//! * Pure computations move from any block that runs in each round.
//! * Checks, and loads (whose address a check before them made safe), move from the start of the loop only: the header and what
//!   follows it without a branch, up to the first thing that stays and can be seen. So nothing is raised that would not have been, and
//!   in the same order. Loads from objects that are checked in front of the loop move from any block that runs in each round.
//!   What is loaded must not be written in the loop.
//! * Constants stay, and are copied in front for what moves.
//!
//! Algorithm: every loop gets a block in front (preheader); inner loops first, so that outer ones can hoist on from those.
//! Cost: linear in the sum of the loops' sizes. Needs nothing; better after `rotate-loops`. Adds blocks; invalidates
//! everything about control flow.

use super::PassContext;
use super::gvn::{is_cheap, is_repeatable};
use super::memory::{Memory, Place};
use crate::analysis::{Cfg, Dominators, Loops};
use crate::ir::{
    AliasClass, Block, Function, Fx, Imm, Inst, InstData, Op, SourceLoc, Target, Type, Value,
    ValueDef,
};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    f.resolve_aliases();
    if !make_preheaders(f) {
        return false;
    }
    let cfg = Cfg::new(f);
    let doms = Dominators::new(&cfg);
    let loops = Loops::new(&cfg, &doms);
    let memory = Memory::new(f);
    let mut homes = homes(f);
    let mut checks = null_checks(f);
    let arrays = arrays(f);
    for l in loops.loops.iter().rev() {
        let inside: FxHashSet<Block> = l.blocks.iter().copied().collect();
        let mut outside = cfg.preds(l.header).iter().filter(|p| !inside.contains(p));
        let (Some(&preheader), None) = (outside.next(), outside.next()) else {
            continue;
        };
        let mut motion = Motion {
            inside,
            written: memory.written(&l.blocks),
            memory: &memory,
            homes: &mut homes,
            safe: safe_objects(&checks, &doms, preheader),
            arrays: &arrays,
            moved: Vec::new(),
        };
        let every_round = |b: Block| l.latches.iter().all(|&x| doms.dominates(b, x));
        motion.collect(f, &cfg, l.header, &l.blocks, every_round);
        let moved = motion.moved;
        for &i in &moved {
            homes[i.index()] = Some(preheader);
            let data = &f.insts[i.index()];
            if data.op == Op::NullCheck {
                checks.push((f.resolve(data.args[0]), preheader));
            }
        }
        place(f, preheader, &moved, &mut homes);
    }
    true
}

/// Gives each loop a block in front that goes nowhere else; false if there are no loops that can have one.
fn make_preheaders(f: &mut Function) -> bool {
    let cfg = Cfg::new(f);
    let loops = Loops::new(&cfg, &Dominators::new(&cfg));
    let mut any = false;
    for l in &loops.loops {
        if !cfg.eh_preds(l.header).is_empty() {
            continue;
        }
        any = true;
        let inside: FxHashSet<Block> = l.blocks.iter().copied().collect();
        let preds = cfg.preds(l.header).iter().copied();
        let outside: Vec<Block> = preds.filter(|p| !inside.contains(p)).collect();
        let region = f.blocks[l.header.index()].region;
        let is_preheader = |p: Block| {
            let jumps = f.insts[f.terminator(p).index()].op == Op::Jump;
            jumps && f.blocks[p.index()].region == region
        };
        if !matches!(outside[..], [p] if is_preheader(p)) {
            make_preheader(f, l.header, &outside);
        }
    }
    any
}

/// The block each instruction stands in.
fn homes(f: &Function) -> Vec<Option<Block>> {
    let mut homes = vec![None; f.insts.len()];
    for &b in &f.layout {
        for i in &f.blocks[b.index()].insts {
            homes[i.index()] = Some(b);
        }
    }
    homes
}

/// Null checks with their blocks.
pub(super) fn null_checks(f: &Function) -> Vec<(Value, Block)> {
    let mut checks = Vec::new();
    for &b in &f.layout {
        for i in &f.blocks[b.index()].insts {
            let data = &f.insts[i.index()];
            if data.op == Op::NullCheck {
                checks.push((f.resolve(data.args[0]), b));
            }
        }
    }
    checks
}

/// Objects whose length is asked for: what is loaded from them at constant offsets may be behind their end.
pub(super) fn arrays(f: &Function) -> FxHashSet<Value> {
    let insts = f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts);
    let insts = insts.map(|i| &f.insts[i.index()]);
    let lengths = insts.filter(|data| data.op == Op::ArrayLen);
    lengths.map(|data| f.resolve(data.args[0])).collect()
}

/// Values checked in front of a loop.
pub(super) fn safe_objects(
    checks: &[(Value, Block)],
    doms: &Dominators,
    preheader: Block,
) -> FxHashSet<Value> {
    let before = checks.iter().filter(|c| doms.dominates(c.1, preheader));
    before.map(|c| c.0).collect()
}

/// What moves out of one loop.
struct Motion<'a> {
    inside: FxHashSet<Block>,
    written: FxHashSet<Place>,
    memory: &'a Memory,
    homes: &'a mut Vec<Option<Block>>,
    /// Objects that are checked for null in front of the loop.
    safe: FxHashSet<Value>,
    arrays: &'a FxHashSet<Value>,
    moved: Vec<Inst>,
}

impl Motion<'_> {
    /// Takes the instructions that move out of their blocks.
    fn collect(
        &mut self,
        f: &mut Function,
        cfg: &Cfg,
        header: Block,
        blocks: &[Block],
        every_round: impl Fn(Block) -> bool,
    ) {
        let mut start = Some(header);
        let mut first: Vec<Block> = Vec::new();
        while let Some(b) = start.filter(|b| !first.contains(b)) {
            first.push(b);
            start = self.only_successor(f, cfg, b);
        }
        let mut clean = true;
        let rest = blocks.iter().copied().filter(|b| !first.contains(b));
        for (b, is_first) in first
            .iter()
            .map(|&b| (b, true))
            .chain(rest.map(|b| (b, false)))
            .collect::<Vec<_>>()
        {
            let known = is_first || (cfg.is_reachable(b) && every_round(b));
            if !known || f.blocks[b.index()].cold {
                continue;
            }
            let insts = std::mem::take(&mut f.blocks[b.index()].insts);
            let mut kept = Vec::with_capacity(insts.len());
            for i in insts {
                let data = &f.insts[i.index()];
                if self.is_movable(f, data, is_first && clean) {
                    self.moved.push(i);
                    if data.op == Op::NullCheck {
                        self.safe.insert(f.resolve(data.args[0]));
                    }
                    // Counts as outside from now on.
                    self.homes[i.index()] = None;
                } else {
                    clean &= !can_be_seen(data);
                    kept.push(i);
                }
            }
            f.blocks[b.index()].insts = kept;
        }
    }

    /// Where a block goes without a branch, inside the loop, if nothing else goes there.
    fn only_successor(&self, f: &Function, cfg: &Cfg, b: Block) -> Option<Block> {
        let end = &f.insts[f.terminator(b).index()];
        let next = end.targets.first()?.block;
        let one = end.op == Op::Jump && self.inside.contains(&next);
        let same_region = f.blocks[b.index()].region == f.blocks[next.index()].region;
        (one && same_region && cfg.is_reachable(next) && cfg.preds(next).len() == 1).then_some(next)
    }

    fn is_movable(&self, f: &Function, data: &InstData, at_start: bool) -> bool {
        let kind = if is_cheap(data.op) || data.op.is_terminator() {
            false
        } else if is_speculative(data.op) {
            true
        } else {
            is_repeatable(data) && (at_start || self.is_safe_load(f, data))
        };
        kind && self.memory.is_untouched(data, &self.written)
            && data.args.iter().all(|&v| self.is_invariant(f, v))
    }

    /// Reads from an object that is known in front of the loop not to be null: cannot fault there.
    fn is_safe_load(&self, f: &Function, data: &InstData) -> bool {
        let v = data.args.first().map(|&v| f.resolve(v));
        let object = v.filter(|v| f.ty(*v) == Type::Ref && self.safe.contains(v));
        match (data.op, data.imm) {
            (Op::ArrayLen | Op::MethodTableOf, _) => object.is_some(),
            (Op::Load, Imm::Mem(m)) => {
                let header = m.alias == AliasClass::Immutable;
                object.is_some_and(|v| header || !self.arrays.contains(&v))
            }
            _ => false,
        }
    }

    /// The value is computed outside, or moves, or is a constant.
    fn is_invariant(&self, f: &Function, v: Value) -> bool {
        match f.values[f.resolve(v).index()].def {
            ValueDef::Param(b, _) => !self.inside.contains(&b),
            ValueDef::Result(i) => {
                let home = self.homes.get(i.index()).copied().flatten();
                home.is_none_or(|b| !self.inside.contains(&b)) || is_cheap(f.insts[i.index()].op)
            }
            ValueDef::Alias(_) => false,
        }
    }
}

/// Neither faults nor reads memory: may be done though the program would not have.
pub(super) fn is_speculative(op: Op) -> bool {
    let unsafe_alone = matches!(
        op,
        Op::ArrayLen
            | Op::MethodTableOf
            | Op::IsInst
            | Op::GenericLookup
            | Op::ContextArg
            | Op::ThreadPtr
            | Op::Sdiv
            | Op::Udiv
            | Op::Srem
            | Op::Urem
    );
    op.info().fx.is_empty() && !unsafe_alone && op.info().res != crate::ir::Res::None
}

/// Others can see that it happened, or that it happened before something else.
fn can_be_seen(data: &InstData) -> bool {
    let fx = data.op.info().fx;
    data.op != Op::Poll && fx.intersects(Fx::WRITE | Fx::THROW | Fx::CALL)
}

/// A block in front of the header, in its region, through which all edges from `outside` go.
pub(super) fn make_preheader(f: &mut Function, header: Block, outside: &[Block]) -> Block {
    let block = f.add_block();
    f.layout.pop();
    let at = f.layout.iter().position(|&b| b == header).unwrap_or(0);
    f.layout.insert(at, block);
    let (region, cold) = (
        f.blocks[header.index()].region,
        f.blocks[header.index()].cold,
    );
    (f.blocks[block.index()].region, f.blocks[block.index()].cold) = (region, cold);
    let mut args: SmallVec<[Value; 2]> = SmallVec::new();
    for v in f.blocks[header.index()].params.clone() {
        let ty = f.ty(v);
        args.push(f.add_param(block, ty));
    }
    let jump = f.make_inst(
        InstData {
            op: Op::Jump,
            ty: Type::I32,
            args: SmallVec::new(),
            imm: Imm::None,
            targets: SmallVec::from_iter([Target {
                block: header,
                args,
            }]),
            result: None,
            loc: SourceLoc::default(),
        },
        None,
    );
    f.blocks[block.index()].insts.push(jump);
    for &p in outside {
        let branch = f.terminator(p);
        for t in &mut f.insts[branch.index()].targets {
            if t.block == header {
                t.block = block;
            }
        }
    }
    block
}

/// Puts instructions before the jump of a preheader, with copies of the constants they use.
fn place(f: &mut Function, preheader: Block, moved: &[Inst], homes: &mut Vec<Option<Block>>) {
    let jump = f.blocks[preheader.index()].insts.pop();
    let mut constants: FxHashMap<Value, Value> = FxHashMap::default();
    for &i in moved {
        for n in 0..f.insts[i.index()].args.len() {
            let v = f.resolve(f.insts[i.index()].args[n]);
            let def = f.def_inst(v).filter(|d| is_cheap(f.insts[d.index()].op));
            let Some(def) = def else { continue };
            let copy = *constants.entry(v).or_insert_with(|| {
                let mut data = f.insts[def.index()].clone();
                data.result = None;
                let ty = f.ty(v);
                let new = f.make_inst(data, Some(ty));
                homes.resize(f.insts.len(), None);
                homes[new.index()] = Some(preheader);
                f.blocks[preheader.index()].insts.push(new);
                f.insts[new.index()].result.expect("made with a result")
            });
            f.insts[i.index()].args[n] = copy;
        }
        f.blocks[preheader.index()].insts.push(i);
    }
    f.blocks[preheader.index()].insts.extend(jump);
    homes.resize(f.insts.len(), None);
}
