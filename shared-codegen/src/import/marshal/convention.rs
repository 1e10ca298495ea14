//! Words of values to and from registers and stack (System V AMD64 ABI, 3.2.3).
//!
//! IR calls take integers and floats in order, each kind from its own registers and then from the stack. A struct is passed in
//! registers as a whole or not at all, and one of class MEMORY always on the stack; so outgoing words are sorted by place, and
//! the registers in front of stack words are filled up with zeros.

use crate::ir::{AliasClass, FunctionBuilder, MemRef, MemType, Signature, Type, Value};
use crate::types::Word;

pub(super) const INT_REGISTERS: usize = 6;
pub(super) const FLOAT_REGISTERS: usize = 8;
pub(super) const EIGHTBYTE: u32 = 8;

/// An access to native memory.
pub(super) fn at(offset: u32, ty: MemType) -> MemRef {
    MemRef {
        offset: offset as i32,
        ty,
        alias: AliasClass::Any,
        volatile: false,
    }
}

/// Access type of a whole eightbyte.
pub(super) fn word_type(word: Word) -> MemType {
    match word {
        Word::Int => MemType::I64,
        Word::Float => MemType::F64,
    }
}

/// Arguments of a native call being collected.
#[derive(Default)]
pub(super) struct Outgoing {
    ints: Vec<Value>,
    floats: Vec<Value>,
    stack: Vec<Value>,
}

impl Outgoing {
    /// A scalar.
    pub(super) fn scalar(&mut self, b: &FunctionBuilder, v: Value) {
        let (registers, limit) = match b.func.ty(v).is_float() {
            true => (&mut self.floats, FLOAT_REGISTERS),
            false => (&mut self.ints, INT_REGISTERS),
        };
        match registers.len() < limit {
            true => registers.push(v),
            false => self.stack.push(v),
        }
    }

    /// A struct of this many bytes (rounded up to whole words in memory) at an address; no words: class MEMORY.
    pub(super) fn structure(
        &mut self,
        b: &mut FunctionBuilder,
        addr: Value,
        size: u32,
        words: &[Word],
    ) {
        let ints = words.iter().filter(|w| **w == Word::Int).count();
        let floats = words.len() - ints;
        let fits = !words.is_empty()
            && self.ints.len() + ints <= INT_REGISTERS
            && self.floats.len() + floats <= FLOAT_REGISTERS;
        for n in 0..size.div_ceil(EIGHTBYTE) {
            let word = words.get(n as usize).filter(|_| fits).copied();
            let mem = at(n * EIGHTBYTE, word_type(word.unwrap_or(Word::Int)));
            let v = b.load(addr, mem);
            match word {
                Some(Word::Int) => self.ints.push(v),
                Some(Word::Float) => self.floats.push(v),
                None => self.stack.push(v),
            }
        }
    }

    /// The operands in order, with the signature that puts each into its place.
    pub(super) fn finish(mut self, b: &mut FunctionBuilder) -> (Signature, Vec<Value>) {
        let is_float = |v: &Value, b: &FunctionBuilder| b.func.ty(*v).is_float();
        if self.stack.iter().any(|v| !is_float(v, b)) {
            let zero = b.i64(0);
            self.ints.resize(INT_REGISTERS, zero);
        }
        if self.stack.iter().any(|v| is_float(v, b)) {
            let zero = b.f64(0.0);
            self.floats.resize(FLOAT_REGISTERS, zero);
        }
        let all: Vec<Value> = [self.ints, self.floats, self.stack].concat();
        let sig = Signature {
            params: all.iter().map(|v| b.func.ty(*v)).collect(),
            // A declared signature does not show that the function is variadic (`printf`).
            c_varargs: true,
            ..Signature::default()
        };
        (sig, all)
    }
}

/// Offsets in the frame that a call from native code leaves (`abi::layout::native_frame`).
use crate::abi::layout::native_frame as frame;

