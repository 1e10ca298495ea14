//! Division of 32-bit integers by constants: multiplication by a rounded-up reciprocal.
//!
//! Source: Granlund and Montgomery, "Division by Invariant Integers using Multiplication", 1994; lanes have no larger products
//! than of 64 bits, so factors may need one bit more than a lane has.

use super::plan::{NO_SUCH_OP, Node, Planner, Why};
use crate::ir::{Imm, InstData, Lane, Op};

/// How to divide: `high(x * factor)`, perhaps corrected by `x`, shifted right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Reciprocal {
    factor: u32,
    shift: u8,
    /// The factor really is 2^32 larger (unsigned), or larger than it reads as a signed number.
    extended: bool,
}

/// For division of numbers of 31 bits and a sign by `d`, 3 to 2^31, not a power of two.
fn signed_reciprocal(d: u32) -> Reciprocal {
    let d = u64::from(d);
    let shift = (0..31).find(|shift| {
        let power = 1 << (32 + shift);
        (power / d + 1) * d - power < 1 << (shift + 1)
    });
    // The largest one is exact enough for all.
    let shift = shift.unwrap_or(30);
    let factor = (1 << (32 + shift)) / d + 1;
    Reciprocal {
        factor: factor as u32,
        shift: shift as u8,
        extended: factor >> 31 != 0,
    }
}

/// For unsigned division by `d >= 3`, not a power of two.
fn unsigned_reciprocal(d: u32) -> Reciprocal {
    let d = u128::from(d);
    let shift = (0..32).find(|shift| {
        let power = 1 << (32 + shift);
        (power / d + 1) * d - power <= 1 << shift
    });
    let shift = shift.unwrap_or(32);
    let factor = (1 << (32 + shift)) / d + 1;
    Reciprocal {
        factor: factor as u32,
        shift: shift as u8,
        extended: factor >> 32 != 0,
    }
}

/// What is known of a dividend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Dividend {
    Unsigned,
    Signed,
    NotNegative,
}

impl Planner<'_> {
    /// `x / d` or `x % d` with a constant `d`.
    pub(super) fn divide(&mut self, data: &InstData, lane: Lane) -> Result<usize, Why> {
        let (x, d) = (self.f.resolve(data.args[0]), self.f.resolve(data.args[1]));
        let Some(d) = self.f.const_of(d).filter(|_| lane == Lane::I32) else {
            return Err(NO_SUCH_OP);
        };
        let is_signed = matches!(data.op, Op::Sdiv | Op::Srem);
        let (magnitude, negative) = match is_signed {
            true => (d.signed().unsigned_abs() as u32, d.signed() < 0),
            false => (d.bits as u32, false),
        };
        let kind = match is_signed {
            _ if x == self.shape.counter && magnitude < 1 << 31 => Dividend::NotNegative,
            true => Dividend::Signed,
            false => Dividend::Unsigned,
        };
        if magnitude < 2 {
            return Err(NO_SUCH_OP);
        }
        let n = self.demand(x, lane)?;
        let q = self.quotient(n, magnitude, kind);
        if matches!(data.op, Op::Srem | Op::Urem) {
            let product = match magnitude.is_power_of_two() {
                true => self.by(Op::VShl, q, magnitude.trailing_zeros()),
                false => {
                    let d = self.number(magnitude);
                    self.with(Op::VMul, q, d)
                }
            };
            return Ok(self.with(Op::VSub, n, product));
        }
        if !negative {
            return Ok(q);
        }
        let zero = self.number(0);
        Ok(self.with(Op::VSub, zero, q))
    }

    fn quotient(&mut self, x: usize, d: u32, kind: Dividend) -> usize {
        let k = d.trailing_zeros();
        match (kind, d.is_power_of_two()) {
            (Dividend::Signed, true) => {
                // Towards zero: negative numbers get `d - 1` added first.
                let sign = self.by(Op::VShrS, x, 31);
                let bias = self.by(Op::VShrU, sign, 32 - k);
                let sum = self.with(Op::VAdd, x, bias);
                self.by(Op::VShrS, sum, k)
            }
            (_, true) => self.by(Op::VShrU, x, k),
            (Dividend::Unsigned, false) => {
                let r = unsigned_reciprocal(d);
                let high = self.high(Op::VMulHighU, x, r);
                if !r.extended {
                    return self.by(Op::VShrU, high, r.shift.into());
                }
                // (x + high) / 2 without overflow.
                let rest = self.with(Op::VSub, x, high);
                let half = self.by(Op::VShrU, rest, 1);
                let mean = self.with(Op::VAdd, half, high);
                self.by(Op::VShrU, mean, u32::from(r.shift) - 1)
            }
            (_, false) => {
                let r = signed_reciprocal(d);
                let mut high = self.high(Op::VMulHighS, x, r);
                if r.extended {
                    high = self.with(Op::VAdd, high, x);
                }
                let shifted = self.by(Op::VShrS, high, r.shift.into());
                if kind == Dividend::NotNegative {
                    return shifted;
                }
                let negative = self.by(Op::VShrU, x, 31);
                self.with(Op::VAdd, shifted, negative)
            }
        }
    }

    fn high(&mut self, op: Op, x: usize, r: Reciprocal) -> usize {
        let factor = self.number(r.factor);
        self.with(op, x, factor)
    }

    fn number(&mut self, n: u32) -> usize {
        self.add(Node::Const((n as i32).into(), Lane::I32))
    }

    fn with(&mut self, op: Op, a: usize, b: usize) -> usize {
        self.add(Node::Binary(op, Imm::Lane(Lane::I32), a, b))
    }

    fn by(&mut self, op: Op, x: usize, amount: u32) -> usize {
        match amount {
            0 => x,
            _ => self.add(Node::Unary(op, Imm::LaneShift(Lane::I32, amount as u8), x)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divide_signed(x: i32, r: Reciprocal) -> i32 {
        let mut high = ((i64::from(x) * i64::from(r.factor as i32)) >> 32) as i32;
        if r.extended {
            high = high.wrapping_add(x);
        }
        (high >> r.shift) + (x as u32 >> 31) as i32
    }

    fn divide_unsigned(x: u32, r: Reciprocal) -> u32 {
        let high = ((u64::from(x) * u64::from(r.factor)) >> 32) as u32;
        match r.extended {
            false => high >> r.shift,
            true => (((x - high) >> 1) + high) >> (r.shift - 1),
        }
    }

    #[test]
    fn reciprocals_divide() {
        let divisors = (3..2000).chain([641, 1 << 30 | 1, (1 << 31) - 1, (1 << 31) + 1, u32::MAX]);
        for d in divisors.filter(|d: &u32| !d.is_power_of_two()) {
            let k = u32::MAX / d;
            let near = [k * d, k * d - 1, k / 2 * d, d, d - 1, d.wrapping_add(1)];
            let far = [0, 1, 2, 1 << 31, (1 << 31) - 1, u32::MAX, 123_456_789];
            for x in near.into_iter().chain(far) {
                assert_eq!(
                    divide_unsigned(x, unsigned_reciprocal(d)),
                    x / d,
                    "{x} / {d}"
                );
                if d < 1 << 31 {
                    let got = divide_signed(x as i32, signed_reciprocal(d));
                    assert_eq!(got, (x as i32).wrapping_div(d as i32), "{} / {d}", x as i32);
                }
            }
        }
    }
}
