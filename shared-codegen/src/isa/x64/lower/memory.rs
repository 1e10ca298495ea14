//! Read-modify-write, blocks of memory, dynamic stack allocation.

use super::Lower;
use super::context::rule_types::NarrowCmp;
use crate::ir::{Imm, Inst, InstData, IntCc, MemType, Op, Type, Value};
use crate::isa::x64::MInst;
use crate::isa::x64::operand::{Amode, RegImm, RegMem, RegMemImm, Size};
use crate::isa::x64::ops::*;
use crate::isa::x64::regs::{self, Reg};
use regalloc2::RegClass;

/// Blocks up to this size are copied and zeroed by single moves.
const MAX_UNROLLED: u32 = 128;

/// Held in general registers.
fn is_int(ty: MemType) -> bool {
    let ty = ty.value_type();
    !ty.is_float() && !ty.is_vector()
}

impl Lower<'_> {
    /// For `store m, op(load m, x)`: the memory, if the load can move to the store.
    pub(super) fn memory_of_rmw(&mut self, store: Inst, loaded: Value) -> Option<Amode> {
        let loaded = self.f.resolve(loaded);
        let load = self.f.def_inst(loaded)?;
        let (s, l) = (&self.f.insts[store.index()], &self.f.insts[load.index()]);
        if !self.same_place(s, l)
            || self.home[load.index()] != self.home[store.index()]
            || self.epoch[load.index()] != self.epoch[store.index()]
            || !self.only_for_current(loaded)
        {
            return None;
        }
        let m = match (s.op, s.imm) {
            (Op::Store, Imm::Mem(m)) => {
                let base = s.args[0];
                self.amode(base, m.offset)
            }
            _ => self.slot_amode(store),
        };
        self.sink(load, m);
        Some(m)
    }

    fn same_place(&self, s: &InstData, l: &InstData) -> bool {
        match (s.op, l.op, s.imm, l.imm) {
            (Op::Store, Op::Load, Imm::Mem(a), Imm::Mem(b)) => {
                !a.volatile
                    && !b.volatile
                    && a.offset == b.offset
                    && a.ty.bytes() == b.ty.bytes()
                    && is_int(a.ty)
                    && is_int(b.ty)
                    && self.f.resolve(s.args[0]) == self.f.resolve(l.args[0])
            }
            (Op::SlotStore, Op::SlotLoad, Imm::Slot(a, o, t), Imm::Slot(b, p, u)) => {
                a == b && o == p && t.bytes() == u.bytes() && is_int(t) && is_int(u)
            }
            _ => false,
        }
    }

    /// `load.u8 m cc constant` and its kind as a comparison in memory. Signed conditions need a
    /// signed load or constants and loads that are not negative in either reading.
    pub(super) fn narrow_compare(&mut self, cc: IntCc, a: Value, b: Value) -> Option<NarrowCmp> {
        let c = self.constant(b)?;
        let i = self.movable_load(a)?;
        let ty = match self.f.insts[i.index()].imm {
            Imm::Mem(m) => m.ty,
            Imm::Slot(_, _, ty) => ty,
            _ => return None,
        };
        let equality = matches!(cc, IntCc::Eq | IntCc::Ne);
        let unsigned = matches!(cc, IntCc::Ult | IntCc::Ule | IntCc::Ugt | IntCc::Uge);
        let (size, c) = match ty {
            MemType::U8 if equality || unsigned => {
                (Size::S8, i32::from(u8::try_from(c).ok()? as i8))
            }
            MemType::U16 if equality || unsigned => {
                (Size::S16, i32::from(u16::try_from(c).ok()? as i16))
            }
            MemType::I8 if equality || !unsigned => (Size::S8, i32::from(i8::try_from(c).ok()?)),
            MemType::I16 if equality || !unsigned => (Size::S16, i32::from(i16::try_from(c).ok()?)),
            _ => return None,
        };
        let m = self.loaded_from(i)?;
        self.sink(i, m);
        Some(NarrowCmp::Cmp {
            size,
            m: RegMem::Mem(m),
            c,
        })
    }

    fn block_size(&self, i: Inst) -> u32 {
        match self.f.insts[i.index()].imm {
            Imm::Size(n, _) => n,
            _ => 0,
        }
    }

    /// Copies a block piece by piece, which is right for identical regions too.
    pub(super) fn emit_copy_block(&mut self, i: Inst, dst: Value, src: Value) {
        let n = self.block_size(i);
        if n == 0 {
            return;
        }
        if n > MAX_UNROLLED {
            return self.emit_rep_copy(n, dst, src);
        }
        let (to, from) = (self.amode(dst, 0), self.amode(src, 0));
        for (offset, bytes) in pieces(n) {
            let (Some(d), Some(s)) = (offset_by(to, offset), offset_by(from, offset)) else {
                return self.emit_rep_copy(n, dst, src);
            };
            self.copy_piece(d, s, bytes);
        }
    }

    fn copy_piece(&mut self, dst: Amode, src: Amode, bytes: u32) {
        if bytes == 16 {
            let tmp = self.temp(RegClass::Float);
            let op = SseMovOp::Movups;
            self.buf.push(MInst::SseMov {
                op,
                src: RegMem::Mem(src),
                dst: tmp,
            });
            self.buf.push(MInst::SseStore { op, dst, src: tmp });
            return;
        }
        let size = size_of(bytes);
        let tmp = self.temp(RegClass::Int);
        let src = RegMem::Mem(src);
        self.buf.push(match size {
            Size::S8 => MInst::Ext {
                op: ExtOp::Zx8,
                size: Size::S32,
                src,
                dst: tmp,
            },
            Size::S16 => MInst::Ext {
                op: ExtOp::Zx16,
                size: Size::S32,
                src,
                dst: tmp,
            },
            _ => MInst::Mov {
                size,
                src,
                dst: tmp,
            },
        });
        self.buf.push(MInst::Store {
            size,
            dst,
            src: RegImm::Reg(tmp),
        });
    }

    fn emit_rep_copy(&mut self, n: u32, dst: Value, src: Value) {
        let (dst, src) = (self.reg(dst), self.reg(src));
        let (size, units) = rep_units(n);
        let count = self.emit_imm(Type::I64, i64::from(units));
        self.buf.push(MInst::RepMovs {
            size,
            dst,
            src,
            count,
        });
    }

    /// Zeroes a block.
    pub(super) fn emit_zero_block(&mut self, i: Inst, dst: Value) {
        let n = self.block_size(i);
        if n == 0 {
            return;
        }
        let to = self.amode(dst, 0);
        if n > MAX_UNROLLED || offset_by(to, n as i32).is_none() {
            let dst = self.emit_lea64(to);
            let (size, units) = rep_units(n);
            let value = self.emit_imm(Type::I32, 0);
            let count = self.emit_imm(Type::I64, i64::from(units));
            self.buf.push(MInst::RepStos {
                size,
                dst,
                value,
                count,
            });
            return;
        }
        let mut zero = None;
        for (offset, bytes) in pieces(n) {
            let Some(dst) = offset_by(to, offset) else {
                return;
            };
            if bytes == 16 {
                let src = *zero.get_or_insert_with(|| {
                    let dst = Reg::virt(self.builder.new_vreg(RegClass::Float));
                    self.buf.push(MInst::ZeroXmm { dst });
                    dst
                });
                self.buf.push(MInst::SseStore {
                    op: SseMovOp::Movups,
                    dst,
                    src,
                });
            } else {
                let size = size_of(bytes);
                self.buf.push(MInst::Store {
                    size,
                    dst,
                    src: RegImm::Imm(0),
                });
            }
        }
    }

    /// Moves the stack pointer down, page by page, and returns the new memory, which lies above the
    /// outgoing arguments.
    pub(super) fn emit_localloc(&mut self, i: Inst, bytes: Value) -> Reg {
        self.has_localloc = true;
        let zeroed = matches!(self.f.insts[i.index()].imm, Imm::Int(1));
        let n = self.reg(bytes);
        let (up, size) = (self.temp(RegClass::Int), self.temp(RegClass::Int));
        self.buf.push(MInst::Lea {
            size: Size::S64,
            addr: Amode::base(n, 15),
            dst: up,
        });
        self.buf.push(MInst::Alu {
            op: AluOp::And,
            size: Size::S64,
            src1: up,
            src2: RegMemImm::Imm(-16),
            dst: size,
        });
        let (tmp, moved) = (self.temp(RegClass::Int), self.temp(RegClass::Int));
        self.buf.push(MInst::StackAlloc {
            bytes: size,
            tmp,
            dst: moved,
        });
        if zeroed {
            let value = self.emit_imm(Type::I32, 0);
            let count = self.temp(RegClass::Int);
            self.buf.push(MInst::Shift {
                op: ShiftOp::Shr,
                size: Size::S64,
                count: 3,
                src: size,
                dst: count,
            });
            self.buf.push(MInst::RepStos {
                size: Size::S64,
                dst: moved,
                value,
                count,
            });
        }
        debug_assert!(Reg::phys(regs::RSP).is_some());
        moved
    }
}

/// The address `offset` bytes further.
fn offset_by(m: Amode, offset: i32) -> Option<Amode> {
    Some(match m {
        Amode::Mem {
            base,
            index,
            shift,
            disp,
        } => Amode::Mem {
            base,
            index,
            shift,
            disp: disp.checked_add(offset)?,
        },
        Amode::Slot(s, o) => Amode::Slot(s, o.checked_add(offset)?),
        _ => return None,
    })
}

/// Splits a size into accesses of 16, 8, 4, 2 and 1 bytes.
fn pieces(n: u32) -> impl Iterator<Item = (i32, u32)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let left = n - done;
        let bytes = [16, 8, 4, 2, 1].into_iter().find(|b| *b <= left)?;
        done += bytes;
        Some(((done - bytes) as i32, bytes))
    })
}

fn size_of(bytes: u32) -> Size {
    match bytes {
        1 => Size::S8,
        2 => Size::S16,
        4 => Size::S32,
        _ => Size::S64,
    }
}

/// Unit and number of units for `rep` instructions.
fn rep_units(n: u32) -> (Size, u32) {
    if n.is_multiple_of(8) {
        (Size::S64, n / 8)
    } else {
        (Size::S8, n)
    }
}
