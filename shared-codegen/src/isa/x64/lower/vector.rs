//! Vectors: constants, scalars in all lanes, sums over lanes. Operations on 16 bytes are SSE instructions (which become
//! AVX ones where a function has larger vectors too), those on 32 bytes AVX2 instructions.

use super::Lower;
use crate::ir::vector::{Bits, eval_vector, vector_type};
use crate::ir::{Imm, Lane, Op, Type, Value};
use crate::isa::x64::MInst;
use crate::isa::x64::operand::{Lanes, RegMem, Size};
use crate::isa::x64::ops::*;
use crate::isa::x64::regs::Reg;
use regalloc2::RegClass;

/// `pshufd` control: the lowest lane of 32 bits everywhere.
const LOWEST: u8 = 0;
/// `pshufd` control: halves exchanged.
const HALVES: u8 = 0b01_00_11_10;
/// `pshufd` control: neighbours of 32 bits exchanged.
const NEIGHBOURS: u8 = 0b10_11_00_01;
/// `vpermq` control: the lower halves of both halves, then the upper ones.
const LOWER_HALVES: u8 = 0b11_01_10_00;

/// `pblendw` control: odd lanes of 32 bits from the second operand.
const ODD: u8 = 0b1100_1100;

impl Lower<'_> {
    /// The vectors the IR instruction in work computes with.
    fn vector_type(&self) -> Type {
        vector_type(self.f, &self.f.insts[self.current.index()])
    }

    fn is_wide(&self) -> bool {
        self.vector_type() == Type::V256
    }

    /// A vector constant.
    fn vector_const(&mut self, bits: Bits) -> Reg {
        let dst = self.temp(RegClass::Float);
        let ty = self.vector_type();
        let inst = match bits == Bits::default() {
            true => MInst::ZeroXmm { dst },
            false => {
                let m = self.pool_const(bits, ty.bytes());
                match ty {
                    Type::V256 => super::emit::load_whole(ty, m, dst),
                    _ => MInst::SseMov {
                        op: SseMovOp::Movaps,
                        src: RegMem::Mem(m),
                        dst,
                    },
                }
            }
        };
        self.buf.push(inst);
        dst
    }

    pub(super) fn emit_zero_vector(&mut self) -> Reg {
        self.vector_const(Bits::default())
    }

    pub(super) fn emit_iota(&mut self, lane: Lane) -> Reg {
        let bits = eval_vector(Op::VIota, self.vector_type(), &Imm::Lane(lane), &[]);
        self.vector_const(bits.unwrap_or_default())
    }

    /// A scalar in all lanes.
    pub(super) fn emit_splat(&mut self, lane: Lane, x: Value) -> Reg {
        if let Some(c) = self.f.const_of(x) {
            let ty = self.vector_type();
            let bits = eval_vector(Op::VSplat, ty, &Imm::Lane(lane), &[Bits::of(c.bits)]);
            let bits = bits.unwrap_or_default();
            if ty == Type::V256 && bits != Bits::default() {
                return self.broadcast_const(lane, bits);
            }
            return self.vector_const(bits);
        }
        let src = self.reg(x);
        let low = match lane {
            Lane::F32 | Lane::F64 => src,
            Lane::I64 => self.move_to_xmm(Size::S64, src),
            _ => self.move_to_xmm(Size::S32, src),
        };
        if self.is_wide() {
            let op = match lane {
                Lane::I8 => BroadcastOp::B,
                Lane::I16 => BroadcastOp::W,
                Lane::I32 => BroadcastOp::D,
                Lane::I64 => BroadcastOp::Q,
                Lane::F32 => BroadcastOp::Ss,
                Lane::F64 => BroadcastOp::Sd,
            };
            return self.broadcast(op, RegMem::Reg(low));
        }
        match lane {
            Lane::I8 => {
                let zero = self.vector_const(Bits::default());
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

    /// A constant whose lanes are all the same.
    fn broadcast_const(&mut self, lane: Lane, bits: Bits) -> Reg {
        let (op, bytes) = match lane {
            Lane::I64 | Lane::F64 => (BroadcastOp::Sd, 8),
            _ => (BroadcastOp::Ss, 4),
        };
        let bits = Bits::from_bytes(&bits.to_bytes()[..bytes]);
        let m = self.pool_const(bits, bytes as u32);
        self.broadcast(op, RegMem::Mem(m))
    }

    fn broadcast(&mut self, op: BroadcastOp, src: RegMem) -> Reg {
        let dst = self.temp(RegClass::Float);
        self.buf.push(MInst::Broadcast {
            op,
            lanes: Lanes::Y,
            src,
            dst,
        });
        dst
    }

    /// All lanes of this size combined by an operation whose order does not matter, in a general register.
    pub(super) fn emit_across(&mut self, size: Size, op: SsePackedOp, mut x: Reg) -> Reg {
        if self.is_wide() {
            let high = self.temp(RegClass::Float);
            self.buf.push(MInst::ExtractHigh { src: x, dst: high });
            x = self.packed_128(op, high, x);
        }
        let high = self.shuffle(SseUnImmOp::Pshufd, x, HALVES);
        let mut src = self.packed_128(op, high, x);
        if size == Size::S32 {
            let other = self.shuffle(SseUnImmOp::Pshufd, src, NEIGHBOURS);
            src = self.packed_128(op, other, src);
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
        let bits = control.rev().fold(0u128, |all, n| all << 8 | u128::from(n));
        let dst = self.temp(RegClass::Float);
        if !self.is_wide() {
            self.buf.push(MInst::Const128 {
                op: SsePackedOp::Pshufb,
                bits,
                src,
                dst,
            });
            return dst;
        }
        // The instruction works on both halves alike.
        let control = [bits.to_le_bytes(); 2].concat();
        let m = self.pool_const(Bits::from_bytes(&control), 32);
        self.buf.push(MInst::Avx {
            op: SsePackedOp::Pshufb,
            lanes: Lanes::Y,
            src1: src,
            src2: RegMem::Mem(m),
            dst,
        });
        let src = dst;
        let dst = self.temp(RegClass::Float);
        self.buf.push(MInst::Permq {
            src,
            imm: LOWER_HALVES,
            dst,
        });
        dst
    }

    /// Upper halves of products of lanes of 32 bits; the operation multiplies the even ones to 64 bits.
    pub(super) fn emit_mul_high(&mut self, op: SsePackedOp, a: Value, b: Value) -> Reg {
        let [(x, x_odd), (y, y_odd)] = [a, b].map(|v| {
            let even = self.reg(v);
            let same = matches!(self.def(v), Some(d) if d.op == Op::VSplat);
            let odd = match same {
                true => even,
                false => self.emit_packed_shift(SseShiftOp::Psrlq, even, 32),
            };
            (even, odd)
        });
        let even = self.packed_op(op, x, y);
        let odd = self.packed_op(op, x_odd, y_odd);
        let even = self.emit_packed_shift(SseShiftOp::Psrlq, even, 32);
        let dst = self.temp(RegClass::Float);
        let (op, src2) = (SsePackedImmOp::Pblendw, RegMem::Reg(odd));
        self.buf.push(match self.is_wide() {
            true => MInst::AvxImm {
                op,
                lanes: Lanes::Y,
                src1: even,
                src2,
                imm: ODD,
                dst,
            },
            false => MInst::SsePackedImm {
                op,
                src1: even,
                src2,
                imm: ODD,
                dst,
            },
        });
        dst
    }

    pub(super) fn emit_packed_shift(&mut self, op: SseShiftOp, src: Reg, count: u8) -> Reg {
        let dst = self.temp(RegClass::Float);
        self.buf.push(match self.is_wide() {
            true => MInst::AvxShift {
                op,
                lanes: Lanes::Y,
                src,
                count,
                dst,
            },
            false => MInst::SseShift {
                op,
                src,
                count,
                dst,
            },
        });
        dst
    }

    pub(super) fn emit_packed_un(&mut self, op: SsePackedUnOp, src: Reg) -> Reg {
        let dst = self.temp(RegClass::Float);
        let src = RegMem::Reg(src);
        self.buf.push(match self.is_wide() {
            true => MInst::AvxUn {
                op,
                lanes: Lanes::Y,
                src,
                dst,
            },
            false => MInst::SsePackedUn { op, src, dst },
        });
        dst
    }

    /// A vector of 16 bytes with zeros above.
    pub(super) fn emit_widen(&mut self, x: Value) -> Reg {
        let src = self.vector_reg_mem(x);
        let dst = self.temp(RegClass::Float);
        self.buf.push(MInst::AvxMov {
            op: SseMovOp::Movups,
            lanes: Lanes::X,
            src,
            dst,
        });
        dst
    }

    /// A vector in memory if the instruction in work can do its load.
    fn vector_reg_mem(&mut self, v: Value) -> RegMem {
        super::rules::Context::reg_mem(self, v)
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

    /// An operation on values; of vectors of 32 bytes one may be in memory.
    pub(super) fn emit_packed(&mut self, op: SsePackedOp, a: Value, b: Value) -> Reg {
        if !self.is_wide() {
            let (a, b) = (self.reg(a), self.reg(b));
            return self.packed_op(op, a, b);
        }
        let swapped = self.f.insts[self.current.index()].op.is_commutative()
            && self.sinkable_load(b).is_none()
            && self.sinkable_load(a).is_some();
        let (a, b) = if swapped { (b, a) } else { (a, b) };
        let src2 = self.vector_reg_mem(b);
        let src1 = self.reg(a);
        self.packed_256(op, src1, src2)
    }

    pub(super) fn packed_op(&mut self, op: SsePackedOp, src1: Reg, src2: Reg) -> Reg {
        match self.is_wide() {
            true => self.packed_256(op, src1, RegMem::Reg(src2)),
            false => self.packed_128(op, src1, src2),
        }
    }

    fn packed_256(&mut self, op: SsePackedOp, src1: Reg, src2: RegMem) -> Reg {
        let dst = self.temp(RegClass::Float);
        self.buf.push(MInst::Avx {
            op,
            lanes: Lanes::Y,
            src1,
            src2,
            dst,
        });
        dst
    }

    fn packed_128(&mut self, op: SsePackedOp, src1: Reg, src2: Reg) -> Reg {
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
