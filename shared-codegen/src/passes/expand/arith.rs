//! Division, floating-point remainder, `ckfinite`.

use super::super::cursor::{Cursor, target};
use crate::abi::helper::HelperId;
use crate::abi::trap::TrapKind;
use crate::ir::{FloatCc, InstData, IntCc, Op, Type, Value};

/// `div_s`, `rem_s`: DivideByZero, Overflow for `MinValue / -1`. A constant divisor needs no branches.
pub fn signed_division(cur: &mut Cursor<'_>, inst: &InstData) -> Value {
    let (a, b) = (inst.args[0], inst.args[1]);
    let is_div = inst.op == Op::DivS;
    let op = if is_div { Op::Sdiv } else { Op::Srem };
    match cur.const_int(b) {
        Some(0) => return always_by_zero(cur, inst.ty, b),
        Some(-1) => return by_minus_one(cur, a, is_div),
        Some(_) => return cur.binary(op, a, b),
        None => {}
    }
    cur.trap_if_imm(IntCc::Eq, b, 0, TrapKind::DivideByZero);
    if cur.const_int(a).is_some_and(|n| n != min_value(inst.ty)) {
        return cur.binary(op, a, b);
    }
    let (special, normal, done) = (
        cur.new_block(true),
        cur.new_block(false),
        cur.new_block(false),
    );
    let result = cur.add_param(done, inst.ty);
    let minus_one = cur.icmp_imm(IntCc::Eq, b, -1);
    cur.brif(minus_one, target(special, &[]), target(normal, &[]));
    cur.switch_to(special);
    let x = by_minus_one(cur, a, is_div);
    cur.jump(done, &[x]);
    cur.switch_to(normal);
    let x = cur.binary(op, a, b);
    cur.jump(done, &[x]);
    cur.switch_to(done);
    result
}

/// `a / -1` is `0 - a` with overflow check; `a % -1` is 0, but Overflow for the minimum.
fn by_minus_one(cur: &mut Cursor<'_>, a: Value, is_div: bool) -> Value {
    let ty = cur.f.ty(a);
    let zero = cur.iconst(ty, 0);
    if is_div {
        return cur.binary(Op::SubOvfS, zero, a);
    }
    cur.trap_if_imm(IntCc::Eq, a, min_value(ty), TrapKind::Overflow);
    zero
}

fn min_value(ty: Type) -> i64 {
    match ty {
        Type::I32 => i32::MIN.into(),
        _ => i64::MIN,
    }
}

/// `div_u`, `rem_u`: DivideByZero.
pub fn unsigned_division(cur: &mut Cursor<'_>, inst: &InstData) -> Value {
    let (a, b) = (inst.args[0], inst.args[1]);
    match cur.const_int(b) {
        Some(0) => return always_by_zero(cur, inst.ty, b),
        Some(_) => {}
        None => cur.trap_if_imm(IntCc::Eq, b, 0, TrapKind::DivideByZero),
    }
    let op = if inst.op == Op::DivU {
        Op::Udiv
    } else {
        Op::Urem
    };
    cur.binary(op, a, b)
}

/// A division by constant zero. The check stays in the middle of the block; what follows is dead but needs a value.
fn always_by_zero(cur: &mut Cursor<'_>, ty: Type, zero: Value) -> Value {
    cur.trap_if_imm(IntCc::Eq, zero, 0, TrapKind::DivideByZero);
    cur.iconst(ty, 0)
}

/// `frem`: C's `fmod`.
pub fn float_remainder(cur: &mut Cursor<'_>, inst: &InstData) -> Option<Value> {
    let helper = match inst.ty {
        Type::F32 => HelperId::FmodF32,
        _ => HelperId::FmodF64,
    };
    cur.helper(helper, &inst.args)
}

/// `ckfinite`: `x - x` is NaN exactly for NaN and infinities.
pub fn check_finite(cur: &mut Cursor<'_>, inst: &InstData) -> Value {
    let x = inst.args[0];
    let difference = cur.binary(Op::Fsub, x, x);
    let bad = cur.fcmp(FloatCc::Uno, difference, difference);
    cur.trap_if_imm(IntCc::Ne, bad, 0, TrapKind::Arithmetic);
    x
}
