//! Registers: names, classes, the roles the calling convention gives them.

use regalloc2::{PReg, PRegSet, RegClass, VReg};

/// A register operand: virtual before register allocation, physical after it (or from the start
/// for registers that are never allocated: `rsp`, `rbp`, `r15`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reg(u32);

const PHYSICAL: u32 = 1 << 31;

impl Reg {
    /// No register (absent index, absent base).
    pub const NONE: Reg = Reg(u32::MAX);

    /// A physical register.
    pub const fn phys(p: PReg) -> Reg {
        Reg(PHYSICAL | p.index() as u32)
    }

    /// A virtual register.
    pub fn virt(v: VReg) -> Reg {
        let bits = v.bits() as u32;
        debug_assert!(bits & PHYSICAL == 0);
        Reg(bits)
    }

    /// The physical register, if it is one.
    pub fn as_phys(self) -> Option<PReg> {
        (self.0 & PHYSICAL != 0 && self != Reg::NONE)
            .then(|| PReg::from_index(self.0 as usize & 0xff))
    }

    /// The virtual register, if it is one.
    pub fn as_virt(self) -> Option<VReg> {
        (self.0 & PHYSICAL == 0).then(|| VReg::from_bits(self.0))
    }

    /// Is there a register at all?
    pub fn is_some(self) -> bool {
        self != Reg::NONE
    }

    /// General or SSE.
    pub fn class(self) -> RegClass {
        match self.as_virt() {
            Some(v) => v.class(),
            None => PReg::from_index(self.0 as usize & 0xff).class(),
        }
    }

    /// Hardware number 0-15 of a physical register.
    #[inline]
    pub(crate) fn hw(self) -> u8 {
        debug_assert!(self.0 & PHYSICAL != 0, "virtual register in emitted code");
        (self.0 & 15) as u8
    }
}

impl std::fmt::Debug for Reg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.as_phys(), self.as_virt()) {
            (Some(p), _) if p.class() == RegClass::Int => {
                write!(f, "%{}", GPR_NAMES[p.hw_enc() & 15][3])
            }
            (Some(p), _) => write!(f, "%xmm{}", p.hw_enc()),
            (_, Some(v)) => write!(f, "{v}"),
            _ => f.write_str("-"),
        }
    }
}

/// Names of the general registers by hardware number: 8, 16, 32, 64 bits.
pub const GPR_NAMES: [[&str; 4]; 16] = [
    ["al", "ax", "eax", "rax"],
    ["cl", "cx", "ecx", "rcx"],
    ["dl", "dx", "edx", "rdx"],
    ["bl", "bx", "ebx", "rbx"],
    ["spl", "sp", "esp", "rsp"],
    ["bpl", "bp", "ebp", "rbp"],
    ["sil", "si", "esi", "rsi"],
    ["dil", "di", "edi", "rdi"],
    ["r8b", "r8w", "r8d", "r8"],
    ["r9b", "r9w", "r9d", "r9"],
    ["r10b", "r10w", "r10d", "r10"],
    ["r11b", "r11w", "r11d", "r11"],
    ["r12b", "r12w", "r12d", "r12"],
    ["r13b", "r13w", "r13d", "r13"],
    ["r14b", "r14w", "r14d", "r14"],
    ["r15b", "r15w", "r15d", "r15"],
];

/// A general register by hardware number.
pub const fn gpr(n: usize) -> PReg {
    PReg::new(n, RegClass::Int)
}

/// An SSE register by hardware number.
pub const fn xmm(n: usize) -> PReg {
    PReg::new(n, RegClass::Float)
}

macro_rules! gprs {
    ($($name:ident = $n:literal),*) => { $(
        #[doc = concat!("Register number ", $n, ".")]
        pub const $name: PReg = gpr($n);
    )* };
}
gprs!(
    RAX = 0,
    RCX = 1,
    RDX = 2,
    RBX = 3,
    RSP = 4,
    RBP = 5,
    RSI = 6,
    RDI = 7,
    R8 = 8,
    R9 = 9,
    R10 = 10,
    R11 = 11,
    R12 = 12,
    R13 = 13,
    R14 = 14,
    R15 = 15
);

/// Integer argument registers in order.
pub const INT_ARGS: [PReg; 6] = [RDI, RSI, RDX, RCX, R8, R9];
/// Number of float argument registers `xmm0..`.
pub const FLOAT_ARGS: usize = 8;
/// Result registers.
pub const INT_RESULT: PReg = RAX;
/// Result register of floats.
pub const FLOAT_RESULT: PReg = xmm(0);
/// The other integer register in which native functions return structs.
pub const SECOND_INT_RESULT: PReg = RDX;
/// The other float register in which native functions return structs.
pub const SECOND_FLOAT_RESULT: PReg = xmm(1);
/// The thread context.
pub const THREAD: PReg = R15;
/// The hidden argument.
pub const CONTEXT: PReg = R10;
/// Registers a callee must keep (apart from `rbp` and the thread register, which are never allocated).
pub const CALLEE_SAVED: [PReg; 4] = [RBX, R12, R13, R14];

/// Everything a call may change: general registers first, then `xmm0`-`xmm15`.
pub fn caller_saved() -> PRegSet {
    let mut set = PRegSet::empty();
    for r in [RAX, RCX, RDX, RSI, RDI, R8, R9, R10, R11] {
        set.add(r);
    }
    for n in 0..16 {
        set.add(xmm(n));
    }
    set
}
