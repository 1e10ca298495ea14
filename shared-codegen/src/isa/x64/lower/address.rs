//! Addressing modes: how much of an address computation goes into the instruction that uses it.

use super::Lower;
use crate::ir::{Imm, Inst, InstData, Op, Type, Value};
use crate::isa::x64::operand::Amode;
use crate::isa::x64::regs::{self, Reg};

/// An address taken apart: `base + (index << shift) + disp`.
struct Parts {
    base: Value,
    index: Option<Scaled>,
    disp: i32,
}

/// An index with its scale.
enum Scaled {
    Shift(Value, u8),
    /// Any other factor: multiplied by instructions.
    Factor(Value, u32),
}

impl Lower<'_> {
    /// The data of the instruction that computes a value.
    pub(super) fn def(&self, v: Value) -> Option<&InstData> {
        self.f.def_inst(v).map(|i| &self.f.insts[i.index()])
    }

    /// The value as an integer constant.
    pub(super) fn constant(&self, v: Value) -> Option<i64> {
        match self.def(v)? {
            InstData {
                op: Op::Iconst,
                imm: Imm::Int(n),
                ty,
                ..
            } => Some(match ty {
                Type::I32 => i64::from(*n as i32),
                _ => *n,
            }),
            InstData { op: Op::Null, .. } => Some(0),
            _ => None,
        }
    }

    /// The address `v + offset`.
    pub(super) fn amode(&mut self, v: Value, offset: i32) -> Amode {
        let parts = self.take_apart(v, offset);
        let base = self.def(parts.base).map(|d| (d.op, d.imm));
        match (base, &parts.index) {
            (Some((Op::SlotAddr, Imm::Slot(s, o, _))), None) => {
                if let Some(o) = o.checked_add(parts.disp) {
                    return Amode::Slot(s.0, o);
                }
            }
            (Some((Op::ThreadPtr, _)), None) => return Amode::thread(parts.disp),
            _ => {}
        }
        let base = self.reg(parts.base);
        match parts.index {
            None => Amode::base(base, parts.disp),
            Some(Scaled::Shift(i, k)) => {
                let i = self.reg(i);
                Amode::indexed(base, i, k, parts.disp)
            }
            Some(Scaled::Factor(i, n)) => {
                let (i, k) = self.scale_index(i, n);
                Amode::indexed(base, i, k, parts.disp)
            }
        }
    }

    fn take_apart(&self, v: Value, offset: i32) -> Parts {
        let mut p = Parts {
            base: self.f.resolve(v),
            index: None,
            disp: offset,
        };
        while let Some(d) = self.def(p.base) {
            let next = match (d.op, d.imm) {
                (Op::AddrCast, _) => Some(d.args[0]),
                (Op::AddrAdd, _) => self.absorb_add(&mut p, d.args[0], d.args[1]),
                (Op::Iadd, _) => self
                    .absorb_add(&mut p, d.args[0], d.args[1])
                    .or_else(|| self.absorb_const(&mut p, d.args[0]).then_some(d.args[1])),
                (Op::AddrIndex, Imm::Size(scale, o)) if p.index.is_none() => {
                    p.disp.checked_add(o).map(|disp| {
                        p.disp = disp;
                        p.index = Some(self.scaled(d.args[1], scale, &mut p.disp));
                        d.args[0]
                    })
                }
                _ => None,
            };
            match next {
                Some(n) => p.base = self.f.resolve(n),
                None => break,
            }
        }
        p
    }

    /// `base + b`: takes `b` as displacement or index.
    fn absorb_add(&self, p: &mut Parts, base: Value, b: Value) -> Option<Value> {
        if self.absorb_const(p, b) {
            return Some(base);
        }
        if p.index.is_some() {
            return None;
        }
        p.index = Some(self.scaled(b, 1, &mut p.disp));
        Some(base)
    }

    fn absorb_const(&self, p: &mut Parts, v: Value) -> bool {
        let sum = self
            .constant(v)
            .and_then(|c| c.checked_add(i64::from(p.disp)))
            .and_then(|s| i32::try_from(s).ok());
        if let Some(s) = sum {
            p.disp = s;
        }
        sum.is_some()
    }

    /// `v * scale` with what can be taken out of `v`: constant terms and shifts.
    fn scaled(&self, v: Value, scale: u32, disp: &mut i32) -> Scaled {
        let mut v = self.f.resolve(v);
        let mut scale = scale;
        while let Some(d) = self.def(v) {
            if d.op == Op::Iadd
                && let Some(c) = self.constant(d.args[1])
                && let Some(sum) = c
                    .checked_mul(i64::from(scale))
                    .and_then(|c| c.checked_add(i64::from(*disp)))
                    .and_then(|c| i32::try_from(c).ok())
            {
                *disp = sum;
                v = self.f.resolve(d.args[0]);
            } else if d.op == Op::Shl
                && let Some(k @ 0..=3) = self.constant(d.args[1])
                && scale << k <= 8
            {
                scale <<= k;
                v = self.f.resolve(d.args[0]);
            } else {
                break;
            }
        }
        match scale {
            1 | 2 | 4 | 8 => Scaled::Shift(v, scale.trailing_zeros() as u8),
            _ => Scaled::Factor(v, scale),
        }
    }

    /// A register and a shift that make `v * n`.
    fn scale_index(&mut self, v: Value, n: u32) -> (Reg, u8) {
        let v = self.reg(v);
        let shift = n.trailing_zeros().min(3) as u8;
        match n >> shift {
            f @ (3 | 5 | 9) => {
                let k = (f - 1).trailing_zeros() as u8;
                (self.emit_lea64(Amode::indexed(v, v, k, 0)), shift)
            }
            _ => match i32::try_from(n) {
                Ok(n) => (self.emit_imul_imm64(v, n), 0),
                Err(_) => {
                    let factor = self.emit_imm(Type::I64, i64::from(n));
                    (self.emit_imul64(v, factor), 0)
                }
            },
        }
    }

    /// The stack slot a `slot_load`, `slot_store` or `slot_addr` names.
    pub(super) fn slot_amode(&self, i: Inst) -> Amode {
        match self.f.insts[i.index()].imm {
            Imm::Slot(s, offset, _) => Amode::Slot(s.0, offset),
            _ => Amode::base(Reg::phys(regs::RSP), 0),
        }
    }

    /// The memory a load reads; `None` if the instruction is not a load.
    pub(super) fn loaded_from(&mut self, i: Inst) -> Option<Amode> {
        use crate::abi::layout;
        let d = &self.f.insts[i.index()];
        let (op, imm, arg) = (d.op, d.imm, d.args.first().copied());
        match (op, imm, arg) {
            (Op::Load, Imm::Mem(m), Some(a)) => Some(self.amode(a, m.offset)),
            (Op::SlotLoad, ..) => Some(self.slot_amode(i)),
            (Op::ArrayLen, _, Some(a)) => Some(self.amode(a, layout::array::LENGTH)),
            (Op::MethodTableOf, _, Some(a)) => Some(self.amode(a, layout::object::METHOD_TABLE)),
            _ => None,
        }
    }

    /// If the value is a load that may be done by the instruction in work instead: no other user
    /// (on the whole way from the load to here), same block, no memory effect in between.
    pub(super) fn sinkable_load(&self, v: Value) -> Option<Inst> {
        let i = self.movable_load(v)?;
        let bytes = match self.f.insts[i.index()].imm {
            Imm::Mem(m) => m.ty.bytes(),
            Imm::Slot(_, _, ty) => ty.bytes(),
            _ => 8,
        };
        (bytes >= 4).then_some(i)
    }

    /// The same for a load of any width. The low half of a load is a load too.
    pub(super) fn movable_load(&self, v: Value) -> Option<Inst> {
        let v = self.f.resolve(v);
        let v = match self.def(v)? {
            d if d.op == Op::Trunc => self.f.resolve(d.args[0]),
            _ => v,
        };
        let i = self.f.def_inst(v)?;
        let d = &self.f.insts[i.index()];
        let is_load = match d.imm {
            Imm::Mem(m) => d.op == Op::Load && !m.volatile,
            _ => matches!(d.op, Op::SlotLoad | Op::ArrayLen | Op::MethodTableOf),
        };
        if !is_load || self.home[i.index()] != self.home[self.current.index()] {
            return None;
        }
        let immutable = matches!(d.op, Op::ArrayLen | Op::MethodTableOf);
        if !immutable && self.epoch[i.index()] != self.epoch[self.current.index()] {
            return None;
        }
        self.only_for_current(v).then_some(i)
    }

    /// Every use of the value ends in the instruction in work, through values used once.
    pub(super) fn only_for_current(&self, v: Value) -> bool {
        let mut v = v;
        // Chains that rules look through are short.
        for _ in 0..4 {
            match self.uses[v.index()] {
                super::Uses::One(u) if u == self.current => return true,
                super::Uses::One(u) => match self.f.insts[u.index()].result {
                    // A user with a register of its own is not absorbed.
                    Some(r) if self.vregs[r.index()].is_none() => v = r,
                    _ => return false,
                },
                _ => return false,
            }
        }
        false
    }
}
