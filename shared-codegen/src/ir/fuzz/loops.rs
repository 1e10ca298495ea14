//! Random loops over arrays, for the passes that copy, unroll or otherwise rework loops.
//!
//! A function from [`random_loop`] is `method#1 (ref, ref, ref, ref, i32, i32) -> i64`: two arrays of `i32` and one of elements that the
//! seed chooses ([`LoopProgram::element`]), an object with an array of `i32` at [`ARRAY_FIELD`] and an `i32` at [`COUNT_FIELD`], and two numbers. Each
//! may be null. Loops count up or down by constants or parameters to limits of all kinds; indexes are the counter plus or minus
//! something, a second counter, or the same each round. Nothing bounds the rounds: run it with fuel.

mod plain;
mod spans;

use super::program::Random;
use crate::abi::layout;
use crate::abi::trap::TrapKind;
use crate::ir::{
    AliasClass, Block, FloatCc, Function, FunctionBuilder, Imm, IntCc, MemRef, MemType, Op,
    Signature, Type, Value, Var, target,
};
use crate::types::MethodId;

/// Offset of the array in the object.
pub const ARRAY_FIELD: i32 = layout::object::HEADER as i32;
/// Offset of the number in the object.
pub const COUNT_FIELD: i32 = ARRAY_FIELD + 8;

/// A loop and what its third array holds.
pub struct LoopProgram {
    /// The function.
    pub function: Function,
    /// Elements of the third array.
    pub element: MemType,
}

const ELEMENTS: [MemType; 7] = [
    MemType::I32,
    MemType::I64,
    MemType::U8,
    MemType::I16,
    MemType::F32,
    MemType::F64,
    MemType::I8,
];

/// A function from a seed.
pub fn random_loop(seed: u64) -> LoopProgram {
    let mut r = Random::new(seed);
    let element = ELEMENTS[r.below(ELEMENTS.len())];
    let sig = Signature {
        params: vec![
            Type::Ref,
            Type::Ref,
            Type::Ref,
            Type::Ref,
            Type::I32,
            Type::I32,
        ],
        ret: Some(Type::I64),
        ..Signature::default()
    };
    let mut f = Function::new("random loop", sig);
    f.method = Some(MethodId(1));
    let mut b = FunctionBuilder::new(f);
    let entry = b.create_entry();
    let params: Vec<Value> = (0..6).map(|n| b.param(entry, n)).collect();
    let mut var = |ty| b.new_var(ty);
    let mut g = Gen {
        counter: var(Type::I32),
        other: var(Type::I32),
        sum: var(Type::I32),
        wide: var(Type::I64),
        float: var(Type::F64),
        params,
        element,
        exits: Vec::new(),
        spans: [None; 4],
        wide_checks: r.below(2) == 0,
        r,
        b,
    };
    for v in [g.counter, g.other, g.sum] {
        let n = g.r.below(3) as i32;
        let n = g.b.i32(n);
        g.b.def_var(v, n);
    }
    let (zero, half) = (g.b.i64(0), g.b.f64(0.5));
    g.b.def_var(g.wide, zero);
    g.b.def_var(g.float, half);
    let start = g.b.create_block();
    g.b.jump(start, &[]);
    g.b.seal(start);
    g.b.switch_to(start);
    match g.r.below(8) {
        0..=2 => g.plain_loop(),
        3 => {
            g.plain_loop();
            g.plain_loop();
        }
        4 => g.nest(),
        5 => {
            g.one_loop();
            g.one_loop();
        }
        _ => g.one_loop(),
    }
    g.finish();
    LoopProgram {
        function: g.b.finish(),
        element,
    }
}

struct Gen {
    b: FunctionBuilder,
    r: Random,
    counter: Var,
    other: Var,
    sum: Var,
    wide: Var,
    float: Var,
    params: Vec<Value>,
    element: MemType,
    exits: Vec<Block>,
    /// Parts of arrays that plain loops access instead.
    spans: [Option<spans::Span>; 4],
    /// Checks compare numbers of 64 bits, as those of arrays do.
    wide_checks: bool,
}

impl Gen {
    fn get(&mut self, v: Var) -> Value {
        self.b.use_var(v)
    }

