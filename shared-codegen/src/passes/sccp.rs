//! Sparse conditional constant propagation: values that are one constant whenever they are computed at all.
//!
//! ```text
//! block0:                               block1:
//!     v0 = iconst.i32 1                     v6 = iconst.i32 1
//!     jump block1(v0)                       v2 = iconst.i32 1
//! block1(v1: i32):                          v3 = iconst.i32 1
//!     v2 = icmp ne v1, 0                    brif v3, block4, block3
//!     brif v2, block2, block3
//! block2:                               ; `const-prop` alone would have to know first that
//!     jump block1(v1)                   ; block3 changes nothing, because it never runs
//! block3:
//!     jump block1(v9)
//! ```
//! Sees what `const-prop`, which goes over the instructions once, cannot: constants that go around loops, and through joins one of
//! whose ways is never taken because of such a constant.
//!
//! Algorithm: Wegman, Zadeck: "Constant Propagation with Conditional Branches" (TOPLAS 1991), with block parameters for φs. All values start
//! as never computed and all blocks as never run; a branch on a constant makes one way run only; what an operation makes
//! of constants says `ir::eval`. A protected block that runs makes its handlers run.
//! Cost: linear in uses and branches (each value changes twice at most). Needs nothing. Keeps the control flow: `simplify-cfg` folds
//! the branches. Removes block parameters; invalidates uses and liveness.

use super::PassContext;
use crate::analysis::Uses;
use crate::ir::eval::{Const, Outcome, eval};
use crate::ir::{Block, Function, Inst, InstData, Op, SourceLoc, Target, Type, Value};
use rustc_hash::FxHashSet;
use smallvec::SmallVec;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    f.resolve_aliases();
    let mut solver = Solver::new(f);
    solver.solve();
    let Solver { cells, runs, .. } = solver;
    let mut changed = false;
    let mut gone: FxHashSet<(Block, usize)> = FxHashSet::default();
    for b in f.layout.clone() {
        if runs[b.index()] {
            changed |= fix_results(f, b, &cells);
            fix_params(f, b, &cells, &mut gone);
        }
    }
    if !gone.is_empty() {
        f.retain_params(|b, n| !gone.contains(&(b, n)));
        f.resolve_aliases();
    }
    changed || !gone.is_empty()
}

/// What is known of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cell {
    /// It is not computed.
    Never,
    /// It is always this.
    Always(Const),
    /// It may be anything.
    Unknown,
}

struct Solver<'f> {
    f: &'f Function,
    uses: Uses,
    cells: Vec<Cell>,
    /// Blocks that run.
    runs: Vec<bool>,
    /// Blocks that run and have not been looked at.
    blocks: Vec<Block>,
    /// Values that have changed.
    changed: Vec<Value>,
}

