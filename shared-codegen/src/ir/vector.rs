//! Vectors: kinds of lanes, which operations have them, and what vector operations mean.

use super::eval::{Const, Outcome, eval};
use super::{Function, Imm, InstData, MemType, Op, Type};

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

    /// Lanes of a vector of this type.
    pub fn count(self, ty: Type) -> u32 {
        ty.bytes() / self.bytes()
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
            MemType::Ref | MemType::ByRef | MemType::V128 | MemType::V256 => return None,
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

    fn mask(self) -> u64 {
        u64::MAX >> (64 - self.bits())
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
        Op::VMulHighS if lane == Lane::I32 => Op::ImulHigh,
        Op::VMulHighU if lane == Lane::I32 => Op::UmulHigh,
        Op::VShl if !float && lane != Lane::I8 => Op::Shl,
        Op::VShrS if matches!(lane, Lane::I16 | Lane::I32) => Op::ShrS,
        Op::VShrU if !float && lane != Lane::I8 => Op::ShrU,
        _ => return None,
    })
}

/// Bits of a value, lowest first; those above its type are zero in a vector and of no meaning in a scalar.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Bits([u64; 4]);

impl Bits {
    /// The bits of a scalar.
    pub fn of(scalar: u64) -> Bits {
        Bits([scalar, 0, 0, 0])
    }

    /// The bits of a scalar, or the lowest ones of a vector.
    pub fn low(self) -> u64 {
        self.0[0]
    }

    /// What up to 32 bytes of memory hold.
    pub fn from_bytes(bytes: &[u8]) -> Bits {
        let mut bits = Bits::default();
        for (to, from) in bits.0.iter_mut().zip(bytes.chunks(8)) {
            let mut word = [0; 8];
            word[..from.len()].copy_from_slice(from);
            *to = u64::from_le_bytes(word);
        }
        bits
    }

    /// As in memory; vectors of 16 bytes fill the first half.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (to, from) in bytes.chunks_mut(8).zip(self.0) {
            to.copy_from_slice(&from.to_le_bytes());
        }
        bytes
    }

    fn lane(self, lane: Lane, n: u32) -> u64 {
        let at = n * lane.bits();
        self.0[(at / 64) as usize] >> (at % 64) & lane.mask()
    }

    fn set_lane(&mut self, lane: Lane, n: u32, bits: u64) {
        let at = n * lane.bits();
        self.0[(at / 64) as usize] |= (bits & lane.mask()) << (at % 64);
    }

    fn zip(self, other: Bits, word: impl Fn(u64, u64) -> u64) -> Bits {
        let mut all = self;
        for (a, b) in all.0.iter_mut().zip(other.0) {
            *a = word(*a, b);
        }
        all
    }
}

impl From<u128> for Bits {
    fn from(bits: u128) -> Bits {
        Bits::from_bytes(&bits.to_le_bytes())
    }
}

/// The vectors that a vector operation computes with: its result, or its operand if that is a scalar.
pub fn vector_type(f: &Function, data: &InstData) -> Type {
    match data.args.first() {
        Some(&v) if !data.ty.is_vector() => f.ty(v),
        _ => data.ty,
    }
}

