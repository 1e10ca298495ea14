//! `devirtualize`: calls whose target is known become direct calls, lookups in known generic contexts become constants.
//!
//! Before, with `type#1` overriding `method#7` by `method#8`:
//! ```text
//!     v1 = const.i64 method_table type#1
//!     v2 = new_object type#1 v1
//!     v3 = call_virtual method#7 sig0 v2
//! ```
//! after:
//! ```text
//!     v3 = call method#8 sig0 v2
//! ```
//! * Virtual and interface calls: the class of the object is exact (a new object, a box, an array, the comparer that
//!   `EqualityComparer<T>.Default` chooses for a known `T`), or it or the method is sealed, or no derived class overrides the
//!   method and all of them are known (`types::closed`). Methods of value types get the address of the data in the box.
//! * Generic virtual calls: the same, the method's descriptor being the context.
//! * Delegates: made in this function from a constant method address (`newobj` behind `ldftn`).
//! * `generic_lookup` in the context of a known method, or in the method table of an object of exact class. Inlining shared
//!   generic code into code that knows the type arguments makes these.
//! * Calls of methods that only get such a comparer, if nobody needs it any more, go.
//!
//! Algorithm: Dean, Grove, Chambers, "Optimization of object-oriented programs using static class hierarchy analysis" (ECOOP 1995);
//! only hierarchies that no other assembly can add to are known. Types by `known_class`. Linear, two walks. `inline` asks for the
//! same at each call it comes to, so bodies inserted for a known object are devirtualized in turn. Keeps the control flow.

use super::known_class::{ClassSource, Classes, context_fixup, fixup_of};
use super::remarks::{Subject, Verdict};
use super::{DirectTarget, PassContext, Receiver};
use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::layout::object;
use crate::ir::{
    CallInfo, Function, Imm, Inst, InstData, Op, Signature, SourceLoc, Type, Value, typing,
};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

/// Runs the pass.
pub fn run(f: &mut Function, cx: &PassContext) -> bool {
    let found = Found::new(f);
    if found.is_empty() {
        return false;
    }
    f.resolve_aliases();
    let mut changed = false;
    let mut classes = Classes::new(f, cx);
    if found.lookups && fold_lookups(f, cx, &classes) {
        changed = true;
        classes = Classes::new(f, cx);
    }
    if found.indirect {
        changed |= direct_calls(f, cx, &classes, &found.delegates);
    }
    if found.calls {
        changed |= drop_unneeded(f, cx);
    }
    changed
}

/// What there is to do.
#[derive(Default)]
struct Found {
    lookups: bool,
    indirect: bool,
    calls: bool,
    delegates: Delegates,
}

impl Found {
    fn new(f: &Function) -> Found {
        let mut found = Found::default();
        for &i in f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts) {
            match f.insts[i.index()].op {
                Op::GenericLookup => found.lookups = true,
                Op::CallVirtual | Op::CallInterface | Op::CallDelegate | Op::CallIndirect => {
                    found.indirect = true;
                }
                Op::Call => found.calls = true,
                _ => found.delegates.see(f, i),
            }
        }
        found
    }

    fn is_empty(&self) -> bool {
        !(self.lookups || self.indirect || self.calls)
    }
}

/// Delegates made in a function: the object, and the call that fills it.
#[derive(Default)]
pub(super) struct Delegates(FxHashMap<Value, Inst>);

impl Delegates {
    /// Takes notice of an instruction, if it fills a delegate that is new.
    pub(super) fn see(&mut self, f: &Function, i: Inst) {
        let data = &f.insts[i.index()];
        if data.op != Op::CallHelper || data.imm != Imm::Helper(HelperId::DelegateInit) {
            return;
        }
        let object = f.resolve(data.args[0]);
        let new = f.def_inst(object).map(|d| f.insts[d.index()].op);
        if new == Some(Op::NewObject) {
            self.0.insert(object, i);
        }
    }
}

fn direct_calls(
    f: &mut Function,
    cx: &PassContext,
    classes: &Classes,
    delegates: &Delegates,
) -> bool {
    let mut changed = false;
    for n in 0..f.layout.len() {
        let b = f.layout[n].index();
        let insts = std::mem::take(&mut f.blocks[b].insts);
        let mut out = Vec::with_capacity(insts.len());
        for inst in insts {
            changed |= make_direct(f, cx, classes, delegates, inst, &mut out);
            out.push(inst);
        }
        f.blocks[b].insts = out;
    }
    changed
}

