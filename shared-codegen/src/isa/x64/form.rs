//! From instruction to *form*: the one encoding that GNU as picks for it, as opcode and operand list
//! in AT&T order. `encode` makes bytes of a form, `print` makes text of it; neither knows instructions.
//!
//! Canonical forms: register-to-register moves and arithmetic use the store form, SSE moves the load
//! form; immediates the sign-extended byte, else the accumulator's short form, else 32 bits.

use super::inst::MInst;
use super::operand::{Amode, Cc, Lanes, RegMem, Size};
use super::ops::*;
use super::regs::Reg;

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
    /// AVX register.
    Y,
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

/// Prefix scheme.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Enc {
    /// Prefixes, REX.
    Legacy,
    /// VEX, 128 bits or scalar.
    Vex128,
    /// VEX, 256 bits.
    Vex256,
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
    /// Legacy or VEX.
    pub enc: Enc,
    /// AVX version of an SSE instruction: the name gets a `v`.
    pub avx: bool,
    /// Indirect jump or call: the operand is printed with `*`.
    pub star: bool,
    /// ModRM.reg if no operand is there.
    pub digit: u8,
    /// Complete ModRM byte of an instruction without operands.
    pub modrm: Option<u8>,
    /// Bytes of the immediate, 0 if there is none.
    pub imm_bytes: u8,
    /// Operands in AT&T order.
    pub args: [Slot; 4],
    /// The memory operand, if a slot says so.
    pub mem: Amode,
    /// The immediate.
    pub imm: i64,
}

/// A part of a mnemonic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part(u8);

impl Part {
    pub(super) const NONE: Part = Part(0);
    const TEXT: [&'static str; 21] = [
        "", "b", "w", "l", "q", "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np",
        "l", "ge", "le", "g",
    ];

    /// As text.
    pub fn text(self) -> &'static str {
        Part::TEXT[self.0 as usize]
    }
}

impl From<Lanes> for Width {
    fn from(l: Lanes) -> Width {
        match l {
            Lanes::X => Width::X,
            Lanes::Y => Width::Y,
        }
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
pub(super) const REP: u8 = 0xf3;

impl Form {
    #[inline(always)]
    pub(super) fn new(name: &'static str, map: Map, op: u8) -> Form {
        Form {
            lead: 0,
            name,
            suffix: [Part::NONE; 2],
            pfx: Pfx::No,
            map,
            op,
            w: false,
            enc: Enc::Legacy,
            avx: false,
            star: false,
            digit: 0,
            modrm: None,
            args: [Slot::None; 4],
            mem: Amode::OutArg(0),
            imm: 0,
            imm_bytes: 0,
        }
    }

    /// From a row, without size.
    #[inline(always)]
    pub(super) fn row(r: &Row) -> Form {
        Form {
            pfx: r.pfx,
            ..Form::new(r.name, r.map, r.op)
        }
    }

    /// Sets size prefixes and the suffix of the mnemonic.
    #[inline(always)]
    pub(super) fn sized(mut self, size: Size) -> Form {
        self.suffix[1] = size.into();
        self.wide(size)
    }

    /// Sets the suffix of the mnemonic only.
    #[inline(always)]
    pub(super) fn suffix(mut self, size: Size) -> Form {
        self.suffix[1] = size.into();
        self
    }

    /// Sets size prefixes only.
    #[inline(always)]
    pub(super) fn wide(mut self, size: Size) -> Form {
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
    pub(super) fn byte_or_more(mut self, size: Size) -> Form {
        self.op |= (size != Size::S8) as u8;
        self.sized(size)
    }

    #[inline(always)]
    pub(super) fn digit(mut self, d: u8) -> Form {
        self.digit = d;
        self
    }

    #[inline(always)]
    pub(super) fn op(mut self, op: u8) -> Form {
        self.op = op;
        self
    }

    #[inline(always)]
    pub(super) fn cc(mut self, cc: Cc) -> Form {
        self.suffix[0] = cc.into();
        self.op |= cc as u8;
        self
    }

    #[inline(always)]
    pub(super) fn star(mut self) -> Form {
        self.star = true;
        self
    }

    /// VEX-encoded, on general registers.
    #[inline(always)]
    pub(super) fn vex(mut self) -> Form {
        self.enc = Enc::Vex128;
        self
    }

    /// The AVX version.
    #[inline(always)]
    pub(super) fn avx(mut self, lanes: Lanes) -> Form {
        self.enc = match lanes {
            Lanes::X => Enc::Vex128,
            Lanes::Y => Enc::Vex256,
        };
        self.avx = true;
        self
    }

    /// An operand before the last one, in VEX.vvvv; behind a sole register that is source and destination.
    pub(super) fn with_first_source(mut self, src: Reg) -> Form {
        let count = self
            .args
            .iter()
            .filter(|a| !matches!(a, Slot::None))
            .count();
        let last = self.args[count - 1];
        let first = Slot::Vex(src, Width::X);
        match last {
            Slot::RmReg(..) => self.args[count] = first,
            _ => (self.args[count - 1], self.args[count]) = (first, last),
        }
        self
    }

    #[inline(always)]
    pub(super) fn lock(mut self) -> Form {
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
    pub(super) fn args<const N: usize>(mut self, args: [Arg; N]) -> Form {
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
pub(super) fn rm(rm: &RegMem, w: Width) -> Arg {
    match rm {
        RegMem::Reg(r) => Arg::RmReg(*r, w),
        RegMem::Mem(m) => Arg::Mem(*m),
    }
}

impl MInst {
    /// The form of a real instruction; `None` for pseudo-instructions, which emission expands.
    pub fn form(&self) -> Option<Form> {
        self.int_form()
            .or_else(|| self.sse_form())
            .or_else(|| self.avx_form())
    }
}
