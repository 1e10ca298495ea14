//! Values live at block boundaries.
//!
//! Backward data flow over bit sets in postorder until nothing changes. What is live into a handler is live through every
//! block of its region. Block parameters are not live into their block; branch arguments are used by the branch.

use super::Cfg;
use crate::ir::{Block, Function, Value};

/// A set of values.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ValueSet {
    words: Vec<u64>,
}

impl ValueSet {
    /// The empty set for values below `n`.
    pub fn new(n: usize) -> ValueSet {
        ValueSet {
            words: vec![0; n.div_ceil(64)],
        }
    }

    /// Whether `v` is in it.
    pub fn contains(&self, v: Value) -> bool {
        self.words
            .get(v.index() / 64)
            .is_some_and(|w| w >> (v.index() % 64) & 1 != 0)
    }

    /// Adds a value; true if it was not there.
    pub fn insert(&mut self, v: Value) -> bool {
        let (word, bit) = (&mut self.words[v.index() / 64], 1 << (v.index() % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Takes a value out.
    pub fn remove(&mut self, v: Value) {
        self.words[v.index() / 64] &= !(1 << (v.index() % 64));
    }

    /// Adds all of another set; true if that changed anything.
    pub fn union(&mut self, other: &ValueSet) -> bool {
        let mut changed = false;
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            changed |= b & !*a != 0;
            *a |= b;
        }
        changed
    }

    /// Takes out all of another set.
    pub fn subtract(&mut self, other: &ValueSet) {
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a &= !b;
        }
    }

    /// Its values in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Value> + '_ {
        self.words.iter().enumerate().flat_map(|(n, &w)| {
            let mut w = w;
            std::iter::from_fn(move || {
                let bit = (w != 0).then(|| w.trailing_zeros())?;
                w &= w - 1;
                Some(Value(n as u32 * 64 + bit))
            })
        })
    }

    /// Number of values in it.
    pub fn len(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Nothing in it.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&w| w == 0)
    }
}

/// Live values of all reachable blocks.
#[derive(Debug, Clone)]
pub struct Liveness {
    live_in: Vec<ValueSet>,
}

impl Liveness {
    /// Computes it.
    pub fn new(f: &Function, cfg: &Cfg) -> Liveness {
        let empty = ValueSet::new(f.values.len());
        let mut live = Liveness {
            live_in: vec![empty; f.blocks.len()],
        };
        let mut changed = true;
        while changed {
            changed = false;
            for &b in cfg.rpo().iter().rev() {
                let mut set = live.live_out(f, b);
                transfer(f, b, &mut set);
                if set != live.live_in[b.index()] {
                    live.live_in[b.index()] = set;
                    changed = true;
                }
            }
        }
        live
    }

    /// Values live at the start of a block, without its parameters.
    pub fn live_in(&self, b: Block) -> &ValueSet {
        &self.live_in[b.index()]
    }

    /// Values live at the end of a block, after its branch used its arguments. Values live into its handlers are among them.
    pub fn live_out(&self, f: &Function, b: Block) -> ValueSet {
        let mut set = ValueSet::new(f.values.len());
        for s in f.succs(b).chain(f.eh_succs(b)) {
            set.union(&self.live_in[s.index()]);
        }
        set
    }
}

/// From the end of a block to its start.
fn transfer(f: &Function, b: Block, set: &mut ValueSet) {
    let block = &f.blocks[b.index()];
    for i in block.insts.iter().rev() {
        let data = &f.insts[i.index()];
        if let Some(v) = data.result {
            set.remove(v);
        }
        for v in data.operands() {
            set.insert(f.resolve(v));
        }
    }
    for &p in &block.params {
        set.remove(p);
    }
}
