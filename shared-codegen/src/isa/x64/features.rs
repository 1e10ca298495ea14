//! Instruction-set extensions.

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
