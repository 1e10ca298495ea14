//! Calling managed methods from Rust.
#![allow(unsafe_code, reason = "runs managed code")]

use crate::arch::native::calls::{CallKind, ManagedCall};
use crate::icall::{Result, Thrown};
use crate::object::{MethodDesc, Obj};
use crate::threads;

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
    call_as(code, args, CallKind::Catch)
}

/// Calls code, with a say in what happens to exceptions.
pub fn call_as(code: usize, args: &[Arg], kind: CallKind) -> Result<Returned> {
    let mut call = ManagedCall::new(code, kind);
    let stack = place(&mut call, args.iter().copied());
    call.stack = stack.as_ptr();
    call.stack_len = stack.len();
    let t = threads::current();
    // SAFETY: the code was compiled for the method's signature and the arguments follow it; `t` is this thread.
    unsafe { call.run(t) };
    match t.take_pending_exception() {
        0 => Ok(Returned {
            word: call.int_result,
            float: call.float_result,
        }),
        exception => Err(Thrown::Object(Obj::from_addr(exception))),
    }
}

/// Puts arguments where the calling convention wants them; those for the stack come back.
pub(crate) fn place(call: &mut ManagedCall, args: impl Iterator<Item = Arg>) -> Vec<u64> {
    let (mut ints, mut floats) = (0, 0);
    let mut stack = Vec::new();
    for arg in args {
        let (bits, is_float) = match arg {
            Arg::Ref(o) => (o.addr() as u64, false),
            Arg::Word(w) => (w, false),
            Arg::F32(f) => (f.to_bits().into(), true),
            Arg::F64(f) => (f.to_bits(), true),
        };
        match is_float {
            true if floats < call.floats.len() => {
                call.floats[floats] = bits;
                floats += 1;
            }
            false if ints < call.ints.len() => {
                call.ints[ints] = bits;
                ints += 1;
            }
            _ => stack.push(bits),
        }
    }
    stack
}
