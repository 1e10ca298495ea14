//! Every arithmetic op against its meaning in Rust, with operands in registers and as constants.
#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "the unordered conditions are the negations of the ordered ones"
)]

use crate::harness::{Arg, Case, Outcome, run_everywhere};
use shared_codegen::abi::trap::TrapKind;
use shared_codegen::ir::text::parse_functions;
use std::fmt::Write;

/// Values with an interesting edge in them.
const WORDS: [i64; 15] = [
    0,
    1,
    -1,
    2,
    7,
    -5,
    31,
    64,
    255,
    0x7fff_ffff,
    -0x8000_0000,
    0xffff_ffff,
    i64::MAX,
    i64::MIN,
    0x1234_5678_9abc_def0,
];

/// Result of an op, or why it traps.
type Fallible = Result<i64, TrapKind>;

/// A binary op with its meaning on 32 and 64 bits.
struct Binary {
    name: &'static str,
    m32: fn(i32, i32) -> Fallible,
    m64: fn(i64, i64) -> Fallible,
    /// The second operand is an i32 whatever the type.
    shift: bool,
    /// The operands the op must not be given: a zero divisor, `MinValue / -1`.
    partial: bool,
}

macro_rules! binary {
    ($($name:literal |$a:ident, $b:ident| $e32:expr, $e64:expr; $shift:literal $partial:literal)*) => {
        [$(Binary { name: $name, m32: |$a: i32, $b: i32| $e32, m64: |$a: i64, $b: i64| $e64, shift: $shift, partial: $partial }),*]
    };
}

fn overflow<T: Into<i64>>(r: Option<T>) -> Fallible {
    r.map(Into::into).ok_or(TrapKind::Overflow)
}

fn unsigned32(r: Option<u32>) -> Fallible {
    overflow(r.map(|v| v as i32))
}

fn unsigned64(r: Option<u64>) -> Fallible {
    overflow(r.map(|v| v as i64))
}

fn binaries() -> Vec<Binary> {
    binary! {
        "iadd" |a, b| Ok(a.wrapping_add(b) as i64), Ok(a.wrapping_add(b)); false false
        "isub" |a, b| Ok(a.wrapping_sub(b) as i64), Ok(a.wrapping_sub(b)); false false
        "imul" |a, b| Ok(a.wrapping_mul(b) as i64), Ok(a.wrapping_mul(b)); false false
        "imul_high" |a, b| Ok((a as i64 * b as i64) >> 32), Ok(((a as i128 * b as i128) >> 64) as i64); false false
        "umul_high" |a, b| Ok(((a as u32 as u64 * b as u32 as u64) >> 32) as i64), Ok(((a as u64 as u128 * b as u64 as u128) >> 64) as i64); false false
        "sdiv" |a, b| Ok((a / b) as i64), Ok(a / b); false true
        "srem" |a, b| Ok((a % b) as i64), Ok(a % b); false true
        "udiv" |a, b| Ok((a as u32 / b as u32) as i64), Ok((a as u64 / b as u64) as i64); false true
        "urem" |a, b| Ok((a as u32 % b as u32) as i64), Ok((a as u64 % b as u64) as i64); false true
        "and" |a, b| Ok((a & b) as i64), Ok(a & b); false false
        "or" |a, b| Ok((a | b) as i64), Ok(a | b); false false
        "xor" |a, b| Ok((a ^ b) as i64), Ok(a ^ b); false false
        "shl" |a, b| Ok(a.wrapping_shl(b as u32) as i64), Ok(a.wrapping_shl(b as u32)); true false
        "shr_s" |a, b| Ok(a.wrapping_shr(b as u32) as i64), Ok(a.wrapping_shr(b as u32)); true false
        "shr_u" |a, b| Ok((a as u32).wrapping_shr(b as u32) as i64), Ok((a as u64).wrapping_shr(b as u32) as i64); true false
        "rotl" |a, b| Ok(a.rotate_left(b as u32 % 32) as i64), Ok(a.rotate_left(b as u32 % 64)); true false
        "add_ovf_s" |a, b| overflow(a.checked_add(b)), overflow(a.checked_add(b)); false false
        "sub_ovf_s" |a, b| overflow(a.checked_sub(b)), overflow(a.checked_sub(b)); false false
        "mul_ovf_s" |a, b| overflow(a.checked_mul(b)), overflow(a.checked_mul(b)); false false
        "add_ovf_u" |a, b| unsigned32((a as u32).checked_add(b as u32)), unsigned64((a as u64).checked_add(b as u64)); false false
        "sub_ovf_u" |a, b| unsigned32((a as u32).checked_sub(b as u32)), unsigned64((a as u64).checked_sub(b as u64)); false false
        "mul_ovf_u" |a, b| unsigned32((a as u32).checked_mul(b as u32)), unsigned64((a as u64).checked_mul(b as u64)); false false
    }
    .into()
}

