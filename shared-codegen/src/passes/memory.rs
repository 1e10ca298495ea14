//! What instructions read and write, by alias class, and versions of memory for `gvn`.
//!
//! Two loads of a place read the same value if their class has the same version at both. A store changes the version of its class
//! and that of [`Place::Any`] loads, a call (or a store to unknown memory) all versions except those of private slots. Slots
//! whose address is taken count as unknown memory: fields of a struct in such a slot are also accessed by address.

use crate::abi::helper::Effects;
use crate::analysis::{Cfg, Dominators};
use crate::ir::{AliasClass, Block, Function, Fx, Imm, InstData, MemType, Op, Slot};
use rustc_hash::FxHashSet;

/// Blocks looked at for a join; where there are more, everything counts as written.
const MAX_SEARCH: usize = 500;

/// Memory that has a version of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// All of memory but private slots.
    Any,
    /// An alias class.
    Class(AliasClass),
    /// A slot whose address is not taken.
    Private(Slot),
    /// Never written.
    Immutable,
}

/// Versions at one point.
#[derive(Clone, Debug, Default)]
pub struct Versions {
    /// Of every class without one of its own.
    base: u32,
    /// Changed by every write.
    any: u32,
    own: Vec<(Place, u32)>,
    /// Of private slots without one of their own.
    slot_base: u32,
    slots: Vec<(Place, u32)>,
}

impl Versions {
    fn of(&self, place: Place) -> u32 {
        match place {
            Place::Immutable => 0,
            Place::Any => self.any,
            Place::Private(_) => find(&self.slots, place).unwrap_or(self.slot_base),
            Place::Class(_) => find(&self.own, place).unwrap_or(self.base),
        }
    }
}

fn find(versions: &[(Place, u32)], place: Place) -> Option<u32> {
    versions.iter().find(|v| v.0 == place).map(|v| v.1)
}

fn set(versions: &mut Vec<(Place, u32)>, place: Place, n: u32) {
    match versions.iter_mut().find(|v| v.0 == place) {
        Some(v) => v.1 = n,
        None => versions.push((place, n)),
    }
}

/// Memory of a function.
pub struct Memory {
    exposed: Vec<bool>,
    /// What each block writes.
    writes: Vec<Vec<Place>>,
    ends: Vec<Option<Versions>>,
    next: u32,
}

impl Memory {
    pub fn new(f: &Function) -> Memory {
        let mut memory = Memory {
            exposed: vec![false; f.slots.len()],
            writes: vec![Vec::new(); f.blocks.len()],
            ends: vec![None; f.blocks.len()],
            next: 1,
        };
        memory.find_exposed(f);
        for &b in &f.layout {
            let insts = f.blocks[b.index()].insts.iter();
            let written = insts.filter_map(|i| memory.place_written(&f.insts[i.index()]));
            let written: FxHashSet<Place> = written.collect();
            memory.writes[b.index()] = written.into_iter().collect();
        }
        memory
    }

    fn find_exposed(&mut self, f: &Function) {
        for (slot, exposed) in f.slots.iter().zip(&mut self.exposed) {
            *exposed = slot.eh.is_some();
        }
        for &b in &f.layout {
            for &i in &f.blocks[b.index()].insts {
                let data = &f.insts[i.index()];
                if let (Op::SlotAddr, Imm::Slot(s, ..)) = (data.op, data.imm) {
                    self.exposed[s.index()] = true;
                }
            }
        }
    }

    /// Versions at the start of a block. Its dominators have been left.
    pub fn enter(&mut self, cfg: &Cfg, doms: &Dominators, b: Block) -> Versions {
        let idom = doms.idom(b);
        let end = idom.and_then(|d| self.ends[d.index()].clone());
        let (Some(idom), Some(mut versions)) = (idom, end) else {
            return self.fresh();
        };
        if !cfg.eh_preds(b).is_empty() {
            return self.fresh();
        }
        let Some(written) = self.written_between(cfg, idom, b) else {
            return self.fresh();
        };
        for place in written {
            self.write(place, &mut versions);
        }
        versions
    }

    /// Remembers the versions at the end of a block.
    pub fn leave(&mut self, b: Block, versions: Versions) {
        self.ends[b.index()] = Some(versions);
    }

    /// Changes the versions as an instruction does.
    pub fn effect(&mut self, data: &InstData, versions: &mut Versions) {
        if let Some(place) = self.place_written(data) {
            self.write(place, versions);
        }
    }

