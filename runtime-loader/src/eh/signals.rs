//! Synchronous signals: traps of managed code become exceptions, everything else goes where it went before.
#![allow(unsafe_code, reason = "signal handlers")]

use crate::arch::native::context::SignalContext;
use crate::jit::CodeMap;
use crate::sys::memory::Mapping;
use shared_codegen::abi::trap::TrapKind;
use std::io;
use std::sync::OnceLock;

/// Null is dereferenced at most this far away; a fault further on is not a null reference.
const NULL_PAGES: usize = 64 << 10;
/// Size of the stack that handlers run on.
const HANDLER_STACK: usize = 64 << 10;

const SIGNALS: [libc::c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL];

static PREVIOUS: OnceLock<[libc::sigaction; 4]> = OnceLock::new();

/// Installs the handlers; once per process.
pub fn install() -> io::Result<()> {
    let mut failed = None;
    PREVIOUS.get_or_init(|| {
        SIGNALS.map(|signal| {
            // SAFETY: zeroed sigactions are valid; handler and flags are set before use.
            unsafe {
                let mut previous: libc::sigaction = core::mem::zeroed();
                let mut action: libc::sigaction = core::mem::zeroed();
                action.sa_sigaction = on_signal as *const () as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                if libc::sigaction(signal, &raw const action, &raw mut previous) != 0 {
                    failed = Some(io::Error::last_os_error());
                }
                previous
            }
        })
    });
    failed.map_or(Ok(()), Err)
}

/// An alternate stack for the signal handlers of one thread.
#[derive(Debug)]
pub(crate) struct HandlerStack(Mapping);

impl HandlerStack {
    /// Gives the calling thread one, unless it has one already.
    pub(crate) fn install() -> Option<HandlerStack> {
        // SAFETY: queries the current alternate stack into a local.
        let old = unsafe {
            let mut old: libc::stack_t = core::mem::zeroed();
            libc::sigaltstack(core::ptr::null(), &raw mut old);
            old
        };
        if old.ss_flags & libc::SS_DISABLE == 0 {
            return None;
        }
        let memory = Mapping::anonymous(HANDLER_STACK).ok()?;
        let new = libc::stack_t {
            ss_sp: memory.start().cast(),
            ss_flags: 0,
            ss_size: memory.len(),
        };
        // SAFETY: the memory stays mapped until `remove`.
        unsafe { libc::sigaltstack(&raw const new, core::ptr::null_mut()) };
        Some(HandlerStack(memory))
    }

    /// Takes it away from the calling thread, which must be the one that installed it.
    pub(crate) fn remove(self) {
        let off = libc::stack_t {
            ss_sp: core::ptr::null_mut(),
            ss_flags: libc::SS_DISABLE,
            ss_size: 0,
        };
        // SAFETY: switches the alternate stack off before its memory goes.
        unsafe { libc::sigaltstack(&raw const off, core::ptr::null_mut()) };
        drop(self.0);
    }
}

unsafe extern "C" fn on_signal(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the kernel passes both to SA_SIGINFO handlers.
    let (mut regs, address) = unsafe { (SignalContext::new(context), (*info).si_addr() as usize) };
    match trap_of(signal, &regs, address) {
        // SAFETY: a trapping instruction of managed code, by the table of traps or as a stack probe.
        Some(kind) => unsafe { regs.raise_trap(kind) },
        None => not_ours(signal, &regs, address),
    }
}

fn trap_of(signal: libc::c_int, regs: &SignalContext<'_>, address: usize) -> Option<TrapKind> {
    let map = CodeMap::existing()?;
    let kind = map.trap_at(regs.pc())?;
    plausible(signal, kind, address).then_some(kind)
}

/// A null check can only fault near null.
fn plausible(signal: libc::c_int, kind: TrapKind, address: usize) -> bool {
    match signal {
        libc::SIGSEGV | libc::SIGBUS => kind == TrapKind::NullReference && address < NULL_PAGES,
        _ => true,
    }
}

/// Says what happened, puts the previous handler back and returns, so that the instruction faults again.
fn not_ours(signal: libc::c_int, regs: &SignalContext<'_>, address: usize) {
    report(signal, regs, address);
    let index = SIGNALS.iter().position(|&s| s == signal).unwrap_or(0);
    if let Some(previous) = PREVIOUS.get() {
        // SAFETY: restores what the kernel gave us.
        unsafe { libc::sigaction(signal, &raw const previous[index], core::ptr::null_mut()) };
    }
}

/// Writes one line without allocating.
fn report(signal: libc::c_int, regs: &SignalContext<'_>, address: usize) {
    let managed = CodeMap::existing().is_some_and(|m| m.is_managed(regs.pc()));
    let mut line = Line {
        bytes: [0; 200],
        len: 0,
    };
    line.text("aotrun: fatal signal ");
    line.hex(signal as usize);
    line.text(if managed {
        " in compiled code at "
    } else {
        " in native code at "
    });
    line.hex(regs.pc());
    line.text(", address ");
    line.hex(address);
    line.text(", sp ");
    line.hex(regs.sp());
    line.text(", fp ");
    line.hex(regs.fp());
    line.text("\n");
    // SAFETY: writes initialized bytes of a local.
    unsafe { libc::write(2, line.bytes.as_ptr().cast(), line.len) };
}

struct Line {
    bytes: [u8; 200],
    len: usize,
}

impl Line {
    fn text(&mut self, text: &str) {
        for &b in text.as_bytes() {
            if self.len < self.bytes.len() {
                self.bytes[self.len] = b;
                self.len += 1;
            }
        }
    }

    fn hex(&mut self, value: usize) {
        self.text("0x");
        let digits = (usize::BITS - value.leading_zeros()).div_ceil(4).max(1);
        for i in (0..digits).rev() {
            let digit = (value >> (4 * i)) & 15;
            self.text(&"0123456789abcdef"[digit..=digit]);
        }
    }
}