/// Source and expectations, collected.
#[derive(Default)]
struct Program {
    text: String,
    functions: usize,
    cases: Vec<Case>,
}

impl Program {
    fn function(&mut self, signature: &str, body: &str) -> usize {
        let n = self.functions;
        let _ = writeln!(self.text, "function \"f{n}\" {signature} {{\n{body}}}");
        self.functions += 1;
        n
    }

    fn case(&mut self, function: usize, args: &[i64], expect: Fallible) {
        let expect = match expect {
            Ok(v) => Outcome::Value(v as u64),
            Err(kind) => Outcome::Trap(kind),
        };
        let args = args.iter().map(|a| Arg::Bits(*a as u64)).collect();
        self.cases.push(Case {
            function,
            args,
            expect,
        });
    }

    fn run(self, name: &str) {
        let functions =
            parse_functions(&self.text).unwrap_or_else(|e| panic!("{name}: {e:?}\n{}", self.text));
        run_everywhere(name, &functions, &self.cases);
    }
}

/// The meaning at a width, on values cut to it.
fn meaning(op: &Binary, wide: bool, a: i64, b: i64) -> Option<Fallible> {
    let b = if op.shift { b as i32 as i64 } else { b };
    let (b, overflows) = match wide {
        true => (b, a == i64::MIN && b == -1),
        false => (b as i32 as i64, a as i32 == i32::MIN && b as i32 == -1),
    };
    if op.partial && (b == 0 || overflows && op.name.starts_with('s')) {
        return None;
    }
    Some(match wide {
        true => (op.m64)(a, b),
        false => (op.m32)(a as i32, b as i32),
    })
}

#[test]
fn binary_ops_in_registers() {
    let mut p = Program::default();
    for op in binaries() {
        for (wide, ty) in [(false, "i32"), (true, "i64")] {
            let second = if op.shift { "i32" } else { ty };
            let body = format!(
                "block0(v0: {ty}, v1: {second}):\n v2 = {}.{ty} v0, v1\n return v2\n",
                op.name
            );
            let f = p.function(&format!("({ty}, {second}) -> {ty}"), &body);
            for a in WORDS {
                for b in WORDS {
                    if let Some(m) = meaning(&op, wide, a, b) {
                        p.case(f, &[a, b], m);
                    }
                }
            }
        }
    }
    p.run("binary_ops_in_registers");
}

#[test]
fn binary_ops_with_a_constant() {
    let mut p = Program::default();
    for op in binaries() {
        for (wide, ty) in [(false, "i32"), (true, "i64")] {
            for b in WORDS {
                let second = if op.shift { "i32" } else { ty };
                let c = if second == "i32" { b as i32 as i64 } else { b };
                let body = format!(
                    "block0(v0: {ty}):\n v1 = iconst.{second} {c}\n v2 = {}.{ty} v0, v1\n return v2\n",
                    op.name
                );
                // Both orders, where the first operand may be the constant.
                let swapped = body.replace("v0, v1", "v1, v0");
                let f = p.function(&format!("({ty}) -> {ty}"), &body);
                let g = (!op.shift).then(|| p.function(&format!("({ty}) -> {ty}"), &swapped));
                for a in [0, 1, -1, 100, i64::MIN, 0x7fff_ffff, -0x8000_0000] {
                    if let Some(m) = meaning(&op, wide, a, b) {
                        p.case(f, &[a], m);
                    }
                    if let (Some(g), Some(m)) = (g, meaning(&op, wide, b, a)) {
                        p.case(g, &[a], m);
                    }
                }
            }
        }
    }
    p.run("binary_ops_with_a_constant");
}