impl<'f> Solver<'f> {
    fn new(f: &'f Function) -> Solver<'f> {
        Solver {
            f,
            uses: Uses::new(f),
            cells: vec![Cell::Never; f.values.len()],
            runs: vec![false; f.blocks.len()],
            blocks: Vec::new(),
            changed: Vec::new(),
        }
    }

    fn solve(&mut self) {
        let entry = self.f.entry();
        for &v in &self.f.blocks[entry.index()].params {
            self.lower(v, Cell::Unknown);
        }
        self.reach(entry);
        loop {
            if let Some(b) = self.blocks.pop() {
                self.block(b);
            } else if let Some(v) = self.changed.pop() {
                for n in 0..self.uses.of(v).len() {
                    let (b, i) = self.uses.of(v)[n];
                    if self.runs[b.index()] {
                        self.inst(i);
                    }
                }
            } else {
                break;
            }
        }
    }

    /// The block runs.
    fn reach(&mut self, b: Block) {
        if !std::mem::replace(&mut self.runs[b.index()], true) {
            self.blocks.push(b);
        }
    }

    fn block(&mut self, b: Block) {
        let f = self.f;
        for handler in f.eh_succs(b) {
            self.reach(handler);
        }
        for &i in &f.blocks[b.index()].insts {
            self.inst(i);
        }
    }

    fn inst(&mut self, i: Inst) {
        let data = &self.f.insts[i.index()];
        if let Some(v) = data.result {
            let cell = self.result(data);
            self.lower(v, cell);
        }
        let targets = data.targets.as_slice();
        let chosen = match (data.op, data.args.first()) {
            (Op::Brif | Op::Switch, Some(&condition)) => match self.cells[condition.index()] {
                Cell::Never => &[],
                Cell::Always(c) => std::slice::from_ref(&targets[target_of(data.op, c, targets)]),
                Cell::Unknown => targets,
            },
            _ => targets,
        };
        for target in chosen {
            self.go(target);
        }
    }

    /// A branch is taken.
    fn go(&mut self, target: &Target) {
        let f = self.f;
        let params = &f.blocks[target.block.index()].params;
        for (&param, &arg) in params.iter().zip(&target.args) {
            let cell = match self.cells[arg.index()] {
                // A word of another kind; its constants cannot be compared.
                Cell::Always(c) if c.ty != f.ty(param) => Cell::Unknown,
                cell => cell,
            };
            self.lower(param, cell);
        }
        self.reach(target.block);
    }

    /// A value may also be this.
    fn lower(&mut self, v: Value, cell: Cell) {
        let old = self.cells[v.index()];
        let new = match (old, cell) {
            (Cell::Never, x) | (x, Cell::Never) => x,
            (x, y) if x == y => x,
            _ => Cell::Unknown,
        };
        if new != old {
            self.cells[v.index()] = new;
            self.changed.push(v);
        }
    }

    /// What an operation makes of what is known of its operands.
    fn result(&self, data: &InstData) -> Cell {
        let cell = |v: Value| self.cells[v.index()];
        if let (Op::Select, Cell::Always(c)) =
            (data.op, data.args.first().map_or(Cell::Never, |&v| cell(v)))
        {
            return cell(data.args[if c.bits != 0 { 1 } else { 2 }]);
        }
        let mut args: SmallVec<[Const; 3]> = SmallVec::new();
        let mut never = false;
        for &v in &data.args {
            match cell(v) {
                Cell::Never => never = true,
                Cell::Always(c) => args.push(c),
                Cell::Unknown => return Cell::Unknown,
            }
        }
        if never {
            return Cell::Never;
        }
        match eval(data.op, data.ty, &data.imm, &args) {
            Outcome::Value(c) => Cell::Always(c),
            _ => Cell::Unknown,
        }
    }
}

/// Which way a branch on a constant goes.
fn target_of(op: Op, condition: Const, targets: &[Target]) -> usize {
    match op {
        Op::Brif => (condition.bits == 0) as usize,
        _ => (condition.bits as usize).min(targets.len() - 1),
    }
}

/// The constant that a value is, if there is an instruction for it.
fn constant(f: &Function, cells: &[Cell], v: Value) -> Option<(Const, InstData)> {
    let Some(&Cell::Always(c)) = cells.get(v.index()) else {
        return None;
    };
    let (op, imm) = c.as_inst().filter(|_| c.ty == f.ty(v))?;
    let data = InstData {
        op,
        ty: c.ty,
        args: SmallVec::new(),
        imm,
        targets: SmallVec::new(),
        result: None,
        loc: SourceLoc::default(),
    };
    Some((c, data))
}

/// Operations of a block that give constants become constants.
fn fix_results(f: &mut Function, b: Block, cells: &[Cell]) -> bool {
    let mut changed = false;
    for n in 0..f.blocks[b.index()].insts.len() {
        let i = f.blocks[b.index()].insts[n];
        let Some(v) = f.insts[i.index()].result else {
            continue;
        };
        let Some((_, new)) = constant(f, cells, v) else {
            continue;
        };
        let data = &mut f.insts[i.index()];
        if !data.args.is_empty() {
            (data.op, data.ty, data.imm, data.args) = (new.op, new.ty, new.imm, new.args);
            changed = true;
        }
    }
    changed
}

/// Parameters of a block that are constants are replaced by constants at its start.
fn fix_params(f: &mut Function, b: Block, cells: &[Cell], gone: &mut FxHashSet<(Block, usize)>) {
    let mut constants = Vec::new();
    for (n, v) in f.blocks[b.index()].params.clone().into_iter().enumerate() {
        let Some((c, data)) = constant(f, cells, v) else {
            continue;
        };
        let ty: Type = c.ty;
        let i = f.make_inst(data, Some(ty));
        let new = f.insts[i.index()].result.expect("made with a result");
        f.replace(v, new);
        constants.push(i);
        gone.insert((b, n));
    }
    f.blocks[b.index()].insts.splice(0..0, constants);
}
