//! Jump threading: who brings a constant to a block that only decides by it goes straight to where it decides.
//!
//! ```text
//! block0(v0: ref):                       block0(v0: ref):
//!     brif v0, block1, block2                brif v0, block1, block2
//! block1:                                block1:
//!     v1 = iconst.i32 0                      jump block5
//!     jump block3(v1)                    block2:
//! block2:                                    jump block4
//!     v2 = iconst.i32 1
//!     jump block3(v2)
//! block3(v3: i32):
//!     v4 = zext8 v3
//!     brif v4, block4, block5
//! ```
//! Inlined predicates look like this: `return x == null || x.Length == 0` becomes two constants that meet in front of a test.
//!
//! A block decides only if it ends in `brif` or `switch` and has at most [`MAX_INSTS`] operations before, all without effects but
//! for polls. For each edge into such a block the operations are evaluated with the constants among its arguments
//! ([`eval`](crate::ir::eval::eval)), and with what the branches that dominate the edge say about which are null; when that
//! settles the branch, the edge goes to its target. If others use what the block computes, or it polls, the edge goes through
//! a copy of the operations (`ssa_repair` gives values with several definitions block parameters).
//!
//! Loop headers are left alone, because a second way into a loop would make it irreducible, unless all edges into a header are
//! settled: then the loop has another header, or is none. That is how the `switch` goes with which an inlined iterator finds
//! where it was. (F. Mueller and D. Whalley, "Avoiding conditional branches by code replication", PLDI 1995.)
//!
//! Cost: linear per round in the size of the function; rounds are bounded. Needs nothing; invalidates everything about control
//! flow. Blocks that lose their last predecessor are removed by `simplify-cfg`.

use super::PassContext;
use super::ssa_repair::spill_each;
use crate::analysis::{Cfg, Dominators, Loops, UseCounts};
use crate::ir::eval::{Const, Outcome, eval};
use crate::ir::{Block, Function, Imm, Inst, InstData, IntCc, Op, RegionKind, Target, Type, Value};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

/// Most operations before the branch.
const MAX_INSTS: usize = 4;
/// How many dominating branches are asked whether a value is null.
const MAX_DOMINATORS: usize = 12;
/// More rounds than sensible code needs.
const MAX_ROUNDS: usize = 4;

/// Runs the pass.
pub fn run(f: &mut Function, cx: &PassContext) -> bool {
    let mut headers = true;
    let mut changed = false;
    f.resolve_aliases();
    for _ in 0..MAX_ROUNDS {
        match round(f, cx, headers) {
            Round::Nothing => break,
            Round::Irreducible => headers = false,
            Round::Changed => changed = true,
        }
    }
    changed
}

/// What came of a round.
enum Round {
    Nothing,
    Changed,
    /// Loops would have lost their only header; nothing was changed.
    Irreducible,
}

/// An edge that leads through a deciding block to one of its targets.
struct Edge {
    from: Block,
    /// Which target of `from`'s terminator.
    target: usize,
    decider: Block,
    /// Which target of the decider's terminator.
    outcome: usize,
}

fn round(f: &mut Function, cx: &PassContext, headers: bool) -> Round {
    let candidates: Vec<Block> = f
        .layout
        .iter()
        .copied()
        .filter(|&b| has_shape(f, b))
        .collect();
    if candidates.is_empty() {
        return Round::Nothing;
    }
    let cfg = Cfg::new(f);
    let doms = Dominators::new(&cfg);
    let loops = Loops::new(&cfg, &doms);
    if loops.irreducible {
        return Round::Nothing;
    }
    let is_header: FxHashSet<Block> = loops.loops.iter().map(|l| l.header).collect();
    let deciders = deciders(f, &candidates, |b| headers || !is_header.contains(&b));
    let edges = settled_edges(f, &cfg, &doms, &deciders, &is_header);
    if edges.is_empty() {
        return Round::Nothing;
    }
    let moves_loops = edges.iter().any(|e| is_header.contains(&e.decider));
    let before = moves_loops.then(|| f.clone());
    thread(f, cx, &edges);
    if let Some(before) = before {
        let cfg = Cfg::new(f);
        if Loops::new(&cfg, &Dominators::new(&cfg)).irreducible {
            *f = before;
            return Round::Irreducible;
        }
    }
    Round::Changed
}

/// Few operations without effects, and then a branch that depends on something.
fn has_shape(f: &Function, b: Block) -> bool {
    let block = &f.blocks[b.index()];
    let Some((branch, before)) = block.insts.split_last() else {
        return false;
    };
    let branches = matches!(f.insts[branch.index()].op, Op::Brif | Op::Switch);
    let harmless = |op: Op| op == Op::Poll || op.info().fx.is_empty();
    branches
        && !block.params.is_empty()
        && before.len() <= MAX_INSTS
        && before.iter().all(|i| harmless(f.insts[i.index()].op))
}

