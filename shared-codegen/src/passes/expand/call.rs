//! Virtual, interface and delegate calls become calls through an address.

use super::super::PassContext;
use super::super::cursor::{Cursor, target};
use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::layout::{delegate, method_table};
use crate::ir::{AliasClass, CallInfo, Imm, InstData, IntCc, MemType, Op, Value};

fn call_info(inst: &InstData) -> CallInfo {
    match inst.imm {
        Imm::Call(info) => info,
        _ => unreachable!("the op table says that calls have a callee"),
    }
}

/// `call address(args…)`.
fn indirect(cur: &mut Cursor<'_>, info: CallInfo, address: Value, args: &[Value]) -> Option<Value> {
    let mut operands = Vec::with_capacity(args.len() + 1);
    operands.push(address);
    operands.extend_from_slice(args);
    cur.call(Op::CallIndirect, info, &operands)
}

/// `call_virtual`: `mt = [this]; call [mt + vtable + 8 * slot]`. A method without a slot is resolved by the runtime.
pub fn virtual_call(cur: &mut Cursor<'_>, cx: &PassContext, inst: &InstData) -> Option<Value> {
    let info = call_info(inst);
    let this = inst.args[0];
    let address = match info.method.and_then(|m| cx.oracle.vtable_slot(m)) {
        Some(slot) => {
            let table = cur.method_table(this);
            let offset = method_table::VTABLE + 8 * slot as i32;
            cur.load(table, offset, MemType::I64, AliasClass::Any)
        }
        None => {
            let handle = cur.fixup(Fixup::MethodHandle(info.method?));
            cur.helper(HelperId::ResolveVirtual, &[this, handle])?
        }
    };
    indirect(cur, info, address, &inst.args)
}

/// `call_interface`: `mt = [this]; call [mt + imt + 8 * hash]` with the method handle as hidden argument.
pub fn interface_call(cur: &mut Cursor<'_>, cx: &PassContext, inst: &InstData) -> Option<Value> {
    let info = call_info(inst);
    let (handle, args) = (inst.args[0], &inst.args[1..]);
    let this = args[0];
    let Some(slot) = info.method.and_then(|m| cx.oracle.imt_slot(m)) else {
        let address = cur.helper(HelperId::ResolveVirtual, &[this, handle])?;
        return indirect(cur, info, address, args);
    };
    let table = cur.method_table(this);
    let offset = method_table::IMT + 8 * slot as i32;
    let address = cur.load(table, offset, MemType::I64, AliasClass::Any);
    let mut sig = cur.f.sigs[info.sig.index()].clone();
    sig.context = true;
    let sig = cur.add_sig(sig);
    let mut operands = args.to_vec();
    operands.push(handle);
    indirect(cur, CallInfo { sig, ..info }, address, &operands)
}

/// `call_delegate`: a delegate closed over its first argument is called in place, with the target as first argument, and an
/// open one without; for all others (virtual, multicast) the delegate type's `Invoke` method knows what to do.
pub fn delegate(cur: &mut Cursor<'_>, inst: &InstData) -> Option<Value> {
    let info = call_info(inst);
    let unknown = CallInfo {
        method: None,
        ..info
    };
    let object = inst.args[0];
    let any = AliasClass::Any;
    let [closed, not_closed, open, done] = core::array::from_fn(|_| cur.new_block(false));
    let other = cur.new_block(true);
    let ret = cur.f.sigs[info.sig.index()].ret;
    let result = ret.map(|ty| cur.add_param(done, ty));
    let kind = cur.load(object, delegate::INVOKE_KIND, MemType::I64, any);
    let is_closed = cur.icmp_imm(IntCc::Eq, kind, delegate::INVOKE_CLOSED);
    cur.brif(is_closed, target(closed, &[]), target(not_closed, &[]));

    cur.switch_to(closed);
    let address = cur.load(object, delegate::METHOD_PTR, MemType::I64, any);
    let mut args = inst.args.to_vec();
    args[0] = cur.load(object, delegate::TARGET, MemType::Ref, any);
    let value = indirect(cur, unknown, address, &args);
    cur.jump(done, value.as_slice());

    cur.switch_to(not_closed);
    let is_open = cur.icmp_imm(IntCc::Eq, kind, delegate::INVOKE_OPEN);
    cur.brif(is_open, target(open, &[]), target(other, &[]));
    cur.switch_to(open);
    let address = cur.load(object, delegate::METHOD_PTR, MemType::I64, any);
    let mut sig = cur.f.sigs[info.sig.index()].clone();
    sig.params.remove(0);
    let sig = cur.add_sig(sig);
    let value = indirect(cur, CallInfo { sig, ..unknown }, address, &inst.args[1..]);
    cur.jump(done, value.as_slice());

    cur.switch_to(other);
    let value = cur.call(Op::Call, info, &inst.args);
    cur.jump(done, value.as_slice());
    cur.switch_to(done);
    result
}
