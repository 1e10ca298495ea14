//! What the computing ops mean: one evaluator for constant folding and for the reference interpreter.
//!
//! Covers every op whose result depends on operands and immediate alone. Floats are computed by the processor that runs
//! the compiler, in the operation's own precision, as the generated code does; conversions follow the x86 rules that
//! `op.rs` names.

use super::{ConvTarget, FloatCc, Function, Imm, IntCc, Op, Type, Value};
use crate::abi::trap::TrapKind;

/// A value with its type. Bits above 32 are zero for `i32` and `f32`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Const {
    /// Type.
    pub ty: Type,
    /// Bits, zero-extended.
    pub bits: u64,
}

impl Const {
    /// A 32-bit integer.
    pub fn i32(n: i32) -> Const {
        Const::of(Type::I32, n as i64)
    }

    /// A 64-bit integer.
    pub fn i64(n: i64) -> Const {
        Const::of(Type::I64, n)
    }

    /// A double.
    pub fn f64(x: f64) -> Const {
        Const {
            ty: Type::F64,
            bits: x.to_bits(),
        }
    }

    /// A single.
    pub fn f32(x: f32) -> Const {
        Const {
            ty: Type::F32,
            bits: x.to_bits() as u64,
        }
    }

    /// The low bits of `n` as a value of any type.
    pub fn of(ty: Type, n: i64) -> Const {
        let bits = if ty.bytes() == 4 {
            n as u32 as u64
        } else {
            n as u64
        };
        Const { ty, bits }
    }

    /// As signed integer.
    pub fn signed(self) -> i64 {
        if self.ty.bytes() == 4 {
            self.bits as u32 as i32 as i64
        } else {
            self.bits as i64
        }
    }

    /// As floating-point number (an `f32` exactly).
    pub fn float(self) -> f64 {
        if self.ty == Type::F32 {
            f32::from_bits(self.bits as u32) as f64
        } else {
            f64::from_bits(self.bits)
        }
    }

    /// Number of bits.
    fn width(self) -> u32 {
        self.ty.bytes() * 8
    }

    /// Op and immediate of an instruction that gives this value, if there is one.
    pub fn as_inst(self) -> Option<(Op, Imm)> {
        match self.ty {
            Type::I32 | Type::I64 => Some((Op::Iconst, Imm::Int(self.signed()))),
            Type::F32 | Type::F64 => Some((Op::Fconst, Imm::Float(self.bits))),
            Type::Ref | Type::ByRef if self.bits == 0 => Some((Op::Null, Imm::None)),
            Type::Ref | Type::ByRef | Type::V128 | Type::V256 => None,
        }
    }
}

/// What evaluating gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// A value.
    Value(Const),
    /// The op raises this exception.
    Trap(TrapKind),
    /// Not defined for these operands (`sdiv` by zero), or not an op that depends on its operands alone.
    Unknown,
}

impl From<Const> for Outcome {
    fn from(c: Const) -> Outcome {
        Outcome::Value(c)
    }
}

impl Function {
    /// The value as a constant, if an instruction says so.
    pub fn const_of(&self, v: Value) -> Option<Const> {
        let data = &self.insts[self.def_inst(v)?.index()];
        match (data.op, data.imm) {
            (Op::Iconst, Imm::Int(n)) => Some(Const::of(data.ty, n)),
            (Op::Fconst, Imm::Float(bits)) => Some(Const { ty: data.ty, bits }),
            (Op::Null, _) => Some(Const::of(data.ty, 0)),
            _ => None,
        }
    }
}