/// By block: it does nothing but decide.
fn deciders(f: &Function, candidates: &[Block], allowed: impl Fn(Block) -> bool) -> Vec<bool> {
    let mut found = vec![false; f.blocks.len()];
    for &b in candidates {
        found[b.index()] = allowed(b);
    }
    found[f.entry().index()] = false;
    for r in &f.regions {
        found[r.handler.index()] = false;
        if let RegionKind::Filter(b) = r.kind {
            found[b.index()] = false;
        }
    }
    found
}

/// Edges into deciding blocks whose way on is settled; into loop headers only if all of them are.
fn settled_edges(
    f: &Function,
    cfg: &Cfg,
    doms: &Dominators,
    deciders: &[bool],
    is_header: &FxHashSet<Block>,
) -> Vec<Edge> {
    let mut edges = Vec::new();
    let mut open: FxHashSet<Block> = FxHashSet::default();
    for &from in cfg.rpo() {
        let inst = f.terminator(from);
        for (target, t) in f.insts[inst.index()].targets.iter().enumerate() {
            let decider = t.block;
            if !deciders[decider.index()] {
                continue;
            }
            match outcome(f, t, |v| is_not_null(f, cfg, doms, from, v)) {
                Some(outcome) => edges.push(Edge {
                    from,
                    target,
                    decider,
                    outcome,
                }),
                None => {
                    open.insert(decider);
                }
            }
        }
    }
    edges.retain(|e| !is_header.contains(&e.decider) || !open.contains(&e.decider));
    edges
}

fn thread(f: &mut Function, cx: &PassContext, edges: &[Edge]) {
    let uses = UseCounts::new(f);
    let mut needed: Vec<Block> = edges.iter().map(|e| e.decider).collect();
    needed.sort_unstable();
    needed.dedup();
    needed.retain(|&b| !is_private(f, b, &uses));
    spill_each(f, &needed);
    // Copies are made of what the blocks were before.
    let targets: Vec<Target> = edges.iter().map(|e| beyond(f, e, &needed)).collect();
    for (e, target) in edges.iter().zip(targets) {
        let branch = f.terminator(e.from);
        f.insts[branch.index()].targets[e.target] = target;
    }
    if !needed.is_empty() {
        super::promote_slots::run(f, cx);
    }
}

/// Where an edge goes instead; through a copy if the block is among those others need.
fn beyond(f: &mut Function, e: &Edge, needed: &[Block]) -> Target {
    let branch = f.terminator(e.from);
    let args = f.insts[branch.index()].targets[e.target].args.clone();
    let decider = &f.blocks[e.decider.index()];
    // Loads are of what other deciding blocks compute.
    let moves = |i: &Inst| matches!(f.insts[i.index()].op, Op::Poll | Op::SlotLoad);
    if needed.contains(&e.decider) || decider.insts.iter().any(moves) {
        return Target {
            block: copy(f, e, &args),
            args: SmallVec::new(),
        };
    }
    let map = decider.params.iter().copied().zip(args).collect();
    mapped(f, e, &map)
}

/// A copy of the deciding block for an edge, which knows where to go.
fn copy(f: &mut Function, e: &Edge, args: &[Value]) -> Block {
    let decider = f.blocks[e.decider.index()].clone();
    let way = f.add_block();
    let data = &mut f.blocks[way.index()];
    (data.region, data.cold) = (decider.region, decider.cold);
    let params = decider.params.iter().copied();
    let mut map: FxHashMap<Value, Value> = params.zip(args.iter().copied()).collect();
    let Some((&branch, before)) = decider.insts.split_last() else {
        return way;
    };
    for &i in before {
        let mut data = f.insts[i.index()].clone();
        for v in data.operands_mut() {
            *v = map.get(v).copied().unwrap_or(*v);
        }
        let old = data.result.take();
        let new = f.make_inst(data, old.map(|v| f.ty(v)));
        if let (Some(old), Some(value)) = (old, f.insts[new.index()].result) {
            map.insert(old, value);
        }
        f.blocks[way.index()].insts.push(new);
    }
    let jump = InstData {
        op: Op::Jump,
        ty: Type::I32,
        args: SmallVec::new(),
        imm: Imm::None,
        targets: SmallVec::from_iter([mapped(f, e, &map)]),
        result: None,
        loc: f.insts[branch.index()].loc,
    };
    let jump = f.make_inst(jump, None);
    f.blocks[way.index()].insts.push(jump);
    way
}

