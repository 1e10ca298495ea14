//! Makes a program from a seed.

use super::kernel;
use super::{
    Catch, EXCEPTIONS, Expr, FIELDS, KINDS, Kind, Method, Place, Program, STATICS, Stmt, Ty,
};

/// Deepest expression.
const EXPR_DEPTH: u32 = 4;
/// Deepest nesting of statements.
const STMT_DEPTH: u32 = 4;
/// Deepest nesting of loops.
const LOOPS: usize = 2;

/// A xorshift generator: the same program for the same seed.
pub struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() >> 8) as usize % n
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

const TYPES: [Ty; 7] = [Ty::I4, Ty::I4, Ty::I4, Ty::I8, Ty::I8, Ty::R8, Ty::R4];

const INTEGER_BINARY: [&str; 8] = ["add", "sub", "mul", "and", "or", "xor", "add", "sub"];
/// Divisions by what may be zero, and what may overflow.
const RAISING_BINARY: [&str; 10] = [
    "div",
    "rem",
    "div.un",
    "rem.un",
    "add.ovf",
    "sub.ovf",
    "mul.ovf",
    "add.ovf.un",
    "sub.ovf.un",
    "mul.ovf.un",
];
const DIVISIONS_I4: [&str; 4] = [
    "ldc.i4 0xffff and ldc.i4.1 or div",
    "ldc.i4 255 and ldc.i4.1 or rem",
    "ldc.i4.1 or div.un",
    "ldc.i4.1 or rem.un",
];
const DIVISIONS_I8: [&str; 4] = [
    "ldc.i8 0xffffffff and ldc.i8 1 or div",
    "ldc.i8 255 and ldc.i8 1 or rem",
    "ldc.i8 1 or div.un",
    "ldc.i8 1 or rem.un",
];
const FLOAT_BINARY: [&str; 6] = ["add", "sub", "mul", "div", "rem", "mul"];
const COMPARISONS: [&str; 5] = ["ceq", "cgt", "clt", "cgt.un", "clt.un"];
const BRANCHES: [&str; 10] = [
    "beq", "bne.un", "blt", "ble", "bgt", "bge", "blt.un", "ble.un", "bgt.un", "bge.un",
];
/// Shifts by a constant or by what is on the stack, whose upper bits do not count. (ECMA-335 leaves that open; here it is so.)
const SHIFTS_I4: [&str; 9] = [
    "shl",
    "shr",
    "shr.un",
    "ldc.i4 31 and shl",
    "ldc.i4 31 and shr",
    "ldc.i4 31 and shr.un",
    "pop ldc.i4 4 shr.un",
    "pop ldc.i4 24 shl",
    "pop ldc.i4 31 shr",
];
const SHIFTS_I8: [&str; 9] = [
    "shl",
    "shr",
    "shr.un",
    "ldc.i4 63 and shl",
    "ldc.i4 63 and shr",
    "ldc.i4 63 and shr.un",
    "pop ldc.i4 32 shr.un",
    "pop ldc.i4 56 shl",
    "pop ldc.i4 63 shr",
];
const UNARY_I4: [&str; 23] = [
    "ldc.i4 255 and call string [mscorlib]System.Convert::ToString(int32) ldc.i4.0 callvirt instance char [mscorlib]System.String::get_Chars(int32)",
    "newobj instance void valuetype [mscorlib]System.Nullable`1<int32>::.ctor(!0) box valuetype [mscorlib]System.Nullable`1<int32> unbox.any int32",
    "ldc.i4.3 ldc.i4.4 newobj instance void int32[0...,0...]::.ctor(int32, int32) dup ldc.i4.1 ldc.i4.2 ldc.i4 77 \
     call instance void int32[0...,0...]::Set(int32, int32, int32) ldc.i4.1 ldc.i4.2 call instance int32 int32[0...,0...]::Get(int32, int32) add",
    "call string [mscorlib]System.Convert::ToString(int32) callvirt instance int32 [mscorlib]System.String::get_Length()",
    "ldc.i4 50 call int32 [mscorlib]System.Math::Max(int32, int32)",
    "neg",
    "not",
    "conv.i1",
    "conv.u1",
    "conv.i2",
    "conv.u2",
    "dup mul",
    "dup add",
    "ldc.i4.7 and",
    "box int32 unbox.any int32",
    "ldc.i4 10 div",
    "ldc.i4 7 rem",
    "ldc.i4 8 div",
    "ldc.i4 16 rem",
    "ldc.i4 -3 div",
    "ldc.i4 1000 rem.un",
    "conv.ovf.u1",
    "conv.ovf.i2.un",
];
const UNARY_I8: [&str; 11] = [
    "neg",
    "not",
    "dup mul",
    "conv.i4 conv.i8",
    "conv.u4 conv.u8",
    "box int64 unbox.any int64",
    "ldc.i8 10 div",
    "ldc.i8 1024 rem",
    "ldc.i8 7 rem.un",
    "ldc.i8 -5 div",
    "conv.ovf.i4 conv.i8",
];
const UNARY_R8: [&str; 6] = [
    "neg",
    "dup mul",
    "conv.r4 conv.r8",
    "box float64 unbox.any float64",
    "call float64 [mscorlib]System.Math::Abs(float64)",
    "call float64 [mscorlib]System.Math::Sqrt(float64)",
];
const UNARY_R4: [&str; 4] = [
    "neg",
    "dup mul",
    "conv.r8 conv.r4",
    "box float32 unbox.any float32",
];

