//! Hand-written managed methods, described to the unwinder as an image would.
//!
//! Frames of methods with handlers: five saved registers, then EH slot 0 at `rbp-64` and EH slot 1 at `rbp-88`, 96 bytes in all.
#![allow(unsafe_code, reason = "assembly for tests")]

use crate::arch::native::stubs;
use crate::jit::{CodeInfoProvider, CodeMap, MethodCode};
use core::arch::global_asm;
use shared_codegen::abi::layout::thread as l;
use shared_codegen::abi::trap::TrapKind;
use shared_codegen::emit::{ClauseKind, EhClause, FrameInfo, TrapSite};
use shared_codegen::types::{MethodId, TypeId};
use std::sync::OnceLock;

global_asm!(
    ".macro managed_enter",
    "push rbp",
    "mov rbp, rsp",
    "push rbx",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "sub rsp, 56",
    ".endm",
    ".macro managed_leave",
    "lea rsp, [rbp - 40]",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    ".endm",
    // thrower(exception, how): how 0 throws, 1 loads from null, 2 divides by zero, 3 calls the native function in rdx, else returns.
    ".globl tc_thrower",
    "tc_thrower:",
    "push rbp",
    "mov rbp, rsp",
    "cmp esi, 0",
    "je 1f",
    "cmp esi, 1",
    "je 2f",
    "cmp esi, 2",
    "je 3f",
    "cmp esi, 3",
    "je 4f",
    "mov rax, rdi",
    "pop rbp",
    "ret",
    "1: call {throw}",
    "2: xor eax, eax",
    ".globl tc_null_load",
    "tc_null_load:",
    "mov rax, [rax + 8]",
    "3: xor ecx, ecx",
    "xor edx, edx",
    ".globl tc_divide",
    "tc_divide:",
    "idiv ecx",
    "4: mov [r15 + {last_sp}], rsp",
    "mov [r15 + {last_fp}], rbp",
    "call rdx",
    "cmp qword ptr [r15 + {pending}], 0",
    "jne 5f",
    "pop rbp",
    "ret",
    "5: call {pending_stub}",
    ".globl tc_thrower_end",
    "tc_thrower_end:",
    // catcher(exception, how, native): returns exception | 1 if caught.
    ".globl tc_catcher",
    "tc_catcher:",
    "managed_enter",
    "mov ebx, 77",
    ".globl tc_catcher_try",
    "tc_catcher_try:",
    "call tc_middle",
    ".globl tc_catcher_try_end",
    "tc_catcher_try_end:",
    "jmp 1f",
    ".globl tc_catcher_handler",
    "tc_catcher_handler:",
    "mov rax, [rbp - 64]",
    "or rax, 1",
    "1: managed_leave",
    ".globl tc_catcher_end",
    "tc_catcher_end:",
    // middle: a finally around the call, counts in r15-free memory (tc_count).
    ".globl tc_middle",
    "tc_middle:",
    "managed_enter",
    ".globl tc_middle_try",
    "tc_middle_try:",
    "call tc_thrower",
    ".globl tc_middle_try_end",
    "tc_middle_try_end:",
    "inc dword ptr [rip + tc_count]",
    "managed_leave",
    ".globl tc_middle_handler",
    "tc_middle_handler:",
    "inc dword ptr [rip + tc_count]",
    "lea rdi, [rbp - 88]",
    "call {resume}",
    ".globl tc_middle_end",
    "tc_middle_end:",
    // filterer: like catcher, with a filter that calls thrower2(exception) and accepts when bit 4 of the exception is set.
    ".globl tc_filterer",
    "tc_filterer:",
    "managed_enter",
    ".globl tc_filterer_try",
    "tc_filterer_try:",
    "call tc_middle",
    ".globl tc_filterer_try_end",
    "tc_filterer_try_end:",
    "jmp 1f",
    ".globl tc_filterer_filter",
    "tc_filterer_filter:",
    "mov eax, [rip + tc_count]",
    "mov [rip + tc_count_at_filter], eax",
    "mov rdi, [rbp - 64]",
    "mov rsi, rdi",
    "shr esi, 5",
    "and esi, 7",
    "sub rsp, 8",
    "call tc_thrower",
    "add rsp, 8",
    "mov rax, [rbp - 64]",
    "shr eax, 4",
    "and eax, 1",
    "ret",
    ".globl tc_filterer_handler",
    "tc_filterer_handler:",
    "mov rax, [rbp - 64]",
    "or rax, 2",
    "1: managed_leave",
    ".globl tc_filterer_end",
    "tc_filterer_end:",
    // poller(n): polls n times.
    ".globl tc_poller",
    "tc_poller:",
    "push rbp",
    "mov rbp, rsp",
    "1: cmp rsp, [r15 + {limit}]",
    "ja 2f",
    "call {poll}",
    "2: dec rdi",
    "jne 1b",
    "mov eax, 5",
    "pop rbp",
    "ret",
    ".globl tc_poller_end",
    "tc_poller_end:",
    // deep(): recurses for ever.
    ".globl tc_deep",
    "tc_deep:",
    "push rbp",
    "mov rbp, rsp",
    "sub rsp, 64",
    "cmp rsp, [r15 + {limit}]",
    "ja 2f",
    "call {poll}",
    "2: call tc_deep",
    "leave",
    "ret",
    ".globl tc_deep_end",
    "tc_deep_end:",
    // overflower(): catches what deep raises.
    ".globl tc_overflower",
    "tc_overflower:",
    "managed_enter",
    ".globl tc_overflower_try",
    "tc_overflower_try:",
    "call tc_deep",
    ".globl tc_overflower_try_end",
    "tc_overflower_try_end:",
    "ud2",
    ".globl tc_overflower_handler",
    "tc_overflower_handler:",
    "mov rax, [rbp - 64]",
    "managed_leave",
    ".globl tc_overflower_end",
    "tc_overflower_end:",
    ".data",
    ".globl tc_count",
    "tc_count: .long 0",
    ".globl tc_count_at_filter",
    "tc_count_at_filter: .long 0",
    ".text",
    throw = sym stubs::throw,
    resume = sym stubs::resume_unwind,
    pending_stub = sym stubs::throw_pending,
    poll = sym stubs::poll,
    last_sp = const l::LAST_SP,
    last_fp = const l::LAST_FP,
    pending = const l::PENDING_EXCEPTION,
    limit = const l::STACK_LIMIT,
);

