//! Random functions: arithmetic, memory, calls, branches, switches and bounded loops, as IR text.

use std::fmt::Write;

/// A small generator of random numbers (xorshift64*).
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 33) as usize) % n
    }

    fn one_of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// Writes one function.
struct Writer {
    rng: Random,
    out: String,
    values: u32,
    blocks: u32,
    /// Values in scope, by type: i32, i64, f64.
    scope: [Vec<u32>; 3],
    budget: i32,
}

const TYPES: [&str; 3] = ["i32", "i64", "f64"];
const I32: usize = 0;
const I64: usize = 1;
const F64: usize = 2;

/// Text of a random function `(i64, i64, i64, i64, i32, i32, f64, f64, i64) -> i64`: an array of 64
/// integers, one of 64 doubles, then numbers.
pub fn function(name: &str, seed: u64) -> String {
    let mut w = Writer {
        rng: Random::new(seed),
        out: String::new(),
        values: 9,
        blocks: 1,
        scope: [vec![4, 5], vec![2, 3, 8], vec![6, 7]],
        budget: 60,
    };
    w.out.push_str(&format!(
        "function \"{name}\" (i64, i64, i64, i64, i32, i32, f64, f64, i64) -> i64 {{\n  \
         sig0 = (i64, i64) -> i64\nblock0(v0: i64, v1: i64, v2: i64, v3: i64, v4: i32, v5: i32, v6: f64, v7: f64, v8: i64):\n"
    ));
    w.statements(0);
    let mut sum = w.pick(I64);
    for v in w.scope[I64].clone() {
        let t = w.value();
        w.line(format!("v{t} = imul.i64 v{sum}, v{v}"));
        let u = w.value();
        w.line(format!("v{u} = xor.i64 v{t}, v{v}"));
        sum = u;
    }
    for v in w.scope[I32].clone() {
        let t = w.value();
        w.line(format!("v{t} = sext32 v{v}"));
        let u = w.value();
        w.line(format!("v{u} = isub.i64 v{t}, v{sum}"));
        sum = u;
    }
    w.line(format!("return v{sum}"));
    w.out.push_str("}\n");
    w.out
}

impl Writer {
    fn line(&mut self, s: String) {
        let _ = writeln!(self.out, "  {s}");
    }

    fn value(&mut self) -> u32 {
        self.values += 1;
        self.values - 1
    }

    fn block(&mut self) -> u32 {
        self.blocks += 1;
        self.blocks - 1
    }

    /// A value in scope, preferably a late one, or a constant.
    fn pick(&mut self, ty: usize) -> u32 {
        if self.rng.below(6) == 0 {
            return self.constant(ty);
        }
        let n = self.scope[ty].len();
        let back = self.rng.below(n).min(self.rng.below(n));
        self.scope[ty][n - 1 - back]
    }

    fn constant(&mut self, ty: usize) -> u32 {
        let v = self.value();
        let text = match ty {
            F64 => self
                .rng
                .one_of(&["0", "1", "-1.5", "1000000000", "1e300", "inf", "0.1"])
                .to_string(),
            _ => {
                let small = self.rng.below(20) as i64 - 5;
                let n = match self.rng.below(8) {
                    0 => i64::from(i32::MAX),
                    1 => i64::from(i32::MIN),
                    2 if ty == I64 => self.rng.next() as i64,
                    3 => 1 << self.rng.below(31),
                    4 => 255,
                    5 => 65535,
                    _ => small,
                };
                n.to_string()
            }
        };
        self.line(
            format!("v{v} = iconst.{} {text}", TYPES[ty]).replace("iconst.f64", "fconst.f64"),
        );
        v
    }

    fn define(&mut self, ty: usize, text: String) {
        let v = self.value();
        self.line(format!("v{v} = {text}"));
        self.scope[ty].push(v);
    }