/// Conversions: from, to, instruction.
const CONVERSIONS: [(Ty, Ty, &str); 26] = [
    (Ty::I4, Ty::I8, "conv.i8"),
    (Ty::I4, Ty::I8, "conv.u8"),
    (Ty::I4, Ty::I8, "conv.ovf.u8"),
    (Ty::I4, Ty::R8, "conv.r8"),
    (Ty::I4, Ty::R8, "conv.r.un conv.r8"),
    (Ty::I4, Ty::R4, "conv.r4"),
    (Ty::I8, Ty::I4, "conv.i4"),
    (Ty::I8, Ty::I4, "conv.u1"),
    (Ty::I8, Ty::I4, "conv.i2"),
    (Ty::I8, Ty::I4, "conv.ovf.i4"),
    (Ty::I8, Ty::I4, "conv.ovf.u4"),
    (Ty::I8, Ty::I4, "conv.ovf.i1.un"),
    (Ty::I8, Ty::R8, "conv.r8"),
    (Ty::I8, Ty::R8, "conv.r.un conv.r8"),
    (Ty::I8, Ty::R4, "conv.r4"),
    (Ty::R8, Ty::I4, "conv.ovf.i4"),
    (Ty::R8, Ty::I4, "conv.ovf.u1"),
    (Ty::R8, Ty::I4, "conv.i4"),
    (Ty::R8, Ty::I8, "conv.ovf.i8"),
    (Ty::R8, Ty::I8, "conv.ovf.u8"),
    (Ty::R8, Ty::I8, "conv.i8"),
    (Ty::R8, Ty::R4, "conv.r4"),
    (Ty::R4, Ty::I4, "conv.ovf.i4"),
    (Ty::R4, Ty::I4, "conv.i4"),
    (Ty::R4, Ty::I8, "conv.ovf.i8"),
    (Ty::R4, Ty::R8, "conv.r8"),
];

const INTEGERS: [i64; 24] = [
    0,
    1,
    -1,
    2,
    3,
    7,
    10,
    31,
    32,
    63,
    100,
    127,
    128,
    255,
    256,
    32_767,
    65_535,
    65_536,
    i32::MAX as i64,
    i32::MIN as i64,
    i64::MAX,
    i64::MIN,
    -7,
    1000,
];
const FLOATS: [f64; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.5,
    0.1,
    3.0,
    1e10,
    -1e10,
    2_147_483_648.0,
    9.3e18,
    1e300,
    1e-310,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    255.5,
];

