//! Bytes of a form.

use super::form::{Enc, Form, Slot, Width};
use super::operand::Amode;
use super::ops::{Map, Pfx};
use super::regs::Reg;
use crate::abi::fixup::Fixup;
use crate::mach::Label;

/// Where the frame's pieces are, relative to `rbp`.
#[derive(Clone, Debug, Default)]
pub struct FrameMap {
    /// Offset of each stack slot of the IR function.
    pub slots: Vec<i32>,
    /// Offset of spill slot 0; the next ones are at higher addresses, 8 bytes each.
    pub spills: i32,
}

impl FrameMap {
    /// Replaces frame positions by addresses.
    #[inline]
    pub fn resolve(&self, m: Amode) -> Amode {
        let rbp = |disp| Amode::base(Reg::phys(super::regs::RBP), disp);
        match m {
            Amode::Slot(n, offset) => rbp(self.slots[n as usize] + offset),
            Amode::Spill(n) => rbp(self.spills + 8 * n as i32),
            Amode::InArg(offset) => rbp(16 + offset),
            Amode::OutArg(offset) => Amode::base(Reg::phys(super::regs::RSP), offset),
            m => m,
        }
    }
}

/// What a rip-relative operand refers to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RipTarget {
    /// Position in this function plus offset.
    Label(Label, i32),
    /// Cell of a runtime constant.
    Fixup(Fixup),
}

/// A rip-relative 32-bit field in an encoded instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RipField {
    /// Offset of the field in the instruction.
    pub at: u8,
    /// Bytes from the field's beginning to the end of the instruction.
    pub to_end: u8,
    /// What it refers to.
    pub target: RipTarget,
}

/// One encoded instruction.
#[derive(Clone, Copy, Debug)]
pub struct Encoded {
    buf: [u8; 24],
    len: u8,
    /// Rip-relative field, if any.
    pub rip: Option<RipField>,
}

impl Encoded {
    /// The bytes; a rip-relative field is zero.
    pub fn bytes(&self) -> &[u8] {
        &self.buf[..self.len as usize]
    }

    #[inline]
    fn put(&mut self, b: u8) {
        self.buf[self.len as usize] = b;
        self.len += 1;
    }

    #[inline]
    fn put_le(&mut self, v: i64, n: u8) {
        // Eight bytes are written whatever is wanted: the buffer has room behind the longest instruction.
        let at = self.len as usize;
        self.buf[at..at + 8].copy_from_slice(&v.to_le_bytes());
        self.len += n;
    }
}

/// Operands sorted by their place in the encoding.
struct Places {
    reg: u8,
    rm: Rm,
    vvvv: u8,
    /// A byte register that is only reachable with a REX prefix.
    rex8: bool,
}

enum Rm {
    None,
    Reg(u8),
    Mem,
    Plus(u8),
}

impl Places {
    fn new(form: &Form) -> Places {
        let mut p = Places {
            reg: form.digit,
            rm: Rm::None,
            vvvv: 0,
            rex8: false,
        };
        for arg in form.args {
            match arg {
                Slot::None => break,
                Slot::Reg(r, w) => p.reg = p.byte_reg(r, w),
                Slot::RmReg(r, w) => p.rm = Rm::Reg(p.byte_reg(r, w)),
                Slot::Plus(r, w) => p.rm = Rm::Plus(p.byte_reg(r, w)),
                Slot::Mem => p.rm = Rm::Mem,
                Slot::Vex(r, _) => p.vvvv = r.hw(),
                Slot::Imm | Slot::Implied(..) | Slot::ImpliedImm(_) => {}
            }
        }
        p
    }

    fn byte_reg(&mut self, r: Reg, w: Width) -> u8 {
        let n = r.hw();
        self.rex8 |= w == Width::B && (4..8).contains(&n);
        n
    }

    /// The high bits R, X, B of the register numbers, in that order from bit 2.
    fn rxb(&self, mem: &Amode) -> u8 {
        let high = |r: Reg| if r.is_some() { r.hw() >> 3 } else { 0 };
        let xb = match self.rm {
            Rm::None => 0,
            Rm::Reg(r) | Rm::Plus(r) => r >> 3,
            Rm::Mem => match *mem {
                Amode::Mem { base, index, .. } => high(index) << 1 | high(base),
                _ => 0,
            },
        };
        (self.reg >> 3 & 1) << 2 | xb
    }
}

