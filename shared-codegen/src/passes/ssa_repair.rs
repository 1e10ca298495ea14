//! Repair of SSA form for passes that give blocks copies or other ways in: values that would have several definitions go
//! through stack slots, which `promote-slots` turns into values with block parameters where they are needed.

use crate::ir::{
    Block, Function, Imm, Inst, InstData, MemType, Op, Slot, SlotData, SourceLoc, Value,
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Gives each value of some blocks that is used outside of them a slot: stored behind its definition, loaded before each use.
pub(super) fn spill_definitions(f: &mut Function, blocks: &[Block]) {
    spill(f, blocks, |_, used_in| blocks.contains(&used_in));
}

/// The same for values used outside of their own block, also if that is another one of the blocks.
pub(super) fn spill_each(f: &mut Function, blocks: &[Block]) {
    spill(f, blocks, |defined_in, used_in| defined_in == used_in);
}

/// `together` says that a value of the first block is at hand in the second one.
fn spill(f: &mut Function, blocks: &[Block], together: impl Fn(Block, Block) -> bool) {
    let mut defined: FxHashMap<Value, Block> = FxHashMap::default();
    for &b in blocks {
        let data = &f.blocks[b.index()];
        let results = data.insts.iter().filter_map(|i| f.insts[i.index()].result);
        defined.extend(data.params.iter().copied().chain(results).map(|v| (v, b)));
    }
    if defined.is_empty() {
        return;
    }
    let mut homes = FxHashMap::default();
    for b in f.layout.clone() {
        let insts = std::mem::take(&mut f.blocks[b.index()].insts);
        let mut new = Vec::with_capacity(insts.len());
        for inst in insts {
            let used: SmallVec<[Value; 4]> = f.insts[inst.index()].operands().collect();
            for v in used {
                if defined.get(&v).is_none_or(|&d| together(d, b)) {
                    continue;
                }
                let loc = f.insts[inst.index()].loc;
                let (slot, mem) = *homes.entry(v).or_insert_with(|| new_home(f, v));
                let load = slot_inst(f, Op::SlotLoad, slot, mem, None, loc);
                let value = f.insts[load.index()].result.expect("made with a result");
                new.push(load);
                for o in f.insts[inst.index()].operands_mut().filter(|o| **o == v) {
                    *o = value;
                }
            }
            new.push(inst);
        }
        f.blocks[b.index()].insts = new;
    }
    for &b in blocks {
        store_homes(f, b, &homes);
    }
}

fn new_home(f: &mut Function, v: Value) -> (Slot, MemType) {
    let mem = f.ty(v).in_memory();
    let slot = f.add_slot(SlotData {
        size: mem.bytes().max(8),
        align: 8,
        ty: None,
        zeroed: false,
        eh: None,
    });
    (slot, mem)
}

fn slot_inst(
    f: &mut Function,
    op: Op,
    slot: Slot,
    mem: MemType,
    value: Option<Value>,
    loc: SourceLoc,
) -> Inst {
    let ty = mem.value_type();
    let data = InstData {
        op,
        ty,
        args: value.into_iter().collect(),
        imm: Imm::Slot(slot, 0, mem),
        targets: SmallVec::new(),
        result: None,
        loc,
    };
    f.make_inst(data, value.is_none().then_some(ty))
}

fn store_homes(f: &mut Function, block: Block, homes: &FxHashMap<Value, (Slot, MemType)>) {
    let insts = std::mem::take(&mut f.blocks[block.index()].insts);
    let params = f.blocks[block.index()].params.clone();
    let mut new = Vec::with_capacity(insts.len());
    let store = |f: &mut Function, v: Value, loc: SourceLoc, new: &mut Vec<Inst>| {
        if let Some(&(slot, mem)) = homes.get(&v) {
            new.push(slot_inst(f, Op::SlotStore, slot, mem, Some(v), loc));
        }
    };
    let first = insts
        .first()
        .map_or(SourceLoc::default(), |i| f.insts[i.index()].loc);
    for v in params {
        store(f, v, first, &mut new);
    }
    for inst in insts {
        new.push(inst);
        let (result, loc) = (f.insts[inst.index()].result, f.insts[inst.index()].loc);
        if let Some(v) = result {
            store(f, v, loc, &mut new);
        }
    }
    f.blocks[block.index()].insts = new;
}
