//! Proofs about integers: that they are not negative, or below something.
//!
//! Known is: what branches on the way from the entry say (only edges into blocks with one predecessor), constants, lengths and zero
//! extensions (not negative), parts of numbers that are not negative, remainders, and by induction over loops, parameters
//! that count up by one from something not negative, or down from something below a limit.
//!
//! A demand-driven search in the spirit of Bodik, Gupta, Sarkar: "ABCD" (PLDI 2000), without its graph: proofs go backwards
//! from what is asked, to a bounded depth ([`MAX_FACTS`], [`MAX_DEPTH`]).

use crate::analysis::{Cfg, Dominators};
use crate::ir::{
    AliasClass, Block, Function, Imm, InstData, IntCc, MemType, Op, Type, Value, ValueDef,
};
use rustc_hash::FxHashSet;

/// Longest chain of dominators searched for facts.
const MAX_FACTS: usize = 48;
/// Deepest nesting of proofs.
const MAX_DEPTH: u32 = 6;

fn homes(f: &Function) -> Vec<Option<Block>> {
    let mut homes = vec![None; f.insts.len()];
    for &b in &f.layout {
        for i in &f.blocks[b.index()].insts {
            homes[i.index()] = Some(b);
        }
    }
    homes
}

/// A comparison known to hold.
#[derive(Clone, Copy)]
struct Fact {
    cc: IntCc,
    a: Value,
    b: Value,
}

/// Proves properties of values.
pub(super) struct Prover<'a> {
    f: &'a Function,
    cfg: &'a Cfg,
    doms: &'a Dominators,
    /// The block each instruction stands in.
    homes: Vec<Option<Block>>,
    /// Parameters whose property is being proved: it may be assumed for them around the loop.
    assumed: Vec<(Value, Goal)>,
    /// Parameters proven to be below something whenever they are passed.
    bounded: FxHashSet<Value>,
}

/// A property of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// Not negative.
    NonNegative,
    /// Signed below this value.
    Below(Value),
}

impl<'a> Prover<'a> {
    /// Proofs about a function without aliases.
    pub(super) fn new(f: &'a Function, cfg: &'a Cfg, doms: &'a Dominators) -> Prover<'a> {
        Prover {
            f,
            cfg,
            doms,
            homes: homes(f),
            assumed: Vec::new(),
            bounded: FxHashSet::default(),
        }
    }
}

impl Prover<'_> {
    /// `0 <= index < length` where the block starts.
    pub(super) fn in_bounds(&mut self, index: Value, length: Value, at: Block) -> bool {
        if self.constants_in_bounds(index, length) {
            return true;
        }
        let unsigned = |x: &Fact| x.cc == IntCc::Ult && x.a == index && x.b == length;
        if self.facts(at).iter().any(unsigned) {
            return true;
        }
        self.below(index, length, at, 0) && self.non_negative(index, at, 0)
    }

    /// Whether a comparison of integers holds at the start of a block, if it always or never does.
    pub(super) fn decide(&mut self, cc: IntCc, a: Value, b: Value, at: Block) -> Option<bool> {
        if a == b {
            return Some(matches!(
                cc,
                IntCc::Eq | IntCc::Sle | IntCc::Sge | IntCc::Ule | IntCc::Uge
            ));
        }
        match cc {
            IntCc::Ult => self.in_bounds(a, b, at).then_some(true),
            IntCc::Ule => self.in_bounds(b, a, at).then_some(false),
            IntCc::Slt if self.constant(b) == Some(0) => {
                self.is_non_negative(a, at).then_some(false)
            }
            IntCc::Sle if self.constant(a) == Some(0) => {
                self.is_non_negative(b, at).then_some(true)
            }
            IntCc::Slt | IntCc::Sle => self.is_told(cc, a, b, at),
            IntCc::Sgt | IntCc::Sge | IntCc::Ugt | IntCc::Uge => {
                self.decide(cc.swapped(), b, a, at)
            }
            IntCc::Eq | IntCc::Ne => None,
        }
    }

