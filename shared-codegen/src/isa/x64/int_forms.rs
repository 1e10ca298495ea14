//! Forms of integer instructions.

use super::form::{Arg, Form, REP, Width, rm};
use super::inst::MInst;
use super::operand::{Amode, RegImm, RegMem, RegMemImm, Size};
use super::ops::*;
use super::regs::{self, Reg};

fn is_acc(r: Reg) -> bool {
    r.hw() == 0
}

fn imm_bytes(size: Size) -> u8 {
    size.bytes().min(4) as u8
}

fn fits8(imm: i32) -> bool {
    imm as i8 as i32 == imm
}

/// The immediate as the operation sees it.
fn at_size(imm: i32, size: Size) -> i32 {
    match size {
        Size::S8 => imm as i8 as i32,
        Size::S16 => imm as i16 as i32,
        _ => imm,
    }
}

/// Arithmetic with immediate on register or memory.
fn alu_imm(r: &Row, size: Size, dst: Arg, imm: i32) -> Form {
    let imm = at_size(imm, size);
    let f = Form::row(r).digit(r.x);
    let acc = matches!(dst, Arg::RmReg(d, _) if is_acc(d));
    let test = r.op == 0x84;
    if size != Size::S8 && fits8(imm) && !test {
        return f.op(0x83).sized(size).args([Arg::Imm(imm as i64, 1), dst]);
    }
    let imm = Arg::Imm(imm as i64, imm_bytes(size));
    match (acc, dst) {
        (true, Arg::RmReg(d, w)) => f
            .op(if test { 0xa8 } else { r.op | 4 })
            .byte_or_more(size)
            .args([imm, Arg::Implied(d, w)]),
        _ => f
            .op(if test { 0xf6 } else { 0x80 })
            .byte_or_more(size)
            .args([imm, dst]),
    }
}

/// Arithmetic `reg, reg/mem/imm`.
fn alu(r: &Row, size: Size, dst: Reg, src: &RegMemImm) -> Form {
    let w = size.into();
    match src {
        RegMemImm::Reg(s) => Form::row(r)
            .byte_or_more(size)
            .args([Arg::Reg(*s, w), Arg::RmReg(dst, w)]),
        RegMemImm::Mem(m) if r.op == 0x84 => Form::row(r)
            .byte_or_more(size)
            .args([Arg::Reg(dst, w), Arg::Mem(*m)]),
        RegMemImm::Mem(m) => Form::row(r)
            .op(r.op | 2)
            .byte_or_more(size)
            .args([Arg::Mem(*m), Arg::Reg(dst, w)]),
        RegMemImm::Imm(i) => alu_imm(r, size, Arg::RmReg(dst, w), *i),
    }
}

/// Arithmetic `reg/mem, reg/imm`.
fn alu_mem(r: &Row, size: Size, dst: Arg, src: &RegImm) -> Form {
    match src {
        RegImm::Reg(s) => Form::row(r)
            .byte_or_more(size)
            .args([Arg::Reg(*s, size.into()), dst]),
        RegImm::Imm(i) => alu_imm(r, size, dst, *i),
    }
}

fn mov(size: Size, dst: Reg, src: &RegMem) -> Form {
    let w = size.into();
    match src {
        RegMem::Reg(s) => Form::new("mov", Map::One, 0x88)
            .byte_or_more(size)
            .args([Arg::Reg(*s, w), Arg::RmReg(dst, w)]),
        RegMem::Mem(m) => Form::new("mov", Map::One, 0x8a)
            .byte_or_more(size)
            .args([Arg::Mem(*m), Arg::Reg(dst, w)]),
    }
}

fn mov_imm(size: Size, imm: i64, dst: Reg) -> Form {
    let plus = |name, size: Size, n, imm| {
        let op = if size == Size::S8 { 0xb0 } else { 0xb8 };
        Form::new(name, Map::One, op)
            .sized(size)
            .args([Arg::Imm(imm, n), Arg::Plus(dst, size.into())])
    };
    match size {
        Size::S8 => plus("mov", size, 1, imm as i8 as i64),
        Size::S16 => plus("mov", size, 2, imm as i16 as i64),
        Size::S32 => plus("mov", size, 4, imm as i32 as i64),
        Size::S64 if imm as u32 as i64 == imm => plus("mov", Size::S32, 4, imm as i32 as i64),
        Size::S64 if imm as i32 as i64 == imm => Form::new("mov", Map::One, 0xc7)
            .sized(size)
            .args([Arg::Imm(imm, 4), Arg::RmReg(dst, Width::Q)]),
        Size::S64 => movabs(imm, dst),
    }
}

