//! The order of machine blocks: the IR's reachable blocks in reverse postorder, critical edges
//! split, and exception handlers hung below a pseudo entry.
//!
//! Register allocation needs reverse postorder (a dominator has the smaller number). When the
//! function has handlers, or when its entry block is the target of a jump, an extra first block
//! stands before the entry. Its successors are the entry and every handler: handlers have no
//! live-in registers, so this edge carries nothing, but it keeps them reachable and dominated.

use crate::ir::{Block, Function, Region};
use smallvec::SmallVec;

/// Number of a machine block; also its position in reverse postorder.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct MBlock(pub u32);

impl MBlock {
    /// Position in reverse postorder.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a machine block stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The pseudo entry: defines the arguments, then goes to the entry block.
    Prologue,
    /// A block of the function.
    Block(Block),
    /// A split critical edge: from a block's target with this number.
    Edge {
        /// Source; the pseudo entry if none.
        from: Option<Block>,
        /// Which target of the source's terminator.
        target: u32,
        /// Destination.
        to: Block,
    },
}

/// A machine block before it has instructions.
#[derive(Clone, Debug)]
pub struct OrderedBlock {
    /// Where it comes from.
    pub origin: Origin,
    /// Successors, in the order of the terminator's targets.
    pub succs: SmallVec<[MBlock; 2]>,
    /// Predecessors, one for each edge.
    pub preds: SmallVec<[MBlock; 2]>,
    /// Exception region its code is in.
    pub region: Option<Region>,
    /// Seldom run.
    pub cold: bool,
}

/// Machine blocks of a function.
#[derive(Clone, Debug)]
pub struct BlockOrder {
    /// The blocks, in reverse postorder; the first is where the function starts.
    pub blocks: Vec<OrderedBlock>,
    /// Machine block of each IR block, if reachable.
    pub of_block: Vec<Option<MBlock>>,
    /// IR blocks entered by the unwinder, with the machine block it has to jump to.
    pub handlers: Vec<(Block, MBlock)>,
}

/// Handler and filter blocks of regions that reachable blocks are in, and the reachable blocks.
fn reachable(f: &Function) -> (Vec<Block>, Vec<bool>) {
    let mut seen = vec![false; f.blocks.len()];
    let mut handlers = Vec::new();
    let mut work = vec![f.entry()];
    seen[f.entry().index()] = true;
    let mut region_done = vec![false; f.regions.len()];
    while let Some(b) = work.pop() {
        let mut visit = |s: Block, work: &mut Vec<Block>| {
            if !std::mem::replace(&mut seen[s.index()], true) {
                work.push(s);
            }
        };
        for s in f.succs(b) {
            visit(s, &mut work);
        }
        if let Some(r) = f.blocks[b.index()].region
            && !std::mem::replace(&mut region_done[r.index()], true)
        {
            for h in f.eh_succs(b) {
                if !handlers.contains(&h) {
                    handlers.push(h);
                }
                visit(h, &mut work);
            }
        }
    }
    (handlers, seen)
}

/// Where a depth-first walk stands: a block (none: the pseudo entry) and its next successor.
struct Frame {
    block: Option<Block>,
    succs: SmallVec<[Block; 4]>,
    next: usize,
}

/// Postorder over reachable blocks. Of several successors the one last in the function's layout is
/// visited first, so that reverse postorder keeps the layout's order and loops stay together.
fn postorder(f: &Function, roots: &[Block]) -> Vec<Block> {
    let mut position = vec![0u32; f.blocks.len()];
    for (i, b) in f.layout.iter().enumerate() {
        position[b.index()] = i as u32;
    }
    let sorted = |mut s: SmallVec<[Block; 4]>| {
        s.sort_by_key(|b| std::cmp::Reverse(position[b.index()]));
        s
    };
    let mut seen = vec![false; f.blocks.len()];
    let mut out = Vec::with_capacity(f.layout.len());
    let mut stack = vec![Frame {
        block: None,
        succs: sorted(roots.iter().copied().collect()),
        next: 0,
    }];
    // The entry has to come first, so it is visited last.
    let entry = f.entry();
    stack[0].succs.retain(|b| *b != entry);
    stack[0].succs.push(entry);
    while let Some(top) = stack.last_mut() {
        let Some(&b) = top.succs.get(top.next) else {
            out.extend(top.block);
            stack.pop();
            continue;
        };
        top.next += 1;
        if !std::mem::replace(&mut seen[b.index()], true) {
            stack.push(Frame {
                block: Some(b),
                succs: sorted(f.succs(b).collect()),
                next: 0,
            });
        }
    }
    out
}

