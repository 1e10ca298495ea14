//! Loops of one path over arrays, as vectors like them: copies, maps, fills and sums.

use super::Gen;
use crate::ir::{AliasClass, Block, Imm, IntCc, MemRef, MemType, Op, Type, Value, Var, target};

/// Operations on integers that vectors may have.
const INT_OPS: [Op; 7] = [
    Op::Iadd,
    Op::Iadd,
    Op::Isub,
    Op::And,
    Op::Or,
    Op::Xor,
    Op::Imul,
];
const DIVISORS: [i32; 10] = [2, 3, 7, 10, 100, 641, -5, -8, i32::MAX, i32::MIN];
const FLOAT_OPS: [Op; 5] = [Op::Fadd, Op::Fmul, Op::Fmul, Op::Fsub, Op::Fdiv];

impl Gen {
    /// A loop that counts up by 1 and does nothing but compute with elements.
    pub(super) fn plain_loop(&mut self) {
        let start = match self.r.below(6) {
            0 => self.params[5],
            n => self.b.i32([0, 0, 0, 1, 2][n - 1]),
        };
        self.b.def_var(self.counter, start);
        self.make_spans();
        let (head, body) = (self.b.create_block(), self.b.create_block());
        let exit = self.b.create_block();
        self.b.jump(head, &[]);
        self.b.switch_to(head);
        let limit = match self.r.below(8) {
            0 => self.params[4],
            1 => self.b.i32(16 + self.r.below(30) as i32),
            n => self.length(n % 3),
        };
        let i = self.get(self.counter);
        let test = self.b.icmp(IntCc::Slt, i, limit);
        self.b.brif(test, target(body, &[]), target(exit, &[]));
        self.b.seal(body);
        self.b.switch_to(body);
        if self.r.below(4) == 0 {
            self.second_limit(exit);
        }
        let third = self.r.below(2) == 0;
        self.exits.push(exit);
        for _ in 0..1 + self.r.below(2) {
            match third {
                true => self.plain_stmt(2, self.element),
                false => {
                    let array = [0, 1, 3][self.r.below(3)];
                    self.plain_stmt(array, MemType::I32);
                }
            }
        }
        self.exits.pop();
        self.spans = [None; 4];
        let (i, one) = (self.get(self.counter), self.b.i32(1));
        let next = self.b.iadd(i, one);
        self.b.def_var(self.counter, next);
        self.b.emit(Op::Poll, Type::I32, &[], Imm::None);
        self.b.jump(head, &[]);
        self.b.seal(head);
        self.join(exit);
    }

    /// `i < a.Length && i < b.Length`.
    fn second_limit(&mut self, exit: Block) {
        let array = self.r.below(3);
        let limit = self.length(array);
        let i = self.get(self.counter);
        let on = self.b.create_block();
        let test = self.b.icmp(IntCc::Slt, i, limit);
        self.b.brif(test, target(on, &[]), target(exit, &[]));
        self.b.seal(on);
        self.b.switch_to(on);
    }

    /// An element is computed, or something added to a sum.
    fn plain_stmt(&mut self, array: usize, ty: MemType) {
        let x = self.plain_value(array, ty, 2);
        let sum = match ty.value_type() {
            Type::I32 => Some(self.sum),
            Type::I64 => Some(self.wide),
            _ => None,
        };
        match sum {
            Some(sum) if self.r.below(3) == 0 => self.plain_sum(sum, x),
            _ => {
                let (at, mem) = self.plain_element(array, ty);
                self.b.store(at, x, mem);
            }
        }
    }

    fn plain_sum(&mut self, sum: Var, x: Value) {
        let s = self.get(sum);
        let s = match self.r.below(6) {
            0 => self.b.isub(s, x),
            1 => self.b.iadd(x, s),
            2 => self.plain_choice(x, s, [x, s]),
            3 => {
                let all = match self.r.below(2) {
                    0 => self.b.iadd(s, x),
                    _ => self.b.isub(s, x),
                };
                let (y, z) = (self.plain_leaf(0, MemType::I32), self.get(self.counter));
                let mut ways = [s, all];
                ways.rotate_left(self.r.below(2));
                self.plain_choice(y, z, ways)
            }
            _ => self.b.iadd(s, x),
        };
        self.b.def_var(sum, s);
    }

    /// One of two values, by a comparison.
    fn plain_choice(&mut self, x: Value, y: Value, ways: [Value; 2]) -> Value {
        let (cc, _) = IntCc::ALL[self.r.below(IntCc::ALL.len())];
        let test = self.b.icmp(cc, x, y);
        let at = self.r.below(2);
        self.b.select(test, ways[at], ways[1 - at])
    }

    fn plain_element(&mut self, array: usize, ty: MemType) -> (Value, MemRef) {
        // The two arrays of one type may be the same.
        let array = match array {
            0 | 1 => self.r.below(2),
            n => n,
        };
        match self.r.below(4) {
            0 => self.element(array, ty),
            _ => {
                let i = self.get(self.counter);
                self.element_at(array, ty, i)
            }
        }
    }

