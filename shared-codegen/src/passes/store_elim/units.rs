//! The bytes that a function writes, cut into units, and sets of units.

use super::super::memory::{Place, class_place};
use super::MAX_UNITS;
use crate::ir::{Block, Function, Imm, InstData, MemType, Op, Slot, Value};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// What an address is computed from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Base {
    /// A slot of the frame.
    Slot(Slot),
    /// Any other value.
    Value(Value),
}

/// Some bytes at a base.
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    pub base: Base,
    pub start: i64,
    pub end: i64,
}

/// The base of an address, and how far from it the address is.
pub fn base_of(f: &Function, mut v: Value) -> (Base, i64) {
    let mut offset = 0i64;
    loop {
        v = f.resolve(v);
        let Some(i) = f.def_inst(v) else { break };
        let data = &f.insts[i.index()];
        match (data.op, data.imm) {
            (Op::SlotAddr, Imm::Slot(s, at, _)) => {
                return (Base::Slot(s), offset.wrapping_add(i64::from(at)));
            }
            (Op::AddrCast, _) => v = data.args[0],
            (Op::AddrAdd, _) => {
                let Some(by) = f.const_of(data.args[1]) else {
                    break;
                };
                (offset, v) = (offset.wrapping_add(by.signed()), data.args[0]);
            }
            _ => break,
        }
    }
    (Base::Value(v), offset)
}

/// The bytes from an address on.
pub fn bytes_at(f: &Function, address: Value, offset: i32, size: u32) -> Bytes {
    let (base, at) = base_of(f, address);
    let start = at.saturating_add(i64::from(offset));
    Bytes {
        base,
        start,
        end: start.saturating_add(i64::from(size)),
    }
}

/// The bytes of a scalar in a slot.
pub fn bytes_of_slot(slot: Slot, offset: i32, ty: MemType) -> Bytes {
    let start = i64::from(offset);
    Bytes {
        base: Base::Slot(slot),
        start,
        end: start + i64::from(ty.bytes()),
    }
}

/// The bytes an instruction writes, and their alias class, if it does nothing else that could be seen.
pub fn written(f: &Function, data: &InstData) -> Option<(Bytes, Place)> {
    match (data.op, data.imm) {
        (Op::Store | Op::StoreRef, Imm::Mem(m)) if !m.volatile => {
            let bytes = bytes_at(f, data.args[0], m.offset, m.ty.bytes());
            let place = class_place(m.alias);
            (place != Place::Immutable).then_some((bytes, place))
        }
        (Op::SlotStore, Imm::Slot(s, offset, ty)) => {
            Some((bytes_of_slot(s, offset, ty), Place::Any))
        }
        (Op::CopyBlock | Op::CopyStruct | Op::ZeroBlock, Imm::Size(size, _)) => {
            Some((bytes_at(f, data.args[0], 0, size), Place::Any))
        }
        _ => None,
    }
}

/// Operands that are addresses of memory which the operation accesses, and nothing more: they tell the address to no one.
fn accesses(op: Op) -> usize {
    match op {
        Op::Load | Op::Store | Op::StoreRef | Op::ZeroBlock | Op::AddrCast | Op::AddrAdd => 1,
        Op::CopyBlock | Op::CopyStruct => 2,
        _ => 0,
    }
}

/// Slots whose address is known outside of the instructions that name it.
fn escaping(f: &Function) -> Vec<bool> {
    let mut escaping: Vec<bool> = f.slots.iter().map(|s| s.eh.is_some()).collect();
    for &b in &f.layout {
        for i in &f.blocks[b.index()].insts {
            let data = &f.insts[i.index()];
            // A computed address is followed by `base_of` only over constants.
            let known = match data.op {
                Op::AddrAdd if f.const_of(data.args[1]).is_none() => 0,
                op => accesses(op),
            };
            for v in data.operands().skip(known) {
                if let (Base::Slot(s), _) = base_of(f, v) {
                    escaping[s.index()] = true;
                }
            }
        }
    }
    escaping
}

/// A set of units.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Set {
    words: Vec<u64>,
}

impl Set {
    pub fn new(units: usize) -> Set {
        Set {
            words: vec![0; units.div_ceil(64)],
        }
    }

    pub fn contains_all(&self, range: &Range<u32>) -> bool {
        range
            .clone()
            .all(|n| self.words[n as usize / 64] >> (n % 64) & 1 != 0)
    }

    pub fn insert_all(&mut self, range: &Range<u32>) {
        for n in range.clone() {
            self.words[n as usize / 64] |= 1 << (n % 64);
        }
    }

