//! Generic lookups: exact runtime constants for shared code.
#![allow(unsafe_code, reason = "descriptors are found through raw addresses")]

use super::word_cache::WordCache;
use crate::icall::{Result, Thrown};
use crate::object::{MethodTable, Obj};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use shared_codegen::abi::fixup::{Fixup, OpenFixup};
use shared_codegen::ir::Lookup;
use shared_codegen::types::{ContextSource, GenericContext, MethodId, TypeKind};

/// What compiled code asks for: an open constant in terms of the generic parameters of a method.
struct Descriptor {
    owner: MethodId,
    open: OpenFixup,
}

/// Descriptors and results so far.
#[derive(Default)]
pub struct Lookups {
    descriptors: RwLock<FxHashMap<(MethodId, OpenFixup), &'static Descriptor>>,
    results: RwLock<FxHashMap<(usize, usize), usize>>,
}

/// The results asked for last, by context and descriptor.
static RECENT: WordCache<2, 1, 4096> = WordCache::new();

impl Lookups {
    /// Address of the descriptor of a lookup.
    pub fn descriptor(&self, owner: MethodId, open: OpenFixup) -> usize {
        let key = (owner, open);
        if let Some(d) = self.descriptors.read().get(&key) {
            return core::ptr::from_ref(*d) as usize;
        }
        let made = self
            .descriptors
            .write()
            .entry(key)
            .or_insert_with(|| Box::leak(Box::new(Descriptor { owner, open })))
            .to_owned();
        core::ptr::from_ref(made) as usize
    }

    /// The constant for a generic context.
    pub fn resolve(&self, context: usize, descriptor: usize) -> Result<usize> {
        let key = [context, descriptor];
        if let Some([value]) = RECENT.get(key) {
            return Ok(value);
        }
        if let Some(value) = self.results.read().get(&(context, descriptor)) {
            RECENT.insert(key, [*value]);
            return Ok(*value);
        }
        // SAFETY: compiled code passes what `descriptor` gave; descriptors are immortal.
        let d = unsafe { &*(descriptor as *const Descriptor) };
        let rt = super::get();
        let args = rt.context_arguments(d.owner, context)?;
        let value = rt.fixup_value(rt.close_fixup(Fixup::from(d.open), args)?)?;
        self.results.write().insert((context, descriptor), value);
        RECENT.insert(key, [value]);
        Ok(value)
    }
}

impl super::Runtime {
    /// The type a clause of shared code catches. `source` is what the code keeps for it: the object `this`, or the hidden
    /// argument.
    pub fn catch_type(&self, lookup: Lookup, source: usize) -> Result<&'static MethodTable> {
        let missing = || Thrown::system("ExecutionEngineException", "a clause without a type");
        let context = match self.types.needs_context(lookup.owner) {
            // `call` runs instance methods on null too.
            ContextSource::FromThis if source == 0 => return Err(missing()),
            ContextSource::FromThis => {
                core::ptr::from_ref(Obj::from_addr(source).method_table()) as usize
            }
            _ => source,
        };
        let open = lookup.fixup.try_into().map_err(|()| missing())?;
        let descriptor = self.lookups.descriptor(lookup.owner, open);
        MethodTable::from_handle(self.lookups.resolve(context, descriptor)?).ok_or_else(missing)
    }

    /// The generic arguments of the class of `owner`, seen from an object of type `mt` or one derived from it.
    pub fn arguments_as(
        &self,
        owner: MethodId,
        mt: &'static MethodTable,
    ) -> Result<GenericContext> {
        let definition = self.types.definition(self.types.method_owner(owner));
        let exact = self.types.ancestor_of_definition(mt.type_id(), definition);
        let exact = exact.ok_or_else(|| {
            Thrown::system(
                "ExecutionEngineException",
                "generic context of another class",
            )
        })?;
        match self.types.kind(exact) {
            TypeKind::Inst { args, .. } => Ok(GenericContext {
                type_args: args,
                method_args: &[],
            }),
            _ => Ok(GenericContext::EMPTY),
        }
    }
}
