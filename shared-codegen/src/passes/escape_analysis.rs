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
//! Arrays of a constant number of elements without references are kept in the same way, also if their indices are
//! not constant.
//!
//! The header does not exist in the frame: what asks for the method table gets the operand of `new_object`. Frame memory is
//! scanned conservatively, so references in it keep their objects alive. A use never sees the object of an earlier round
//! of a loop, because block parameters count as escapes.
//!
//! Algorithm: flow-insensitive version of Choi et al., "Escape analysis for Java" (OOPSLA 1999) inside one function, after
//! inlining; in rounds, because delegates hold closures. Linear in the number of uses per round, at most [`MAX_ROUNDS`]
//! rounds. Keeps the control flow; invalidates uses. Must run before `expand`.

mod exchanges;

use super::PassContext;
use super::known_class::named_type;
use super::remarks::{Subject, Verdict};
use crate::abi::helper::HelperId;
use crate::abi::layout::array;
use crate::abi::layout::object::{HEADER, METHOD_TABLE};
use crate::analysis::Uses;
use crate::ir::{
    Function, Imm, Inst, InstData, IntCc, MemRef, MemType, Op, Slot, SlotData, SourceLoc, Type,
    Value,
};
use crate::types::TypeId;
use exchanges::settle_exchanges;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Delegate, closure, what the closure holds.
const MAX_ROUNDS: usize = 4;
/// Largest object kept in the frame.
const MAX_SIZE: u32 = 256;

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
    let new = insts.filter(|i| matches!(f.insts[i.index()].op, Op::NewObject | Op::NewArray));
    new.copied().collect()
}

/// An object that may stay in the frame, and how its uses change.
struct Candidate {
    new: Inst,
    ty: TypeId,
    extent: Extent,
    changes: Vec<(Inst, Change)>,
}

/// What a new object occupies on the heap.
#[derive(Clone, Copy)]
struct Extent {
    /// Bytes in front of its data.
    header: i32,
    /// Bytes in all.
    size: i32,
    /// Elements of an array.
    len: Option<i64>,
}

impl Extent {
    /// Of a new object that may stay in the frame as far as its type tells; or why not.
    fn of(
        f: &Function,
        cx: &PassContext,
        new: &InstData,
        ty: TypeId,
    ) -> Result<Extent, &'static str> {
        const UNKNOWN: &str = "layout not known";
        const LARGE: &str = "too large";
        if new.op == Op::NewObject {
            let facts = cx.oracle.instance(ty).ok_or(UNKNOWN)?;
            return match (facts.has_finalizer, facts.size > MAX_SIZE) {
                (true, _) => Err("it has a finalizer"),
                (_, true) => Err(LARGE),
                _ => Ok(Extent {
                    header: HEADER as i32,
                    size: facts.size as i32,
                    len: None,
                }),
            };
        }
        let facts = cx.oracle.element(ty).ok_or(UNKNOWN)?;
        if facts.has_refs {
            return Err("an array of references");
        }
        let len = f.const_of(new.args[1]).ok_or("its length is not known")?;
        let len = i64::try_from(len.bits).map_err(|_| LARGE)?;
        let size = len.checked_mul(facts.size.into()).ok_or(LARGE)?;
        if size > MAX_SIZE.into() {
            return Err(LARGE);
        }
        Ok(Extent {
            header: array::DATA,
            size: array::DATA + size as i32,
            len: Some(len),
        })
    }

    fn contains(self, at: i32) -> bool {
        (self.header..self.size).contains(&at)
    }
}

/// What is known of a value that leads to the object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is the object.
    Object,
    /// It is the address at this distance inside.
    At(i32),
    /// It is the address of an element, or of a part of one, whose index was checked.
    Element,
}