#[test]
fn unary_ops() {
    type Meaning = (&'static str, &'static str, &'static str, fn(i64) -> i64);
    let table: [Meaning; 17] = [
        ("ineg", "i32", "i32", |a| (a as i32).wrapping_neg() as i64),
        ("ineg", "i64", "i64", |a| a.wrapping_neg()),
        ("not", "i32", "i32", |a| !(a as i32) as i64),
        ("not", "i64", "i64", |a| !a),
        ("clz", "i32", "i32", |a| (a as i32).leading_zeros() as i64),
        ("clz", "i64", "i64", |a| a.leading_zeros() as i64),
        ("ctz", "i32", "i32", |a| (a as i32).trailing_zeros() as i64),
        ("ctz", "i64", "i64", |a| a.trailing_zeros() as i64),
        ("popcnt", "i32", "i32", |a| (a as i32).count_ones() as i64),
        ("popcnt", "i64", "i64", |a| a.count_ones() as i64),
        ("sext8", "i32", "i32", |a| a as i8 as i64),
        ("sext16", "i32", "i32", |a| a as i16 as i64),
        ("zext8", "i32", "i32", |a| a as u8 as i64),
        ("zext16", "i32", "i32", |a| a as u16 as i64),
        ("sext32", "i32", "i64", |a| a as i32 as i64),
        ("zext32", "i32", "i64", |a| a as u32 as i64),
        ("trunc", "i64", "i32", |a| a as i32 as i64),
    ];
    let mut p = Program::default();
    for (op, from, to, m) in table {
        let typed = if ["ineg", "not", "clz", "ctz", "popcnt"].contains(&op) {
            format!("{op}.{to}")
        } else {
            op.into()
        };
        let body = format!("block0(v0: {from}):\n v1 = {typed} v0\n return v1\n");
        let f = p.function(&format!("({from}) -> {to}"), &body);
        for a in WORDS {
            p.case(f, &[a], Ok(m(a)));
        }
    }
    p.run("unary_ops");
}

#[test]
fn integer_comparisons_as_value_branch_and_select() {
    type Cc = (&'static str, fn(i64, i64) -> bool, fn(u64, u64) -> bool);
    let table: [Cc; 10] = [
        ("eq", |a, b| a == b, |_, _| true),
        ("ne", |a, b| a != b, |_, _| true),
        ("slt", |a, b| a < b, |_, _| true),
        ("sle", |a, b| a <= b, |_, _| true),
        ("sgt", |a, b| a > b, |_, _| true),
        ("sge", |a, b| a >= b, |_, _| true),
        ("ult", |_, _| true, |a, b| a < b),
        ("ule", |_, _| true, |a, b| a <= b),
        ("ugt", |_, _| true, |a, b| a > b),
        ("uge", |_, _| true, |a, b| a >= b),
    ];
    let mut p = Program::default();
    for (cc, signed, unsigned) in table {
        for (wide, ty) in [(false, "i32"), (true, "i64")] {
            let head = format!("block0(v0: {ty}, v1: {ty}):\n v2 = icmp {cc} v0, v1\n");
            let bodies = [
                format!("{head} return v2\n"),
                format!("{head} v3 = select.i32 v2, v2, v2\n return v3\n"),
                format!(
                    "{head} brif v2 block1, block2\nblock1:\n v3 = iconst.i32 1\n return v3\nblock2:\n v4 = iconst.i32 0\n return v4\n"
                ),
                format!(
                    "{head} v3 = iconst.i64 1\n v4 = iconst.i64 0\n v5 = select.i64 v2, v3, v4\n v6 = trunc v5\n return v6\n"
                ),
            ];
            for body in bodies {
                let f = p.function(&format!("({ty}, {ty}) -> i32"), &body);
                for a in WORDS {
                    for b in WORDS {
                        let (x, y) = if wide {
                            (a, b)
                        } else {
                            (a as i32 as i64, b as i32 as i64)
                        };
                        let (ux, uy) = if wide {
                            (a as u64, b as u64)
                        } else {
                            (a as u32 as u64, b as u32 as u64)
                        };
                        p.case(f, &[a, b], Ok((signed(x, y) && unsigned(ux, uy)) as i64));
                    }
                }
            }
        }
    }
    p.run("integer_comparisons_as_value_branch_and_select");
}

const FLOATS: [f64; 14] = [
    0.0,
    -0.0,
    1.0,
    -1.5,
    2.5,
    -0.4999,
    1e10,
    -1e19,
    9.3e18,
    1.7e308,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    5e-324,
];

#[test]
fn float_comparisons_as_value_branch_and_select() {
    type Cc = (&'static str, fn(f64, f64) -> bool);
    let table: [Cc; 14] = [
        ("eq", |a, b| a == b),
        ("ne", |a, b| a != b),
        ("lt", |a, b| a < b),
        ("le", |a, b| a <= b),
        ("gt", |a, b| a > b),
        ("ge", |a, b| a >= b),
        ("ueq", |a, b| a == b || a.is_nan() || b.is_nan()),
        ("one", |a, b| a != b && !a.is_nan() && !b.is_nan()),
        ("ult", |a, b| !(a >= b)),
        ("ule", |a, b| !(a > b)),
        ("ugt", |a, b| !(a <= b)),
        ("uge", |a, b| !(a < b)),
        ("ord", |a, b| !a.is_nan() && !b.is_nan()),
        ("uno", |a, b| a.is_nan() || b.is_nan()),
    ];
    let mut p = Program::default();
    for (cc, m) in table {
        for ty in ["f32", "f64"] {
            let head = format!("block0(v0: {ty}, v1: {ty}):\n v2 = fcmp {cc} v0, v1\n");
            let bodies = [
                format!("{head} return v2\n"),
                format!(
                    "{head} brif v2 block1, block2\nblock1:\n v3 = iconst.i32 1\n return v3\nblock2:\n v4 = iconst.i32 0\n return v4\n"
                ),
                format!(
                    "{head} v3 = iconst.i32 1\n v4 = iconst.i32 0\n v5 = select.i32 v2, v3, v4\n return v5\n"
                ),
            ];
            for body in bodies {
                let f = p.function(&format!("({ty}, {ty}) -> i32"), &body);
                for a in FLOATS {
                    for b in FLOATS {
                        let (args, r) = match ty {
                            "f32" => (
                                [(a as f32).to_bits() as i64, (b as f32).to_bits() as i64],
                                m(a as f32 as f64, b as f32 as f64),
                            ),
                            _ => ([a.to_bits() as i64, b.to_bits() as i64], m(a, b)),
                        };
                        p.case(f, &args, Ok(r as i64));
                    }
                }
            }
        }
    }
    p.run("float_comparisons_as_value_branch_and_select");
}

#[test]
fn float_arithmetic() {
    type Two = (&'static str, fn(f64, f64) -> f64, fn(f32, f32) -> f32);
    let two: [Two; 4] = [
        ("fadd", |a, b| a + b, |a, b| a + b),
        ("fsub", |a, b| a - b, |a, b| a - b),
        ("fmul", |a, b| a * b, |a, b| a * b),
        ("fdiv", |a, b| a / b, |a, b| a / b),
    ];
    type One = (&'static str, fn(f64) -> f64, fn(f32) -> f32);
    let one: [One; 7] = [
        ("fneg", |a| -a, |a| -a),
        ("fabs", |a| a.abs(), |a| a.abs()),
        ("fsqrt", |a| a.sqrt(), |a| a.sqrt()),
        ("fround", |a| a.round_ties_even(), |a| a.round_ties_even()),
        ("ffloor", |a| a.floor(), |a| a.floor()),
        ("fceil", |a| a.ceil(), |a| a.ceil()),
        ("ftrunc", |a| a.trunc(), |a| a.trunc()),
    ];
    let mut p = Program::default();
    for (op, m64, m32) in two {
        let f = p.function(
            "(f64, f64) -> f64",
            &format!("block0(v0: f64, v1: f64):\n v2 = {op}.f64 v0, v1\n return v2\n"),
        );
        let g = p.function(
            "(f32, f32) -> f32",
            &format!("block0(v0: f32, v1: f32):\n v2 = {op}.f32 v0, v1\n return v2\n"),
        );
        for a in FLOATS {
            for b in FLOATS {
                p.case(
                    f,
                    &[a.to_bits() as i64, b.to_bits() as i64],
                    Ok(m64(a, b).to_bits() as i64),
                );
                let (a, b) = (a as f32, b as f32);
                p.case(
                    g,
                    &[a.to_bits() as i64, b.to_bits() as i64],
                    Ok(m32(a, b).to_bits() as i64),
                );
            }
        }
    }
    for (op, m64, m32) in one {
        let f = p.function(
            "(f64) -> f64",
            &format!("block0(v0: f64):\n v1 = {op}.f64 v0\n return v1\n"),
        );
        let g = p.function(
            "(f32) -> f32",
            &format!("block0(v0: f32):\n v1 = {op}.f32 v0\n return v1\n"),
        );
        for a in FLOATS {
            p.case(f, &[a.to_bits() as i64], Ok(m64(a).to_bits() as i64));
            p.case(
                g,
                &[(a as f32).to_bits() as i64],
                Ok(m32(a as f32).to_bits() as i64),
            );
        }
    }
    p.run("float_arithmetic");
}

#[test]
fn float_conversions() {
    /// What `cvttsd2si` gives.
    fn to_i32(a: f64) -> i64 {
        if a.trunc() >= -2147483648.0 && a.trunc() <= 2147483647.0 {
            a as i32 as i64
        } else {
            i32::MIN as i64
        }
    }
    fn to_i64(a: f64) -> i64 {
        if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&a) {
            a as i64
        } else {
            i64::MIN
        }
    }
    let mut p = Program::default();
    let unary = |p: &mut Program, from: &str, to: &str, op: &str| {
        let body = format!("block0(v0: {from}):\n v1 = {op} v0\n return v1\n");
        p.function(&format!("({from}) -> {to}"), &body)
    };
    for a in FLOATS {
        let (b64, b32) = (a.to_bits() as i64, (a as f32).to_bits() as i64);
        let f = unary(&mut p, "f64", "i32", "to_int.i32");
        p.case(f, &[b64], Ok(to_i32(a)));
        let f = unary(&mut p, "f64", "i64", "to_int.i64");
        p.case(f, &[b64], Ok(to_i64(a)));
        let f = unary(&mut p, "f32", "i32", "to_int.i32");
        p.case(f, &[b32], Ok(to_i32(a as f32 as f64)));
        let f = unary(&mut p, "f32", "i64", "to_int.i64");
        p.case(f, &[b32], Ok(to_i64(a as f32 as f64)));
        let f = unary(&mut p, "f32", "f64", "fpromote");
        p.case(f, &[b32], Ok((a as f32 as f64).to_bits() as i64));
        let f = unary(&mut p, "f64", "f32", "fdemote");
        p.case(f, &[b64], Ok(b32));
        let f = unary(&mut p, "f64", "i64", "bitcast.i64");
        p.case(f, &[b64], Ok(b64));
        if (0.0..4e9).contains(&a) {
            let f = unary(&mut p, "f64", "i32", "to_uint.i32");
            p.case(f, &[b64], Ok(a as u32 as i64));
        }
        if (0.0..1.8e19).contains(&a) {
            let f = unary(&mut p, "f64", "i64", "to_uint.i64");
            p.case(f, &[b64], Ok(a as u64 as i64));
        }
    }
    for w in WORDS {
        let f = unary(&mut p, "i32", "f64", "from_int.f64");
        p.case(f, &[w], Ok((w as i32 as f64).to_bits() as i64));
        let f = unary(&mut p, "i64", "f64", "from_int.f64");
        p.case(f, &[w], Ok((w as f64).to_bits() as i64));
        let f = unary(&mut p, "i32", "f32", "from_int.f32");
        p.case(f, &[w], Ok((w as i32 as f32).to_bits() as i64));
        let f = unary(&mut p, "i64", "f32", "from_int.f32");
        p.case(f, &[w], Ok((w as f32).to_bits() as i64));
        let f = unary(&mut p, "i32", "f64", "from_uint.f64");
        p.case(f, &[w], Ok((w as u32 as f64).to_bits() as i64));
        let f = unary(&mut p, "i64", "f64", "from_uint.f64");
        p.case(f, &[w], Ok((w as u64 as f64).to_bits() as i64));
        let f = unary(&mut p, "i32", "f32", "from_uint.f32");
        p.case(f, &[w], Ok((w as u32 as f32).to_bits() as i64));
        let f = unary(&mut p, "i64", "f32", "from_uint.f32");
        p.case(f, &[w], Ok((w as u64 as f32).to_bits() as i64));
    }
    p.run("float_conversions");
}
