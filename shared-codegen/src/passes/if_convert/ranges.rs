//! Two comparisons of one value with constants that hold together are one test of a range.
//!
//! `low <= x && x <= high` is `x - low <=u high - low`, for signed and unsigned comparisons alike, and `x != n && x != n + 1` says that it
//! is outside of one. Two comparisons of the same two values are one, too: `a >= b && a != b` is `a > b`, which is how the result of `CompareTo` is
//! tested once `jump-threading` is through with it.

use crate::ir::{Block, Function, Imm, Inst, InstData, IntCc, Op, Type, Value, typing};
use smallvec::SmallVec;

/// One test in place of two.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Range {
    /// `x - low cc size`, unsigned.
    Within {
        x: Value,
        low: i64,
        cc: IntCc,
        size: i64,
    },
    /// `a cc b`.
    Compare { a: Value, cc: IntCc, b: Value },
}

/// A comparison with a constant, or its opposite.
#[derive(Clone, Copy)]
struct Test {
    x: Value,
    cc: IntCc,
    by: i64,
}

/// The range in which both conditions hold, each of them negated if the flag beside it says so.
pub(super) fn both(f: &Function, a: (Value, bool), b: (Value, bool)) -> Option<Range> {
    if let Some(compare) = same_operands(f, a, b) {
        return Some(compare);
    }
    let (a, b) = (test(f, a)?, test(f, b)?);
    if a.x != b.x {
        return None;
    }
    if (a.cc, b.cc) == (IntCc::Ne, IntCc::Ne) {
        let outside = |low: i64| Range::Within {
            x: a.x,
            low,
            cc: IntCc::Ugt,
            size: 1,
        };
        let low = a.by.min(b.by);
        return (low.checked_add(1)? == a.by.max(b.by)).then(|| outside(low));
    }
    [(a, b), (b, a)].into_iter().find_map(|(low, high)| {
        let (low, signed) = lower(low)?;
        let (high, other) = upper(high)?;
        let size = high.checked_sub(low)?;
        let narrow = f.ty(a.x) == Type::I32 && i32::try_from(size).is_err();
        (low <= high && signed == other && !narrow).then_some(Range::Within {
            x: a.x,
            low,
            cc: IntCc::Ule,
            size,
        })
    })
}

/// What a condition compares.
fn test(f: &Function, (condition, negated): (Value, bool)) -> Option<Test> {
    let data = &f.insts[f.def_inst(f.resolve(condition))?.index()];
    let Imm::IntCc(cc) = data.imm else {
        return None;
    };
    let by = f.const_of(f.resolve(*data.args.get(1)?))?.signed();
    let cc = if negated { cc.inverse() } else { cc };
    // Unsigned numbers beyond the signed ones are left alone.
    let plain = by >= 0 || !matches!(cc, IntCc::Ult | IntCc::Ule | IntCc::Ugt | IntCc::Uge);
    (data.op == Op::Icmp && plain).then_some(Test {
        x: f.resolve(data.args[0]),
        cc,
        by,
    })
}

/// The smallest number that passes, and whether that is signed.
fn lower(t: Test) -> Option<(i64, bool)> {
    match t.cc {
        IntCc::Sge => Some((t.by, true)),
        IntCc::Sgt => Some((t.by.checked_add(1)?, true)),
        IntCc::Uge => Some((t.by, false)),
        IntCc::Ugt => Some((t.by.checked_add(1)?, false)),
        _ => None,
    }
}

/// The largest number that passes.
fn upper(t: Test) -> Option<(i64, bool)> {
    match t.cc {
        IntCc::Sle => Some((t.by, true)),
        IntCc::Slt => Some((t.by.checked_sub(1)?, true)),
        IntCc::Ule => Some((t.by, false)),
        IntCc::Ult => Some((t.by.checked_sub(1)?, false)),
        _ => None,
    }
}

/// Outcomes for which each comparison holds: less, equal, greater.
const OUTCOMES: [(IntCc, u8); 6] = [
    (IntCc::Slt, 1),
    (IntCc::Eq, 2),
    (IntCc::Sle, 3),
    (IntCc::Sgt, 4),
    (IntCc::Ne, 5),
    (IntCc::Sge, 6),
];

fn same_operands(f: &Function, a: (Value, bool), b: (Value, bool)) -> Option<Range> {
    let compared = |(condition, negated): (Value, bool)| {
        let data = &f.insts[f.def_inst(f.resolve(condition))?.index()];
        let Imm::IntCc(cc) = data.imm else {
            return None;
        };
        let cc = if negated { cc.inverse() } else { cc };
        let (x, y) = (
            f.resolve(*data.args.first()?),
            f.resolve(*data.args.get(1)?),
        );
        (data.op == Op::Icmp).then_some((x, cc, y))
    };
    let (x, first, y) = compared(a)?;
    let (u, second, v) = compared(b)?;
    let second = match (u, v) {
        _ if (u, v) == (x, y) => second,
        _ if (u, v) == (y, x) => second.swapped(),
        _ => return None,
    };
    let outcomes = |cc| OUTCOMES.iter().find(|o| o.0 == cc).map(|o| o.1);
    let both = outcomes(first)? & outcomes(second)?;
    let cc = OUTCOMES.iter().find(|o| o.1 == both)?.0;
    Some(Range::Compare { a: x, cc, b: y })
}

impl Range {
    /// Appends the test to a block.
    pub(super) fn emit(self, f: &mut Function, block: Block, like: Inst) -> Value {
        let icmp = |f: &mut Function, cc, a, b| {
            emit(f, block, like, Op::Icmp, Type::I32, &[a, b], Imm::IntCc(cc))
        };
        match self {
            Range::Compare { a, cc, b } => icmp(f, cc, a, b),
            Range::Within { x, low, cc, size } => {
                let ty = f.ty(x);
                let constant =
                    |f: &mut Function, n| emit(f, block, like, Op::Iconst, ty, &[], Imm::Int(n));
                let mut from_low = x;
                if low != 0 {
                    let low = constant(f, low);
                    from_low = emit(f, block, like, Op::Isub, ty, &[x, low], Imm::None);
                }
                let size = constant(f, size);
                icmp(f, cc, from_low, size)
            }
        }
    }

    /// The opposite.
    pub(super) fn inverse(mut self) -> Range {
        let (Range::Within { cc, .. } | Range::Compare { cc, .. }) = &mut self;
        *cc = cc.inverse();
        self
    }
}

/// Appends an operation to a block, at the source position of another instruction.
pub(super) fn emit(
    f: &mut Function,
    b: Block,
    like: Inst,
    op: Op,
    ty: Type,
    args: &[Value],
    imm: Imm,
) -> Value {
    let result = typing::result_type(f, op, ty, &imm);
    let data = InstData {
        op,
        ty: typing::canonical_type(f, op, ty, &imm),
        args: SmallVec::from_slice(args),
        imm,
        targets: SmallVec::new(),
        result: None,
        loc: f.insts[like.index()].loc,
    };
    let i = f.make_inst(data, result);
    f.blocks[b.index()].insts.push(i);
    f.insts[i.index()].result.expect("the op has a result")
}
