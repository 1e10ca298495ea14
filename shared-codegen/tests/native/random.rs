//! Random structured programs with high register pressure: the compiled code computes what a direct
//! evaluation of the program's tree does.

use crate::harness::{Arg, Case, Outcome, run_everywhere};
use shared_codegen::ir::text::parse_functions;
use std::fmt::Write;

const INTS: usize = 11;
const FLOATS: usize = 3;

/// A deterministic generator (xorshift*).
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }
}

type IntOp = (&'static str, fn(i64, i64) -> i64);
const INT_OPS: [IntOp; 8] = [
    ("iadd", |a, b| a.wrapping_add(b)),
    ("isub", |a, b| a.wrapping_sub(b)),
    ("imul", |a, b| a.wrapping_mul(b)),
    ("and", |a, b| a & b),
    ("or", |a, b| a | b),
    ("xor", |a, b| a ^ b),
    ("umul_high", |a, b| {
        ((a as u64 as u128 * b as u64 as u128) >> 64) as i64
    }),
    ("udiv", |a, b| (a as u64 / (b as u64 | 1)) as i64),
];

/// A statement on integer variables `0..INTS` and float variables `0..FLOATS`.
enum Stmt {
    /// `a = b op c`
    Int(usize, IntOp, usize, usize),
    /// `a = b op constant`
    Const(usize, IntOp, usize, i64),
    /// `a = b << (c & 63)`
    Shift(usize, usize, usize),
    /// `fa = fb + (double) c`
    Float(usize, usize, usize),
    /// A poll, for its cold path in the middle of everything.
    Poll,
    /// A native call: everything lives across it.
    Call(usize, usize, usize),
    /// `if a < b`
    If(usize, usize, Vec<Stmt>, Vec<Stmt>),
    /// So many times.
    Loop(u32, Vec<Stmt>),
}

fn body(r: &mut Rng, depth: usize) -> Vec<Stmt> {
    (0..2 + r.below(7)).map(|_| stmt(r, depth)).collect()
}

fn stmt(r: &mut Rng, depth: usize) -> Stmt {
    let mut v = || r.below(INTS);
    let (a, b, c) = (v(), v(), v());
    match r.below(if depth == 0 { 15 } else { 20 }) {
        0..6 => Stmt::Int(a, INT_OPS[r.below(INT_OPS.len())], b, c),
        6..9 => Stmt::Const(
            a,
            INT_OPS[r.below(6)],
            b,
            [1, -1, 255, 0x1234_5678_9abc, i64::MIN][r.below(5)],
        ),
        9..11 => Stmt::Shift(a, b, c),
        11..13 => Stmt::Float(r.below(FLOATS), r.below(FLOATS), c),
        13 => Stmt::Poll,
        14 => Stmt::Call(a, b, c),
        15..18 => Stmt::If(a, b, body(r, depth - 1), body(r, depth - 1)),
        _ => Stmt::Loop(1 + r.below(4) as u32, body(r, depth - 1)),
    }
}

#[derive(Clone)]
struct Vars {
    ints: [i64; INTS],
    floats: [f64; FLOATS],
}

fn eval(body: &[Stmt], v: &mut Vars) {
    for s in body {
        match s {
            Stmt::Int(a, op, b, c) => v.ints[*a] = op.1(v.ints[*b], v.ints[*c]),
            Stmt::Const(a, op, b, c) => v.ints[*a] = op.1(v.ints[*b], *c),
            Stmt::Shift(a, b, c) => v.ints[*a] = v.ints[*b].wrapping_shl(v.ints[*c] as u32),
            Stmt::Float(a, b, c) => v.floats[*a] = v.floats[*b] + v.ints[*c] as f64,
            Stmt::Poll => {}
            // The frame's native function adds its arguments; the low bit is cut so that 77 never comes up.
            Stmt::Call(a, b, c) => v.ints[*a] = (v.ints[*b] << 1).wrapping_add(v.ints[*c] << 1),
            Stmt::If(a, b, yes, no) => eval(if v.ints[*a] < v.ints[*b] { yes } else { no }, v),
            Stmt::Loop(n, body) => (0..*n).for_each(|_| eval(body, v)),
        }
    }
}

/// Writes IR; `ints` and `floats` are the values of the variables at this point.
struct Writer {
    out: String,
    values: u32,
    blocks: u32,
    ints: Vec<u32>,
    floats: Vec<u32>,
}

impl Writer {
    fn inst(&mut self, text: &str) -> u32 {
        let v = self.values;
        self.values += 1;
        let _ = writeln!(self.out, "    v{v} = {text}");
        v
    }

    fn block(&mut self) -> u32 {
        self.blocks += 1;
        self.blocks - 1
    }

    /// All variables and a loop counter as arguments.
    fn args(&self, extra: &[u32]) -> String {
        let all = self.ints.iter().chain(&self.floats).chain(extra);
        all.map(|v| format!("v{v}")).collect::<Vec<_>>().join(", ")
    }

    /// Starts a block that takes all variables, and perhaps a loop counter.
    fn begin(&mut self, block: u32, counters: u32) -> Vec<u32> {
        let mut params = Vec::new();
        let mut fresh = |ty: &str, values: &mut u32| {
            params.push(format!("v{values}: {ty}"));
            *values += 1;
            *values - 1
        };
        self.ints = (0..INTS).map(|_| fresh("i64", &mut self.values)).collect();
        self.floats = (0..FLOATS)
            .map(|_| fresh("f64", &mut self.values))
            .collect();
        let extra = (0..counters)
            .map(|_| fresh("i32", &mut self.values))
            .collect();
        let _ = writeln!(self.out, "block{block}({}):", params.join(", "));
        extra
    }

    fn body(&mut self, body: &[Stmt], counters: &mut Vec<u32>) {
        for s in body {
            self.stmt(s, counters);
        }
    }

    fn stmt(&mut self, s: &Stmt, counters: &mut Vec<u32>) {
        let i = |w: &Writer, n: &usize| w.ints[*n];
        match s {
            Stmt::Int(a, op, b, c) => {
                let (b, mut c) = (i(self, b), i(self, c));
                if op.0 == "udiv" {
                    let one = self.inst("iconst.i64 1");
                    c = self.inst(&format!("or.i64 v{c}, v{one}"));
                }
                self.ints[*a] = self.inst(&format!("{}.i64 v{b}, v{c}", op.0));
            }
            Stmt::Const(a, op, b, c) => {
                let (b, c) = (i(self, b), self.inst(&format!("iconst.i64 {c}")));
                self.ints[*a] = self.inst(&format!("{}.i64 v{b}, v{c}", op.0));
            }
            Stmt::Shift(a, b, c) => {
                let (b, c) = (i(self, b), i(self, c));
                let c = self.inst(&format!("trunc v{c}"));
                self.ints[*a] = self.inst(&format!("shl.i64 v{b}, v{c}"));
            }
            Stmt::Float(a, b, c) => {
                let (b, c) = (self.floats[*b], i(self, c));
                let c = self.inst(&format!("from_int.f64 v{c}"));
                self.floats[*a] = self.inst(&format!("fadd.f64 v{b}, v{c}"));
            }
            Stmt::Poll => self.out.push_str("    poll\n"),
            Stmt::Call(a, b, c) => {
                let (b, c) = (i(self, b), i(self, c));
                let one = self.inst("iconst.i32 1");
                let b = self.inst(&format!("shl.i64 v{b}, v{one}"));
                let c = self.inst(&format!("shl.i64 v{c}, v{one}"));
                let zero = self.inst("iconst.i64 0");
                let text = format!(
                    "call_internal method#9 sig0 v{b}, v{c}, v{zero}, v{zero}, v{zero}, v{zero}"
                );
                self.ints[*a] = self.inst(&text);
            }
            Stmt::If(a, b, yes, no) => {
                let (a, b) = (i(self, a), i(self, b));
                let cond = self.inst(&format!("icmp slt v{a}, v{b}"));
                let (then, other, join) = (self.block(), self.block(), self.block());
                let n = counters.len() as u32;
                let args = self.args(counters);
                let _ = writeln!(
                    self.out,
                    "    brif v{cond} block{then}, block{other}({args})"
                );
                let (ints, floats, outer) =
                    (self.ints.clone(), self.floats.clone(), counters.clone());
                let _ = writeln!(self.out, "block{then}:");
                self.body(yes, counters);
                let args = self.args(counters);
                let _ = writeln!(self.out, "    jump block{join}({args})");
                (self.ints, self.floats, *counters) = (ints, floats, outer);
                *counters = self.begin(other, n);
                self.body(no, counters);
                let args = self.args(counters);
                let _ = writeln!(self.out, "    jump block{join}({args})");
                *counters = self.begin(join, n);
            }
            Stmt::Loop(n, body) => {
                let top = self.block();
                let exit = self.block();
                let count = self.inst(&format!("iconst.i32 {n}"));
                counters.push(count);
                let args = self.args(counters);
                let _ = writeln!(self.out, "    jump block{top}({args})");
                *counters = self.begin(top, counters.len() as u32);
                self.body(body, counters);
                let minus = self.inst("iconst.i32 -1");
                let last = counters.len() - 1;
                counters[last] = self.inst(&format!("iadd.i32 v{}, v{minus}", counters[last]));
                let zero = self.inst("iconst.i32 0");
                let more = self.inst(&format!("icmp ne v{}, v{zero}", counters[last]));
                let args = self.args(counters);
                let _ = writeln!(
                    self.out,
                    "    brif v{more} block{top}({args}), block{exit}\nblock{exit}:"
                );
                counters.pop();
            }
        }
    }
}

/// The program as a function of six integers; the other variables start from them.
fn write(program: &[Stmt], n: usize) -> String {
    let mut w = Writer {
        out: String::new(),
        values: 6,
        blocks: 1,
        ints: (0..6).collect(),
        floats: vec![],
    };
    let _ = writeln!(
        w.out,
        "function \"r{n}\" (i64, i64, i64, i64, i64, i64) -> i64 {{\n    sig0 = (i64, i64, i64, i64, i64, i64) -> i64\n\
         block0(v0: i64, v1: i64, v2: i64, v3: i64, v4: i64, v5: i64):"
    );
    for k in 6..INTS {
        let v = w.inst(&format!("iadd.i64 v{}, v{}", k - 6, k - 5));
        w.ints.push(v);
    }
    for k in 0..FLOATS {
        let v = w.inst(&format!("from_int.f64 v{k}"));
        w.floats.push(v);
    }
    w.body(program, &mut Vec::new());
    let mut sum = w.ints[0];
    for k in 1..INTS {
        sum = w.inst(&format!("xor.i64 v{sum}, v{}", w.ints[k]));
    }
    for k in 0..FLOATS {
        let bits = w.inst(&format!("bitcast.i64 v{}", w.floats[k]));
        sum = w.inst(&format!("iadd.i64 v{sum}, v{bits}"));
    }
    let _ = writeln!(w.out, "    return v{sum}\n}}");
    w.out
}

fn expected(program: &[Stmt], args: [i64; 6]) -> i64 {
    let mut v = Vars {
        ints: [0; INTS],
        floats: [0.0; FLOATS],
    };
    v.ints[..6].copy_from_slice(&args);
    for k in 6..INTS {
        v.ints[k] = args[k - 6].wrapping_add(args[k - 5]);
    }
    for (float, arg) in v.floats.iter_mut().zip(&args) {
        *float = *arg as f64;
    }
    eval(program, &mut v);
    let ints = v.ints.iter().fold(0, |s, x| s ^ x);
    v.floats
        .iter()
        .fold(ints, |s, x| s.wrapping_add(x.to_bits() as i64))
}

#[test]
fn random_programs() {
    let mut r = Rng(0x5eed);
    let (mut text, mut cases) = (String::new(), Vec::new());
    let count = std::env::var("RANDOM_PROGRAMS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(40);
    for n in 0..count {
        let program = body(&mut r, 3);
        text.push_str(&write(&program, n));
        for _ in 0..4 {
            let args: [i64; 6] = std::array::from_fn(|_| match r.below(3) {
                0 => r.below(100) as i64 - 50,
                _ => (r.below(usize::MAX) as i64) << r.below(40),
            });
            cases.push(Case {
                function: n,
                args: args.iter().map(|a| Arg::Bits(*a as u64)).collect(),
                expect: Outcome::Value(expected(&program, args) as u64),
            });
        }
    }
    let functions = parse_functions(&text).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    run_everywhere("random_programs", &functions, &cases);
}