/// The ten-byte move; its immediate is the last eight bytes.
pub(super) fn movabs(imm: i64, dst: Reg) -> Form {
    let mut f = Form::new("movabs", Map::One, 0xb8)
        .wide(Size::S64)
        .args([Arg::Imm(imm, 8), Arg::Plus(dst, Width::Q)]);
    f.suffix[1] = Size::S64.into();
    f
}

/// `call *target`.
pub(super) fn call(target: &RegMem) -> Form {
    Form::new("call", Map::One, 0xff)
        .digit(2)
        .star()
        .args([rm(target, Width::Q)])
}

fn store(size: Size, dst: &Amode, src: &RegImm) -> Form {
    let f = |op| Form::new("mov", Map::One, op).byte_or_more(size);
    match src {
        RegImm::Reg(s) => f(0x88).args([Arg::Reg(*s, size.into()), Arg::Mem(*dst)]),
        RegImm::Imm(i) => f(0xc6).args([
            Arg::Imm(at_size(*i, size) as i64, imm_bytes(size)),
            Arg::Mem(*dst),
        ]),
    }
}

fn ext(op: ExtOp, size: Size, src: &RegMem, dst: Reg) -> Form {
    let r = op.row();
    let from = [Size::S8, Size::S16, Size::S32][(r.x / 2) as usize];
    let signed = matches!(op, ExtOp::Sx8 | ExtOp::Sx16 | ExtOp::Sx32);
    // A 32-bit write clears the upper half, so zero extension never needs 64 bits.
    let size = if signed { size } else { size.min(Size::S32) };
    if size <= from {
        return mov(size.max(Size::S32).min(from.max(Size::S32)), dst, src);
    }
    let mut f = Form::row(r)
        .sized(size)
        .args([rm(src, from.into()), Arg::Reg(dst, size.into())]);
    f.suffix[0] = from.into();
    f
}

fn push(src: &RegMemImm) -> Form {
    let f = |op| {
        let mut f = Form::new("push", Map::One, op);
        f.suffix[1] = Size::S64.into();
        f
    };
    match src {
        RegMemImm::Reg(r) => f(0x50).args([Arg::Plus(*r, Width::Q)]),
        RegMemImm::Mem(m) => f(0xff).digit(6).args([Arg::Mem(*m)]),
        RegMemImm::Imm(i) if fits8(*i) => f(0x6a).args([Arg::Imm(*i as i64, 1)]),
        RegMemImm::Imm(i) => f(0x68).args([Arg::Imm(*i as i64, 4)]),
    }
}

fn un(op: UnOp, size: Size, dst: Arg) -> Form {
    let f = Form::row(op.row());
    match (op, dst) {
        (UnOp::Bswap, Arg::RmReg(r, w)) => f.sized(size).args([Arg::Plus(r, w)]),
        _ => f.digit(op.row().x).byte_or_more(size).args([dst]),
    }
}

fn shift(op: ShiftOp, size: Size, dst: Arg, count: u8) -> Form {
    let f = Form::row(op.row()).digit(op.row().x);
    match count {
        1 => f
            .op(0xd0)
            .byte_or_more(size)
            .args([Arg::ImpliedImm(1), dst]),
        n => f
            .byte_or_more(size)
            .args([Arg::Imm(n as i8 as i64, 1), dst]),
    }
}

fn imul_imm(size: Size, src: &RegMem, imm: i32, dst: Reg) -> Form {
    let imm = at_size(imm, size);
    let (op, n) = if fits8(imm) {
        (0x6b, 1)
    } else {
        (0x69, imm_bytes(size))
    };
    Form::new("imul", Map::One, op).sized(size).args([
        Arg::Imm(imm as i64, n),
        rm(src, size.into()),
        Arg::Reg(dst, size.into()),
    ])
}

/// `op reg, r/m` or `op imm8, r/m` of the bit instructions.
fn bit(name: &'static str, op: u8, digit: u8, size: Size, src: Reg, bit: &RegImm) -> Form {
    let w = size.into();
    match bit {
        RegImm::Reg(b) => Form::new(name, Map::M0f, op)
            .sized(size)
            .args([Arg::Reg(*b, w), Arg::RmReg(src, w)]),
        RegImm::Imm(i) => Form::new(name, Map::M0f, 0xba)
            .digit(digit)
            .sized(size)
            .args([Arg::Imm(*i as i8 as i64, 1), Arg::RmReg(src, w)]),
    }
}

/// `op src, dst` with general registers and suffix.
fn rm_reg(r: &Row, size: Size, src: &RegMem, dst: Reg) -> Form {
    Form::row(r)
        .sized(size)
        .args([rm(src, size.into()), Arg::Reg(dst, size.into())])
}

