//! Prologue and epilogue.

use super::finish::{Finish, R11, RBP, RSP, alu_imm, mov};
use super::inst::MInst;
use super::operand::{Amode, Cc, RegImm, RegMem, RegMemImm, Size};
use super::ops::*;
use super::regs::{self, Reg};
use crate::abi::layout::thread;
use crate::abi::trap::TrapKind;

/// Stack that a function may use without looking at the limit, if it calls nothing.
const LEAF_FRAME: u32 = 1024;
/// Largest frame that is made before the limit is looked at: the limit leaves much more than that for the runtime.
const SMALL_FRAME: u32 = 4096;

impl Finish<'_, '_> {
    /// Makes the frame, saves registers, zeroes slots, polls.
    pub(super) fn prologue(&mut self) {
        self.emit(MInst::Push {
            src: RegMemImm::Reg(RBP),
        });
        self.emit(mov(RSP, RBP));
        for &r in self.saved {
            let src = RegMemImm::Reg(Reg::phys(r));
            self.emit(MInst::Push { src });
        }
        self.make_frame();
        self.zero_slots();
        if self.lowered.has_calls || self.lowered.has_localloc || self.frame.size > LEAF_FRAME {
            self.emit(MInst::Poll {});
        }
    }

    /// Moves the stack pointer down. A large frame is made only if there is stack enough: the runtime, called by the poll behind
    /// it, needs what the limit leaves for it.
    fn make_frame(&mut self) {
        // What was pushed needs no room.
        if self.frame.size == 8 * self.frame.saved {
            return;
        }
        let bottom = Amode::base(RBP, -(self.frame.size as i32));
        let lea = |dst| MInst::Lea {
            size: Size::S64,
            addr: bottom,
            dst,
        };
        if self.frame.size <= SMALL_FRAME {
            self.emit(lea(RSP));
        } else {
            self.emit(lea(R11));
            self.require_stack(R11);
            self.emit(mov(R11, RSP));
        }
    }

    /// Raises StackOverflowException unless `sp` lies above the end of the stack.
    pub(super) fn require_stack(&mut self, sp: Reg) {
        self.emit(MInst::Cmp {
            op: CmpOp::Cmp,
            size: Size::S64,
            a: sp,
            b: RegMemImm::Mem(Amode::thread(thread::STACK_END)),
        });
        self.emit(MInst::TrapIf {
            cc: Cc::Be,
            kind: TrapKind::StackOverflow,
        });
    }

    /// Zeroes slots that must be zero at entry.
    fn zero_slots(&mut self) {
        let slots: Vec<(i32, i32)> = self
            .f
            .slots
            .iter()
            .zip(&self.frame.slots)
            .zip(&self.lowered.used_slots)
            .filter(|((s, _), used)| **used && s.zeroed && s.size > 0)
            .map(|((s, at), _)| (*at, s.size.next_multiple_of(8) as i32))
            .collect();
        let total: i32 = slots.iter().map(|s| s.1).sum();
        if total == 0 {
            return;
        }
        let zero = Reg::phys(regs::xmm(15));
        if total > 8 {
            self.emit(MInst::ZeroXmm { dst: zero });
        }
        for (at, size) in slots {
            if size > 512 {
                self.zero_loop(at, size);
                continue;
            }
            let mut done = 0;
            while done < size {
                let dst = Amode::base(RBP, at + done);
                if size - done >= 16 {
                    let op = SseMovOp::Movups;
                    self.emit(MInst::SseStore { op, dst, src: zero });
                    done += 16;
                } else {
                    self.emit(MInst::Store {
                        size: Size::S64,
                        dst,
                        src: RegImm::Imm(0),
                    });
                    done += 8;
                }
            }
        }
    }

    /// Zeroes a large slot from its end down, with `r11` counting.
    fn zero_loop(&mut self, at: i32, size: i32) {
        self.emit(MInst::MovImm {
            size: Size::S32,
            imm: i64::from(size),
            dst: R11,
        });
        let top = self.emitter.new_label();
        self.emit(MInst::Bind { label: top });
        self.emit(MInst::Store {
            size: Size::S64,
            dst: Amode::indexed(RBP, R11, 0, at - 8),
            src: RegImm::Imm(0),
        });
        self.emit(alu_imm(AluOp::Sub, R11, 8));
        self.emit(MInst::Jcc {
            cc: Cc::Ne,
            target: top,
        });
    }

    /// Restores registers and leaves the frame.
    pub(super) fn epilogue(&mut self) {
        let saved = self.frame.saved;
        let moved = self.frame.size != 8 * saved || self.lowered.has_localloc;
        if saved == 1 && moved {
            self.emit(MInst::Mov {
                size: Size::S64,
                src: RegMem::Mem(Amode::base(RBP, self.frame.saved_at(0))),
                dst: Reg::phys(self.saved[0]),
            });
        } else {
            if saved > 0 && moved {
                self.emit(MInst::Lea {
                    size: Size::S64,
                    addr: Amode::base(RBP, self.frame.saved_at(saved - 1)),
                    dst: RSP,
                });
            }
            for &r in self.saved.iter().rev() {
                self.emit(MInst::Pop { dst: Reg::phys(r) });
            }
        }
        self.emit(if moved && saved < 2 {
            MInst::Leave {}
        } else {
            MInst::Pop { dst: RBP }
        });
    }
}
