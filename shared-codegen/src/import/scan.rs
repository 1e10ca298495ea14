//! What must be known about a body before the walk: where blocks start, which variables have their
//! address taken, and which are live into exception handlers.

mod params;

use super::error::{Error, Result};
use crate::analysis::ValueSet;
use crate::il::{ClauseKind, Decoder, EhClause, Flow, Instr, MethodBody, Opcode, Operand};
use crate::ir::Value;
use rustc_hash::{FxHashMap, FxHashSet};

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
    /// Variables that would have too many block parameters.
    pub too_many_params: FxHashSet<VarRef>,
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
            too_many_params: FxHashSet::default(),
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
        scan.too_many_params = params::too_many(body, &blocks, &scan.edges);
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
        let branches = matches!(i.operand, Operand::Target(_) | Operand::Switch(_));
        if branches || !goes_on(i) {
            leaders.push(i.end);
        }
        leaders.extend(targets(i));
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

/// Sets of variables by number.
struct Numbering(FxHashMap<VarRef, Value>);

impl Numbering {
    fn new(blocks: &[ScanBlock]) -> Numbering {
        let mut numbers = FxHashMap::default();
        for (var, _) in blocks.iter().flat_map(|b| &b.accesses) {
            let next = Value(numbers.len() as u32);
            numbers.entry(*var).or_insert(next);
        }
        Numbering(numbers)
    }

    fn empty(&self) -> ValueSet {
        ValueSet::new(self.0.len())
    }

    /// Variables of a block with such an access, unless an access of the other kind comes first.
    fn collect(&self, b: &ScanBlock, is_write: bool, first: bool) -> ValueSet {
        let (mut set, mut other) = (self.empty(), self.empty());
        for (var, access) in &b.accesses {
            let n = self.0[var];
            if (*access == Access::Write) != is_write {
                other.insert(n);
            } else if !first || !other.contains(n) {
                set.insert(n);
            }
        }
        set
    }
}

/// What is live at the start of each block: backward over blocks, with edges from protected blocks to handlers.
fn live_at_starts(body: &MethodBody, blocks: &[ScanBlock], numbering: &Numbering) -> Vec<ValueSet> {
    let index = |offset: u32| blocks.binary_search_by_key(&offset, |b| b.start).ok();
    let reads: Vec<ValueSet> = blocks
        .iter()
        .map(|b| numbering.collect(b, false, true))
        .collect();
    let writes: Vec<ValueSet> = blocks
        .iter()
        .map(|b| numbering.collect(b, true, false))
        .collect();
    let handlers: Vec<Vec<usize>> = blocks
        .iter()
        .map(|b| {
            let around = body.clauses.iter().filter(|c| c.protects(b.start));
            around.flat_map(|c| entries(c).filter_map(index)).collect()
        })
        .collect();
    // The end of a finally or filter body goes on to places that are not targets here.
    let goes_anywhere: Vec<bool> = blocks
        .iter()
        .map(|b| b.targets.is_empty() && body.clauses.iter().any(|c| c.handles(b.start)))
        .collect();
    let mut live = reads.clone();
    let mut anywhere = numbering.empty();
    for set in &reads {
        anywhere.union(set);
    }
    let mut changed = true;
    while changed {
        changed = false;
        for n in (0..blocks.len()).rev() {
            let mut set = numbering.empty();
            for t in blocks[n].targets.iter().filter_map(|t| index(*t)) {
                set.union(&live[t]);
            }
            if goes_anywhere[n] {
                set.union(&anywhere);
            }
            set.subtract(&writes[n]);
            for &h in &handlers[n] {
                set.union(&live[h]);
            }
            if live[n].union(&set) {
                anywhere.union(&live[n]);
                changed = true;
            }
        }
    }
    live
}

/// Where a clause's handler and filter start.
fn entries(c: &EhClause) -> impl Iterator<Item = u32> + use<> {
    let filter = match c.kind {
        ClauseKind::Filter(f) => Some(f),
        _ => None,
    };
    core::iter::once(c.handler_start).chain(filter)
}

/// Variables that are live into a handler and assigned in the code it protects.
fn handler_live(body: &MethodBody, blocks: &[ScanBlock]) -> FxHashSet<VarRef> {
    let numbering = Numbering::new(blocks);
    let live = live_at_starts(body, blocks, &numbering);
    let index = |offset: u32| blocks.binary_search_by_key(&offset, |b| b.start).ok();
    let returning = returning(body, blocks);
    let mut result = FxHashSet::default();
    for clause in &body.clauses {
        let mut needed = numbering.empty();
        for entry in entries(clause).filter_map(index) {
            needed.union(&live[entry]);
        }
        // What a handler assigns before it goes back, the handlers of the try see too.
        let runs_between = |b: &&ScanBlock| {
            let before_return = |o: &EhClause| o.same_try(clause) && o.handles(b.start);
            clause.protects(b.start) || returning.iter().any(before_return)
        };
        for (var, access) in blocks.iter().filter(runs_between).flat_map(|b| &b.accesses) {
            if *access == Access::Write && needed.contains(numbering.0[var]) {
                result.insert(*var);
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `switch` without targets ends its block too.
    #[test]
    fn empty_switch() {
        let code = &[0x16, 0x45, 0, 0, 0, 0, 0x1b, 0x2a];
        let scan = Scan::new(&MethodBody::of_code(code)).expect("valid");
        assert_eq!(scan.leaders, [0, 6]);
    }
}