/// Makes a call direct if its target is known. What must stand in front of it is appended to `out`.
pub(super) fn make_direct(
    f: &mut Function,
    cx: &PassContext,
    classes: &impl ClassSource,
    delegates: &Delegates,
    inst: Inst,
    out: &mut Vec<Inst>,
) -> bool {
    let data = &f.insts[inst.index()];
    let (Imm::Call(info), true) = (data.imm, is_indirect(data.op)) else {
        return false;
    };
    let (loc, declared) = (data.loc, info.method);
    let Some(direct) = find_target(f, cx, classes, delegates, data, info) else {
        if data.op != Op::CallIndirect {
            cx.remark("devirtualize", Subject::Call, f, loc, || {
                Verdict::missed("target not known").of_method(declared)
            });
        }
        return false;
    };
    let target = direct.target.method;
    cx.remark("devirtualize", Subject::Call, f, loc, || {
        Verdict::done("called directly").of_method(Some(target))
    });
    direct.write(f, inst, info, out);
    true
}

fn is_indirect(op: Op) -> bool {
    matches!(
        op,
        Op::CallVirtual | Op::CallInterface | Op::CallDelegate | Op::CallIndirect
    )
}

/// A call to be made.
struct Direct {
    target: DirectTarget,
    /// The object that becomes `this`, if the target has one.
    this: Option<Value>,
    /// It may be null, and the call has not checked it.
    check: bool,
    /// All operands behind `this`.
    rest: SmallVec<[Value; 4]>,
}

impl Direct {
    fn write(self, f: &mut Function, inst: Inst, info: CallInfo, out: &mut Vec<Inst>) {
        let loc = f.insts[inst.index()].loc;
        let mut args: SmallVec<[Value; 3]> = SmallVec::new();
        if let Some(this) = self.this {
            if self.check {
                emit(f, Op::NullCheck, Type::I32, &[this], Imm::None, loc, out);
            }
            let boxed = self.target.receiver == Receiver::Value;
            args.push(if boxed {
                data_of(f, this, loc, out)
            } else {
                this
            });
        }
        args.extend(self.rest);
        if let Some(context) = self.target.context {
            let imm = Imm::Fixup(context);
            args.extend(emit(f, Op::Const, Type::I64, &[], imm, loc, out));
        }
        let sig = f.add_sig(self.target.sig);
        let data = &mut f.insts[inst.index()];
        data.op = Op::Call;
        data.args = args;
        data.imm = Imm::Call(CallInfo {
            method: Some(self.target.method),
            sig,
            ..info
        });
    }
}

/// Address of the value in a box.
fn data_of(f: &mut Function, object: Value, loc: SourceLoc, out: &mut Vec<Inst>) -> Value {
    let imm = Imm::Int(object::HEADER.into());
    let header = emit(f, Op::Iconst, Type::I64, &[], imm, loc, out).expect("iconst has a result");
    let args = [object, header];
    let data = emit(f, Op::AddrAdd, Type::ByRef, &args, Imm::None, loc, out);
    data.expect("addr_add has a result")
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
    let result = typing::result_type(f, op, ty, &imm);
    let data = InstData {
        op,
        ty: typing::canonical_type(f, op, ty, &imm),
        args: SmallVec::from_slice(args),
        imm,
        targets: SmallVec::new(),
        result: None,
        loc,
    };
    let inst = f.make_inst(data, result);
    out.push(inst);
    f.insts[inst.index()].result
}

fn find_target(
    f: &Function,
    cx: &PassContext,
    classes: &impl ClassSource,
    delegates: &Delegates,
    call: &InstData,
    info: CallInfo,
) -> Option<Direct> {
    let handle = |v| match fixup_of(f, v) {
        Some(Fixup::MethodHandle(m)) => Some(m),
        _ => None,
    };
    let (method, operands) = match call.op {
        Op::CallVirtual => (info.method?, &call.args[..]),
        Op::CallInterface => {
            let method = handle(call.args[0]).or(info.method)?;
            (method, &call.args[1..])
        }
        Op::CallIndirect => {
            let resolve = &f.insts[f.def_inst(call.args[0])?.index()];
            let generic = resolve.op == Op::CallHelper
                && resolve.imm == Imm::Helper(HelperId::ResolveGenericVirtual);
            if !generic || f.resolve(resolve.args[0]) != f.resolve(*call.args.get(1)?) {
                return None;
            }
            (handle(resolve.args[1])?, &call.args[1..])
        }
        _ => return delegate_target(f, cx, delegates, call, info),
    };
    let (&this, rest) = operands.split_first()?;
    let class = classes.class_of(f, cx, this)?;
    let target = cx.oracle.virtual_target(method, class)?;
    let mut sig = f.sigs[info.sig.index()].clone();
    let slot = sig.params.first_mut()?;
    match target.receiver {
        Receiver::Static => return None,
        Receiver::Object => {}
        Receiver::Value => *slot = Type::ByRef,
    }
    let direct = Direct {
        target,
        this: Some(this),
        check: false,
        rest: SmallVec::from_slice(rest),
    };
    fits(&direct.target, sig).then_some(direct)
}

