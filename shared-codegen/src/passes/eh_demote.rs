//! `eh-demote`: values live into exception handlers move to the frame.
//!
//! The runtime resumes at a handler with the frame only: no register survives. So a value that is live into a handler or
//! filter block gets a stack slot, stored right after its definition, and every block that can be reached from a handler
//! reloads it before its first use. Constants and addresses are computed anew instead.
//!
//! Before, `v1` live into the handler `block2`:
//! ```text
//! block0:
//!     v1 = call method#7 sig0
//!     jump block1
//! block1 region0: ...
//! block2:
//!     v5 = iadd.i32 v1, v1
//! ```
//! after:
//! ```text
//! block0:
//!     v1 = call method#7 sig0
//!     slot_store.i32 ss3+0 i32 v1
//!     jump block1
//! block2:
//!     v6 = slot_load.i32 ss3+0 i32
//!     v5 = iadd.i32 v6, v6
//! ```
//! A value has one definition, which dominates its uses, so the slot is right wherever the value was. Liveness is computed
//! backwards over the blocks reachable from handlers only: nothing to do, and no time, for functions without regions.
//! The last pass: anything that shares values between blocks may undo it.

use super::PassContext;
use crate::ir::{
    Block, Function, Imm, Inst, InstData, MemType, Op, RegionKind, Slot, SlotData, SourceLoc,
    Value, ValueDef,
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    if f.regions.is_empty() {
        return false;
    }
    f.resolve_aliases();
    let handlers = handler_blocks(f);
    let reached = reachable(f, &handlers);
    let live = Live::compute(f, &reached);
    let mut homes = Homes::default();
    for &h in &handlers {
        for v in live.live_in(h) {
            homes.add(f, v);
        }
    }
    if homes.homes.is_empty() {
        return false;
    }
    reload_uses(f, &reached, &live, &homes);
    store_definitions(f, &homes);
    true
}

/// Handler and filter blocks in the layout.
fn handler_blocks(f: &Function) -> Vec<Block> {
    let mut placed = vec![false; f.blocks.len()];
    for b in &f.layout {
        placed[b.index()] = true;
    }
    let filters = f.regions.iter().filter_map(|r| match r.kind {
        RegionKind::Filter(b) => Some(b),
        _ => None,
    });
    let mut blocks: Vec<Block> = f.regions.iter().map(|r| r.handler).chain(filters).collect();
    blocks.retain(|b| placed[b.index()]);
    blocks
}

/// Blocks reachable from `roots` by normal and exceptional edges, in no particular order.
fn reachable(f: &Function, roots: &[Block]) -> Vec<Block> {
    let mut seen = vec![false; f.blocks.len()];
    let mut blocks = Vec::new();
    let mut work = roots.to_vec();
    while let Some(b) = work.pop() {
        if std::mem::replace(&mut seen[b.index()], true) {
            continue;
        }
        blocks.push(b);
        work.extend(f.succs(b).chain(f.eh_succs(b)));
    }
    blocks
}

/// Values live into the blocks reachable from handlers, as bit sets over the values that are used there outside of
/// their own block.
struct Live {
    candidates: Vec<Value>,
    numbers: FxHashMap<Value, usize>,
    sets: FxHashMap<Block, Vec<u64>>,
}

impl Live {
    fn compute(f: &Function, blocks: &[Block]) -> Live {
        let def_blocks = def_blocks(f);
        let (candidates, numbers) = candidates(f, blocks, &def_blocks);
        let words = candidates.len().div_ceil(64);
        let mut sets: FxHashMap<Block, Vec<u64>> = FxHashMap::default();
        for &b in blocks {
            let mut used = vec![0; words];
            for v in uses(f, b) {
                if let Some(&n) = numbers.get(&v)
                    && def_blocks[v.index()] != Some(b)
                {
                    used[n / 64] |= 1 << (n % 64);
                }
            }
            sets.insert(b, used);
        }
        let mut defined: FxHashMap<Block, Vec<u64>> = FxHashMap::default();
        for (n, v) in candidates.iter().enumerate() {
            if let Some(b) = def_blocks[v.index()] {
                let set = defined.entry(b).or_insert_with(|| vec![0; words]);
                set[n / 64] |= 1 << (n % 64);
            }
        }
        propagate(f, blocks, &mut sets, &defined);
        Live {
            candidates,
            numbers,
            sets,
        }
    }