/// The program of a seed.
pub fn program(seed: u64, methods: usize) -> Program {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..8 {
        random.next();
    }
    let mut made = Vec::new();
    for _ in 0..methods {
        let m = Maker::new(&mut random, &made).method();
        made.push(m);
    }
    let arguments = (0..16).map(|_| bits(&mut random)).collect();
    Program {
        methods: made,
        arguments,
    }
}

/// Any number.
fn bits(random: &mut Random) -> u64 {
    match random.below(3) {
        0 => random.of(&INTEGERS) as u64,
        1 => random.of(&FLOATS).to_bits(),
        _ => random.next() >> random.below(64),
    }
}

fn constant(random: &mut Random, ty: Ty) -> Expr {
    let bits = match ty {
        Ty::I4 | Ty::I8 if random.one_in(5) => random.next() >> random.below(64),
        Ty::I4 | Ty::I8 => random.of(&INTEGERS) as u64,
        Ty::R4 | Ty::R8 if random.one_in(5) => (random.below(2000) as f64 / 8.0 - 100.0).to_bits(),
        Ty::R4 | Ty::R8 => random.of(&FLOATS).to_bits(),
    };
    Expr::Const(ty, bits)
}

struct Maker<'a> {
    random: &'a mut Random,
    before: &'a [Method],
    m: Method,
    /// Counters in use, with the array that the loop goes over.
    loops: Vec<(usize, Option<usize>)>,
    /// One in so many operations may raise an exception.
    risk: usize,
}

