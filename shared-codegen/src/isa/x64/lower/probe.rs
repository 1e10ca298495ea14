//! Null checks by the memory access that follows.
//!
//! `null_check v` needs no instruction of its own if the next thing that happens is an access to
//! `[v + small offset]`: that access faults and has the trap entry.

use super::Lower;
use crate::abi::layout;
use crate::abi::trap::TrapKind;
use crate::ir::{Fx, Imm, Inst, Op, Value};
use crate::isa::x64::MInst;
use crate::isa::x64::operand::{Amode, RegImm, RegMem, RegMemImm};

/// Offsets below this from a null pointer are never mapped.
const MAX_OFFSET: i64 = 4096;

impl Lower<'_> {
    /// The instruction in work does this load, of `m`, itself.
    pub(super) fn sink(&mut self, load: Inst, m: Amode) {
        self.sunk[load.index()] = true;
        let d = &self.f.insts[load.index()];
        if let (Some(&base), Amode::Mem { .. }) = (d.args.first(), m) {
            let offset = match d.imm {
                Imm::Mem(m) => m.offset,
                _ => header_offset(d.op),
            };
            self.note_probe(base, offset);
        }
    }

    /// Notes the null check that the access to `base + offset` would do. Loads done by instructions
    /// further down do not stand between the check and the access.
    pub(super) fn note_probe(&mut self, base: Value, offset: i32) {
        let (root, distance) = self.address_root(base);
        let at = distance + i64::from(offset);
        let (block, position) = self.at;
        let f = self.f;
        for &i in f.blocks[block.index()].insts[..position].iter().rev() {
            let d = &f.insts[i.index()];
            if d.op == Op::NullCheck {
                let (checked, from) = self.address_root(d.args[0]);
                let near = (0..MAX_OFFSET).contains(&(at - from));
                if checked == root && near && !self.probed.contains(&i) {
                    self.probe = Some(i);
                }
                return;
            }
            let reads = d.op.info().fx.contains(Fx::READ) && d.op != Op::SlotLoad;
            let header = matches!(d.op, Op::ArrayLen | Op::MethodTableOf);
            let harmless = d.op.is_removable() && !reads && !header && !is_division(d.op);
            if !harmless && !self.sunk[i.index()] {
                return;
            }
        }
    }

    /// The pointer an address is made from by casts and constant offsets, and the distance to it.
    fn address_root(&self, v: Value) -> (Value, i64) {
        let mut v = self.f.resolve(v);
        let mut distance = 0i64;
        while let Some(d) = self.def(v) {
            match (d.op, d.args.get(1).and_then(|c| self.constant(*c))) {
                (Op::AddrCast, _) => {}
                (Op::AddrAdd, Some(c)) => distance = distance.wrapping_add(c),
                _ => break,
            }
            v = self.f.resolve(d.args[0]);
        }
        (v, distance)
    }

    /// Marks the memory access of the instruction in work as the one that does the noted check, if
    /// there is exactly one.
    pub(super) fn absorb_probe(&mut self) {
        let Some(check) = self.probe.take() else {
            return;
        };
        let mut accesses = self
            .buf
            .iter()
            .enumerate()
            .filter(|(_, i)| accesses_memory(i));
        if let (Some((n, _)), None) = (accesses.next(), accesses.next()) {
            self.buf.insert(
                n,
                MInst::Faulting {
                    kind: TrapKind::NullReference,
                },
            );
            self.probed.push(check);
        }
    }
}

/// Offset of what a header op reads.
fn header_offset(op: Op) -> i32 {
    match op {
        Op::ArrayLen => layout::array::LENGTH,
        _ => layout::object::METHOD_TABLE,
    }
}

fn is_division(op: Op) -> bool {
    matches!(op, Op::Sdiv | Op::Udiv | Op::Srem | Op::Urem)
}

/// One machine instruction with a memory operand based on a register.
fn accesses_memory(i: &MInst) -> bool {
    let mem = |m: &Amode| matches!(m, Amode::Mem { .. });
    let rm = |x: &RegMem| matches!(x, RegMem::Mem(m) if mem(m));
    let rmi = |x: &RegMemImm| matches!(x, RegMemImm::Mem(m) if mem(m));
    let ri = |_: &RegImm| false;
    match i {
        MInst::Mov { src, .. }
        | MInst::Ext { src, .. }
        | MInst::ImulImm { src, .. }
        | MInst::BitScan { src, .. }
        | MInst::SseMov { src, .. }
        | MInst::SseMovScalar { src, .. }
        | MInst::SseUn { src, .. }
        | MInst::SseUnImm { src, .. }
        | MInst::IntToFloat { src, .. }
        | MInst::FloatToInt { src, .. }
        | MInst::Bmi { src, .. } => rm(src),
        MInst::Imul { src2, .. } | MInst::Sse { src2, .. } => rm(src2),
        MInst::Alu { src2, .. } => rmi(src2),
        MInst::Cmp { b, .. } => rmi(b),
        MInst::CmpMem { a, b, .. } => rm(a) || ri(b),
        MInst::SseCmp { b, .. } => rm(b),
        MInst::Store { dst, .. }
        | MInst::AluMem { dst, .. }
        | MInst::ShiftMem { dst, .. }
        | MInst::UnMem { dst, .. }
        | MInst::SseStore { dst, .. } => mem(dst),
        MInst::MulWide { b, .. } => rm(b),
        MInst::CallReg { target, .. } => rm(target),
        _ => false,
    }
}
