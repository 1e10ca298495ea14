//! Whether a loop can be vectorized, and how.

use super::super::split_loops::bounds::{Finder, Index, Offset, Plan};
use super::super::split_loops::shape::{Shape, Step};
use crate::analysis::Dominators;
use crate::ir::vector::scalar_op;
use crate::ir::{
    AliasClass, Block, Function, Fx, Imm, Inst, InstData, Lane, MemRef, MemType, Op, Type, Value,
    ValueDef,
};
use rustc_hash::FxHashMap;

/// Why a loop is not vectorized.
pub(super) type Why = &'static str;

/// Most vector values of a round: there are 16 registers.
const MAX_NODES: usize = 20;
/// Most pairs of arrays compared in front.
const MAX_DISTINCT: usize = 4;
/// Most rounds at a time: shorter arrays gain nothing.
const MAX_ROUNDS: u32 = 32;

/// Elements of an array, one in each round.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Access {
    /// Invariant.
    pub array: Value,
    /// Which element.
    pub index: Index,
    /// Where elements begin.
    pub start: i32,
    pub lane: Lane,
    pub alias: AliasClass,
}

/// A vector value: what a value of the loop is in the rounds done together.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Node {
    /// The same in all rounds.
    Splat(Value, Lane),
    /// These bits in all lanes.
    Const(i64, Lane),
    /// The counter.
    Counter(Lane),
    /// Read by this instruction.
    Load(Access),
    /// Operation on nodes before.
    Unary(Op, Imm, usize),
    /// Operation on nodes before.
    Binary(Op, Imm, usize, usize),
}

/// A parameter of the header that things are added to.
pub(super) struct Sum {
    /// Which parameter.
    pub position: usize,
    /// What it is in the next round.
    pub result: Value,
    pub lane: Lane,
    /// Nodes added, or subtracted if the flag says so.
    pub terms: Vec<(usize, bool)>,
}

/// How to vectorize a loop.
pub(super) struct VectorPlan {
    pub nodes: Vec<Node>,
    /// Instructions that read vectors.
    pub loads: FxHashMap<Inst, usize>,
    /// Instructions that write vectors: where, and the node.
    pub stores: FxHashMap<Inst, (Access, usize)>,
    pub sums: Vec<Sum>,
    /// References that must not be null.
    pub nulls: Vec<Value>,
    /// Arrays that must not be the same.
    pub distinct: Vec<(Value, Value)>,
    /// What is needed behind the vector loop and the same in all rounds.
    pub invariant: Vec<Value>,
    /// Rounds of one vector.
    pub count: u32,
    /// Rounds done together, by one vector or several.
    pub rounds: u32,
}

/// What to ask in front of a loop and how to vectorize it, or why it is not possible.
pub(super) fn plan(
    f: &Function,
    doms: &Dominators,
    shape: &Shape,
) -> Result<(Plan, VectorPlan), Why> {
    if shape.step != Step::Const(1) {
        return Err("it does not count up by 1");
    }
    let mut finder = Finder::new(f, doms, shape);
    if !finder.find() {
        return Err("its rounds are not known in front");
    }
    // As many rounds by one vector as the smallest lanes allow, down to as few as the largest lanes want.
    let mut why = TOO_WIDE;
    for count in [16, 8, 4, 2] {
        let planner = Planner {
            f,
            shape,
            finder: &finder,
            count,
            nodes: Vec::new(),
            of: FxHashMap::default(),
            loads: FxHashMap::default(),
            stores: FxHashMap::default(),
            sums: Vec::new(),
            nulls: Vec::new(),
            distinct: Vec::new(),
            invariant: Vec::new(),
        };
        match planner.run() {
            Ok(plan) => {
                finder.plan.rounds = plan.rounds as usize;
                return Ok((finder.plan, plan));
            }
            Err(TOO_WIDE) => {}
            Err(other) => why = other,
        }
    }
    Err(why)
}

const NO_WORK: Why = "it computes nothing that can be vectorized";
const NO_SUCH_OP: Why = "there is no vector instruction for what it computes";
const OTHER_TYPES: Why = "it computes with other types than it stores";
/// The rounds do not fit into vectors with these lanes; fewer may.
const TOO_WIDE: Why = "its elements have too different sizes";

