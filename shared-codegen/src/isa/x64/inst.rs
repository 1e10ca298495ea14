//! The machine instructions. One row of [`insts!`] declares an instruction: its fields, what the
//! register allocator must know about each, and what it clobbers.
//!
//! Row: `Name { role field: Type, .. } clobbers(..)`. Roles:
//! * `val` no register operand;
//! * `src` read (a `RegMem`/`RegMemImm` in a virtual register may come back as a spill slot);
//! * `reg` read, always in a register; `late` the same, kept until the end;
//! * `dst` written; `early` written before all operands are read; `tied` written, in the register of the first operand;
//! * `rax_in rdx_in rcx_in rsi_in rdi_in` read from that register, `rax_out rdx_out` written there;
//! * `list` fixed registers of calls, returns and entries.
//!
//! Before register allocation all registers are virtual except `rsp`, `rbp`, `r15`, which are not shown to
//! the allocator. Two-address instructions name the input and the result separately; after allocation
//! both are the same register.

use super::operand::{Amode, Cc, Lanes, RegImm, RegMem, RegMemImm, Size};
use super::ops::*;
use super::regs::{self, Reg};
use super::visit::{OperandField, OperandVisitor, Role};
use crate::abi::fixup::Fixup;
use crate::abi::trap::TrapKind;
use crate::mach::Label;
use regalloc2::{PReg, PRegSet};
use smallvec::SmallVec;

/// Registers with a fixed place: arguments and results of calls.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FixedRegs {
    /// Read before.
    pub uses: SmallVec<[(Reg, PReg); 6]>,
    /// Written after.
    pub defs: SmallVec<[(Reg, PReg); 2]>,
    /// Changed besides the results (must not contain a result).
    pub clobbers: PRegSet,
}

impl FixedRegs {
    /// Operands of a call with the standard convention: everything caller-saved except results is clobbered.
    pub fn call(
        uses: impl IntoIterator<Item = (Reg, PReg)>,
        defs: impl IntoIterator<Item = (Reg, PReg)>,
    ) -> FixedRegs {
        let mut f = FixedRegs {
            uses: uses.into_iter().collect(),
            defs: defs.into_iter().collect(),
            clobbers: regs::caller_saved(),
        };
        for &(_, p) in &f.defs {
            f.clobbers.remove(p);
        }
        f
    }

    fn visit(&mut self, v: &mut impl OperandVisitor) {
        for (r, p) in &mut self.uses {
            v.reg(r, Role::fixed_use(*p));
        }
        for (r, p) in &mut self.defs {
            v.reg(r, Role::fixed_def(*p));
        }
    }
}

macro_rules! visit_field {
    (val, $v:ident, $f:ident) => {};
    (src, $v:ident, $f:ident) => {
        $f.visit(Role::USE, $v)
    };
    (reg, $v:ident, $f:ident) => {
        $f.visit_reg_only(Role::USE, $v)
    };
    (late, $v:ident, $f:ident) => {
        $f.visit_reg_only(Role::LATE_USE, $v)
    };
    (dst, $v:ident, $f:ident) => {
        $f.visit_reg_only(Role::DEF, $v)
    };
    (early, $v:ident, $f:ident) => {
        $f.visit_reg_only(Role::EARLY_DEF, $v)
    };
    (tied, $v:ident, $f:ident) => {
        $f.visit_reg_only(Role::TIED, $v)
    };
    (rax_in, $v:ident, $f:ident) => {
        $f.visit_reg_only(Role::fixed_use(regs::RAX), $v)
    };
    (rcx_in, $v:ident, $f:ident) => {
        $f.visit_reg_only(Role::fixed_use(regs::RCX), $v)
    };
    (rdx_in, $v:ident, $f:ident) => {
        $f.visit_reg_only(Role::fixed_use(regs::RDX), $v)
    };
    (rsi_in, $v:ident, $f:ident) => {
        $f.visit_reg_only(Role::fixed_use(regs::RSI), $v)
    };
    (rdi_in, $v:ident, $f:ident) => {
        $f.visit_reg_only(Role::fixed_use(regs::RDI), $v)
    };
    (rax_out, $v:ident, $f:ident) => {
        $f.visit_reg_only(Role::fixed_def(regs::RAX), $v)
    };
    (rdx_out, $v:ident, $f:ident) => {
        $f.visit_reg_only(Role::fixed_def(regs::RDX), $v)
    };
    (list, $v:ident, $f:ident) => {
        $f.visit($v)
    };
}

