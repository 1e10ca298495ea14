//! Walking the managed frames of the calling thread.
#![allow(unsafe_code, reason = "reads frames")]

use crate::arch::native::calls;
use crate::arch::native::calls::CallKind;
use crate::jit::code_map::LogicalFrame;
use crate::jit::{CodeMap, MethodCode};
use crate::threads::ThreadContext;
use core::sync::atomic::Ordering;
use shared_codegen::abi::layout::frame;
use shared_codegen::emit::EhClause;
use std::fmt;

/// A managed frame.
#[derive(Clone, Copy)]
pub struct Frame {
    /// Its method.
    pub code: &'static MethodCode,
    /// Offset of the call (its last byte) or trap the frame stands at.
    pub offset: u32,
    /// Its `rbp`.
    pub fp: usize,
    /// Its `rsp` at that place: below everything the frame uses, `localloc` included.
    pub sp: usize,
    /// It runs a filter of its method, on top of the stack. The exceptions that the method's clauses are for are those of the
    /// method itself: what a filter raises means "no".
    pub in_filter: bool,
}

impl Frame {
    /// What compiled code stored as generic context for a clause of kind `CatchLookup`: the object `this`, or the hidden
    /// argument.
    pub fn clause_context(&self, clause: &EhClause) -> usize {
        let at = self.fp.wrapping_add_signed(clause.eh_slot as isize);
        // SAFETY: the frame is live, and EH slots of such clauses have this word.
        unsafe { word(at.wrapping_add_signed(frame::EH_CONTEXT as isize)) }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}+{:#x} fp {:#x}",
            self.code.method, self.offset, self.fp
        )
    }
}

/// Where managed frames end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// A call from Rust; the frame pointer of the call stub.
    Call {
        /// `rbp` of the stub.
        fp: usize,
        /// What it does to exceptions.
        kind: CallKind,
    },
    /// A filter called by the unwinder; its `filter_frame`.
    Filter(usize),
}

/// What a walk comes to next.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A managed frame.
    Managed(Frame),
    /// The end of a run of managed frames.
    Boundary(Boundary),
    /// No more managed frames.
    End,
}

/// A walk over the calling thread's managed frames, innermost first, across Rust frames.
#[derive(Debug)]
pub struct FrameWalk {
    pc: usize,
    fp: usize,
    /// Address at which `pc` was found: below it, inner frames; above it, the frame that `pc` runs in.
    pc_at: usize,
    filter: usize,
    pending_filter: bool,
}

/// # Safety
/// `addr` must be a readable word.
unsafe fn word(addr: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { (addr as *const usize).read() }
}

impl FrameWalk {
    /// Starts at the last managed frame before the current native call.
    ///
    /// The frames must stay alive during the walk; they do while the code that walks was called (indirectly) from them.
    pub fn new(t: &ThreadContext) -> FrameWalk {
        let mut walk = FrameWalk {
            pc: 0,
            fp: 0,
            pc_at: 0,
            filter: t.filter_frame.load(Ordering::Relaxed),
            pending_filter: false,
        };
        walk.enter(
            t.last_sp.load(Ordering::Relaxed),
            t.last_fp.load(Ordering::Relaxed),
        );
        walk
    }

    fn enter(&mut self, last_sp: usize, last_fp: usize) {
        self.pc = 0;
        if last_sp != 0 {
            self.pc_at = last_sp - 8;
            // SAFETY: native calls leave their return address just below the recorded stack pointer.
            self.pc = unsafe { word(self.pc_at) };
            self.fp = last_fp;
        }
    }

    /// The next frame or boundary.
    pub fn step(&mut self) -> Step {
        if core::mem::take(&mut self.pending_filter) {
            return self.leave_filter();
        }
        if self.pc == 0 {
            return Step::End;
        }
        if self.pc == calls::call_return() {
            return self.leave_call();
        }
        let Some(code) = CodeMap::global().find(self.pc - 1) else {
            return Step::End;
        };
        let frame = Frame {
            code,
            offset: (self.pc - 1 - code.start) as u32,
            fp: self.fp,
            sp: self.pc_at + 8,
            // A filter runs with the frame pointer of its method's frame but lower on the stack.
            in_filter: self.filter != 0 && self.pc_at < self.filter && self.fp > self.filter,
        };
        if frame.in_filter {
            self.pending_filter = true;
        } else {
            self.pc_at = self.fp + 8;
            // SAFETY: managed frames hold the caller's frame pointer and return address at their frame pointer.
            unsafe {
                self.pc = word(self.fp + 8);
                self.fp = word(self.fp);
            }
        }
        Step::Managed(frame)
    }

    fn leave_call(&mut self) -> Step {
        let fp = self.fp;
        let field = |at: isize| fp.wrapping_add_signed(at);
        // SAFETY: the frame of the call stub has these words.
        let (kind, sp, last_fp) = unsafe {
            (
                word(field(calls::FRAME_KIND)),
                word(field(calls::FRAME_LAST_SP)),
                word(field(calls::FRAME_LAST_FP)),
            )
        };
        self.enter(sp, last_fp);
        let kinds = [CallKind::Catch, CallKind::Propagate, CallKind::Outermost];
        let kind = kinds
            .into_iter()
            .find(|k| *k as usize == kind)
            .unwrap_or(CallKind::Catch);
        Step::Boundary(Boundary::Call { fp, kind })
    }

    fn leave_filter(&mut self) -> Step {
        let at = self.filter;
        // SAFETY: the frame of the filter stub has these words.
        let (sp, fp, outer) = unsafe {
            (
                word(at + calls::FILTER_LAST_SP),
                word(at + calls::FILTER_LAST_FP),
                word(at + calls::FILTER_OUTER),
            )
        };
        self.enter(sp, fp);
        self.filter = outer;
        Step::Boundary(Boundary::Filter(at))
    }
}

/// One entry of a stack trace: enough to find method, native and IL offsets later, and plain data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceFrame {
    /// Address inside the call or trapping instruction.
    pub pc: usize,
}

impl TraceFrame {
    /// The method and code this address belongs to.
    pub fn code(self) -> Option<&'static MethodCode> {
        CodeMap::global().find(self.pc)
    }

    /// Offset in the native code.
    pub fn native_offset(self) -> u32 {
        self.code().map_or(0, |c| (self.pc - c.start) as u32)
    }

    /// Methods with IL offsets, innermost inlined one first.
    pub fn logical_frames(self) -> Vec<LogicalFrame> {
        self.code()
            .map(|c| c.logical_frames((self.pc - c.start) as u32))
            .unwrap_or_default()
    }
}

impl From<Frame> for TraceFrame {
    fn from(f: Frame) -> TraceFrame {
        TraceFrame {
            pc: f.code.start + f.offset as usize,
        }
    }
}

/// The managed frames of the calling thread, innermost first, without the first `skip`, at most `limit`.
pub fn capture_trace(t: &ThreadContext, skip: usize, limit: usize) -> Vec<TraceFrame> {
    let mut walk = FrameWalk::new(t);
    let mut frames = Vec::new();
    let mut skip = skip;
    while frames.len() < limit {
        match walk.step() {
            Step::Managed(_) if skip > 0 => skip -= 1,
            Step::Managed(frame) => frames.push(frame.into()),
            Step::Boundary(_) => {}
            Step::End => break,
        }
    }
    frames
}
