//! `escape-analysis`: objects that nobody else gets to see are kept in the frame.
//!
//! ```text
//!     v2 = new_object type#1 v1             ss0 = 8 align 8
//!     store i32+16 field#1 v2, v0           v2 = slot_addr ss0+0
//!     null_check v2                         zero_block 8 v2
//!     v3 = load.i32 i32+16 field#1 v2       store i32+0 field#1 v2, v0
//!                                           v3 = load.i32 i32+0 field#1 v2
//! ```
//! which `sroa` and `promote-slots` then turn into values. An object stays in the frame if every use of it, and of addresses at
//! constant distances inside it, is a load, a store into it, a check, a comparison, a cast that is known to pass, or, for
//! the data of a box, a `this` passed by reference to a method (which cannot keep it). Fresh delegates whose calls have
//! become direct go in the same way, and then what they were closed over. Atomic operations on such an object become
//! plain ones; so does a compare-and-exchange on a new object that has not been shown to anybody yet, whatever
//! becomes of it later (enumerators of iterators start with one).
//!
//! The header does not exist in the frame: what asks for the method table gets the operand of `new_object`. Frame memory is
//! scanned conservatively, so references in it keep their objects alive. A use never sees the object of an earlier round
//! of a loop, because block parameters count as escapes.
//!
//! Algorithm: flow-insensitive version of Choi et al., "Escape analysis for Java" (OOPSLA 1999) inside one function, after
//! inlining; in rounds, because delegates hold closures. Linear in the number of uses per round, at most [`MAX_ROUNDS`]
//! rounds. Keeps the control flow; invalidates uses. Must run before `expand`.

use super::known_class::named_type;
use super::remarks::{Subject, Verdict};
use super::{InstanceFacts, PassContext};
use crate::abi::helper::HelperId;
use crate::abi::layout::object::{HEADER, METHOD_TABLE};
use crate::analysis::Uses;
use crate::ir::{
    Block, Function, Imm, Inst, InstData, IntCc, MemRef, MemType, Op, Slot, SlotData, SourceLoc,
    Type, Value, ValueDef,
};
use crate::types::TypeId;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Delegate, closure, what the closure holds.
const MAX_ROUNDS: usize = 4;
/// Largest object kept in the frame.
const MAX_SIZE: u32 = 256;
/// How far a store is looked for in front of a compare-and-exchange.
const MAX_LOOK: usize = 32;

/// Runs the pass.
pub fn run(f: &mut Function, cx: &PassContext) -> bool {
    let mut changed = false;
    if allocations(f).is_empty() {
        return false;
    }
    f.resolve_aliases();
    changed |= settle_exchanges(f);
    for round in 0..MAX_ROUNDS {
        if !one_round(f, cx, round == 0) {
            break;
        }
        changed = true;
    }
    changed
}

fn allocations(f: &Function) -> Vec<Inst> {
    let insts = f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts);
    let new = insts.filter(|i| f.insts[i.index()].op == Op::NewObject);
    new.copied().collect()
}

/// An object that may stay in the frame, and how its uses change.
struct Candidate {
    new: Inst,
    ty: TypeId,
    facts: InstanceFacts,
    changes: Vec<(Inst, Change)>,
}

/// What becomes of a use.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// It goes.
    Gone,
    /// Its result is the method table.
    Table,
    /// Its result is this constant.
    Const(i64),
    /// Its result is null.
    Null,
    /// Its result is the object.
    Same,
    /// Its result is an address inside the object.
    Address(i32),
    /// It loads or stores at this offset, by the object itself or an address inside.
    Access(i32, By),
    /// An atomic operation at this offset.
    Atomic(i32, By),
    /// It uses the address of the value in the box.
    Keep,
}

/// What an access names its place by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// The object, which will have lost its header.
    Object,
    /// An address inside, which moves with the slot.
    Address,
}

impl By {
    /// What the offset of the access loses.
    fn lost(self) -> i32 {
        match self {
            By::Object => HEADER as i32,
            By::Address => 0,
        }
    }
}

