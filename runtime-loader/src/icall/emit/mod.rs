//! `System.Reflection.Emit`: types and methods made at run time.
//!
//! The class libraries keep what a program describes in builder objects; here it becomes rows of a growing module
//! (`shared_codegen::metadata::Growth`), which the rest of the runtime reads like any other. What each file does:
//! * `members`: from builder and reflection objects to the ids of the type system;
//! * `tokens`: what the tokens in IL stand for; `signature`: blobs; `body`: IL with locals and clauses;
//! * `assembly`, `type_builder`, `type_members`, `dynamic_method`, `attributes`: the builders themselves.
//!
//! Builders hand out numbers early (rows of types and methods, tokens), so ids are known before the rows are written.

pub(super) mod assembly;
pub(super) mod attributes;
mod body;
pub(super) mod dynamic_method;
mod members;
pub(super) mod signature;
pub(super) mod tokens;
pub(super) mod type_builder;
mod type_members;

use super::{Result, Thrown};
use crate::object::{Obj, array};
use crate::runtime::{self, Runtime};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use shared_codegen::metadata::{FieldRow, Growth, TypeDef, TypeDefRow};
use shared_codegen::types::{AssemblyName, MethodId, ModuleId, TypeId};
use std::sync::OnceLock;

/// What the runtime keeps about emitted code besides the modules themselves.
#[derive(Default)]
pub struct Emitted {
    /// The module of all dynamic methods.
    methods: OnceLock<ModuleId>,
    /// Objects behind tokens that code may refer to.
    tokens: tokens::Registered,
    /// Rows of fields by type and position; builders of fields have no number of their own.
    fields: Mutex<FxHashMap<(TypeId, usize), FieldRow>>,
    /// Names of the types that dynamic methods are shown to belong to.
    owners: Mutex<FxHashMap<MethodId, String>>,
}

impl Emitted {
    /// The module of dynamic methods, once there is one.
    pub fn dynamic_methods(&self) -> Option<ModuleId> {
        self.methods.get().copied()
    }

    /// How stack traces name a dynamic method: `(wrapper dynamic-method) Owner.Name(params)`.
    pub fn trace_name(&self, rt: &Runtime, method: MethodId) -> Option<String> {
        let owner = self.owners.lock().get(&method).cloned()?;
        let params = rt
            .types
            .method_signature(method)
            .map_or(&[][..], |s| s.params);
        let params: Vec<String> = params
            .iter()
            .map(|p| super::short_name(&rt.types, *p))
            .collect();
        let (name, params) = (rt.types.method_name(method), params.join(","));
        Some(format!("(wrapper dynamic-method) {owner}.{name}({params})"))
    }

    /// The module of dynamic methods. Its first type owns them all.
    fn methods_module(&self, rt: &Runtime) -> ModuleId {
        *self.methods.get_or_init(|| {
            let name = AssemblyName::simple("Anonymously Hosted DynamicMethods Assembly");
            let module = rt.types.add_growing_module(name, Box::new(tokens::Binder));
            if let Some(growth) = rt.types.growth(module) {
                let owner = TypeDef {
                    name: "<Module>",
                    ..TypeDef::default()
                };
                growth.set(TypeDefRow(1), &owner);
            }
            module
        })
    }
}

/// The rows of a module made at run time.
fn growth(module: ModuleId) -> Result<&'static Growth> {
    let growth = runtime::get().types.growth(module);
    growth.ok_or_else(|| Thrown::not_supported("The module was not made at run time."))
}

/// A field of a builder that may be null.
fn reference(object: Obj, field: &'static str) -> Option<Obj> {
    runtime::get().get_field::<Obj>(object, field).non_null()
}

/// The elements of an array of references that may be null itself.
fn elements(list: Option<Obj>) -> impl Iterator<Item = Obj> {
    let count = list.map_or(0, array::len);
    (0..count).filter_map(move |n| list.map(|list| array::get::<Obj>(list, n)))
}

/// The elements, null ones left out, of an array in a field of a builder.
fn items(object: Obj, field: &'static str) -> impl Iterator<Item = Obj> {
    elements(reference(object, field)).filter_map(Obj::non_null)
}

/// The text in a field of a builder; empty for null.
fn text(object: Obj, field: &'static str) -> String {
    reference(object, field)
        .map(crate::object::string::to_rust)
        .unwrap_or_default()
}
