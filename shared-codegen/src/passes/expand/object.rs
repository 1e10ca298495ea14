//! Allocation, class initialization, thread statics, generic lookups.

use super::super::PassContext;
use super::super::cursor::{Cursor, target};
use crate::abi::fixup::{Fixup, OpenFixup};
use crate::abi::helper::HelperId;
use crate::abi::layout::{MAX_INLINE_ALLOC, statics, thread};
use crate::abi::trap::TrapKind;
use crate::ir::{AliasClass, Imm, InstData, IntCc, LookupRef, MemRef, MemType, Op, Type, Value};

/// Largest element of vectors that are allocated inline.
const MAX_INLINE_ELEMENT: u32 = 16;

/// `new_object`: inline allocation when the object is small and nobody needs to know of it.
pub fn new_object(cur: &mut Cursor<'_>, cx: &PassContext, inst: &InstData) -> Option<Value> {
    let Imm::Type(ty) = inst.imm else {
        return None;
    };
    match cx.oracle.instance(ty) {
        Some(i) if i.size <= MAX_INLINE_ALLOC && !i.has_finalizer => {
            let imm = Imm::Size(i.size, i.has_refs as i32);
            cur.emit(Op::AllocObject, Type::Ref, &inst.args, imm)
        }
        _ => cur.helper(HelperId::NewObject, &inst.args),
    }
}

/// `new_array`: inline allocation needs a length that is not negative and below 2^31; the helper checks by itself.
pub fn new_array(cur: &mut Cursor<'_>, cx: &PassContext, inst: &InstData) -> Option<Value> {
    let Imm::Type(ty) = inst.imm else {
        return None;
    };
    let length = inst.args[1];
    let inline = |size: u32| size.is_power_of_two() && size <= MAX_INLINE_ELEMENT;
    match cx.oracle.element(ty) {
        Some(e) if inline(e.size) => {
            let max = i64::from(i32::MAX);
            if !cur
                .const_int(length)
                .is_some_and(|n| (0..=max).contains(&n))
            {
                cur.trap_if_imm(IntCc::Ugt, length, max, TrapKind::Overflow);
            }
            let imm = Imm::Size(e.size, e.has_refs as i32);
            cur.emit(Op::AllocArray, Type::Ref, &inst.args, imm)
        }
        _ => cur.helper(HelperId::NewArray, &inst.args),
    }
}

/// `class_init`: the state byte lies in front of the static fields.
pub fn class_init(cur: &mut Cursor<'_>, inst: &InstData) -> Option<Value> {
    let (base, method_table) = (inst.args[0], inst.args[1]);
    let mem = MemRef {
        offset: statics::INIT_STATE,
        ty: MemType::U8,
        alias: AliasClass::Any,
        volatile: true,
    };
    let state = cur.emit(Op::Load, Type::I32, &[base], Imm::Mem(mem))?;
    let (run, done) = (cur.new_block(true), cur.new_block(false));
    cur.brif(state, target(done, &[]), target(run, &[]));
    cur.switch_to(run);
    cur.helper(HelperId::ClassInit, &[method_table]);
    cur.jump(done, &[]);
    cur.switch_to(done);
    None
}

/// `thread_statics`: the thread's table has the block already, or the helper makes it.
pub fn thread_statics(cur: &mut Cursor<'_>, inst: &InstData) -> Value {
    let index = inst.args[0];
    let (look, slow, done) = (
        cur.new_block(false),
        cur.new_block(true),
        cur.new_block(false),
    );
    let result = cur.add_param(done, Type::I64);
    let context = cur.emit(Op::ThreadPtr, Type::I64, &[], Imm::None);
    let context = context.expect("thread_ptr has a result");
    let any = AliasClass::Any;
    let count = cur.load(context, thread::THREAD_STATICS_LEN, MemType::I64, any);
    let known = cur.icmp(IntCc::Ult, index, count);
    cur.brif(known, target(look, &[]), target(slow, &[]));
    cur.switch_to(look);
    let table = cur.load(context, thread::THREAD_STATICS, MemType::I64, any);
    let entry = cur.emit(Op::AddrIndex, Type::I64, &[table, index], Imm::Size(8, 0));
    let entry = entry.expect("addr_index has a result");
    let block = cur.load(entry, 0, MemType::I64, any);
    let missing = cur.icmp_imm(IntCc::Eq, block, 0);
    cur.brif(missing, target(slow, &[]), target(done, &[block]));
    cur.switch_to(slow);
    let block = cur.helper(HelperId::ThreadStaticsBase, &[index]);
    cur.jump(done, block.as_slice());
    cur.switch_to(done);
    result
}

/// `generic_lookup`: the runtime finds the exact constant for the context and remembers it.
pub fn generic_lookup(cur: &mut Cursor<'_>, inst: &InstData) -> Value {
    let descriptor = match inst.imm {
        Imm::Lookup(LookupRef(n)) => {
            let lookup = cur.f.lookups[n as usize];
            match OpenFixup::try_from(lookup.fixup) {
                Ok(open) => cur.fixup(Fixup::GenericLookup(lookup.owner, open)),
                Err(()) => return closed_lookup(cur, lookup.fixup, inst.ty),
            }
        }
        _ => unreachable!("the op table says that generic_lookup has a lookup"),
    };
    let value = cur.helper(HelperId::GenericLookup, &[inst.args[0], descriptor]);
    cur.addr_cast(inst.ty, value.expect("the helper has a result"))
}

/// A lookup of something that cannot be open is a constant.
fn closed_lookup(cur: &mut Cursor<'_>, fixup: Fixup, ty: Type) -> Value {
    let value = cur.emit(Op::Const, ty, &[], Imm::Fixup(fixup));
    value.expect("const has a result")
}
