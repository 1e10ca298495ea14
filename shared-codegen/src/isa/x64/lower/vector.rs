//! Vectors: constants, scalars in all lanes, sums over lanes.

use super::Lower;
use crate::ir::vector::eval_vector;
use crate::ir::{Imm, Lane, Op, Value};
use crate::isa::x64::MInst;
use crate::isa::x64::operand::{RegMem, Size};
use crate::isa::x64::ops::*;
use crate::isa::x64::regs::Reg;
use regalloc2::RegClass;

/// `pshufd` control: the lowest lane of 32 bits everywhere.
const LOWEST: u8 = 0;
/// `pshufd` control: halves exchanged.
const HALVES: u8 = 0b01_00_11_10;
/// `pshufd` control: neighbours of 32 bits exchanged.
const NEIGHBOURS: u8 = 0b10_11_00_01;

impl Lower<'_> {
    /// A vector constant.
    fn vector_const(&mut self, bits: u128) -> Reg {
        let dst = self.temp(RegClass::Float);
        let inst = match bits {
            0 => MInst::ZeroXmm { dst },
            _ => MInst::SseMov {
                op: SseMovOp::Movaps,
                src: RegMem::Mem(self.pool_const(bits, 16)),
                dst,
            },
        };
        self.buf.push(inst);
        dst
    }

    pub(super) fn emit_zero_vector(&mut self) -> Reg {
        self.vector_const(0)
    }

    pub(super) fn emit_iota(&mut self, lane: Lane) -> Reg {
        let bits = eval_vector(Op::VIota, &Imm::Lane(lane), &[]);
        self.vector_const(bits.unwrap_or_default())
    }

    /// A scalar in all lanes.
    pub(super) fn emit_splat(&mut self, lane: Lane, x: Value) -> Reg {
        if let Some(c) = self.f.const_of(x) {
            let bits = eval_vector(Op::VSplat, &Imm::Lane(lane), &[c.bits.into()]);
            return self.vector_const(bits.unwrap_or_default());
        }
        let src = self.reg(x);
        let low = match lane {
            Lane::F32 | Lane::F64 => src,
            Lane::I64 => self.move_to_xmm(Size::S64, src),
            _ => self.move_to_xmm(Size::S32, src),
        };
        match lane {
            Lane::I8 => {
                let zero = self.vector_const(0);
                self.packed_op(SsePackedOp::Pshufb, low, zero)
            }
            Lane::I16 => {
                let low = self.shuffle(SseUnImmOp::Pshuflw, low, LOWEST);
                self.shuffle(SseUnImmOp::Pshufd, low, LOWEST)
            }
            Lane::I32 | Lane::F32 => self.shuffle(SseUnImmOp::Pshufd, low, LOWEST),
            Lane::I64 => self.packed_op(SsePackedOp::Punpcklqdq, low, low),
            Lane::F64 => self.packed_op(SsePackedOp::Unpcklpd, low, low),
        }
    }

    /// All lanes of this size combined by an operation whose order does not matter, in a general register.
    pub(super) fn emit_across(&mut self, size: Size, op: SsePackedOp, x: Reg) -> Reg {
        let high = self.shuffle(SseUnImmOp::Pshufd, x, HALVES);
        let mut src = self.packed_op(op, high, x);
        if size == Size::S32 {
            let other = self.shuffle(SseUnImmOp::Pshufd, src, NEIGHBOURS);
            src = self.packed_op(op, other, src);
        }
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::XmmToGpr { size, src, dst });
        dst
    }

    /// The lower halves of the lanes side by side.
    pub(super) fn emit_narrow(&mut self, lane: Lane, src: Reg) -> Reg {
        let (size, half) = (lane.bytes() as u8, lane.bytes() as u8 / 2);
        // For each byte of the result the number of the source's, or 0x80 for zero.
        let control = (0..16u8).map(|n| match n < 8 {
            true => n / half * size + n % half,
            false => 0x80,
        });
        let bits = control.rev().fold(0, |all, n| all << 8 | u128::from(n));
        let dst = self.temp(RegClass::Float);
        self.buf.push(MInst::Const128 {
            op: SsePackedOp::Pshufb,
            bits,
            src,
            dst,
        });
        dst
    }

    pub(super) fn emit_packed_shift(&mut self, op: SseShiftOp, src: Reg, count: u8) -> Reg {
        let dst = self.temp(RegClass::Float);
        self.buf.push(MInst::SseShift {
            op,
            src,
            count,
            dst,
        });
        dst
    }

    fn move_to_xmm(&mut self, size: Size, src: Reg) -> Reg {
        let dst = self.temp(RegClass::Float);
        self.buf.push(MInst::GprToXmm {
            size,
            src: RegMem::Reg(src),
            dst,
        });
        dst
    }

    fn shuffle(&mut self, op: SseUnImmOp, src: Reg, imm: u8) -> Reg {
        let dst = self.temp(RegClass::Float);
        self.buf.push(MInst::SseUnImm {
            op,
            src: RegMem::Reg(src),
            imm,
            dst,
        });
        dst
    }

    fn packed_op(&mut self, op: SsePackedOp, src1: Reg, src2: Reg) -> Reg {
        let dst = self.temp(RegClass::Float);
        self.buf.push(MInst::SsePacked {
            op,
            src1,
            src2: RegMem::Reg(src2),
            dst,
        });
        dst
    }
}
