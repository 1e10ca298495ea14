//! Virtual method tables.
//!
//! A table is built once per TypeDef, over its open form. Slots of an instance are those of its
//! definition with the arguments substituted, one by one when asked for.
//!
//! Slots: those of the base class first, then one per new virtual method in row order. A method
//! without `newslot` takes the slot of the nearest base-class method with its name and
//! signature (ECMA-335 II.10.3.1); MethodImpls of class methods are applied last. An interface has one slot
//! per virtual method, starting at 0; they number the methods for [`super::InterfaceMap`].

use super::{Error, GenericContext, MethodId, MethodKind, Result, TypeContext, TypeId, TypeKind};
use crate::metadata::MethodDefRow;

/// Slots of a class or interface in its open form.
#[derive(Debug)]
pub struct VTable {
    /// The method in each slot, in terms of the type's own parameters.
    pub slots: Box<[MethodId]>,
    /// Virtual methods declared by the type itself, in row order.
    pub own: Box<[OwnSlot]>,
}

/// A virtual method declared by a type.
#[derive(Clone, Copy, Debug)]
pub struct OwnSlot {
    /// Its row.
    pub row: MethodDefRow,
    /// Its name.
    pub name: &'static str,
    /// Its slot.
    pub slot: u32,
}

impl TypeContext {
    /// The table of a type definition. For an instance: that of its definition; for arrays: that of `System.Array`; for `Canon`: that of `object`.
    pub fn vtable(&self, t: TypeId) -> Result<&VTable> {
        let def = self.dispatch_def(t);
        let entry = self.entry(def);
        if let Some(done) = entry.vtable.get() {
            return done.as_deref().map_err(Clone::clone);
        }
        let built = self.build_vtable(def).map(Box::new);
        entry
            .vtable
            .get_or_init(|| built)
            .as_deref()
            .map_err(Clone::clone)
    }

    /// Number of virtual slots.
    pub fn vtable_len(&self, t: TypeId) -> Result<u32> {
        Ok(self.vtable(t)?.slots.len() as u32)
    }

    /// The method in a slot of an exact type. Generic methods come as their definition.
    pub fn vtable_method(&self, t: TypeId, slot: u32) -> Result<MethodId> {
        let table = self.vtable(t)?;
        let open = table.slots.get(slot as usize).copied().ok_or_else(|| {
            Error::invalid_program(format_args!("{} has no slot {slot}", self.full_name(t)))
        })?;
        Ok(self.substitute_method(open, self.owner_context(t)))
    }

    /// The slot of a virtual method: in its class's table, or its number within its interface. `None` for non-virtual methods.
    pub fn vtable_slot(&self, m: MethodId) -> Option<u32> {
        let MethodKind::Def { row, owner, .. } = self.method_kind(m) else {
            return None;
        };
        if !self.method_is_virtual(m) {
            return None;
        }
        let own = &self.vtable(owner).ok()?.own;
        let at = own.binary_search_by_key(&row, |o| o.row).ok()?;
        Some(own[at].slot)
    }

    /// The TypeDef whose tables serve a type.
    pub(crate) fn dispatch_def(&self, t: TypeId) -> TypeId {
        match self.kind(t) {
            TypeKind::Inst { def, .. } => def,
            TypeKind::SzArray(_) | TypeKind::Array { .. } => self.known(super::Known::Array),
            TypeKind::Def { .. } | TypeKind::Missing(_) => t,
            _ => self.known(super::Known::Object),
        }
    }

    /// What the parameters of a type's definition stand for in the type.
    pub(crate) fn owner_context(&self, t: TypeId) -> GenericContext {
        GenericContext {
            type_args: self.type_args(t),
            method_args: &[],
        }
    }