fn one_round(f: &mut Function, cx: &PassContext, first: bool) -> bool {
    let uses = Uses::new(f);
    let mut found: Vec<Candidate> = Vec::new();
    for new in allocations(f) {
        match examine(f, cx, &uses, new) {
            Ok(candidate) => found.push(candidate),
            Err(why) if first => say(f, cx, new, |ty| {
                Verdict::missed(format!("on the heap: {why}")).of_type(ty)
            }),
            Err(_) => {}
        }
    }
    if found.is_empty() {
        return false;
    }
    let mut edits = Edits::default();
    for candidate in &found {
        say(f, cx, candidate.new, |ty| {
            Verdict::done("kept in the frame").of_type(ty)
        });
        edits.plan(f, candidate);
    }
    edits.apply(f);
    f.resolve_aliases();
    true
}

fn say(f: &Function, cx: &PassContext, new: Inst, verdict: impl FnOnce(TypeId) -> Verdict) {
    let data = &f.insts[new.index()];
    if let Some(ty) = named_type(f, data) {
        let subject = Subject::Allocation;
        cx.remark("escape-analysis", subject, f, data.loc, || verdict(ty));
    }
}

/// Looks at all uses of a new object; or says why it must be on the heap.
fn examine(
    f: &Function,
    cx: &PassContext,
    uses: &Uses,
    new: Inst,
) -> Result<Candidate, &'static str> {
    let data = &f.insts[new.index()];
    let (Some(object), Some(ty)) = (data.result, named_type(f, data)) else {
        return Err("no type");
    };
    let facts = cx.oracle.instance(ty).ok_or("layout not known")?;
    if facts.has_finalizer {
        return Err("it has a finalizer");
    }
    if facts.size > MAX_SIZE {
        return Err("too large");
    }
    let mut changes = Vec::new();
    let mut work = vec![(object, None)];
    while let Some((v, offset)) = work.pop() {
        for &(_, user) in uses.of(v) {
            let use_ = Use {
                f,
                cx,
                ty,
                object,
                address: v,
                offset,
            };
            let change = use_.change(&f.insts[user.index()])?;
            changes.push((user, change));
            let result = f.insts[user.index()].result;
            match (change, result) {
                (Change::Address(at), Some(r)) => work.push((r, Some(at))),
                (Change::Same, Some(r)) => work.push((r, None)),
                _ => {}
            }
        }
    }
    let inside = |at: i32| (HEADER as i32..facts.size as i32).contains(&at);
    let all_inside = changes.iter().all(|c| match c.1 {
        Change::Access(at, _) | Change::Atomic(at, _) | Change::Address(at) => inside(at),
        _ => true,
    });
    match all_inside {
        true => Ok(Candidate {
            new,
            ty,
            facts,
            changes,
        }),
        false => Err("its header is used"),
    }
}

/// A use of an object, or of an address inside it (`offset`).
struct Use<'a> {
    f: &'a Function,
    cx: &'a PassContext<'a>,
    ty: TypeId,
    object: Value,
    address: Value,
    offset: Option<i32>,
}