/// Evaluates an op. `ty` is the instruction's type; the operands must fit the op table.
pub fn eval(op: Op, ty: Type, imm: &Imm, args: &[Const]) -> Outcome {
    match (*imm, args) {
        (Imm::Int(n), []) if op == Op::Iconst => Const::of(ty, n).into(),
        (Imm::Float(bits), []) if op == Op::Fconst => Const { ty, bits }.into(),
        (Imm::None, []) if op == Op::Null => Const::of(ty, 0).into(),
        (Imm::IntCc(cc), &[a, b]) => Const::i32(compare(cc, a, b) as i32).into(),
        (Imm::FloatCc(cc), &[a, b]) => Const::i32(fcompare(cc, a, b) as i32).into(),
        (Imm::CondTrap(cc, kind), &[a, b]) if compare(cc, a, b) => Outcome::Trap(kind),
        (Imm::Int(target), &[a]) => conv_ovf(op, ty, target, a),
        (Imm::Size(scale, offset), &[base, index]) if op == Op::AddrIndex => {
            let sum = index.signed().wrapping_mul(scale as i64);
            let at = base.signed().wrapping_add(sum).wrapping_add(offset as i64);
            Const::of(ty, at).into()
        }
        (Imm::None, &[c, a, b]) if op == Op::Select => if c.bits != 0 { a } else { b }.into(),
        (Imm::None, &[a, b]) if op == Op::AddrAdd => {
            Const::of(ty, a.signed().wrapping_add(b.signed())).into()
        }
        (Imm::None, &[a]) => unary(op, ty, a),
        (Imm::None, &[a, b]) if a.ty.is_float() => float_binary(op, a, b),
        (Imm::None, &[a, b]) => match int_binary(op, a, b) {
            Some(c) => c.into(),
            None => checked(op, a, b),
        },
        _ => Outcome::Unknown,
    }
}

/// Integer (or word) comparison.
pub fn compare(cc: IntCc, a: Const, b: Const) -> bool {
    let (s, t) = (a.signed(), b.signed());
    match cc {
        IntCc::Eq => a.bits == b.bits,
        IntCc::Ne => a.bits != b.bits,
        IntCc::Slt => s < t,
        IntCc::Sle => s <= t,
        IntCc::Sgt => s > t,
        IntCc::Sge => s >= t,
        IntCc::Ult => a.bits < b.bits,
        IntCc::Ule => a.bits <= b.bits,
        IntCc::Ugt => a.bits > b.bits,
        IntCc::Uge => a.bits >= b.bits,
    }
}

/// Floating-point comparison.
pub fn fcompare(cc: FloatCc, a: Const, b: Const) -> bool {
    let (x, y) = (a.float(), b.float());
    let unordered = x.is_nan() || y.is_nan();
    match cc {
        FloatCc::Eq => x == y,
        FloatCc::Ne => x != y,
        FloatCc::Lt => x < y,
        FloatCc::Le => x <= y,
        FloatCc::Gt => x > y,
        FloatCc::Ge => x >= y,
        FloatCc::Ueq => unordered || x == y,
        FloatCc::One => !unordered && x != y,
        FloatCc::Ult => unordered || x < y,
        FloatCc::Ule => unordered || x <= y,
        FloatCc::Ugt => unordered || x > y,
        FloatCc::Uge => unordered || x >= y,
        FloatCc::Ord => !unordered,
        FloatCc::Uno => unordered,
    }
}

/// Integer ops of two operands that cannot fail.
fn int_binary(op: Op, a: Const, b: Const) -> Option<Const> {
    let (x, y) = (a.signed(), b.signed());
    let (ux, uy) = (a.bits, b.bits);
    let amount = (uy % a.width() as u64) as u32;
    let safe_signed = y != 0 && !(y == -1 && is_min(a));
    let n = match op {
        Op::Iadd => x.wrapping_add(y),
        Op::Isub => x.wrapping_sub(y),
        Op::Imul => x.wrapping_mul(y),
        Op::ImulHigh => ((x as i128 * y as i128) >> a.width()) as i64,
        Op::UmulHigh => ((ux as u128 * uy as u128) >> a.width()) as i64,
        Op::Sdiv if safe_signed => x / y,
        Op::Srem if safe_signed => x % y,
        Op::Udiv if uy != 0 => (ux / uy) as i64,
        Op::Urem if uy != 0 => (ux % uy) as i64,
        Op::And => x & y,
        Op::Or => x | y,
        Op::Xor => x ^ y,
        Op::Shl => x << amount,
        Op::ShrS => x >> amount,
        Op::ShrU => (ux >> amount) as i64,
        Op::Rotl if a.width() == 32 => (ux as u32).rotate_left(amount) as i64,
        Op::Rotl => ux.rotate_left(amount) as i64,
        _ => return None,
    };
    Some(Const::of(a.ty, n))
}

