//! Decoding instructions.

use super::opcode::{Opcode, OperandKind};
use crate::metadata::{Error, Result, Token};
use crate::pe::{u16_at, u32_at};

/// An instruction.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Instr {
    /// Offset of its first byte.
    pub offset: u32,
    /// Offset of the next instruction.
    pub end: u32,
    /// Opcode.
    pub opcode: Opcode,
    /// Operand.
    pub operand: Operand,
}

/// Operand of an instruction.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Operand {
    /// None.
    None,
    /// Small integers: constants, local and argument numbers, flags.
    Int(i64),
    /// IEEE single.
    F32(f32),
    /// IEEE double.
    F64(f64),
    /// Metadata token.
    Token(Token),
    /// Branch target (checked to lie in the code, not to be the start of an instruction).
    Target(u32),
    /// Jump table.
    Switch(SwitchTargets),
}

/// The targets of a `switch`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SwitchTargets {
    bytes: &'static [u8],
    base: u32,
}

impl SwitchTargets {
    /// Targets in order.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        self.bytes.chunks_exact(4).map(move |c| {
            self.base
                .wrapping_add(u32::from_le_bytes([c[0], c[1], c[2], c[3]]))
        })
    }
}

/// Iterates over instructions. After an error it ends.
#[derive(Clone, Debug)]
pub struct Decoder {
    code: &'static [u8],
    at: u32,
}

impl Decoder {
    /// Starts at an offset.
    pub fn new(code: &'static [u8], offset: u32) -> Decoder {
        Decoder { code, at: offset }
    }

    /// Offset of the next instruction.
    pub fn offset(&self) -> u32 {
        self.at
    }

    fn decode(&mut self) -> Result<Instr> {
        let offset = self.at;
        let first = self.take(1)?[0];
        let number = if first == 0xfe {
            0xfe00 | u16::from(self.take(1)?[0])
        } else {
            first.into()
        };
        let opcode = Opcode::from_number(number).ok_or(Error::Body("unknown opcode"))?;
        let operand = self.operand(opcode.operand())?;
        Ok(Instr {
            offset,
            end: self.at,
            opcode,
            operand,
        })
    }

    fn take(&mut self, n: u32) -> Result<&'static [u8]> {
        let end = self
            .at
            .checked_add(n)
            .ok_or(Error::Body("truncated instruction"))?;
        let bytes = self
            .code
            .get(self.at as usize..end as usize)
            .ok_or(Error::Body("truncated instruction"))?;
        self.at = end;
        Ok(bytes)
    }

    fn word(&mut self) -> Result<u32> {
        Ok(u32_at(self.take(4)?, 0).unwrap_or(0))
    }

    fn double_word(&mut self) -> Result<u64> {
        Ok(u64::from(self.word()?) | u64::from(self.word()?) << 32)
    }

    fn target(&self, displacement: i32) -> Result<Operand> {
        let target = i64::from(self.at) + i64::from(displacement);
        match u32::try_from(target) {
            Ok(t) if (t as usize) < self.code.len() => Ok(Operand::Target(t)),
            _ => Err(Error::Body("branch out of the method")),
        }
    }

    fn operand(&mut self, kind: OperandKind) -> Result<Operand> {
        Ok(match kind {
            OperandKind::None => Operand::None,
            OperandKind::I8 => Operand::Int((self.take(1)?[0] as i8).into()),
            OperandKind::U8 => Operand::Int(self.take(1)?[0].into()),
            OperandKind::U16 => Operand::Int(u16_at(self.take(2)?, 0).unwrap_or(0).into()),
            OperandKind::I32 => Operand::Int((self.word()? as i32).into()),
            OperandKind::I64 => Operand::Int(self.double_word()? as i64),
            OperandKind::R4 => Operand::F32(f32::from_bits(self.word()?)),
            OperandKind::R8 => Operand::F64(f64::from_bits(self.double_word()?)),
            OperandKind::Token => Operand::Token(Token(self.word()?)),
            OperandKind::Branch8 => {
                let displacement = self.take(1)?[0] as i8;
                self.target(displacement.into())?
            }
            OperandKind::Branch32 => {
                let displacement = self.word()? as i32;
                self.target(displacement)?
            }
            OperandKind::Switch => self.switch()?,
        })
    }

    fn switch(&mut self) -> Result<Operand> {
        let count = self.word()?;
        let len = count
            .checked_mul(4)
            .ok_or(Error::Body("switch too large"))?;
        let bytes = self.take(len)?;
        let targets = SwitchTargets {
            bytes,
            base: self.at,
        };
        if targets.iter().any(|t| t as usize >= self.code.len()) {
            return Err(Error::Body("branch out of the method"));
        }
        Ok(Operand::Switch(targets))
    }
}

impl Iterator for Decoder {
    type Item = Result<Instr>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at as usize >= self.code.len() {
            return None;
        }
        let instr = self.decode();
        if instr.is_err() {
            self.at = self.code.len() as u32;
        }
        Some(instr)
    }
}
