//! Arguments and locals.

use super::Importer;
use super::error::Result;
use super::scan::VarRef;
use super::stack::Item;
use crate::ir::{MemType, Slot, Type, Value, Var};
use crate::types::{TypeId, ValueClass};

/// Where a variable lives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Storage {
    /// In SSA values.
    Ssa(Var, MemType, TypeId),
    /// A scalar in memory.
    Memory(Slot, MemType, TypeId),
    /// A struct in a slot.
    Struct(Slot, TypeId),
    /// A struct argument: memory of the callee's own, by address.
    StructArg(Value, TypeId),
}

impl Importer<'_> {
    fn lives_in_memory(&self, var: VarRef) -> bool {
        let sets = [
            &self.scan.address_taken,
            &self.scan.handler_live,
            &self.scan.too_many_params,
        ];
        sets.iter().any(|s| s.contains(&var))
    }

    /// Types of the arguments, `this` included.
    fn arg_types(&self) -> Vec<TypeId> {
        let mut types = Vec::new();
        if self.signature.has_this && !self.signature.explicit_this {
            let owner = self.ctx.method_owner(self.method);
            types.push(if self.ctx.is_value_type(owner) {
                self.ctx.by_ref(owner)
            } else {
                owner
            });
        }
        types.extend(self.signature.params);
        types
    }

    pub(crate) fn declare_args(&mut self) -> Result<()> {
        let entry = self.b.func.entry();
        let has_this = self.signature.has_this && !self.signature.explicit_this;
        let mut param = 0;
        let returns_struct = matches!(
            self.ctx.value_class(self.signature.ret)?,
            ValueClass::Struct { .. }
        );
        for (n, ty) in self.arg_types().into_iter().enumerate() {
            let is_this = has_this && n == 0;
            if returns_struct && self.return_buffer.is_none() && !is_this {
                self.return_buffer = Some(self.b.param(entry, param));
                param += 1;
            }
            let value = self.b.param(entry, param);
            param += 1;
            let var = VarRef::Arg(n as u32);
            let storage = match self.ctx.value_class(ty)? {
                ValueClass::Scalar(m) if self.lives_in_memory(var) => {
                    let slot = self.new_struct_slot(ty, false)?;
                    self.b.slot_store(slot, 0, m, value);
                    Storage::Memory(slot, m, ty)
                }
                ValueClass::Scalar(m) => {
                    let v = self.b.new_var(m.value_type());
                    self.b.def_var(v, value);
                    Storage::Ssa(v, m, ty)
                }
                ValueClass::Struct { .. } => Storage::StructArg(value, ty),
                ValueClass::Void => return self.invalid("an argument of type void"),
            };
            self.args.push(storage);
        }
        if returns_struct && self.return_buffer.is_none() {
            self.return_buffer = Some(self.b.param(entry, param));
        }
        Ok(())
    }

    pub(crate) fn declare_locals(&mut self) -> Result<()> {
        let types = if self.body.locals.is_null() {
            Vec::new()
        } else {
            self.ctx
                .locals(self.module, self.body.locals, self.generics)?
        };
        let mut zeros: Vec<(Type, Value)> = Vec::new();
        for (n, local) in types.into_iter().enumerate() {
            let var = VarRef::Local(n as u32);
            let storage = match self.ctx.value_class(local.ty)? {
                ValueClass::Scalar(m) if self.lives_in_memory(var) => {
                    Storage::Memory(self.new_struct_slot(local.ty, true)?, m, local.ty)
                }
                ValueClass::Scalar(m) => {
                    let ty = m.value_type();
                    let v = self.b.new_var(ty);
                    let zero = match zeros.iter().find(|z| z.0 == ty) {
                        Some(z) => z.1,
                        None => {
                            let zero = self.b.zero(ty);
                            zeros.push((ty, zero));
                            zero
                        }
                    };
                    self.b.def_var(v, zero);
                    Storage::Ssa(v, m, local.ty)
                }
                ValueClass::Struct { .. } => {
                    Storage::Struct(self.new_struct_slot(local.ty, true)?, local.ty)
                }
                ValueClass::Void => return self.invalid("a local of type void"),
            };
            self.locals.push(storage);
        }
        Ok(())
    }

    fn storage(&self, var: VarRef) -> Result<Storage> {
        let found = match var {
            VarRef::Arg(n) => self.args.get(n as usize),
            VarRef::Local(n) => self.locals.get(n as usize),
        };
        match found {
            Some(s) => Ok(*s),
            None => self.invalid("no such variable"),
        }
    }

    /// `ldloc`, `ldarg`
    pub(crate) fn load_var(&mut self, var: VarRef) -> Result<()> {
        let item = match self.storage(var)? {
            Storage::Ssa(v, _, ty) => Item::scalar(self.b.use_var(v), Some(ty)),
            Storage::Memory(slot, m, ty) => Item::scalar(self.b.slot_load(slot, 0, m), Some(ty)),
            Storage::Struct(slot, ty) => {
                let addr = self.b.slot_addr(slot, 0);
                self.load_struct_var(var, addr, ty)?
            }
            Storage::StructArg(addr, ty) => self.load_struct_var(var, addr, ty)?,
        };
        self.stack.push(item);
        Ok(())
    }

    fn load_struct_var(&mut self, var: VarRef, addr: Value, ty: TypeId) -> Result<Item> {
        let mut item = Item::structure(addr, ty);
        item.borrowed = Some(var);
        // Somebody else may write through a pointer while the item waits.
        if self.scan.address_taken.contains(&var) {
            self.owned(item)
        } else {
            Ok(item)
        }
    }

    /// `stloc`, `starg`
    pub(crate) fn store_var(&mut self, var: VarRef) -> Result<()> {
        let item = self.pop()?;
        let storage = self.storage(var)?;
        match storage {
            Storage::Ssa(v, m, _) => {
                let value = self.narrowed(item, m)?;
                self.b.def_var(v, value);
            }
            Storage::Memory(slot, m, _) => {
                let value = self.scalar_of(item)?;
                let value = self.to_type(value, m.value_type())?;
                self.b.slot_store(slot, 0, m, value);
            }
            Storage::Struct(..) | Storage::StructArg(..) => {
                self.unborrow(var)?;
                let (to, ty) = self.struct_home(storage)?;
                if item.borrowed != Some(var) {
                    self.require_struct(item)?;
                    self.copy_struct_to_stack(to, item.value, ty)?;
                }
            }
        }
        Ok(())
    }

    fn require_struct(&self, item: Item) -> Result<()> {
        if item.is_struct {
            Ok(())
        } else {
            self.invalid("a scalar where a struct is needed")
        }
    }

    fn struct_home(&mut self, storage: Storage) -> Result<(Value, TypeId)> {
        match storage {
            Storage::Struct(slot, ty) => Ok((self.b.slot_addr(slot, 0), ty)),
            Storage::StructArg(addr, ty) => Ok((addr, ty)),
            _ => self.invalid("not a struct variable"),
        }
    }

    /// `ldloca`, `ldarga`
    pub(crate) fn address_of_var(&mut self, var: VarRef) -> Result<()> {
        let (addr, ty) = match self.storage(var)? {
            Storage::Memory(slot, _, ty) | Storage::Struct(slot, ty) => {
                (self.b.slot_addr(slot, 0), ty)
            }
            Storage::StructArg(addr, ty) => (addr, ty),
            Storage::Ssa(..) => return self.invalid("address of a variable that has none"),
        };
        let by_ref = self.ctx.by_ref(ty);
        self.push(addr, Some(by_ref));
        Ok(())
    }

    /// The value of a scalar argument.
    pub(crate) fn arg_value(&mut self, n: u32) -> Result<Value> {
        match self.storage(VarRef::Arg(n))? {
            Storage::Ssa(v, ..) => Ok(self.b.use_var(v)),
            Storage::Memory(slot, m, _) => Ok(self.b.slot_load(slot, 0, m)),
            Storage::StructArg(addr, _) => Ok(addr),
            Storage::Struct(..) => self.invalid("an argument in a slot"),
        }
    }

    /// A scalar as a variable, field or parameter of this memory type holds it: small integers are cut to size and
    /// extended again.
    pub(crate) fn narrowed(&mut self, item: Item, m: MemType) -> Result<Value> {
        let v = self.scalar_of(item)?;
        let v = self.to_type(v, m.value_type())?;
        let already = item
            .ty
            .is_some_and(|t| self.mem_of(t).ok().flatten() == Some(m))
            || self.fits(v, m);
        Ok(match m {
            _ if already => v,
            MemType::I8 => self.b.sext8(v),
            MemType::U8 => self.b.zext8(v),
            MemType::I16 => self.b.sext16(v),
            MemType::U16 => self.b.zext16(v),
            _ => v,
        })
    }

    /// The value is surely in the range of a small type.
    fn fits(&self, v: Value, m: MemType) -> bool {
        use crate::ir::{Imm, Op};
        let Some(inst) = self.b.func.def_inst(v) else {
            return false;
        };
        let data = &self.b.func.insts[inst.index()];
        match (data.op, data.imm) {
            (Op::Iconst, Imm::Int(n)) => match m {
                MemType::I8 => i8::try_from(n).is_ok(),
                MemType::U8 => u8::try_from(n).is_ok(),
                MemType::I16 => i16::try_from(n).is_ok(),
                MemType::U16 => u16::try_from(n).is_ok(),
                _ => true,
            },
            (Op::Icmp | Op::Fcmp, _) => true,
            (Op::Sext8, _) => matches!(m, MemType::I8 | MemType::I16),
            (Op::Zext8, _) => !matches!(m, MemType::I8),
            (Op::Sext16, _) => m == MemType::I16,
            (Op::Zext16, _) => m == MemType::U16,
            (Op::Load, Imm::Mem(mem)) => mem.ty == m,
            (Op::SlotLoad, Imm::Slot(_, _, ty)) => ty == m,
            _ => false,
        }
    }
}