macro_rules! labels {
    ($($name:ident)*) => {
        unsafe extern "C" { $(pub(super) static $name: u8;)* }
    };
}

labels! {
    tc_thrower tc_null_load tc_divide tc_thrower_end
    tc_catcher tc_catcher_try tc_catcher_try_end tc_catcher_handler tc_catcher_end
    tc_middle tc_middle_try tc_middle_try_end tc_middle_handler tc_middle_end
    tc_filterer tc_filterer_try tc_filterer_try_end tc_filterer_filter tc_filterer_handler tc_filterer_end
    tc_poller tc_poller_end tc_deep tc_deep_end
    tc_overflower tc_overflower_try tc_overflower_try_end tc_overflower_handler tc_overflower_end
}

unsafe extern "C" {
    pub(super) static tc_count: core::sync::atomic::AtomicU32;
    pub(super) static tc_count_at_filter: core::sync::atomic::AtomicU32;
}

macro_rules! at {
    ($label:ident) => {
        &raw const $crate::eh::test_code::$label as usize
    };
}
pub(super) use at;

struct Methods(Vec<MethodCode>);

impl CodeInfoProvider for Methods {
    fn method_at(&self, pc: usize) -> Option<&'static MethodCode> {
        let found = self.0.iter().find(|m| m.contains(pc))?;
        // SAFETY: the only value is a leaked one.
        Some(unsafe { &*core::ptr::from_ref(found) })
    }

    fn trap_at(&self, pc: usize) -> Option<TrapKind> {
        let m = self.0.iter().find(|m| m.contains(pc))?;
        m.trap_at((pc - m.start) as u32)
    }
}

fn method(id: u32, start: usize, end: usize) -> MethodCode {
    MethodCode {
        method: MethodId(id),
        start,
        len: (end - start) as u32,
        frame: FrameInfo { size: 96, saved: 0 },
        clauses: Box::default(),
        traps: Box::default(),
        lines: Box::default(),
        inline_sites: Box::default(),
    }
}

fn with_clause(
    mut m: MethodCode,
    range: (usize, usize),
    handler: usize,
    kind: ClauseKind,
    eh_slot: i32,
) -> MethodCode {
    let offset = |a: usize| (a - m.start) as u32;
    let clause = EhClause {
        start: offset(range.0),
        end: offset(range.1),
        handler: offset(handler),
        kind,
        eh_slot,
        region: 3,
    };
    m.clauses = Box::new([clause]);
    m
}

/// Makes the methods known.
pub(super) fn register() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let mut thrower = method(1, at!(tc_thrower), at!(tc_thrower_end));
        let trap = |at: usize, kind| TrapSite {
            offset: (at - thrower.start) as u32,
            kind,
        };
        let traps = [
            trap(at!(tc_null_load), TrapKind::NullReference),
            trap(at!(tc_divide), TrapKind::DivideByZero),
        ];
        thrower.traps = Box::new(traps);
        let filter = ClauseKind::Filter((at!(tc_filterer_filter) - at!(tc_filterer)) as u32);
        let catch = ClauseKind::Catch(TypeId(9));
        let methods = vec![
            thrower,
            with_clause(
                method(2, at!(tc_catcher), at!(tc_catcher_end)),
                (at!(tc_catcher_try), at!(tc_catcher_try_end)),
                at!(tc_catcher_handler),
                catch,
                -64,
            ),
            with_clause(
                method(3, at!(tc_middle), at!(tc_middle_end)),
                (at!(tc_middle_try), at!(tc_middle_try_end)),
                at!(tc_middle_handler),
                ClauseKind::Fault,
                -88,
            ),
            with_clause(
                method(4, at!(tc_filterer), at!(tc_filterer_end)),
                (at!(tc_filterer_try), at!(tc_filterer_try_end)),
                at!(tc_filterer_handler),
                filter,
                -64,
            ),
            method(5, at!(tc_poller), at!(tc_poller_end)),
            method(6, at!(tc_deep), at!(tc_deep_end)),
            with_clause(
                method(7, at!(tc_overflower), at!(tc_overflower_end)),
                (at!(tc_overflower_try), at!(tc_overflower_try_end)),
                at!(tc_overflower_handler),
                catch,
                -64,
            ),
        ];
        let (start, end) = (at!(tc_thrower), at!(tc_overflower_end));
        let methods: &'static Methods = Box::leak(Box::new(Methods(methods)));
        CodeMap::global().register_image(start, end, methods);
    });
}