    /// A comparison of the same two values on the way tells the outcome of a signed one.
    fn is_told(&self, cc: IntCc, a: Value, b: Value, at: Block) -> Option<bool> {
        self.facts(at).iter().find_map(|x| match (x.cc, cc) {
            (IntCc::Slt, _) if (x.a, x.b) == (a, b) => Some(true),
            (IntCc::Sle, IntCc::Sle) if (x.a, x.b) == (a, b) => Some(true),
            (IntCc::Slt, _) if (x.a, x.b) == (b, a) => Some(false),
            (IntCc::Sle, IntCc::Slt) if (x.a, x.b) == (b, a) => Some(false),
            _ => None,
        })
    }

    /// What cannot be proven of an index, for people.
    pub(super) fn doubt(&mut self, index: Value, length: Value, at: Block) -> &'static str {
        match (
            self.below(index, length, at, 0),
            self.non_negative(index, at, 0),
        ) {
            (true, _) => "is not known to be 0 or more",
            (false, true) => "is not known to be below the length",
            (false, false) => "may be anything",
        }
    }

    fn constants_in_bounds(&self, index: Value, length: Value) -> bool {
        let (i, n) = (self.constant(index), self.constant(length));
        matches!((i, n), (Some(i), Some(n)) if 0 <= i && i < n)
    }

    fn constant(&self, v: Value) -> Option<i64> {
        let data = self.def(v)?;
        match (data.op, data.imm) {
            (Op::Iconst, Imm::Int(n)) => Some(n),
            _ => None,
        }
    }

    fn def(&self, v: Value) -> Option<&InstData> {
        self.f.def_inst(v).map(|i| &self.f.insts[i.index()])
    }

    /// Comparisons that hold at the start of a block.
    fn facts(&self, at: Block) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut b = at;
        for _ in 0..MAX_FACTS {
            if let (&[p], []) = (self.cfg.preds(b), self.cfg.eh_preds(b)) {
                facts.extend(self.fact_of_edge(p, b));
            }
            match self.doms.idom(b) {
                Some(d) => b = d,
                None => break,
            }
        }
        facts
    }

    /// What the branch that ends `from` says when it goes to `to`.
    fn fact_of_edge(&self, from: Block, to: Block) -> Option<Fact> {
        let branch = &self.f.insts[self.f.terminator(from).index()];
        if branch.op != Op::Brif || branch.targets[0].block == branch.targets[1].block {
            return None;
        }
        let test = self.def(branch.args[0])?;
        let (Op::Icmp, Imm::IntCc(cc)) = (test.op, test.imm) else {
            return None;
        };
        let cc = if branch.targets[0].block == to {
            cc
        } else {
            cc.inverse()
        };
        let (a, b) = (self.f.resolve(test.args[0]), self.f.resolve(test.args[1]));
        // One direction only.
        Some(match cc {
            IntCc::Sgt | IntCc::Sge | IntCc::Ugt | IntCc::Uge => Fact {
                cc: cc.swapped(),
                a: b,
                b: a,
            },
            _ => Fact { cc, a, b },
        })
    }

    /// A comparison says that a value has a property.
    fn says(&self, x: &Fact, v: Value, goal: Goal) -> bool {
        let at_least = |n| self.constant(x.a).is_some_and(|c| c >= n);
        match (goal, x.cc) {
            (Goal::Below(limit), IntCc::Slt) => x.a == v && x.b == limit,
            (Goal::NonNegative, IntCc::Sle) => x.b == v && at_least(0),
            (Goal::NonNegative, IntCc::Slt) => x.b == v && at_least(-1),
            // Unsigned below something not negative.
            (Goal::NonNegative, IntCc::Ult | IntCc::Ule) => x.a == v && self.is_length(x.b),
            _ => false,
        }
    }

    /// `0 <= v` where it is computed, or else at the start of a block.
    pub(super) fn is_non_negative(&mut self, v: Value, at: Block) -> bool {
        self.non_negative(v, at, 0)
    }

    /// `0 <= v` at the start of a block.
    fn non_negative(&mut self, v: Value, at: Block, depth: u32) -> bool {
        if self.constant(v).is_some_and(|n| n >= 0) || self.is_non_negative_by_kind(v, at, depth) {
            return true;
        }
        let facts = self.facts(at);
        if facts.iter().any(|x| self.says(x, v, Goal::NonNegative)) {
            return true;
        }
        depth < MAX_DEPTH && self.by_induction(v, Goal::NonNegative, at, depth)
    }

    fn is_non_negative_by_kind(&mut self, v: Value, at: Block, depth: u32) -> bool {
        if self.is_length(v) {
            return true;
        }
        let Some(data) = self.def(v) else {
            return false;
        };
        let (op, imm, args) = (data.op, data.imm, data.args.clone());
        if self.is_part(op, &args, at, depth) {
            return true;
        }
        match (op, imm) {
            (Op::Zext8 | Op::Zext16 | Op::Zext32, _) => true,
            (Op::Load, Imm::Mem(m)) => matches!(m.ty, MemType::U8 | MemType::U16),
            (Op::ShrU, _) => self.constant(args[1]).is_some_and(|n| n > 0 && n < 32),
            (Op::Icmp | Op::Fcmp | Op::Popcnt | Op::Clz | Op::Ctz, _) => true,
            (Op::Or | Op::Xor, _) if depth < MAX_DEPTH => {
                args.iter().all(|&a| self.non_negative(a, at, depth + 1))
            }
            (Op::Sext32, _) if depth < MAX_DEPTH => self.non_negative(args[0], at, depth + 1),
            (Op::Iadd, _) if depth < MAX_DEPTH => {
                let one = self.constant(args[1]) == Some(1);
                one && self.can_grow(args[0], at) && self.non_negative(args[0], at, depth + 1)
            }
            _ => false,
        }
    }

    /// What dividing, shifting right and masking leave of a number that is not negative: between 0 and the number.
    fn is_part(&mut self, op: Op, args: &[Value], at: Block, depth: u32) -> bool {
        let mut whole = |n: usize| depth < MAX_DEPTH && self.non_negative(args[n], at, depth + 1);
        match op {
            Op::ShrS | Op::Srem | Op::RemS => whole(0),
            Op::And => whole(1) || whole(0),
            Op::Sdiv | Op::DivS => whole(1) && whole(0),
            Op::Urem | Op::RemU => whole(1),
            Op::Udiv | Op::DivU => self.constant(args[1]).is_some_and(|n| n != 1),
            _ => false,
        }
    }

    /// A remainder of a division by `limit`, or a part of something below `limit` that is not negative.
    fn is_less_part(&mut self, v: Value, limit: Value, at: Block, depth: u32) -> bool {
        let Some(data) = self.def(v) else {
            return false;
        };
        let (op, args) = (data.op, data.args.clone());
        if matches!(op, Op::Srem | Op::RemS | Op::Urem | Op::RemU) && args[1] == limit {
            return self.is_length(limit);
        }
        let part = matches!(op, Op::ShrS | Op::ShrU | Op::Srem | Op::RemS | Op::And)
            || matches!(op, Op::Sdiv | Op::DivS | Op::Udiv | Op::DivU)
                && self.constant(args[1]).is_some_and(|n| n > 0);
        part && depth < MAX_DEPTH
            && self.non_negative(args[0], at, depth + 1)
            && self.below(args[0], limit, at, depth + 1)
    }

    /// The length of an array or string: between 0 and the largest `i32`.
    fn is_length(&self, v: Value) -> bool {
        let Some(data) = self.def(v) else {
            return false;
        };
        match (data.op, data.imm) {
            (Op::ArrayLen, _) => true,
            (Op::Trunc, _) => self.def(data.args[0]).is_some_and(|d| d.op == Op::ArrayLen),
            (Op::Load, Imm::Mem(m)) => {
                let string = crate::abi::layout::string::LENGTH;
                (m.alias, m.offset, m.ty) == (AliasClass::Immutable, string, MemType::I32)
            }
            (Op::Iconst, Imm::Int(n)) => n >= 0,
            _ => false,
        }
    }

    /// `v` is below some value of its type, so that `v + 1` does not overflow.
    fn can_grow(&self, v: Value, at: Block) -> bool {
        let below = |x: &Fact| x.cc == IntCc::Slt && x.a == v;
        self.bounded.contains(&v) || self.facts(at).iter().any(below)
    }

    /// `v` is above some value of its type, so that `v - 1` does not overflow.
    fn can_shrink(&self, v: Value, at: Block) -> bool {
        let zero = |x: &Fact| self.constant(x.a).is_some_and(|n| n >= 0);
        self.facts(at).iter().any(|x| match x.cc {
            IntCc::Slt => x.b == v,
            IntCc::Sle => x.b == v && zero(x),
            _ => false,
        })
    }

    /// `v <s limit` at the start of a block.
    fn below(&mut self, v: Value, limit: Value, at: Block, depth: u32) -> bool {
        let facts = self.facts(at);
        if facts.iter().any(|x| self.says(x, v, Goal::Below(limit))) {
            return true;
        }
        // `limit - 1` of a length.
        let less = self.step(limit, v);
        if less.is_some_and(|n| n < 0 && n > i64::from(i32::MIN)) && self.is_length(limit) {
            return true;
        }
        self.is_less_part(v, limit, at, depth)
            || depth < MAX_DEPTH && self.by_induction(v, Goal::Below(limit), at, depth)
    }

    /// Proves a property of a block parameter: every argument has it, those from inside the loop under the assumption
    /// that the parameter has it.
    fn by_induction(&mut self, v: Value, goal: Goal, at: Block, depth: u32) -> bool {
        let ValueDef::Param(block, n) = self.f.values[v.index()].def else {
            return false;
        };
        if self.assumed.contains(&(v, goal)) {
            return true;
        }
        let limit_is_older = match goal {
            Goal::NonNegative => true,
            Goal::Below(limit) => self.is_defined_before(limit, block),
        };
        let known = self.cfg.eh_preds(block).is_empty() && !self.cfg.preds(block).is_empty();
        if !limit_is_older || !known || self.f.ty(v) != Type::I32 || !self.doms.dominates(block, at)
        {
            return false;
        }
        self.assumed.push((v, goal));
        let preds: Vec<Block> = self.cfg.preds(block).to_vec();
        let proven = preds.iter().all(|&p| {
            let branch = &self.f.insts[self.f.terminator(p).index()];
            let to = branch.targets.iter().filter(|t| t.block == block);
            let args: Vec<Value> = to.map(|t| self.f.resolve(t.args[n as usize])).collect();
            args.into_iter()
                .all(|a| self.argument(v, a, goal, (p, block), depth + 1))
        });
        self.assumed.pop();
        if proven && goal != Goal::NonNegative && self.assumed.is_empty() {
            self.bounded.insert(v);
        }
        proven
    }

    /// An argument passed from `from` to `block` for its parameter `param` has the property.
    fn argument(
        &mut self,
        param: Value,
        arg: Value,
        goal: Goal,
        edge: (Block, Block),
        depth: u32,
    ) -> bool {
        if arg == param {
            return true;
        }
        let (from, to) = edge;
        let fact = self.fact_of_edge(from, to);
        if fact.is_some_and(|x| self.says(&x, arg, goal)) {
            return true;
        }
        if let Some(step) = self.step(param, arg) {
            return match goal {
                Goal::NonNegative => step == 1 && self.can_grow(param, from),
                Goal::Below(_) => step == -1 && self.can_shrink(param, from),
            };
        }
        match goal {
            Goal::NonNegative => self.non_negative(arg, from, depth),
            Goal::Below(limit) => self.below(arg, limit, from, depth),
        }
    }

    /// `arg` is `param` plus this constant.
    fn step(&self, param: Value, arg: Value) -> Option<i64> {
        let data = self.def(arg)?;
        let by = self.constant(*data.args.get(1)?)?;
        let same = self.f.resolve(data.args[0]) == param;
        match data.op {
            Op::Iadd if same => Some(by),
            Op::Isub if same => Some(by.wrapping_neg()),
            _ => None,
        }
    }

    fn def_block(&self, v: Value) -> Option<Block> {
        match self.f.values[v.index()].def {
            ValueDef::Param(b, _) => Some(b),
            ValueDef::Result(i) => self.homes[i.index()],
            ValueDef::Alias(_) => None,
        }
    }

    /// The value is computed before the block is entered: the same one around a loop that the block heads.
    fn is_defined_before(&self, v: Value, block: Block) -> bool {
        let Some(def) = self.def_block(v) else {
            return false;
        };
        def != block && self.doms.dominates(def, block)
    }
}
