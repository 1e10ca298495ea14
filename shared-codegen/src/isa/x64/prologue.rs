//! Prologue and epilogue.

use super::finish::{Finish, R11, RBP, RSP, alu_imm, mov};
use super::inst::MInst;
use super::operand::{Amode, Cc, RegImm, RegMem, RegMemImm, Size};
use super::ops::*;
use super::regs::{self, Reg};

/// Stack that a function may use without looking at the limit, if it calls nothing.
const LEAF_FRAME: u32 = 1024;
/// Distance at which a large frame is touched, so that a guard page is not jumped over.
const PAGE: u32 = 4096;

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

    /// Moves the stack pointer down, touching every page on the way.
    fn make_frame(&mut self) {
        // What was pushed needs no room and has touched the first page.
        let size = self.frame.size - 8 * self.frame.saved;
        if size == 0 {
            return;
        }
        if size > 8 * PAGE {
            self.emit(MInst::Lea {
                size: Size::S64,
                addr: Amode::base(RSP, -((size / PAGE * PAGE) as i32)),
                dst: R11,
            });
            self.touch_down_to(R11);
        } else {
            for n in 1..=size / PAGE {
                self.emit(touch(Amode::base(RSP, -((n * PAGE) as i32))));
            }
        }
        self.emit(MInst::Lea {
            size: Size::S64,
            addr: Amode::base(RBP, -(self.frame.size as i32)),
            dst: RSP,
        });
    }

    /// Moves `rsp` down by pages until it is not above `end`, touching each page.
    pub(super) fn touch_down_to(&mut self, end: Reg) {
        let top = self.emitter.new_label();
        let done = self.emitter.new_label();
        self.emit(MInst::Bind { label: top });
        self.emit(MInst::Cmp {
            op: CmpOp::Cmp,
            size: Size::S64,
            a: RSP,
            b: RegMemImm::Reg(end),
        });
        self.emit(MInst::Jcc {
            cc: Cc::Be,
            target: done,
        });
        self.emit(alu_imm(AluOp::Sub, RSP, PAGE as i32));
        self.emit(touch(Amode::base(RSP, 0)));
        self.emitter.jump_always(top);
        self.emit(MInst::Bind { label: done });
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

/// Writes to a stack page without changing it.
fn touch(m: Amode) -> MInst {
    MInst::AluMem {
        op: AluOp::Or,
        size: Size::S32,
        dst: m,
        src: RegImm::Imm(0),
    }
}
