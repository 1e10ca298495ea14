//! Instruction-set extensions.

use crate::ir::Type;

bitflags::bitflags! {
    /// Extensions code may use, beyond x86-64-v2 (SSE4.2, POPCNT), which is the baseline.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct Features: u32 {
        /// `andn blsr tzcnt`.
        const BMI1 = 1;
        /// `shlx mulx rorx`.
        const BMI2 = 2;
        /// `lzcnt`.
        const LZCNT = 4;
        /// 256-bit floats, three operands.
        const AVX = 8;
        /// 256-bit integers.
        const AVX2 = 16;
        /// Fused multiply-add.
        const FMA = 32;
    }
}

impl Features {
    /// The largest vectors.
    pub fn vectors(self) -> Type {
        match self.contains(Features::AVX | Features::AVX2) {
            true => Type::V256,
            false => Type::V128,
        }
    }
}
