//! Comparisons and branches: signed, unsigned and unordered, in their long and short forms.

use super::{Int, Row, Suite, Value};
use std::cmp::Ordering;

/// Mnemonic without `.un`, and the orders for which it holds.
type Relation = (&'static str, &'static [Ordering]);

const COMPARISONS: [Relation; 3] = [
    ("ceq", &[Ordering::Equal]),
    ("cgt", &[Ordering::Greater]),
    ("clt", &[Ordering::Less]),
];

const BRANCHES: [Relation; 6] = [
    ("beq", &[Ordering::Equal]),
    ("bne", &[Ordering::Less, Ordering::Greater]),
    ("bge", &[Ordering::Greater, Ordering::Equal]),
    ("bgt", &[Ordering::Greater]),
    ("ble", &[Ordering::Less, Ordering::Equal]),
    ("blt", &[Ordering::Less]),
];

/// Two operands, and how they compare in a signed (ordered) and an unsigned (unordered) comparison. `None`: one is NaN.
struct Pair {
    operands: [Value; 2],
    signed: Option<Ordering>,
    unsigned: Option<Ordering>,
}

impl Pair {
    /// The relation holds. Those with `.un` hold for NaN, the others do not.
    fn holds(&self, orders: &[Ordering], unsigned: bool) -> bool {
        let order = if unsigned { self.unsigned } else { self.signed };
        order.map_or(unsigned, |o| orders.contains(&o))
    }
}

fn integers(t: Int) -> Vec<Pair> {
    let (min, max) = (t.min(), t.max());
    let pairs = [
        (0, 0),
        (0, 1),
        (1, 0),
        (-1, 0),
        (0, -1),
        (-1, 1),
        (min, max),
        (max, min),
        (min, min),
        (-1, -1),
        (max, -1),
        (min, -1),
    ];
    let pair = |(a, b): (i128, i128)| Pair {
        operands: [t.value(a), t.value(b)],
        signed: Some(a.cmp(&b)),
        unsigned: Some(t.unsigned(a).cmp(&t.unsigned(b))),
    };
    pairs.map(pair).into_iter().collect()
}

fn floats(value: fn(f64) -> Value) -> Vec<Pair> {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let pairs = [
        (0.0, -0.0),
        (0.0, 1.0),
        (1.0, 0.0),
        (nan, nan),
        (nan, 1.0),
        (1.0, nan),
        (inf, inf),
        (-inf, inf),
        (inf, nan),
        (-1.0, 1.0),
        (1.5, 1.5),
    ];
    let pair = |(a, b): (f64, f64)| Pair {
        operands: [value(a), value(b)],
        signed: a.partial_cmp(&b),
        unsigned: a.partial_cmp(&b),
    };
    pairs.map(pair).into_iter().collect()
}

fn relations(name: &str, pairs: &[Pair], suite: &mut Suite) {
    for (op, orders) in COMPARISONS {
        for unsigned in [false, true] {
            if op == "ceq" && unsigned {
                continue;
            }
            let op = format!("{op}{}", if unsigned { ".un" } else { "" });
            let row = |p: &Pair| {
                let result = Value::I4(p.holds(orders, unsigned).into());
                Row::new(&p.operands, &op, result)
            };
            let rows: Vec<_> = pairs.iter().map(row).collect();
            suite.test(&format!("{op}_{name}"), &rows);
        }
    }
    for (op, orders) in BRANCHES {
        for unsigned in [false, true] {
            // There is no `beq.un`, and no `bne` without `.un`.
            if (op == "beq" && unsigned) || (op == "bne" && !unsigned) {
                continue;
            }
            for short in ["", ".s"] {
                let op = format!("{op}{}{short}", if unsigned { ".un" } else { "" });
                let row = |p: &Pair| Row::branch(&p.operands, &op, p.holds(orders, unsigned));
                let rows: Vec<_> = pairs.iter().map(row).collect();
                suite.test(&format!("{op}_{name}"), &rows);
            }
        }
    }
}

fn truths(t: Int, suite: &mut Suite) {
    let mut values = vec![0, 1, -1, t.min()];
    values.extend((t.bits() == 64).then_some(1 << 32));
    for (op, on) in [
        ("brtrue", true),
        ("brtrue.s", true),
        ("brfalse", false),
        ("brfalse.s", false),
    ] {
        let row = |v: &i128| Row::branch(&[t.value(*v)], op, (*v != 0) == on);
        let rows: Vec<_> = values.iter().map(row).collect();
        suite.test(&format!("{op}_{}", t.name()), &rows);
    }
}

pub(super) fn suite() -> String {
    let mut suite = Suite::new("comparisons");
    for t in Int::ALL {
        relations(t.name(), &integers(t), &mut suite);
        truths(t, &mut suite);
    }
    relations("r4", &floats(|v| Value::R4(v as f32)), &mut suite);
    relations("r8", &floats(Value::R8), &mut suite);
    suite.finish()
}
