//! Suites made from tables: every arithmetic, comparison, branch and conversion instruction of CIL on the values at the edges
//! of its operand types, with the results that ECMA-335 III gives.
//!
//! A test runs its rows in order and returns the number of the first that is wrong, 0 if there is none. In the tests ending
//! in `_const` the operands are constants, so that passes may fold them; in the others they come through methods that are not inlined.

mod comparisons;
mod conversions;
mod floats;
mod integers;

use std::fmt::Write;

/// Names and sources of the suites, in CIL assembler.
pub fn suites() -> Vec<(&'static str, String)> {
    vec![
        ("integers", integers::suite()),
        ("floats", floats::suite()),
        ("comparisons", comparisons::suite()),
        ("conversions", conversions::suite()),
    ]
}

/// A value on the evaluation stack.
#[derive(Clone, Copy, Debug)]
enum Value {
    I4(i32),
    I8(i64),
    Native(i64),
    R4(f32),
    R8(f64),
}

/// The integer types of the evaluation stack.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Int {
    I4,
    I8,
    Native,
}

impl Int {
    const ALL: [Int; 3] = [Int::I4, Int::I8, Int::Native];

    fn bits(self) -> u32 {
        if self == Int::I4 { 32 } else { 64 }
    }

    fn name(self) -> &'static str {
        match self {
            Int::I4 => "i4",
            Int::I8 => "i8",
            Int::Native => "i",
        }
    }

    fn min(self) -> i128 {
        -(1 << (self.bits() - 1))
    }

    fn max(self) -> i128 {
        -self.min() - 1
    }

    /// The value with the low bits of `v`.
    fn value(self, v: i128) -> Value {
        match self {
            Int::I4 => Value::I4(v as i32),
            Int::I8 => Value::I8(v as i64),
            Int::Native => Value::Native(v as i64),
        }
    }

    /// The bits of `v` read as an unsigned number.
    fn unsigned(self, v: i128) -> i128 {
        v & ((1 << self.bits()) - 1)
    }
}

impl Value {
    /// Instructions that push the value; opaque ones cannot be folded.
    fn load(self, opaque: bool) -> String {
        let (constant, ty, name) = match self {
            Value::I4(v) => (format!("ldc.i4 {v}"), "int32", "i4"),
            Value::I8(v) => (format!("ldc.i8 {v}"), "int64", "i8"),
            Value::Native(v) => (format!("ldc.i8 {v} conv.i"), "native int", "i"),
            Value::R4(v) => (
                format!("ldc.r4 ({})", hex(&v.to_le_bytes())),
                "float32",
                "r4",
            ),
            Value::R8(v) => (
                format!("ldc.r8 ({})", hex(&v.to_le_bytes())),
                "float64",
                "r8",
            ),
        };
        match opaque {
            true => format!("{constant} call {ty} E::{name}({ty})"),
            false => constant,
        }
    }

    /// Instructions that go to `F` unless this value is on the stack. Floats are compared by their bits, NaN by being one.
    fn check(self) -> String {
        match self {
            Value::R4(v) if v.is_nan() => "stloc r4 ldloc r4 ldloc r4 beq F".into(),
            Value::R8(v) if v.is_nan() => "stloc r8 ldloc r8 ldloc r8 beq F".into(),
            Value::R4(v) => {
                let bits = v.to_bits() as i32;
                format!("stloc r4 ldloca r4 ldind.i4 ldc.i4 {bits} bne.un F")
            }
            Value::R8(v) => {
                let bits = v.to_bits() as i64;
                format!("stloc r8 ldloca r8 ldind.i8 ldc.i8 {bits} bne.un F")
            }
            integer => format!("{} bne.un F", integer.load(false)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let words: Vec<_> = bytes.iter().map(|b| format!("{b:02X}")).collect();
    words.join(" ")
}

/// Operands, an instruction and what it must do.
struct Row {
    operands: Vec<Value>,
    op: String,
    outcome: Outcome,
}

enum Outcome {
    /// It pushes this.
    Value(Value),
    /// It is a branch, which is taken or not.
    Branch(bool),
}

impl Row {
    fn new(operands: &[Value], op: &str, result: Value) -> Row {
        let outcome = Outcome::Value(result);
        Row {
            operands: operands.to_vec(),
            op: op.to_owned(),
            outcome,
        }
    }

    fn branch(operands: &[Value], op: &str, taken: bool) -> Row {
        let outcome = Outcome::Branch(taken);
        Row {
            operands: operands.to_vec(),
            op: op.to_owned(),
            outcome,
        }
    }

    fn text(&self, number: usize, opaque: bool) -> String {
        let loads: Vec<_> = self.operands.iter().map(|v| v.load(opaque)).collect();
        let (loads, op) = (loads.join(" "), &self.op);
        match self.outcome {
            Outcome::Value(v) => format!("{loads} {op} {}", v.check()),
            Outcome::Branch(true) => format!("{loads} {op} L{number} br F L{number}: nop"),
            Outcome::Branch(false) => {
                format!("{loads} {op} X{number} br L{number} X{number}: br F L{number}: nop")
            }
        }
    }
}

const HEAD: &str = "\
.assembly extern mscorlib { .ver 4:0:0:0 .publickeytoken = (B7 7A 5C 56 19 34 E0 89) }
.class public abstract sealed auto ansi E extends [mscorlib]System.Object {
";

/// The text of a suite.
struct Suite(String);

impl Suite {
    fn new(name: &str) -> Suite {
        let mut text = format!(".assembly {name} {{}}\n{HEAD}");
        for (ty, name) in [
            ("int32", "i4"),
            ("int64", "i8"),
            ("native int", "i"),
            ("float32", "r4"),
            ("float64", "r8"),
        ] {
            let _ = writeln!(
                text,
                ".method static {ty} {name}({ty} x) cil managed noinlining {{ ldarg.0 ret }}"
            );
        }
        Suite(text)
    }

    /// Adds a test of these rows; `name` may contain the mnemonic.
    fn test(&mut self, name: &str, rows: &[Row]) {
        assert!(!rows.is_empty(), "{name}: no rows");
        for (suffix, opaque) in [("", true), ("_const", false)] {
            let name = name.replace('.', "_");
            let _ = writeln!(
                self.0,
                ".method static int32 test_0_{name}{suffix}() cil managed {{ .maxstack 8\n\
                 .locals init (int32 row, float32 r4, float64 r8)"
            );
            for (n, row) in rows.iter().enumerate() {
                let _ = writeln!(
                    self.0,
                    "ldc.i4 {} stloc.0 {}",
                    n + 1,
                    row.text(n + 1, opaque)
                );
            }
            self.0.push_str("ldc.i4.0 ret F: ldloc.0 ret }\n");
        }
    }

    /// Adds a test that ends with an exception.
    fn throws(&mut self, exception: &str, name: &str, operands: &[Value], op: &str) {
        for (suffix, opaque) in [("", true), ("_const", false)] {
            let name = name.replace('.', "_");
            let loads: Vec<_> = operands.iter().map(|v| v.load(opaque)).collect();
            let _ = writeln!(
                self.0,
                ".method static int32 test_{exception}_{name}{suffix}() cil managed {{ .maxstack 8 {} {op} pop ldc.i4.0 ret }}",
                loads.join(" ")
            );
        }
    }

    fn finish(mut self) -> String {
        self.0.push_str("}\n");
        self.0
    }
}
