//! Type check elimination: removes tests of objects whose outcome an earlier test tells.
//!
//! ```text
//!     v2 = isinst type#1 v1, v0             v2 = isinst type#1 v1, v0
//!     v3 = icmp ne v2, null                 v3 = icmp ne v2, null
//!     brif v3, block1, block2               brif v3, block1, block2
//! block1:                               block1:
//!     v4 = castclass type#1 v1, v0          v5 = load.i32 i32+16 v0
//!     v5 = load.i32 i32+16 v4
//! ```
//!
//! A value is null or an instance of a type if it is the result of a cast to it, if it has passed such a cast, or if a branch
//! on the result of a test for the type dominates. Unboxing what is known to be such a box is a null check and an address.
//!
//! Algorithm: walk over the dominator tree with a set of facts, from which those of a subtree are taken out when it is left, as in
//! [`super::null_check_elim`], which should run after it. Cost: linear, plus dominators. Needs `gvn`, so that the same object is the same value.
//! Must run before `expand`.

use super::remarks::{Subject, Verdict};
use super::{CastTest, PassContext, known_class};
use crate::abi::layout::object::HEADER;
use crate::analysis::{Cfg, Dominators};
use crate::ir::{Block, Function, Imm, Inst, InstData, IntCc, Op, Type, Value};
use rustc_hash::FxHashSet;
use smallvec::SmallVec;

/// Runs the pass.
pub fn run(f: &mut Function, cx: &PassContext) -> bool {
    if !has_tests(f) {
        return false;
    }
    let cfg = Cfg::new(f);
    let doms = Dominators::new(&cfg);
    let mut facts = Facts::default();
    let mut changed = false;
    // Blocks still to be visited, with the length of the trail that holds for them.
    let mut stack = vec![(f.entry(), 0)];
    while let Some((b, trail)) = stack.pop() {
        facts.undo(trail);
        learn_from_branch(f, &cfg, b, &mut facts);
        changed |= visit(f, cx, b, &mut facts);
        let trail = facts.trail.len();
        stack.extend(doms.children(b).map(|c| (c, trail)));
    }
    changed
}

/// With fewer than two tests nothing can follow from another.
fn has_tests(f: &Function) -> bool {
    let insts = f.layout.iter().flat_map(|b| &f.blocks[b.index()].insts);
    insts.filter(|i| is_test(f.insts[i.index()].op)).count() > 1
}

fn is_test(op: Op) -> bool {
    matches!(op, Op::CastClass | Op::IsInst | Op::Unbox)
}

/// What a test asks for: a runtime constant, of which there may be several copies, or a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Table {
    Const(Imm),
    Value(Value),
}

fn table(f: &Function, test: &InstData) -> Table {
    let v = f.resolve(test.args[0]);
    match f.def_inst(v).map(|i| &f.insts[i.index()]) {
        Some(data) if data.op == Op::Const => Table::Const(data.imm),
        _ => Table::Value(v),
    }
}

/// Values known to be null or instances of types, and the order in which that became known.
#[derive(Default)]
struct Facts {
    known: FxHashSet<(Value, Table)>,
    trail: Vec<(Value, Table)>,
}

impl Facts {
    fn add(&mut self, v: Value, table: Table) {
        if self.known.insert((v, table)) {
            self.trail.push((v, table));
        }
    }

    fn undo(&mut self, to: usize) {
        for fact in self.trail.drain(to..) {
            self.known.remove(&fact);
        }
    }
}

