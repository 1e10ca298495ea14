//! From instruction to *form*: the one encoding that GNU as picks for it, as opcode and operand list
//! in AT&T order. `encode` makes bytes of a form, `print` makes text of it; neither knows instructions.
//!
//! Canonical forms: register-to-register moves and arithmetic use the store form, SSE moves the load
//! form; immediates the sign-extended byte, else the accumulator's short form, else 32 bits.

use super::inst::MInst;
use super::operand::{Amode, Cc, RegImm, RegMem, RegMemImm, Size};
use super::ops::*;
use super::regs::{self, Reg};

/// Width of an operand, which chooses register names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Width {
    /// 8 bits.
    B,
    /// 16 bits.
    W,
    /// 32 bits.
    L,
    /// 64 bits.
    Q,
    /// SSE register.
    X,
}

impl From<Size> for Width {
    fn from(s: Size) -> Width {
        [Width::B, Width::W, Width::L, Width::Q][s as usize]
    }
}

/// One operand with its place in the encoding.
#[derive(Clone, Copy, Debug)]
pub enum Arg {
    /// Register in ModRM.reg.
    Reg(Reg, Width),
    /// Register in ModRM.rm.
    RmReg(Reg, Width),
    /// Memory in ModRM.rm.
    Mem(Amode),
    /// Register in VEX.vvvv.
    Vex(Reg, Width),
    /// Register in the low bits of the opcode.
    Plus(Reg, Width),
    /// Register that the opcode implies.
    Implied(Reg, Width),
    /// Immediate of so many bytes.
    Imm(i64, u8),
    /// Immediate that the opcode implies.
    ImpliedImm(u8),
}

/// An operand as kept in a form: there is at most one memory operand and one immediate, so these
/// stand beside the list and the whole stays small (forms are copied a lot).
#[derive(Clone, Copy, Debug)]
pub enum Slot {
    /// No operand.
    None,
    /// See [`Arg`].
    Reg(Reg, Width),
    /// See [`Arg`].
    RmReg(Reg, Width),
    /// [`Form::mem`].
    Mem,
    /// See [`Arg`].
    Vex(Reg, Width),
    /// See [`Arg`].
    Plus(Reg, Width),
    /// See [`Arg`].
    Implied(Reg, Width),
    /// [`Form::imm`].
    Imm,
    /// See [`Arg`].
    ImpliedImm(u8),
}

/// An encoded instruction's description.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// First part of the mnemonic.
    pub name: &'static str,
    /// The rest of the mnemonic: condition and size.
    pub suffix: [Part; 2],
    /// Byte before everything but the operand-size prefix: `lock`, `rep`, extra 66; or 0.
    pub lead: u8,
    /// Mandatory prefix (66 also for 16-bit operands).
    pub pfx: Pfx,
    /// Opcode map.
    pub map: Map,
    /// Opcode byte.
    pub op: u8,
    /// REX.W / VEX.W.
    pub w: bool,
    /// Encoded with VEX (128 bits).
    pub vex: bool,
    /// Indirect jump or call: the operand is printed with `*`.
    pub star: bool,
    /// ModRM.reg if no operand is there.
    pub digit: u8,
    /// Complete ModRM byte of an instruction without operands.
    pub modrm: Option<u8>,
    /// Bytes of the immediate, 0 if there is none.
    pub imm_bytes: u8,
    /// Operands in AT&T order.
    pub args: [Slot; 3],
    /// The memory operand, if a slot says so.
    pub mem: Amode,
    /// The immediate.
    pub imm: i64,
}

/// A part of a mnemonic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part(u8);

impl Part {
    const NONE: Part = Part(0);
    const TEXT: [&'static str; 21] = [
        "", "b", "w", "l", "q", "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np",
        "l", "ge", "le", "g",
    ];

    /// As text.
    pub fn text(self) -> &'static str {
        Part::TEXT[self.0 as usize]
    }
}

impl From<Size> for Part {
    fn from(s: Size) -> Part {
        Part(1 + s as u8)
    }
}

impl From<Cc> for Part {
    fn from(cc: Cc) -> Part {
        Part(5 + cc as u8)
    }
}

const LOCK: u8 = 0xf0;
const REP: u8 = 0xf3;

impl Form {
    #[inline(always)]
    fn new(name: &'static str, map: Map, op: u8) -> Form {
        Form {
            lead: 0,
            name,
            suffix: [Part::NONE; 2],
            pfx: Pfx::No,
            map,
            op,
            w: false,
            vex: false,
            star: false,
            digit: 0,
            modrm: None,
            args: [Slot::None; 3],
            mem: Amode::OutArg(0),
            imm: 0,
            imm_bytes: 0,
        }
    }

    /// From a row, without size.
    #[inline(always)]
    fn row(r: &Row) -> Form {
        Form {
            pfx: r.pfx,
            ..Form::new(r.name, r.map, r.op)
        }
    }

