//! What is asked in front of a copy of a loop, and the means to write it down.

use super::super::licm::make_preheader;
use super::super::ssa_repair::spill_definitions;
use super::bounds::{Offset, Plan, Range};
use super::shape::{Shape, Step};
use crate::ir::{
    Block, Function, Imm, InstData, IntCc, MemRef, Op, Region, SourceLoc, Target, Type, Value,
    typing,
};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

/// One more than the largest `i32`.
const END: i64 = 1 << 31;

/// The copy goes on while the counter is on this side of the last value.
pub(in crate::passes) fn up_cc(shape: &Shape) -> IntCc {
    match shape.step {
        Step::Const(n) if n < 0 => IntCc::Sgt,
        _ => IntCc::Slt,
    }
}

/// Puts the new blocks in front of the loop.
pub(in crate::passes) fn place(f: &mut Function, shape: &Shape, new: Vec<Block>) {
    let at = f.layout.iter().position(|&b| b == shape.header);
    let at = at.expect("the header is in the layout");
    f.layout.splice(at..at, new);
}

/// Appends instructions.
pub(in crate::passes) struct Emitter<'f> {
    pub(in crate::passes) f: &'f mut Function,
    pub(in crate::passes) region: Option<Region>,
    pub(in crate::passes) block: Block,
    pub(in crate::passes) loc: SourceLoc,
    /// The new blocks in order.
    pub(in crate::passes) made: &'f mut Vec<Block>,
}

impl Emitter<'_> {
    /// A block behind the new ones so far.
    pub(in crate::passes) fn new_block(&mut self) -> Block {
        let b = self.f.add_block();
        self.f.layout.pop();
        self.f.blocks[b.index()].region = self.region;
        self.made.push(b);
        b
    }

    pub(in crate::passes) fn push(
        &mut self,
        data: InstData,
        result: Option<Type>,
    ) -> Option<Value> {
        let i = self.f.make_inst(data, result);
        self.f.blocks[self.block.index()].insts.push(i);
        self.f.insts[i.index()].result
    }

    pub(in crate::passes) fn store(&mut self, at: Value, value: Value, mem: MemRef) {
        let data = InstData {
            op: Op::Store,
            ty: Type::I32,
            args: SmallVec::from_slice(&[at, value]),
            imm: Imm::Mem(mem),
            targets: SmallVec::new(),
            result: None,
            loc: self.loc,
        };
        self.push(data, None);
    }

    pub(in crate::passes) fn emit(&mut self, op: Op, ty: Type, args: &[Value], imm: Imm) -> Value {
        let result = typing::result_type(self.f, op, ty, &imm);
        let data = InstData {
            op,
            ty: typing::canonical_type(self.f, op, ty, &imm),
            args: SmallVec::from_slice(args),
            imm,
            targets: SmallVec::new(),
            result: None,
            loc: self.loc,
        };
        self.push(data, result).expect("the op has a result")
    }

    pub(in crate::passes) fn terminate(
        &mut self,
        op: Op,
        args: &[Value],
        targets: SmallVec<[Target; 2]>,
    ) {
        let data = InstData {
            op,
            ty: Type::I32,
            args: SmallVec::from_slice(args),
            imm: Imm::None,
            targets,
            result: None,
            loc: self.loc,
        };
        self.push(data, None);
    }

    pub(in crate::passes) fn jump(&mut self, to: Target) {
        self.terminate(Op::Jump, &[], SmallVec::from_iter([to]));
    }

    pub(in crate::passes) fn brif(&mut self, test: Value, to: Target, otherwise: Target) {
        self.terminate(Op::Brif, &[test], SmallVec::from_iter([to, otherwise]));
    }

    pub(in crate::passes) fn icmp(&mut self, cc: IntCc, a: Value, b: Value) -> Value {
        self.emit(Op::Icmp, Type::I32, &[a, b], Imm::IntCc(cc))
    }

    pub(in crate::passes) fn i64(&mut self, n: i64) -> Value {
        self.emit(Op::Iconst, Type::I64, &[], Imm::Int(n))
    }

    pub(in crate::passes) fn binary(&mut self, op: Op, a: Value, b: Value) -> Value {
        self.emit(op, Type::I64, &[a, b], Imm::None)
    }

    /// `a + n` of 64 bits.
    pub(in crate::passes) fn plus(&mut self, a: Value, n: i64) -> Value {
        if n == 0 {
            return a;
        }
        let n = self.i64(n);
        self.binary(Op::Iadd, a, n)
    }

    /// The smaller of two, or the larger.
    pub(in crate::passes) fn choose(&mut self, cc: IntCc, a: Value, b: Value) -> Value {
        let test = self.icmp(cc, a, b);
        self.emit(Op::Select, Type::I64, &[test, a, b], Imm::None)
    }

    pub(in crate::passes) fn wide(&mut self, v: Value) -> Value {
        if self.f.ty(v) != Type::I32 {
            return v;
        }
        match self.f.const_of(v) {
            Some(c) => self.i64(c.signed()),
            None => self.emit(Op::Sext32, Type::I64, &[v], Imm::None),
        }
    }
}

