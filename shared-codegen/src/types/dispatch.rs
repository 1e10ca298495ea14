//! Virtual and interface dispatch: interface maps, exact targets, and the hash of interface methods.
//!
//! An interface map says for each implemented interface, method by method, which vtable slot of the
//! class implements it. It is built once per TypeDef in its open form; since it names slots, not methods, overrides in derived
//! classes and generic arguments need no further work. Rules: ECMA-335 II.12.2.

use super::{Error, Known, MethodId, MethodKind, Result, TypeContext, TypeId, TypeKind, VTable};

/// Interface implementations of a class in its open form.
#[derive(Debug, Default)]
pub struct InterfaceMap {
    /// One entry per interface, in the order of [`TypeContext::interfaces`].
    pub entries: Box<[InterfaceEntry]>,
}

/// Implementation of one interface.
#[derive(Debug)]
pub struct InterfaceEntry {
    /// The interface, in terms of the class's parameters.
    pub interface: TypeId,
    /// For each method of the interface, by its number ([`TypeContext::vtable_slot`]): the slot of the
    /// class that implements it, `None` if an abstract class leaves it open.
    pub slots: Box<[Option<u32>]>,
}

impl TypeContext {
    /// The interface map of a type's definition (`System.Array`'s for arrays).
    pub fn interface_map(&self, t: TypeId) -> Result<&InterfaceMap> {
        let def = self.dispatch_def(t);
        let entry = self.entry(def);
        if let Some(done) = entry.interface_map.get() {
            return done.as_deref().map_err(Clone::clone);
        }
        let built = self.build_interface_map(def).map(Box::new);
        let kept = entry.interface_map.get_or_init(|| built);
        kept.as_deref().map_err(Clone::clone)
    }

    /// The method that runs when virtual method `m` is called on an object of exact type
    /// `receiver`; `m` itself if it is not virtual. Handles interface and generic methods; for value types the result is the method
    /// on the value (`this` by address).
    pub fn resolve_virtual(&self, receiver: TypeId, m: MethodId) -> Result<MethodId> {
        let MethodKind::Def { owner, args, .. } = self.method_kind(m) else {
            return Ok(m);
        };
        if self.is_interface(owner) {
            return self.resolve_interface(receiver, m);
        }
        match self.vtable_slot(m) {
            None => Ok(m),
            Some(slot) => {
                let target = self.vtable_method(receiver, slot)?;
                Ok(self.with_method_args(target, args))
            }
        }
    }

    /// The method that implements interface method `m` (exact) in exact type `receiver`.
    pub fn resolve_interface(&self, receiver: TypeId, m: MethodId) -> Result<MethodId> {
        let MethodKind::Def { owner, args, .. } = self.method_kind(m) else {
            return Ok(m);
        };
        if let Some(target) = self.array_interface_target(receiver, owner, m)? {
            return Ok(target);
        }
        let unimplemented = || Error::TypeLoad {
            name: self.full_name(receiver).into(),
            assembly: self.assembly_name_of(receiver).into(),
            reason: format!("it does not implement '{}'", self.method_full_name(m)).into(),
        };
        let number = self.vtable_slot(m).ok_or_else(unimplemented)?;
        let at = self
            .find_interface(receiver, owner)?
            .ok_or_else(unimplemented)?;
        let entry = self.interface_map(receiver)?.entries.get(at);
        let slot = entry.and_then(|e| e.slots.get(number as usize).copied().flatten());
        match slot {
            Some(slot) => {
                let target = self.vtable_method(receiver, slot)?;
                Ok(self.with_method_args(target, args))
            }
            None if !self.method_is_abstract(m) => Ok(m),
            None => Err(unimplemented()),
        }
    }

    /// Position of the interface through which `receiver` serves calls to `interface`: itself, or the first one
    /// that is compatible by variance.
    fn find_interface(&self, receiver: TypeId, interface: TypeId) -> Result<Option<usize>> {
        let all = match self.kind(receiver) {
            TypeKind::SzArray(_) | TypeKind::Array { .. } => {
                self.interfaces(self.known(Known::Array))?
            }
            _ => self.interfaces(receiver)?,
        };
        let exact = all.iter().position(|&i| i == interface);
        if exact.is_some() || !self.has_variance(interface) {
            return Ok(exact);
        }
        Ok(all
            .iter()
            .position(|&i| self.variant_compatible(i, interface)))
    }

    /// Vectors implement the generic collection interfaces by generic methods of `System.Array` named
    /// `InternalArray__…`, instantiated with the *interface's* argument.
    fn array_interface_target(
        &self,
        receiver: TypeId,
        interface: TypeId,
        m: MethodId,
    ) -> Result<Option<MethodId>> {
        let (TypeKind::SzArray(_), TypeKind::Inst { def, args }) =
            (self.kind(receiver), self.kind(interface))
        else {
            return Ok(None);
        };
        if !self.is_array_interface(def) {
            return Ok(None);
        }
        let prefix = match ARRAY_METHOD_PREFIXES
            .iter()
            .find(|(k, _)| self.is_known(def, *k))
        {
            Some((_, prefix)) => prefix,
            None => return Ok(None),
        };
        let name = format!("InternalArray__{prefix}{}", self.method_name(m));
        let array = self.known(Known::Array);
        let target = self
            .find_method(array, &name)?
            .ok_or_else(|| Error::MissingMethod {
                member: format!("System.Array.{name}").into(),
            })?;
        Ok(Some(if self.generic_param_count(target) == 0 {
            target
        } else {
            self.with_method_args(target, args)
        }))
    }

