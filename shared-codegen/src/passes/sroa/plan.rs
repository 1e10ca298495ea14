//! Which slots are split, and into which scalars.

use super::params::Param;
use crate::ir::{Function, Imm, InstData, MemType, Op, Slot, Value};
use crate::passes::PassContext;

/// Most scalars of a split slot.
const MAX_SCALARS: usize = 16;
/// Most scalars of a slot that is copied from or to other memory: more moves than that cost more than they save.
const MAX_COPIED: usize = 8;

/// Offset and type of each scalar, ascending.
type Scalars = Vec<(u32, MemType)>;

/// A place in a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub slot: Slot,
    pub offset: i32,
}

impl Place {
    pub fn plus(self, offset: i32) -> Place {
        let offset = self.offset.saturating_add(offset);
        Place { offset, ..self }
    }
}

/// What is done with slots.
enum Use {
    /// One scalar is loaded or stored.
    Scalar(Place, MemType),
    /// Bytes are zeroed.
    Zero(Place, u32),
    /// Bytes are copied between slots.
    Copy(Place, Place, u32),
    /// Bytes are copied from or to other memory.
    Memory(Place, u32),
    /// The address goes where we cannot follow.
    Escape(Slot),
}

/// The scalars of each slot that is split.
pub struct Plan {
    scalars: Vec<Option<Scalars>>,
    params: Vec<Param>,
}

impl Plan {
    /// `None` if no slot can be split.
    pub fn new(f: &Function, cx: &PassContext, params: Vec<Param>) -> Option<Plan> {
        if f.slots.is_empty() {
            return None;
        }
        let uses = collect(f, &params);
        let mut plan = Plan {
            scalars: f.slots.iter().map(|_| Some(Scalars::new())).collect(),
            params,
        };
        let mut typed = vec![false; f.slots.len()];
        for (n, slot) in f.slots.iter().enumerate() {
            let scalars = slot.ty.and_then(|t| cx.oracle.scalars(t, MAX_SCALARS));
            if slot.eh.is_some() {
                plan.scalars[n] = None;
            } else if let Some(scalars) = scalars {
                typed[n] = true;
                plan.scalars[n] = Some(scalars);
            }
        }
        plan.drop_escaped(&uses);
        plan.learn(&uses, &mut typed);
        while plan.drop_unfit(&uses, &typed) {}
        let in_pieces = used_as_bytes(f, &uses);
        for (n, scalars) in plan.scalars.iter_mut().enumerate() {
            let alone = |s: &Scalars| s.len() == 1 && f.slots[n].size <= 8 && !in_pieces[n];
            if scalars.as_ref().is_some_and(|s| s.is_empty() || alone(s)) {
                *scalars = None;
            }
        }
        // What was dropped last may have been the other end of a copy.
        while plan.drop_unfit(&uses, &typed) {}
        plan.scalars.iter().any(Option::is_some).then_some(plan)
    }

    pub fn slot_count(&self) -> usize {
        self.scalars.len()
    }

    /// The structs that are passed.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// The scalars of a slot that is split.
    pub fn scalars(&self, slot: Slot) -> Option<&[(u32, MemType)]> {
        self.scalars.get(slot.index())?.as_deref()
    }

    /// The place in a split slot that a value is the address of.
    pub fn place(&self, f: &Function, v: Value) -> Option<Place> {
        place_of(f, &self.params, v).filter(|p| self.scalars(p.slot).is_some())
    }

    fn drop_escaped(&mut self, uses: &[Use]) {
        for u in uses {
            if let Use::Escape(slot) = u {
                self.scalars[slot.index()] = None;
            }
        }
    }

    /// Finds the scalars of slots without a type from their accesses and from the slots they are copied to and from.
    fn learn(&mut self, uses: &[Use], typed: &mut [bool]) {
        for u in uses {
            if let Use::Scalar(p, ty) = *u
                && !typed[p.slot.index()]
            {
                self.add(p, ty);
            }
        }
        for _ in 0..4 {
            for u in uses {
                if let Use::Copy(a, b, bytes) = *u {
                    self.learn_from(a, b, bytes, typed);
                    self.learn_from(b, a, bytes, typed);
                }
            }
        }
    }

