//! Registers in a signal context.
#![allow(unsafe_code, reason = "signal contexts are raw")]

use super::stubs;
use shared_codegen::abi::trap::TrapKind;

/// The interrupted registers, as a signal handler got them.
#[derive(Debug)]
pub struct SignalContext<'a>(&'a mut libc::ucontext_t);

impl<'a> SignalContext<'a> {
    /// # Safety
    /// `context` must be the third argument of a running `SA_SIGINFO` handler.
    pub unsafe fn new(context: *mut libc::c_void) -> SignalContext<'a> {
        // SAFETY: the caller's promise; the handler has the context for itself.
        SignalContext(unsafe { &mut *context.cast::<libc::ucontext_t>() })
    }

    fn get(&self, register: libc::c_int) -> usize {
        self.0.uc_mcontext.gregs[register as usize] as usize
    }

    fn set(&mut self, register: libc::c_int, value: usize) {
        self.0.uc_mcontext.gregs[register as usize] = value as i64;
    }

    /// Address of the interrupted instruction.
    pub fn pc(&self) -> usize {
        self.get(libc::REG_RIP)
    }

    /// Stack pointer.
    pub fn sp(&self) -> usize {
        self.get(libc::REG_RSP)
    }

    /// Frame pointer.
    pub fn fp(&self) -> usize {
        self.get(libc::REG_RBP)
    }

    /// Makes the thread go on as if the trapping instruction had called `throw_trap(kind)`.
    ///
    /// # Safety
    /// The interrupted instruction must be one of managed code that is listed as a trap.
    pub unsafe fn raise_trap(&mut self, kind: TrapKind) {
        let sp = self.sp() - 8;
        // SAFETY: managed code keeps nothing below its stack pointer, and the frame has room for a call.
        unsafe { (sp as *mut usize).write(self.pc() + 1) };
        self.set(libc::REG_RSP, sp);
        self.set(libc::REG_RDI, kind as usize);
        self.set(libc::REG_RIP, stubs::throw_trap as *const () as usize);
    }
}
