//! A host for tests.

use super::{Answer, Host, Memory, unsupported};
use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::layout;
use crate::abi::trap::TrapKind;
use crate::ir::eval::Const;
use crate::ir::{Function, MemType};
use crate::types::{MethodId, TypeId};
use std::collections::HashMap;
use std::rc::Rc;

/// Code address of method 0; methods follow at a distance of 16.
const CODE: u64 = 0x5000_0000_0000;
/// Where a method table has its type's number; the rest is zero.
const TYPE_NUMBER: u64 = layout::method_table::TYPE_DESC as u64;
/// Bytes of a method table.
const TABLE_BYTES: u64 = 1024;

/// Methods given by functions; types that are just numbers. `type#0` is the base of all. The exception of a trap has type
/// [`SimpleHost::trap_type`].
#[derive(Default)]
pub struct SimpleHost {
    functions: HashMap<MethodId, Rc<Function>>,
    /// Base class by type (others than those in it have `type#0`).
    pub bases: HashMap<TypeId, TypeId>,
    /// Override by class and virtual method; classes without an entry use their base class's.
    pub overrides: HashMap<(TypeId, MethodId), MethodId>,
    /// Calls of methods without body, with what they were given; they give back nothing (or zero).
    pub log: Vec<(MethodId, Vec<Const>)>,
    values: HashMap<Fixup, u64>,
}

impl SimpleHost {
    /// A host with these functions; their `method` says what they are called by.
    pub fn new(functions: impl IntoIterator<Item = Function>) -> SimpleHost {
        let mut host = SimpleHost::default();
        for f in functions {
            if let Some(m) = f.method {
                host.functions.insert(m, Rc::new(f));
            }
        }
        host
    }

    /// The type of a trap's exception.
    pub fn trap_type(kind: TrapKind) -> TypeId {
        TypeId(1000 + kind as u32)
    }

    /// The type of an object.
    pub fn type_of(&self, mem: &Memory, object: u64) -> Option<TypeId> {
        let table = mem.word(object).ok()?;
        mem.word(table + TYPE_NUMBER).ok().map(|n| TypeId(n as u32))
    }

    fn is_subclass(&self, ty: TypeId, base: TypeId) -> bool {
        let mut at = ty;
        // Chains of base classes are short; the bound only guards against a cycle in a test's table.
        for _ in 0..64 {
            if at == base || base == TypeId(0) {
                return true;
            }
            match self.bases.get(&at) {
                Some(&b) => at = b,
                None => return false,
            }
        }
        false
    }

    fn make(&mut self, mem: &mut Memory, fixup: Fixup) -> Answer<u64> {
        Ok(match fixup {
            Fixup::MethodTable(t) => {
                let at = mem.alloc(TABLE_BYTES)?;
                mem.store(at + TYPE_NUMBER, MemType::I64, t.0 as u64)?;
                at
            }
            Fixup::MethodCode(m) => CODE + m.0 as u64 * 16,
            Fixup::MethodEntry(m) => {
                let at = mem.alloc(8)?;
                mem.store(at, MemType::I64, CODE + m.0 as u64 * 16)?;
                at
            }
            Fixup::StaticsBase(_) | Fixup::FieldData(_) => mem.alloc(256)?,
            Fixup::MethodHandle(_) | Fixup::FieldHandle(_) => mem.alloc(64)?,
            Fixup::StringLiteral(..) | Fixup::TypeObject(_) => {
                let table = self.fixup(mem, Fixup::MethodTable(TypeId(2)))?;
                let at = mem.alloc(64)?;
                mem.store(at, MemType::I64, table)?;
                at
            }
            other => return unsupported(format!("{other:?}")),
        })
    }
}

impl Host for SimpleHost {
    fn function(&self, method: MethodId) -> Option<Rc<Function>> {
        self.functions.get(&method).cloned()
    }

    fn fixup(&mut self, mem: &mut Memory, fixup: Fixup) -> Answer<u64> {
        if let Some(&v) = self.values.get(&fixup) {
            return Ok(v);
        }
        let v = self.make(mem, fixup)?;
        self.values.insert(fixup, v);
        Ok(v)
    }

    fn method_at(&self, code: u64) -> Option<MethodId> {
        let n = code.checked_sub(CODE)? / 16;
        Some(MethodId(u32::try_from(n).ok()?))
    }

    fn trap_exception(&mut self, mem: &mut Memory, kind: TrapKind) -> Answer<u64> {
        let table = self.fixup(mem, Fixup::MethodTable(Self::trap_type(kind)))?;
        let object = mem.alloc(32)?;
        mem.store(object, MemType::I64, table)?;
        Ok(object)
    }

    fn is_instance(&self, mem: &Memory, object: u64, table: u64) -> bool {
        match (self.type_of(mem, object), self.type_of_table(mem, table)) {
            (Some(t), Some(base)) => self.is_subclass(t, base),
            _ => false,
        }
    }

    fn type_of_table(&self, mem: &Memory, table: u64) -> Option<TypeId> {
        let n = mem.word(table + TYPE_NUMBER).ok()?;
        Some(TypeId(n as u32))
    }

    fn catches(&self, mem: &Memory, object: u64, ty: TypeId) -> bool {
        self.type_of(mem, object)
            .is_some_and(|t| self.is_subclass(t, ty))
    }

    fn instance_size(&self, _: TypeId) -> u32 {
        layout::object::HEADER + 64
    }

    fn element_size(&self, _: TypeId) -> u32 {
        8
    }

    fn virtual_target(&self, mem: &Memory, object: u64, method: MethodId) -> Option<MethodId> {
        let mut at = self.type_of(mem, object)?;
        for _ in 0..64 {
            if let Some(&m) = self.overrides.get(&(at, method)) {
                return Some(m);
            }
            match self.bases.get(&at) {
                Some(&b) => at = b,
                None => break,
            }
        }
        Some(method)
    }

    fn helper(
        &mut self,
        mem: &mut Memory,
        helper: HelperId,
        args: &[Const],
    ) -> Answer<Option<Const>> {
        if helper != HelperId::ResolveVirtual {
            return unsupported(helper.info().name);
        }
        let handle = args[1].bits;
        let named = self.values.iter().find_map(|(f, &v)| match f {
            Fixup::MethodHandle(m) if v == handle => Some(*m),
            _ => None,
        });
        let target = named.and_then(|m| self.virtual_target(mem, args[0].bits, m));
        match target {
            Some(m) => Ok(Some(Const::i64((CODE + m.0 as u64 * 16) as i64))),
            None => unsupported("not a method handle"),
        }
    }

    fn external(
        &mut self,
        _: &mut Memory,
        method: Option<MethodId>,
        args: &[Const],
    ) -> Answer<Option<Const>> {
        match method {
            Some(m) => self.log.push((m, args.to_vec())),
            None => return unsupported("native function"),
        }
        Ok(None)
    }
}
