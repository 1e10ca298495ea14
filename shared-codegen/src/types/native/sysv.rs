//! How structs are passed to native functions: System V AMD64 ABI, 3.2.3.
//!
//! A struct of at most 16 bytes whose fields are all aligned is cut into eightbytes. One that holds floats only goes to an SSE
//! register, any other to a general one. Everything else is memory: the caller's stack for arguments, a buffer given by the
//! caller for results.

use super::{NativeKind, NativeLayout};
use crate::types::{Result, TypeContext};
use smallvec::SmallVec;

/// Register class of an eightbyte.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Word {
    /// General register (class INTEGER).
    Int,
    /// Vector register (class SSE).
    Float,
}

/// Where a struct is passed or returned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Passing {
    /// On the stack, or through a buffer.
    Memory,
    /// One or two registers.
    Registers(SmallVec<[Word; 2]>),
}

/// Largest struct in registers.
const MAX_IN_REGISTERS: u32 = 16;
const EIGHTBYTE: u32 = 8;

/// Class of each eightbyte, merged so far; `None` for one without fields.
type Classes = [Option<Word>; 2];

impl TypeContext {
    /// How a value with this native form is passed.
    pub fn native_passing(&self, layout: &NativeLayout) -> Result<Passing> {
        if layout.size > MAX_IN_REGISTERS {
            return Ok(Passing::Memory);
        }
        let mut classes = [None; 2];
        if !self.classify(layout, 0, &mut classes)? {
            return Ok(Passing::Memory);
        }
        let words = layout.size.div_ceil(EIGHTBYTE).max(1) as usize;
        // Bytes that no field covers are somebody's data all the same.
        let words = classes[..words].iter().map(|c| c.unwrap_or(Word::Int));
        Ok(Passing::Registers(words.collect()))
    }

    /// Adds the fields of a type that starts at `base`; false if one is not aligned.
    fn classify(&self, layout: &NativeLayout, base: u32, classes: &mut Classes) -> Result<bool> {
        for f in &layout.fields {
            let (size, _) = self.native_size(&f.kind)?;
            let times = match layout.repeated {
                true => (layout.size / size.max(1)).max(1),
                false => 1,
            };
            for n in 0..times {
                if !self.classify_kind(&f.kind, base + f.native + n * size, classes)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn classify_kind(&self, kind: &NativeKind, at: u32, classes: &mut Classes) -> Result<bool> {
        let (size, align) = self.native_size(kind)?;
        Ok(match kind {
            NativeKind::Struct(t) | NativeKind::Class(t) => {
                self.classify(self.native_layout(*t)?, at, classes)?
            }
            NativeKind::FixedArray { count, kind, .. } => {
                let (each, _) = self.native_size(kind)?;
                for n in 0..*count {
                    if !self.classify_kind(kind, at + n * each, classes)? {
                        return Ok(false);
                    }
                }
                true
            }
            NativeKind::FixedText { units, .. } => {
                for n in 0..*units {
                    merge(classes, at + n * align, Word::Int);
                }
                at.is_multiple_of(align)
            }
            NativeKind::Scalar(m) if m.value_type().is_float() => {
                merge(classes, at, Word::Float);
                at.is_multiple_of(size)
            }
            _ => {
                merge(classes, at, Word::Int);
                at.is_multiple_of(size)
            }
        })
    }
}

/// INTEGER wins over SSE. Fields outside of two eightbytes come only from types that are memory anyway.
fn merge(classes: &mut Classes, at: u32, word: Word) {
    if let Some(class) = classes.get_mut((at / EIGHTBYTE) as usize) {
        let both_float = *class != Some(Word::Int) && word == Word::Float;
        *class = Some(if both_float { Word::Float } else { Word::Int });
    }
}
