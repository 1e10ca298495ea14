//! Who uses a value, and how often.

use crate::ir::{Block, Function, Inst, Value};

/// Number of uses of each value, by instructions of blocks in the layout. Uses through aliases count for the real value.
#[derive(Debug, Clone)]
pub struct UseCounts {
    counts: Vec<u32>,
}

impl UseCounts {
    /// Counts.
    pub fn new(f: &Function) -> UseCounts {
        let mut counts = vec![0; f.values.len()];
        for &b in &f.layout {
            for i in &f.blocks[b.index()].insts {
                for v in f.insts[i.index()].operands() {
                    counts[f.resolve(v).index()] += 1;
                }
            }
        }
        UseCounts { counts }
    }

    /// Uses of a value.
    pub fn of(&self, v: Value) -> u32 {
        self.counts.get(v.index()).copied().unwrap_or(0)
    }

    /// One use less; the number left.
    pub fn remove_one(&mut self, v: Value) -> u32 {
        let n = &mut self.counts[v.index()];
        *n -= 1;
        *n
    }

    /// One use more.
    pub fn add_one(&mut self, v: Value) {
        if self.counts.len() <= v.index() {
            self.counts.resize(v.index() + 1, 0);
        }
        self.counts[v.index()] += 1;
    }
}

/// The using instructions of each value, with their blocks.
#[derive(Debug, Clone)]
pub struct Uses {
    start: Vec<u32>,
    users: Vec<(Block, Inst)>,
}

impl Uses {
    /// Collects them in two passes over the function.
    pub fn new(f: &Function) -> Uses {
        let counts = UseCounts::new(f).counts;
        let mut start = Vec::with_capacity(counts.len() + 1);
        let mut sum = 0;
        start.push(0);
        for n in &counts {
            sum += n;
            start.push(sum);
        }
        let mut fill: Vec<u32> = start[..counts.len()].to_vec();
        let mut users = vec![(Block(0), Inst(0)); sum as usize];
        for &b in &f.layout {
            for &i in &f.blocks[b.index()].insts {
                for v in f.insts[i.index()].operands() {
                    let at = &mut fill[f.resolve(v).index()];
                    users[*at as usize] = (b, i);
                    *at += 1;
                }
            }
        }
        Uses { start, users }
    }

    /// Users of a value in layout order; an instruction that uses it twice occurs twice.
    pub fn of(&self, v: Value) -> &[(Block, Inst)] {
        let range = self.start[v.index()] as usize..self.start[v.index() + 1] as usize;
        &self.users[range]
    }
}