/// What the only branch into a block says.
fn learn_from_branch(f: &Function, cfg: &Cfg, b: Block, facts: &mut Facts) {
    let (&[p], []) = (cfg.preds(b), cfg.eh_preds(b)) else {
        return;
    };
    let branch = &f.insts[f.terminator(p).index()];
    if branch.op != Op::Brif || branch.targets[0].block == branch.targets[1].block {
        return;
    }
    let test = f.def_inst(branch.args[0]).map(|i| &f.insts[i.index()]);
    let Some((Op::Icmp, Imm::IntCc(cc), args)) = test.map(|t| (t.op, t.imm, &t.args)) else {
        return;
    };
    let taken = branch.targets[0].block == b;
    let is_null = |v: Value| f.const_of(v).is_some_and(|c| c.bits == 0);
    let not_null = match cc {
        IntCc::Ne => taken,
        IntCc::Eq => !taken,
        IntCc::Ugt if is_null(args[1]) => taken,
        _ => return,
    };
    if not_null && args.iter().any(|&v| is_null(v)) {
        for &v in args {
            if let Some(i) = f.def_inst(v)
                && f.insts[i.index()].op == Op::IsInst
            {
                let test = &f.insts[i.index()];
                facts.add(f.resolve(test.args[1]), table(f, test));
            }
        }
    }
}

fn visit(f: &mut Function, cx: &PassContext, b: Block, facts: &mut Facts) -> bool {
    let insts = std::mem::take(&mut f.blocks[b.index()].insts);
    let mut kept = Vec::with_capacity(insts.len());
    let mut changed = false;
    for inst in insts {
        let data = &f.insts[inst.index()];
        if !is_test(data.op) {
            kept.push(inst);
            continue;
        }
        let (object, table) = (f.resolve(data.args[1]), table(f, data));
        let ty = known_class::named_type(f, data);
        let is_unbox = data.op == Op::Unbox;
        // Casts accept no box of another type; unboxing also takes an enum for its numbers.
        let exact_box = ty.is_some_and(|t| cx.oracle.cast_test(t) == CastTest::Exact);
        let exact_unbox = is_unbox && ty.is_some_and(|t| cx.oracle.unbox_is_exact(t));
        if facts.known.contains(&(object, table)) && (!is_unbox || exact_box) {
            say(f, cx, inst);
            match data.op {
                Op::Unbox => unbox(f, inst, object, &mut kept),
                _ => drop_test(f, inst, object),
            }
            changed = true;
            continue;
        }
        if data.op == Op::CastClass || exact_unbox {
            facts.add(object, table);
        }
        if let (Op::CastClass | Op::IsInst, Some(result)) = (data.op, data.result) {
            facts.add(result, table);
        }
        kept.push(inst);
    }
    f.blocks[b.index()].insts = kept;
    changed
}

fn say(f: &Function, cx: &PassContext, inst: Inst) {
    let data = &f.insts[inst.index()];
    let verdict = || match known_class::named_type(f, data) {
        Some(ty) => Verdict::done("an earlier test says so").of_type(ty),
        None => Verdict::done("an earlier test says so"),
    };
    cx.remark("type-check-elim", Subject::Check, f, data.loc, verdict);
}

/// The result of a cast that passes or a test of what is null or an instance: the object.
fn drop_test(f: &mut Function, inst: Inst, object: Value) {
    if let Some(result) = f.insts[inst.index()].result {
        f.replace(result, object);
    }
}

/// The address of the value in what is surely a box of the type, or null.
fn unbox(f: &mut Function, inst: Inst, object: Value, out: &mut Vec<Inst>) {
    let loc = f.insts[inst.index()].loc;
    let make = |f: &mut Function, op, ty, args: &[Value], imm, result| {
        let data = InstData {
            op,
            ty,
            args: SmallVec::from_slice(args),
            imm,
            targets: SmallVec::new(),
            result: None,
            loc,
        };
        f.make_inst(data, result)
    };
    out.push(make(
        f,
        Op::NullCheck,
        Type::I32,
        &[object],
        Imm::None,
        None,
    ));
    let offset = Imm::Int(HEADER.into());
    let offset = make(f, Op::Iconst, Type::I64, &[], offset, Some(Type::I64));
    out.push(offset);
    let Some(offset) = f.insts[offset.index()].result else {
        return;
    };
    let data = &mut f.insts[inst.index()];
    (data.op, data.ty, data.imm) = (Op::AddrAdd, Type::ByRef, Imm::None);
    data.args = SmallVec::from_slice(&[object, offset]);
    out.push(inst);
}