    /// Sets size prefixes and the suffix of the mnemonic.
    #[inline(always)]
    fn sized(mut self, size: Size) -> Form {
        self.suffix[1] = size.into();
        self.wide(size)
    }

    /// Sets the suffix of the mnemonic only.
    #[inline(always)]
    fn suffix(mut self, size: Size) -> Form {
        self.suffix[1] = size.into();
        self
    }

    /// Sets size prefixes only.
    #[inline(always)]
    fn wide(mut self, size: Size) -> Form {
        if size == Size::S16 {
            // Beside a mandatory F3 (popcnt and its kind) the 66 is an extra prefix.
            match self.pfx {
                Pfx::No => self.pfx = Pfx::P66,
                _ => self.lead = 0x66,
            }
        }
        self.w = size == Size::S64;
        self
    }

    /// Integer opcodes whose lowest bit says "not 8 bits".
    #[inline(always)]
    fn byte_or_more(mut self, size: Size) -> Form {
        self.op |= (size != Size::S8) as u8;
        self.sized(size)
    }

    #[inline(always)]
    fn digit(mut self, d: u8) -> Form {
        self.digit = d;
        self
    }

    #[inline(always)]
    fn op(mut self, op: u8) -> Form {
        self.op = op;
        self
    }

    #[inline(always)]
    fn cc(mut self, cc: Cc) -> Form {
        self.suffix[0] = cc.into();
        self.op |= cc as u8;
        self
    }

    #[inline(always)]
    fn star(mut self) -> Form {
        self.star = true;
        self
    }

    #[inline(always)]
    fn vex(mut self) -> Form {
        self.vex = true;
        self
    }

    #[inline(always)]
    fn lock(mut self) -> Form {
        self.lead = LOCK;
        self
    }

    /// Replaces frame positions by addresses.
    #[inline]
    pub fn resolve(&mut self, frame: &super::encode::FrameMap) {
        self.mem = frame.resolve(self.mem);
    }

    /// The text of the leading byte.
    pub fn lead_text(&self) -> &'static str {
        match self.lead {
            LOCK => "lock ",
            REP => "rep ",
            _ => "",
        }
    }

    #[inline(always)]
    fn args<const N: usize>(mut self, args: [Arg; N]) -> Form {
        for (to, from) in self.args.iter_mut().zip(args) {
            *to = match from {
                Arg::Reg(r, w) => Slot::Reg(r, w),
                Arg::RmReg(r, w) => Slot::RmReg(r, w),
                Arg::Vex(r, w) => Slot::Vex(r, w),
                Arg::Plus(r, w) => Slot::Plus(r, w),
                Arg::Implied(r, w) => Slot::Implied(r, w),
                Arg::ImpliedImm(v) => Slot::ImpliedImm(v),
                Arg::Mem(m) => {
                    self.mem = m;
                    Slot::Mem
                }
                Arg::Imm(v, n) => {
                    self.imm = v;
                    self.imm_bytes = n;
                    Slot::Imm
                }
            };
        }
        self
    }
}

#[inline(always)]
fn rm(rm: &RegMem, w: Width) -> Arg {
    match rm {
        RegMem::Reg(r) => Arg::RmReg(*r, w),
        RegMem::Mem(m) => Arg::Mem(*m),
    }
}

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

fn sse_rm(r: &Row, src: &RegMem, dst: Reg) -> Form {
    Form::row(r).args([rm(src, Width::X), Arg::Reg(dst, Width::X)])
}

fn sse_mov(op: SseMovOp, src: &RegMem, dst: Reg) -> Form {
    match src {
        RegMem::Reg(_) => sse_rm(SseMovOp::Movaps.row(), src, dst),
        RegMem::Mem(_) => sse_rm(op.row(), src, dst),
    }
}

fn gpr_to_xmm(size: Size, src: &RegMem, dst: Reg) -> Form {
    let dst = Arg::Reg(dst, Width::X);
    match (size, src) {
        (Size::S64, RegMem::Mem(m)) => Form {
            pfx: Pfx::F3,
            ..Form::new("movq", Map::M0f, 0x7e)
        }
        .args([Arg::Mem(*m), dst]),
        (Size::S64, RegMem::Reg(r)) => Form {
            pfx: Pfx::P66,
            ..Form::new("movq", Map::M0f, 0x6e)
        }
        .wide(size)
        .args([Arg::RmReg(*r, Width::Q), dst]),
        _ => Form {
            pfx: Pfx::P66,
            ..Form::new("movd", Map::M0f, 0x6e)
        }
        .args([rm(src, Width::L), dst]),
    }
}

fn xmm_to_gpr(size: Size, src: Reg, dst: Reg) -> Form {
    let name = if size == Size::S64 { "movq" } else { "movd" };
    Form {
        pfx: Pfx::P66,
        ..Form::new(name, Map::M0f, 0x7e)
    }
    .wide(size)
    .args([Arg::Reg(src, Width::X), Arg::RmReg(dst, size.into())])
}

