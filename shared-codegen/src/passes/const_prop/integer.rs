//! Arithmetic on integers.

use super::{Folder, Step, rewrite};
use crate::ir::eval::Const;
use crate::ir::{InstData, Op, Value};

pub(super) fn rule(c: &mut Folder<'_>, data: &InstData) -> Option<Step> {
    let &[a, b] = data.args.as_slice() else {
        return unary(c, data);
    };
    // c op x = x op c
    if data.op.is_commutative() && c.const_of(a).is_some() && c.const_of(b).is_none() {
        return rewrite(data.op, &[b, a]);
    }
    if data.ty.is_float() {
        return float(c, data, a, b);
    }
    if let (Op::Isub, true) = (data.op, a == b) {
        return Some(Step::Const(Const::of(data.ty, 0)));
    }
    // 0 - x = -x
    if data.op == Op::Isub && c.int(a) == Some(0) {
        return rewrite(Op::Ineg, &[b]);
    }
    let n = c.int(b)?;
    match data.op {
        Op::Iadd => add_constant(c, data, a, n),
        Op::Isub | Op::AddOvfS | Op::AddOvfU | Op::SubOvfS | Op::SubOvfU if n == 0 => {
            Some(Step::Same(a))
        }
        // x - n = x + -n
        Op::Isub => {
            let m = c.constant(data.ty, n.wrapping_neg());
            rewrite(Op::Iadd, &[a, m])
        }
        Op::MulOvfS | Op::MulOvfU if n == 1 => Some(Step::Same(a)),
        Op::Imul => multiply(c, data, a, n),
        _ => divide(c, data, a, b, n),
    }
}

/// `x + 0 = x`, `(x + m) + n = x + (m + n)`.
fn add_constant(c: &mut Folder<'_>, data: &InstData, a: Value, n: i64) -> Option<Step> {
    if n == 0 {
        return Some(Step::Same(a));
    }
    let x = c.operand_of(a, Op::Iadd, 0)?;
    let m = c.int(c.operand_of(a, Op::Iadd, 1)?)?;
    let sum = c.constant(data.ty, m.wrapping_add(n));
    rewrite(Op::Iadd, &[x, sum])
}

/// `x * 0 = 0`, `x * 1 = x`, `x * -1 = -x`, `x * 2^k = x << k`.
fn multiply(c: &mut Folder<'_>, data: &InstData, a: Value, n: i64) -> Option<Step> {
    match n {
        0 => Some(Step::Const(Const::of(data.ty, 0))),
        1 => Some(Step::Same(a)),
        -1 => rewrite(Op::Ineg, &[a]),
        _ => {
            let k = power_of_two(Const::of(data.ty, n))?;
            let amount = c.constant(crate::ir::Type::I32, k as i64);
            rewrite(Op::Shl, &[a, amount])
        }
    }
}

fn power_of_two(n: Const) -> Option<u32> {
    n.bits.is_power_of_two().then(|| n.bits.trailing_zeros())
}

/// Division by a constant: no checks needed, except for -1; powers of two without sign are shifts and masks.
fn divide(c: &mut Folder<'_>, data: &InstData, a: Value, b: Value, n: i64) -> Option<Step> {
    if n == 0 {
        return None;
    }
    let power = power_of_two(Const::of(data.ty, n));
    let i32 = crate::ir::Type::I32;
    match data.op {
        Op::Sdiv | Op::Udiv | Op::DivS | Op::DivU if n == 1 => Some(Step::Same(a)),
        Op::Srem | Op::Urem | Op::RemS | Op::RemU if n == 1 => {
            Some(Step::Const(Const::of(data.ty, 0)))
        }
        Op::Sdiv if n == -1 => rewrite(Op::Ineg, &[a]),
        Op::DivS if n != -1 => rewrite(Op::Sdiv, &[a, b]),
        Op::RemS if n != -1 => rewrite(Op::Srem, &[a, b]),
        Op::Udiv | Op::DivU => match power {
            Some(k) => {
                let amount = c.constant(i32, k as i64);
                rewrite(Op::ShrU, &[a, amount])
            }
            None if data.op == Op::DivU => rewrite(Op::Udiv, &[a, b]),
            None => None,
        },
        Op::Urem | Op::RemU => match power {
            Some(_) => {
                let mask = c.constant(data.ty, n.wrapping_sub(1));
                rewrite(Op::And, &[a, mask])
            }
            None if data.op == Op::RemU => rewrite(Op::Urem, &[a, b]),
            None => None,
        },
        _ => None,
    }
}

/// `-(-x) = x`, `~~x = x`, for floats too.
fn unary(c: &mut Folder<'_>, data: &InstData) -> Option<Step> {
    let &[a] = data.args.as_slice() else {
        return None;
    };
    match data.op {
        Op::Ineg | Op::Not | Op::Fneg => c.operand_of(a, data.op, 0).map(Step::Same),
        // |-x| = |x|
        Op::Fabs => {
            let x = c.operand_of(a, Op::Fneg, 0)?;
            rewrite(Op::Fabs, &[x])
        }
        _ => None,
    }
}

/// `x * 1 = x`, `x / 1 = x`, `x - 0 = x` (of +0; `x + 0` would lose the sign of -0).
fn float(c: &mut Folder<'_>, data: &InstData, a: Value, b: Value) -> Option<Step> {
    let n = c.const_of(b)?;
    match data.op {
        Op::Fmul | Op::Fdiv if n.float() == 1.0 => Some(Step::Same(a)),
        Op::Fsub if n.bits == 0 => Some(Step::Same(a)),
        _ => None,
    }
}
