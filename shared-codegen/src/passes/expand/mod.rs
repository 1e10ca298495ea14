//! `expand`: turns CLI-aware ops into low-level ones.
//!
//! Before:
//! ```text
//!     v3 = castclass type5 v1, v2
//! ```
//! after (a class at depth 2 that others derive from):
//! ```text
//!     v4 = icmp eq v2, null
//!     brif v4, block2, block1
//! block1:
//!     v5 = method_table_of v2
//!     v6 = icmp eq v5, v1
//!     brif v6, block2, block3
//! block3 cold: ... display of base classes, trap
//! ```
//! Each op has one function, in a file by theme; the table is [`expand_op`]. One walk over the function, linear. Needs
//! nothing; afterwards no op of level `Cli` is left. Splits blocks, so dominators and loops must be computed anew.

mod arith;
mod call;
mod cast;
mod conv;
mod memory;
mod object;

use super::{Cursor, PassContext};
use crate::ir::{Function, InstData, Level, Op, Value};

/// Runs the pass.
pub fn run(f: &mut Function, cx: &PassContext) -> bool {
    Cursor::rewrite(f, |cur, inst| {
        let op = cur.f.insts[inst.index()].op;
        if op.info().level != Level::Cli {
            return false;
        }
        let mut data = cur.f.insts[inst.index()].clone();
        for v in &mut data.args {
            *v = cur.f.resolve(*v);
        }
        let value = expand_op(cur, cx, &data);
        cur.replace_result(inst, value);
        true
    })
}

/// Emits what stands for an op and gives its result.
fn expand_op(cur: &mut Cursor<'_>, cx: &PassContext, inst: &InstData) -> Option<Value> {
    match inst.op {
        Op::DivS | Op::RemS => Some(arith::signed_division(cur, inst)),
        Op::DivU | Op::RemU => Some(arith::unsigned_division(cur, inst)),
        Op::Frem => arith::float_remainder(cur, inst),
        Op::CkFinite => Some(arith::check_finite(cur, inst)),
        Op::ConvOvfS => Some(conv::checked(cur, inst, true)),
        Op::ConvOvfU => Some(conv::checked(cur, inst, false)),
        Op::StoreRef => memory::store_ref(cur, cx, inst),
        Op::CopyStruct => memory::copy_struct(cur, cx, inst),
        Op::MemCopy => memory::mem_copy(cur, inst),
        Op::MemFill => memory::mem_fill(cur, inst),
        Op::NewObject => object::new_object(cur, cx, inst),
        Op::NewArray => object::new_array(cur, cx, inst),
        Op::ClassInit => object::class_init(cur, inst),
        Op::ThreadStatics => Some(object::thread_statics(cur, inst)),
        Op::GenericLookup => Some(object::generic_lookup(cur, inst)),
        Op::CastClass => Some(cast::cast_class(cur, cx, inst)),
        Op::IsInst => Some(cast::is_inst(cur, cx, inst)),
        Op::Unbox => Some(cast::unbox(cur, cx, inst)),
        Op::ArrayStoreCheck => cast::array_store_check(cur, cx, inst),
        Op::CallDelegate => call::delegate(cur, inst),
        Op::CallVirtual => call::virtual_call(cur, cx, inst),
        Op::CallInterface => call::interface_call(cur, cx, inst),
        op => unreachable!("{} is not a CLI-aware op", op.info().name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every op of level `Cli` is in the table of [`expand_op`]: its source names each.
    #[test]
    fn all_cli_ops_are_expanded() {
        let source = include_str!("mod.rs");
        for &op in Op::ALL {
            if op.info().level == Level::Cli {
                assert!(source.contains(&format!("Op::{op:?}")), "{op:?}");
            }
        }
    }
}
