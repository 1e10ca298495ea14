//! Spill slots shared by values that are not live at the same time.
//!
//! The fast allocator gives each spilled value a slot of its own, which makes frames of large
//! methods enormous. Here slots get colours: block-level liveness of slots by the usual backward
//! data flow, then one interval for each slot over the linear order of instructions, which covers
//! every place where it is live, and a linear scan over the intervals (Poletto and Sarkar, 1999).
//! Slots used at the same program point never share a colour, whatever the order of the moves there.

use super::order::MBlock;
use super::vcode::{MachInst, VCode};
use regalloc2::{Allocation, Edit, Function, Inst, OperandKind, Output, ProgPoint, SpillSlot};

/// Fewer slots than this are not worth the work.
const MIN_SLOTS: usize = 32;
/// More bits of liveness than this would take too long.
const MAX_BITS: usize = 1 << 28;

/// Renumbers the spill slots of an allocation.
pub fn share_slots<I: MachInst>(code: &VCode<I>, output: &mut Output) {
    let slots = output.num_spillslots;
    let blocks = code.order.blocks.len();
    // Here each slot stands for itself, so those of vectors would come apart.
    if slots < MIN_SLOTS || code.float_bytes > 8 || slots * blocks > MAX_BITS {
        return;
    }
    let accesses = Accesses::collect(code, output);
    let intervals = accesses.intervals(code, slots);
    let colors = color(&intervals, slots);
    output.num_spillslots = colors.iter().map(|c| *c as usize + 1).max().unwrap_or(0);
    let renumber = |a: &mut Allocation| {
        if let Some(s) = a.as_stack() {
            *a = Allocation::stack(SpillSlot::new(colors[s.index()] as usize));
        }
    };
    output.allocs.iter_mut().for_each(renumber);
    for (_, Edit::Move { from, to }) in &mut output.edits {
        renumber(from);
        renumber(to);
    }
}

/// One use or definition of a slot.
#[derive(Clone, Copy)]
struct Access {
    slot: u32,
    /// Program point.
    at: u32,
    def: bool,
}

/// All accesses in code order, with the range of each block.
struct Accesses {
    list: Vec<Access>,
    ends: Vec<u32>,
}

/// First and last program point at which a slot is live.
#[derive(Clone, Copy)]
struct Interval {
    first: u32,
    last: u32,
}

impl Accesses {
    fn collect<I: MachInst>(code: &VCode<I>, output: &Output) -> Accesses {
        let mut list = Vec::new();
        let mut ends = Vec::new();
        let mut push = |a: Allocation, at: ProgPoint, def| {
            if let Some(s) = a.as_stack() {
                list.push(Access {
                    slot: s.index() as u32,
                    at: at.to_index(),
                    def,
                });
            }
            list.len() as u32
        };
        let mut edits = output.edits.iter().peekable();
        let mut count = 0;
        for b in 0..code.order.blocks.len() {
            for i in code.block_range(MBlock(b as u32)) {
                let inst = Inst::new(i);
                let before = ProgPoint::before(inst);
                while let Some((p, Edit::Move { from, to })) = edits.next_if(|(p, _)| *p <= before)
                {
                    push(*from, *p, false);
                    count = push(*to, *p, true);
                }
                let operands = code.inst_operands(inst);
                for (o, a) in operands.iter().zip(output.inst_allocs(inst)) {
                    let def = o.kind() == OperandKind::Def;
                    count = push(*a, if def { ProgPoint::after(inst) } else { before }, def);
                }
            }
            ends.push(count);
        }
        Accesses { list, ends }
    }

    fn of_block(&self, b: usize) -> &[Access] {
        let start = if b == 0 { 0 } else { self.ends[b - 1] };
        &self.list[start as usize..self.ends[b] as usize]
    }

