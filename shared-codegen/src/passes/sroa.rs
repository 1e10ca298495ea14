//! Scalar replacement of aggregates: a stack slot that holds a struct is split into one slot per scalar.
//!
//! ```text
//!     ss0 = 16 align 8 type#1               ss1 = 8 align 8
//! block0(v0: f64, v1: byref):               ss2 = 8 align 8
//!     slot_store.f64 ss0+0 f64 v0       block0(v0: f64, v1: byref):
//!     slot_store.f64 ss0+8 f64 v0           slot_store.f64 ss1+0 f64 v0
//!     v2 = slot_addr ss0+0                  slot_store.f64 ss2+0 f64 v0
//!     copy_block 16 v1, v2                  v3 = slot_load.f64 ss1+0 f64
//!                                           store f64+0 v1, v3
//!                                           ...
//! ```
//! which `promote-slots` then turns into values. A slot is split if its address is only loaded from, stored to, zeroed, or
//! copied, and everything that touches it touches whole scalars. The scalars come from the slot's type, or from the accesses;
//! slots copied to each other must agree. Copies between a split slot and other memory become loads and stores.
//!
//! A struct that is passed is a copy of the callee's own, by address: small ones that obey the same rules are loaded at the start of
//! the function into slots for their scalars.
//!
//! Algorithm: optimistic; start with all slots whose address does not escape and drop those that break a rule until nothing
//! changes (`plan.rs`). Cost: linear per round, few rounds. Needs nothing; better after `inline`, `const-prop` and
//! `copy-prop`. Keeps the control flow; invalidates uses and liveness. Must not run after `eh-demote`.

mod params;
mod plan;

use super::PassContext;
use crate::ir::{
    AliasClass, Function, Imm, Inst, InstData, MemRef, MemType, Op, Slot, SlotData, SourceLoc,
    Type, Value, zero_of,
};
use plan::{Place, Plan};
use smallvec::SmallVec;

/// Runs the pass.
pub fn run(f: &mut Function, cx: &PassContext) -> bool {
    f.resolve_aliases();
    let before = f.slots.len();
    let params = params::add_slots(f, cx);
    let Some(plan) = Plan::new(f, cx, params) else {
        f.slots.truncate(before);
        return false;
    };
    let pieces = make_pieces(f, &plan);
    let mut splitter = Splitter {
        plan: &plan,
        pieces,
    };
    for b in f.layout.clone() {
        let insts = std::mem::take(&mut f.blocks[b.index()].insts);
        let mut out = Vec::with_capacity(insts.len());
        for inst in insts {
            if !splitter.split(f, inst, &mut out) {
                out.push(inst);
            }
        }
        f.blocks[b.index()].insts = out;
    }
    for param in plan.params() {
        let n = param.slot.index();
        let scalars = plan.scalars(param.slot).unwrap_or(&[]);
        let loads = params::load(f, param, scalars, &splitter.pieces[n]);
        let entry = f.entry();
        f.blocks[entry.index()].insts.splice(0..0, loads);
        f.slots[n] = gone();
    }
    for (n, slot) in f.slots.iter_mut().enumerate().take(plan.slot_count()) {
        if plan.scalars(Slot(n as u32)).is_some() {
            *slot = gone();
        }
    }
    f.resolve_aliases();
    true
}

/// What stands in the table for a slot that is not used any more.
pub(super) fn gone() -> SlotData {
    SlotData {
        size: 0,
        align: 1,
        ty: None,
        zeroed: false,
        eh: None,
    }
}

/// The slots that stand for the scalars of each split slot.
fn make_pieces(f: &mut Function, plan: &Plan) -> Vec<Vec<Slot>> {
    let mut pieces = Vec::new();
    for n in 0..plan.slot_count() {
        let zeroed = f.slots[n].zeroed;
        let scalars = plan.scalars(Slot(n as u32)).unwrap_or(&[]);
        let slots = scalars.iter().map(|_| {
            f.add_slot(SlotData {
                size: 8,
                align: 8,
                ty: None,
                zeroed,
                eh: None,
            })
        });
        pieces.push(slots.collect());
    }
    pieces
}

struct Splitter<'p> {
    plan: &'p Plan,
    pieces: Vec<Vec<Slot>>,
}