const RORX: Row = Row {
    name: "rorx",
    pfx: Pfx::F2,
    map: Map::M0f3a,
    op: 0xf0,
    x: 0,
};
const ANDN: Row = Row {
    name: "andn",
    pfx: Pfx::No,
    map: Map::M0f38,
    op: 0xf2,
    x: 0,
};
const MULX: Row = Row {
    name: "mulx",
    pfx: Pfx::F2,
    map: Map::M0f38,
    op: 0xf6,
    x: 0,
};

/// VEX-encoded instructions on general registers.
fn vex(r: &Row, size: Size) -> Form {
    let f = Form::row(r).vex().suffix(size);
    Form {
        w: size == Size::S64,
        ..f
    }
}

fn rep(name: &'static str, op: u8, size: Size) -> Form {
    Form {
        lead: REP,
        ..Form::new(name, Map::One, op)
    }
    .byte_or_more(size)
}

impl MInst {
    /// The form of an integer instruction.
    pub(super) fn int_form(&self) -> Option<Form> {
        self.arith_form()
            .or_else(|| self.bit_form())
            .or_else(|| self.other_form())
            .or_else(|| self.bmi_form())
    }

    /// Moves and arithmetic.
    fn arith_form(&self) -> Option<Form> {
        Some(match self {
            MInst::Mov { size, src, dst } => mov(*size, *dst, src),
            MInst::MovImm { size, imm, dst } => mov_imm(*size, *imm, *dst),
            MInst::Zero { dst } => alu(AluOp::Xor.row(), Size::S32, *dst, &RegMemImm::Reg(*dst)),
            MInst::Store { size, dst, src } => store(*size, dst, src),
            MInst::Ext { op, size, src, dst } => ext(*op, *size, src, *dst),
            MInst::Lea { size, addr, dst } => Form::new("lea", Map::One, 0x8d)
                .sized(*size)
                .args([Arg::Mem(*addr), Arg::Reg(*dst, (*size).into())]),
            MInst::Push { src } => push(src),
            MInst::Pop { dst } => {
                let mut f = Form::new("pop", Map::One, 0x58).args([Arg::Plus(*dst, Width::Q)]);
                f.suffix[1] = Size::S64.into();
                f
            }
            MInst::Alu {
                op,
                size,
                src2,
                dst,
                ..
            } => alu(op.row(), *size, *dst, src2),
            MInst::AluMem { op, size, dst, src } => alu_mem(op.row(), *size, Arg::Mem(*dst), src),
            MInst::Cmp { op, size, a, b } => alu(op.row(), *size, *a, b),
            MInst::TestReg { size, a } => alu(CmpOp::Test.row(), *size, *a, &RegMemImm::Reg(*a)),
            MInst::CmpMem { op, size, a, b } => alu_mem(op.row(), *size, rm(a, (*size).into()), b),
            MInst::Un { op, size, dst, .. } => un(*op, *size, Arg::RmReg(*dst, (*size).into())),
            MInst::UnMem { op, size, dst } => un(*op, *size, Arg::Mem(*dst)),
            MInst::Imul {
                size, src2, dst, ..
            } => Form::new("imul", Map::M0f, 0xaf)
                .sized(*size)
                .args([rm(src2, (*size).into()), Arg::Reg(*dst, (*size).into())]),
            MInst::ImulImm {
                size,
                src,
                imm,
                dst,
            } => imul_imm(*size, src, *imm, *dst),
            MInst::MulWide { op, size, b, .. } => Form::row(op.row())
                .digit(op.row().x)
                .byte_or_more(*size)
                .args([rm(b, (*size).into())]),
            MInst::Div {
                op, size, divisor, ..
            } => Form::row(op.row())
                .digit(op.row().x)
                .byte_or_more(*size)
                .args([rm(divisor, (*size).into())]),
            MInst::SignAcc { size, .. } => {
                Form::new(["", "cwtd", "cltd", "cqto"][*size as usize], Map::One, 0x99).wide(*size)
            }
            _ => return None,
        })
    }

