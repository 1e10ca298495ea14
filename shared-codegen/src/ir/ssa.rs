//! The variables' side of [`super::FunctionBuilder`]: Braun et al.'s algorithm without recursion.
//!
//! A needed parameter is a [`Phi`] kept aside until [`Ssa::materialize`]; its value's definition is
//! `ValueDef::Param(block, u32::MAX)` meanwhile. Reading through blocks with one predecessor walks in a loop; joins put
//! their phi down first (which also cuts cycles) and collect its arguments from a work list.

use super::builder::Var;
use super::{Block, Function, Inst, InstData, SourceLoc, Type, Value, ValueDef, zero_of};
use smallvec::SmallVec;

const NONE: u32 = u32::MAX;

/// An edge into a block: from which block, by which terminator's which target (none: exceptional).
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub block: Block,
    pub inst: Option<Inst>,
    pub target: u32,
}

/// A variable's parameter of a block, one argument per edge (none while the block is not sealed).
struct Phi {
    value: Value,
    block: Block,
    args: SmallVec<[Value; 4]>,
}

#[derive(Default)]
struct BlockState {
    sealed: bool,
    preds: SmallVec<[Edge; 2]>,
    /// Phis made before the block was sealed.
    incomplete: Vec<(Var, u32)>,
}

struct VarState {
    ty: Type,
    /// The value at the end of each block (so far) from block `first` on, `NONE` if not known. Grows on demand: many
    /// variables live in a few neighbouring blocks only.
    defs: Vec<u32>,
    first: usize,
}

/// State of all variables and blocks.
#[derive(Default)]
pub(super) struct Ssa {
    vars: Vec<VarState>,
    blocks: Vec<BlockState>,
    phis: Vec<Phi>,
    /// Phis whose arguments must still be read.
    pending: Vec<(Var, u32)>,
    /// Zero constants in the entry block for variables read before any assignment.
    zeros: [Option<Value>; Type::ALL.len()],
}

impl Ssa {
    pub fn new_var(&mut self, ty: Type) -> Var {
        self.vars.push(VarState {
            ty,
            defs: Vec::new(),
            first: 0,
        });
        Var(self.vars.len() as u32 - 1)
    }

    pub fn var_type(&self, var: Var) -> Type {
        self.vars[var.0 as usize].ty
    }

    pub fn def(&mut self, var: Var, block: Block, value: Value) {
        let VarState { defs, first, .. } = &mut self.vars[var.0 as usize];
        if defs.is_empty() {
            *first = block.index();
        }
        if let Some(missing) = first.checked_sub(block.index()) {
            defs.splice(0..0, core::iter::repeat_n(NONE, missing));
            *first = block.index();
        }
        let at = block.index() - *first;
        if defs.len() <= at {
            defs.resize(at + 1, NONE);
        }
        defs[at] = value.0;
    }

    fn get(&self, var: Var, block: Block) -> Option<Value> {
        let VarState { defs, first, .. } = &self.vars[var.0 as usize];
        match defs.get(block.index().checked_sub(*first)?) {
            Some(&v) if v != NONE => Some(Value(v)),
            _ => None,
        }
    }

    fn block(&mut self, b: Block) -> &mut BlockState {
        if self.blocks.len() <= b.index() {
            self.blocks.resize_with(b.index() + 1, BlockState::default);
        }
        &mut self.blocks[b.index()]
    }

    pub fn preds(&self, b: Block) -> &[Edge] {
        self.blocks.get(b.index()).map_or(&[], |s| &s.preds)
    }

    pub fn add_pred(&mut self, to: Block, edge: Edge) {
        let state = self.block(to);
        debug_assert!(!state.sealed, "{to} is sealed and gets another predecessor");
        state.preds.push(edge);
    }

    /// The value of `var` at the end of `block` as it is now.
    pub fn read(&mut self, f: &mut Function, var: Var, block: Block) -> Value {
        let v = self.lookup(f, var, block);
        self.drain(f);
        f.resolve(v)
    }

    pub fn seal(&mut self, f: &mut Function, block: Block) {
        let state = self.block(block);
        if std::mem::replace(&mut state.sealed, true) {
            return;
        }
        let incomplete = std::mem::take(&mut state.incomplete);
        self.pending.extend(incomplete);
        self.drain(f);
    }

