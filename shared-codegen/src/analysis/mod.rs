//! Facts about functions, each a plain structure computed from a `&Function`. They hold until the function changes;
//! passes say in their head comment what they invalidate.

mod block_args;
mod cfg;
mod dominators;
mod dot;
mod liveness;
mod loops;
mod uses;

pub use block_args::{MAX_BLOCK_ARGS, beyond};
pub use cfg::Cfg;
pub use dominators::{DominanceFrontier, Dominators};
pub use dot::{Graph, dot};
pub use liveness::{Liveness, ValueSet};
pub use loops::{Loop, LoopData, Loops};
pub use uses::{UseCounts, Uses};
