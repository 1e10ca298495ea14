//! Base classes and interfaces.

use super::cast::ARRAY_INTERFACES;
use super::{
    Error, GenericContext, Known, MethodId, MethodKind, Result, TypeContext, TypeId, TypeKind,
    TypeList,
};

/// Longest chain of base classes accepted.
pub(crate) const MAX_BASES: usize = 256;

impl TypeContext {
    /// The base class, with the type's arguments substituted. `None` for `object`, interfaces and pointers.
    pub fn parent(&self, t: TypeId) -> Result<Option<TypeId>> {
        let entry = self.entry(t);
        if let Some(done) = entry.parent.get() {
            return done.clone();
        }
        let found = match entry.kind {
            TypeKind::Inst { def, .. } => self
                .parent(def)
                .map(|p| p.map(|p| self.substitute(p, self.owner_context(t)))),
            TypeKind::Def { .. } => self.def_parent(t),
            TypeKind::SzArray(_) | TypeKind::Array { .. } => Ok(Some(self.known(Known::Array))),
            TypeKind::Canon | TypeKind::Param { .. } => Ok(Some(self.known(Known::Object))),
            TypeKind::Missing(_) => Err(self.type_load(t, "")),
            _ => Ok(None),
        };
        let found = found.map_err(|e| e.in_file(self.module_name(self.type_module(t))));
        entry.parent.get_or_init(|| found).clone()
    }

    fn def_parent(&self, t: TypeId) -> Result<Option<TypeId>> {
        let Some((module, row)) = self.def_of(t) else {
            return Ok(None);
        };
        let extends = self.module(module).type_def(row)?.extends;
        if extends.is_null() || self.is_interface(t) {
            return Ok(None);
        }
        let parent = self.resolve_type(module, extends, GenericContext::EMPTY)?;
        if self.is_interface(parent) {
            return Err(self.at_odds(t, "because the parent type is an interface"));
        }
        let Some((of, base)) = self.def_of(self.definition(parent)) else {
            return Err(self.type_load(t, "its base type is not a class"));
        };
        if of != module && self.is_closed(of, base) {
            return Err(self.type_load(t, "its base type cannot be seen by other assemblies"));
        }
        self.check_bases_end(t, parent)?;
        Ok(Some(parent))
    }

    /// Refuses cycles among base classes, looking at definitions only.
    fn check_bases_end(&self, t: TypeId, parent: TypeId) -> Result<()> {
        let mut at = self.definition(parent);
        for _ in 0..MAX_BASES {
            if at == t {
                return Err(self.type_load(t, "it derives from itself"));
            }
            let Some((module, row)) = self.def_of(at) else {
                return Ok(());
            };
            let extends = self.module(module).type_def(row)?.extends;
            if extends.is_null() {
                return Ok(());
            }
            // A class whose parent is known has passed this check.
            if self.entry(at).parent.get().is_some() {
                return Ok(());
            }
            at = self.definition(self.resolve_type(module, extends, GenericContext::EMPTY)?);
        }
        Err(self.type_load(t, "it has too many base classes"))
    }

    /// Interfaces named by the type itself, with its arguments substituted.
    pub fn declared_interfaces(&self, t: TypeId) -> Result<TypeList> {
        let entry = self.entry(t);
        if let Some(done) = entry.declared_interfaces.get() {
            return done.clone();
        }
        let found = match entry.kind {
            TypeKind::Inst { def, .. } => self
                .declared_interfaces(def)
                .map(|l| self.substitute_list(l, self.owner_context(t))),
            TypeKind::Def { module, row } => {
                let md = self.module(module);
                md.interfaces_of(row)
                    .map(|i| {
                        let token = md.interface_impl(i)?.interface;
                        self.resolve_type(module, token, GenericContext::EMPTY)
                    })
                    .collect::<Result<Vec<_>>>()
                    .and_then(|l| match l.iter().find(|&&i| !self.is_interface(i)) {
                        Some(_) => Err(self.at_odds(
                            t,
                            "because it attempts to implement a class as an interface",
                        )),
                        None => Ok(self.list(&l)),
                    })
            }
            TypeKind::SzArray(e) => {
                let list: Vec<TypeId> = ARRAY_INTERFACES
                    .iter()
                    .map(|&k| self.instance(self.known(k), &[e]))
                    .collect();
                Ok(self.list(&list))
            }
            _ => Ok(&[] as TypeList),
        };
        let found = found.map_err(|e| e.in_file(self.module_name(self.type_module(t))));
        entry.declared_interfaces.get_or_init(|| found).clone()
    }

    /// All interfaces a type implements: those of its base classes first, then its own with those they
    /// extend, each once. For instances in the order of the definition.
    pub fn interfaces(&self, t: TypeId) -> Result<TypeList> {
        let entry = self.entry(t);
        if let Some(done) = entry.interfaces.get() {
            return done.clone();
        }
        let found = match entry.kind {
            TypeKind::Inst { def, .. } => self
                .interfaces(def)
                .map(|l| self.substitute_list(l, self.owner_context(t))),
            _ => self.collect_interfaces(t),
        };
        entry.interfaces.get_or_init(|| found).clone()
    }

    fn collect_interfaces(&self, t: TypeId) -> Result<TypeList> {
        let mut all: Vec<TypeId> = match self.parent(t)? {
            Some(parent) => self.interfaces(parent)?.to_vec(),
            None => Vec::new(),
        };
        let mut path = vec![self.definition(t)];
        for &i in self.declared_interfaces(t)? {
            self.add_interface(i, &mut all, &mut path)?;
        }
        Ok(self.list(&all))
    }

    fn add_interface(
        &self,
        i: TypeId,
        all: &mut Vec<TypeId>,
        path: &mut Vec<TypeId>,
    ) -> Result<()> {
        let def = self.definition(i);
        if path.contains(&def) {
            return Err(self.type_load(i, "it extends itself"));
        }
        if path.len() > super::context::MAX_DEPTH as usize {
            return Err(self.type_load(i, "its interfaces are nested too deeply"));
        }
        if all.contains(&i) {
            return Ok(());
        }
        all.push(i);
        path.push(def);
        for &inner in self.declared_interfaces(i)? {
            self.add_interface(inner, all, path)?;
        }
        path.pop();
        Ok(())
    }

    /// (declaration, body) of each MethodImpl of a type, in its terms. Declarations that cannot be resolved are skipped:
    /// they concern only who calls them.
    pub fn method_impls(&self, t: TypeId) -> Result<Vec<(MethodId, MethodId)>> {
        let Some((module, row)) = self.def_of(t) else {
            return Ok(Vec::new());
        };
        let generics = self.owner_context(self.open_form(t));
        let mut impls = Vec::new();
        let md = self.module(module);
        for row in md.method_impls_of(row) {
            let row = md.method_impl(row)?;
            let body = self.resolve_method(module, row.body, generics)?;
            let MethodKind::Def { row: body, .. } = self.method_kind(body) else {
                return Err(Error::bad_image(
                    self.module_name(module),
                    "MethodImpl body",
                ));
            };
            if let Ok(declaration) = self.resolve_method(module, row.declaration, generics) {
                impls.push((declaration, self.method_of(self.open_form(t), body)));
            }
        }
        Ok(impls)
    }

    /// The ancestor of `t` (or `t` itself) that is an instance of definition `def`.
    pub fn ancestor_of_definition(&self, t: TypeId, def: TypeId) -> Option<TypeId> {
        let mut at = Some(t);
        while let Some(t) = at {
            if self.definition(t) == def {
                return Some(t);
            }
            at = self.parent(t).ok()?;
        }
        None
    }
}
