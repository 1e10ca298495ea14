//! Division by constants without dividing: multiplication by a rounded-up reciprocal.
//!
//! Source: Granlund and Montgomery, "Division by Invariant Integers using Multiplication", 1994. For 32 bits
//! the 64-bit product leaves so much room that one multiplication always suffices.

use super::Lower;
use crate::ir::Type;
use crate::isa::x64::MInst;
use crate::isa::x64::operand::{RegMem, RegMemImm, Size};
use crate::isa::x64::ops::*;
use crate::isa::x64::regs::Reg;
use regalloc2::RegClass;

/// How to divide 64-bit numbers: `high(x * factor)`, perhaps corrected by `x`, shifted right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Reciprocal {
    factor: u64,
    shift: u8,
    /// The factor really has a 65th bit (unsigned) or is 2^64 larger than it reads as a signed number.
    extended: bool,
}

/// For unsigned division by `d >= 3`, not a power of two.
fn unsigned_reciprocal(d: u64) -> Reciprocal {
    let bits = 64 - (d - 1).leading_zeros();
    let factor = |shift: u32| (1u128 << (64 + shift)) / u128::from(d) + 1;
    for shift in 0..bits.min(63) {
        let m = factor(shift);
        let error = m.wrapping_mul(u128::from(d)) - (1u128 << (64 + shift));
        if m >> 64 == 0 && error <= 1 << shift {
            return Reciprocal {
                factor: m as u64,
                shift: shift as u8,
                extended: false,
            };
        }
    }
    // 2^(64 + bits) may not fit 128 bits: divide half of it and double.
    let half = 1u128 << (63 + bits);
    let (q, r) = (half / u128::from(d), half % u128::from(d));
    let m = 2 * q + (2 * r) / u128::from(d) + 1;
    Reciprocal {
        factor: m as u64,
        shift: bits as u8,
        extended: true,
    }
}

/// For signed division by a number of this magnitude, 3 or more, not a power of two.
fn signed_reciprocal(d: u64) -> Reciprocal {
    let bits = 64 - (d - 1).leading_zeros();
    for shift in 0..bits {
        let power = 1u128 << (64 + shift.min(62));
        let m = power / u128::from(d) + 1;
        let error = m * u128::from(d) - power;
        if shift < 63 && m < 1 << 63 && error < 1 << (shift + 1) {
            return Reciprocal {
                factor: m as u64,
                shift: shift as u8,
                extended: false,
            };
        }
    }
    let m = (1u128 << (63 + bits)) / u128::from(d) + 1;
    Reciprocal {
        factor: m as u64,
        shift: bits as u8 - 1,
        extended: true,
    }
}

