//! Conversions, with and without range checks.

use super::{Int, Row, Suite, Value};

/// The integer types that are converted to: suffix of the mnemonic, bits, signed.
const TARGETS: [(&str, u32, bool); 10] = [
    ("i1", 8, true),
    ("u1", 8, false),
    ("i2", 16, true),
    ("u2", 16, false),
    ("i4", 32, true),
    ("u4", 32, false),
    ("i8", 64, true),
    ("u8", 64, false),
    ("i", 64, true),
    ("u", 64, false),
];

/// What the stack holds after a conversion of `v` to the target.
fn converted(target: (&str, u32, bool), v: i128) -> Value {
    let (name, bits, signed) = target;
    let low = v & ((1 << bits) - 1);
    let high = signed && low >> (bits - 1) != 0;
    let v = if high { low - (1 << bits) } else { low };
    match name {
        "i8" | "u8" => Int::I8.value(v),
        "i" | "u" => Int::Native.value(v),
        _ => Int::I4.value(v),
    }
}

fn range((_, bits, signed): (&str, u32, bool)) -> std::ops::RangeInclusive<i128> {
    match signed {
        true => -(1 << (bits - 1))..=(1 << (bits - 1)) - 1,
        false => 0..=(1 << bits) - 1,
    }
}

/// Numbers about all powers of two at which a range ends.
fn integers(t: Int) -> Vec<i128> {
    let mut values = Vec::new();
    for bit in [0, 7, 8, 15, 16, 24, 31, 32, 53, 63, 64] {
        for near in [-1, 0, 1] {
            let v = (1i128 << bit) + near;
            values.extend([v, -v].iter().filter(|v| (t.min()..=t.max()).contains(v)));
        }
    }
    values.sort_unstable();
    values.dedup();
    values
}

const FLOATS: [f64; 37] = [
    0.0,
    -0.0,
    0.9,
    -0.9,
    1.5,
    -1.5,
    127.9,
    128.0,
    -128.9,
    -129.0,
    255.9,
    256.0,
    -1.0,
    32767.9,
    32768.0,
    -32768.9,
    -32769.0,
    65535.9,
    65536.0,
    2147483647.0,
    2147483647.9,
    2147483648.0,
    -2147483648.0,
    -2147483648.9,
    -2147483649.0,
    4294967295.0,
    4294967295.9,
    4294967296.0,
    9223372036854774784.0,
    9223372036854775808.0,
    -9223372036854775808.0,
    -9223372036854777856.0,
    18446744073709549568.0,
    18446744073709551616.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// Tests of one source type: `conv.X` where it is defined, `conv.ovf.X` everywhere.
fn from_integers(t: Int, suite: &mut Suite) {
    for target in TARGETS {
        let rows: Vec<_> = integers(t)
            .iter()
            .map(|&v| {
                // Widening to an unsigned type extends by zeros.
                let v_read = if target.2 { v } else { t.unsigned(v) };
                Row::new(
                    &[t.value(v)],
                    &format!("conv.{}", target.0),
                    converted(target, v_read),
                )
            })
            .collect();
        suite.test(&format!("conv.{}_{}", target.0, t.name()), &rows);
        for unsigned in [false, true] {
            let op = format!("conv.ovf.{}{}", target.0, if unsigned { ".un" } else { "" });
            let meaning = |v| if unsigned { t.unsigned(v) } else { v };
            let (fit, rest): (Vec<_>, Vec<_>) = integers(t)
                .into_iter()
                .partition(|v| range(target).contains(&meaning(*v)));
            let row = |v: &i128| Row::new(&[t.value(*v)], &op, converted(target, meaning(*v)));
            let rows: Vec<_> = fit.iter().map(row).collect();
            suite.test(&format!("{op}_{}", t.name()), &rows);
            for (n, v) in rest.into_iter().enumerate() {
                let name = format!("{op}_{}_{n}", t.name());
                suite.throws("OverflowException", &name, &[t.value(v)], &op);
            }
        }
    }
}

fn from_floats(name: &str, values: &[(Value, f64)], suite: &mut Suite) {
    for target in TARGETS {
        let (fit, rest): (Vec<_>, Vec<_>) = values
            .iter()
            .partition(|(_, v)| v.is_finite() && range(target).contains(&(*v as i128)));
        for op in ["conv", "conv.ovf"] {
            let op = format!("{op}.{}", target.0);
            let row = |(value, v): &&(Value, f64)| {
                Row::new(&[*value], &op, converted(target, *v as i128))
            };
            let rows: Vec<_> = fit.iter().map(row).collect();
            suite.test(&format!("{op}_{name}"), &rows);
        }
        for (n, (value, _)) in rest.into_iter().enumerate() {
            let op = format!("conv.ovf.{}", target.0);
            let test = format!("{op}_{name}_{n}");
            suite.throws("OverflowException", &test, &[*value], &op);
        }
    }
}

/// To floating-point numbers: each conversion rounds once.
fn to_floats(suite: &mut Suite) {
    for t in [Int::I4, Int::I8, Int::Native] {
        let row = |op: &str, result: &dyn Fn(i128) -> Value| -> Vec<Row> {
            let values = integers(t).into_iter();
            values
                .map(|v| Row::new(&[t.value(v)], op, result(v)))
                .collect()
        };
        let name = t.name();
        suite.test(
            &format!("conv.r4_{name}"),
            &row("conv.r4", &|v| Value::R4(v as f32)),
        );
        suite.test(
            &format!("conv.r8_{name}"),
            &row("conv.r8", &|v| Value::R8(v as f64)),
        );
        let double = |v| Value::R8(t.unsigned(v) as f64);
        suite.test(
            &format!("conv.r.un_{name}"),
            &row("conv.r.un conv.r8", &double),
        );
    }
    let rows = FLOATS.map(|v| Row::new(&[Value::R8(v)], "conv.r4", Value::R4(v as f32)));
    suite.test("conv.r4_r8", &rows);
    let rows = FLOATS.map(|v| {
        Row::new(
            &[Value::R4(v as f32)],
            "conv.r8",
            Value::R8(v as f32 as f64),
        )
    });
    suite.test("conv.r8_r4", &rows);
}

pub(super) fn suite() -> String {
    let mut suite = Suite::new("conversions");
    for t in Int::ALL {
        from_integers(t, &mut suite);
    }
    let doubles = FLOATS.map(|v| (Value::R8(v), v));
    from_floats("r8", &doubles, &mut suite);
    let singles = FLOATS.map(|v| (Value::R4(v as f32), f64::from(v as f32)));
    from_floats("r4", &singles, &mut suite);
    to_floats(&mut suite);
    suite.finish()
}
