//! The code of an interpreted method: keeps the arguments in its frame and calls the interpreter.

use super::Interpreted;
use shared_codegen::abi::helper::HelperId;
use shared_codegen::ir::{Function, FunctionBuilder, Imm, MemType, Op, SlotData, Type};

pub(super) fn build(code: &'static Interpreted) -> Function {
    let f = &code.f;
    let mut stub = Function::new(f.name.clone(), f.sig.clone());
    stub.method = f.method;
    stub.failures = f.failures.clone();
    let frame = stub.add_slot(SlotData {
        size: code.layout.size,
        align: 16,
        ty: None,
        zeroed: false,
        eh: None,
    });
    let mut b = FunctionBuilder::new(stub);
    let entry = b.create_entry();
    for n in 0..f.sig.params.len() {
        let value = b.param(entry, n);
        b.slot_store(frame, 8 * n as i32, f.sig.params[n].in_memory(), value);
    }
    if f.sig.context {
        let context = b.emit(Op::ContextArg, Type::I64, &[], Imm::None);
        let context = context.expect("the op has a result");
        b.slot_store(frame, code.layout.context as i32, MemType::I64, context);
    }
    // The stack's end is noticed here.
    b.emit(Op::Poll, Type::I32, &[], Imm::None);
    let this = b.iconst(Type::I64, core::ptr::from_ref(code) as i64);
    let at = b.slot_addr(frame, 0);
    let bits = b.call_helper(HelperId::Interpret, &[this, at]);
    let bits = bits.expect("the helper has a result");
    let one = |b: &mut FunctionBuilder, op, ty, v| {
        b.emit(op, ty, &[v], Imm::None)
            .expect("conversions have results")
    };
    let result = f.sig.ret.map(|ty| match ty {
        Type::I64 => bits,
        Type::I32 => one(&mut b, Op::Trunc, ty, bits),
        Type::F64 => one(&mut b, Op::Bitcast, ty, bits),
        Type::F32 => {
            let low = one(&mut b, Op::Trunc, Type::I32, bits);
            one(&mut b, Op::Bitcast, ty, low)
        }
        _ => one(&mut b, Op::AddrCast, ty, bits),
    });
    b.ret(result);
    b.finish()
}
