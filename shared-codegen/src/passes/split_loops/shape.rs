//! Which loops count, and how.

use crate::analysis::{Cfg, Loop, Loops};
use crate::ir::{Block, Function, Fx, Imm, Inst, InstData, IntCc, Op, Type, Value, ValueDef};
use rustc_hash::FxHashSet;

/// Most blocks of a loop that is copied.
pub(in crate::passes) const MAX_BLOCKS: usize = 12;
/// Most instructions of a loop that is copied.
pub(in crate::passes) const MAX_INSTS: usize = 80;
/// Largest step, either way.
const MAX_STEP: i64 = 1 << 16;

/// What is added to the counter in each round.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::passes) enum Step {
    /// Not 0.
    Const(i64),
    /// An `i32` that is the same in all rounds; counts only if it is positive.
    Var(Value),
}

/// A counted loop: entered at the header, left at the latch (and elsewhere) when `next cc limit` does not hold.
pub(in crate::passes) struct Shape {
    pub header: Block,
    pub latch: Block,
    /// Where it is entered from.
    pub outside: Vec<Block>,
    /// In reverse postorder.
    pub blocks: Vec<Block>,
    pub inside: FxHashSet<Block>,
    /// The block each instruction stands in.
    homes: Vec<Option<Block>>,
    /// Which parameter of the header counts.
    pub position: usize,
    /// That parameter.
    pub counter: Value,
    /// Its value in the next round.
    pub next: Value,
    /// The instruction that computes it.
    pub increment: Inst,
    pub step: Step,
    /// Goes on while `next cc limit`; turned so that it fits the direction.
    pub cc: IntCc,
    pub limit: Value,
}

impl Shape {
    /// The value is computed in front of the loop.
    pub fn is_outside(&self, f: &Function, v: Value) -> bool {
        match f.values[f.resolve(v).index()].def {
            ValueDef::Param(b, _) => !self.inside.contains(&b),
            ValueDef::Result(i) => !self.home(i).is_some_and(|b| self.inside.contains(&b)),
            ValueDef::Alias(_) => false,
        }
    }

    /// The block an instruction stands in.
    pub fn home(&self, i: Inst) -> Option<Block> {
        self.homes.get(i.index()).copied().flatten()
    }
}

/// The loop, if it is an innermost one that counts and can be copied; or why not.
pub(in crate::passes) fn find(
    f: &Function,
    cfg: &Cfg,
    loops: &Loops,
    l: Loop,
) -> Result<Shape, &'static str> {
    let data = &loops.loops[l.index()];
    if loops.loops.iter().any(|x| x.parent == Some(l)) {
        return Err("it contains other loops");
    }
    let &[latch] = data.latches.as_slice() else {
        return Err("it goes round in several places");
    };
    if loops.irreducible {
        return Err("a loop of the method has several entries");
    }
    is_copyable(f, cfg, &data.blocks)?;
    let inside: FxHashSet<Block> = data.blocks.iter().copied().collect();
    let outside = cfg.preds(data.header).iter().copied();
    let outside: Vec<Block> = outside.filter(|p| !inside.contains(p)).collect();
    let mut homes = vec![None; f.insts.len()];
    for &b in &data.blocks {
        for i in &f.blocks[b.index()].insts {
            homes[i.index()] = Some(b);
        }
    }
    let mut shape = Shape {
        header: data.header,
        latch,
        outside,
        blocks: data.blocks.clone(),
        inside,
        homes,
        position: 0,
        counter: Value(0),
        next: Value(0),
        increment: Inst(0),
        step: Step::Const(0),
        cc: IntCc::Eq,
        limit: Value(0),
    };
    if shape.outside.is_empty() || !counts(f, &mut shape) {
        return Err("it does not count to a limit that is tested at its end");
    }
    Ok(shape)
}

