//! What can be wrong with a class although its metadata can be read: it was compiled against another version of what
//! it is made of. Looked for when the class is first used (ECMA-335 II.10, II.22.37).

use super::member::Access;
use super::{Error, FieldId, MethodId, ModuleId, Result, TypeContext, TypeId, TypeKind};
use crate::metadata::{AssemblyRow, TypeDefRow};

/// Bits of `TypeAttributes` that say who may see a type.
const VISIBILITY: u32 = 7;

/// Visibilities of types that other assemblies may see: public, nested public, nested family, nested family or assembly.
const VISIBLE: [u32; 4] = [1, 2, 4, 7];

impl TypeContext {
    /// Refuses a class that cannot have instances or run code: its base class is sealed or no class, an interface is none,
    /// a method that it must have is missing, a field's type cannot be had, a type argument violates a constraint.
    pub fn check_class(&self, t: TypeId) -> Result<()> {
        let entry = self.entry(t);
        if let Some(done) = entry.checked.get() {
            return done.clone();
        }
        let found = self.check_class_now(t);
        entry.checked.get_or_init(|| found).clone()
    }

    fn check_class_now(&self, t: TypeId) -> Result<()> {
        let module = self.type_module(t);
        // The class library's own types are right; types that are still being built are checked by their builder.
        if module == self.corlib() || self.growth(module).is_some() {
            return Ok(());
        }
        match self.kind(t) {
            TypeKind::Def { .. } => {}
            TypeKind::Inst { def, args } => {
                self.check_class(def)?;
                let exact = !self.contains_canon(t);
                if exact
                    && let Err(Error::Constraint { reason }) = self.check_type_arguments(def, args)
                {
                    return Err(Error::Class {
                        name: self.full_name(def).into(),
                        text: reason,
                    });
                }
            }
            _ => return Ok(()),
        }
        if let Some(parent) = self.parent(t)? {
            self.check_class(parent)?;
            if self.is_sealed(parent) {
                return Err(self.at_odds(t, "because the parent type is sealed"));
            }
        }
        for &i in self.declared_interfaces(t)? {
            self.check_class(i)?;
        }
        if !self.contains_generic_params(t) {
            self.layout(t)?;
            self.statics(t)?;
        }
        match self.is_interface(t) || self.is_abstract(t) {
            true => Ok(()),
            false => self.check_implemented(t),
        }
    }

    /// No slot and no interface method of a class is left without a method.
    fn check_implemented(&self, t: TypeId) -> Result<()> {
        let def = self.definition(t);
        if def != t {
            return self.check_class(def);
        }
        for &m in &self.vtable(t)?.slots {
            if self.method_is_abstract(m) {
                return Err(self.unimplemented(t, m));
            }
        }
        // A map that cannot be made fails where it is needed.
        let Ok(map) = self.interface_map(t) else {
            return Ok(());
        };
        for entry in &map.entries {
            let methods = self.interface_methods(entry.interface)?;
            for (&m, slot) in methods.iter().zip(&entry.slots) {
                if slot.is_none() && self.method_is_abstract(m) {
                    return Err(self.unimplemented(t, m));
                }
            }
        }
        Ok(())
    }

    fn unimplemented(&self, t: TypeId, m: MethodId) -> Error {
        let (name, assembly) = (self.full_name(t), self.assembly_name_of(t));
        let method = self.method_name(m);
        Error::Class {
            text: format!(
                "Method '{method}' in type '{name}' from assembly '{assembly}' does not have an implementation."
            )
            .into(),
            name: name.into(),
        }
    }

    /// A type that is not what its user takes it for.
    pub(crate) fn at_odds(&self, t: TypeId, why: &str) -> Error {
        let (name, assembly) = (self.full_name(t), self.assembly_name_of(t));
        Error::Class {
            text: format!("Could not load type '{name}' from assembly '{assembly}' {why}.").into(),
            name: name.into(),
        }
    }

