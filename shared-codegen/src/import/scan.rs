//! What must be known about a body before the walk: where blocks start, which variables have their
//! address taken, and which are live into exception handlers.

use super::error::{Error, Result};
use crate::il::{ClauseKind, Decoder, EhClause, Flow, Instr, MethodBody, Opcode, Operand};
use rustc_hash::FxHashSet;

/// A variable: argument or local.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(crate) enum VarRef {
    Arg(u32),
    Local(u32),
}

/// What an instruction does to a variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    Read,
    Write,
    Address,
}

/// Result of the scan.
pub(crate) struct Scan {
    /// Offsets where blocks start, ascending.
    pub leaders: Vec<u32>,
    /// Variables whose address is taken.
    pub address_taken: FxHashSet<VarRef>,
    /// Variables that are live into a handler and assigned in its protected region.
    pub handler_live: FxHashSet<VarRef>,
    /// Arguments that are assigned.
    pub assigned: FxHashSet<VarRef>,
    /// Leaders that are branched back to.
    pub loop_heads: FxHashSet<u32>,
    /// Number of edges that lead to each leader (parallel to `leaders`), for sealing blocks early.
    pub edges: Vec<u32>,
}

/// A block of IL for the liveness analysis.
struct ScanBlock {
    start: u32,
    end: u32,
    accesses: Vec<(VarRef, Access)>,
    targets: Vec<u32>,
}

/// The variable an instruction names.
pub(crate) fn variable(i: &Instr) -> Option<(VarRef, Access)> {
    use Opcode::*;
    let n = if let Operand::Int(n) = i.operand {
        n as u32
    } else {
        0
    };
    Some(match i.opcode {
        Ldarg0 => (VarRef::Arg(0), Access::Read),
        Ldarg1 => (VarRef::Arg(1), Access::Read),
        Ldarg2 => (VarRef::Arg(2), Access::Read),
        Ldarg3 => (VarRef::Arg(3), Access::Read),
        Ldloc0 => (VarRef::Local(0), Access::Read),
        Ldloc1 => (VarRef::Local(1), Access::Read),
        Ldloc2 => (VarRef::Local(2), Access::Read),
        Ldloc3 => (VarRef::Local(3), Access::Read),
        Stloc0 => (VarRef::Local(0), Access::Write),
        Stloc1 => (VarRef::Local(1), Access::Write),
        Stloc2 => (VarRef::Local(2), Access::Write),
        Stloc3 => (VarRef::Local(3), Access::Write),
        LdargS | Ldarg => (VarRef::Arg(n), Access::Read),
        LdargaS | Ldarga => (VarRef::Arg(n), Access::Address),
        StargS | Starg => (VarRef::Arg(n), Access::Write),
        LdlocS | Ldloc => (VarRef::Local(n), Access::Read),
        LdlocaS | Ldloca => (VarRef::Local(n), Access::Address),
        StlocS | Stloc => (VarRef::Local(n), Access::Write),
        _ => return None,
    })
}

/// Branch targets of an instruction.
fn targets(i: &Instr) -> Vec<u32> {
    match i.operand {
        Operand::Target(t) => vec![t],
        Operand::Switch(s) => s.iter().collect(),
        _ => Vec::new(),
    }
}

fn goes_on(i: &Instr) -> bool {
    !matches!(i.opcode.flow(), Flow::Branch | Flow::Return | Flow::Throw)
}

impl Scan {
    pub(crate) fn new(body: &MethodBody) -> Result<Scan> {
        let instrs: Vec<Instr> = Decoder::new(body.code, 0).map_while(|i| i.ok()).collect();
        if instrs.is_empty() {
            return Err(Error::Invalid {
                offset: 0,
                reason: "no instructions",
            });
        }
        let leaders = find_leaders(body, &instrs);
        let blocks = split(&instrs, &leaders);
        let mut scan = Scan {
            edges: vec![0; leaders.len()],
            leaders,
            address_taken: FxHashSet::default(),
            handler_live: FxHashSet::default(),
            assigned: FxHashSet::default(),
            loop_heads: FxHashSet::default(),
        };
        for b in &blocks {
            let back = b.targets.iter().filter(|t| **t <= b.start);
            scan.loop_heads.extend(back);
        }
        for (var, access) in blocks.iter().flat_map(|b| &b.accesses) {
            match access {
                Access::Address => drop(scan.address_taken.insert(*var)),
                Access::Write => drop(scan.assigned.insert(*var)),
                Access::Read => {}
            }
        }
        scan.count_edges(&blocks);
        if !body.clauses.is_empty() {
            scan.handler_live = handler_live(body, &blocks);
            scan.handler_live.extend(written_by_filters(body, &blocks));
        }
        Ok(scan)
    }

    /// Is this the first instruction of a block?
    pub(crate) fn is_leader(&self, offset: u32) -> bool {
        self.leaders.binary_search(&offset).is_ok()
    }

    /// Edges into each leader from blocks that control can reach from the start (without exceptions).
    fn count_edges(&mut self, blocks: &[ScanBlock]) {
        let index = |offset: u32| self.leaders.binary_search(&offset).ok();
        let mut seen = vec![false; blocks.len()];
        let mut work = vec![0];
        seen[0] = true;
        while let Some(n) = work.pop() {
            for t in blocks[n].targets.iter().filter_map(|t| index(*t)) {
                self.edges[t] += 1;
                if !core::mem::replace(&mut seen[t], true) {
                    work.push(t);
                }
            }
        }
    }
}