/// What becomes of a use.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// It goes.
    Gone,
    /// Its result is the method table.
    Table,
    /// Its result is this constant.
    Const(i64, Type),
    /// Its result is null.
    Null,
    /// Its result is the object.
    Same,
    /// Its result is an address inside the object.
    Address(i32),
    /// It loads or stores at this offset, which the object itself is used for.
    Access(i32),
    /// It loads or stores at this offset, by an address inside.
    Inside(i32),
    /// An atomic operation at this offset, by an address inside.
    Atomic(i32),
    /// It uses an address inside, which moves with the slot.
    Keep,
    /// Its result is the address of an element.
    Index,
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
    let extent = Extent::of(f, cx, data, ty)?;
    let mut changes = Vec::new();
    let mut work = vec![(object, Place::Object)];
    while let Some((v, place)) = work.pop() {
        for &(_, user) in uses.of(v) {
            let use_ = Use {
                f,
                cx,
                ty,
                extent,
                object,
                address: v,
                place,
            };
            let change = use_.change(&f.insts[user.index()])?;
            changes.push((user, change));
            let result = f.insts[user.index()].result;
            match (change, result) {
                (Change::Address(at), Some(r)) => work.push((r, Place::At(at))),
                (Change::Same, Some(r)) => work.push((r, Place::Object)),
                (Change::Index, Some(r)) => work.push((r, Place::Element)),
                (Change::Keep, Some(r)) if f.insts[user.index()].op == Op::AddrAdd => {
                    work.push((r, Place::Element));
                }
                _ => {}
            }
        }
    }
    let all_inside = changes.iter().all(|c| match c.1 {
        Change::Access(at) | Change::Inside(at) | Change::Atomic(at) | Change::Address(at) => {
            extent.contains(at)
        }
        _ => true,
    });
    match all_inside {
        true => Ok(Candidate {
            new,
            ty,
            extent,
            changes,
        }),
        false => Err("its header is used"),
    }
}

/// A use of an object, or of an address inside it.
struct Use<'a> {
    f: &'a Function,
    cx: &'a PassContext<'a>,
    ty: TypeId,
    extent: Extent,
    object: Value,
    address: Value,
    place: Place,
}

