//! CIL: method bodies and instructions (ECMA-335 II.25.4 and III).

mod body;
mod decode;
mod nesting;
mod opcode;
mod print;

pub use body::{ClauseKind, EhClause, MethodBody};
pub use decode::{Decoder, Instr, Operand, SwitchTargets};
#[cfg(test)]
pub(crate) use nesting::are_sound;
pub use opcode::{Flow, Opcode, OperandKind};
pub use print::print_method;