    /// Slot of an interface method in the dispatch table of every class: a hash of names, the same in
    /// every process and for all instances of a generic interface.
    pub fn imt_slot(&self, m: MethodId) -> u32 {
        let mut hash = super::encode::Fnv::new();
        if let MethodKind::Def { owner, .. } = self.method_kind(m) {
            let (namespace, name) = self.type_name(owner);
            hash.write(namespace.as_bytes());
            hash.write(b".");
            hash.write(name.as_bytes());
            hash.write(b":");
        }
        hash.write(self.method_name(m).as_bytes());
        hash.write(&self.vtable_slot(m).unwrap_or(0).to_le_bytes());
        let mixed = hash.finish();
        ((mixed ^ (mixed >> 32)) as u32) % crate::abi::layout::method_table::IMT_SLOTS
    }

    fn build_interface_map(&self, def: TypeId) -> Result<InterfaceMap> {
        let open = self.open_form(def);
        let all = self.interfaces(open)?;
        if self.is_interface(def) {
            return Ok(InterfaceMap::default());
        }
        let vtable = self.vtable(def)?;
        let impls = self.method_impls(open)?;
        let parent = self.parent(open)?;
        let declared = self.declared_closure(open)?;
        let entries = all.iter().map(|&interface| {
            let inherited = self.inherited_entry(parent, interface)?;
            let again = declared.contains(&interface);
            let methods = self.interface_methods(interface)?;
            let slots = methods.iter().enumerate().map(|(n, &m)| {
                let explicit = impls.iter().find(|(decl, _)| *decl == m);
                if let Some(&(_, body)) = explicit {
                    return Ok(own_slot(vtable, self.method_row(body)));
                }
                let old = inherited.and_then(|e| e.slots.get(n).copied().flatten());
                if !again && inherited.is_some() {
                    return Ok(old);
                }
                self.implicit_slot(open, vtable, m, old)
            });
            Ok(InterfaceEntry {
                interface,
                slots: slots.collect::<Result<_>>()?,
            })
        });
        Ok(InterfaceMap {
            entries: entries.collect::<Result<_>>()?,
        })
    }

    /// A public virtual method of the class itself, else what the base class has, else a public
    /// virtual method of a base class.
    fn implicit_slot(
        &self,
        open: TypeId,
        vtable: &VTable,
        m: MethodId,
        inherited: Option<u32>,
    ) -> Result<Option<u32>> {
        let name = self.method_name(m);
        for own in vtable.own.iter().filter(|o| o.name == name) {
            let candidate = self.method_of(open, own.row);
            if self.method_is_public(candidate) && self.same_signature(candidate, m)? {
                return Ok(Some(own.slot));
            }
        }
        if inherited.is_some() {
            return Ok(inherited);
        }
        let Some(parent) = self.parent(open)? else {
            return Ok(None);
        };
        let found = self.find_virtual(parent, m, name, |c| self.method_is_public(c))?;
        Ok(found.map(|(_, slot)| slot))
    }

    /// The base class's entry for an interface.
    fn inherited_entry(
        &self,
        parent: Option<TypeId>,
        interface: TypeId,
    ) -> Result<Option<&InterfaceEntry>> {
        let Some(parent) = parent else {
            return Ok(None);
        };
        let at = self
            .interfaces(parent)?
            .iter()
            .position(|&i| i == interface);
        Ok(match at {
            Some(at) => self.interface_map(parent)?.entries.get(at),
            None => None,
        })
    }

    /// Interfaces that the type itself declares, with those they extend.
    fn declared_closure(&self, open: TypeId) -> Result<Vec<TypeId>> {
        let mut all = Vec::new();
        for &i in self.declared_interfaces(open)? {
            all.push(i);
            all.extend(self.interfaces(i)?);
        }
        Ok(all)
    }

    /// Virtual methods of an interface by their number.
    pub fn interface_methods(&self, interface: TypeId) -> Result<Vec<MethodId>> {
        let generics = self.owner_context(interface);
        let slots = self.vtable(interface)?.slots.iter();
        Ok(slots
            .map(|&m| self.substitute_method(m, generics))
            .collect())
    }
}

fn own_slot(vtable: &VTable, row: crate::metadata::MethodDefRow) -> Option<u32> {
    let at = vtable.own.binary_search_by_key(&row, |o| o.row).ok()?;
    Some(vtable.own[at].slot)
}

/// Word after `InternalArray__` for the methods of each interface of vectors.
const ARRAY_METHOD_PREFIXES: [(Known, &str); 5] = [
    (Known::IListOf, ""),
    (Known::ICollectionOf, "ICollection_"),
    (Known::IEnumerableOf, "IEnumerable_"),
    (Known::IReadOnlyListOf, "IReadOnlyList_"),
    (Known::IReadOnlyCollectionOf, "IReadOnlyCollection_"),
];