    /// Finds or makes the value at the end of a block. New phis of sealed blocks are put on the work list.
    fn lookup(&mut self, f: &mut Function, var: Var, block: Block) -> Value {
        let mut at = block;
        // Blocks that only lead to each other are a cycle that is not reachable: a phi cuts it.
        let mut steps = self.blocks.len();
        let value = loop {
            if let Some(v) = self.get(var, at) {
                break v;
            }
            let state = self.block(at);
            match (state.sealed, state.preds.as_slice()) {
                (true, []) => break self.zero(f, var),
                (true, [edge]) if steps > 0 => {
                    at = edge.block;
                    steps -= 1;
                }
                (sealed, _) => break self.make_phi(f, var, at, sealed),
            }
        };
        // Remember the answer in the blocks passed through.
        let mut b = block;
        while b != at && self.get(var, b).is_none() {
            self.def(var, b, value);
            b = self.blocks[b.index()].preds[0].block;
        }
        self.def(var, at, value);
        value
    }

    fn make_phi(&mut self, f: &mut Function, var: Var, block: Block, sealed: bool) -> Value {
        let ty = self.var_type(var);
        let value = f.make_value(ty, ValueDef::Param(block, u32::MAX));
        let n = self.phis.len() as u32;
        self.phis.push(Phi {
            value,
            block,
            args: SmallVec::new(),
        });
        if sealed {
            self.pending.push((var, n));
        } else {
            self.block(block).incomplete.push((var, n));
        }
        value
    }

    /// Reads the arguments of all phis on the work list; those that turn out trivial become aliases.
    fn drain(&mut self, f: &mut Function) {
        while let Some((var, n)) = self.pending.pop() {
            let block = self.phis[n as usize].block;
            let mut args = SmallVec::<[Value; 4]>::new();
            for e in 0..self.blocks[block.index()].preds.len() {
                let pred = self.blocks[block.index()].preds[e].block;
                args.push(self.lookup(f, var, pred));
            }
            if args.is_empty() {
                let zero = self.zero(f, var);
                f.replace(self.phis[n as usize].value, zero);
            } else {
                self.phis[n as usize].args = args;
                self.try_remove(f, n as usize);
            }
        }
    }

    /// Makes a phi an alias if all its arguments are one value or itself.
    fn try_remove(&self, f: &mut Function, n: usize) -> bool {
        let phi = &self.phis[n];
        let mut only = None;
        for &a in &phi.args {
            let a = f.resolve(a);
            if a == phi.value || only == Some(a) {
                continue;
            }
            if only.is_some() {
                return false;
            }
            only = Some(a);
        }
        let Some(v) = only else { return false };
        f.replace(phi.value, v);
        true
    }

    /// Zero of a variable's type, at the start of the entry block.
    fn zero(&mut self, f: &mut Function, var: Var) -> Value {
        let ty = self.var_type(var);
        if let Some(v) = self.zeros[ty as usize] {
            return v;
        }
        let (op, imm) = zero_of(ty);
        let data = InstData {
            op,
            ty,
            args: SmallVec::new(),
            imm,
            targets: SmallVec::new(),
            result: None,
            loc: SourceLoc::default(),
        };
        let i = f.make_inst(data, Some(ty));
        let entry = f.entry();
        f.blocks[entry.index()].insts.insert(0, i);
        let v = f.insts[i.index()].result.expect("made with a result");
        self.zeros[ty as usize] = Some(v);
        v
    }

    /// Turns the phis that are left into block parameters with branch arguments, and resolves aliases in all operands.
    pub fn materialize(&mut self, f: &mut Function) {
        let mut live: Vec<usize> = (0..self.phis.len())
            .filter(|&n| {
                matches!(
                    f.values[self.phis[n].value.index()].def,
                    ValueDef::Param(..)
                )
            })
            .collect();
        // A phi that went away can make others trivial.
        loop {
            let before = live.len();
            live.retain(|&n| !self.try_remove(f, n));
            if live.len() == before {
                break;
            }
        }
        self.drop_unused(f, &mut live);
        for n in live {
            let phi = &self.phis[n];
            let params = &mut f.blocks[phi.block.index()].params;
            f.values[phi.value.index()].def = ValueDef::Param(phi.block, params.len() as u32);
            params.push(phi.value);
            for (edge, &arg) in self.blocks[phi.block.index()].preds.iter().zip(&phi.args) {
                let inst = edge
                    .inst
                    .expect("handlers have one predecessor and no phis");
                f.insts[inst.index()].targets[edge.target as usize]
                    .args
                    .push(arg);
            }
        }
        f.resolve_aliases();
    }

