//! The x86-64 back end.
//!
//! `regs` registers, `operand` operand types, `inst` the machine instructions with their register
//! operands.

pub mod inst;
pub mod operand;
pub mod ops;
pub mod regs;
pub mod visit;

pub use inst::{CallKind, FixedRegs, MInst};
pub use operand::{Amode, Cc, RegImm, RegMem, RegMemImm, Size};
pub use ops::*;
pub use regs::Reg;
