//! Making registers visible to a conservative stack scan.
#![allow(unsafe_code, reason = "assembly")]

use core::arch::naked_asm;

/// Pushes every callee-saved register and calls `f(data, sp)`. Words from `sp` upwards then hold everything that the
/// callers had in registers.
///
/// # Safety
/// `f` must not unwind, and `data` must be what `f` expects.
#[unsafe(naked)]
pub unsafe extern "C" fn call_with_saved_registers(
    data: *mut u8,
    f: unsafe extern "C" fn(*mut u8, usize),
) {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "sub rsp, 8",
        "mov rax, rsi",
        "mov rsi, rsp",
        "call rax",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}
