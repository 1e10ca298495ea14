//! Natural loops and their nesting.
//!
//! A back edge goes to a block that dominates its source; the loop of a header is everything that reaches its back edges
//! without passing the header. Loops are found innermost-last in reverse postorder of headers, so a loop's number is larger
//! than that of every loop around it. A retreating edge whose target does not dominate its source makes the function
//! [`Loops::irreducible`]; such cycles are in no loop.

use super::{Cfg, Dominators};
use crate::ir::Block;

/// A loop of one function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Loop(pub u32);

impl Loop {
    /// Position in the table.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is known of a loop.
#[derive(Debug, Clone)]
pub struct LoopData {
    /// The block through which it is entered.
    pub header: Block,
    /// Sources of back edges.
    pub latches: Vec<Block>,
    /// All its blocks with those of inner loops, in reverse postorder (the header first).
    pub blocks: Vec<Block>,
    /// The loop around it.
    pub parent: Option<Loop>,
    /// Nesting depth, 1 for outermost loops.
    pub depth: u32,
}

/// All natural loops.
#[derive(Debug, Clone)]
pub struct Loops {
    /// Loops, outer before inner.
    pub loops: Vec<LoopData>,
    /// Innermost loop by block, `u32::MAX` for none.
    of: Vec<u32>,
    /// There is a cycle that no single block dominates.
    pub irreducible: bool,
}

impl Loops {
    /// Finds the loops; time is linear in the sum of the loops' sizes.
    pub fn new(cfg: &Cfg, doms: &Dominators) -> Loops {
        let n = cfg.rpo().iter().map(|b| b.index() + 1).max().unwrap_or(0);
        let mut all = Loops {
            loops: Vec::new(),
            of: vec![u32::MAX; n],
            irreducible: false,
        };
        for (i, &header) in cfg.rpo().iter().enumerate() {
            let mut latches = Vec::new();
            for p in cfg.all_preds(header) {
                if cfg.rpo_index(p).is_none_or(|at| at < i) {
                    continue;
                }
                if doms.dominates(header, p) {
                    if !latches.contains(&p) {
                        latches.push(p);
                    }
                } else {
                    all.irreducible = true;
                }
            }
            if !latches.is_empty() {
                all.add(cfg, doms, header, latches);
            }
        }
        all
    }

    fn add(&mut self, cfg: &Cfg, doms: &Dominators, header: Block, latches: Vec<Block>) {
        let id = self.loops.len() as u32;
        let parent = self.innermost(header);
        let mut blocks = vec![header];
        let mut work = latches.clone();
        self.of[header.index()] = id;
        while let Some(b) = work.pop() {
            // Ways into the loop that the header does not dominate belong to irreducible cycles.
            if self.of[b.index()] == id || !doms.dominates(header, b) {
                continue;
            }
            self.of[b.index()] = id;
            blocks.push(b);
            work.extend(cfg.all_preds(b));
        }
        blocks.sort_by_key(|&b| cfg.rpo_index(b));
        let depth = parent.map_or(1, |p| self.loops[p.index()].depth + 1);
        self.loops.push(LoopData {
            header,
            latches,
            blocks,
            parent,
            depth,
        });
    }

    /// Innermost loop of a block.
    pub fn innermost(&self, b: Block) -> Option<Loop> {
        match self.of.get(b.index()) {
            Some(&n) if n != u32::MAX => Some(Loop(n)),
            _ => None,
        }
    }

    /// Nesting depth of a block, 0 outside loops.
    pub fn depth(&self, b: Block) -> u32 {
        self.innermost(b).map_or(0, |l| self.loops[l.index()].depth)
    }

    /// The block lies in the loop or in one inside it.
    pub fn contains(&self, outer: Loop, b: Block) -> bool {
        let mut at = self.innermost(b);
        while let Some(l) = at {
            if l == outer {
                return true;
            }
            at = self.loops[l.index()].parent;
        }
        false
    }

    /// Edges that leave a loop: (from inside, to outside), by branches only.
    pub fn exits(&self, f: &crate::ir::Function, l: Loop) -> Vec<(Block, Block)> {
        let inside = self.loops[l.index()].blocks.iter();
        inside
            .flat_map(|&b| f.succs(b).map(move |s| (b, s)))
            .filter(|&(_, s)| !self.contains(l, s))
            .collect()
    }
}
