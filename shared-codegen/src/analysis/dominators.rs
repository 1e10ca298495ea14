//! Dominator tree and dominance frontiers.
//!
//! Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm" (2001), over reverse postorder.
//!
//! `a` dominates `b` means: on every way from the entry to the start of `b`, all of `a` was executed (or `a` is `b`). For
//! exceptional edges, which leave a block before its first instruction, this means that the block itself does not dominate
//! its handler though the blocks before it do: an edge from `d` to a handler counts as coming from `d`'s immediate dominator.
//! So a value may be used exactly where its block dominates. The entry block must not lie in a region.

use super::Cfg;
use crate::ir::Block;

const NONE: u32 = u32::MAX;

/// Dominator tree of the reachable blocks.
#[derive(Debug, Clone)]
pub struct Dominators {
    /// Immediate dominator by block; the entry's is itself, `NONE` for unreachable blocks.
    idom: Vec<u32>,
    /// First and last number of the block's subtree in preorder.
    span: Vec<(u32, u32)>,
    preorder: Vec<Block>,
}

impl Dominators {
    /// Computes the tree.
    pub fn new(cfg: &Cfg) -> Dominators {
        let rpo = cfg.rpo();
        // Immediate dominators as positions in the order.
        let mut idom = vec![NONE; rpo.len()];
        if let Some(first) = idom.first_mut() {
            *first = 0;
        }
        let at = |b: Block| cfg.rpo_index(b).expect("predecessors are reachable") as u32;
        let mut changed = true;
        while changed {
            changed = false;
            for (n, &b) in rpo.iter().enumerate().skip(1) {
                let normal = cfg.preds(b).iter().map(|&p| at(p));
                let eh = cfg.eh_preds(b).iter().map(|&p| idom[at(p) as usize]);
                let known = normal.filter(|&p| idom[p as usize] != NONE);
                let new = known
                    .chain(eh.filter(|&p| p != NONE))
                    .reduce(|x, y| intersect(&idom, x, y))
                    .unwrap_or(NONE);
                if idom[n] != new {
                    idom[n] = new;
                    changed = true;
                }
            }
        }
        Dominators::finish(cfg, &idom)
    }

    fn finish(cfg: &Cfg, idom: &[u32]) -> Dominators {
        let rpo = cfg.rpo();
        let blocks = rpo.iter().map(|b| b.index() + 1).max().unwrap_or(0);
        let mut children = vec![Vec::new(); rpo.len()];
        let mut by_block = vec![NONE; blocks];
        for (n, &b) in rpo.iter().enumerate() {
            let parent = idom[n] as usize;
            by_block[b.index()] = rpo[parent].0;
            if n > 0 {
                children[parent].push(n);
            }
        }
        let mut span = vec![(1, 0); blocks];
        let mut preorder = Vec::with_capacity(rpo.len());
        let mut stack: Vec<(usize, bool)> = vec![(0, false)];
        while let (false, Some((n, done))) = (rpo.is_empty(), stack.pop()) {
            let b = rpo[n];
            if done {
                span[b.index()].1 = preorder.len() as u32 - 1;
                continue;
            }
            span[b.index()].0 = preorder.len() as u32;
            preorder.push(b);
            stack.push((n, true));
            stack.extend(children[n].iter().rev().map(|&c| (c, false)));
        }
        Dominators {
            idom: by_block,
            span,
            preorder,
        }
    }

    /// Immediate dominator; `None` for the entry and for unreachable blocks.
    pub fn idom(&self, b: Block) -> Option<Block> {
        match self.idom.get(b.index()) {
            Some(&d) if d != NONE && d != b.0 => Some(Block(d)),
            _ => None,
        }
    }

    /// `a` dominates `b` (every block dominates itself). False if one of them is unreachable.
    pub fn dominates(&self, a: Block, b: Block) -> bool {
        match (self.span.get(a.index()), self.span.get(b.index())) {
            (Some(&(first, last)), Some(&(n, m))) => n <= m && first <= n && n <= last,
            _ => false,
        }
    }

    /// Blocks in an order in which each comes after its dominators, subtrees together.
    pub fn preorder(&self) -> &[Block] {
        &self.preorder
    }

    /// The blocks a block dominates, itself first.
    pub fn subtree(&self, b: Block) -> &[Block] {
        match self.span.get(b.index()) {
            Some(&(first, last)) if first <= last => &self.preorder[first as usize..=last as usize],
            _ => &[],
        }
    }

    /// Blocks immediately dominated by a block.
    pub fn children(&self, b: Block) -> impl Iterator<Item = Block> + '_ {
        let mut rest = self.subtree(b).get(1..).unwrap_or(&[]);
        std::iter::from_fn(move || {
            let &c = rest.first()?;
            rest = &rest[self.subtree(c).len()..];
            Some(c)
        })
    }
}

fn intersect(idom: &[u32], mut x: u32, mut y: u32) -> u32 {
    while x != y {
        while x > y {
            x = idom[x as usize];
        }
        while y > x {
            y = idom[y as usize];
        }
    }
    x
}

/// For each block the blocks where its dominance ends (as in the same paper).
#[derive(Debug, Clone)]
pub struct DominanceFrontier {
    sets: Vec<Vec<Block>>,
}

impl DominanceFrontier {
    /// Computes all frontiers.
    pub fn new(cfg: &Cfg, doms: &Dominators) -> DominanceFrontier {
        let n = cfg.rpo().iter().map(|b| b.index() + 1).max().unwrap_or(0);
        let mut sets: Vec<Vec<Block>> = vec![Vec::new(); n];
        for &b in cfg.rpo() {
            let stop = doms.idom(b);
            // An exceptional edge starts before the block, where its immediate dominator's reign still holds.
            let eh = cfg.eh_preds(b).iter().filter_map(|&p| doms.idom(p));
            for p in cfg.preds(b).iter().copied().chain(eh) {
                let mut runner = Some(p);
                while let Some(r) = runner.filter(|&r| Some(r) != stop) {
                    let set = &mut sets[r.index()];
                    if set.last() != Some(&b) {
                        set.push(b);
                    }
                    runner = doms.idom(r);
                }
            }
        }
        DominanceFrontier { sets }
    }

    /// The frontier of a block.
    pub fn of(&self, b: Block) -> &[Block] {
        self.sets.get(b.index()).map_or(&[], |s| s)
    }
}
