//! Makes the vector version of a loop.

use super::super::split_loops::bounds::Plan;
use super::super::split_loops::front::{Emitter, Entry, Front, place};
use super::super::split_loops::shape::Shape;
use super::address;
use super::plan::{Access, Collect, Node, VectorPlan};
use crate::ir::{
    Block, Function, Imm, Inst, IntCc, Lane, MemRef, MemType, Op, Target, Type, Value,
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Vectorizes the loop; gives the headers of the loops made.
pub(super) fn build(
    f: &mut Function,
    shape: &Shape,
    split: &Plan,
    plan: &VectorPlan,
) -> SmallVec<[Block; 2]> {
    let mut new = vec![];
    let (mut front, entry) = Front::open(f, shape, split, &mut new);
    ask_more(&mut front, plan, &entry);
    let mut maker = Maker::new(front, shape, plan);
    let headers = match plan.vectors() {
        1 => maker.one_loop(&entry),
        _ => maker.two_loops(&entry),
    };
    maker.leave(&entry);
    place(f, shape, new);
    headers
}

/// What only vectors need to know.
fn ask_more(front: &mut Front, plan: &VectorPlan, entry: &Entry) {
    for &v in &plan.nulls {
        let object = front.compute(v);
        if front.may_be_null(v) {
            let null = front.e.emit(Op::Null, front.e.f.ty(v), &[], Imm::None);
            front.need_cc(IntCc::Ne, object, null);
            front.safe.insert(v);
        }
    }
    for &(a, b) in &plan.distinct {
        let (a, b) = (front.compute(a), front.compute(b));
        front.need_cc(IntCc::Ne, a, b);
    }
    address::ask(front, plan, entry);
    for &v in &plan.invariant {
        front.compute(v);
    }
}

struct Maker<'a, 'f> {
    e: Emitter<'f>,
    shape: &'a Shape,
    plan: &'a VectorPlan,
    /// Where the loop goes if there are too few rounds.
    fallback: Target,
    /// Values of the loop that are the same in all rounds, as computed in front.
    known: FxHashMap<Value, Value>,
    /// Arrays and what is added to the counter, of 64 bits, as computed in front.
    front: FxHashMap<Value, Value>,
    /// Nodes that are the same in all rounds.
    fixed: Vec<Option<Value>>,
    /// 0, 1, 2 and so on, by lanes.
    iotas: FxHashMap<Lane, Value>,
    /// The counter of the first round, of 64 bits.
    wide: Value,
    /// Sums so far: for each sum as many parts as a round has vectors.
    accumulators: Vec<Vec<Value>>,
    /// The counter behind the rounds done together.
    next: Value,
}

impl<'a, 'f> Maker<'a, 'f> {
    /// Computes what all rounds need.
    fn new(mut front: Front<'a, 'f>, shape: &'a Shape, plan: &'a VectorPlan) -> Self {
        let ty = plan.vector;
        let mut values = FxHashMap::default();
        for o in plan.offsets() {
            let wide = front.compute_wide(o.value);
            values.insert(o.value, wide);
        }
        let mut fixed = vec![None; plan.nodes.len()];
        let mut iotas = FxHashMap::default();
        for (n, node) in plan.nodes.iter().enumerate() {
            match *node {
                Node::Splat(v, lane) => {
                    let x = front.compute(v);
                    fixed[n] = Some(splat(&mut front.e, ty, lane, x));
                }
                Node::Const(0, _) => {
                    fixed[n] = Some(front.e.emit(Op::VZero, ty, &[], Imm::None));
                }
                Node::Const(bits, lane) => {
                    let x = front.e.emit(Op::Iconst, lane.scalar(), &[], Imm::Int(bits));
                    fixed[n] = Some(splat(&mut front.e, ty, lane, x));
                }
                Node::Counter(lane) => {
                    let iota = front.e.emit(Op::VIota, ty, &[], Imm::Lane(lane));
                    iotas.insert(lane, iota);
                }
                Node::Load(access) => {
                    values.insert(access.array, base(&mut front, access.array));
                }
                Node::Unary(..) | Node::Binary(..) | Node::Select(..) => {}
            }
        }
        for (access, _) in plan.stores.values() {
            values.insert(access.array, base(&mut front, access.array));
        }
        Maker {
            wide: shape.counter,
            next: shape.counter,
            e: front.e,
            shape,
            plan,
            fallback: front.fallback,
            known: front.known,
            front: values,
            fixed,
            iotas,
            accumulators: Vec::new(),
        }
    }

    /// What sums begin with.
    fn first(&mut self, entry: &Entry) -> Vec<Value> {
        let ty = self.plan.vector;
        let sums = self.plan.sums.iter();
        sums.map(|sum| match sum.collect {
            Collect::Sum => self.e.emit(Op::VZero, ty, &[], Imm::None),
            _ => splat(&mut self.e, ty, sum.lane, entry.args[sum.position]),
        })
        .collect()
    }

    /// A loop of rounds of one vector, which is gone to if there are enough of them.
    fn one_loop(&mut self, entry: &Entry) -> SmallVec<[Block; 2]> {
        let test = self.e.icmp(IntCc::Slt, entry.start, entry.last);
        let args = std::iter::once(entry.start).chain(self.first(entry));
        let args = args.collect();
        let header = self.header(1);
        let fallback = self.fallback.clone();
        let block = header;
        self.e.brif(test, Target { block, args }, fallback);
        self.begin(header, 1);
        let test = self.rounds(1, entry.last, true);
        let end = self.header(1);
        let (around, on) = (self.onward(header), self.onward(end));
        self.e.brif(test, around, on);
        self.begin(end, 1);
        SmallVec::from_slice(&[header])
    }

    /// A loop of rounds of several vectors, and one of rounds of one vector for what it leaves.
    fn two_loops(&mut self, entry: &Entry) -> SmallVec<[Block; 2]> {
        let vectors = self.plan.vectors();
        let test = self.e.icmp(IntCc::Slt, entry.start, entry.last);
        let (block, args) = (self.e.new_block(), SmallVec::new());
        let fallback = self.fallback.clone();
        self.e.brif(test, Target { block, args }, fallback);
        self.e.block = block;
        let more = i64::from(self.plan.rounds - self.plan.count);
        let last = self.e.plus(entry.last, -more);
        let test = self.e.icmp(IntCc::Slt, entry.start, last);
        let first = self.first(entry);
        let (large, small) = (self.header(vectors), self.header(1));
        let enter = |block, vectors| {
            let each = first.iter().flat_map(|&v| std::iter::repeat_n(v, vectors));
            let args = std::iter::once(entry.start).chain(each).collect();
            Target { block, args }
        };
        self.e.brif(test, enter(large, vectors), enter(small, 1));
        self.begin(large, vectors);
        let test = self.rounds(vectors, last, true);
        let behind = self.header(vectors);
        let (around, on) = (self.onward(large), self.onward(behind));
        self.e.brif(test, around, on);
        self.begin(behind, vectors);
        self.combine();
        let test = self.e.icmp(IntCc::Slt, self.next, entry.last);
        let end = self.header(1);
        let (more, on) = (self.onward(small), self.onward(end));
        self.e.brif(test, more, on);
        // There are fewer rounds than one of the large loop does, so it need not poll.
        self.begin(small, 1);
        let test = self.rounds(1, entry.last, false);
        let (around, on) = (self.onward(small), self.onward(end));
        self.e.brif(test, around, on);
        self.begin(end, 1);
        SmallVec::from_slice(&[large, small])
    }

    /// A block that gets the counter and sums of so many vectors.
    fn header(&mut self, vectors: usize) -> Block {
        let header = self.e.new_block();
        self.e.f.add_param(header, Type::I64);
        for _ in 0..self.plan.sums.len() * vectors {
            self.e.f.add_param(header, self.plan.vector);
        }
        header
    }

    /// Goes on in such a block.
    fn begin(&mut self, header: Block, vectors: usize) {
        self.e.block = header;
        let params = &self.e.f.blocks[header.index()].params;
        (self.wide, self.next) = (params[0], params[0]);
        let sums = params[1..].chunks(vectors);
        self.accumulators = sums.map(<[Value]>::to_vec).collect();
    }

    /// To such a block with what there is now.
    fn onward(&self, block: Block) -> Target {
        let sums = self.accumulators.iter().flatten().copied();
        Target {
            block,
            args: std::iter::once(self.next).chain(sums).collect(),
        }
    }

    /// The rounds of so many vectors; whether there are as many more. The test stands behind the poll, as both use the flags.
    fn rounds(&mut self, vectors: usize, last: Value, poll: bool) -> Value {
        for vector in 0..vectors {
            self.one_vector(vector);
        }
        let count = i64::from(self.plan.count) * vectors as i64;
        self.next = self.e.plus(self.wide, count);
        if poll {
            self.poll();
        }
        self.e.icmp(IntCc::Slt, self.next, last)
    }

    /// Puts the parts of each sum together.
    fn combine(&mut self) {
        for (s, sum) in self.plan.sums.iter().enumerate() {
            let (op, imm) = (collect_op(sum.collect), Imm::Lane(sum.lane));
            let parts = std::mem::take(&mut self.accumulators[s]).into_iter();
            let total = parts.reduce(|a, b| self.binary(op, imm, a, b));
            self.accumulators[s] = total.into_iter().collect();
        }
    }

    fn loop_insts(&self) -> Vec<Inst> {
        let blocks = self.shape.blocks.iter();
        let insts = blocks.flat_map(|b| &self.e.f.blocks[b.index()].insts);
        insts.copied().collect()
    }

    fn poll(&mut self) {
        let insts = self.loop_insts();
        let poll = insts
            .iter()
            .find(|i| self.e.f.insts[i.index()].op == Op::Poll);
        if let Some(i) = poll {
            let data = self.e.f.insts[i.index()].clone();
            self.e.push(data, None);
        }
    }

    /// The accesses and sums of one vector, in the loop's order.
    fn one_vector(&mut self, vector: usize) {
        let plan = self.plan;
        let mut values = self.fixed.clone();
        for i in self.loop_insts() {
            self.e.loc = self.e.f.insts[i.index()].loc;
            if let Some(&n) = plan.loads.get(&i)
                && let Node::Load(access) = plan.nodes[n]
            {
                values[n] = Some(self.load(&access, vector));
            } else if let Some(&(access, n)) = plan.stores.get(&i) {
                let value = self.value(n, vector, &mut values);
                self.store(&access, vector, value);
            }
        }
        for (s, sum) in plan.sums.iter().enumerate() {
            for &(n, negative) in &sum.terms {
                let term = self.value(n, vector, &mut values);
                let op = match sum.collect {
                    Collect::Sum if negative => Op::VSub,
                    collect => collect_op(collect),
                };
                let old = self.accumulators[s][vector];
                self.accumulators[s][vector] = self.binary(op, Imm::Lane(sum.lane), old, term);
            }
        }
    }

    fn binary(&mut self, op: Op, imm: Imm, a: Value, b: Value) -> Value {
        self.e.emit(op, self.plan.vector, &[a, b], imm)
    }

    /// Where the elements of a vector are, and what is accessed at once.
    fn address(&mut self, access: &Access, vector: usize) -> (Value, MemRef) {
        let (offset, c) = access.index;
        let bytes = access.lane.bytes();
        let mut index = self.wide;
        if let Some(o) = offset {
            let op = if o.negative { Op::Isub } else { Op::Iadd };
            index = self.e.binary(op, index, self.front[&o.value]);
        }
        let together = bytes * self.plan.count;
        // Constants in indexes have 17 bits.
        let start = access.start + c as i32 * bytes as i32 + (together * vector as u32) as i32;
        let imm = Imm::Size(bytes, start);
        let array = self.front[&access.array];
        let at = self
            .e
            .emit(Op::AddrIndex, Type::ByRef, &[array, index], imm);
        let mem = MemRef {
            offset: 0,
            ty: match together {
                2 => MemType::U16,
                4 => MemType::I32,
                8 => MemType::I64,
                16 => MemType::V128,
                _ => MemType::V256,
            },
            alias: access.alias,
            volatile: false,
        };
        (at, mem)
    }

    /// Elements in the low lanes.
    fn load(&mut self, access: &Access, vector: usize) -> Value {
        let (at, mem) = self.address(access, vector);
        let ty = mem.ty.value_type();
        let v = self.e.emit(Op::Load, ty, &[at], Imm::Mem(mem));
        match word_lane(ty) {
            Some(lane) => self
                .e
                .emit(Op::VLow, self.plan.vector, &[v], Imm::Lane(lane)),
            None if ty != self.plan.vector => self.e.emit(Op::VWiden, Type::V256, &[v], Imm::None),
            None => v,
        }
    }

    fn store(&mut self, access: &Access, vector: usize, value: Value) {
        let (at, mem) = self.address(access, vector);
        let ty = mem.ty.value_type();
        let value = match word_lane(ty) {
            Some(lane) => self.e.emit(Op::VFirst, ty, &[value], Imm::Lane(lane)),
            None if ty != self.plan.vector => {
                self.e.emit(Op::VHalf, Type::V128, &[value], Imm::None)
            }
            None => value,
        };
        self.e.store(at, value, mem);
    }

    /// A node's value. Loads have been made in their order.
    fn value(&mut self, n: usize, vector: usize, values: &mut [Option<Value>]) -> Value {
        if let Some(v) = values[n] {
            return v;
        }
        let v = match self.plan.nodes[n] {
            Node::Unary(op, imm, x) => {
                let x = self.value(x, vector, values);
                self.e.emit(op, self.plan.vector, &[x], imm)
            }
            Node::Binary(op, imm, a, b) => {
                let a = self.value(a, vector, values);
                let b = self.value(b, vector, values);
                self.binary(op, imm, a, b)
            }
            Node::Select(mask, a, b) => {
                let args = [mask, a, b].map(|n| self.value(n, vector, values));
                self.e.emit(Op::VSelect, self.plan.vector, &args, Imm::None)
            }
            Node::Counter(lane) => self.counter(lane, vector),
            Node::Splat(..) | Node::Const(..) | Node::Load(_) => {
                unreachable!("made in front or when the load's turn came")
            }
        };
        values[n] = Some(v);
        v
    }

    /// The counters of the rounds of one vector.
    fn counter(&mut self, lane: Lane, vector: usize) -> Value {
        let first = self
            .e
            .plus(self.wide, i64::from(self.plan.count) * vector as i64);
        let first = match lane.scalar() {
            Type::I32 => self.trunc(first),
            _ => first,
        };
        let all = splat(&mut self.e, self.plan.vector, lane, first);
        self.binary(Op::VAdd, Imm::Lane(lane), all, self.iotas[&lane])
    }

    fn trunc(&mut self, v: Value) -> Value {
        self.e.emit(Op::Trunc, Type::I32, &[v], Imm::None)
    }

    /// Behind the vector loop: on to the loop as it was, or past it.
    fn leave(&mut self, entry: &Entry) {
        let mut map = std::mem::take(&mut self.known);
        let next = self.trunc(self.next);
        map.insert(self.shape.next, next);
        for (s, sum) in self.plan.sums.iter().enumerate() {
            let imm = Imm::Lane(sum.lane);
            let total = self.accumulators[s][0];
            let across = match sum.collect {
                Collect::Sum => Op::VSum,
                Collect::Least => Op::VLeast,
                Collect::Most => Op::VMost,
            };
            let scalar = sum.lane.scalar();
            let mut all = self.e.emit(across, scalar, &[total], imm);
            if sum.collect == Collect::Sum {
                let start = entry.args[sum.position];
                all = self.e.emit(Op::Iadd, scalar, &[start, all], Imm::None);
            }
            map.insert(sum.result, all);
        }
        let get = |f: &Function, v: Value| {
            let v = f.resolve(v);
            map.get(&v).copied().unwrap_or(v)
        };
        // Values that are used behind the loop have been given slots.
        for i in self.loop_insts() {
            let mut data = self.e.f.insts[i.index()].clone();
            if data.op == Op::SlotStore {
                data.args[0] = get(self.e.f, data.args[0]);
                self.e.push(data, None);
            }
        }
        let branch = self.e.f.terminator(self.shape.latch);
        let branch = self.e.f.insts[branch.index()].clone();
        let test = self.e.f.def_inst(self.e.f.resolve(branch.args[0]));
        let test = test.expect("the loop ends in a test");
        let mut test = self.e.f.insts[test.index()].clone();
        test.result = None;
        for v in test.args.iter_mut() {
            *v = get(self.e.f, *v);
        }
        let test = self.e.push(test, Some(Type::I32));
        let test = test.expect("made with a result");
        let target = |t: &Target| Target {
            block: t.block,
            args: t.args.iter().map(|&v| get(self.e.f, v)).collect(),
        };
        let ways: SmallVec<[Target; 2]> = branch.targets.iter().map(target).collect();
        self.e.terminate(Op::Brif, &[test], ways);
    }
}

/// What the addresses of elements are computed from.
fn base(front: &mut Front, array: Value) -> Value {
    let base = front.compute(array);
    match front.e.f.ty(base) {
        Type::I64 => front.e.emit(Op::AddrCast, Type::ByRef, &[base], Imm::None),
        _ => base,
    }
}

/// What puts two collections together.
fn collect_op(collect: Collect) -> Op {
    match collect {
        Collect::Sum => Op::VAdd,
        Collect::Least => Op::VMin,
        Collect::Most => Op::VMax,
    }
}

/// The lane that holds what is less than a vector.
fn word_lane(ty: Type) -> Option<Lane> {
    match ty {
        Type::I32 => Some(Lane::I32),
        Type::I64 => Some(Lane::I64),
        _ => None,
    }
}

fn splat(e: &mut Emitter, ty: Type, lane: Lane, x: Value) -> Value {
    e.emit(Op::VSplat, ty, &[x], Imm::Lane(lane))
}