/// Evaluates an operation on vectors of type `ty` (see [`vector_type`]). `None` if the op has no such lanes or is none.
pub fn eval_vector(op: Op, ty: Type, imm: &Imm, args: &[Bits]) -> Option<Bits> {
    let make = |lane: Lane, value: &dyn Fn(u32) -> u64| build(lane, lane.count(ty), value);
    let low = |x: Bits, lane: Lane| Some(Bits::of(x.lane(lane, 0)));
    match (op, *imm, args) {
        (Op::VZero, Imm::None, []) => Some(Bits::default()),
        (Op::VIota, Imm::Lane(lane), []) => Some(make(lane, &u64::from)),
        (Op::VSplat, Imm::Lane(lane), &[x]) => Some(make(lane, &|_| x.low())),
        (Op::VAnd, Imm::None, &[a, b]) => Some(a.zip(b, |a, b| a & b)),
        (Op::VOr, Imm::None, &[a, b]) => Some(a.zip(b, |a, b| a | b)),
        (Op::VXor, Imm::None, &[a, b]) => Some(a.zip(b, |a, b| a ^ b)),
        (Op::VSelect, Imm::None, &[mask, a, b]) => {
            let (a, b) = (a.zip(mask, |a, m| a & m), b.zip(mask, |b, m| b & !m));
            Some(a.zip(b, |a, b| a | b))
        }
        (Op::VSum, Imm::Lane(lane), &[x]) => {
            let lanes = (0..lane.count(ty)).map(|n| x.lane(lane, n));
            let sum = lanes.fold(0, u64::wrapping_add);
            Some(Bits::of(sum & lane.mask()))
        }
        (Op::VEq | Op::VGt | Op::VMin | Op::VMax, Imm::Lane(lane), &[a, b]) => {
            Some(make(lane, &|n| {
                let (a, b) = (a.lane(lane, n), b.lane(lane, n));
                choose(op, a, b, signed(lane, a) > signed(lane, b))
            }))
        }
        (Op::VLeast | Op::VMost, Imm::Lane(lane), &[x]) => {
            let lanes = (0..lane.count(ty)).map(|n| x.lane(lane, n));
            let found = match op {
                Op::VLeast => lanes.min_by_key(|&n| signed(lane, n)),
                _ => lanes.max_by_key(|&n| signed(lane, n)),
            };
            found.map(Bits::of)
        }
        (Op::VLow | Op::VFirst, Imm::Lane(lane), &[x]) => low(x, lane),
        (Op::VWiden, Imm::None, &[x]) => Some(x),
        (Op::VHalf, Imm::None, &[x]) => Some(Bits([x.0[0], x.0[1], 0, 0])),
        (Op::VExtendS | Op::VExtendU | Op::VNarrow, Imm::Lane(lane), &[x]) => {
            resize(op, ty, lane, x)
        }
        (_, Imm::Lane(lane), &[a, b]) => each(op, ty, lane, |n, signed| {
            [scalar(lane, a, n, signed), scalar(lane, b, n, signed)]
        }),
        (_, Imm::LaneShift(lane, by), &[a]) => each(op, ty, lane, |n, signed| {
            [scalar(lane, a, n, signed), Const::i32(by.into())]
        }),
        (_, _, &[x]) => converted(op, ty, imm, x),
        _ => None,
    }
}

/// Operations that compute floats of one operand.
fn converted(op: Op, ty: Type, imm: &Imm, x: Bits) -> Option<Bits> {
    let (scalar_op, from, to) = match (op, *imm) {
        (Op::VFromInt, Imm::Lane(to)) => (Op::FromInt, Lane::I32, to),
        (Op::VSqrt, Imm::Lane(lane)) if lane.scalar().is_float() => (Op::Fsqrt, lane, lane),
        (Op::VPromote, Imm::None) => (Op::Fpromote, Lane::F32, Lane::F64),
        (Op::VDemote, Imm::None) => (Op::Fdemote, Lane::F64, Lane::F32),
        _ => return None,
    };
    let mut result = Bits::default();
    for n in 0..from.count(ty).min(to.count(ty)) {
        let operand = scalar(from, x, n, false);
        let Outcome::Value(c) = eval(scalar_op, to.scalar(), &Imm::None, &[operand]) else {
            return None;
        };
        result.set_lane(to, n, c.bits);
    }
    Some(result)
}

/// Computes each lane by the scalar operation on the operands given for it.
fn each(op: Op, ty: Type, lane: Lane, operands: impl Fn(u32, bool) -> [Const; 2]) -> Option<Bits> {
    let scalar = scalar_op(op, lane)?;
    let mut result = Bits::default();
    for n in 0..lane.count(ty) {
        let args = operands(n, scalar == Op::ShrS);
        let Outcome::Value(c) = eval(scalar, lane.scalar(), &Imm::None, &args) else {
            return None;
        };
        result.set_lane(lane, n, c.bits);
    }
    Some(result)
}

/// A lane of a comparison, or of the smaller or larger numbers.
fn choose(op: Op, a: u64, b: u64, greater: bool) -> u64 {
    match op {
        Op::VEq if a == b => u64::MAX,
        Op::VGt if greater => u64::MAX,
        Op::VMin if greater => b,
        Op::VMax if !greater => b,
        Op::VMin | Op::VMax => a,
        _ => 0,
    }
}

/// A lane's bits as a signed number.
fn signed(lane: Lane, bits: u64) -> i64 {
    let unused = 64 - lane.bits();
    (bits << unused) as i64 >> unused
}

/// Integer lanes made twice as large, or half.
fn resize(op: Op, ty: Type, lane: Lane, x: Bits) -> Option<Bits> {
    let to = match op {
        Op::VNarrow => lane.half()?,
        _ => lane.double()?,
    };
    let count = lane.count(ty).min(to.count(ty));
    Some(build(to, count, &|n| {
        let bits = x.lane(lane, n);
        match op {
            Op::VExtendS => signed(lane, bits) as u64,
            _ => bits,
        }
    }))
}

