//! The intermediate representation: SSA with block parameters, CLI-aware ops until `expand`.

mod builder;
pub mod eval;
mod function;
pub mod fuzz;
pub mod interp;
mod op;
mod ssa;
pub mod text;
mod types;
pub mod typing;
pub mod vector;
pub mod verify;

pub use builder::{FunctionBuilder, Var, target};
pub use function::*;
pub use op::{Arg, Fx, ImmKind, Level, OPS, Op, OpInfo, Res};
pub use types::{AliasClass, MemRef, MemType, Type};
pub use vector::Lane;