    fn live_in(&self, b: Block) -> impl Iterator<Item = Value> + '_ {
        let set = &self.sets[&b];
        let words = set.iter().enumerate();
        words.flat_map(move |(w, &bits)| {
            (0..64)
                .filter(move |n| bits >> n & 1 != 0)
                .map(move |n| self.candidates[w * 64 + n])
        })
    }

    fn is_in(&self, b: Block, v: Value) -> bool {
        let n = self.numbers.get(&v).copied();
        n.is_some_and(|n| self.sets[&b][n / 64] >> (n % 64) & 1 != 0)
    }
}

/// Adds to each block what is live into its successors and not defined in it, until nothing changes.
fn propagate(
    f: &Function,
    blocks: &[Block],
    sets: &mut FxHashMap<Block, Vec<u64>>,
    defined: &FxHashMap<Block, Vec<u64>>,
) {
    let mut changed = true;
    while changed {
        changed = false;
        for &b in blocks.iter().rev() {
            let mut set = sets[&b].clone();
            for s in f.succs(b).chain(f.eh_succs(b)) {
                for (w, bits) in sets[&s].iter().enumerate() {
                    let local = defined.get(&b).map_or(0, |d| d[w]);
                    set[w] |= bits & !local;
                }
            }
            if set != sets[&b] {
                sets.insert(b, set);
                changed = true;
            }
        }
    }
}

/// Values used in `blocks` outside of the block that defines them, with their numbers.
fn candidates(
    f: &Function,
    blocks: &[Block],
    def_blocks: &[Option<Block>],
) -> (Vec<Value>, FxHashMap<Value, usize>) {
    let mut list = Vec::new();
    let mut numbers = FxHashMap::default();
    for &b in blocks {
        for v in uses(f, b) {
            if def_blocks[v.index()] != Some(b) {
                numbers.entry(v).or_insert_with(|| {
                    list.push(v);
                    list.len() - 1
                });
            }
        }
    }
    (list, numbers)
}

fn uses(f: &Function, b: Block) -> impl Iterator<Item = Value> + '_ {
    let insts = f.blocks[b.index()].insts.iter();
    insts.flat_map(|i| f.insts[i.index()].operands())
}

/// The block that defines each value.
fn def_blocks(f: &Function) -> Vec<Option<Block>> {
    let mut blocks = vec![None; f.values.len()];
    for &b in &f.layout {
        let data = &f.blocks[b.index()];
        let results = data.insts.iter().filter_map(|i| f.insts[i.index()].result);
        for v in data.params.iter().copied().chain(results) {
            blocks[v.index()] = Some(b);
        }
    }
    blocks
}

/// Where a value comes from in blocks reachable from handlers.
#[derive(Clone, Copy)]
enum Home {
    /// From its slot.
    Slot(Slot, MemType),
    /// It is computed anew as this instruction does.
    Copy(Inst),
}

#[derive(Default)]
struct Homes {
    homes: FxHashMap<Value, Home>,
    stores: FxHashMap<Value, (Slot, MemType)>,
}

impl Homes {
    fn add(&mut self, f: &mut Function, v: Value) {
        if self.homes.contains_key(&v) {
            return;
        }
        let home = match f.values[v.index()].def {
            ValueDef::Result(i) if is_constant(f.insts[i.index()].op) => Home::Copy(i),
            _ => {
                let mem = f.ty(v).in_memory();
                let slot = f.add_slot(SlotData {
                    size: mem.bytes().max(8),
                    align: 8,
                    ty: None,
                    zeroed: false,
                    eh: None,
                });
                self.stores.insert(v, (slot, mem));
                Home::Slot(slot, mem)
            }
        };
        self.homes.insert(v, home);
    }
}

/// The same value wherever it is computed.
fn is_constant(op: Op) -> bool {
    matches!(
        op,
        Op::Iconst | Op::Fconst | Op::Null | Op::Const | Op::SlotAddr | Op::ThreadPtr
    )
}

