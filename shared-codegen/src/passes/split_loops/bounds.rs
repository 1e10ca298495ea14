//! Which checks of a counted loop can be answered in front of it, and what must be asked there.
//!
//! A value that is the same in all rounds can be computed in front if it is computed there already, or in the loop by operations
//! that neither fault nor read what the loop writes. Lengths and fields are read only from objects tested for null. An address that
//! is itself read from memory (the bounds of a multi-dimensional array) is followed only if the loop does so before it branches
//! or raises anything but failed checks: behind a test of types it might not be an address.

use super::super::gvn::is_cheap;
use super::super::licm::{is_speculative, null_checks, safe_objects};
use super::super::memory::{Memory, Place};
use super::shape::{Shape, Step};
use crate::analysis::Dominators;
use crate::ir::{AliasClass, Function, Fx, Imm, Inst, InstData, IntCc, Op, Type, Value};
use rustc_hash::{FxHashMap, FxHashSet};

/// Most ranges asked for in front of a loop.
const MAX_RANGES: usize = 6;
/// Largest constant in an index.
const MAX_OFFSET: i64 = 1 << 16;
/// Longest chain of operations repeated in front.
const MAX_DEPTH: u32 = 6;

/// `0 <= counter + offset + c < length` for all `c` from `low` to `high`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::passes) struct Range {
    pub length: Value,
    pub offset: Option<Offset>,
    pub low: i64,
    pub high: i64,
}

/// A value added to the counter, or subtracted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::passes) struct Offset {
    pub value: Value,
    pub negative: bool,
}

/// What is done with a loop.
pub(in crate::passes) struct Plan {
    pub ranges: Vec<Range>,
    /// `index <u length`, both invariant.
    pub fixed: Vec<(Value, Value)>,
    /// Checks without work in the copy; of branches the target that is taken.
    pub removed: FxHashMap<Inst, Option<usize>>,
    /// 32-bit values that are the counter plus an invariant plus a constant without overflow in all rounds of the copy.
    pub exact: FxHashMap<Value, Index>,
    /// Objects known in front of the loop not to be null.
    pub safe: FxHashSet<Value>,
    /// Rounds at a time.
    pub rounds: usize,
}

impl Plan {
    /// The copy is better than the loop.
    pub fn is_worthwhile(&self) -> bool {
        !self.removed.is_empty() || self.rounds > 1
    }
}

/// The plan for a loop.
pub(in crate::passes) fn plan(f: &Function, doms: &Dominators, shape: &Shape) -> Plan {
    let mut finder = Finder::new(f, doms, shape);
    finder.find();
    finder.plan
}

fn tests_types(f: &Function, shape: &Shape) -> bool {
    let mut insts = shape.blocks.iter().flat_map(|b| &f.blocks[b.index()].insts);
    insts.any(|i| {
        let op = f.insts[i.index()].op;
        matches!(op, Op::IsInst | Op::CastClass | Op::MethodTableOf)
    })
}

/// Rounds at a time: more the smaller the loop is.
pub(in crate::passes) fn unroll_factor(f: &Function, shape: &Shape, plan: &Plan) -> usize {
    let insts = shape.blocks.iter().flat_map(|b| &f.blocks[b.index()].insts);
    let works = |i: &&Inst| {
        let data = &f.insts[i.index()];
        let free = is_cheap(data.op)
            || matches!(
                data.op,
                Op::Poll | Op::Jump | Op::NullCheck | Op::Zext32 | Op::Sext32 | Op::AddrIndex
            );
        !free && !plan.removed.contains_key(i)
    };
    match insts.filter(works).count() {
        0..=9 => 4,
        10..=18 => 2,
        _ => 1,
    }
}

/// An index: the counter plus an invariant plus a constant.
pub(in crate::passes) type Index = (Option<Offset>, i64);

/// Looks for what can be asked in front of a loop.
pub(in crate::passes) struct Finder<'a> {
    f: &'a Function,
    shape: &'a Shape,
    memory: Memory,
    written: FxHashSet<Place>,
    /// Instructions that run in each round before anything but checks can end it.
    first: FxHashSet<Inst>,
    /// The loop asks what an object is, so that it may not be an array elsewhere.
    tests_types: bool,
    pub plan: Plan,
}