    pub fn remove_all(&mut self, range: &Range<u32>) {
        for n in range.clone() {
            self.words[n as usize / 64] &= !(1 << (n % 64));
        }
    }

    pub fn subtract(&mut self, other: &Set) {
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a &= !b;
        }
    }

    pub fn intersect(&mut self, other: &Set) {
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a &= b;
        }
    }
}

/// A base with its units.
struct Part {
    place: Place,
    units: Range<u32>,
}

/// All units.
pub struct Units {
    /// First byte and end of each.
    spans: Vec<(i64, i64)>,
    parts: FxHashMap<Base, Part>,
    visible: Set,
}

impl Units {
    /// Cuts up what the function writes.
    pub fn new(f: &Function) -> Units {
        let escaping = escaping(f);
        let mut units = Units {
            spans: Vec::new(),
            parts: FxHashMap::default(),
            visible: Set::new(0),
        };
        for (base, place, mut cuts) in written_bases(f) {
            if matches!(base, Base::Slot(s) if f.slots[s.index()].eh.is_some()) {
                continue;
            }
            cuts.sort_unstable();
            cuts.dedup();
            if units.spans.len() + cuts.len() > MAX_UNITS {
                break;
            }
            let first = units.spans.len() as u32;
            units.spans.extend(cuts.windows(2).map(|w| (w[0], w[1])));
            let place = match base {
                Base::Slot(s) if escaping[s.index()] => Place::Any,
                Base::Slot(s) => Place::Private(s),
                Base::Value(_) => place,
            };
            let range = first..units.spans.len() as u32;
            units.parts.insert(
                base,
                Part {
                    place,
                    units: range,
                },
            );
        }
        units.visible = units.select(|_, place| !matches!(place, Place::Private(_)));
        units
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The units of the bases for which `wanted` holds.
    pub fn select(&self, wanted: impl Fn(Base, Place) -> bool) -> Set {
        let mut set = Set::new(self.spans.len());
        for (&base, part) in &self.parts {
            if wanted(base, part.place) {
                set.insert_all(&part.units);
            }
        }
        set
    }

    /// Every unit.
    pub fn all(&self) -> Set {
        self.select(|_, _| true)
    }

    /// What code may see that is not part of the function.
    pub fn visible(&self) -> &Set {
        &self.visible
    }

    /// All units of a base; none if nothing is written there.
    pub fn of(&self, base: Base) -> Option<Range<u32>> {
        Some(self.parts.get(&base)?.units.clone())
    }

    /// Units with any of these bytes.
    pub fn touching(&self, bytes: &Bytes) -> Range<u32> {
        let Some(part) = self.parts.get(&bytes.base) else {
            return 0..0;
        };
        let spans = &self.spans[part.units.start as usize..part.units.end as usize];
        let from = spans.partition_point(|s| s.1 <= bytes.start) as u32;
        let to = spans.partition_point(|s| s.0 < bytes.end) as u32;
        part.units.start + from..part.units.start + to.max(from)
    }

    /// What nobody reads any more behind the last instruction of a block without successors: the frame.
    pub fn at_exit(&self, f: &Function, b: Block) -> Set {
        // Behind a filter, handlers of this frame may run.
        let goes_on = f.insts[f.terminator(b).index()].op == Op::EndFilter;
        self.select(|base, _| !goes_on && matches!(base, Base::Slot(_)))
    }
}

/// Bases in the order they are first written at, with their alias class and the ends of all writes. Only those that more
/// than one instruction writes, or that may be dead at the end.
fn written_bases(f: &Function) -> Vec<(Base, Place, Vec<i64>)> {
    let mut at: FxHashMap<Base, usize> = FxHashMap::default();
    let mut all: Vec<(Base, Place, Vec<i64>)> = Vec::new();
    for &b in &f.layout {
        for i in &f.blocks[b.index()].insts {
            let Some((bytes, place)) = written(f, &f.insts[i.index()]) else {
                continue;
            };
            let n = *at.entry(bytes.base).or_insert_with(|| {
                all.push((bytes.base, place, Vec::new()));
                all.len() - 1
            });
            let (_, known, cuts) = &mut all[n];
            if *known != place {
                *known = Place::Any;
            }
            cuts.extend([bytes.start, bytes.end]);
        }
    }
    // What is written once outside of the frame is not written again.
    all.retain(|(base, _, cuts)| matches!(base, Base::Slot(_)) || cuts.len() > 2);
    all
}
