//! Vector values: what is computed in each round, as operations on lanes.

use super::plan::{MAX_NODES, NO_SUCH_OP, Node, OTHER_TYPES, Planner, TOO_WIDE, Why};
use crate::ir::vector::scalar_op;
use crate::ir::{Imm, Inst, InstData, Lane, MemType, Op, Value};

impl Planner<'_> {
    /// The node of a value in lanes of this kind.
    pub(super) fn demand(&mut self, v: Value, lane: Lane) -> Result<usize, Why> {
        let v = self.f.resolve(v);
        if let Some(&n) = self.of.get(&(v, lane)) {
            return Ok(n);
        }
        if self.nodes.len() > MAX_NODES {
            return Err("it is too large");
        }
        if self.count * lane.bytes() > self.vector.bytes() {
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

    pub(super) fn add(&mut self, node: Node) -> usize {
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
    pub(super) fn narrow(&mut self, mut n: usize, from: Lane, to: Lane) -> usize {
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
    pub(super) fn widen(&mut self, mut n: usize, from: Lane, to: Lane, signed: bool) -> usize {
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
            (Op::Rotl, _) => self.rotate(data, lane),
            (Op::Select, _) => self.select(data, lane),
            (Op::Sdiv | Op::Srem | Op::Udiv | Op::Urem, _) => self.divide(data, lane),
            (Op::Icmp, _) => self.truth(v, lane),
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
                let all = [
                    Op::VAdd,
                    Op::VSub,
                    Op::VMul,
                    Op::VMulHighS,
                    Op::VMulHighU,
                    Op::VDiv,
                ];
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

    fn rotate(&mut self, data: &InstData, lane: Lane) -> Result<usize, Why> {
        let amount = self.f.const_of(self.f.resolve(data.args[1]));
        let amount = amount.ok_or("it rotates by different amounts")?.bits % u64::from(lane.bits());
        if lane.bytes() != data.ty.bytes() || amount == 0 {
            return Err(NO_SUCH_OP);
        }
        let x = self.demand(data.args[0], lane)?;
        let by = |n: u64| Imm::LaneShift(lane, n as u8);
        let up = self.add(Node::Unary(Op::VShl, by(amount), x));
        let rest = u64::from(lane.bits()) - amount;
        let down = self.add(Node::Unary(Op::VShrU, by(rest), x));
        Ok(self.add(Node::Binary(Op::VOr, Imm::None, up, down)))
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
        if data.op == Op::Fsqrt && float {
            let x = self.demand(data.args[0], lane)?;
            return Ok(self.add(Node::Unary(Op::VSqrt, Imm::Lane(lane), x)));
        }
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
}
