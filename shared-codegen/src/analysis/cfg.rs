//! Predecessors and reverse postorder, with exceptional edges.
//!
//! Exceptional edges go from every block of a region to the region's handler (and filter), and on to those of the regions
//! around it (`Function::eh_succs`). They leave a block *before* its first instruction: nothing the block computes can be
//! relied on in the handler. Blocks that cannot be reached from the entry are not in the order and count as no one's predecessor.

use crate::ir::{Block, Function};
use smallvec::SmallVec;

/// Control-flow graph of the reachable blocks.
#[derive(Debug, Clone)]
pub struct Cfg {
    preds: Vec<SmallVec<[Block; 2]>>,
    eh_preds: Vec<SmallVec<[Block; 2]>>,
    rpo: Vec<Block>,
    position: Vec<u32>,
}

impl Cfg {
    /// Computes it in time linear in blocks and edges.
    pub fn new(f: &Function) -> Cfg {
        let n = f.blocks.len();
        let rpo = reverse_postorder(f);
        let mut position = vec![u32::MAX; n];
        for (i, b) in rpo.iter().enumerate() {
            position[b.index()] = i as u32;
        }
        let mut preds = vec![SmallVec::new(); n];
        let mut eh_preds = vec![SmallVec::new(); n];
        for &b in &rpo {
            for s in f.succs(b) {
                preds[s.index()].push(b);
            }
            for s in f.eh_succs(b) {
                eh_preds[s.index()].push(b);
            }
        }
        Cfg {
            preds,
            eh_preds,
            rpo,
            position,
        }
    }

    /// Predecessors by branches; a block that branches here twice occurs twice.
    pub fn preds(&self, b: Block) -> &[Block] {
        &self.preds[b.index()]
    }

    /// Blocks whose exceptions arrive at this handler or filter.
    pub fn eh_preds(&self, b: Block) -> &[Block] {
        &self.eh_preds[b.index()]
    }

    /// Both kinds of predecessors.
    pub fn all_preds(&self, b: Block) -> impl Iterator<Item = Block> + '_ {
        let (n, e) = (&self.preds[b.index()], &self.eh_preds[b.index()]);
        n.iter().chain(e).copied()
    }

    /// Reachable blocks in reverse postorder, the entry first.
    pub fn rpo(&self) -> &[Block] {
        &self.rpo
    }

    /// Position of a reachable block in [`Self::rpo`].
    pub fn rpo_index(&self, b: Block) -> Option<usize> {
        match self.position[b.index()] {
            u32::MAX => None,
            n => Some(n as usize),
        }
    }

    /// The block can be reached from the entry.
    pub fn is_reachable(&self, b: Block) -> bool {
        self.position[b.index()] != u32::MAX
    }
}

/// Depth-first search with a stack of (block, next successor). Successors are visited last to first, so that in the order a
/// branch's first target tends to follow it directly, and handlers come late.
fn reverse_postorder(f: &Function) -> Vec<Block> {
    let mut order = Vec::with_capacity(f.layout.len());
    let Some(&entry) = f.layout.first() else {
        return order;
    };
    let mut seen = vec![false; f.blocks.len()];
    let successors =
        |b: Block| -> SmallVec<[Block; 4]> { f.succs(b).chain(f.eh_succs(b)).collect() };
    let mut stack = vec![(entry, successors(entry))];
    seen[entry.index()] = true;
    while let Some((b, succs)) = stack.last_mut() {
        match succs.pop() {
            Some(s) if seen[s.index()] => {}
            Some(s) => {
                seen[s.index()] = true;
                stack.push((s, successors(s)));
            }
            None => {
                order.push(*b);
                stack.pop();
            }
        }
    }
    order.reverse();
    order
}
