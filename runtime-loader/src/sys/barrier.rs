//! Process-wide memory barrier: makes all other threads execute a full fence without their help.
//!
//! Threads change their state (`managed`, `native`) with plain stores and then load the stop flag; the thread
//! that wants to stop them stores the flag, calls [`process_barrier`], and reads the states. The
//! asymmetric barrier orders both sides, so compiled code needs no fence.
#![allow(unsafe_code, reason = "membarrier has no safe wrapper")]

use core::sync::atomic::{AtomicU8, Ordering, fence};

const UNKNOWN: u8 = 0;
const AVAILABLE: u8 = 1;
const MISSING: u8 = 2;

static SUPPORT: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Registers the process for the fast form of the barrier. Called once at start-up; cheap.
pub fn register() {
    if SUPPORT.load(Ordering::Relaxed) == UNKNOWN {
        let ok = membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
        SUPPORT.store(if ok { AVAILABLE } else { MISSING }, Ordering::Relaxed);
    }
}

/// Every other thread of the process passes through a full memory barrier before this returns.
pub fn process_barrier() {
    fence(Ordering::SeqCst);
    if SUPPORT.load(Ordering::Relaxed) == AVAILABLE
        && membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    {
        return;
    }
    flush_by_protection();
}

/// Changing the protection of a touched page makes the kernel interrupt every processor that runs a thread of
/// this process (TLB shoot-down), which is a barrier too.
fn flush_by_protection() {
    let Ok(page) = super::memory::Mapping::anonymous(4096) else {
        return;
    };
    // SAFETY: the mapping is ours, one page long, and writable until `protect`.
    unsafe { page.start().write_volatile(1) };
    page.protect_none();
}

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: the system call takes no pointers.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_ways_return() {
        super::register();
        super::process_barrier();
        super::flush_by_protection();
    }
}