fn find_leaders(body: &MethodBody, instrs: &[Instr]) -> Vec<u32> {
    let mut leaders = vec![0];
    for i in instrs {
        let t = targets(i);
        if !t.is_empty() || !goes_on(i) {
            leaders.push(i.end);
        }
        leaders.extend(t);
    }
    for c in &body.clauses {
        leaders.extend([c.try_start, c.try_end, c.handler_start, c.handler_end]);
        if let ClauseKind::Filter(f) = c.kind {
            leaders.push(f);
        }
    }
    leaders.sort_unstable();
    leaders.dedup();
    leaders.retain(|l| instrs.binary_search_by_key(l, |i| i.offset).is_ok());
    leaders
}

fn split(instrs: &[Instr], leaders: &[u32]) -> Vec<ScanBlock> {
    let mut blocks: Vec<ScanBlock> = leaders
        .iter()
        .map(|l| ScanBlock {
            start: *l,
            end: *l,
            accesses: Vec::new(),
            targets: Vec::new(),
        })
        .collect();
    let mut n = 0;
    for (at, i) in instrs.iter().enumerate() {
        if leaders.get(n + 1) == Some(&i.offset) {
            n += 1;
        }
        let block = &mut blocks[n];
        block.end = i.end;
        block.accesses.extend(variable(i));
        let last = instrs
            .get(at + 1)
            .is_none_or(|next| leaders.get(n + 1) == Some(&next.offset));
        if last {
            block.targets = targets(i);
            // The order of targets is that of the import: fall through comes last.
            if goes_on(i) {
                block.targets.push(i.end);
            }
        }
    }
    blocks
}

/// What filters assign: they run on top of the stack, with the frame but not the registers of the method.
fn written_by_filters(body: &MethodBody, blocks: &[ScanBlock]) -> FxHashSet<VarRef> {
    let in_filter = |b: &&ScanBlock| {
        body.clauses.iter().any(|c| match c.kind {
            ClauseKind::Filter(start) => start <= b.start && b.start < c.handler_start,
            _ => false,
        })
    };
    let accesses = blocks.iter().filter(in_filter).flat_map(|b| &b.accesses);
    accesses
        .filter(|(_, a)| *a == Access::Write)
        .map(|(v, _)| *v)
        .collect()
}

/// The clauses whose handlers go back into their own try by `leave`.
fn returning(body: &MethodBody, blocks: &[ScanBlock]) -> Vec<EhClause> {
    let goes_back = |c: &&EhClause| {
        let leaves = |b: &ScanBlock| b.targets.iter().any(|t| c.reenters(b.start, *t));
        blocks.iter().any(leaves)
    };
    body.clauses.iter().filter(goes_back).copied().collect()
}

/// Backward liveness over blocks, with edges from protected blocks to handlers.
fn handler_live(body: &MethodBody, blocks: &[ScanBlock]) -> FxHashSet<VarRef> {
    let index = |offset: u32| blocks.binary_search_by_key(&offset, |b| b.start).ok();
    let entries: Vec<Vec<usize>> = body
        .clauses
        .iter()
        .map(|c| {
            let filter = if let ClauseKind::Filter(f) = c.kind {
                index(f)
            } else {
                None
            };
            index(c.handler_start).into_iter().chain(filter).collect()
        })
        .collect();
    let protects = |n: usize, b: &ScanBlock| {
        body.clauses[n].try_start <= b.start && b.start < body.clauses[n].try_end
    };
    let mut live: Vec<FxHashSet<VarRef>> = vec![FxHashSet::default(); blocks.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for n in (0..blocks.len()).rev() {
            let block = &blocks[n];
            let mut set: FxHashSet<VarRef> = FxHashSet::default();
            for t in block.targets.iter().filter_map(|t| index(*t)) {
                set.extend(&live[t]);
            }
            // The end of a finally or filter body goes on to places that are not targets here.
            let in_handler =
                |c: &EhClause| c.handler_start <= block.start && block.start < c.handler_end;
            if block.targets.is_empty() && body.clauses.iter().any(in_handler) {
                set.extend(live.iter().flatten());
            }
            let mut upward: FxHashSet<VarRef> = set;
            for (var, access) in block.accesses.iter().rev() {
                match access {
                    Access::Write => drop(upward.remove(var)),
                    Access::Read | Access::Address => drop(upward.insert(*var)),
                }
            }
            for (c, entry) in entries.iter().enumerate() {
                if protects(c, block) {
                    for e in entry {
                        let add: Vec<VarRef> = live[*e].iter().copied().collect();
                        upward.extend(add);
                    }
                }
            }
            if upward.len() > live[n].len() {
                live[n] = upward;
                changed = true;
            }
        }
    }
    let returning = returning(body, blocks);
    let mut result = FxHashSet::default();
    for (c, entry) in entries.iter().enumerate() {
        let needed: FxHashSet<VarRef> = entry.iter().flat_map(|e| &live[*e]).copied().collect();
        // What a handler assigns before it goes back, the handlers of the try see too.
        let runs_between = |b: &&ScanBlock| {
            let before_return = |o: &EhClause| {
                o.same_try(&body.clauses[c])
                    && o.handler_start <= b.start
                    && b.start < o.handler_end
            };
            protects(c, b) || returning.iter().any(before_return)
        };
        for b in blocks.iter().filter(runs_between) {
            let written = b
                .accesses
                .iter()
                .filter(|(_, a)| *a == Access::Write)
                .map(|(v, _)| *v);
            result.extend(written.filter(|v| needed.contains(v)));
        }
    }
    result
}
