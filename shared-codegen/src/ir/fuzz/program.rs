//! Random statement trees.

use crate::ir::{FloatCc, IntCc, Op, Type};

/// Integer variables of each width, and float variables.
pub(super) const INTS: usize = 4;
/// Float variables.
pub(super) const FLOATS: usize = 2;
/// Bytes of the slot that programs play with.
pub(super) const SLOT_BYTES: u32 = 32;

/// A small generator of random numbers (xorshift64*).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// What handles exceptions of a `try`.
#[derive(Clone, Debug, PartialEq)]
pub enum Handler {
    /// Of a type: 0 all, else the number of a trap.
    Catch(u32),
    /// If an `i32` variable is not zero.
    Filter(usize),
    /// Fault.
    Fault,
}

/// A statement. Variables are numbers within their type.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the comments give the statements' meaning")]
pub enum Stmt {
    /// `d = a op b` of `i32` or `i64`.
    Int(Op, Type, usize, usize, usize),
    /// `d = a op constant`.
    IntConst(Op, Type, usize, usize, i64),
    /// `d = a << b` and its like.
    Shift(Op, Type, usize, usize, usize),
    /// `d = op a`.
    Unary(Op, Type, usize, usize),
    /// `d = a cc b` of integers of a type, `d` an `i32`.
    Icmp(IntCc, Type, usize, usize, usize),
    /// `d = a cc b` of floats.
    Fcmp(FloatCc, usize, usize, usize),
    /// `d = c ? a : b`.
    Select(Type, usize, usize, usize, usize),
    /// `d = a op b` of floats.
    Float(Op, usize, usize, usize),
    /// `d = constant`.
    FloatConst(usize, u64),
    /// Conversion between variables: op, result type, destination, source type, source.
    Convert(Op, Type, usize, Type, usize),
    /// `conv.ovf` of an `i64`.
    ConvOvf(usize, usize, i64),
    /// Stores an `i64` into the slot at an offset, by address or directly.
    SlotStore(bool, u32, usize),
    /// Loads from the slot.
    SlotLoad(bool, u32, usize),
    /// Calls the method that logs.
    Call(usize),
    /// Puts a new object, or null, into the reference variable.
    NewObject(bool),
    /// Stores an `i64` into a field of the reference variable's object.
    StoreField(u32, usize),
    /// Loads it.
    LoadField(u32, usize),
    /// `d = array[a & 7]` after filling it, with `b` for the length.
    Array(usize, usize, usize),
    /// Ends the function.
    Return,
    /// Leaves the innermost loop.
    Break,
    /// `if a`.
    If(usize, Vec<Stmt>, Vec<Stmt>),
    /// So many times.
    Loop(u32, Vec<Stmt>),
    /// Cases by `a`, the last is the default.
    Switch(usize, Vec<Vec<Stmt>>),
    /// `try`, handler.
    Try(Handler, Vec<Stmt>, Vec<Stmt>),
}

/// A program.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// Its statements.
    pub body: Vec<Stmt>,
}

/// A program from a seed.
pub fn generate(seed: u64) -> Program {
    let mut r = Random::new(seed);
    Program {
        body: list(&mut r, 3),
    }
}

fn list(r: &mut Random, depth: usize) -> Vec<Stmt> {
    (0..1 + r.below(6)).map(|_| stmt(r, depth)).collect()
}

const INT_OPS: [Op; 20] = [
    Op::Iadd,
    Op::Isub,
    Op::Imul,
    Op::ImulHigh,
    Op::UmulHigh,
    Op::And,
    Op::Or,
    Op::Xor,
    Op::DivS,
    Op::DivU,
    Op::RemS,
    Op::RemU,
    Op::AddOvfS,
    Op::AddOvfU,
    Op::SubOvfS,
    Op::SubOvfU,
    Op::MulOvfS,
    Op::MulOvfU,
    Op::Iadd,
    Op::Isub,
];
const SHIFTS: [Op; 4] = [Op::Shl, Op::ShrS, Op::ShrU, Op::Rotl];
const UNARY: [Op; 5] = [Op::Ineg, Op::Not, Op::Clz, Op::Ctz, Op::Popcnt];
const EXTENSIONS: [Op; 4] = [Op::Sext8, Op::Sext16, Op::Zext8, Op::Zext16];
const FLOAT_OPS: [Op; 5] = [Op::Fadd, Op::Fsub, Op::Fmul, Op::Fdiv, Op::Frem];
const CONSTANTS: [i64; 14] = [
    0,
    1,
    -1,
    2,
    8,
    7,
    31,
    255,
    256,
    -128,
    i32::MIN as i64,
    i32::MAX as i64,
    i64::MIN,
    0x1234_5678_9abc,
];
const FLOATS_USED: [f64; 7] = [0.0, -0.0, 1.0, -1.5, 1e300, f64::INFINITY, f64::NAN];
const WIDTHS: [Type; 2] = [Type::I32, Type::I64];