fn is_min(a: Const) -> bool {
    a.signed() == i64::MIN >> (64 - a.width())
}

/// Integer ops of two operands with the CLI's exceptions.
fn checked(op: Op, a: Const, b: Const) -> Outcome {
    let plain = match op {
        Op::DivS | Op::DivU | Op::RemS | Op::RemU if b.bits == 0 => {
            return Outcome::Trap(TrapKind::DivideByZero);
        }
        Op::DivS | Op::RemS if b.signed() == -1 && is_min(a) => {
            return Outcome::Trap(TrapKind::Overflow);
        }
        Op::BoundsCheck if a.bits >= b.bits => return Outcome::Trap(TrapKind::IndexOutOfRange),
        Op::DivS => Op::Sdiv,
        Op::DivU => Op::Udiv,
        Op::RemS => Op::Srem,
        Op::RemU => Op::Urem,
        _ => return overflow_checked(op, a, b),
    };
    int_binary(plain, a, b).map_or(Outcome::Unknown, Outcome::Value)
}

fn overflow_checked(op: Op, a: Const, b: Const) -> Outcome {
    let (s, t) = (a.signed() as i128, b.signed() as i128);
    let (u, v) = (a.bits as i128, b.bits as i128);
    let wide = match op {
        Op::AddOvfS => s + t,
        Op::SubOvfS => s - t,
        Op::MulOvfS => s * t,
        Op::AddOvfU => u + v,
        Op::SubOvfU => u - v,
        // The product of two u64 may exceed i128, but then its sign bit says that it is too large.
        Op::MulOvfU => (u as u128 * v as u128) as i128,
        _ => return Outcome::Unknown,
    };
    let signed = matches!(op, Op::AddOvfS | Op::SubOvfS | Op::MulOvfS);
    let bits = a.width();
    let (min, max) = match signed {
        true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        false => (0, (1i128 << bits) - 1),
    };
    if wide < min || wide > max {
        return Outcome::Trap(TrapKind::Overflow);
    }
    Const::of(a.ty, wide as i64).into()
}

fn float_binary(op: Op, a: Const, b: Const) -> Outcome {
    if a.ty == Type::F32 {
        let (x, y) = (f32::from_bits(a.bits as u32), f32::from_bits(b.bits as u32));
        return match op {
            Op::Fadd => Const::f32(x + y).into(),
            Op::Fsub => Const::f32(x - y).into(),
            Op::Fmul => Const::f32(x * y).into(),
            Op::Fdiv => Const::f32(x / y).into(),
            Op::Frem => Const::f32(x % y).into(),
            _ => Outcome::Unknown,
        };
    }
    let (x, y) = (f64::from_bits(a.bits), f64::from_bits(b.bits));
    match op {
        Op::Fadd => Const::f64(x + y).into(),
        Op::Fsub => Const::f64(x - y).into(),
        Op::Fmul => Const::f64(x * y).into(),
        Op::Fdiv => Const::f64(x / y).into(),
        Op::Frem => Const::f64(x % y).into(),
        _ => Outcome::Unknown,
    }
}

fn unary(op: Op, ty: Type, a: Const) -> Outcome {
    let x = a.signed();
    let n = match op {
        Op::Ineg => x.wrapping_neg(),
        Op::Not => !x,
        Op::Clz => (a.bits.leading_zeros() + a.width() - 64) as i64,
        Op::Ctz => (a.bits.trailing_zeros().min(a.width())) as i64,
        Op::Popcnt => a.bits.count_ones() as i64,
        Op::Sext8 => x as i8 as i64,
        Op::Sext16 => x as i16 as i64,
        Op::Zext8 => x as u8 as i64,
        Op::Zext16 => x as u16 as i64,
        Op::Sext32 => return Const::i64(x).into(),
        Op::Zext32 => return Const::i64(a.bits as i64).into(),
        Op::Trunc => return Const::i32(x as i32).into(),
        Op::AddrCast | Op::Bitcast => return Const { ty, bits: a.bits }.into(),
        Op::ToInt | Op::ToUint => return Const::of(ty, to_int(op, ty, a)).into(),
        _ => return float_unary(op, ty, a),
    };
    Const::of(a.ty, n).into()
}

