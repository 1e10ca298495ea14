//! The runtime: maps precompiled images, JIT-compiles what is missing, and provides everything the
//! class libraries demand. See `docs/architecture.md`.

pub mod arch;
pub mod bench;
pub mod cilutil;
mod culture;
pub mod eh;
pub mod gc;
pub mod icall;
pub mod image;
pub mod interop;
mod interp;
pub mod jit;
pub mod object;
pub mod regression;
pub mod runtime;
pub mod sys;
pub mod threads;
