//! From managed code into the runtime where the native-call protocol is not enough: polls, raising exceptions,
//! binding methods on their first call.
//!
//! Each stub is entered by `call` or by a tail jump from one, so the return address on top of the stack is the managed
//! caller's and `rbp` its frame; that is what the stub records as the last managed frame.
#![allow(unsafe_code, reason = "assembly")]

use crate::eh;
use crate::object::lookup_memo::{Entry, LookupMemo};
use crate::runtime::lookup::MEMO_OFFSET;
use core::arch::naked_asm;
use shared_codegen::abi::layout::{
    MAX_INLINE_ALLOC, array, method_table as mt, native_frame as frame, thread as l,
};

/// Ways to raise an exception; the number is passed to [`eh::raise_entry`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Raise {
    /// Argument: the exception object, or null.
    Throw = 0,
    /// Argument: the exception object, whose stack trace is continued.
    Rethrow = 1,
    /// The thread's pending exception.
    Pending = 2,
    /// Argument: a `TrapKind`.
    Trap = 3,
    /// Argument: address of the EH slot.
    Resume = 4,
}

macro_rules! raise_stub {
    ($(#[$doc:meta])* $name:ident, $kind:expr) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// Only for managed code, which never gets control back here.
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            naked_asm!(
                "lea rax, [rsp + 8]",
                "mov [r15 + {last_sp}], rax",
                "mov [r15 + {last_fp}], rbp",
                "sub rsp, 40",
                "and rsp, -16",
                "mov rsi, rdi",
                "mov rdi, r15",
                "mov edx, {kind}",
                "mov rcx, rsp",
                "call {entry}",
                "mov rbp, [rsp]",
                "mov rax, [rsp + 16]",
                "mov rsp, [rsp + 8]",
                "jmp rax",
                last_sp = const l::LAST_SP,
                last_fp = const l::LAST_FP,
                kind = const $kind as u32,
                entry = sym eh::raise_entry,
            )
        }
    };
}

raise_stub!(
    /// Helper `throw`: exception object in `rdi`.
    throw, Raise::Throw);
raise_stub!(
    /// Helper `rethrow`: exception object in `rdi`.
    rethrow, Raise::Rethrow);
raise_stub!(
    /// Helper `throw_pending`.
    throw_pending, Raise::Pending);
raise_stub!(
    /// Helper `throw_trap`: `TrapKind` in `edi`. Also where the signal handler goes on.
    throw_trap, Raise::Trap);
raise_stub!(
    /// Helper `resume_unwind`: address of the EH slot in `rdi`.
    resume_unwind, Raise::Resume);

/// Address of a stub for a helper marked `STUB` with at most six general arguments: keeps the protocol of native calls around
/// the function, and raises the exception that it leaves pending.
macro_rules! transition_stub {
    ($f:path $(, [$($first:literal),*] $(, $k:ident = $v:expr)*)?) => {{
        /// # Safety
        /// Only for managed code.
        #[unsafe(naked)]
        unsafe extern "C" fn stub() {
            core::arch::naked_asm!(
                $($($first,)*)?
                "lea rax, [rsp + 8]",
                "mov [r15 + {last_sp}], rax",
                "mov [r15 + {last_fp}], rbp",
                "sub rsp, 8",
                "call {function}",
                "add rsp, 8",
                "cmp qword ptr [r15 + {pending}], 0",
                "jne {throw}",
                "ret",
                last_sp = const shared_codegen::abi::layout::thread::LAST_SP,
                last_fp = const shared_codegen::abi::layout::thread::LAST_FP,
                pending = const shared_codegen::abi::layout::thread::PENDING_EXCEPTION,
                function = sym $f,
                throw = sym $crate::arch::native::stubs::throw_pending,
                $($($k = const $v,)*)?
            )
        }
        stub as *const () as usize
    }};
}
pub(crate) use transition_stub;

