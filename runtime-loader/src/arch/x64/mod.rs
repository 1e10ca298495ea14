//! x86-64, System V.

pub mod calls;
pub mod context;
pub mod cpu;
pub mod registers;
pub mod stubs;
pub mod thunks;
