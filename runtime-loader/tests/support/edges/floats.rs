//! Floating-point arithmetic: infinities, zeros with their signs, NaN, denormal numbers.

use super::{Row, Suite, Value};
use std::ops::{Add, Div, Mul, Rem, Sub};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// Pairs of operands; `MAX` and `TINY` stand for the greatest and the least number of the type.
const PAIRS: [(f64, f64); 28] = [
    (0.0, 0.0),
    (-0.0, 0.0),
    (-0.0, -0.0),
    (0.0, -0.0),
    (1.0, -1.0),
    (INF, -INF),
    (INF, INF),
    (INF, 0.0),
    (0.0, INF),
    (1.0, 0.0),
    (-1.0, 0.0),
    (1.0, -0.0),
    (NAN, 1.0),
    (1.0, NAN),
    (MAX, MAX),
    (MAX, -MAX),
    (MAX, 2.0),
    (TINY, TINY),
    (TINY, 2.0),
    (TINY, 0.5),
    (5.5, 2.0),
    (-5.5, 2.0),
    (5.5, -2.0),
    (1.0, INF),
    (-1.0, INF),
    (1.0, 3.0),
    (0.1, 0.2),
    (1e10, 3.7),
];
const MAX: f64 = f64::MAX;
const TINY: f64 = 5e-324;

/// The number of single precision that stands where `v` does among the doubles.
fn narrow(v: f64) -> f32 {
    match v.abs() {
        m if m == MAX => f32::MAX.copysign(v as f32),
        m if m == TINY => f32::from_bits(1),
        _ => v as f32,
    }
}

/// An instruction at both precisions.
type Binary = (&'static str, fn(f64, f64) -> f64, fn(f32, f32) -> f32);

const BINARY: [Binary; 5] = [
    ("add", f64::add, f32::add),
    ("sub", f64::sub, f32::sub),
    ("mul", f64::mul, f32::mul),
    ("div", f64::div, f32::div),
    ("rem", f64::rem, f32::rem),
];

pub(super) fn suite() -> String {
    let mut suite = Suite::new("floats");
    for (op, double, single) in BINARY {
        let rows = PAIRS
            .map(|(a, b)| Row::new(&[Value::R8(a), Value::R8(b)], op, Value::R8(double(a, b))));
        suite.test(&format!("{op}_r8"), &rows);
        let rows = PAIRS.map(|(a, b)| {
            let (a, b) = (narrow(a), narrow(b));
            Row::new(&[Value::R4(a), Value::R4(b)], op, Value::R4(single(a, b)))
        });
        suite.test(&format!("{op}_r4"), &rows);
        let mixed = PAIRS.map(|(a, b)| {
            let result = double(narrow(a).into(), b);
            Row::new(&[Value::R4(narrow(a)), Value::R8(b)], op, Value::R8(result))
        });
        suite.test(&format!("{op}_mixed"), &mixed);
    }
    let finite = [0.0, -0.0, 1.0, -1.5, MAX, -MAX, TINY];
    let rows = finite.map(|v| Row::new(&[Value::R8(v)], "ckfinite", Value::R8(v)));
    suite.test("ckfinite_r8", &rows);
    let rows = finite.map(|v| Row::new(&[Value::R4(narrow(v))], "ckfinite", Value::R4(narrow(v))));
    suite.test("ckfinite_r4", &rows);
    for (n, v) in [INF, -INF, NAN].into_iter().enumerate() {
        let (r8, r4) = (Value::R8(v), Value::R4(v as f32));
        suite.throws(
            "ArithmeticException",
            &format!("ckfinite_r8_{n}"),
            &[r8],
            "ckfinite",
        );
        suite.throws(
            "ArithmeticException",
            &format!("ckfinite_r4_{n}"),
            &[r4],
            "ckfinite",
        );
    }
    let all = [0.0, -0.0, 1.0, -1.5, MAX, TINY, INF, -INF, NAN];
    let rows = all.map(|v| Row::new(&[Value::R8(v)], "neg", Value::R8(-v)));
    suite.test("neg_r8", &rows);
    let rows = all.map(|v| Row::new(&[Value::R4(narrow(v))], "neg", Value::R4(-narrow(v))));
    suite.test("neg_r4", &rows);
    suite.finish()
}
