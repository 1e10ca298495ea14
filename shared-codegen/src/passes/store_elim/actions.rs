//! What each instruction does to the set of units that are certain to be stored again.

use super::super::memory::{Place, class_place};
use super::units::{Base, Bytes, Set, Units, bytes_at, bytes_of_slot, written};
use crate::abi::helper::{Effects, HelperId};
use crate::ir::{Block, Function, Fx, Imm, Inst, InstData, Op};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// A step of the data flow, applied backwards.
pub enum Action {
    /// These units are written by an instruction that does nothing else.
    Write(Range<u32>, Inst),
    /// These units may be read, or their address is another one before.
    Forget(Range<u32>),
    /// What is in this set ([`Actions::seen`]) may be read.
    See(usize),
    /// An exception may be raised.
    Throw,
}

/// The actions of a function.
pub struct Actions {
    blocks: Vec<Vec<Action>>,
    sets: Vec<Set>,
}

impl Actions {
    /// Looks at every instruction.
    pub fn new(f: &Function, units: &Units) -> Actions {
        let exposed = |base, place| matches!(base, Base::Slot(_)) && place == Place::Any;
        let mut build = Build {
            f,
            units,
            sets: vec![units.select(exposed)],
            by_place: FxHashMap::default(),
            exposed: 0,
        };
        let mut blocks: Vec<Vec<Action>> = Vec::new();
        blocks.resize_with(f.blocks.len(), Vec::new);
        for &b in &f.layout {
            let out = &mut blocks[b.index()];
            let data = &f.blocks[b.index()];
            let params = data.params.iter().map(|&v| Base::Value(v));
            out.extend(params.filter_map(|v| units.of(v)).map(Action::Forget));
            for &i in &data.insts {
                build.inst(i, out);
            }
        }
        Actions {
            blocks,
            sets: build.sets,
        }
    }

    /// In the order of the block's instructions.
    pub fn of(&self, b: Block) -> &[Action] {
        &self.blocks[b.index()]
    }

    /// A set that [`Action::See`] names.
    pub fn seen(&self, n: usize) -> &Set {
        &self.sets[n]
    }
}

struct Build<'a> {
    f: &'a Function,
    units: &'a Units,
    sets: Vec<Set>,
    by_place: FxHashMap<Place, usize>,
    /// The set of slots whose address is known elsewhere.
    exposed: usize,
}

impl Build<'_> {
    /// An instruction's actions, in the order in which they happen.
    fn inst(&mut self, i: Inst, out: &mut Vec<Action>) {
        let data = &self.f.insts[i.index()];
        if let Some(range) = data.result.and_then(|v| self.units.of(Base::Value(v))) {
            out.push(Action::Forget(range));
        }
        let fx = effects(data);
        if fx.contains(Fx::THROW) {
            out.push(Action::Throw);
        }
        if fx.intersects(Fx::READ | Fx::CALL) {
            self.read(data, out);
        } else if reads_header(data.op) {
            out.push(Action::See(self.exposed));
        }
        if let Some((bytes, _)) = written(self.f, data) {
            let range = self.units.touching(&bytes);
            if !range.is_empty() {
                out.push(Action::Write(range, i));
            }
        } else if fx.contains(Fx::WRITE) {
            // Volatile stores, fences: what was stored before must be there.
            out.push(Action::See(self.seen_of(Place::Any)));
        }
    }

    fn read(&mut self, data: &InstData, out: &mut Vec<Action>) {
        let read = match (data.op, data.imm) {
            (Op::Load, Imm::Mem(m)) => {
                let bytes = bytes_at(self.f, data.args[0], m.offset, m.ty.bytes());
                if m.volatile {
                    out.push(Action::See(self.seen_of(Place::Any)));
                }
                Some((bytes, class_place(m.alias)))
            }
            (Op::SlotLoad, Imm::Slot(s, offset, ty)) => {
                Some((bytes_of_slot(s, offset, ty), Place::Any))
            }
            (Op::CopyBlock | Op::CopyStruct, Imm::Size(size, _)) => {
                Some((bytes_at(self.f, data.args[1], 0, size), Place::Any))
            }
            _ => None,
        };
        out.push(match read {
            // Nothing else can be at an address in the frame.
            Some((
                bytes @ Bytes {
                    base: Base::Slot(_),
                    ..
                },
                _,
            )) => Action::Forget(self.units.touching(&bytes)),
            Some((_, Place::Immutable)) => return,
            Some((bytes, place)) => Action::See(self.seen_at(place, &bytes)),
            None => Action::See(self.seen_of(Place::Any)),
        });
    }

    /// The set of everything of a class.
    fn seen_of(&mut self, place: Place) -> usize {
        if let Some(&n) = self.by_place.get(&place) {
            return n;
        }
        let set = match place {
            Place::Any => self.units.visible().clone(),
            _ => self.units.select(|_, p| p == place || p == Place::Any),
        };
        self.sets.push(set);
        self.by_place.insert(place, self.sets.len() - 1);
        self.sets.len() - 1
    }

    /// The set of everything of a class, but at this base of these bytes only.
    fn seen_at(&mut self, place: Place, bytes: &Bytes) -> usize {
        let class = self.seen_of(place);
        let Some(all) = self.units.of(bytes.base) else {
            return class;
        };
        let mut set = self.sets[class].clone();
        set.remove_all(&all);
        set.insert_all(&self.units.touching(bytes));
        self.sets.push(set);
        self.sets.len() - 1
    }
}

/// Reads what is never written in the heap: of an object in the frame it may have been.
fn reads_header(op: Op) -> bool {
    use Op::{ArrayLen, GenericLookup, IsInst, MethodTableOf};
    matches!(op, ArrayLen | GenericLookup | IsInst | MethodTableOf)
}

/// Effects of an instruction; of a helper call those of the helper.
fn effects(data: &InstData) -> Fx {
    let fx = data.op.info().fx;
    let Imm::Helper(h) = data.imm else { return fx };
    let helper = h.info().effects;
    if helper == Effects::PURE {
        return Fx::empty();
    }
    let leaf = !helper.intersects(Effects::TRANSITION | Effects::STUB | Effects::NORETURN);
    match leaf && !matches!(h, HelperId::Poll | HelperId::PollWide) {
        true => Fx::READ | Fx::WRITE,
        false => fx,
    }
}
