//! Where the current thread's stack lies.
#![allow(unsafe_code, reason = "pthread attributes")]

/// Bounds of a thread's stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackBounds {
    /// Lowest usable address (above the guard).
    pub low: usize,
    /// One past the highest address.
    pub high: usize,
}

/// Largest part of an unlimited main stack that we use.
const MAX_STACK: usize = 256 << 20;

/// Bounds of the calling thread's stack.
///
/// # Panics
/// When the C library cannot say; it always can on Linux with `/proc`.
pub fn current_bounds() -> StackBounds {
    // SAFETY: an all-zero attribute object is valid to be overwritten by pthread_getattr_np.
    let mut attr: libc::pthread_attr_t = unsafe { core::mem::zeroed() };
    let (mut base, mut size, mut guard) = (core::ptr::null_mut(), 0usize, 0usize);
    // SAFETY: all pointers are to live locals; the attribute object is initialized by the first call and
    // destroyed once.
    let ok = unsafe {
        let ok = libc::pthread_getattr_np(libc::pthread_self(), &raw mut attr) == 0;
        if ok {
            libc::pthread_attr_getstack(&raw const attr, &raw mut base, &raw mut size);
            libc::pthread_attr_getguardsize(&raw const attr, &raw mut guard);
            libc::pthread_attr_destroy(&raw mut attr);
        }
        ok
    };
    assert!(ok, "the bounds of the thread's stack are unknown");
    let high = base as usize + size;
    let low = (base as usize + guard.max(4096)).max(high.saturating_sub(MAX_STACK));
    StackBounds { low, high }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_local_lies_inside() {
        let local = 0u8;
        let b = super::current_bounds();
        let at = core::ptr::from_ref(&local) as usize;
        assert!(b.low < at && at < b.high, "{at:x} {b:x?}");
    }
}