fn build(lane: Lane, count: u32, value: &dyn Fn(u32) -> u64) -> Bits {
    let mut bits = Bits::default();
    for n in 0..count {
        bits.set_lane(lane, n, value(n));
    }
    bits
}

/// A lane as an operand, small integers extended.
fn scalar(lane: Lane, x: Bits, n: u32, signed: bool) -> Const {
    let bits = x.lane(lane, n) as i64;
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

    fn lanes32<const N: usize>(x: [u32; N]) -> Bits {
        Bits::from_bytes(&x.map(u32::to_le_bytes).concat())
    }

    fn bits(x: u128) -> Bits {
        x.into()
    }

    fn eval_128(op: Op, imm: Imm, args: &[Bits]) -> Option<Bits> {
        eval_vector(op, Type::V128, &imm, args)
    }

    #[test]
    fn lanes_do_not_reach_into_each_other() {
        let add = |lane, a, b| eval_128(Op::VAdd, Imm::Lane(lane), &[bits(a), bits(b)]);
        assert_eq!(add(Lane::I8, 0xffff, 0x0001), Some(bits(0xff00)));
        assert_eq!(add(Lane::I16, 0xffff, 0x0001), Some(bits(0)));
        let product = eval_128(
            Op::VMul,
            Imm::Lane(Lane::I32),
            &[lanes32([3, u32::MAX, 0, 1 << 31]), lanes32([5, 2, 7, 2])],
        );
        assert_eq!(product, Some(lanes32([15, u32::MAX - 1, 0, 0])));
        let bytes = eval_128(Op::VMul, Imm::Lane(Lane::I8), &[bits(1), bits(1)]);
        assert_eq!(bytes, None);
    }

    #[test]
    fn shifts_and_sums() {
        let shift = |op, lane, by, x| eval_128(op, Imm::LaneShift(lane, by), &[bits(x)]);
        let x = 0x8000_7fff;
        assert_eq!(shift(Op::VShrS, Lane::I16, 1, x), Some(bits(0xc000_3fff)));
        assert_eq!(shift(Op::VShrU, Lane::I16, 1, x), Some(bits(0x4000_3fff)));
        assert_eq!(shift(Op::VShl, Lane::I16, 1, x), Some(bits(0xfffe)));
        let resize = |op, lane, x| eval_128(op, Imm::Lane(lane), &[bits(x)]);
        assert_eq!(
            resize(Op::VExtendS, Lane::I8, 0x7f80),
            Some(bits(0x7f_ff80))
        );
        assert_eq!(
            resize(Op::VExtendU, Lane::I16, 0x1_ffff),
            Some(bits(0x1_0000_ffff))
        );
        assert_eq!(
            resize(Op::VNarrow, Lane::I32, 0x5_0001_0003),
            Some(bits(0x5_0003))
        );
        let floats = eval_128(
            Op::VFromInt,
            Imm::Lane(Lane::F64),
            &[lanes32([u32::MAX, 2, 3, 4])],
        );
        assert_eq!(
            floats,
            Some(bits(
                u128::from(2f64.to_bits()) << 64 | u128::from((-1f64).to_bits())
            ))
        );
        let iota = eval_128(Op::VIota, Imm::Lane(Lane::I32), &[]);
        assert_eq!(iota, Some(lanes32([0, 1, 2, 3])));
        let x = lanes32([u32::MAX, 2, 3, 4]);
        let sum = eval_128(Op::VSum, Imm::Lane(Lane::I32), &[x]);
        assert_eq!(sum, Some(bits(8)));
    }

    #[test]
    fn vectors_of_32_bytes_take_the_lower_half_of_the_lanes_to_extend() {
        let x = lanes32([1, u32::MAX, 3, 4, 5, 6, 7, 8]);
        let eval = |op, lane| eval_vector(op, Type::V256, &Imm::Lane(lane), &[x]);
        assert_eq!(
            eval(Op::VExtendS, Lane::I32),
            Some(lanes32([1, 0, u32::MAX, u32::MAX, 3, 0, 4, 0]))
        );
        assert_eq!(eval(Op::VSum, Lane::I32), Some(bits(33)));
        assert_eq!(
            eval(Op::VNarrow, Lane::I64),
            Some(lanes32([1, 3, 5, 7, 0, 0, 0, 0]))
        );
        let half = eval_vector(Op::VHalf, Type::V256, &Imm::None, &[x]);
        assert_eq!(half, Some(lanes32([1, u32::MAX, 3, 4])));
    }
}
