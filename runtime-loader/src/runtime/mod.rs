//! The runtime as a whole: what is loaded, and how the parts reach each other.

mod binder;
pub mod boot;
pub mod cast;
pub mod class_init;
pub mod delegates;
pub mod exception;
pub mod exit;
pub mod fields;
mod host;
mod id_table;
pub mod invoke;
pub mod lookup;
pub mod methods;
pub mod options;
pub mod reflect;
pub mod stack_trace;
pub mod statics;
pub mod strings;
pub mod tables;
pub mod word_cache;

use crate::icall::Result;
use crate::image::Images;
use crate::jit::Jit;
use crate::object::{MethodDesc, MethodTable, Obj};
use options::Options;
use shared_codegen::symbols::Symbols;
use shared_codegen::types::{Known, ModuleId, TypeContext, TypeId};
use std::sync::OnceLock;

/// Everything the runtime knows. There is one, because compiled code and signal handlers reach it without
/// an argument.
pub struct Runtime {
    /// Command-line options.
    pub options: Options,
    /// The type system.
    pub types: TypeContext,
    /// Method tables.
    pub tables: tables::TypeTables,
    /// Method descriptors.
    pub methods: methods::Methods,
    /// Field descriptors.
    pub fields: fields::Fields,
    /// Static fields.
    pub statics: statics::Statics,
    /// Class initializers.
    pub class_init: class_init::ClassInit,
    /// Interned strings.
    pub strings: strings::InternTable,
    /// Source lines for stack traces.
    pub symbols: Symbols,
    /// Reflection objects.
    pub reflect: reflect::ReflectionCache,
    /// What programs make by `System.Reflection.Emit`.
    pub emit: crate::icall::emit::Emitted,
    /// Open runtime constants of shared code.
    pub lookups: lookup::Lookups,
    /// Precompiled images.
    pub images: Images,
    /// The compiler.
    pub jit: Jit,
    /// Objects made at start-up.
    pub objects: OnceLock<boot::BootObjects>,
}

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// The runtime.
///
/// # Panics
/// Before [`boot::start`].
pub fn get() -> &'static Runtime {
    RUNTIME.get().expect("the runtime has been started")
}

impl Runtime {
    /// The method table of a type; loads the type if need be.
    pub fn method_table(&self, ty: TypeId) -> Result<&'static MethodTable> {
        self.tables.get(&self.types, ty)
    }

    /// The method table of a well-known class.
    pub fn known(&self, class: Known) -> &'static MethodTable {
        self.tables.known(&self.types, class)
    }

    /// The class initializer of a type.
    pub fn initializer_of(&self, mt: &'static MethodTable) -> Option<&'static MethodDesc> {
        self.types
            .class_initializer(mt.type_id())
            .map(|m| self.methods.desc(m))
    }

    /// The interned string of an `ldstr` operand.
    pub fn string_literal(&self, module: ModuleId, token: u32) -> Result<Obj> {
        let bytes = self
            .types
            .module(module)
            .user_string(shared_codegen::metadata::Token(token));
        let bytes = bytes.map_err(shared_codegen::types::Error::from)?;
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|c| u16::from_le_bytes([c[0], c[1]]))
            .collect();
        self.strings.intern(&units)
    }
}

impl Runtime {
    /// Address of the native function of an internal call. A missing one gets a function that raises an exception naming it.
    pub fn native_code(&self, desc: &'static MethodDesc) -> Result<usize> {
        if let Some(code) = crate::icall::async_delegate::native_code(self, desc) {
            return code;
        }
        let owner = self.types.method_owner(desc.method);
        let class = self
            .types
            .type_name_as(owner, shared_codegen::types::NameFormat::Ecma);
        let method = self.types.method_name(desc.method);
        match crate::icall::find(&class, method, || self.icall_signature(desc)) {
            Some(icall) => Ok(icall.code as usize),
            None => crate::icall::missing(self, format!("{class}::{method}")),
        }
    }

    /// Parameter list in the short type names of the tables of the class libraries.
    fn icall_signature(&self, desc: &MethodDesc) -> String {
        let params = self
            .types
            .method_signature(desc.method)
            .map(|s| s.params)
            .unwrap_or_default();
        params
            .iter()
            .map(|p| crate::icall::short_name(&self.types, *p))
            .collect::<Vec<_>>()
            .join(",")
    }
}
