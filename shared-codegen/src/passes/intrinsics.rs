//! `intrinsics`: calls of well-known methods become operations.
//!
//! Before:
//! ```text
//!     v2 = call method#7{System.Math::Sqrt} sig0 v1
//! ```
//! after:
//! ```text
//!     v2 = fsqrt.f64 v1
//! ```
//! The methods are rows of [`TABLE`]; the oracle says which row a method is ([`find`]). What needs more than the operands (type
//! arguments, tokens, constants of the caller) is the importer's business. One walk, linear. Runs before inlining, which
//! would insert the bodies.

use super::cursor::target;
use super::{BarrierPolicy, Cursor, PassContext};
use crate::abi::helper::HelperId;
use crate::abi::layout::{method_table, string};
use crate::ir::{AliasClass, Function, Imm, InstData, IntCc, MemRef, MemType, Op, Type, Value};

/// The meaning of a well-known method.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Intrinsic {
    /// An op on the one operand.
    Unary(Op),
    /// An op on the one operand that needs rounding instructions.
    Rounding(Op),
    /// A helper with the same operands.
    Helper(HelperId),
    /// The first operand if the comparison holds, else the second.
    Choose(IntCc),
    /// A comparison.
    Compare(IntCc),
    /// An `i32` constant.
    Constant(i32),
    /// Nothing at all.
    Nothing,
    /// Full fence.
    Fence,
    /// Spin-loop hint.
    Pause,
    /// `String.Length`
    StringLength,
    /// `String.get_Chars`
    StringChar,
    /// `Array.Length`, `Array.LongLength`: the result type.
    ArrayLength(Type),
    /// `Object.GetType`
    GetType,
    /// Atomic addition of a constant; the new value.
    AtomicStep(MemType, i8),
    /// Atomic addition; the new value.
    AtomicAdd(MemType),
    /// Atomic exchange; the old value.
    AtomicExchange(MemType),
    /// `(address, new, expected)`; the old value.
    AtomicCompareExchange(MemType),
    /// Acquire load.
    VolatileLoad(MemType),
    /// Release store.
    VolatileStore(MemType),
}

use Intrinsic::*;
use MemType as M;

/// A well-known method of mscorlib.
struct Row {
    /// Namespace and name of the class.
    class: &'static str,
    /// Name of the method.
    method: &'static str,
    /// Parameters as [`find`] describes them.
    params: &'static str,
    /// What it does.
    meaning: Intrinsic,
}

macro_rules! table {
    ($($class:literal { $($method:literal ($params:literal) $meaning:expr;)* })*) => {
        /// All of them.
        const TABLE: &[Row] = &[$($(Row {
            class: $class, method: $method, params: $params, meaning: $meaning,
        }),*),*];
    };
}