    fn intervals<I: MachInst>(&self, code: &VCode<I>, slots: usize) -> Vec<Option<Interval>> {
        let live_in = self.live_in(code, slots);
        let mut intervals: Vec<Option<Interval>> = vec![None; slots];
        let mut extend = |slot: usize, at: u32| {
            let i = intervals[slot].get_or_insert(Interval {
                first: at,
                last: at,
            });
            i.first = i.first.min(at);
            i.last = i.last.max(at);
        };
        for a in &self.list {
            extend(a.slot as usize, a.at);
        }
        for (b, block) in code.order.blocks.iter().enumerate() {
            let range = code.block_range(MBlock(b as u32));
            let start = ProgPoint::before(Inst::new(range.start)).to_index();
            let end = ProgPoint::after(Inst::new(range.end - 1)).to_index();
            live_in[b].for_each(|s| extend(s, start));
            for s in &block.succs {
                live_in[s.index()].for_each(|s| extend(s, end));
            }
        }
        intervals
    }

    /// Slots live into each block.
    fn live_in<I>(&self, code: &VCode<I>, slots: usize) -> Vec<BitSet> {
        let n = code.order.blocks.len();
        let mut live = vec![BitSet::new(slots); n];
        let mut defined = vec![BitSet::new(slots); n];
        for b in 0..n {
            for a in self.of_block(b).iter().rev() {
                live[b].set(a.slot as usize, !a.def);
                if a.def {
                    defined[b].set(a.slot as usize, true);
                }
            }
        }
        let mut changed = true;
        while changed {
            changed = false;
            for b in (0..n).rev() {
                for s in &code.order.blocks[b].succs {
                    let [to, from] = match live.get_disjoint_mut([b, s.index()]) {
                        Ok(pair) => pair,
                        // A block that is its own successor gains nothing from itself.
                        Err(_) => continue,
                    };
                    changed |= to.add_missing(from, &defined[b]);
                }
            }
        }
        live
    }
}

/// Gives each interval a colour that no overlapping one has.
fn color(intervals: &[Option<Interval>], slots: usize) -> Vec<u32> {
    let mut order: Vec<usize> = (0..slots).filter(|s| intervals[*s].is_some()).collect();
    order.sort_by_key(|s| intervals[*s].map_or(0, |i| i.first));
    let mut colors = vec![0; slots];
    let mut busy = std::collections::BinaryHeap::new();
    let mut free = Vec::new();
    let mut next = 0;
    for s in order {
        let Some(i) = intervals[s] else { continue };
        while let Some(&std::cmp::Reverse((last, c))) = busy.peek() {
            if last >= i.first {
                break;
            }
            busy.pop();
            free.push(c);
        }
        let c = free.pop().unwrap_or_else(|| {
            next += 1;
            next - 1
        });
        colors[s] = c;
        busy.push(std::cmp::Reverse((i.last, c)));
    }
    colors
}

/// A set of small numbers.
#[derive(Clone, PartialEq, Eq)]
struct BitSet(Vec<u64>);

impl BitSet {
    fn new(bits: usize) -> BitSet {
        BitSet(vec![0; bits.div_ceil(64)])
    }

    fn set(&mut self, n: usize, value: bool) {
        let bit = 1 << (n % 64);
        if value {
            self.0[n / 64] |= bit;
        } else {
            self.0[n / 64] &= !bit;
        }
    }

    /// Adds `other` without `except`; says whether anything was new.
    fn add_missing(&mut self, other: &BitSet, except: &BitSet) -> bool {
        let mut new = 0;
        for ((a, b), e) in self.0.iter_mut().zip(&other.0).zip(&except.0) {
            let add = b & !e & !*a;
            *a |= add;
            new |= add;
        }
        new != 0
    }

    fn for_each(&self, mut f: impl FnMut(usize)) {
        for (n, &word) in self.0.iter().enumerate() {
            let mut w = word;
            while w != 0 {
                f(64 * n + w.trailing_zeros() as usize);
                w &= w - 1;
            }
        }
    }
}
