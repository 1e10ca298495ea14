//! Memory for code made at run time: never writable and executable at the same address.
//!
//! One reservation: `[data: read-write cells][code: read-execute]`, so code reaches its cells (entry slots,
//! helper addresses) relative to `rip`, and any code reaches any other with a 32-bit displacement. The code part is
//! mapped a second time, writable, elsewhere; the runtime writes through that view. Blocks are handed out in
//! ascending order and never freed.
//!
//! Each block registered with [`CodeMemory::publish`] has a bit in a table of starts and a word in front of its first byte that
//! points to its description, so finding the description of a pc needs no lock and works in signal handlers.
#![allow(
    unsafe_code,
    reason = "writes machine code and reads descriptions back"
)]

use crate::sys::memory::{DualMapping, Mapping};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use parking_lot::Mutex;
use std::io;

/// Blocks start at multiples of this.
pub const CODE_ALIGN: usize = 16;
/// Address space for code.
const CODE_BYTES: usize = 512 << 20;
/// Address space for cells.
const DATA_BYTES: usize = 128 << 20;
/// Room for the pointer to the description in front of a block.
const BLOCK_HEADER: usize = 8;

/// The code memory is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the memory for compiled code is used up")]
pub struct CodeMemoryFull;

/// A pointer-sized cell reachable from all code; the operand of `call *slot(%rip)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntrySlot(NonNull<AtomicUsize>);

// SAFETY: the cell is atomic and lives until the process ends.
unsafe impl Send for EntrySlot {}
// SAFETY: as above.
unsafe impl Sync for EntrySlot {}

impl EntrySlot {
    /// A cell that lies elsewhere, for example in the GOT of an image.
    ///
    /// # Safety
    /// `addr` must be a pointer-aligned cell, accessed atomically only, that is never unmapped.
    pub unsafe fn from_addr(addr: usize) -> Option<EntrySlot> {
        NonNull::new(addr as *mut AtomicUsize).map(EntrySlot)
    }

    /// Address of the cell.
    pub fn addr(self) -> usize {
        self.0.as_ptr() as usize
    }

    /// The current target.
    pub fn target(self) -> usize {
        self.cell().load(Ordering::Acquire)
    }

    /// Redirects all callers.
    pub fn set_target(self, code: usize) {
        self.cell().store(code, Ordering::Release);
    }

    fn cell(&self) -> &AtomicUsize {
        // SAFETY: cells are immortal and only accessed atomically (compiled code reads aligned words).
        unsafe { self.0.as_ref() }
    }
}

/// The process's memory for compiled code.
#[derive(Debug)]
pub struct CodeMemory {
    code: DualMapping,
    data: usize,
    code_used: Mutex<usize>,
    data_used: AtomicUsize,
    /// One bit per [`CODE_ALIGN`] bytes: a published block starts here.
    starts: Mapping,
}

impl CodeMemory {
    /// Reserves the address space; pages cost nothing until used.
    pub fn reserve() -> io::Result<CodeMemory> {
        let (code, data) = DualMapping::with_data(CODE_BYTES, DATA_BYTES)?;
        Ok(CodeMemory {
            code,
            data,
            code_used: Mutex::new(0),
            data_used: AtomicUsize::new(0),
            starts: Mapping::anonymous(CODE_BYTES / CODE_ALIGN / 8)?,
        })
    }

    /// Is this address in the code part?
    pub fn contains(&self, pc: usize) -> bool {
        pc.wrapping_sub(self.code.executable) < self.code.len
    }

    /// Bytes of code handed out so far.
    pub fn code_bytes(&self) -> usize {
        *self.code_used.lock()
    }

    /// Zeroed memory for `len` bytes of data that code refers to, aligned to 8.
    pub fn allocate_data(&self, len: usize) -> Result<NonNull<u8>, CodeMemoryFull> {
        let len = len.next_multiple_of(8);
        let at = self.data_used.fetch_add(len, Ordering::Relaxed);
        if at + len > DATA_BYTES {
            return Err(CodeMemoryFull);
        }
        NonNull::new((self.data + at) as *mut u8).ok_or(CodeMemoryFull)
    }

    /// A new cell.
    pub fn new_slot(&self, target: usize) -> Result<EntrySlot, CodeMemoryFull> {
        let slot = EntrySlot(self.allocate_data(8)?.cast());
        slot.set_target(target);
        Ok(slot)
    }

    /// Reserves `len` bytes of code. The result is the address it will run at.
    pub fn allocate(&self, len: usize) -> Result<usize, CodeMemoryFull> {
        self.allocate_aligned(len, CODE_ALIGN)
    }

