//! Makes the copy of a loop.

use super::bounds::Plan;
use super::front::{Emitter, Entry, Front, place, up_cc};
use super::shape::Shape;
use crate::ir::{Block, Function, Imm, Inst, Op, Target, Type, Value};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

/// Splits the loop; gives the header of the copy.
pub(super) fn build(f: &mut Function, shape: &Shape, plan: &Plan) -> Block {
    let mut new = vec![];
    let (
        mut front,
        Entry {
            args,
            start,
            last,
            step,
        },
    ) = Front::open(f, shape, plan, &mut new);
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
    place(f, shape, new);
    header
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
