//! Checks that handlers take nothing in registers.
//!
//! The unwinder restores no register but `rbp`, `rsp` and the thread register, so a value must not
//! be live into a handler or filter block. Constants are made anew at their uses and do not count.

use crate::compile::CompileError;
use crate::ir::{Block, Function, Op, RegionKind, Value};

/// Fails if a value computed before is needed in a handler.
pub fn check_handlers(f: &Function) -> Result<(), CompileError> {
    if f.regions.is_empty() {
        return Ok(());
    }
    let live_in = live_in(f);
    for r in &f.regions {
        let filter = match r.kind {
            RegionKind::Filter(b) => Some(b),
            _ => None,
        };
        for b in filter.into_iter().chain([r.handler]) {
            if let Some(v) = live_in[b.index()].first() {
                return Err(CompileError::Internal(format!(
                    "{v} is live into handler {b}"
                )));
            }
            if !f.blocks[b.index()].params.is_empty() {
                return Err(CompileError::Internal(format!(
                    "handler {b} has parameters"
                )));
            }
        }
    }
    Ok(())
}

fn is_remade(f: &Function, v: Value) -> bool {
    f.def_inst(v).is_some_and(|i| {
        matches!(
            f.insts[i.index()].op,
            Op::Iconst | Op::Fconst | Op::Null | Op::Const | Op::SlotAddr | Op::ThreadPtr
        )
    })
}

/// Values live into each block, sorted, over normal edges.
fn live_in(f: &Function) -> Vec<Vec<Value>> {
    let mut live: Vec<Vec<Value>> = vec![Vec::new(); f.blocks.len()];
    let mut preds: Vec<Vec<Block>> = vec![Vec::new(); f.blocks.len()];
    for &b in &f.layout {
        for s in f.succs(b) {
            preds[s.index()].push(b);
        }
    }
    let mut work: Vec<Block> = f.layout.clone();
    let mut queued = vec![true; f.blocks.len()];
    while let Some(b) = work.pop() {
        queued[b.index()] = false;
        let new = transfer(f, b, &live);
        if new != live[b.index()] {
            live[b.index()] = new;
            for &p in &preds[b.index()] {
                if !std::mem::replace(&mut queued[p.index()], true) {
                    work.push(p);
                }
            }
        }
    }
    live
}

fn transfer(f: &Function, b: Block, live: &[Vec<Value>]) -> Vec<Value> {
    let mut set: std::collections::BTreeSet<Value> = f
        .succs(b)
        .flat_map(|s| live[s.index()].iter().copied())
        .collect();
    for &i in f.blocks[b.index()].insts.iter().rev() {
        let d = &f.insts[i.index()];
        if let Some(r) = d.result {
            set.remove(&r);
        }
        let edge_args = d.targets.iter().flat_map(|t| t.args.iter());
        for &v in d.args.iter().chain(edge_args) {
            let v = f.resolve(v);
            if !is_remade(f, v) {
                set.insert(v);
            }
        }
    }
    for p in &f.blocks[b.index()].params {
        set.remove(p);
    }
    set.into_iter().collect()
}