impl Use<'_> {
    fn is_it(&self, v: Value) -> bool {
        self.f.resolve(v) == self.address
    }

    fn change(&self, user: &InstData) -> Result<Change, &'static str> {
        const ESCAPES: &str = "it is stored or passed on";
        let at = self.offset.unwrap_or(0);
        let by = match self.offset {
            None => By::Object,
            Some(_) => By::Address,
        };
        let only = |n: usize| {
            let mut others = user.operands().enumerate().filter(|&(k, _)| k != n);
            self.is_it(user.args[n]) && others.all(|(_, v)| !self.is_it(v))
        };
        match (user.op, user.imm) {
            (Op::Load, Imm::Mem(m)) if self.offset.is_none() && m.offset == METHOD_TABLE => {
                Ok(Change::Table)
            }
            (Op::MethodTableOf, _) => Ok(Change::Table),
            (Op::Load, Imm::Mem(m)) => Ok(Change::Access(at + m.offset, by)),
            (Op::Store | Op::StoreRef, Imm::Mem(m)) if only(0) => {
                Ok(Change::Access(at + m.offset, by))
            }
            (Op::AtomicCas | Op::AtomicXchg | Op::AtomicAdd, _) if only(0) => {
                Ok(Change::Atomic(at, by))
            }
            (Op::CopyBlock | Op::CopyStruct, _) if self.offset.is_some() => Ok(Change::Keep),
            (Op::ZeroBlock, _) if self.offset.is_some() => Ok(Change::Keep),
            (Op::NullCheck | Op::KeepAlive, _) => Ok(Change::Gone),
            (Op::AddrAdd, _) if only(0) => match self.f.const_of(user.args[1]) {
                Some(c) => Ok(Change::Address(at.saturating_add(c.bits as i32))),
                None => Err(ESCAPES),
            },
            (Op::AddrCast, _) if self.offset.is_some() => Ok(Change::Address(at)),
            (Op::Icmp, Imm::IntCc(cc)) => self.comparison(cc, user),
            (Op::Unbox | Op::CastClass | Op::IsInst, _) => self.cast(user),
            (Op::CallHelper, Imm::Helper(HelperId::DelegateInit)) if only(0) => Ok(Change::Gone),
            (Op::Call, Imm::Call(info)) => {
                let sig = &self.f.sigs[info.sig.index()];
                let kept = info.tail || sig.ret == Some(Type::ByRef);
                let by_ref = |(n, &v): (usize, &Value)| {
                    !self.is_it(v) || sig.params.get(n) == Some(&Type::ByRef)
                };
                let this = self.offset == Some(HEADER as i32);
                match this && !kept && user.args.iter().enumerate().all(by_ref) {
                    true => Ok(Change::Keep),
                    false => Err("it is passed to a method"),
                }
            }
            (_, Imm::Call(_)) => Err("it is passed to a method"),
            (Op::Return, _) => Err("it is returned"),
            (Op::Jump | Op::Brif | Op::Switch, _) => Err("it is one of several objects"),
            (Op::Throw, _) => Err("it is thrown"),
            _ => Err(ESCAPES),
        }
    }

    /// Nothing else is equal to an object that nobody knows.
    fn comparison(&self, cc: IntCc, user: &InstData) -> Result<Change, &'static str> {
        let same = self.is_it(user.args[0]) && self.is_it(user.args[1]);
        match cc {
            _ if self.offset.is_some() => Err("its address is compared"),
            IntCc::Eq => Ok(Change::Const(same.into())),
            IntCc::Ne | IntCc::Ugt => Ok(Change::Const((!same).into())),
            _ => Err("its address is compared"),
        }
    }

    fn cast(&self, user: &InstData) -> Result<Change, &'static str> {
        const UNSURE: &str = "it is cast";
        if self.offset.is_some() || !self.is_it(user.args[1]) || self.is_it(user.args[0]) {
            return Err(UNSURE);
        }
        let to = named_type(self.f, user).ok_or(UNSURE)?;
        if user.op == Op::Unbox {
            let fits = self.ty == to && self.f.resolve(user.args[1]) == self.object;
            return match fits {
                true => Ok(Change::Address(HEADER as i32)),
                false => Err(UNSURE),
            };
        }
        match self.cx.oracle.is_assignable(self.ty, to) {
            Some(true) => Ok(Change::Same),
            Some(false) if user.op == Op::IsInst => Ok(Change::Null),
            _ => Err(UNSURE),
        }
    }
}

/// Changes of instructions, to be made in one walk.
#[derive(Default)]
struct Edits {
    /// Instructions that go, with the value that takes the place of the result.
    gone: FxHashMap<Inst, Option<Value>>,
    /// New objects, with slot and bytes to be zeroed.
    news: FxHashMap<Inst, (Slot, u32)>,
    atomics: FxHashMap<Inst, MemRef>,
}

impl Edits {
    fn plan(&mut self, f: &mut Function, c: &Candidate) {
        let data = f.insts[c.new.index()].clone();
        let Some(object) = data.result else { return };
        let boxed = self::is_boxed(f, c);
        let size = (c.facts.size - HEADER).max(8);
        let slot = f.add_slot(SlotData {
            size,
            align: 8,
            ty: boxed.then_some(c.ty),
            zeroed: false,
            eh: None,
        });
        for &(inst, change) in &c.changes {
            self.change(f, inst, change, slot, object, data.args[0]);
        }
        self.news.insert(c.new, (slot, size));
        to_slot_addr(f, c.new, slot, 0);
    }

