//! Whether a loop can be vectorized, and how.

use super::super::split_loops::bounds::{Finder, Index, Offset, Plan};
use super::super::split_loops::shape::{Shape, Step};
use super::address::Walk;
use crate::analysis::Dominators;
use crate::ir::{
    AliasClass, Block, Function, Fx, Imm, Inst, InstData, Lane, Op, Type, Value, ValueDef,
};
use rustc_hash::FxHashMap;

/// Why a loop is not vectorized.
pub(super) type Why = &'static str;

/// Most vector values of a round: there are 16 registers, and not all are needed at a time.
pub(super) const MAX_NODES: usize = 24;
/// Most rounds at a time: a second loop does what is left one vector at a time.
const MAX_ROUNDS: u32 = 64;

/// Elements of an array, one in each round.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Access {
    /// Invariant: an array, or any address.
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
    /// The second node where the first has ones, else the third.
    Select(usize, usize, usize),
}

/// How what a parameter collects is put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Collect {
    Sum,
    Least,
    Most,
}

/// A parameter of the header that things are added to, or compared with.
pub(super) struct Sum {
    pub collect: Collect,
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
    /// Addresses that must not be null.
    pub tested: Vec<Walk>,
    /// What must lie apart: see [`super::address`].
    pub apart: Vec<(Walk, Walk)>,
    /// What is needed behind the vector loop and the same in all rounds.
    pub invariant: Vec<Value>,
    /// Type of the vectors.
    pub vector: Type,
    /// Rounds of one vector.
    pub count: u32,
    /// Rounds done together, by one vector or several.
    pub rounds: u32,
}

/// What to ask in front of a loop and how to vectorize it with vectors of up to a size, or why it is not possible.
pub(super) fn plan(
    f: &Function,
    doms: &Dominators,
    shape: &Shape,
    largest: Type,
) -> Result<(Plan, VectorPlan), Why> {
    if shape.step != Step::Const(1) {
        return Err("it does not count up by 1");
    }
    let mut finder = Finder::new(f, doms, shape);
    if !finder.find() {
        return Err("its rounds are not known in front");
    }
    let mut why = TOO_WIDE;
    for (vector, count) in COUNTS {
        if vector.bytes() > largest.bytes() {
            continue;
        }
        let planner = Planner {
            f,
            shape,
            finder: &finder,
            vector,
            count,
            nodes: Vec::new(),
            of: FxHashMap::default(),
            loads: FxHashMap::default(),
            stores: FxHashMap::default(),
            sums: Vec::new(),
            nulls: Vec::new(),
            distinct: Vec::new(),
            tested: Vec::new(),
            apart: Vec::new(),
            invariant: Vec::new(),
        };
        match planner.run() {
            Ok(plan) => {
                // More rounds are asked for where there is a second loop.
                finder.plan.rounds = plan.count as usize;
                return Ok((finder.plan, plan));
            }
            Err(TOO_WIDE) => {}
            Err(other) => why = other,
        }
    }
    Err(why)
}

/// Vectors to try with the rounds that one does: large ones first, and as many rounds as the smallest lanes allow, down to
/// as few as the largest lanes want.
const COUNTS: [(Type, u32); 8] = [
    (Type::V256, 32),
    (Type::V256, 16),
    (Type::V256, 8),
    (Type::V256, 4),
    (Type::V128, 16),
    (Type::V128, 8),
    (Type::V128, 4),
    (Type::V128, 2),
];

pub(super) const NO_WORK: Why = "it computes nothing that can be vectorized";
pub(super) const NO_SUCH_OP: Why = "there is no vector instruction for what it computes";
pub(super) const OTHER_TYPES: Why = "it computes with other types than it stores";
/// The rounds do not fit into vectors with these lanes; fewer may.
pub(super) const TOO_WIDE: Why = "its elements have too different sizes";

pub(super) struct Planner<'a> {
    pub f: &'a Function,
    pub shape: &'a Shape,
    pub finder: &'a Finder<'a>,
    /// Type of the vectors.
    pub vector: Type,
    /// Rounds of one vector.
    pub count: u32,
    pub nodes: Vec<Node>,
    pub of: FxHashMap<(Value, Lane), usize>,
    pub loads: FxHashMap<Inst, usize>,
    pub stores: FxHashMap<Inst, (Access, usize)>,
    pub sums: Vec<Sum>,
    pub nulls: Vec<Value>,
    pub distinct: Vec<(Value, Value)>,
    pub tested: Vec<Walk>,
    pub apart: Vec<(Walk, Walk)>,
    pub invariant: Vec<Value>,
}

impl<'a> Planner<'a> {
    /// The loop's instructions in order.
    pub(super) fn insts(&self) -> impl Iterator<Item = (Block, Inst)> + 'a {
        let f = self.f;
        let blocks = self.shape.blocks.iter();
        blocks.flat_map(move |&b| f.blocks[b.index()].insts.iter().map(move |&i| (b, i)))
    }

    pub(super) fn data(&self, i: Inst) -> &'a InstData {
        &self.f.insts[i.index()]
    }

    /// The instruction of the loop that computes a value.
    pub(super) fn def(&self, v: Value) -> Option<(Inst, &'a InstData)> {
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
                    self.null_check(v)?;
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
            tested: self.tested,
            apart: self.apart,
            invariant: self.invariant,
            vector: self.vector,
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
            if limit.signed() < i64::from(self.count) {
                return Err("it has few rounds");
            }
        }
        Ok(rounds)
    }
}

impl Node {
    /// What it reads.
    pub(super) fn access(&self) -> Option<Access> {
        match *self {
            Node::Load(access) => Some(access),
            _ => None,
        }
    }
}

impl VectorPlan {
    /// Vectors of a round of the (larger) vector loop.
    pub fn vectors(&self) -> usize {
        (self.rounds / self.count) as usize
    }

    /// What is added to the counter in indexes.
    pub fn offsets(&self) -> impl Iterator<Item = Offset> + '_ {
        let loads = self.nodes.iter().filter_map(Node::access);
        let stores = self.stores.values().map(|&(access, _)| access);
        loads.chain(stores).filter_map(|a| a.index.0)
    }
}
