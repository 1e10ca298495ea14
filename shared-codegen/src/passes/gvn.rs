//! Global value numbering: an operation that a dominating block has computed already is not computed again.
//!
//! ```text
//! block0(v0: ref, v1: i32):             block0(v0: ref, v1: i32):
//!     v2 = load.i32 i32+16 field#1 v0       v2 = load.i32 i32+16 field#1 v0
//!     v3 = iadd.i32 v2, v1                  v3 = iadd.i32 v2, v1
//!     jump block1                           jump block1
//! block1:                               block1:
//!     v4 = load.i32 i32+16 field#1 v0       return v3
//!     v5 = iadd.i32 v4, v1
//!     return v5
//! ```
//! Covers computations, checks (a check that passed passes again), type tests, loads, loads of what was just stored (cut to the
//! width of a narrow store), and stores of what is there already.
//!
//! Algorithm: a walk over the dominator tree with a scoped hash table (Briggs, Cooper, Simpson: "Value Numbering", 1997). Loads are
//! keyed by the version of the memory they read: one per alias class, changed by stores and calls. At a join the versions of the
//! immediate dominator hold, except for classes written on some way from there (`passes/memory.rs`). Constants share a number but not a
//! register: a copy next to its use is cheaper than a register held for long. Handlers start with an empty table, because a
//! value that lives into a handler costs a frame slot.
//! Cost: linear, plus dominators and the bounded search at joins. Needs nothing; better after `const-prop` and
//! `simplify-cfg`. Keeps the control flow; invalidates uses and liveness. Must not run after `eh-demote`.

use super::PassContext;
use super::memory::{Memory, Versions};
use crate::abi::helper::Effects;
use crate::analysis::{Cfg, Dominators};
use crate::ir::{Block, Function, Fx, Imm, Inst, InstData, MemRef, MemType, Op, Type, Value};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    f.resolve_aliases();
    let cfg = Cfg::new(f);
    let doms = Dominators::new(&cfg);
    let mut gvn = Gvn {
        memory: Memory::new(f),
        table: FxHashMap::default(),
        log: Vec::new(),
        numbers: FxHashMap::default(),
        changed: false,
    };
    let mut stack = vec![(f.entry(), 0, 0)];
    while let Some((b, mark, world)) = stack.pop() {
        gvn.undo(mark);
        let world = if cfg.eh_preds(b).is_empty() {
            world
        } else {
            b.0 + 1
        };
        let mut versions = gvn.memory.enter(&cfg, &doms, b);
        gvn.block(f, b, world, &mut versions);
        gvn.memory.leave(b, versions);
        let mark = gvn.log.len();
        stack.extend(doms.children(b).map(|c| (c, mark, world)));
    }
    if gvn.changed {
        f.resolve_aliases();
    }
    gvn.changed
}

/// What two computations must have in common to be one.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    op: Op,
    ty: Type,
    imm: Imm,
    /// Numbers of the operands.
    args: SmallVec<[Value; 3]>,
    /// Version of the memory read, 0 if none is.
    version: u32,
    /// Handlers see only what is computed in them.
    world: u32,
}

/// Where a computation has been done.
#[derive(Clone, Copy)]
struct Entry {
    value: Option<Value>,
    /// What a load makes of the low bits of the value.
    extension: Option<Op>,
    block: Block,
}

impl Entry {
    fn new(value: Option<Value>, block: Block) -> Entry {
        let extension = None;
        Entry {
            value,
            extension,
            block,
        }
    }
}

struct Gvn {
    memory: Memory,
    table: FxHashMap<Key, Entry>,
    /// Keys in order of insertion, for undoing.
    log: Vec<Key>,
    /// Constants that have the number of another value.
    numbers: FxHashMap<Value, Value>,
    changed: bool,
}

impl Gvn {
    fn undo(&mut self, mark: usize) {
        for key in self.log.drain(mark..) {
            self.table.remove(&key);
        }
    }

    fn insert(&mut self, key: Key, entry: Entry) {
        if self.table.insert(key.clone(), entry).is_none() {
            self.log.push(key);
        }
    }

    fn number(&self, f: &Function, v: Value) -> Value {
        let v = f.resolve(v);
        self.numbers.get(&v).copied().unwrap_or(v)
    }

    fn block(&mut self, f: &mut Function, b: Block, world: u32, versions: &mut Versions) {
        let insts = std::mem::take(&mut f.blocks[b.index()].insts);
        let mut kept = Vec::with_capacity(insts.len());
        for inst in insts {
            if self.is_known(f, b, inst, world, versions) {
                self.changed = true;
                continue;
            }
            let data = &f.insts[inst.index()];
            if self.is_there(f, data, world, versions) {
                self.changed = true;
                continue;
            }
            kept.push(inst);
            self.memory.effect(data, versions);
            for load in loads_after(f, data) {
                let entry = Entry {
                    value: Some(load.value),
                    extension: load.extension,
                    block: b,
                };
                let key = self.key_of(f, load, world, versions);
                self.insert(key, entry);
            }
        }
        f.blocks[b.index()].insts = kept;
    }

