//! Constant propagation: evaluates operations on constants and applies algebraic identities.
//!
//! ```text
//! v1 = iconst.i32 3                 v1 = iconst.i32 3
//! v2 = iconst.i32 5                 v2 = iconst.i32 5
//! v3 = iadd.i32 v1, v2              v3 = iconst.i32 8
//! v4 = imul.i32 v0, v3              v4 = shl.i32 v0, v5        ; v5 = iconst.i32 3
//! v6 = isub.i32 v4, v4              v6 = iconst.i32 0
//! ```
//!
//! Algorithm: one walk in layout order. Each instruction is rewritten until no rule fits: first by `ir::eval` if all operands are
//! constants, then by the rules in `const_prop/` (by theme). A rule is exact for every operand the CLI allows; floating-point
//! rules keep signed zeros, infinities and NaNs. Constants stand on the right of commutative operations afterwards, and constant
//! offsets of addresses are in `MemRef` and slot operands.
//! Cost: linear. Needs nothing. Keeps the control flow; invalidates uses and liveness. Leaves dead operands to `dce`.

mod address;
mod bits;
mod compare;
mod integer;

use super::PassContext;
use crate::ir::eval::{Const, Outcome, eval};
use crate::ir::{Function, Imm, Inst, InstData, Op, Type, Value, typing};
use smallvec::SmallVec;

/// Runs the pass.
pub fn run(f: &mut Function, _cx: &PassContext) -> bool {
    let mut folder = Folder {
        f,
        out: Vec::new(),
        changed: false,
    };
    for n in 0..folder.f.layout.len() {
        let block = folder.f.layout[n].index();
        let insts = std::mem::take(&mut folder.f.blocks[block].insts);
        folder.out = Vec::with_capacity(insts.len());
        for i in insts {
            folder.visit(i);
        }
        folder.f.blocks[block].insts = std::mem::take(&mut folder.out);
    }
    let changed = folder.changed;
    if changed {
        f.resolve_aliases();
    }
    changed
}

/// What a rule makes of an instruction.
enum Step {
    /// A constant.
    Const(Const),
    /// Another value.
    Same(Value),
    /// Nothing: it has no result and no effect.
    Gone,
    /// Another operation with the same result.
    Rewrite(Op, SmallVec<[Value; 3]>, Imm),
}

/// Rules: the next form of an instruction, if one is better.
type Rule = fn(&mut Folder<'_>, &InstData) -> Option<Step>;

const RULES: [Rule; 5] = [
    evaluate,
    integer::rule,
    bits::rule,
    compare::rule,
    address::rule,
];

struct Folder<'f> {
    f: &'f mut Function,
    /// The block as rewritten so far.
    out: Vec<Inst>,
    changed: bool,
}

impl Folder<'_> {
    fn visit(&mut self, i: Inst) {
        let mut data = self.f.insts[i.index()].clone();
        for v in data.operands_mut() {
            *v = self.f.resolve(*v);
        }
        let mut changed = false;
        // Each rule makes the operation simpler; the bound only guards against two rules that undo each other.
        for _ in 0..16 {
            let Some(step) = RULES.iter().find_map(|rule| rule(self, &data)) else {
                break;
            };
            changed = true;
            self.changed = true;
            match step {
                Step::Gone => return,
                Step::Same(v) => {
                    let result = data.result.expect("the rule replaces a result");
                    self.f.replace(result, v);
                    return;
                }
                Step::Const(c) => {
                    let Some((op, imm)) = c.as_inst() else { break };
                    data.op = op;
                    data.imm = imm;
                    data.args.clear();
                    data.ty = c.ty;
                }
                Step::Rewrite(op, args, imm) => {
                    // Only a store that becomes a slot store gets a type it did not have.
                    if op.uses_type() && !data.op.uses_type() {
                        data.ty = self.f.ty(args[0]);
                    }
                    data.op = op;
                    data.args = args;
                    data.imm = imm;
                    data.ty = typing::canonical_type(self.f, op, data.ty, &data.imm);
                }
            }
        }
        if changed {
            self.f.insts[i.index()] = data;
        }
        self.out.push(i);
    }

    /// A constant in front of the instruction being rewritten.
    fn constant(&mut self, ty: Type, n: i64) -> Value {
        let data = InstData {
            op: Op::Iconst,
            ty,
            args: SmallVec::new(),
            imm: Imm::Int(Const::of(ty, n).signed()),
            targets: SmallVec::new(),
            result: None,
            loc: Default::default(),
        };
        let i = self.f.make_inst(data, Some(ty));
        self.out.push(i);
        self.f.insts[i.index()].result.expect("made with a result")
    }

    /// An operation on values of one type in front of the instruction being rewritten.
    fn emit(&mut self, op: Op, args: &[Value]) -> Value {
        let ty = self.f.ty(args[0]);
        let data = InstData {
            op,
            ty,
            args: SmallVec::from_slice(args),
            imm: Imm::None,
            targets: SmallVec::new(),
            result: None,
            loc: Default::default(),
        };
        let i = self.f.make_inst(data, Some(ty));
        self.out.push(i);
        self.f.insts[i.index()].result.expect("made with a result")
    }

    fn type_of(&self, v: Value) -> crate::ir::Type {
        self.f.ty(v)
    }

    fn const_of(&self, v: Value) -> Option<Const> {
        self.f.const_of(v)
    }

    /// An integer constant as a signed number.
    fn int(&self, v: Value) -> Option<i64> {
        let c = self.f.const_of(v)?;
        (!c.ty.is_float()).then(|| c.signed())
    }

    /// The operation behind a value.
    fn def(&self, v: Value) -> Option<&InstData> {
        Some(&self.f.insts[self.f.def_inst(v)?.index()])
    }

    /// Operand `n` of the operation behind `v`, if it is `op`.
    fn operand_of(&self, v: Value, op: Op, n: usize) -> Option<Value> {
        let data = self.def(v).filter(|d| d.op == op)?;
        Some(self.f.resolve(data.args[n]))
    }
}

fn rewrite(op: Op, args: &[Value]) -> Option<Step> {
    Some(Step::Rewrite(op, SmallVec::from_slice(args), Imm::None))
}

/// Constants all around. A sure exception stays as it is; a check that holds goes.
fn evaluate(folder: &mut Folder<'_>, data: &InstData) -> Option<Step> {
    if data.args.is_empty() || !data.targets.is_empty() {
        return None;
    }
    let args: Option<SmallVec<[Const; 3]>> =
        data.args.iter().map(|&v| folder.const_of(v)).collect();
    let args = args?;
    if let (Op::TrapIf, Imm::CondTrap(cc, _)) = (data.op, data.imm) {
        let holds = crate::ir::eval::compare(cc, args[0], args[1]);
        return (!holds).then_some(Step::Gone);
    }
    if data.op == Op::BoundsCheck {
        return (args[0].bits < args[1].bits).then_some(Step::Gone);
    }
    match eval(data.op, data.ty, &data.imm, &args) {
        Outcome::Value(c) => {
            debug_assert_eq!(
                Some(c.ty),
                typing::result_type(folder.f, data.op, data.ty, &data.imm)
            );
            c.as_inst().map(|_| Step::Const(c))
        }
        _ => None,
    }
}
