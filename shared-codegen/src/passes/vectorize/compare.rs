//! Comparisons of integers and what is chosen by them.

use super::plan::{NO_SUCH_OP, Node, Planner, Why};
use crate::ir::{Imm, InstData, IntCc, Lane, Op, Type, Value};

impl Planner<'_> {
    pub(super) fn select(&mut self, data: &InstData, lane: Lane) -> Result<usize, Why> {
        if lane == Lane::I32
            && let Some((op, x, y)) = self.min_or_max(data)
        {
            let (x, y) = (self.demand(x, lane)?, self.demand(y, lane)?);
            return Ok(self.add(Node::Binary(op, Imm::Lane(lane), x, y)));
        }
        let (mask, inverted) = self.mask(data.args[0], lane)?;
        let a = self.demand(data.args[1], lane)?;
        let b = self.demand(data.args[2], lane)?;
        let (a, b) = if inverted { (b, a) } else { (a, b) };
        Ok(self.add(Node::Select(mask, a, b)))
    }

    /// `x < y ? x : y` of signed numbers and its kind.
    pub(super) fn min_or_max(&self, data: &InstData) -> Option<(Op, Value, Value)> {
        if data.op != Op::Select || data.ty != Type::I32 {
            return None;
        }
        let arg = |n: usize| self.f.resolve(data.args[n]);
        let (_, test) = self.def(arg(0))?;
        let Imm::IntCc(cc) = test.imm else {
            return None;
        };
        let (x, y) = (self.f.resolve(test.args[0]), self.f.resolve(test.args[1]));
        let less = match cc {
            IntCc::Slt | IntCc::Sle => true,
            IntCc::Sgt | IntCc::Sge => false,
            _ => return None,
        };
        let first = match (arg(1), arg(2)) {
            (a, b) if (a, b) == (x, y) => true,
            (a, b) if (a, b) == (y, x) => false,
            _ => return None,
        };
        let op = if less == first { Op::VMin } else { Op::VMax };
        (test.op == Op::Icmp).then_some((op, x, y))
    }

    /// A condition as 0 or 1.
    pub(super) fn truth(&mut self, v: Value, lane: Lane) -> Result<usize, Why> {
        let (mask, inverted) = self.mask(v, lane)?;
        let one = self.add(Node::Const(1, lane));
        let zero = self.add(Node::Const(0, lane));
        let (a, b) = if inverted { (zero, one) } else { (one, zero) };
        Ok(self.add(Node::Select(mask, a, b)))
    }

    /// Ones in all bits of the lanes where the condition is not zero, or where it is if the flag says so.
    pub(super) fn mask(&mut self, condition: Value, lane: Lane) -> Result<(usize, bool), Why> {
        let v = self.f.resolve(condition);
        let test = self.def(v).map(|(_, data)| data);
        let (mask, inverted, from) = match test.map(|d| (d.op, d.imm, d)) {
            Some((Op::Icmp, Imm::IntCc(cc), data)) => {
                let from = match self.f.ty(data.args[0]) {
                    Type::I32 => Lane::I32,
                    Type::I64 => Lane::I64,
                    _ => return Err(NO_SUCH_OP),
                };
                let x = self.demand(data.args[0], from)?;
                let y = self.demand(data.args[1], from)?;
                let (mask, inverted) = self.compare_lanes(cc, x, y, from);
                (mask, inverted, from)
            }
            _ => {
                let x = self.demand(v, Lane::I32)?;
                let zero = self.add(Node::Const(0, Lane::I32));
                let (mask, inverted) = self.compare_lanes(IntCc::Ne, x, zero, Lane::I32);
                (mask, inverted, Lane::I32)
            }
        };
        let to = match lane.bytes() {
            1 => Lane::I8,
            2 => Lane::I16,
            4 => Lane::I32,
            _ => Lane::I64,
        };
        let mask = match to.bytes() > from.bytes() {
            true => self.widen(mask, from, to, true),
            false => self.narrow(mask, from, to),
        };
        Ok((mask, inverted))
    }

    fn compare_lanes(
        &mut self,
        cc: IntCc,
        mut x: usize,
        mut y: usize,
        lane: Lane,
    ) -> (usize, bool) {
        if matches!(cc, IntCc::Ult | IntCc::Ule | IntCc::Ugt | IntCc::Uge) {
            // Instructions compare signed numbers.
            let min = self.add(Node::Const(i64::MIN >> (64 - lane.bits()), lane));
            x = self.add(Node::Binary(Op::VXor, Imm::None, x, min));
            y = self.add(Node::Binary(Op::VXor, Imm::None, y, min));
        }
        let (op, a, b, inverted) = match cc {
            IntCc::Eq => (Op::VEq, x, y, false),
            IntCc::Ne => (Op::VEq, x, y, true),
            IntCc::Sgt | IntCc::Ugt => (Op::VGt, x, y, false),
            IntCc::Sle | IntCc::Ule => (Op::VGt, x, y, true),
            IntCc::Slt | IntCc::Ult => (Op::VGt, y, x, false),
            IntCc::Sge | IntCc::Uge => (Op::VGt, y, x, true),
        };
        (self.add(Node::Binary(op, Imm::Lane(lane), a, b)), inverted)
    }
}
