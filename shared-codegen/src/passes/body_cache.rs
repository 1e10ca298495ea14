//! Bodies that `inline` inserts, kept from one function to the next: small methods are called everywhere, and importing them at
//! each call would take as long as importing all methods once.

use super::inline::ParamUse;
use crate::ir::Function;
use crate::types::MethodId;
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A body that may be inserted.
#[derive(Debug)]
pub(super) struct Body {
    /// As imported, with its intrinsics replaced.
    pub(super) function: Function,
    /// Its cost.
    pub(super) cost: u32,
    /// It calls nothing.
    pub(super) is_leaf: bool,
    /// Some way through it ends in a return; if not, it is not inserted, but what follows its call is never reached.
    pub(super) returns: bool,
    /// By block: it stands in a loop.
    pub(super) in_loop: Vec<bool>,
    /// What it does with its parameters.
    pub(super) uses: Vec<ParamUse>,
}

const SHARDS: usize = 16;

/// Entries at which a shard is emptied: a few kilobytes each.
const MAX_ENTRIES: usize = 512;

/// Bodies by method, and which methods have none that may be inserted. For one type context and one processor; shared by
/// threads, bounded.
#[derive(Debug, Default)]
pub struct BodyCache {
    shards: [RwLock<FxHashMap<MethodId, Option<Arc<Body>>>>; SHARDS],
}

impl BodyCache {
    /// The body of a method, made if it is not here. Two threads may both make it.
    pub(super) fn get(
        &self,
        method: MethodId,
        make: impl FnOnce() -> Option<Arc<Body>>,
    ) -> Option<Arc<Body>> {
        let shard = &self.shards[method.0 as usize % SHARDS];
        if let Some(known) = shard.read().get(&method) {
            return known.clone();
        }
        // Not under the lock: importing resolves types, which may ask for anything.
        let made = make();
        let mut shard = shard.write();
        if shard.len() >= MAX_ENTRIES {
            shard.clear();
        }
        shard.insert(method, made.clone());
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Signature;

    fn body(cost: u32) -> Option<Arc<Body>> {
        let function = Function::new("f", Signature::default());
        Some(Arc::new(Body {
            function,
            cost,
            is_leaf: true,
            returns: true,
            uses: Vec::new(),
            in_loop: Vec::new(),
        }))
    }

    #[test]
    fn bodies_are_made_once_and_forgotten_when_there_are_too_many() {
        let cache = BodyCache::default();
        let cost = |m: u32, new: u32| {
            let found = cache.get(MethodId(m), || body(new));
            found.map(|b| b.cost)
        };
        assert_eq!((cost(3, 1), cost(3, 2)), (Some(1), Some(1)));
        assert!(cache.get(MethodId(4), || None).is_none());
        assert_eq!(cost(4, 5), None, "that there is none is remembered");
        for n in 0..(SHARDS * MAX_ENTRIES) as u32 {
            cost(100 + n, 7);
        }
        let kept: usize = cache.shards.iter().map(|s| s.read().len()).sum();
        assert!(kept <= SHARDS * MAX_ENTRIES);
        assert_eq!(cost(3, 2), Some(2));
    }
}
