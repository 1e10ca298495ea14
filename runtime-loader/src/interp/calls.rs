//! Calls: of methods through their entry cells, of internal calls and helpers.
#![allow(unsafe_code, reason = "runs compiled and native code")]

use super::machine::Frame;
use super::memory;
use crate::arch::native::calls::{CallKind, ManagedCall};
use crate::icall::{Result, Thrown};
use crate::jit::helpers;
use crate::object::Obj;
use crate::runtime;
use crate::runtime::invoke::{self, Arg};
use crate::threads;
use shared_codegen::abi::fixup::Fixup;
use shared_codegen::abi::helper::HelperId;
use shared_codegen::ir::eval::Const;
use shared_codegen::ir::{Function, Imm, InstData, MemType, Op, Type};

/// Executes an op that calls something.
pub(super) fn call(frame: &Frame, f: &Function, data: &InstData, args: &[Const]) -> Result<u64> {
    // Without a handler in this frame the search for one goes on in the callers.
    let kind = match f.blocks[frame.block.index()].region {
        Some(_) => CallKind::Catch,
        None => CallKind::Propagate,
    };
    let helper =
        |h: HelperId, args: &[Const]| run(helpers::address(h), args, 0, h.info().ret, kind);
    let rt = runtime::get();
    match (data.op, data.imm) {
        (Op::CallHelper, Imm::Helper(h)) => helper(h, args),
        (Op::AllocObject, _) => helper(HelperId::NewObject, args),
        (Op::AllocArray, _) => helper(HelperId::NewArray, args),
        (Op::Poll, _) => helper(HelperId::Poll, &[]),
        (Op::Call | Op::CallIndirect | Op::CallInternal, Imm::Call(info)) => {
            let sig = &f.sigs[info.sig.index()];
            let rest = &args[data.op.call_prefix()..];
            let (rest, context) = match rest.split_last() {
                Some((context, rest)) if sig.context => (rest, context.bits),
                _ => (rest, 0),
            };
            let cell = |fixup| -> Result<usize> {
                Ok(memory::load(rt.fixup_value(fixup)?, MemType::I64) as usize)
            };
            let code = match (data.op, info.method) {
                (Op::CallIndirect, _) => args[0].bits as usize,
                (Op::CallInternal, Some(m)) => cell(Fixup::NativeCode(m))?,
                (_, Some(m)) => cell(Fixup::MethodEntry(m))?,
                (_, None) => return Err(Thrown::null_reference()),
            };
            run(code, rest, context, sig.ret, kind)
        }
        _ => Err(Thrown::system(
            "ExecutionEngineException",
            format!("the interpreter cannot run {}", data.op.info().name),
        )),
    }
}

fn run(
    code: usize,
    args: &[Const],
    context: u64,
    ret: Option<Type>,
    kind: CallKind,
) -> Result<u64> {
    let mut call = ManagedCall::new(code, kind);
    call.context = context as usize;
    let args = args.iter().map(|c| match c.ty {
        Type::F32 => Arg::F32(f32::from_bits(c.bits as u32)),
        Type::F64 => Arg::F64(f64::from_bits(c.bits)),
        Type::Ref => Arg::Ref(Obj::from_addr(c.bits as usize)),
        // Small integers are held sign-extended nowhere but in 32 bits; the upper half is of no meaning.
        Type::I32 | Type::I64 | Type::ByRef => Arg::Word(c.bits),
        Type::V128 | Type::V256 => unreachable!("the verifier lets nobody pass vectors"),
    });
    let stack = invoke::place(&mut call, args);
    (call.stack, call.stack_len) = (stack.as_ptr(), stack.len());
    let t = threads::current();
    // SAFETY: the code is that of a method, internal call or helper, and the arguments follow its signature as the IR's
    // verifier has seen; `t` is this thread, in managed state.
    unsafe { call.run(t) };
    match t.take_pending_exception() {
        0 if ret.is_some_and(Type::is_float) => Ok(call.float_result),
        0 => Ok(call.int_result),
        exception => Err(Thrown::Object(Obj::from_addr(exception))),
    }
}