    /// The same at a multiple of `align`, a power of two not above the page size.
    pub fn allocate_aligned(&self, len: usize, align: usize) -> Result<usize, CodeMemoryFull> {
        let mut used = self.code_used.lock();
        let at = (*used + BLOCK_HEADER).next_multiple_of(align.max(CODE_ALIGN));
        if at + len > self.code.len {
            return Err(CodeMemoryFull);
        }
        *used = at + len;
        Ok(self.code.executable + at)
    }

    /// Writes bytes of a block from [`allocate`](Self::allocate), before any thread runs them or atomically as the processor
    /// demands (an aligned word).
    ///
    /// # Panics
    /// When the range is not code memory.
    pub fn write(&self, addr: usize, bytes: &[u8]) {
        let to = self.writable(addr, bytes.len());
        // SAFETY: `writable` checked that the range is inside our writable view; nobody holds Rust references into it.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    }

    /// Allocates and writes in one step; for position-independent bytes.
    pub fn install(&self, bytes: &[u8]) -> Result<usize, CodeMemoryFull> {
        let addr = self.allocate(bytes.len())?;
        self.write(addr, bytes);
        Ok(addr)
    }

    /// Makes `description` what [`description_at`](Self::description_at) finds for the block that starts at `start`.
    ///
    /// # Panics
    /// When `start` is not the start of a block.
    pub fn publish(&self, start: usize, description: usize) {
        assert!(start.is_multiple_of(CODE_ALIGN), "blocks are aligned");
        self.write(start - BLOCK_HEADER, &description.to_ne_bytes());
        let index = (start - self.code.executable) / CODE_ALIGN;
        self.start_word(index / 64)
            .fetch_or(1 << (index % 64), Ordering::Release);
    }

    /// The description of the published block at or before `pc`, and where it starts. The caller checks the block's length.
    pub fn description_at(&self, pc: usize) -> Option<(usize, usize)> {
        if !self.contains(pc) {
            return None;
        }
        let index = (pc - self.code.executable) / CODE_ALIGN;
        let mut word = index / 64;
        let mut bits =
            self.start_word(word).load(Ordering::Acquire) & (u64::MAX >> (63 - index % 64));
        while bits == 0 {
            word = word.checked_sub(1)?;
            bits = self.start_word(word).load(Ordering::Acquire);
        }
        let start =
            self.code.executable + (word * 64 + 63 - bits.leading_zeros() as usize) * CODE_ALIGN;
        // SAFETY: a set bit means that `publish` has written the word in front of `start` before.
        let description = unsafe { ((start - BLOCK_HEADER) as *const usize).read() };
        Some((start, description))
    }

    fn start_word(&self, index: usize) -> &AtomicU64 {
        debug_assert!(index * 8 < self.starts.len());
        // SAFETY: the table has one bit per block unit of the code part, indices come from addresses inside it, and it is
        // only ever accessed as atomics.
        unsafe { &*self.starts.start().cast::<AtomicU64>().add(index) }
    }

    fn writable(&self, addr: usize, len: usize) -> *mut u8 {
        let at = addr.wrapping_sub(self.code.executable);
        assert!(
            at <= self.code.len && len <= self.code.len - at,
            "outside the code memory"
        );
        (self.code.writable + at) as *mut u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_runs_and_is_found() {
        let memory = CodeMemory::reserve().unwrap();
        let first = memory.install(&[0xb8, 42, 0, 0, 0, 0xc3]).unwrap(); // mov eax, 42; ret
        let second = memory.install(&[0xc3; 100]).unwrap();
        memory.publish(first, 0x1111);
        memory.publish(second, 0x2222);
        // SAFETY: the bytes just written are a function without arguments that returns 42.
        let f: extern "C" fn() -> u32 = unsafe { core::mem::transmute(first) };
        assert_eq!(f(), 42);
        assert_eq!(memory.description_at(first + 3), Some((first, 0x1111)));
        assert_eq!(memory.description_at(second), Some((second, 0x2222)));
        assert_eq!(memory.description_at(second + 5000), Some((second, 0x2222)));
        assert_eq!(memory.description_at(first - 1), None);
    }

    #[test]
    fn slots_are_near_code() {
        let memory = CodeMemory::reserve().unwrap();
        let slot = memory.new_slot(7).unwrap();
        let code = memory.allocate(64).unwrap();
        assert_eq!(slot.target(), 7);
        assert!(i32::try_from(slot.addr() as i64 - code as i64).is_ok());
        slot.set_target(8);
        assert_eq!(slot.target(), 8);
    }
}