table! {
    "System.Math" {
        "Sqrt"("d") Unary(Op::Fsqrt);
        "Abs"("d") Unary(Op::Fabs);
        "Abs"("f") Unary(Op::Fabs);
        "Floor"("d") Rounding(Op::Ffloor);
        "Ceiling"("d") Rounding(Op::Fceil);
        "Round"("d") Rounding(Op::Fround);
        "Truncate"("d") Rounding(Op::Ftrunc);
        "Sin"("d") Helper(HelperId::Sin);
        "Cos"("d") Helper(HelperId::Cos);
        "Tan"("d") Helper(HelperId::Tan);
        "Atan"("d") Helper(HelperId::Atan);
        "Atan2"("dd") Helper(HelperId::Atan2);
        "Exp"("d") Helper(HelperId::Exp);
        "Log"("d") Helper(HelperId::Log);
        "Log10"("d") Helper(HelperId::Log10);
        "Pow"("dd") Helper(HelperId::Pow);
        "FMod"("dd") Helper(HelperId::FmodF64);
        "Min"("ii") Choose(IntCc::Sle);
        "Min"("ll") Choose(IntCc::Sle);
        "Min"("II") Choose(IntCc::Ule);
        "Min"("LL") Choose(IntCc::Ule);
        "Max"("ii") Choose(IntCc::Sge);
        "Max"("ll") Choose(IntCc::Sge);
        "Max"("II") Choose(IntCc::Uge);
        "Max"("LL") Choose(IntCc::Uge);
    }
    "System.MathF" {
        "Sqrt"("f") Unary(Op::Fsqrt);
        "Abs"("f") Unary(Op::Fabs);
        "Floor"("f") Rounding(Op::Ffloor);
        "Ceiling"("f") Rounding(Op::Fceil);
        "FMod"("ff") Helper(HelperId::FmodF32);
    }
    "System.String" {
        "get_Length"("") StringLength;
        "get_Chars"("i") StringChar;
    }
    "System.Array" {
        "get_Length"("") ArrayLength(Type::I32);
        "get_LongLength"("") ArrayLength(Type::I64);
    }
    "System.Object" {
        ".ctor"("") Nothing;
        "GetType"("") GetType;
        "ReferenceEquals"("oo") Compare(IntCc::Eq);
    }
    "System.Type" {
        "op_Equality"("??") Compare(IntCc::Eq);
        "op_Inequality"("??") Compare(IntCc::Ne);
    }
    "System.Runtime.CompilerServices.RuntimeHelpers" {
        "get_OffsetToStringData"("") Constant(string::DATA);
    }
    "System.Threading.Interlocked" {
        "MemoryBarrier"("") Fence;
        "Increment"("&i") AtomicStep(M::I32, 1);
        "Increment"("&l") AtomicStep(M::I64, 1);
        "Decrement"("&i") AtomicStep(M::I32, -1);
        "Decrement"("&l") AtomicStep(M::I64, -1);
        "Add"("&ii") AtomicAdd(M::I32);
        "Add"("&ll") AtomicAdd(M::I64);
        "Exchange"("&ii") AtomicExchange(M::I32);
        "Exchange"("&ll") AtomicExchange(M::I64);
        "Exchange"("&nn") AtomicExchange(M::I64);
        "Exchange"("&oo") AtomicExchange(M::Ref);
        "CompareExchange"("&iii") AtomicCompareExchange(M::I32);
        "CompareExchange"("&lll") AtomicCompareExchange(M::I64);
        "CompareExchange"("&nnn") AtomicCompareExchange(M::I64);
        "CompareExchange"("&ooo") AtomicCompareExchange(M::Ref);
        "Read"("&l") VolatileLoad(M::I64);
    }
    "System.Threading.Thread" {
        "MemoryBarrier"("") Fence;
        "SpinWait_nop"("") Pause;
        "VolatileRead"("&i") VolatileLoad(M::I32);
        "VolatileRead"("&I") VolatileLoad(M::I32);
        "VolatileRead"("&l") VolatileLoad(M::I64);
        "VolatileRead"("&L") VolatileLoad(M::I64);
        "VolatileRead"("&n") VolatileLoad(M::I64);
        "VolatileRead"("&d") VolatileLoad(M::F64);
        "VolatileRead"("&o") VolatileLoad(M::Ref);
        "VolatileWrite"("&ii") VolatileStore(M::I32);
        "VolatileWrite"("&II") VolatileStore(M::I32);
        "VolatileWrite"("&ll") VolatileStore(M::I64);
        "VolatileWrite"("&LL") VolatileStore(M::I64);
        "VolatileWrite"("&nn") VolatileStore(M::I64);
        "VolatileWrite"("&dd") VolatileStore(M::F64);
        "VolatileWrite"("&oo") VolatileStore(M::Ref);
    }
    "System.Threading.Volatile" {
        "Read"("&i") VolatileLoad(M::I32);
        "Read"("&l") VolatileLoad(M::I64);
        "Read"("&L") VolatileLoad(M::I64);
        "Read"("&d") VolatileLoad(M::F64);
        "Write"("&ii") VolatileStore(M::I32);
        "Write"("&ll") VolatileStore(M::I64);
        "Write"("&LL") VolatileStore(M::I64);
        "Write"("&dd") VolatileStore(M::F64);
    }
}

