//! Terminators, exceptions, and the registers of parameters.

use super::call::result_reg;
use super::context::rule_types::Cond;
use super::{Lower, block_label};
use crate::abi::helper::HelperId;
use crate::abi::layout::frame;
use crate::compile::CompileError;
use crate::ir::Type;
use crate::ir::{Imm, Inst, Op, Region, Value};
use crate::isa::x64::inst::{FixedRegs, MInst};
use crate::isa::x64::operand::{Amode, Cc, RegMem, RegMemImm, Size};
use crate::isa::x64::ops::CmpOp;
use crate::isa::x64::regs::{self, Reg};
use crate::mach::Label;
use regalloc2::{RegClass, VReg};

impl Lower<'_> {
    /// Labels of the successors of the block in work, in target order.
    fn succ_labels(&self) -> Vec<Label> {
        let b = &self.builder.order().blocks[self.block.index()];
        b.succs.iter().map(|s| block_label(*s)).collect()
    }

    pub(super) fn emit_jump(&mut self) {
        let target = self.succ_labels()[0];
        self.buf.push(MInst::Jmp { target });
    }

    pub(super) fn emit_branch(&mut self, cond: Cond) {
        let succs = self.succ_labels();
        let (taken, other) = (succs[0], succs[1]);
        self.buf.push(match cond {
            Cond::One { cc } => MInst::Branch { cc, taken, other },
            Cond::Or { cc1, cc2 } => MInst::BranchOr {
                cc1,
                cc2,
                taken,
                other,
            },
            Cond::And { cc1, cc2 } => MInst::BranchOr {
                cc1: cc1.inverse(),
                cc2: cc2.inverse(),
                taken: other,
                other: taken,
            },
        });
    }

    /// A jump table whose last entry, the default, is chosen for every index out of range.
    pub(super) fn emit_switch(&mut self, i: Inst) {
        let targets = self.succ_labels();
        if targets.len() == 1 {
            self.buf.push(MInst::Jmp { target: targets[0] });
            return;
        }
        let index = self.f.insts[i.index()].args[0];
        let last = targets.len() as i64 - 1;
        let x = self.reg(index);
        let out = self.emit_imm(Type::I32, last);
        self.buf.push(MInst::Cmp {
            op: CmpOp::Cmp,
            size: Size::S32,
            a: x,
            b: RegMemImm::Imm(last as i32),
        });
        let (index, tmp, base) = (
            self.temp(RegClass::Int),
            self.temp(RegClass::Int),
            self.temp(RegClass::Int),
        );
        self.buf.push(MInst::Cmov {
            cc: Cc::Ae,
            size: Size::S32,
            src1: x,
            src2: RegMem::Reg(out),
            dst: index,
        });
        let targets = targets.into_boxed_slice();
        self.buf.push(MInst::JumpTable {
            index,
            tmp,
            base,
            targets,
        });
    }

    /// Terminators that leave the function.
    pub(super) fn emit_leave(&mut self, i: Inst) {
        let f = self.f;
        let d = &f.insts[i.index()];
        let arg: Option<Value> = d.args.first().copied();
        match (d.op, d.imm, arg) {
            (Op::Return, _, Some(v)) => {
                let r = self.reg(v);
                self.emit_ret(Some((r, result_reg(f.ty(v)))));
            }
            (Op::Return, _, None) => self.emit_ret(None),
            (Op::EndFilter, _, Some(v)) => {
                // The funclet returns like a function; emission knows the block.
                let r = self.reg(v);
                let regs = FixedRegs {
                    uses: [(r, regs::RAX)].into_iter().collect(),
                    ..FixedRegs::default()
                };
                self.buf.push(MInst::FilterRet {
                    regs: Box::new(regs),
                });
            }
            (Op::Throw, _, Some(v)) => {
                let r = self.reg(v);
                self.emit_noreturn(HelperId::Throw, &[r]);
            }
            (Op::Rethrow, Imm::Region(r), _) => {
                let object = self.load_exception(r);
                self.emit_noreturn(HelperId::Rethrow, &[object]);
            }
            (Op::ResumeUnwind, Imm::Region(r), _) => {
                let slot = self.emit_lea64(self.eh_slot(r, 0));
                self.emit_noreturn(HelperId::ResumeUnwind, &[slot]);
            }
            (Op::Trap, Imm::Trap(kind), _) => self.buf.push(MInst::Trap { kind }),
            (Op::TailCall | Op::TailCallIndirect, ..) => self.emit_tail_call(i),
            (op, ..) => self.fail(CompileError::Unsupported(op)),
        }
    }

    fn eh_slot(&self, r: Region, offset: i32) -> Amode {
        Amode::Slot(self.f.regions[r.index()].eh_slot.0, offset)
    }

    fn load_exception(&mut self, r: Region) -> Reg {
        let m = self.eh_slot(r, frame::EH_EXCEPTION);
        self.emit_load(crate::ir::MemType::Ref, m)
    }

    pub(super) fn emit_catch_object(&mut self, i: Inst) -> Reg {
        match self.f.insts[i.index()].imm {
            Imm::Region(r) => self.load_exception(r),
            _ => {
                self.fail(CompileError::Unsupported(Op::CatchObject));
                self.temp(RegClass::Int)
            }
        }
    }

    /// The hidden argument: a register that the entry defines.
    pub(super) fn context_arg(&mut self) -> Reg {
        let v = match self.context {
            Some(v) => v,
            None => {
                let v = self.builder.new_vreg(RegClass::Int);
                self.context = Some(v);
                v
            }
        };
        Reg::virt(v)
    }

    /// The register in which a parameter arrives at a pseudo entry.
    pub(super) fn incoming_of(&mut self, v: Value) -> VReg {
        let n = v.index();
        if let Some(r) = self.arrivals.iter().find(|(w, _)| *w == n) {
            return r.1;
        }
        let r = self.builder.new_vreg(super::class(self.f.ty(v)));
        self.arrivals.push((n, r));
        r
    }
}