impl<'a> Finder<'a> {
    pub(in crate::passes) fn new(f: &'a Function, doms: &Dominators, shape: &'a Shape) -> Self {
        let checks = null_checks(f);
        let mut finder = Finder {
            f,
            shape,
            memory: Memory::new(f),
            written: FxHashSet::default(),
            first: FxHashSet::default(),
            tests_types: tests_types(f, shape),
            plan: Plan {
                ranges: Vec::new(),
                fixed: Vec::new(),
                removed: FxHashMap::default(),
                exact: FxHashMap::from_iter([(shape.counter, (None, 0))]),
                safe: safe_objects(&checks, doms, doms.idom(shape.header).unwrap_or(f.entry())),
                rounds: 0,
            },
        };
        finder.written = finder.memory.written(&shape.blocks);
        finder.find_first();
        finder
    }

    /// Finds the checks that can be left out; false if the loop's rounds cannot be counted in front.
    pub(in crate::passes) fn find(&mut self) -> bool {
        if !self.can_compute(self.shape.limit, 0) || !self.step_is_known() {
            return false;
        }
        for &b in &self.shape.blocks {
            for &i in &self.f.blocks[b.index()].insts {
                self.visit(i);
            }
        }
        self.plan.rounds = unroll_factor(self.f, self.shape, &self.plan);
        true
    }
}