impl BlockOrder {
    /// Computes the order.
    pub fn compute(f: &Function) -> BlockOrder {
        let (handlers, seen) = reachable(f);
        let mut pred_edges = vec![0u32; f.blocks.len()];
        for &b in f.layout.iter().filter(|b| seen[b.index()]) {
            for s in f.succs(b) {
                pred_edges[s.index()] += 1;
            }
        }
        let entry = f.entry();
        let prologue = !handlers.is_empty() || pred_edges[entry.index()] != 0;
        let roots: Vec<Block> = std::iter::once(entry)
            .chain(handlers.iter().copied())
            .collect();
        if prologue {
            for r in &roots {
                pred_edges[r.index()] += 1;
            }
        }
        let mut order = BlockOrder {
            blocks: Vec::new(),
            of_block: vec![None; f.blocks.len()],
            handlers: Vec::new(),
        };
        if prologue {
            order.push(Origin::Prologue, f);
            order.push_edges(f, None, &roots, &pred_edges);
        }
        for b in postorder(f, &roots).into_iter().rev() {
            let m = order.push(Origin::Block(b), f);
            order.of_block[b.index()] = Some(m);
            let succs: SmallVec<[Block; 4]> = f.succs(b).collect();
            order.push_edges(f, Some(b), &succs, &pred_edges);
        }
        order.link(f, &roots);
        order
    }

    fn push(&mut self, origin: Origin, f: &Function) -> MBlock {
        let (region, cold) = match origin {
            Origin::Prologue => (None, false),
            Origin::Block(b) => (f.blocks[b.index()].region, f.blocks[b.index()].cold),
            Origin::Edge { from, to, .. } => (
                from.and_then(|b| f.blocks[b.index()].region),
                f.blocks[to.index()].cold || from.is_none_or(|b| f.blocks[b.index()].cold),
            ),
        };
        self.blocks.push(OrderedBlock {
            origin,
            succs: SmallVec::new(),
            preds: SmallVec::new(),
            region,
            cold,
        });
        MBlock(self.blocks.len() as u32 - 1)
    }

    /// Adds edge blocks for the critical ones among a block's edges.
    fn push_edges(&mut self, f: &Function, from: Option<Block>, succs: &[Block], preds: &[u32]) {
        if succs.len() < 2 {
            return;
        }
        for (i, &to) in succs.iter().enumerate() {
            if preds[to.index()] > 1 {
                self.push(
                    Origin::Edge {
                        from,
                        target: i as u32,
                        to,
                    },
                    f,
                );
            }
        }
    }

    /// Fills in successors, predecessors and handlers once every block has its number. The edge
    /// blocks of a block follow it directly, in the order of its targets.
    fn link(&mut self, f: &Function, roots: &[Block]) {
        for i in 0..self.blocks.len() {
            let targets: SmallVec<[Block; 4]> = match self.blocks[i].origin {
                Origin::Prologue => roots.iter().copied().collect(),
                Origin::Block(b) => f.succs(b).collect(),
                Origin::Edge { to, .. } => SmallVec::from_slice(&[to]),
            };
            let is_edge = matches!(self.blocks[i].origin, Origin::Edge { .. });
            let mut next_edge = i + 1;
            for (n, to) in targets.into_iter().enumerate() {
                let split = !is_edge
                    && matches!(self.blocks.get(next_edge).map(|b| b.origin),
                        Some(Origin::Edge { target, .. }) if target as usize == n);
                let succ = if split {
                    next_edge += 1;
                    MBlock(next_edge as u32 - 1)
                } else {
                    self.of_block[to.index()].expect("successors of reachable blocks are reachable")
                };
                self.blocks[i].succs.push(succ);
                self.blocks[succ.index()].preds.push(MBlock(i as u32));
                if self.blocks[i].origin == Origin::Prologue && n > 0 {
                    self.handlers.push((to, succ));
                }
            }
        }
    }

    /// The machine block the unwinder jumps to for a handler or filter block.
    pub fn handler(&self, b: Block) -> Option<MBlock> {
        self.handlers.iter().find(|(h, _)| *h == b).map(|(_, m)| *m)
    }
}
