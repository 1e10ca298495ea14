//! Operand types of machine instructions.

use super::regs::{self, Reg};
use crate::abi::fixup::Fixup;
use crate::ir::IntCc;
use crate::mach::Label;

/// Operand size of an integer instruction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(u8)]
pub enum Size {
    /// 8 bits.
    S8,
    /// 16 bits.
    S16,
    /// 32 bits; writing a register clears its upper half.
    S32,
    /// 64 bits.
    S64,
}

impl Size {
    /// All sizes.
    pub const ALL: [Size; 4] = [Size::S8, Size::S16, Size::S32, Size::S64];

    /// In bytes.
    pub fn bytes(self) -> u32 {
        1 << self as u32
    }
}

/// Width of a vector instruction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Lanes {
    /// 128 bits, or scalar.
    X,
    /// 256 bits.
    Y,
}

/// Condition of `jcc`, `setcc`, `cmovcc`; the number is the one in the opcode.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
#[allow(
    missing_docs,
    reason = "the names are the assembler's condition suffixes"
)]
pub enum Cc {
    O,
    No,
    B,
    Ae,
    E,
    Ne,
    Be,
    A,
    S,
    Ns,
    P,
    Np,
    L,
    Ge,
    Le,
    G,
}

impl Cc {
    /// All, in the order of their numbers, with their suffixes.
    pub const ALL: [(Cc, &'static str); 16] = [
        (Cc::O, "o"),
        (Cc::No, "no"),
        (Cc::B, "b"),
        (Cc::Ae, "ae"),
        (Cc::E, "e"),
        (Cc::Ne, "ne"),
        (Cc::Be, "be"),
        (Cc::A, "a"),
        (Cc::S, "s"),
        (Cc::Ns, "ns"),
        (Cc::P, "p"),
        (Cc::Np, "np"),
        (Cc::L, "l"),
        (Cc::Ge, "ge"),
        (Cc::Le, "le"),
        (Cc::G, "g"),
    ];

    /// The condition that holds exactly when this one does not.
    pub fn inverse(self) -> Cc {
        Cc::ALL[self as usize ^ 1].0
    }

    /// The suffix in assembler text.
    pub fn suffix(self) -> &'static str {
        Cc::ALL[self as usize].1
    }
}

impl From<IntCc> for Cc {
    fn from(cc: IntCc) -> Cc {
        match cc {
            IntCc::Eq => Cc::E,
            IntCc::Ne => Cc::Ne,
            IntCc::Slt => Cc::L,
            IntCc::Sle => Cc::Le,
            IntCc::Sgt => Cc::G,
            IntCc::Sge => Cc::Ge,
            IntCc::Ult => Cc::B,
            IntCc::Ule => Cc::Be,
            IntCc::Ugt => Cc::A,
            IntCc::Uge => Cc::Ae,
        }
    }
}

/// A memory address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Amode {
    /// `disp + base + index << shift`; `index` may be [`Reg::NONE`].
    Mem {
        /// Base register.
        base: Reg,
        /// Index register or none (never `rsp`).
        index: Reg,
        /// 0 to 3.
        shift: u8,
        /// Displacement.
        disp: i32,
    },
    /// A position in this function's code or constant pool plus offset, rip-relative.
    Label(Label, i32),
    /// The cell of a runtime constant, rip-relative (a GOT slot in images, the runtime's cell in JIT code).
    Fixup(Fixup),
    /// A stack slot of the IR function plus offset, resolved by the frame layout when emitted.
    Slot(u32, i32),
    /// A spill slot of the register allocator, resolved by the frame layout when emitted.
    Spill(u32),
    /// Incoming stack argument area plus offset: `16 + offset(%rbp)`.
    InArg(i32),
    /// Outgoing stack argument area plus offset: `offset(%rsp)`.
    OutArg(i32),
}

impl Amode {
    /// `disp(base)`.
    pub fn base(base: Reg, disp: i32) -> Amode {
        Amode::Mem {
            base,
            index: Reg::NONE,
            shift: 0,
            disp,
        }
    }

    /// `disp(base, index, 1 << shift)`.
    pub fn indexed(base: Reg, index: Reg, shift: u8, disp: i32) -> Amode {
        Amode::Mem {
            base,
            index,
            shift,
            disp,
        }
    }

    /// A field of the thread context.
    pub fn thread(offset: i32) -> Amode {
        Amode::base(Reg::phys(regs::THREAD), offset)
    }
}

/// Register or memory. A virtual register here may be given a spill slot by the register allocator
/// where the instruction allows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegMem {
    /// Register.
    Reg(Reg),
    /// Memory.
    Mem(Amode),
}

/// Register, memory or sign-extended immediate (of the operation's size for 8 and 16 bits).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegMemImm {
    /// Register.
    Reg(Reg),
    /// Memory.
    Mem(Amode),
    /// Immediate.
    Imm(i32),
}

/// Register or sign-extended immediate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegImm {
    /// Register.
    Reg(Reg),
    /// Immediate.
    Imm(i32),
}

impl From<Reg> for RegMem {
    fn from(r: Reg) -> Self {
        RegMem::Reg(r)
    }
}

impl From<Amode> for RegMem {
    fn from(m: Amode) -> Self {
        RegMem::Mem(m)
    }
}

impl From<Reg> for RegMemImm {
    fn from(r: Reg) -> Self {
        RegMemImm::Reg(r)
    }
}

impl From<RegMem> for RegMemImm {
    fn from(rm: RegMem) -> Self {
        match rm {
            RegMem::Reg(r) => RegMemImm::Reg(r),
            RegMem::Mem(m) => RegMemImm::Mem(m),
        }
    }
}
