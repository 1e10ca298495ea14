//! Bit operations, shifts, extensions.

use super::{Folder, Step, rewrite};
use crate::ir::eval::Const;
use crate::ir::{Imm, InstData, MemType, Op, Type, Value};

pub(super) fn rule(c: &mut Folder<'_>, data: &InstData) -> Option<Step> {
    if let Some(step) = rotation(c, data) {
        return Some(step);
    }
    match (data.op, data.args.as_slice()) {
        (Op::And | Op::Or, &[a, b]) if a == b => Some(Step::Same(a)),
        (Op::Xor, &[a, b]) if a == b => Some(Step::Const(Const::of(data.ty, 0))),
        (Op::And | Op::Or | Op::Xor, &[a, b]) => logical(c, data, a, b),
        (Op::Shl | Op::ShrS | Op::ShrU | Op::Rotl, &[a, b]) => shift(c, data, a, b),
        (Op::Sext8 | Op::Sext16 | Op::Zext8 | Op::Zext16, &[a]) => extend(c, data.op, a),
        (Op::Trunc, &[a]) => {
            let x = c.operand_of(a, Op::Sext32, 0);
            x.or_else(|| c.operand_of(a, Op::Zext32, 0)).map(Step::Same)
        }
        // a promoted float comes back unchanged
        (Op::Fdemote, &[a]) => c.operand_of(a, Op::Fpromote, 0).map(Step::Same),
        (Op::Bitcast, &[a]) => {
            let x = c.operand_of(a, Op::Bitcast, 0)?;
            (c.f.ty(x) == data.ty).then_some(Step::Same(x))
        }
        _ => None,
    }
}

/// `x & 0 = 0`, `x & -1 = x`, `x | 0 = x`, `x | -1 = -1`, `x ^ 0 = x`, `x ^ -1 = ~x`, `(x op m) op n = x op (m op n)`.
fn logical(c: &mut Folder<'_>, data: &InstData, a: Value, b: Value) -> Option<Step> {
    let n = c.int(b)?;
    match (data.op, n) {
        (Op::And, 0) | (Op::Or, -1) => return Some(Step::Const(Const::of(data.ty, n))),
        (Op::And, -1) | (Op::Or | Op::Xor, 0) => return Some(Step::Same(a)),
        (Op::Xor, -1) => return rewrite(Op::Not, &[a]),
        // A mask of all bits the value can have.
        (Op::And, n)
            if n > 0
                && (n as u64 + 1).is_power_of_two()
                && fits(c, a, 64 - n.leading_zeros(), false) =>
        {
            return Some(Step::Same(a));
        }
        _ => {}
    }
    let x = c.operand_of(a, data.op, 0)?;
    let m = c.int(c.operand_of(a, data.op, 1)?)?;
    let both = match data.op {
        Op::And => m & n,
        Op::Or => m | n,
        _ => m ^ n,
    };
    let both = c.constant(data.ty, both);
    rewrite(data.op, &[x, both])
}

/// `x << n | x >>u (width - n)` is a rotation, with `-n` for `width - n` too, as amounts are taken modulo the width. Where bits meet nothing, `^` and
/// `+` are the same as `|`: not if `n` may be 0.
fn rotation(c: &mut Folder<'_>, data: &InstData) -> Option<Step> {
    let (Op::Or | Op::Xor | Op::Iadd, &[a, b]) = (data.op, data.args.as_slice()) else {
        return None;
    };
    let width = i64::from(data.ty.bytes()) * 8;
    [(a, b), (b, a)].into_iter().find_map(|(left, right)| {
        let x = c.operand_of(left, Op::Shl, 0)?;
        let up = c.operand_of(left, Op::Shl, 1)?;
        let down = c.operand_of(right, Op::ShrU, 1)?;
        let fits = match (c.int(up), c.int(down)) {
            (Some(n), Some(m)) => n & (width - 1) != 0 && (n + m) & (width - 1) == 0,
            (None, None) => {
                data.op == Op::Or && (opposite(c, up, down, width) || opposite(c, down, up, width))
            }
            _ => false,
        };
        let same = c.operand_of(right, Op::ShrU, 0)? == x;
        (fits && same)
            .then(|| rewrite(Op::Rotl, &[x, up]))
            .flatten()
    })
}