/// What is asked in front of the copy.
pub(in crate::passes) struct Front<'a, 'f> {
    pub(in crate::passes) e: Emitter<'f>,
    pub(in crate::passes) shape: &'a Shape,
    /// Objects known not to be null.
    pub(in crate::passes) safe: FxHashSet<Value>,
    /// What the loop computes, and the same in front.
    pub(in crate::passes) known: FxHashMap<Value, Value>,
    /// The loop as it was, with what it is entered with.
    pub(in crate::passes) fallback: Target,
}

/// How a copy is entered.
pub(in crate::passes) struct Entry {
    /// What the loop is entered with.
    pub args: SmallVec<[Value; 2]>,
    /// The counter's first value, of 64 bits.
    pub start: Value,
    /// The rounds of the copy begin below this.
    pub last: Value,
    /// What is added in each round.
    pub step: Value,
}

impl<'a, 'f> Front<'a, 'f> {
    /// Begins to build in front of a loop: asks whether rounds of the copy can run.
    pub(in crate::passes) fn open(
        f: &'f mut Function,
        shape: &'a Shape,
        plan: &Plan,
        made: &'f mut Vec<Block>,
    ) -> (Self, Entry) {
        spill_definitions(f, &shape.blocks);
        let entry = make_preheader(f, shape.header, &shape.outside);
        f.blocks[entry.index()].insts.pop();
        let args: SmallVec<[Value; 2]> = f.blocks[entry.index()].params.iter().copied().collect();
        let loc = f.insts[f.terminator(shape.latch).index()].loc;
        let mut front = Front {
            e: Emitter {
                region: f.blocks[shape.header.index()].region,
                block: entry,
                loc,
                made,
                f,
            },
            shape,
            safe: plan.safe.clone(),
            known: FxHashMap::default(),
            fallback: Target {
                block: shape.header,
                args: args.clone(),
            },
        };
        let (start, last, step) = front.ask(plan, args[shape.position]);
        let entry = Entry {
            args,
            start,
            last,
            step,
        };
        (front, entry)
    }
}

impl Front<'_, '_> {
    /// Goes to the loop as it was unless the test holds.
    pub(in crate::passes) fn need(&mut self, test: Value) {
        let next = self.e.new_block();
        let to = Target {
            block: next,
            args: SmallVec::new(),
        };
        self.e.brif(test, to, self.fallback.clone());
        self.e.block = next;
    }

    pub(in crate::passes) fn need_cc(&mut self, cc: IntCc, a: Value, b: Value) {
        let test = self.e.icmp(cc, a, b);
        self.need(test);
    }

    /// `a >= 0` of 64 bits.
    pub(in crate::passes) fn need_non_negative(&mut self, a: Value) {
        if self.e.f.const_of(a).is_none_or(|c| c.signed() < 0) {
            let zero = self.e.i64(0);
            self.need_cc(IntCc::Sge, a, zero);
        }
    }

    /// A value of the loop that is the same in all rounds, computed here.
    pub(in crate::passes) fn compute(&mut self, v: Value) -> Value {
        let v = self.e.f.resolve(v);
        if self.shape.is_outside(self.e.f, v) {
            return v;
        }
        if let Some(&known) = self.known.get(&v) {
            return known;
        }
        let inst = self.e.f.def_inst(v).expect("parameters differ each round");
        let mut data = self.e.f.insts[inst.index()].clone();
        for n in 0..data.args.len() {
            let old = self.e.f.resolve(data.args[n]);
            data.args[n] = self.compute(old);
            if matches!(data.op, Op::Load | Op::ArrayLen) && self.may_be_null(old) {
                let null = self.e.emit(Op::Null, self.e.f.ty(old), &[], Imm::None);
                self.need_cc(IntCc::Ne, data.args[n], null);
                self.safe.insert(old);
            }
        }
        data.result = None;
        let ty = self.e.f.ty(v);
        let new = self.e.push(data, Some(ty)).expect("made with a result");
        self.known.insert(v, new);
        new
    }

    /// An object, or an address that was passed, not yet tested.
    pub(in crate::passes) fn may_be_null(&self, v: Value) -> bool {
        let f = &self.e.f;
        let tested = match f.ty(v) {
            Type::Ref => true,
            Type::ByRef => f.def_inst(v).is_none(),
            _ => false,
        };
        tested && !self.safe.contains(&v)
    }

    pub(in crate::passes) fn compute_wide(&mut self, v: Value) -> Value {
        let v = self.compute(v);
        self.e.wide(v)
    }

