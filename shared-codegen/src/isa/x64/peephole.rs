//! Small improvements of allocated code: what becomes visible only once values have their registers and the allocator's
//! moves are there. Works on one block at a time, in two walks, each with constant work per instruction. What is known at
//! the end of a block holds in those it alone leads to; blocks that lose all but a jump are passed over (`finish`).
//!
//! *Values* ([`values`]), forwards: which registers hold the same value, and how many of its bits can be other than zero.
//! ```text
//! before                        after
//!   movq %rax, %rbx               movq %rax, %rbx
//!   movq %rbx, %rax                                    the copy is there already
//!   movzbl 8(%rdi), %ecx          movzbl 8(%rdi), %ecx
//!   movzbl %cl, %edx              movq %rcx, %rdx      extended already
//!   movq .Lc_1(%rip), %rsi        movq .Lc_1(%rip), %rsi
//!   movq .Lc_1(%rip), %rdx        movq %rsi, %rdx      the same runtime constant
//!   xorl %eax, %eax               xorl %eax, %eax
//!   xorl %eax, %eax
//! ```
//! *Shapes* ([`shapes`]): neighbours, and the flags.
//! ```text
//!   movq %rax, %rbx; addl $4, %ebx          leal 4(%rax), %ebx        where nothing reads the flags
//!   cmpl $0, %eax                           testl %eax, %eax
//!   addq $-1, %rcx; testq %rcx, %rcx; jl    addq $-1, %rcx; js        `add` has set zero and sign
//! ```
//! What may fault ([`Line::trap`]) always stays: it may be somebody's null check. Registers keep the values that the
//! register allocator gave them, so its proof holds for the result, and a spill slot is never touched. 32-bit
//! results stay results of instructions that clear the upper half.
//!
//! Needs: nothing is live from one block into another in the flags, and the instructions between one that sets flags and
//! their last reader leave them alone (selection sees to both). The frequencies of many more patterns in the code of the
//! class libraries were counted; those not here occur less than once in 20,000 instructions.

use super::inst::MInst;
use super::operand::{Amode, Cc, RegMem, RegMemImm, Size};
use super::ops::*;
use super::regs::{self, Reg};
use super::visit::{OperandVisitor, Role};
use crate::abi::fixup::Fixup;
use crate::abi::trap::TrapKind;
use crate::ir::SourceLoc;
use regalloc2::{OperandKind, PReg, PRegSet, RegClass};

/// An instruction with physical registers, on its way to emission.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Line {
    /// The instruction.
    pub inst: MInst,
    /// Where it comes from.
    pub loc: SourceLoc,
    /// It may fault, with this meaning.
    pub trap: Option<TrapKind>,
}

/// Improves one block. `regs` is what the registers hold where it starts, afterwards where it ends.
pub(super) fn run(lines: &mut Vec<Line>, regs: &mut Registers) {
    values(lines, regs);
    lines.retain(|l| l.inst != GONE);
    shapes(lines);
    lines.retain(|l| l.inst != GONE);
}

/// What stands in the place of a removed instruction.
const GONE: MInst = MInst::Nop { bytes: 0 };

// ---- values

/// What a register holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Content {
    /// Nothing that is known, but the same wherever the number is the same.
    Number(u32),
    /// A constant.
    Constant(i64),
    /// A runtime constant.
    Runtime(Fixup),
}

/// Contents, and the lowest bits outside of which all are zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Known {
    content: Content,
    bits: u8,
}

/// The general registers at one point of a block.
#[derive(Clone, Debug)]
pub(super) struct Registers {
    known: [Known; 16],
    next: u32,
}

/// Nothing is known.
impl Default for Registers {
    fn default() -> Registers {
        let unknown = |n| Known {
            content: Content::Number(n),
            bits: 64,
        };
        Registers {
            known: std::array::from_fn(|n| unknown(n as u32)),
            next: 16,
        }
    }
}

impl Registers {
    /// Something new of so many bits.
    fn fresh(&mut self, bits: u8) -> Known {
        self.next += 1;
        Known {
            content: Content::Number(self.next),
            bits,
        }
    }