/// Truncation with the results of `cvttsd2si` out of range: the minimum of the width converted in.
fn to_int(op: Op, ty: Type, a: Const) -> i64 {
    let x = a.float();
    let to_i64 = |x: f64| match x {
        x if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x) => x as i64,
        _ => i64::MIN,
    };
    match (op, ty) {
        (Op::ToInt, Type::I32) if x.is_nan() || x <= -2147483649.0 || x >= 2147483648.0 => {
            i32::MIN as i64
        }
        (Op::ToUint, Type::I64) if x >= 9_223_372_036_854_775_808.0 => {
            to_i64(x - 9_223_372_036_854_775_808.0) ^ i64::MIN
        }
        _ => to_i64(x),
    }
}

fn float_unary(op: Op, ty: Type, a: Const) -> Outcome {
    let sign = 1u64 << (a.width() - 1);
    let with_bits = |bits| Outcome::Value(Const { ty: a.ty, bits });
    match op {
        Op::Fneg => with_bits(a.bits ^ sign),
        Op::Fabs => with_bits(a.bits & !sign),
        Op::CkFinite if a.float().is_finite() => a.into(),
        Op::CkFinite => Outcome::Trap(TrapKind::Arithmetic),
        Op::Fpromote => Const::f64(a.float()).into(),
        Op::Fdemote => Const::f32(a.float() as f32).into(),
        Op::FromInt => match ty {
            Type::F32 => Const::f32(a.signed() as f32).into(),
            _ => Const::f64(a.signed() as f64).into(),
        },
        Op::FromUint => match ty {
            Type::F32 => Const::f32(a.bits as f32).into(),
            _ => Const::f64(a.bits as f64).into(),
        },
        _ => rounding(op, a),
    }
}

/// Ops that give the same for an `f32` computed as `f64` and rounded back (IEEE: square root included).
fn rounding(op: Op, a: Const) -> Outcome {
    let x = a.float();
    let y = match op {
        Op::Fsqrt => x.sqrt(),
        Op::Fround => x.round_ties_even(),
        Op::Ffloor => x.floor(),
        Op::Fceil => x.ceil(),
        Op::Ftrunc => x.trunc(),
        _ => return Outcome::Unknown,
    };
    match a.ty {
        Type::F32 => Const::f32(y as f32).into(),
        _ => Const::f64(y).into(),
    }
}

/// Smallest and largest value of a `conv.ovf` target.
pub const CONV_RANGES: [(ConvTarget, i128, i128); 8] = [
    (ConvTarget::I1, i8::MIN as i128, i8::MAX as i128),
    (ConvTarget::U1, 0, u8::MAX as i128),
    (ConvTarget::I2, i16::MIN as i128, i16::MAX as i128),
    (ConvTarget::U2, 0, u16::MAX as i128),
    (ConvTarget::I4, i32::MIN as i128, i32::MAX as i128),
    (ConvTarget::U4, 0, u32::MAX as i128),
    (ConvTarget::I8, i64::MIN as i128, i64::MAX as i128),
    (ConvTarget::U8, 0, u64::MAX as i128),
];

