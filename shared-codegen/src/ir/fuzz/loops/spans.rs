//! Loops over spans and pointers: parts of the arrays, found by address.

use super::{Gen, Type, Value};
use crate::abi::layout;
use crate::ir::{AliasClass, Imm, IntCc, MemRef, MemType, Op, target};

/// A part of an array.
#[derive(Clone, Copy)]
pub(super) struct Span {
    /// Its first element: `byref` or `i64`.
    address: Value,
    /// Its length, not negative.
    length: Value,
    /// Addresses of elements are tested for null.
    tested: bool,
}

impl Gen {
    /// Makes spans of some of the arrays, the first two of which may be parts of one.
    pub(super) fn make_spans(&mut self) {
        if self.r.below(3) != 0 {
            return;
        }
        let both = self.r.below(2);
        for n in 0..3 {
            let ty = if n == 2 { self.element } else { MemType::I32 };
            let of = if n == 1 { both } else { n };
            if self.r.below(4) != 0 {
                self.spans[n] = Some(self.span(of, ty));
            }
        }
    }

    fn span(&mut self, array: usize, ty: MemType) -> Span {
        let skipped = [0, 0, 1, 2, 5, 17][self.r.below(6)];
        let length = self.length(array);
        let n = self.b.i32(skipped);
        let (there, rest) = (self.b.icmp(IntCc::Sgt, length, n), self.b.isub(length, n));
        let zero = self.b.i32(0);
        let length = self.b.select(there, rest, zero);
        let offset = layout::array::DATA + skipped * ty.bytes() as i32;
        let offset = self.b.i64(offset.into());
        let mut address = self.word(Op::AddrAdd, Type::ByRef, &[self.params[array], offset]);
        if self.r.below(2) == 0 {
            address = self.word(Op::AddrCast, Type::I64, &[address]);
        }
        let tested = self.r.below(2) == 0;
        Span {
            address,
            length,
            tested,
        }
    }

    fn word(&mut self, op: Op, ty: Type, args: &[Value]) -> Value {
        let v = self.b.emit(op, ty, args, Imm::None);
        v.expect("the op has a result")
    }

    /// Where an element is. Leaves the loop if there is no such one.
    pub(super) fn span_element(
        &mut self,
        span: Span,
        ty: MemType,
        index: Value,
    ) -> (Value, MemRef) {
        let exit = *self.exits.last().expect("spans are used in loops");
        let on = self.b.create_block();
        let test = self.b.icmp(IntCc::Ult, index, span.length);
        self.b.brif(test, target(on, &[]), target(exit, &[]));
        self.b.seal(on);
        self.b.switch_to(on);
        let wide = match self.r.below(2) {
            0 => self.b.sext32(index),
            _ => self.b.zext32(index),
        };
        let size = ty.bytes();
        let is_ref = self.b.func.ty(span.address) == Type::ByRef;
        let at = match (is_ref, self.r.below(2)) {
            (true, 0) => self.b.addr_index(span.address, wide, size, 0),
            (_, n) => {
                let (op, by) = match n {
                    0 => (Op::Shl, self.b.i32(size.trailing_zeros() as i32)),
                    _ => (Op::Imul, self.b.i64(size.into())),
                };
                let scaled = self.word(op, Type::I64, &[wide, by]);
                match is_ref {
                    true => self.word(Op::AddrAdd, Type::ByRef, &[span.address, scaled]),
                    false => self.word(Op::Iadd, Type::I64, &[scaled, span.address]),
                }
            }
        };
        if span.tested {
            self.b.null_check(at);
        }
        let mem = MemRef {
            offset: 0,
            ty,
            alias: AliasClass::Any,
            volatile: false,
        };
        (at, mem)
    }
}
