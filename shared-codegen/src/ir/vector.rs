//! Vectors: kinds of lanes, which operations have them, and what vector operations mean.

use super::eval::{Const, Outcome, eval};
use super::{Imm, MemType, Op, Type};

/// What a vector is divided into.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Lane {
    /// 8-bit integers.
    I8,
    /// 16-bit integers.
    I16,
    /// 32-bit integers.
    I32,
    /// 64-bit integers.
    I64,
    /// IEEE singles.
    F32,
    /// IEEE doubles.
    F64,
}

impl Lane {
    /// All kinds with their names in IR text.
    pub const ALL: [(Lane, &'static str); 6] = [
        (Lane::I8, "i8"),
        (Lane::I16, "i16"),
        (Lane::I32, "i32"),
        (Lane::I64, "i64"),
        (Lane::F32, "f32"),
        (Lane::F64, "f64"),
    ];

    /// Name in IR text.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Size in bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Lane::I8 => 1,
            Lane::I16 => 2,
            Lane::I32 | Lane::F32 => 4,
            Lane::I64 | Lane::F64 => 8,
        }
    }

    /// Number of bits.
    pub fn bits(self) -> u32 {
        8 * self.bytes()
    }

    /// Lanes of a [`Type::V128`].
    pub fn count(self) -> u32 {
        Type::V128.bytes() / self.bytes()
    }

    /// Type of one lane as a value of its own. Of small integers only the low bits count.
    pub fn scalar(self) -> Type {
        match self {
            Lane::I8 | Lane::I16 | Lane::I32 => Type::I32,
            Lane::I64 => Type::I64,
            Lane::F32 => Type::F32,
            Lane::F64 => Type::F64,
        }
    }

    /// Lanes that hold what memory of this type holds; not references.
    pub fn of(ty: MemType) -> Option<Lane> {
        Some(match ty {
            MemType::I8 | MemType::U8 => Lane::I8,
            MemType::I16 | MemType::U16 => Lane::I16,
            MemType::I32 => Lane::I32,
            MemType::I64 => Lane::I64,
            MemType::F32 => Lane::F32,
            MemType::F64 => Lane::F64,
            MemType::Ref | MemType::ByRef | MemType::V128 => return None,
        })
    }

    /// Integer lanes of half the size.
    pub fn half(self) -> Option<Lane> {
        match self {
            Lane::I64 => Some(Lane::I32),
            Lane::I32 => Some(Lane::I16),
            Lane::I16 => Some(Lane::I8),
            _ => None,
        }
    }

    /// Integer lanes of twice the size.
    pub fn double(self) -> Option<Lane> {
        match self {
            Lane::I8 => Some(Lane::I16),
            Lane::I16 => Some(Lane::I32),
            Lane::I32 => Some(Lane::I64),
            _ => None,
        }
    }

    fn mask(self) -> u128 {
        (1 << self.bits()) - 1
    }
}

/// The scalar operation that a vector operation does in each lane.
pub fn scalar_op(op: Op, lane: Lane) -> Option<Op> {
    let float = lane.scalar().is_float();
    Some(match op {
        Op::VAdd if float => Op::Fadd,
        Op::VSub if float => Op::Fsub,
        Op::VMul if float => Op::Fmul,
        Op::VDiv if float => Op::Fdiv,
        Op::VAdd => Op::Iadd,
        Op::VSub => Op::Isub,
        Op::VMul if matches!(lane, Lane::I16 | Lane::I32) => Op::Imul,
        Op::VShl if !float && lane != Lane::I8 => Op::Shl,
        Op::VShrS if matches!(lane, Lane::I16 | Lane::I32) => Op::ShrS,
        Op::VShrU if !float && lane != Lane::I8 => Op::ShrU,
        _ => return None,
    })
}