    fn finish(&mut self) {
        if self.b.is_terminated() {
            return;
        }
        let (i, s, w) = (
            self.get(self.counter),
            self.get(self.sum),
            self.get(self.wide),
        );
        let x = self.get(self.float);
        let other = self.get(self.other);
        let one = self.b.f64(1.0);
        let ordered = self.b.fcmp(FloatCc::Ord, x, x);
        let x = self.b.select(ordered, x, one);
        let bits = self.b.convert(Op::Bitcast, Type::I64, x);
        let mut all = self.b.xor(w, bits);
        for v in [i, s, other] {
            let v = self.b.sext32(v);
            let by = self.b.i64(31);
            all = self.b.imul(all, by);
            all = self.b.iadd(all, v);
        }
        self.b.ret(Some(all));
    }

    /// Rounds of an outer loop around one that starts anew each time.
    fn nest(&mut self) {
        let round = self.b.new_var(Type::I32);
        let zero = self.b.i32(0);
        self.b.def_var(round, zero);
        let (head, exit) = (self.b.create_block(), self.b.create_block());
        self.b.jump(head, &[]);
        self.b.switch_to(head);
        match self.r.below(3) {
            0 => self.plain_loop(),
            _ => self.one_loop(),
        }
        if !self.b.is_terminated() {
            let (n, one) = (self.get(round), self.b.i32(1));
            let next = self.b.iadd(n, one);
            self.b.def_var(round, next);
            let times = self.b.i32(3);
            let again = self.b.icmp(IntCc::Slt, next, times);
            self.b.brif(again, target(head, &[]), target(exit, &[]));
        }
        self.b.seal(head);
        self.join(exit);
    }

    fn join(&mut self, block: Block) {
        self.b.seal(block);
        self.b.switch_to(block);
        if !self.b.has_preds(block) {
            self.b.trap(TrapKind::InvalidProgram);
        }
    }

    fn one_loop(&mut self) {
        if self.b.is_terminated() {
            return;
        }
        let step = [1, 1, 1, 1, 2, 3, -1, -1, -2][self.r.below(9)];
        let by_param = self.r.below(12) == 0;
        let start = self.start(step);
        self.b.def_var(self.counter, start);
        let (head, exit) = (self.b.create_block(), self.b.create_block());
        let at_top = self.r.below(4) != 0;
        self.b.jump(head, &[]);
        self.b.switch_to(head);
        if at_top {
            let body = self.b.create_block();
            self.test(step, body, exit);
            self.b.seal(body);
            self.b.switch_to(body);
        }
        self.exits.push(exit);
        for _ in 0..1 + self.r.below(3) {
            self.stmt(1);
        }
        self.exits.pop();
        let i = self.get(self.counter);
        let by = match by_param {
            true => self.params[5],
            false => self.b.i32(step),
        };
        let next = self.b.iadd(i, by);
        self.b.def_var(self.counter, next);
        self.b.emit(Op::Poll, Type::I32, &[], Imm::None);
        if at_top {
            self.b.jump(head, &[]);
        } else {
            self.test(step, head, exit);
        }
        self.b.seal(head);
        self.join(exit);
    }

    fn start(&mut self, step: i32) -> Value {
        let n = match (step < 0, self.r.below(6)) {
            (_, 0) => return self.params[4],
            (_, 1) => return self.params[5],
            (true, 2) => self.r.below(20) as i32,
            (true, _) => {
                let length = self.length(0);
                let one = self.b.i32(1);
                return self.b.isub(length, one);
            }
            (false, 2) => -1,
            (false, n) => n as i32 - 3,
        };
        self.b.i32(n)
    }

    fn length(&mut self, array: usize) -> Value {
        let a = self.params[array];
        self.b.null_check(a);
        let length = self.b.array_len(a);
        self.b.trunc(length)
    }

    fn limit(&mut self, down: bool) -> Value {
        let n = match self.r.below(8) {
            0 => return self.params[4],
            1 => return self.params[5],
            2 if !down => {
                let (n, two) = (self.length(0), self.b.i32(2));
                return self.b.isub(n, two);
            }
            3 => return self.field(COUNT_FIELD, 2, MemType::I32),
            n if !down && n < 7 => return self.length(n % 3),
            n => n as i32 - 7 + if down { 0 } else { 12 },
        };
        self.b.i32(n)
    }