impl Lower<'_> {
    /// `x / d`; `d` is neither 0, 1 nor -1.
    pub(super) fn quotient(&mut self, signed: bool, ty: Type, x: Reg, d: i64) -> Reg {
        match (signed, ty) {
            (true, Type::I32) => {
                let d = d as i32;
                let q = match d.unsigned_abs() {
                    n if n.is_power_of_two() => self.shift_signed(Size::S32, x, n.trailing_zeros()),
                    n => self.quotient_i32(x, n),
                };
                if d < 0 { self.negated(Size::S32, q) } else { q }
            }
            (true, _) => {
                let q = match d.unsigned_abs() {
                    n if n.is_power_of_two() => self.shift_signed(Size::S64, x, n.trailing_zeros()),
                    n => self.quotient_i64(x, n),
                };
                if d < 0 { self.negated(Size::S64, q) } else { q }
            }
            (false, Type::I32) => match d as u32 {
                n if n.is_power_of_two() => {
                    self.shift(ShiftOp::Shr, Size::S32, x, n.trailing_zeros())
                }
                n => self.quotient_u32(x, n),
            },
            (false, _) => match d as u64 {
                n if n.is_power_of_two() => {
                    self.shift(ShiftOp::Shr, Size::S64, x, n.trailing_zeros())
                }
                n => self.quotient_u64(x, n),
            },
        }
    }

    /// `x % d` with the same restriction.
    pub(super) fn remainder(&mut self, signed: bool, ty: Type, x: Reg, d: i64) -> Reg {
        let size = super::emit::size_of_ty(ty);
        let magnitude = match ty {
            Type::I32 => u64::from((d as i32).unsigned_abs()),
            _ => d.unsigned_abs(),
        };
        if signed && magnitude.is_power_of_two() && magnitude <= 1 << 31 {
            return self.remainder_of_power(size, x, magnitude.trailing_zeros());
        }
        let q = self.quotient(signed, ty, x, d);
        let dst = self.temp(RegClass::Int);
        let narrow = if size == Size::S32 {
            Ok(d as i32)
        } else {
            i32::try_from(d)
        };
        let product = match narrow {
            Ok(imm) => MInst::ImulImm {
                size,
                src: RegMem::Reg(q),
                imm,
                dst,
            },
            Err(_) => {
                let factor = self.emit_imm(ty, d);
                MInst::Imul {
                    size,
                    src1: q,
                    src2: RegMem::Reg(factor),
                    dst,
                }
            }
        };
        self.buf.push(product);
        self.binary(AluOp::Sub, size, x, dst)
    }

    fn binary(&mut self, op: AluOp, size: Size, src1: Reg, b: Reg) -> Reg {
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::Alu {
            op,
            size,
            src1,
            src2: RegMemImm::Reg(b),
            dst,
        });
        dst
    }

    fn shift(&mut self, op: ShiftOp, size: Size, src: Reg, count: u32) -> Reg {
        if count == 0 {
            return src;
        }
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::Shift {
            op,
            size,
            count: count as u8,
            src,
            dst,
        });
        dst
    }

    fn negated(&mut self, size: Size, src: Reg) -> Reg {
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::Un {
            op: UnOp::Neg,
            size,
            src,
            dst,
        });
        dst
    }

    /// `2^k - 1` for negative numbers, else 0.
    fn bias(&mut self, size: Size, x: Reg, k: u32) -> Reg {
        let bits = 8 * size.bytes();
        let sign = match k {
            1 => x,
            _ => self.shift(ShiftOp::Sar, size, x, bits - 1),
        };
        self.shift(ShiftOp::Shr, size, sign, bits - k)
    }

    /// `x / 2^k`, towards zero: negative numbers get `2^k - 1` added first.
    fn shift_signed(&mut self, size: Size, x: Reg, k: u32) -> Reg {
        let bias = self.bias(size, x, k);
        let sum = self.binary(AluOp::Add, size, x, bias);
        self.shift(ShiftOp::Sar, size, sum, k)
    }

    /// `x % 2^k` with the sign of `x`; `k` is 1 to 31.
    fn remainder_of_power(&mut self, size: Size, x: Reg, k: u32) -> Reg {
        let bias = self.bias(size, x, k);
        let sum = self.binary(AluOp::Add, size, x, bias);
        let low = self.temp(RegClass::Int);
        self.buf.push(MInst::Alu {
            op: AluOp::And,
            size,
            src1: sum,
            src2: RegMemImm::Imm(i32::MAX >> (31 - k)),
            dst: low,
        });
        self.binary(AluOp::Sub, size, low, bias)
    }

    fn high(&mut self, op: MulOp, factor: u64, x: Reg) -> Reg {
        let m = self.emit_imm(Type::I64, factor as i64);
        self.mul_wide(op, Size::S64, m, RegMem::Reg(x)).1
    }

    fn extend(&mut self, op: ExtOp, size: Size, x: Reg) -> Reg {
        let dst = self.temp(RegClass::Int);
        self.buf.push(MInst::Ext {
            op,
            size,
            src: RegMem::Reg(x),
            dst,
        });
        dst
    }

    fn quotient_u32(&mut self, x: Reg, d: u32) -> Reg {
        let wide = self.extend(ExtOp::Zx32, Size::S32, x);
        self.high(MulOp::Mul, u64::MAX / u64::from(d) + 1, wide)
    }

    fn quotient_i32(&mut self, x: Reg, d: u32) -> Reg {
        let wide = self.extend(ExtOp::Sx32, Size::S64, x);
        let high = self.high(MulOp::Imul, u64::MAX / u64::from(d) + 1, wide);
        let negative = self.shift(ShiftOp::Shr, Size::S32, x, 31);
        self.binary(AluOp::Add, Size::S32, high, negative)
    }

    fn quotient_u64(&mut self, x: Reg, d: u64) -> Reg {
        let r = unsigned_reciprocal(d);
        let high = self.high(MulOp::Mul, r.factor, x);
        if !r.extended {
            return self.shift(ShiftOp::Shr, Size::S64, high, u32::from(r.shift));
        }
        // (x + high) / 2 without overflow.
        let rest = self.binary(AluOp::Sub, Size::S64, x, high);
        let half = self.shift(ShiftOp::Shr, Size::S64, rest, 1);
        let mean = self.binary(AluOp::Add, Size::S64, half, high);
        self.shift(ShiftOp::Shr, Size::S64, mean, u32::from(r.shift) - 1)
    }

    fn quotient_i64(&mut self, x: Reg, d: u64) -> Reg {
        let r = signed_reciprocal(d);
        let mut high = self.high(MulOp::Imul, r.factor, x);
        if r.extended {
            high = self.binary(AluOp::Add, Size::S64, high, x);
        }
        let shifted = self.shift(ShiftOp::Sar, Size::S64, high, u32::from(r.shift));
        let negative = self.shift(ShiftOp::Shr, Size::S64, x, 63);
        self.binary(AluOp::Add, Size::S64, shifted, negative)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divide_u64(x: u64, r: Reciprocal) -> u64 {
        let high = ((u128::from(x) * u128::from(r.factor)) >> 64) as u64;
        match r.extended {
            false => high >> r.shift,
            true => (((x - high) >> 1) + high) >> (r.shift - 1),
        }
    }

    fn divide_i64(x: i64, r: Reciprocal) -> i64 {
        let mut high = ((i128::from(x) * i128::from(r.factor as i64)) >> 64) as i64;
        if r.extended {
            high = high.wrapping_add(x);
        }
        (high >> r.shift).wrapping_add((x as u64 >> 63) as i64)
    }

    #[test]
    fn reciprocals_divide() {
        let mut n = 1u64;
        for round in 0..3000u64 {
            n = n
                .wrapping_mul(0x5851_f42d_4c95_7f2d)
                .wrapping_add(0x1405_7b7e_f767_814f);
            let d = match round % 4 {
                0 => 3 + round,
                1 => n >> (round % 60),
                2 => n | 1 << 63,
                _ => u64::MAX - round,
            };
            if d < 3 || d.is_power_of_two() {
                continue;
            }
            let r = unsigned_reciprocal(d);
            let k = u64::MAX / d;
            for x in [
                0,
                1,
                d - 1,
                d,
                d + 1,
                k * d,
                (k * d).wrapping_sub(1),
                u64::MAX,
                n,
                n >> 20,
            ] {
                assert_eq!(divide_u64(x, r), x / d, "{x} / {d}");
            }
            if d < 1 << 63 {
                let (r, d) = (signed_reciprocal(d), d as i64);
                let k = i64::MAX / d;
                for x in [
                    0,
                    1,
                    -1,
                    d,
                    -d,
                    d - 1,
                    1 - d,
                    k * d,
                    -k * d,
                    k * d - 1,
                    i64::MAX,
                    i64::MIN,
                    n as i64,
                ] {
                    assert_eq!(divide_i64(x, r), x / d, "{x} / {d}");
                }
            }
        }
    }
}
