//! Machine-dependent parts of the runtime: stubs between Rust and managed code, and signal contexts.

pub mod x64;

pub use x64 as native;
