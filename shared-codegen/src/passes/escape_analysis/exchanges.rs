//! Compare-and-exchanges on objects that nobody has seen yet.

use crate::ir::{Block, Function, Imm, InstData, MemRef, Op, Type, Value, ValueDef};
use smallvec::SmallVec;

/// How far a store is looked for in front of a compare-and-exchange.
const MAX_LOOK: usize = 32;

/// Compare-and-exchanges whose outcome is known, because the object is new and a constant was just stored there.
pub(super) fn settle_exchanges(f: &mut Function) -> bool {
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
