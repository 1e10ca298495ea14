//! Compiling methods when they are first called, and everything about code addresses.

pub mod code_map;
pub mod code_memory;
pub mod place;

pub use code_map::{CodeInfoProvider, CodeMap, MethodCode};
pub use code_memory::{CodeMemory, CodeMemoryFull, EntrySlot};
