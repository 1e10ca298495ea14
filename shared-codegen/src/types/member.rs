//! Facts about methods and fields.

use super::{
    ArrayMethod, CallConv, FieldId, GenericContext, GenericParam, Known, MethodId, MethodKind,
    MethodSignature, ModuleId, Result, TypeContext, TypeId, TypeKind, TypeList,
};
use crate::metadata::{AssemblyRow, MethodDef, MethodDefRow, compressed};

/// `MethodAttributes`, `MethodImplAttributes` and `FieldAttributes` bits.
pub(crate) mod attr {
    pub(crate) const ACCESS_MASK: u32 = 7;
    pub(crate) const STATIC: u32 = 0x10;
    pub(crate) const FINAL: u32 = 0x20;
    pub(crate) const VIRTUAL: u32 = 0x40;
    pub(crate) const NEWSLOT: u32 = 0x100;
    pub(crate) const ABSTRACT: u32 = 0x400;
    pub(crate) const SPECIAL_NAME: u32 = 0x800;
    pub(crate) const PINVOKE: u32 = 0x2000;

    pub(crate) const IMPL_CODE_TYPE_MASK: u32 = 3;
    pub(crate) const IMPL_RUNTIME: u32 = 3;
    pub(crate) const IMPL_NOINLINING: u32 = 8;
    pub(crate) const IMPL_SYNCHRONIZED: u32 = 0x20;
    pub(crate) const IMPL_PRESERVE_SIG: u32 = 0x80;
    pub(crate) const IMPL_AGGRESSIVE_INLINING: u32 = 0x100;
    pub(crate) const IMPL_INTERNAL_CALL: u32 = 0x1000;

    pub(crate) const FIELD_INIT_ONLY: u32 = 0x20;
    pub(crate) const FIELD_LITERAL: u32 = 0x40;
    pub(crate) const FIELD_HAS_RVA: u32 = 0x100;
}

/// Accessibility of a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the CLI's")]
pub enum Access {
    Private,
    FamilyAndAssembly,
    Assembly,
    Family,
    FamilyOrAssembly,
    Public,
}

impl Access {
    pub(crate) fn of(flags: u32) -> Access {
        match flags & attr::ACCESS_MASK {
            2 => Access::FamilyAndAssembly,
            3 => Access::Assembly,
            4 => Access::Family,
            5 => Access::FamilyOrAssembly,
            6 | 7 => Access::Public,
            _ => Access::Private,
        }
    }
}

