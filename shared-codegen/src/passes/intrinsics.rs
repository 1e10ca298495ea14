//! `intrinsics`: calls of well-known methods become operations.
//!
//! Before:
//! ```text
//!     v2 = call method#7{System.MathF::Sqrt} sig0 v1
//! ```
//! after:
//! ```text
//!     v2 = fsqrt.f32 v1
//! ```
//! The methods are rows of [`TABLE`]; the oracle says which row a method is ([`find`]). Methods that must never be called, and
//! those that need more than the operands (type arguments, tokens), are the importer's business (`import::intrinsics`). One walk, linear. Runs before inlining, which
//! would insert the bodies.

use super::cursor::target;
use super::{Cursor, PassContext};
use crate::abi::helper::HelperId;
use crate::abi::layout::method_table;
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
    /// Nothing at all.
    Nothing,
    /// `Array.Length`, `Array.LongLength`: the result type.
    ArrayLength(Type),
    /// `Object.GetType`
    GetType,
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
        "Abs"("f") Unary(Op::Fabs);
        "Floor"("d") Rounding(Op::Ffloor);
        "Ceiling"("d") Rounding(Op::Fceil);
        "Round"("d") Rounding(Op::Fround);
        "Truncate"("d") Rounding(Op::Ftrunc);
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
    "System.Threading.Thread" {
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
        Unary(_) | Rounding(_) | Nothing | ArrayLength(_) | GetType | VolatileLoad(_) => 1,
        Choose(_) | Compare(_) | VolatileStore(_) => 2,
        Helper(h) => h.info().params.len(),
    };
    let allowed = match meaning {
        Rounding(_) => cx.has_round,
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
        Nothing => None,
        ArrayLength(ty) => array_length(cur, a[0], ty),
        GetType => Some(get_type(cur, call)),
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
