//! Generic lookups: exact runtime constants for shared code.
#![allow(unsafe_code, reason = "descriptors are found through raw addresses")]

use super::word_cache::WordCache;
use crate::icall::{Result, Thrown};
use crate::object::lookup_memo::{ENTRIES, Entry, LookupMemo};
use crate::object::{MethodTable, Obj};
use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;
use shared_codegen::abi::fixup::{Fixup, OpenFixup};
use shared_codegen::ir::Lookup;
use shared_codegen::types::{ContextSource, GenericContext, MethodId, TypeId, TypeKind};

/// What compiled code asks for: an open constant in terms of the generic parameters of a method.
#[repr(C)]
struct Descriptor {
    /// Offset of the entry of [`LookupMemo`]s that may hold the result. The helper's fast path reads it.
    memo_offset: usize,
    owner: MethodId,
    open: OpenFixup,
}

/// What has a context, and so memos, in common: the instances of a class, or those of a method.
#[derive(PartialEq, Eq, Hash)]
enum Family {
    Class(TypeId),
    Method(MethodId),
}

/// Descriptors and results so far.
#[derive(Default)]
pub struct Lookups {
    descriptors: RwLock<FxHashMap<(MethodId, OpenFixup), &'static Descriptor>>,
    /// How many descriptors there are for one kind of context.
    counts: Mutex<FxHashMap<Family, usize>>,
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
        let make = || {
            let memo_offset = self.free_entry(owner) * Entry::SIZE;
            &*Box::leak(Box::new(Descriptor {
                memo_offset,
                owner,
                open,
            }))
        };
        let mut all = self.descriptors.write();
        core::ptr::from_ref(*all.entry(key).or_insert_with(make)) as usize
    }

    /// The entry of memos for the next descriptor: they take turns.
    fn free_entry(&self, owner: MethodId) -> usize {
        let types = &super::get().types;
        let family = match types.needs_context(owner) {
            ContextSource::MethodHandle => Family::Method(owner),
            _ => Family::Class(types.definition(types.method_owner(owner))),
        };
        let mut counts = self.counts.lock();
        let count = counts.entry(family).or_default();
        *count += 1;
        // The first entry is the table's size.
        1 + (*count - 1) % (ENTRIES - 1)
    }

    /// The constant for a generic context, noted in the context's memo.
    pub fn resolve(&self, context: usize, descriptor: usize) -> Result<usize> {
        // SAFETY: compiled code passes what `descriptor` gave; descriptors are immortal.
        let d = unsafe { &*(descriptor as *const Descriptor) };
        let value = self.find(context, descriptor, d)?;
        // SAFETY: contexts are method tables or methods, which are immortal and have the memo in the same place.
        let memo = unsafe { &*((context + LookupMemo::OFFSET) as *const LookupMemo) };
        memo.note(d.memo_offset / Entry::SIZE, descriptor, value);
        Ok(value)
    }

    fn find(&self, context: usize, descriptor: usize, d: &Descriptor) -> Result<usize> {
        let key = [context, descriptor];
        if let Some([value]) = RECENT.get(key) {
            return Ok(value);
        }
        let known = self.results.read().get(&(context, descriptor)).copied();
        let value = match known {
            Some(value) => value,
            None => {
                let rt = super::get();
                let args = rt.context_arguments(d.owner, context)?;
                let value = rt.fixup_value(rt.close_fixup(Fixup::from(d.open), args)?)?;
                self.results.write().insert((context, descriptor), value);
                value
            }
        };
        RECENT.insert(key, [value]);
        Ok(value)
    }
}

/// Where the helper's fast path finds a descriptor's offset of the memo entry.
pub const MEMO_OFFSET: usize = core::mem::offset_of!(Descriptor, memo_offset);

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
