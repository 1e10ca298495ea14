//! Field descriptors, and fields by name for the classes the runtime shares with the class libraries.
#![allow(unsafe_code, reason = "descriptors point to method tables")]

use super::Runtime;
use super::id_table::IdTable;
use crate::icall::Result;
use crate::object::{FieldDesc, MethodTable, Obj, Plain};
use core::sync::atomic::{AtomicPtr, Ordering};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use shared_codegen::types::{FieldId, TypeId};

/// All field descriptors.
#[derive(Default)]
pub struct Fields {
    descs: IdTable<FieldDesc>,
    /// Offsets of fields asked for by name, by class and name (literals, so by address and length).
    offsets: RwLock<FxHashMap<(usize, usize, usize), u32>>,
}

impl Fields {
    /// The descriptor of a field; loads the declaring type.
    pub fn desc(&self, rt: &Runtime, field: FieldId) -> Result<&'static FieldDesc> {
        if let Some(d) = self.descs.get(field.0) {
            return Ok(d);
        }
        let owner = rt.method_table(rt.types.field_kind(field).owner)?;
        let desc = FieldDesc {
            field,
            owner: AtomicPtr::new(core::ptr::from_ref(owner).cast_mut()),
        };
        Ok(self.descs.insert(field.0, Box::leak(Box::new(desc))))
    }
}

impl FieldDesc {
    /// The exact declaring type.
    pub fn owner_table(&self) -> &'static MethodTable {
        // SAFETY: set at creation to an immortal method table.
        unsafe { &*self.owner.load(Ordering::Acquire) }
    }
}

impl Runtime {
    /// Offset of an instance field by name, from the start of the object (or value).
    ///
    /// # Panics
    /// When the class libraries do not have the field: they are not the ones this runtime is made for.
    pub fn offset_of(&self, ty: TypeId, name: &str) -> u32 {
        let field = self.require_field(ty, name);
        self.types
            .field_offset(field)
            .unwrap_or_else(|e| panic!("field {name}: {e}"))
    }

    fn require_field(&self, ty: TypeId, name: &str) -> FieldId {
        let found = self.types.find_field(ty, name).ok().flatten();
        found.unwrap_or_else(|| panic!("{} has no field {name}", self.types.full_name(ty)))
    }

    /// Reads an instance field by name.
    pub fn get_field<T: Plain>(&self, object: Obj, name: &'static str) -> T {
        object.get(self.offset_in(object, name))
    }

    /// Writes an instance field by name.
    pub fn set_field<T: Plain>(&self, object: Obj, name: &'static str, value: T) {
        object.set(self.offset_in(object, name), value);
    }

    /// As [`Runtime::set_field`] for a name put together at run time.
    pub fn set_computed_field<T: Plain>(&self, object: Obj, name: &str, value: T) {
        object.set(self.find_offset(object, name), value);
    }

    fn offset_in(&self, object: Obj, name: &'static str) -> u32 {
        let class = object.method_table().handle();
        let key = (class, name.as_ptr() as usize, name.len());
        if let Some(known) = self.fields.offsets.read().get(&key) {
            return *known;
        }
        let offset = self.find_offset(object, name);
        self.fields.offsets.write().insert(key, offset);
        offset
    }

    fn find_offset(&self, object: Obj, name: &str) -> u32 {
        let mut ty = Some(object.method_table().type_id());
        while let Some(t) = ty {
            if let Ok(Some(f)) = self.types.find_field(t, name) {
                return self
                    .types
                    .field_offset(f)
                    .unwrap_or_else(|e| panic!("field {name}: {e}"));
            }
            ty = self.types.parent(t).ok().flatten();
        }
        panic!(
            "{} has no field {name}",
            self.types.full_name(object.method_table().type_id())
        )
    }

    /// Address of a static field by name, its class initialized or not.
    pub fn static_field(&self, ty: TypeId, name: &str) -> Result<*mut u8> {
        let field = self.require_field(ty, name);
        self.static_address(field)
    }

    /// Address of a static field for the current thread.
    pub fn static_address(&self, field: FieldId) -> Result<*mut u8> {
        use shared_codegen::types::StaticStorage;
        let owner = self.method_table(self.types.field_kind(field).owner)?;
        Ok(match self.types.static_storage(field)? {
            StaticStorage::Normal(offset) => self
                .statics
                .base_of(&self.types, owner)?
                .wrapping_add(offset as usize),
            StaticStorage::Thread(offset) => {
                super::statics::thread_block(self.statics.thread_index(&self.types, owner)?)?
                    .wrapping_add(offset as usize)
            }
            StaticStorage::Rva(_) => self.field_data(field)? as *mut u8,
            StaticStorage::Literal => core::ptr::null_mut(),
        })
    }

    /// Address of the initial data of a field with RVA.
    pub fn field_data(&self, field: FieldId) -> Result<usize> {
        let kind = self.types.field_kind(field);
        let module = self.types.module(kind.module);
        let data = module
            .field_rva_of(kind.row)
            .and_then(|rva| module.data_at(rva));
        Ok(data.map_or(0, |d| d.as_ptr() as usize))
    }
}