    fn learn_from(&mut self, to: Place, from: Place, bytes: u32, typed: &mut [bool]) {
        if typed[to.slot.index()] || to.slot == from.slot {
            return;
        }
        let Some(scalars) = self.scalars[from.slot.index()].clone() else {
            return;
        };
        let own = self.scalars[to.slot.index()].as_ref();
        let end = scalars.last().map_or(0, |s| s.0 + s.1.bytes());
        let all = from.offset == 0 && to.offset == 0 && bytes >= end;
        let whole = all && typed[from.slot.index()];
        if whole && own.is_some_and(Vec::is_empty) {
            typed[to.slot.index()] = true;
        }
        for (offset, ty) in scalars {
            let at = offset as i32 - from.offset;
            if (0..bytes as i32).contains(&at) {
                self.add(to.plus(at), ty);
            }
        }
    }

    fn add(&mut self, at: Place, ty: MemType) {
        let Some(scalars) = &mut self.scalars[at.slot.index()] else {
            return;
        };
        let offset = at.offset as u32;
        match scalars.binary_search_by_key(&offset, |s| s.0) {
            Ok(_) => {}
            Err(n) => scalars.insert(n, (offset, ty)),
        }
    }

    /// Drops slots that break a rule; true if there were any.
    fn drop_unfit(&mut self, uses: &[Use], typed: &[bool]) -> bool {
        let before = self.count();
        for scalars in &mut self.scalars {
            let apart = |w: &[(u32, MemType)]| w[0].0 + w[0].1.bytes() <= w[1].0;
            let fits = |s: &Scalars| s.len() <= MAX_SCALARS && s.windows(2).all(apart);
            if !scalars.as_ref().is_none_or(fits) {
                *scalars = None;
            }
        }
        for u in uses {
            match *u {
                Use::Scalar(p, ty) => self.keep_if(p.slot, |s| has(s, p.offset, ty)),
                Use::Zero(p, bytes) => self.keep_if(p.slot, |s| whole(s, p.offset, bytes)),
                Use::Memory(p, bytes) => self.keep_if(p.slot, |s| {
                    let small = s.len() <= MAX_COPIED;
                    small && typed[p.slot.index()] && whole(s, p.offset, bytes)
                }),
                Use::Copy(a, b, bytes) => self.check_copy(a, b, bytes, typed),
                Use::Escape(_) => {}
            }
        }
        self.count() != before
    }

    fn check_copy(&mut self, a: Place, b: Place, bytes: u32, typed: &[bool]) {
        let (x, y) = (self.scalars(a.slot), self.scalars(b.slot));
        let same = match (x, y) {
            (Some(x), Some(y)) => {
                let shifted = |s: &[(u32, MemType)], from: i32| {
                    let at = s.iter().map(|&(o, t)| (o as i32 - from, t.bytes()));
                    at.filter(|p| (0..bytes as i32).contains(&p.0))
                        .collect::<Vec<_>>()
                };
                let whole = whole(x, a.offset, bytes) && whole(y, b.offset, bytes);
                whole && shifted(x, a.offset) == shifted(y, b.offset)
            }
            // The other end stays in memory: as any other memory.
            (Some(s), None) => {
                typed[a.slot.index()] && s.len() <= MAX_COPIED && whole(s, a.offset, bytes)
            }
            (None, Some(s)) => {
                typed[b.slot.index()] && s.len() <= MAX_COPIED && whole(s, b.offset, bytes)
            }
            (None, None) => true,
        };
        if !same {
            self.scalars[a.slot.index()] = None;
            self.scalars[b.slot.index()] = None;
        }
    }

    fn keep_if(&mut self, slot: Slot, rule: impl Fn(&[(u32, MemType)]) -> bool) {
        let scalars = &mut self.scalars[slot.index()];
        if scalars.as_deref().is_some_and(|s| !rule(s)) {
            *scalars = None;
        }
    }

    fn count(&self) -> usize {
        self.scalars.iter().filter(|s| s.is_some()).count()
    }
}

/// By slot: it is zeroed or copied, so there is something to do even if it has one scalar only.
fn used_as_bytes(f: &Function, uses: &[Use]) -> Vec<bool> {
    let mut found = vec![false; f.slots.len()];
    for u in uses {
        match u {
            Use::Scalar(..) | Use::Escape(_) => {}
            Use::Zero(p, _) | Use::Memory(p, _) => found[p.slot.index()] = true,
            Use::Copy(a, b, _) => {
                found[a.slot.index()] = true;
                found[b.slot.index()] = true;
            }
        }
    }
    found
}