/// Encodes a form. Frame positions must have been resolved.
pub fn encode(form: &Form) -> Encoded {
    let mut e = Encoded {
        buf: [0; 24],
        len: 0,
        rip: None,
    };
    let p = Places::new(form);
    if form.enc != Enc::Legacy {
        put_vex(&mut e, form, &p);
    } else {
        put_legacy(&mut e, form, &p);
    }
    match p.rm {
        Rm::Plus(r) => {
            e.put(form.op | (r & 7));
        }
        Rm::None => {
            e.put(form.op);
            if let Some(m) = form.modrm {
                e.put(m);
            }
        }
        Rm::Reg(r) => {
            e.put(form.op);
            e.put(0xc0 | (p.reg & 7) << 3 | (r & 7));
        }
        Rm::Mem => {
            e.put(form.op);
            put_mem(&mut e, p.reg & 7, &form.mem, form.imm_bytes);
        }
    }
    e.put_le(form.imm, form.imm_bytes);
    e
}

/// Legacy prefixes, REX, opcode map.
fn put_legacy(e: &mut Encoded, form: &Form, p: &Places) {
    // GNU as puts the operand-size prefix before `lock` and `rep`.
    if form.pfx == Pfx::P66 {
        e.put(0x66);
    }
    if form.lead != 0 {
        e.put(form.lead);
    }
    match form.pfx {
        Pfx::F2 => e.put(0xf2),
        Pfx::F3 => e.put(0xf3),
        _ => {}
    }
    let rex = (form.w as u8) << 3 | p.rxb(&form.mem);
    if rex != 0 || p.rex8 {
        e.put(0x40 | rex);
    }
    match form.map {
        Map::One => {}
        Map::M0f => e.put(0x0f),
        Map::M0f38 => e.put_le(0x380f, 2),
        Map::M0f3a => e.put_le(0x3a0f, 2),
    }
}

/// VEX prefix, in two bytes where possible.
fn put_vex(e: &mut Encoded, form: &Form, p: &Places) {
    let rxb = p.rxb(&form.mem);
    let wide = (form.enc == Enc::Vex256) as u8;
    let low = (!p.vvvv & 15) << 3 | wide << 2 | form.pfx as u8;
    if rxb & 3 == 0 && !form.w && form.map == Map::M0f {
        e.put(0xc5);
        e.put((!rxb & 4) << 5 | low);
    } else {
        e.put(0xc4);
        e.put((!rxb & 7) << 5 | form.map as u8);
        e.put((form.w as u8) << 7 | low);
    }
}

/// ModRM, SIB and displacement of a memory operand; `imm` bytes follow.
fn put_mem(e: &mut Encoded, reg: u8, m: &Amode, imm: u8) {
    let (base, index, shift, disp) = match *m {
        Amode::Mem {
            base,
            index,
            shift,
            disp,
        } => (base, index, shift, disp),
        Amode::Label(l, offset) => return put_rip(e, reg, RipTarget::Label(l, offset), imm),
        Amode::Fixup(f) => return put_rip(e, reg, RipTarget::Fixup(f), imm),
        _ => unreachable!("frame position in emitted code"),
    };
    let modrm = |e: &mut Encoded, md: u8, rm: u8| e.put(md << 6 | reg << 3 | rm);
    let sib_index = if index.is_some() { index.hw() & 7 } else { 4 };
    if !base.is_some() {
        modrm(e, 0, 4);
        e.put(shift << 6 | sib_index << 3 | 5);
        return e.put_le(disp as i64, 4);
    }
    let b = base.hw() & 7;
    let (md, n) = match disp {
        0 if b != 5 => (0, 0),
        d if d as i8 as i32 == d => (1, 1),
        _ => (2, 4),
    };
    if index.is_some() || b == 4 {
        modrm(e, md, 4);
        e.put(shift << 6 | sib_index << 3 | b);
    } else {
        modrm(e, md, b);
    }
    e.put_le(disp as i64, n);
}

fn put_rip(e: &mut Encoded, reg: u8, target: RipTarget, imm: u8) {
    e.put(reg << 3 | 5);
    e.rip = Some(RipField {
        at: e.len,
        to_end: 4 + imm,
        target,
    });
    e.put_le(0, 4);
}