fn stmt(r: &mut Random, depth: usize) -> Stmt {
    let ty = r.of(&WIDTHS);
    let (a, b, c) = (r.below(INTS), r.below(INTS), r.below(INTS));
    let kinds = if depth == 0 { 20 } else { 28 };
    match r.below(kinds) {
        0..4 => Stmt::Int(r.of(&INT_OPS), ty, a, b, c),
        4..7 => Stmt::IntConst(r.of(&INT_OPS), ty, a, b, r.of(&CONSTANTS)),
        7 => Stmt::Shift(r.of(&SHIFTS), ty, a, b, c),
        8 if ty == Type::I32 && c == 0 => Stmt::Unary(r.of(&EXTENSIONS), ty, a, b),
        8 => Stmt::Unary(r.of(&UNARY), ty, a, b),
        9 => Stmt::Icmp(IntCc::ALL[r.below(10)].0, ty, a, b, c),
        10 => float(r, a),
        11 => Stmt::Select(ty, a, b, c, r.below(INTS)),
        12 => conversion(r, a, b),
        13 => Stmt::ConvOvf(a, b, r.below(8) as i64),
        14 => Stmt::SlotStore(r.below(2) == 0, 8 * r.below(4) as u32, a),
        15 => Stmt::SlotLoad(r.below(2) == 0, 8 * r.below(4) as u32, a),
        16 => Stmt::Call(a),
        17 => Stmt::NewObject(r.below(3) != 0),
        18 if r.below(2) == 0 => Stmt::StoreField(8 * r.below(2) as u32, a),
        18 => Stmt::LoadField(8 * r.below(2) as u32, a),
        19 => match r.below(8) {
            0 => Stmt::Return,
            1 | 2 => Stmt::Break,
            _ => Stmt::Array(a, b, c),
        },
        20..23 => Stmt::If(a, list(r, depth - 1), list(r, depth - 1)),
        23..25 => Stmt::Loop(1 + r.below(4) as u32, list(r, depth - 1)),
        25 => Stmt::Switch(a, (0..1 + r.below(4)).map(|_| list(r, depth - 1)).collect()),
        _ => {
            let handler = match r.below(4) {
                0 => Handler::Fault,
                1 => Handler::Filter(a),
                n => Handler::Catch(if n == 2 { 0 } else { 1 + r.below(4) as u32 }),
            };
            Stmt::Try(handler, list(r, depth - 1), list(r, depth - 1))
        }
    }
}

fn float(r: &mut Random, a: usize) -> Stmt {
    let mut v = || r.below(FLOATS);
    let (x, y, z) = (v(), v(), v());
    match r.below(4) {
        0 => Stmt::FloatConst(x, r.of(&FLOATS_USED).to_bits()),
        1 => Stmt::Fcmp(FloatCc::ALL[r.below(14)].0, a, x, y),
        _ => Stmt::Float(r.of(&FLOAT_OPS), x, y, z),
    }
}

fn conversion(r: &mut Random, a: usize, b: usize) -> Stmt {
    let (i32, i64, f64) = (Type::I32, Type::I64, Type::F64);
    let (op, to, from) = r.of(&[
        (Op::Sext32, i64, i32),
        (Op::Zext32, i64, i32),
        (Op::Trunc, i32, i64),
        (Op::FromInt, f64, i32),
        (Op::FromInt, f64, i64),
        (Op::FromUint, f64, i64),
        (Op::ToInt, i32, f64),
        (Op::ToInt, i64, f64),
        (Op::ToUint, i64, f64),
        (Op::Bitcast, i64, f64),
    ]);
    let small = |ty, n: usize| if ty == f64 { n % FLOATS } else { n };
    Stmt::Convert(op, to, small(to, a), from, small(from, b))
}

impl Program {
    /// Programs with one statement less, or with a statement replaced by its parts.
    pub fn smaller(&self) -> Vec<Program> {
        let bodies = smaller(&self.body);
        bodies.into_iter().map(|body| Program { body }).collect()
    }
}

/// Makes a statement again from changed parts.
type Rebuild = Box<dyn Fn(Vec<Vec<Stmt>>) -> Stmt>;

fn smaller(body: &[Stmt]) -> Vec<Vec<Stmt>> {
    let mut all = Vec::new();
    for n in 0..body.len() {
        let with = |new: Vec<Stmt>| [&body[..n], &new, &body[n + 1..]].concat();
        all.push(with(Vec::new()));
        let (parts, make): (Vec<&Vec<Stmt>>, Rebuild) = match &body[n] {
            Stmt::If(c, a, b) => {
                let c = *c;
                (
                    vec![a, b],
                    Box::new(move |p| Stmt::If(c, p[0].clone(), p[1].clone())),
                )
            }
            Stmt::Loop(times, a) => {
                let times = *times;
                (vec![a], Box::new(move |p| Stmt::Loop(times, p[0].clone())))
            }
            Stmt::Switch(c, cases) => {
                let c = *c;
                (
                    cases.iter().collect(),
                    Box::new(move |p| Stmt::Switch(c, p)),
                )
            }
            Stmt::Try(h, a, b) => {
                let h = h.clone();
                let make =
                    move |p: Vec<Vec<Stmt>>| Stmt::Try(h.clone(), p[0].clone(), p[1].clone());
                (vec![a, b], Box::new(make))
            }
            _ => continue,
        };
        all.extend(parts.iter().map(|p| with(p.to_vec())));
        for (k, part) in parts.iter().enumerate() {
            for less in smaller(part) {
                let mut new: Vec<Vec<Stmt>> = parts.iter().map(|p| p.to_vec()).collect();
                new[k] = less;
                all.push(with(vec![make(new)]));
            }
        }
    }
    all
}