    fn statements(&mut self, depth: u32) {
        let n = 3 + self.rng.below(8);
        for _ in 0..n {
            if self.budget <= 0 {
                return;
            }
            self.budget -= 1;
            match self.rng.below(14) {
                0 if depth < 3 => self.branch(depth),
                1 if depth < 3 => self.repeat(depth),
                2 if depth < 2 => self.switch(depth),
                3 | 4 => self.memory(),
                5 => self.call(),
                6 => self.convert(),
                7 | 8 => self.float(),
                _ => self.integer(),
            }
        }
    }

    fn integer(&mut self) {
        let ty = self.rng.below(2);
        let t = TYPES[ty];
        let a = self.pick(ty);
        match self.rng.below(10) {
            0..=4 => {
                let op = self
                    .rng
                    .one_of(&["iadd", "isub", "imul", "and", "or", "xor"]);
                let b = self.pick(ty);
                self.define(ty, format!("{op}.{t} v{a}, v{b}"));
            }
            5 => {
                let op = self.rng.one_of(&["shl", "shr_s", "shr_u", "rotl"]);
                let b = self.pick(I32);
                self.define(ty, format!("{op}.{t} v{a}, v{b}"));
            }
            6 => {
                let op = self.rng.one_of(&["ineg", "not", "clz", "ctz", "popcnt"]);
                self.define(ty, format!("{op}.{t} v{a}"));
            }
            7 => {
                let op = self.rng.one_of(&["sdiv", "srem", "udiv", "urem"]);
                if self.rng.below(2) == 0 {
                    let d = self.value();
                    let n = match self.rng.below(4) {
                        0 => 1 << (1 + self.rng.below(30)),
                        1 if ty == I64 => (self.rng.next() >> (1 + self.rng.below(60))) as i64,
                        _ => {
                            let bits = 2 + self.rng.below(25);
                            3 + self.rng.below(1 << bits) as i64
                        }
                    };
                    let n = if self.rng.below(4) == 0 {
                        -n.max(2)
                    } else {
                        n.max(2)
                    };
                    self.line(format!("v{d} = iconst.{t} {n}"));
                    self.define(ty, format!("{op}.{t} v{a}, v{d}"));
                    return;
                }
                // A small positive divisor.
                let (m, b, one, d) = (self.value(), self.value(), self.value(), self.value());
                let x = self.pick(ty);
                self.line(format!("v{m} = iconst.{t} 127"));
                self.line(format!("v{b} = and.{t} v{x}, v{m}"));
                self.line(format!("v{one} = iconst.{t} 1"));
                self.line(format!("v{d} = or.{t} v{b}, v{one}"));
                self.define(ty, format!("{op}.{t} v{a}, v{d}"));
            }
            8 => {
                let cond = self.condition();
                let b = self.pick(ty);
                self.define(ty, format!("select.{t} v{cond}, v{a}, v{b}"));
            }
            _ => {
                let c = self.condition();
                self.scope[I32].push(c);
            }
        }
    }

    fn condition(&mut self) -> u32 {
        let v = self.value();
        if self.rng.below(4) == 0 {
            let (a, b) = (self.pick(F64), self.pick(F64));
            let cc = self.rng.one_of(&[
                "eq", "ne", "lt", "le", "gt", "ge", "ueq", "one", "ult", "ule", "ugt", "uge",
                "ord", "uno",
            ]);
            self.line(format!("v{v} = fcmp {cc} v{a}, v{b}"));
        } else {
            let ty = self.rng.below(2);
            let (a, b) = (self.pick(ty), self.pick(ty));
            let cc = self.rng.one_of(&[
                "eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge",
            ]);
            self.line(format!("v{v} = icmp {cc} v{a}, v{b}"));
        }
        v
    }

    fn float(&mut self) {
        let (a, b) = (self.pick(F64), self.pick(F64));
        match self.rng.below(6) {
            0 => {
                let op = self.rng.one_of(&["fneg", "fabs", "ffloor"]);
                self.define(F64, format!("{op}.f64 v{a}"));
            }
            1 => {
                let c = self.condition();
                self.define(F64, format!("select.f64 v{c}, v{a}, v{b}"));
            }
            _ => {
                let op = self.rng.one_of(&["fadd", "fsub", "fmul", "fdiv"]);
                self.define(F64, format!("{op}.f64 v{a}, v{b}"));
            }
        }
    }

