//! Store elimination: stores that are overwritten before anything can see what they wrote.
//!
//! ```text
//! store i32+16 field#1 v0, v1           v3 = load.i32 i32+20 field#2 v0
//! v3 = load.i32 i32+20 field#2 v0       store i32+16 field#1 v0, v3
//! store i32+16 field#1 v0, v3           return v3
//! slot_store.i32 ss0+8 i32 v3
//! return v3
//! ```
//! A store goes if, on every way from it, all its bytes are stored again through the same address value before a load that may
//! read them (by alias class), a call, a safepoint, a volatile or atomic access, or an exception. What is in the frame is also dead
//! where the function ends, and is not seen by calls unless its address was given away; an exception sees it only where a handler
//! of this function may read it. Block copies and zeroing of fixed sizes count as stores.
//!
//! Algorithm: backward data flow over sets of bytes that are certain to be stored again ("anticipated", as in Knoop, Rüthing, Steffen:
//! "Partial Dead Code Elimination", PLDI 1994, without sinking). The bytes written through each address are cut at the ends of all writes into
//! units, one bit each. A unit's bit goes where its address value is computed: around a loop the name stands for another place.
//! Limits: [`MAX_UNITS`] units, [`MAX_SWEEPS`] rounds of the data flow (else nothing changes). Cost: instructions times rounds times
//! words of a set. Needs nothing; better after `gvn` (equal addresses are one value) and the eliminations of checks. Keeps the
//! control flow; invalidates uses and liveness.

mod actions;
mod units;

use super::PassContext;
use crate::analysis::Cfg;
use crate::ir::{Block, Function, Inst};
use actions::{Action, Actions};
use rustc_hash::FxHashSet;
use units::{Set, Units};

/// Most units of a function; addresses found after that are left alone.
const MAX_UNITS: usize = 1024;
/// Most rounds over the function until nothing changes. Two or three are usual.
const MAX_SWEEPS: usize = 16;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    let units = Units::new(f);
    if units.is_empty() {
        return false;
    }
    let cfg = Cfg::new(f);
    let actions = Actions::new(f, &units);
    let mut flow = Flow {
        f,
        units: &units,
        actions: &actions,
        starts: vec![units.all(); f.blocks.len()],
    };
    if !(0..MAX_SWEEPS).any(|_| flow.sweep(&cfg)) {
        return false;
    }
    let mut dead = FxHashSet::default();
    for &b in cfg.rpo() {
        flow.block(b, |i| {
            dead.insert(i);
        });
    }
    for b in f.layout.clone() {
        f.blocks[b.index()].insts.retain(|i| !dead.contains(i));
    }
    !dead.is_empty()
}

/// What is certain to be stored again, by block.
struct Flow<'a> {
    f: &'a Function,
    units: &'a Units,
    actions: &'a Actions,
    /// At the start of each block.
    starts: Vec<Set>,
}

impl Flow<'_> {
    /// Goes over all blocks once; true if nothing changed.
    fn sweep(&mut self, cfg: &Cfg) -> bool {
        let mut stable = true;
        for &b in cfg.rpo().iter().rev() {
            let start = self.block(b, |_| ());
            let old = &mut self.starts[b.index()];
            if *old != start {
                *old = start;
                stable = false;
            }
        }
        stable
    }

    /// The set at the start of a block. Tells about each instruction that writes only what is stored again.
    fn block(&self, b: Block, mut dead: impl FnMut(Inst)) -> Set {
        let mut set = self.end(b);
        for action in self.actions.of(b).iter().rev() {
            match action {
                Action::Write(range, i) => {
                    if set.contains_all(range) {
                        dead(*i);
                    }
                    set.insert_all(range);
                }
                Action::Forget(range) => set.remove_all(range),
                Action::See(seen) => set.subtract(self.actions.seen(*seen)),
                Action::Throw => {
                    set.subtract(self.units.visible());
                    for handler in self.f.eh_succs(b) {
                        set.intersect(&self.starts[handler.index()]);
                    }
                }
            }
        }
        set
    }

    /// The set behind the last instruction of a block.
    fn end(&self, b: Block) -> Set {
        let mut succs = self.f.succs(b);
        let Some(first) = succs.next() else {
            return self.units.at_exit(self.f, b);
        };
        let mut set = self.starts[first.index()].clone();
        for s in succs {
            set.intersect(&self.starts[s.index()]);
        }
        set
    }
}