    /// Refuses a method that code must not use: its class is unusable, or it does not show itself.
    pub fn check_method_use(&self, by: MethodId, m: MethodId) -> Result<()> {
        let owner = self.method_owner(m);
        self.check_class(owner)?;
        let access = || self.method_access(m);
        match self.may_use(by, owner, access) {
            true => Ok(()),
            false => Err(Error::MethodAccess {
                by: self.method_title(by).into(),
                member: self.method_title(m).into(),
            }),
        }
    }

    /// Refuses a field that code must not use.
    pub fn check_field_use(&self, by: MethodId, f: FieldId) -> Result<()> {
        let owner = self.field_owner(f);
        self.check_class(owner)?;
        let access = || Access::of(self.field_flags(f));
        match self.may_use(by, owner, access) {
            true => Ok(()),
            false => Err(Error::FieldAccess {
                by: self.method_title(by).into(),
                member: format!("{}.{}", self.full_name(owner), self.field_name(f)).into(),
            }),
        }
    }

    /// Code of another assembly may use a member of `owner`. Inside an assembly the compiler has seen to it.
    fn may_use(&self, by: MethodId, owner: TypeId, access: impl Fn() -> Access) -> bool {
        let (from, to) = (self.method_module(by), self.type_module(owner));
        if from == to || self.growth(from).is_some() || self.growth(to).is_some() {
            return true;
        }
        let Some((module, row)) = self.def_of(owner) else {
            return true;
        };
        let friend = || self.shows_internals(to, from);
        let seen = || self.is_visible(module, row) || friend();
        let family = || self.derives(self.method_owner(by), owner);
        match access() {
            Access::Public => seen(),
            Access::Family => family() && seen(),
            Access::FamilyOrAssembly => friend() || family() && seen(),
            Access::Assembly => friend(),
            Access::FamilyAndAssembly => family() && friend(),
            Access::Private => false,
        }
    }

    /// The class, or one around it, derives from the definition of `base`.
    fn derives(&self, class: TypeId, base: TypeId) -> bool {
        let base = self.definition(base);
        let mut at = Some(self.definition(class));
        while let Some(class) = at {
            if self.ancestor_of_definition(class, base).is_some() {
                return true;
            }
            at = self.enclosing_type(class);
        }
        false
    }

    /// A type and all around it can be seen by other assemblies.
    pub(super) fn is_visible(&self, module: ModuleId, row: TypeDefRow) -> bool {
        let md = self.module(module);
        let mut at = Some(self.type_def(module, row));
        while let Some((_, row)) = at.and_then(|t| self.def_of(t)) {
            let flags = md.type_def(row).map_or(0, |d| d.flags);
            if !VISIBLE.contains(&(flags & VISIBILITY)) {
                return false;
            }
            at = at.and_then(|t| self.enclosing_type(t));
        }
        true
    }

    /// The internals of `of` are open to `to`: by a friend declaration of the one or a demand of the other.
    fn shows_internals(&self, of: ModuleId, to: ModuleId) -> bool {
        const DEMAND: (&str, &str) = (
            "System.Runtime.CompilerServices",
            "IgnoresAccessChecksToAttribute",
        );
        self.is_friend(of, to) || self.has_attribute(to, AssemblyRow(1).token(), DEMAND)
    }

    /// `Ns.Type.Method(Params)`, as messages name methods.
    fn method_title(&self, m: MethodId) -> String {
        let params = self.method_signature(m).map_or(&[][..], |s| s.params);
        let params: Vec<String> = params.iter().map(|&p| self.short_name(p)).collect();
        let owner = self.full_name(self.method_owner(m));
        format!("{owner}.{}({})", self.method_name(m), params.join(", "))
    }

    /// Full name, of the types that have an element type of their own without namespace.
    pub(crate) fn short_name(&self, t: TypeId) -> String {
        match self.element_of(t) {
            Some(_) => self.type_name(t).1.to_owned(),
            None => self.full_name(t),
        }
    }
}