/// The target has the signature that the call has, but for the context.
fn fits(target: &DirectTarget, sig: Signature) -> bool {
    let wanted = Signature {
        context: target.context.is_some(),
        ..sig
    };
    target.sig == wanted
}

/// The method behind a delegate that was made here, with the operands in its order.
fn delegate_target(
    f: &Function,
    cx: &PassContext,
    delegates: &Delegates,
    call: &InstData,
    info: CallInfo,
) -> Option<Direct> {
    let init = &f.insts[delegates.0.get(&f.resolve(call.args[0]))?.index()];
    let Some(Fixup::MethodCode(method)) = fixup_of(f, init.args[2]) else {
        return None;
    };
    let closed_over = f.resolve(init.args[1]);
    let target = cx.oracle.code_target(method)?;
    let mut sig = f.sigs[info.sig.index()].clone();
    let buffers = usize::from(target.returns_struct);
    let supplied = sig.params.len().checked_sub(1 + buffers)?;
    let has_this = target.receiver != Receiver::Static;
    let wanted = target.params as usize + usize::from(has_this);
    let mut rest: SmallVec<[Value; 4]> = SmallVec::from_slice(&call.args[1..]);
    let mut this = None;
    if wanted == supplied + 1 {
        sig.params[0] = match target.receiver {
            Receiver::Value => Type::ByRef,
            _ => Type::Ref,
        };
        if has_this {
            this = Some(closed_over);
        } else {
            // A static method has its return buffer in front of everything.
            rest.insert(buffers, closed_over);
            sig.params.swap(0, buffers);
        }
    } else if wanted == supplied && !has_this && is_null(f, closed_over) {
        sig.params.remove(0);
    } else {
        return None;
    }
    let direct = Direct {
        target,
        this,
        check: true,
        rest,
    };
    fits(&direct.target, sig).then_some(direct)
}

fn is_null(f: &Function, v: Value) -> bool {
    f.def_inst(v)
        .is_some_and(|i| f.insts[i.index()].op == Op::Null)
}

/// Lookups in known contexts become constants.
fn fold_lookups(f: &mut Function, cx: &PassContext, classes: &Classes) -> bool {
    let mut changed = false;
    for n in 0..f.layout.len() {
        for k in 0..f.blocks[f.layout[n].index()].insts.len() {
            let inst = f.blocks[f.layout[n].index()].insts[k];
            changed |= fold_lookup(f, cx, classes, inst);
        }
    }
    changed
}

/// Makes a lookup in a known context a constant.
pub(super) fn fold_lookup(
    f: &mut Function,
    cx: &PassContext,
    classes: &impl ClassSource,
    inst: Inst,
) -> bool {
    let data = &f.insts[inst.index()];
    let (Op::GenericLookup, Imm::Lookup(lookup)) = (data.op, data.imm) else {
        return false;
    };
    let lookup = f.lookups[lookup.index()];
    let exact = context_fixup(f, cx, classes, data.args[0])
        .and_then(|context| cx.oracle.exact_lookup(lookup, context));
    let Some(exact) = exact else { return false };
    let data = &mut f.insts[inst.index()];
    (data.op, data.imm) = (Op::Const, Imm::Fixup(exact));
    data.args.clear();
    true
}

/// Takes out null checks of results that are never null, and calls that nobody needs then.
fn drop_unneeded(f: &mut Function, cx: &PassContext) -> bool {
    let mut results = FxHashSet::default();
    for &i in f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts) {
        let data = &f.insts[i.index()];
        if let (Op::Call, Imm::Call(info), Some(r)) = (data.op, data.imm, data.result)
            && info.method.is_some_and(|m| cx.oracle.is_discardable(m))
        {
            results.insert(r);
        }
    }
    if results.is_empty() {
        return false;
    }
    let mut used = FxHashSet::default();
    for &i in f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts) {
        let data = &f.insts[i.index()];
        if data.op != Op::NullCheck {
            let of_interest = data.operands().map(|v| f.resolve(v));
            used.extend(of_interest.filter(|v| results.contains(v)));
        }
    }
    let mut changed = false;
    for n in 0..f.layout.len() {
        let b = f.layout[n].index();
        let mut insts = std::mem::take(&mut f.blocks[b].insts);
        let before = insts.len();
        insts.retain(|i| {
            let data = &f.insts[i.index()];
            match data.op {
                Op::NullCheck => !results.contains(&f.resolve(data.args[0])),
                Op::Call => !data
                    .result
                    .is_some_and(|r| results.contains(&r) && !used.contains(&r)),
                _ => true,
            }
        });
        changed |= insts.len() != before;
        f.blocks[b].insts = insts;
    }
    changed
}
