//! Slot promotion: scalar stack slots become SSA values.
//!
//! ```text
//! block0(v0: i32):                      block0(v0: i32):
//!     slot_store.i32 ss0+0 i32 v0           jump block1(v0)
//!     jump block1                       block1(v5: i32):
//! block1:                                   v2 = iconst.i32 1
//!     v1 = slot_load.i32 ss0+0 i32          v3 = iadd.i32 v5, v2
//!     v2 = iconst.i32 1                     brif v3, block1(v3), block2
//!     v3 = iadd.i32 v1, v2
//!     slot_store.i32 ss0+0 i32 v3
//!     brif v3, block1, block2
//! ```
//! A slot can be promoted if it is only loaded and stored, always at one offset with one size, and no exception handler
//! reads a value stored outside of it (handlers take no values from registers). Loads of narrow integers extend, as from memory.
//! Slots live where very many edges meet stay in the frame ([`MAX_BLOCK_ARGS`]).
//!
//! Algorithm: pruned SSA construction (Cytron, Ferrante, Rosen, Wegman, Zadeck, TOPLAS 1991): block parameters at the iterated
//! dominance frontier of the stores where the slot is live, then renaming over the dominator tree.
//! Cost: linear in practice. Needs nothing; `sroa` makes more slots fit. Keeps the control flow; invalidates uses and
//! liveness. Must not run after `eh-demote`.

use super::PassContext;
use crate::analysis::{Cfg, DominanceFrontier, Dominators, MAX_BLOCK_ARGS, beyond};
use crate::ir::{
    Block, Function, Imm, Inst, InstData, MemType, Op, Slot, SourceLoc, Type, Value, zero_of,
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    if f.slots.is_empty() {
        return false;
    }
    let mut vars = candidates(f);
    if vars.iter().all(Option::is_none) {
        return false;
    }
    f.resolve_aliases();
    let cfg = Cfg::new(f);
    f.layout.retain(|&b| cfg.is_reachable(b));
    let live = Live::new(f, &cfg, &vars);
    for &b in cfg.rpo() {
        if !cfg.eh_preds(b).is_empty() {
            for (n, var) in vars.iter_mut().enumerate() {
                if live.live_in(b, n) {
                    *var = None;
                }
            }
        }
    }
    for n in too_many(f, &cfg, &live, &vars) {
        vars[n] = None;
        f.vars_in_frame = true;
    }
    if vars.iter().all(Option::is_none) {
        return false;
    }
    let doms = Dominators::new(&cfg);
    let params = place_params(f, &cfg, &doms, &live, &vars);
    Rename {
        vars: &vars,
        params,
    }
    .run(f, &doms);
    f.resolve_aliases();
    for (slot, _) in f.slots.iter_mut().zip(&vars).filter(|(_, v)| v.is_some()) {
        *slot = super::sroa::gone();
    }
    true
}

/// A promotable slot: where and what it is accessed as.
#[derive(Clone, Copy)]
struct Var {
    offset: i32,
    /// The type its value has in registers.
    ty: Type,
    bytes: u32,
}

/// The slot an instruction loads or stores.
fn access(data: &InstData) -> Option<(Slot, i32, MemType)> {
    match (data.op, data.imm) {
        (Op::SlotLoad | Op::SlotStore, Imm::Slot(s, offset, ty)) => Some((s, offset, ty)),
        _ => None,
    }
}

/// Slots that are only loaded and stored, at one place each. Unused slots are none.
fn candidates(f: &Function) -> Vec<Option<Var>> {
    let mut vars: Vec<Option<Var>> = vec![None; f.slots.len()];
    let mut refused: Vec<bool> = f.slots.iter().map(|s| s.eh.is_some()).collect();
    let insts = f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts);
    for &i in insts {
        let data = &f.insts[i.index()];
        let Imm::Slot(slot, ..) = data.imm else {
            continue;
        };
        let Some((_, offset, ty)) = access(data) else {
            refused[slot.index()] = true;
            continue;
        };
        let var = vars[slot.index()].get_or_insert(Var {
            offset,
            ty: ty.value_type(),
            bytes: ty.bytes(),
        });
        refused[slot.index()] |= var.offset != offset || var.bytes != ty.bytes();
    }
    for (var, refused) in vars.iter_mut().zip(refused) {
        if refused {
            *var = None;
        }
    }
    vars
}

/// Which slots are live into which blocks, as bit sets.
struct Live {
    sets: Vec<Vec<u64>>,
}

