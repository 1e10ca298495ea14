//! Where elements are: in arrays, in spans and behind pointers, and which accesses may touch the same ones.
//!
//! An element's address is an array, or an address that is the same in all rounds, plus the scaled counter. Of arrays it is enough to
//! know that they are different objects. Memory that is found by address has no such borders: it is asked in front whether
//! the elements of all rounds lie apart.
//!
//! Say accesses of one size walk through memory from `a` and from `b`, that at `a` first in each round. Doing several rounds of
//! the first before any of the second changes what happens only if the first one touches in a later round what the second one touches in
//! an earlier one, so if `0 < b - a < n * size` for `n` rounds.
//!
//! An address tested for null in each round is tested in front: if the first one lies in the half of memory that programs have, no later one is null.

use super::super::split_loops::bounds::Index;
use super::super::split_loops::front::{Entry, Front};
use super::plan::{Access, Planner, VectorPlan, Why};
use crate::ir::{AliasClass, Function, Imm, InstData, IntCc, Lane, MemRef, Op, Type, Value};

/// Most pairs of arrays or addresses compared in front.
const MAX_DISTINCT: usize = 4;
/// Below it no program has memory: accesses there are those through null.
const LOWEST: i64 = 1 << 16;
/// Above it no program has memory.
const HIGHEST: i64 = 1 << 47;

/// What is walked through, one element in each round.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Walk {
    /// An array, or any address; the same in all rounds.
    pub base: Value,
    /// Which element.
    pub index: Index,
    /// Where elements begin.
    pub start: i32,
    /// Size of an element.
    pub bytes: u32,
}

impl Access {
    fn walk(&self) -> Walk {
        Walk {
            base: self.array,
            index: self.index,
            start: self.start,
            bytes: self.lane.bytes(),
        }
    }

    /// It is not found in an array.
    fn is_pointer(&self, f: &Function) -> bool {
        f.ty(self.array) != Type::Ref
    }

    /// Both may touch the same memory, as far as their classes say.
    fn may_alias(&self, other: &Access) -> bool {
        let class = |a: &Access| super::super::memory::canonical_class(a.alias);
        let unknown = |a: &Access| matches!(a.alias, AliasClass::Any | AliasClass::Stack);
        unknown(self) || unknown(other) || class(self) == class(other)
    }
}

impl Planner<'_> {
    /// The elements that a load or store accesses.
    pub(super) fn access(&self, data: &InstData) -> Option<Access> {
        let Imm::Mem(MemRef {
            offset,
            ty,
            alias: alias @ (AliasClass::Element(_) | AliasClass::Any | AliasClass::Stack),
            volatile: false,
        }) = data.imm
        else {
            return None;
        };
        let at = self.walk(data.args[0], ty.bytes())?;
        let is_element = matches!(alias, AliasClass::Element(_));
        (is_element || self.f.ty(at.base) != Type::Ref).then_some(Access {
            array: at.base,
            index: at.index,
            start: at.start.checked_add(offset)?,
            lane: Lane::of(ty)?,
            alias,
        })
    }

    /// An address that goes on by this many bytes in each round.
    fn walk(&self, address: Value, bytes: u32) -> Option<Walk> {
        let f = self.f;
        let (_, at) = self.def(f.resolve(address))?;
        let (op, x) = (at.op, f.resolve(*at.args.first()?));
        if op == Op::AddrCast {
            return self.walk(x, bytes);
        }
        let y = f.resolve(*at.args.get(1)?);
        let walk = match (op, at.imm) {
            (Op::AddrIndex, Imm::Size(scale, start)) if scale == bytes => Walk {
                base: x,
                index: self.finder.index(y)?,
                start,
                bytes,
            },
            (Op::AddrAdd | Op::Iadd, _) => match f.const_of(y) {
                Some(c) => {
                    let walk = self.walk(x, bytes)?;
                    let start = i32::try_from(c.signed()).ok()?;
                    let start = walk.start.checked_add(start)?;
                    return (start.abs() <= 1 << 20).then_some(Walk { start, ..walk });
                }
                None => self
                    .sum_of(x, y, bytes)
                    .or_else(|| self.sum_of(y, x, bytes))?,
            },
            _ => return None,
        };
        let fits = match f.ty(walk.base) {
            Type::Ref => op == Op::AddrIndex && self.is_exact(walk.index),
            _ => self.is_exact_anywhere(walk.index),
        };
        (fits && self.finder.can_compute(walk.base, 0)).then_some(walk)
    }

    fn sum_of(&self, base: Value, scaled: Value, bytes: u32) -> Option<Walk> {
        let f = self.f;
        let index = match self.def(scaled).map(|d| d.1) {
            Some(d) if matches!(d.op, Op::Shl | Op::Imul) && bytes > 1 => {
                let by = f.const_of(f.resolve(d.args[1]))?.signed();
                let times = match d.op {
                    Op::Shl => 1_i64.checked_shl(u32::try_from(by).ok()?)?,
                    _ => by,
                };
                (times == i64::from(bytes)).then_some(f.resolve(d.args[0]))?
            }
            _ if bytes == 1 => scaled,
            _ => return None,
        };
        let is_wide = f.ty(index) == Type::I64 && f.ty(base) != Type::Ref;
        is_wide.then_some(Walk {
            base,
            index: self.finder.index(index)?,
            start: 0,
            bytes,
        })
    }

    /// The index does not overflow in any round: what is added to the counter is a constant, or was asked for in front.
    fn is_exact(&self, (offset, c): Index) -> bool {
        offset.is_none() || self.is_asked((offset, c))
    }

    /// The same where no check of the index says anything: the counter stays below some `i32`.
    fn is_exact_anywhere(&self, index: Index) -> bool {
        matches!(index, (None, 0 | 1)) || self.is_asked(index)
    }

    fn is_asked(&self, (offset, c): Index) -> bool {
        let mut ranges = self.finder.plan.ranges.iter();
        ranges.any(|r| r.offset == offset && r.low <= c && c <= r.high)
    }

    /// A test for null that can be made in front, for all rounds.
    pub(super) fn null_check(&mut self, v: Value) -> Result<(), Why> {
        if self.finder.can_compute(v, 0) && self.f.ty(v) != Type::I64 {
            self.nulls.push(v);
            return Ok(());
        }
        let walk = [1, 2, 4, 8].iter().find_map(|&n| self.walk(v, n));
        match walk {
            Some(walk) if self.f.ty(walk.base) != Type::Ref => self.test(walk),
            Some(_) => {}
            None => return Err("it tests different references for null"),
        }
        Ok(())
    }

    fn test(&mut self, walk: Walk) {
        if !self.tested.contains(&walk) {
            self.tested.push(walk);
        }
    }

    // ---- order of accesses

    /// Compares each store with all other accesses that may touch the same elements.
    pub(super) fn dependences(&mut self) -> Result<(), Why> {
        let mut accesses: Vec<(Access, bool)> = Vec::new();
        for (_, i) in self.insts() {
            if let Some(access) = self.loads.get(&i).and_then(|&n| self.nodes[n].access()) {
                accesses.push((access, false));
            } else if let Some(&(access, _)) = self.stores.get(&i) {
                accesses.push((access, true));
            }
        }
        for (n, &(first, first_writes)) in accesses.iter().enumerate() {
            for &(second, second_writes) in &accesses[n + 1..] {
                if first_writes || second_writes {
                    self.compare(first, second, first_writes)?;
                }
            }
        }
        match self.distinct.len() + self.apart.len() > MAX_DISTINCT {
            true => Err("too many arrays may be the same"),
            false => Ok(()),
        }
    }

    fn compare(&mut self, first: Access, second: Access, first_writes: bool) -> Result<(), Why> {
        if !first.may_alias(&second) {
            return Ok(());
        }
        if first.is_pointer(self.f) || second.is_pointer(self.f) {
            return self.compare_walks(first.walk(), second.walk());
        }
        if first.index == second.index {
            return Ok(());
        }
        // Reads what only later rounds write.
        let ahead = first.index.0 == second.index.0 && first.index.1 > second.index.1;
        if !first_writes && ahead {
            return Ok(());
        }
        let pair = (first.array, second.array);
        if pair.0 == pair.1 {
            return Err(NEEDS_EARLIER);
        }
        if !self.distinct.contains(&pair) {
            self.distinct.push(pair);
        }
        Ok(())
    }

    fn compare_walks(&mut self, first: Walk, second: Walk) -> Result<(), Why> {
        if (first.base, first.index.0) == (second.base, second.index.0) {
            let at = |w: Walk| w.index.1 * i64::from(w.bytes) + i64::from(w.start);
            let in_order = first.bytes == second.bytes && at(second) <= at(first);
            return in_order.then_some(()).ok_or(NEEDS_EARLIER);
        }
        for walk in [first, second] {
            if self.f.ty(walk.base) != Type::Ref {
                self.test(walk);
            }
        }
        if !self.apart.contains(&(first, second)) {
            self.apart.push((first, second));
        }
        Ok(())
    }
}

