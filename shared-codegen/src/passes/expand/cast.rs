//! Type tests: `castclass`, `isinst`, `unbox`, array store checks.
//!
//! The test is chosen by [`CastTest`]: equal method tables; the display of base classes (Cohen, "Type-extension type tests
//! can be performed in constant time", TOPLAS 1991); or the runtime, unless the method table of the object notes that it was asked the same the last
//! time (as in C. Click and J. Rose, "Fast subtype checking in the HotSpot JVM", JGI 2002, but for both answers).

use super::super::cursor::{Cursor, target};
use super::super::{CastTest, PassContext};
use crate::abi::fixup::Fixup;
use crate::abi::helper::HelperId;
use crate::abi::layout::{method_table, object};
use crate::abi::trap::TrapKind;
use crate::ir::{AliasClass, Block, Imm, InstData, IntCc, MemType, Op, Type, Value};

fn cast_test(cx: &PassContext, inst: &InstData) -> CastTest {
    match inst.imm {
        Imm::Type(ty) => cx.oracle.cast_test(ty),
        _ => CastTest::Slow,
    }
}

/// `castclass`: null passes; otherwise the object is an instance, or InvalidCast.
pub fn cast_class(cur: &mut Cursor<'_>, cx: &PassContext, inst: &InstData) -> Value {
    let (table, obj) = (inst.args[0], inst.args[1]);
    let test = cast_test(cx, inst);
    if test == CastTest::Always {
        return obj;
    }
    let (check, done) = (cur.new_block(false), cur.new_block(false));
    let is_null = cur.is_null(obj);
    cur.brif(is_null, target(done, &[]), target(check, &[]));
    cur.switch_to(check);
    let actual = cur.method_table(obj);
    if test == CastTest::Exact {
        cur.trap_if(IntCc::Ne, actual, table, TrapKind::InvalidCast);
        cur.jump(done, &[]);
    } else {
        let no = cur.new_block(true);
        if test == CastTest::Slow {
            let asked = last_cast(cur, actual, table);
            let passed = cur.icmp_imm(IntCc::Eq, asked, PASSED);
            cur.brif(passed, target(done, &[]), target(no, &[]));
            cur.switch_to(no);
            cur.helper(HelperId::CastClass, &[table, obj]);
            cur.jump(done, &[]);
        } else {
            instance_test(cur, test, table, actual, done, no);
            cur.switch_to(no);
            cur.trap(TrapKind::InvalidCast);
        }
    }
    cur.switch_to(done);
    obj
}

/// `isinst`: the object if it is an instance, else null.
pub fn is_inst(cur: &mut Cursor<'_>, cx: &PassContext, inst: &InstData) -> Value {
    let (table, obj) = (inst.args[0], inst.args[1]);
    let test = cast_test(cx, inst);
    if test == CastTest::Always {
        return obj;
    }
    let (check, yes, no, done) = (
        cur.new_block(false),
        cur.new_block(false),
        cur.new_block(false),
        cur.new_block(false),
    );
    let result = cur.add_param(done, Type::Ref);
    let is_null = cur.is_null(obj);
    let null = cur.null();
    cur.brif(is_null, target(done, &[null]), target(check, &[]));
    cur.switch_to(check);
    let actual = cur.method_table(obj);
    if test == CastTest::Slow {
        let (other, ask) = (cur.new_block(false), cur.new_block(true));
        let asked = last_cast(cur, actual, table);
        let passed = cur.icmp_imm(IntCc::Eq, asked, PASSED);
        cur.brif(passed, target(yes, &[]), target(other, &[]));
        cur.switch_to(other);
        let failed = cur.icmp_imm(IntCc::Eq, asked, FAILED);
        cur.brif(failed, target(no, &[]), target(ask, &[]));
        cur.switch_to(ask);
        let answer = cur.helper(HelperId::IsInst, &[table, obj]);
        cur.jump(done, answer.as_slice());
    } else {
        instance_test(cur, test, table, actual, yes, no);
    }
    cur.switch_to(yes);
    cur.jump(done, &[obj]);
    cur.switch_to(no);
    let null = cur.null();
    cur.jump(done, &[null]);
    cur.switch_to(done);
    result
}

/// [`last_cast`] if the last test was for the same type and the object passed.
const PASSED: i64 = 1;
/// The same if it did not.
const FAILED: i64 = 0;

