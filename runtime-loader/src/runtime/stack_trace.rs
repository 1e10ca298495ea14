//! The frames an exception remembers: an `IntPtr[]` of code addresses in its field `_stackTrace`.

use super::Runtime;
use crate::eh::{TraceFrame, TraceStart};
use crate::icall::Result;
use crate::jit::code_map::LogicalFrame;
use crate::object::{MethodTable, Obj, array};
use shared_codegen::types::Known;

const FIELD: &str = "_stackTrace";

/// Marks an address whose frame caught the exception and raised it again: the next address is of the same frame and shows
/// the methods from the catching one outwards. User addresses never have this bit.
const RETHROWN: usize = 1 << (usize::BITS - 1);

/// Adds frames to an exception's trace.
pub(crate) fn record(rt: &Runtime, exception: Obj, frames: &[TraceFrame], start: TraceStart) {
    let mut all = match start {
        TraceStart::Fresh => Vec::new(),
        TraceStart::Rethrow | TraceStart::Continue => addresses(rt, exception),
    };
    if let (TraceStart::Rethrow, Some(caught)) = (start, all.last_mut()) {
        *caught |= RETHROWN;
    }
    all.extend(frames.iter().map(|f| f.pc));
    let Ok(fresh) = pointer_array(rt).and_then(|mt| array::allocate(mt, all.len())) else {
        return;
    };
    array::as_mut_slice::<usize>(fresh).copy_from_slice(&all);
    rt.set_field(exception, FIELD, fresh);
}

/// The trace of an exception, innermost method first: places in native code, each with the methods that stand for it.
pub fn frames(rt: &Runtime, exception: Obj) -> Vec<(TraceFrame, LogicalFrame)> {
    let mut all = Vec::new();
    let mut later = 0;
    // From the end, as the frame that raised again says how much of the one that caught is shown.
    for address in addresses(rt, exception).into_iter().rev() {
        let native = TraceFrame {
            pc: address & !RETHROWN,
        };
        let logical = native.logical_frames();
        let shown = match address & RETHROWN {
            0 => logical.len(),
            _ => logical.len().saturating_sub(later),
        };
        later = logical.len();
        all.extend(logical.into_iter().take(shown).rev().map(|l| (native, l)));
    }
    all.reverse();
    all
}

fn addresses(rt: &Runtime, exception: Obj) -> Vec<usize> {
    let trace: Obj = rt.get_field(exception, FIELD);
    let slice = trace.non_null().map(array::as_slice::<usize>);
    slice.map_or_else(Vec::new, <[usize]>::to_vec)
}

fn pointer_array(rt: &Runtime) -> Result<&'static MethodTable> {
    rt.method_table(rt.types.sz_array(rt.types.known(Known::IntPtr)))
}
