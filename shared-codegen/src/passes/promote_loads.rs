//! Load promotion: a loop does not load again what it has stored.
//!
//! ```text
//! block1(v2: i64):                          v8 = load.i64 i64+16 field#1 v0
//!     v3 = load.i64 i64+16 field#1 v0       jump block1(v2, v8)
//!     v4 = iadd.i64 v3, v2              block1(v2: i64, v9: i64):
//!     store i64+16 field#1 v0, v4           v4 = iadd.i64 v9, v2
//!     ...                                   store i64+16 field#1 v0, v4
//!                                           ...
//! ```
//! The stores stay where they are, for calls of other threads, polls and exceptions to see; what goes is the wait for a
//! store to come back from memory in each round. A place is promoted in a loop that loads and stores it if its address does
//! not change there, nothing else in the loop may write it (by alias class), and it may be loaded in front of the loop: the object
//! is known to be there, or the loop starts with an access, or one came before it.
//!
//! Algorithm: the first half of register promotion (Cooper, Lu: "Register Promotion in C Programs", PLDI 1997), outer loops first. The value goes
//! through a stack slot, which `promote-slots` turns into block parameters.
//! Limits: [`MAX_WRITES`] writes and [`MAX_PLACES`] places of a loop. Cost: instructions times depth of loops, and the promotion. Needs blocks in
//! front of loops, which `licm` makes, and invariant addresses, which it moves there. Invalidates uses and liveness.

use super::PassContext;
use super::licm::{arrays, null_checks, safe_objects};
use super::memory::{Memory, Place, class_place};
use super::remarks::{Subject, Verdict};
use crate::analysis::{Cfg, Dominators, LoopData, Loops};
use crate::ir::{
    AliasClass, Block, Function, Fx, Imm, Inst, InstData, MemRef, MemType, Op, Slot, SlotData,
    SourceLoc, Type, Value, ValueDef,
};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

/// Most writes of a loop.
const MAX_WRITES: usize = 64;
/// Most places promoted in a loop: each wants a register.
const MAX_PLACES: usize = 6;

/// Runs the pass.
pub fn run(f: &mut Function, cx: &PassContext) -> bool {
    let insts = f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts);
    if !{ insts }.any(|i| matches!(f.insts[i.index()].op, Op::Store | Op::StoreRef)) {
        return false;
    }
    f.resolve_aliases();
    let cfg = Cfg::new(f);
    let doms = Dominators::new(&cfg);
    let loops = Loops::new(&cfg, &doms);
    if loops.loops.is_empty() {
        return false;
    }
    let known = Known::new(f, &cfg);
    let mut changed = false;
    for l in &loops.loops {
        let Some(preheader) = preheader(f, &cfg, l) else {
            continue;
        };
        let scan = Scan::new(f, &cfg, &known.memory, l);
        for spot in scan.places(f, &known, &doms, preheader) {
            let loc = f.insts[f.blocks[l.header.index()].insts[0].index()].loc;
            cx.remark("promote-loads", Subject::Loop, f, loc, || {
                Verdict::done("a place that is stored to is kept in a register, too")
            });
            promote(f, &scan, &spot, preheader);
            changed = true;
        }
    }
    if changed {
        super::promote_slots::run(f, cx);
    }
    changed
}

/// The block in front of a loop, which goes nowhere else.
fn preheader(f: &Function, cfg: &Cfg, l: &LoopData) -> Option<Block> {
    let inside: FxHashSet<Block> = l.blocks.iter().copied().collect();
    let mut outside = cfg.preds(l.header).iter().filter(|p| !inside.contains(p));
    let (&block, None) = (outside.next()?, outside.next()) else {
        return None;
    };
    let region = |b: Block| f.blocks[b.index()].region;
    let jumps = f.insts[f.terminator(block).index()].op == Op::Jump;
    (jumps && region(block) == region(l.header)).then_some(block)
}

