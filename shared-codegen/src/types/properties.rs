//! Properties and events.

use super::{MethodId, Result, TypeContext, TypeId};
use crate::metadata::{EventRow, MethodSemantics, PropertyRow, Token, sig};

/// Accessor kinds of `MethodSemantics` (ECMA-335 II.23.1.12).
mod semantics {
    pub(super) const SETTER: u16 = 1;
    pub(super) const GETTER: u16 = 2;
    pub(super) const OTHER: u16 = 4;
    pub(super) const ADD: u16 = 8;
    pub(super) const REMOVE: u16 = 0x10;
    pub(super) const FIRE: u16 = 0x20;
}

/// A property as a type declares it.
#[derive(Clone, Debug)]
pub struct Property {
    /// The row.
    pub row: PropertyRow,
    /// Name.
    pub name: &'static str,
    /// `PropertyAttributes`
    pub flags: u16,
    /// Type of the value.
    pub ty: TypeId,
    /// Types of the index parameters.
    pub params: Vec<TypeId>,
    /// `get` accessor.
    pub getter: Option<MethodId>,
    /// `set` accessor.
    pub setter: Option<MethodId>,
}

/// An event as a type declares it.
#[derive(Clone, Debug)]
pub struct Event {
    /// The row.
    pub row: EventRow,
    /// Name.
    pub name: &'static str,
    /// `EventAttributes`
    pub flags: u16,
    /// Delegate type.
    pub ty: TypeId,
    /// `add` accessor.
    pub add: Option<MethodId>,
    /// `remove` accessor.
    pub remove: Option<MethodId>,
    /// `raise` accessor.
    pub raise: Option<MethodId>,
    /// Other accessors.
    pub others: Vec<MethodId>,
}

impl TypeContext {
    /// Properties declared by a type, in row order.
    pub fn properties(&self, t: TypeId) -> Result<Vec<Property>> {
        let Some((module, row)) = self.def_of(t) else {
            return Ok(Vec::new());
        };
        let rows = self.module(module).properties_of(row);
        rows.map(|row| self.property(t, row)).collect()
    }

    /// One property of a type.
    pub fn property(&self, t: TypeId, row: PropertyRow) -> Result<Property> {
        let owner = self.open_form(t);
        let module = self.type_module(owner);
        let generics = self.owner_context(owner);
        let data = self.module(module).property(row)?;
        let sig = sig::parse_property(data.signature)?;
        let accessors = self.accessors(owner, row.token());
        let params = sig.params.iter();
        Ok(Property {
            row,
            name: data.name,
            flags: data.flags,
            ty: self.type_of_sig(module, &sig.ty, generics)?,
            params: params
                .map(|p| self.type_of_sig(module, p, generics))
                .collect::<Result<_>>()?,
            getter: pick(&accessors, semantics::GETTER),
            setter: pick(&accessors, semantics::SETTER),
        })
    }

    /// Events declared by a type, in row order.
    pub fn events(&self, t: TypeId) -> Result<Vec<Event>> {
        let Some((module, row)) = self.def_of(t) else {
            return Ok(Vec::new());
        };
        let rows = self.module(module).events_of(row);
        rows.map(|row| self.event(t, row)).collect()
    }

    /// One event of a type.
    pub fn event(&self, t: TypeId, row: EventRow) -> Result<Event> {
        let owner = self.open_form(t);
        let module = self.type_module(owner);
        let data = self.module(module).event(row)?;
        let accessors = self.accessors(owner, row.token());
        let others = accessors.iter().filter(|a| a.0 & semantics::OTHER != 0);
        Ok(Event {
            row,
            name: data.name,
            flags: data.flags,
            ty: self.resolve_type(module, data.ty, self.owner_context(owner))?,
            add: pick(&accessors, semantics::ADD),
            remove: pick(&accessors, semantics::REMOVE),
            raise: pick(&accessors, semantics::FIRE),
            others: others.map(|a| a.1).collect(),
        })
    }

    /// (kind, method) of each accessor of a property or event.
    fn accessors(&self, owner: TypeId, association: Token) -> Vec<(u16, MethodId)> {
        let md = self.module(self.type_module(owner));
        let entry = |s: MethodSemantics| (s.semantics, self.method_of(owner, s.method));
        md.semantics_of(association).map(entry).collect()
    }
}

fn pick(accessors: &[(u16, MethodId)], kind: u16) -> Option<MethodId> {
    accessors.iter().find(|a| a.0 & kind != 0).map(|a| a.1)
}