/// A scalar of this size is at this offset.
fn has(scalars: &[(u32, MemType)], offset: i32, ty: MemType) -> bool {
    scalars
        .iter()
        .any(|s| s.0 as i32 == offset && s.1.bytes() == ty.bytes())
}

/// No scalar crosses a border of the range.
fn whole(scalars: &[(u32, MemType)], offset: i32, bytes: u32) -> bool {
    let end = offset + bytes as i32;
    scalars.iter().all(|&(o, t)| {
        let (low, high) = (o as i32, o as i32 + t.bytes() as i32);
        (low >= offset || high <= offset) && (low >= end || high <= end)
    })
}

/// The place in a slot that a value is the address of.
fn place_of(f: &Function, params: &[Param], v: Value) -> Option<Place> {
    if let Some(param) = params.iter().find(|p| p.address == v) {
        let slot = param.slot;
        return Some(Place { slot, offset: 0 });
    }
    let data = &f.insts[f.def_inst(v)?.index()];
    match (data.op, data.imm) {
        (Op::SlotAddr, Imm::Slot(slot, offset, _)) => Some(Place { slot, offset }),
        (Op::AddrCast, _) => place_of(f, params, data.args[0]),
        (Op::AddrAdd, _) => {
            let offset = &f.insts[f.def_inst(data.args[1])?.index()];
            let Imm::Int(n) = offset.imm else { return None };
            let n = i32::try_from(n).ok()?;
            (offset.op == Op::Iconst)
                .then(|| place_of(f, params, data.args[0]))?
                .map(|p| p.plus(n))
        }
        _ => None,
    }
}

fn collect(f: &Function, params: &[Param]) -> Vec<Use> {
    let mut uses = Vec::new();
    for param in params {
        let slot = param.slot;
        let size = f.slots[slot.index()].size;
        uses.push(Use::Memory(Place { slot, offset: 0 }, size));
    }
    let insts = f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts);
    for &i in insts {
        let data = &f.insts[i.index()];
        if let Imm::Slot(slot, offset, ty) = data.imm
            && data.op != Op::SlotAddr
        {
            uses.push(Use::Scalar(Place { slot, offset }, ty));
        }
        inst_uses(f, params, data, &mut uses);
    }
    uses
}

/// Uses of slot addresses.
fn inst_uses(f: &Function, params: &[Param], data: &InstData, uses: &mut Vec<Use>) {
    let place = |n: usize| place_of(f, params, data.args[n]);
    // Operands that are not followed as addresses.
    let mut rest = 0;
    match (data.op, data.imm) {
        (Op::Load | Op::Store | Op::StoreRef, Imm::Mem(m)) => {
            let volatile = m.volatile;
            uses.extend(place(0).map(|p| match volatile {
                true => Use::Escape(p.slot),
                false => Use::Scalar(p.plus(m.offset), m.ty),
            }));
            rest = 1;
        }
        (Op::ZeroBlock, Imm::Size(bytes, _)) => {
            uses.extend(place(0).map(|p| Use::Zero(p, bytes)));
            rest = 1;
        }
        (Op::CopyBlock | Op::CopyStruct, Imm::Size(bytes, _)) => {
            match (place(0), place(1)) {
                (Some(a), Some(b)) if a.slot == b.slot => uses.push(Use::Escape(a.slot)),
                (Some(a), Some(b)) => uses.push(Use::Copy(a, b, bytes)),
                (Some(p), None) | (None, Some(p)) => uses.push(Use::Memory(p, bytes)),
                (None, None) => {}
            }
            rest = 2;
        }
        (Op::NullCheck | Op::AddrCast, _) => rest = 1,
        (Op::AddrAdd, _) => {
            let followed = data
                .result
                .is_some_and(|r| place_of(f, params, r).is_some());
            rest = if followed { 2 } else { 0 };
        }
        _ => {}
    }
    let passed = data.targets.iter().flat_map(|t| t.args.iter().copied());
    for v in data.args.iter().copied().skip(rest).chain(passed) {
        uses.extend(place_of(f, params, v).map(|p| Use::Escape(p.slot)));
    }
}
