//! The x86-64 back end.
//!
//! * `regs` registers, `operand` operand types, `ops` operation codes by family with their encodings.
//! * `inst` the table of machine instructions with what the register allocator must know (`visit`).
//! * `form` (`int_forms`, `sse_forms`, `avx_forms`): instruction to opcode and operands; `encode` bytes of a form, `print` its text.
//! * `emit` a function's code, text and tables; `sequence` the code sequences of the runtime's contract.
//! * `oracle`, `emit_tests`: every form against GNU as and a disassembler.
//! * `lower` instruction selection by the rules in `rules`, `env` the allocatable registers, `finish` frames and allocated code, `peephole` small improvements of it.

mod avx_forms;
pub mod emit;
#[cfg(test)]
mod emit_tests;
pub mod encode;
pub mod env;
mod features;
pub mod finish;
pub mod form;
pub mod inst;
mod int_forms;
pub mod live;
pub mod lower;
pub mod operand;
pub mod ops;
#[cfg(test)]
pub(crate) mod oracle;
mod peephole;
pub mod print;
mod prologue;
pub mod regs;
mod reload;
mod sequence;
mod sse_forms;
pub mod upper_halves;
mod visit;

pub use features::Features;
pub use inst::{CallKind, FixedRegs, MInst};
pub use operand::{Amode, Cc, Lanes, RegImm, RegMem, RegMemImm, Size};
pub use ops::*;
pub use regs::Reg;
