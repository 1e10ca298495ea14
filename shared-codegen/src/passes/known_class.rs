//! What is known of the classes of objects: by [`Classes`] for all values of a function, by [`local_class`] for one value as far
//! as its definitions tell without block parameters.
//!
//! [`Classes`] is an optimistic fixed point over block parameters: a parameter has the class all its arguments have. A parameter
//! changes at most twice (exact, inexact, unknown), so the cost is linear.

use super::{KnownClass, PassContext};
use crate::abi::fixup::Fixup;
use crate::abi::layout::object;
use crate::ir::{AliasClass, Function, Imm, InstData, MemType, Op, Type, Value, ValueDef};
use crate::types::FieldId;

/// How far [`local_class`] follows definitions.
const MAX_CHAIN: u32 = 8;

/// Something that knows classes of values.
pub(super) trait ClassSource {
    /// The class of a reference, if it is not null.
    fn class_of(&self, f: &Function, cx: &PassContext, v: Value) -> Option<KnownClass>;
}

/// Only looks at definitions.
pub(super) struct Local;

impl ClassSource for Local {
    fn class_of(&self, f: &Function, cx: &PassContext, v: Value) -> Option<KnownClass> {
        local_class(f, cx, v, MAX_CHAIN)
    }
}

fn local_class(f: &Function, cx: &PassContext, v: Value, left: u32) -> Option<KnownClass> {
    let left = left.checked_sub(1)?;
    let Some(inst) = f.def_inst(v) else {
        return param_class(f, cx, v);
    };
    let operand = |v| match local_class(f, cx, v, left) {
        Some(class) => State::Known(class),
        None => State::Any,
    };
    match transfer(f, cx, &f.insts[inst.index()], operand) {
        State::Known(class) => Some(class),
        _ => None,
    }
}

/// What the signature says of a parameter of the function.
fn param_class(f: &Function, cx: &PassContext, v: Value) -> Option<KnownClass> {
    match f.values[f.resolve(v).index()].def {
        ValueDef::Param(b, n) if b == f.entry() && f.ty(v) == Type::Ref => {
            cx.oracle.param_class(f.method?, n as usize)
        }
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Nothing has come here, or only null.
    Nothing,
    Known(KnownClass),
    Any,
}

impl State {
    fn join(self, other: State) -> State {
        match (self, other) {
            (State::Nothing, s) | (s, State::Nothing) => s,
            (State::Known(a), State::Known(b)) if a.ty == b.ty => State::Known(KnownClass {
                ty: a.ty,
                exact: a.exact && b.exact,
            }),
            _ => State::Any,
        }
    }
}

/// Classes of all values of a function.
pub(super) struct Classes(Vec<State>);

impl Classes {
    /// Looks at the whole function, whose aliases must be resolved.
    pub(super) fn new(f: &Function, cx: &PassContext) -> Classes {
        let mut classes = Classes(vec![State::Nothing; f.values.len()]);
        let entry = f.entry();
        for &p in &f.blocks[entry.index()].params {
            classes.0[p.index()] = param_class(f, cx, p).map_or(State::Any, State::Known);
        }
        // References that are block parameters are few; most functions are done after two rounds.
        while classes.round(f, cx) {}
        classes
    }

    fn round(&mut self, f: &Function, cx: &PassContext) -> bool {
        let mut changed = false;
        for &b in &f.layout {
            for &i in &f.blocks[b.index()].insts {
                let data = &f.insts[i.index()];
                if let Some(r) = data.result.filter(|&r| f.ty(r) == Type::Ref) {
                    let new = transfer(f, cx, data, |v| self.state(f, v));
                    self.0[r.index()] = self.0[r.index()].join(new);
                }
                for t in &data.targets {
                    let params = &f.blocks[t.block.index()].params;
                    for (&p, &a) in params.iter().zip(&t.args) {
                        if f.ty(p) != Type::Ref {
                            continue;
                        }
                        let old = self.0[p.index()];
                        let new = old.join(self.state(f, a));
                        changed |= new != old;
                        self.0[p.index()] = new;
                    }
                }
            }
        }
        changed
    }

    fn state(&self, f: &Function, v: Value) -> State {
        let v = f.resolve(v);
        match f.values[v.index()].def {
            _ if f.ty(v) != Type::Ref => State::Any,
            ValueDef::Alias(_) => State::Any,
            _ => self.0.get(v.index()).copied().unwrap_or(State::Any),
        }
    }
}

impl ClassSource for Classes {
    fn class_of(&self, f: &Function, _: &PassContext, v: Value) -> Option<KnownClass> {
        match self.state(f, v) {
            State::Known(class) => Some(class),
            _ => None,
        }
    }
}

/// The constant that a value is.
pub(super) fn fixup_of(f: &Function, v: Value) -> Option<Fixup> {
    let data = &f.insts[f.def_inst(v)?.index()];
    match (data.op, data.imm) {
        (Op::Const, Imm::Fixup(fixup)) => Some(fixup),
        _ => None,
    }
}

/// The constant that a generic context is: a method table or descriptor.
pub(super) fn context_fixup(
    f: &Function,
    cx: &PassContext,
    classes: &impl ClassSource,
    v: Value,
) -> Option<Fixup> {
    if let Some(fixup) = fixup_of(f, v) {
        return Some(fixup);
    }
    let data = &f.insts[f.def_inst(v)?.index()];
    let is_table = match data.imm {
        Imm::Mem(m) => {
            let own = m.offset == object::METHOD_TABLE && m.ty == MemType::I64;
            data.op == Op::Load && own && m.alias == AliasClass::Immutable
        }
        _ => data.op == Op::MethodTableOf,
    };
    if !is_table || f.ty(data.args[0]) != Type::Ref {
        return None;
    }
    let class = classes.class_of(f, cx, data.args[0])?;
    class.exact.then_some(Fixup::MethodTable(class.ty))
}

/// The type that a type operand with its immediate means.
pub(super) fn named_type(f: &Function, data: &InstData) -> Option<crate::types::TypeId> {
    match (fixup_of(f, data.args[0]), data.imm) {
        (Some(Fixup::MethodTable(t)), _) | (_, Imm::Type(t)) => Some(t),
        _ => None,
    }
}

/// The class of what an instruction computes.
fn transfer(
    f: &Function,
    cx: &PassContext,
    data: &InstData,
    operand: impl Fn(Value) -> State,
) -> State {
    let class = |ty, exact| State::Known(KnownClass { ty, exact });
    let or_any = |found: Option<KnownClass>| found.map_or(State::Any, State::Known);
    match (data.op, data.imm) {
        (Op::Null, _) => State::Nothing,
        (Op::NewObject | Op::NewArray, _) => {
            named_type(f, data).map_or(State::Any, |t| class(t, true))
        }
        (Op::Const, Imm::Fixup(fixup)) => or_any(cx.oracle.constant_class(fixup)),
        (Op::CastClass | Op::IsInst, _) => match operand(data.args[1]) {
            State::Known(known) if known.exact => State::Known(known),
            _ => named_type(f, data).map_or(State::Any, |t| class(t, false)),
        },
        (Op::AddrCast, _) => operand(data.args[0]),
        (Op::Select, _) => operand(data.args[1]).join(operand(data.args[2])),
        (_, Imm::Call(info)) => or_any(info.method.and_then(|m| cx.oracle.result_class(m))),
        (Op::Load, Imm::Mem(m)) => match m.alias {
            AliasClass::Field(n) | AliasClass::Static(n) => {
                or_any(cx.oracle.field_class(FieldId(n)))
            }
            _ => State::Any,
        },
        _ => State::Any,
    }
}