    fn test(&mut self, step: i32, stay: Block, leave: Block) {
        let limit = self.limit(step < 0);
        let ccs: &[IntCc] = match step < 0 {
            true => &[IntCc::Sgt, IntCc::Sge, IntCc::Sge, IntCc::Ne],
            false => &[IntCc::Slt, IntCc::Slt, IntCc::Sle, IntCc::Ne, IntCc::Ult],
        };
        let cc = ccs[self.r.below(ccs.len())];
        let i = self.get(self.counter);
        match self.r.below(3) {
            0 => {
                let test = self.b.icmp(cc.inverse(), i, limit);
                self.b.brif(test, target(leave, &[]), target(stay, &[]));
            }
            1 => {
                let test = self.b.icmp(cc.swapped(), limit, i);
                self.b.brif(test, target(stay, &[]), target(leave, &[]));
            }
            _ => {
                let test = self.b.icmp(cc, i, limit);
                self.b.brif(test, target(stay, &[]), target(leave, &[]));
            }
        }
    }

    fn field(&mut self, offset: i32, id: u32, ty: MemType) -> Value {
        let h = self.params[3];
        self.b.null_check(h);
        self.b.load(h, Gen::field_mem(offset, id, ty))
    }

    fn field_mem(offset: i32, id: u32, ty: MemType) -> MemRef {
        MemRef {
            offset,
            ty,
            alias: AliasClass::Field(id),
            volatile: false,
        }
    }

    /// A number divided or shifted by a constant.
    fn part(&mut self, x: Value) -> Value {
        let ops = [Op::DivS, Op::RemS, Op::ShrS];
        let op = ops[self.r.below(ops.len())];
        let by = self.b.i32(self.r.below(6) as i32 - 1);
        let v = self.b.emit(op, Type::I32, &[x, by], Imm::None);
        v.expect("the op has a result")
    }

    fn index(&mut self) -> Value {
        let i = self.get(self.counter);
        match self.r.below(13) {
            0 => {
                let c = self.b.i32(1 + self.r.below(3) as i32);
                self.b.iadd(i, c)
            }
            1 => {
                let c = self.b.i32(1 + self.r.below(2) as i32);
                self.b.isub(i, c)
            }
            2 => self.b.isub(i, self.params[5]),
            3 => self.b.iadd(i, self.params[5]),
            4 => self.get(self.other),
            5 => self.params[4],
            6 => {
                let seven = self.b.i32(7);
                self.b.and(i, seven)
            }
            7 => self.part(i),
            _ => i,
        }
    }

    /// Where an element is, checked.
    fn element(&mut self, array: usize, ty: MemType) -> (Value, MemRef) {
        let index = self.index();
        self.element_at(array, ty, index)
    }

    fn read(&mut self, array: usize) -> Value {
        let (at, mem) = self.element(array, MemType::I32);
        self.b.load(at, mem)
    }

    fn an_i32(&mut self) -> Value {
        match self.r.below(11) {
            0 => self.get(self.counter),
            1 => self.get(self.sum),
            9 => {
                let i = self.get(self.counter);
                self.part(i)
            }
            10 => {
                let x = self.an_i32();
                self.part(x)
            }
            2 => self.b.i32(self.r.below(9) as i32 - 4),
            3 => self.params[4],
            4 => self.field(COUNT_FIELD, 2, MemType::I32),
            5 => self.read(3),
            n => self.read(n % 2),
        }
    }

    fn combine(&mut self, a: Value, b: Value) -> Value {
        let ops = [Op::Iadd, Op::Iadd, Op::Imul, Op::Isub, Op::Xor, Op::And];
        let op = ops[self.r.below(ops.len())];
        let ty = self.b.func.ty(a);
        let v = self.b.emit(op, ty, &[a, b], Imm::None);
        v.expect("the op has a result")
    }

