//! Machine instruction sequences the rules build on.

use super::context::rule_types::{Cond, TrapKind};
use super::{Lower, PoolConst, is_constant};
use crate::compile::CompileError;
use crate::ir::vector::Bits;
use crate::ir::{Imm, Inst, MemType, Op, Type, Value};
use crate::isa::x64::MInst;
use crate::isa::x64::operand::{Amode, Cc, Lanes, RegImm, RegMem, RegMemImm, Size};
use crate::isa::x64::ops::*;
use crate::isa::x64::regs::{self, Reg};
use regalloc2::RegClass;

/// Operation size of an access.
pub(super) fn mem_size(ty: MemType) -> Size {
    match ty.bytes() {
        1 => Size::S8,
        2 => Size::S16,
        4 => Size::S32,
        _ => Size::S64,
    }
}

/// Size of a type's values.
pub(super) fn size_of_ty(ty: Type) -> Size {
    if ty.bytes() == 4 {
        Size::S32
    } else {
        Size::S64
    }
}

/// An immediate cut to the size of a store or a memory operation.
pub(super) fn narrow_imm(size: Size, src: RegImm) -> RegImm {
    match (size, src) {
        (Size::S8, RegImm::Imm(n)) => RegImm::Imm(i32::from(n as i8)),
        (Size::S16, RegImm::Imm(n)) => RegImm::Imm(i32::from(n as i16)),
        _ => src,
    }
}

/// Loads a value of this type whole.
pub(super) fn load_whole(ty: Type, m: Amode, dst: Reg) -> MInst {
    match ty {
        Type::V256 => MInst::AvxMov {
            op: SseMovOp::Movups,
            lanes: Lanes::Y,
            src: RegMem::Mem(m),
            dst,
        },
        Type::F32 | Type::F64 | Type::V128 => MInst::SseMovScalar {
            op: sse_mov(ty),
            src: RegMem::Mem(m),
            dst,
        },
        _ => MInst::Mov {
            size: size_of_ty(ty),
            src: RegMem::Mem(m),
            dst,
        },
    }
}

/// The load or store of a value that is kept in an SSE register.
pub(super) fn sse_mov(ty: Type) -> SseMovOp {
    match ty {
        Type::F32 => SseMovOp::Movss,
        Type::V128 => SseMovOp::Movups,
        _ => SseMovOp::Movsd,
    }
}