/// The target that the edge leads to, with values of the deciding block replaced.
fn mapped(f: &Function, e: &Edge, map: &FxHashMap<Value, Value>) -> Target {
    let branch = f.terminator(e.decider);
    let target = &f.insts[branch.index()].targets[e.outcome];
    let of = |&v: &Value| map.get(&f.resolve(v)).copied().unwrap_or(v);
    Target {
        block: target.block,
        args: target.args.iter().map(of).collect(),
    }
}

/// The parameters and results of the block are used in the block only, the results not by its targets.
fn is_private(f: &Function, b: Block, uses: &UseCounts) -> bool {
    let block = &f.blocks[b.index()];
    let (&branch, before) = block.insts.split_last().expect("blocks have a terminator");
    let own_uses = |v: Value| {
        let operands = block
            .insts
            .iter()
            .flat_map(|i| f.insts[i.index()].operands());
        operands.filter(|&u| f.resolve(u) == v).count() as u32
    };
    let passed = |v: Value| {
        let targets = f.insts[branch.index()].targets.iter();
        targets.flat_map(|t| &t.args).any(|&a| f.resolve(a) == v)
    };
    let results = before.iter().filter_map(|i| f.insts[i.index()].result);
    block.params.iter().all(|&p| uses.of(p) == own_uses(p)) && { results }
        .all(|r| uses.of(r) == own_uses(r) && !passed(r))
}

/// Which target of a deciding block an edge into it leads to, if its arguments settle that.
fn outcome(f: &Function, edge: &Target, is_not_null: impl Fn(Value) -> bool) -> Option<usize> {
    let block = &f.blocks[edge.block.index()];
    let mut known: SmallVec<[(Value, Const); 8]> = SmallVec::new();
    for (&p, &a) in block.params.iter().zip(&edge.args) {
        known.extend(f.const_of(a).map(|c| (p, c)));
    }
    // The test of a reference whose value is not known, but which is not null here.
    let tests_object = |v: Value| {
        let p = block.params.iter().position(|&p| p == f.resolve(v));
        p.is_some_and(|n| f.ty(edge.args[n]) == Type::Ref && is_not_null(edge.args[n]))
    };
    let (&branch, before) = block.insts.split_last()?;
    for i in before {
        let data = &f.insts[i.index()];
        if data.op == Op::Poll {
            continue;
        }
        let args = data.args.iter().map(|&v| value_of(f, &known, v));
        let args: Option<SmallVec<[Const; 4]>> = args.collect();
        if let Some(args) = args
            && let Outcome::Value(c) = eval(data.op, data.ty, &data.imm, &args)
        {
            known.push((data.result?, c));
        } else if let Some((v, cc)) = null_test(f, data)
            && tests_object(v)
        {
            let answer = u64::from(cc == IntCc::Ne);
            known.push((
                data.result?,
                Const {
                    ty: Type::I32,
                    bits: answer,
                },
            ));
        }
    }
    let data = &f.insts[branch.index()];
    let selector = value_of(f, &known, data.args[0])?.bits as usize;
    Some(match data.op {
        Op::Brif => usize::from(selector == 0),
        _ => selector.min(data.targets.len() - 1),
    })
}

/// The value is compared with null: equal or not.
fn null_test(f: &Function, data: &InstData) -> Option<(Value, IntCc)> {
    let Imm::IntCc(cc @ (IntCc::Eq | IntCc::Ne)) = data.imm else {
        return None;
    };
    let is_null = |v: Value| f.const_of(v).is_some_and(|c| c.bits == 0);
    match (data.op, data.args.as_slice()) {
        (Op::Icmp, &[v, null] | &[null, v]) if is_null(null) && !is_null(v) => Some((v, cc)),
        _ => None,
    }
}

/// A branch that dominates the block says that the value is not null.
fn is_not_null(f: &Function, cfg: &Cfg, doms: &Dominators, at: Block, v: Value) -> bool {
    let v = f.resolve(v);
    let mut b = at;
    for _ in 0..MAX_DOMINATORS {
        if let (&[p], []) = (cfg.preds(b), cfg.eh_preds(b)) {
            let branch = &f.insts[f.terminator(p).index()];
            if branch.op == Op::Brif && branch.targets[0].block != branch.targets[1].block {
                let taken = branch.targets[0].block == b;
                let test = f.def_inst(branch.args[0]).map(|i| &f.insts[i.index()]);
                if let Some((tested, cc)) = test.and_then(|t| null_test(f, t))
                    && f.resolve(tested) == v
                {
                    return (cc == IntCc::Ne) == taken;
                }
            }
        }
        match doms.idom(b) {
            Some(d) => b = d,
            None => return false,
        }
    }
    false
}

fn value_of(f: &Function, known: &[(Value, Const)], v: Value) -> Option<Const> {
    let v = f.resolve(v);
    let found = known.iter().find(|(k, _)| *k == v);
    found.map(|(_, c)| *c).or_else(|| f.const_of(v))
}
