//! Code sequences that the runtime's contract prescribes (`docs/architecture.md` §3): calls into
//! native code, safepoint polls, inline allocation. Allocation is inline only in loops: elsewhere the stubs behind
//! `new_small_object` and `new_small_array` do the same in a tenth of the space.

use super::emit::{ColdBody, Emitter};
use super::inst::{CallKind, MInst};
use super::operand::{Amode, Cc, RegImm, RegMem, RegMemImm, Size};
use super::ops::{AluOp, BitOp, CmpOp, ShiftOp};
use super::regs::{self, Reg};
use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::layout::{MAX_INLINE_ALLOC, array, object, thread};
use regalloc2::PReg;

const Q: Size = Size::S64;

fn reg(p: PReg) -> Reg {
    Reg::phys(p)
}

fn load(dst: PReg, src: Amode) -> MInst {
    MInst::Mov {
        size: Q,
        src: RegMem::Mem(src),
        dst: reg(dst),
    }
}

fn copy(dst: PReg, src: PReg) -> MInst {
    MInst::Mov {
        size: Q,
        src: RegMem::Reg(reg(src)),
        dst: reg(dst),
    }
}

fn store(dst: Amode, src: PReg) -> MInst {
    MInst::Store {
        size: Q,
        dst,
        src: RegImm::Reg(reg(src)),
    }
}

fn alu_imm(op: AluOp, dst: PReg, imm: i32) -> MInst {
    MInst::Alu {
        op,
        size: Q,
        src1: reg(dst),
        src2: RegMemImm::Imm(imm),
        dst: reg(dst),
    }
}

fn shr(dst: PReg, count: u8) -> MInst {
    MInst::Shift {
        op: ShiftOp::Shr,
        size: Q,
        count,
        src: reg(dst),
        dst: reg(dst),
    }
}

