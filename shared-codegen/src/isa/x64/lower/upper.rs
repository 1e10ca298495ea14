//! Which 32-bit values have zeros in the upper half of their register.

use super::Lower;
use crate::ir::{Op, Type, Value, ValueDef};

/// Block parameters looked through at most.
const MAX_PARAMS: usize = 8;

impl Lower<'_> {
    /// Every use of this value's 32 bits sees zeros in the upper half of its register, because every
    /// rule for its op ends in an instruction that writes 32 bits. (A load that is absorbed instead
    /// has no register, so nobody sees that.) Moves between registers and slots move 64 bits.
    pub(super) fn clears_upper_half(&self, v: Value) -> bool {
        let mut params = Vec::new();
        self.upper_half_is_zero(v, &mut params)
    }

    /// A block parameter has the property if all its arguments have it. Those in `params` are being
    /// looked at: around a loop the assumption that they have it proves itself.
    fn upper_half_is_zero(&self, v: Value, params: &mut Vec<Value>) -> bool {
        let v = self.f.resolve(v);
        match self.f.values[v.index()].def {
            ValueDef::Result(i) => {
                let d = &self.f.insts[i.index()];
                writes_32_bits(d.op) || d.op == Op::Select && !d.ty.is_float()
            }
            ValueDef::Param(block, n) => {
                if params.contains(&v) {
                    return true;
                }
                if block == self.f.entry()
                    || params.len() == MAX_PARAMS
                    || self.f.ty(v) != Type::I32
                {
                    return false;
                }
                params.push(v);
                self.edges_into[block.index()].iter().all(|&(i, target)| {
                    let t = &self.f.insts[i.index()].targets[target as usize];
                    self.upper_half_is_zero(t.args[n as usize], params)
                })
            }
            ValueDef::Alias(_) => false,
        }
    }
}

fn writes_32_bits(op: Op) -> bool {
    use Op::*;
    matches!(
        op,
        Iconst
            | Iadd
            | Isub
            | Imul
            | And
            | Or
            | Xor
            | Shl
            | ShrU
            | ShrS
            | Rotl
            | Ineg
            | Not
            | Icmp
            | Fcmp
            | Sdiv
            | Srem
            | Udiv
            | Urem
            | ImulHigh
            | UmulHigh
            | AddOvfS
            | AddOvfU
            | SubOvfS
            | SubOvfU
            | MulOvfS
            | MulOvfU
            | Clz
            | Ctz
            | Popcnt
            | Sext8
            | Sext16
            | Zext8
            | Zext16
            | Load
            | SlotLoad
            | ToInt
    )
}
