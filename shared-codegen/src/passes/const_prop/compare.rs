//! Comparisons and selection.

use super::{Folder, Step};
use crate::ir::eval::Const;
use crate::ir::{Imm, InstData, IntCc, Op, Value};
use smallvec::SmallVec;

pub(super) fn rule(c: &mut Folder<'_>, data: &InstData) -> Option<Step> {
    match (data.op, data.imm, data.args.as_slice()) {
        (Op::Icmp, Imm::IntCc(cc), &[a, b]) => icmp(c, cc, a, b),
        (Op::TrapIf, Imm::CondTrap(cc, kind), &[a, b]) => {
            if a == b && !reflexive(cc) {
                return Some(Step::Gone);
            }
            let flip = c.const_of(a).is_some() && c.const_of(b).is_none();
            flip.then(|| with_imm(Op::TrapIf, &[b, a], Imm::CondTrap(cc.swapped(), kind)))
        }
        (Op::Select, _, &[cond, a, b]) => select(c, cond, a, b),
        _ => None,
    }
}

fn with_imm(op: Op, args: &[Value], imm: Imm) -> Step {
    Step::Rewrite(op, SmallVec::from_slice(args), imm)
}

/// The condition holds for equal operands.
fn reflexive(cc: IntCc) -> bool {
    use IntCc::*;
    matches!(cc, Eq | Sle | Sge | Ule | Uge)
}

fn icmp(c: &mut Folder<'_>, cc: IntCc, a: Value, b: Value) -> Option<Step> {
    if a == b {
        return Some(Step::Const(Const::i32(reflexive(cc) as i32)));
    }
    // c < x is x > c
    if c.const_of(a).is_some() && c.const_of(b).is_none() {
        return Some(with_imm(Op::Icmp, &[b, a], Imm::IntCc(cc.swapped())));
    }
    let n = c.int(b)?;
    match (cc, n) {
        // Unsigned against 0 and 1 is a test for zero.
        (IntCc::Ugt, 0) => Some(with_imm(Op::Icmp, &[a, b], Imm::IntCc(IntCc::Ne))),
        (IntCc::Ule, 0) => Some(with_imm(Op::Icmp, &[a, b], Imm::IntCc(IntCc::Eq))),
        (IntCc::Uge, 0) => Some(Step::Const(Const::i32(1))),
        (IntCc::Ult, 0) => Some(Step::Const(Const::i32(0))),
        (IntCc::Eq | IntCc::Ne, 0 | 1) => against_bool(c, (cc == IntCc::Ne) == (n == 0), a)
            .or_else(|| (n == 0).then(|| divisible(c, cc, a, b)).flatten()),
        _ => None,
    }
}

/// `x % 2^k == 0` whatever the sign: the low bits are zero.
fn divisible(c: &mut Folder<'_>, cc: IntCc, a: Value, zero: Value) -> Option<Step> {
    let x = c.operand_of(a, Op::Srem, 0)?;
    let n = c.int(c.operand_of(a, Op::Srem, 1)?)?;
    let mask = (n > 1 && (n & (n - 1)) == 0).then(|| n - 1)?;
    let mask = c.constant(c.type_of(x), mask);
    let low = c.emit(Op::And, &[x, mask]);
    Some(with_imm(Op::Icmp, &[low, zero], Imm::IntCc(cc)))
}

/// A comparison's result compared with 0 or 1: itself (`same`), or the inverse comparison.
fn against_bool(c: &mut Folder<'_>, same: bool, a: Value) -> Option<Step> {
    let inner = c.def(a)?;
    let imm = match inner.imm {
        Imm::IntCc(cc) if inner.op == Op::Icmp => Imm::IntCc(cc.inverse()),
        Imm::FloatCc(cc) if inner.op == Op::Fcmp => Imm::FloatCc(cc.inverse()),
        _ => return None,
    };
    if same {
        return Some(Step::Same(a));
    }
    Some(Step::Rewrite(inner.op, inner.args.clone(), imm))
}

/// `c ? x : x = x`, `true ? a : b = a`, `cmp ? 1 : 0 = cmp`.
fn select(c: &mut Folder<'_>, cond: Value, a: Value, b: Value) -> Option<Step> {
    if a == b {
        return Some(Step::Same(a));
    }
    if let Some(n) = c.const_of(cond) {
        return Some(Step::Same(if n.bits != 0 { a } else { b }));
    }
    let is_test = matches!(c.def(cond)?.op, Op::Icmp | Op::Fcmp);
    let one_zero = c.const_of(a) == Some(Const::i32(1)) && c.const_of(b) == Some(Const::i32(0));
    (is_test && one_zero).then_some(Step::Same(cond))
}
