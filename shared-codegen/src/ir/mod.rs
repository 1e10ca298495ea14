//! The intermediate representation: SSA with block parameters, CLI-aware ops until `expand`.

mod function;
mod op;
mod types;

pub use function::*;
pub use op::{Arg, Fx, ImmKind, Level, OPS, Op, OpInfo, Res};
pub use types::{AliasClass, MemRef, MemType, Type};