impl Live {
    fn new(f: &Function, cfg: &Cfg, vars: &[Option<Var>]) -> Live {
        let words = vars.len().div_ceil(64);
        let mut live = Live {
            sets: vec![Vec::new(); f.blocks.len()],
        };
        let mut stored = vec![Vec::new(); f.blocks.len()];
        for &b in cfg.rpo() {
            let (mut read, mut written) = (vec![0u64; words], vec![0u64; words]);
            for &i in &f.blocks[b.index()].insts {
                let data = &f.insts[i.index()];
                let Some((s, ..)) = access(data).filter(|a| vars[a.0.index()].is_some()) else {
                    continue;
                };
                let (word, bit) = (s.index() / 64, 1 << (s.index() % 64));
                if data.op == Op::SlotStore {
                    written[word] |= bit;
                } else if written[word] & bit == 0 {
                    read[word] |= bit;
                }
            }
            live.sets[b.index()] = read;
            stored[b.index()] = written;
        }
        live.propagate(f, cfg, &stored);
        live
    }

    fn propagate(&mut self, f: &Function, cfg: &Cfg, stored: &[Vec<u64>]) {
        let mut changed = true;
        while changed {
            changed = false;
            for &b in cfg.rpo().iter().rev() {
                let mut set = std::mem::take(&mut self.sets[b.index()]);
                let mut join = |from: &[u64], kill: Option<&[u64]>| {
                    for (w, bits) in from.iter().enumerate() {
                        let new = set[w] | (bits & !kill.map_or(0, |k| k[w]));
                        changed |= new != set[w];
                        set[w] = new;
                    }
                };
                for s in f.succs(b).filter(|&s| s != b) {
                    join(&self.sets[s.index()], Some(&stored[b.index()]));
                }
                // An exception may come before the stores of the block.
                for s in f.eh_succs(b) {
                    join(&self.sets[s.index()], None);
                }
                self.sets[b.index()] = set;
            }
        }
    }

    fn live_in(&self, b: Block, slot: usize) -> bool {
        self.sets[b.index()]
            .get(slot / 64)
            .is_some_and(|w| w >> (slot % 64) & 1 != 0)
    }
}

/// Slots that stay in the frame because the parameters for all would have too many arguments.
fn too_many(f: &Function, cfg: &Cfg, live: &Live, vars: &[Option<Var>]) -> Vec<usize> {
    let joins = || cfg.rpo().iter().map(|&b| (b, cfg.preds(b).len() as u64));
    let most: u64 = joins().map(|j| j.1).filter(|n| *n > 1).sum();
    if most * vars.len() as u64 <= MAX_BLOCK_ARGS {
        return Vec::new();
    }
    let mut args = vec![0; vars.len()];
    let mut there = 0;
    for (b, count) in joins().filter(|j| j.1 > 1) {
        there += count * f.blocks[b.index()].params.len() as u64;
        let live = (0..vars.len()).filter(|&n| vars[n].is_some() && live.live_in(b, n));
        live.for_each(|n| args[n] += count);
    }
    beyond(&args, MAX_BLOCK_ARGS.saturating_sub(there))
}

/// Adds block parameters for the slots; by block, slot and parameter.
fn place_params(
    f: &mut Function,
    cfg: &Cfg,
    doms: &Dominators,
    live: &Live,
    vars: &[Option<Var>],
) -> FxHashMap<Block, Vec<(Slot, Value)>> {
    let frontier = DominanceFrontier::new(cfg, doms);
    let mut stores: Vec<Vec<Block>> = vec![Vec::new(); vars.len()];
    for &b in cfg.rpo() {
        for &i in &f.blocks[b.index()].insts {
            let data = &f.insts[i.index()];
            if let (Op::SlotStore, Some((s, ..))) = (data.op, access(data)) {
                stores[s.index()].push(b);
            }
        }
    }
    let mut params: FxHashMap<Block, Vec<(Slot, Value)>> = FxHashMap::default();
    for (n, var) in vars.iter().enumerate() {
        let Some(var) = var else { continue };
        let slot = Slot(n as u32);
        let mut work = std::mem::take(&mut stores[n]);
        while let Some(b) = work.pop() {
            for &join in frontier.of(b) {
                let has = |p: &Vec<(Slot, Value)>| p.last().is_some_and(|l| l.0 == slot);
                if !live.live_in(join, n) || params.get(&join).is_some_and(has) {
                    continue;
                }
                let value = f.add_param(join, var.ty);
                params.entry(join).or_default().push((slot, value));
                work.push(join);
            }
        }
    }
    params
}

struct Rename<'a> {
    vars: &'a [Option<Var>],
    params: FxHashMap<Block, Vec<(Slot, Value)>>,
}