    fn get(&self, r: Reg) -> Known {
        self.known[r.hw() as usize]
    }

    fn holder(&self, content: Content) -> Option<Reg> {
        let n = self.known.iter().position(|k| k.content == content)?;
        Some(Reg::phys(regs::gpr(n)))
    }

    /// What an instruction leaves in its one result, as far as that is of interest, and the register.
    fn result(&mut self, inst: &MInst) -> Option<(Reg, Known)> {
        use Size::{S32, S64};
        let constant = |value: i64| Known {
            content: Content::Constant(value),
            bits: 64 - value.leading_zeros() as u8,
        };
        match *inst {
            MInst::Mov {
                size: S64,
                src: RegMem::Reg(src),
                dst,
            } => Some((dst, self.get(src))),
            MInst::Zero { dst } => Some((dst, constant(0))),
            MInst::MovImm {
                size: S32,
                imm,
                dst,
            } => Some((dst, constant(i64::from(imm as u32)))),
            MInst::MovImm {
                size: S64,
                imm,
                dst,
            } => Some((dst, constant(imm))),
            MInst::LoadFixup { fixup, dst } => {
                let content = Content::Runtime(fixup);
                Some((dst, Known { content, bits: 64 }))
            }
            MInst::Ext {
                op,
                size: size @ (S32 | S64),
                src,
                dst,
            } => {
                let bits = match op {
                    ExtOp::Zx8 => 8,
                    ExtOp::Zx16 => 16,
                    ExtOp::Zx32 => 32,
                    ExtOp::Sx8 | ExtOp::Sx16 | ExtOp::Sx32 if size == S32 => 32,
                    _ => 64,
                };
                let same = match src {
                    RegMem::Reg(r) if self.get(r).bits <= bits && bits <= 32 && !signed(op) => {
                        Some(self.get(r))
                    }
                    _ => None,
                };
                Some((dst, same.unwrap_or_else(|| self.fresh(bits))))
            }
            MInst::Alu {
                op: AluOp::And,
                size: S32 | S64,
                src2: RegMemImm::Imm(mask @ 0..),
                dst,
                ..
            } => {
                let bits = 32 - mask.leading_zeros() as u8;
                Some((dst, self.fresh(bits)))
            }
            MInst::Mov { size: S32, dst, .. }
            | MInst::Alu { size: S32, dst, .. }
            | MInst::Lea { size: S32, dst, .. }
            | MInst::Imul { size: S32, dst, .. }
            | MInst::ImulImm { size: S32, dst, .. }
            | MInst::Shift { size: S32, dst, .. }
            | MInst::Cmov { size: S32, dst, .. } => Some((dst, self.fresh(32))),
            _ => None,
        }
    }

    /// What an instruction changes.
    fn step(&mut self, inst: &mut MInst) {
        let result = self.result(inst);
        let mut written = Written(inst.clobbers());
        inst.visit_operands(&mut written);
        for p in written.0 {
            if p.class() == RegClass::Int {
                self.known[p.hw_enc()] = self.fresh(64);
            }
        }
        if let Some((dst, known)) = result {
            self.known[dst.hw() as usize] = known;
        }
    }
}

fn signed(op: ExtOp) -> bool {
    matches!(op, ExtOp::Sx8 | ExtOp::Sx16 | ExtOp::Sx32)
}

/// Registers an instruction writes.
struct Written(PRegSet);

impl OperandVisitor for Written {
    fn reg(&mut self, r: &mut Reg, role: Role) {
        if role.kind == OperandKind::Def
            && let Some(p) = r.as_phys()
        {
            self.0.add(p);
        }
    }

    fn reg_mem(&mut self, _: &mut RegMem, _: Role) {}
}

fn writes(inst: &mut MInst, r: PReg) -> bool {
    let mut written = Written(inst.clobbers());
    inst.visit_operands(&mut written);
    written.0.contains(r)
}

/// Removes instructions that put into a register what it holds, and takes what another register holds from there.
fn values(lines: &mut [Line], regs: &mut Registers) {
    for line in lines {
        if line.trap.is_none() {
            simplify(regs, &mut line.inst);
        }
        regs.step(&mut line.inst);
    }
}

