//! Gives memory back to the system after a peak: mmtk keeps every page it has ever used.
//!
//! After a collection the object-start bits say exactly which objects live. Pages that none of them touches hold nothing: allocators have
//! given back their buffers, and memory is cleared when it is handed out again, so the system may drop such pages.
//! Dropping costs time now and page faults later, so it is done only when clearly more pages have been used than
//! the heap may use before the next collection (`Trigger`).
#![allow(
    unsafe_code,
    reason = "reads the object-start bits and headers of the stopped heap"
)]

use super::heap::object_bits_base;
use super::layout;
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};
use mmtk::memory_manager as mm;
use mmtk::util::Address;
use rustix::mm::{Advice, madvise};

/// mmtk maps memory in units of this.
const CHUNK: usize = 4 << 20;
const PAGE: usize = 4096;
const HUGE_PAGE: usize = 2 << 20;
/// Object-start bits of a page, in words: a bit per eight bytes.
const PAGE_BITS: usize = PAGE / 8 / 64;
/// Runs of free pages shorter than this are not worth a system call.
const MIN_RUN: usize = 4 * PAGE;

/// Spaces smaller than this keep to ordinary pages, so that small programs need no more memory than they use.
const SMALL_HEAP: usize = 8 * CHUNK;

/// The addresses a space has handed out so far.
struct Span {
    low: AtomicUsize,
    high: AtomicUsize,
}

/// Ordinary objects, large objects.
static SPANS: [Span; 2] = [const {
    Span {
        low: AtomicUsize::new(usize::MAX),
        high: AtomicUsize::new(0),
    }
}; 2];

/// Notes the address of an object that took the slow path of allocation; buffers do not cross chunks.
pub(super) fn note_allocation(at: usize, size: usize, large: bool) {
    let span = &SPANS[usize::from(large)];
    let (low, high) = (at & !(CHUNK - 1), (at + size).next_multiple_of(CHUNK));
    if low < span.low.load(Ordering::Relaxed) {
        span.low.fetch_min(low, Ordering::Relaxed);
    }
    if high > span.high.load(Ordering::Relaxed) {
        let known = span.high.fetch_max(high, Ordering::Relaxed);
        if high - span.low.load(Ordering::Relaxed) > SMALL_HEAP {
            use_huge_pages(low.max(known)..high);
        }
    }
}

/// A heap that has grown keeps growing: its new chunks may come as huge pages, which saves five hundred page faults each.
/// Where a first page has been touched already no huge page fits any more: the other small ones are asked for at once.
fn use_huge_pages(chunks: Range<usize>) {
    if let Some(size) = chunks.end.checked_sub(chunks.start) {
        let at = core::ptr::without_provenance_mut(chunks.start);
        // SAFETY: advice changes no contents, and these chunks have just been mapped. A system without huge pages refuses.
        unsafe {
            let _ = madvise(at, size, Advice::LinuxHugepage);
            let _ = madvise(at, HUGE_PAGE, Advice::LinuxPopulateWrite);
        }
    }
}

/// Drops the pages without live objects; returns their number. The world is stopped, and a full collection has just swept everything.
pub(super) fn free_pages() -> usize {
    let mut released = 0;
    for span in &SPANS {
        let (low, high) = (
            span.low.load(Ordering::Relaxed),
            span.high.load(Ordering::Relaxed),
        );
        if low >= high {
            continue;
        }
        let mut sweep = Sweep {
            free_from: low,
            released: 0,
        };
        let mut chunk = low;
        while chunk < high {
            if is_mapped(chunk) {
                sweep.chunk(chunk);
            } else {
                sweep.end_run(chunk);
                sweep.free_from = sweep.free_from.max(chunk + CHUNK);
            }
            chunk += CHUNK;
        }
        sweep.end_run(high);
        released += sweep.released;
    }
    released / PAGE
}

fn is_mapped(chunk: usize) -> bool {
    // SAFETY: any address may be asked about.
    mm::is_mapped_address(unsafe { Address::from_usize(chunk) })
}

/// A walk over a space in order of addresses.
struct Sweep {
    /// No live object reaches beyond this among those seen so far.
    free_from: usize,
    released: usize,
}

impl Sweep {
    fn chunk(&mut self, chunk: usize) {
        for page in (chunk..chunk + CHUNK).step_by(PAGE) {
            // Inside a large object there are no others.
            if self.free_from >= page + PAGE {
                continue;
            }
            if let Some(objects) = objects_in(page) {
                self.end_run(objects.start);
                self.free_from = objects.end;
            }
        }
    }

    /// What lies between the last live object and `end` is free.
    fn end_run(&mut self, end: usize) {
        let (first, last) = (self.free_from.next_multiple_of(PAGE), end & !(PAGE - 1));
        if last <= first || last - first < MIN_RUN {
            return;
        }
        let at = core::ptr::without_provenance_mut(first);
        // SAFETY: no live object overlaps the range, and what is handed out of it later is cleared first.
        if unsafe { madvise(at, last - first, Advice::LinuxDontNeed) }.is_ok() {
            self.released += last - first;
        }
    }
}

/// From the start of the first object that starts in a page to the end of the last.
fn objects_in(page: usize) -> Option<Range<usize>> {
    // SAFETY: the bits of mapped pages are mapped and aligned as the pages are; nobody writes them now.
    let bits: &[u64; PAGE_BITS] = unsafe {
        &*core::ptr::without_provenance::<[u64; PAGE_BITS]>(object_bits_base() + (page >> 6))
    };
    let first = bits.iter().position(|&w| w != 0)?;
    let last = bits.iter().rposition(|&w| w != 0)?;
    let address = |word: usize, bit: u32| page + 8 * (64 * word + bit as usize);
    let start = address(first, bits[first].trailing_zeros());
    let end = address(last, 63 - bits[last].leading_zeros());
    // SAFETY: after a full collection the bits mark live objects only, whose headers are written.
    Some(start..end + unsafe { layout::size(end) })
}
