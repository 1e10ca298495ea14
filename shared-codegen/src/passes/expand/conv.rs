//! `conv.ovf`: conversions with overflow check (ECMA-335 III.3.19, III.3.20).
//!
//! Integers: a check compares in the source's width and is left out when the source's range lies within the target's.
//! Floats (as `f64`, to which `f32` converts exactly): the truncated value fits exactly when `min - 1 < x < max + 1`;
//! `i64::MIN - 1` is not a double, there the lower bound is `MIN <= x`. The first comparison also fails for NaN.
//! `conv.ovf.un` takes integers as unsigned and makes no difference for floats.

use super::super::cursor::Cursor;
use crate::abi::trap::TrapKind;
use crate::ir::{ConvTarget, FloatCc, Imm, InstData, IntCc, Op, Type, Value};

/// Smallest and largest value of a target.
const RANGES: [(ConvTarget, i128, i128); 8] = [
    (ConvTarget::I1, i8::MIN as i128, i8::MAX as i128),
    (ConvTarget::U1, 0, u8::MAX as i128),
    (ConvTarget::I2, i16::MIN as i128, i16::MAX as i128),
    (ConvTarget::U2, 0, u16::MAX as i128),
    (ConvTarget::I4, i32::MIN as i128, i32::MAX as i128),
    (ConvTarget::U4, 0, u32::MAX as i128),
    (ConvTarget::I8, i64::MIN as i128, i64::MAX as i128),
    (ConvTarget::U8, 0, u64::MAX as i128),
];

/// `conv_ovf_s` and `conv_ovf_u`.
pub fn checked(cur: &mut Cursor<'_>, inst: &InstData, signed: bool) -> Value {
    let x = inst.args[0];
    let code = match inst.imm {
        Imm::Int(n) => n as usize,
        _ => 0,
    };
    let (_, min, max) = RANGES[code.min(RANGES.len() - 1)];
    if cur.f.ty(x).is_float() {
        from_float(cur, x, min, max, inst.ty)
    } else {
        from_int(cur, x, signed, min, max, inst.ty)
    }
}

fn from_int(cur: &mut Cursor<'_>, x: Value, signed: bool, min: i128, max: i128, ty: Type) -> Value {
    let source = cur.f.ty(x);
    let bits = source.bytes() * 8;
    let (low, high) = match signed {
        true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        false => (0, (1i128 << bits) - 1),
    };
    if low < 0 && min < 0 {
        signed_to_signed(cur, x, (min, max), (low, high));
    } else if low < 0 && max >= high {
        cur.trap_if_imm(IntCc::Slt, x, 0, TrapKind::Overflow);
    } else if max < high {
        cur.trap_if_imm(IntCc::Ugt, x, max as i64, TrapKind::Overflow);
    }
    match (source, ty) {
        (Type::I32, Type::I64) if signed => cur.convert(Op::Sext32, Type::I64, x),
        (Type::I32, Type::I64) => cur.convert(Op::Zext32, Type::I64, x),
        (Type::I64, Type::I32) => cur.convert(Op::Trunc, Type::I32, x),
        _ => x,
    }
}

/// `min <= x <= max` as one unsigned comparison of `x - min`.
fn signed_to_signed(cur: &mut Cursor<'_>, x: Value, to: (i128, i128), from: (i128, i128)) {
    if to.0 <= from.0 && to.1 >= from.1 {
        return;
    }
    let ty = cur.f.ty(x);
    let offset = cur.iconst(ty, -to.0 as i64);
    let shifted = cur.binary(Op::Iadd, x, offset);
    cur.trap_if_imm(
        IntCc::Ugt,
        shifted,
        (to.1 - to.0) as i64,
        TrapKind::Overflow,
    );
}

fn from_float(cur: &mut Cursor<'_>, x: Value, min: i128, max: i128, ty: Type) -> Value {
    let x = match cur.f.ty(x) {
        Type::F32 => cur.convert(Op::Fpromote, Type::F64, x),
        _ => x,
    };
    let wide = min == i64::MIN as i128;
    let low = cur.f64const(if wide { min as f64 } else { (min - 1) as f64 });
    let below = if wide { FloatCc::Ult } else { FloatCc::Ule };
    let too_small = cur.fcmp(below, x, low);
    cur.trap_if_imm(IntCc::Ne, too_small, 0, TrapKind::Overflow);
    let high = cur.f64const((max + 1) as f64);
    let too_large = cur.fcmp(FloatCc::Ge, x, high);
    cur.trap_if_imm(IntCc::Ne, too_large, 0, TrapKind::Overflow);
    if ty == Type::I64 {
        let op = if min < 0 { Op::ToInt } else { Op::ToUint };
        return cur.convert(op, Type::I64, x);
    }
    if min < 0 {
        return cur.convert(Op::ToInt, Type::I32, x);
    }
    let wide = cur.convert(Op::ToInt, Type::I64, x);
    cur.convert(Op::Trunc, Type::I32, wide)
}