/// What an address is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Base {
    /// A runtime constant.
    Const(Imm),
    /// Any other value.
    Value(Value),
}

/// A scalar in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Spot {
    base: Base,
    offset: i32,
    bytes: u32,
    /// Type of the value loaded and stored.
    ty: Type,
}

impl Spot {
    /// The same base and bytes in common.
    fn overlaps(&self, other: &Spot) -> bool {
        let end = |s: &Spot| i64::from(s.offset) + i64::from(s.bytes);
        self.base == other.base
            && i64::from(self.offset) < end(other)
            && i64::from(other.offset) < end(self)
    }
}

/// A load or store that is not volatile.
#[derive(Clone, Copy)]
struct Access {
    inst: Inst,
    spot: Spot,
    mem: MemRef,
    /// What is stored.
    stored: Option<Value>,
}

fn access(f: &Function, inst: Inst) -> Option<Access> {
    let data = &f.insts[inst.index()];
    let (Op::Load | Op::Store | Op::StoreRef, Imm::Mem(mem)) = (data.op, data.imm) else {
        return None;
    };
    let address = data.args[0];
    let base = match f.def_inst(address).map(|i| &f.insts[i.index()]) {
        Some(d) if d.op == Op::Const && d.ty == Type::I64 => Base::Const(d.imm),
        _ => Base::Value(address),
    };
    let spot = Spot {
        base,
        offset: mem.offset,
        bytes: mem.ty.bytes(),
        ty: mem.ty.value_type(),
    };
    (!mem.volatile).then_some(Access {
        inst,
        spot,
        mem,
        stored: data.args.get(1).copied(),
    })
}

/// Facts about the function before anything changes.
struct Known {
    memory: Memory,
    /// Where values are computed.
    homes: Vec<Option<Block>>,
    checks: Vec<(Value, Block)>,
    /// Objects whose length is asked for.
    arrays: FxHashSet<Value>,
    accesses: FxHashMap<Spot, Vec<Block>>,
}

impl Known {
    fn new(f: &Function, cfg: &Cfg) -> Known {
        let mut known = Known {
            memory: Memory::new(f),
            homes: vec![None; f.insts.len()],
            checks: null_checks(f),
            arrays: arrays(f),
            accesses: FxHashMap::default(),
        };
        for &b in cfg.rpo() {
            for &i in &f.blocks[b.index()].insts {
                known.homes[i.index()] = Some(b);
                if let Some(a) = access(f, i) {
                    let blocks = known.accesses.entry(a.spot).or_default();
                    if blocks.last() != Some(&b) {
                        blocks.push(b);
                    }
                }
            }
        }
        known
    }

    /// The block a value is computed in, unless that is not known.
    fn home(&self, f: &Function, v: Value) -> Option<Block> {
        match f.values[v.index()].def {
            ValueDef::Param(b, _) => Some(b),
            ValueDef::Result(i) => self.homes.get(i.index()).copied().flatten(),
            ValueDef::Alias(_) => None,
        }
    }
}

/// A place to be promoted.
struct Promotion {
    spot: Spot,
    /// For the load in front.
    mem: MemRef,
    loc: SourceLoc,
}

/// The accesses of one loop; none if something unknown is written there.
struct Scan<'a> {
    blocks: &'a [Block],
    accesses: Vec<(Block, Access)>,
    /// Accesses that happen before anything else when the loop is entered.
    first: FxHashSet<Spot>,
}