macro_rules! insts {
    ($($(#[$doc:meta])* $name:ident { $($role:ident $field:ident: $ty:ty),* } $(clobbers($($clob:ident),*))?;)*) => {
        /// A machine instruction or a pseudo-instruction that emission expands.
        #[derive(Clone, PartialEq, Debug)]
        #[allow(missing_docs, reason = "fields are explained by the instruction's own line and their type")]
        pub enum MInst { $($(#[$doc])* $name { $($field: $ty),* }),* }

        impl MInst {
            /// Shows every register operand to the visitor, in an order that never changes. Used twice:
            /// with a `Vec<Operand>` before register allocation, with a [`Substitute`](super::visit::Substitute) after it.
            #[allow(unused_variables, reason = "`val` fields are not visited")]
            pub fn visit_operands(&mut self, v: &mut impl OperandVisitor) {
                match self { $(MInst::$name { $($field),* } => { $(visit_field!($role, v, $field);)* })* }
            }

            /// One instruction of every row with random fields.
            #[cfg(test)]
            pub(crate) fn samples(rng: &mut super::oracle::Rng) -> Vec<MInst> {
                vec![$(MInst::$name { $($field: super::oracle::Arbitrary::arbitrary(rng)),* }),*]
            }

            /// Registers changed besides the operands.
            #[allow(unused_variables, reason = "only calls look at their fields")]
            pub fn clobbers(&self) -> PRegSet {
                match self {
                    MInst::Call { regs, .. } | MInst::CallReg { regs, .. } | MInst::AllocObject { regs, .. } | MInst::AllocArray { regs, .. } => regs.clobbers,
                    $($(MInst::$name { .. } => PRegSet::empty()$(.with(regs::$clob))*,)?)*
                    _ => PRegSet::empty(),
                }
            }
        }
    };
}

insts! {
    // ---- moves
    /// `dst = src`. With `S8`/`S16` only those bits are written: use `Ext` for loads of small values.
    Mov { val size: Size, src src: RegMem, dst dst: Reg };
    /// `dst = imm`, in the shortest form; may be `xor dst, dst`-free (flags are kept).
    MovImm { val size: Size, val imm: i64, dst dst: Reg };
    /// `dst = 0` by `xor` (changes the flags).
    Zero { dst dst: Reg };
    /// `[dst] = src`.
    Store { val size: Size, src dst: Amode, src src: RegImm };
    /// Sign or zero extension to `size` (`Zx32` is a 32-bit move).
    Ext { val op: ExtOp, val size: Size, src src: RegMem, dst dst: Reg };
    /// `dst = address`.
    Lea { val size: Size, src addr: Amode, dst dst: Reg };
    /// Push; an immediate is sign-extended.
    Push { src src: RegMemImm };
    /// Pop.
    Pop { dst dst: Reg };
    /// `rsp = rbp; pop rbp`.
    Leave {};

    // ---- integer arithmetic
    /// `dst = src1 op src2`.
    Alu { val op: AluOp, val size: Size, reg src1: Reg, src src2: RegMemImm, tied dst: Reg };
    /// `[dst] op= src`.
    AluMem { val op: AluOp, val size: Size, src dst: Amode, src src: RegImm };
    /// Flags of `a op b`.
    Cmp { val op: CmpOp, val size: Size, reg a: Reg, src b: RegMemImm };
    /// Flags of `a & a`.
    TestReg { val size: Size, reg a: Reg };
    /// Flags of `a op b`, memory on the left.
    CmpMem { val op: CmpOp, val size: Size, src a: RegMem, src b: RegImm };
    /// `dst = op src`.
    Un { val op: UnOp, val size: Size, reg src: Reg, tied dst: Reg };
    /// `[dst] = op [dst]` (`neg`, `not`).
    UnMem { val op: UnOp, val size: Size, src dst: Amode };
    /// `dst = src1 * src2`, low half (16 bits and more).
    Imul { val size: Size, reg src1: Reg, src src2: RegMem, tied dst: Reg };
    /// `dst = src * imm`, low half (16 bits and more).
    ImulImm { val size: Size, src src: RegMem, val imm: i32, dst dst: Reg };
    /// `hi:lo = a * b` (16 bits and more).
    MulWide { val op: MulOp, val size: Size, rax_in a: Reg, src b: RegMem, rax_out lo: Reg, rdx_out hi: Reg };
    /// `quot, rem = hi:lo / divisor` (16 bits and more). Has a trap entry `DivideByZero`.
    Div { val op: DivOp, val size: Size, rax_in lo: Reg, rdx_in hi: Reg, src divisor: RegMem, rax_out quot: Reg, rdx_out rem: Reg };
    /// `dst` = sign of `src` in every bit: `cwd`, `cdq`, `cqo`.
    SignAcc { val size: Size, rax_in src: Reg, rdx_out dst: Reg };
    /// `dst = src op count`.
    Shift { val op: ShiftOp, val size: Size, val count: u8, reg src: Reg, tied dst: Reg };
    /// `dst = src op (count & mask)` by `cl`.
    ShiftCl { val op: ShiftOp, val size: Size, reg src: Reg, rcx_in count: Reg, tied dst: Reg };
    /// `[dst] op= count`.
    ShiftMem { val op: ShiftOp, val size: Size, src dst: Amode, val count: u8 };
    /// Bits to count or find: `popcnt lzcnt tzcnt bsr bsf` (16 bits and more; the first three by CPU feature).
    BitScan { val op: BitScanOp, val size: Size, src src: RegMem, dst dst: Reg };
    /// BMI2 shift by register, and `bzhi` (32, 64 bits).
    Bmi { val op: BmiOp, val size: Size, src src: RegMem, src count: Reg, dst dst: Reg };
    /// BMI2 rotate right by constant (32, 64 bits).
    Rorx { val size: Size, src src: RegMem, val count: u8, dst dst: Reg };
    /// BMI1 `dst = !src1 & src2` (32, 64 bits).
    Andn { val size: Size, src src1: Reg, src src2: RegMem, dst dst: Reg };
    /// BMI1 `blsr blsmsk blsi` (32, 64 bits).
    Bls { val op: BlsOp, val size: Size, src src: RegMem, dst dst: Reg };
    /// BMI2 `hi:lo = a * b` without flags (32, 64 bits).
    Mulx { val size: Size, rdx_in a: Reg, src b: RegMem, dst lo: Reg, dst hi: Reg };
    /// Carry = bit of a register (16 bits and more).
    Bt { val size: Size, reg src: Reg, src bit: RegImm };
    /// `dst = src` with a bit set, cleared or inverted (16 bits and more).
    BitOp { val op: BitOp, val size: Size, reg src: Reg, src bit: RegImm, tied dst: Reg };
    /// `dst` = condition as 0 or 1; writes the low byte only.
    Setcc { val cc: Cc, dst dst: Reg };
    /// `dst = if cc { src2 } else { src1 }` (16 bits and more). Memory is read in any case.
    Cmov { val cc: Cc, val size: Size, reg src1: Reg, src src2: RegMem, tied dst: Reg };

    // ---- atomics
    /// `dst = [mem]; [mem] = src`, atomically.
    Xchg { val size: Size, reg src: Reg, src mem: Amode, tied dst: Reg };
    /// `dst = [mem]; [mem] += src`, atomically.
    Xadd { val size: Size, reg src: Reg, src mem: Amode, tied dst: Reg };
    /// If `[mem] == expected` then `[mem] = new`; `old` the value found; flags as compared; atomically.
    Cmpxchg { val size: Size, rax_in expected: Reg, src mem: Amode, src new: Reg, rax_out old: Reg };
    /// `[dst] op= src`, atomically.
    LockAlu { val op: AluOp, val size: Size, src dst: Amode, src src: RegImm };
    /// Full fence.
    Mfence {};
    /// Spin hint.
    Pause {};

    // ---- blocks of memory
    /// Copies `count` units of `size` upwards.
    RepMovs { val size: Size, rdi_in dst: Reg, rsi_in src: Reg, rcx_in count: Reg } clobbers(RDI, RSI, RCX);
    /// Fills `count` units of `size`.
    RepStos { val size: Size, rdi_in dst: Reg, rax_in value: Reg, rcx_in count: Reg } clobbers(RDI, RCX);

    // ---- SSE; operands of 16 bytes are never given a spill slot
    /// Load, or register copy (then of the whole register).
    SseMov { val op: SseMovOp, reg src: RegMem, dst dst: Reg };
    /// Load or copy of a scalar that may be spilled (`movss`, `movsd`).
    SseMovScalar { val op: SseMovOp, src src: RegMem, dst dst: Reg };
    /// Store.
    SseStore { val op: SseMovOp, src dst: Amode, src src: Reg };
    /// `dst = op src`, scalar operand: square root, conversions between floats. Upper lanes of `dst` are kept.
    SseUn { val op: SseUnOp, src src: RegMem, dst dst: Reg };
    /// `dst = op src`, packed operand.
    SsePackedUn { val op: SsePackedUnOp, reg src: RegMem, dst dst: Reg };
    /// `dst = op(src, imm)`: `roundss roundsd pshufd`.
    SseUnImm { val op: SseUnImmOp, reg src: RegMem, val imm: u8, dst dst: Reg };
    /// `dst = src1 op src2`, scalar.
    Sse { val op: SseOp, reg src1: Reg, src src2: RegMem, tied dst: Reg };
    /// `dst = src1 op src2`, packed (memory must be aligned to 16).
    SsePacked { val op: SsePackedOp, reg src1: Reg, reg src2: RegMem, tied dst: Reg };
    /// `dst = op(src1, src2, imm)`: `shufps`, `insertps`.
    SsePackedImm { val op: SsePackedImmOp, reg src1: Reg, reg src2: RegMem, val imm: u8, tied dst: Reg };
    /// Vector shift by constant.
    SseShift { val op: SseShiftOp, reg src: Reg, val count: u8, tied dst: Reg };
    /// `ucomiss` and its kind: flags of `a` compared with `b`.
    SseCmp { val op: SseCmpOp, reg a: Reg, src b: RegMem };
    /// General register or memory to SSE register, upper lanes zero (32, 64 bits).
    GprToXmm { val size: Size, src src: RegMem, dst dst: Reg };
    /// SSE register to general register (32, 64 bits).
    XmmToGpr { val size: Size, src src: Reg, dst dst: Reg };
    /// Signed integer to float; `size` is the integer's (32, 64 bits). Upper lanes of `dst` are kept: zero it before to avoid a false dependency.
    IntToFloat { val op: IntToFloatOp, val size: Size, src src: RegMem, dst dst: Reg };
    /// Float to signed integer of `size` (32, 64 bits).
    FloatToInt { val op: FloatToIntOp, val size: Size, src src: RegMem, dst dst: Reg };
    /// `dst = 0` by `xorps`.
    ZeroXmm { dst dst: Reg };

    /// Sign bits of the lanes of `src`.
    SseMask { val op: MaskOp, reg src: Reg, dst dst: Reg };

    // ---- AVX, AVX2, FMA (by CPU feature); memory needs no alignment, upper bits of `dst` become zero
    /// Load or copy.
    AvxMov { val op: SseMovOp, val lanes: Lanes, reg src: RegMem, dst dst: Reg };
    /// Store.
    AvxStore { val op: SseMovOp, val lanes: Lanes, src dst: Amode, src src: Reg };
    /// `dst = src1 op src2`, scalar.
    AvxScalar { val op: SseOp, reg src1: Reg, src src2: RegMem, dst dst: Reg };
    /// `dst = src1 op src2`, packed.
    Avx { val op: SsePackedOp, val lanes: Lanes, reg src1: Reg, reg src2: RegMem, dst dst: Reg };
    /// `dst = op(src1, src2, imm)`, packed.
    AvxImm { val op: SsePackedImmOp, val lanes: Lanes, reg src1: Reg, reg src2: RegMem, val imm: u8, dst dst: Reg };
    /// `dst = op src`, packed; the narrowing conversions only of registers.
    AvxUn { val op: SsePackedUnOp, val lanes: Lanes, reg src: RegMem, dst dst: Reg };
    /// `dst = op(src, imm)`, packed operations only.
    AvxUnImm { val op: SseUnImmOp, val lanes: Lanes, reg src: RegMem, val imm: u8, dst dst: Reg };
    /// Shift by constant.
    AvxShift { val op: SseShiftOp, val lanes: Lanes, reg src: Reg, val count: u8, dst dst: Reg };
    /// All lanes = lowest lane of `src` (`broadcastsd` only with 256 bits).
    Broadcast { val op: BroadcastOp, val lanes: Lanes, reg src: RegMem, dst dst: Reg };
    /// `dst = src1 op (src2 * src3)`.
    Fma { val op: FmaOp, val lanes: Lanes, reg src1: Reg, reg src2: Reg, reg src3: RegMem, tied dst: Reg };
    /// The words of 64 bits of a 256-bit register in the order that two bits each of `imm` say.
    Permq { reg src: Reg, val imm: u8, dst dst: Reg };
    /// Upper half of a 256-bit register.
    ExtractHigh { reg src: Reg, dst dst: Reg };
    /// Clears the upper halves of all AVX registers: before code that uses SSE.
    Vzeroupper {};

    // ---- control flow
    /// Jump; nothing if the target follows.
    Jmp { val target: Label };
    /// Conditional jump with both targets; the jump to the block that follows is left out.
    Branch { val cc: Cc, val taken: Label, val other: Label };
    /// To `taken` if one of two conditions holds, else to `other` (floating-point comparisons).
    BranchOr { val cc1: Cc, val cc2: Cc, val taken: Label, val other: Label };
    /// Conditional jump inside a block (sequences written by lowering).
    Jcc { val cc: Cc, val target: Label };
    /// Places a label (sequences written by lowering).
    Bind { val label: Label };
    /// To `targets[index]`; the index (32 bits, zero-extended) is in range. The table stands behind the code.
    JumpTable { reg index: Reg, early tmp: Reg, early base: Reg, val targets: Box<[Label]> };
    /// Jump to a code address (tail call; the frame has been left, so the register is not one that callees save).
    JmpReg { src target: RegMem, list regs: Box<FixedRegs> };
    /// Jump through the cell of a runtime constant (tail call; the frame has been left).
    JmpFixup { val fixup: Fixup, list regs: Box<FixedRegs> };
    /// Call through the cell of a runtime constant.
    Call { val fixup: Fixup, val kind: CallKind, list regs: Box<FixedRegs> };
    /// Call of a code address.
    CallReg { reg target: RegMem, val kind: CallKind, list regs: Box<FixedRegs> };
    /// Return instruction only; the frame has been left. Results are uses in `regs`.
    Ret { list regs: Box<FixedRegs> };
    /// Return of a filter funclet: result in `eax`. Expanded when the frame is known.
    FilterRet { list regs: Box<FixedRegs> };
    /// Entry of the function: defines the incoming register arguments. No code.
    Args { list regs: Box<FixedRegs> };
    /// End of the entry block of a function with handlers: goes to `body`; the handlers are successors for the
    /// register allocator's eyes only. No code unless `body` does not follow.
    EhEntry { val body: Label, val handlers: Box<[Label]> };

    // ---- traps and runtime sequences
    /// `ud2` with a trap entry.
    Trap { val kind: TrapKind };
    /// Jump to a cold trap if the condition holds.
    TrapIf { val cc: Cc, val kind: TrapKind };
    /// The next instruction of the block reads or writes memory that may be missing. No code.
    Faulting { val kind: TrapKind };
    /// Reads a byte at the address so that a null reference faults here.
    NullProbe { src addr: Amode };
    /// Breakpoint.
    Int3 {};
    /// Padding of that many bytes.
    Nop { val bytes: u8 };
    /// `dst` = value of a runtime constant.
    LoadFixup { val fixup: Fixup, dst dst: Reg };
    /// `dst` = float constant of 32 or 64 bits, from the pool (zero by `xorps`).
    LoadConst { val bits: u64, val size: Size, dst dst: Reg };
    /// `dst = src op constant`, packed, constant of 16 bytes in the pool (sign masks).
    Const128 { val op: SsePackedOp, val bits: u128, reg src: Reg, tied dst: Reg };
    /// `dst` = address of something in this function.
    LoadLabel { val label: Label, dst dst: Reg };
    /// Safepoint and stack-limit poll. Changes the flags only.
    Poll {};
    /// New object of `size` bytes: `regs.uses` = {method table in rdi}, `regs.defs` = {object in rax}, clobbers of a call.
    AllocObject { val size: u32, list regs: Box<FixedRegs> };
    /// New vector: `regs.uses` = {method table in rdi, length (i64, not negative) in rsi}, `regs.defs` = {array in rax}, clobbers of a call.
    AllocArray { val element: u32, list regs: Box<FixedRegs> };
    /// `rsp -= bytes`, a multiple of 16, page by page; `dst` = the memory gained. Expanded when the frame is known.
    StackAlloc { late bytes: Reg, early tmp: Reg, dst dst: Reg };
    /// Keeps a value alive until here. No code.
    KeepAlive { src value: RegMem };
    /// Beginning of the code of a source position. No code.
    Loc { val loc: crate::ir::SourceLoc };
}

/// What surrounds a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallKind {
    /// Nothing: managed callee, or a leaf helper without transition.
    Plain,
    /// Internal call or transition helper: saves `rsp`/`rbp` in the thread, tests for a pending exception afterwards.
    Native,
    /// Native code counted as stopped (P/Invoke): like `Native`, with the state change around it and a poll after it.
    PInvoke,
    /// Never returns: like `Native` without the test.
    NoReturn,
}
