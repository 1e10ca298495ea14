//! Arithmetic, comparison and branches on comparisons (ECMA-335 III.1.5).

use super::Importer;
use super::error::Result;
use crate::ir::{FloatCc, IntCc, Op, Type, Value};

/// A comparison as CIL sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Comparison {
    /// For integers (and addresses).
    pub int: IntCc,
    /// For floats.
    pub float: FloatCc,
}

impl Importer<'_> {
    /// Two operands brought to one type: the left's class wins for addresses, ints widen, floats promote.
    fn pop_pair(&mut self) -> Result<(Value, Value)> {
        let b = self.pop_value()?;
        let a = self.pop_value()?;
        self.unify(a, b)
    }

    fn unify(&mut self, a: Value, b: Value) -> Result<(Value, Value)> {
        let (ta, tb) = (self.b.func.ty(a), self.b.func.ty(b));
        if ta == tb {
            return Ok((a, b));
        }
        let common = match (ta, tb) {
            (Type::F32, Type::F64) | (Type::F64, Type::F32) => Type::F64,
            _ if ta.is_float() || tb.is_float() => return self.invalid("a float with an integer"),
            _ => Type::I64,
        };
        Ok((self.to_type(a, common)?, self.to_type(b, common)?))
    }

    /// `add`, `sub` and everything else that works on ints and floats.
    pub(crate) fn binary(&mut self, int: Op, float: Option<Op>) -> Result<()> {
        let b = self.pop_value()?;
        let a = self.pop_value()?;
        let (ta, tb) = (self.b.func.ty(a), self.b.func.ty(b));
        if let Some(v) = self.address_arithmetic(int, a, b, ta, tb)? {
            self.push(v, None);
            return Ok(());
        }
        let (a, b) = self.unify(a, b)?;
        let (a, b) = if matches!(self.b.func.ty(a), Type::Ref | Type::ByRef) {
            (self.word(a), self.word(b))
        } else {
            (a, b)
        };
        let ty = self.b.func.ty(a);
        let op = match float {
            _ if !ty.is_float() => int,
            Some(op) => op,
            None => return self.invalid("an integer operation on floats"),
        };
        let v = self
            .b
            .emit(op, ty, &[a, b], crate::ir::Imm::None)
            .expect("arithmetic has a result");
        self.push(v, None);
        Ok(())
    }

    /// Address plus or minus number stays an address.
    fn address_arithmetic(
        &mut self,
        op: Op,
        a: Value,
        b: Value,
        ta: Type,
        tb: Type,
    ) -> Result<Option<Value>> {
        let managed = |t: Type| matches!(t, Type::ByRef | Type::Ref);
        let number = |t: Type| matches!(t, Type::I32 | Type::I64);
        Ok(match op {
            Op::Iadd if managed(ta) && number(tb) => {
                let n = self.to_type(b, Type::I64)?;
                Some(self.b.addr_add(a, n))
            }
            Op::Iadd if managed(tb) && number(ta) => {
                let n = self.to_type(a, Type::I64)?;
                Some(self.b.addr_add(b, n))
            }
            Op::Isub if managed(ta) && number(tb) => {
                let n = self.to_type(b, Type::I64)?;
                let n = self.b.ineg(n);
                Some(self.b.addr_add(a, n))
            }
            _ => None,
        })
    }

    /// `shl shr shr.un`
    pub(crate) fn shift(&mut self, op: Op) -> Result<()> {
        let amount = self.pop_i32()?;
        let value = self.pop_value()?;
        let value = if matches!(self.b.func.ty(value), Type::Ref | Type::ByRef) {
            self.word(value)
        } else {
            value
        };
        if self.is_float(value) {
            return self.invalid("a shift of a float");
        }
        let ty = self.b.func.ty(value);
        let v = self
            .b
            .emit(op, ty, &[value, amount], crate::ir::Imm::None)
            .expect("a shift has a result");
        self.push(v, None);
        Ok(())
    }

    pub(crate) fn neg(&mut self) -> Result<()> {
        let v = self.pop_value()?;
        let r = if self.is_float(v) {
            self.b.fneg(v)
        } else {
            let v = if self.b.func.ty(v) == Type::I32 {
                v
            } else {
                self.word(v)
            };
            self.b.ineg(v)
        };
        self.push(r, None);
        Ok(())
    }

    pub(crate) fn not(&mut self) -> Result<()> {
        let v = self.pop_value()?;
        if self.is_float(v) {
            return self.invalid("not of a float");
        }
        let v = if self.b.func.ty(v) == Type::I32 {
            v
        } else {
            self.word(v)
        };
        let r = self.b.not(v);
        self.push(r, None);
        Ok(())
    }

    /// The result of a comparison as i32.
    fn compared(&mut self, c: Comparison) -> Result<Value> {
        let (a, b) = self.pop_pair()?;
        Ok(if self.is_float(a) {
            self.b.fcmp(c.float, a, b)
        } else {
            self.b.icmp(c.int, a, b)
        })
    }

    /// `ceq` and so on.
    pub(crate) fn compare(&mut self, c: Comparison) -> Result<()> {
        let v = self.compared(c)?;
        self.push(v, None);
        Ok(())
    }

    /// `beq` and so on.
    pub(crate) fn compare_and_branch(&mut self, c: Comparison, target: u32) -> Result<()> {
        let v = self.compared(c)?;
        self.branch_if(v, target)
    }

    /// `brtrue`, `brfalse`
    pub(crate) fn branch_on_bool(&mut self, when: bool, target: u32) -> Result<()> {
        let v = self.pop_value()?;
        let ty = self.b.func.ty(v);
        let cond = if ty.is_float() {
            let zero = self.b.zero(ty);
            self.b
                .fcmp(if when { FloatCc::Ne } else { FloatCc::Eq }, v, zero)
        } else if ty == Type::I32 && when {
            v
        } else {
            let zero = self.b.zero(ty);
            self.b
                .icmp(if when { IntCc::Ne } else { IntCc::Eq }, v, zero)
        };
        self.branch_if(cond, target)
    }
}