/// Arguments of a call from native code, read in order.
pub(super) struct Incoming {
    /// Address of the frame.
    frame: Value,
    ints: u32,
    floats: u32,
    stack: u32,
    /// Address of the stack arguments, once loaded.
    stack_args: Option<Value>,
}

impl Incoming {
    pub(super) fn new(frame: Value) -> Incoming {
        Incoming {
            frame,
            ints: 0,
            floats: 0,
            stack: 0,
            stack_args: None,
        }
    }

    /// Address and offset of the next word.
    fn next(&mut self, b: &mut FunctionBuilder, word: Option<Word>) -> (Value, u32) {
        match word {
            Some(Word::Int) if self.ints < INT_REGISTERS as u32 => {
                self.ints += 1;
                let offset = frame::INTS as u32 + EIGHTBYTE * (self.ints - 1);
                (self.frame, offset)
            }
            Some(Word::Float) if self.floats < FLOAT_REGISTERS as u32 => {
                self.floats += 1;
                let offset = frame::FLOATS as u32 + EIGHTBYTE * (self.floats - 1);
                (self.frame, offset)
            }
            _ => {
                let stack = match self.stack_args {
                    Some(v) => v,
                    None => {
                        let v = b.load(self.frame, at(frame::STACK as u32, MemType::I64));
                        *self.stack_args.insert(v)
                    }
                };
                self.stack += 1;
                (stack, EIGHTBYTE * (self.stack - 1))
            }
        }
    }

    /// A scalar, loaded as this type.
    pub(super) fn scalar(&mut self, b: &mut FunctionBuilder, ty: MemType) -> Value {
        let word = match ty.value_type() {
            Type::F32 | Type::F64 => Word::Float,
            _ => Word::Int,
        };
        let (base, offset) = self.next(b, Some(word));
        b.load(base, at(offset, ty))
    }

    /// A struct of this many bytes: its words are stored at `to`, which has room for whole words.
    pub(super) fn structure(
        &mut self,
        b: &mut FunctionBuilder,
        to: Value,
        size: u32,
        words: &[Word],
    ) {
        let ints = words.iter().filter(|w| **w == Word::Int).count() as u32;
        let floats = words.len() as u32 - ints;
        let fits = !words.is_empty()
            && self.ints + ints <= INT_REGISTERS as u32
            && self.floats + floats <= FLOAT_REGISTERS as u32;
        for n in 0..size.div_ceil(EIGHTBYTE) {
            let word = words.get(n as usize).filter(|_| fits).copied();
            let (base, offset) = self.next(b, word);
            let v = b.load(base, at(offset, MemType::I64));
            b.store(to, v, at(n * EIGHTBYTE, MemType::I64));
        }
    }

    /// Makes the words at `from` the struct result.
    pub(super) fn return_words(&self, b: &mut FunctionBuilder, from: Value, words: &[Word]) {
        let (mut ints, mut floats) = (0, 0);
        for (n, word) in (0..).zip(words) {
            let (base, used) = match word {
                Word::Int => (frame::INT_RESULTS, &mut ints),
                Word::Float => (frame::FLOAT_RESULTS, &mut floats),
            };
            let v = b.load(from, at(n * EIGHTBYTE, MemType::I64));
            b.store(
                self.frame,
                v,
                at(base as u32 + EIGHTBYTE * *used, MemType::I64),
            );
            *used += 1;
        }
    }

    /// Makes a scalar the result.
    pub(super) fn return_scalar(&self, b: &mut FunctionBuilder, v: Value) {
        let (offset, ty) = match b.func.ty(v) {
            Type::F32 => (frame::FLOAT_RESULTS, MemType::F32),
            Type::F64 => (frame::FLOAT_RESULTS, MemType::F64),
            Type::I32 => (frame::INT_RESULTS, MemType::I32),
            _ => (frame::INT_RESULTS, MemType::I64),
        };
        b.store(self.frame, v, at(offset as u32, ty));
    }
}