impl Finder<'_> {
    fn find_first(&mut self) {
        for &i in &self.f.blocks[self.shape.header.index()].insts {
            let data = &self.f.insts[i.index()];
            let fx = data.op.info().fx;
            let check = matches!(data.op, Op::NullCheck | Op::BoundsCheck);
            if !check && fx.intersects(Fx::THROW | Fx::WRITE | Fx::TERM | Fx::CALL) {
                return;
            }
            self.first.insert(i);
        }
    }

    fn step_is_known(&self) -> bool {
        match self.shape.step {
            Step::Const(_) => true,
            Step::Var(v) => self.can_compute(v, 0),
        }
    }

    /// The value can be computed in front of the loop.
    pub(in crate::passes) fn can_compute(&self, v: Value, depth: u32) -> bool {
        let v = self.f.resolve(v);
        if self.shape.is_outside(self.f, v) {
            return true;
        }
        let Some(inst) = self.f.def_inst(v) else {
            return false;
        };
        let data = &self.f.insts[inst.index()];
        let fit = match data.op {
            op if is_cheap(op) => true,
            Op::ArrayLen => !self.tests_types || self.runs_each_round(inst),
            Op::Load => {
                let plain = matches!(data.imm, Imm::Mem(m) if !m.volatile);
                plain && self.can_read(inst, data)
            }
            op => is_speculative(op) && data.args.len() <= 2,
        };
        fit && depth < MAX_DEPTH
            && self.memory.is_untouched(data, &self.written)
            && data.args.iter().all(|&a| self.can_compute(a, depth + 1))
    }

    /// A load does not fault in front, after the tests for null made there and what is asked in front before it.
    fn can_read(&self, inst: Inst, load: &InstData) -> bool {
        let f = self.f;
        let address = f.resolve(load.args[0]);
        if f.ty(address) == Type::Ref {
            return self.runs_each_round(inst);
        }
        let Some(from) = f.def_inst(address) else {
            return f.ty(address) == Type::ByRef && self.first.contains(&inst);
        };
        let from = &f.insts[from.index()];
        match (from.op, from.imm) {
            (Op::Const | Op::SlotAddr, _) => true,
            // The bounds of an array.
            (Op::Load, Imm::Mem(m)) => {
                m.alias == AliasClass::Immutable
                    && self.first.contains(&inst)
                    && f.ty(from.args[0]) == Type::Ref
            }
            (Op::AddrIndex, _) => {
                let (object, index) = (f.resolve(from.args[0]), f.resolve(from.args[1]));
                self.first.contains(&inst) && self.is_fixed(object, index)
            }
            _ => false,
        }
    }

    /// It is asked in front whether this is an index of this array.
    fn is_fixed(&self, array: Value, index: Value) -> bool {
        let f = self.f;
        let is_length = |length: Value| {
            let of = f.def_inst(length).map(|i| &f.insts[i.index()]);
            of.is_some_and(|d| d.op == Op::ArrayLen && f.resolve(d.args[0]) == array)
        };
        let unextended = |v: Value| self.unextended(v);
        let mut fixed = self.plan.fixed.iter();
        fixed.any(|&(i, length)| unextended(i) == unextended(index) && is_length(length))
    }

    fn unextended(&self, v: Value) -> Value {
        let f = self.f;
        match f.def_inst(v).map(|i| &f.insts[i.index()]) {
            Some(d) if matches!(d.op, Op::Sext32 | Op::Zext32) => f.resolve(d.args[0]),
            _ => v,
        }
    }

    /// The loop does it in its first block.
    fn runs_each_round(&self, inst: Inst) -> bool {
        self.shape.home(inst) == Some(self.shape.header)
    }

    fn visit(&mut self, inst: Inst) {
        let f = self.f;
        let data = &f.insts[inst.index()];
        match data.op {
            Op::BoundsCheck if self.in_range(f.resolve(data.args[0]), f.resolve(data.args[1])) => {
                self.plan.removed.insert(inst, None);
            }
            Op::Brif => {
                if let Some((index, length, taken)) = self.tested_range(data)
                    && self.in_range(index, length)
                {
                    self.plan.removed.insert(inst, Some(taken));
                }
            }
            _ => {}
        }
    }

    /// A branch that leaves the loop unless `index <u length`: the two, and the target that stays inside. Where the comparison is
    /// signed, more is asked in front than needed: that the index is not negative.
    fn tested_range(&self, branch: &InstData) -> Option<(Value, Value, usize)> {
        let test = &self.f.insts[self.f.def_inst(branch.args[0])?.index()];
        let Imm::IntCc(cc) = test.imm else {
            return None;
        };
        let (x, y) = (
            self.f.resolve(*test.args.first()?),
            self.f.resolve(*test.args.get(1)?),
        );
        let (index, length, taken) = match cc {
            IntCc::Ult | IntCc::Slt => (x, y, 0),
            IntCc::Uge | IntCc::Sge => (x, y, 1),
            IntCc::Ugt | IntCc::Sgt => (y, x, 0),
            IntCc::Ule | IntCc::Sle => (y, x, 1),
            _ => return None,
        };
        let signed = matches!(cc, IntCc::Slt | IntCc::Sle | IntCc::Sgt | IntCc::Sge);
        if signed && self.index(index).is_none() {
            return None;
        }
        let leaves = !self.shape.inside.contains(&branch.targets[1 - taken].block);
        let stays = self.shape.inside.contains(&branch.targets[taken].block);
        let latch = branch.targets.iter().any(|t| t.block == self.shape.header);
        (test.op == Op::Icmp && leaves && stays && !latch).then_some((index, length, taken))
    }

    /// Notes what must be asked in front so that `index <u length` holds in each round; false if that cannot be asked.
    fn in_range(&mut self, index: Value, length: Value) -> bool {
        if !self.can_compute(length, 0) {
            return false;
        }
        if self.can_compute(index, 0) {
            let known = self.plan.fixed.contains(&(index, length));
            if !known && self.plan.fixed.len() < MAX_RANGES {
                self.plan.fixed.push((index, length));
            }
            return known || self.plan.fixed.contains(&(index, length));
        }
        let Some((offset, c)) = self.index(index) else {
            return false;
        };
        let range = Range {
            length,
            offset,
            low: c,
            high: c,
        };
        let same = |r: &&mut Range| r.length == length && r.offset == offset;
        let is_full = self.plan.ranges.len() == MAX_RANGES;
        match self.plan.ranges.iter_mut().find(same) {
            Some(r) => (r.low, r.high) = (r.low.min(c), r.high.max(c)),
            None if is_full => return false,
            None => self.plan.ranges.push(range),
        }
        let narrow = self.unextended(index);
        if self.f.ty(narrow) == Type::I32 {
            self.plan.exact.insert(narrow, (offset, c));
        }
        true
    }

    /// The value as an index.
    pub(in crate::passes) fn index(&self, v: Value) -> Option<Index> {
        let v = self.f.resolve(v);
        if v == self.shape.counter {
            return Some((None, 0));
        }
        let data = &self.f.insts[self.f.def_inst(v)?.index()];
        let (offset, c) = match data.op {
            // The counter is not negative in the copy.
            Op::Sext32 | Op::Zext32 => self.index(data.args[0])?,
            Op::Iadd | Op::Isub => self.sum(data)?,
            _ => return None,
        };
        (c.abs() <= MAX_OFFSET).then_some((offset, c))
    }

    fn sum(&self, data: &InstData) -> Option<Index> {
        let (x, y) = (self.f.resolve(data.args[0]), self.f.resolve(data.args[1]));
        let negative = data.op == Op::Isub;
        let (of, by) = match self.index(x) {
            Some(of) => (of, y),
            None if !negative => (self.index(y)?, x),
            None => return None,
        };
        // What was extended may have overflowed before, unless it is the counter itself.
        if data.ty == Type::I64 && of != (None, 0) {
            return None;
        }
        if let Some(n) = self.f.const_of(by) {
            let n = n.signed();
            let c = if negative {
                of.1.checked_sub(n)
            } else {
                of.1.checked_add(n)
            };
            return c.map(|c| (of.0, c));
        }
        let free = of.0.is_none() && self.can_compute(by, 0);
        let offset = Offset {
            value: by,
            negative,
        };
        free.then_some((Some(offset), of.1))
    }
}