    fn change(
        &mut self,
        f: &mut Function,
        inst: Inst,
        change: Change,
        slot: Slot,
        object: Value,
        table: Value,
    ) {
        match change {
            Change::Keep => {}
            Change::Gone => {
                self.gone.insert(inst, None);
            }
            Change::Table => {
                self.gone.insert(inst, Some(table));
            }
            Change::Same => {
                self.gone.insert(inst, Some(object));
            }
            Change::Const(n) => {
                let data = &mut f.insts[inst.index()];
                (data.op, data.ty, data.imm) = (Op::Iconst, Type::I32, Imm::Int(n));
                data.args.clear();
            }
            Change::Null => {
                let data = &mut f.insts[inst.index()];
                (data.op, data.ty, data.imm) = (Op::Null, Type::Ref, Imm::None);
                data.args.clear();
            }
            Change::Address(at) => to_slot_addr(f, inst, slot, at - HEADER as i32),
            Change::Access(_, by) => {
                let data = &mut f.insts[inst.index()];
                if let Imm::Mem(m) = &mut data.imm {
                    m.offset -= by.lost();
                    m.volatile = false;
                }
                if data.op == Op::StoreRef {
                    data.op = Op::Store;
                    data.ty = Type::I32;
                }
            }
            Change::Atomic(_, by) => {
                let data = &f.insts[inst.index()];
                if let Imm::Atomic(ty, alias) = data.imm {
                    let mem = MemRef {
                        offset: -by.lost(),
                        ty,
                        alias,
                        volatile: false,
                    };
                    self.atomics.insert(inst, mem);
                }
            }
        }
    }

    fn apply(self, f: &mut Function) {
        for (&inst, &with) in &self.gone {
            if let (Some(old), Some(new)) = (f.insts[inst.index()].result, with) {
                f.replace(old, new);
            }
        }
        for n in 0..f.layout.len() {
            let b = f.layout[n].index();
            let insts = std::mem::take(&mut f.blocks[b].insts);
            let mut out = Vec::with_capacity(insts.len());
            for inst in insts {
                if self.gone.contains_key(&inst) {
                    continue;
                }
                if let Some(&mem) = self.atomics.get(&inst) {
                    plain(f, inst, mem, &mut out);
                    continue;
                }
                out.push(inst);
                if let Some(&(_, bytes)) = self.news.get(&inst) {
                    let data = &f.insts[inst.index()];
                    let (address, loc) = (data.result, data.loc);
                    let imm = Imm::Size(bytes, 0);
                    emit(
                        f,
                        Op::ZeroBlock,
                        Type::I32,
                        address.as_slice(),
                        imm,
                        loc,
                        &mut out,
                    );
                }
            }
            f.blocks[b].insts = out;
        }
    }
}

/// The object is a box of a value of a type that the slot can be said to have.
fn is_boxed(f: &Function, c: &Candidate) -> bool {
    // Boxes are only ever used by the address of their data.
    let mut changes = c.changes.iter();
    changes.any(|(i, change)| {
        matches!(change, Change::Address(at) if *at == HEADER as i32)
            && f.insts[i.index()].op != Op::AddrCast
    }) && c
        .changes
        .iter()
        .all(|(_, change)| !matches!(change, Change::Access(at, _) if *at < HEADER as i32))
}

fn to_slot_addr(f: &mut Function, inst: Inst, slot: Slot, offset: i32) {
    let data = &mut f.insts[inst.index()];
    data.op = Op::SlotAddr;
    data.ty = Type::I64;
    data.args.clear();
    data.imm = Imm::Slot(slot, offset, MemType::I64);
    if let Some(r) = data.result {
        f.values[r.index()].ty = Type::I64;
    }
}

