//! If-conversion: a branch that only chooses between cheap values becomes `select`s.
//!
//! ```text
//! block0(v0: i32, v1: i32):             block0(v0: i32, v1: i32):
//!     v2 = icmp sgt v0, v1                  v2 = icmp sgt v0, v1
//!     brif v2, block1, block2(v1)           v3 = isub.i32 v0, v1
//! block1:                                   v5 = select.i32 v2, v3, v1
//!     v3 = isub.i32 v0, v1                  jump block2(v5)
//!     jump block2(v3)                   block2(v4: i32):
//! block2(v4: i32):                          return v4
//!     return v4
//! ```
//! The shapes: both ways lead to one block, each directly or through a block of its own that holds a few operations without effects.
//! Those are computed always. Which way a comparison of data goes can seldom be foretold, and a branch
//! foretold wrongly costs as much as a dozen of them.
//!
//! Where the second of two values is 0 or 1 and the other a comparison, the conditions are put together by `and` and `or`. Two branches on
//! comparisons of one value with constants become one test of a range ([`ranges`]) if their ways out are the same:
//!
//! ```text
//! block0(v0: i32):                      block0(v0: i32):
//!     v1 = icmp slt v0, 97                  v3 = isub.i32 v0, 97
//!     brif v1, block3, block1               v4 = icmp ule v3, 25
//! block1:                                   brif v4, block2, block3
//!     v2 = icmp sgt v0, 122
//!     brif v2, block3, block2
//! ```
//!
//! Left alone: values in float registers (x86 has no conditional move for them), results that the join branches on at
//! once (`jump-threading` serves them better), seldom run ways, exception regions that differ.
//!
//! Allen, Kennedy, Porterfield, Warren: "Conversion of control dependence to data dependence" (POPL 1983), for one branch at a
//! time. Cost: linear; blocks are visited last to first, so inner ones first. Needs nothing; better after
//! `simplify-cfg`; after `bounds-check-elim`, whose facts are branches. Invalidates everything about control flow.

mod ranges;

use super::PassContext;
use super::gvn::is_cheap;
use super::licm::is_speculative;
use crate::analysis::UseCounts;
use crate::ir::{Block, BlockData, Function, Imm, Inst, InstData, Op, RegionKind, Target, Value};
use ranges::Range;
use smallvec::SmallVec;

/// Most operations computed in vain on a way, a multiplication counting three times.
const MAX_COST: u32 = 3;
/// Most values chosen at one branch.
const MAX_SELECTS: usize = 2;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    f.resolve_aliases();
    let mut preds = predecessor_counts(f);
    let mut uses = UseCounts::new(f);
    let mut changed = false;
    for b in f.layout.clone().into_iter().rev() {
        if preds[b.index()] == 0 {
            continue;
        }
        loop {
            if let Some(tests) = tests(f, &preds, b) {
                let (second, way_out) = (tests.second, tests.targets[1].block);
                join_tests(f, &mut uses, b, tests);
                preds[way_out.index()] -= 1;
                preds[second.index()] = 0;
            } else if let Some(plan) = plan(f, &preds, b) {
                convert(f, &mut uses, b, &plan);
                preds[plan.join.index()] -= 1;
                for arm in plan.ways.iter().filter_map(|w| w.arm) {
                    preds[arm.index()] = 0;
                }
            } else {
                break;
            }
            changed = true;
        }
    }
    if changed {
        f.layout.retain(|b| preds[b.index()] > 0);
    }
    changed
}

/// Number of branches to each block of the layout. Those that are entered otherwise have some that never go away.
fn predecessor_counts(f: &Function) -> Vec<u32> {
    let mut preds = vec![0; f.blocks.len()];
    let mut fixed = vec![f.entry()];
    for r in &f.regions {
        fixed.push(r.handler);
        fixed.extend(match r.kind {
            RegionKind::Filter(b) => Some(b),
            _ => None,
        });
    }
    for b in fixed {
        preds[b.index()] = 2;
    }
    for &b in &f.layout {
        for s in f.succs(b) {
            preds[s.index()] += 1;
        }
    }
    preds
}

/// A use has gone. With the last one the comparison goes if it stands in this block: what nobody needs any more would count as
/// work.
fn drop_use(f: &mut Function, uses: &mut UseCounts, b: Block, v: Value) {
    // Values made here are not counted.
    if uses.of(v) == 0 || uses.remove_one(v) > 0 {
        return;
    }
    if let Some(i) = f.def_inst(v)
        && f.insts[i.index()].op == Op::Icmp
    {
        f.blocks[b.index()].insts.retain(|&x| x != i);
    }
}

// ---- two branches by one range

/// A branch on whether a value is in a range, in place of two.
struct Tests {
    /// The block with the second branch.
    second: Block,
    range: Range,
    /// Where it goes if the value is in the range, and else.
    targets: [Target; 2],
}

