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
//! A block decides only if it ends in `brif` or `switch`, has at most [`MAX_INSTS`] operations before, all without effects, and
//! nobody else uses its parameters and results. Loop headers are left alone: a second way into a loop would make it
//! irreducible. For each edge into such a block the operations are evaluated with the constants among its arguments
//! ([`eval`](crate::ir::eval::eval)), and with what the branches that dominate the edge say about which are null; when that
//! settles the branch, the edge goes to its target. (F. Mueller and D. Whalley, "Avoiding conditional branches by code
//! replication", PLDI 1995, without the replication.)
//!
//! Cost: linear per round in the size of the function; rounds are bounded. Needs nothing; invalidates everything about control
//! flow. Blocks that lose their last predecessor are removed by `simplify-cfg`.

use super::PassContext;
use crate::analysis::{Cfg, Dominators, Loops, UseCounts};
use crate::ir::eval::{Const, Outcome, eval};
use crate::ir::{Block, Function, Imm, InstData, IntCc, Op, RegionKind, Target, Type, Value};
use smallvec::SmallVec;

/// Most operations before the branch.
const MAX_INSTS: usize = 4;
/// How many dominating branches are asked whether a value is null.
const MAX_DOMINATORS: usize = 12;
/// More rounds than sensible code needs.
const MAX_ROUNDS: usize = 4;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    let mut rounds = 0;
    while rounds < MAX_ROUNDS && round(f) {
        rounds += 1;
    }
    rounds > 0
}

fn round(f: &mut Function) -> bool {
    let candidates: Vec<Block> = f
        .layout
        .iter()
        .copied()
        .filter(|&b| has_shape(f, b))
        .collect();
    if candidates.is_empty() {
        return false;
    }
    let cfg = Cfg::new(f);
    let doms = Dominators::new(&cfg);
    let deciders = deciders(f, &cfg, &doms, &candidates);
    let mut changed = false;
    for n in 0..f.layout.len() {
        let from = f.layout[n];
        let inst = f.terminator(from);
        for t in 0..f.insts[inst.index()].targets.len() {
            let old = &f.insts[inst.index()].targets[t];
            if deciders[old.block.index()]
                && let Some(new) = decided(f, old, |v| is_not_null(f, &cfg, &doms, from, v))
            {
                f.insts[inst.index()].targets[t] = new;
                changed = true;
            }
        }
    }
    changed
}

/// Few operations and then a branch that depends on something.
fn has_shape(f: &Function, b: Block) -> bool {
    let block = &f.blocks[b.index()];
    let branches = matches!(f.insts[f.terminator(b).index()].op, Op::Brif | Op::Switch);
    branches && !block.params.is_empty() && block.insts.len() <= MAX_INSTS + 1
}

/// By block: it does nothing but decide.
fn deciders(f: &Function, cfg: &Cfg, doms: &Dominators, candidates: &[Block]) -> Vec<bool> {
    let loops = Loops::new(cfg, doms);
    let uses = UseCounts::new(f);
    let mut fixed = vec![false; f.blocks.len()];
    fixed[f.entry().index()] = true;
    for r in &f.regions {
        fixed[r.handler.index()] = true;
        if let RegionKind::Filter(b) = r.kind {
            fixed[b.index()] = true;
        }
    }
    loops
        .loops
        .iter()
        .for_each(|l| fixed[l.header.index()] = true);
    let mut found = vec![false; f.blocks.len()];
    for &b in candidates {
        found[b.index()] = !loops.irreducible && !fixed[b.index()] && is_private(f, b, &uses);
    }
    found
}

/// Operations without effects, whose results and the parameters are used in the block only, the results not by its targets.
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
    let params = block.params.iter().all(|&p| uses.of(p) == own_uses(p));
    params
        && before.iter().all(|i| {
            let data = &f.insts[i.index()];
            let result = data.result;
            data.op.info().fx.is_empty()
                && result.is_some_and(|r| uses.of(r) == own_uses(r) && !passed(r))
        })
}

/// Where an edge into a deciding block leads, if its arguments settle that.
fn decided(f: &Function, edge: &Target, is_not_null: impl Fn(Value) -> bool) -> Option<Target> {
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
    let n = match data.op {
        Op::Brif => usize::from(selector == 0),
        _ => selector.min(data.targets.len() - 1),
    };
    let target = &data.targets[n];
    let passed = |&v: &Value| {
        let v = f.resolve(v);
        let param = block.params.iter().position(|&p| p == v);
        param.map_or(v, |n| edge.args[n])
    };
    Some(Target {
        block: target.block,
        args: target.args.iter().map(passed).collect(),
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