impl Lower<'_> {
    /// The value in a register; constants are made here.
    pub(super) fn reg(&mut self, v: Value) -> Reg {
        if let Some(i) = self.f.def_inst(v)
            && is_constant(self.f.insts[i.index()].op)
        {
            return self.constant_in_reg(i);
        }
        Reg::virt(self.vreg(v))
    }

    /// Makes the constant that an instruction stands for.
    pub(super) fn constant_in_reg(&mut self, i: Inst) -> Reg {
        let d = &self.f.insts[i.index()];
        let (op, imm, ty) = (d.op, d.imm, d.ty);
        match (op, imm) {
            (Op::Iconst, Imm::Int(n)) => self.emit_imm(ty, n),
            (Op::Null, _) => self.emit_imm(Type::I32, 0),
            (Op::Fconst, Imm::Float(bits)) => self.float_in_reg(ty, bits),
            (Op::Const, Imm::Fixup(fixup)) => {
                let dst = self.temp(RegClass::Int);
                self.buf.push(MInst::LoadFixup { fixup, dst });
                dst
            }
            (Op::SlotAddr, _) => {
                let m = self.slot_amode(i);
                self.emit_lea64(m)
            }
            (Op::ThreadPtr, _) => {
                let dst = self.temp(RegClass::Int);
                self.buf.push(MInst::Mov {
                    size: Size::S64,
                    src: RegMem::Reg(Reg::phys(regs::THREAD)),
                    dst,
                });
                dst
            }
            _ => {
                self.fail(CompileError::Unsupported(op));
                self.temp(RegClass::Int)
            }
        }
    }

    /// An integer constant.
    pub(super) fn emit_imm(&mut self, ty: Type, n: i64) -> Reg {
        let dst = self.temp(RegClass::Int);
        let size = size_of_ty(ty);
        let n = if size == Size::S32 {
            i64::from(n as i32)
        } else {
            n
        };
        self.buf.push(if n == 0 {
            MInst::Zero { dst }
        } else {
            MInst::MovImm { size, imm: n, dst }
        });
        dst
    }

    /// A float constant in a register.
    pub(super) fn float_in_reg(&mut self, ty: Type, bits: u64) -> Reg {
        let dst = self.temp(RegClass::Float);
        let inst = if bits == 0 {
            MInst::ZeroXmm { dst }
        } else {
            let m = self.float_const(ty, bits);
            load_whole(ty, m, dst)
        };
        self.buf.push(inst);
        dst
    }

    /// A float constant in the pool.
    pub(super) fn float_const(&mut self, ty: Type, bits: u64) -> Amode {
        let bits = if ty == Type::F32 {
            bits & 0xffff_ffff
        } else {
            bits
        };
        self.pool_const(Bits::of(bits), ty.bytes())
    }

    /// A constant in the pool.
    pub(super) fn pool_const(&mut self, bits: Bits, size: u32) -> Amode {
        if let Some(c) = self.pool.iter().find(|c| c.bits == bits && c.size == size) {
            return Amode::Label(c.label, 0);
        }
        let label = self.new_label();
        self.pool.push(PoolConst { label, bits, size });
        Amode::Label(label, 0)
    }

    pub(super) fn emit_lea64(&mut self, addr: Amode) -> Reg {
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::Lea {
            size: Size::S64,
            addr,
            dst,
        });
        dst
    }

    pub(super) fn emit_imul_imm64(&mut self, src: Reg, imm: i32) -> Reg {
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::ImulImm {
            size: Size::S64,
            src: RegMem::Reg(src),
            imm,
            dst,
        });
        dst
    }

    pub(super) fn emit_imul64(&mut self, src1: Reg, src2: Reg) -> Reg {
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::Imul {
            size: Size::S64,
            src1,
            src2: RegMem::Reg(src2),
            dst,
        });
        dst
    }

    /// Low and high half of a product.
    pub(super) fn mul_wide(&mut self, op: MulOp, size: Size, a: Reg, b: RegMem) -> (Reg, Reg) {
        let (lo, hi) = (self.temp(RegClass::Int), self.temp(RegClass::Int));
        self.buf.push(MInst::MulWide {
            op,
            size,
            a,
            b,
            lo,
            hi,
        });
        (lo, hi)
    }

    /// Quotient and remainder.
    pub(super) fn divide(&mut self, op: DivOp, size: Size, lo: Reg, divisor: RegMem) -> (Reg, Reg) {
        let hi = self.temp(RegClass::Int);
        self.buf.push(match op {
            DivOp::Idiv => MInst::SignAcc {
                size,
                src: lo,
                dst: hi,
            },
            DivOp::Div => MInst::Zero { dst: hi },
        });
        let (quot, rem) = (self.temp(RegClass::Int), self.temp(RegClass::Int));
        self.buf.push(MInst::Div {
            op,
            size,
            lo,
            hi,
            divisor,
            quot,
            rem,
        });
        (quot, rem)
    }

    /// A condition as 0 or 1.
    pub(super) fn emit_truth(&mut self, cond: Cond) -> Reg {
        let byte = match cond {
            Cond::One { cc } => self.setcc(cc),
            Cond::And { cc1, cc2 } => self.combine(AluOp::And, cc1, cc2),
            Cond::Or { cc1, cc2 } => self.combine(AluOp::Or, cc1, cc2),
        };
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::Ext {
            op: ExtOp::Zx8,
            size: Size::S32,
            src: RegMem::Reg(byte),
            dst,
        });
        dst
    }

    fn setcc(&mut self, cc: Cc) -> Reg {
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::Setcc { cc, dst });
        dst
    }

    fn combine(&mut self, op: AluOp, cc1: Cc, cc2: Cc) -> Reg {
        let (src1, b) = (self.setcc(cc1), self.setcc(cc2));
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::Alu {
            op,
            size: Size::S32,
            src1,
            src2: RegMemImm::Reg(b),
            dst,
        });
        dst
    }

    pub(super) fn trap_if(&mut self, cond: Cond, kind: TrapKind) {
        match cond {
            Cond::One { cc } => self.buf.push(MInst::TrapIf { cc, kind }),
            Cond::Or { cc1, cc2 } => {
                self.buf.push(MInst::TrapIf { cc: cc1, kind });
                self.buf.push(MInst::TrapIf { cc: cc2, kind });
            }
            // Only float comparisons need two conditions, and traps compare integers.
            Cond::And { .. } => self.fail(CompileError::Internal("trap on two conditions".into())),
        }
    }

    /// Loads a scalar; small integers are extended to 32 bits.
    pub(super) fn emit_load(&mut self, ty: MemType, m: Amode) -> Reg {
        let dst = self.temp(super::class(ty.value_type()));
        let src = RegMem::Mem(m);
        self.buf.push(match ext_of(ty) {
            Some(op) => MInst::Ext {
                op,
                size: Size::S32,
                src,
                dst,
            },
            None => load_whole(ty.value_type(), m, dst),
        });
        dst
    }

    /// A value of a small type with unknown upper bits, extended.
    pub(super) fn extended(&mut self, ty: MemType, r: Reg) -> Reg {
        let Some(op) = ext_of(ty) else { return r };
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::Ext {
            op,
            size: Size::S32,
            src: RegMem::Reg(r),
            dst,
        });
        dst
    }

    /// A float constant whose bits can be stored as an integer immediate.
    fn float_store_imm(&self, ty: MemType, v: Value) -> Option<i32> {
        match self.def(v)?.imm {
            Imm::Float(bits) if ty == MemType::F32 => Some(bits as u32 as i32),
            Imm::Float(bits) => i32::try_from(bits as i64).ok(),
            _ => None,
        }
    }

    /// An operand of an atomic instruction: floats go through general registers.
    pub(super) fn atomic_operand(&mut self, ty: MemType, v: Reg) -> (Size, Reg) {
        let size = mem_size(ty);
        if !ty.value_type().is_float() {
            return (size, v);
        }
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::XmmToGpr { size, src: v, dst });
        (size, dst)
    }

    /// What an atomic instruction found, as a value of the type.
    pub(super) fn atomic_result(&mut self, ty: MemType, found: Reg) -> Reg {
        if !ty.value_type().is_float() {
            return self.extended(ty, found);
        }
        let dst = self.temp(RegClass::Float);
        let size = mem_size(ty);
        self.buf.push(MInst::GprToXmm {
            size,
            src: RegMem::Reg(found),
            dst,
        });
        dst
    }

    /// Stores a scalar.
    pub(super) fn emit_store(&mut self, ty: MemType, v: Value, dst: Amode) {
        let size = mem_size(ty);
        match ty {
            MemType::V256 => {
                let src = self.reg(v);
                self.buf.push(MInst::AvxStore {
                    op: SseMovOp::Movups,
                    lanes: Lanes::Y,
                    dst,
                    src,
                });
            }
            MemType::F32 | MemType::F64 | MemType::V128 => {
                if let Some(n) = self.float_store_imm(ty, v) {
                    let src = RegImm::Imm(n);
                    self.buf.push(MInst::Store { size, dst, src });
                    return;
                }
                let src = self.reg(v);
                let op = sse_mov(ty.value_type());
                self.buf.push(MInst::SseStore { op, dst, src });
            }
            _ => {
                let src = match self.constant(v).map(i32::try_from) {
                    Some(Ok(n)) => narrow_imm(size, RegImm::Imm(n)),
                    _ => RegImm::Reg(self.reg(v)),
                };
                self.buf.push(MInst::Store { size, dst, src });
            }
        }
    }
}

/// The extension that loading a small type does.
fn ext_of(ty: MemType) -> Option<ExtOp> {
    Some(match ty {
        MemType::I8 => ExtOp::Sx8,
        MemType::U8 => ExtOp::Zx8,
        MemType::I16 => ExtOp::Sx16,
        MemType::U16 => ExtOp::Zx16,
        _ => return None,
    })
}