/// Compares what the method table notes of the last test ([`method_table::LAST_CAST`]) with a type: [`PASSED`], [`FAILED`] or
/// something else. The note may change at any time, but is never wrong.
fn last_cast(cur: &mut Cursor<'_>, actual: Value, table: Value) -> Value {
    let offset = method_table::LAST_CAST;
    let noted = cur.load(actual, offset, MemType::I64, AliasClass::Any);
    cur.binary(Op::Xor, noted, table)
}

/// Branches to `yes` if the method table `actual` is that of an instance of `table`, else to `no`.
fn instance_test(
    cur: &mut Cursor<'_>,
    test: CastTest,
    table: Value,
    actual: Value,
    yes: Block,
    no: Block,
) {
    let CastTest::Class { depth, is_abstract } = test else {
        let equal = cur.icmp(IntCc::Eq, actual, table);
        return cur.brif(equal, target(yes, &[]), target(no, &[]));
    };
    if !is_abstract {
        let more = cur.new_block(false);
        let equal = cur.icmp(IntCc::Eq, actual, table);
        cur.brif(equal, target(yes, &[]), target(more, &[]));
        cur.switch_to(more);
    }
    let fixed = AliasClass::Immutable;
    let deep = cur.load(actual, method_table::DEPTH, MemType::I32, fixed);
    let enough = cur.icmp_imm(IntCc::Uge, deep, depth.into());
    let display = cur.new_block(false);
    cur.brif(enough, target(display, &[]), target(no, &[]));
    cur.switch_to(display);
    let supers = cur.load(actual, method_table::SUPERS, MemType::I64, fixed);
    let base = cur.load(supers, 8 * depth as i32, MemType::I64, fixed);
    let found = cur.icmp(IntCc::Eq, base, table);
    cur.brif(found, target(yes, &[]), target(no, &[]));
}

/// `unbox`: address of the data of a box of the type.
pub fn unbox(cur: &mut Cursor<'_>, cx: &PassContext, inst: &InstData) -> Value {
    let (table, obj) = (inst.args[0], inst.args[1]);
    cur.null_check(obj);
    let actual = cur.method_table(obj);
    let exact = matches!(inst.imm, Imm::Type(ty) if cx.oracle.unbox_is_exact(ty));
    if exact {
        cur.trap_if(IntCc::Ne, actual, table, TrapKind::InvalidCast);
        return cur.addr_offset(obj, object::HEADER.into());
    }
    let (same, other, done) = (
        cur.new_block(false),
        cur.new_block(true),
        cur.new_block(false),
    );
    let result = cur.add_param(done, Type::ByRef);
    let equal = cur.icmp(IntCc::Eq, actual, table);
    cur.brif(equal, target(same, &[]), target(other, &[]));
    cur.switch_to(same);
    let data = cur.addr_offset(obj, object::HEADER.into());
    cur.jump(done, &[data]);
    cur.switch_to(other);
    let data = cur.helper(HelperId::Unbox, &[table, obj]);
    cur.jump(done, data.as_slice());
    cur.switch_to(done);
    result
}

/// `array_store_check`: null, an object of exactly the element type, and anything into `object[]` may be stored.
pub fn array_store_check(cur: &mut Cursor<'_>, cx: &PassContext, inst: &InstData) -> Option<Value> {
    let (array, obj) = (inst.args[0], inst.args[1]);
    let (check, unequal, done) = (
        cur.new_block(false),
        cur.new_block(false),
        cur.new_block(false),
    );
    let is_null = cur.is_null(obj);
    cur.brif(is_null, target(done, &[]), target(check, &[]));
    cur.switch_to(check);
    let array_table = cur.method_table(array);
    let fixed = AliasClass::Immutable;
    let element = cur.load(array_table, method_table::ELEMENT, MemType::I64, fixed);
    let actual = cur.method_table(obj);
    let equal = cur.icmp(IntCc::Eq, element, actual);
    cur.brif(equal, target(done, &[]), target(unequal, &[]));
    cur.switch_to(unequal);
    if let Some(ty) = cx.oracle.object_type() {
        let slow = cur.new_block(true);
        let top = cur.fixup(Fixup::MethodTable(ty));
        let any = cur.icmp(IntCc::Eq, element, top);
        let other = cur.new_block(false);
        cur.brif(any, target(done, &[]), target(other, &[]));
        cur.switch_to(other);
        let asked = last_cast(cur, actual, element);
        let passed = cur.icmp_imm(IntCc::Eq, asked, PASSED);
        cur.brif(passed, target(done, &[]), target(slow, &[]));
        cur.switch_to(slow);
    }
    cur.helper(HelperId::ArrayStoreCheck, &[array, obj]);
    cur.jump(done, &[]);
    cur.switch_to(done);
    None
}
