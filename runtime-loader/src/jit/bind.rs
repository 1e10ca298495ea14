//! Values of runtime constants.

use crate::icall::{Result, Thrown};
use crate::object::MethodDesc;
use crate::runtime::Runtime;
use shared_codegen::abi::fixup::Fixup;
use shared_codegen::types::{GenericContext, MethodId, TypeId};

impl Runtime {
    /// The value of a runtime constant: what `const` gives, or the address of the cell for call targets.
    /// Loads types and interns strings as needed.
    pub fn fixup_value(&self, fixup: Fixup) -> Result<usize> {
        Ok(match fixup {
            Fixup::MethodTable(t) => self.method_table(t)?.handle(),
            Fixup::TypeObject(t) => self.type_object(self.method_table(t)?)?.addr(),
            Fixup::MethodHandle(m) => self.methods.desc(m).handle(),
            Fixup::FieldHandle(f) => self.fields.desc(self, f)?.handle(),
            Fixup::MethodEntry(m) => self.methods.entry(self, self.methods.desc(m))?.addr(),
            Fixup::MethodCode(m) => self.methods.callable(self, self.methods.desc(m))?,
            Fixup::StaticsBase(t) => {
                self.statics.base_of(&self.types, self.method_table(t)?)? as usize
            }
            Fixup::ThreadStaticsIndex(t) => self
                .statics
                .thread_index(&self.types, self.method_table(t)?)?,
            Fixup::StringLiteral(module, token) => self.string_literal(module, token)?.addr(),
            Fixup::FieldData(f) => self.field_data(f)?,
            Fixup::Helper(h) => self.jit.helper_slot(h).addr(),
            Fixup::NativeCode(m) => self.jit.native_cell(self, self.methods.desc(m))?,
            Fixup::GenericLookup(owner, open) => self.lookups.descriptor(owner, open),
        })
    }

    /// Closes an open runtime constant over the arguments a generic context stands for.
    pub fn close_fixup(&self, fixup: Fixup, args: GenericContext) -> Result<Fixup> {
        let ty = |t: TypeId| self.types.substitute(t, args);
        let method = |m: MethodId| {
            let closed = self.types.substitute_method(m, args);
            // Fails if the method cannot be used with these arguments.
            self.types.method_signature(closed).map(|_| closed)
        };
        Ok(match fixup {
            Fixup::MethodTable(t) => Fixup::MethodTable(ty(t)),
            Fixup::TypeObject(t) => Fixup::TypeObject(ty(t)),
            Fixup::StaticsBase(t) => Fixup::StaticsBase(ty(t)),
            Fixup::ThreadStaticsIndex(t) => Fixup::ThreadStaticsIndex(ty(t)),
            Fixup::MethodHandle(m) => Fixup::MethodHandle(method(m)?),
            Fixup::MethodCode(m) => Fixup::MethodCode(method(m)?),
            Fixup::MethodEntry(m) => Fixup::MethodEntry(method(m)?),
            Fixup::FieldHandle(f) => Fixup::FieldHandle(self.types.substitute_field(f, args)),
            Fixup::FieldData(_)
            | Fixup::StringLiteral(..)
            | Fixup::Helper(_)
            | Fixup::NativeCode(_)
            | Fixup::GenericLookup(..) => fixup,
        })
    }

    /// The generic arguments behind a hidden context argument of code whose open owner is `owner`.
    pub fn context_arguments(&self, owner: MethodId, context: usize) -> Result<GenericContext> {
        use shared_codegen::types::ContextSource;
        let missing =
            || Thrown::system("ExecutionEngineException", "generic context without a type");
        match self.types.needs_context(owner) {
            ContextSource::MethodHandle => {
                let desc = MethodDesc::from_handle(context).ok_or_else(missing)?;
                Ok(self.types.generic_context(desc.method))
            }
            _ => {
                let mt = crate::object::MethodTable::from_handle(context).ok_or_else(missing)?;
                self.arguments_as(owner, mt)
            }
        }
    }
}
