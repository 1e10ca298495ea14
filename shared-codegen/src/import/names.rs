//! Names of interned ids in IR text.

use crate::ir::text::Names;
use crate::types::{FieldId, MethodId, ModuleId, TypeContext, TypeId};

impl Names for TypeContext {
    fn type_name(&self, t: TypeId) -> Option<String> {
        Some(self.full_name(t))
    }
    fn method_name(&self, m: MethodId) -> Option<String> {
        Some(self.method_full_name(m))
    }
    fn field_name(&self, f: FieldId) -> Option<String> {
        Some(self.field_full_name(f))
    }
    fn module_name(&self, m: ModuleId) -> Option<String> {
        Some(self.assembly(m).name.name.to_string())
    }
}