/// Whether a block's branch and the one behind it can become one.
fn tests(f: &Function, preds: &[u32], b: Block) -> Option<Tests> {
    let branch = &f.insts[f.terminator(b).index()];
    if branch.op != Op::Brif || f.blocks[b.index()].cold {
        return None;
    }
    let same = |x: &Target, y: &Target| {
        let mut args = x.args.iter().zip(&y.args);
        x.block == y.block && args.all(|(&v, &w)| f.resolve(v) == f.resolve(w))
    };
    (0..2).find_map(|n| {
        let (to, out) = (&branch.targets[n], &branch.targets[1 - n]);
        let end = between(f, preds, b, to)?;
        if end.op != Op::Brif || out.block == to.block {
            return None;
        }
        let k = (0..2).find(|&k| same(&end.targets[k], out))?;
        let (first, second) = ((branch.args[0], n == 1), (end.args[0], k == 0));
        let range = ranges::both(f, first, second)?;
        Some(Tests {
            second: to.block,
            range,
            targets: [end.targets[1 - k].clone(), out.clone()],
        })
    })
}

/// Moves the second test up and branches once.
fn join_tests(f: &mut Function, uses: &mut UseCounts, b: Block, tests: Tests) {
    let branch = f.blocks[b.index()].insts.pop();
    let branch = branch.expect("a complete block has a terminator");
    let mut moved = std::mem::take(&mut f.blocks[tests.second.index()]).insts;
    let end = moved.pop().expect("a complete block has a terminator");
    f.blocks[b.index()].insts.extend(moved);
    for i in [end, branch] {
        drop_use(f, uses, b, f.insts[i.index()].args[0]);
    }
    let test = tests.range.emit(f, b, branch);
    let data = &mut f.insts[branch.index()];
    data.args[0] = test;
    data.targets = SmallVec::from(tests.targets);
    f.blocks[b.index()].insts.push(branch);
}

// ---- branches that choose values

/// One way from the branch to the join.
struct Way {
    /// The block between, if there is one.
    arm: Option<Block>,
    target: Target,
}

struct Plan {
    join: Block,
    ways: [Way; 2],
}

/// The ways of a block's branch, if they can become one.
fn plan(f: &Function, preds: &[u32], b: Block) -> Option<Plan> {
    let branch = &f.insts[f.terminator(b).index()];
    if branch.op != Op::Brif || f.blocks[b.index()].cold {
        return None;
    }
    let (x, y) = (&branch.targets[0], &branch.targets[1]);
    let direct = |t: &Target| Way {
        arm: None,
        target: t.clone(),
    };
    let candidates = [
        Some([direct(x), direct(y)]),
        arm(f, preds, b, x).map(|w| [w, direct(y)]),
        arm(f, preds, b, y).map(|w| [direct(x), w]),
        arm(f, preds, b, x)
            .zip(arm(f, preds, b, y))
            .map(<[Way; 2]>::from),
    ];
    let meet = |w: &[Way; 2]| w[0].target.block == w[1].target.block;
    let ways = candidates.into_iter().flatten().find(meet)?;
    let join = ways[0].target.block;
    is_worthwhile(f, join, &ways).then_some(Plan { join, ways })
}

/// The way through a block that serves this edge only and does nothing but compute.
fn arm(f: &Function, preds: &[u32], from: Block, edge: &Target) -> Option<Way> {
    let end = between(f, preds, from, edge)?;
    (end.op == Op::Jump && end.targets[0].block != edge.block).then(|| Way {
        arm: Some(edge.block),
        target: end.targets[0].clone(),
    })
}

/// The end of a block that serves this edge only and otherwise does nothing but compute a little.
fn between<'f>(f: &'f Function, preds: &[u32], from: Block, edge: &Target) -> Option<&'f InstData> {
    let b = edge.block;
    let block = &f.blocks[b.index()];
    let own = preds[b.index()] == 1 && block.params.is_empty() && b != from;
    let plain = block.region == f.blocks[from.index()].region && !block.cold;
    if !own || !plain {
        return None;
    }
    let mut cost = 0;
    for i in &block.insts[..block.insts.len() - 1] {
        let data = &f.insts[i.index()];
        cost += cost_of(f, data)?;
    }
    (cost <= MAX_COST).then(|| &f.insts[f.terminator(b).index()])
}

/// What it costs to compute something in vain, if that may be done at all.
fn cost_of(f: &Function, data: &InstData) -> Option<u32> {
    let by = || f.const_of(*data.args.get(1)?).map(|c| c.signed());
    match data.op {
        op if is_cheap(op) => Some(0),
        _ if data.ty.is_float() => None,
        // One `lea`.
        Op::Imul if matches!(by(), Some(3 | 5 | 9)) => Some(1),
        Op::Imul | Op::ImulHigh | Op::UmulHigh | Op::Select => Some(3),
        // Shifts and an addition.
        Op::Sdiv => by().filter(|n| *n > 1 && n.count_ones() == 1).map(|_| 3),
        op if is_speculative(op) => Some(1),
        _ => None,
    }
}

