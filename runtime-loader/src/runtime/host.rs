//! What stubs and the unwinder ask: finding code, matching handlers, making exceptions.

use super::{cast, exception, stack_trace};
use crate::eh::{Frame, Host, TraceFrame, TraceStart};
use crate::icall::Result;
use crate::object::{MethodDesc, Obj};
use crate::threads::ThreadContext;
use shared_codegen::abi::trap::TrapKind;
use shared_codegen::emit::{ClauseKind, EhClause};
use shared_codegen::types::MethodId;

/// The one host.
pub struct RuntimeHost;

/// The result, or 0 with the exception pending.
fn or_pending(t: &ThreadContext, result: Result<usize>) -> usize {
    result.unwrap_or_else(|thrown| {
        t.set_pending_exception(thrown.into_object().addr());
        0
    })
}

impl Host for RuntimeHost {
    fn resolve_method(&self, t: &ThreadContext, id: u32, _context: usize, _this: usize) -> usize {
        let rt = super::get();
        let desc = rt.methods.desc(MethodId(id));
        or_pending(t, rt.jit.prepare(rt, desc))
    }

    fn resolve_virtual(&self, t: &ThreadContext, slot: u32, this: usize) -> usize {
        let rt = super::get();
        or_pending(
            t,
            rt.methods
                .resolve_slot(rt, Obj::from_addr(this).method_table(), slot),
        )
    }

    fn resolve_interface(&self, t: &ThreadContext, method: usize, this: usize) -> usize {
        let rt = super::get();
        let resolve = || -> Result<usize> {
            let desc =
                MethodDesc::from_handle(method).ok_or_else(crate::icall::Thrown::null_reference)?;
            rt.methods.interface_target(rt, Obj::from_addr(this), desc)
        };
        or_pending(t, resolve())
    }

    fn catches(&self, exception: usize, frame: &Frame, clause: &EhClause) -> bool {
        let rt = super::get();
        let object = Obj::from_addr(exception);
        match clause.kind {
            ClauseKind::Catch(ty) => rt
                .method_table(ty)
                .is_ok_and(|mt| cast::is_instance(object, mt)),
            ClauseKind::CatchLookup(lookup) => rt
                .catch_type(lookup, frame.clause_context(clause))
                .is_ok_and(|mt| cast::is_instance(object, mt)),
            _ => false,
        }
    }

    fn trap_exception(&self, kind: TrapKind) -> usize {
        exception::of_trap(kind).into_object().addr()
    }

    fn record_trace(&self, exception: usize, frames: &[TraceFrame], start: TraceStart) {
        stack_trace::record(super::get(), Obj::from_addr(exception), frames, start);
    }

    fn unhandled(&self, exception: usize) {
        let exception = Obj::from_addr(exception);
        // An abort ends its thread only, unless that is the main one.
        if crate::icall::thread::is_abort(exception) && !crate::icall::thread::is_main() {
            return;
        }
        super::exit::unhandled(exception);
    }

    fn poll_request(&self, t: &ThreadContext) {
        if let Some(exception) = crate::icall::thread::requested_exception() {
            t.set_pending_exception(exception.addr());
        }
    }
}