    /// Version of the memory an instruction reads.
    pub fn version_read(&self, data: &InstData, versions: &Versions) -> u32 {
        match (data.op, data.imm) {
            (Op::Load, Imm::Mem(m)) => versions.of(class_place(m.alias)),
            (Op::SlotLoad, Imm::Slot(s, ..)) => versions.of(self.slot_place(s)),
            _ => 0,
        }
    }

    /// What the blocks write.
    pub fn written(&self, blocks: &[Block]) -> FxHashSet<Place> {
        let places = blocks.iter().flat_map(|b| self.writes.get(b.index()));
        places.flatten().copied().collect()
    }

    /// An instruction that reads memory reads nothing of what is `written`.
    pub fn is_untouched(&self, data: &InstData, written: &FxHashSet<Place>) -> bool {
        let place = match (data.op, data.imm) {
            (Op::Load, Imm::Mem(m)) => class_place(m.alias),
            (Op::SlotLoad, Imm::Slot(s, ..)) => self.slot_place(s),
            _ => return true,
        };
        match place {
            Place::Immutable => true,
            Place::Private(_) => !written.contains(&place),
            Place::Any => written.iter().all(|w| matches!(w, Place::Private(_))),
            Place::Class(_) => !written.contains(&place) && !written.contains(&Place::Any),
        }
    }

    /// Nothing is known.
    fn fresh(&mut self) -> Versions {
        let n = self.new_version();
        Versions {
            base: n,
            any: n,
            slot_base: n,
            ..Versions::default()
        }
    }

    fn new_version(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn write(&mut self, place: Place, versions: &mut Versions) {
        let n = self.new_version();
        match place {
            Place::Immutable => {}
            Place::Any => {
                (versions.base, versions.any) = (n, n);
                versions.own.clear();
            }
            Place::Class(_) => {
                set(&mut versions.own, place, n);
                versions.any = n;
            }
            Place::Private(_) => set(&mut versions.slots, place, n),
        }
    }

    fn slot_place(&self, slot: Slot) -> Place {
        // Slots made meanwhile are private.
        match self.exposed.get(slot.index()) {
            Some(true) => Place::Any,
            _ => Place::Private(slot),
        }
    }

    /// What an instruction writes, if anything.
    pub fn place_written(&self, data: &InstData) -> Option<Place> {
        match (data.op, data.imm) {
            (Op::Load, Imm::Mem(m)) if m.volatile => Some(Place::Any),
            (Op::Store | Op::StoreRef, Imm::Mem(m)) if m.volatile => Some(Place::Any),
            (Op::Store | Op::StoreRef, Imm::Mem(m)) => Some(class_place(m.alias)),
            (Op::SlotStore, Imm::Slot(s, ..)) => Some(self.slot_place(s)),
            (Op::CallHelper, Imm::Helper(h)) => {
                let writes = h.info().effects.contains(Effects::WRITES);
                writes.then_some(Place::Any)
            }
            (op, _) => op.info().fx.contains(Fx::WRITE).then_some(Place::Any),
        }
    }

    /// What is written on ways from the end of `from` to the start of `to`; `None` if the search is too long.
    fn written_between(&self, cfg: &Cfg, from: Block, to: Block) -> Option<FxHashSet<Place>> {
        let mut written = FxHashSet::default();
        let mut seen = FxHashSet::default();
        let mut work: Vec<Block> = cfg.all_preds(to).collect();
        while let Some(b) = work.pop() {
            if b == from || !seen.insert(b) {
                continue;
            }
            if seen.len() > MAX_SEARCH {
                return None;
            }
            written.extend(self.writes[b.index()].iter().copied());
            work.extend(cfg.all_preds(b));
        }
        Some(written)
    }
}

pub(super) fn class_place(class: AliasClass) -> Place {
    match canonical_class(class) {
        AliasClass::Any | AliasClass::Stack => Place::Any,
        AliasClass::Immutable => Place::Immutable,
        class => Place::Class(class),
    }
}

/// Classes that name the same memory are one: arrays of signed and unsigned elements of one size can be each other.
pub fn canonical_class(class: AliasClass) -> AliasClass {
    match class {
        AliasClass::Element(MemType::I8) => AliasClass::Element(MemType::U8),
        AliasClass::Element(MemType::I16) => AliasClass::Element(MemType::U16),
        other => other,
    }
}