impl<'a> Scan<'a> {
    fn new(f: &Function, cfg: &Cfg, memory: &Memory, l: &'a LoopData) -> Scan<'a> {
        let mut scan = Scan {
            blocks: &l.blocks,
            accesses: Vec::new(),
            first: FxHashSet::default(),
        };
        for &b in &l.blocks {
            if !cfg.eh_preds(b).is_empty() || !scan.block(f, memory, b) {
                scan.accesses.clear();
                return scan;
            }
        }
        scan.find_first(f, cfg, l.header);
        scan
    }

    /// Collects the accesses of a block; false if there are writes that are not simple stores.
    fn block(&mut self, f: &Function, memory: &Memory, b: Block) -> bool {
        for &i in &f.blocks[b.index()].insts {
            if let Some(a) = access(f, i) {
                self.accesses.push((b, a));
                continue;
            }
            let written = memory.place_written(&f.insts[i.index()]);
            if !matches!(written, None | Some(Place::Private(_) | Place::Immutable)) {
                return false;
            }
        }
        true
    }

    fn find_first(&mut self, f: &Function, cfg: &Cfg, header: Block) {
        let mut at = Some(header);
        for _ in 0..self.blocks.len() {
            let Some(b) = at else { return };
            for &i in &f.blocks[b.index()].insts {
                let op = f.insts[i.index()].op;
                if op != Op::Poll && op.info().fx.intersects(Fx::THROW | Fx::CALL) {
                    return;
                }
                self.first.extend(access(f, i).map(|a| a.spot));
            }
            let mut succs = f.succs(b);
            let next = succs.next().filter(|&s| cfg.preds(s).len() == 1);
            at = next.filter(|_| succs.next().is_none());
        }
    }

    /// What can be promoted, in order of the accesses.
    fn places(
        &self,
        f: &Function,
        known: &Known,
        doms: &Dominators,
        preheader: Block,
    ) -> Vec<Promotion> {
        let stores = self.accesses.iter().filter(|(_, a)| a.stored.is_some());
        let stores: Vec<&Access> = stores.map(|(_, a)| a).collect();
        let mut found: Vec<Promotion> = Vec::new();
        if stores.is_empty() || stores.len() > MAX_WRITES {
            return found;
        }
        let safe = safe_objects(&known.checks, doms, preheader);
        for (b, a) in &self.accesses {
            let hot_load = a.stored.is_none() && !f.blocks[b.index()].cold;
            if !hot_load || found.iter().any(|p| p.spot == a.spot) {
                continue;
            }
            if found.len() == MAX_PLACES {
                break;
            }
            let mem = self.joined(a);
            if self.only_its_stores(f, &a.spot, mem, &stores)
                && is_outside(f, known, doms, &a.spot, preheader)
                && (self.first.contains(&a.spot)
                    || is_there(f, known, doms, preheader, &safe, &a.spot, mem))
            {
                let loc = f.insts[a.inst.index()].loc;
                let spot = a.spot;
                found.push(Promotion { spot, mem, loc });
            }
        }
        found
    }

    /// How a place is accessed; of the class that all accesses agree on.
    fn joined(&self, access: &Access) -> MemRef {
        let mut mem = access.mem;
        for (_, a) in self.accesses.iter().filter(|(_, a)| a.spot == access.spot) {
            if class_place(a.mem.alias) != class_place(mem.alias) {
                mem.alias = AliasClass::Any;
            }
        }
        mem
    }

    /// The loop stores there, and whatever else it stores is somewhere else.
    fn only_its_stores(&self, f: &Function, spot: &Spot, mem: MemRef, stores: &[&Access]) -> bool {
        let place = class_place(mem.alias);
        let elsewhere = |s: &Access| {
            let other = class_place(s.mem.alias);
            let classes = place != other && place != Place::Any && other != Place::Any;
            let distinct = s.spot.base == spot.base && !s.spot.overlaps(spot);
            classes || distinct
        };
        let fits = |s: &Access| s.stored.is_some_and(|v| f.ty(v) == spot.ty);
        let own = |s: &Access| s.spot == *spot && fits(s);
        place != Place::Immutable
            && stores.iter().any(|s| own(s))
            && stores.iter().all(|s| own(s) || elsewhere(s))
    }
}

/// The address is known in front of the loop.
fn is_outside(
    f: &Function,
    known: &Known,
    doms: &Dominators,
    spot: &Spot,
    preheader: Block,
) -> bool {
    match spot.base {
        Base::Const(_) => true,
        Base::Value(v) => {
            let home = known.home(f, v);
            home.is_some_and(|b| doms.dominates(b, preheader))
        }
    }
}

/// A load in front of the loop cannot fault.
fn is_there(
    f: &Function,
    known: &Known,
    doms: &Dominators,
    preheader: Block,
    safe: &FxHashSet<Value>,
    spot: &Spot,
    mem: MemRef,
) -> bool {
    let accesses = known.accesses.get(spot).map_or(&[][..], Vec::as_slice);
    if accesses.iter().any(|&b| doms.dominates(b, preheader)) {
        return true;
    }
    let v = match spot.base {
        Base::Const(_) => return matches!(mem.alias, AliasClass::Static(_)),
        Base::Value(v) => v,
    };
    let this = f.this_non_null && f.blocks[f.entry().index()].params.first() == Some(&v);
    // A field in an element of an array may be behind the array's end.
    let object = f.ty(v) == Type::Ref && !known.arrays.contains(&v);
    let field = object && matches!(mem.alias, AliasClass::Field(_));
    field && (this || safe.contains(&v))
}

/// Loads in the loop take what is in a slot, stores go there too.
fn promote(f: &mut Function, scan: &Scan, place: &Promotion, preheader: Block) {
    let slot = f.add_slot(SlotData {
        size: 8,
        align: 8,
        ty: None,
        zeroed: false,
        eh: None,
    });
    load_in_front(f, place, slot, preheader);
    for &b in scan.blocks {
        let insts = std::mem::take(&mut f.blocks[b.index()].insts);
        let mut new = Vec::with_capacity(insts.len());
        for i in insts {
            new.push(i);
            let Some(a) = access(f, i).filter(|a| a.spot == place.spot) else {
                continue;
            };
            let loc = f.insts[i.index()].loc;
            if let Some(v) = a.stored {
                new.push(store_slot(f, slot, a.mem.ty, v, loc));
            } else {
                let data = &mut f.insts[i.index()];
                data.op = Op::SlotLoad;
                data.args.clear();
                data.imm = Imm::Slot(slot, 0, a.mem.ty);
            }
        }
        f.blocks[b.index()].insts = new;
    }
}

fn load_in_front(f: &mut Function, place: &Promotion, slot: Slot, preheader: Block) {
    let end = f.blocks[preheader.index()].insts.pop();
    let emit = |f: &mut Function, op, ty, args: &[Value], imm| {
        let data = InstData {
            op,
            ty,
            args: SmallVec::from_slice(args),
            imm,
            targets: SmallVec::new(),
            result: None,
            loc: place.loc,
        };
        let i = f.make_inst(data, Some(ty));
        f.blocks[preheader.index()].insts.push(i);
        f.insts[i.index()].result.expect("made with a result")
    };
    let address = match place.spot.base {
        Base::Const(imm) => emit(f, Op::Const, Type::I64, &[], imm),
        Base::Value(v) => v,
    };
    let ty = place.spot.ty;
    let value = emit(f, Op::Load, ty, &[address], Imm::Mem(place.mem));
    let store = store_slot(f, slot, place.mem.ty, value, place.loc);
    f.blocks[preheader.index()].insts.push(store);
    f.blocks[preheader.index()].insts.extend(end);
}

fn store_slot(f: &mut Function, slot: Slot, ty: MemType, value: Value, loc: SourceLoc) -> Inst {
    let data = InstData {
        op: Op::SlotStore,
        ty: ty.value_type(),
        args: SmallVec::from_slice(&[value]),
        imm: Imm::Slot(slot, 0, ty),
        targets: SmallVec::new(),
        result: None,
        loc,
    };
    f.make_inst(data, None)
}