/// Evaluates a vector operation: bits of its operands and of its result. `None` if the op has no such lanes or is none.
pub fn eval_vector(op: Op, imm: &Imm, args: &[u128]) -> Option<u128> {
    match (op, *imm, args) {
        (Op::VZero, Imm::None, []) => Some(0),
        (Op::VIota, Imm::Lane(lane), []) => Some(build(lane, u128::from)),
        (Op::VSplat, Imm::Lane(lane), &[x]) => Some(build(lane, |_| x)),
        (Op::VAnd, Imm::None, &[a, b]) => Some(a & b),
        (Op::VOr, Imm::None, &[a, b]) => Some(a | b),
        (Op::VXor, Imm::None, &[a, b]) => Some(a ^ b),
        (Op::VSum, Imm::Lane(lane), &[x]) => {
            let sum = (0..lane.count()).fold(0, |s: u128, n| s.wrapping_add(get(lane, x, n)));
            Some(sum & lane.mask())
        }
        (Op::VSelect, Imm::None, &[mask, a, b]) => Some(a & mask | b & !mask),
        (Op::VEq | Op::VGt | Op::VMin | Op::VMax, Imm::Lane(lane), &[a, b]) => {
            Some(build(lane, |n| {
                let (a, b) = (get(lane, a, n), get(lane, b, n));
                choose(op, a, b, signed(lane, a) > signed(lane, b))
            }))
        }
        (Op::VLeast | Op::VMost, Imm::Lane(lane), &[x]) => {
            let lanes = (0..lane.count()).map(|n| get(lane, x, n));
            match op {
                Op::VLeast => lanes.min_by_key(|&n| signed(lane, n)),
                _ => lanes.max_by_key(|&n| signed(lane, n)),
            }
        }
        (Op::VLow, Imm::Lane(lane), &[x]) => Some(x & lane.mask()),
        (Op::VFirst, Imm::Lane(lane), &[x]) => Some(x & lane.mask()),
        (Op::VExtendS | Op::VExtendU | Op::VNarrow, Imm::Lane(lane), &[x]) => resize(op, lane, x),
        (Op::VFromInt, Imm::Lane(to), &[x]) => {
            let of = |n| Const::i32(get(Lane::I32, x, n) as i32);
            convert(Op::FromInt, to, to.count(), of)
        }
        (Op::VSqrt, Imm::Lane(lane), &[x]) if lane.scalar().is_float() => {
            convert(Op::Fsqrt, lane, lane.count(), |n| scalar(lane, x, n, false))
        }
        (Op::VPromote, Imm::None, &[x]) => convert(Op::Fpromote, Lane::F64, 2, |n| {
            scalar(Lane::F32, x, n, false)
        }),
        (Op::VDemote, Imm::None, &[x]) => convert(Op::Fdemote, Lane::F32, 2, |n| {
            scalar(Lane::F64, x, n, false)
        }),
        (_, Imm::Lane(lane), &[a, b]) => each(op, lane, |n, signed| {
            [scalar(lane, a, n, signed), scalar(lane, b, n, signed)]
        }),
        (_, Imm::LaneShift(lane, by), &[a]) => each(op, lane, |n, signed| {
            [scalar(lane, a, n, signed), Const::i32(by.into())]
        }),
        _ => None,
    }
}

/// Computes each lane by the scalar operation on the operands given for it.
fn each(op: Op, lane: Lane, operands: impl Fn(u32, bool) -> [Const; 2]) -> Option<u128> {
    let scalar = scalar_op(op, lane)?;
    let mut result = 0;
    for n in 0..lane.count() {
        let args = operands(n, scalar == Op::ShrS);
        let Outcome::Value(c) = eval(scalar, lane.scalar(), &Imm::None, &args) else {
            return None;
        };
        result |= (u128::from(c.bits) & lane.mask()) << (n * lane.bits());
    }
    Some(result)
}

/// A lane of a comparison, or of the smaller or larger numbers.
fn choose(op: Op, a: u128, b: u128, greater: bool) -> u128 {
    match op {
        Op::VEq if a == b => u128::MAX,
        Op::VGt if greater => u128::MAX,
        Op::VMin if greater => b,
        Op::VMax if !greater => b,
        Op::VMin | Op::VMax => a,
        _ => 0,
    }
}

/// A lane's bits as a signed number.
fn signed(lane: Lane, bits: u128) -> i128 {
    let unused = 128 - lane.bits();
    (bits << unused) as i128 >> unused
}