/// `m` is `-n` modulo the width.
fn opposite(c: &Folder<'_>, n: Value, m: Value, width: i64) -> bool {
    let minus = c.operand_of(m, Op::Isub, 0).and_then(|v| c.int(v));
    let from = match minus {
        Some(k) if k & (width - 1) == 0 => c.operand_of(m, Op::Isub, 1),
        _ => c.operand_of(m, Op::Ineg, 0),
    };
    from == Some(n)
}

/// Amounts are taken modulo the width: `x << 0 = x`, `x << (n & 31) = x << n`, `(x << m) << n = x << (m + n)` while that is below the width.
fn shift(c: &mut Folder<'_>, data: &InstData, a: Value, b: Value) -> Option<Step> {
    let width = data.ty.bytes() as i64 * 8;
    let Some(n) = c.int(b) else {
        let mask = c.int(c.operand_of(b, Op::And, 1)?)?;
        let n = c.operand_of(b, Op::And, 0)?;
        return (mask & (width - 1) == width - 1)
            .then(|| rewrite(data.op, &[a, n]))
            .flatten();
    };
    let n = n & (width - 1);
    if n == 0 {
        return Some(Step::Same(a));
    }
    if data.op == Op::Rotl {
        return None;
    }
    let x = c.operand_of(a, data.op, 0)?;
    let m = c.int(c.operand_of(a, data.op, 1)?)? & (width - 1);
    if m + n >= width {
        return None;
    }
    let sum = c.constant(Type::I32, m + n);
    rewrite(data.op, &[x, sum])
}

/// An extension of what is extended already.
fn extend(c: &mut Folder<'_>, op: Op, a: Value) -> Option<Step> {
    let (bits, signed) = match op {
        Op::Sext8 => (8, true),
        Op::Sext16 => (16, true),
        Op::Zext8 => (8, false),
        _ => (16, false),
    };
    if fits(c, a, bits, signed) {
        return Some(Step::Same(a));
    }
    // The inner one only touches bits that the outer one does not look at.
    let inner = c.def(a)?;
    let inner_bits = match inner.op {
        Op::Sext8 | Op::Zext8 => 8,
        Op::Sext16 | Op::Zext16 => 16,
        _ => return None,
    };
    let x = c.f.resolve(inner.args[0]);
    (inner_bits >= bits).then(|| rewrite(op, &[x])).flatten()
}

/// The `i32` or `i64` value surely lies in the range of a small integer type.
fn fits(c: &Folder<'_>, v: Value, bits: u32, signed: bool) -> bool {
    let Some(data) = c.def(v) else { return false };
    let (have, have_signed) = match (data.op, data.imm) {
        (Op::Icmp | Op::Fcmp, _) => (1, false),
        (Op::Sext8, _) => (8, true),
        (Op::Sext16, _) => (16, true),
        (Op::Zext8, _) => (8, false),
        (Op::Zext16, _) => (16, false),
        (Op::Load, Imm::Mem(m)) => match small(m.ty) {
            Some(range) => range,
            None => return false,
        },
        (Op::SlotLoad, Imm::Slot(_, _, m)) => match small(m) {
            Some(range) => range,
            None => return false,
        },
        (Op::And, _) => match c.int(data.args[1]) {
            Some(n) if n >= 0 => (64 - n.leading_zeros(), false),
            _ => return false,
        },
        _ => return false,
    };
    match (have_signed, signed) {
        (false, false) | (true, true) => have <= bits,
        (false, true) => have < bits,
        (true, false) => false,
    }
}

fn small(m: MemType) -> Option<(u32, bool)> {
    match m {
        MemType::I8 => Some((8, true)),
        MemType::U8 => Some((8, false)),
        MemType::I16 => Some((16, true)),
        MemType::U16 => Some((16, false)),
        _ => None,
    }
}
