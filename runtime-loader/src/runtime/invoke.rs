//! Calling managed methods from Rust.

use crate::arch::x64::call::{CallFrame, call_managed};
use crate::icall::{Result, Thrown};
use crate::object::{MethodDesc, Obj};

/// An argument at machine level.
#[derive(Clone, Copy, Debug)]
pub enum Arg {
    /// A reference.
    Ref(Obj),
    /// Anything else in a general register: integers (extended as the callee expects), addresses.
    Word(u64),
    /// A single.
    F32(f32),
    /// A double.
    F64(f64),
}

/// What a call gives: the general and the float result register.
#[derive(Clone, Copy, Debug)]
pub struct Returned {
    /// `rax`
    pub word: u64,
    /// `xmm0`
    pub float: u64,
}

impl Returned {
    /// The result as a reference.
    pub fn object(self) -> Obj {
        Obj::from_addr(self.word as usize)
    }
}

/// Calls a method: `this` (an object, or the address of a value), the return buffer if the result is a
/// struct, then the arguments.
pub fn call(method: &'static MethodDesc, args: &[Arg]) -> Result<Returned> {
    let code = super::get().methods.callable(super::get(), method)?;
    call_code(code, args)
}

/// Calls code that needs no hidden argument.
pub fn call_code(code: usize, args: &[Arg]) -> Result<Returned> {
    let mut frame = CallFrame::new(code);
    for arg in args {
        match *arg {
            Arg::Ref(o) => frame.push_word(o.addr() as u64),
            Arg::Word(w) => frame.push_word(w),
            Arg::F32(f) => frame.push_float(f.to_bits().into()),
            Arg::F64(f) => frame.push_float(f.to_bits()),
        }
    }
    // SAFETY: the code was compiled for the method's signature and the arguments follow it.
    let result = unsafe { call_managed(&mut frame) };
    match result {
        Ok(()) => Ok(Returned { word: frame.word_result(), float: frame.float_result() }),
        Err(exception) => Err(Thrown::Object(Obj::from_addr(exception))),
    }
}
