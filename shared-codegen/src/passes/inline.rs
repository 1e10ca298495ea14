//! Not written yet.

use super::PassContext;
use crate::ir::Function;

/// Runs the pass.
pub fn run(_f: &mut Function, _cx: &PassContext) -> bool {
    false
}