    /// Keeps only the phis that an instruction needs, directly or through other phis.
    fn drop_unused(&self, f: &Function, live: &mut Vec<usize>) {
        let mut phi_of = vec![NONE; f.values.len()];
        for &n in live.iter() {
            phi_of[self.phis[n].value.index()] = n as u32;
        }
        let mut needed = vec![false; self.phis.len()];
        let mut work: Vec<Value> = Vec::new();
        for data in &f.insts {
            work.extend(
                data.args
                    .iter()
                    .chain(data.targets.iter().flat_map(|t| &t.args)),
            );
        }
        while let Some(v) = work.pop() {
            let n = phi_of[f.resolve(v).index()] as usize;
            if n != NONE as usize && !std::mem::replace(&mut needed[n], true) {
                work.extend(&self.phis[n].args);
            }
        }
        live.retain(|&n| needed[n]);
    }
}

#[cfg(test)]
mod tests {
    use crate::ir::{Function, FunctionBuilder, IntCc, Op, Signature, Type, ValueDef, target};

    fn sig(params: &[Type], ret: Option<Type>) -> Signature {
        Signature {
            params: params.to_vec(),
            ret,
            ..Signature::default()
        }
    }

    /// `while (i < n) i++; return i + k` with `k` unchanged in the loop.
    #[test]
    fn loop_gets_one_parameter() {
        let f = Function::new("f", sig(&[Type::I32, Type::I32], Some(Type::I32)));
        let mut b = FunctionBuilder::new(f);
        let entry = b.create_entry();
        let (i, k) = (b.new_var(Type::I32), b.new_var(Type::I32));
        let n = b.param(entry, 0);
        b.def_var(k, b.param(entry, 1));
        let (head, body, exit) = (b.create_block(), b.create_block(), b.create_block());
        b.jump(head, &[]);
        b.switch_to(head);
        let x = b.use_var(i);
        let c = b.icmp(IntCc::Slt, x, n);
        b.brif(c, target(body, &[]), target(exit, &[]));
        b.switch_to(body);
        let (x, one) = (b.use_var(i), b.i32(1));
        let y = b.iadd(x, one);
        b.def_var(i, y);
        let kk = b.use_var(k);
        b.def_var(k, kk);
        b.jump(head, &[]);
        b.seal(head);
        b.switch_to(exit);
        let (x, kk) = (b.use_var(i), b.use_var(k));
        let r = b.iadd(x, kk);
        b.ret(Some(r));
        let f = b.finish();
        assert_eq!(f.blocks[head.index()].params.len(), 1);
        assert!(f.blocks[body.index()].params.is_empty());
        let p = f.blocks[head.index()].params[0];
        assert_eq!(f.values[p.index()].def, ValueDef::Param(head, 0));
        let back = &f.insts[f.terminator(body).index()].targets[0];
        assert_eq!(back.args.as_slice(), &[y]);
        let add = &f.insts[f.def_inst(r).unwrap().index()];
        assert_eq!(add.args.as_slice(), &[p, f.blocks[entry.index()].params[1]]);
        let first = f.blocks[entry.index()].insts[0];
        assert_eq!(f.insts[first.index()].op, Op::Iconst);
    }

    #[test]
    fn unreachable_cycles_end() {
        let mut b = FunctionBuilder::new(Function::new("f", sig(&[], None)));
        b.create_entry();
        b.ret(None);
        let x = b.new_var(Type::F64);
        let (p, q, r) = (b.create_block(), b.create_block(), b.create_block());
        b.switch_to(p);
        let v = b.i32(0);
        b.brif(v, target(q, &[]), target(r, &[]));
        b.switch_to(q);
        b.jump(p, &[]);
        b.seal_all();
        b.switch_to(r);
        let v = b.use_var(x);
        b.keep_alive(v);
        b.ret(None);
        b.finish();
    }
}
