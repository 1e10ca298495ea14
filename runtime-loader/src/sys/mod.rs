//! What the runtime needs from the operating system that no crate offers ready-made.

pub mod barrier;
pub mod file;
pub mod memory;
pub mod stack;
