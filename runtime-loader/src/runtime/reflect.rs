//! Reflection objects that are unique: one `RuntimeType` per type, one member object per (member, reflected type).
#![allow(unsafe_code, reason = "descriptors are found through raw addresses")]

use super::Runtime;
use crate::icall::{Result, Thrown};
use crate::object::{Handle, MethodDesc, MethodTable, Obj, new_object};
use core::sync::atomic::Ordering;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use shared_codegen::metadata::Token;
use shared_codegen::types::{Known, TypeId};

/// What a cached reflection object stands for: handle, and the reflected type's handle.
pub type Key = (usize, usize);

/// Reflection objects made so far. They live forever.
#[derive(Default)]
pub struct ReflectionCache {
    objects: Mutex<FxHashMap<Key, Handle>>,
    types: Mutex<()>,
    members: Mutex<FxHashMap<(TypeId, Token), &'static MemberDesc>>,
    natives: Mutex<FxHashMap<Key, usize>>,
}

/// A property or event of an exact type. Its address is the handle managed code keeps.
#[derive(Debug)]
pub struct MemberDesc {
    /// The declaring type.
    pub owner: TypeId,
    /// The Property or Event row.
    pub token: Token,
}

impl MemberDesc {
    /// Address as a handle value.
    pub fn handle(&self) -> usize {
        core::ptr::from_ref(self) as usize
    }

    /// The member behind a handle value that came from us.
    pub fn from_handle(handle: usize) -> Option<&'static MemberDesc> {
        // SAFETY: such handles are addresses of leaked descriptors, or 0.
        unsafe { (handle as *const MemberDesc).as_ref() }
    }
}

impl ReflectionCache {
    /// An immortal native structure for managed code, made if there is none yet for the key.
    pub fn native(&self, key: Key, make: impl FnOnce() -> Result<usize>) -> Result<usize> {
        if let Some(address) = self.natives.lock().get(&key) {
            return Ok(*address);
        }
        let made = make()?;
        Ok(*self.natives.lock().entry(key).or_insert(made))
    }

    /// The descriptor of a property or event.
    pub fn member(&self, owner: TypeId, token: Token) -> &'static MemberDesc {
        let mut members = self.members.lock();
        members
            .entry((owner, token))
            .or_insert_with(|| Box::leak(Box::new(MemberDesc { owner, token })))
    }

    /// Takes `object` for a key that has no object yet.
    pub fn adopt(&self, key: Key, object: Obj) {
        let mut objects = self.objects.lock();
        objects.entry(key).or_insert_with(|| Handle::strong(object));
    }

    /// The object of a key, made if there is none yet.
    pub fn get_or_make(&self, key: Key, make: impl FnOnce() -> Result<Obj>) -> Result<Obj> {
        if let Some(h) = self.objects.lock().get(&key) {
            return Ok(h.target());
        }
        let made = make()?;
        Ok(self
            .objects
            .lock()
            .entry(key)
            .or_insert_with(|| Handle::strong(made))
            .target())
    }
}

impl Runtime {
    /// The `System.RuntimeType` object of a type.
    pub fn type_object(&self, mt: &'static MethodTable) -> Result<Obj> {
        let known = mt.type_object.load(Ordering::Acquire);
        if known != 0 {
            return Ok(Obj::from_addr(known));
        }
        let class = self.known(Known::RuntimeType);
        let object = new_object(class)?;
        self.set_field(object, "_impl", mt.handle());
        let _lock = self.reflect.types.lock();
        let known = mt.type_object.load(Ordering::Acquire);
        if known != 0 {
            return Ok(Obj::from_addr(known));
        }
        Handle::strong(object);
        mt.type_object.store(object.addr(), Ordering::Release);
        Ok(object)
    }

    /// The type behind a `System.Type` object.
    pub fn type_of_object(&self, object: Obj) -> Option<&'static MethodTable> {
        let object = object.non_null()?;
        MethodTable::from_handle(self.get_field(object, "_impl"))
    }

    /// The `RuntimeMethodInfo` or `RuntimeConstructorInfo` of a method.
    pub fn method_object(
        &self,
        desc: &'static MethodDesc,
        reflected: &'static MethodTable,
    ) -> Result<Obj> {
        self.reflect
            .get_or_make((desc.handle(), reflected.handle()), || {
                let name = self.types.method_name(desc.method);
                let class = if name == ".ctor" || name == ".cctor" {
                    Known::RuntimeConstructorInfo
                } else {
                    Known::RuntimeMethodInfo
                };
                let object = new_object(self.known(class))?;
                self.set_field(object, "mhandle", desc.handle());
                self.set_field(object, "reftype", self.type_object(reflected)?);
                Ok(object)
            })
    }
}

impl Runtime {
    /// A method by name and exact parameter types.
    pub fn method_named(
        &self,
        class: TypeId,
        name: &str,
        params: &[TypeId],
    ) -> Result<&'static MethodDesc> {
        let found = self.types.find_method_with(class, name, params)?;
        let missing = || {
            let class = self.types.full_name(class);
            Thrown::system("MissingMethodException", format!("{class}.{name}"))
        };
        Ok(self.methods.desc(found.ok_or_else(missing)?))
    }
}
