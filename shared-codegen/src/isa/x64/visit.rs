//! Register operands of instructions as the register allocator sees them.

use super::operand::{Amode, RegImm, RegMem, RegMemImm};
use super::regs::Reg;
use regalloc2::{Allocation, Operand, OperandConstraint, OperandKind, OperandPos, PReg};

/// How an instruction uses one register operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Role {
    /// Read or written.
    pub kind: OperandKind,
    /// Before or after the instruction's main effect.
    pub pos: OperandPos,
    /// Where it must be.
    pub constraint: OperandConstraint,
}

impl Role {
    const fn new(kind: OperandKind, pos: OperandPos, constraint: OperandConstraint) -> Role {
        Role {
            kind,
            pos,
            constraint,
        }
    }

    /// Read; any register. Memory-capable operands may be on the stack instead.
    pub const USE: Role = Role::new(OperandKind::Use, OperandPos::Early, OperandConstraint::Reg);
    /// Read until the end of the instruction: never shares a register with a result.
    pub const LATE_USE: Role =
        Role::new(OperandKind::Use, OperandPos::Late, OperandConstraint::Reg);
    /// Written.
    pub const DEF: Role = Role::new(OperandKind::Def, OperandPos::Late, OperandConstraint::Reg);
    /// Written before the operands were read for the last time (results of sequences, scratch registers).
    pub const EARLY_DEF: Role =
        Role::new(OperandKind::Def, OperandPos::Early, OperandConstraint::Reg);
    /// Written, in the register of the first operand.
    pub const TIED: Role = Role::new(
        OperandKind::Def,
        OperandPos::Late,
        OperandConstraint::Reuse(0),
    );

    /// Read from one certain register.
    pub const fn fixed_use(p: PReg) -> Role {
        Role::new(
            OperandKind::Use,
            OperandPos::Early,
            OperandConstraint::FixedReg(p),
        )
    }

    /// Written to one certain register.
    pub const fn fixed_def(p: PReg) -> Role {
        Role::new(
            OperandKind::Def,
            OperandPos::Late,
            OperandConstraint::FixedReg(p),
        )
    }
}

/// Sees every register operand of an instruction, always in the same order.
pub trait OperandVisitor {
    /// A register.
    fn reg(&mut self, r: &mut Reg, role: Role);
    /// A register that may be given a spill slot instead (always read).
    fn reg_mem(&mut self, rm: &mut RegMem, role: Role);
    /// An operand that was given a spill slot.
    fn spilled(&mut self, _: &mut RegMem) {}
}

/// Lists the virtual registers of an instruction for the register allocator.
impl OperandVisitor for Vec<Operand> {
    fn reg(&mut self, r: &mut Reg, role: Role) {
        if let Some(v) = r.as_virt() {
            self.push(Operand::new(v, role.constraint, role.kind, role.pos));
        }
    }

    fn reg_mem(&mut self, rm: &mut RegMem, role: Role) {
        if let RegMem::Reg(r) = rm
            && let Some(v) = r.as_virt()
        {
            self.push(Operand::new(v, OperandConstraint::Any, role.kind, role.pos));
        }
    }
}

/// Replaces virtual registers by what the allocator chose for one instruction.
pub struct Substitute<'a> {
    /// The allocations not used up so far.
    pub allocs: std::slice::Iter<'a, Allocation>,
}

impl Substitute<'_> {
    fn next(&mut self) -> Allocation {
        *self.allocs.next().expect("one allocation per operand")
    }
}

impl OperandVisitor for Substitute<'_> {
    fn reg(&mut self, r: &mut Reg, _: Role) {
        if r.as_virt().is_some() {
            *r = Reg::phys(
                self.next()
                    .as_reg()
                    .expect("constraint asks for a register"),
            );
        }
    }

    fn reg_mem(&mut self, rm: &mut RegMem, _: Role) {
        if let RegMem::Reg(r) = rm
            && r.as_virt().is_some()
        {
            let a = self.next();
            *rm = match a.as_reg() {
                Some(p) => RegMem::Reg(Reg::phys(p)),
                None => RegMem::Mem(Amode::Spill(
                    a.as_stack().expect("register or slot").index() as u32,
                )),
            };
        }
    }
}

/// A field of an instruction that holds register operands.
pub(super) trait OperandField {
    /// Shows the registers to the visitor.
    fn visit(&mut self, role: Role, v: &mut impl OperandVisitor);
    /// The same where the operand must not become memory.
    fn visit_reg_only(&mut self, role: Role, v: &mut impl OperandVisitor);
}

impl OperandField for Reg {
    fn visit(&mut self, role: Role, v: &mut impl OperandVisitor) {
        v.reg(self, role);
    }

    fn visit_reg_only(&mut self, role: Role, v: &mut impl OperandVisitor) {
        v.reg(self, role);
    }
}

impl OperandField for Amode {
    fn visit(&mut self, role: Role, v: &mut impl OperandVisitor) {
        if let Amode::Mem { base, index, .. } = self {
            v.reg(base, role);
            v.reg(index, role);
        }
    }

    fn visit_reg_only(&mut self, role: Role, v: &mut impl OperandVisitor) {
        self.visit(role, v);
    }
}

impl OperandField for RegMem {
    fn visit(&mut self, role: Role, v: &mut impl OperandVisitor) {
        match self {
            RegMem::Reg(_) => v.reg_mem(self, role),
            RegMem::Mem(Amode::Spill(_)) => v.spilled(self),
            RegMem::Mem(m) => m.visit(role, v),
        }
    }

    fn visit_reg_only(&mut self, role: Role, v: &mut impl OperandVisitor) {
        match self {
            RegMem::Reg(r) => v.reg(r, role),
            RegMem::Mem(m) => m.visit(role, v),
        }
    }
}

impl OperandField for RegMemImm {
    fn visit(&mut self, role: Role, v: &mut impl OperandVisitor) {
        match self {
            RegMemImm::Reg(r) => {
                let mut rm = RegMem::Reg(*r);
                v.reg_mem(&mut rm, role);
                *self = rm.into();
            }
            RegMemImm::Mem(m @ Amode::Spill(_)) => {
                let mut rm = RegMem::Mem(*m);
                v.spilled(&mut rm);
                *self = rm.into();
            }
            RegMemImm::Mem(m) => m.visit(role, v),
            RegMemImm::Imm(_) => {}
        }
    }

    fn visit_reg_only(&mut self, role: Role, v: &mut impl OperandVisitor) {
        match self {
            RegMemImm::Reg(r) => v.reg(r, role),
            RegMemImm::Mem(m) => m.visit(role, v),
            RegMemImm::Imm(_) => {}
        }
    }
}

impl OperandField for RegImm {
    fn visit(&mut self, role: Role, v: &mut impl OperandVisitor) {
        if let RegImm::Reg(r) = self {
            v.reg(r, role);
        }
    }

    fn visit_reg_only(&mut self, role: Role, v: &mut impl OperandVisitor) {
        self.visit(role, v);
    }
}