/// The classes of the table: namespace and name.
pub fn is_class(namespace: &str, name: &str) -> bool {
    TABLE.iter().any(|r| {
        let rest = r
            .class
            .strip_prefix(namespace)
            .and_then(|c| c.strip_prefix('.'));
        rest == Some(name)
    })
}

/// The row of a non-generic method of mscorlib. `params` has a letter for each parameter without `this`: `i l n` signed 32-bit,
/// 64-bit, native integers, `I L N` unsigned ones, `f d` floats, `o` object, `s` string, `?` anything else; `&` before
/// it for a by-reference parameter.
pub fn find(class: &str, method: &str, params: &str) -> Option<Intrinsic> {
    let row = TABLE
        .iter()
        .find(|r| r.method == method && r.params == params && r.class == class);
    row.map(|r| r.meaning)
}

/// Runs the pass.
pub fn run(f: &mut Function, cx: &PassContext) -> bool {
    Cursor::rewrite(f, |cur, inst| {
        let data = &cur.f.insts[inst.index()];
        let (Op::Call | Op::CallInternal, Imm::Call(info)) = (data.op, data.imm) else {
            return false;
        };
        let Some(meaning) = info.method.and_then(|m| cx.oracle.intrinsic(m)) else {
            return false;
        };
        let mut data = data.clone();
        for v in &mut data.args {
            *v = cur.f.resolve(*v);
        }
        if !applies(cur, cx, meaning, &data) {
            return false;
        }
        let value = emit(cur, meaning, &data);
        cur.replace_result(inst, value);
        true
    })
}

/// The target can do it, and the operands are as the table supposes.
fn applies(cur: &Cursor<'_>, cx: &PassContext, meaning: Intrinsic, call: &InstData) -> bool {
    let count = match meaning {
        Constant(_) | Fence | Pause => 0,
        Unary(_) | Rounding(_) | Nothing | StringLength | ArrayLength(_) | GetType
        | AtomicStep(..) | VolatileLoad(_) => 1,
        Choose(_) | Compare(_) | StringChar | AtomicAdd(_) | AtomicExchange(_)
        | VolatileStore(_) => 2,
        AtomicCompareExchange(_) => 3,
        Helper(h) => h.info().params.len(),
    };
    let barrier = cx.barriers != BarrierPolicy::None;
    let allowed = match meaning {
        Rounding(_) => cx.has_round,
        AtomicExchange(M::Ref) | AtomicCompareExchange(M::Ref) => !barrier,
        Unary(_) => cur.f.ty(call.args[0]).is_float(),
        _ => true,
    };
    allowed && call.args.len() == count
}

fn emit(cur: &mut Cursor<'_>, meaning: Intrinsic, call: &InstData) -> Option<Value> {
    let a = &call.args;
    match meaning {
        Unary(op) | Rounding(op) => Some(cur.unary(op, a[0])),
        Helper(helper) => cur.helper(helper, a),
        Choose(cc) => {
            let first = cur.icmp(cc, a[0], a[1]);
            let ty = cur.f.ty(a[0]);
            cur.emit(Op::Select, ty, &[first, a[0], a[1]], Imm::None)
        }
        Compare(cc) => Some(cur.icmp(cc, a[0], a[1])),
        Constant(n) => Some(cur.iconst(Type::I32, n.into())),
        Nothing => None,
        Fence => cur.emit(Op::Fence, Type::I32, &[], Imm::None),
        Pause => cur.emit(Op::Pause, Type::I32, &[], Imm::None),
        StringLength => Some(string_length(cur, a[0])),
        StringChar => Some(string_char(cur, a[0], a[1])),
        ArrayLength(ty) => array_length(cur, a[0], ty),
        GetType => Some(get_type(cur, call)),
        AtomicStep(ty, n) => {
            let step = cur.iconst(ty.value_type(), n.into());
            atomic_add(cur, ty, a[0], step)
        }
        AtomicAdd(ty) => atomic_add(cur, ty, a[0], a[1]),
        AtomicExchange(ty) => atomic(cur, Op::AtomicXchg, ty, &[a[0], a[1]]),
        AtomicCompareExchange(ty) => atomic(cur, Op::AtomicCas, ty, &[a[0], a[2], a[1]]),
        VolatileLoad(ty) => {
            cur.null_check(a[0]);
            cur.emit(Op::Load, ty.value_type(), &[a[0]], volatile(ty))
        }
        VolatileStore(ty) => {
            cur.null_check(a[0]);
            let op = if ty == M::Ref {
                Op::StoreRef
            } else {
                Op::Store
            };
            cur.emit(op, Type::I32, &[a[0], a[1]], volatile(ty))
        }
    }
}

