//! CIL: method bodies and instructions (ECMA-335 II.25.4 and III).

mod body;
mod decode;
mod opcode;
mod print;

#[cfg(test)]
pub(crate) use body::are_sound;
pub use body::{ClauseKind, EhClause, MethodBody};
pub use decode::{Decoder, Instr, Operand, SwitchTargets};
pub use opcode::{Flow, Opcode, OperandKind};
pub use print::print_method;