    /// Shifts, bits, conditions.
    fn bit_form(&self) -> Option<Form> {
        Some(match self {
            MInst::Shift {
                op,
                size,
                count,
                dst,
                ..
            } => shift(*op, *size, Arg::RmReg(*dst, (*size).into()), *count),
            MInst::ShiftMem {
                op,
                size,
                dst,
                count,
            } => shift(*op, *size, Arg::Mem(*dst), *count),
            MInst::ShiftCl { op, size, dst, .. } => Form::row(op.row())
                .digit(op.row().x)
                .op(0xd2)
                .byte_or_more(*size)
                .args([
                    Arg::Implied(Reg::phys(regs::RCX), Width::B),
                    Arg::RmReg(*dst, (*size).into()),
                ]),
            MInst::BitScan { op, size, src, dst } => rm_reg(op.row(), *size, src, *dst),
            MInst::Bt { size, src, bit: b } => bit("bt", 0xa3, 4, *size, *src, b),
            MInst::BitOp {
                op,
                size,
                bit: b,
                dst,
                ..
            } => bit(op.row().name, op.row().op, op.row().x, *size, *dst, b),
            MInst::Setcc { cc, dst } => Form::new("set", Map::M0f, 0x90)
                .cc(*cc)
                .args([Arg::RmReg(*dst, Width::B)]),
            MInst::Cmov {
                cc,
                size,
                src2,
                dst,
                ..
            } => Form::new("cmov", Map::M0f, 0x40)
                .cc(*cc)
                .sized(*size)
                .args([rm(src2, (*size).into()), Arg::Reg(*dst, (*size).into())]),
            _ => return None,
        })
    }

    /// BMI1 and BMI2.
    fn bmi_form(&self) -> Option<Form> {
        Some(match self {
            MInst::Bmi {
                op,
                size,
                src,
                count,
                dst,
            } => {
                let w = (*size).into();
                vex(op.row(), *size).args([Arg::Vex(*count, w), rm(src, w), Arg::Reg(*dst, w)])
            }
            MInst::Rorx {
                size,
                src,
                count,
                dst,
            } => {
                let w = (*size).into();
                vex(&RORX, *size).args([
                    Arg::Imm(*count as i8 as i64, 1),
                    rm(src, w),
                    Arg::Reg(*dst, w),
                ])
            }
            MInst::Andn {
                size,
                src1,
                src2,
                dst,
            } => {
                let w = (*size).into();
                vex(&ANDN, *size).args([rm(src2, w), Arg::Vex(*src1, w), Arg::Reg(*dst, w)])
            }
            MInst::Bls { op, size, src, dst } => {
                let w = (*size).into();
                vex(op.row(), *size)
                    .digit(op.row().x)
                    .args([rm(src, w), Arg::Vex(*dst, w)])
            }
            MInst::Mulx {
                size, b, lo, hi, ..
            } => {
                let w = (*size).into();
                vex(&MULX, *size).args([rm(b, w), Arg::Vex(*lo, w), Arg::Reg(*hi, w)])
            }
            _ => return None,
        })
    }

    /// Atomics, string instructions, control.
    fn other_form(&self) -> Option<Form> {
        Some(match self {
            MInst::Xchg { size, mem, dst, .. } => Form::new("xchg", Map::One, 0x86)
                .byte_or_more(*size)
                .args([Arg::Reg(*dst, (*size).into()), Arg::Mem(*mem)]),
            MInst::Xadd { size, mem, dst, .. } => Form::new("xadd", Map::M0f, 0xc0)
                .byte_or_more(*size)
                .lock()
                .args([Arg::Reg(*dst, (*size).into()), Arg::Mem(*mem)]),
            MInst::Cmpxchg { size, mem, new, .. } => Form::new("cmpxchg", Map::M0f, 0xb0)
                .byte_or_more(*size)
                .lock()
                .args([Arg::Reg(*new, (*size).into()), Arg::Mem(*mem)]),
            MInst::LockAlu { op, size, dst, src } => {
                alu_mem(op.row(), *size, Arg::Mem(*dst), src).lock()
            }
            MInst::Leave {} => Form::new("leave", Map::One, 0xc9),
            MInst::Mfence {} => Form {
                modrm: Some(0xf0),
                ..Form::new("mfence", Map::M0f, 0xae)
            },
            MInst::Pause {} => Form {
                pfx: Pfx::F3,
                ..Form::new("pause", Map::One, 0x90)
            },
            MInst::RepMovs { size, .. } => rep("movs", 0xa4, *size),
            MInst::RepStos { size, .. } => rep("stos", 0xaa, *size),
            MInst::JmpReg { target, .. } => Form::new("jmp", Map::One, 0xff)
                .digit(4)
                .star()
                .args([rm(target, Width::Q)]),
            MInst::JmpFixup { fixup, .. } => Form::new("jmp", Map::One, 0xff)
                .digit(4)
                .star()
                .args([Arg::Mem(Amode::Fixup(*fixup))]),
            MInst::Ret { .. } => Form::new("ret", Map::One, 0xc3),
            MInst::Int3 {} => Form::new("int3", Map::One, 0xcc),
            _ => return None,
        })
    }
}
