//! Variables that would have too many block parameters in SSA form ([`MAX_BLOCK_ARGS`]) stay in the frame.

use super::{Access, MethodBody, Numbering, ScanBlock, VarRef, live_at_starts};
use crate::analysis::{MAX_BLOCK_ARGS, beyond};
use rustc_hash::FxHashSet;

/// Those variables; `edges` are the edges into each block. A method of usual size has none, which is found out without
/// looking at what is live.
pub(super) fn too_many(
    body: &MethodBody,
    blocks: &[ScanBlock],
    edges: &[u32],
) -> FxHashSet<VarRef> {
    let joins = || edges.iter().map(|e| u64::from(*e)).enumerate();
    let most: u64 = joins().map(|j| j.1).filter(|e| *e > 1).sum();
    let accesses: usize = blocks.iter().map(|b| b.accesses.len()).sum();
    if most * accesses as u64 <= MAX_BLOCK_ARGS {
        return FxHashSet::default();
    }
    let numbering = Numbering::new(blocks);
    if most * numbering.0.len() as u64 <= MAX_BLOCK_ARGS {
        return FxHashSet::default();
    }
    let mut args = vec![0; numbering.0.len()];
    let live = live_at_starts(body, blocks, &numbering);
    for (n, count) in joins().filter(|j| j.1 > 1) {
        live[n].iter().for_each(|v| args[v.index()] += count);
    }
    // Only what is assigned has parameters, and what has its address taken is in memory in any case.
    let with = |wanted: Access| {
        let accesses = blocks.iter().flat_map(|b| &b.accesses);
        let vars = accesses.filter(move |a| a.1 == wanted).map(|a| a.0);
        vars.collect::<FxHashSet<_>>()
    };
    let (assigned, with_address) = (with(Access::Write), with(Access::Address));
    for (var, n) in &numbering.0 {
        if !assigned.contains(var) || with_address.contains(var) {
            args[n.index()] = 0;
        }
    }
    let kept = beyond(&args, MAX_BLOCK_ARGS);
    let is_kept = |n: usize| kept.binary_search(&n).is_ok();
    let vars = numbering.0.iter().filter(|(_, n)| is_kept(n.index()));
    vars.map(|(var, _)| *var).collect()
}