fn volatile(ty: MemType) -> Imm {
    Imm::Mem(MemRef {
        offset: 0,
        ty,
        alias: AliasClass::Any,
        volatile: true,
    })
}

fn atomic(cur: &mut Cursor<'_>, op: Op, ty: MemType, args: &[Value]) -> Option<Value> {
    cur.null_check(args[0]);
    cur.emit(op, ty.value_type(), args, Imm::Atomic(ty, AliasClass::Any))
}

/// The op gives the old value, the methods the new one.
fn atomic_add(cur: &mut Cursor<'_>, ty: MemType, addr: Value, addend: Value) -> Option<Value> {
    let old = atomic(cur, Op::AtomicAdd, ty, &[addr, addend])?;
    Some(cur.binary(Op::Iadd, old, addend))
}

fn string_length(cur: &mut Cursor<'_>, s: Value) -> Value {
    cur.null_check(s);
    cur.load(s, string::LENGTH, M::I32, AliasClass::Immutable)
}

fn string_char(cur: &mut Cursor<'_>, s: Value, index: Value) -> Value {
    let length = string_length(cur, s);
    cur.emit(Op::BoundsCheck, Type::I32, &[index, length], Imm::None);
    let wide = cur.convert(Op::Zext32, Type::I64, index);
    let imm = Imm::Size(2, string::DATA);
    let addr = cur.emit(Op::AddrIndex, Type::ByRef, &[s, wide], imm);
    let addr = addr.expect("addr_index has a result");
    cur.load(addr, 0, M::U16, AliasClass::Element(M::U16))
}

fn array_length(cur: &mut Cursor<'_>, array: Value, ty: Type) -> Option<Value> {
    cur.null_check(array);
    let length = cur.emit(Op::ArrayLen, Type::I64, &[array], Imm::None)?;
    if ty == Type::I64 {
        return Some(length);
    }
    Some(cur.convert(Op::Trunc, Type::I32, length))
}

/// The type object from the method table; the method itself while there is none yet.
fn get_type(cur: &mut Cursor<'_>, call: &InstData) -> Value {
    let object = call.args[0];
    cur.null_check(object);
    let table = cur.method_table(object);
    let ty = cur.load(table, method_table::TYPE_OBJECT, M::Ref, AliasClass::Any);
    let (slow, done) = (cur.new_block(true), cur.new_block(false));
    let result = cur.add_param(done, Type::Ref);
    let missing = cur.is_null(ty);
    cur.brif(missing, target(slow, &[]), target(done, &[ty]));
    cur.switch_to(slow);
    let ty = cur.emit(call.op, call.ty, &call.args, call.imm);
    cur.jump(done, ty.as_slice());
    cur.switch_to(done);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_distinct() {
        for (n, row) in TABLE.iter().enumerate() {
            assert_eq!(find(row.class, row.method, row.params), Some(row.meaning));
            let again = TABLE[n + 1..]
                .iter()
                .any(|r| (r.class, r.method, r.params) == (row.class, row.method, row.params));
            assert!(!again, "{}::{}({})", row.class, row.method, row.params);
        }
        assert!(is_class("System", "Math") && !is_class("System.Math", ""));
    }
}