macro_rules! allocation_stub {
    ($(#[$doc:meta])* $name:ident, [$($size:literal),*], [$($initialize:literal),*], $slow:path $(, $k:ident = $v:expr)*) => {
        $(#[$doc])*
        /// The object is in `rax`. The object-start bit is set as by inline allocation (`isa::x64::sequence` of the
        /// code generator); when the thread's buffer is used up the general helper takes over.
        ///
        /// # Safety
        /// Only for managed code.
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            naked_asm!(
                $($size,)*
                "mov rax, [r15 + {cursor}]",
                "add rcx, rax",
                "cmp rcx, [r15 + {limit}]",
                "ja 2f",
                "mov [r15 + {cursor}], rcx",
                "mov [rax], rdi",
                $($initialize,)*
                "mov rdx, [r15 + {bits}]",
                "mov rcx, rax",
                "mov rsi, rax",
                "shr rcx, 8",
                "shr rsi, 3",
                "mov r8d, [rdx + 4 * rcx]",
                "bts r8d, esi",
                "mov [rdx + 4 * rcx], r8d",
                "ret",
                "2:",
                "lea rax, [rsp + 8]",
                "mov [r15 + {last_sp}], rax",
                "mov [r15 + {last_fp}], rbp",
                "sub rsp, 8",
                "call {slow}",
                "add rsp, 8",
                "cmp qword ptr [r15 + {pending}], 0",
                "jne {throw}",
                "ret",
                cursor = const l::ALLOC_CURSOR,
                limit = const l::ALLOC_LIMIT,
                bits = const l::OBJECT_BITS,
                last_sp = const l::LAST_SP,
                last_fp = const l::LAST_FP,
                pending = const l::PENDING_EXCEPTION,
                slow = sym $slow,
                throw = sym throw_pending,
                $($k = const $v,)*
            )
        }
    };
}

allocation_stub!(
    /// Helper `new_small_object`: method table in `rdi`.
    new_small_object,
    ["mov ecx, [rdi + {size}]"],
    [],
    crate::jit::helpers::new_object_helper,
    size = mt::BASE_SIZE
);
allocation_stub!(
    /// Helper `new_small_array`: method table in `rdi`, length in `rsi`.
    new_small_array,
    [
        "cmp rsi, {max}",
        "ja 2f",
        "mov ecx, [rdi + {component}]",
        "imul rcx, rsi",
        "add rcx, {header}",
        "and rcx, -8",
        "cmp rcx, {max}",
        "ja 2f"
    ],
    ["mov [rax + {length}], rsi"],
    crate::jit::helpers::new_array,
    max = MAX_INLINE_ALLOC,
    component = mt::COMPONENT_SIZE,
    header = array::DATA + 7,
    length = array::LENGTH
);

/// Helper `generic_lookup`: context in `rdi`, descriptor in `rsi`. What the context's memo holds is in `rax` at once; else the
/// runtime is asked.
pub fn generic_lookup() -> usize {
    transition_stub!(
        crate::jit::helpers::generic_lookup,
        [
            "mov rax, [rsi + {offset}]",
            "mov r11, [rdi + {memo}]",
            "cmp rax, [r11]",
            "jae 2f",
            "cmp [r11 + rax], rsi",
            "jne 2f",
            "mov rax, [r11 + rax + {value}]",
            "ret",
            "2:"
        ],
        offset = MEMO_OFFSET,
        memo = LookupMemo::OFFSET,
        value = Entry::VALUE
    )
}

/// Helper `poll`. Keeps every register.
///
/// # Safety
/// Only for managed code.
#[unsafe(naked)]
pub unsafe extern "C" fn poll() {
    naked_asm!(
        "push rax",
        "push rcx",
        "push rdx",
        "push rsi",
        "push rdi",
        "push r8",
        "push r9",
        "push r10",
        "push r11",
        "sub rsp, 256",
        "movups [rsp], xmm0",
        "movups [rsp + 16], xmm1",
        "movups [rsp + 32], xmm2",
        "movups [rsp + 48], xmm3",
        "movups [rsp + 64], xmm4",
        "movups [rsp + 80], xmm5",
        "movups [rsp + 96], xmm6",
        "movups [rsp + 112], xmm7",
        "movups [rsp + 128], xmm8",
        "movups [rsp + 144], xmm9",
        "movups [rsp + 160], xmm10",
        "movups [rsp + 176], xmm11",
        "movups [rsp + 192], xmm12",
        "movups [rsp + 208], xmm13",
        "movups [rsp + 224], xmm14",
        "movups [rsp + 240], xmm15",
        "lea rsi, [rsp + 256 + 9 * 8 + 8]",
        "mov [r15 + {last_sp}], rsi",
        "mov [r15 + {last_fp}], rbp",
        "mov rdi, r15",
        "call {entry}",
        "movups xmm0, [rsp]",
        "movups xmm1, [rsp + 16]",
        "movups xmm2, [rsp + 32]",
        "movups xmm3, [rsp + 48]",
        "movups xmm4, [rsp + 64]",
        "movups xmm5, [rsp + 80]",
        "movups xmm6, [rsp + 96]",
        "movups xmm7, [rsp + 112]",
        "movups xmm8, [rsp + 128]",
        "movups xmm9, [rsp + 144]",
        "movups xmm10, [rsp + 160]",
        "movups xmm11, [rsp + 176]",
        "movups xmm12, [rsp + 192]",
        "movups xmm13, [rsp + 208]",
        "movups xmm14, [rsp + 224]",
        "movups xmm15, [rsp + 240]",
        "add rsp, 256",
        "pop r11",
        "pop r10",
        "pop r9",
        "pop r8",
        "pop rdi",
        "pop rsi",
        "pop rdx",
        "pop rcx",
        "pop rax",
        "cmp qword ptr [r15 + {pending}], 0",
        "jne {throw}",
        "ret",
        last_sp = const l::LAST_SP,
        last_fp = const l::LAST_FP,
        pending = const l::PENDING_EXCEPTION,
        entry = sym eh::poll_entry,
        throw = sym throw_pending,
    )
}

/// Helper `poll_wide`: the same for code with vectors of 32 bytes, which only runs where there are such registers.
///
/// # Safety
/// Only for managed code.
#[unsafe(naked)]
pub unsafe extern "C" fn poll_wide() {
    naked_asm!(
        "push rax",
        "push rcx",
        "push rdx",
        "push rsi",
        "push rdi",
        "push r8",
        "push r9",
        "push r10",
        "push r11",
        "sub rsp, 512",
        "vmovups [rsp], ymm0",
        "vmovups [rsp + 32], ymm1",
        "vmovups [rsp + 64], ymm2",
        "vmovups [rsp + 96], ymm3",
        "vmovups [rsp + 128], ymm4",
        "vmovups [rsp + 160], ymm5",
        "vmovups [rsp + 192], ymm6",
        "vmovups [rsp + 224], ymm7",
        "vmovups [rsp + 256], ymm8",
        "vmovups [rsp + 288], ymm9",
        "vmovups [rsp + 320], ymm10",
        "vmovups [rsp + 352], ymm11",
        "vmovups [rsp + 384], ymm12",
        "vmovups [rsp + 416], ymm13",
        "vmovups [rsp + 448], ymm14",
        "vmovups [rsp + 480], ymm15",
        "lea rsi, [rsp + 512 + 9 * 8 + 8]",
        "mov [r15 + {last_sp}], rsi",
        "mov [r15 + {last_fp}], rbp",
        "mov rdi, r15",
        "vzeroupper",
        "call {entry}",
        "vmovups ymm0, [rsp]",
        "vmovups ymm1, [rsp + 32]",
        "vmovups ymm2, [rsp + 64]",
        "vmovups ymm3, [rsp + 96]",
        "vmovups ymm4, [rsp + 128]",
        "vmovups ymm5, [rsp + 160]",
        "vmovups ymm6, [rsp + 192]",
        "vmovups ymm7, [rsp + 224]",
        "vmovups ymm8, [rsp + 256]",
        "vmovups ymm9, [rsp + 288]",
        "vmovups ymm10, [rsp + 320]",
        "vmovups ymm11, [rsp + 352]",
        "vmovups ymm12, [rsp + 384]",
        "vmovups ymm13, [rsp + 416]",
        "vmovups ymm14, [rsp + 448]",
        "vmovups ymm15, [rsp + 480]",
        "add rsp, 512",
        "pop r11",
        "pop r10",
        "pop r9",
        "pop r8",
        "pop rdi",
        "pop rsi",
        "pop rdx",
        "pop rcx",
        "pop rax",
        "cmp qword ptr [r15 + {pending}], 0",
        "jne 2f",
        "ret",
        "2:",
        "vzeroupper",
        "jmp {throw}",
        last_sp = const l::LAST_SP,
        last_fp = const l::LAST_FP,
        pending = const l::PENDING_EXCEPTION,
        entry = sym eh::poll_entry,
        throw = sym throw_pending,
    )
}

macro_rules! resolve_stub {
    ($(#[$doc:meta])* $name:ident, $entry:path) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// Only for managed code and thunks.
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            naked_asm!(
                "push rdi",
                "push rsi",
                "push rdx",
                "push rcx",
                "push r8",
                "push r9",
                "push r10",
                "sub rsp, 128",
                "movups [rsp], xmm0",
                "movups [rsp + 16], xmm1",
                "movups [rsp + 32], xmm2",
                "movups [rsp + 48], xmm3",
                "movups [rsp + 64], xmm4",
                "movups [rsp + 80], xmm5",
                "movups [rsp + 96], xmm6",
                "movups [rsp + 112], xmm7",
                "lea rax, [rsp + 128 + 7 * 8 + 8]",
                "mov [r15 + {last_sp}], rax",
                "mov [r15 + {last_fp}], rbp",
                "mov rcx, rdi",
                "mov rdi, r15",
                "mov rsi, r11",
                "mov rdx, r10",
                "call {entry}",
                "movups xmm0, [rsp]",
                "movups xmm1, [rsp + 16]",
                "movups xmm2, [rsp + 32]",
                "movups xmm3, [rsp + 48]",
                "movups xmm4, [rsp + 64]",
                "movups xmm5, [rsp + 80]",
                "movups xmm6, [rsp + 96]",
                "movups xmm7, [rsp + 112]",
                "add rsp, 128",
                "pop r10",
                "pop r9",
                "pop r8",
                "pop rcx",
                "pop rdx",
                "pop rsi",
                "pop rdi",
                "test rax, rax",
                "jz {throw}",
                "jmp rax",
                last_sp = const l::LAST_SP,
                last_fp = const l::LAST_FP,
                entry = sym $entry,
                throw = sym throw_pending,
            )
        }
    };
}

resolve_stub!(
    /// First call of a method: its number in `r11`, arguments in place. Goes on at the code that the host names.
    prestub, eh::resolve_method_entry);
resolve_stub!(
    /// First call through a slot of a vtable: its index in `r11`, `this` in `rdi`.
    resolve_virtual, eh::resolve_virtual_entry);
resolve_stub!(
    /// Interface dispatch that the table cannot decide: method handle in `r10`, `this` in `rdi`.
    resolve_interface, eh::resolve_interface_entry);

/// A call from native code, as the thunk left it.
#[repr(C)]
#[derive(Debug)]
pub struct NativeArgs {
    /// `rdi rsi rdx rcx r8 r9`.
    pub ints: [u64; 6],
    /// Low halves of `xmm0` to `xmm7`.
    pub floats: [u64; 8],
    /// First stack argument.
    pub stack: *const u64,
    /// To be set: `rax`, `rdx`.
    pub int_results: [u64; 2],
    /// To be set: low halves of `xmm0`, `xmm1`.
    pub float_results: [u64; 2],
}

const _: () = {
    use core::mem::offset_of;
    assert!(offset_of!(NativeArgs, ints) == frame::INTS as usize);
    assert!(offset_of!(NativeArgs, floats) == frame::FLOATS as usize);
    assert!(offset_of!(NativeArgs, stack) == frame::STACK as usize);
    assert!(offset_of!(NativeArgs, int_results) == frame::INT_RESULTS as usize);
    assert!(offset_of!(NativeArgs, float_results) == frame::FLOAT_RESULTS as usize);
    assert!(size_of::<NativeArgs>() == frame::SIZE as usize && frame::SIZE % 16 == 8);
};

/// Receives a call from native code: the thunk's data and the arguments. Attaching and changing to managed state is up to it.
pub type NativeEntry = unsafe extern "C" fn(data: usize, args: *mut NativeArgs);

/// Native code calls managed code: the thunk loads its data to `r10` and the [`NativeEntry`] to `r11`.
///
/// # Safety
/// Only for thunks.
#[unsafe(naked)]
pub unsafe extern "C" fn native_entry() {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "sub rsp, {size} + 8",
        "mov [rsp], rdi",
        "mov [rsp + 8], rsi",
        "mov [rsp + 16], rdx",
        "mov [rsp + 24], rcx",
        "mov [rsp + 32], r8",
        "mov [rsp + 40], r9",
        "movsd [rsp + 48], xmm0",
        "movsd [rsp + 56], xmm1",
        "movsd [rsp + 64], xmm2",
        "movsd [rsp + 72], xmm3",
        "movsd [rsp + 80], xmm4",
        "movsd [rsp + 88], xmm5",
        "movsd [rsp + 96], xmm6",
        "movsd [rsp + 104], xmm7",
        "lea rax, [rbp + 16]",
        "mov [rsp + 112], rax",
        "mov rdi, r10",
        "mov rsi, rsp",
        "call r11",
        "mov rax, [rsp + {int_results}]",
        "mov rdx, [rsp + {int_results} + 8]",
        "movsd xmm0, [rsp + {float_results}]",
        "movsd xmm1, [rsp + {float_results} + 8]",
        "leave",
        "ret",
        size = const frame::SIZE,
        int_results = const frame::INT_RESULTS,
        float_results = const frame::FLOAT_RESULTS,
    )
}
