//! Makes the copy of a loop, and what is asked in front of it.

use super::super::licm::make_preheader;
use super::super::rotate_loops::spill_definitions;
use super::bounds::{Offset, Plan, Range};
use super::shape::{Shape, Step};
use crate::ir::{
    Block, Function, Imm, Inst, InstData, IntCc, Op, Region, SourceLoc, Target, Type, Value, typing,
};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

/// One more than the largest `i32`.
const END: i64 = 1 << 31;

/// Splits the loop; gives the header of the copy.
pub(super) fn build(f: &mut Function, shape: &Shape, plan: &Plan) -> Block {
    spill_definitions(f, &shape.blocks);
    let entry = make_preheader(f, shape.header, &shape.outside);
    f.blocks[entry.index()].insts.pop();
    let args: SmallVec<[Value; 2]> = f.blocks[entry.index()].params.iter().copied().collect();
    let loc = f.insts[f.terminator(shape.latch).index()].loc;
    let mut new = vec![];
    let mut front = Front {
        e: Emitter {
            region: f.blocks[shape.header.index()].region,
            block: entry,
            loc,
            made: &mut new,
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
    let offsets = plan.ranges.iter().filter_map(|r| r.offset);
    let offsets = offsets.map(|o| (o.value, front.compute_wide(o.value)));
    let offsets = offsets.collect();
    let (safe, known) = (front.safe, front.known);
    let header = front.e.new_block();
    let mut params: SmallVec<[Value; 2]> = SmallVec::new();
    for &v in &args {
        let ty = match v == args[shape.position] {
            true => Type::I64,
            false => front.e.f.ty(v),
        };
        params.push(front.e.f.add_param(header, ty));
    }
    let mut into = args;
    into[shape.position] = start;
    let test = front.e.icmp(up_cc(shape), start, last);
    let to = Target {
        block: header,
        args: into,
    };
    front.e.brif(test, to, front.fallback);
    let mut copier = Copier {
        e: front.e,
        shape,
        plan,
        safe,
        known,
        offsets,
        map: FxHashMap::default(),
        step,
        wide: params[shape.position],
        header,
        last,
    };
    copier.rounds(params);
    let at = f.layout.iter().position(|&b| b == shape.header);
    let at = at.expect("the header is in the layout");
    f.layout.splice(at..at, new);
    header
}

/// The copy goes on while the counter is on this side of the last value.
fn up_cc(shape: &Shape) -> IntCc {
    match shape.step {
        Step::Const(n) if n < 0 => IntCc::Sgt,
        _ => IntCc::Slt,
    }
}

/// Appends instructions.
struct Emitter<'f> {
    f: &'f mut Function,
    region: Option<Region>,
    block: Block,
    loc: SourceLoc,
    /// The new blocks in order.
    made: &'f mut Vec<Block>,
}

impl Emitter<'_> {
    /// A block behind the new ones so far.
    fn new_block(&mut self) -> Block {
        let b = self.f.add_block();
        self.f.layout.pop();
        self.f.blocks[b.index()].region = self.region;
        self.made.push(b);
        b
    }

    fn push(&mut self, data: InstData, result: Option<Type>) -> Option<Value> {
        let i = self.f.make_inst(data, result);
        self.f.blocks[self.block.index()].insts.push(i);
        self.f.insts[i.index()].result
    }

    fn emit(&mut self, op: Op, ty: Type, args: &[Value], imm: Imm) -> Value {
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

    fn terminate(&mut self, op: Op, args: &[Value], targets: SmallVec<[Target; 2]>) {
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

    fn jump(&mut self, to: Target) {
        self.terminate(Op::Jump, &[], SmallVec::from_iter([to]));
    }

    fn brif(&mut self, test: Value, to: Target, otherwise: Target) {
        self.terminate(Op::Brif, &[test], SmallVec::from_iter([to, otherwise]));
    }

    fn icmp(&mut self, cc: IntCc, a: Value, b: Value) -> Value {
        self.emit(Op::Icmp, Type::I32, &[a, b], Imm::IntCc(cc))
    }

    fn i64(&mut self, n: i64) -> Value {
        self.emit(Op::Iconst, Type::I64, &[], Imm::Int(n))
    }

    fn binary(&mut self, op: Op, a: Value, b: Value) -> Value {
        self.emit(op, Type::I64, &[a, b], Imm::None)
    }

    /// `a + n` of 64 bits.
    fn plus(&mut self, a: Value, n: i64) -> Value {
        if n == 0 {
            return a;
        }
        let n = self.i64(n);
        self.binary(Op::Iadd, a, n)
    }

    /// The smaller of two, or the larger.
    fn choose(&mut self, cc: IntCc, a: Value, b: Value) -> Value {
        let test = self.icmp(cc, a, b);
        self.emit(Op::Select, Type::I64, &[test, a, b], Imm::None)
    }

    fn wide(&mut self, v: Value) -> Value {
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
struct Front<'a, 'f> {
    e: Emitter<'f>,
    shape: &'a Shape,
    /// Objects known not to be null.
    safe: FxHashSet<Value>,
    /// What the loop computes, and the same in front.
    known: FxHashMap<Value, Value>,
    /// The loop as it was, with what it is entered with.
    fallback: Target,
}

impl Front<'_, '_> {
    /// Goes to the loop as it was unless the test holds.
    fn need(&mut self, test: Value) {
        let next = self.e.new_block();
        let to = Target {
            block: next,
            args: SmallVec::new(),
        };
        self.e.brif(test, to, self.fallback.clone());
        self.e.block = next;
    }

    fn need_cc(&mut self, cc: IntCc, a: Value, b: Value) {
        let test = self.e.icmp(cc, a, b);
        self.need(test);
    }

    /// `a >= 0` of 64 bits.
    fn need_non_negative(&mut self, a: Value) {
        if self.e.f.const_of(a).is_none_or(|c| c.signed() < 0) {
            let zero = self.e.i64(0);
            self.need_cc(IntCc::Sge, a, zero);
        }
    }

    /// A value of the loop that is the same in all rounds, computed here.
    fn compute(&mut self, v: Value) -> Value {
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
    fn may_be_null(&self, v: Value) -> bool {
        let f = &self.e.f;
        let tested = match f.ty(v) {
            Type::Ref => true,
            Type::ByRef => f.def_inst(v).is_none(),
            _ => false,
        };
        tested && !self.safe.contains(&v)
    }

    fn compute_wide(&mut self, v: Value) -> Value {
        let v = self.compute(v);
        self.e.wide(v)
    }

    fn offset(&mut self, base: Value, offset: Option<Offset>) -> Value {
        let Some(o) = offset else { return base };
        let by = self.compute_wide(o.value);
        let op = if o.negative { Op::Isub } else { Op::Iadd };
        self.e.binary(op, base, by)
    }

    /// Asks everything. Gives the counter's first value, the one to stop at, and the step, of 64 bits.
    fn ask(&mut self, plan: &Plan, start: Value) -> (Value, Value, Value) {
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
    fn highest(&mut self, plan: &Plan, start: Value, limit: Value, step: Value) -> Value {
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
    fn room(&mut self, r: &Range) -> Value {
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

    fn is_array_length(&self, v: Value) -> bool {
        let f = &self.e.f;
        let def = f.def_inst(f.resolve(v));
        def.is_some_and(|i| f.insts[i.index()].op == Op::ArrayLen)
    }

    /// Counting down from `start`: what the counter must stay above.
    fn lowest(&mut self, plan: &Plan, start: Value, limit: Value) -> Value {
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

/// Makes the rounds of the copy.
struct Copier<'a, 'f> {
    e: Emitter<'f>,
    shape: &'a Shape,
    plan: &'a Plan,
    safe: FxHashSet<Value>,
    /// What the loop computes and was computed in front. It is not computed again: another thread may have written the fields it is
    /// read from, and the checks left out are those that were answered for the first value.
    known: FxHashMap<Value, Value>,
    /// What is added to the counter, of 64 bits.
    offsets: FxHashMap<Value, Value>,
    /// Values of the loop and of the round being made.
    map: FxHashMap<Value, Value>,
    step: Value,
    /// The counter of this round, of 64 bits.
    wide: Value,
    header: Block,
    last: Value,
}

impl Copier<'_, '_> {
    fn rounds(&mut self, params: SmallVec<[Value; 2]>) {
        let mut args = params;
        let mut block = self.header;
        for n in 1..=self.plan.rounds {
            let is_last = n == self.plan.rounds;
            let next = (!is_last).then(|| self.e.f.add_block());
            if next.is_some() {
                self.e.f.layout.pop();
            }
            args = self.round(block, args, next);
            if let Some(next) = next {
                self.e.f.blocks[next.index()].region = self.e.region;
                self.e.made.push(next);
                block = next;
            }
        }
    }

    /// One round, which begins in `block` with these values of the header's parameters. It ends in a jump to `next`,
    /// or around the loop. Gives what it passes.
    fn round(
        &mut self,
        block: Block,
        args: SmallVec<[Value; 2]>,
        next: Option<Block>,
    ) -> SmallVec<[Value; 2]> {
        self.map.clone_from(&self.known);
        let mut blocks = FxHashMap::from_iter([(self.shape.header, block)]);
        for &b in &self.shape.blocks[1..] {
            let new = self.e.new_block();
            self.e.f.blocks[new.index()].cold = self.e.f.blocks[b.index()].cold;
            for p in self.e.f.blocks[b.index()].params.clone() {
                let ty = self.e.f.ty(p);
                let q = self.e.f.add_param(new, ty);
                self.map.insert(p, q);
            }
            blocks.insert(b, new);
        }
        self.e.block = block;
        let params = self.e.f.blocks[self.shape.header.index()].params.clone();
        self.map.extend(params.into_iter().zip(args));
        self.wide = self.map[&self.shape.counter];
        let narrow = self.trunc(self.wide);
        self.map.insert(self.shape.counter, narrow);
        let mut following = None;
        for &b in &self.shape.blocks {
            self.e.block = blocks[&b];
            for i in self.e.f.blocks[b.index()].insts.clone() {
                self.e.loc = self.e.f.insts[i.index()].loc;
                if i == self.shape.increment {
                    following = Some(self.increment());
                } else if b == self.shape.latch && self.e.f.terminator(b) == i {
                    let wide = following.expect("the increment dominates the latch");
                    return self.finish(i, wide, next);
                } else {
                    self.inst(&blocks, i, next.is_none());
                }
            }
        }
        unreachable!("the latch is one of the blocks")
    }
}

impl Copier<'_, '_> {
    fn trunc(&mut self, v: Value) -> Value {
        self.e.emit(Op::Trunc, Type::I32, &[v], Imm::None)
    }

    fn get(&self, v: Value) -> Value {
        let v = self.e.f.resolve(v);
        self.map.get(&v).copied().unwrap_or(v)
    }

    fn increment(&mut self) -> Value {
        let wide = self.e.binary(Op::Iadd, self.wide, self.step);
        let narrow = self.trunc(wide);
        self.map.insert(self.shape.next, narrow);
        wide
    }

    fn inst(&mut self, blocks: &FxHashMap<Block, Block>, i: Inst, polls: bool) {
        let mut data = self.e.f.insts[i.index()].clone();
        match self.plan.removed.get(&i) {
            Some(None) => return,
            Some(&Some(taken)) => {
                let to = self.target(blocks, &data.targets[taken]);
                return self.e.jump(to);
            }
            None => {}
        }
        if data.result.is_some_and(|v| self.known.contains_key(&v)) {
            return;
        }
        let first = data.args.first().map(|&v| self.e.f.resolve(v));
        let is_safe = data.op == Op::NullCheck && first.is_some_and(|v| self.safe.contains(&v));
        if is_safe || data.op == Op::Poll && !polls {
            return;
        }
        if let (Op::Sext32 | Op::Zext32, Some(v), Some(result)) = (data.op, first, data.result)
            && let Some(&(offset, c)) = self.plan.exact.get(&v)
        {
            let mut wide = self.wide;
            if let Some(o) = offset {
                let op = if o.negative { Op::Isub } else { Op::Iadd };
                wide = self.e.binary(op, wide, self.offsets[&o.value]);
            }
            let wide = self.e.plus(wide, c);
            self.map.insert(result, wide);
            return;
        }
        for v in data.args.iter_mut() {
            *v = self.get(*v);
        }
        data.targets = data
            .targets
            .iter()
            .map(|t| self.target(blocks, t))
            .collect();
        let old = data.result.take();
        let ty = old.map(|v| self.e.f.ty(v));
        let new = self.e.push(data, ty);
        if let (Some(old), Some(new)) = (old, new) {
            self.map.insert(old, new);
        }
    }

    fn target(&self, blocks: &FxHashMap<Block, Block>, t: &Target) -> Target {
        Target {
            block: blocks.get(&t.block).copied().unwrap_or(t.block),
            args: t.args.iter().map(|&v| self.get(v)).collect(),
        }
    }

    /// The comparison at the end of the loop, made here: only this needs it.
    fn test_again(&mut self, test: Value) -> Value {
        let test = self.e.f.resolve(test);
        let def = self.e.f.def_inst(test).expect("the loop ends in a test");
        let mut data = self.e.f.insts[def.index()].clone();
        for v in data.args.iter_mut() {
            *v = self.get(*v);
        }
        data.result = None;
        let new = self.e.push(data, Some(Type::I32));
        new.expect("made with a result")
    }

    /// The end of a round: on to the next one; after the last one around, or to the loop as it was.
    fn finish(&mut self, branch: Inst, wide: Value, next: Option<Block>) -> SmallVec<[Value; 2]> {
        let data = self.e.f.insts[branch.index()].clone();
        let back = data.targets.iter().find(|t| t.block == self.shape.header);
        let back = back.expect("the latch branches to the header");
        let mut args: SmallVec<[Value; 2]> = back.args.iter().map(|&v| self.get(v)).collect();
        args[self.shape.position] = wide;
        let plain = |block: Block, args: SmallVec<[Value; 2]>| Target { block, args };
        if let Some(block) = next {
            self.e.jump(plain(block, SmallVec::new()));
            return args;
        }
        let test = self.e.icmp(up_cc(self.shape), wide, self.last);
        let post = self.e.new_block();
        let around = plain(self.header, args.clone());
        self.e.brif(test, around, plain(post, SmallVec::new()));
        self.e.block = post;
        let test = self.test_again(data.args[0]);
        let none = FxHashMap::default();
        let ways: Vec<Target> = data.targets.iter().map(|t| self.target(&none, t)).collect();
        self.e.brif(test, ways[0].clone(), ways[1].clone());
        args
    }
}