fn simplify(regs: &mut Registers, inst: &mut MInst) {
    let copies = match inst {
        MInst::Mov { .. } | MInst::Zero { .. } | MInst::MovImm { .. } => false,
        MInst::LoadFixup { .. } => true,
        MInst::Ext {
            src: RegMem::Reg(_),
            ..
        } => true,
        _ => return,
    };
    let Some((dst, known)) = regs.result(inst) else {
        return;
    };
    if regs.get(dst).content == known.content {
        *inst = GONE;
    } else if copies && let Some(src) = regs.holder(known.content) {
        *inst = MInst::Mov {
            size: Size::S64,
            src: RegMem::Reg(src),
            dst,
        };
    }
}

// ---- shapes

fn shapes(lines: &mut [Line]) {
    for i in 0..lines.len() {
        match lines[i].inst {
            MInst::Cmp {
                op: CmpOp::Cmp,
                size,
                a,
                b: RegMemImm::Imm(0),
            } => lines[i].inst = MInst::TestReg { size, a },
            MInst::Mov {
                src: RegMem::Reg(_),
                ..
            } => add_into_copy(lines, i),
            _ => {}
        }
        if let MInst::TestReg { size, a } = lines[i].inst {
            reuse_flags(lines, i, size, a);
        }
    }
}

/// `mov a, b; add c, b` as `lea`.
fn add_into_copy(lines: &mut [Line], i: usize) {
    let MInst::Mov {
        size: copied,
        src: RegMem::Reg(from),
        dst: to,
    } = lines[i].inst
    else {
        return;
    };
    let Some(MInst::Alu {
        op: AluOp::Add,
        size,
        src1,
        src2,
        dst,
    }) = lines.get(i + 1).map(|l| &l.inst)
    else {
        return;
    };
    let (size, wide) = (*size, [Size::S32, Size::S64].contains(size));
    let fits = wide && copied as u8 >= size as u8 && *src1 == to && *dst == to && from != to;
    let stack = |r: Reg| r.as_phys() == Some(regs::RSP);
    let addr = match *src2 {
        RegMemImm::Imm(n) => Amode::base(from, n),
        RegMemImm::Reg(r) if r == to && !stack(from) => Amode::indexed(from, from, 0, 0),
        RegMemImm::Reg(r) if r != to && !stack(r) => Amode::indexed(from, r, 0, 0),
        _ => return,
    };
    if fits && !flags_are_read(&mut lines[i + 2..]) {
        lines[i].inst = GONE;
        lines[i + 1].inst = MInst::Lea {
            size,
            addr,
            dst: to,
        };
    }
}

/// Removes a test whose outcome is in the flags already.
fn reuse_flags(lines: &mut [Line], test: usize, size: Size, a: Reg) {
    let Some(p) = a.as_phys() else { return };
    let Some(flags) = flags_of_value(&mut lines[..test], size, p) else {
        return;
    };
    let mut readers = Vec::new();
    for (n, line) in lines.iter_mut().enumerate().skip(test + 1) {
        if let Some(conditions) = readers_conditions(&mut line.inst) {
            let mut conditions = conditions.into_iter().flatten();
            if !conditions.all(|cc| flags.condition(*cc).is_some()) {
                return;
            }
            readers.push(n);
        } else if reads_carry(&line.inst) {
            return;
        } else if !keeps_flags(&line.inst) {
            break;
        }
    }
    for n in readers {
        let conditions = readers_conditions(&mut lines[n].inst);
        for cc in conditions.into_iter().flatten().flatten() {
            *cc = flags.condition(*cc).unwrap_or(*cc);
        }
    }
    lines[test].inst = GONE;
}

/// What the flags tell about a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flags {
    /// All that a test would.
    Tested,
    /// Zero and sign; carry and overflow are about something else.
    ZeroAndSign,
}

impl Flags {
    /// The condition to use in place of one after a test, where overflow is never set.
    fn condition(self, cc: Cc) -> Option<Cc> {
        match (self, cc) {
            (Flags::Tested, cc) => Some(cc),
            (_, Cc::E | Cc::Ne | Cc::S | Cc::Ns) => Some(cc),
            (_, Cc::L) => Some(Cc::S),
            (_, Cc::Ge) => Some(Cc::Ns),
            _ => None,
        }
    }
}