    pub(in crate::passes) fn offset(&mut self, base: Value, offset: Option<Offset>) -> Value {
        let Some(o) = offset else { return base };
        let by = self.compute_wide(o.value);
        let op = if o.negative { Op::Isub } else { Op::Iadd };
        self.e.binary(op, base, by)
    }

    /// Asks everything. Gives the counter's first value, the one to stop at, and the step, of 64 bits.
    pub(in crate::passes) fn ask(&mut self, plan: &Plan, start: Value) -> (Value, Value, Value) {
        let start = self.e.wide(start);
        let last = self.compute_wide(self.shape.limit);
        let more = plan.rounds as i64 - 1;
        let (step, ahead) = match self.shape.step {
            Step::Const(n) => (self.e.i64(n), self.e.i64(n * more)),
            Step::Var(v) => {
                let step = self.compute_wide(v);
                let more = self.e.i64(more);
                (step, self.e.binary(Op::Imul, step, more))
            }
        };
        let has_more = !plan.ranges.is_empty() || !plan.fixed.is_empty();
        if has_more && plan.rounds > 1 {
            // Loops of few rounds should not be asked more than this.
            let there = self.e.binary(Op::Iadd, start, ahead);
            self.need_cc(up_cc(self.shape), there, last);
        }
        for &(index, length) in &plan.fixed {
            let (index, length) = (self.compute_wide(index), self.compute_wide(length));
            self.need_non_negative(index);
            self.need_cc(IntCc::Slt, index, length);
        }
        let last = match self.shape.step {
            Step::Const(..=-1) => self.lowest(plan, start, last),
            _ => self.highest(plan, start, last, step),
        };
        (start, self.e.binary(Op::Isub, last, ahead), step)
    }

    /// Counting up from `start`: what the counter must stay below.
    pub(in crate::passes) fn highest(
        &mut self,
        plan: &Plan,
        start: Value,
        limit: Value,
        step: Value,
    ) -> Value {
        if let Step::Var(_) = self.shape.step {
            let zero = self.e.i64(0);
            self.need_cc(IntCc::Sgt, step, zero);
        }
        self.need_non_negative(start);
        let inclusive = matches!(self.shape.cc, IntCc::Sle | IntCc::Ule);
        let mut last = self.e.plus(limit, inclusive as i64);
        if inclusive || self.shape.step != Step::Const(1) {
            // So that the next value does not overflow.
            let end = self.e.i64(END);
            let end = self.e.binary(Op::Isub, end, step);
            last = self.e.choose(IntCc::Slt, end, last);
        }
        for r in &plan.ranges {
            let room = self.room(r);
            last = self.e.choose(IntCc::Slt, room, last);
            let low = self.offset(start, r.offset);
            if r.offset.is_some() || r.low < 0 {
                let low = self.e.plus(low, r.low);
                self.need_non_negative(low);
            }
        }
        last
    }

    /// What the counter must stay below for its index to be below the length.
    pub(in crate::passes) fn room(&mut self, r: &Range) -> Value {
        let mut length = self.compute_wide(r.length);
        if self.e.f.ty(r.length) == Type::I64 && !self.is_array_length(r.length) {
            // Indexes of 32 bits do not reach more.
            let end = self.e.i64(END);
            length = self.e.choose(IntCc::Slt, end, length);
        }
        let room = match r.offset {
            None => length,
            Some(o) => {
                let opposite = Offset {
                    negative: !o.negative,
                    ..o
                };
                self.offset(length, Some(opposite))
            }
        };
        self.e.plus(room, -r.high)
    }

    pub(in crate::passes) fn is_array_length(&self, v: Value) -> bool {
        let f = &self.e.f;
        let def = f.def_inst(f.resolve(v));
        def.is_some_and(|i| f.insts[i.index()].op == Op::ArrayLen)
    }

    /// Counting down from `start`: what the counter must stay above.
    pub(in crate::passes) fn lowest(&mut self, plan: &Plan, start: Value, limit: Value) -> Value {
        let inclusive = self.shape.cc == IntCc::Sge;
        let mut last = self.e.plus(limit, -(inclusive as i64));
        let below = plan.ranges.iter().filter(|r| r.offset.is_none());
        let floor = below.map(|r| -r.low - 1).fold(-1, i64::max);
        let floor = self.e.i64(floor);
        last = self.e.choose(IntCc::Sgt, floor, last);
        for r in &plan.ranges {
            let room = self.room(r);
            self.need_cc(IntCc::Slt, start, room);
            if let Some(o) = r.offset {
                let opposite = Offset {
                    negative: !o.negative,
                    ..o
                };
                let least = self.e.i64(-r.low - 1);
                let least = self.offset(least, Some(opposite));
                last = self.e.choose(IntCc::Sgt, least, last);
            }
        }
        last
    }
}