impl Emitter<'_> {
    fn emit_all<const N: usize>(&mut self, insts: [MInst; N]) {
        for i in &insts {
            self.emit(i);
        }
    }

    /// A call with what its kind demands around it.
    pub(super) fn call(&mut self, target: RegMem, kind: CallKind) {
        if kind != CallKind::Plain {
            self.emit(&store(Amode::thread(thread::LAST_SP), regs::RSP));
            self.emit(&store(Amode::thread(thread::LAST_FP), regs::RBP));
        }
        if kind == CallKind::PInvoke {
            let native = RegImm::Imm(thread::STATE_NATIVE as i32);
            self.emit(&MInst::Store {
                size: Size::S32,
                dst: Amode::thread(thread::STATE),
                src: native,
            });
        }
        match self.direct_target(&target) {
            Some(f) => self.call_direct(f),
            None => self.emit_form(super::int_forms::call(&target)),
        }
        if kind == CallKind::PInvoke {
            // An exchange, because the thread must not read the stop request before others see its state.
            let tmp = reg(regs::R11);
            let state = Amode::thread(thread::STATE);
            self.emit(&MInst::MovImm {
                size: Size::S32,
                imm: thread::STATE_MANAGED as i64,
                dst: tmp,
            });
            self.emit(&MInst::Xchg {
                size: Size::S32,
                src: tmp,
                mem: state,
                dst: tmp,
            });
            self.poll();
        }
        if matches!(kind, CallKind::Native | CallKind::PInvoke) {
            self.test_pending();
            let cold = self.cold(ColdBody::ThrowPending);
            self.jcc(Cc::Ne, cold);
        }
    }

    /// Is there an exception to raise?
    fn test_pending(&mut self) {
        let pending = RegMem::Mem(Amode::thread(thread::PENDING_EXCEPTION));
        self.emit(&MInst::CmpMem {
            op: CmpOp::Cmp,
            size: Q,
            a: pending,
            b: RegImm::Imm(0),
        });
    }

    /// Stack-limit and safepoint poll.
    pub(super) fn poll(&mut self) {
        let limit = RegMemImm::Mem(Amode::thread(thread::STACK_LIMIT));
        self.emit(&MInst::Cmp {
            op: CmpOp::Cmp,
            size: Q,
            a: reg(regs::RSP),
            b: limit,
        });
        let back = self.new_label();
        let cold = self.cold(ColdBody::Poll { back });
        self.jcc(Cc::Be, cold);
        self.bind(back);
    }

    /// The parts that stand behind the function.
    pub(super) fn cold_sequence(&mut self, body: ColdBody) {
        let cell = |h| RegMem::Mem(Amode::Fixup(Fixup::Helper(h)));
        match body {
            ColdBody::Poll { back } => {
                let helper = match self.vex {
                    true => HelperId::PollWide,
                    false => HelperId::Poll,
                };
                self.call(cell(helper), CallKind::Plain);
                self.jump_always(back);
            }
            ColdBody::ThrowPending => self.call(cell(HelperId::ThrowPending), CallKind::Plain),
            ColdBody::Allocate { helper, back } => {
                self.call(cell(helper), CallKind::Plain);
                self.jump_always(back);
            }
            ColdBody::Trap(_) => debug_assert!(false, "not a sequence"),
        }
    }

    /// Method table in `rdi`; object in `rax`.
    pub(super) fn alloc_object(&mut self, size: u32) {
        let back = self.new_label();
        let cold = self.cold(ColdBody::Allocate {
            helper: HelperId::NewObject,
            back,
        });
        let end = Amode::base(reg(regs::RAX), size as i32);
        self.emit_all([
            load(regs::RAX, Amode::thread(thread::ALLOC_CURSOR)),
            MInst::Lea {
                size: Q,
                addr: end,
                dst: reg(regs::RCX),
            },
        ]);
        self.bump(cold);
        self.emit(&store(
            Amode::base(reg(regs::RAX), object::METHOD_TABLE),
            regs::RDI,
        ));
        self.set_object_bit();
        self.bind(back);
    }

    /// Method table in `rdi`, length in `rsi`; array in `rax`.
    pub(super) fn alloc_array(&mut self, element: u32) {
        let back = self.new_label();
        let cold = self.cold(ColdBody::Allocate {
            helper: HelperId::NewArray,
            back,
        });
        let space = MAX_INLINE_ALLOC - array::DATA as u32;
        let max = space.checked_div(element).unwrap_or(space) as i32;
        let (rax, rcx, rsi) = (reg(regs::RAX), reg(regs::RCX), reg(regs::RSI));
        self.emit(&MInst::Cmp {
            op: CmpOp::Cmp,
            size: Q,
            a: rsi,
            b: RegMemImm::Imm(max),
        });
        self.jcc(Cc::A, cold);
        // rcx = size rounded up to 8.
        let rounding = if element.is_multiple_of(8) { 0 } else { 7 };
        let header = array::DATA + rounding;
        if element.is_power_of_two() && element <= 8 {
            let addr = match element {
                1 => Amode::base(rsi, header),
                _ => Amode::indexed(Reg::NONE, rsi, element.trailing_zeros() as u8, header),
            };
            self.emit(&MInst::Lea {
                size: Q,
                addr,
                dst: rcx,
            });
        } else {
            self.emit(&MInst::ImulImm {
                size: Q,
                src: RegMem::Reg(rsi),
                imm: element as i32,
                dst: rcx,
            });
            self.emit(&alu_imm(AluOp::Add, regs::RCX, header));
        }
        if rounding != 0 {
            self.emit(&alu_imm(AluOp::And, regs::RCX, -8));
        }
        self.emit_all([
            load(regs::RAX, Amode::thread(thread::ALLOC_CURSOR)),
            MInst::Alu {
                op: AluOp::Add,
                size: Q,
                src1: rcx,
                src2: rax.into(),
                dst: rcx,
            },
        ]);
        self.bump(cold);
        self.emit_all([
            store(Amode::base(rax, object::METHOD_TABLE), regs::RDI),
            store(Amode::base(rax, array::LENGTH), regs::RSI),
        ]);
        self.set_object_bit();
        self.bind(back);
    }

    /// Takes the memory up to `rcx` if the buffer has it.
    fn bump(&mut self, cold: crate::mach::Label) {
        let limit = RegMemImm::Mem(Amode::thread(thread::ALLOC_LIMIT));
        self.emit(&MInst::Cmp {
            op: CmpOp::Cmp,
            size: Q,
            a: reg(regs::RCX),
            b: limit,
        });
        self.jcc(Cc::A, cold);
        self.emit(&store(Amode::thread(thread::ALLOC_CURSOR), regs::RCX));
    }

    /// Sets the object-start bit of `rax`, one bit per 8 bytes, a 32-bit word per 256. The words of a
    /// line belong to one thread, so no lock. Uses `rcx rdx rsi r8`.
    fn set_object_bit(&mut self) {
        let word = Amode::indexed(reg(regs::RDX), reg(regs::RCX), 2, 0);
        let (rsi, r8) = (reg(regs::RSI), reg(regs::R8));
        self.emit_all([
            load(regs::RDX, Amode::thread(thread::OBJECT_BITS)),
            copy(regs::RCX, regs::RAX),
            copy(regs::RSI, regs::RAX),
            shr(regs::RCX, 8),
            shr(regs::RSI, 3),
            MInst::Mov {
                size: Size::S32,
                src: RegMem::Mem(word),
                dst: r8,
            },
            MInst::BitOp {
                op: BitOp::Bts,
                size: Size::S32,
                src: r8,
                bit: RegImm::Reg(rsi),
                dst: r8,
            },
            MInst::Store {
                size: Size::S32,
                dst: word,
                src: RegImm::Reg(r8),
            },
        ]);
    }
}