fn conv_ovf(op: Op, ty: Type, target: i64, a: Const) -> Outcome {
    let Some(&(_, min, max)) = CONV_RANGES.get(target as usize) else {
        return Outcome::Unknown;
    };
    let n = match (op, a.ty) {
        (Op::ConvOvfS | Op::ConvOvfU, Type::F32 | Type::F64) => {
            let x = a.float().trunc();
            // Far out of every range; also keeps NaN out of the cast.
            if x.is_nan() || x.abs() > 1e30 {
                return Outcome::Trap(TrapKind::Overflow);
            }
            x as i128
        }
        (Op::ConvOvfS, _) => a.signed() as i128,
        (Op::ConvOvfU, _) => a.bits as i128,
        _ => return Outcome::Unknown,
    };
    if n < min || n > max {
        return Outcome::Trap(TrapKind::Overflow);
    }
    Const::of(ty, n as i64).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bin(op: Op, a: Const, b: Const) -> Outcome {
        eval(op, a.ty, &Imm::None, &[a, b])
    }

    fn un(op: Op, ty: Type, a: Const) -> Outcome {
        eval(op, ty, &Imm::None, &[a])
    }

    #[test]
    fn integers() {
        let min = Const::i32(i32::MIN);
        let minus1 = Const::i32(-1);
        assert_eq!(bin(Op::Iadd, min, minus1), Const::i32(i32::MAX).into());
        assert_eq!(
            bin(Op::DivS, min, minus1),
            Outcome::Trap(TrapKind::Overflow)
        );
        assert_eq!(bin(Op::Sdiv, min, minus1), Outcome::Unknown);
        let zero = Const::i64(0);
        let one = Const::i64(1);
        assert_eq!(
            bin(Op::RemU, one, zero),
            Outcome::Trap(TrapKind::DivideByZero)
        );
        let wide = Const::i64(i64::MIN);
        assert_eq!(bin(Op::ImulHigh, wide, wide), Const::i64(1 << 62).into());
        assert_eq!(bin(Op::UmulHigh, minus1, minus1), Const::i32(-2).into());
        assert_eq!(
            bin(Op::ShrS, min, Const::i32(33)),
            Const::i32(-1 << 30).into()
        );
        assert_eq!(bin(Op::ShrU, min, Const::i32(31)), Const::i32(1).into());
        assert_eq!(
            bin(Op::MulOvfU, Const::i64(-1), Const::i64(-1)),
            Outcome::Trap(TrapKind::Overflow)
        );
        assert_eq!(bin(Op::MulOvfU, Const::i64(-1), one), Const::i64(-1).into());
        assert_eq!(un(Op::Clz, Type::I32, Const::i32(1)), Const::i32(31).into());
        assert_eq!(un(Op::Ctz, Type::I32, Const::i32(0)), Const::i32(32).into());
        assert_eq!(un(Op::Popcnt, Type::I32, minus1), Const::i32(32).into());
        assert_eq!(
            un(Op::Zext32, Type::I64, minus1),
            Const::i64(0xffff_ffff).into()
        );
    }

    #[test]
    fn floats_to_integers() {
        let to = |op, ty, x: f64| un(op, ty, Const::f64(x));
        assert_eq!(
            to(Op::ToInt, Type::I32, -2147483648.9),
            Const::i32(i32::MIN).into()
        );
        assert_eq!(
            to(Op::ToInt, Type::I32, 2147483648.0),
            Const::i32(i32::MIN).into()
        );
        assert_eq!(
            to(Op::ToInt, Type::I64, f64::NAN),
            Const::i64(i64::MIN).into()
        );
        assert_eq!(
            to(Op::ToUint, Type::I32, 4294967295.0),
            Const::i32(-1).into()
        );
        assert_eq!(to(Op::ToUint, Type::I32, -1.0), Const::i32(-1).into());
        let big = 18446744073709549568.0;
        assert_eq!(to(Op::ToUint, Type::I64, big), Const::i64(-2048).into());
        let ovf =
            |t: ConvTarget, a: Const| eval(Op::ConvOvfS, Type::I32, &Imm::Int(t as i64), &[a]);
        assert_eq!(ovf(ConvTarget::U1, Const::f64(-0.9)), Const::i32(0).into());
        assert_eq!(
            ovf(ConvTarget::U1, Const::f64(256.0)),
            Outcome::Trap(TrapKind::Overflow)
        );
        assert_eq!(
            ovf(ConvTarget::I4, Const::i64(1 << 31)),
            Outcome::Trap(TrapKind::Overflow)
        );
        assert_eq!(
            ovf(ConvTarget::U4, Const::i64(1 << 31)),
            Const::i32(i32::MIN).into()
        );
    }
}