    fn convert(&mut self) {
        match self.rng.below(8) {
            0 => {
                let a = self.pick(I32);
                let op = self.rng.one_of(&["sext32", "zext32"]);
                self.define(I64, format!("{op} v{a}"));
            }
            1 => {
                let a = self.pick(I64);
                self.define(I32, format!("trunc v{a}"));
            }
            2 => {
                let a = self.pick(I32);
                let op = self.rng.one_of(&["sext8", "sext16", "zext8", "zext16"]);
                self.define(I32, format!("{op} v{a}"));
            }
            3 | 4 => {
                let ty = self.rng.below(2);
                let a = self.pick(ty);
                let op = self.rng.one_of(&["from_int", "from_uint"]);
                self.define(F64, format!("{op}.f64 v{a}"));
            }
            _ => {
                let ty = self.rng.below(2);
                let a = self.pick(F64);
                let op = self.rng.one_of(&["to_int", "to_uint"]);
                self.define(ty, format!("{op}.{} v{a}", TYPES[ty]));
            }
        }
    }

    /// Access at a constant or computed place of one of the arrays.
    fn memory(&mut self) {
        let float = self.rng.below(4) == 0;
        let base = u32::from(float);
        let address = if self.rng.below(2) == 0 {
            base
        } else {
            let (i, m, x) = (self.pick(I64), self.value(), self.value());
            self.line(format!("v{m} = iconst.i64 31"));
            self.line(format!("v{x} = and.i64 v{i}, v{m}"));
            let a = self.value();
            let scale = self.rng.one_of(&["8", "8+16", "4", "2", "12"]);
            let scale = if float { "8" } else { scale };
            self.line(format!("v{a} = addr_index.i64 {scale} v{base}, v{x}"));
            a
        };
        let offset = 8 * self.rng.below(8);
        if float {
            if self.rng.below(2) == 0 {
                self.define(F64, format!("load.f64 f64+{offset} v{address}"));
            } else {
                let v = self.pick(F64);
                self.line(format!("store f64+{offset} v{address}, v{v}"));
            }
            return;
        }
        let wide = self.rng.below(2) == 0;
        let (ty, mem) = if wide {
            (I64, "i64")
        } else {
            (I32, self.rng.one_of(&["i8", "u8", "i16", "u16", "i32"]))
        };
        match self.rng.below(5) {
            0 | 1 => self.define(ty, format!("load.{} {mem}+{offset} v{address}", TYPES[ty])),
            2 | 3 => {
                let v = self.pick(ty);
                self.line(format!("store {mem}+{offset} v{address}, v{v}"));
            }
            _ => {
                // Read-modify-write.
                let (old, new, x) = (self.value(), self.value(), self.pick(ty));
                let op = self.rng.one_of(&["iadd", "isub", "and", "or", "xor"]);
                let t = TYPES[ty];
                self.line(format!("v{old} = load.{t} {mem}+{offset} v{address}"));
                self.line(format!("v{new} = {op}.{t} v{old}, v{x}"));
                self.line(format!("store {mem}+{offset} v{address}, v{new}"));
            }
        }
    }

    fn call(&mut self) {
        let (a, b) = (self.pick(I64), self.pick(I64));
        self.define(I64, format!("call_internal method#0 sig0 v{a}, v{b}"));
    }

    /// Jumps to a join block with a value of each type; afterwards the scope is as before and has its parameters.
    fn join(&mut self, to: u32, depth_scope: &[Vec<u32>; 3]) {
        let args = [self.pick(I32), self.pick(I64), self.pick(F64)];
        self.line(format!(
            "jump block{to}(v{}, v{}, v{})",
            args[0], args[1], args[2]
        ));
        self.scope = depth_scope.clone();
    }

