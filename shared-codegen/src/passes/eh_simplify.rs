//! Removes exception regions that do nothing.
//!
//! ```text
//!     region0 = fault handler block2 slot ss0
//! block1 region0:                       block1:
//!     call method#7 sig0                    call method#7 sig0
//!     jump block3                           jump block3
//! block2:
//!     resume_unwind region0
//! ```
//! A region goes if its handler only passes the exception on (an empty `finally`, often left by inlining `Dispose`), or if
//! nothing in it can raise an exception. Its blocks then belong to the region around it. When no region is left the function
//! has no handlers at all, and its frame needs not save what handlers rely on.
//! Cost: linear. Needs nothing; better after `inline` and `dce`. Leaves handlers without predecessors to `simplify-cfg`;
//! invalidates dominators and liveness.

use super::PassContext;
use crate::ir::{Block, Function, Fx, Op, Region, RegionKind};

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    if f.regions.is_empty() {
        return false;
    }
    let mut changed = false;
    // Inner regions come after or before the outer ones: repeat until nothing changes.
    while let Some(region) = next_useless(f) {
        dissolve(f, region);
        changed = true;
    }
    let used = f
        .layout
        .iter()
        .any(|b| f.blocks[b.index()].region.is_some());
    if !used {
        changed |= forget_regions(f);
    }
    changed
}

fn next_useless(f: &Function) -> Option<Region> {
    let occupied = |r: Region| {
        let mut blocks = f.layout.iter().map(|b| f.blocks[b.index()].region);
        blocks.any(|x| x == Some(r)) || f.regions.iter().any(|d| d.parent == Some(r))
    };
    let all = (0..f.regions.len() as u32).map(Region);
    all.filter(|&r| occupied(r))
        .find(|&r| passes_on(f, r) || cannot_throw(f, r))
}

/// The handler does nothing but let the exception go on.
fn passes_on(f: &Function, region: Region) -> bool {
    let data = &f.regions[region.index()];
    let insts = &f.blocks[data.handler.index()].insts;
    let only = match insts[..] {
        [i] => f.insts[i.index()].op == Op::ResumeUnwind,
        _ => false,
    };
    only && data.kind == RegionKind::Fault
}

fn cannot_throw(f: &Function, region: Region) -> bool {
    let inside = |b: &&Block| {
        let mut at = f.blocks[b.index()].region;
        while let Some(r) = at.filter(|&r| r != region) {
            at = f.regions[r.index()].parent;
        }
        at.is_some()
    };
    let mut insts = f
        .layout
        .iter()
        .filter(inside)
        .flat_map(|b| &f.blocks[b.index()].insts);
    !insts.any(|i| {
        f.insts[i.index()]
            .op
            .info()
            .fx
            .intersects(Fx::THROW | Fx::CALL)
    })
}

/// Gives the region's blocks to the region around it.
fn dissolve(f: &mut Function, region: Region) {
    let parent = f.regions[region.index()].parent;
    for b in &f.layout {
        let at = &mut f.blocks[b.index()].region;
        if *at == Some(region) {
            *at = parent;
        }
    }
    for r in &mut f.regions {
        if r.parent == Some(region) {
            r.parent = parent;
        }
    }
}

/// No block is in a region: handlers cannot be reached, and the table of regions goes with them.
fn forget_regions(f: &mut Function) -> bool {
    let cfg = crate::analysis::Cfg::new(f);
    f.layout.retain(|&b| cfg.is_reachable(b));
    for r in std::mem::take(&mut f.regions) {
        // What the code stores for the unwinder may still stand there, and has the slot to itself now.
        f.slots[r.eh_slot.index()].eh = None;
    }
    true
}
