//! From Rust into managed code: method calls, filter funclets, and going on at a handler.
#![allow(unsafe_code, reason = "assembly that builds frames")]

use crate::threads::ThreadContext;
use core::arch::naked_asm;
use core::mem::offset_of;
use shared_codegen::abi::layout::thread as l;

/// What happens to an exception that reaches a call from Rust.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum CallKind {
    /// The Rust caller handles it: the search for a handler ends here.
    Catch = 0,
    /// The Rust caller passes it on to its own managed caller: the search goes on there.
    Propagate = 1,
    /// There is no caller: the exception is unhandled.
    Outermost = 2,
}

/// A call of managed code: arguments placed as the calling convention says, and the results.
#[repr(C)]
#[derive(Debug)]
pub struct ManagedCall {
    /// Code to call.
    pub code: usize,
    /// Hidden argument (`r10`).
    pub context: usize,
    /// `rdi rsi rdx rcx r8 r9`.
    pub ints: [u64; 6],
    /// Low halves of `xmm0` to `xmm7`.
    pub floats: [u64; 8],
    /// Stack arguments.
    pub stack: *const u64,
    /// Number of stack arguments.
    pub stack_len: usize,
    /// What happens to exceptions.
    pub kind: CallKind,
    /// `rax` afterwards.
    pub int_result: u64,
    /// `xmm0` afterwards.
    pub float_result: u64,
}

impl ManagedCall {
    /// A call without arguments.
    pub fn new(code: usize, kind: CallKind) -> ManagedCall {
        ManagedCall {
            code,
            context: 0,
            ints: [0; 6],
            floats: [0; 8],
            stack: core::ptr::null(),
            stack_len: 0,
            kind,
            int_result: 0,
            float_result: 0,
        }
    }

    /// Makes the call. Afterwards either the results are set or the thread has a pending exception.
    ///
    /// # Safety
    /// The thread must be the calling one, in managed state; code, arguments and results must fit the calling convention.
    pub unsafe fn run(&mut self, t: &ThreadContext) {
        // SAFETY: the caller's promise.
        unsafe { call_managed(self, t) }
    }
}

/// Offsets from `rbp` in the frame of `call_managed`.
pub(crate) const FRAME_LAST_SP: isize = -48;
pub(crate) const FRAME_LAST_FP: isize = -56;
pub(crate) const FRAME_KIND: isize = -64;

unsafe extern "C" {
    static aotrun_call_managed_return: u8;
    static aotrun_call_managed_abort: u8;
    static aotrun_filter_abort: u8;
}

/// The return address of every call from Rust into managed code.
pub(crate) fn call_return() -> usize {
    &raw const aotrun_call_managed_return as usize
}

/// Where to go on (with `rbp` of the frame) to end a call from Rust without result.
pub(crate) fn call_abort() -> usize {
    &raw const aotrun_call_managed_abort as usize
}

/// Where to go on (with `rsp` = `filter_frame`) to end a filter that raised an exception.
pub(crate) fn filter_abort() -> usize {
    &raw const aotrun_filter_abort as usize
}

/// # Safety
/// See [`ManagedCall::run`].
#[unsafe(naked)]
unsafe extern "C" fn call_managed(call: *mut ManagedCall, t: *const ThreadContext) {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov rbx, rdi",
        "mov r15, rsi",
        "push qword ptr [r15 + {last_sp}]",
        "push qword ptr [r15 + {last_fp}]",
        "push qword ptr [rbx + {kind}]",
        "push rbx",
        "sub rsp, 8",
        "mov rcx, [rbx + {stack_len}]",
        "lea rax, [rcx + 1]",
        "and rax, -2",
        "shl rax, 3",
        "sub rsp, rax",
        "mov rsi, [rbx + {stack}]",
        "mov rdi, rsp",
        "rep movsq",
        "movsd xmm0, [rbx + {floats}]",
        "movsd xmm1, [rbx + {floats} + 8]",
        "movsd xmm2, [rbx + {floats} + 16]",
        "movsd xmm3, [rbx + {floats} + 24]",
        "movsd xmm4, [rbx + {floats} + 32]",
        "movsd xmm5, [rbx + {floats} + 40]",
        "movsd xmm6, [rbx + {floats} + 48]",
        "movsd xmm7, [rbx + {floats} + 56]",
        "mov r10, [rbx + {context}]",
        "mov rdi, [rbx + {ints}]",
        "mov rsi, [rbx + {ints} + 8]",
        "mov rdx, [rbx + {ints} + 16]",
        "mov rcx, [rbx + {ints} + 24]",
        "mov r8, [rbx + {ints} + 32]",
        "mov r9, [rbx + {ints} + 40]",
        "call [rbx + {code}]",
        ".globl aotrun_call_managed_return",
        ".hidden aotrun_call_managed_return",
        "aotrun_call_managed_return:",
        "mov [rbx + {int_result}], rax",
        "movsd [rbx + {float_result}], xmm0",
        "2:",
        "mov rax, [rbp - 48]",
        "mov [r15 + {last_sp}], rax",
        "mov rax, [rbp - 56]",
        "mov [r15 + {last_fp}], rax",
        "lea rsp, [rbp - 40]",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        ".globl aotrun_call_managed_abort",
        ".hidden aotrun_call_managed_abort",
        "aotrun_call_managed_abort:",
        "mov rbx, [rbp - 72]",
        "mov qword ptr [rbx + {int_result}], 0",
        "mov qword ptr [rbx + {float_result}], 0",
        "jmp 2b",
        last_sp = const l::LAST_SP,
        last_fp = const l::LAST_FP,
        kind = const offset_of!(ManagedCall, kind),
        stack = const offset_of!(ManagedCall, stack),
        stack_len = const offset_of!(ManagedCall, stack_len),
        floats = const offset_of!(ManagedCall, floats),
        ints = const offset_of!(ManagedCall, ints),
        context = const offset_of!(ManagedCall, context),
        code = const offset_of!(ManagedCall, code),
        int_result = const offset_of!(ManagedCall, int_result),
        float_result = const offset_of!(ManagedCall, float_result),
    )
}

/// Offsets from `filter_frame` (the stack pointer in `call_filter`).
pub(crate) const FILTER_LAST_FP: usize = 16;
pub(crate) const FILTER_LAST_SP: usize = 24;
pub(crate) const FILTER_OUTER: usize = 32;

/// Runs a filter funclet of the frame `fp`: returns its verdict, 0 when it raised an exception. The funclet starts
/// with `rbp` of its frame and the stack pointer of any function entry, and ends with `ret`.
///
/// # Safety
/// `code` must be a filter of the method whose live frame is `fp`; `t` the calling thread.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn call_filter(
    fp: usize,
    code: usize,
    t: *const ThreadContext,
) -> u32 {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov r15, rdx",
        "push qword ptr [r15 + {filter}]",
        "push qword ptr [r15 + {last_sp}]",
        "push qword ptr [r15 + {last_fp}]",
        "push rbp",
        "sub rsp, 8",
        "mov [r15 + {filter}], rsp",
        "mov rbp, rdi",
        "call rsi",
        "2:",
        "add rsp, 8",
        "pop rbp",
        "pop qword ptr [r15 + {last_fp}]",
        "pop qword ptr [r15 + {last_sp}]",
        "pop qword ptr [r15 + {filter}]",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        ".globl aotrun_filter_abort",
        ".hidden aotrun_filter_abort",
        "aotrun_filter_abort:",
        "xor eax, eax",
        "jmp 2b",
        filter = const offset_of!(ThreadContext, filter_frame),
        last_sp = const l::LAST_SP,
        last_fp = const l::LAST_FP,
    )
}
