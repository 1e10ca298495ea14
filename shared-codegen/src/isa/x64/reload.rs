//! Removes reloads of spilled values that are still in a register, and stores of what the slot holds
//! already. Works on allocated code while it is emitted, forwards through extended basic blocks.
//!
//! ```text
//! before                       after
//!   movq %rax, -48(%rbp)         movq %rax, -48(%rbp)
//!   movq -48(%rbp), %rcx         movq %rax, %rcx
//!   addq -48(%rbp), %rdx         addq %rax, %rdx
//! ```
//! The fast allocator passes everything between blocks through memory, so it profits most. The pass
//! knows for each register which spill slot holds the same value; only the allocator's moves write
//! spill slots. One walk, constant work per operand.

use super::inst::MInst;
use super::operand::{Amode, RegMem};
use super::regs::Reg;
use super::visit::{OperandVisitor, Role};
use regalloc2::{OperandKind, PReg, PRegSet, RegClass};

/// General registers, then SSE registers.
const REGS: usize = 32;
const NO_SLOT: u32 = u32::MAX;

/// For each register the spill slot with the same value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpillCache {
    slots: [u32; REGS],
}

impl Default for SpillCache {
    fn default() -> Self {
        SpillCache {
            slots: [NO_SLOT; REGS],
        }
    }
}

fn index(p: PReg) -> usize {
    p.hw_enc() % 16 + if p.class() == RegClass::Int { 0 } else { 16 }
}

impl SpillCache {
    /// A register with the value of a slot. (A slot is only ever moved from and to one class.)
    fn holder(&self, slot: u32) -> Option<PReg> {
        let n = self.slots.iter().position(|s| *s == slot)?;
        let class = if n < 16 {
            RegClass::Int
        } else {
            RegClass::Float
        };
        Some(PReg::new(n % 16, class))
    }

    /// `to = from`, both registers.
    pub fn copy(&mut self, from: PReg, to: PReg) {
        self.slots[index(to)] = self.slots[index(from)];
    }

    /// Stores a register into a slot. Is the store needed?
    pub fn store(&mut self, from: PReg, slot: u32) -> bool {
        if self.slots[index(from)] == slot {
            return false;
        }
        for s in &mut self.slots {
            if *s == slot {
                *s = NO_SLOT;
            }
        }
        self.slots[index(from)] = slot;
        true
    }

    /// Loads a slot into a register: gives the register that has the value already.
    pub fn load(&mut self, slot: u32, to: PReg) -> Option<PReg> {
        // The register itself is best: then there is nothing to do.
        let from = match self.slots[index(to)] == slot {
            true => Some(to),
            false => self.holder(slot),
        };
        self.slots[index(to)] = slot;
        from
    }

    /// Rewrites operands of an instruction, and forgets the registers it changes.
    pub fn instruction(&mut self, inst: &mut MInst) {
        let mut v = Visit {
            cache: self,
            written: PRegSet::empty(),
        };
        inst.visit_operands(&mut v);
        let mut written = v.written;
        written.union_from(inst.clobbers());
        for p in written {
            self.slots[index(p)] = NO_SLOT;
        }
    }
}

struct Visit<'a> {
    cache: &'a SpillCache,
    written: PRegSet,
}

impl OperandVisitor for Visit<'_> {
    fn reg(&mut self, r: &mut Reg, role: Role) {
        if role.kind == OperandKind::Def
            && let Some(p) = r.as_phys()
        {
            self.written.add(p);
        }
    }

    fn reg_mem(&mut self, _: &mut RegMem, _: Role) {}

    fn spilled(&mut self, rm: &mut RegMem) {
        if let RegMem::Mem(Amode::Spill(slot)) = *rm
            && let Some(p) = self.cache.holder(slot)
        {
            *rm = RegMem::Reg(Reg::phys(p));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::operand::{RegMemImm, Size};
    use super::super::ops::AluOp;
    use super::super::regs::{RAX, RCX, RDX, RSI};
    use super::*;

    fn add(dst: PReg, src2: RegMemImm) -> MInst {
        let dst = Reg::phys(dst);
        MInst::Alu {
            op: AluOp::Add,
            size: Size::S64,
            src1: dst,
            src2,
            dst,
        }
    }

    #[test]
    fn forwards_until_the_register_changes() {
        let mut c = SpillCache::default();
        assert!(c.store(RAX, 3));
        assert!(!c.store(RAX, 3));
        assert_eq!(c.load(3, RCX), Some(RAX));
        let mut i = add(RDX, RegMemImm::Mem(Amode::Spill(3)));
        c.instruction(&mut i);
        assert_eq!(i, add(RDX, RegMemImm::Reg(Reg::phys(RAX))));
        c.instruction(&mut add(RAX, RegMemImm::Imm(1)));
        assert_eq!(c.load(3, RSI), Some(RCX));
        assert!(c.store(RDX, 3));
        assert_eq!(c.load(3, RSI), Some(RDX));
    }

    #[test]
    fn calls_change_what_they_clobber() {
        let mut c = SpillCache::default();
        c.store(RAX, 1);
        c.store(super::super::regs::RBX, 2);
        let regs = Box::new(super::super::FixedRegs::call([], []));
        c.instruction(&mut MInst::CallReg {
            target: RegMem::Reg(Reg::phys(RCX)),
            kind: super::super::CallKind::Plain,
            regs,
        });
        assert_eq!(c.load(1, RDX), None);
        assert_eq!(c.load(2, RDX), Some(super::super::regs::RBX));
    }
}
