//! Instruction sets. Nothing outside a folder here names a machine register.

pub mod x64;