const NEEDS_EARLIER: Why = "a round needs what an earlier one writes";

/// Asks where things are.
pub(super) fn ask(front: &mut Front, plan: &VectorPlan, entry: &Entry) {
    if plan.tested.is_empty() && plan.apart.is_empty() {
        return;
    }
    for &walk in &plan.tested {
        let first = address(front, walk, entry);
        let above = front.e.plus(first, -LOWEST);
        let room = front.e.i64(HIGHEST - LOWEST);
        front.need_cc(IntCc::Ult, above, room);
    }
    let rounds = front.e.binary(Op::Isub, entry.last, entry.start);
    let rounds = front.e.plus(rounds, i64::from(plan.count) - 1);
    for &(a, b) in &plan.apart {
        let (first, second) = (address(front, a, entry), address(front, b, entry));
        let ahead = front.e.binary(Op::Isub, second, first);
        let size = |front: &mut Front, walk: Walk| {
            let bytes = front.e.i64(walk.bytes.into());
            front.e.binary(Op::Imul, rounds, bytes)
        };
        let (x, y) = (size(front, a), size(front, b));
        if a.bytes == b.bytes {
            let (ahead, x) = (front.e.plus(ahead, -1), front.e.plus(x, -1));
            front.need_cc(IntCc::Uge, ahead, x);
        } else {
            let zero = front.e.i64(0);
            let behind = front.e.binary(Op::Isub, zero, ahead);
            let tests = [(ahead, x), (behind, y)];
            let [x, y] = tests.map(|(ahead, size)| front.e.icmp(IntCc::Sge, ahead, size));
            let either = front.e.emit(Op::Or, Type::I32, &[x, y], Imm::None);
            front.need(either);
        }
    }
}

/// The address in the first round, as a number.
fn address(front: &mut Front, walk: Walk, entry: &Entry) -> Value {
    let base = front.compute(walk.base);
    let base = match front.e.f.ty(base) {
        Type::I64 => base,
        _ => front.e.emit(Op::AddrCast, Type::I64, &[base], Imm::None),
    };
    let index = front.offset(entry.start, walk.index.0);
    let bytes = front.e.i64(walk.bytes.into());
    let scaled = front.e.binary(Op::Imul, index, bytes);
    let at = front.e.binary(Op::Iadd, base, scaled);
    let start = walk.index.1 * i64::from(walk.bytes) + i64::from(walk.start);
    front.e.plus(at, start)
}
