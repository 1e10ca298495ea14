//! The code generator shared by the ahead-of-time compiler and the runtime: pure functions from
//! assembly bytes to machine code. See `docs/architecture.md` for the data flow.
#![forbid(unsafe_code)]
extern crate alloc;

pub mod abi;
pub mod analysis;
pub mod compile;
pub mod emit;
pub mod il;
pub mod image;
pub mod import;
pub mod ir;
pub mod isa;
pub mod mach;
pub mod metadata;
pub mod passes;
pub mod pe;
pub mod pipeline;
pub mod stages;
pub mod symbols;
pub mod types;