/// Few values are chosen, all in general registers, and not only to branch on them.
fn is_worthwhile(f: &Function, join: Block, ways: &[Way; 2]) -> bool {
    let block = &f.blocks[join.index()];
    let end = &f.insts[f.terminator(join).index()];
    let pairs = ways[0].target.args.iter().zip(&ways[1].target.args);
    let mut chosen = block.params.iter().zip(pairs).filter(|(_, (x, y))| x != y);
    let fit = |(&p, (&x, &y)): (&Value, (&Value, &Value))| {
        !f.ty(p).is_float() && f.ty(x) == f.ty(y) && !decides(f, end, p)
    };
    !block.cold && chosen.clone().count() <= MAX_SELECTS && chosen.all(fit)
}

/// The branch is taken by this value as it is, or as a comparison with a constant.
fn decides(f: &Function, branch: &InstData, v: Value) -> bool {
    let Some(&by) = branch.args.first() else {
        return false;
    };
    let is_test = |i: Inst| {
        let data = &f.insts[i.index()];
        let constant = data.args.get(1).is_some_and(|&n| f.const_of(n).is_some());
        data.op == Op::Icmp && constant && f.resolve(data.args[0]) == v
    };
    matches!(branch.op, Op::Brif | Op::Switch)
        && (f.resolve(by) == v || f.def_inst(by).is_some_and(is_test))
}

/// Moves the arms up and chooses what they pass.
fn convert(f: &mut Function, uses: &mut UseCounts, b: Block, plan: &Plan) {
    let branch = f.blocks[b.index()].insts.pop();
    let branch = branch.expect("a complete block has a terminator");
    for arm in plan.ways.iter().filter_map(|w| w.arm) {
        let mut moved = std::mem::take(&mut f.blocks[arm.index()]).insts;
        moved.pop();
        f.blocks[b.index()].insts.extend(moved);
        f.blocks[arm.index()] = BlockData::default();
    }
    let condition = f.insts[branch.index()].args[0];
    let mut args: SmallVec<[Value; 2]> = SmallVec::new();
    for (&x, &y) in plan.ways[0]
        .target
        .args
        .iter()
        .zip(&plan.ways[1].target.args)
    {
        args.push(match x == y {
            true => x,
            false => choose(f, uses, b, branch, (condition, [x, y])),
        });
    }
    drop_use(f, uses, b, condition);
    let data = &mut f.insts[branch.index()];
    data.op = Op::Jump;
    data.args.clear();
    data.targets = SmallVec::from_iter([Target {
        block: plan.join,
        args,
    }]);
    f.blocks[b.index()].insts.push(branch);
}

/// The first value if the condition holds, else the second one. Conditions are put together as such.
fn choose(
    f: &mut Function,
    uses: &mut UseCounts,
    b: Block,
    like: Inst,
    (condition, [x, y]): (Value, [Value; 2]),
) -> Value {
    let constant = |v: Value| f.const_of(v).map(|c| c.bits);
    let holds = (condition, false);
    let fails = (condition, true);
    let range = match (constant(x), constant(y)) {
        (_, Some(0)) => ranges::both(f, holds, (x, false)),
        (Some(0), _) => ranges::both(f, fails, (y, false)),
        (Some(1), _) => ranges::both(f, fails, (y, true)).map(Range::inverse),
        (_, Some(1)) => ranges::both(f, holds, (x, true)).map(Range::inverse),
        _ => None,
    };
    if let Some(range) = range {
        drop_use(f, uses, b, x);
        drop_use(f, uses, b, y);
        return range.emit(f, b, like);
    }
    if uses.of(condition) > 0 {
        uses.add_one(condition);
    }
    let truths = |v| is_truth(f, condition) && is_truth(f, v);
    let ty = f.ty(x);
    let (op, args) = match (constant(x), constant(y)) {
        (Some(1), _) if truths(y) => (Op::Or, vec![condition, y]),
        (_, Some(0)) if truths(x) => (Op::And, vec![condition, x]),
        _ => (Op::Select, vec![condition, x, y]),
    };
    ranges::emit(f, b, like, op, ty, &args, Imm::None)
}

/// The value is 0 or 1.
fn is_truth(f: &Function, v: Value) -> bool {
    let Some(i) = f.def_inst(f.resolve(v)) else {
        return false;
    };
    let data = &f.insts[i.index()];
    match data.op {
        Op::Icmp | Op::Fcmp => true,
        Op::And | Op::Or => data.args.iter().all(|&a| is_comparison(f, a)),
        _ => false,
    }
}

fn is_comparison(f: &Function, v: Value) -> bool {
    let def = f.def_inst(f.resolve(v)).map(|i| f.insts[i.index()].op);
    matches!(def, Some(Op::Icmp | Op::Fcmp))
}