/// Integer lanes made twice as large, or half.
fn resize(op: Op, lane: Lane, x: u128) -> Option<u128> {
    let to = match op {
        Op::VNarrow => lane.half()?,
        _ => lane.double()?,
    };
    let value = |n| {
        if n >= lane.count() {
            return 0;
        }
        let bits = get(lane, x, n);
        match op {
            Op::VExtendS => signed(lane, bits) as u128,
            _ => bits,
        }
    };
    Some(build(to, value))
}

/// The first lanes of a vector computed by a scalar conversion, zeros above.
fn convert(op: Op, to: Lane, count: u32, operand: impl Fn(u32) -> Const) -> Option<u128> {
    let mut result = 0;
    for n in 0..count {
        let Outcome::Value(c) = eval(op, to.scalar(), &Imm::None, &[operand(n)]) else {
            return None;
        };
        result |= (u128::from(c.bits) & to.mask()) << (n * to.bits());
    }
    Some(result)
}

fn build(lane: Lane, value: impl Fn(u32) -> u128) -> u128 {
    let lanes = (0..lane.count()).map(|n| (value(n) & lane.mask()) << (n * lane.bits()));
    lanes.fold(0, |a, b| a | b)
}

fn get(lane: Lane, x: u128, n: u32) -> u128 {
    (x >> (n * lane.bits())) & lane.mask()
}

/// A lane as an operand, small integers extended.
fn scalar(lane: Lane, x: u128, n: u32, signed: bool) -> Const {
    let bits = get(lane, x, n) as i64;
    let bits = match lane {
        Lane::I8 if signed => bits as i8 as i64,
        Lane::I16 if signed => bits as i16 as i64,
        _ => bits,
    };
    Const::of(lane.scalar(), bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes32(x: [u32; 4]) -> u128 {
        x.iter().rev().fold(0, |all, &n| all << 32 | u128::from(n))
    }

    #[test]
    fn lanes_do_not_reach_into_each_other() {
        let add = |lane, a, b| eval_vector(Op::VAdd, &Imm::Lane(lane), &[a, b]);
        assert_eq!(add(Lane::I8, 0xffff, 0x0001), Some(0xff00));
        assert_eq!(add(Lane::I16, 0xffff, 0x0001), Some(0));
        let product = eval_vector(
            Op::VMul,
            &Imm::Lane(Lane::I32),
            &[lanes32([3, u32::MAX, 0, 1 << 31]), lanes32([5, 2, 7, 2])],
        );
        assert_eq!(product, Some(lanes32([15, u32::MAX - 1, 0, 0])));
        assert_eq!(eval_vector(Op::VMul, &Imm::Lane(Lane::I8), &[1, 1]), None);
    }

    #[test]
    fn shifts_and_sums() {
        let shift = |op, lane, by, x| eval_vector(op, &Imm::LaneShift(lane, by), &[x]);
        let x = 0x8000_7fff;
        assert_eq!(shift(Op::VShrS, Lane::I16, 1, x), Some(0xc000_3fff));
        assert_eq!(shift(Op::VShrU, Lane::I16, 1, x), Some(0x4000_3fff));
        assert_eq!(shift(Op::VShl, Lane::I16, 1, x), Some(0xfffe));
        let resize = |op, lane, x| eval_vector(op, &Imm::Lane(lane), &[x]);
        assert_eq!(resize(Op::VExtendS, Lane::I8, 0x7f80), Some(0x7f_ff80));
        assert_eq!(
            resize(Op::VExtendU, Lane::I16, 0x1_ffff),
            Some(0x1_0000_ffff)
        );
        assert_eq!(
            resize(Op::VNarrow, Lane::I32, 0x5_0001_0003),
            Some(0x5_0003)
        );
        let floats = resize(Op::VFromInt, Lane::F64, lanes32([u32::MAX, 2, 3, 4]));
        assert_eq!(
            floats,
            Some(u128::from(2f64.to_bits()) << 64 | u128::from((-1f64).to_bits()))
        );
        let iota = eval_vector(Op::VIota, &Imm::Lane(Lane::I32), &[]);
        assert_eq!(iota, Some(lanes32([0, 1, 2, 3])));
        let sum = eval_vector(
            Op::VSum,
            &Imm::Lane(Lane::I32),
            &[lanes32([u32::MAX, 2, 3, 4])],
        );
        assert_eq!(sum, Some(8));
    }
}