    fn build_vtable(&self, def: TypeId) -> Result<VTable> {
        let open = self.open_form(def);
        let interface = self.is_interface(def);
        let parent = if interface { None } else { self.parent(open)? };
        let mut slots = Vec::new();
        if let Some(parent) = parent {
            let generics = self.owner_context(parent);
            let inherited = &self.vtable(parent)?.slots;
            slots.extend(
                inherited
                    .iter()
                    .map(|&m| self.substitute_method(m, generics)),
            );
        }
        let mut own = Vec::new();
        for m in self.methods(open)? {
            if !self.method_is_virtual(m) || self.method_is_static(m) {
                continue;
            }
            let (row, name) = (self.method_row(m), self.method_name(m));
            let base = match parent {
                Some(parent) if !self.method_is_newslot(m) => {
                    self.overridden_slot(parent, m, name)?
                }
                _ => None,
            };
            let slot = match base {
                Some(slot) => slot,
                None => {
                    slots.push(m);
                    slots.len() as u32 - 1
                }
            };
            slots[slot as usize] = m;
            own.push(OwnSlot { row, name, slot });
        }
        self.apply_class_impls(open, &own, &mut slots)?;
        Ok(VTable {
            slots: slots.into(),
            own: own.into(),
        })
    }

    /// Slot of the nearest virtual method above with this name and signature.
    fn overridden_slot(&self, parent: TypeId, m: MethodId, name: &str) -> Result<Option<u32>> {
        Ok(self
            .find_virtual(parent, m, name, |base| self.can_override(m, base))?
            .map(|(_, slot)| slot))
    }

    /// Nearest virtual method of `class` or its bases with the name and signature of `like` that `accept` takes, with its slot.
    pub(crate) fn find_virtual(
        &self,
        class: TypeId,
        like: MethodId,
        name: &str,
        accept: impl Fn(MethodId) -> bool,
    ) -> Result<Option<(MethodId, u32)>> {
        let mut at = Some(class);
        while let Some(class) = at {
            for own in self.vtable(class)?.own.iter().filter(|o| o.name == name) {
                let candidate = self.method_of(class, own.row);
                if self.same_signature(candidate, like)? && accept(candidate) {
                    return Ok(Some((candidate, own.slot)));
                }
            }
            at = self.parent(class)?;
        }
        Ok(None)
    }

    /// Same parameters, result and number of type parameters; `this` does not count.
    pub(crate) fn same_signature(&self, a: MethodId, b: MethodId) -> Result<bool> {
        let (a, b) = (self.method_signature(a)?, self.method_signature(b)?);
        Ok(a.params == b.params && a.ret == b.ret && a.generic_count == b.generic_count)
    }

    /// Private methods cannot be overridden, and assembly-internal ones only inside the assembly.
    fn can_override(&self, m: MethodId, base: MethodId) -> bool {
        use crate::types::member::Access;
        match self.method_access(base) {
            Access::Private => false,
            Access::Assembly | Access::FamilyAndAssembly => {
                let (own, other) = (self.method_module(m), self.method_module(base));
                own == other || self.is_friend(other, own)
            }
            _ => true,
        }
    }

    /// Puts bodies of MethodImpl rows into the slots of the class methods they name.
    fn apply_class_impls(
        &self,
        open: TypeId,
        own: &[OwnSlot],
        slots: &mut [MethodId],
    ) -> Result<()> {
        for (declaration, body) in self.method_impls(open)? {
            let MethodKind::Def { row, owner, .. } = self.method_kind(declaration) else {
                continue;
            };
            // Only slots inherited from a base class or own ones can be meant.
            let base = self.ancestor_of_definition(open, self.definition(owner));
            if base.is_none() || self.is_interface(owner) {
                continue;
            }
            let slot = if self.dispatch_def(owner) == self.dispatch_def(open) {
                own.iter().find(|o| o.row == row).map(|o| o.slot)
            } else {
                self.vtable_slot(declaration)
            };
            if let Some(place) = slot.and_then(|s| slots.get_mut(s as usize)) {
                *place = body;
            }
        }
        Ok(())
    }
}