fn rep(name: &'static str, op: u8, size: Size) -> Form {
    Form {
        lead: REP,
        ..Form::new(name, Map::One, op)
    }
    .byte_or_more(size)
}

impl MInst {
    /// The form of a real instruction; `None` for pseudo-instructions, which emission expands.
    pub fn form(&self) -> Option<Form> {
        self.int_form().or_else(|| self.sse_form())
    }

    fn int_form(&self) -> Option<Form> {
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
            MInst::Bmi {
                op,
                size,
                src,
                count,
                dst,
            } => {
                let w = (*size).into();
                let f = Form::row(op.row()).vex();
                Form {
                    w: *size == Size::S64,
                    ..f
                }
                .suffix(*size)
                .args([Arg::Vex(*count, w), rm(src, w), Arg::Reg(*dst, w)])
            }
            MInst::Rorx {
                size,
                src,
                count,
                dst,
            } => {
                let w = (*size).into();
                let f = Form {
                    pfx: Pfx::F2,
                    w: *size == Size::S64,
                    ..Form::new("rorx", Map::M0f3a, 0xf0)
                };
                f.vex().suffix(*size).args([
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
                let f = Form {
                    w: *size == Size::S64,
                    ..Form::new("andn", Map::M0f38, 0xf2)
                };
                f.vex()
                    .suffix(*size)
                    .args([rm(src2, w), Arg::Vex(*src1, w), Arg::Reg(*dst, w)])
            }
            MInst::Bls { op, size, src, dst } => {
                let w = (*size).into();
                let f = Form {
                    w: *size == Size::S64,
                    ..Form::row(op.row())
                };
                f.vex()
                    .digit(op.row().x)
                    .suffix(*size)
                    .args([rm(src, w), Arg::Vex(*dst, w)])
            }
            MInst::Mulx {
                size, b, lo, hi, ..
            } => {
                let w = (*size).into();
                let f = Form {
                    pfx: Pfx::F2,
                    w: *size == Size::S64,
                    ..Form::new("mulx", Map::M0f38, 0xf6)
                };
                f.vex()
                    .suffix(*size)
                    .args([rm(b, w), Arg::Vex(*lo, w), Arg::Reg(*hi, w)])
            }
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

    fn sse_form(&self) -> Option<Form> {
        Some(match self {
            MInst::SseMov { op, src, dst } | MInst::SseMovScalar { op, src, dst } => {
                sse_mov(*op, src, *dst)
            }
            MInst::SseStore { op, dst, src } => Form::row(op.row())
                .op(op.row().x)
                .args([Arg::Reg(*src, Width::X), Arg::Mem(*dst)]),
            MInst::SseUn { op, src, dst } => sse_rm(op.row(), src, *dst),
            MInst::SsePackedUn { op, src, dst } => sse_rm(op.row(), src, *dst),
            MInst::SseUnImm { op, src, imm, dst } => Form::row(op.row()).args([
                Arg::Imm(*imm as i8 as i64, 1),
                rm(src, Width::X),
                Arg::Reg(*dst, Width::X),
            ]),
            MInst::Sse { op, src2, dst, .. } => sse_rm(op.row(), src2, *dst),
            MInst::SsePacked { op, src2, dst, .. } => sse_rm(op.row(), src2, *dst),
            MInst::SsePackedImm {
                op, src2, imm, dst, ..
            } => Form::row(op.row()).args([
                Arg::Imm(*imm as i8 as i64, 1),
                rm(src2, Width::X),
                Arg::Reg(*dst, Width::X),
            ]),
            MInst::SseShift { op, count, dst, .. } => Form::row(op.row())
                .digit(op.row().x)
                .args([Arg::Imm(*count as i8 as i64, 1), Arg::RmReg(*dst, Width::X)]),
            MInst::SseCmp { op, a, b } => sse_rm(op.row(), b, *a),
            MInst::ZeroXmm { dst } => sse_rm(SsePackedOp::Xorps.row(), &RegMem::Reg(*dst), *dst),
            MInst::GprToXmm { size, src, dst } => gpr_to_xmm(*size, src, *dst),
            MInst::XmmToGpr { size, src, dst } => xmm_to_gpr(*size, *src, *dst),
            MInst::IntToFloat { op, size, src, dst } => {
                let mut f =
                    Form::row(op.row()).args([rm(src, (*size).into()), Arg::Reg(*dst, Width::X)]);
                f.w = *size == Size::S64;
                f.suffix(*size)
            }
            MInst::FloatToInt { op, size, src, dst } => {
                let f =
                    Form::row(op.row()).args([rm(src, Width::X), Arg::Reg(*dst, (*size).into())]);
                Form {
                    w: *size == Size::S64,
                    ..f
                }
            }
            _ => return None,
        })
    }
}