    fn stmt(&mut self, depth: usize) {
        match self.r.below(17) {
            0..=3 => {
                let (s, x) = (self.get(self.sum), self.an_i32());
                let s = self.combine(s, x);
                self.b.def_var(self.sum, s);
            }
            4 => {
                let (x, y) = (self.an_i32(), self.an_i32());
                let x = self.combine(x, y);
                let s = self.get(self.sum);
                let s = self.b.iadd(s, x);
                self.b.def_var(self.sum, s);
            }
            5..=7 => {
                let mut x = self.an_i32();
                if self.r.below(2) == 0 {
                    let y = self.an_i32();
                    x = self.combine(x, y);
                }
                let to = [0, 1, 1, 3][self.r.below(4)];
                let (at, mem) = self.element(to, MemType::I32);
                self.b.store(at, x, mem);
            }
            8 | 9 => self.third(),
            10 if depth > 0 => self.choice(depth),
            11 if depth > 0 => self.leave(),
            12 => {
                let (j, by) = (self.get(self.other), self.b.i32(self.r.below(5) as i32 - 1));
                let j = self.b.iadd(j, by);
                self.b.def_var(self.other, j);
            }
            13 if self.r.below(3) == 0 => {
                let x = self.get(self.sum);
                let h = self.params[3];
                self.b.null_check(h);
                self.b
                    .store(h, x, Gen::field_mem(COUNT_FIELD, 2, MemType::I32));
            }
            16 => self.update(),
            _ => {
                let (s, i) = (self.get(self.sum), self.get(self.counter));
                let s = self.combine(s, i);
                self.b.def_var(self.sum, s);
            }
        }
    }

    /// Changes what is in a field, or in an element at an index that may stay the same.
    fn update(&mut self) {
        let by = self.an_i32();
        let (at, mem) = match self.r.below(3) {
            0 => self.element(1, MemType::I32),
            _ => {
                self.b.null_check(self.params[3]);
                let mem = Gen::field_mem(COUNT_FIELD, 2, MemType::I32);
                (self.params[3], mem)
            }
        };
        let x = self.b.load(at, mem);
        let x = self.combine(x, by);
        self.b.store(at, x, mem);
    }

    /// Something with an element of the third array.
    fn third(&mut self) {
        let ty = self.element;
        let (at, mem) = self.element(2, ty);
        let mut x = self.b.load(at, mem);
        let sums = self.r.below(2) == 0;
        match ty.value_type() {
            Type::I32 => {
                let y = self.an_i32();
                x = self.combine(x, y);
                if sums {
                    let s = self.get(self.sum);
                    x = self.b.iadd(s, x);
                    return self.b.def_var(self.sum, x);
                }
            }
            Type::I64 => {
                let w = self.get(self.wide);
                x = self.combine(w, x);
                if sums {
                    return self.b.def_var(self.wide, x);
                }
            }
            Type::F32 if sums => {
                let (x, s) = (
                    self.b.convert(Op::Fpromote, Type::F64, x),
                    self.get(self.float),
                );
                let s = self.b.fadd(s, x);
                return self.b.def_var(self.float, s);
            }
            Type::F32 => {
                let k = self.b.f32(1.25);
                x = self.b.fmul(x, k);
            }
            _ => {
                let s = self.get(self.float);
                x = self.b.fadd(s, x);
                if sums {
                    return self.b.def_var(self.float, x);
                }
            }
        }
        let (at, mem) = self.element(2, ty);
        self.b.store(at, x, mem);
    }

    fn choice(&mut self, depth: usize) {
        let (x, y) = (self.an_i32(), self.an_i32());
        let ccs = [IntCc::Slt, IntCc::Eq, IntCc::Ne, IntCc::Sge];
        let test = self.b.icmp(ccs[self.r.below(4)], x, y);
        let mut block = || self.b.create_block();
        let (yes, end) = (block(), block());
        self.b.brif(test, target(yes, &[]), target(end, &[]));
        self.b.seal(yes);
        self.b.switch_to(yes);
        self.stmt(depth - 1);
        self.b.jump(end, &[]);
        self.b.seal(end);
        self.b.switch_to(end);
    }

    fn leave(&mut self) {
        let Some(&exit) = self.exits.last() else {
            return;
        };
        let (x, y) = (self.an_i32(), self.b.i32(40));
        let test = self.b.icmp(IntCc::Eq, x, y);
        let on = self.b.create_block();
        self.b.brif(test, target(exit, &[]), target(on, &[]));
        self.b.seal(on);
        self.b.switch_to(on);
    }
}