impl Use<'_> {
    fn is_it(&self, v: Value) -> bool {
        self.f.resolve(v) == self.address
    }

    fn change(&self, user: &InstData) -> Result<Change, &'static str> {
        const ESCAPES: &str = "it is stored or passed on";
        let is_object = self.place == Place::Object;
        let only = |n: usize| {
            let mut others = user.operands().enumerate().filter(|&(k, _)| k != n);
            self.is_it(user.args[n]) && others.all(|(_, v)| !self.is_it(v))
        };
        match (user.op, user.imm) {
            (Op::Load, Imm::Mem(m)) if is_object && m.offset == METHOD_TABLE => Ok(Change::Table),
            (Op::MethodTableOf, _) => Ok(Change::Table),
            (Op::Load, Imm::Mem(m)) => Ok(self.access(m.offset)),
            (Op::Store | Op::StoreRef, Imm::Mem(m)) if only(0) => Ok(self.access(m.offset)),
            (Op::AtomicCas | Op::AtomicXchg | Op::AtomicAdd, _) if only(0) => match self.place {
                Place::At(at) => Ok(Change::Atomic(at)),
                _ => Err(ESCAPES),
            },
            (Op::CopyBlock | Op::CopyStruct | Op::ZeroBlock, _) if !is_object => Ok(Change::Keep),
            (Op::NullCheck | Op::KeepAlive, _) => Ok(Change::Gone),
            (Op::ArrayLen, _) => match self.extent.len {
                Some(len) => Ok(Change::Const(len, Type::I64)),
                None => Err(ESCAPES),
            },
            (Op::AddrIndex, _) if only(0) && is_object && self.extent.len.is_some() => {
                Ok(self.element(user))
            }
            (Op::AddrAdd, _) if only(0) => match (self.place, self.f.const_of(user.args[1])) {
                (Place::Element, Some(_)) => Ok(Change::Keep),
                (Place::At(at), Some(c)) => Ok(Change::Address(at.saturating_add(c.bits as i32))),
                (Place::Object, Some(c)) => Ok(Change::Address(c.bits as i32)),
                (_, None) => Err(ESCAPES),
            },
            (Op::AddrCast, _) => match self.place {
                Place::At(at) => Ok(Change::Address(at)),
                _ => Err(ESCAPES),
            },
            (Op::Icmp, Imm::IntCc(cc)) => self.comparison(cc, user),
            (Op::Unbox | Op::CastClass | Op::IsInst, _) => self.cast(user),
            (Op::CallHelper, Imm::Helper(HelperId::DelegateInit)) if only(0) => Ok(Change::Gone),
            (Op::Call, Imm::Call(info)) => {
                let sig = &self.f.sigs[info.sig.index()];
                let kept = info.tail || sig.ret == Some(Type::ByRef);
                let by_ref = |(n, &v): (usize, &Value)| {
                    !self.is_it(v) || sig.params.get(n) == Some(&Type::ByRef)
                };
                let this = self.place == Place::At(HEADER as i32) && self.extent.len.is_none();
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

    fn access(&self, offset: i32) -> Change {
        match self.place {
            Place::Object => Change::Access(offset),
            Place::At(at) => Change::Inside(at.saturating_add(offset)),
            Place::Element => Change::Keep,
        }
    }

    /// The address of an element, by an index that was checked.
    fn element(&self, user: &InstData) -> Change {
        match (self.f.const_of(user.args[1]), user.imm) {
            (Some(c), Imm::Size(scale, offset)) => {
                let at = (c.bits as i64).saturating_mul(scale.into());
                let at = at.saturating_add(offset.into());
                Change::Address(i32::try_from(at).unwrap_or(i32::MAX))
            }
            _ => Change::Index,
        }
    }

    /// Nothing else is equal to an object that nobody knows.
    fn comparison(&self, cc: IntCc, user: &InstData) -> Result<Change, &'static str> {
        let same = self.is_it(user.args[0]) && self.is_it(user.args[1]);
        match cc {
            _ if self.place != Place::Object => Err("its address is compared"),
            IntCc::Eq => Ok(Change::Const(same.into(), Type::I32)),
            IntCc::Ne | IntCc::Ugt => Ok(Change::Const((!same).into(), Type::I32)),
            _ => Err("its address is compared"),
        }
    }

    fn cast(&self, user: &InstData) -> Result<Change, &'static str> {
        const UNSURE: &str = "it is cast";
        if self.place != Place::Object || !self.is_it(user.args[1]) || self.is_it(user.args[0]) {
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
        let size = (c.extent.size - c.extent.header).max(8) as u32;
        let slot = f.add_slot(SlotData {
            size,
            align: 8,
            ty: boxed.then_some(c.ty),
            zeroed: false,
            eh: None,
        });
        for &(inst, change) in &c.changes {
            self.change(
                f,
                inst,
                change,
                slot,
                (object, data.args[0]),
                c.extent.header,
            );
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
        (object, table): (Value, Value),
        header: i32,
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
            Change::Const(n, ty) => {
                let data = &mut f.insts[inst.index()];
                (data.op, data.ty, data.imm) = (Op::Iconst, ty, Imm::Int(n));
                data.args.clear();
            }
            Change::Null => {
                let data = &mut f.insts[inst.index()];
                (data.op, data.ty, data.imm) = (Op::Null, Type::Ref, Imm::None);
                data.args.clear();
            }
            Change::Address(at) => to_slot_addr(f, inst, slot, at - header),
            Change::Index => {
                if let Imm::Size(_, offset) = &mut f.insts[inst.index()].imm {
                    *offset -= header;
                }
            }
            Change::Access(_) => access(&mut f.insts[inst.index()], header),
            Change::Inside(_) => access(&mut f.insts[inst.index()], 0),
            Change::Atomic(_) => {
                if let Imm::Atomic(ty, alias) = f.insts[inst.index()].imm {
                    let mem = MemRef {
                        offset: 0,
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

/// A load or store comes to the frame: `less` bytes are not in front of its place any more.
fn access(data: &mut InstData, less: i32) {
    if let Imm::Mem(m) = &mut data.imm {
        m.offset -= less;
        m.volatile = false;
    }
    if data.op == Op::StoreRef {
        data.op = Op::Store;
        data.ty = Type::I32;
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
        .all(|(_, change)| !matches!(change, Change::Access(at) if *at < HEADER as i32))
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
