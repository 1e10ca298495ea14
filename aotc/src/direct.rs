//! Direct calls inside an image.
//!
//! A call goes through a cell because the callee's own cells may not be bound before its first call, which the cell's prestub
//! sees to. If all cells the callee needs are bound when the caller runs, nothing stands against a direct call. So a call
//! becomes direct when
//!
//! * the image has code of the callee, and
//! * what the callee needs bound is needed by the caller too, or costs nothing to bind with it (addresses of runtime helpers),
//!   but for one thing that costs as much as the cell that is saved.
//!
//! What a method needs is its runtime constants without the entries of methods that it only calls directly, and what is bound on
//! behalf of those. Each direct call may so make further ones possible; the search goes in rounds until there are no more.

use crate::compilation::Unit;
use rustc_hash::{FxHashMap, FxHashSet};
use shared_codegen::abi::fixup::Fixup;
use shared_codegen::emit::{CodeBlob, Reloc, RelocKind};
use shared_codegen::image::fixups;
use shared_codegen::types::{MethodId, TypeContext};

/// Rounds after which the rest stays indirect.
const MAX_ROUNDS: usize = 16;

/// The opcode bytes of `call *cell(%rip)`, and of a direct call that is as long: `addr32 call`.
const INDIRECT: [u8; 2] = [0xff, 0x15];
const DIRECT: [u8; 2] = [0x67, 0xe8];

/// What is known of a unit with code.
#[derive(Default)]
struct Node {
    /// Constants that must be bound before its code runs.
    needs: FxHashSet<Fixup>,
    /// Methods that it calls through cells that it uses for nothing else.
    calls: Vec<MethodId>,
    /// Methods that it calls directly.
    direct: Vec<MethodId>,
}

/// Makes calls direct where that is possible; how many call sites that were. What is to be bound for callees is noted with the
/// caller.
pub fn link(ctx: &TypeContext, units: &mut [Unit]) -> usize {
    let mut nodes: FxHashMap<MethodId, Node> = units
        .iter()
        .filter_map(|u| Some((u.method, node(u.outcome.as_ref().ok()?))))
        .collect();
    let order: Vec<MethodId> = units.iter().map(|u| u.method).collect();
    for _ in 0..MAX_ROUNDS {
        let found: Vec<(MethodId, MethodId)> = order
            .iter()
            .flat_map(|&m| candidates(&nodes, m).map(move |callee| (m, callee)))
            .collect();
        if found.is_empty() {
            break;
        }
        for (caller, callee) in found {
            if let Some(node) = nodes.get_mut(&caller) {
                node.needs.remove(&Fixup::MethodEntry(callee));
                node.calls.retain(|&m| m != callee);
                node.direct.push(callee);
            }
        }
        inherit(&mut nodes, &order);
    }
    let mut sites = 0;
    for unit in units {
        if let (Some(node), Ok(blob)) = (nodes.get(&unit.method), &mut unit.outcome) {
            sites += apply(blob, &unit.prefix, node);
            let own = blob.cell_fixups();
            let more = node.needs.difference(&own);
            unit.bound_for_callees = more.copied().collect();
            // By identity: the numbers of types and methods differ from run to run.
            unit.bound_for_callees.sort_by_cached_key(|f| {
                let mut key = Vec::new();
                fixups::encode(ctx, *f, &mut key);
                key
            });
        }
    }
    sites
}

fn node(blob: &CodeBlob) -> Node {
    let other = |r: &&Reloc| r.kind != RelocKind::CallCell32 || !is_call(blob, r.offset);
    let others = blob.relocs.iter().filter(other);
    let others: FxHashSet<Fixup> = others.map(|r| r.fixup).collect();
    let calls = blob.fixups.iter().filter_map(|&f| match f {
        Fixup::MethodEntry(m) if !others.contains(&f) => Some(m),
        _ => None,
    });
    Node {
        needs: blob.cell_fixups(),
        calls: calls.collect(),
        direct: Vec::new(),
    }
}

/// The field at an offset belongs to a call, not to a jump, which the assembler could make shorter.
fn is_call(blob: &CodeBlob, field: u32) -> bool {
    let at = field as usize;
    at.checked_sub(2).and_then(|start| blob.code.get(start..at)) == Some(&INDIRECT)
}

/// Bound together with the caller without cost or effect.
fn is_free(f: &Fixup) -> bool {
    matches!(f, Fixup::Helper(_))
}

/// Costs about as much as a call cell, and loads no types.
fn is_cheap(f: &Fixup) -> bool {
    matches!(f, Fixup::MethodEntry(_) | Fixup::GenericLookup(..))
}

/// The callees of a method that can now be called directly.
fn candidates(
    nodes: &FxHashMap<MethodId, Node>,
    caller: MethodId,
) -> impl Iterator<Item = MethodId> {
    let node = nodes.get(&caller);
    let calls = node
        .into_iter()
        .flat_map(|n| n.calls.iter().map(move |c| (n, *c)));
    calls.filter_map(|(node, callee)| {
        let wanted = &nodes.get(&callee)?.needs;
        let mut more = wanted
            .iter()
            .filter(|f| !is_free(f) && !node.needs.contains(f));
        let fits = more.next().is_none_or(is_cheap) && more.next().is_none();
        fits.then_some(callee)
    })
}

/// What direct callees need is needed by their callers.
fn inherit(nodes: &mut FxHashMap<MethodId, Node>, order: &[MethodId]) {
    let mut changed = true;
    while changed {
        changed = false;
        for m in order {
            let Some(node) = nodes.get(m) else { continue };
            let callees = node.direct.iter().filter_map(|c| nodes.get(c));
            let more: Vec<Fixup> = callees
                .flat_map(|c| &c.needs)
                .filter(|f| !node.needs.contains(f))
                .copied()
                .collect();
            if let (false, Some(node)) = (more.is_empty(), nodes.get_mut(m)) {
                node.needs.extend(more);
                changed = true;
            }
        }
    }
}

/// Rewrites code and text of a method; how many call sites were changed.
fn apply(blob: &mut CodeBlob, prefix: &str, node: &Node) -> usize {
    let direct: FxHashSet<Fixup> = node.direct.iter().map(|&m| Fixup::MethodEntry(m)).collect();
    let mut sites = 0;
    for r in &mut blob.relocs {
        if direct.contains(&r.fixup) {
            let at = r.offset as usize;
            blob.code[at - 2..at].copy_from_slice(&DIRECT);
            r.kind = RelocKind::Direct32;
            sites += 1;
        }
    }
    if let Some(text) = &mut blob.text {
        for (k, f) in blob.fixups.iter().enumerate() {
            if direct.contains(f) {
                let from = format!("\tcall *.Lc{prefix}_{k}(%rip)\n");
                // Written as `addr32 call`, the assembler would leave the prefix out.
                let to = format!("\t.byte 0x67\n\tcall .Ld{prefix}_{k}\n");
                *text = text.replace(&from, &to);
            }
        }
    }
    sites
}