    /// Looks an instruction up; `true` if its value was taken from the table (it then must go). Else it is put there.
    fn is_known(
        &mut self,
        f: &mut Function,
        b: Block,
        inst: Inst,
        world: u32,
        versions: &Versions,
    ) -> bool {
        let data = &f.insts[inst.index()];
        if !is_repeatable(data) {
            return false;
        }
        let result = data.result;
        let key = Key {
            op: data.op,
            ty: data.ty,
            imm: data.imm,
            args: self.operand_numbers(f, data),
            version: self.memory.version_read(data, versions),
            world,
        };
        let Some(&entry) = self.table.get(&key) else {
            self.insert(key, Entry::new(result, b));
            return false;
        };
        if let (Some(op), Some(value)) = (entry.extension, entry.value) {
            let data = &mut f.insts[inst.index()];
            (data.op, data.imm) = (op, Imm::None);
            data.args = SmallVec::from_slice(&[value]);
            self.changed = true;
            return self.is_known(f, b, inst, world, versions);
        }
        let (Some(old), Some(new)) = (result, entry.value) else {
            return true;
        };
        let new = f.resolve(new);
        if is_cheap(key.op) && entry.block != b {
            self.numbers.insert(old, new);
            return false;
        }
        f.replace(old, new);
        true
    }

    fn operand_numbers(&self, f: &Function, data: &InstData) -> SmallVec<[Value; 3]> {
        let mut args: SmallVec<[Value; 3]> = data.args.iter().map(|&v| self.number(f, v)).collect();
        if data.op.is_commutative() {
            args.sort_unstable();
        }
        args
    }

    /// A store of what the place holds already.
    fn is_there(&self, f: &Function, data: &InstData, world: u32, versions: &Versions) -> bool {
        loads_after(f, data).into_iter().any(|load| {
            let value = self.number(f, load.value);
            let known = self.table.get(&self.key_of(f, load, world, versions));
            let held = known.and_then(|e| e.value);
            held.is_some_and(|v| self.number(f, v) == value)
        })
    }

    fn key_of(&self, f: &Function, load: LoadAfter, world: u32, versions: &Versions) -> Key {
        let data = load.data;
        Key {
            op: data.op,
            ty: data.ty,
            imm: data.imm,
            args: data.args.iter().map(|&v| self.number(f, v)).collect(),
            version: self.memory.version_read(&data, versions),
            world,
        }
    }
}

/// A load from where a store goes.
struct LoadAfter {
    data: InstData,
    /// What is stored.
    value: Value,
    /// What the load makes of it.
    extension: Option<Op>,
}

/// The loads that a store makes unnecessary.
fn loads_after(f: &Function, data: &InstData) -> SmallVec<[LoadAfter; 2]> {
    let (op, ty, value) = match (data.op, data.imm) {
        (Op::Store | Op::StoreRef, Imm::Mem(m)) if !m.volatile => (Op::Load, m.ty, data.args[1]),
        (Op::SlotStore, Imm::Slot(_, _, ty)) => (Op::SlotLoad, ty, data.args[0]),
        _ => return SmallVec::new(),
    };
    let value = f.resolve(value);
    if f.ty(value) != ty.value_type() {
        return SmallVec::new();
    }
    let address = data.args.split_last().map_or(&[][..], |(_, rest)| rest);
    let load = |(ty, extension): (MemType, Option<Op>)| LoadAfter {
        data: InstData {
            op,
            ty: ty.value_type(),
            args: SmallVec::from_slice(address),
            imm: match data.imm {
                Imm::Mem(m) => Imm::Mem(MemRef { ty, ..m }),
                Imm::Slot(s, offset, _) => Imm::Slot(s, offset, ty),
                other => other,
            },
            targets: SmallVec::new(),
            result: None,
            loc: data.loc,
        },
        value,
        extension,
    };
    let narrow = match ty {
        MemType::I8 | MemType::U8 => [(MemType::I8, Op::Sext8), (MemType::U8, Op::Zext8)],
        MemType::I16 | MemType::U16 => [(MemType::I16, Op::Sext16), (MemType::U16, Op::Zext16)],
        _ => return SmallVec::from_iter([load((ty, None))]),
    };
    narrow
        .into_iter()
        .map(|(ty, op)| load((ty, Some(op))))
        .collect()
}

/// Gives the same result (or passes the same check) when done again with the same operands and memory.
pub(super) fn is_repeatable(data: &InstData) -> bool {
    let fx = data.op.info().fx;
    match (data.op, data.imm) {
        (Op::Load, Imm::Mem(m)) => !m.volatile,
        (Op::SlotLoad, _) => true,
        (Op::ContextArg, _) => false,
        // Once is enough, and the second time it would do nothing.
        (Op::ClassInit, _) => true,
        (Op::CallHelper, Imm::Helper(h)) => h.info().effects == Effects::PURE,
        _ => (Fx::THROW).contains(fx) && (data.result.is_some() || fx.contains(Fx::THROW)),
    }
}

/// Cheaper to compute again than to keep in a register across blocks.
pub(super) fn is_cheap(op: Op) -> bool {
    matches!(
        op,
        Op::Iconst | Op::Fconst | Op::Null | Op::SlotAddr | Op::Const
    )
}
