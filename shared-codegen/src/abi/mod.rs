//! What compiled code and the runtime agree on: object layouts, the calling convention, runtime
//! helpers and runtime constants. Both compilers and the loader depend on this module and on
//! nothing else of each other.

pub mod fixup;
pub mod helper;
pub mod layout;
pub mod trap;
