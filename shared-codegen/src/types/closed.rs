//! Classes whose derived classes are all known, because no other assembly can see them.
//!
//! Class hierarchy analysis (Dean, Grove, Chambers, ECOOP 1995) needs the whole program, and assemblies may be loaded at any time. But
//! a class that is not visible outside of its assembly, the default in C#, can only have derived classes there, and the
//! assembly is what the code is compiled from. [`TypeContext::parent`] refuses classes of other assemblies that derive from such a
//! class all the same.

use super::{MethodId, ModuleId, Result, TypeContext, TypeId};
use crate::metadata::{
    AssemblyRefRow, AssemblyRow, FileRow, MemberRefRow, MethodDefRow, Token, TypeDefRow, TypeRefRow,
};
use rustc_hash::FxHashMap;

/// `MethodAttributes.Virtual`.
const VIRTUAL: u16 = 0x40;

/// The classes of a module by the class of the module they derive from.
#[derive(Debug, Default)]
pub(crate) struct Derived(FxHashMap<TypeDefRow, Vec<TypeDefRow>>);

impl TypeContext {
    /// Nothing derives from the class: it is sealed, or its derived classes are known, and there are none.
    pub fn is_leaf(&self, t: TypeId) -> bool {
        self.is_sealed(t) || self.derived(t).is_some_and(|d| d.is_empty())
    }

    /// No class derived from `t` overrides `m`, the method that objects of exact class `t` run. (Methods that have
    /// the name of `m` or of what an explicit override names count as overriding.)
    pub fn is_final_below(&self, t: TypeId, m: MethodId) -> bool {
        let name = self.method_name(m);
        let Some((module, _)) = self.def_of(self.definition(t)) else {
            return false;
        };
        let known = self.derived(t);
        known.is_some_and(|rows| {
            rows.iter()
                .all(|&row| !self.may_override(module, row, name))
        })
    }

    /// All classes derived from a class, directly or not, if they are known.
    fn derived(&self, t: TypeId) -> Option<Vec<TypeDefRow>> {
        let (module, row) = self.def_of(self.definition(t))?;
        if self.is_interface(t) || !self.is_closed(module, row) {
            return None;
        }
        let direct = self
            .loaded(module)
            .derived
            .get_or_init(|| self.read_derived(module).ok());
        let direct = &direct.as_ref()?.0;
        let mut all = Vec::new();
        let mut work = vec![row];
        while let Some(at) = work.pop() {
            let below = direct.get(&at).map_or(&[][..], Vec::as_slice);
            all.extend_from_slice(below);
            work.extend_from_slice(below);
        }
        Some(all)
    }

    /// No other assembly can name the class.
    pub(crate) fn is_closed(&self, module: ModuleId, row: TypeDefRow) -> bool {
        const FRIENDS: (&str, &str) = (
            "System.Runtime.CompilerServices",
            "InternalsVisibleToAttribute",
        );
        let one_file = || self.module(module).rows::<FileRow>().next().is_none();
        !self.is_visible(module, row)
            && self.growth(module).is_none()
            && one_file()
            && !self.has_attribute(module, AssemblyRow(1).token(), FRIENDS)
    }

    fn read_derived(&self, module: ModuleId) -> Result<Derived> {
        let md = self.module(module);
        let mut derived = Derived::default();
        for row in md.rows::<TypeDefRow>() {
            let extends = md.type_def(row)?.extends;
            if let Some(reference) = extends.as_row::<TypeRefRow>() {
                // What other assemblies define need not be loaded for this.
                let scope = md.type_ref(reference)?.scope;
                if scope.as_row::<AssemblyRefRow>().is_some() {
                    continue;
                }
            }
            let Some(parent) = self.parent(self.type_def(module, row))? else {
                continue;
            };
            if let Some((of, base)) = self.def_of(self.definition(parent))
                && of == module
            {
                derived.0.entry(base).or_default().push(row);
            }
        }
        Ok(derived)
    }

    /// The class has a virtual method of this name, or one that takes the place of a method of this name.
    fn may_override(&self, module: ModuleId, row: TypeDefRow, name: &str) -> bool {
        let md = self.module(module);
        let named = |m| {
            let method = md.method_def(m).ok();
            method.is_none_or(|m| m.flags & VIRTUAL != 0 && m.name == name)
        };
        let declared = |t: Token| match (t.as_row::<MethodDefRow>(), t.as_row::<MemberRefRow>()) {
            (Some(m), _) => md.method_def(m).ok().map(|m| m.name),
            (_, Some(m)) => md.member_ref(m).ok().map(|m| m.name),
            _ => None,
        };
        let mut impls = md.method_impls_of(row);
        md.methods_of(row).any(named)
            || impls.any(|i| {
                let declaration = md.method_impl(i).ok().and_then(|i| declared(i.declaration));
                declaration.is_none_or(|n| n == name)
            })
    }
}