/// Gives each block reachable from a handler its own copies of the homed values that are live into it.
fn reload_uses(f: &mut Function, reached: &[Block], live: &Live, homes: &Homes) {
    for &b in reached {
        let insts = std::mem::take(&mut f.blocks[b.index()].insts);
        let mut new = Vec::with_capacity(insts.len());
        let mut copies: FxHashMap<Value, Value> = FxHashMap::default();
        for inst in insts {
            let used: SmallVec<[Value; 4]> = f.insts[inst.index()].operands().collect();
            for v in used {
                let Some(&home) = homes.homes.get(&v) else {
                    continue;
                };
                if !copies.contains_key(&v) && live.is_in(b, v) {
                    let loc = f.insts[inst.index()].loc;
                    let (load, value) = reload(f, v, home, loc);
                    new.push(load);
                    copies.insert(v, value);
                }
            }
            for v in f.insts[inst.index()].operands_mut() {
                *v = copies.get(v).copied().unwrap_or(*v);
            }
            new.push(inst);
        }
        f.blocks[b.index()].insts = new;
    }
}

fn reload(f: &mut Function, v: Value, home: Home, loc: SourceLoc) -> (Inst, Value) {
    let ty = f.ty(v);
    let data = match home {
        Home::Copy(i) => InstData {
            result: None,
            loc,
            ..f.insts[i.index()].clone()
        },
        Home::Slot(slot, mem) => InstData {
            op: Op::SlotLoad,
            ty,
            args: SmallVec::new(),
            imm: Imm::Slot(slot, 0, mem),
            targets: SmallVec::new(),
            result: None,
            loc,
        },
    };
    let inst = f.make_inst(data, Some(ty));
    let value = f.insts[inst.index()].result.expect("made with a result");
    (inst, value)
}

/// Stores each value with a slot right after its definition.
fn store_definitions(f: &mut Function, homes: &Homes) {
    for b in f.layout.clone() {
        let data = &f.blocks[b.index()];
        let results = data.insts.iter().filter_map(|i| f.insts[i.index()].result);
        if !data
            .params
            .iter()
            .copied()
            .chain(results)
            .any(|v| homes.stores.contains_key(&v))
        {
            continue;
        }
        let insts = std::mem::take(&mut f.blocks[b.index()].insts);
        let params = f.blocks[b.index()].params.clone();
        let mut new = Vec::with_capacity(insts.len() + 1);
        let first = insts
            .first()
            .map_or(SourceLoc::default(), |i| f.insts[i.index()].loc);
        for v in params {
            new.extend(store(f, homes, v, first));
        }
        for inst in insts {
            new.push(inst);
            let (result, loc) = (f.insts[inst.index()].result, f.insts[inst.index()].loc);
            new.extend(result.and_then(|v| store(f, homes, v, loc)));
        }
        f.blocks[b.index()].insts = new;
    }
}

fn store(f: &mut Function, homes: &Homes, v: Value, loc: SourceLoc) -> Option<Inst> {
    let &(slot, mem) = homes.stores.get(&v)?;
    let data = InstData {
        op: Op::SlotStore,
        ty: f.ty(v),
        args: SmallVec::from_slice(&[v]),
        imm: Imm::Slot(slot, 0, mem),
        targets: SmallVec::new(),
        result: None,
        loc,
    };
    Some(f.make_inst(data, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text::parse_function;
    use crate::passes::NoFacts;

    const TEXT: &str = r#"
function "f" (i32, i32) -> i32 {
    sig0 = ()
    ss0 = 24 align 8 eh region0
    region0 = catch type#1 handler block2 slot ss0
block0(v0: i32, v1: i32):
    v2 = iadd.i32 v0, v1
    v3 = iconst.i32 5
    jump block1
block1 region0:
    call sig0
    jump block3(v2)
block2:
    v4 = catch_object region0
    v5 = iadd.i32 v2, v3
    jump block3(v5)
block3(v6: i32):
    v7 = iadd.i32 v6, v1
    return v7
}
"#;

    #[test]
    fn handlers_have_no_live_in_values() {
        let mut f = parse_function(TEXT).expect("valid text");
        let cx = PassContext::new(&NoFacts);
        assert!(run(&mut f, &cx));
        let handlers = handler_blocks(&f);
        let reached = reachable(&f, &handlers);
        let live = Live::compute(&f, &reached);
        assert_eq!(live.live_in(handlers[0]).count(), 0, "{f}");
        let slots: Vec<_> = f.slots.iter().filter(|s| s.eh.is_none()).collect();
        assert_eq!(
            slots.len(),
            2,
            "v1 and v2 have slots, v3 is computed anew: {f}"
        );
        assert!(!run(&mut f, &cx), "nothing is left to do");
    }
}