struct Planner<'a> {
    f: &'a Function,
    shape: &'a Shape,
    finder: &'a Finder<'a>,
    /// Rounds of one vector.
    count: u32,
    nodes: Vec<Node>,
    of: FxHashMap<(Value, Lane), usize>,
    loads: FxHashMap<Inst, usize>,
    stores: FxHashMap<Inst, (Access, usize)>,
    sums: Vec<Sum>,
    nulls: Vec<Value>,
    distinct: Vec<(Value, Value)>,
    invariant: Vec<Value>,
}

impl<'a> Planner<'a> {
    /// The loop's instructions in order.
    fn insts(&self) -> impl Iterator<Item = (Block, Inst)> + 'a {
        let f = self.f;
        let blocks = self.shape.blocks.iter();
        blocks.flat_map(move |&b| f.blocks[b.index()].insts.iter().map(move |&i| (b, i)))
    }

    fn data(&self, i: Inst) -> &'a InstData {
        &self.f.insts[i.index()]
    }

    /// The instruction of the loop that computes a value.
    fn def(&self, v: Value) -> Option<(Inst, &'a InstData)> {
        let i = self.f.def_inst(v)?;
        self.shape.home(i).map(|_| (i, self.data(i)))
    }

    /// Nothing happens but accesses to arrays and checks answered in front.
    fn effects(&mut self) -> Result<(), Why> {
        for (b, i) in self.insts() {
            let data = self.data(i);
            match data.op {
                Op::Poll | Op::Jump => {}
                Op::Brif if b == self.shape.latch || self.is_removed(i) => {}
                Op::Brif | Op::Switch => return Err("it branches"),
                Op::BoundsCheck if self.is_removed(i) => {}
                Op::BoundsCheck => return Err("a bounds check cannot be answered in front"),
                Op::NullCheck => {
                    let v = self.f.resolve(data.args[0]);
                    if !self.finder.can_compute(v, 0) {
                        return Err("it tests different references for null");
                    }
                    self.nulls.push(v);
                }
                Op::Load if matches!(data.imm, Imm::Mem(m) if m.volatile) => {
                    return Err("it reads volatile memory");
                }
                Op::Store => {
                    let access = self
                        .access(data)
                        .ok_or("it writes something else than elements")?;
                    let node = self.demand(data.args[1], access.lane)?;
                    self.stores.insert(i, (access, node));
                }
                op => {
                    let fx = op.info().fx;
                    if fx.intersects(Fx::WRITE | Fx::THROW | Fx::CALL | Fx::PIN | Fx::TERM) {
                        return Err("it does more than compute");
                    }
                }
            }
        }
        Ok(())
    }

    fn is_removed(&self, i: Inst) -> bool {
        self.finder.plan.removed.contains_key(&i)
    }

    /// The elements that a load or store accesses.
    fn access(&self, data: &InstData) -> Option<Access> {
        let f = self.f;
        let Imm::Mem(MemRef {
            offset,
            ty,
            alias: alias @ AliasClass::Element(_),
            volatile: false,
        }) = data.imm
        else {
            return None;
        };
        let (_, at) = self.def(f.resolve(data.args[0]))?;
        let Imm::Size(scale, start) = at.imm else {
            return None;
        };
        let array = f.resolve(at.args[0]);
        let fits = at.op == Op::AddrIndex && scale == ty.bytes() && f.ty(array) == Type::Ref;
        if !fits || !self.finder.can_compute(array, 0) {
            return None;
        }
        let index = self.finder.index(at.args[1])?;
        self.is_exact(index).then_some(Access {
            array,
            index,
            start: start.checked_add(offset)?,
            lane: Lane::of(ty)?,
            alias,
        })
    }

    /// The index does not overflow in any round: what is added to the counter is a constant, or was asked for in front.
    fn is_exact(&self, (offset, c): Index) -> bool {
        let mut ranges = self.finder.plan.ranges.iter();
        offset.is_none() || ranges.any(|r| r.offset == offset && r.low <= c && c <= r.high)
    }

    // ---- values

    /// The node of a value in lanes of this kind.
    fn demand(&mut self, v: Value, lane: Lane) -> Result<usize, Why> {
        let v = self.f.resolve(v);
        if let Some(&n) = self.of.get(&(v, lane)) {
            return Ok(n);
        }
        if self.nodes.len() > MAX_NODES {
            return Err("it is too large");
        }
        if self.count * lane.bytes() > Type::V128.bytes() {
            return Err(TOO_WIDE);
        }
        if self.f.ty(v) != lane.scalar() {
            return Err(OTHER_TYPES);
        }
        let before = self.nodes.len();
        let n = match self.node(v, lane) {
            Err(why) if matches!(lane, Lane::I8 | Lane::I16) => {
                self.forget(before);
                let Ok(n) = self.demand(v, Lane::I32) else {
                    return Err(why);
                };
                self.narrow(n, Lane::I32, lane)
            }
            result => result?,
        };
        self.of.insert((v, lane), n);
        Ok(n)
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Takes back all nodes but the first ones.
    fn forget(&mut self, before: usize) {
        self.nodes.truncate(before);
        self.of.retain(|_, n| *n < before);
        self.loads.retain(|_, n| *n < before);
    }

    /// The low bits of lanes as smaller ones.
    fn narrow(&mut self, mut n: usize, from: Lane, to: Lane) -> usize {
        let mut at = from;
        while at != to
            && let Some(half) = at.half()
        {
            n = self.add(Node::Unary(Op::VNarrow, Imm::Lane(at), n));
            at = half;
        }
        n
    }

    /// Integer lanes as larger ones.
    fn widen(&mut self, mut n: usize, from: Lane, to: Lane, signed: bool) -> usize {
        let op = if signed { Op::VExtendS } else { Op::VExtendU };
        let mut at = from;
        while at != to
            && let Some(double) = at.double()
        {
            n = self.add(Node::Unary(op, Imm::Lane(at), n));
            at = double;
        }
        n
    }

    fn node(&mut self, v: Value, lane: Lane) -> Result<usize, Why> {
        if self.finder.can_compute(v, 0) {
            return Ok(self.add(Node::Splat(v, lane)));
        }
        if v == self.shape.counter {
            return Ok(self.add(Node::Counter(lane)));
        }
        let Some((i, data)) = self.def(v) else {
            return Err("a variable depends on the round before");
        };
        match (data.op, data.args.len()) {
            (Op::Load, _) => self.load(i, data, v, lane),
            (Op::Shl | Op::ShrS | Op::ShrU, _) => self.shift(data, lane),
            (_, 2) => self.binary(data, lane),
            (_, 1) => match self.convert(data, lane) {
                Some(result) => result,
                None => self.unary(data, lane),
            },
            _ => Err(NO_SUCH_OP),
        }
    }

    fn load(&mut self, i: Inst, data: &InstData, v: Value, lane: Lane) -> Result<usize, Why> {
        let access = self.access(data);
        let access = access.ok_or("it reads something else than elements")?;
        if access.lane == lane {
            let n = self.add(Node::Load(access));
            self.loads.insert(i, n);
            return Ok(n);
        }
        // Only small integers have a type that other lanes have too.
        let (from, signed) = self.extension(v).ok_or(OTHER_TYPES)?;
        if from.bytes() > lane.bytes() {
            return Err(OTHER_TYPES);
        }
        let n = match self.of.get(&(v, from)) {
            Some(&n) => n,
            None => {
                let n = self.load(i, data, v, from)?;
                self.of.insert((v, from), n);
                n
            }
        };
        Ok(self.widen(n, from, lane, signed))
    }

    /// Operations whose operand has another type.
    fn convert(&mut self, data: &InstData, lane: Lane) -> Option<Result<usize, Why>> {
        let arg = self.f.resolve(data.args[0]);
        let signed = data.op == Op::Sext32;
        let (from, op, imm) = match (data.op, lane) {
            // The counter is not negative.
            (Op::Sext32 | Op::Zext32, Lane::I64) if arg == self.shape.counter => {
                return Some(Ok(self.add(Node::Counter(lane))));
            }
            (Op::Sext32 | Op::Zext32, Lane::I64) => {
                let n = self.demand(arg, Lane::I32);
                return Some(n.map(|n| self.widen(n, Lane::I32, lane, signed)));
            }
            (Op::Trunc, _) => {
                let n = self.demand(arg, Lane::I64);
                return Some(n.map(|n| self.narrow(n, Lane::I64, lane)));
            }
            (Op::FromInt, Lane::F32 | Lane::F64) => (Lane::I32, Op::VFromInt, Imm::Lane(lane)),
            (Op::Fpromote, Lane::F64) => (Lane::F32, Op::VPromote, Imm::None),
            (Op::Fdemote, Lane::F32) => (Lane::F64, Op::VDemote, Imm::None),
            _ => return None,
        };
        let n = self.demand(arg, from);
        Some(n.map(|n| self.add(Node::Unary(op, imm, n))))
    }

    fn binary(&mut self, data: &InstData, lane: Lane) -> Result<usize, Why> {
        let float = lane.scalar().is_float();
        let op = match data.op {
            Op::And => Some((Op::VAnd, Imm::None)),
            Op::Or => Some((Op::VOr, Imm::None)),
            Op::Xor => Some((Op::VXor, Imm::None)),
            op => {
                let all = [Op::VAdd, Op::VSub, Op::VMul, Op::VDiv];
                let mut all = all.into_iter();
                let found = all.find(|&v| scalar_op(v, lane) == Some(op));
                found.map(|v| (v, Imm::Lane(lane)))
            }
        };
        let (op, imm) = op
            .filter(|_| float == data.ty.is_float())
            .ok_or(NO_SUCH_OP)?;
        let a = self.demand(data.args[0], lane)?;
        let b = self.demand(data.args[1], lane)?;
        Ok(self.add(Node::Binary(op, imm, a, b)))
    }

    fn shift(&mut self, data: &InstData, lane: Lane) -> Result<usize, Why> {
        let amount = self.f.const_of(self.f.resolve(data.args[1]));
        let amount =
            amount.ok_or("it shifts by different amounts")?.bits % (8 * u64::from(data.ty.bytes()));
        let x = self.f.resolve(data.args[0]);
        let mut op = match data.op {
            Op::Shl => Op::VShl,
            Op::ShrS => Op::VShrS,
            _ => Op::VShrU,
        };
        if data.op != Op::Shl && lane.bits() < 32 {
            // The upper bits come down: they must be copies of the sign, or zero.
            op = match self.extension(x) {
                Some((l, true)) if l == lane && op == Op::VShrS => op,
                Some((l, false)) if l == lane => Op::VShrU,
                _ => return Err("it shifts more bits than the elements have"),
            };
        }
        if scalar_op(op, lane).is_none() || amount >= u64::from(lane.bits()) {
            return Err(NO_SUCH_OP);
        }
        let x = self.demand(x, lane)?;
        Ok(self.add(Node::Unary(op, Imm::LaneShift(lane, amount as u8), x)))
    }

    /// The lanes that hold all of a value of 32 bits, and whether it is signed.
    fn extension(&self, v: Value) -> Option<(Lane, bool)> {
        let (_, data) = self.def(v)?;
        match (data.op, data.imm) {
            (Op::Load, Imm::Mem(m)) => {
                let signed = matches!(m.ty, MemType::I8 | MemType::I16);
                Lane::of(m.ty).map(|lane| (lane, signed))
            }
            (Op::Sext8, _) => Some((Lane::I8, true)),
            (Op::Zext8, _) => Some((Lane::I8, false)),
            (Op::Sext16, _) => Some((Lane::I16, true)),
            (Op::Zext16, _) => Some((Lane::I16, false)),
            _ => None,
        }
    }

    fn unary(&mut self, data: &InstData, lane: Lane) -> Result<usize, Why> {
        let bits = match data.op {
            Op::Sext8 | Op::Zext8 => 8,
            Op::Sext16 | Op::Zext16 => 16,
            _ => 64,
        };
        if bits < lane.bits() && bits < 64 {
            return self.extend(data, lane, bits);
        }
        let float = lane.scalar().is_float();
        let sign = match lane {
            Lane::F32 => (i64::from(i32::MIN), Lane::I32),
            _ => (i64::MIN, Lane::I64),
        };
        let (op, imm, constant, swapped) = match data.op {
            // The bits that count stay what they are.
            Op::Sext8 | Op::Zext8 | Op::Sext16 | Op::Zext16 => {
                return self.demand(data.args[0], lane);
            }
            Op::Ineg => (Op::VSub, Imm::Lane(lane), (0, lane), true),
            Op::Not => (Op::VXor, Imm::None, (-1, lane), false),
            Op::Fneg if float => (Op::VXor, Imm::None, sign, false),
            Op::Fabs if float => (Op::VAnd, Imm::None, (!sign.0, sign.1), false),
            _ => return Err(NO_SUCH_OP),
        };
        let x = self.demand(data.args[0], lane)?;
        let c = self.add(Node::Const(constant.0, constant.1));
        let (a, b) = if swapped { (c, x) } else { (x, c) };
        Ok(self.add(Node::Binary(op, imm, a, b)))
    }

    /// The low bits of a lane, extended.
    fn extend(&mut self, data: &InstData, lane: Lane, bits: u32) -> Result<usize, Why> {
        if scalar_op(Op::VShrS, lane).is_none() {
            return Err(NO_SUCH_OP);
        }
        let x = self.demand(data.args[0], lane)?;
        if matches!(data.op, Op::Zext8 | Op::Zext16) {
            let mask = self.add(Node::Const((1 << bits) - 1, lane));
            return Ok(self.add(Node::Binary(Op::VAnd, Imm::None, x, mask)));
        }
        let by = Imm::LaneShift(lane, (lane.bits() - bits) as u8);
        let up = self.add(Node::Unary(Op::VShl, by, x));
        Ok(self.add(Node::Unary(Op::VShrS, by, up)))
    }

    // ---- sums

    fn find_sums(&mut self) -> Result<(), Why> {
        let latch = self.data(self.f.terminator(self.shape.latch));
        let back = latch.targets.iter().find(|t| t.block == self.shape.header);
        let back = back.ok_or("it does not go round")?;
        let params = &self.f.blocks[self.shape.header.index()].params;
        let uses = self.uses();
        for (position, (&param, &arg)) in params.iter().zip(&back.args).enumerate() {
            if position == self.shape.position {
                continue;
            }
            let lane = match self.f.ty(param) {
                Type::I32 => Lane::I32,
                Type::I64 => Lane::I64,
                Type::F32 | Type::F64 => return Err("the order of operations on floats matters"),
                _ => return Err("a reference differs from round to round"),
            };
            if lane.count() != self.count {
                return Err(TOO_WIDE);
            }
            let result = self.f.resolve(arg);
            let mut terms = Vec::new();
            self.flatten(param, result, &uses, &mut terms)?;
            let mut nodes = Vec::new();
            for (v, negative) in terms {
                nodes.push((self.demand(v, lane)?, negative));
            }
            self.sums.push(Sum {
                position,
                result,
                lane,
                terms: nodes,
            });
        }
        Ok(())
    }

    /// How often values are used in the loop, apart from what is passed at its end.
    fn uses(&self) -> FxHashMap<Value, u32> {
        let mut uses: FxHashMap<Value, u32> = FxHashMap::default();
        for (b, i) in self.insts() {
            let data = self.data(i);
            let passed = data.targets.iter().filter(|_| b != self.shape.latch);
            let passed = passed.flat_map(|t| &t.args);
            for &v in data.args.iter().chain(passed) {
                *uses.entry(self.f.resolve(v)).or_default() += 1;
            }
        }
        uses
    }

    /// What is added to the parameter so that it becomes `result`, which nobody else may see before the end.
    fn flatten(
        &self,
        param: Value,
        result: Value,
        uses: &FxHashMap<Value, u32>,
        terms: &mut Vec<(Value, bool)>,
    ) -> Result<(), Why> {
        const NO_SUM: Why = "a variable depends on the round before";
        let once = |v: Value, n: u32| uses.get(&v).copied().unwrap_or(0) == n;
        let mut at = result;
        let mut expected = 0;
        while at != param {
            let (_, data) = self.def(at).ok_or(NO_SUM)?;
            if !matches!(data.op, Op::Iadd | Op::Isub) || !once(at, expected) {
                return Err(NO_SUM);
            }
            let (x, y) = (self.f.resolve(data.args[0]), self.f.resolve(data.args[1]));
            let (on, term) = match self.leads_to(param, x, MAX_NODES) {
                true => (x, y),
                false if data.op == Op::Iadd => (y, x),
                false => return Err(NO_SUM),
            };
            terms.push((term, data.op == Op::Isub));
            (at, expected) = (on, 1);
        }
        (once(param, 1) && result != param)
            .then_some(())
            .ok_or(NO_SUM)
    }

    fn leads_to(&self, param: Value, v: Value, depth: usize) -> bool {
        if v == param || depth == 0 {
            return v == param;
        }
        let Some((_, data)) = self.def(v) else {
            return false;
        };
        let mut args = data.args.iter().map(|&a| self.f.resolve(a));
        match data.op {
            Op::Iadd => args.any(|a| self.leads_to(param, a, depth / 2)),
            Op::Isub => args
                .next()
                .is_some_and(|a| self.leads_to(param, a, depth / 2)),
            _ => false,
        }
    }

    // ---- what is seen of the loop afterwards

    fn escapes(&mut self) -> Result<(), Why> {
        let f = self.f;
        for &b in &f.layout {
            if self.shape.inside.contains(&b) {
                continue;
            }
            for &i in &f.blocks[b.index()].insts {
                for v in self.data(i).operands() {
                    self.escape(v)?;
                }
            }
        }
        let latch = self.data(f.terminator(self.shape.latch));
        for v in latch.targets.iter().flat_map(|t| &t.args) {
            self.escape(*v)?;
        }
        Ok(())
    }

    /// The value is used behind the loop.
    fn escape(&mut self, v: Value) -> Result<(), Why> {
        let v = self.f.resolve(v);
        let inside = match self.f.values[v.index()].def {
            ValueDef::Param(b, _) => self.shape.inside.contains(&b),
            _ => self.def(v).is_some(),
        };
        let is_sum = |s: &Sum| s.result == v;
        if !inside || v == self.shape.next || self.sums.iter().any(is_sum) {
            return Ok(());
        }
        if !self.finder.can_compute(v, 0) {
            return Err("what its last round computes is used behind it");
        }
        self.invariant.push(v);
        Ok(())
    }

    // ---- order of accesses

    /// Compares each store with all other accesses that may touch the same elements.
    fn dependences(&mut self) -> Result<(), Why> {
        let mut accesses: Vec<(Access, bool)> = Vec::new();
        for (_, i) in self.insts() {
            if let Some(&n) = self.loads.get(&i)
                && let Node::Load(access) = self.nodes[n]
            {
                accesses.push((access, false));
            } else if let Some(&(access, _)) = self.stores.get(&i) {
                accesses.push((access, true));
            }
        }
        for (n, &(first, first_writes)) in accesses.iter().enumerate() {
            for &(second, second_writes) in &accesses[n + 1..] {
                if first_writes || second_writes {
                    self.compare(first, second, first_writes)?;
                }
            }
        }
        Ok(())
    }

    fn compare(&mut self, first: Access, second: Access, first_writes: bool) -> Result<(), Why> {
        let same_class = class(first.alias) == class(second.alias);
        if !same_class || first.index == second.index {
            return Ok(());
        }
        // Reads what only later rounds write.
        let ahead = first.index.0 == second.index.0 && first.index.1 > second.index.1;
        if !first_writes && ahead {
            return Ok(());
        }
        let pair = (first.array, second.array);
        if pair.0 == pair.1 {
            return Err("a round needs what an earlier one writes");
        }
        if !self.distinct.contains(&pair) {
            self.distinct.push(pair);
        }
        match self.distinct.len() > MAX_DISTINCT {
            true => Err("too many arrays may be the same"),
            false => Ok(()),
        }
    }

    fn run(mut self) -> Result<VectorPlan, Why> {
        self.effects()?;
        self.find_sums()?;
        self.escapes()?;
        self.dependences()?;
        if self.stores.is_empty() && self.sums.is_empty() {
            return Err(NO_WORK);
        }
        let rounds = self.rounds()?;
        Ok(VectorPlan {
            rounds,
            nodes: self.nodes,
            loads: self.loads,
            stores: self.stores,
            sums: self.sums,
            nulls: self.nulls,
            distinct: self.distinct,
            invariant: self.invariant,
            count: self.count,
        })
    }

    /// Rounds done together: several vectors if there is little to do with each.
    fn rounds(&self) -> Result<u32, Why> {
        let most = match self.nodes.len() + self.stores.len() {
            0..=7 => 4 * self.count,
            8..=14 => 2 * self.count,
            _ => self.count,
        };
        let mut rounds = most.min(MAX_ROUNDS.max(self.count));
        if let Some(limit) = self.f.const_of(self.shape.limit) {
            while rounds > self.count && limit.signed() < 2 * i64::from(rounds) {
                rounds /= 2;
            }
            if limit.signed() < i64::from(rounds) {
                return Err("it has few rounds");
            }
        }
        Ok(rounds)
    }
}

/// Arrays of signed and unsigned elements of one size can be the same.
fn class(alias: AliasClass) -> AliasClass {
    super::super::memory::canonical_class(alias)
}

impl VectorPlan {
    /// What is added to the counter in indexes.
    pub fn offsets(&self) -> impl Iterator<Item = Offset> + '_ {
        let loads = self.nodes.iter().filter_map(|n| match n {
            Node::Load(access) => Some(access),
            _ => None,
        });
        let stores = self.stores.values().map(|(access, _)| access);
        loads.chain(stores).filter_map(|a| a.index.0)
    }
}