impl Maker<'_> {
    fn new<'a>(random: &'a mut Random, before: &'a [Method]) -> Maker<'a> {
        let kinds = |random: &mut Random, min: usize, max: usize| {
            let n = min + random.below(max - min + 1);
            (0..n).map(|_| random.of(&KINDS)).collect::<Vec<Kind>>()
        };
        let risk = random.of(&[12, 60, 1 << 20, 1 << 20]);
        let m = Method {
            params: kinds(random, 0, 4),
            ret: random.of(&TYPES).kind(),
            locals: kinds(random, 3, 8),
            arrays: kinds(random, 1, 3),
            structs: 2,
            objects: 2,
            counters: 6,
            kernels: Vec::new(),
            body: Vec::new(),
        };
        Maker {
            random,
            before,
            m,
            loops: Vec::new(),
            risk,
        }
    }

    fn method(mut self) -> Method {
        let mut body = self.body(STMT_DEPTH, 10);
        for n in 0..self.m.locals.len() {
            body.push(Stmt::Hash(Expr::Load(Place::Local(n), self.m.locals[n])));
        }
        let result = self.expr(self.m.ret.ty, EXPR_DEPTH);
        body.push(Stmt::Return(result));
        Method { body, ..self.m }
    }

    fn body(&mut self, depth: u32, max: usize) -> Vec<Stmt> {
        let n = 1 + self.random.below(max);
        (0..n).map(|_| self.stmt(depth)).collect()
    }

    fn stmt(&mut self, depth: u32) -> Stmt {
        let simple = depth == 0;
        match self.random.below(if simple { 14 } else { 25 }) {
            0 | 1 => {
                let ty = self.random.of(&TYPES);
                Stmt::Hash(self.expr(ty, EXPR_DEPTH))
            }
            2..=9 => {
                let (place, kind) = self.place(2);
                let value = self.expr(kind.ty, EXPR_DEPTH);
                Stmt::Set(place, kind, value)
            }
            10 => {
                let null = self.random.one_in(self.risk);
                let class = if null { 0 } else { 1 + self.random.below(2) };
                Stmt::NewObject(self.random.below(self.m.objects), class as u8)
            }
            11 => match self.random.below(5) {
                0 => Stmt::CopyObject(0, 1),
                4 => self.swap(),
                1 => Stmt::CopyStruct(self.random.below(2), self.random.below(2)),
                2 => Stmt::MakeStruct(self.random.below(2), self.expr(Ty::I8, 2)),
                _ => Stmt::ClearStruct(self.random.below(2)),
            },
            12 => match self.random.below(8) {
                0 => Stmt::NewArray(self.random.below(self.m.arrays.len())),
                1 if depth < STMT_DEPTH => Stmt::Return(self.expr(self.m.ret.ty, 2)),
                2 if depth < STMT_DEPTH && self.random.one_in(self.risk) => {
                    Stmt::Throw(self.random.below(EXCEPTIONS.len()))
                }
                _ => Stmt::NewObject(self.random.below(self.m.objects), 2),
            },
            13 if self.random.one_in(3) => Stmt::Break,
            13 => Stmt::Hash(self.expr(Ty::I4, 2)),
            14..=17 => self.branch(depth),
            18..=20 if self.loops.len() < LOOPS => self.counted(depth),
            18..=20 => self.branch(depth),
            21 => self.kernel(),
            _ => self.protected(depth),
        }
    }

    fn swap(&mut self) -> Stmt {
        let mut index = || {
            let index = self.expr(Ty::I4, 1);
            Expr::Unary("ldc.i4.7 and", Ty::I4, Box::new(index))
        };
        let of = Box::new([index(), index()]);
        Stmt::Swap(self.random.below(self.m.arrays.len()), of)
    }

    fn branch(&mut self, depth: u32) -> Stmt {
        if self.random.one_in(5) {
            let value = self.expr(Ty::I4, 2);
            let value = Expr::Unary("ldc.i4.7 and", Ty::I4, Box::new(value));
            let n = 1 + self.random.below(4);
            return Stmt::Switch(value, (0..n).map(|_| self.body(depth - 1, 2)).collect());
        }
        let ty = self.random.of(&TYPES);
        let of = Box::new([self.expr(ty, 2), self.expr(ty, 2)]);
        let branch = self.random.of(&BRANCHES);
        Stmt::If(
            branch,
            of,
            [self.body(depth - 1, 3), self.body(depth - 1, 3)],
        )
    }

    fn counted(&mut self, depth: u32) -> Stmt {
        let free = |c: &usize| self.loops.iter().all(|l| l.0 != *c);
        let counter = (0..self.m.counters)
            .find(free)
            .expect("more counters than loops");
        let array = self.random.below(self.m.arrays.len());
        let way = self.random.below(8);
        let end = self.expr(Ty::I4, 2);
        self.loops.push((counter, (way < 4).then_some(array)));
        let body = self.body(depth - 1, 4);
        self.loops.pop();
        match way {
            0..=3 => return Stmt::Each(counter, array, body),
            4 => return Stmt::Down(counter, 1 + self.random.below(3) as u32, body),
            5 => return Stmt::While(counter, end, body),
            _ => {}
        }
        Stmt::Loop(
            counter,
            1 + self.random.below(6) as u32,
            self.random.one_in(2),
            body,
        )
    }

    fn kernel(&mut self) -> Stmt {
        // The last counter is none of the loops around it.
        let (counter, number) = (self.m.counters - 1, self.m.kernels.len());
        let kernel = kernel::kernel(self.random, counter, number, self.risk);
        self.m.kernels.push(kernel.locals());
        Stmt::Kernel(Box::new(kernel))
    }

    fn protected(&mut self, depth: u32) -> Stmt {
        let body = self.body(depth - 1, 4);
        if self.random.one_in(2) {
            let handler = self.body(depth - 1, 2);
            return Stmt::Finally(body, !self.random.one_in(5), handler);
        }
        let n = 1 + self.random.below(2);
        let catches = (0..n).map(|_| {
            let catch = match self.random.below(5) {
                0 => Catch::Filter(self.expr(Ty::I4, 2)),
                1 | 2 => Catch::Class(EXCEPTIONS.len() - 1),
                _ => Catch::Class(self.random.below(EXCEPTIONS.len())),
            };
            (catch, self.body(depth - 1, 2))
        });
        let catches = catches.collect();
        Stmt::Try(body, catches)
    }

    /// Something that can be read and written.
    fn place(&mut self, depth: u32) -> (Place, Kind) {
        let m = &self.m;
        match self.random.below(16) {
            0..=5 => {
                let n = self.random.below(m.locals.len());
                (Place::Local(n), m.locals[n])
            }
            6 => {
                // Some variables only: the others may live in registers.
                let n = self.random.below(m.locals.len().div_ceil(3));
                (Place::Address(n), m.locals[n])
            }
            7 | 8 if !m.params.is_empty() => {
                let n = self.random.below(m.params.len());
                (Place::Arg(n), m.params[n])
            }
            9 => {
                let n = self.random.below(STATICS.len());
                (Place::Static(n), STATICS[n])
            }
            10 | 11 => {
                let n = self.random.below(FIELDS.len());
                (
                    Place::StructField(self.random.below(m.structs), n),
                    FIELDS[n],
                )
            }
            12 => {
                let n = self.random.below(FIELDS.len());
                (
                    Place::ObjectField(self.random.below(m.objects), n),
                    FIELDS[n],
                )
            }
            _ => self.element(depth),
        }
    }

    fn element(&mut self, depth: u32) -> (Place, Kind) {
        let by_loop = self.loops.last().copied();
        let (array, index) = match by_loop {
            Some((c, array)) if !self.random.one_in(3) => {
                let any = self.random.below(self.m.arrays.len());
                let array = if self.random.one_in(4) {
                    any
                } else {
                    array.unwrap_or(any)
                };
                let index = match self.random.below(4 * self.risk) {
                    0 => Expr::Unary("ldc.i4.1 add", Ty::I4, Box::new(Expr::Counter(c))),
                    1 => Expr::Unary("ldc.i4.1 sub", Ty::I4, Box::new(Expr::Counter(c))),
                    _ => Expr::Counter(c),
                };
                (array, index)
            }
            _ => {
                let index = match depth {
                    0 => constant(self.random, Ty::I4),
                    _ => self.expr(Ty::I4, depth - 1),
                };
                let index = match self.random.one_in(self.risk * 2) {
                    true => index,
                    false => Expr::Unary("ldc.i4.7 and", Ty::I4, Box::new(index)),
                };
                (self.random.below(self.m.arrays.len()), index)
            }
        };
        let place = match self.random.one_in(4) {
            true => Place::ElementAddress(array, Box::new(index)),
            false => Place::Element(array, Box::new(index)),
        };
        (place, self.m.arrays[array])
    }

    fn expr(&mut self, ty: Ty, depth: u32) -> Expr {
        if depth == 0 || self.random.one_in(4) {
            return self.leaf(ty);
        }
        let d = depth - 1;
        match self.random.below(16) {
            0..=5 => {
                let op = match ty {
                    Ty::I4 | Ty::I8 if self.random.one_in(self.risk) => {
                        self.random.of(&RAISING_BINARY)
                    }
                    Ty::I4 if self.random.one_in(6) => self.random.of(&DIVISIONS_I4),
                    Ty::I8 if self.random.one_in(6) => self.random.of(&DIVISIONS_I8),
                    Ty::I4 | Ty::I8 => self.random.of(&INTEGER_BINARY),
                    Ty::R4 | Ty::R8 => self.random.of(&FLOAT_BINARY),
                };
                Expr::Binary(op, ty, Box::new([self.expr(ty, d), self.expr(ty, d)]))
            }
            6 => {
                let op = match ty {
                    Ty::I4 => self.random.of(&SHIFTS_I4),
                    Ty::I8 => self.random.of(&SHIFTS_I8),
                    _ => return self.leaf(ty),
                };
                Expr::Binary(op, ty, Box::new([self.expr(ty, d), self.expr(Ty::I4, d)]))
            }
            7 | 8 => {
                let op = match ty {
                    Ty::I4 => self.random.of(&UNARY_I4),
                    Ty::I8 => self.random.of(&UNARY_I8),
                    Ty::R8 => self.random.of(&UNARY_R8),
                    Ty::R4 => self.random.of(&UNARY_R4),
                };
                self.unary(op, ty, ty, d)
            }
            9 | 10 => {
                let fit: Vec<_> = CONVERSIONS.iter().filter(|c| c.1 == ty).collect();
                let (from, _, op) = *self.random.of(&fit);
                self.unary(op, from, ty, d)
            }
            11 if ty == Ty::I4 => {
                let of = self.random.of(&TYPES);
                let op = self.random.of(&COMPARISONS);
                Expr::Binary(op, ty, Box::new([self.expr(of, d), self.expr(of, d)]))
            }
            12 => {
                let condition = self.expr(Ty::I4, d);
                Expr::Choose(Box::new([condition, self.expr(ty, d), self.expr(ty, d)]))
            }
            13 | 14 => self.call(ty, d),
            15 if self.random.one_in(3) => Expr::Generic(Box::new(self.expr(ty, d))),
            _ => self.leaf(ty),
        }
    }

    /// An operation that raises an exception is seldom taken.
    fn unary(&mut self, op: &'static str, from: Ty, to: Ty, depth: u32) -> Expr {
        if op.contains("ovf") && !self.random.one_in(self.risk) {
            return self.leaf(to);
        }
        Expr::Unary(op, to, Box::new(self.expr(from, depth)))
    }

    fn call(&mut self, ty: Ty, depth: u32) -> Expr {
        let fit: Vec<usize> = (0..self.before.len())
            .filter(|m| self.before[*m].ret.ty == ty)
            .collect();
        match ty {
            Ty::I4 if self.random.one_in(3) => {
                let of = Box::new([self.expr(Ty::I4, depth), self.expr(Ty::I4, depth)]);
                let o = self.random.below(self.m.objects);
                match self.random.below(4) {
                    0 => Expr::Delegate(o, Box::new(self.expr(Ty::I4, depth))),
                    1 => Expr::Closure(of),
                    _ => Expr::Fresh(self.random.one_in(2), of),
                }
            }
            Ty::I4 if self.random.one_in(4) => match self.random.below(3) {
                0 => {
                    let fails = self.random.one_in(self.risk);
                    Expr::Initialized(if fails { 2 } else { self.random.below(2) })
                }
                _ => {
                    let (s, boxed) = (self.random.below(self.m.structs), self.random.one_in(2));
                    Expr::OfStruct(s, boxed, Box::new(self.expr(Ty::I4, depth)))
                }
            },
            Ty::I4 if self.random.one_in(2) => {
                let o = self.random.below(self.m.objects);
                let by_interface = self.random.one_in(3);
                Expr::Virtual(o, by_interface, Box::new(self.expr(Ty::I4, depth)))
            }
            Ty::I8 if self.random.one_in(2) => Expr::StructSum(self.random.below(self.m.structs)),
            _ if fit.is_empty() => self.leaf(ty),
            _ => {
                let n = self.random.of(&fit);
                let params = self.before[n].params.clone();
                let args = params.iter().map(|k| self.expr(k.ty, depth.min(2)));
                Expr::Call(n, args.collect())
            }
        }
    }

    fn leaf(&mut self, ty: Ty) -> Expr {
        if ty == Ty::I4 {
            match self.random.below(12) {
                0 => return Expr::Length(self.random.below(self.m.arrays.len())),
                1 => return Expr::IsDerived(self.random.below(self.m.objects)),
                2 | 3 if !self.loops.is_empty() => {
                    let n = self.random.below(self.loops.len());
                    return Expr::Counter(self.loops[n].0);
                }
                _ => {}
            }
        }
        if self.random.one_in(3) {
            return constant(self.random, ty);
        }
        for _ in 0..6 {
            let (place, kind) = self.place(0);
            if kind.ty == ty {
                return Expr::Load(place, kind);
            }
        }
        constant(self.random, ty)
    }
}