impl Rename<'_> {
    fn run(&self, f: &mut Function, doms: &Dominators) {
        let mut current: Vec<Option<Value>> = vec![None; self.vars.len()];
        // Values to restore when a subtree is left.
        let mut log: Vec<(Slot, Option<Value>)> = Vec::new();
        let mut stack = vec![(f.entry(), 0)];
        while let Some((b, mark)) = stack.pop() {
            while log.len() > mark {
                if let Some((slot, old)) = log.pop() {
                    current[slot.index()] = old;
                }
            }
            self.block(f, b, &mut current, &mut log);
            let mark = log.len();
            stack.extend(doms.children(b).map(|c| (c, mark)));
        }
    }

    fn block(
        &self,
        f: &mut Function,
        b: Block,
        current: &mut [Option<Value>],
        log: &mut Vec<(Slot, Option<Value>)>,
    ) {
        for &(slot, value) in self.params.get(&b).into_iter().flatten() {
            log.push((slot, current[slot.index()].replace(value)));
        }
        let insts = std::mem::take(&mut f.blocks[b.index()].insts);
        let mut new = Vec::with_capacity(insts.len());
        for inst in insts {
            let data = &f.insts[inst.index()];
            let accessed = access(data).filter(|a| self.vars[a.0.index()].is_some());
            let Some((slot, _, ty)) = accessed else {
                if data.op.is_terminator() {
                    self.pass_values(f, inst, current, &mut new);
                }
                new.push(inst);
                continue;
            };
            let (op, loc) = (data.op, data.loc);
            if op == Op::SlotStore {
                let value = f.resolve(data.args[0]);
                log.push((slot, current[slot.index()].replace(value)));
            } else if let Some(result) = data.result {
                let value = self.value(f, slot, current, loc, &mut new);
                let value = as_loaded(f, value, ty, f.ty(result), loc, &mut new);
                f.replace(result, value);
            }
        }
        f.blocks[b.index()].insts = new;
    }

    /// The value of a slot; zero where none was stored.
    fn value(
        &self,
        f: &mut Function,
        slot: Slot,
        current: &[Option<Value>],
        loc: SourceLoc,
        out: &mut Vec<Inst>,
    ) -> Value {
        match (current[slot.index()], self.vars[slot.index()]) {
            (Some(v), _) => f.resolve(v),
            (None, var) => zero(f, var.map_or(Type::I64, |v| v.ty), loc, out),
        }
    }

    /// Appends the values of the targets' new parameters to a branch.
    fn pass_values(
        &self,
        f: &mut Function,
        branch: Inst,
        current: &[Option<Value>],
        out: &mut Vec<Inst>,
    ) {
        let loc = f.insts[branch.index()].loc;
        for n in 0..f.insts[branch.index()].targets.len() {
            let to = f.insts[branch.index()].targets[n].block;
            for &(slot, param) in self.params.get(&to).into_iter().flatten() {
                let value = self.value(f, slot, current, loc, out);
                let value = reinterpret(f, value, f.ty(param), loc, out);
                f.insts[branch.index()].targets[n].args.push(value);
            }
        }
    }
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

fn zero(f: &mut Function, ty: Type, loc: SourceLoc, out: &mut Vec<Inst>) -> Value {
    let (op, imm) = zero_of(ty);
    emit(f, op, ty, &[], imm, loc, out)
}

/// What a load of memory type `ty` gives after `value` was stored.
fn as_loaded(
    f: &mut Function,
    value: Value,
    ty: MemType,
    result: Type,
    loc: SourceLoc,
    out: &mut Vec<Inst>,
) -> Value {
    let extend = match ty {
        MemType::I8 => Op::Sext8,
        MemType::U8 => Op::Zext8,
        MemType::I16 => Op::Sext16,
        MemType::U16 => Op::Zext16,
        _ => return reinterpret(f, value, result, loc, out),
    };
    emit(f, extend, Type::I32, &[value], Imm::None, loc, out)
}

/// The same bits as another type of the same size.
fn reinterpret(
    f: &mut Function,
    value: Value,
    to: Type,
    loc: SourceLoc,
    out: &mut Vec<Inst>,
) -> Value {
    let from = f.ty(value);
    if from == to {
        return value;
    }
    if from.is_word() && to.is_word() {
        return emit(f, Op::AddrCast, to, &[value], Imm::None, loc, out);
    }
    // Bit casts go between i32 and f32, i64 and f64; references have none of their own.
    let value = match from {
        Type::Ref | Type::ByRef => emit(f, Op::AddrCast, Type::I64, &[value], Imm::None, loc, out),
        _ => value,
    };
    match to {
        Type::Ref | Type::ByRef => {
            let bits = emit(f, Op::Bitcast, Type::I64, &[value], Imm::None, loc, out);
            emit(f, Op::AddrCast, to, &[bits], Imm::None, loc, out)
        }
        _ => emit(f, Op::Bitcast, to, &[value], Imm::None, loc, out),
    }
}