    fn join_block(&mut self, block: u32) {
        let p = [self.value(), self.value(), self.value()];
        let _ = writeln!(
            self.out,
            "block{block}(v{}: i32, v{}: i64, v{}: f64):",
            p[0], p[1], p[2]
        );
        for (scope, p) in self.scope.iter_mut().zip(p) {
            scope.push(p);
        }
    }

    fn branch(&mut self, depth: u32) {
        let cond = self.condition();
        let (yes, no, end) = (self.block(), self.block(), self.block());
        if self.rng.below(3) == 0 {
            // One side goes to the join directly: a critical edge.
            let args = [self.pick(I32), self.pick(I64), self.pick(F64)];
            self.line(format!(
                "brif v{cond}, block{yes}, block{end}(v{}, v{}, v{})",
                args[0], args[1], args[2]
            ));
        } else {
            self.line(format!("brif v{cond}, block{yes}, block{no}"));
            let scope = self.scope.clone();
            let _ = writeln!(self.out, "block{no}:");
            self.statements(depth + 1);
            self.join(end, &scope);
        }
        let scope = self.scope.clone();
        let _ = writeln!(self.out, "block{yes}:");
        self.statements(depth + 1);
        self.join(end, &scope);
        self.join_block(end);
    }

    fn switch(&mut self, depth: u32) {
        let x = self.pick(I32);
        let n = 2 + self.rng.below(4);
        let cases: Vec<u32> = (0..n).map(|_| self.block()).collect();
        let end = self.block();
        let direct = [self.pick(I32), self.pick(I64), self.pick(F64)];
        let list: Vec<String> = cases.iter().map(|c| format!("block{c}")).collect();
        self.line(format!(
            "switch v{x}, {}, block{end}(v{}, v{}, v{}), {}",
            list.join(", "),
            direct[0],
            direct[1],
            direct[2],
            list[0]
        ));
        let scope = self.scope.clone();
        for c in cases {
            let _ = writeln!(self.out, "block{c}:");
            self.statements(depth + 1);
            self.join(end, &scope);
        }
        self.join_block(end);
    }

    fn repeat(&mut self, depth: u32) {
        let (head, body, end) = (self.block(), self.block(), self.block());
        let times = 1 + self.rng.below(5);
        let zero = self.value();
        self.line(format!("v{zero} = iconst.i32 0"));
        let init = [self.pick(I32), self.pick(I64), self.pick(F64)];
        self.line(format!(
            "jump block{head}(v{zero}, v{}, v{}, v{})",
            init[0], init[1], init[2]
        ));
        let (count, p) = (self.value(), [self.value(), self.value(), self.value()]);
        let _ = writeln!(
            self.out,
            "block{head}(v{count}: i32, v{}: i32, v{}: i64, v{}: f64):",
            p[0], p[1], p[2]
        );
        for (scope, p) in self.scope.iter_mut().zip(p) {
            scope.push(p);
        }
        let (limit, more) = (self.value(), self.value());
        self.line(format!("v{limit} = iconst.i32 {times}"));
        self.line(format!("v{more} = icmp slt v{count}, v{limit}"));
        self.line(format!("brif v{more}, block{body}, block{end}"));
        let scope = self.scope.clone();
        let _ = writeln!(self.out, "block{body}:");
        if self.rng.below(2) == 0 {
            self.line("poll".into());
        }
        self.statements(depth + 1);
        let (one, next) = (self.value(), self.value());
        self.line(format!("v{one} = iconst.i32 1"));
        self.line(format!("v{next} = iadd.i32 v{count}, v{one}"));
        let args = [self.pick(I32), self.pick(I64), self.pick(F64)];
        self.line(format!(
            "jump block{head}(v{next}, v{}, v{}, v{})",
            args[0], args[1], args[2]
        ));
        self.scope = scope;
        let _ = writeln!(self.out, "block{end}:");
    }
}