macro_rules! method_flags {
    ($($(#[$doc:meta])* $name:ident = $field:ident $bit:ident;)*) => {
        impl TypeContext {
            $($(#[$doc])*
            pub fn $name(&self, m: MethodId) -> bool {
                self.method_def(m).is_some_and(|d| u32::from(d.$field) & attr::$bit != 0)
            })*
        }
    };
}

method_flags! {
    /// Declared `static`. False for array methods and wrappers; see their signatures.
    method_is_static = flags STATIC;
    /// Has a slot in a vtable.
    method_is_virtual = flags VIRTUAL;
    /// Has no body.
    method_is_abstract = flags ABSTRACT;
    /// Cannot be overridden.
    method_is_final = flags FINAL;
    /// Always takes a new slot.
    method_is_newslot = flags NEWSLOT;
    /// Has a special name (constructors, accessors, operators).
    method_is_special_name = flags SPECIAL_NAME;
    /// A P/Invoke.
    method_is_pinvoke = flags PINVOKE;
    /// Implemented by the runtime as an internal call.
    method_is_internal_call = impl_flags IMPL_INTERNAL_CALL;
    /// Holds the lock of `this` or of the type object.
    method_is_synchronized = impl_flags IMPL_SYNCHRONIZED;
    /// Must not be inlined.
    method_is_noinlining = impl_flags IMPL_NOINLINING;
    /// Should be inlined.
    method_is_aggressive_inlining = impl_flags IMPL_AGGRESSIVE_INLINING;
    /// Native signature is as written (no HRESULT translation).
    method_is_preserve_sig = impl_flags IMPL_PRESERVE_SIG;
}

impl TypeContext {
    /// The MethodDef row of a method; `None` for array methods and wrappers.
    pub fn method_def(&self, m: MethodId) -> Option<MethodDef> {
        let entry = self.method_entry(m);
        if let Some(known) = entry.def.get() {
            return *known;
        }
        let found = match entry.kind {
            MethodKind::Def { module, row, .. } => self.module(module).method_def(row).ok(),
            _ => None,
        };
        // A row that is not there yet may come: builders hand out rows before they are written.
        match found {
            Some(_) => *entry.def.get_or_init(|| found),
            None => None,
        }
    }

    /// Code is supplied by the runtime (delegate methods).
    pub fn method_is_runtime(&self, m: MethodId) -> bool {
        self.method_def(m).is_some_and(|d| {
            u32::from(d.impl_flags) & attr::IMPL_CODE_TYPE_MASK == attr::IMPL_RUNTIME
        })
    }

    /// Accessible from everywhere.
    pub fn method_is_public(&self, m: MethodId) -> bool {
        self.method_access(m) == Access::Public
    }

    /// Accessibility.
    pub fn method_access(&self, m: MethodId) -> Access {
        self.method_def(m)
            .map_or(Access::Public, |d| Access::of(d.flags.into()))
    }

    /// An instance constructor.
    pub fn method_is_constructor(&self, m: MethodId) -> bool {
        self.method_name(m) == ".ctor"
    }

    /// Relative virtual address of the body; 0 if there is none.
    pub fn method_rva(&self, m: MethodId) -> u32 {
        self.method_def(m).map_or(0, |d| d.rva)
    }

    /// Name without type.
    pub fn method_name(&self, m: MethodId) -> &'static str {
        match self.method_kind(m) {
            MethodKind::Def { .. } => self.method_def(m).map_or("", |d| d.name),
            MethodKind::Array { op, .. } => match op {
                ArrayMethod::Ctor(_) => ".ctor",
                ArrayMethod::Get => "Get",
                ArrayMethod::Set => "Set",
                ArrayMethod::Address => "Address",
            },
            MethodKind::Synthetic { subject, .. } => self.method_name(subject),
        }
    }

    /// Exact declaring type.
    pub fn method_owner(&self, m: MethodId) -> TypeId {
        match self.method_kind(m) {
            MethodKind::Def { owner, .. } => owner,
            MethodKind::Array { array, .. } => array,
            MethodKind::Synthetic { subject, .. } => self.method_owner(subject),
        }
    }

    /// Module whose tokens the method's body uses.
    pub fn method_module(&self, m: MethodId) -> ModuleId {
        match self.method_kind(m) {
            MethodKind::Def { module, .. } => module,
            MethodKind::Array { .. } => self.corlib(),
            MethodKind::Synthetic { subject, .. } => self.method_module(subject),
        }
    }

    /// MethodDef row; of the subject for wrappers, row 0 for array methods.
    pub fn method_row(&self, m: MethodId) -> MethodDefRow {
        match self.method_kind(m) {
            MethodKind::Def { row, .. } => row,
            MethodKind::Array { .. } => MethodDefRow(0),
            MethodKind::Synthetic { subject, .. } => self.method_row(subject),
        }
    }

    /// Method type arguments.
    pub fn method_args(&self, m: MethodId) -> TypeList {
        match self.method_kind(m) {
            MethodKind::Def { args, .. } => args,
            _ => &[],
        }
    }

    /// A generic method without its arguments.
    pub fn is_generic_method_definition(&self, m: MethodId) -> bool {
        self.method_args(m).is_empty() && self.generic_param_count(m) > 0
    }

    /// Number of type parameters of the method.
    pub fn generic_param_count(&self, m: MethodId) -> u32 {
        match self.method_kind(m) {
            MethodKind::Def { module, row, .. } => {
                self.module(module).generic_params_of(row.into()).len() as u32
            }
            _ => 0,
        }
    }

    /// Type parameters of the method.
    pub fn method_generic_params(&self, m: MethodId) -> Result<Vec<GenericParam>> {
        match self.method_kind(m) {
            MethodKind::Def { module, row, .. } => self.generic_params_of(module, row.into()),
            _ => Ok(Vec::new()),
        }
    }

    /// The instance of a generic method definition; `m` itself if `args` is empty.
    pub fn with_method_args(&self, m: MethodId, args: TypeList) -> MethodId {
        match self.method_kind(m) {
            MethodKind::Def {
                module, row, owner, ..
            } if !args.is_empty() => self.intern_method(MethodKind::Def {
                module,
                row,
                owner,
                args,
            }),
            _ => m,
        }
    }

    /// The method without its own arguments.
    pub fn method_definition(&self, m: MethodId) -> MethodId {
        match self.method_kind(m) {
            MethodKind::Def {
                module,
                row,
                owner,
                args,
            } if !args.is_empty() => self.intern_method(MethodKind::Def {
                module,
                row,
                owner,
                args: &[],
            }),
            _ => m,
        }
    }

    /// The same row on another instance of the owner.
    pub fn method_on(&self, m: MethodId, owner: TypeId) -> MethodId {
        match self.method_kind(m) {
            MethodKind::Def {
                module, row, args, ..
            } => self.intern_method(MethodKind::Def {
                module,
                row,
                owner,
                args,
            }),
            _ => m,
        }
    }

    /// Parameters and result with the exact types of the owner and method arguments substituted.
    pub fn method_signature(&self, m: MethodId) -> Result<&MethodSignature> {
        let entry = self.method_entry(m);
        if entry.signature.get().is_none() {
            let made = self.make_signature(m);
            let made = made.map_err(|e| e.in_file(self.module_name(self.method_module(m))));
            let _ = entry.signature.set(made);
        }
        match entry.signature.get() {
            Some(Ok(sig)) => Ok(sig),
            Some(Err(e)) => Err(e.clone()),
            None => Err(super::Error::invalid_program("signature")),
        }
    }

    fn make_signature(&self, m: MethodId) -> Result<MethodSignature> {
        match self.method_kind(m) {
            MethodKind::Def {
                module, row, args, ..
            } => {
                // Else methods that call larger instances of themselves would go on until memory ends.
                args.iter().try_for_each(|&t| self.check_nesting(t))?;
                let blob = self.module(module).method_def(row)?.signature;
                self.read_method_signature(module, blob, self.generic_context(m))
            }
            MethodKind::Array { array, op } => Ok(self.array_signature(array, op)),
            MethodKind::Synthetic { sig, .. } => Ok(*self.signature(sig)),
        }
    }

    fn array_signature(&self, array: TypeId, op: ArrayMethod) -> MethodSignature {
        let (elem, rank) = match self.kind(array) {
            TypeKind::Array { elem, rank } => (elem, rank),
            TypeKind::SzArray(elem) => (elem, 1),
            _ => (self.known(Known::Object), 0),
        };
        let (int, void) = (self.known(Known::Int32), self.known(Known::Void));
        let count = if let ArrayMethod::Ctor(n) = op {
            n
        } else {
            rank
        };
        let mut params = vec![int; count as usize];
        let ret = match op {
            ArrayMethod::Ctor(_) => void,
            ArrayMethod::Get => elem,
            ArrayMethod::Address => self.by_ref(elem),
            ArrayMethod::Set => {
                params.push(elem);
                void
            }
        };
        MethodSignature {
            has_this: true,
            explicit_this: false,
            conv: CallConv::Default,
            generic_count: 0,
            params: self.list(&params),
            ret,
            fixed_params: None,
        }
    }

    /// The first method a type declares under a name.
    pub fn find_method(&self, t: TypeId, name: &str) -> Result<Option<MethodId>> {
        Ok(self
            .methods(t)?
            .into_iter()
            .find(|&m| self.method_name(m) == name))
    }

    /// The method a type declares with this name and these parameter types.
    pub fn find_method_with(
        &self,
        t: TypeId,
        name: &str,
        params: &[TypeId],
    ) -> Result<Option<MethodId>> {
        for m in self.methods(t)? {
            if self.method_name(m) == name && self.method_signature(m)?.params == params {
                return Ok(Some(m));
            }
        }
        Ok(None)
    }

    /// The instance constructor with these parameter types.
    pub fn find_constructor(&self, t: TypeId, params: &[TypeId]) -> Result<Option<MethodId>> {
        self.find_method_with(t, ".ctor", params)
    }

    /// Exact declaring type of a field.
    pub fn field_owner(&self, f: FieldId) -> TypeId {
        self.field_kind(f).owner
    }

    /// The field a type declares under a name.
    pub fn find_field(&self, t: TypeId, name: &str) -> Result<Option<FieldId>> {
        Ok(self
            .fields(t)?
            .into_iter()
            .find(|&f| self.field_name(f) == name))
    }

    /// `Invoke` of a delegate type.
    pub fn delegate_invoke(&self, t: TypeId) -> Result<Option<MethodId>> {
        self.find_method(t, "Invoke")
    }

    /// Name of a field.
    pub fn field_name(&self, f: FieldId) -> &'static str {
        self.field_row(f).map_or("", |r| r.name)
    }

    /// `FieldAttributes`.
    pub fn field_flags(&self, f: FieldId) -> u32 {
        self.field_row(f).map_or(0, |r| r.flags.into())
    }

    fn field_row(&self, f: FieldId) -> Option<crate::metadata::Field> {
        let field = self.field_kind(f);
        self.module(field.module).field(field.row).ok()
    }

    /// Belongs to the type, not to its instances.
    pub fn field_is_static(&self, f: FieldId) -> bool {
        self.field_flags(f) & attr::STATIC != 0
    }

    /// A compile-time constant without storage.
    pub fn field_is_literal(&self, f: FieldId) -> bool {
        self.field_flags(f) & attr::FIELD_LITERAL != 0
    }

    /// Assigned in constructors only.
    pub fn field_is_init_only(&self, f: FieldId) -> bool {
        self.field_flags(f) & attr::FIELD_INIT_ONLY != 0
    }

    /// Address of the data of a field that lies in the image.
    pub fn field_rva(&self, f: FieldId) -> Option<u32> {
        if self.field_flags(f) & attr::FIELD_HAS_RVA == 0 {
            return None;
        }
        let field = self.field_kind(f);
        self.module(field.module).field_rva_of(field.row)
    }

    /// Each thread (or context) has its own value.
    pub fn field_is_thread_static(&self, f: FieldId) -> bool {
        let field = self.field_kind(f);
        let marked = |k: Known| self.has_attribute(field.module, field.row.into(), k.name());
        self.field_is_static(f)
            && (marked(Known::ThreadStaticAttribute) || marked(Known::ContextStaticAttribute))
    }

    /// Type of a field with the owner's arguments substituted.
    pub fn field_type(&self, f: FieldId) -> Result<TypeId> {
        let entry = self.field_entry(f);
        if let Some(done) = entry.ty.get() {
            return done.clone();
        }
        let found = self.read_field_type(f);
        let found = found.map_err(|e| e.in_file(self.module_name(entry.kind.module)));
        entry.ty.get_or_init(|| found).clone()
    }

    fn read_field_type(&self, f: FieldId) -> Result<TypeId> {
        let field = self.field_kind(f);
        let blob = self.module(field.module).field(field.row)?.signature;
        let generics = GenericContext {
            type_args: self.type_args(field.owner),
            method_args: &[],
        };
        self.read_field_signature(field.module, blob, generics)
    }

    /// The assembly of `of` shows its internals to that of `to` (`InternalsVisibleTo`, by simple name).
    pub fn is_friend(&self, of: ModuleId, to: ModuleId) -> bool {
        const CLASS: (&str, &str) = (
            "System.Runtime.CompilerServices",
            "InternalsVisibleToAttribute",
        );
        let md = self.module(of);
        let name = self.module_name(to);
        md.custom_attributes_of(AssemblyRow(1).token())
            .filter_map(|a| md.custom_attribute(a).ok())
            .filter(|a| self.attribute_class_name(of, a.ty) == CLASS)
            .filter_map(|a| first_string(a.value))
            .any(|friend| {
                let simple = friend.split(',').next().unwrap_or("").trim();
                simple.eq_ignore_ascii_case(name)
            })
    }
}

/// The first argument, a string, of a custom attribute blob.
fn first_string(blob: &'static [u8]) -> Option<&'static str> {
    let (len, rest) = compressed(blob.strip_prefix(&[1, 0])?)?;
    core::str::from_utf8(rest.get(..len as usize)?).ok()
}