/// Not large, in one region, without calls, not seldom run; or why not.
fn is_copyable(f: &Function, cfg: &Cfg, blocks: &[Block]) -> Result<(), &'static str> {
    let region = f.blocks[blocks[0].index()].region;
    let plain = |b: &Block| {
        let block = &f.blocks[b.index()];
        block.region == region && cfg.eh_preds(*b).is_empty()
    };
    let calls = |data: &InstData| {
        data.op != Op::Poll && data.op.info().fx.contains(Fx::CALL) || data.op == Op::LocAlloc
    };
    let insts = || blocks.iter().flat_map(|b| &f.blocks[b.index()].insts);
    let large = blocks.len() > MAX_BLOCKS || insts().count() > MAX_INSTS;
    let refusals = [
        (f.blocks[blocks[0].index()].cold, "seldom reached"),
        (
            !blocks.iter().all(plain),
            "a protected region begins or ends in it",
        ),
        (
            insts().any(|i| calls(&f.insts[i.index()])),
            "it calls something",
        ),
        (large, "it is too large"),
    ];
    refusals.iter().find(|r| r.0).map_or(Ok(()), |r| Err(r.1))
}

/// Finds out what the loop counts.
fn counts(f: &Function, shape: &mut Shape) -> bool {
    let branch = &f.insts[f.terminator(shape.latch).index()];
    if branch.op != Op::Brif {
        return false;
    }
    let Some(back) = branch.targets.iter().position(|t| t.block == shape.header) else {
        return false;
    };
    let exit = &branch.targets[1 - back];
    let Some(test) = f.def_inst(branch.args[0]).map(|i| &f.insts[i.index()]) else {
        return false;
    };
    let Imm::IntCc(cc) = test.imm else {
        return false;
    };
    if shape.inside.contains(&exit.block) || test.op != Op::Icmp {
        return false;
    }
    let cc = if back == 0 { cc } else { cc.inverse() };
    let (x, y) = (f.resolve(test.args[0]), f.resolve(test.args[1]));
    let args: Vec<Value> = branch.targets[back]
        .args
        .iter()
        .map(|&v| f.resolve(v))
        .collect();
    [(x, cc, y), (y, cc.swapped(), x)]
        .into_iter()
        .any(|(next, cc, limit)| {
            let position = args.iter().position(|&a| a == next);
            position.is_some_and(|n| is_counter(f, shape, n, next, cc, limit))
        })
}

/// Parameter `n` of the header counts up or down by a step that fits the test; if so it is noted.
fn is_counter(
    f: &Function,
    shape: &mut Shape,
    n: usize,
    next: Value,
    cc: IntCc,
    limit: Value,
) -> bool {
    let counter = f.blocks[shape.header.index()].params[n];
    let Some(increment) = f.def_inst(next) else {
        return false;
    };
    let data = &f.insts[increment.index()];
    if f.ty(counter) != Type::I32 || shape.home(increment).is_none() {
        return false;
    }
    let Some(step) = step(f, shape, data, counter) else {
        return false;
    };
    let up = !matches!(step, Step::Const(n) if n < 0);
    let fits = match cc {
        IntCc::Ne => true,
        IntCc::Slt | IntCc::Sle | IntCc::Ult | IntCc::Ule => up,
        IntCc::Sgt | IntCc::Sge => !up,
        _ => false,
    };
    (shape.position, shape.counter, shape.next) = (n, counter, next);
    (shape.increment, shape.step, shape.cc, shape.limit) = (increment, step, cc, limit);
    fits
}

fn step(f: &Function, shape: &Shape, data: &InstData, counter: Value) -> Option<Step> {
    let (x, y) = (
        f.resolve(*data.args.first()?),
        f.resolve(*data.args.get(1)?),
    );
    let by = match data.op {
        Op::Iadd if x == counter => y,
        Op::Iadd if y == counter => x,
        Op::Isub if x == counter => y,
        _ => return None,
    };
    if let Some(c) = f.const_of(by) {
        let n = c.signed();
        let n = if data.op == Op::Isub { -n } else { n };
        return (n != 0 && n.abs() <= MAX_STEP).then_some(Step::Const(n));
    }
    (data.op == Op::Iadd && shape.is_outside(f, by)).then_some(Step::Var(by))
}
