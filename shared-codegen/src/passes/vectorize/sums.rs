//! Variables that collect something over the rounds: sums, the smallest, the largest.

use super::plan::{Collect, MAX_NODES, Node, Planner, Sum, TOO_WIDE, Why};
use crate::ir::{InstData, Lane, Op, Type, Value};
use rustc_hash::FxHashMap;

/// Something added to a sum.
struct Term {
    value: Value,
    /// Subtracted.
    negative: bool,
    /// Only where this is not zero, or where it is.
    condition: Option<(Value, bool)>,
}

impl Planner<'_> {
    pub(super) fn find_sums(&mut self) -> Result<(), Why> {
        let latch = self.data(self.f.terminator(self.shape.latch));
        let back = latch.targets.iter().find(|t| t.block == self.shape.header);
        let back = back.ok_or("it does not go round")?;
        let params = &self.f.blocks[self.shape.header.index()].params;
        let uses = self.uses();
        for (position, (&param, &arg)) in params.iter().zip(&back.args).enumerate() {
            if position == self.shape.position {
                continue;
            }
            let lane = match self.f.ty(param) {
                Type::I32 => Lane::I32,
                Type::I64 => Lane::I64,
                Type::F32 | Type::F64 => return Err("the order of operations on floats matters"),
                _ => return Err("a reference differs from round to round"),
            };
            if lane.count(self.vector) != self.count {
                return Err(TOO_WIDE);
            }
            let result = self.f.resolve(arg);
            let sum = match self.extreme(param, result, &uses) {
                Some((collect, term)) if lane == Lane::I32 => Sum {
                    collect,
                    position,
                    result,
                    lane,
                    terms: vec![(self.demand(term, lane)?, false)],
                },
                _ => Sum {
                    collect: Collect::Sum,
                    position,
                    result,
                    lane,
                    terms: self.terms(param, result, lane, &uses)?,
                },
            };
            self.sums.push(sum);
        }
        Ok(())
    }

    /// The parameter becomes the smaller or larger one of itself and a value.
    fn extreme(
        &self,
        param: Value,
        result: Value,
        uses: &FxHashMap<Value, u32>,
    ) -> Option<(Collect, Value)> {
        let (_, data) = self.def(result)?;
        let (op, x, y) = self.min_or_max(data)?;
        let used = |v: Value| uses.get(&v).copied().unwrap_or(0);
        if used(param) != 2 || used(result) != 0 {
            return None;
        }
        let collect = match op {
            Op::VMin => Collect::Least,
            _ => Collect::Most,
        };
        match (x == param, y == param) {
            (true, false) => Some((collect, y)),
            (false, true) => Some((collect, x)),
            _ => None,
        }
    }

    fn terms(
        &mut self,
        param: Value,
        result: Value,
        lane: Lane,
        uses: &FxHashMap<Value, u32>,
    ) -> Result<Vec<(usize, bool)>, Why> {
        let mut terms = Vec::new();
        self.flatten(param, result, uses, &mut terms)?;
        let mut nodes = Vec::new();
        for term in terms {
            let mut n = self.demand(term.value, lane)?;
            if let Some((condition, when)) = term.condition {
                let (mask, inverted) = self.mask(condition, lane)?;
                let zero = self.add(Node::Const(0, lane));
                n = match when != inverted {
                    true => self.add(Node::Select(mask, n, zero)),
                    false => self.add(Node::Select(mask, zero, n)),
                };
            }
            nodes.push((n, term.negative));
        }
        Ok(nodes)
    }

    /// How often values are used in the loop, apart from what is passed at its end.
    fn uses(&self) -> FxHashMap<Value, u32> {
        let mut uses: FxHashMap<Value, u32> = FxHashMap::default();
        for (b, i) in self.insts() {
            let data = self.data(i);
            let passed = data.targets.iter().filter(|_| b != self.shape.latch);
            let passed = passed.flat_map(|t| &t.args);
            for &v in data.args.iter().chain(passed) {
                *uses.entry(self.f.resolve(v)).or_default() += 1;
            }
        }
        uses
    }

    /// What is added to the parameter so that it becomes `result`, which nobody else may see before the end.
    fn flatten(
        &self,
        param: Value,
        result: Value,
        uses: &FxHashMap<Value, u32>,
        terms: &mut Vec<Term>,
    ) -> Result<(), Why> {
        const NO_SUM: Why = "a variable depends on the round before";
        let mut at = result;
        let mut expected = 0;
        loop {
            if uses.get(&at).copied().unwrap_or(0) != expected {
                return Err(NO_SUM);
            }
            if at == param {
                return (result != param).then_some(()).ok_or(NO_SUM);
            }
            let (_, data) = self.def(at).ok_or(NO_SUM)?;
            let (on, term) = match data.op {
                Op::Select => {
                    expected = 2;
                    self.conditional_term(data, uses)
                }
                _ => {
                    expected = 1;
                    self.term(param, data)
                }
            }
            .ok_or(NO_SUM)?;
            terms.push(term);
            at = on;
        }
    }

    /// `on + term` where `on` leads to the parameter.
    fn term(&self, param: Value, data: &InstData) -> Option<(Value, Term)> {
        if !matches!(data.op, Op::Iadd | Op::Isub) {
            return None;
        }
        let (x, y) = (self.f.resolve(data.args[0]), self.f.resolve(data.args[1]));
        let negative = data.op == Op::Isub;
        let (on, value) = match self.leads_to(param, x, MAX_NODES) {
            true => (x, y),
            false if !negative => (y, x),
            false => return None,
        };
        let term = Term {
            value,
            negative,
            condition: None,
        };
        Some((on, term))
    }

    /// `condition ? on : on + term`, or the other way round.
    fn conditional_term(
        &self,
        select: &InstData,
        uses: &FxHashMap<Value, u32>,
    ) -> Option<(Value, Term)> {
        let arg = |n: usize| self.f.resolve(select.args[n]);
        for (on, sum, when) in [(arg(1), arg(2), false), (arg(2), arg(1), true)] {
            let Some((_, data)) = self.def(sum) else {
                continue;
            };
            if uses.get(&sum) != Some(&1) || !matches!(data.op, Op::Iadd | Op::Isub) {
                continue;
            }
            let (x, y) = (self.f.resolve(data.args[0]), self.f.resolve(data.args[1]));
            let negative = data.op == Op::Isub;
            let value = match (x == on, y == on) {
                (true, false) => y,
                (false, true) if !negative => x,
                _ => continue,
            };
            let term = Term {
                value,
                negative,
                condition: Some((arg(0), when)),
            };
            return Some((on, term));
        }
        None
    }

    fn leads_to(&self, param: Value, v: Value, depth: usize) -> bool {
        if v == param || depth == 0 {
            return v == param;
        }
        let Some((_, data)) = self.def(v) else {
            return false;
        };
        let mut args = data.args.iter().map(|&a| self.f.resolve(a));
        match data.op {
            Op::Iadd => args.any(|a| self.leads_to(param, a, depth / 2)),
            Op::Isub => args
                .next()
                .is_some_and(|a| self.leads_to(param, a, depth / 2)),
            _ => false,
        }
    }
}