/// What the flags at the end say about a register, if the instruction that set them has computed it.
fn flags_of_value(before: &mut [Line], size: Size, p: PReg) -> Option<Flags> {
    for line in before.iter_mut().rev() {
        let computed = match line.inst {
            MInst::Alu {
                op, size: s, dst, ..
            } => {
                let flags = match op {
                    AluOp::And | AluOp::Or | AluOp::Xor => Flags::Tested,
                    _ => Flags::ZeroAndSign,
                };
                Some((s, dst, flags))
            }
            MInst::Un {
                op: UnOp::Neg,
                size: s,
                dst,
                ..
            } => Some((s, dst, Flags::ZeroAndSign)),
            MInst::Shift {
                op: ShiftOp::Shl | ShiftOp::Shr | ShiftOp::Sar,
                size: s,
                count: 1..32,
                dst,
                ..
            } => Some((s, dst, Flags::ZeroAndSign)),
            _ => None,
        };
        if let Some((s, dst, flags)) = computed {
            return (s == size && dst.as_phys() == Some(p)).then_some(flags);
        }
        if !keeps_flags(&line.inst) || writes(&mut line.inst, p) {
            return None;
        }
    }
    None
}

/// The conditions an instruction reads.
fn readers_conditions(inst: &mut MInst) -> Option<[Option<&mut Cc>; 2]> {
    match inst {
        MInst::Branch { cc, .. }
        | MInst::TrapIf { cc, .. }
        | MInst::Setcc { cc, .. }
        | MInst::Cmov { cc, .. } => Some([Some(cc), None]),
        MInst::BranchOr { cc1, cc2, .. } => Some([Some(cc1), Some(cc2)]),
        _ => None,
    }
}

/// Reads flags in another way than by a condition that can be replaced.
fn reads_carry(inst: &MInst) -> bool {
    matches!(
        inst,
        MInst::Alu {
            op: AluOp::Adc | AluOp::Sbb,
            ..
        } | MInst::Jcc { .. }
            | MInst::Bind { .. }
    )
}

/// Leaves all flags as they are (and none is missing that selection or the allocator puts between flags and their
/// readers).
fn keeps_flags(inst: &MInst) -> bool {
    matches!(
        inst,
        MInst::Mov { .. }
            | MInst::MovImm { .. }
            | MInst::Store { .. }
            | MInst::Ext { .. }
            | MInst::Lea { .. }
            | MInst::Setcc { .. }
            | MInst::Cmov { .. }
            | MInst::SseMov { .. }
            | MInst::SseMovScalar { .. }
            | MInst::SseStore { .. }
            | MInst::LoadFixup { .. }
            | MInst::ZeroXmm { .. }
            | MInst::KeepAlive { .. }
            | MInst::Loc { .. }
            | MInst::Nop { .. }
    )
}

