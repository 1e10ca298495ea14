//! Integer arithmetic, bits and shifts.

use super::{Int, Row, Suite, Value};

/// Pairs of operands.
fn pairs(t: Int) -> Vec<(i128, i128)> {
    let (min, max, half) = (t.min(), t.max(), 1i128 << (t.bits() / 2));
    let mixed = 0x5555_5555_5555_5555 & max;
    vec![
        (0, 0),
        (1, -1),
        (max, 1),
        (min, -1),
        (min, 1),
        (max, max),
        (min, min),
        (max, min),
        (-7, 2),
        (7, -2),
        (-7, -2),
        (7, 2),
        (half, half),
        (half, half / 2 - 1),
        (mixed, -mixed),
        (min, 2),
        (max, -1),
        (0, min),
        (min, 3),
        (-1, min),
    ]
}

type Binary = (&'static str, fn(Int, i128, i128) -> i128);

/// Instructions without traps, and what they compute before the result is cut to its type.
const PLAIN: [Binary; 6] = [
    ("add", |_, a, b| a + b),
    ("sub", |_, a, b| a - b),
    ("mul", |_, a, b| a * b),
    ("and", |_, a, b| a & b),
    ("or", |_, a, b| a | b),
    ("xor", |_, a, b| a ^ b),
];

const DIVISIONS: [Binary; 4] = [
    ("div", |_, a, b| a / b),
    ("rem", |_, a, b| a % b),
    ("div.un", |t, a, b| t.unsigned(a) / t.unsigned(b)),
    ("rem.un", |t, a, b| t.unsigned(a) % t.unsigned(b)),
];

const CHECKED: [Binary; 3] = [
    ("add.ovf", |_, a, b| a + b),
    ("sub.ovf", |_, a, b| a - b),
    // Two unsigned 64-bit numbers do not fit the product's type here; what does not fit is an overflow there too.
    ("mul.ovf", |_, a, b| a.saturating_mul(b)),
];

const SHIFTS: [Binary; 3] = [
    ("shl", |_, a, n| a << n),
    ("shr", |_, a, n| a >> n),
    ("shr.un", |t, a, n| t.unsigned(a) >> n),
];

fn name(op: &str, t: Int) -> String {
    format!("{op}_{}", t.name())
}

fn row(t: Int, op: &str, a: i128, b: i128, result: i128) -> Row {
    Row::new(&[t.value(a), t.value(b)], op, t.value(result))
}

fn divisions(t: Int, suite: &mut Suite) {
    for (op, compute) in DIVISIONS {
        let signed = !op.ends_with(".un");
        let undefined = |a, b| b == 0 || (signed && a == t.min() && b == -1);
        let defined = pairs(t).into_iter().filter(|&(a, b)| !undefined(a, b));
        let rows: Vec<_> = defined
            .map(|(a, b)| row(t, op, a, b, compute(t, a, b)))
            .collect();
        suite.test(&name(op, t), &rows);
        for (n, a) in [5, 0, t.min()].into_iter().enumerate() {
            let name = format!("{op}_zero{n}_{}", t.name());
            suite.throws(
                "DivideByZeroException",
                &name,
                &[t.value(a), t.value(0)],
                op,
            );
        }
        if signed {
            let operands = [t.value(t.min()), t.value(-1)];
            suite.throws(
                "OverflowException",
                &format!("{op}_min_{}", t.name()),
                &operands,
                op,
            );
        }
    }
}

fn checked(t: Int, op: &str, compute: fn(Int, i128, i128) -> i128, suite: &mut Suite) {
    let unsigned = op.ends_with(".un");
    let (low, high) = match unsigned {
        true => (0, t.unsigned(-1)),
        false => (t.min(), t.max()),
    };
    let meaning = |v| if unsigned { t.unsigned(v) } else { v };
    let mut rows = Vec::new();
    for (n, (a, b)) in pairs(t).into_iter().enumerate() {
        let result = compute(t, meaning(a), meaning(b));
        if (low..=high).contains(&result) {
            rows.push(row(t, op, a, b, result));
        } else {
            let name = format!("{op}_{}_{n}", t.name());
            suite.throws("OverflowException", &name, &[t.value(a), t.value(b)], op);
        }
    }
    suite.test(&name(op, t), &rows);
}

fn shifts(t: Int, suite: &mut Suite) {
    for (op, compute) in SHIFTS {
        let mut rows = Vec::new();
        for v in [1, -1, t.min(), t.max(), -7] {
            for n in [0, 1, 7, t.bits() as i32 / 2, t.bits() as i32 - 1] {
                let result = t.value(compute(t, v, n.into()));
                rows.push(Row::new(&[t.value(v), Value::I4(n)], op, result));
                let native = Value::Native(n.into());
                rows.push(Row::new(&[t.value(v), native], op, result));
            }
        }
        suite.test(&name(op, t), &rows);
    }
}

type Unary = (&'static str, fn(i128) -> i128);

const UNARY: [Unary; 2] = [("neg", |v| -v), ("not", |v| !v)];

fn unary(t: Int, suite: &mut Suite) {
    for (op, compute) in UNARY {
        let values = [0, 1, -1, 7, t.min(), t.min() + 1, t.max()];
        let rows = values.map(|v| Row::new(&[t.value(v)], op, t.value(compute(v))));
        suite.test(&name(op, t), &rows);
    }
}

pub(super) fn suite() -> String {
    let mut suite = Suite::new("integers");
    for t in Int::ALL {
        for (op, compute) in PLAIN {
            let rows: Vec<_> = pairs(t)
                .into_iter()
                .map(|(a, b)| row(t, op, a, b, compute(t, a, b)))
                .collect();
            suite.test(&name(op, t), &rows);
        }
        divisions(t, &mut suite);
        for (op, compute) in CHECKED {
            checked(t, op, compute, &mut suite);
            checked(t, &format!("{op}.un"), compute, &mut suite);
        }
        shifts(t, &mut suite);
        unary(t, &mut suite);
    }
    suite.finish()
}
