//! Addresses, memory operands, facts of fresh objects.

use super::{Folder, Step, rewrite};
use crate::ir::{Imm, InstData, MemRef, Op, Slot, Type, Value};
use smallvec::SmallVec;

pub(super) fn rule(c: &mut Folder<'_>, data: &InstData) -> Option<Step> {
    match (data.op, data.imm, data.args.as_slice()) {
        (Op::AddrCast, _, &[a]) => cast(c, data.ty, a),
        (Op::AddrAdd, _, &[a, b]) => add(c, data, a, b),
        (Op::AddrIndex, Imm::Size(scale, offset), &[a, b]) => {
            let n = c
                .int(b)?
                .wrapping_mul(scale as i64)
                .wrapping_add(offset as i64);
            let sum = c.constant(Type::I64, n);
            rewrite(Op::AddrAdd, &[a, sum])
        }
        (Op::Load, Imm::Mem(m), &[a]) => load(c, data, m, a),
        (Op::Store, Imm::Mem(m), &[a, v]) => store(c, m, a, v),
        (Op::StoreRef, Imm::Mem(m), &[a, v]) => {
            let (base, m) = offset(c, m, a)?;
            Some(memory(Op::StoreRef, &[base, v], m))
        }
        // length and method table of a fresh object
        (Op::ArrayLen, _, &[a]) => c
            .operand_of(a, Op::NewArray, 1)
            .or_else(|| c.operand_of(a, Op::AllocArray, 1))
            .map(Step::Same),
        (Op::MethodTableOf, _, &[a]) => {
            let fresh = [Op::NewObject, Op::NewArray, Op::AllocObject, Op::AllocArray];
            fresh
                .iter()
                .find_map(|&op| c.operand_of(a, op, 0))
                .map(Step::Same)
        }
        _ => None,
    }
}

fn memory(op: Op, args: &[Value], m: MemRef) -> Step {
    Step::Rewrite(op, SmallVec::from_slice(args), Imm::Mem(m))
}

fn cast(c: &mut Folder<'_>, ty: Type, a: Value) -> Option<Step> {
    if c.f.ty(a) == ty {
        return Some(Step::Same(a));
    }
    let x = c.operand_of(a, Op::AddrCast, 0)?;
    rewrite(Op::AddrCast, &[x])
}

/// `x + 0 = x`, `(x + m) + n = x + (m + n)`, `&slot + n = &slot[n]`.
fn add(c: &mut Folder<'_>, data: &InstData, a: Value, b: Value) -> Option<Step> {
    let n = c.int(b)?;
    if n == 0 {
        return match c.f.ty(a) == data.ty {
            true => Some(Step::Same(a)),
            false => rewrite(Op::AddrCast, &[a]),
        };
    }
    if let Some((slot, at)) = slot_of(c, a)
        && data.ty == Type::I64
        && let Some(at) = inside(c, slot, at as i64 + n, 0)
    {
        let imm = Imm::Slot(slot, at, crate::ir::MemType::I64);
        return Some(Step::Rewrite(Op::SlotAddr, SmallVec::new(), imm));
    }
    let x = c.operand_of(a, Op::AddrAdd, 0)?;
    let m = c.int(c.operand_of(a, Op::AddrAdd, 1)?)?;
    // The intermediate address may have another type; the sum's is the instruction's.
    let sum = c.constant(Type::I64, m.wrapping_add(n));
    rewrite(Op::AddrAdd, &[x, sum])
}

/// The slot whose address a value is, casts included.
fn slot_of(c: &Folder<'_>, v: Value) -> Option<(Slot, i32)> {
    let mut data = c.def(v)?;
    while data.op == Op::AddrCast {
        data = c.def(data.args[0])?;
    }
    match data.imm {
        Imm::Slot(slot, at, _) if data.op == Op::SlotAddr => Some((slot, at)),
        _ => None,
    }
}

/// The offset, if that many bytes from it on lie in the slot.
fn inside(c: &Folder<'_>, slot: Slot, at: i64, bytes: u32) -> Option<i32> {
    let size = c.f.slots[slot.index()].size as i64;
    (at >= 0 && at + bytes as i64 <= size).then_some(at as i32)
}

/// An address with a constant part: that part goes into the memory operand.
fn offset(c: &Folder<'_>, m: MemRef, a: Value) -> Option<(Value, MemRef)> {
    let base = c.operand_of(a, Op::AddrAdd, 0)?;
    let n = c.int(c.operand_of(a, Op::AddrAdd, 1)?)?;
    let offset = i32::try_from(m.offset as i64 + n).ok()?;
    Some((base, MemRef { offset, ..m }))
}

/// The slot and offset that a plain access touches.
fn slot_access(c: &Folder<'_>, m: MemRef, a: Value) -> Option<Imm> {
    let (slot, at) = slot_of(c, a).filter(|_| !m.volatile)?;
    let at = inside(c, slot, at as i64 + m.offset as i64, m.ty.bytes())?;
    Some(Imm::Slot(slot, at, m.ty))
}

fn load(c: &mut Folder<'_>, data: &InstData, m: MemRef, a: Value) -> Option<Step> {
    if let Some(imm) = slot_access(c, m, a) {
        return Some(Step::Rewrite(Op::SlotLoad, SmallVec::new(), imm));
    }
    let (base, m) = offset(c, m, a)?;
    Some(memory(data.op, &[base], m))
}

fn store(c: &mut Folder<'_>, m: MemRef, a: Value, v: Value) -> Option<Step> {
    if let Some(imm) = slot_access(c, m, a) {
        return Some(Step::Rewrite(
            Op::SlotStore,
            SmallVec::from_slice(&[v]),
            imm,
        ));
    }
    let (base, m) = offset(c, m, a)?;
    Some(memory(Op::Store, &[base, v], m))
}
