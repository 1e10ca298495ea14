//! The sync word of an object: finalizer flags, thin lock or monitor index, hash code.
//!
//! | bits | meaning |
//! |---|---|
//! | 0 | inflated: bits 8-35 are the index of a monitor |
//! | 2 | a finalizer is registered |
//! | 3 | the finalizer is suppressed |
//! | 8-27 | thin lock: owning thread, 0 if free |
//! | 28-35 | thin lock: number of entries after the first |
//! | 36-63 | hash code, 0 if none yet |
#![allow(unsafe_code, reason = "the word lives in objects")]

use super::layout::Addr;
use core::sync::atomic::{AtomicU64, Ordering};
use shared_codegen::abi::layout::object;

/// The lock is a monitor.
pub const INFLATED: u64 = 1;
const FINALIZER: u64 = 4;
const SUPPRESSED: u64 = 8;
/// First bit of the owner or monitor index.
pub const OWNER_SHIFT: u32 = 8;
/// Owner of a thin lock, unshifted.
pub const OWNER_MASK: u64 = 0xf_ffff;
/// First bit of the recursion count.
pub const RECURSION_SHIFT: u32 = 28;
/// Recursion count, unshifted.
pub const RECURSION_MASK: u64 = 0xff;
/// Monitor index, unshifted.
pub const MONITOR_MASK: u64 = 0xfff_ffff;
/// Everything about locks.
pub const LOCK_BITS: u64 = INFLATED | MONITOR_MASK << OWNER_SHIFT;
/// First bit of the hash code.
pub const HASH_SHIFT: u32 = 36;

/// The sync word of a live object.
pub(crate) fn word(object: Addr) -> &'static AtomicU64 {
    // SAFETY: callers pass addresses of live objects; the word is only ever accessed atomically. The lifetime is that
    // of the object, which callers keep alive while they use the word.
    unsafe { &*((object + object::SYNC as usize) as *const AtomicU64) }
}

/// True when this is a new registration; also ends a suppression.
pub(super) fn set_finalizer_registered(object: Addr) -> bool {
    set_finalizer_suppressed(object, false);
    word(object).fetch_or(FINALIZER, Ordering::AcqRel) & FINALIZER == 0
}

pub(super) fn set_finalizer_suppressed(object: Addr, on: bool) {
    if on {
        word(object).fetch_or(SUPPRESSED, Ordering::AcqRel);
    } else {
        word(object).fetch_and(!SUPPRESSED, Ordering::AcqRel);
    }
}

pub(super) fn wants_finalizer(object: Addr) -> bool {
    word(object).load(Ordering::Acquire) & (FINALIZER | SUPPRESSED) == FINALIZER
}

/// Ends the registration; should the finalizer run?
pub(super) fn take_finalizer(object: Addr) -> bool {
    let old = word(object).fetch_and(!FINALIZER, Ordering::AcqRel);
    old & (FINALIZER | SUPPRESSED) == FINALIZER
}

/// The object's hash code: positive, never 0, the same for the object's life.
pub fn hash_code(object: Addr) -> i32 {
    let word = word(object);
    let mut old = word.load(Ordering::Relaxed);
    loop {
        if old >> HASH_SHIFT != 0 {
            return (old >> HASH_SHIFT) as i32;
        }
        let new = old | next_hash() << HASH_SHIFT;
        match word.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => return (new >> HASH_SHIFT) as i32,
            Err(now) => old = now,
        }
    }
}

/// Scattered numbers of 28 bits, not 0 (Weyl sequence through a multiplicative mix).
fn next_hash() -> u64 {
    static SEED: AtomicU64 = AtomicU64::new(0);
    loop {
        let n = SEED.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (n ^ (n >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93) >> HASH_SHIFT;
        if mixed != 0 {
            return mixed;
        }
    }
}