/// Does any instruction read what the flags are in front of all?
fn flags_are_read(lines: &mut [Line]) -> bool {
    for line in lines {
        if readers_conditions(&mut line.inst).is_some() || reads_carry(&line.inst) {
            return true;
        }
        if !keeps_flags(&line.inst) {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::ops::ShiftOp;
    use super::super::regs::{R11, RAX, RBX, RCX, RDX, RSP};
    use super::*;
    use crate::abi::helper::HelperId;
    use crate::mach::Label;
    use Size::{S32, S64};

    fn reg(p: PReg) -> Reg {
        Reg::phys(p)
    }

    fn mov(from: PReg, to: PReg) -> MInst {
        MInst::Mov {
            size: S64,
            src: RegMem::Reg(reg(from)),
            dst: reg(to),
        }
    }

    fn alu(op: AluOp, size: Size, dst: PReg, src2: impl Into<RegMemImm>) -> MInst {
        MInst::Alu {
            op,
            size,
            src1: reg(dst),
            src2: src2.into(),
            dst: reg(dst),
        }
    }

    fn add_one(dst: PReg) -> MInst {
        alu(AluOp::Add, S32, dst, RegMemImm::Imm(1))
    }

    fn test(a: PReg) -> MInst {
        MInst::TestReg {
            size: S32,
            a: reg(a),
        }
    }

    fn branch(cc: Cc) -> MInst {
        let (taken, other) = (Label(1), Label(2));
        MInst::Branch { cc, taken, other }
    }

    fn extend(op: ExtOp, from: PReg, to: PReg) -> MInst {
        MInst::Ext {
            op,
            size: S32,
            src: RegMem::Reg(reg(from)),
            dst: reg(to),
        }
    }

    fn cell(dst: PReg) -> MInst {
        MInst::LoadFixup {
            fixup: Fixup::Helper(HelperId::Sin),
            dst: reg(dst),
        }
    }

    fn call() -> MInst {
        MInst::Call {
            fixup: Fixup::Helper(HelperId::Sin),
            kind: super::super::CallKind::Plain,
            regs: Box::new(super::super::FixedRegs::call([], [])),
        }
    }

    fn line(inst: MInst) -> Line {
        let (loc, trap) = (SourceLoc::default(), None);
        Line { inst, loc, trap }
    }

    fn check<const N: usize, const M: usize>(before: [MInst; N], after: [MInst; M]) {
        let mut lines = before.map(line).to_vec();
        run(&mut lines, &mut Registers::default());
        assert_eq!(lines, after.map(line));
    }

    /// Nothing is to be done here.
    fn stays<const N: usize>(insts: [MInst; N]) {
        check(insts.clone(), insts);
    }

    #[test]
    fn copies_that_are_there_go() {
        check([mov(RAX, RBX), mov(RBX, RAX)], [mov(RAX, RBX)]);
        check(
            [mov(RAX, RBX), mov(RBX, RCX), mov(RAX, RCX), mov(RCX, RBX)],
            [mov(RAX, RBX), mov(RBX, RCX)],
        );
        stays([mov(RAX, RBX), add_one(RAX), mov(RBX, RAX)]);
        stays([mov(RAX, RCX), call(), mov(RCX, RAX)]);
        check(
            [mov(RAX, RBX), call(), mov(RAX, RBX)],
            [mov(RAX, RBX), call(), mov(RAX, RBX)],
        );
    }

    #[test]
    fn knowledge_goes_on_into_the_next_block() {
        let mut regs = Registers::default();
        let mut lines = vec![line(mov(RAX, RBX)), line(branch(Cc::E))];
        run(&mut lines, &mut regs);
        let mut next = vec![line(mov(RBX, RAX)), line(mov(RCX, RBX))];
        run(&mut next, &mut regs);
        assert_eq!(next, [line(mov(RCX, RBX))]);
    }

    #[test]
    fn constants_stay_where_they_are() {
        let zero = |r| MInst::Zero { dst: reg(r) };
        check([zero(RAX), zero(RAX)], [zero(RAX)]);
        stays([zero(RAX), zero(RBX)]);
        check([cell(RBX), cell(RCX)], [cell(RBX), mov(RBX, RCX)]);
        check([cell(RBX), call(), cell(RBX)], [cell(RBX), call()]);
        stays([cell(RCX), call(), cell(RCX)]);
    }

    #[test]
    fn extended_values_are_copied() {
        let byte = extend(ExtOp::Zx8, RDX, RCX);
        check(
            [byte.clone(), extend(ExtOp::Zx16, RCX, RAX)],
            [byte.clone(), mov(RCX, RAX)],
        );
        check(
            [byte.clone(), extend(ExtOp::Zx32, RCX, RCX)],
            [byte.clone()],
        );
        let word = extend(ExtOp::Zx16, RDX, RCX);
        stays([word, extend(ExtOp::Zx8, RCX, RAX)]);
        stays([byte, extend(ExtOp::Sx8, RCX, RAX)]);
        check(
            [add_one(RCX), extend(ExtOp::Zx32, RCX, RCX)],
            [add_one(RCX)],
        );
        let wide = alu(AluOp::Add, S64, RCX, RegMemImm::Imm(1));
        stays([wide, extend(ExtOp::Zx32, RCX, RCX)]);
        // The upper bits of what is extended to 16 bits stay.
        let narrow = MInst::Ext {
            op: ExtOp::Zx8,
            size: Size::S16,
            src: RegMem::Reg(reg(RDX)),
            dst: reg(RCX),
        };
        stays([narrow, extend(ExtOp::Zx8, RCX, RAX)]);
        let mask = alu(AluOp::And, S32, RCX, RegMemImm::Imm(127));
        check(
            [mask.clone(), extend(ExtOp::Zx8, RCX, RAX)],
            [mask, mov(RCX, RAX)],
        );
    }

    #[test]
    fn sums_go_where_they_are_wanted() {
        let lea = |size, addr| MInst::Lea {
            size,
            addr,
            dst: reg(RBX),
        };
        check(
            [mov(RAX, RBX), add_one(RBX)],
            [lea(S32, Amode::base(reg(RAX), 1))],
        );
        check(
            [mov(RAX, RBX), alu(AluOp::Add, S64, RBX, reg(RCX))],
            [lea(S64, Amode::indexed(reg(RAX), reg(RCX), 0, 0))],
        );
        check(
            [mov(RAX, RBX), alu(AluOp::Add, S64, RBX, reg(RBX))],
            [lea(S64, Amode::indexed(reg(RAX), reg(RAX), 0, 0))],
        );
        stays([mov(RSP, RBX), alu(AluOp::Add, S64, RBX, reg(RBX))]);
        stays([mov(RAX, RBX), add_one(RBX), mov(RCX, RDX), branch(Cc::O)]);
        stays([mov(RAX, RBX), add_one(RCX)]);
    }

    #[test]
    fn tests_of_results_go() {
        let and = alu(AluOp::And, S32, RCX, RegMemImm::Imm(13));
        check(
            [and.clone(), test(RCX), branch(Cc::G)],
            [and, branch(Cc::G)],
        );
        check(
            [add_one(RCX), mov(RCX, R11), test(RCX), branch(Cc::L)],
            [add_one(RCX), mov(RCX, R11), branch(Cc::S)],
        );
        // After an overflow the sum is not what a comparison of the summands says.
        stays([add_one(RCX), test(RCX), branch(Cc::G)]);
        stays([add_one(RCX), mov(RAX, RCX), test(RCX), branch(Cc::E)]);
        stays([add_one(RCX), add_one(RDX), test(RCX), branch(Cc::E)]);
        stays([call(), test(RCX), branch(Cc::E)]);
        let set = |cc| MInst::Setcc { cc, dst: reg(RAX) };
        check(
            [add_one(RCX), test(RCX), set(Cc::Ge), branch(Cc::E)],
            [add_one(RCX), set(Cc::Ns), branch(Cc::E)],
        );
        stays([add_one(RCX), test(RCX), set(Cc::E), branch(Cc::Le)]);
        // The other half of the register may be anything.
        let wide = alu(AluOp::Add, S64, RCX, RegMemImm::Imm(1));
        stays([wide, test(RCX), branch(Cc::E)]);
        let shift = |count| MInst::Shift {
            op: ShiftOp::Shr,
            size: S32,
            count,
            src: reg(RCX),
            dst: reg(RCX),
        };
        check(
            [shift(3), test(RCX), branch(Cc::Ne)],
            [shift(3), branch(Cc::Ne)],
        );
        // Shifts by nothing leave the flags alone.
        stays([shift(0), test(RCX), branch(Cc::Ne)]);
        let zero = MInst::Cmp {
            op: CmpOp::Cmp,
            size: S32,
            a: reg(RCX),
            b: RegMemImm::Imm(0),
        };
        check([zero, branch(Cc::Be)], [test(RCX), branch(Cc::Be)]);
    }

    #[test]
    fn what_may_fault_stays() {
        let mut lines = vec![line(cell(RAX)), line(cell(RAX))];
        lines[1].trap = Some(TrapKind::NullReference);
        let before = lines.clone();
        run(&mut lines, &mut Registers::default());
        assert_eq!(lines, before);
    }
}
