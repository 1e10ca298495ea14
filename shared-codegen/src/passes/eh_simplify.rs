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
use crate::abi::trap::TrapKind;
use crate::ir::{Block, Function, Fx, Imm, Op, Region, RegionKind};

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    if f.regions.is_empty() {
        return false;
    }
    let useless = useless_regions(f);
    let mut changed = useless.contains(&true);
    if changed {
        dissolve(f, &useless);
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

/// Regions that hold blocks or other regions to no purpose.
fn useless_regions(f: &Function) -> Vec<bool> {
    let mut occupied = vec![false; f.regions.len()];
    let mut throws = vec![false; f.regions.len()];
    for &b in &f.layout {
        let Some(region) = f.blocks[b.index()].region else {
            continue;
        };
        occupied[region.index()] = true;
        if !throws[region.index()] {
            throws[region.index()] = can_throw(f, b);
        }
    }
    for n in 0..f.regions.len() {
        let throws_inside = throws[n];
        let mut at = f.regions[n].parent;
        while let Some(r) =
            at.filter(|r| !occupied[r.index()] || (throws_inside && !throws[r.index()]))
        {
            occupied[r.index()] = true;
            throws[r.index()] |= throws_inside;
            at = f.regions[r.index()].parent;
        }
    }
    (0..f.regions.len())
        .map(|n| occupied[n] && (!throws[n] || passes_on(f, Region(n as u32))))
        .collect()
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

fn can_throw(f: &Function, b: Block) -> bool {
    f.blocks[b.index()].insts.iter().any(|i| {
        let fx = f.insts[i.index()].op.info().fx;
        fx.intersects(Fx::THROW | Fx::CALL)
    })
}

/// Gives the blocks and regions of useless regions to the regions around them.
fn dissolve(f: &mut Function, useless: &[bool]) {
    let around = |f: &Function, mut at: Option<Region>| {
        while let Some(r) = at.filter(|r| useless[r.index()]) {
            at = f.regions[r.index()].parent;
        }
        at
    };
    for n in 0..f.layout.len() {
        let b = f.layout[n].index();
        f.blocks[b].region = around(f, f.blocks[b].region);
    }
    for n in 0..f.regions.len() {
        f.regions[n].parent = around(f, f.regions[n].parent);
    }
}

/// No block is in a region: handlers cannot be reached, and the table of regions goes with them.
fn forget_regions(f: &mut Function) -> bool {
    let cfg = crate::analysis::Cfg::new(f);
    f.layout.retain(|&b| cfg.is_reachable(b));
    // A finally body that serves the normal way out too ends in either; the unwinder does not enter it any more.
    for &b in &f.layout {
        let last = f.terminator(b);
        let data = &mut f.insts[last.index()];
        if data.op == Op::ResumeUnwind {
            (data.op, data.imm) = (Op::Trap, Imm::Trap(TrapKind::InvalidProgram));
        }
    }
    for r in std::mem::take(&mut f.regions) {
        // What the code stores for the unwinder may still stand there, and has the slot to itself now.
        f.slots[r.eh_slot.index()].eh = None;
    }
    true
}
