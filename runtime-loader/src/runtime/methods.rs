//! Method descriptors: entry cells, callable addresses, virtual dispatch.

use super::Runtime;
use super::id_table::IdTable;
use crate::icall::Result;
use crate::jit::EntrySlot;
use crate::object::{MethodDesc, MethodTable, Obj};
use core::sync::atomic::{AtomicUsize, Ordering};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use shared_codegen::abi::layout::method_table::FLAG_ARRAY;
use shared_codegen::types::{ContextSource, MethodId};

/// All method descriptors.
#[derive(Default)]
pub struct Methods {
    descs: IdTable<MethodDesc>,
    /// Results of interface dispatch by method table and interface method.
    interface_cache: RwLock<FxHashMap<(usize, usize), usize>>,
}

impl Methods {
    /// The descriptor of a method.
    pub fn desc(&self, method: MethodId) -> &'static MethodDesc {
        match self.descs.get(method.0) {
            Some(d) => d,
            None => self
                .descs
                .insert(method.0, Box::leak(Box::new(MethodDesc::new(method)))),
        }
    }

    /// The descriptor of the body that runs.
    pub fn canonical(&self, rt: &Runtime, desc: &'static MethodDesc) -> &'static MethodDesc {
        desc.canonical
            .get_or_init(|| self.desc(rt.types.canonical_method(desc.method)))
    }

    /// The cell through which compiled code calls the body (which may want a generic context).
    pub fn entry(&self, rt: &Runtime, desc: &'static MethodDesc) -> Result<EntrySlot> {
        let canonical = self.canonical(rt, desc);
        if let Some(slot) = canonical.entry.get() {
            return Ok(*slot);
        }
        let slot = rt.jit.thunks.new_entry(canonical.method.0)?;
        if let Some(code) = canonical.compiled() {
            slot.set_target(code);
        }
        Ok(*canonical.entry.get_or_init(|| slot))
    }

    /// An address that anybody may call: an entry stub, or one that adds the generic context.
    pub fn callable(&self, rt: &Runtime, desc: &'static MethodDesc) -> Result<usize> {
        cached(&desc.callable, || {
            let slot = self.entry(rt, desc)?;
            match hidden_context(rt, desc)? {
                None => Ok(rt.jit.thunks.entry(slot)?),
                Some(context) => Ok(rt.jit.thunks.instantiating(slot, context)?),
            }
        })
    }

    /// Like [`Self::callable`] for an instance method of a value type, but `this` is the boxed object.
    pub fn unboxing(&self, rt: &Runtime, desc: &'static MethodDesc) -> Result<usize> {
        cached(&desc.unboxing, || {
            let slot = self.entry(rt, desc)?;
            Ok(rt.jit.thunks.unboxing(slot, hidden_context(rt, desc)?)?)
        })
    }

    /// Address for a vtable or delegate: `this` is an object whatever the owner is.
    pub fn for_object(&self, rt: &Runtime, desc: &'static MethodDesc) -> Result<usize> {
        if rt.types.is_value_type(rt.types.method_owner(desc.method))
            && !rt.types.method_is_static(desc.method)
        {
            return self.unboxing(rt, desc);
        }
        if hidden_context(rt, desc)?.is_some() {
            return self.callable(rt, desc);
        }
        match self.canonical(rt, desc).compiled() {
            Some(code) => Ok(code),
            None => self.callable(rt, desc),
        }
    }

    /// What a virtual slot of a type calls; compiled or bound now, so that the slot can keep the final address.
    pub fn resolve_slot(
        &self,
        rt: &'static Runtime,
        mt: &'static MethodTable,
        slot: u32,
    ) -> Result<usize> {
        let method = rt.types.vtable_method(mt.type_id(), slot)?;
        let desc = self.desc(method);
        rt.jit.prepare(rt, self.canonical(rt, desc))?;
        let code = self.for_object(rt, desc)?;
        mt.vtable_slot(slot).store(code, Ordering::Release);
        Ok(code)
    }

    /// Code of an interface method for an object; compiled or bound now.
    pub fn interface_target(
        &self,
        rt: &'static Runtime,
        object: Obj,
        method: &'static MethodDesc,
    ) -> Result<usize> {
        let mt = object.method_table();
        let key = (mt.handle(), method.handle());
        if let Some(code) = self.interface_cache.read().get(&key) {
            return Ok(*code);
        }
        let target = self.resolve_virtual(rt, object, method.method)?;
        rt.jit.prepare(rt, self.canonical(rt, target))?;
        let code = self.for_object(rt, target)?;
        let fresh = self.interface_cache.write().insert(key, code).is_none();
        if fresh && rt.types.method_args(method.method).is_empty() {
            let entry = &mt.imt[rt.types.imt_slot(method.method) as usize];
            let next = entry.load(Ordering::Acquire);
            let alone = has_slot_alone(rt, mt, method.method)?;
            let to = match alone {
                true => code,
                false => rt.jit.thunks.interface_guard(method.handle(), code, next)?,
            };
            entry.store(to, Ordering::Release);
        }
        Ok(code)
    }

    /// The method whose callable address is `code`; for delegates made from a bare address.
    pub fn at_code(&self, code: usize) -> Option<&'static MethodDesc> {
        self.descs.find(|d| {
            d.callable.load(Ordering::Relaxed) == code || d.code.load(Ordering::Relaxed) == code
        })
    }

    /// The method an object runs for a virtual or interface method.
    pub fn resolve_virtual(
        &self,
        rt: &Runtime,
        object: Obj,
        method: MethodId,
    ) -> Result<&'static MethodDesc> {
        let receiver = object.method_table().type_id();
        let target = rt.types.resolve_virtual(receiver, method)?;
        Ok(self.desc(target))
    }
}

/// Is this the only interface method of the class in its dispatch slot? Then nothing need be asked there. Says no for arrays, whose
/// interfaces are many, and for classes with so many interface methods that finding out would take too long.
fn has_slot_alone(rt: &Runtime, mt: &'static MethodTable, method: MethodId) -> Result<bool> {
    const MANY: usize = 16;
    if mt.has(FLAG_ARRAY) {
        return Ok(false);
    }
    let types = &rt.types;
    let mut seen = 0;
    let mut sharing = 0;
    for &interface in types.interfaces(mt.type_id())? {
        for other in types.methods(interface)? {
            seen += 1;
            if seen > MANY {
                return Ok(false);
            }
            sharing += usize::from(types.imt_slot(other) == types.imt_slot(method));
        }
    }
    Ok(sharing == 1)
}

/// The value of the hidden argument, for methods that cannot find their context in `this`.
fn hidden_context(rt: &Runtime, desc: &'static MethodDesc) -> Result<Option<usize>> {
    Ok(match rt.types.needs_context(desc.method) {
        ContextSource::None | ContextSource::FromThis => None,
        ContextSource::OwnerTable => Some(
            rt.method_table(rt.types.method_owner(desc.method))?
                .handle(),
        ),
        ContextSource::MethodHandle => Some(desc.handle()),
    })
}

fn cached(cell: &AtomicUsize, make: impl FnOnce() -> Result<usize>) -> Result<usize> {
    let known = cell.load(Ordering::Acquire);
    if known != 0 {
        return Ok(known);
    }
    let made = make()?;
    match cell.compare_exchange(0, made, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Ok(made),
        Err(first) => Ok(first),
    }
}
