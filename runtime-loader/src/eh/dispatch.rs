//! Searching for a handler and unwinding to it.
#![allow(unsafe_code, reason = "writes EH slots, calls filters")]

use super::host::{TraceStart, host};
use super::walk::{Boundary, Frame, FrameWalk, Step, TraceFrame};
use crate::arch::native::calls::{self, CallKind};
use crate::threads::ThreadContext;
use core::sync::atomic::Ordering;
use shared_codegen::abi::layout::frame as slot;
use shared_codegen::emit::{ClauseKind, EhClause};

/// Where managed code goes on: what the raise stubs load.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Resume {
    pub fp: usize,
    pub sp: usize,
    pub pc: usize,
}

/// The handler that was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Target {
    fp: usize,
    region: u32,
}

/// The segment of frames nearest to the throw has no handler: unwinding ends at its boundary.
const TO_BOUNDARY: Target = Target { fp: 0, region: 0 };

/// Longest stack trace kept.
const MAX_TRACE: usize = 20_000;

struct Trace {
    exception: usize,
    frames: Vec<TraceFrame>,
    start: TraceStart,
    total: usize,
}

impl Trace {
    fn push(&mut self, frame: Frame) {
        if self.total < MAX_TRACE {
            self.total += 1;
            self.frames.push(frame.into());
        }
    }

    fn flush(&mut self) {
        if !self.frames.is_empty() || self.start == TraceStart::Fresh {
            host().record_trace(self.exception, &self.frames, self.start);
            self.frames.clear();
            self.start = TraceStart::Continue;
        }
    }
}

/// Raises an exception at the last managed frame.
pub(super) fn raise(t: &ThreadContext, exception: usize, start: TraceStart) -> Resume {
    let target = search(t, exception, start);
    unwind(t, exception, target)
}

/// Continues the second pass after a fault handler whose EH slot is at `slot_at`.
pub(super) fn resume(t: &ThreadContext, slot_at: usize) -> Resume {
    // SAFETY: compiled code passes the address of the EH slot that `enter_handler` filled.
    let (exception, target) = unsafe {
        let fp = read(slot_at, slot::EH_TARGET_FRAME);
        let region = read(slot_at, slot::EH_TARGET_CLAUSE) as u32;
        (read(slot_at, slot::EH_EXCEPTION), Target { fp, region })
    };
    unwind(t, exception, target)
}

/// First pass.
fn search(t: &ThreadContext, exception: usize, start: TraceStart) -> Target {
    let mut trace = Trace {
        exception,
        frames: Vec::new(),
        start,
        total: 0,
    };
    let mut walk = FrameWalk::new(t);
    // Frames behind the first boundary are recorded when the exception gets there.
    let mut near = true;
    let found = loop {
        match walk.step() {
            Step::Managed(frame) => {
                if near {
                    trace.push(frame);
                }
                if let Some(clause) = find_handler(t, exception, &frame, &mut trace) {
                    let target = Target {
                        fp: frame.fp,
                        region: clause.region,
                    };
                    break if near { target } else { TO_BOUNDARY };
                }
            }
            Step::Boundary(Boundary::Call {
                kind: CallKind::Propagate,
                ..
            }) => near = false,
            Step::Boundary(Boundary::Call {
                kind: CallKind::Outermost,
                ..
            })
            | Step::End => {
                trace.flush();
                host().unhandled(exception);
                break TO_BOUNDARY;
            }
            Step::Boundary(_) => break TO_BOUNDARY,
        }
    };
    trace.flush();
    found
}

fn clauses_at(frame: &Frame) -> impl Iterator<Item = &'static EhClause> {
    let (offset, in_filter) = (frame.offset, frame.in_filter);
    let clauses = frame.code.clauses.iter();
    clauses.filter(move |c| !in_filter && (c.start..c.end).contains(&offset))
}

fn find_handler(
    t: &ThreadContext,
    exception: usize,
    frame: &Frame,
    trace: &mut Trace,
) -> Option<&'static EhClause> {
    clauses_at(frame).find(|clause| match clause.kind {
        ClauseKind::Fault => false,
        ClauseKind::Filter(code) => {
            trace.flush();
            store_exception(frame, clause, exception);
            // SAFETY: the funclet belongs to the method of this live frame.
            unsafe { calls::call_filter(frame.fp, frame.code.start + code as usize, t) != 0 }
        }
        _ => host().catches(exception, frame, clause),
    })
}

/// Second pass, up to the next handler to run.
fn unwind(t: &ThreadContext, exception: usize, target: Target) -> Resume {
    let mut walk = FrameWalk::new(t);
    loop {
        match walk.step() {
            Step::Managed(frame) => {
                for clause in clauses_at(&frame) {
                    let is_target = (Target {
                        fp: frame.fp,
                        region: clause.region,
                    }) == target;
                    if is_target || clause.kind == ClauseKind::Fault {
                        return enter_handler(t, &frame, clause, exception, target);
                    }
                }
            }
            Step::Boundary(Boundary::Call { fp, .. }) => {
                t.pending_exception.store(exception, Ordering::Relaxed);
                t.restore_stack_limit(stub_sp(fp));
                return Resume {
                    fp,
                    sp: stub_sp(fp),
                    pc: calls::call_abort(),
                };
            }
            Step::Boundary(Boundary::Filter(sp)) => {
                // The stub loads its own frame pointer from the stack.
                return Resume {
                    fp: 0,
                    sp,
                    pc: calls::filter_abort(),
                };
            }
            Step::End => {
                host().unhandled(exception);
                eprintln!("aotrun: an exception left all managed frames");
                std::process::abort();
            }
        }
    }
}

/// A stack pointer inside the frame of the call stub.
fn stub_sp(fp: usize) -> usize {
    fp - 80
}

fn enter_handler(
    t: &ThreadContext,
    frame: &Frame,
    clause: &EhClause,
    exception: usize,
    target: Target,
) -> Resume {
    let at = store_exception(frame, clause, exception);
    // SAFETY: the EH slot lies in the live frame.
    unsafe {
        write(at, slot::EH_TARGET_FRAME, target.fp);
        write(at, slot::EH_TARGET_CLAUSE, target.region as usize);
    }
    debug_assert!(frame.sp <= frame.fp - frame.code.frame.size as usize);
    t.restore_stack_limit(frame.sp);
    Resume {
        fp: frame.fp,
        sp: frame.sp,
        pc: frame.code.start + clause.handler as usize,
    }
}

fn store_exception(frame: &Frame, clause: &EhClause, exception: usize) -> usize {
    let at = frame.fp.wrapping_add_signed(clause.eh_slot as isize);
    // SAFETY: the EH slot lies in the live frame.
    unsafe { write(at, slot::EH_EXCEPTION, exception) };
    at
}

/// # Safety
/// `addr + offset` must be a readable word.
unsafe fn read(addr: usize, offset: i32) -> usize {
    // SAFETY: the caller's promise.
    unsafe { ((addr + offset as usize) as *const usize).read() }
}

/// # Safety
/// `addr + offset` must be a writable word of a frame that nobody else uses.
unsafe fn write(addr: usize, offset: i32, value: usize) {
    // SAFETY: the caller's promise.
    unsafe { ((addr + offset as usize) as *mut usize).write(value) };
}
