//! Conversions (ECMA-335 III.3.27 and following).

use super::Importer;
use super::error::Result;
use crate::ir::{ConvTarget, Op, Type, Value};

/// Target of a `conv` instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Conv {
    I1,
    U1,
    I2,
    U2,
    I4,
    U4,
    I8,
    U8,
    R4,
    R8,
    RUn,
}

impl Importer<'_> {
    /// An integer operand: addresses become numbers.
    fn pop_number(&mut self) -> Result<Value> {
        let v = self.pop_value()?;
        Ok(if matches!(self.b.func.ty(v), Type::Ref | Type::ByRef) {
            self.word(v)
        } else {
            v
        })
    }

    pub(crate) fn conv(&mut self, to: Conv) -> Result<()> {
        let v = self.pop_number()?;
        let r = match to {
            Conv::R4 | Conv::R8 => {
                self.to_float(v, if to == Conv::R4 { Type::F32 } else { Type::F64 })
            }
            Conv::RUn => match self.b.func.ty(v) {
                Type::F32 | Type::F64 => self.to_float(v, Type::F64),
                _ => self.b.convert(Op::FromUint, Type::F64, v),
            },
            Conv::I8 => self.to_wide(v, Op::ToInt, true),
            Conv::U8 => self.to_wide(v, Op::ToUint, false),
            _ => self.to_narrow(v, to),
        };
        self.push(r, None);
        Ok(())
    }

    fn to_float(&mut self, v: Value, to: Type) -> Value {
        match (self.b.func.ty(v), to) {
            (Type::F32, Type::F64) => self.b.fpromote(v),
            (Type::F64, Type::F32) => self.b.fdemote(v),
            (Type::F32, _) | (Type::F64, _) => v,
            _ => self.b.convert(Op::FromInt, to, v),
        }
    }

    fn to_wide(&mut self, v: Value, from_float: Op, signed: bool) -> Value {
        match self.b.func.ty(v) {
            Type::F32 | Type::F64 => self.b.convert(from_float, Type::I64, v),
            Type::I32 if signed => self.b.sext32(v),
            Type::I32 => self.b.zext32(v),
            _ => v,
        }
    }

    fn to_narrow(&mut self, v: Value, to: Conv) -> Value {
        let v = match self.b.func.ty(v) {
            // Through 64 bits: values between 2^31 and 2^32 are defined for u4.
            Type::F32 | Type::F64 if to == Conv::U4 => {
                let wide = self.b.convert(Op::ToInt, Type::I64, v);
                self.b.trunc(wide)
            }
            Type::F32 | Type::F64 => self.b.convert(Op::ToInt, Type::I32, v),
            Type::I32 => v,
            _ => self.b.trunc(v),
        };
        match to {
            Conv::I1 => self.b.sext8(v),
            Conv::U1 => self.b.zext8(v),
            Conv::I2 => self.b.sext16(v),
            Conv::U2 => self.b.zext16(v),
            _ => v,
        }
    }

    /// `conv.ovf.*`
    pub(crate) fn conv_ovf(&mut self, to: ConvTarget, unsigned: bool) -> Result<()> {
        let v = self.pop_number()?;
        let r = self.b.conv_ovf(to, unsigned, v);
        self.push(r, None);
        Ok(())
    }
}