impl Splitter<'_> {
    /// Emits what stands for an instruction; `false` if it has nothing to do with split slots.
    fn split(&mut self, f: &mut Function, inst: Inst, out: &mut Vec<Inst>) -> bool {
        let data = f.insts[inst.index()].clone();
        let place = |n: usize| self.plan.place(f, data.args[n]);
        match (data.op, data.imm) {
            (Op::SlotLoad | Op::SlotStore, Imm::Slot(slot, offset, ty)) => {
                let at = Place { slot, offset };
                let Some(piece) = self.piece(at) else {
                    return false;
                };
                f.insts[inst.index()].imm = Imm::Slot(piece, 0, ty);
                out.push(inst);
            }
            (Op::Load | Op::Store | Op::StoreRef, Imm::Mem(mem)) => {
                let Some(at) = place(0) else { return false };
                let Some(piece) = self.piece(at.plus(mem.offset)) else {
                    return false;
                };
                let d = &mut f.insts[inst.index()];
                let value = d.args.get(1).copied();
                d.imm = Imm::Slot(piece, 0, mem.ty);
                d.args = value.into_iter().collect();
                d.op = if value.is_some() {
                    Op::SlotStore
                } else {
                    Op::SlotLoad
                };
                if let Some(v) = value {
                    f.insts[inst.index()].ty = f.ty(v);
                }
                out.push(inst);
            }
            (Op::ZeroBlock, Imm::Size(bytes, _)) => {
                let Some(at) = place(0) else { return false };
                self.zero(f, at, bytes, data.loc, out);
            }
            (Op::CopyBlock | Op::CopyStruct, Imm::Size(bytes, _)) => {
                let (to, from) = (place(0), place(1));
                if to.is_none() && from.is_none() {
                    return false;
                }
                self.copy(f, &data, to, from, bytes, out);
            }
            (Op::NullCheck, _) => return place(0).is_some(),
            (Op::SlotAddr, Imm::Slot(slot, ..)) => return self.plan.scalars(slot).is_some(),
            (Op::AddrAdd | Op::AddrCast, _) => return place(0).is_some(),
            _ => return false,
        }
        true
    }

    /// The slot of the scalar at a place; `None` if the slot there is not split.
    fn piece(&self, at: Place) -> Option<Slot> {
        let scalars = self.plan.scalars(at.slot)?;
        let n = scalars.iter().position(|s| s.0 as i32 == at.offset)?;
        Some(self.pieces[at.slot.index()][n])
    }

    /// Scalars in a range: offset in the range, type, slot.
    fn range(&self, at: Place, bytes: u32) -> Vec<(i32, MemType, Slot)> {
        let scalars = self.plan.scalars(at.slot).unwrap_or(&[]).iter();
        let pieces = scalars.zip(&self.pieces[at.slot.index()]);
        let placed = pieces.map(|(&(offset, ty), &slot)| (offset as i32 - at.offset, ty, slot));
        placed
            .filter(|p| (0..bytes as i32).contains(&p.0))
            .collect()
    }

    fn zero(&self, f: &mut Function, at: Place, bytes: u32, loc: SourceLoc, out: &mut Vec<Inst>) {
        for (_, ty, slot) in self.range(at, bytes) {
            let (op, imm) = zero_of(ty.value_type());
            let zero = emit(f, op, ty.value_type(), &[], imm, loc, out);
            store_slot(f, slot, ty, zero, loc, out);
        }
    }

    /// A copy of which at least one end is a split slot. All is read before anything is written.
    fn copy(
        &self,
        f: &mut Function,
        data: &InstData,
        to: Option<Place>,
        from: Option<Place>,
        bytes: u32,
        out: &mut Vec<Inst>,
    ) {
        let loc = data.loc;
        let plan = to
            .or(from)
            .map(|p| self.range(p, bytes))
            .unwrap_or_default();
        let mut values = Vec::with_capacity(plan.len());
        for &(offset, ty, _) in &plan {
            let load = |f: &mut Function, out: &mut Vec<Inst>| match from {
                Some(p) => {
                    let piece = self.piece(p.plus(offset))?;
                    let imm = Imm::Slot(piece, 0, ty);
                    Some(emit(f, Op::SlotLoad, ty.value_type(), &[], imm, loc, out))
                }
                None => {
                    let imm = memory(offset, ty);
                    let args = &[data.args[1]];
                    Some(emit(f, Op::Load, ty.value_type(), args, imm, loc, out))
                }
            };
            values.push(load(f, out));
        }
        for (&(offset, ty, _), value) in plan.iter().zip(values) {
            let Some(value) = value else { continue };
            match to {
                Some(p) => {
                    if let Some(piece) = self.piece(p.plus(offset)) {
                        store_slot(f, piece, ty, value, loc, out);
                    }
                }
                None => store(f, data, offset, ty, value, out),
            }
        }
    }
}

fn memory(offset: i32, ty: MemType) -> Imm {
    Imm::Mem(MemRef {
        offset,
        ty,
        alias: AliasClass::Any,
        volatile: false,
    })
}

/// Stores a scalar where a copy went; references with barrier if the copy had one.
fn store(
    f: &mut Function,
    copy: &InstData,
    offset: i32,
    ty: MemType,
    value: Value,
    out: &mut Vec<Inst>,
) {
    let op = match (copy.op, ty) {
        (Op::CopyStruct, MemType::Ref) => Op::StoreRef,
        _ => Op::Store,
    };
    let inst = f.make_inst(
        InstData {
            op,
            ty: Type::I32,
            args: SmallVec::from_slice(&[copy.args[0], value]),
            imm: memory(offset, ty),
            targets: SmallVec::new(),
            result: None,
            loc: copy.loc,
        },
        None,
    );
    out.push(inst);
}

fn store_slot(
    f: &mut Function,
    slot: Slot,
    ty: MemType,
    value: Value,
    loc: SourceLoc,
    out: &mut Vec<Inst>,
) {
    let inst = f.make_inst(
        InstData {
            op: Op::SlotStore,
            ty: f.ty(value),
            args: SmallVec::from_slice(&[value]),
            imm: Imm::Slot(slot, 0, ty),
            targets: SmallVec::new(),
            result: None,
            loc,
        },
        None,
    );
    out.push(inst);
}

fn emit(
    f: &mut Function,
    op: Op,
    ty: Type,
    args: &[Value],
    imm: Imm,
    loc: SourceLoc,
    out: &mut Vec<Inst>,
) -> Value {
    let data = InstData {
        op,
        ty,
        args: SmallVec::from_slice(args),
        imm,
        targets: SmallVec::new(),
        result: None,
        loc,
    };
    let inst = f.make_inst(data, Some(ty));
    out.push(inst);
    f.insts[inst.index()].result.expect("made with a result")
}
