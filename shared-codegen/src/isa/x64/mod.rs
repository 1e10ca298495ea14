//! The x86-64 back end.
//!
//! `regs` registers, `operand` operand types, `inst` the machine instructions with their register
//! operands.

pub mod emit;
#[cfg(test)]
mod emit_tests;
pub mod encode;
pub mod form;
pub mod inst;
pub mod operand;
pub mod ops;
#[cfg(test)]
pub(crate) mod oracle;
pub mod print;
pub mod regs;
mod sequence;
pub mod visit;

pub use inst::{CallKind, FixedRegs, MInst};
pub use operand::{Amode, Cc, RegImm, RegMem, RegMemImm, Size};
pub use ops::*;
pub use regs::Reg;