/// An atomic operation without the others: nobody can interfere.
fn plain(f: &mut Function, inst: Inst, mem: MemRef, out: &mut Vec<Inst>) {
    let data = f.insts[inst.index()].clone();
    let (loc, ty) = (data.loc, mem.ty.value_type());
    let address = data.args[0];
    let load = &mut f.insts[inst.index()];
    (load.op, load.ty, load.imm) = (Op::Load, ty, Imm::Mem(mem));
    load.args = SmallVec::from_slice(&[address]);
    out.push(inst);
    let Some(old) = data.result else { return };
    let new = match data.op {
        Op::AtomicCas => {
            let equal = [old, data.args[1]];
            let imm = Imm::IntCc(IntCc::Eq);
            emit(f, Op::Icmp, Type::I32, &equal, imm, loc, out).and_then(|c| {
                emit(
                    f,
                    Op::Select,
                    ty,
                    &[c, data.args[2], old],
                    Imm::None,
                    loc,
                    out,
                )
            })
        }
        Op::AtomicAdd => emit(f, Op::Iadd, ty, &[old, data.args[1]], Imm::None, loc, out),
        _ => Some(data.args[1]),
    };
    if let Some(new) = new {
        emit(
            f,
            Op::Store,
            Type::I32,
            &[address, new],
            Imm::Mem(mem),
            loc,
            out,
        );
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
) -> Option<Value> {
    let data = InstData {
        op,
        ty: crate::ir::typing::canonical_type(f, op, ty, &imm),
        args: SmallVec::from_slice(args),
        imm,
        targets: SmallVec::new(),
        result: None,
        loc,
    };
    let result = crate::ir::typing::result_type(f, op, ty, &imm);
    let inst = f.make_inst(data, result);
    out.push(inst);
    f.insts[inst.index()].result
}

/// Compare-and-exchanges whose outcome is known, because the object is new and a constant was just stored there.
fn settle_exchanges(f: &mut Function) -> bool {
    let mut changed = false;
    for n in 0..f.layout.len() {
        let b = f.layout[n];
        for at in 0..f.blocks[b.index()].insts.len() {
            let inst = f.blocks[b.index()].insts[at];
            if f.insts[inst.index()].op == Op::AtomicCas {
                changed |= settle(f, b, at);
            }
        }
    }
    changed
}

fn settle(f: &mut Function, b: Block, at: usize) -> bool {
    let inst = f.blocks[b.index()].insts[at];
    let data = f.insts[inst.index()].clone();
    let Imm::Atomic(ty, alias) = data.imm else {
        return false;
    };
    let Some((object, offset)) = part_of_new(f, data.args[0]) else {
        return false;
    };
    let before = f.blocks[b.index()].insts[..at].iter().rev();
    let mut stored = None;
    for &i in before.take(MAX_LOOK) {
        let d = &f.insts[i.index()];
        if d.result == Some(object) {
            break;
        }
        match (d.op, d.imm) {
            (Op::Store, Imm::Mem(m)) if stored.is_none() => {
                let to = part_of_new(f, d.args[0]).map(|(o, at)| (o, at + m.offset));
                if to == Some((object, offset)) && m.ty == ty {
                    stored = f.const_of(d.args[1]);
                }
            }
            // Showing it to somebody, even before the store, ends the search.
            (Op::Load | Op::NullCheck | Op::AddrAdd | Op::Store, _) => {}
            _ if d.operands().any(|v| f.resolve(v) == object) => return false,
            _ => {}
        }
        let shown = d.op == Op::Store && f.resolve(d.args[1]) == object;
        if shown || d.operands().any(|v| is_shown(f, d, v, object)) {
            return false;
        }
    }
    let is_new_here = f.blocks[b.index()].insts[..at]
        .iter()
        .rev()
        .take(MAX_LOOK)
        .any(|i| f.insts[i.index()].result == Some(object));
    let (Some(stored), true) = (stored, is_new_here) else {
        return false;
    };
    if f.const_of(data.args[1]) != Some(stored) {
        return false;
    }
    if let Some(r) = data.result {
        f.replace(r, data.args[1]);
    }
    let store = &mut f.insts[inst.index()];
    (store.op, store.ty, store.result) = (Op::Store, Type::I32, None);
    store.args = SmallVec::from_slice(&[data.args[0], data.args[2]]);
    store.imm = Imm::Mem(MemRef {
        offset: 0,
        ty,
        alias,
        volatile: false,
    });
    true
}

/// An address inside the object goes anywhere but into an access.
fn is_shown(f: &Function, user: &InstData, v: Value, object: Value) -> bool {
    let inside = part_of_new(f, v).is_some_and(|(o, _)| o == object);
    let access = matches!(user.op, Op::Load | Op::Store | Op::NullCheck | Op::AddrAdd);
    inside && !access
}

/// The new object that an address lies in, and the distance.
fn part_of_new(f: &Function, v: Value) -> Option<(Value, i32)> {
    let mut v = f.resolve(v);
    let mut offset = 0i32;
    loop {
        let ValueDef::Result(i) = f.values[v.index()].def else {
            return None;
        };
        let data = &f.insts[i.index()];
        match data.op {
            Op::NewObject => return Some((v, offset)),
            Op::AddrAdd => {
                let by = f.const_of(data.args[1])?.bits as i32;
                offset = offset.checked_add(by)?;
                v = f.resolve(data.args[0]);
            }
            _ => return None,
        }
    }
}
