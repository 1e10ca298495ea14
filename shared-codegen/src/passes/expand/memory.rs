//! Stores of references and block operations.

use super::super::cursor::{Cursor, target};
use super::super::{BarrierPolicy, PassContext};
use crate::abi::helper::HelperId;
use crate::ir::{Imm, InstData, IntCc, Op, Type, Value};

/// Largest constant `cpblk`/`initblk` that is done by moves instead of a call.
const MAX_INLINE_BYTES: i64 = 128;

/// `store_ref`: the store, and what the collector must be told.
pub fn store_ref(cur: &mut Cursor<'_>, cx: &PassContext, inst: &InstData) -> Option<Value> {
    cur.emit(Op::Store, inst.ty, &inst.args, inst.imm);
    if cx.barriers == BarrierPolicy::Helper {
        let address = cur.addr_cast(Type::ByRef, inst.args[0]);
        cur.helper(HelperId::WriteBarrier, &[address]);
    }
    None
}

/// `copy_struct`: a plain copy, or the helper that copies with barriers.
pub fn copy_struct(cur: &mut Cursor<'_>, cx: &PassContext, inst: &InstData) -> Option<Value> {
    if cx.barriers == BarrierPolicy::None {
        return cur.emit(Op::CopyBlock, inst.ty, &inst.args, inst.imm);
    }
    let Imm::Size(bytes, _) = inst.imm else {
        return None;
    };
    let to = cur.addr_cast(Type::ByRef, inst.args[0]);
    let from = cur.addr_cast(Type::ByRef, inst.args[1]);
    let bytes = cur.iconst(Type::I64, bytes.into());
    cur.helper(HelperId::CopyWithRefs, &[to, from, bytes])
}

/// `cpblk`: nothing for zero bytes, else both addresses are probed.
pub fn mem_copy(cur: &mut Cursor<'_>, inst: &InstData) -> Option<Value> {
    let (to, from, bytes) = (inst.args[0], inst.args[1], inst.args[2]);
    match cur.const_int(bytes) {
        Some(0) => return None,
        Some(n @ 1..=MAX_INLINE_BYTES) => {
            cur.null_check(to);
            cur.null_check(from);
            return cur.emit(
                Op::CopyBlock,
                Type::I32,
                &[to, from],
                Imm::Size(n as u32, 0),
            );
        }
        _ => {}
    }
    unless_zero(cur, bytes, |cur, bytes| {
        cur.null_check(to);
        cur.null_check(from);
        let to = cur.addr_cast(Type::I64, to);
        let from = cur.addr_cast(Type::I64, from);
        cur.helper(HelperId::MemMove, &[to, from, bytes]);
    });
    None
}

/// `initblk`: nothing for zero bytes, else the address is probed.
pub fn mem_fill(cur: &mut Cursor<'_>, inst: &InstData) -> Option<Value> {
    let (to, byte, bytes) = (inst.args[0], inst.args[1], inst.args[2]);
    match (cur.const_int(bytes), cur.const_int(byte)) {
        (Some(0), _) => return None,
        (Some(n @ 1..=MAX_INLINE_BYTES), Some(0)) => {
            cur.null_check(to);
            return cur.emit(Op::ZeroBlock, Type::I32, &[to], Imm::Size(n as u32, 0));
        }
        _ => {}
    }
    unless_zero(cur, bytes, |cur, bytes| {
        cur.null_check(to);
        let to = cur.addr_cast(Type::I64, to);
        cur.helper(HelperId::MemSet, &[to, byte, bytes]);
    });
    None
}

/// Runs `body` with the size (u32) as i64, unless it is zero.
fn unless_zero(cur: &mut Cursor<'_>, bytes: Value, body: impl FnOnce(&mut Cursor<'_>, Value)) {
    let (work, done) = (cur.new_block(false), cur.new_block(false));
    let empty = cur.icmp_imm(IntCc::Eq, bytes, 0);
    cur.brif(empty, target(done, &[]), target(work, &[]));
    cur.switch_to(work);
    let wide = cur.convert(Op::Zext32, Type::I64, bytes);
    body(cur, wide);
    cur.jump(done, &[]);
    cur.switch_to(done);
}