    fn plain_value(&mut self, array: usize, ty: MemType, depth: usize) -> Value {
        let value = ty.value_type();
        if depth == 0 || self.r.below(4) == 0 {
            return self.plain_leaf(array, ty);
        }
        let a = self.plain_value(array, ty, depth - 1);
        let one = |g: &mut Gen, op, x: &[Value]| {
            let v = g.b.emit(op, value, x, Imm::None);
            v.expect("the op has a result")
        };
        let seldom = if ty == MemType::F32 { 2 } else { 6 };
        if self.r.below(seldom) == 0 {
            return self.plain_conversion(ty, depth).unwrap_or(a);
        }
        if value.is_float() {
            let unary = [Op::Fneg, Op::Fabs, Op::Fsqrt][self.r.below(3)];
            let op = FLOAT_OPS[self.r.below(FLOAT_OPS.len())];
            return match self.r.below(6) {
                0 => one(self, unary, &[a]),
                _ => {
                    let b = self.plain_value(array, ty, depth - 1);
                    one(self, op, &[a, b])
                }
            };
        }
        match self.r.below(10) {
            8 => {
                let b = self.plain_leaf(array, ty);
                self.plain_choice(a, b, [a, b])
            }
            9 => {
                let (x, y) = (
                    self.plain_leaf(0, MemType::I32),
                    self.plain_leaf(1, MemType::I32),
                );
                let b = self.plain_leaf(array, ty);
                self.plain_choice(x, y, [a, b])
            }
            0 => {
                let op = [Op::Shl, Op::ShrS, Op::ShrU, Op::Rotl][self.r.below(4)];
                let by = self.b.i32([1, 3, 7, 15, 31, 33][self.r.below(6)]);
                one(self, op, &[a, by])
            }
            1 => {
                let op = [Op::Ineg, Op::Not][self.r.below(2)];
                one(self, op, &[a])
            }
            2 if value == Type::I32 => {
                let op = [Op::Sext8, Op::Zext8, Op::Sext16, Op::Zext16][self.r.below(4)];
                one(self, op, &[a])
            }
            3 if value == Type::I32 => {
                let op = [Op::Sdiv, Op::Srem, Op::Udiv, Op::Urem][self.r.below(4)];
                let by = self.b.i32(DIVISORS[self.r.below(DIVISORS.len())]);
                one(self, op, &[a, by])
            }
            _ => {
                let b = self.plain_value(array, ty, depth - 1);
                let op = INT_OPS[self.r.below(INT_OPS.len())];
                one(self, op, &[a, b])
            }
        }
    }

    /// A value of another type, converted.
    fn plain_conversion(&mut self, ty: MemType, depth: usize) -> Option<Value> {
        let element = self.element.value_type();
        let other = |g: &mut Gen, ty: MemType| {
            let array = [0, 2][usize::from(ty == g.element)];
            g.plain_value(array, ty, depth - 1)
        };
        let value = ty.value_type();
        let op = match (value, element) {
            (Type::I32, Type::I32) => return Some(other(self, self.element)),
            (Type::I32, Type::I64) => Op::Trunc,
            (Type::I64, _) => [Op::Sext32, Op::Zext32][self.r.below(2)],
            (Type::F32, _) => {
                let x = other(self, ty);
                let (x, k) = (self.b.convert(Op::Fpromote, Type::F64, x), self.b.f64(1.1));
                let x = self.b.fmul(x, k);
                return Some(self.b.convert(Op::Fdemote, Type::F32, x));
            }
            (Type::F64, _) => Op::FromInt,
            _ => return None,
        };
        let from = match op {
            Op::Trunc => MemType::I64,
            _ => MemType::I32,
        };
        let x = other(self, from);
        Some(self.b.convert(op, value, x))
    }

    fn plain_leaf(&mut self, array: usize, ty: MemType) -> Value {
        let choice = self.r.below(6);
        match (ty.value_type(), choice) {
            (_, 0..=2) => {
                let (at, mem) = self.plain_element(array, ty);
                self.b.load(at, mem)
            }
            (Type::I32, 3) => self.get(self.counter),
            (Type::I32, 4) => self.params[4],
            (Type::I32, _) => self.b.i32([1, -1, 3, 255, 0x1234][self.r.below(5)]),
            (Type::I64, 3) => {
                let i = self.get(self.counter);
                self.b.sext32(i)
            }
            (Type::I64, 4) => self.b.sext32(self.params[4]),
            (Type::I64, _) => self.b.i64([1, -1, 1 << 33][self.r.below(3)]),
            (Type::F32, _) => self.b.f32([0.5, -3.0, 1e30][self.r.below(3)]),
            _ => self.b.f64([0.5, -3.0, 1e300][self.r.below(3)]),
        }
    }

    /// Where an element is, checked.
    pub(super) fn element_at(
        &mut self,
        array: usize,
        ty: MemType,
        index: Value,
    ) -> (Value, MemRef) {
        if let Some(span) = self.spans[array] {
            return self.span_element(span, ty, index);
        }
        let a = match array {
            3 => self.field(super::ARRAY_FIELD, 1, MemType::Ref),
            n => self.params[n],
        };
        self.b.null_check(a);
        let length = self.b.array_len(a);
        let wide = match self.wide_checks {
            true => {
                let wide = self.b.sext32(index);
                self.b.bounds_check(wide, length);
                wide
            }
            false => {
                let length = self.b.trunc(length);
                self.b.bounds_check(index, length);
                self.b.zext32(index)
            }
        };
        let data = crate::abi::layout::array::DATA;
        let at = self.b.addr_index(a, wide, ty.bytes(), data);
        let mem = MemRef {
            offset: 0,
            ty,
            alias: AliasClass::Element(ty),
            volatile: false,
        };
        (at, mem)
    }
}
